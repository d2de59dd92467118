/* Each allocation fails in turn: the function says that memory ran out, leaks nothing and changes
 * nothing. */
#include "support.h"
#include "torture.h"

#include "codec/base64.h"
#include "codec/conf.h"
#include "codec/json.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "codec/zip_read.h"
#include "codec/zip_write.h"

typedef enum wa_code step_fn(struct wa_err *err);

static enum wa_code run_step(void *arg, struct wa_err *err)
{
    step_fn *const *step = arg;
    return (*step)(err);
}

static void torture(step_fn *step, size_t at_least)
{
    assert_true(wa_torture(run_step, &step) >= at_least);
}

static enum wa_code parse_and_write(struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text, out;
    const struct wa_json *j = NULL;
    enum wa_code code;

    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(&out, 1u << 20);
    wa_buf_adds(&text, "{\"k\":[{\"a\":{\"b\":[]}},1.5,\"\\u00e9\"]");
    for (int i = 0; i < 300; i++)
        wa_buf_addf(&text, ",\"k%d\":[%d]", i, i);
    wa_buf_addc(&text, '}');
    code = wa_buf_check(&text, err);
    if (code == WA_OK)
        code = wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, err);
    if (code != WA_OK) {
        assert_null(j);
        return code;
    }
    code = wa_json_write_canonical(j, &out, err);
    if (code == WA_OK)
        code = wa_json_write_legacy(j, &out, err);
    if (code != WA_OK)
        return code;
    wa_json_write_pretty(j, &out);
    return wa_buf_check(&out, err);
}

static void json_survives(void **state)
{
    WA_UNUSED(state);
    torture(parse_and_write, 20);
}

/* The file in memory must be the old one or the new one. */
static void check_ini(const struct wa_ini *ini, bool is_changed)
{
    static const char old[] = "[a]\nk = 1\n 2\n; r\n[b]\n";
    struct wa_buf out;
    wa_torture_pause();
    wa_buf_init(&out, 1000);
    wa_ini_write(ini, &out);
    assert_int_equal(out.failed, WA_OK);
    if (!is_changed)
        assert_string_equal(wa_buf_str(&out), old);
    wa_buf_fini(&out);
    wa_torture_resume();
}

static enum wa_code set_key(const char *section, const char *key, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    enum wa_code code = wa_ini_parse(WA_SV("[a]\nk = 1\n 2\n; r\n[b]\n"), "test.ini", &ini, err);

    if (code != WA_OK) {
        assert_null(ini);
        return code;
    }
    code = wa_ini_set(ini, section, key, "x", err);
    check_ini(ini, code == WA_OK);
    return code;
}

static enum wa_code set_known_key(struct wa_err *err)
{
    return set_key("a", "k", err);
}

static enum wa_code set_new_key(struct wa_err *err)
{
    return set_key("b", "k", err);
}

static enum wa_code set_new_section(struct wa_err *err)
{
    return set_key("c", "k", err);
}

static void ini_survives(void **state)
{
    WA_UNUSED(state);
    torture(set_known_key, 15);
    torture(set_new_key, 15);
    torture(set_new_section, 15);
}

struct options {
    char *text, *list;
    int64_t port;
};

static enum wa_code load_options(struct wa_err *err)
{
    static const struct wa_conf_option table[] = {
        {"a", "text", WA_CONF_STR, offsetof(struct options, text), "x", 0, 0, 0, "Text."},
        {"a", "list", WA_CONF_CSV, offsetof(struct options, list), "x, y", 0, 0, 0, "List."},
        {"a", "port", WA_CONF_INT, offsetof(struct options, port), "1", 0, 9, 0, "Port."}};
    struct options o = {0};
    enum wa_code code = wa_conf_load(NULL, "x", table, WA_COUNT(table), NULL, &o, NULL, NULL, err);

    wa_conf_free(table, WA_COUNT(table), &o);
    return code;
}

static enum wa_code encode_and_decode(struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text, bytes, url, back;
    enum wa_code code;

    wa_buf_init(&text, 1000);
    wa_buf_init(&bytes, 1000);
    wa_buf_init(&url, 1000);
    wa_buf_init(&back, 1000);
    wa_base64_encode_mime("some bytes that take a line and a bit more of base64 text", 57, &text);
    wa_url_encode(WA_SV("a b"), &url);
    code = wa_buf_check(&text, err);
    if (code == WA_OK)
        code = wa_base64_decode(wa_buf_sv(&text), &bytes, err);
    if (code == WA_OK)
        code = wa_buf_check(&url, err);
    if (code == WA_OK)
        code = wa_url_decode(wa_buf_sv(&url), true, &back, err);
    return code;
}

static void small_ones_survive(void **state)
{
    WA_UNUSED(state);
    torture(load_options, 2);
    torture(encode_and_decode, 4);
}

static struct wa_buf archive;

static enum wa_code read_archive(struct wa_err *err)
{
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_mem_source source;
    enum wa_code code;

    wa_mem_source_init(&source, archive.p, archive.n);
    code = wa_zip_open(&source.base, &zip, err);
    if (code != WA_OK)
        assert_null(zip);
    for (size_t i = 0; code == WA_OK && i < wa_zip_count(zip); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_buf_sink sink;
        wa_buf_init(&out, 1u << 20);
        wa_buf_sink_init(&sink, &out);
        code = wa_zip_read(zip, wa_zip_at(zip, i), &sink.base, err);
    }
    return code;
}

static void reading_archives_survives(void **state)
{
    WA_UNUSED(state);
    static const char *const names[] = {"zip/zip-stored.wapt", "zip/persistent.wapt"};

    for (size_t i = 0; i < WA_COUNT(names); i++) {
        read_vector(names[i], &archive);
        torture(read_archive, 10);
        wa_buf_fini(&archive);
    }
}

/* A failed addition leaves a writer that goes on, or one that says it can't. */
static enum wa_code write_archive(struct wa_err *err)
{
    static const char *const names[] = {"a", "d/b", "d/e/c", "z"};
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    WA_AUTO(wa_zip) struct wa_zip *from = NULL;
    struct wa_mem_source source;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_buf_sink sink;
    enum wa_code code;

    wa_buf_init(&out, 1u << 20);
    wa_buf_sink_init(&sink, &out);
    wa_mem_source_init(&source, archive.p, archive.n);
    code = wa_zip_open(&source.base, &from, err);
    if (code == WA_OK)
        code = wa_zip_writer_new(&sink.base, 0, 0, &w, err);
    for (size_t i = 0; code == WA_OK && i < WA_COUNT(names); i++) {
        struct wa_relpath p;
        code = wa_relpath_parse(wa_sv(names[i]), &p, err);
        if (code == WA_OK)
            code = wa_zip_add_bytes(w, &p, 0644, WA_SV("content"), err);
    }
    for (size_t i = 0; code == WA_OK && i < wa_zip_count(from); i++)
        code = wa_zip_copy(w, from, wa_zip_at(from, i), err);
    return code == WA_OK ? wa_zip_finish(w, err) : code;
}

static void writing_archives_survives(void **state)
{
    WA_UNUSED(state);
    read_vector("zip/base-simple.wapt", &archive);
    torture(write_archive, 30);
    wa_buf_fini(&archive);
}

static void add_value(void *user, const char *path, struct wa_sv value)
{
    wa_buf_adds(user, path);
    wa_buf_addsv(user, value);
}

static enum wa_code read_xml(struct wa_err *err)
{
    static const char text[] = "\xFE\xFF\0<\0a\0>\0<\0b\0 \0c\0=\0'\0d\0'\0/\0>\0e\0<\0/\0a\0>";
    WA_AUTO_BUF struct wa_buf out;
    enum wa_code code;

    wa_buf_init(&out, 1000);
    code = wa_xml_read(wa_sv_n(text, sizeof text - 1), add_value, &out, err);
    return code == WA_OK ? wa_buf_check(&out, err) : code;
}

static void xml_survives(void **state)
{
    WA_UNUSED(state);
    torture(read_xml, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(json_survives),
                                       cmocka_unit_test(ini_survives),
                                       cmocka_unit_test(xml_survives),
                                       cmocka_unit_test(small_ones_survive),
                                       cmocka_unit_test(reading_archives_survives),
                                       cmocka_unit_test(writing_archives_survives)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
