/* tree: the values of RFC 6962's own test data, every leaf of every small tree, and proofs that
 * lie. */
#include "support.h"

#include "codec/hex.h"
#include "crypto/tree.h"

/* Leaves and roots of the Certificate Transparency project's test of Merkle trees. */
static const struct {
    const char *leaf_hex;
    size_t n;
    const char *root_hex; /* of the leaves so far */
} ct[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f", 16,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void values_of_certificate_transparency(void **state)
{
    WA_UNUSED(state);
    struct wa_tree_digest leaves[WA_COUNT(ct)], root;
    struct wa_err err = WA_ERR_INIT;

    for (size_t i = 0; i < WA_COUNT(ct); i++) {
        uint8_t bytes[16];
        char hex[WA_SHA256_HEX];
        WA_AUTO(wa_tree) struct wa_tree *t = NULL;
        assert_true(wa_hex_decode(wa_sv(ct[i].leaf_hex), bytes, ct[i].n));
        WA_ASSERT_OK(wa_tree_leaf(wa_sv_n(bytes, ct[i].n), &leaves[i], &err));
        WA_ASSERT_OK(wa_tree_root(leaves, i + 1, &root, &err));
        wa_hex_encode(root.b, sizeof root.b, hex);
        assert_string_equal(hex, ct[i].root_hex);
        WA_ASSERT_OK(wa_tree_new(leaves, i + 1, &t, &err));
        assert_memory_equal(wa_tree_top(t)->b, root.b, sizeof root.b);
    }
}

enum { MANY = 70 };

static void fill(struct wa_tree_digest *leaves, size_t n)
{
    struct wa_err err = WA_ERR_INIT;

    for (size_t i = 0; i < n; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "statement %zu", i);
        WA_ASSERT_OK(wa_tree_leaf(wa_sv(text), &leaves[i], &err));
    }
}

/* A proof holds at its own place of the tree, and at no other. */
static void try_places(const struct wa_tree_digest *leaf, size_t index, size_t count,
                       const struct wa_tree_proof *proof, const struct wa_tree_digest *root)
{
    struct wa_err err = WA_ERR_INIT;

    for (size_t i = 0; i <= count; i++)
        WA_ASSERT_CODE(wa_tree_check(leaf, i, count, proof, root, &err),
                       i == index ? WA_OK : WA_E_REFUSED);
}

static void every_leaf_of_every_small_tree(void **state)
{
    WA_UNUSED(state);
    struct wa_tree_digest leaves[MANY], root;
    struct wa_err err = WA_ERR_INIT;

    fill(leaves, MANY);
    for (size_t n = 1; n <= MANY; n++) {
        WA_AUTO(wa_tree) struct wa_tree *t = NULL;
        WA_ASSERT_OK(wa_tree_root(leaves, n, &root, &err));
        WA_ASSERT_OK(wa_tree_new(leaves, n, &t, &err));
        for (size_t i = 0; i < n; i++) {
            struct wa_tree_proof proof, kept;
            WA_ASSERT_OK(wa_tree_prove(leaves, n, i, &proof, &err));
            WA_ASSERT_OK(wa_tree_proof_of(t, i, &kept, &err));
            assert_int_equal(proof.n, kept.n);
            assert_memory_equal(proof.path, kept.path, proof.n * sizeof proof.path[0]);
            try_places(&leaves[i], i, n, &proof, &root);
        }
    }
}

static void proofs_that_lie(void **state)
{
    WA_UNUSED(state);
    enum { COUNT = 21 };
    struct wa_tree_digest leaves[COUNT], root, inner;
    struct wa_tree_proof proof, bad;
    struct wa_err err = WA_ERR_INIT;

    fill(leaves, COUNT);
    WA_ASSERT_OK(wa_tree_root(leaves, COUNT, &root, &err));
    for (size_t i = 0; i < COUNT; i++) {
        WA_ASSERT_OK(wa_tree_prove(leaves, COUNT, i, &proof, &err));
        for (size_t k = 0; k < proof.n; k++) { /* one bit of one sibling */
            bad = proof;
            bad.path[k].b[k] ^= 1;
            WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, COUNT, &bad, &root, &err), WA_E_REFUSED);
        }
        bad = proof;
        bad.n--;
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, COUNT, &bad, &root, &err), WA_E_REFUSED);
        bad = proof;
        bad.path[bad.n++] = root;
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, COUNT, &bad, &root, &err), WA_E_REFUSED);
        bad.n = WA_TREE_DEPTH_MAX + 1;
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, COUNT, &bad, &root, &err), WA_E_REFUSED);
        WA_ASSERT_CODE(wa_tree_check(&leaves[(i + 1) % COUNT], i, COUNT, &proof, &root, &err),
                       WA_E_REFUSED);
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, 0, &proof, &root, &err), WA_E_REFUSED);
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], i, WA_TREE_LEAVES_MAX + 1, &proof, &root, &err),
                       WA_E_REFUSED);
        WA_ASSERT_CODE(wa_tree_check(&leaves[i], COUNT + i, COUNT, &proof, &root, &err),
                       WA_E_REFUSED);
    }
    /* An inner node is no leaf: the statement "left || right" has another digest. */
    uint8_t both[2 * WA_SHA256_SIZE];
    memcpy(both, leaves[0].b, WA_SHA256_SIZE);
    memcpy(both + WA_SHA256_SIZE, leaves[1].b, WA_SHA256_SIZE);
    WA_ASSERT_OK(wa_tree_leaf(wa_sv_n(both, sizeof both), &inner, &err));
    WA_ASSERT_OK(wa_tree_root(leaves, 2, &root, &err));
    assert_memory_not_equal(inner.b, root.b, sizeof root.b);
}

static void sizes_have_bounds(void **state)
{
    WA_UNUSED(state);
    struct wa_tree_digest leaf = {{0}}, root;
    struct wa_tree_proof proof;
    WA_AUTO(wa_tree) struct wa_tree *t = NULL;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_CODE(wa_tree_root(&leaf, 0, &root, &err), WA_E_LIMIT);
    WA_ASSERT_CODE(wa_tree_root(&leaf, WA_TREE_LEAVES_MAX + 1, &root, &err), WA_E_LIMIT);
    WA_ASSERT_CODE(wa_tree_new(&leaf, 0, &t, &err), WA_E_LIMIT);
    WA_ASSERT_CODE(wa_tree_prove(&leaf, 1, 1, &proof, &err), WA_E_INTERNAL);
}

static void the_largest_tree(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_STR char *bytes = wa_calloc(WA_TREE_LEAVES_MAX, sizeof(struct wa_tree_digest));
    struct wa_tree_digest *leaves = (struct wa_tree_digest *)(void *)bytes;
    WA_AUTO(wa_tree) struct wa_tree *t = NULL;
    struct wa_tree_proof proof;
    struct wa_err err = WA_ERR_INIT;

    for (size_t i = 0; i < WA_TREE_LEAVES_MAX; i++)
        memcpy(leaves[i].b, &i, sizeof i);
    WA_ASSERT_OK(wa_tree_new(leaves, WA_TREE_LEAVES_MAX, &t, &err));
    for (size_t i = 0; i < WA_TREE_LEAVES_MAX; i += 104729) {
        WA_ASSERT_OK(wa_tree_proof_of(t, i, &proof, &err));
        assert_int_equal(proof.n, WA_TREE_DEPTH_MAX);
        WA_ASSERT_OK(
            wa_tree_check(&leaves[i], i, WA_TREE_LEAVES_MAX, &proof, wa_tree_top(t), &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_certificate_transparency),
        cmocka_unit_test(every_leaf_of_every_small_tree),
        cmocka_unit_test(proofs_that_lie),
        cmocka_unit_test(sizes_have_bounds),
        cmocka_unit_test(the_largest_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
