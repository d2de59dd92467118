/* What a script of root's keeps and asks for: what is taken of its result, and what is not. */
#include "db_place.h"
#include "torture.h"

#include <stdlib.h>

#include "agent/hook.h"
#include "agent/tasks.h"

struct place {
    char dir[WA_PATH_MAX];
    struct wa_manager m;
    struct wa_task task;
    struct wa_task_run run;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->m.tdb = db_place_new(p->dir);
    p->run = (struct wa_task_run){.m = &p->m, .task = &p->task};
    (void)snprintf(p->task.created_by, sizeof p->task.created_by, "uid 0 (root)");
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_db_close(p->m.tdb);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

static enum wa_code take(struct place *p, const char *result, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(wa_sv(result), 0, &arena, &j, err) != WA_OK)
        return err->code;
    return wa_script_wishes_take(&p->run, j, err);
}

static void kept_is(struct place *p, const char *expected)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, 1u << 20);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    WA_ASSERT_OK(wa_script_store_write(&p->m, &w, &err));
    wa_jw_end(&w);
    WA_ASSERT_SV(wa_buf_sv(&text), expected);
}

/* Takes the next task out of the queue, as "kind args by"; "" when there is none. */
static void next_is(struct place *p, const char *expected)
{
    struct wa_task t = {.id = 0};
    struct wa_err err = WA_ERR_INIT;
    char text[1024] = "";
    bool found = false;
    WA_ASSERT_OK(wa_task_take(p->m.tdb, &t, &found, &err));
    if (found)
        (void)snprintf(text, sizeof text, "%s %s %s", t.kind, t.args, t.created_by);
    assert_string_equal(text, expected);
    wa_task_fini(&t);
}

static void test_values(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    kept_is(p, "{\"params_store\":{}}");
    WA_ASSERT_OK(
        take(p, "{\"params_store_changes\":{\"a\":1,\"b\":[\"\xc3\xa9\"],\"c\":null}}", &err));
    kept_is(p, "{\"params_store\":{\"a\":1,\"b\":[\"\xc3\xa9\"]}}");
    WA_ASSERT_OK(
        take(p, "{\"params_store_changes\":{\"a\":null,\"d\":{\"x\":null}},\"wishes\":[]}", &err));
    kept_is(p, "{\"params_store\":{\"b\":[\"\xc3\xa9\"],\"d\":{\"x\":null}}}");
    WA_ASSERT_OK(take(p, "{}", &err));
    WA_ASSERT_OK(take(p, "{\"params_store_changes\":7,\"wishes\":\"x\"}", &err));
    kept_is(p, "{\"params_store\":{\"b\":[\"\xc3\xa9\"],\"d\":{\"x\":null}}}");
    next_is(p, "");
}

static void test_values_have_a_limit(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_buf_adds(&text, "{\"params_store_changes\":{\"a\":\"");
    for (size_t i = 0; i < WA_SCRIPT_STORE_MAX; i++)
        wa_buf_addc(&text, 'x');
    wa_buf_adds(&text, "\"}}");
    wa_buf_addc(&text, '\0');
    WA_ASSERT_CODE(take(p, text.p, &err), WA_E_LIMIT);
    wa_err_clear(&err);
    wa_buf_clear(&text);
    wa_buf_adds(&text, "{\"params_store_changes\":{");
    for (int i = 0; i <= WA_SCRIPT_STORE_NAMES_MAX; i++)
        wa_buf_addf(&text, "%s\"%d\":1", i > 0 ? "," : "", i);
    wa_buf_adds(&text, "}}");
    wa_buf_addc(&text, '\0');
    WA_ASSERT_CODE(take(p, text.p, &err), WA_E_LIMIT);
    kept_is(p, "{\"params_store\":{}}");
}

static void test_tasks(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(
        take(p,
             "{\"wishes\":[{\"op\":\"install\",\"packages\":[\"a\",\"b(>=2)\"],\"force\":true},"
             "{\"op\":\"remove\",\"packages\":[\"c\"],\"force\":false},{\"op\":\"upgrade\","
             "\"packages\":[]}]}",
             &err));
    next_is(
        p,
        "install {\"op\":\"install\",\"args\":{\"packages\":[\"a\",\"b(>=2)\"],\"force\":true}}\n "
        "script 1");
    next_is(p, "remove {\"op\":\"remove\",\"args\":{\"packages\":[\"c\"]}}\n script 1");
    next_is(p, "upgrade {\"op\":\"upgrade\",\"args\":{}}\n script 1");
    next_is(p, "");
    (void)snprintf(p->task.created_by, sizeof p->task.created_by, "script %d",
                   WA_SCRIPT_DEPTH_MAX - 1);
    WA_ASSERT_OK(take(p, "{\"wishes\":[{\"op\":\"forget\",\"packages\":[\"a\"]}]}", &err));
    next_is(p, "forget {\"op\":\"forget\",\"args\":{\"packages\":[\"a\"]}}\n script 3");
    (void)snprintf(p->task.created_by, sizeof p->task.created_by, "script %d", WA_SCRIPT_DEPTH_MAX);
    WA_ASSERT_CODE(take(p, "{\"wishes\":[{\"op\":\"update\",\"packages\":[]}]}", &err), WA_E_LIMIT);
    next_is(p, "");
}

static void test_what_nobody_may_wish(void **state)
{
    struct place *p = *state;
    static const char *const wrong[] = {"{\"op\":\"register\",\"packages\":[]}",
                                        "{\"op\":\"cancel-all\"}",
                                        "{\"op\":\"session-setup\"}",
                                        "{\"op\":\"none\"}",
                                        "{\"op\":1}",
                                        "{}",
                                        "[]",
                                        "1",
                                        "{\"op\":\"install\",\"packages\":{}}",
                                        "{\"op\":\"install\",\"uid\":0}",
                                        "{\"op\":\"install\",\"force\":1}"};
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        struct wa_err err = WA_ERR_INIT;
        char text[256];
        (void)snprintf(text, sizeof text, "{\"wishes\":[%s]}", wrong[i]);
        assert_int_not_equal(take(p, text, &err), WA_OK);
        wa_err_clear(&err);
        next_is(p, "");
    }
}

static void test_too_many(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_buf_adds(&text, "{\"wishes\":[");
    for (int i = 0; i <= WA_SCRIPT_WISHES_MAX; i++)
        wa_buf_addf(&text, "%s{\"op\":\"update\"}", i > 0 ? "," : "");
    wa_buf_adds(&text, "]}");
    wa_buf_addc(&text, '\0');
    WA_ASSERT_CODE(take(p, text.p, &err), WA_E_LIMIT);
    next_is(p, "");
    wa_err_clear(&err);
    wa_buf_clear(&text);
    wa_buf_adds(&text, "{\"wishes\":[{\"op\":\"install\",\"packages\":[\"a\"");
    for (int i = 0; i < 64; i++)
        wa_buf_adds(&text, ",\"a\"");
    wa_buf_adds(&text, "]}]}");
    wa_buf_addc(&text, '\0');
    WA_ASSERT_CODE(take(p, text.p, &err), WA_E_LIMIT);
    next_is(p, "");
}

/* With a connection of its own: what that keeps for the next statement is freed with it. */
static enum wa_code once(void *arg, struct wa_err *err)
{
    struct place *p = arg;
    struct wa_manager m = {.tdb = NULL};
    struct place own = {.task = p->task};
    wa_torture_pause();
    enum wa_code opened = wa_agent_db_open(p->dir, &m.tdb, err);
    wa_torture_resume();
    if (opened != WA_OK)
        return opened;
    own.run = (struct wa_task_run){.m = &m, .task = &own.task};
    enum wa_code code = take(&own,
                             "{\"params_store_changes\":{\"a\":1},\"wishes\":[{\"op\":\"install\","
                             "\"packages\":[\"a\"]}]}",
                             err);
    wa_db_close(m.tdb);
    return code;
}

static void test_memory_runs_out(void **state)
{
    assert_true(wa_torture(once, *state) > 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_values),   TEST(test_values_have_a_limit),  TEST(test_tasks),
        TEST(test_too_many), TEST(test_what_nobody_may_wish), TEST(test_memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
