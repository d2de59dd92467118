/* The log: one event is one line whatever the values hold, in text and in JSON. */
#include "testlib.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"

static struct wa_log log_;
static char line[8192];

static int open_log(void **state)
{
    WA_UNUSED(state);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    static int reader;
    reader = fds[0];
    *state = &reader;
    wa_log_init(&log_, fds[1], WA_LOG_INFO, "waptservice/test");
    return 0;
}

static int close_log(void **state)
{
    return close(log_.fd) + close(*(int *)*state);
}

/* What was written since; without the date, which is checked for its form. */
static const char *written(void **state)
{
    ssize_t n = read(*(int *)*state, line, sizeof line - 1);
    line[n > 0 ? n : 0] = '\0';
    if (n <= 0)
        return "";
    char *date = log_.json ? line + strlen("{\"time\":\"") : line;
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd')
            assert_in_range(date[i], '0', '9');
        else
            assert_int_equal(date[i], form[i]);
    }
    return date + sizeof form; /* past the blank or the quote */
}

static void test_text(void **state)
{
    wa_log(&log_, WA_LOG_INFO, "install.done", WA_LF_S("package", "tis-x"), WA_LF_I("status", -1),
           WA_LF_SV("part", wa_sv_n("abcdef", 3)));
    assert_string_equal(written(state),
                        "info waptservice/test install.done package=tis-x status=-1 part=abc\n");
    wa_log_event(&log_, WA_LOG_ERROR, "alone", NULL, 0);
    assert_string_equal(written(state), "error waptservice/test alone\n");
}

static void test_json(void **state)
{
    log_.json = true;
    wa_log(&log_, WA_LOG_WARNING, "a.b", WA_LF_S("s", "x \"y\" \\"), WA_LF_I("i", INT64_MIN),
           WA_LF_S("none", NULL));
    assert_string_equal(written(state),
                        ",\"level\":\"warning\",\"program\":\"waptservice/test\",\"event\":\"a.b\","
                        "\"s\":\"x \\\"y\\\" \\\\\",\"i\":-9223372036854775808,\"none\":\"\"}\n");
}

/* Values that try to begin a line or a field of their own, or to steer the terminal. */
static const struct {
    struct wa_sv value;
    const char *text, *json;
} hostile[] = {
    {WA_SV_INIT("a\n2026-01-01T00:00:00Z info x forged=1"),
     "\"a\\u000a2026-01-01T00:00:00Z info x forged=1\"", NULL},
    {WA_SV_INIT("a\r\nb"), "\"a\\u000d\\u000ab\"", NULL},
    {WA_SV_INIT("\x1b[2J\x1b]0;title\x07"), "\"\\u001b[2J\\u001b]0;title\\u0007\"", NULL},
    {WA_SV_INIT("a b=c"), "\"a b=c\"", NULL},
    {WA_SV_INIT("a=b"), "\"a=b\"", NULL},
    {WA_SV_INIT("\" forged=\""), "\"\\\" forged=\\\"\"", NULL},
    {WA_SV_INIT("\\"), "\"\\\\\"", NULL},
    {WA_SV_INIT(""), "\"\"", NULL},
    {WA_SV_INIT("a\0b"), "\"a\\u0000b\"", NULL},
    {WA_SV_INIT("\x7f"), "\"\\u007f\"", NULL},
    {WA_SV_INIT("\xc2\x9b"
                "31m"),
     "\"\\u009b31m\"", NULL},
    {WA_SV_INIT("\x9b"
                "31m"),
     "\"\\u009b31m\"", NULL}, /* not UTF-8: the byte */
    {WA_SV_INIT("\xff\xfe"), "\"\\u00ff\\u00fe\"", NULL},
    {WA_SV_INIT("caf\xc3\xa9"), "\"caf\xc3\xa9\"", NULL},
    {WA_SV_INIT("a\xe2\x80\xa8"
                "b"),
     "\"a\\u2028b\"", NULL},
    {WA_SV_INIT("a\xe2\x80\xae"
                "b"),
     "\"a\\u202eb\"", NULL},
    {WA_SV_INIT("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\"", NULL}, /* a tag, invisible */
    {WA_SV_INIT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", NULL},
    {WA_SV_INIT("plain"), "plain", "\"plain\""},
};

static void test_hostile(void **state)
{
    for (size_t i = 0; i < WA_COUNT(hostile); i++) {
        char expected[300];
        log_.json = false;
        wa_log(&log_, WA_LOG_INFO, "e", WA_LF_SV("v", hostile[i].value), WA_LF_I("end", 1));
        (void)snprintf(expected, sizeof expected, "info waptservice/test e v=%s end=1\n",
                       hostile[i].text);
        assert_string_equal(written(state), expected);
        log_.json = true;
        wa_log(&log_, WA_LOG_INFO, "e", WA_LF_SV("v", hostile[i].value), WA_LF_I("end", 1));
        (void)snprintf(expected, sizeof expected, ",\"event\":\"e\",\"v\":%s,\"end\":1}\n",
                       hostile[i].json != NULL ? hostile[i].json : hostile[i].text);
        assert_true(wa_sv_ends(wa_sv(written(state)), expected));
    }
}

/* Whatever is logged, it is one line of bounded length, valid UTF-8, and ends as it should. */
static void test_long(void **state)
{
    static char value[6000];
    static const char *const fills[] = {"x",  "\xe2\x82\xac", "\n",
                                        "\"", "\xff",         "\xf3\xa0\x81\x81"};
    for (size_t f = 0; f < WA_COUNT(fills); f++) {
        for (size_t lead = 0; lead < 4; lead++) {
            size_t n = lead, step = strlen(fills[f]);
            memset(value, 'a', lead);
            for (; n + step < sizeof value; n += step)
                memcpy(value + n, fills[f], step);
            for (int json = 0; json < 2; json++) {
                log_.json = json != 0;
                struct wa_sv v = wa_sv_n(value, n);
                wa_log(&log_, WA_LOG_INFO, "e", WA_LF_SV("a", v), WA_LF_SV("b", v),
                       WA_LF_SV("c", v), WA_LF_SV("d", v), WA_LF_SV("e", v));
                (void)written(state);
                size_t len = strlen(line);
                assert_in_range(len, 1000, WA_LOG_LINE_MAX);
                assert_ptr_equal(strchr(line, '\n'), line + len - 1);
                assert_true(wa_utf8_valid(wa_sv_n(line, len)));
                assert_null(strchr(line, '\x1b'));
                if (log_.json)
                    assert_true(wa_sv_ends(wa_sv_n(line, len), "\"}\n"));
                /* Never a character cut in two, shown as its bytes. */
                if (f == 1)
                    assert_null(strstr(line, "\\u00e2"));
            }
        }
    }
}

static void test_levels(void **state)
{
    wa_log(&log_, WA_LOG_DEBUG, "e", WA_LF_I("i", 1));
    assert_string_equal(written(state), "");
    log_.level = WA_LOG_ERROR;
    wa_log(&log_, WA_LOG_WARNING, "e", WA_LF_I("i", 1));
    assert_string_equal(written(state), "");
    wa_log(&log_, WA_LOG_ERROR, "e", WA_LF_I("i", 1));
    assert_string_equal(written(state), "error waptservice/test e i=1\n");

    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; i++) {
        enum wa_log_level level = WA_LOG_DEBUG;
        assert_true(wa_log_level_parse(names[i], &level));
        assert_int_equal(level, i);
    }
    enum wa_log_level level = WA_LOG_WARNING;
    assert_false(wa_log_level_parse("INFO", &level));
    assert_false(wa_log_level_parse("", &level));
    assert_int_equal(level, WA_LOG_WARNING);
}

static void test_err(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_fail(&err, WA_E_NOT_FOUND, "no '%s'\n", "x");
    wa_log_err(&log_, WA_LOG_ERROR, "e", &err);
    assert_string_equal(written(state),
                        "error waptservice/test e code=not_found error=\"no 'x'?\"\n");
}

/* A log that can't be written does not stop the work, nor does it leave half a line. */
static void test_lost(void **state)
{
    struct wa_log nowhere, closed;
    wa_log_init(&nowhere, -1, WA_LOG_DEBUG,
                "a program whose name is longer than what is kept of it");
    assert_int_equal(strlen(nowhere.program), sizeof nowhere.program - 1);
    wa_log(&nowhere, WA_LOG_ERROR, "e", WA_LF_I("i", 1));
    int fd = dup(log_.fd);
    assert_true(fd >= 0);
    (void)close(fd);
    wa_log_init(&closed, fd, WA_LOG_DEBUG, "p");
    wa_log(&closed, WA_LOG_ERROR, "e", WA_LF_I("i", 1));
    /* A full pipe: the event is lost, and the next one whole. */
    for (int i = 0; i < 5000; i++)
        wa_log(&log_, WA_LOG_INFO, "fill",
               WA_LF_S("text", "0123456789012345678901234567890123456789"));
    size_t lines = 0;
    for (ssize_t n = 1; n > 0;) {
        n = read(*(int *)*state, line, sizeof line);
        for (ssize_t i = 0; i < n; i++)
            lines += line[i] == '\n' ? 1 : 0;
    }
    assert_in_range(lines, 100, 4999);
    wa_log(&log_, WA_LOG_INFO, "after", WA_LF_I("i", 1));
    assert_string_equal(written(state), "info waptservice/test after i=1\n");
}

#define LOG_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_log, close_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_text),   LOG_TEST(test_json), LOG_TEST(test_hostile), LOG_TEST(test_long),
        LOG_TEST(test_levels), LOG_TEST(test_err),  LOG_TEST(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
