/* ZIP archives: every hostile vector refused for its own reason, every lie in a field found, honest
 * ones read. */
#include "support.h"

#include <zlib.h>

#include "zip_open.h"

static void check_vector(struct wa_sv line)
{
    struct wa_sv name, open, read = WA_SV("ok");
    WA_AUTO_BUF struct wa_buf file;
    struct wa_err err = WA_ERR_INIT;
    char path[256], want[256];
    bool is_open = false, should_open;
    enum wa_code code;

    assert_true(wa_sv_split(&line, ':', &name));
    open = wa_sv_trim(line);
    should_open = wa_sv_starts(open, "ok: ");
    if (should_open)
        read = wa_sv_sub(open, 4, open.n);
    (void)snprintf(path, sizeof(path), "zip/%.*s", WA_SV_ARG(name));
    (void)snprintf(want, sizeof(want), "%.*s", WA_SV_ARG(should_open ? read : open));
    read_vector(path, &file);
    code = open_and_read(wa_buf_sv(&file), &is_open, &err);
    if (is_open != should_open)
        fail_msg("%s: opened %d: %s", path, is_open, err.text);
    if (wa_sv_eqs(read, "ok") && should_open)
        check_ok(code, &err, path);
    else if (code != WA_E_INVALID || !strstr(err.text, want))
        fail_msg("%s: %s '%s', wanted '%s'", path, wa_code_name(code), err.text, want);
}

static void follows_the_vectors(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf list;
    struct wa_sv rest, line;
    size_t count = 0;

    read_vector("zip/expected.txt", &list);
    rest = wa_buf_sv(&list);
    while (wa_sv_split(&rest, '\n', &line)) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        check_vector(line);
        count++;
    }
    assert_int_equal(count, 41);
}

/* 17 MiB of zeros and what deflates badly: the path through a window, honest and not. */
struct large {
    uint8_t *packed;
    size_t packed_n, size;
    uint32_t crc;
};

static void make_large(struct large *l)
{
    uint8_t *plain;
    uint32_t x = 1;
    z_stream z = {0};

    l->size = 33u << 20;
    plain = wa_calloc(l->size, 1);
    l->packed = wa_calloc(l->size, 1);
    assert_true(plain && l->packed);
    for (size_t i = 0; i < 300000; i++) {
        x = x * 1664525 + 1013904223;
        plain[i * 50] = (uint8_t)(x >> 24);
    }
    l->crc = (uint32_t)crc32(0, plain, (uInt)l->size);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
    z.next_in = plain;
    z.avail_in = (uInt)l->size;
    z.next_out = l->packed;
    z.avail_out = (uInt)l->size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    l->packed_n = z.total_out;
    (void)deflateEnd(&z);
    wa_free(plain);
}

static void large_members_go_through_a_window(void **state)
{
    WA_UNUSED(state);
    static const struct {
        int packed_shift, size_shift;
        uint32_t crc_xor;
        const char *why;
    } cases[] = {{0, 0, 0, NULL},
                 {0, 1, 0, "shorter than its size"},
                 {0, -1, 0, "longer than its size"},
                 {1, 0, 0, "hides after its deflate stream"},
                 {70000, 0, 0, "hides after its deflate stream"},
                 {-1, 0, 0, "cut short"},
                 {0, 0, 1, "wrong CRC"}};
    struct large l;

    make_large(&l);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf b;
        struct wa_err err = WA_ERR_INIT;
        bool is_open = false;
        const struct zip_entry e = {.name = "a",
                                    .data = (const char *)l.packed,
                                    .data_n = (size_t)((long)l.packed_n + cases[i].packed_shift),
                                    .size = (uint32_t)((int)l.size + cases[i].size_shift),
                                    .crc = l.crc ^ cases[i].crc_xor,
                                    .method = 8};
        const struct zip_shape plain = {0};
        wa_buf_init(&b, 64u << 20);
        make_zip(&b, &e, 1, &plain);
        enum wa_code code = open_and_read(wa_buf_sv(&b), &is_open, &err);
        assert_true(is_open);
        if (cases[i].why ? code != WA_E_INVALID || !strstr(err.text, cases[i].why) : code != WA_OK)
            fail_msg("case %zu: '%s'", i, err.text);
    }
    wa_free(l.packed);
}

static void tells_what_a_member_is(void **state)
{
    WA_UNUSED(state);
    static const struct zip_entry entries[] = {{.name = "d/"},
                                               {.name = "d/x",
                                                .data = "abc",
                                                .data_n = 3,
                                                .crc = ABC_CRC,
                                                .attributes = 0x89ed0000,
                                                .made_by = 3},
                                               {.name = "caf\x82"}};
    static const struct zip_shape plain = {0};
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO_BUF struct wa_buf b;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&b, 1000);
    make_zip(&b, entries, 3, &plain);
    wa_mem_source_init(&source, b.p, b.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    assert_int_equal(wa_zip_count(zip), 3);
    assert_null(wa_zip_at(zip, 3));
    assert_true(wa_zip_at(zip, 0)->is_dir);
    assert_string_equal(wa_zip_at(zip, 0)->name.p, "d");
    assert_int_equal(wa_zip_at(zip, 1)->unix_mode, 0755); /* set-uid is not passed on */
    assert_int_equal(wa_zip_at(zip, 1)->size, 3);
    assert_string_equal(wa_zip_at(zip, 2)->name.p, "caf\xc3\xa9");
    assert_ptr_equal(wa_zip_find(zip, "d/x"), wa_zip_at(zip, 1));
    assert_null(wa_zip_find(zip, "d/X"));
    assert_null(wa_zip_find(zip, "./d/x"));
    assert_null(wa_zip_find(zip, "d/"));
    assert_null(wa_zip_find(zip, ""));
}

struct failing_sink {
    struct wa_sink base;
};

static enum wa_code fail_to_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(s);
    WA_UNUSED(p);
    WA_UNUSED(n);
    return wa_fail(err, WA_E_NO_SPACE, "disk full");
}

static void a_sink_that_fails_ends_the_reading(void **state)
{
    WA_UNUSED(state);
    static const struct zip_entry entries[] = {FILE_A};
    static const struct zip_shape plain = {0};
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO_BUF struct wa_buf b;
    struct wa_mem_source source;
    struct failing_sink sink = {{.write = fail_to_write}};
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&b, 1000);
    make_zip(&b, entries, 1, &plain);
    wa_mem_source_init(&source, b.p, b.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    assert_int_equal(wa_zip_read(zip, wa_zip_at(zip, 0), &sink.base, &err), WA_E_NO_SPACE);
    assert_string_equal(err.text, "reading member 'a': disk full");
}

/* Every prefix of an archive, and every archive with one byte changed, is refused or reads; nothing
 * else. */
static void no_byte_breaks_the_reader(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf file;
    bool ignored;

    read_vector("zip/zip-data-descriptor.wapt", &file);
    for (size_t n = 0; n < file.n; n++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_not_equal(open_and_read(wa_sv_n(file.p, n), &ignored, &err), WA_OK);
    }
    for (size_t i = 0; i < file.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct wa_err err = WA_ERR_INIT;
            file.p[i] = (char)(file.p[i] ^ 1 << bit);
            (void)open_and_read(wa_buf_sv(&file), &ignored, &err);
            file.p[i] = (char)(file.p[i] ^ 1 << bit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_vectors),
        cmocka_unit_test(large_members_go_through_a_window),
        cmocka_unit_test(tells_what_a_member_is),
        cmocka_unit_test(a_sink_that_fails_ends_the_reading),
        cmocka_unit_test(no_byte_breaks_the_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
