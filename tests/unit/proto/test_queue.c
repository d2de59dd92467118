/* A machine's queue: what the server takes of what a machine says, who may be anybody. */
#include "testlib.h"
#include "torture.h"

#include "proto/push.h"
#include "proto/queue.h"

#define TIMES "\"created\":10,\"not_before\":0,\"started\":11,\"finished\":0,"
#define TASK                                                                                       \
    "{\"id\":1,\"kind\":\"upgrade\",\"state\":\"running\",\"code\":\"\",\"message\":\"\","         \
    "\"created_by\":\"scheduler\"," TIMES "\"progress\":5,\"packages\":[],\"waits_for\":[],"       \
    "\"priority\":100,\"cancel\":\"abababababababababababababababab\",\"log\":\"\"}"
#define FRAME(tasks) "{\"type\":\"queue\",\"stopped\":false,\"left_out\":0,\"tasks\":[" tasks "]}"

static enum wa_code copy(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    enum wa_push_type type;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_QUEUE_MEMORY_MAX);
    if (wa_push_parse(text, &arena, &type, &j, err) != WA_OK)
        return err->code;
    assert_int_equal(type, WA_PUSH_QUEUE);
    return wa_queue_copy(j, out, err);
}

static enum wa_code there_and_back(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&text, WA_QUEUE_BYTES_MAX);
    wa_buf_init(&out, WA_QUEUE_BYTES_MAX);
    wa_queue_write(true, 3, WA_SV("[" TASK "]"), &text);
    if (wa_buf_check(&text, err) != WA_OK || copy(wa_buf_sv(&text), &out, err) != WA_OK)
        return err->code;
    assert_non_null(
        strstr(wa_buf_str(&out), "\"stopped\":true,\"left_out\":3,\"tasks\":[{\"id\":1"));
    assert_non_null(strstr(wa_buf_str(&out), "\"created_by\":\"scheduler\""));
    assert_null(strstr(wa_buf_str(&out), "\"type\""));
    return WA_OK;
}

static void test_there_and_back(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(there_and_back, NULL) > 2);
}

/* The text with one thing replaced; the code. */
static enum wa_code odd(const char *what, const char *instead, struct wa_buf *out)
{
    static char text[WA_QUEUE_BYTES_MAX];
    static const char whole[] = FRAME(TASK);
    struct wa_err err = WA_ERR_INIT;
    const char *at = strstr(whole, what);
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, instead,
                   at + strlen(what));
    wa_buf_clear(out);
    return copy(wa_sv(text), out, &err);
}

static void test_what_is_odd_is_refused(void **state)
{
    static const struct {
        const char *what, *instead;
    } cases[] = {
        {"\"running\"", "\"flying\""},
        {"\"id\":1", "\"id\":-1"},
        {"\"id\":1", "\"id\":9007199254740993"},
        {"\"id\":1", "\"id\":\"1\""},
        {"\"id\":1,", ""},
        {"\"progress\":5", "\"progress\":101"},
        {"\"started\":11", "\"started\":253402300800"}, /* no date that a page could show */
        {"\"started\":11", "\"started\":1e999"},
        {"\"cancel\":\"abab", "\"cancel\":\"xyab"},
        {"\"cancel\":\"abab", "\"cancel\":\"ab"},
        {"\"packages\":[]", "\"packages\":[1]"},
        {"\"packages\":[]", "\"packages\":{}"},
        {"\"waits_for\":[]", "\"waits_for\":[[]]"},
        {"\"kind\":\"upgrade\"", "\"kind\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
        {"\"kind\":\"upgrade\"", "\"kind\":null"},
        {"\"left_out\":0", "\"left_out\":-1"},
        {"\"stopped\":false", "\"stopped\":0"},
        {"[" TASK "]", "{}"},
        {"[" TASK "]", "[[]]"},
        {"[" TASK "]", "[null]"},
    };
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, WA_QUEUE_BYTES_MAX);
    assert_int_equal(odd("\"id\":1", "\"id\":1", &out), WA_OK);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        if (odd(cases[i].what, cases[i].instead, &out) == WA_OK)
            fail_msg("'%s' was taken", cases[i].instead);
}

static void test_what_is_long_or_new_is_left_out(void **state)
{
    static char text[3 * WA_QUEUE_LOG_MAX * 4];
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, WA_QUEUE_BYTES_MAX);
    assert_int_equal(odd("\"id\":1", "\"id\":1,\"colour\":\"<b>\"", &out), WA_OK);
    assert_null(strstr(wa_buf_str(&out), "colour"));
    int n = snprintf(text, sizeof text, "\"log\":\"");
    for (size_t i = 0; i < 5 * WA_QUEUE_LOG_MAX; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "\xc3\xa9");
    (void)snprintf(text + n, sizeof text - (size_t)n, "\"");
    assert_int_equal(odd("\"log\":\"\"", text, &out), WA_OK);
    assert_true(out.n < 5 * WA_QUEUE_LOG_MAX);
    n = snprintf(text, sizeof text, "\"packages\":[\"p\"");
    for (size_t i = 0; i < 1000; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, ",\"p\"");
    (void)snprintf(text + n, sizeof text - (size_t)n, "]");
    assert_int_equal(odd("\"packages\":[]", text, &out), WA_OK);
    assert_true(out.n < 1000);
}

static void test_too_many_are_refused(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf tasks;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&text, WA_QUEUE_BYTES_MAX);
    wa_buf_init(&tasks, WA_QUEUE_BYTES_MAX);
    wa_buf_init(&out, WA_QUEUE_BYTES_MAX);
    for (size_t i = 0; i <= WA_QUEUE_TASKS_MAX; i++)
        wa_buf_adds(&tasks, i == 0 ? "[" TASK : "," TASK);
    wa_buf_addc(&tasks, ']');
    wa_queue_write(false, 0, wa_buf_sv(&tasks), &text);
    WA_ASSERT_OK(wa_buf_check(&text, &err));
    assert_int_not_equal(copy(wa_buf_sv(&text), &out, &err), WA_OK);
}

/* No server makes a machine tell for longer. */
static void test_the_question(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: it is none */
    } cases[] = {{"{\"type\":\"watch\",\"seconds\":5}", 5},
                 {"{\"type\":\"watch\",\"seconds\":9223372036854775807}", WA_QUEUE_WATCH_S},
                 {"{\"type\":\"watch\",\"seconds\":0,\"more\":1}", 0},
                 {"{\"type\":\"watch\",\"seconds\":-1}", -1},
                 {"{\"type\":\"watch\",\"seconds\":\"5\"}", -1},
                 {"{\"type\":\"watch\"}", -1}};
    WA_AUTO_BUF struct wa_buf text;
    WA_UNUSED(state);
    wa_buf_init(&text, 100);
    wa_queue_watch_write(60, &text);
    assert_string_equal(wa_buf_str(&text), "{\"type\":\"watch\",\"seconds\":60}");
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_err err = WA_ERR_INIT;
        enum wa_push_type type;
        const struct wa_json *j = NULL;
        int64_t seconds = -1;
        wa_arena_init(&arena, 1u << 16);
        WA_ASSERT_OK(wa_push_parse(wa_sv(cases[i].text), &arena, &type, &j, &err));
        assert_int_equal(type, WA_PUSH_WATCH);
        assert_int_equal(wa_queue_watch_read(j, &seconds, &err) == WA_OK, cases[i].seconds >= 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

/* Who is newer may say more; who says nothing of the kind says nothing. */
static void test_other_messages(void **state)
{
    static const char *const none[] = {"{}", "{\"type\":\"\"}", "{\"type\":[]}", "[]", "1"};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    enum wa_push_type type = WA_PUSH_ACK;
    const struct wa_json *j = NULL;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 16);
    WA_ASSERT_OK(wa_push_parse(WA_SV("{\"type\":\"of tomorrow\"}"), &arena, &type, &j, &err));
    assert_int_equal(type, WA_PUSH_OTHER);
    for (size_t i = 0; i < WA_COUNT(none); i++)
        WA_ASSERT_CODE(wa_push_parse(wa_sv(none[i]), &arena, &type, &j, &err), WA_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_odd_is_refused),
        cmocka_unit_test(test_what_is_long_or_new_is_left_out),
        cmocka_unit_test(test_too_many_are_refused),
        cmocka_unit_test(test_the_question),
        cmocka_unit_test(test_other_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
