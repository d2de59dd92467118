/* Packages made here are what WAPT's tools would have made - Python says so, without our code -,
 * what can't be made well is not made at all, and nothing is left behind then.
 */
#include "packages.h"

#include "pkg/build.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Made once: keys cost time. */
static struct {
    struct wa_key *key, *other_key, *ec_key;
    struct wa_certs coder, plain; /* with and without codeSigning, of the same key */
    struct wa_signer signer, plain_signer;
} people;

static void issue(const char *cn, bool code, const struct wa_key *key, struct wa_certs *ret)
{
    struct wa_cert_request what = {
        .cn = cn, .is_ca = true, .path_length = -1, .code_signing = code, .days = 100};
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_cert_issue(&what, key, NULL, NULL, &cert, &err), &err, "issue");
    check_ok(wa_certs_add(ret, cert, &err), &err, "issue");
}

static int make_people(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    check_ok(wa_key_new_rsa(2048, &people.key, &err), &err, "key");
    check_ok(wa_key_new_rsa(2048, &people.other_key, &err), &err, "key");
    check_ok(wa_key_new_p256(&people.ec_key, &err), &err, "key");
    issue("Zo\xc3\xab Coder", true, people.key, &people.coder);
    issue("Plain Packager", false, people.key, &people.plain);
    people.signer = (struct wa_signer){people.key, &people.coder};
    people.plain_signer = (struct wa_signer){people.key, &people.plain};
    return 0;
}

static int drop_people(void **state)
{
    (void)state;
    wa_key_free(people.key);
    wa_key_free(people.other_key);
    wa_key_free(people.ec_key);
    wa_certs_fini(&people.coder);
    wa_certs_fini(&people.plain);
    return 0;
}

/* --- a workshop: sources and an output directory --- */

struct workshop {
    struct scratch s;
    char source[WA_PATH_MAX + 16], out[WA_PATH_MAX + 16];
};

static const char good_control[] = "package: tis-d\xc3\xa9mo\nversion: 1.0-1\narchitecture: all\n"
                                   "description: Un test \xc3\xa9\n  deuxi\xc3\xa8me ligne\n"
                                   "maturity: PROD\nlocale: fr,en\ninstalled_size: 1234\n"
                                   "x-unknown: dropped\n";

static void workshop_open(struct workshop *w, const char *control)
{
    scratch_make(&w->s);
    (void)snprintf(w->source, sizeof w->source, "%s/source", w->s.path);
    (void)snprintf(w->out, sizeof w->out, "%s/out", w->s.path);
    write_file(&w->s.dir, "out/other.txt", "was there before");
    write_file(&w->s.dir, "source/readme.txt", "hello");
    if (control != NULL)
        write_file(&w->s.dir, "source/WAPT/control", control);
}

static enum wa_code note_name(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    struct wa_buf *names = user;
    (void)st;
    (void)err;
    wa_buf_addf(names, "%s;", name);
    return WA_OK;
}

/* The names in a directory, "a;b;". */
static void list_names(const char *path, struct wa_buf *out)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 1u << 16);
    check_ok(wa_dir_open(path, &dir, &err), &err, path);
    check_ok(wa_dir_list(&dir, note_name, out, &err), &err, path);
}

static void check_names(const char *path, const char *want)
{
    WA_AUTO_BUF struct wa_buf names;
    list_names(path, &names);
    assert_string_equal(wa_buf_str(&names), want);
}

static void workshop_close(struct workshop *w)
{
    scratch_drop(&w->s);
}

/* --- independent judgement --- */

static void check_with_python(const char *package, const struct wa_certs *chain,
                              const struct workshop *w)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    char cert[WA_PATH_MAX + 32];
    pid_t pid = 0;
    int status = -1;
    wa_buf_init(&pem, 1u << 20);
    check_ok(wa_certs_write_pem(chain, &pem, &err), &err, "pem");
    write_file(&w->s.dir, "signer.crt", wa_buf_str(&pem));
    (void)snprintf(cert, sizeof cert, "%s/signer.crt", w->s.path);
    char python[] = "/usr/bin/python3", isolated[] = "-I", script[] = WA_CHECKER, path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", package);
    char *const argv[] = {python, isolated, script, path, cert, NULL};
    assert_int_equal(posix_spawn(&pid, python, NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("Python refuses %s", package);
}

/* Opens, verifies and shows the control of a package that was made. */
static void verify_made(const char *path, const struct wa_certs *chain, struct wa_verdict *v)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&bytes, 64u << 20);
    check_ok(wa_path_read(path, 64u << 20, &bytes, &err), &err, path);
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_trust_new(&anchors, &err), &err, "trust");
    check_ok(wa_trust_add(anchors, chain->items[0], &err), &err, "trust");
    check_ok(wa_archive_members_open(&source.base, &archive, &err), &err, path);
    check_ok(wa_verify_package(wa_archive_members_get(archive), anchors, (int64_t)time(NULL), NULL,
                               NULL, v, &err),
             &err, path);
}

/* --- stories --- */

static void builds_as_wapt_does(void **state)
{
    static const char *const excludes[] = {"*.bak", NULL};
    struct wa_build_options o = {.excludes = excludes};
    struct workshop w;
    WA_AUTO_VERDICT struct wa_verdict v;
    WA_AUTO_BUF struct wa_buf control;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    wa_verdict_init(&v);
    workshop_open(&w, good_control);
    write_file(&w.s.dir, "source/setup.py", "def install():\n    pass\n");
    write_file(&w.s.dir, "source/d\xc3\xa9j\xc3\xa0 vu/\xe4\xb8\xad.txt", "");
    write_file(&w.s.dir, "source/.git/config", "left out");
    write_file(&w.s.dir, "source/setup.pyc", "left out");
    write_file(&w.s.dir, "source/sub/.gitignore", "kept: not at the root");
    write_file(&w.s.dir, "source/sub/x.bak", "left out");
    check_ok(wa_build_package(w.source, w.out, &people.signer, &o, path, &err), &err, "build");
    assert_true(wa_sv_ends(wa_sv(path), "/out/tis-d\xc3\xa9mo_1.0-1_PROD_fr-en.wapt"));
    check_names(w.out, "other.txt;tis-d\xc3\xa9mo_1.0-1_PROD_fr-en.wapt;");
    check_with_python(path, &people.coder, &w);
    verify_made(path, &people.coder, &v);
    assert_true(v.has_setup_py);
    assert_int_equal(v.manifest.n, 6);
    assert_non_null(wa_manifest_find(&v.manifest, "sub/.gitignore"));
    assert_string_equal(wa_control_get(&v.control, WA_A_DESCRIPTION),
                        "Un test \xc3\xa9\ndeuxi\xc3\xa8me ligne");
    read_file(&w.s.dir, "source/WAPT/control", &control);
    assert_true(wa_sv_eqs(wa_buf_sv(&control), good_control)); /* sources are the packager's */
    workshop_close(&w);
}

static void increments_when_asked(void **state)
{
    struct wa_build_options o = {.increment_release = true, .maturity = "DEV"};
    struct workshop w;
    WA_AUTO_BUF struct wa_buf control;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    workshop_open(&w, "# a remark: kept\npackage: a\nVersion : 1.0-9\narchitecture: all\n");
    check_ok(wa_build_package(w.source, w.out, &people.plain_signer, &o, path, &err), &err,
             "build");
    assert_true(wa_sv_ends(wa_sv(path), "/a_1.0-10_DEV.wapt"));
    check_with_python(path, &people.plain, &w);
    read_file(&w.s.dir, "source/WAPT/control", &control);
    assert_true(wa_sv_eqs(wa_buf_sv(&control),
                          "# a remark: kept\npackage: a\nVersion : 1.0-10\narchitecture: all\n"));
    workshop_close(&w);
}

/* --- the same bytes --- */

/* The same sources again, laid down in another order, place, umask, time zone and time. */
static void lay_down(struct workshop *w, bool backwards)
{
    static const char *const files[][2] = {{"source/a/run.sh", "#!/bin/sh\n"},
                                           {"source/setup.py", "def install():\n    pass\n"},
                                           {"source/b.txt", "bbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
                                           {"source/A.dat", ""},
                                           {"source/\xc3\xa9t\xc3\xa9", "warm"}};
    char path[WA_PATH_MAX * 2];
    mode_t old = umask(backwards ? 0077 : 0002);
    workshop_open(w, "package: a\nversion: 1\narchitecture: all\n"
                     "signature_date: 2026-01-02T03:04:05\n");
    for (size_t i = 0; i < WA_COUNT(files); i++) {
        size_t at = backwards ? WA_COUNT(files) - 1 - i : i;
        write_file(&w->s.dir, files[at][0], files[at][1]);
    }
    (void)snprintf(path, sizeof path, "%s/a/run.sh", w->source);
    assert_int_equal(chmod(path, backwards ? 0700 : 0775), 0);
    (void)snprintf(path, sizeof path, "%s/b.txt", w->source);
    assert_int_equal(chmod(path, backwards ? 0400 : 0666), 0);
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = backwards ? 1 : 1500000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    (void)umask(old);
    assert_int_equal(setenv("TZ", backwards ? "Asia/Tokyo" : "America/Lima", 1), 0);
    tzset();
}

static void build_laid_down(bool backwards, const struct wa_build_options *o, struct wa_buf *ret,
                            char uuid[40])
{
    struct workshop w;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    wa_verdict_init(&v);
    lay_down(&w, backwards);
    check_ok(wa_build_package(w.source, w.out, &people.signer, o, path, &err), &err, "build");
    verify_made(path, &people.coder, &v);
    (void)snprintf(uuid, 40, "%s", wa_control_get(&v.control, WA_A_PACKAGE_UUID));
    wa_buf_init(ret, 1u << 20);
    check_ok(wa_path_read(path, 1u << 20, ret, &err), &err, path);
    workshop_close(&w);
}

static void builds_reproducibly(void **state)
{
    const struct {
        struct wa_build_options o;
        bool same;
    } cases[] = {
        {{.date = 1767323045}, true},
        {{.date = 1767323045, .also_sha1 = true}, true},
        {{.keep_signature_date = true}, true},
        {{.maturity = "DEV"}, false}, /* the date is now, to the microsecond */
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf first;
        WA_AUTO_BUF struct wa_buf second;
        char uuid[2][40];
        build_laid_down(false, &cases[i].o, &first, uuid[0]);
        build_laid_down(true, &cases[i].o, &second, uuid[1]);
        assert_int_equal(wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&second)), cases[i].same);
        assert_int_equal(strcmp(uuid[0], uuid[1]) == 0, cases[i].same);
        assert_true(strlen(uuid[0]) == 36 && uuid[0][14] == '8');
    }
}

/* Also over SHA-1, which is checked by Python and by our own rule that a pair must hold. */
static void writes_a_second_digest(void **state)
{
    struct wa_build_options o = {.also_sha1 = true};
    struct workshop w;
    WA_AUTO_VERDICT struct wa_verdict v;
    WA_AUTO_VERDICT struct wa_verdict again;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    wa_verdict_init(&v);
    wa_verdict_init(&again);
    workshop_open(&w, good_control);
    write_file(&w.s.dir, "source/setup.py", "def install():\n    pass\n");
    check_ok(wa_build_package(w.source, w.out, &people.signer, &o, path, &err), &err, "build");
    check_with_python(path, &people.coder, &w);
    verify_made(path, &people.coder, &v);
    assert_int_equal(v.manifest.n, 4);
    check_ok(wa_sign_package(path, &people.signer, &o, NULL, &err), &err, "sign");
    check_with_python(path, &people.coder, &w);
    check_ok(wa_sign_package(path, &people.signer, NULL, NULL, &err), &err, "sign"); /* it goes */
    check_with_python(path, &people.coder, &w);
    check_ok(wa_sign_tree(w.source, &people.signer, &o, &err), &err, "tree");
    struct wa_relpath pair = {"source/WAPT/signature", 21};
    struct wa_stat st;
    check_ok(wa_file_stat(&w.s.dir, &pair, &st, &err), &err, "pair");
    check_ok(wa_sign_tree(w.source, &people.signer, NULL, &err), &err, "tree");
    assert_int_equal(wa_file_stat(&w.s.dir, &pair, &st, &err), WA_E_NOT_FOUND);
    workshop_close(&w);
}

static void refuses_bad_sources(void **state)
{
    static const struct {
        const char *control, *file; /* file: one more source; NULL: none */
        const char *because;
    } cases[] = {
        {NULL, NULL, "WAPT/control"},
        {"version: 1\narchitecture: all\n", NULL, "names no package"},
        {"\xef\xbb\xbfpackage: a\nversion: 1\n", NULL, "byte order mark"},
        {"package: a\nversion: 1.2.3.4.5-1\n", NULL, "is not like 1.2.3-4"},
        {"package: a\nversion: v1\n", NULL, "is not like 1.2.3-4"},
        {"package: a\nversion: 1\narchitecture: arm64\n", NULL, "none of all, x86, x64"},
        {"package: a\nversion: 1\n", "setup.py", "needs a certificate with codeSigning"},
        {"package: a\nversion: 1\n", "SETUP.py", "could be taken for setup.py"},
        {"package: a\nversion: 1\n", "sub/con", "con"},
        {"package: a\nversion: 1\n", "a:b", "a:b"},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct workshop w;
        struct wa_err err = WA_ERR_INIT;
        char path[WA_PATH_MAX] = "untouched", file[WA_PATH_MAX * 2];
        workshop_open(&w, cases[i].control);
        if (cases[i].file != NULL) { /* by the system's own means: some names are no safe paths */
            (void)snprintf(file, sizeof file, "%s/%s", w.source, cases[i].file);
            write_file(&w.s.dir, "source/sub/x", "");
            FILE *f = fopen(file, "w");
            assert_non_null(f);
            assert_int_equal(fclose(f), 0);
        }
        if (wa_build_package(w.source, w.out, &people.plain_signer, NULL, path, &err) == WA_OK)
            fail_msg("case %zu was built", i);
        if (strstr(err.text, cases[i].because) == NULL)
            fail_msg("case %zu: got '%s', wanted '%s'", i, err.text, cases[i].because);
        assert_string_equal(path, "untouched");
        check_names(w.out, "other.txt;");
        workshop_close(&w);
    }
}

static void refuses_links(void **state)
{
    struct workshop w;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX], link[WA_PATH_MAX * 2];
    (void)state;
    workshop_open(&w, good_control);
    (void)snprintf(link, sizeof link, "%s/passwords", w.source);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(wa_build_package(w.source, w.out, &people.signer, NULL, path, &err),
                     WA_E_INVALID);
    check_names(w.out, "other.txt;");
    workshop_close(&w);
}

static void refuses_bad_signers(void **state)
{
    WA_AUTO_CERTS struct wa_certs ec = {0};
    WA_AUTO_CERTS struct wa_certs none = {0};
    struct workshop w;
    char path[WA_PATH_MAX];
    (void)state;
    issue("Elliptic", true, people.ec_key, &ec);
    const struct wa_signer bad[] = {
        {people.other_key, &people.coder}, {people.ec_key, &ec}, {people.key, &none}};
    workshop_open(&w, good_control);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_build_package(w.source, w.out, &bad[i], NULL, path, &err), WA_E_USAGE);
    }
    check_names(w.out, "other.txt;");
    workshop_close(&w);
}

static void makes_packages_without_files(void **state)
{
    struct workshop w;
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    wa_verdict_init(&v);
    workshop_open(&w, NULL);
    check_ok(wa_control_parse(WA_SV("package: grp\nversion: 3\nsection: group\ndepends: a(>=1),b"),
                              &c, &err),
             &err, "control");
    check_ok(wa_build_meta(&c, w.out, &people.plain_signer, NULL, path, &err), &err, "meta");
    check_names(w.out, "grp_3.wapt;other.txt;");
    check_with_python(path, &people.plain, &w);
    verify_made(path, &people.plain, &v);
    assert_int_equal(v.manifest.n, 2);
    assert_null(c.v[WA_A_SIGNATURE]); /* the caller's stays as it is */
    workshop_close(&w);
}

/* --- signing anew --- */

static void copy_vector(const char *name, const struct wa_dir *dir, const char *to)
{
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    read_vector(name, &bytes);
    check_ok(wa_relpath_parse(wa_sv(to), &path, &err), &err, to);
    check_ok(wa_file_replace(dir, &path, wa_buf_sv(&bytes), 0644, &err), &err, to);
}

static void signs_anew(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("expected.json", &arena);
    size_t signed_count = 0;
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        struct workshop w;
        WA_AUTO_VERDICT struct wa_verdict v;
        struct wa_err err = WA_ERR_INIT;
        char path[WA_PATH_MAX + 64];
        if (!wa_sv_eqs(text_at(one, "kind"), "valid"))
            continue;
        wa_verdict_init(&v);
        workshop_open(&w, NULL);
        copy_vector(string_at(one, "file", &arena), &w.s.dir, "out/p.wapt");
        (void)snprintf(path, sizeof path, "%s/p.wapt", w.out);
        check_ok(wa_sign_package(path, &people.signer, NULL, NULL, &err), &err, path);
        check_names(w.out, "other.txt;p.wapt;");
        check_with_python(path, &people.coder, &w);
        verify_made(path, &people.coder, &v);
        workshop_close(&w);
        signed_count++;
    }
    assert_true(signed_count > 20);
}

/* A file of the usual name follows what changes; any other keeps its name. */
static void names_follow(void **state)
{
    static const char usual[] = "a_1-2_x86.wapt",
                      with_md5[] = "a_1-2_x86_0123456789abcdef0123456789abcdef.wapt",
                      own[] = "mine.wapt";
    static const struct {
        const char *before, *after;
        struct wa_build_options o;
    } cases[] = {
        {usual, usual, {.keep_signature_date = true}},
        {usual, "a_1-3_x86_PROD.wapt", {.increment_release = true, .maturity = "PROD"}},
        {usual, usual, {.target_os = "linux"}},
        {with_md5, usual, {.also_sha1 = true}},
        {own, own, {.increment_release = true}},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct workshop w;
        WA_AUTO_VERDICT struct wa_verdict v;
        struct wa_err err = WA_ERR_INIT;
        char path[WA_PATH_MAX], from[WA_PATH_MAX * 2], now[WA_PATH_MAX], want[256];
        wa_verdict_init(&v);
        workshop_open(&w, "package: a\nversion: 1-2\narchitecture: x86\n");
        write_file(&w.s.dir, "source/setup.py", "def install():\n    pass\n");
        check_ok(wa_build_package(w.source, w.out, &people.signer, NULL, path, &err), &err,
                 "build");
        (void)snprintf(from, sizeof from, "%s/%s", w.out, cases[i].before);
        assert_int_equal(rename(path, from), 0);
        check_ok(wa_sign_package(from, &people.signer, &cases[i].o, now, &err), &err, from);
        (void)snprintf(want, sizeof want, "%s;other.txt;", cases[i].after);
        check_names(w.out, want);
        assert_true(wa_sv_ends(wa_sv(now), cases[i].after));
        verify_made(now, &people.coder, &v);
        if (cases[i].o.target_os != NULL)
            assert_string_equal(wa_control_get(&v.control, WA_A_TARGET_OS), "linux");
        workshop_close(&w);
    }
}

static void never_over_another_package(void **state)
{
    struct wa_build_options o = {.maturity = "PROD"};
    struct workshop w;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    workshop_open(&w, "package: a\nversion: 1-2\n");
    check_ok(wa_build_package(w.source, w.out, &people.signer, NULL, path, &err), &err, "build");
    write_file(&w.s.dir, "out/a_1-2_PROD.wapt", "another");
    assert_int_equal(wa_sign_package(path, &people.signer, &o, NULL, &err), WA_E_EXISTS);
    check_names(w.out, "a_1-2.wapt;a_1-2_PROD.wapt;other.txt;");
    workshop_close(&w);
}

/* A certificate without codeSigning may take over a package once its code is left out. */
static void drops_the_code(void **state)
{
    struct wa_build_options o = {.without_setup = true};
    struct workshop w;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    (void)state;
    wa_verdict_init(&v);
    workshop_open(&w, "package: a\nversion: 1-2\n");
    write_file(&w.s.dir, "source/setup.py", "def install():\n    pass\n");
    check_ok(wa_build_package(w.source, w.out, &people.signer, NULL, path, &err), &err, "build");
    check_ok(wa_sign_package(path, &people.plain_signer, &o, path, &err), &err, "sign");
    verify_made(path, &people.plain, &v);
    assert_false(v.has_setup_py);
    workshop_close(&w);
}

/* Nothing is signed that was not checked, though the file has changed in between. */
static void only_what_was_checked(void **state)
{
    static const struct {
        const char *file, *text;
        enum wa_code code;
    } after[] = {{"source/other", "x", WA_E_CONFLICT},
                 {"source/readme.txt", "evil", WA_E_CONFLICT},
                 {"source/WAPT/control", "package: a\nversion: 2\n", WA_E_CONFLICT},
                 {"out/other.txt", "beside it", WA_OK}};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(after); i++) {
        struct workshop w;
        WA_AUTO_VERDICT struct wa_verdict v;
        struct wa_build_options o = {.only = &v.manifest};
        struct wa_build_options same = {.date = 1767323045};
        struct wa_err err = WA_ERR_INIT;
        char path[WA_PATH_MAX];
        wa_verdict_init(&v);
        workshop_open(&w, "package: a\nversion: 1-2\n");
        check_ok(wa_build_package(w.source, w.out, &people.signer, &same, path, &err), &err, "one");
        verify_made(path, &people.coder, &v);
        write_file(&w.s.dir, after[i].file, after[i].text);
        check_ok(wa_build_package(w.source, w.out, &people.signer, &same, path, &err), &err, "two");
        assert_int_equal(wa_sign_package(path, &people.signer, &o, NULL, &err), after[i].code);
        workshop_close(&w);
    }
}

static void keeps_the_old_one_on_failure(void **state)
{
    struct workshop w;
    WA_AUTO_BUF struct wa_buf before;
    WA_AUTO_BUF struct wa_buf after;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 64];
    (void)state;
    workshop_open(&w, NULL);
    copy_vector("valid/base-simple.wapt", &w.s.dir, "out/p.wapt"); /* has a setup.py */
    (void)snprintf(path, sizeof path, "%s/p.wapt", w.out);
    assert_int_equal(wa_sign_package(path, &people.plain_signer, NULL, NULL, &err), WA_E_REFUSED);
    check_names(w.out, "other.txt;p.wapt;");
    read_vector("valid/base-simple.wapt", &before);
    read_file(&w.s.dir, "out/p.wapt", &after);
    assert_true(wa_sv_eq(wa_buf_sv(&before), wa_buf_sv(&after)));
    workshop_close(&w);
}

static void signs_sources_in_place(void **state)
{
    struct workshop w;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    WA_AUTO_VERDICT struct wa_verdict changed;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_verdict_init(&v);
    wa_verdict_init(&changed);
    workshop_open(&w, good_control);
    write_file(&w.s.dir, "source/setup.py", "def install():\n    pass\n");
    check_ok(wa_sign_tree(w.source, &people.signer, NULL, &err), &err, "sign");
    check_ok(wa_dir_open(w.source, &dir, &err), &err, w.source);
    check_ok(wa_trust_new(&anchors, &err), &err, "trust");
    check_ok(wa_trust_add(anchors, people.coder.items[0], &err), &err, "trust");
    check_ok(wa_verify_tree(&dir, anchors, (int64_t)time(NULL), &v, &err), &err, "verify");
    write_file(&w.s.dir, "source/setup.py", "def install():\n    return 1\n");
    assert_int_equal(wa_verify_tree(&dir, anchors, (int64_t)time(NULL), &changed, &err),
                     WA_E_REFUSED);
    workshop_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_as_wapt_does),
        cmocka_unit_test(increments_when_asked),
        cmocka_unit_test(builds_reproducibly),
        cmocka_unit_test(writes_a_second_digest),
        cmocka_unit_test(refuses_bad_sources),
        cmocka_unit_test(refuses_links),
        cmocka_unit_test(refuses_bad_signers),
        cmocka_unit_test(makes_packages_without_files),
        cmocka_unit_test(signs_anew),
        cmocka_unit_test(names_follow),
        cmocka_unit_test(never_over_another_package),
        cmocka_unit_test(drops_the_code),
        cmocka_unit_test(only_what_was_checked),
        cmocka_unit_test(keeps_the_old_one_on_failure),
        cmocka_unit_test(signs_sources_in_place),
    };
    return cmocka_run_group_tests(tests, make_people, drop_people);
}
