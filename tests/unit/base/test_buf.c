/* The buffer: appends, the cap, the failure that sticks, the NUL that always follows. */
#include "torture.h"

#include "base/mem.h"

static void test_appends(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, 1000);
    assert_string_equal(wa_buf_str(&b), "");
    assert_int_equal(wa_buf_sv(&b).n, 0);
    wa_buf_adds(&b, "one");
    wa_buf_addc(&b, ' ');
    wa_buf_addsv(&b, WA_SV("two"));
    wa_buf_addsv(&b, wa_sv(NULL));
    wa_buf_add(&b, NULL, 0);
    wa_buf_addf(&b, " %d%s", 3, "!");
    WA_ASSERT_OK(wa_buf_check(&b, &err));
    assert_string_equal(wa_buf_str(&b), "one two 3!");
    wa_buf_consume(&b, 4);
    assert_string_equal(wa_buf_str(&b), "two 3!");
    wa_buf_consume(&b, 100);
    assert_string_equal(wa_buf_str(&b), "");
    wa_buf_consume(&b, 1);
    wa_buf_u16le(&b, 0x0102);
    wa_buf_u32le(&b, 0x03040506);
    wa_buf_u64le(&b, 0x0708090a0b0c0d0eULL);
    assert_int_equal(b.n, 14);
    assert_memory_equal(b.p, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 15);
}

static void test_reserve(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, 10);
    wa_buf_adds(&b, "ab");
    char *room = wa_buf_reserve(&b, 8);
    assert_non_null(room);
    memcpy(room, "cdefXXXX", 8);
    wa_buf_advance(&b, 4);
    assert_string_equal(wa_buf_str(&b), "abcdef");
    assert_null(wa_buf_reserve(&b, 5));
    wa_buf_advance(&b, 0); /* as after a read that gave nothing */
    assert_int_equal(b.failed, WA_E_LIMIT);
    assert_string_equal(wa_buf_str(&b), "abcdef");
}

/* Growing keeps the NUL, also when nothing is then added: the block's earlier content must not
 * show. */
static void test_reserve_without_advance(void **state)
{
    WA_UNUSED(state);
    for (size_t size = 0; size <= 128; size += 32) {
        WA_AUTO_BUF struct wa_buf b;
        wa_buf_init(&b, 4096);
        for (size_t i = 0; i < size; i++)
            wa_buf_addc(&b, 'x');
        char *dirt = wa_realloc(NULL, 1501 + size, 1); /* what the next block is likely to be */
        assert_non_null(dirt);
        memset(dirt, 'Z', 1501 + size);
        wa_free(dirt);
        assert_non_null(wa_buf_reserve(&b, 1500));
        wa_buf_advance(&b, 0);
        assert_int_equal(strlen(wa_buf_str(&b)), size);
    }
}

/* Exactly the cap fits; one byte more is refused whole, and so is all that follows. */
static void test_cap(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    for (size_t max = 0; max < 200; max++) {
        WA_AUTO_BUF struct wa_buf b;
        wa_buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            wa_buf_addc(&b, 'x');
        WA_ASSERT_OK(wa_buf_check(&b, &err));
        assert_true(b.cap <= max + 1);
        wa_buf_addc(&b, 'y');
        WA_ASSERT_CODE(wa_buf_check(&b, &err), WA_E_LIMIT);
        wa_buf_addsv(&b, wa_sv(""));
        wa_buf_addf(&b, "%s", "");
        assert_int_equal(b.n, max);
        WA_ASSERT_CODE(wa_buf_check(&b, &err), WA_E_LIMIT);
        char *p = NULL;
        size_t n = 77;
        WA_ASSERT_CODE(wa_buf_steal(&b, &p, &n, &err), WA_E_LIMIT);
        assert_null(p);
        assert_int_equal(n, 77);
        wa_buf_clear(&b);
        WA_ASSERT_OK(wa_buf_check(&b, &err));
        assert_string_equal(wa_buf_str(&b), "");
    }
}

static void test_cap_of_everything(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, SIZE_MAX);
    wa_buf_adds(&b, "abc");
    assert_null(wa_buf_reserve(&b, SIZE_MAX - 3)); /* with the NUL the sum would be 0 */
    assert_int_equal(b.failed, WA_E_LIMIT);
    wa_buf_clear(&b);
    assert_null(wa_buf_reserve(&b, SIZE_MAX));
    assert_int_equal(b.failed, WA_E_LIMIT);
}

static void test_steal(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    char *p = NULL;
    size_t n = 0;
    struct wa_buf b;
    wa_buf_init(&b, 100);
    WA_ASSERT_OK(wa_buf_steal(&b, &p, &n, &err)); /* of nothing, still a string */
    assert_string_equal(p, "");
    assert_int_equal(n, 0);
    wa_free(p);
    wa_buf_adds(&b, "given");
    WA_ASSERT_OK(wa_buf_steal(&b, &p, &n, &err));
    assert_string_equal(p, "given");
    assert_int_equal(n, 5);
    assert_null(b.p);
    wa_buf_adds(&b, "again"); /* the buffer goes on with its cap */
    assert_string_equal(wa_buf_str(&b), "again");
    assert_int_equal(b.max, 100);
    wa_buf_fini(&b);
    wa_buf_fini(&b);
    wa_free(p);
}

static enum wa_code build(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_BUF_SECRET struct wa_buf b;
    wa_buf_init(&b, 1u << 20);
    size_t good = 0;
    for (int i = 0; i < 500; i++) {
        wa_buf_addf(&b, "line %d\n", i);
        if (b.failed == WA_OK)
            good = b.n;
        assert_int_equal(b.n, good); /* nothing is added after a failure */
        assert_int_equal(wa_buf_str(&b)[b.n], '\0');
    }
    if (wa_buf_check(&b, err) != WA_OK)
        return err->code;
    char *p = NULL;
    size_t n;
    if (wa_buf_steal(&b, &p, &n, err) != WA_OK)
        return err->code;
    assert_int_equal(n, strlen(p));
    wa_free(p);
    if (wa_buf_steal(&b, &p, &n, err) != WA_OK)
        return err->code;
    wa_free(p);
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(build, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_reserve_without_advance),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_cap_of_everything),
        cmocka_unit_test(test_steal),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
