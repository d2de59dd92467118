/* Memory: products that overflow, copies, wiping, ownership. */
#include "torture.h"

#include "base/mem.h"

/* Not constants the compiler could warn about. */
static volatile size_t half = SIZE_MAX / 2;

static void test_overflow(void **state)
{
    WA_UNUSED(state);
    assert_null(wa_calloc(half, 3));
    assert_null(wa_realloc(NULL, half, 3));
    assert_null(wa_realloc(NULL, 3, half));
    assert_null(wa_strndup("x", half * 2 + 1)); /* SIZE_MAX: no room for the NUL */
    char *p = wa_strdup("kept");
    assert_null(wa_realloc(p, half, 4));
    assert_string_equal(p, "kept"); /* the old block stays */
    wa_free(p);
}

static void test_sizes(void **state)
{
    WA_UNUSED(state);
    /* Nothing asked for is still a block, so that NULL means one thing only. */
    WA_AUTO_STR char *a = wa_calloc(0, 8);
    WA_AUTO_STR char *b = wa_calloc(8, 0);
    WA_AUTO_STR char *c = wa_realloc(NULL, 0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    WA_AUTO_STR char *z = wa_calloc(100, 10);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(z[i], 0);
    WA_AUTO_STR char *s = wa_strndup("abcdef", 3);
    assert_string_equal(s, "abc");
    WA_AUTO_STR char *nul = wa_strndup("a\0b", 3);
    assert_memory_equal(nul, "a\0b", 4);
    WA_AUTO_STR char *none = wa_strndup(NULL, 0);
    assert_string_equal(none, "");
    wa_free(NULL);
    wa_free_secret(NULL);
}

static void test_wipe(void **state)
{
    WA_UNUSED(state);
    char secret[] = "hunter2", zero[sizeof secret] = {0};
    wa_wipe(secret, sizeof secret - 3);
    assert_memory_equal(secret, zero, sizeof secret - 3);
    assert_string_equal(secret + sizeof secret - 3, "r2");
    wa_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zero, sizeof secret);
    wa_wipe(secret, 0);
}

static void test_take(void **state)
{
    WA_UNUSED(state);
    char *given;
    {
        WA_AUTO_STR char *mine = wa_strdup("mine");
        given = WA_TAKE(mine);
        assert_null(mine);
    } /* the clean-up of mine frees nothing */
    assert_string_equal(given, "mine");
    wa_free(given);
}

static void test_ct_equal(void **state)
{
    WA_UNUSED(state);
    uint8_t a[32], b[32];
    memset(a, 0x5a, sizeof a);
    memcpy(b, a, sizeof b);
    assert_int_equal(wa_ct_equal(a, b, sizeof a), 1);
    assert_int_equal(wa_ct_equal(a, b, 0), 1);
    for (size_t i = 0; i < sizeof a; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(b[i] ^ 1 << bit);
            assert_int_equal(wa_ct_equal(a, b, sizeof a), 0);
            assert_int_equal(wa_ct_equal(a, b, i), 1);
            b[i] = a[i];
        }
    }
}

static enum wa_code use_all(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    WA_AUTO_SECRET char *b = a == NULL ? NULL : wa_strndup("secret", 6);
    WA_AUTO_STR char *c = b == NULL ? NULL : wa_calloc(2, 2);
    if (c == NULL)
        return wa_nomem(err);
    char *d = wa_realloc(c, 1000, 10);
    if (d == NULL) {
        assert_memory_equal(c, "\0\0\0", 4);
        return wa_nomem(err);
    }
    c = d;
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(wa_torture(use_all, NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_wipe),     cmocka_unit_test(test_take),
        cmocka_unit_test(test_ct_equal), cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
