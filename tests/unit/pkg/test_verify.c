/* Every package of the vectors: honest ones are good and say what WAPT read in them, tampered ones
 * are refused. What is good can be extracted, and what was extracted is checked again before it is
 * used.
 */
#include "packages.h"

#include "crypto/digest.h"

static enum wa_code verify(struct package *p, const struct wa_trust *anchors, struct wa_verdict *v,
                           struct wa_err *err)
{
    return wa_verify_package(wa_archive_members_get(p->archive), anchors, vectors_date(), NULL,
                             NULL, v, err);
}

/* WAPT's two vectors of this package lack one half each; whole it is good. */
static void takes_the_pair_over_sha1_that_holds(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    struct scratch s;
    struct wa_relpath old = {"WAPT/manifest.sha1", 18};
    WA_AUTO_FD int fd = -1;
    (void)state;
    wa_verdict_init(&v);
    scratch_make(&s);
    check_ok(package_open("made/over-sha1-too.wapt", &p, &err), &err, "open");
    check_ok(verify(&p, anchors, &v, &err), &err, "verify");
    check_ok(wa_extract_verified(wa_archive_members_get(p.archive), &v, &s.dir, &err), &err,
             "extract");
    assert_int_equal(wa_file_open(&s.dir, &old, &fd, &err), WA_E_NOT_FOUND); /* nobody needs it */
    package_close(&p);
    scratch_drop(&s);
}

/* A directory of sources signed over both digests, from which a file was cleaned away, still holds.
 */
static void a_tree_may_lack_files_of_the_pair_over_sha1(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    struct wa_err err = WA_ERR_INIT;
    struct scratch s;
    struct wa_relpath gone = {"data/x.txt", 10};
    (void)state;
    scratch_make(&s);
    check_ok(package_open("made/over-sha1-too.wapt", &p, &err), &err, "open");
    struct wa_members *m = wa_archive_members_get(p.archive);
    for (size_t i = 0; i < m->n; i++) {
        WA_AUTO_BUF struct wa_buf bytes;
        struct wa_buf_sink sink;
        WA_AUTO_FD int fd = -1;
        wa_buf_init(&bytes, 1u << 20);
        wa_buf_sink_init(&sink, &bytes);
        check_ok(m->read(m, i, &sink.base, &err), &err, "read");
        check_ok(wa_file_create(&s.dir, &m->items[i].name, 0644, &fd, &err), &err, "create");
        check_ok(wa_fd_write_all(fd, bytes.p, bytes.n, &err), &err, "write");
        if (!wa_sv_starts(wa_sv(m->items[i].name.p), "WAPT/"))
            gone = m->items[i].name;
    }
    package_close(&p);
    for (int pass = 0; pass < 2; pass++) {
        WA_AUTO_VERDICT struct wa_verdict v;
        wa_verdict_init(&v);
        check_ok(wa_verify_tree(&s.dir, anchors, vectors_date(), &v, &err), &err, "tree");
        if (pass == 0)
            check_ok(wa_file_remove(&s.dir, &gone, &err), &err, gone.p);
    }
    scratch_drop(&s);
}

/* What an index's entry goes through: chain, signature, attributes. */
static void judges_a_control_alone(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO(wa_trust) struct wa_trust *strangers = trust_of("trust/other");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_trust_result r = {.signer_cn = "untouched"};
    struct wa_err err = WA_ERR_INIT;
    const int64_t at = vectors_date();
    (void)state;
    wa_verdict_init(&v);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    check_ok(verify(&p, anchors, &v, &err), &err, "verify");
    assert_int_equal(wa_verify_control(&v.control, &v.chain, strangers, at, &r, &err),
                     WA_E_REFUSED);
    wa_err_clear(&err);
    assert_string_equal(r.signer_cn, "untouched");
    check_ok(wa_verify_control(&v.control, &v.chain, anchors, at, &r, &err), &err, "control");
    assert_string_equal(r.signer_fingerprint, v.trust.signer_fingerprint);
    check_ok(wa_control_set(&v.control, WA_A_DEPENDS, WA_SV("evil"), &err), &err, "set");
    assert_int_equal(wa_verify_control(&v.control, &v.chain, anchors, at, &r, &err), WA_E_REFUSED);
    package_close(&p);
    assert_string_equal(wa_check_name(WA_CHECK_CODE), "code");
    assert_string_equal(wa_check_name(WA_CHECK_COUNT), "none");
}

/* --- times, rights, revocation --- */

static void judges_by_the_time_given(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    struct wa_err err = WA_ERR_INIT;
    const int64_t at[] = {wa_date_from_civil(2020, 1, 1, 0, 0, 0),
                          wa_date_from_civil(2099, 1, 1, 0, 0, 0)};
    (void)state;
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    for (size_t i = 0; i < WA_COUNT(at); i++) {
        WA_AUTO_VERDICT struct wa_verdict v;
        struct wa_err why = WA_ERR_INIT;
        wa_verdict_init(&v);
        assert_int_equal(wa_verify_package(wa_archive_members_get(p.archive), anchors, at[i], NULL,
                                           NULL, &v, &why),
                         WA_E_REFUSED);
        assert_int_equal(v.failed, WA_CHECK_CHAIN);
    }
    package_close(&p);
}

static bool stop(void *user, uint64_t done, uint64_t total)
{
    uint64_t *seen = user;
    assert_true(done <= total);
    *seen = done;
    return false;
}

static void can_be_cancelled(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    uint64_t seen = 0;
    (void)state;
    wa_verdict_init(&v);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    assert_int_equal(wa_verify_package(wa_archive_members_get(p.archive), anchors, vectors_date(),
                                       stop, &seen, &v, &err),
                     WA_E_CANCELLED);
    assert_true(seen > 0);
    assert_int_not_equal(v.failed, WA_CHECK_COUNT);
    package_close(&p);
}

static void refuses_the_revoked(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict good;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_verdict_init(&good);
    wa_verdict_init(&v);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    check_ok(verify(&p, anchors, &good, &err), &err, "verify");
    check_ok(wa_trust_revoke(anchors, good.trust.signer_fingerprint, &err), &err, "revoke");
    assert_int_equal(verify(&p, anchors, &v, &err), WA_E_REFUSED);
    assert_int_equal(v.failed, WA_CHECK_CHAIN);
    package_close(&p);
}

/* --- extraction, and the kept files --- */

static void extract(const char *file, struct scratch *s, struct wa_trust *anchors)
{
    struct package p;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    wa_verdict_init(&v);
    check_ok(package_open(file, &p, &err), &err, file);
    check_ok(verify(&p, anchors, &v, &err), &err, file);
    check_ok(wa_extract_verified(wa_archive_members_get(p.archive), &v, &s->dir, &err), &err, file);
    package_close(&p);
}

/* What is there already was written by nobody knows whom. */
static void extracts_over_nothing(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    struct scratch s;
    WA_AUTO_FD int fd = -1;
    const struct wa_relpath there = {"setup.py", 8};
    (void)state;
    wa_verdict_init(&v);
    scratch_make(&s);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    check_ok(verify(&p, anchors, &v, &err), &err, "verify");
    check_ok(wa_file_create(&s.dir, &there, 0644, &fd, &err), &err, "create");
    wa_fd_close(&fd);
    assert_int_equal(wa_extract_verified(wa_archive_members_get(p.archive), &v, &s.dir, &err),
                     WA_E_EXISTS);
    package_close(&p);
    scratch_drop(&s);
}

static enum wa_code verify_tree(const struct scratch *s, const struct wa_trust *anchors,
                                struct wa_err *err)
{
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    return wa_verify_tree(&s->dir, anchors, vectors_date(), &v, err);
}

static void extracts_what_is_good(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("expected.json", &arena);
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        const char *file = string_at(one, "file", &arena);
        struct wa_err err = WA_ERR_INIT;
        struct scratch s;
        if (!wa_sv_eqs(text_at(one, "expected"), "accept"))
            continue;
        WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of(string_at(one, "trusted", &arena));
        scratch_make(&s);
        extract(file, &s, anchors);
        check_ok(verify_tree(&s, anchors, &err), &err, file);
        scratch_drop(&s);
    }
}

static void refuses_to_extract_the_unverified(void **state)
{
    struct package p;
    struct scratch s;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_verdict_init(&v);
    scratch_make(&s);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    assert_int_equal(wa_extract_verified(wa_archive_members_get(p.archive), &v, &s.dir, &err),
                     WA_E_INTERNAL);
    package_close(&p);
    scratch_drop(&s);
}

static void checks_kept_files_again(void **state)
{
    static const struct {
        const char *name, *text; /* text NULL: the file is removed */
        bool good;
    } changes[] = {
        {"setup.py", "import os\n", false},
        {"WAPT/manifest.sha256", "[]", false},
        {"WAPT/signature.sha256", "AAAA\n", false},
        {"WAPT/certificate.crt", NULL, false},
        {"WAPT/control", "package: x\n", false},
        {"os.py", "print('evil')\n", false}, /* beside setup.py: it would be imported */
        {"setup.pyc", "x", false},
        {"WAPT/persistent/conf.ini", NULL, true}, /* files that were cleaned away are no danger */
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(changes); i++) {
        struct scratch s;
        struct wa_err err = WA_ERR_INIT;
        struct wa_relpath name;
        WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
        scratch_make(&s);
        extract("valid/persistent.wapt", &s, anchors);
        check_ok(wa_relpath_parse(wa_sv(changes[i].name), &name, &err), &err, "name");
        if (changes[i].text != NULL)
            write_file(&s.dir, changes[i].name, changes[i].text);
        else
            check_ok(wa_file_remove(&s.dir, &name, &err), &err, changes[i].name);
        bool good = verify_tree(&s, anchors, &err) == WA_OK;
        if (good != changes[i].good)
            fail_msg("%s: %s", changes[i].name, good ? "taken" : err.text);
        scratch_drop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_pair_over_sha1_that_holds),
        cmocka_unit_test(a_tree_may_lack_files_of_the_pair_over_sha1),
        cmocka_unit_test(judges_a_control_alone),
        cmocka_unit_test(judges_by_the_time_given),
        cmocka_unit_test(can_be_cancelled),
        cmocka_unit_test(refuses_the_revoked),
        cmocka_unit_test(extracts_what_is_good),
        cmocka_unit_test(extracts_over_nothing),
        cmocka_unit_test(refuses_to_extract_the_unverified),
        cmocka_unit_test(checks_kept_files_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
