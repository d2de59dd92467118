/* tree_check.c - proofs of any shape, judged as the recursive definition of RFC 6962, 2.1.1 judges
 * them.
 *
 * Input: index (4 bytes, little endian), count (4), number of siblings (1), then 32 bytes each:
 * leaf, siblings. The root is that of the definition, or 32 more bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join(const uint8_t *left, const uint8_t *right, uint8_t *out)
{
    uint8_t bytes[65] = {1};
    struct wa_err err = WA_ERR_INIT;

    memcpy(bytes + 1, left, 32);
    memcpy(bytes + 33, right, 32);
    if (wa_sha256(bytes, sizeof bytes, out, &err) != WA_OK)
        abort();
}

/* The root that a proof leads to, from the top down; false when its length does not fit. */
static bool lead(const struct wa_tree_digest *leaf, size_t index, size_t count,
                 const struct wa_tree_proof *p, size_t n, struct wa_tree_digest *ret)
{
    struct wa_tree_digest below;
    size_t split = 1;

    if (count == 1) {
        *ret = *leaf;
        return n == 0;
    }
    if (n == 0)
        return false;
    while (split * 2 < count)
        split *= 2;
    bool is_left = index < split;
    if (!lead(leaf, is_left ? index : index - split, is_left ? split : count - split, p, n - 1,
              &below))
        return false;
    if (is_left)
        join(below.b, p->path[n - 1].b, ret->b);
    else
        join(p->path[n - 1].b, below.b, ret->b);
    return true;
}

static size_t take_u32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_tree_digest leaf, root = {{0}}, given;
    struct wa_tree_proof proof = {.n = 0};
    struct wa_err err = WA_ERR_INIT;

    if (size < 9 + 32)
        return 0;
    const size_t index = take_u32(data), count = take_u32(data + 4);
    proof.n = data[8];
    memcpy(leaf.b, data + 9, 32);
    data += 9 + 32;
    size -= 9 + 32;
    for (size_t i = 0; i < WA_TREE_DEPTH_MAX && size >= 32; i++, data += 32, size -= 32)
        memcpy(proof.path[i].b, data, 32);
    bool fits = count >= 1 && count <= WA_TREE_LEAVES_MAX && index < count &&
                proof.n <= WA_TREE_DEPTH_MAX && lead(&leaf, index, count, &proof, proof.n, &root);
    if ((wa_tree_check(&leaf, index, count, &proof, &root, &err) == WA_OK) != fits)
        abort();
    wa_err_clear(&err);
    given = root;
    given.b[size % 32] ^= 1;
    if (wa_tree_check(&leaf, index, count, &proof, &given, &err) != WA_E_REFUSED)
        abort();
    return 0;
}
