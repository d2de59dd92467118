/* The arena: alignment, zeroes, the cap, and that blocks never overlap. */
#include "torture.h"

#include <stdalign.h>

#include "base/arena.h"

static void test_blocks(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena a;
    uint8_t *blocks[500];
    wa_arena_init(&a, 8u << 20);
    for (size_t i = 0; i < WA_COUNT(blocks); i++) {
        size_t n = i * 37 % 6000; /* also larger than a block of the arena */
        blocks[i] = wa_arena_alloc(&a, n, 1);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < n; k++)
            assert_true(blocks[i][k] == 0);
        memset(blocks[i], (int)(i % 255) + 1, n);
    }
    for (size_t i = 0; i < WA_COUNT(blocks); i++)
        for (size_t k = 0; k < i * 37 % 6000; k++)
            assert_true(blocks[i][k] == i % 255 + 1);
    assert_true(wa_arena_alloc(&a, 0, 8) != wa_arena_alloc(&a, 8, 0));
}

static void test_cap(void **state)
{
    WA_UNUSED(state);
    const size_t unit = alignof(max_align_t);
    WA_AUTO_ARENA struct wa_arena a;
    wa_arena_init(&a, 10 * unit);
    for (size_t i = 0; i < 10; i++)
        assert_non_null(wa_arena_alloc(&a, 1, 1));
    assert_null(wa_arena_alloc(&a, 1, 1));
    assert_int_equal(a.used_bytes, 10 * unit);
    wa_arena_fini(&a);
    assert_non_null(wa_arena_alloc(&a, 10, unit)); /* an ended arena begins anew, with its cap */
    assert_null(wa_arena_alloc(&a, 1, 1));
    wa_arena_fini(&a);
    assert_null(wa_arena_alloc(&a, 10 * unit + 1, 1));
}

static void test_overflow(void **state)
{
    WA_UNUSED(state);
    static volatile size_t most = SIZE_MAX;
    WA_AUTO_ARENA struct wa_arena a;
    wa_arena_init(&a, SIZE_MAX);
    assert_null(wa_arena_alloc(&a, most, 1));
    assert_null(wa_arena_alloc(&a, 1, most));
    assert_null(
        wa_arena_alloc(&a, most - 20, 1)); /* with the block's own head the sum would be small */
    assert_null(wa_arena_alloc(&a, most / 2, 3));
    assert_null(wa_arena_alloc(&a, most / 2 + 2, 2));
    assert_null(wa_arena_strdup(&a, wa_sv_n("x", most)));
    assert_int_equal(a.used_bytes, 0);
}

static void test_strdup(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena a;
    wa_arena_init(&a, 1000);
    assert_string_equal(wa_arena_strdup(&a, wa_sv_n("abcdef", 3)), "abc");
    assert_string_equal(wa_arena_strdup(&a, wa_sv(NULL)), "");
    assert_memory_equal(wa_arena_strdup(&a, WA_SV("a\0b")), "a\0b", 4);
    assert_null(wa_arena_strdup(&a, wa_sv_n("", 1000)));
}

static enum wa_code fill(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_ARENA struct wa_arena a;
    wa_arena_init(&a, 1u << 20);
    for (size_t i = 0; i < 300; i++) {
        size_t used = a.used_bytes;
        if (wa_arena_alloc(&a, i, 7) == NULL) {
            assert_int_equal(a.used_bytes, used);
            return wa_nomem(err);
        }
    }
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(fill, NULL) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),   cmocka_unit_test(test_cap),
        cmocka_unit_test(test_overflow), cmocka_unit_test(test_strdup),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
