/* Memory runs out at each allocation of a scan in turn: the index is the old one or the new one. */
#include "../pkg/packages.h"

#include "repo/scan.h"
#include "torture.h"

#include <sys/stat.h>
#include <unistd.h>

static void put(const struct scratch *s, const char *vector, const char *name)
{
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    read_vector(vector, &bytes);
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    check_ok(wa_file_replace(&s->dir, &path, wa_buf_sv(&bytes), 0644, &err), &err, name);
}

static enum wa_code scan(void *arg, struct wa_err *err)
{
    struct wa_scan_result r = {9, 9, 9, 9};
    struct scratch s;
    WA_AUTO_BUF struct wa_buf index;
    wa_torture_pause();
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "a.wapt");
    put(&s, "tampered/152-empty-file.wapt", "b.wapt");
    write_file(&s.dir, "Packages", "old");
    wa_torture_resume();
    enum wa_code code = wa_repo_scan(s.path, *(bool *)arg, NULL, NULL, &r, err);
    wa_torture_pause();
    read_file(&s.dir, "Packages", &index);
    bool is_old = wa_sv_eqs(wa_buf_sv(&index), "old");
    if (code != WA_OK)
        assert_true(is_old && r.kept == 9);
    else
        assert_true(!is_old && r.added == 1 && r.bad == 1);
    wa_buf_fini(&index);
    scratch_drop(&s);
    wa_torture_resume();
    return code;
}

/* An index that has a revocation list, and a store that has one. */
static enum wa_code scan_lists(void *arg, struct wa_err *err)
{
    struct wa_scan_result r = {9, 9, 9, 9};
    struct scratch s;
    wa_torture_pause();
    scratch_make(&s);
    put(&s, "valid/base-ca-chain.wapt", "a.wapt");
    put(&s, "made/index-with-crl", "Packages");
    wa_torture_resume();
    enum wa_code code = wa_repo_scan(s.path, false, arg, NULL, &r, err);
    wa_torture_pause();
    assert_true(code == WA_OK ? r.added == 1 && r.bad == 0 : r.kept == 9);
    scratch_drop(&s);
    wa_torture_resume();
    return code;
}

static void tell_name(void *user, const char *file, const char *usual, const struct wa_err *why)
{
    WA_UNUSED(user);
    WA_UNUSED(why);
    assert_string_equal(file, "odd.wapt");
    assert_true(usual[0] != '\0');
}

/* A package that can't be read stays, and the other one has one of its two names. */
static enum wa_code rename_odd(void *arg, struct wa_err *err)
{
    struct scratch s;
    size_t renamed = 9;
    WA_UNUSED(arg);
    wa_torture_pause();
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "odd.wapt");
    put(&s, "tampered/152-empty-file.wapt", "b.wapt");
    wa_torture_resume();
    enum wa_code code = wa_repo_rename(s.path, tell_name, NULL, &renamed, err);
    wa_torture_pause();
    bool is_odd = faccessat(s.dir.fd, "odd.wapt", F_OK, 0) == 0;
    assert_true(code == WA_OK ? renamed == (is_odd ? 0u : 1u) : renamed == 9);
    assert_int_equal(faccessat(s.dir.fd, "b.wapt", F_OK, 0), 0);
    scratch_drop(&s);
    wa_torture_resume();
    return code;
}

static void scans(void **state)
{
    bool force = false;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/with_crl");
    (void)state;
    assert_true(wa_torture(scan, &force) > 10);
    assert_true(wa_torture(scan_lists, anchors) > 10);
    assert_true(wa_torture(rename_odd, NULL) > 10);
}

/* --- memory --- */

static void set_time(const struct scratch *s, const char *name, time_t at)
{
    struct timespec both[2] = {{.tv_sec = at}, {.tv_sec = at}};
    assert_int_equal(utimensat(s->dir.fd, name, both, 0), 0);
}

/* Of *arg packages with an index, one has gone. */
static enum wa_code scan_many(void *arg, struct wa_err *err)
{
    const size_t count = *(size_t *)arg;
    struct wa_scan_result r = {9, 9, 9, 9};
    struct scratch s;
    wa_torture_pause();
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "p0.wapt");
    set_time(&s, "p0.wapt", 1000);
    for (size_t i = 1; i < count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "p%zu.wapt", i);
        assert_int_equal(linkat(s.dir.fd, "p0.wapt", s.dir.fd, name, 0), 0);
    }
    check_ok(wa_repo_scan(s.path, false, NULL, NULL, &r, err), err, "first scan");
    assert_int_equal(unlinkat(s.dir.fd, "p1.wapt", 0), 0);
    wa_torture_resume();
    enum wa_code code = wa_repo_scan(s.path, false, NULL, NULL, &r, err);
    wa_torture_pause();
    assert_true(code != WA_OK || (r.kept == count - 1 && r.removed == 1));
    scratch_drop(&s);
    wa_torture_resume();
    return code;
}

/* An entry has 2 KiB; of it no more is kept than its file's name and date, and what it is packed.
 */
static void keeps_no_entries(void **state)
{
    size_t few = 100, many = 1100;
    (void)state;
    size_t small = wa_torture_peak_bytes(scan_many, &few);
    size_t large = wa_torture_peak_bytes(scan_many, &many);
    if (large - small > (many - few) * 512)
        fail_msg("%zu bytes for %zu packages, %zu for %zu", small, few, large, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scans), cmocka_unit_test(keeps_no_entries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
