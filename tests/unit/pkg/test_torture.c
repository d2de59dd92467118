/* Memory runs out at each allocation in turn: everything says so, leaks nothing, leaves no file
 * behind and never takes what it could not check.
 */
#include "packages.h"

#include "pkg/build.h"
#include "pkg/index.h"
#include "pkg/plan.h"
#include "pkg/selfservice.h"
#include "torture.h"

static const char control_text[] = "package: tis-a\nversion: 1.0-1\narchitecture: all\n"
                                   "description: one\n two\n three\ndepends: b(>=1),c\n"
                                   "installed_size: 12\nsigned_attributes: package,version,depends";

static enum wa_code control(void *arg, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_CONTROL struct wa_control copy;
    WA_AUTO_BUF struct wa_buf out;
    char name[2 * WA_NAME_MAX + 1] = "untouched";
    (void)arg;
    wa_control_init(&c);
    wa_control_init(&copy);
    wa_buf_init(&out, 1u << 20);
    if (wa_control_parse(wa_sv(control_text), &c, err) != WA_OK) {
        assert_null(c.v[WA_A_PACKAGE]);
        return err->code;
    }
    if (wa_control_copy(&c, &copy, err) != WA_OK) {
        assert_null(copy.v[WA_A_PACKAGE]);
        return err->code;
    }
    if (wa_control_set(&copy, WA_A_VERSION, WA_SV("2"), err) != WA_OK) {
        assert_string_equal(wa_control_get(&copy, WA_A_VERSION), "1.0-1");
        return err->code;
    }
    if (wa_control_write(&copy, true, &out, err) != WA_OK ||
        wa_control_signed_bytes(&copy, false, &out, err) != WA_OK ||
        wa_control_signed_bytes(&copy, true, &out, err) != WA_OK)
        return err->code;
    if (wa_control_filename(&copy, NULL, name, err) != WA_OK) {
        assert_string_equal(name, "untouched");
        return err->code;
    }
    return WA_OK;
}

static enum wa_code manifest(void *arg, struct wa_err *err)
{
    static const char text[] =
        "[[\"b\",\"0000000000000000000000000000000000000000000000000000000000000000\"],"
        "[\"a/\\u00e9\",\"1111111111111111111111111111111111111111111111111111111111111111\"]]";
    WA_AUTO_MANIFEST struct wa_manifest m;
    WA_AUTO_BUF struct wa_buf out;
    (void)arg;
    wa_manifest_init(&m);
    wa_buf_init(&out, 1u << 20);
    if (wa_manifest_parse(wa_sv(text), &m, err) != WA_OK) {
        assert_int_equal(m.n, 0);
        return err->code;
    }
    return wa_manifest_write(&m, &out, err);
}

/* --- verification --- */

struct bench {
    struct wa_buf bytes; /* of a package */
    struct wa_trust *anchors;
    struct scratch s;
    struct wa_key *key;
    struct wa_certs chain;
    struct wa_signer signer;
    char source[WA_PATH_MAX + 16], out[WA_PATH_MAX + 16];
};

static enum wa_code verify(void *arg, struct wa_err *err)
{
    struct bench *b = arg;
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_mem_source source;
    wa_verdict_init(&v);
    wa_mem_source_init(&source, b->bytes.p, b->bytes.n);
    if (wa_archive_members_open(&source.base, &archive, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_verify_package(wa_archive_members_get(archive), b->anchors,
                                          vectors_date(), NULL, NULL, &v, err);
    assert_true((code == WA_OK) == (v.failed == WA_CHECK_COUNT));
    return code;
}

static enum wa_code extract(void *arg, struct wa_err *err)
{
    struct bench *b = arg;
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_mem_source source;
    struct scratch s;
    wa_verdict_init(&v);
    wa_mem_source_init(&source, b->bytes.p, b->bytes.n);
    wa_torture_pause();
    scratch_make(&s);
    wa_torture_resume();
    enum wa_code code = wa_archive_members_open(&source.base, &archive, err);
    if (code == WA_OK)
        code = wa_verify_package(wa_archive_members_get(archive), b->anchors, vectors_date(), NULL,
                                 NULL, &v, err);
    if (code == WA_OK)
        code = wa_extract_verified(wa_archive_members_get(archive), &v, &s.dir, err);
    if (code == WA_OK) {
        WA_AUTO_VERDICT struct wa_verdict tree;
        wa_verdict_init(&tree);
        code = wa_verify_tree(&s.dir, b->anchors, vectors_date(), &tree, err);
    }
    wa_torture_pause();
    scratch_drop(&s);
    wa_torture_resume();
    return code;
}

/* --- index --- */

static enum wa_code index_work(void *arg, struct wa_err *err)
{
    struct bench *b = arg;
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_CERTS struct wa_certs none = {0};
    struct wa_mem_source source;
    struct wa_buf_sink sink;
    size_t bad = 0, gone = 0;
    char of[WA_SHA256_HEX];
    memset(of, '0', sizeof of);
    of[sizeof of - 1] = '\0';
    wa_index_init(&ix);
    wa_buf_init(&out, 1u << 20);
    wa_buf_sink_init(&sink, &out);
    wa_mem_source_init(&source, b->bytes.p, b->bytes.n);
    if (wa_archive_members_open(&source.base, &archive, err) != WA_OK)
        return err->code;
    WA_AUTO_SEEN struct wa_seen seen;
    wa_seen_init(&seen);
    if (wa_index_read_digests(wa_archive_members_get(archive), &ix, &bad, err) != WA_OK) {
        assert_int_equal(ix.n, 0);
        return err->code;
    }
    WA_AUTO_INDEX struct wa_index loaded;
    WA_AUTO_BUF struct wa_buf saved;
    wa_index_init(&loaded);
    wa_buf_init(&saved, 1u << 20);
    if (wa_index_save(&ix, bad, of, &saved, err) != WA_OK ||
        wa_index_load(wa_buf_sv(&saved), of, &loaded, &bad, err) != WA_OK) {
        assert_int_equal(loaded.n, 0);
        return err->code;
    }
    assert_int_equal(loaded.n, ix.n);
    if (wa_index_keep_trusted(&ix, b->anchors, vectors_date(), &seen, NULL, NULL, &gone, err) !=
        WA_OK)
        return err->code;
    assert_int_equal(ix.n, 8);
    WA_AUTO_BUF struct wa_buf memory;
    wa_buf_init(&memory, 1u << 20);
    if (wa_seen_write(&seen, &memory, err) != WA_OK ||
        wa_seen_read(&seen, wa_buf_sv(&memory), err) != WA_OK)
        return err->code;
    if (wa_index_add(&ix, &ix.items[0], &none, err) != WA_OK) {
        assert_int_equal(ix.n, 8);
        return err->code;
    }
    WA_AUTO_INDEX struct wa_index lists;
    wa_index_init(&lists);
    if (wa_index_add_crl(&lists, wa_buf_sv(&ix.crls.items[0]), NULL, err) != WA_OK) {
        assert_int_equal(lists.crls.n, 0);
        return err->code;
    }
    return wa_index_write(&ix, vectors_date(), &sink.base, err);
}

/* --- plan --- */

static enum wa_code plan(void *arg, struct wa_err *err)
{
    static const char *const texts[] = {"package: a\nversion: 1\ndepends: b,missing",
                                        "package: b\nversion: 1\nconflicts: c",
                                        "package: d\nversion: 2\ndepends: b"};
    struct wa_control available[3];
    struct wa_installed installed[2] = {{.status = "OK"}, {.status = "OK"}};
    struct wa_host_caps host = {.now = ""};
    static const char *const asked[] = {"a", "d", "nonsense("};
    struct wa_plan_input in = {.available = available,
                               .available_count = 3,
                               .installed = installed,
                               .installed_count = 2,
                               .host = &host};
    WA_AUTO_PLAN struct wa_plan p;
    WA_AUTO_PLAN struct wa_plan u;
    WA_AUTO_PLAN struct wa_plan r;
    WA_AUTO_PLAN struct wa_plan n;
    WA_AUTO_PLAN struct wa_plan w;
    struct wa_err why = WA_ERR_INIT;
    (void)arg;
    wa_plan_init(&p);
    wa_plan_init(&u);
    wa_plan_init(&r);
    wa_plan_init(&n);
    wa_plan_init(&w);
    wa_torture_pause();
    for (size_t i = 0; i < 3; i++)
        check_ok(wa_control_parse(wa_sv(texts[i]), &available[i], &why), &why, "control");
    check_ok(wa_control_parse(WA_SV("package: c\nversion: 1"), &installed[0].control, &why), &why,
             "control");
    check_ok(
        wa_control_parse(WA_SV("package: d\nversion: 1\ndepends: c"), &installed[1].control, &why),
        &why, "control");
    wa_torture_resume();
    enum wa_code code = wa_plan_install(&in, asked, 3, false, &p, err);
    assert_true(code == WA_OK || (p.n == 0 && p.problems == NULL));
    if (code == WA_OK)
        code = wa_plan_upgrade(&in, asked, 1, &u, err);
    if (code == WA_OK)
        code = wa_plan_remove(&in, asked, 2, &r, err);
    in.holds = "d until 2026-12-31";
    if (code == WA_OK)
        code = wa_plan_why_not(&in, "a", 4, &n, &w, err);
    wa_plan_fini(&w);
    if (code == WA_OK)
        code = wa_plan_why(&in, "c", asked, 1, &u, &w, err);
    wa_torture_pause();
    for (size_t i = 0; i < 3; i++)
        wa_control_fini(&available[i]);
    wa_control_fini(&installed[0].control);
    wa_control_fini(&installed[1].control);
    wa_torture_resume();
    return code;
}

/* --- building --- */

static enum wa_code count_name(void *user, const char *name, const struct wa_stat *st,
                               struct wa_err *err)
{
    size_t *n = user;
    (void)name;
    (void)st;
    (void)err;
    ++*n;
    return WA_OK;
}

static size_t count_files(const char *path)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    check_ok(wa_dir_open(path, &dir, &err), &err, path);
    check_ok(wa_dir_list(&dir, count_name, &n, &err), &err, path);
    return n;
}

static enum wa_code build(void *arg, struct wa_err *err)
{
    struct bench *b = arg;
    char path[WA_PATH_MAX] = "untouched";
    enum wa_code code = wa_build_package(b->source, b->out, &b->signer, NULL, path, err);
    wa_torture_pause();
    if (code != WA_OK)
        assert_string_equal(path, "untouched");
    assert_true(count_files(b->out) <= 1); /* the package, and nothing half made */
    wa_torture_resume();
    return code == WA_OK ? wa_sign_package(path, &b->signer, NULL, NULL, err) : code;
}

static void open_bench(struct bench *b)
{
    struct wa_cert_request what = {.cn = "Tester", .path_length = -1, .days = 10};
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    struct wa_err err = WA_ERR_INIT;
    memset(b, 0, sizeof *b);
    b->anchors = trust_of("trust/main");
    scratch_make(&b->s);
    (void)snprintf(b->source, sizeof b->source, "%s/source", b->s.path);
    (void)snprintf(b->out, sizeof b->out, "%s/out", b->s.path);
    write_file(&b->s.dir, "source/WAPT/control", "package: a\nversion: 1\narchitecture: all\n");
    write_file(&b->s.dir, "source/data.txt", "data");
    struct wa_relpath out = {"out", 3};
    check_ok(wa_dir_make_sub(&b->s.dir, &out, 0755, &err), &err, "out");
    check_ok(wa_key_new_rsa(2048, &b->key, &err), &err, "key");
    check_ok(wa_cert_issue(&what, b->key, NULL, NULL, &cert, &err), &err, "issue");
    check_ok(wa_certs_add(&b->chain, cert, &err), &err, "chain");
    b->signer = (struct wa_signer){b->key, &b->chain};
}

static void close_bench(struct bench *b)
{
    wa_trust_free(b->anchors);
    wa_key_free(b->key);
    wa_certs_fini(&b->chain);
    scratch_drop(&b->s);
}

static enum wa_code rules(void *arg, struct wa_err *err)
{
    WA_AUTO_SELF_RULES struct wa_self_rules r;
    (void)arg;
    return wa_self_rules_init(&r, err) == WA_OK
               ? wa_self_rules_add(&r, WA_SV("{\"team\":{\"a\":null,\"b\":null},\"x\":[\"a\"]}"),
                                   err)
               : err->code;
}

static void small_parts(void **state)
{
    (void)state;
    assert_true(wa_torture(rules, NULL) > 3);
    assert_true(wa_torture(control, NULL) > 10);
    assert_true(wa_torture(manifest, NULL) > 4);
    assert_true(wa_torture(plan, NULL) > 10);
}

static void packages(void **state)
{
    struct bench b;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    open_bench(&b);
    read_vector("valid/persistent.wapt", &b.bytes);
    assert_true(wa_torture(verify, &b) > 10);
    assert_true(wa_torture(extract, &b) > 10);
    wa_buf_fini(&b.bytes);
    read_vector("made/over-sha1-too.wapt", &b.bytes);
    assert_true(wa_torture(verify, &b) > 10);
    wa_buf_fini(&b.bytes);
    read_vector("made/index-with-crl", &b.bytes);
    check_ok(index_work(&b, &err), &err, "index"); /* from now on the store has the list */
    assert_true(wa_torture(index_work, &b) > 10);
    wa_buf_fini(&b.bytes);
    assert_true(wa_torture(build, &b) > 10);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_parts),
        cmocka_unit_test(packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
