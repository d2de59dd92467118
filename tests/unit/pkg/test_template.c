/* Sources of new packages, from what tools tell of installers; and from what hostile ones tell. */
#include "support.h"

#include "pkg/template.h"
#include "torture.h"

static const struct wa_template_options options = {"tis", NULL, "Me", "DEV"};

static struct wa_installer made_of(enum wa_installer_kind kind, const char *file, const char *text)
{
    struct wa_installer inst = {.kind = kind};
    (void)snprintf(inst.file, sizeof inst.file, "%s", file);
    wa_installer_read(&inst, wa_sv(text));
    wa_installer_guess(&inst);
    return inst;
}

static void names_and_versions(void **state)
{
    static const char *const names[][2] = {
        {"Mozilla Firefox 115.0 (x64 de)", "tis-mozilla-firefox"},
        {"Notepad++", "tis-notepadpp"},
        {"7-Zip 23.01 x64", "tis-7-zip"},
        {"tis-own", "tis-own"},
        {"A__B  C.exe", "tis-a-b-c-exe"},
        {"(x86)", "tis-x86"},
        {"1.2.3", "tis-1-2-3"},
        {"\xE6\xBC\xA2", "tis-package"},
    };
    static const char *const versions[][2] = {
        {"1.2.3", "1.2.3-1"},
        {"1:2.3.4~rc1-5+deb12u1", "2.3.4-1"},
        {"v4", "4-1"},
        {"1.2.3.4.5", "1.2.3.4-1"},
        {"", "0-1"},
        {"none", "0-1"},
        {"1..2", "1-1"},
        {"1.99999999999999999999", "1-1"},
        {"2024-01-02", "2024-1"},
        {"99999999999999999999", "0-1"},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 1024);
        wa_template_name("tis", wa_sv(names[i][0]), &out);
        assert_string_equal(wa_buf_str(&out), names[i][1]);
    }
    for (size_t i = 0; i < WA_COUNT(versions); i++) {
        char out[WA_VERSION_TEXT_MAX];
        wa_template_version(wa_sv(versions[i][0]), out);
        assert_string_equal(out, versions[i][1]);
    }
}

static void kinds(void **state)
{
    static char image[1025] = "koly"; /* its end says what it is */
    memcpy(image + 512, "koly", 4);
    static const struct {
        const char *head;
        size_t n;
        int kind;
    } heads[] = {{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 ", 9, WA_INSTALLER_MSI},
                 {"MZ\x90", 3, WA_INSTALLER_EXE},
                 {"MSCF", 4, WA_INSTALLER_MSU},
                 {"!<arch>\ndebian-binary ", 22, WA_INSTALLER_DEB},
                 {"\xED\xAB\xEE\xDB\x03", 5, WA_INSTALLER_RPM},
                 {"PK\x03\x04", 4, WA_INSTALLER_MSIX},
                 {"xar!", 4, WA_INSTALLER_PKG},
                 {image, sizeof image - 1, WA_INSTALLER_DMG},
                 {image, 4, -1},
                 {"!<arch>\nx", 9, -1},
                 {"M", 1, -1},
                 {"", 0, -1}};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(heads); i++) {
        struct wa_err err = WA_ERR_INIT;
        enum wa_installer_kind kind = WA_INSTALLER_NONE;
        struct wa_mem_source file;
        wa_mem_source_init(&file, heads[i].head, heads[i].n);
        enum wa_code code = wa_installer_kind_of(&file.base, &kind, &err);
        assert_int_equal(code, heads[i].kind < 0 ? WA_E_INVALID : WA_OK);
        if (heads[i].kind >= 0)
            assert_int_equal(kind, heads[i].kind);
    }
}

static void guesses_by_the_file(void **state)
{
    static const struct {
        const char *file, *name, *version;
    } files[] = {{"Foo-Setup-v1.2.exe", "Foo-Setup", "1.2"},
                 {"foo.exe", "foo", ""},
                 {"1.2.exe", "1.2", "1.2"},
                 {".exe", ".exe", ""},
                 {"foo_2024.1.0_x64.exe", "foo", "2024.1.0"}};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(files); i++) {
        struct wa_installer inst = made_of(WA_INSTALLER_EXE, files[i].file, "");
        assert_string_equal(inst.fact[WA_FACT_NAME], files[i].name);
        assert_string_equal(inst.fact[WA_FACT_VERSION], files[i].version);
    }
    struct wa_installer folder = made_of(WA_INSTALLER_DIR, "portable", "");
    assert_string_equal(folder.fact[WA_FACT_NAME], "portable");
    folder = made_of(WA_INSTALLER_DIR, "tool.d-1.2", "");
    assert_string_equal(folder.fact[WA_FACT_NAME], "tool.d");
}

static void facts_are_one_line(void **state)
{
    struct wa_installer inst = {.kind = WA_INSTALLER_EXE};
    char text[3 * WA_FACT_BYTES_MAX];
    (void)state;
    wa_installer_set(&inst, WA_FACT_NAME,
                     WA_SV(" a\r\nb\tc\xC2\x85"
                           "d\xE2\x80\xA8"
                           "e\xE2\x80\xAE"
                           "f\0g\xFF\x1C ")); /* NEL, line separator, override, NUL, no UTF-8 */
    assert_string_equal(inst.fact[WA_FACT_NAME], "a b cdef g?");
    memset(text, '\xC3', sizeof text);
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '\xA9'; /* so many e acute: cut where one ends */
    wa_installer_set(&inst, WA_FACT_NAME, wa_sv_n(text, sizeof text - 1));
    assert_int_equal(strlen(inst.fact[WA_FACT_NAME]), WA_FACT_BYTES_MAX - 1);
}

/* The text between the first two quotes is one literal, and what follows is ours. */
static void holds_nothing_but(const char *setup, const char *line, const char *rest)
{
    const char *p = strstr(setup, line);
    assert_non_null(p);
    for (p += strlen(line); *p != '\''; p++) {
        assert_true(*p != '\0' && *p != '\n');
        p += *p == '\\';
    }
    assert_true(strncmp(p, rest, strlen(rest)) == 0);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void hostile_text_stays_text(void **state)
{
    static const char bad[] =
        "ProductName\tA'; import os; os.system('x') #\\\r\rdef install(): evil()\n"
        "ProductVersion\t1\rdepends: evil\n"
        "Manufacturer\tM\xE2\x80\xA8"
        "depends: evil\n"
        "ARPURLINFOABOUT\tjavascript:alert(1)\n"
        "ProductCode\t'] + [__import__('os').system('x')] + ['\\\n";
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf setup;
    WA_AUTO_BUF struct wa_buf plain;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_installer inst = made_of(WA_INSTALLER_MSI, "it's\\.msi", bad);
    struct wa_installer good = made_of(WA_INSTALLER_MSI, "a.msi", "ProductCode\tk\n");
    (void)state;
    wa_control_init(&c);
    wa_buf_init(&setup, 1u << 20);
    wa_buf_init(&plain, 1u << 20);
    wa_buf_init(&text, 1u << 20);
    check_ok(wa_template_control(&inst, &options, &c, &err), &err, "control");
    check_ok(wa_template_setup(&inst, &setup, &err), &err, "setup.py");
    check_ok(wa_template_setup(&good, &plain, &err), &err, "setup.py");
    check_ok(wa_control_write(&c, false, &text, &err), &err, "control as text");
    assert_string_equal(wa_control_get(&c, WA_A_DEPENDS), "");
    assert_string_equal(wa_control_get(&c, WA_A_HOMEPAGE), "");
    assert_string_equal(wa_control_get(&c, WA_A_VERSION), "1-1");
    assert_int_equal(count_lines(wa_buf_str(&setup)), count_lines(wa_buf_str(&plain)));
    holds_nothing_but(wa_buf_str(&setup), "uninstallkey = ['", "']  # the product code");
    holds_nothing_but(wa_buf_str(&setup), "MSI = '", "'\n");
    assert_non_null(strstr(wa_buf_str(&setup), "MSI = 'it\\'s\\\\.msi'\n"));
    assert_null(strstr(wa_buf_str(&text), "\ndepends: evil"));
}

static void system_names_are_names(void **state)
{
    static const char *const bad[] = {"Package: --force-all\n", "Package: a b\n", "Package: a;b\n",
                                      ""};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_installer inst = {.kind = WA_INSTALLER_DEB, .file = "a.deb"};
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        wa_control_init(&c);
        wa_installer_read(&inst, wa_sv(bad[i]));
        assert_int_equal(wa_template_control(&inst, &options, &c, &err), WA_E_INVALID);
    }
}

static void packages_without_files(void **state)
{
    static const struct {
        const char *section, *name, *package; /* NULL: refused */
    } cases[] = {{"group", "tis-office", "tis-office"},
                 {"group", "a b", NULL},
                 {"group", "", NULL},
                 {"group", "../x", NULL},
                 {"group", "-x", NULL},
                 {"host", "4C4C4544-0042", "4C4C4544-0042"},
                 {"unit", "OU=\xC3\x89t\xC3\xA0ge 2,DC=b", "OU=\xC3\x89t\xC3\xA0ge~2_DC=b"},
                 {"profile", "Domain Computers", "Domain~Computers"}};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        wa_control_init(&c);
        enum wa_code code =
            wa_template_meta(cases[i].section, cases[i].name, " a, b(>=1) ,,", &options, &c, &err);
        assert_int_equal(code, cases[i].package == NULL ? WA_E_INVALID : WA_OK);
        if (code != WA_OK)
            continue;
        assert_string_equal(wa_control_get(&c, WA_A_PACKAGE), cases[i].package);
        assert_string_equal(wa_control_get(&c, WA_A_SECTION), cases[i].section);
        assert_string_equal(wa_control_get(&c, WA_A_DEPENDS), "a,b(>=1)");
    }
}

static void count_check(void *user, const char *text)
{
    *(size_t *)user += text[0] != '\0';
}

static enum wa_code all_kinds(void *arg, struct wa_err *err)
{
    (void)arg;
    for (int kind = 0; kind < WA_INSTALLER_KINDS; kind++) {
        struct wa_installer inst =
            made_of((enum wa_installer_kind)kind, "f.x", "Package: n\nVersion: 1.2\nMaker\tnsis\n");
        WA_AUTO_CONTROL struct wa_control c;
        WA_AUTO_BUF struct wa_buf setup;
        size_t checks = 0;
        wa_control_init(&c);
        wa_buf_init(&setup, 1u << 20);
        if (wa_template_control(&inst, &options, &c, err) != WA_OK ||
            wa_template_setup(&inst, &setup, err) != WA_OK)
            return err->code;
        wa_template_checks(&inst, &c, false, count_check, &checks);
        assert_true(checks > 0);
        assert_non_null(strstr(wa_buf_str(&setup), "\ndef install():\n"));
    }
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    return wa_template_meta("unit", "OU=a,DC=b", "x,y", &options, &c, err);
}

static void memory_runs_out(void **state)
{
    (void)state;
    wa_torture(all_kinds, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_versions),      cmocka_unit_test(kinds),
        cmocka_unit_test(guesses_by_the_file),     cmocka_unit_test(facts_are_one_line),
        cmocka_unit_test(hostile_text_stays_text), cmocka_unit_test(system_names_are_names),
        cmocka_unit_test(packages_without_files),  cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
