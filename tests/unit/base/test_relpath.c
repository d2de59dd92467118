/* The gate for paths from outside: what passes, what does not and why, and which two names are one
 * file somewhere. */
#include "testlib.h"

#include "base/relpath.h"
#include "base/utf8.h"

static void test_accepts(void **state)
{
    WA_UNUSED(state);
    static const char *const good[] = {
        "a",
        "WAPT/control",
        "a/b/c.txt",
        ".hidden/..two/...three",
        "a..b/c...d",
        " leading blank",
        "with blank.txt",
        "caf\xc3\xa9/\xe4\xb8\xad\xe6\x96\x87.txt",
        "\xf0\x9f\x98\x80",
        "console.exe",
        "con-file",
        "common",
        "com",
        "com10",
        "lpt",
        "nul_",
        "xcon",
        "a'b;c&d$e(f)[g]{h}!~`#%^=+,@",
        "-rf",
        "setup.py",
    };
    for (size_t i = 0; i < WA_COUNT(good); i++) {
        struct wa_relpath path;
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_OK(wa_relpath_parse(wa_sv(good[i]), &path, &err));
        assert_string_equal(path.p, good[i]);
        assert_int_equal(path.n, strlen(good[i]));
    }
}

#define ROW(text, reason)                                                                          \
    {                                                                                              \
        WA_SV_INIT(text), reason                                                                   \
    }
static const struct {
    struct wa_sv text;
    const char *reason;
} refused[] = {
    ROW("", "empty"),
    /* traversal and absolute */
    ROW("..", "'..'"),
    ROW(".", "'..'"),
    ROW("../a", "'..'"),
    ROW("a/../b", "'..'"),
    ROW("a/..", "'..'"),
    ROW("./a", "'..'"),
    ROW("a/./b", "'..'"),
    ROW("/", "absolute"),
    ROW("/etc/passwd", "absolute"),
    ROW("//host/share", "absolute"),
    ROW("a//b", "empty part"),
    ROW("a/", "empty part"),
    /* backslash and drive */
    ROW("a\\b", "backslash"),
    ROW("..\\a", "backslash"),
    ROW("\\\\host\\share", "backslash"),
    ROW("C:", "one of"),
    ROW("C:a", "one of"),
    ROW("c:/windows", "one of"),
    ROW("file.txt:stream", "one of"),
    ROW("a/b::$DATA", "one of"),
    ROW("a*", "one of"),
    ROW("a?", "one of"),
    ROW("a|b", "one of"),
    ROW("a<b", "one of"),
    ROW("a>b", "one of"),
    ROW("a\"b", "one of"),
    /* control characters */
    ROW("\0", "control"),
    ROW("a\0b", "control"),
    ROW("WAPT/control\0.txt", "control"),
    ROW("a\nb", "control"),
    ROW("a\x1b[31m", "control"),
    ROW("a\x7f", "control"),
    ROW("a\xc2\x85", "control"),
    ROW("a\xc2\x9b", "control"),
    ROW("txt.\xe2\x80\xae"
        "exe",
        "invisible"),
    ROW("a\xe2\x80\x8b", "invisible"),
    ROW("\xef\xbb\xbf"
        "a",
        "invisible"),
    ROW("a\xe2\x80\xa8", "invisible"),
    /* devices of Windows */
    ROW("CON", "device"),
    ROW("con", "device"),
    ROW("a/NUL", "device"),
    ROW("NUL/a", "device"),
    ROW("nul.txt", "device"),
    ROW("NuL.tar.gz", "device"),
    ROW("con .txt", "device"),
    ROW("aux", "device"),
    ROW("PRN.log", "device"),
    ROW("COM1", "device"),
    ROW("com0", "device"),
    ROW("lpt9.x", "device"),
    ROW("COM\xc2\xb9", "device"),
    ROW("lpt\xc2\xb3.txt", "device"),
    ROW("CONIN$", "device"),
    ROW("conout$", "device"),
    /* what Windows drops from the end of a name */
    ROW("a.", "dot or a blank"),
    ROW("a ", "dot or a blank"),
    ROW("...", "dot or a blank"),
    ROW("a./b", "dot or a blank"),
    ROW("a /b", "dot or a blank"),
    ROW(" ", "dot or a blank"),
    /* not UTF-8 */
    ROW("\xff", "UTF-8"),
    ROW("a/\xc0\xae\xc0\xae/b", "UTF-8"),
    ROW("caf\xe9", "UTF-8"),
    ROW("\xed\xa0\x80", "UTF-8"),
    ROW("a\xe2\x82", "UTF-8"),
};

static void assert_refused(struct wa_sv text, const char *reason)
{
    struct wa_relpath path, untouched;
    struct wa_err err = WA_ERR_INIT;
    memset(&path, 0x77, sizeof path);
    untouched = path;
    if (wa_relpath_parse(text, &path, &err) != WA_E_INVALID || err.code != WA_E_INVALID)
        fail_msg("'%.*s' is not refused (%s)", WA_SV_ARG(text), reason);
    if (strstr(err.text, reason) == NULL)
        fail_msg("'%.*s' is refused, but not for '%s': %s", WA_SV_ARG(text), reason, err.text);
    assert_true(wa_utf8_valid(wa_sv(err.text)));
    assert_memory_equal(&path, &untouched, sizeof path);
}

static void test_refuses(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(refused); i++) {
        assert_refused(refused[i].text, refused[i].reason);
        /* Deeper down it is no better, but for what is only wrong at the start. */
        WA_AUTO_BUF struct wa_buf deeper;
        wa_buf_init(&deeper, 1000);
        wa_buf_adds(&deeper, "dir/");
        wa_buf_addsv(&deeper, refused[i].text);
        bool is_start = refused[i].text.n == 0 || refused[i].text.p[0] == '/';
        assert_refused(wa_buf_sv(&deeper), is_start ? "empty part" : refused[i].reason);
    }
    assert_refused(wa_sv(NULL), "empty");
}

/* Parts of 200 bytes, n in all. */
static struct wa_sv long_path(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = i % 201 == 200 && i + 1 < n ? '/' : 'a';
    return wa_sv_n(out, n);
}

static void test_limits(void **state)
{
    WA_UNUSED(state);
    char text[2 * WA_RELPATH_MAX + 2];
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_OK(wa_relpath_parse(long_path(text, WA_RELPATH_MAX), &path, &err));
    assert_int_equal(path.n, WA_RELPATH_MAX);
    assert_int_equal(path.p[WA_RELPATH_MAX], '\0');
    assert_refused(long_path(text, WA_RELPATH_MAX + 1), "too long");
    assert_refused(long_path(text, 2 * WA_RELPATH_MAX), "too long");

    memset(text, 'a', WA_NAME_MAX + 1);
    WA_ASSERT_OK(wa_relpath_parse(wa_sv_n(text, WA_NAME_MAX), &path, &err));
    assert_refused(wa_sv_n(text, WA_NAME_MAX + 1), "part is too long");

    for (size_t i = 0; i < WA_RELPATH_DEPTH_MAX + 1; i++)
        memcpy(text + 2 * i, "d/", 2);
    WA_ASSERT_OK(wa_relpath_parse(wa_sv_n(text, 2 * WA_RELPATH_DEPTH_MAX - 1), &path, &err));
    assert_refused(wa_sv_n(text, 2 * WA_RELPATH_DEPTH_MAX + 1), "too deep");
}

static void fold(const char *text, char out[WA_RELPATH_MAX + 1])
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_relpath_parse(wa_sv(text), &path, &err));
    wa_relpath_fold(&path, out);
}

static void test_fold(void **state)
{
    WA_UNUSED(state);
    static const char *const same[][2] = {
        {"WAPT/Control", "wapt/cONTROL"},
        {"\xc3\x89\x74\xc3\xa9", "\xc3\xa9T\xc3\x89"},            /* Ete with accents */
        {"\xc3\x9e", "\xc3\xbe"},                                 /* thorn */
        {"\xc5\xb8", "\xc3\xbf"},                                 /* Y, y with diaeresis */
        {"\xc4\xb9\xc5\x87\xc5\xbd", "\xc4\xba\xc5\x88\xc5\xbe"}, /* odd capitals */
        {"\xc4\x80\xc5\x8a\xc5\xb6", "\xc4\x81\xc5\x8b\xc5\xb7"}, /* even capitals */
        {"\xce\x86\xce\xa9\xce\x8f", "\xce\xac\xcf\x89\xcf\x8e"}, /* Greek */
        {"\xcf\x82", "\xce\xa3"},                                 /* both small sigmas */
        {"\xd0\x81\xd0\x90\xd0\xaf", "\xd1\x91\xd0\xb0\xd1\x8f"}, /* Cyrillic */
        {"\xd4\xb1", "\xd5\xa1"},                                 /* Armenian */
        {"\xe1\xba\xa0", "\xe1\xba\xa1"},                         /* Vietnamese */
        {"\xef\xbc\xa1", "\xef\xbd\x81"},                         /* full-width */
        {"\xc5\xbf", "S"},                                        /* the long s */
        {"\xe1\xba\x9e", "\xc3\x9f"},                             /* sharp s */
        {"\xe2\x84\xa6", "\xcf\x89"},                             /* ohm */
        {"\xe2\x84\xaa", "k"},                                    /* kelvin */
        {"\xe2\x84\xab", "\xc3\x85"},                             /* angstrom */
    };
    static const char *const differ[][2] = {
        {"a", "b"},
        {"\xc3\x97", "\xc3\xb7"}, /* the signs for times and divided: 0x20 apart, no letters */
        {"@", "`"},
        {"\xc3\x9f", "ss"},
        {"\xc4\xb1", "i"}, /* the dotless i */
        {"\xc4\xb0", "i"},
        {"\xc4\xb8", "\xc4\xb9"},
        {"\xc5\x88", "\xc5\x89"},
        {"\xe4\xb8\xad", "\xe4\xb8\xae"},
    };
    char a[WA_RELPATH_MAX + 1], b[WA_RELPATH_MAX + 1];
    for (size_t i = 0; i < WA_COUNT(same); i++) {
        fold(same[i][0], a);
        fold(same[i][1], b);
        assert_string_equal(a, b);
    }
    for (size_t i = 0; i < WA_COUNT(differ); i++) {
        fold(differ[i][0], a);
        fold(differ[i][1], b);
        assert_string_not_equal(a, b);
    }
}

/* For every character: the key is no longer than it, so that it fits, and folding twice changes
 * nothing. */
static void test_fold_of_everything(void **state)
{
    WA_UNUSED(state);
    for (uint32_t cp = 0x21; cp <= 0x10ffff; cp++) {
        struct wa_relpath path = {.n = 0}, again = {.n = 0};
        char key[WA_RELPATH_MAX + 1], key_again[WA_RELPATH_MAX + 1];
        if (cp == 0x20000)
            cp = 0x10ff00;
        path.n = wa_utf8_encode(cp, path.p);
        if (path.n == 0)
            continue;
        wa_relpath_fold(&path, key);
        again.n = strlen(key);
        assert_true(again.n <= path.n);
        memcpy(again.p, key, again.n);
        wa_relpath_fold(&again, key_again);
        assert_string_equal(key, key_again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_fold_of_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
