/* The installed software, out of dpkg's status file: what is installed, and only that. */
#include "support.h"

#include "os/linux/software_priv.h"

static const char status[] = "Package: zlib1g\n"
                             "Status: install ok installed\n"
                             "Priority: required\n"
                             "Installed-Size: 168\n"
                             "Maintainer: Mark Brown <broonie@debian.org>\n"
                             "Architecture: amd64\n"
                             "Version: 1:1.2.13.dfsg-1\n"
                             "Description: compression library - runtime\n"
                             " zlib is a library\n"
                             " Version: 9.9 of the long text is not a field\n"
                             "Conffiles:\n"
                             " /etc/x 0123456789abcdef\n"
                             "\n"
                             "Package: gone\n"
                             "Status: deinstall ok config-files\n"
                             "Version: 1\n"
                             "\n"
                             "Package: half\n"
                             "Status: install reinstreq half-installed\n"
                             "Version: 1\n"
                             "\n"
                             "\n"
                             "package: LOWER\n"
                             "STATUS: hold ok installed\n"
                             "version: 2\n"
                             "Installed-Size: many\n"
                             "\n"
                             "Status: install ok installed\n"
                             "Version: 3\n"
                             "\n"
                             "Package: no-version\n"
                             "Status: install ok installed\n"
                             "\n"
                             "Package: odd\x1b[2J\n"
                             "Status:  install\tok  installed \n"
                             "Version: \xff\n"
                             "Description:";

static const char expected[] = "zlib1g|1:1.2.13.dfsg-1|amd64|Mark Brown <broonie@debian.org>|"
                               "compression library - runtime|172032\n"
                               "LOWER|2||||0\n"
                               "odd?[2J|?||||0\n";

static enum wa_code tell(void *user, const struct wa_software *s, struct wa_err *err)
{
    WA_UNUSED(err);
    wa_buf_addf(user, "%s|%s|%s|%s|%s|%llu\n", s->name, s->version, s->architecture, s->publisher,
                s->description, (unsigned long long)s->size_bytes);
    return WA_OK;
}

static void test_only_what_is_installed(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 16];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 16);
    put_file(r, "status", status);
    (void)snprintf(path, sizeof path, "%s/status", r->path);
    assert_ok(wa_software_list_file(path, tell, &out, &err));
    assert_string_equal(wa_buf_str(&out), expected);
    (void)snprintf(path, sizeof path, "%s/none", r->path);
    assert_ok(wa_software_list_file(path, tell, &out, &err)); /* no dpkg: an empty list */
    assert_string_equal(wa_buf_str(&out), expected);
    assert_int_not_equal(wa_software_list_file(r->path, tell, &out, &err), WA_OK);
}

/* Wherever the pieces of the file are cut. */
static void test_any_cut_gives_the_same(void **state)
{
    WA_UNUSED(state);
    for (size_t piece = 1; piece < sizeof status; piece++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_dpkg d;
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 1u << 16);
        wa_dpkg_init(&d, tell, &out);
        for (size_t at = 0; at < sizeof status - 1; at += piece) {
            size_t left = sizeof status - 1 - at;
            assert_ok(wa_dpkg_feed(&d, status + at, left < piece ? left : piece, &err));
        }
        assert_ok(wa_dpkg_end(&d, &err));
        assert_string_equal(wa_buf_str(&out), expected);
        wa_dpkg_fini(&d);
    }
}

static void test_a_paragraph_without_end_is_refused(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_dpkg d;
    enum wa_code code = WA_OK;
    WA_UNUSED(state);
    wa_dpkg_init(&d, tell, NULL);
    for (size_t i = 0; code == WA_OK && i < 2 * WA_DPKG_PARAGRAPH_MAX; i += 16)
        code = wa_dpkg_feed(&d, "Field: a value \n", 16, &err);
    assert_int_equal(code, WA_E_LIMIT);
    wa_dpkg_fini(&d);
}

static enum wa_code stop(void *user, const struct wa_software *s, struct wa_err *err)
{
    WA_UNUSED(s);
    ++*(int *)user;
    return wa_fail(err, WA_E_CANCELLED, "enough");
}

static void test_the_callers_failure_ends_it(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_dpkg d;
    int calls = 0;
    WA_UNUSED(state);
    wa_dpkg_init(&d, stop, &calls);
    assert_code(wa_dpkg_feed(&d, status, sizeof status - 1, &err), WA_E_CANCELLED);
    assert_int_equal(calls, 1);
    wa_dpkg_fini(&d);
}

static enum wa_code count(void *user, const struct wa_software *s, struct wa_err *err)
{
    WA_UNUSED(err);
    assert_true(s->name[0] != '\0' && s->version[0] != '\0');
    ++*(size_t *)user;
    return WA_OK;
}

static void test_this_machine(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    WA_UNUSED(state);
    assert_ok(wa_software_list(count, &n, &err));
    if (access("/var/lib/dpkg/status", F_OK) != 0)
        skip();
    assert_true(n > 0);
    assert_true(wa_software_changed() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_what_is_installed, room_setup, room_teardown),
        cmocka_unit_test(test_any_cut_gives_the_same),
        cmocka_unit_test(test_a_paragraph_without_end_is_refused),
        cmocka_unit_test(test_the_callers_failure_ends_it),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests_name("os/software", tests, NULL, NULL);
}
