/* tree.c - digest trees after RFC 6962, 2.1, checked as RFC 9162, 2.1.3.2 does.
 *
 * Pairing neighbours level by level and carrying an odd last node up unchanged gives the very tree
 * that the RFC defines by splitting at powers of two; so nothing here recurses, and struct wa_tree,
 * which keeps every level, proves a leaf without hashing at all.
 */
#include "crypto/tree.h"

#include "base/mem.h"
#include "crypto/digest_priv.h"

struct wa_tree {
    struct wa_tree_digest *nodes; /* all levels, leaves first */
    size_t start[WA_TREE_DEPTH_MAX + 1];
    size_t count[WA_TREE_DEPTH_MAX + 1];
    size_t levels;
};

static enum wa_code end(struct wa_digest *d, struct wa_tree_digest *ret, struct wa_err *err)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (wa_digest_end(d, bytes, &n, err) != WA_OK)
        return err->code;
    memcpy(ret->b, bytes, sizeof(ret->b));
    return WA_OK;
}

/* ret may be left or right. */
static enum wa_code join(struct wa_digest *d, const struct wa_tree_digest *left,
                         const struct wa_tree_digest *right, struct wa_tree_digest *ret,
                         struct wa_err *err)
{
    uint8_t bytes[1 + 2 * WA_SHA256_SIZE];

    bytes[0] = 1;
    memcpy(bytes + 1, left->b, WA_SHA256_SIZE);
    memcpy(bytes + 1 + WA_SHA256_SIZE, right->b, WA_SHA256_SIZE);
    if (wa_digest_add(d, bytes, sizeof(bytes), err) != WA_OK)
        return err->code;
    return end(d, ret, err);
}

static enum wa_code check_count(size_t count, struct wa_err *err)
{
    if (count < 1 || count > WA_TREE_LEAVES_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot use a tree of %zu statements: 1 to %u are possible",
                       count, WA_TREE_LEAVES_MAX);
    return WA_OK;
}

static enum wa_code leaf(struct wa_digest *d, struct wa_sv statement, struct wa_tree_digest *ret,
                         struct wa_err *err)
{
    if (wa_digest_add(d, "\0", 1, err) != WA_OK ||
        wa_digest_add(d, statement.p, statement.n, err) != WA_OK)
        return err->code;
    return end(d, ret, err);
}

enum wa_code wa_tree_leaf(struct wa_sv statement, struct wa_tree_digest *ret, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;

    return wa_digest_new(WA_SHA256, &d, err) == WA_OK ? leaf(d, statement, ret, err) : err->code;
}

enum wa_code wa_tree_leaves(char *const *statements, size_t count, struct wa_tree_digest *ret,
                            struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;

    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (leaf(d, wa_sv(statements[i]), &ret[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_tree_root(const struct wa_tree_digest *leaves, size_t count,
                          struct wa_tree_digest *ret, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_tree_digest
        stack[WA_TREE_DEPTH_MAX + 2]; /* perfect subtrees, each smaller than the one below */
    size_t n = 0;

    if (check_count(count, err) != WA_OK || wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        stack[n++] = leaves[i];
        for (size_t k = i; (k & 1) != 0; k >>= 1, n--)
            if (join(d, &stack[n - 2], &stack[n - 1], &stack[n - 2], err) != WA_OK)
                return err->code;
    }
    for (; n > 1; n--)
        if (join(d, &stack[n - 2], &stack[n - 1], &stack[n - 2], err) != WA_OK)
            return err->code;
    *ret = stack[0];
    return WA_OK;
}

/* Lays the levels out; returns the number of nodes. */
static size_t lay_out(struct wa_tree *t, size_t count)
{
    size_t total = 0;

    for (size_t n = count;; n = (n + 1) / 2) {
        t->start[t->levels] = total;
        t->count[t->levels++] = n;
        total += n;
        if (n == 1)
            return total;
    }
}

enum wa_code wa_tree_new(const struct wa_tree_digest *leaves, size_t count, struct wa_tree **ret,
                         struct wa_err *err)
{
    WA_AUTO(wa_tree) struct wa_tree *t = NULL;
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;

    if (check_count(count, err) != WA_OK || wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    t = wa_calloc(1, sizeof(*t));
    if (t == NULL)
        return wa_nomem(err);
    t->nodes = wa_calloc(lay_out(t, count), sizeof(t->nodes[0]));
    if (t->nodes == NULL)
        return wa_nomem(err);
    memcpy(t->nodes, leaves, count * sizeof(leaves[0]));
    for (size_t level = 1; level < t->levels; level++) {
        const struct wa_tree_digest *below = t->nodes + t->start[level - 1];
        struct wa_tree_digest *here = t->nodes + t->start[level];
        size_t pairs = t->count[level - 1] / 2;
        for (size_t i = 0; i < pairs; i++)
            if (join(d, &below[2 * i], &below[2 * i + 1], &here[i], err) != WA_OK)
                return err->code;
        if (pairs < t->count[level])
            here[pairs] = below[2 * pairs];
    }
    *ret = WA_TAKE(t);
    return WA_OK;
}

void wa_tree_free(struct wa_tree *t)
{
    if (t == NULL)
        return;
    wa_free(t->nodes);
    wa_free(t);
}

const struct wa_tree_digest *wa_tree_top(const struct wa_tree *t)
{
    return &t->nodes[t->start[t->levels - 1]];
}

enum wa_code wa_tree_proof_of(const struct wa_tree *t, size_t index, struct wa_tree_proof *ret,
                              struct wa_err *err)
{
    struct wa_tree_proof proof = {.n = 0};

    if (index >= t->count[0])
        return wa_fail(err, WA_E_INTERNAL, "cannot prove statement %zu of %zu", index, t->count[0]);
    for (size_t level = 0; level + 1 < t->levels; level++, index >>= 1)
        if ((index ^ 1) < t->count[level])
            proof.path[proof.n++] = t->nodes[t->start[level] + (index ^ 1)];
    *ret = proof;
    return WA_OK;
}

enum wa_code wa_tree_prove(const struct wa_tree_digest *leaves, size_t count, size_t index,
                           struct wa_tree_proof *ret, struct wa_err *err)
{
    WA_AUTO(wa_tree) struct wa_tree *t = NULL;

    if (wa_tree_new(leaves, count, &t, err) != WA_OK)
        return err->code;
    return wa_tree_proof_of(t, index, ret, err);
}

static enum wa_code refuse(struct wa_err *err)
{
    return wa_fail(err, WA_E_REFUSED, "the statement is not part of the signed tree");
}

enum wa_code wa_tree_check(const struct wa_tree_digest *leaf, size_t index, size_t count,
                           const struct wa_tree_proof *proof, const struct wa_tree_digest *root,
                           struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_tree_digest r = *leaf;
    size_t at = index, last = count - 1;

    if (count < 1 || count > WA_TREE_LEAVES_MAX || index >= count || proof->n > WA_TREE_DEPTH_MAX)
        return refuse(err);
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < proof->n; i++) {
        if (last == 0)
            return refuse(err); /* too long */
        bool is_right = (at & 1) != 0 || at == last;
        if (join(d, is_right ? &proof->path[i] : &r, is_right ? &r : &proof->path[i], &r, err) !=
            WA_OK)
            return err->code;
        while (is_right && (at & 1) == 0 && at != 0) { /* levels through which it was carried up */
            at >>= 1;
            last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0 || !wa_ct_equal(r.b, root->b, sizeof(r.b)))
        return refuse(err);
    return WA_OK;
}
