/* Streams in memory: exact reads, ends, and the buffer's cap seen through the sink. */
#include "torture.h"

static void test_source(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    struct wa_mem_source s;
    char out[8] = "";
    wa_mem_source_init(&s, "abcdef", 6);
    assert_int_equal(s.base.size, 6);
    WA_ASSERT_OK(s.base.read_at(&s.base, 2, out, 4, &err));
    assert_memory_equal(out, "cdef", 4);
    WA_ASSERT_OK(s.base.read_at(&s.base, 6, out, 0, &err));
    static const struct {
        uint64_t offset;
        size_t n;
    } beyond[] = {{6, 1}, {0, 7}, {7, 0}, {UINT64_MAX, 1}, {UINT64_MAX - 1, 8}, {3, SIZE_MAX}};
    for (size_t i = 0; i < WA_COUNT(beyond); i++) {
        memset(out, 'x', sizeof out);
        WA_ASSERT_CODE(s.base.read_at(&s.base, beyond[i].offset, out, beyond[i].n, &err),
                       WA_E_INVALID);
        assert_memory_equal(out, "xxxxxxxx", 8);
    }
    wa_mem_source_init(&s, NULL, 0);
    WA_ASSERT_OK(s.base.read_at(&s.base, 0, out, 0, &err));
    WA_ASSERT_CODE(s.base.read_at(&s.base, 0, out, 1, &err), WA_E_INVALID);
}

static void test_sink(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf b;
    struct wa_buf_sink s;
    wa_buf_init(&b, 5);
    wa_buf_sink_init(&s, &b);
    WA_ASSERT_OK(s.base.write(&s.base, "abc", 3, &err));
    WA_ASSERT_OK(s.base.write(&s.base, NULL, 0, &err));
    WA_ASSERT_CODE(s.base.write(&s.base, "def", 3, &err), WA_E_LIMIT);
    assert_string_equal(wa_buf_str(&b), "abc");
    WA_ASSERT_OK(s.base.write_at(&s.base, 1, "BC", 2, &err));
    WA_ASSERT_OK(s.base.write_at(&s.base, 3, NULL, 0, &err));
    assert_string_equal(wa_buf_str(&b), "aBC");
    WA_ASSERT_CODE(s.base.write_at(&s.base, 2, "xy", 2, &err), WA_E_INTERNAL);
    WA_ASSERT_CODE(s.base.write_at(&s.base, UINT64_MAX, "x", 1, &err), WA_E_INTERNAL);
    assert_string_equal(wa_buf_str(&b), "aBC");
    /* A sink that has failed stays so: no hole in the bytes. */
    WA_ASSERT_CODE(s.base.write(&s.base, "d", 1, &err), WA_E_LIMIT);
}

static enum wa_code copy(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_BUF struct wa_buf b;
    struct wa_buf_sink sink;
    struct wa_mem_source source;
    char part[7];
    char text[700];
    memset(text, 'x', sizeof text);
    wa_buf_init(&b, sizeof text);
    wa_buf_sink_init(&sink, &b);
    wa_mem_source_init(&source, text, sizeof text);
    for (uint64_t at = 0; at < sizeof text; at += sizeof part) {
        if (source.base.read_at(&source.base, at, part, sizeof part, err) != WA_OK ||
            sink.base.write(&sink.base, part, sizeof part, err) != WA_OK)
            return err->code;
    }
    assert_int_equal(b.n, sizeof text);
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(copy, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_sink),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
