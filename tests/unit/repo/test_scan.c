/* A repository's life: packages come, change, go, are bad; its index follows, and is WAPT's own for
 * the same packages.
 */
#include "../pkg/packages.h"

#include "codec/zip_write.h"
#include "pkg/build.h"
#include "repo/scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct notes {
    char files[4096];
    size_t n;
};

static void note(void *user, const char *file, const struct wa_err *why)
{
    struct notes *notes = user;
    size_t n = strlen(notes->files);
    assert_int_not_equal(why->code, WA_OK);
    (void)snprintf(notes->files + n, sizeof notes->files - n, "%s;", file);
    notes->n++;
}

static void put(const struct scratch *s, const char *vector, const char *name)
{
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    read_vector(vector, &bytes);
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    check_ok(wa_file_replace(&s->dir, &path, wa_buf_sv(&bytes), 0644, &err), &err, name);
}

static void drop(const struct scratch *s, const char *name)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    check_ok(wa_file_remove(&s->dir, &path, &err), &err, name);
}

/* Sets when a file was changed last: tests do not wait for the clock. */
static void set_time(const struct scratch *s, const char *name, time_t at)
{
    struct timespec both[2] = {{.tv_sec = at}, {.tv_sec = at}};
    assert_int_equal(utimensat(s->dir.fd, name, both, 0), 0);
}

/* Another time of the first member: other bytes, the same package. */
static void age_inside(const struct scratch *s, const char *name)
{
    int fd = openat(s->dir.fd, name, O_RDWR | O_CLOEXEC);
    uint8_t time = 0;
    assert_true(fd >= 0 && pread(fd, &time, 1, 10) == 1);
    time ^= 1;
    assert_true(pwrite(fd, &time, 1, 10) == 1 && close(fd) == 0);
}

static struct wa_scan_result scan(const struct scratch *s, bool force,
                                  const struct wa_trust *anchors, struct notes *notes)
{
    struct wa_scan_result r = {0, 0, 0, 0};
    struct wa_err err = WA_ERR_INIT;
    const struct wa_scan_watch watch = {.note = note, .user = notes};
    check_ok(wa_repo_scan(s->path, force, anchors, notes == NULL ? NULL : &watch, &r, &err), &err,
             "scan");
    return r;
}

static void check_result(struct wa_scan_result r, size_t kept, size_t added, size_t removed,
                         size_t bad)
{
    if (r.kept != kept || r.added != added || r.removed != removed || r.bad != bad)
        fail_msg("kept %zu, added %zu, removed %zu, bad %zu", r.kept, r.added, r.removed, r.bad);
}

static void read_index(const struct wa_buf *bytes, struct wa_index *ix)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 99;
    wa_mem_source_init(&source, bytes->p, bytes->n);
    check_ok(wa_archive_members_open(&source.base, &members, &err), &err, "index");
    check_ok(wa_index_read(wa_archive_members_get(members), ix, &bad, &err), &err, "index");
    assert_int_equal(bad, 0);
}

static const struct wa_control *entry_of(const struct wa_index *ix, const char *file)
{
    for (size_t i = 0; i < ix->n; i++)
        if (strcmp(wa_control_get(&ix->items[i], WA_A_FILENAME), file) == 0)
            return &ix->items[i];
    return NULL;
}

static bool has_cert(const struct wa_index *ix, const struct wa_cert *c)
{
    for (size_t i = 0; i < ix->certs.n; i++)
        if (wa_cert_equal(ix->certs.items[i], c))
            return true;
    return false;
}

/* --- stories --- */

static void makes_the_index_of_wapt(void **state)
{
    struct scratch s;
    WA_AUTO_BUF struct wa_buf reference;
    WA_AUTO_BUF struct wa_buf made;
    WA_AUTO_INDEX struct wa_index want;
    WA_AUTO_INDEX struct wa_index got;
    size_t count = 0;
    (void)state;
    scratch_make(&s);
    read_vector("index/reference.Packages", &reference);
    read_index(&reference, &want);
    for (size_t i = 0; i < want.n; i++) {
        char vector[WA_PATH_MAX];
        const char *file = wa_control_get(&want.items[i], WA_A_FILENAME);
        (void)snprintf(vector, sizeof vector, "%s/valid/%s", WA_VECTORS, file);
        if (access(vector, R_OK) != 0)
            continue; /* the index was made of more packages than are kept */
        (void)snprintf(vector, sizeof vector, "valid/%s", file);
        put(&s, vector, file);
        count++;
    }
    assert_true(count >= 30);
    check_result(scan(&s, false, NULL, NULL), 0, count, 0, 0);
    read_file(&s.dir, "Packages", &made);
    read_index(&made, &got);
    assert_int_equal(got.n, count);
    for (size_t i = 0; i < got.n; i++) {
        const struct wa_control *g = &got.items[i],
                                *w = entry_of(&want, wa_control_get(g, WA_A_FILENAME));
        assert_non_null(w);
        for (size_t a = 0; a < WA_ATTR_COUNT; a++)
            assert_string_equal(wa_control_get(g, (enum wa_attr)a),
                                wa_control_get(w, (enum wa_attr)a));
    }
    for (size_t i = 0; i < got.certs.n; i++)
        assert_true(has_cert(&want, got.certs.items[i]));
    scratch_drop(&s);
}

static void follows_changes(void **state)
{
    struct scratch s;
    struct stat before, after;
    const time_t now = time(NULL);
    (void)state;
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "a.wapt");
    put(&s, "valid/persistent.wapt", "b.wapt");
    check_result(scan(&s, false, NULL, NULL), 0, 2, 0, 0);
    set_time(&s, "a.wapt", now - 100);
    set_time(&s, "b.wapt", now - 100);
    set_time(&s, "Packages", now - 50);
    /* Nothing new: the very index stays. */
    assert_int_equal(fstatat(s.dir.fd, "Packages", &before, 0), 0);
    check_result(scan(&s, false, NULL, NULL), 2, 0, 0, 0);
    assert_int_equal(fstatat(s.dir.fd, "Packages", &after, 0), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mtime == after.st_mtime);
    /* One in the second of the index is read, and is the same: so are the index's bytes, which
     * are signed perhaps. It is younger now. */
    WA_AUTO_BUF struct wa_buf then;
    WA_AUTO_BUF struct wa_buf now_there;
    set_time(&s, "a.wapt", now - 50);
    read_file(&s.dir, "Packages", &then);
    check_result(scan(&s, false, NULL, NULL), 2, 0, 0, 0);
    read_file(&s.dir, "Packages", &now_there);
    assert_true(wa_sv_eq(wa_buf_sv(&then), wa_buf_sv(&now_there)));
    assert_int_equal(fstatat(s.dir.fd, "Packages", &after, 0), 0);
    assert_true(after.st_mtime > now - 50);
    /* One changed, with the same size, in the second of the index. */
    age_inside(&s, "a.wapt");
    set_time(&s, "a.wapt", after.st_mtime);
    check_result(scan(&s, false, NULL, NULL), 1, 1, 0, 0);
    set_time(&s, "a.wapt", now - 100);
    /* One replaced by an older file of another size. */
    put(&s, "valid/base-ca-chain.wapt", "b.wapt");
    set_time(&s, "b.wapt", now - 1000);
    check_result(scan(&s, false, NULL, NULL), 1, 1, 0, 0);
    /* One gone, one come. */
    drop(&s, "a.wapt");
    put(&s, "valid/group-nocodesigning.wapt", "c.wapt");
    check_result(scan(&s, false, NULL, NULL), 1, 1, 1, 0);
    check_result(scan(&s, true, NULL, NULL), 0, 2, 0, 0);
    scratch_drop(&s);
}

static void leaves_out_what_is_bad(void **state)
{
    struct scratch s;
    struct notes notes = {"", 0};
    WA_AUTO_BUF struct wa_buf made;
    WA_AUTO_INDEX struct wa_index ix;
    (void)state;
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "good.wapt");
    put(&s, "tampered/152-empty-file.wapt", "empty.wapt");
    put(&s, "tampered/113-dup-evil-last.wapt", "twice.wapt");
    write_file(&s.dir, "no-package.txt", "not looked at");
    write_file(&s.dir, ".hidden.wapt", "not looked at");
    write_file(&s.dir, "sub/inner.wapt", "not looked at");
    check_result(scan(&s, false, NULL, &notes), 0, 1, 0, 2);
    assert_string_equal(notes.files, "empty.wapt;twice.wapt;");
    read_file(&s.dir, "Packages", &made);
    read_index(&made, &ix);
    assert_int_equal(ix.n, 1);
    scratch_drop(&s);
}

/* A package without files by a signer of its own, whose certificate is returned. */
static struct wa_cert *make_package(const struct scratch *s, const char *name)
{
    struct wa_cert_request what = {.cn = name, .path_length = -1, .days = 10};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_cert *cert = NULL;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    wa_control_init(&c);
    check_ok(wa_key_new_rsa(2048, &key, &err), &err, "key");
    check_ok(wa_cert_issue(&what, key, NULL, NULL, &cert, &err), &err, "issue");
    check_ok(wa_certs_add(&chain, cert, &err), &err, "chain");
    check_ok(wa_control_set(&c, WA_A_PACKAGE, wa_sv(name), &err), &err, "set");
    check_ok(wa_control_set(&c, WA_A_VERSION, WA_SV("1"), &err), &err, "set");
    struct wa_signer signer = {key, &chain};
    check_ok(wa_build_meta(&c, s->path, &signer, NULL, path, &err), &err, "build");
    return cert;
}

/* With anchors, what they do not vouch for goes, also what an earlier scan without them took. */
static void judges_by_its_anchors(void **state)
{
    struct scratch s;
    struct notes notes = {"", 0};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    const time_t now = time(NULL);
    (void)state;
    scratch_make(&s);
    check_ok(wa_trust_new(&anchors, &err), &err, "trust");
    WA_AUTO(wa_cert) struct wa_cert *known = make_package(&s, "known");
    WA_AUTO(wa_cert) struct wa_cert *stranger = make_package(&s, "stranger");
    WA_UNUSED(stranger);
    check_ok(wa_trust_add(anchors, known, &err), &err, "trust");
    check_result(scan(&s, false, NULL, &notes), 0, 2, 0, 0);
    set_time(&s, "known_1.wapt", now - 100);
    set_time(&s, "stranger_1.wapt", now - 100);
    set_time(&s, "Packages", now - 50);
    check_result(scan(&s, false, anchors, &notes), 1, 0, 1, 1);
    assert_string_equal(notes.files, "stranger_1.wapt;");
    scratch_drop(&s);
}

static void begins_with_nothing(void **state)
{
    struct scratch s;
    struct wa_scan_result r;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf made;
    WA_AUTO_INDEX struct wa_index ix;
    (void)state;
    scratch_make(&s);
    check_result(scan(&s, false, NULL, NULL), 0, 0, 0, 0);
    read_file(&s.dir, "Packages", &made);
    read_index(&made, &ix);
    assert_int_equal(ix.n, 0);
    write_file(&s.dir, "Packages", "no index at all");
    put(&s, "valid/base-simple.wapt", "a.wapt");
    check_result(scan(&s, false, NULL, NULL), 0, 1, 0, 0);
    assert_int_equal(wa_repo_scan("/nonexistent", false, NULL, NULL, &r, &err), WA_E_NOT_FOUND);
    scratch_drop(&s);
}

static void runs_alone(void **state)
{
    struct scratch s;
    struct wa_scan_result r = {7, 7, 7, 7};
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath name = {".Packages.lock", 14};
    WA_AUTO_FD int lock = -1;
    (void)state;
    scratch_make(&s);
    check_ok(wa_dir_lock(&s.dir, &name, &lock, &err), &err, "lock");
    assert_int_equal(wa_repo_scan(s.path, false, NULL, NULL, &r, &err), WA_E_BUSY);
    assert_int_equal(r.kept, 7);
    scratch_drop(&s);
}

/* --- icons --- */

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define PNG "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
#define REST "\x08\x06\0\0\0....."

static void add_member(struct wa_zip_writer *zip, const char *name, struct wa_sv text)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    check_ok(wa_zip_add_bytes(zip, &path, 0600, text, &err), &err, name);
}

/* A package that says it has this identifier, with an icon. */
static void put_icon(const struct scratch *s, const char *file, const char *uuid, struct wa_sv icon)
{
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *zip = NULL;
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf cert;
    struct package p;
    struct wa_buf_sink sink, cert_sink;
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    char control[512];
    size_t at;
    wa_buf_init(&bytes, 16u << 20);
    wa_buf_sink_init(&sink, &bytes);
    wa_buf_init(&cert, 1u << 20);
    wa_buf_sink_init(&cert_sink, &cert);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "package");
    struct wa_members *m = wa_archive_members_get(p.archive);
    assert_true(wa_members_find(m, "WAPT/certificate.crt", &at));
    check_ok(m->read(m, at, &cert_sink.base, &err), &err, "certificate");
    (void)snprintf(control, sizeof control,
                   "package: %.8s\nversion: 1-1\narchitecture: all\npackage_uuid: %s\n", file,
                   uuid);
    check_ok(wa_zip_writer_new(&sink.base, 1600000000, 0, &zip, &err), &err, "zip");
    add_member(zip, "WAPT/control", wa_sv(control));
    add_member(zip, "WAPT/certificate.crt", wa_buf_sv(&cert));
    add_member(zip, "WAPT/icon.png", icon);
    check_ok(wa_zip_finish(zip, &err), &err, "zip");
    check_ok(wa_relpath_parse(wa_sv(file), &path, &err), &err, file);
    check_ok(wa_file_replace(&s->dir, &path, wa_buf_sv(&bytes), 0644, &err), &err, file);
    package_close(&p);
}

static bool is_there(const struct scratch *s, const char *name)
{
    return faccessat(s->dir.fd, name, F_OK, 0) == 0;
}

static void takes_icons_that_are_some(void **state)
{
    static const char good[] = PNG "\0\0\0\x20\0\0\0\x20" REST;
    static const char wide[] = PNG "\0\1\0\0\0\0\0\x20" REST;
    static const char flat[] = PNG "\0\0\0\0\0\0\0\x20" REST;
    static const char jpeg[] = "\xff\xd8\xff\xe0 and so on, long enough for a header";
    struct {
        const char *uuid;
        struct wa_sv icon;
        bool is_taken;
    } cases[] = {
        {UUID, wa_sv_n(good, sizeof good - 1), true},
        {UUID, wa_sv_n(wide, sizeof wide - 1), false},
        {UUID, wa_sv_n(flat, sizeof flat - 1), false},
        {UUID, wa_sv_n(jpeg, sizeof jpeg - 1), false},
        {UUID, wa_sv_n(good, 20), false},
        {UUID, {NULL, 0}, false}, /* larger than any icon */
        {"../../escaped", wa_sv_n(good, sizeof good - 1), false},
        {"", wa_sv_n(good, sizeof good - 1), false},
    };
    char *large = calloc(WA_ICON_BYTES_MAX + 1, 1);
    (void)state;
    assert_non_null(large);
    memcpy(large, good, sizeof good);
    cases[5].icon = wa_sv_n(large, WA_ICON_BYTES_MAX + 1);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct scratch s;
        scratch_make(&s);
        put_icon(&s, "iconic.wapt", cases[i].uuid, cases[i].icon);
        check_result(scan(&s, false, NULL, NULL), 0, 1, 0, 0); /* listed, whatever its icon */
        assert_int_equal(is_there(&s, "icons/" UUID ".png"), cases[i].is_taken);
        assert_int_equal(is_there(&s, "icons"), cases[i].is_taken);
        if (cases[i].is_taken) {
            write_file(&s.dir, "icons/by-hand.png", "x");
            drop(&s, "iconic.wapt");
            check_result(scan(&s, false, NULL, NULL), 0, 0, 1, 0);
            assert_false(is_there(&s, "icons/" UUID ".png"));
            assert_true(is_there(&s, "icons/by-hand.png"));
        }
        scratch_drop(&s);
    }
    free(large);
}

/* What a scan remembers saves it reading, and is not believed beyond that. */
static void remembers_what_it_saw(void **state)
{
    struct scratch s;
    (void)state;
    scratch_make(&s);
    put(&s, "valid/base-simple.wapt", "a.wapt");
    put(&s, "valid/base-ca-chain.wapt", "b.wapt");
    set_time(&s, "a.wapt", 1000);
    set_time(&s, "b.wapt", 1000);
    check_result(scan(&s, false, NULL, NULL), 0, 2, 0, 0);
    assert_true(is_there(&s, ".Packages.state"));
    check_result(scan(&s, false, NULL, NULL), 2, 0, 0, 0);
    check_result(scan(&s, true, NULL, NULL), 0, 2, 0, 0);
    put(&s, "valid/base-ca-chain.wapt", "b.wapt"); /* same size and time, another file */
    set_time(&s, "b.wapt", 1000);
    check_result(scan(&s, false, NULL, NULL), 2, 0, 0, 0);
    write_file(&s.dir, "Packages", "damaged");
    check_result(scan(&s, false, NULL, NULL), 0, 2, 0, 0);
    write_file(&s.dir, ".Packages.state", "damaged");
    check_result(scan(&s, false, NULL, NULL), 2, 0, 0, 0);
    put(&s, "tampered/152-empty-file.wapt", "c.wapt"); /* told each time */
    struct notes notes = {.n = 0};
    check_result(scan(&s, false, NULL, &notes), 2, 0, 0, 1);
    check_result(scan(&s, false, NULL, &notes), 2, 0, 0, 1);
    assert_int_equal(notes.n, 2);
    scratch_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_index_of_wapt),   cmocka_unit_test(follows_changes),
        cmocka_unit_test(leaves_out_what_is_bad),    cmocka_unit_test(judges_by_its_anchors),
        cmocka_unit_test(begins_with_nothing),       cmocka_unit_test(runs_alone),
        cmocka_unit_test(takes_icons_that_are_some), cmocka_unit_test(remembers_what_it_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
