/* Errors: a code and a sentence that are safe to show, and the statuses that scripts and clients
 * rely on. */
#include "testlib.h"

#include <errno.h>

#include "base/utf8.h"

/* The interface of the command line and of HTTP: changing a row breaks somebody's script. */
static const struct {
    enum wa_code code;
    const char *name;
    int exit_status;
    int http;
} codes[] = {
    {WA_OK, "ok", 0, 200},
    {WA_E_FAILED, "failed", 1, 500},
    {WA_E_USAGE, "usage", 2, 400},
    {WA_E_PARTIAL, "partial", 3, 500},
    {WA_E_REFUSED, "refused", 4, 403},
    {WA_E_DENIED, "denied", 5, 403},
    {WA_E_AUTH, "auth", 6, 401},
    {WA_E_UNREACHABLE, "unreachable", 7, 503},
    {WA_E_TIMEOUT, "timeout", 8, 504},
    {WA_E_REBOOT, "reboot", 9, 200},
    {WA_E_INVALID, "invalid", 10, 400},
    {WA_E_CONFIG, "config", 11, 500},
    {WA_E_NOT_FOUND, "not_found", 12, 404},
    {WA_E_EXISTS, "exists", 13, 409},
    {WA_E_CONFLICT, "conflict", 14, 409},
    {WA_E_LIMIT, "limit", 15, 413},
    {WA_E_NO_SPACE, "no_space", 16, 507},
    {WA_E_IO, "io", 17, 500},
    {WA_E_NOMEM, "nomem", 18, 503},
    {WA_E_BUSY, "busy", 19, 429},
    {WA_E_CANCELLED, "cancelled", 20, 409},
    {WA_E_AGAIN, "again", 21, 503},
    {WA_E_INTERNAL, "internal", 70, 500},
};

static void test_codes(void **state)
{
    WA_UNUSED(state);
    bool seen[256] = {false};
    assert_int_equal(WA_COUNT(codes), WA_CODE_COUNT);
    for (size_t i = 0; i < WA_COUNT(codes); i++) {
        assert_int_equal(codes[i].code, i);
        assert_string_equal(wa_code_name(codes[i].code), codes[i].name);
        assert_int_equal(wa_code_from_name(wa_sv(codes[i].name)), codes[i].code);
        assert_int_equal(wa_code_http(codes[i].code), codes[i].http);
        int status = wa_code_exit(codes[i].code);
        assert_int_equal(status, codes[i].exit_status);
        assert_false(seen[status]); /* distinct */
        seen[status] = true;
    }
    assert_int_equal(wa_code_from_name(WA_SV("no such name")), WA_E_INTERNAL);
    assert_int_equal(wa_code_from_name(WA_SV("")), WA_E_INTERNAL);
    /* A number that is no code never looks like success. */
    assert_int_equal(wa_code_exit(WA_CODE_COUNT), 70);
    assert_int_equal(wa_code_http(WA_CODE_COUNT), 500);
    assert_string_equal(wa_code_name(WA_CODE_COUNT), "internal");
}

static void test_chain(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(wa_fail(&err, WA_E_UNREACHABLE, "connection %s", "refused"), WA_E_UNREACHABLE);
    assert_int_equal(wa_wrap(&err, "connecting"), WA_E_UNREACHABLE);
    assert_int_equal(wa_wrap(&err, "reading index '%s'", "x"), WA_E_UNREACHABLE);
    assert_string_equal(err.text, "reading index 'x': connecting: connection refused");
    assert_int_equal(err.code, WA_E_UNREACHABLE);
    /* The old text as an argument of the new one. */
    assert_int_equal(wa_fail(&err, WA_E_FAILED, "twice: %s, %s", err.text, err.text), WA_E_FAILED);
    assert_string_equal(err.text, "twice: reading index 'x': connecting: connection refused, "
                                  "reading index 'x': connecting: connection refused");
    wa_err_clear(&err);
    assert_int_equal(err.code, WA_OK);
    assert_string_equal(err.text, "");
    assert_int_equal(wa_nomem(&err), WA_E_NOMEM);
    assert_string_equal(err.text, "memory ran out");
}

static void test_errno(void **state)
{
    WA_UNUSED(state);
    static const struct {
        int errnum;
        enum wa_code code;
    } rows[] = {
        {ENOENT, WA_E_NOT_FOUND},
        {EACCES, WA_E_DENIED},
        {EPERM, WA_E_DENIED},
        {ENOSPC, WA_E_NO_SPACE},
#ifdef EDQUOT
        {EDQUOT, WA_E_NO_SPACE},
#endif
        {ENOMEM, WA_E_NOMEM},
        {EEXIST, WA_E_EXISTS},
        {ETIMEDOUT, WA_E_TIMEOUT},
        {EIO, WA_E_IO},
        {ECONNREFUSED, WA_E_UNREACHABLE},
        {EHOSTUNREACH, WA_E_UNREACHABLE},
        {ENETUNREACH, WA_E_UNREACHABLE},
        {EINVAL, WA_E_IO},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        char expected[200];
        (void)snprintf(expected, sizeof expected, "cannot open 'x': %s", strerror(rows[i].errnum));
        assert_int_equal(wa_fail_errno(&err, rows[i].errnum, "cannot open '%s'", "x"),
                         rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_string_equal(err.text, expected);
    }
}

/* What comes from outside can't end a line, colour a terminal, turn text round or break JSON. */
static void test_hostile_text(void **state)
{
    WA_UNUSED(state);
    static const char *const rows[][2] = {
        {"a\nb\r\tc", "a?b??c"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "31m",
         "?31m"},      /* CSI as one character, C1 */
        {"\x9b", "?"}, /* and as a byte */
        {"txt.\xe2\x80\xae"
         "exe",
         "txt.?exe"}, /* right-to-left override */
        {"a\xe2\x80\x8b"
         "b\xef\xbb\xbf",
         "a?b?"}, /* zero width */
        {"a\xe2\x80\xa8"
         "b",
         "a?b"},                                    /* line separator */
        {"\xc0\xaf \xed\xa0\x80 \xff", "?? ??? ?"}, /* overlong, surrogate, never */
        {"cut \xe2\x82", "cut ??"},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        (void)wa_fail(&err, WA_E_INVALID, "%s", rows[i][0]);
        assert_string_equal(err.text, rows[i][1]);
        (void)wa_fail_errno(&err, EIO, "%s", rows[i][0]);
        assert_true(wa_sv_starts(wa_sv(err.text), rows[i][1]));
        (void)wa_fail(&err, WA_E_INVALID, "x");
        (void)wa_wrap(&err, "%s", rows[i][0]);
        assert_true(wa_sv_starts(wa_sv(err.text), rows[i][1]));
    }
}

/* Whatever the length, the text ends inside the struct and between two characters. */
static void test_long_text(void **state)
{
    WA_UNUSED(state);
    char text[3 * WA_ERR_TEXT_MAX] = "";
    struct wa_err err = WA_ERR_INIT;
    for (size_t lead = 0; lead < 4; lead++) {
        size_t n = lead;
        memset(text, 'a', lead);
        while (n + 4 < sizeof text) {
            memcpy(text + n, "\xe2\x82\xac", 3);
            n += 3;
        }
        text[n] = '\0';
        (void)wa_fail(&err, WA_E_INVALID, "%s", text);
        size_t kept = strlen(err.text);
        assert_in_range(kept, WA_ERR_TEXT_MAX - 4, WA_ERR_TEXT_MAX - 1);
        assert_true(wa_utf8_valid(wa_sv(err.text)));
        assert_memory_equal(err.text, text, kept);
        assert_int_equal((kept - lead) % 3, 0);
    }
    for (int i = 0; i < 100; i++)
        (void)wa_wrap(&err, "%d: the context keeps growing", i);
    assert_true(wa_sv_starts(wa_sv(err.text), "99: the context"));
    assert_in_range(strlen(err.text), WA_ERR_TEXT_MAX - 4, WA_ERR_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),     cmocka_unit_test(test_chain),
        cmocka_unit_test(test_errno),     cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
