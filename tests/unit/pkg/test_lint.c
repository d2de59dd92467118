/* lint: which rules a control and a directory of files break, and at which line; what another
 * process says is taken only in its form. The rules about setup.py's code are tested with the
 * program (tests/unit/cmd).
 */
#include "packages.h"

#include "base/text.h"
#include "pkg/lint.h"
#include "torture.h"

#define GOOD                                                                                       \
    "package: org-a\nversion: 1.0-1\narchitecture: all\nsection: base\npriority: optional\n"       \
    "description: An example\n"

/* "warning description 3;error version 2;" of what was found. */
static void write_findings(const struct wa_findings *f, struct wa_buf *out)
{
    wa_buf_init(out, 1u << 16);
    for (size_t i = 0; i < f->n; i++)
        wa_buf_addf(out, "%s %s %u;", wa_lint_level_name(f->items[i].level), f->items[i].rule,
                    f->items[i].line);
}

static const struct {
    const char *control, *found;
} controls[] = {
    {GOOD, ""},
    {GOOD "depends: org-b(>=1.2), org-c\nconflicts: org-d\nlocale: fr,all\ntarget_os: windows\n"
          "valid_from: 2026-01-01\nvalid_until: 2999-01-01T00:00:00\naudit_schedule: 2h\n"
          "installed_size: 12\nchangelog: first\n second: line\nsignature: x\n",
     ""},
    {"\xef\xbb\xbf" GOOD, "error control-bom 1;"},
    {GOOD "name: \xff\n", "error control-encoding 0;"},
    {"no colon\n", "error control-syntax 0;"},
    {GOOD "package: org-b\n", "error control-syntax 0;"},
    {GOOD "\nhidden: behind a blank line\n", "warning unknown-field 8;error control-syntax 0;"},
    {GOOD "name: x\r\n", "warning control-crlf 0;"},
    {GOOD "Descripton: slip\n", "warning unknown-field 7;"},
    {GOOD "filename: of an index\n", "warning unknown-field 7;"},
    {"version: 1\narchitecture: all\nsection: base\npriority: optional\ndescription: x\n",
     "error control-syntax 0;"},
    {"package: org-a\n", "warning field-missing 0;warning field-missing 0;warning field-missing "
                         "0;warning field-missing 0;warning description 0;"},
    {"package: \xc3\xa9-a\nversion: 1\narchitecture: all\nsection: base\npriority: x\n"
     "description: x\n",
     "warning package-name 1;"},
    {"description: x\npackage: plain\nversion: 1\narchitecture: all\nsection: base\npriority: x\n",
     "warning name-prefix 2;"},
    {"package: ABCD-12\nversion: 1\narchitecture: all\nsection: host\npriority: x\n"
     "description: x\n",
     ""},
    {"package: org-a\nversion: v1\narchitecture: arm64\nsection: bse\npriority: x\n"
     "description: x\n",
     "error version 2;error architecture 3;warning section 4;"},
    {GOOD "target_os: windos, linux\nlocale: french\n", "warning target-os 7;warning locale 8;"},
    {GOOD "valid_from: tomorrow\nforced_install_on: 31/12/2026\n",
     "warning date 7;warning date 8;"},
    {GOOD "valid_until: 2026-01-01\n", "warning expired 7;"},
    {GOOD "valid_from: 2998-01-01\nvalid_until: 2997-01-01\n", "warning expired 8;"},
    {GOOD "audit_schedule: daily\ninstalled_size: 12 MB\n",
     "warning audit-schedule 7;warning installed-size 8;"},
    {GOOD "maintenance_windows: night\nfreeze_periods: winter\npackages_held: a until soon\n",
     "error maintenance-windows 7;error freeze-periods 8;error packages-held 9;warning "
     "policy-section 7;"},
    {"package: org-a\nversion: 1\narchitecture: all\nsection: group\npriority: x\ndescription: x\n"
     "maintenance_windows: mon-fri 22:00-05:00\npackages_held: a until 2999-12-31, "
     "b(>=2)\nfreeze_periods: 2999-12-24\n",
     ""},
    {GOOD "depends: a(>=\nconflicts: b(\n", "error requirement 7;error requirement 8;"},
    {GOOD "depends: org-a(>=1)\nconflicts: org-a\n", "error needs-itself 7;error needs-itself 8;"},
    {GOOD "depends: org-b(>=2), org-c\nconflicts: org-b\n", "error depends-conflicts 8;"},
    {GOOD "depends: org-b(>=2)\nconflicts: org-b(<2)\n", "warning depends-conflicts 8;"},
};

static void finds_mistakes_in_controls(void **state)
{
    (void)state;
    for (size_t i = 0; i < WA_COUNT(controls); i++) {
        WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
        WA_AUTO_BUF struct wa_buf found;
        struct wa_err err = WA_ERR_INIT;
        char section[WA_NAME_MAX + 1] = "untouched";
        check_ok(wa_lint_control(wa_sv(controls[i].control), vectors_date(), &f, section, &err),
                 &err, controls[i].control);
        write_findings(&f, &found);
        if (strcmp(wa_buf_str(&found), controls[i].found) != 0)
            fail_msg("%s\ngot    %s\nwanted %s", controls[i].control, wa_buf_str(&found),
                     controls[i].found);
        assert_string_not_equal(section, "untouched");
    }
}

static void ignores_what_it_is_told_to(void **state)
{
    static const char *const ignored[] = {"version", "description", NULL};
    WA_AUTO_FINDINGS struct wa_findings f = {.ignored = ignored};
    struct wa_err err = WA_ERR_INIT;
    char section[WA_NAME_MAX + 1];
    (void)state;
    check_ok(wa_lint_control(WA_SV("package: org-a\nversion: x\narchitecture: all\nsection: base\n"
                                   "priority: x\n"),
                             vectors_date(), &f, section, &err),
             &err, "control");
    assert_int_equal(f.n, 0);
    assert_string_equal(section, "base");
}

struct sources {
    char path[WA_PATH_MAX + 16];
    struct wa_buf found;
};

static enum wa_code lint_sources(void *arg, struct wa_err *err)
{
    static const char *const excludes[] = {"*.bak", NULL};
    const struct wa_build_options o = {.excludes = excludes};
    struct sources *s = arg;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
    if (wa_dir_open(s->path, &dir, err) != WA_OK ||
        wa_lint_tree(&dir, &o, vectors_date(), &f, err) != WA_OK)
        return err->code;
    wa_torture_pause();
    wa_buf_fini(&s->found);
    write_findings(&f, &s->found);
    wa_torture_resume();
    return WA_OK;
}

static void finds_mistakes_in_files(void **state)
{
    struct sources sources;
    struct scratch s;
    (void)state;
    scratch_make(&s);
    wa_buf_init(&sources.found, 1);
    (void)snprintf(sources.path, sizeof sources.path, "%s/source", s.path);
    write_file(&s.dir, "source/WAPT/control", GOOD);
    write_file(&s.dir, "source/setup.pyc", "left out");
    write_file(&s.dir, "source/sub/old.bak", "left out");
    write_file(&s.dir, "source/sub/\xc3\xa9t\xc3\xa9.txt", "x");
    write_file(&s.dir, "source/server.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    write_file(&s.dir, "source/ca.pem", "-----BEGIN CERTIFICATE-----\n");
    write_file(&s.dir, "source/store.pfx", "any");
    assert_true(wa_torture(lint_sources, &sources) > 20);
    assert_string_equal(wa_buf_str(&sources.found),
                        "warning private-key 0;note left-out 0;warning private-key 0;note left-out "
                        "0;warning file-name 0;warning setup-missing 0;note icon 0;");
    wa_buf_fini(&sources.found);
    scratch_drop(&s);
}

static void without_a_control(void **state)
{
    WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
    struct scratch s;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    scratch_make(&s);
    check_ok(wa_lint_tree(&s.dir, NULL, vectors_date(), &f, &err), &err, "lint");
    assert_int_equal(f.n, 1);
    assert_string_equal(f.items[0].rule, "control-missing");
    scratch_drop(&s);
}

static void a_link(void **state)
{
    WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
    struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    char link[WA_PATH_MAX + 16];
    (void)snprintf(link, sizeof link, "%s/link", (const char *)*state);
    wa_test_symlink(link);
    check_ok(wa_dir_open(*state, &dir, &err), &err, "directory");
    check_ok(wa_lint_tree(&dir, NULL, vectors_date(), &f, &err), &err, "lint");
    wa_dir_close(&dir);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.items[1].rule, "unsafe-name");
}

/* The process that reads setup.py is not believed. */
static void takes_only_lines_of_its_form(void **state)
{
    static const char text[] =
        "3\twarning\tasks\t%s() waits\tinput\n"
        "no tabs\n"
        "-1\terror\tx\ty\n"
        "9999999999\terror\tx\ty\n"
        "x\terror\tx\ty\n"
        "1\tfatal\tx\ty\n"
        "1\terror\t"
        "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
        "\ty\n"
        "1\terror\tx\t\xff\n"
        "0\terror\tsetup-syntax\tis no %n Python %s%s%\t3%s\n";
    WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
    WA_AUTO_BUF struct wa_buf found;
    WA_AUTO_BUF struct wa_buf many;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    check_ok(wa_lint_take(wa_sv(text), &f, &err), &err, "take");
    write_findings(&f, &found);
    assert_string_equal(wa_buf_str(&found), "warning asks 3;error setup-syntax 0;");
    assert_string_equal(f.items[0].text, "input() waits");
    assert_string_equal(f.items[1].text, "is no %n Python 3%s%");
    wa_buf_init(&many, 1u << 20);
    for (size_t i = 0; i < 2 * WA_LINT_FINDINGS_MAX; i++)
        wa_buf_adds(&many, "1\tnote\tx\ty\n");
    check_ok(wa_lint_take(wa_buf_sv(&many), &f, &err), &err, "take");
    assert_int_equal(f.n, WA_LINT_FINDINGS_MAX);
}

/* A text of ours has its translation, and in it what the other process put in its places. */
static void speaks_the_language_of_who_reads(void **state)
{
    static const char text[] =
        "7\terror\thook-arguments\t%s() is async: nobody waits for it\taudit\n"
        "1\terror\tx\tsomething that nobody translates: %s\ty\n";
    WA_AUTO_FINDINGS struct wa_findings f = {.n = 0};
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    (void)wa_text_speak(wa_text_find(WA_SV("fr")));
    enum wa_code code = wa_lint_take(wa_sv(text), &f, &err);
    (void)wa_text_speak(NULL);
    check_ok(code, &err, "take");
    assert_string_equal(f.items[0].text, "audit() est async : personne ne l'attend");
    assert_string_equal(f.items[1].text, "something that nobody translates: y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_mistakes_in_controls),
        cmocka_unit_test(ignores_what_it_is_told_to),
        cmocka_unit_test(finds_mistakes_in_files),
        cmocka_unit_test(without_a_control),
        cmocka_unit_test_setup_teardown(a_link, wa_test_tmpdir_setup, wa_test_tmpdir_teardown),
        cmocka_unit_test(takes_only_lines_of_its_form),
        cmocka_unit_test(speaks_the_language_of_who_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
