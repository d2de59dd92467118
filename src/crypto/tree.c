/* tree.c - the tree of RFC 6962, 2.1, without recursion on what comes from outside: depth is
 * bounded by the count's bits. */
#include "crypto/tree.h"

#include "base/mem.h"
#include "codec/hex.h"

static enum wa_code hash_node(const struct wa_tree_digest *left, const struct wa_tree_digest *right,
                              struct wa_tree_digest *ret, struct wa_err *err)
{
    uint8_t bytes[1 + 2 * WA_SHA256_SIZE];
    bytes[0] = 1;
    memcpy(bytes + 1, left->b, WA_SHA256_SIZE);
    memcpy(bytes + 1 + WA_SHA256_SIZE, right->b, WA_SHA256_SIZE);
    return wa_sha256(bytes, sizeof bytes, ret->b, err);
}

enum wa_code wa_tree_leaf(struct wa_sv statement, struct wa_tree_digest *ret, struct wa_err *err)
{
    char hex[WA_DIGEST_HEX_MAX];
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK || wa_digest_add(d, "\0", 1, err) != WA_OK ||
        wa_digest_add(d, statement.p, statement.n, err) != WA_OK ||
        wa_digest_hex(d, hex, err) != WA_OK)
        return err->code;
    (void)wa_hex_decode(wa_sv(hex), ret->b, WA_SHA256_SIZE); /* our own digits */
    return WA_OK;
}

static enum wa_code check_count(size_t count, struct wa_err *err)
{
    if (count == 0 || count > WA_TREE_LEAVES_MAX)
        return wa_fail(err, WA_E_LIMIT, "a tree of %zu statements (1 to %u)", count,
                       WA_TREE_LEAVES_MAX);
    return WA_OK;
}

/* One level up, in place: pairs are hashed, an odd one out rises as it is. That is RFC 6962's tree,
 * built from below. */
static enum wa_code rise(struct wa_tree_digest *level, size_t *n, struct wa_err *err)
{
    size_t out = 0;
    for (size_t i = 0; i + 1 < *n; i += 2)
        if (hash_node(&level[i], &level[i + 1], &level[out++], err) != WA_OK)
            return err->code;
    if (*n % 2 == 1)
        level[out++] = level[*n - 1];
    *n = out;
    return WA_OK;
}

static enum wa_code copy_leaves(const struct wa_tree_digest *leaves, size_t count,
                                struct wa_tree_digest **ret, struct wa_err *err)
{
    if (check_count(count, err) != WA_OK)
        return err->code;
    *ret = wa_calloc(count, sizeof **ret);
    if (*ret == NULL)
        return wa_nomem(err);
    memcpy(*ret, leaves, count * sizeof **ret);
    return WA_OK;
}

enum wa_code wa_tree_root(const struct wa_tree_digest *leaves, size_t count,
                          struct wa_tree_digest *ret, struct wa_err *err)
{
    struct wa_tree_digest *level = NULL;
    if (copy_leaves(leaves, count, &level, err) != WA_OK)
        return err->code;
    enum wa_code code = WA_OK;
    for (size_t n = count; code == WA_OK && n > 1;)
        code = rise(level, &n, err);
    if (code == WA_OK)
        *ret = level[0];
    wa_free(level);
    return code;
}

enum wa_code wa_tree_prove(const struct wa_tree_digest *leaves, size_t count, size_t index,
                           struct wa_tree_proof *ret, struct wa_err *err)
{
    struct wa_tree_digest *level = NULL;
    struct wa_tree_proof proof = {.n = 0};
    if (copy_leaves(leaves, count, &level, err) != WA_OK)
        return err->code;
    enum wa_code code =
        index < count ? WA_OK : wa_fail(err, WA_E_USAGE, "statement %zu of %zu", index, count);
    for (size_t n = count, at = index; code == WA_OK && n > 1; at /= 2) {
        size_t sibling = at ^ 1u;
        if (sibling < n)
            proof.path[proof.n++] = level[sibling];
        code = rise(level, &n, err);
    }
    if (code == WA_OK)
        *ret = proof;
    wa_free(level);
    return code;
}

enum wa_code wa_tree_check(const struct wa_tree_digest *leaf, size_t index, size_t count,
                           const struct wa_tree_proof *proof, const struct wa_tree_digest *root,
                           struct wa_err *err)
{
    struct wa_tree_digest at = *leaf;
    size_t used = 0;
    if (check_count(count, err) != WA_OK)
        return err->code;
    if (index >= count)
        return wa_fail(err, WA_E_REFUSED, "a proof for a place outside the tree");
    for (size_t n = count, i = index; n > 1; n = (n + 1) / 2, i /= 2) {
        if ((i ^ 1u) >= n)
            continue; /* the odd one out rises alone */
        if (used == proof->n)
            return wa_fail(err, WA_E_REFUSED, "the proof is too short");
        const struct wa_tree_digest *sibling = &proof->path[used++];
        enum wa_code code =
            i % 2 == 0 ? hash_node(&at, sibling, &at, err) : hash_node(sibling, &at, &at, err);
        if (code != WA_OK)
            return code;
    }
    if (used != proof->n)
        return wa_fail(err, WA_E_REFUSED, "the proof is too long");
    if (!wa_ct_equal(at.b, root->b, WA_SHA256_SIZE))
        return wa_fail(err, WA_E_REFUSED, "the proof does not lead to the signed root");
    return WA_OK;
}
