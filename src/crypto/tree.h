/* tree.h - a tree of digests: one signature for many statements, each provable alone.
 *
 * After RFC 6962, 2.1: leaf = SHA-256(0x00 || statement), node = SHA-256(0x01 || left || right),
 * split at the largest power of two below the count. A proof lists the siblings from the leaf
 * upwards.
 */
#ifndef WA_CRYPTO_TREE_H
#define WA_CRYPTO_TREE_H

#include "crypto/digest.h"

struct wa_tree_digest {
    uint8_t b[WA_SHA256_SIZE];
};
struct wa_tree_proof {
    struct wa_tree_digest path[WA_TREE_DEPTH_MAX];
    size_t n;
};

WA_CHECK enum wa_code wa_tree_leaf(struct wa_sv statement, struct wa_tree_digest *ret,
                                   struct wa_err *err);
/* The same of count texts, into as many places. */
WA_CHECK enum wa_code wa_tree_leaves(char *const *statements, size_t count,
                                     struct wa_tree_digest *ret, struct wa_err *err);
/* count in [1, WA_TREE_LEAVES_MAX]. */
WA_CHECK enum wa_code wa_tree_root(const struct wa_tree_digest *leaves, size_t count,
                                   struct wa_tree_digest *ret, struct wa_err *err);
/* One proof, hashing all leaves; for the proofs of a batch use wa_tree_new(). index < count. */
WA_CHECK enum wa_code wa_tree_prove(const struct wa_tree_digest *leaves, size_t count, size_t index,
                                    struct wa_tree_proof *ret, struct wa_err *err);
/* WA_E_REFUSED when leaf is not number index of count under root, also for a proof too long or too
 * short. */
WA_CHECK enum wa_code wa_tree_check(const struct wa_tree_digest *leaf, size_t index, size_t count,
                                    const struct wa_tree_proof *proof,
                                    const struct wa_tree_digest *root, struct wa_err *err);

/* The whole tree kept (64 bytes a statement): hashed once, then each proof is a copy. leaves is not
 * kept. */
struct wa_tree;
WA_CHECK enum wa_code wa_tree_new(const struct wa_tree_digest *leaves, size_t count,
                                  struct wa_tree **ret, struct wa_err *err);
void wa_tree_free(struct wa_tree *t);
WA_AUTO_DEFINE(wa_tree, wa_tree_free)
const struct wa_tree_digest *wa_tree_top(const struct wa_tree *t); /* the root; borrowed */
WA_CHECK enum wa_code wa_tree_proof_of(const struct wa_tree *t, size_t index,
                                       struct wa_tree_proof *ret, struct wa_err *err);

#endif
