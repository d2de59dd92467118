/* Apps of Windows and a package of macOS, from the seeds of the fuzz target: what they tell, and
 * what is left when memory runs out. What is refused is in tests/proc/test_packager.py. */
#include "support.h"

#include "pkg/appx.h"
#include "pkg/macpkg.h"
#include "torture.h"

struct seed {
    struct wa_buf bytes;
    struct wa_mem_source file;
};

/* After the first line, which is the target's own. */
static void seed_init(struct seed *s, const char *name)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    size_t at = 0;
    (void)snprintf(path, sizeof path, "%s/%s", WA_SEEDS, name);
    wa_buf_init(&s->bytes, 1u << 20);
    check_ok(wa_path_read(path, 1u << 20, &s->bytes, &err), &err, path);
    assert_true(wa_sv_chr(wa_buf_sv(&s->bytes), '\n', &at));
    wa_mem_source_init(&s->file, s->bytes.p + at + 1, s->bytes.n - at - 1);
}

static enum wa_code read_both(void *arg, struct wa_err *err)
{
    struct seed *s = arg;
    WA_AUTO_BUF struct wa_buf told;
    WA_AUTO_BUF struct wa_buf icon;
    wa_buf_init(&told, WA_TOOL_OUTPUT_MAX);
    wa_buf_init(&icon, WA_ICON_BYTES_MAX);
    if (wa_appx_tell(&s->file.base, &told, err) != WA_OK ||
        wa_appx_icon(&s->file.base, &icon, err) != WA_OK)
        return err->code;
    assert_true(icon.n > 33 && told.n > 0);
    return WA_OK;
}

static enum wa_code read_pkg(void *arg, struct wa_err *err)
{
    struct seed *s = arg;
    WA_AUTO_BUF struct wa_buf told;
    wa_buf_init(&told, WA_TOOL_OUTPUT_MAX);
    if (wa_macpkg_tell(&s->file.base, &told, err) != WA_OK)
        return err->code;
    assert_string_equal(wa_buf_str(&told), "Identity\tcom.acme.view\nVersion\t2.5.1\n");
    return WA_OK;
}

static void memory_runs_out(void **state)
{
    static const char *const names[] = {"msix", "msixbundle"};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct seed s;
        seed_init(&s, names[i]);
        wa_torture(read_both, &s);
        wa_buf_fini(&s.bytes);
    }
    struct seed pkg;
    seed_init(&pkg, "pkg");
    wa_torture(read_pkg, &pkg);
    wa_buf_fini(&pkg.bytes);
}

static void what_is_told(void **state)
{
    static const struct {
        const char *seed, *told;
    } of[] = {
        {"msix", "Name\tAcme Draw\nIdentity\tAcme.Draw\nVersion\t5.6.7.0\nPublisher\tAcme GmbH\n"
                 "Description\tDraws & paints\nArchitecture\tx64\n"},
        {"msixbundle", "Name\tAcme Draw\nIdentity\tAcme.Draw\nVersion\t2024.1.2.0\nPublisher\tAcme "
                       "GmbH\nDescription\tDraws & paints\nArchitecture\tx64\n"},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(of); i++) {
        WA_AUTO_BUF struct wa_buf told;
        struct wa_err err = WA_ERR_INIT;
        struct seed s;
        wa_buf_init(&told, WA_TOOL_OUTPUT_MAX);
        seed_init(&s, of[i].seed);
        check_ok(wa_appx_tell(&s.file.base, &told, &err), &err, of[i].seed);
        assert_string_equal(wa_buf_str(&told), of[i].told);
        wa_buf_fini(&s.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
