/* The lines between local tools and the agent: what is written reads back, and who may ask for what
 * is a closed table. */
#include "testlib.h"
#include "torture.h"

#include "base/text.h"
#include "proto/local.h"

static enum wa_code there_and_back(void *arg, struct wa_err *err)
{
    const struct wa_local_request in = {.op = WA_OP_CATALOGUE,
                                        .packages = {WA_SV("fire"), WA_SV("fox")},
                                        .package_count = 2,
                                        .force = true,
                                        .limited = true,
                                        .as_upgrade = true,
                                        .task_id = 7,
                                        .filter = WA_SV("upgradable"),
                                        .category = WA_SV("Internet"),
                                        .text = WA_SV("a\nb"),
                                        .page = 3,
                                        .page_size = 20,
                                        .password = WA_SV("open sesame")};
    struct wa_local_request out;
    WA_AUTO_BUF struct wa_buf line;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_UNUSED(arg);
    wa_buf_init(&line, WA_LOCAL_REQUEST_MAX);
    wa_arena_init(&arena, 1u << 20);
    if (wa_local_request_write(&in, &line, err) != WA_OK ||
        wa_local_request_read(wa_buf_sv(&line), &arena, &out, err) != WA_OK)
        return err->code;
    assert_int_equal(out.op, in.op);
    assert_int_equal(out.package_count, 2);
    WA_ASSERT_SV(out.packages[1], "fox");
    assert_true(out.force && out.limited && out.as_upgrade && !out.only_if_not_running);
    assert_int_equal(out.task_id, 7);
    WA_ASSERT_SV(out.filter, "upgradable");
    WA_ASSERT_SV(out.category, "Internet");
    WA_ASSERT_SV(out.text, "a\nb");
    assert_int_equal(out.page, 3);
    assert_int_equal(out.page_size, 20);
    WA_ASSERT_SV(out.password, "open sesame");
    return WA_OK;
}

static void test_a_request(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(there_and_back, NULL) > 3);
}

static void test_what_is_no_request(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"op\":\"explode\"}",
        "{\"op\":\"list\",\"op\":\"list\"}",
        "{\"op\":\"list\",\"uid\":0}",
        "{\"op\":\"list\",\"args\":{\"user\":\"root\"}}",
        "{\"op\":\"install\",\"args\":{\"packages\":[\"\"]}}",
        "{\"op\":\"install\",\"args\":{\"packages\":[\"a\\u0000b\"]}}",
        "{\"op\":\"install\",\"args\":{\"packages\":\"a\"}}",
        "{\"op\":\"install\",\"args\":{\"limited\":0}}",
        "{\"op\":\"catalogue\",\"args\":{\"page\":-1}}",
        "{\"op\":\"catalogue\",\"args\":{\"page_size\":501}}",
        "{\"op\":\"catalogue\",\"args\":{\"page\":9223372036854775807}}",
        "{\"op\":\"catalogue\",\"args\":{\"filter\":\"mine\"}}",
        "{\"op\":\"catalogue\",\"args\":{\"sort\":\"size\"}}",
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_local_request r;
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, 1u << 20);
        if (wa_local_request_read(wa_sv(bad[i]), &arena, &r, &err) == WA_OK)
            fail_msg("'%s' is a request", bad[i]);
    }
}

/* Only a language that there is counts; whatever else is asked for is the agent's. */
static void test_a_language(void **state)
{
    static const struct {
        const char *member, *known; /* "": none, and no error */
    } rows[] = {{"", ""},
                {",\"language\":\"fr\"", "fr"},
                {",\"language\":\"en\"", "en"},
                {",\"language\":\"fr_FR.UTF-8\"", "fr"},
                {",\"language\":\"\"", ""},
                {",\"language\":\"xx\"", ""},
                {",\"language\":\"../fr\"", ""},
                {",\"language\":\"%s%n\"", ""},
                {",\"language\":\"\\u0000fr\"", ""},
                {",\"language\":\"fr45678901234567\"", NULL},
                {",\"language\":7", NULL},
                {",\"language\":\"fr\",\"language\":\"en\"", NULL}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf line;
        struct wa_local_request r;
        struct wa_err err = WA_ERR_INIT;
        char text[100];
        wa_arena_init(&arena, 1u << 20);
        wa_buf_init(&line, 4096);
        (void)snprintf(text, sizeof text, "{\"op\":\"list\"%s}", rows[i].member);
        bool is_read = wa_local_request_read(wa_sv(text), &arena, &r, &err) == WA_OK;
        if (is_read != (rows[i].known != NULL))
            fail_msg("%s: %s", text, err.text);
        if (!is_read)
            continue;
        const char *name = r.language != NULL ? wa_text_name_of(r.language) : "";
        assert_string_equal(name, rows[i].known);
        WA_ASSERT_OK(wa_local_request_write(&r, &line, &err));
        WA_ASSERT_OK(wa_local_request_read(wa_buf_sv(&line), &arena, &r, &err));
        assert_string_equal(r.language != NULL ? wa_text_name_of(r.language) : "", name);
    }
}

static void test_answers(void **state)
{
    const struct wa_local_answer all[] = {
        {.event = WA_EV_AUTH, .text = WA_SV("why")},
        {.event = WA_EV_TASK, .id = 7, .text = WA_SV("queued"), .kind = WA_SV("install")},
        {.event = WA_EV_TASK,
         .id = 7,
         .text = WA_SV("done"),
         .by = WA_SV("uid 0 (root)"),
         .is_done = true,
         .code = WA_E_PARTIAL,
         .message = WA_SV("half")},
        {.event = WA_EV_PROGRESS,
         .id = 7,
         .done = 1,
         .total = 2,
         .percent = 50,
         .text = WA_SV("install")},
        {.event = WA_EV_OUTPUT, .text = WA_SV("a\nb\x1b[0m")},
        {.event = WA_EV_RESULT, .code = WA_E_DENIED, .text = WA_SV("no")},
        {.event = WA_EV_SERVICE, .text = WA_SV("stopped")},
        {.event = WA_EV_UPGRADES, .count = 3},
        {.event = WA_EV_MISSED, .count = 12}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(all); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf line;
        struct wa_local_answer out;
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, 1u << 20);
        wa_buf_init(&line, 4096);
        wa_local_answer_write(&all[i], WA_SV(""), &line);
        assert_null(memchr(line.p, '\x1b', line.n)); /* nothing that a terminal would obey */
        assert_ptr_equal(memchr(line.p, '\n', line.n), line.p + line.n - 1);
        WA_ASSERT_OK(wa_local_answer_read(wa_buf_sv(&line), &arena, &out, &err));
        assert_int_equal(out.event, all[i].event);
        assert_true(wa_sv_eq(out.text, all[i].text) && wa_sv_eq(out.kind, all[i].kind) &&
                    wa_sv_eq(out.by, all[i].by) && wa_sv_eq(out.message, all[i].message));
        assert_int_equal(out.id, all[i].id);
        assert_int_equal(out.count, all[i].count);
        assert_int_equal(out.done, all[i].done);
        assert_int_equal(out.percent, all[i].percent);
        if (all[i].event == WA_EV_RESULT)
            assert_int_equal(out.code, all[i].code);
    }
}

/* F1E: free are these, and nothing that is added later by oversight. */
static void test_rights(void **state)
{
    static const char *const free_for_all[] = {
        "status",    "list",       "search",  "show",           "list-upgrade",
        "tasks",     "events",     "lock",    "check-upgrades", "clean",
        "catalogue", "update",     "upgrade", "cancel",         "download-upgrade",
        "stop",      "cancel-all", "restart", "start",          "session-setup",
        "check",     "icons"};
    size_t count = 0;
    WA_UNUSED(state);
    for (int i = 0; i < WA_OP_COUNT; i++)
        count += wa_local_op_right((enum wa_local_op)i) == WA_RIGHT_ANYONE ? 1 : 0;
    assert_int_equal(count, WA_COUNT(free_for_all));
    for (size_t i = 0; i < WA_COUNT(free_for_all); i++) {
        enum wa_local_op op;
        assert_true(wa_local_op_find(wa_sv(free_for_all[i]), &op));
        assert_int_equal(wa_local_op_right(op), WA_RIGHT_ANYONE);
    }
    assert_int_equal(wa_local_op_right(WA_OP_INSTALL), WA_RIGHT_RULES_PASSWORD);
    assert_int_equal(wa_local_op_right(WA_OP_REMOVE), WA_RIGHT_RULES_PASSWORD);
    assert_int_equal(wa_local_op_right(WA_OP_FORGET), WA_RIGHT_ADMIN_PASSWORD);
    assert_int_equal(wa_local_op_right(WA_OP_UNINSTALL), WA_RIGHT_ROOT);
    assert_int_equal(wa_local_op_right(WA_OP_COUNT), WA_RIGHT_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request),  cmocka_unit_test(test_what_is_no_request),
        cmocka_unit_test(test_a_language), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
