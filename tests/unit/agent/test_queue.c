/* The queue in the agent's database: what it waits for, what an older agent has left in it. */
#include "db_place.h"
#include "torture.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"
#include "os/clock.h"
#include "proto/queue.h"

struct place {
    char dir[WA_PATH_MAX];
    struct wa_db *db;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->db = db_place_new(p->dir);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_db_close(p->db);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

static int64_t add(struct wa_db *db, const char *kind, const char *by, const char *action_id)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t id = 0;
    WA_ASSERT_OK(wa_task_add(db, kind, WA_SV("{\"op\":\"upgrade\"}"), by, action_id, 0, &id, &err));
    return id;
}

static void take(struct wa_db *db, struct wa_task *ret)
{
    struct wa_err err = WA_ERR_INIT;
    bool found = false;
    WA_ASSERT_OK(wa_task_take(db, ret, &found, &err));
    assert_true(found);
}

/* What is listed of the newest task, as JSON. */
static void shown(struct wa_db *db, const char *key, char out[300])
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf value;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_task_progress none = {0, 0};
    const struct wa_json *j = NULL;
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(&value, 1u << 20);
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_task_list(db, &none, true, &text, &err));
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err));
    wa_json_write(wa_json_get(wa_json_at(j, 0), key), &value);
    (void)snprintf(out, 300, "%s", wa_buf_str(&value));
}

static void test_what_a_task_waits_for_is_no_message(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    char text[300];
    (void)add(db, "upgrade", "roll-out of x", "0123");
    take(db, &t);
    assert_false(t.is_in_use);
    WA_ASSERT_OK(wa_task_wait(db, t.id, wa_clock_now() + 1000, "editor,player", &err));
    shown(db, "waits_for", text);
    assert_string_equal(text, "[\"editor\",\"player\"]");
    shown(db, "message", text);
    assert_string_equal(text, "\"\"");
    WA_ASSERT_OK(wa_task_begin_again(db, t.id, &err));
    wa_task_fini(&t);
    take(db, &t);
    assert_true(t.is_in_use);
    WA_ASSERT_OK(wa_task_wait(db, t.id, 0, "", &err)); /* for no program, and comes back */
    wa_task_fini(&t);
    take(db, &t);
    assert_true(t.is_in_use);
    /* Whoever puts it off has the last word: no program that ends brings it back before. */
    WA_ASSERT_OK(wa_task_put_off(db, t.id, 0, &err));
    wa_task_fini(&t);
    take(db, &t);
    assert_true(t.is_put_off && !t.is_in_use);
    wa_task_fini(&t);
}

/* What it is told of in is who asked's, and makes no other task of an equal one. */
static void test_the_language_of_who_asked(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    const struct wa_language *fr = wa_text_find(WA_SV("fr"));
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    (void)wa_text_speak(fr);
    int64_t first = add(db, "update", "uid 1000 (alice)", "");
    (void)wa_text_speak(NULL);
    assert_int_equal(add(db, "update", "uid 1001 (bob)", ""), first);
    (void)add(db, "clean", "uid 1001 (bob)", "");
    take(db, &t);
    assert_int_equal(t.id, first);
    assert_ptr_equal(t.language, fr);
    WA_ASSERT_OK(wa_task_requeue(db, t.id, &err)); /* after an interruption too */
    wa_task_fini(&t);
    take(db, &t);
    assert_ptr_equal(t.language, fr);
    wa_task_fini(&t);
    take(db, &t);
    assert_string_equal(t.kind, "clean");
    assert_null(t.language);
    wa_task_fini(&t);
}

static void test_a_message_that_reads_so_is_only_a_message(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    (void)add(db, "upgrade", "scheduler", "");
    static const char *const messages[] = {"in use: editor", "put off"};
    for (size_t i = 0; i < WA_COUNT(messages); i++) {
        struct wa_stmt *s;
        WA_ASSERT_OK(wa_db_prepare(db, "UPDATE tasks SET state = 'queued', message = ?", &s, &err));
        wa_bind_s(s, 0, messages[i]);
        WA_ASSERT_OK(wa_run(s, &err));
        take(db, &t);
        assert_false(t.is_in_use || t.is_put_off);
        wa_task_fini(&t);
    }
}

/* Version 7 had it in the message. */
static void test_an_older_queue_is_taken_over(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    char text[300];
    (void)add(p->db, "upgrade", "roll-out of x", "0123");
    WA_ASSERT_OK(wa_db_exec(p->db,
                            "UPDATE tasks SET message = 'in use: editor,player';"
                            "DELETE FROM schema_version WHERE version > 7;"
                            "ALTER TABLE tasks DROP COLUMN waits_for;"
                            "ALTER TABLE tasks DROP COLUMN mark;"
                            "ALTER TABLE tasks DROP COLUMN language;"
                            "ALTER TABLE tasks DROP COLUMN is_put_off;",
                            &err));
    wa_db_close(p->db);
    p->db = NULL;
    WA_ASSERT_OK(wa_agent_db_open(p->dir, &p->db, &err));
    shown(p->db, "waits_for", text);
    assert_string_equal(text, "[\"editor\",\"player\"]");
    shown(p->db, "message", text);
    assert_string_equal(text, "\"\"");
    take(p->db, &t);
    assert_true(t.is_in_use && !t.is_put_off);
    WA_ASSERT_OK(wa_task_put_off(p->db, t.id, 0, &err));
    wa_task_fini(&t);
    /* Version 10 had that in the message. */
    WA_ASSERT_OK(wa_db_exec(p->db,
                            "DELETE FROM schema_version WHERE version > 10;"
                            "ALTER TABLE tasks DROP COLUMN is_put_off;",
                            &err));
    wa_db_close(p->db);
    p->db = NULL;
    WA_ASSERT_OK(wa_agent_db_open(p->dir, &p->db, &err));
    take(p->db, &t);
    assert_true(t.is_put_off && !t.is_in_use);
    wa_task_fini(&t);
}

/* --- for who looks from afar --- */

static void tell(struct wa_db *db, int64_t running, struct wa_arena *arena,
                 const struct wa_json **ret)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf copy;
    const struct wa_task_progress progress = {running, 40};
    const struct wa_json *j = NULL;
    wa_buf_init(&text, WA_QUEUE_BYTES_MAX);
    wa_buf_init(&copy, 2 * WA_QUEUE_BYTES_MAX);
    WA_ASSERT_OK(wa_task_tell(db, &progress, false, &text, &err));
    const char *kept = wa_arena_strdup(arena, wa_buf_sv(&text));
    assert_non_null(kept);
    WA_ASSERT_OK(wa_json_parse(wa_sv(kept), 0, arena, &j, &err));
    WA_ASSERT_OK(wa_queue_copy(j, &copy, &err)); /* whatever is in it, the server takes it */
    *ret = j;
}

/* "kind state by progress", one after another. */
static const char *told(struct wa_db *db, int64_t running)
{
    static char out[4096];
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *tasks;
    size_t n = 0;
    wa_arena_init(&arena, WA_QUEUE_MEMORY_MAX);
    tell(db, running, &arena, &j);
    tasks = wa_json_get(j, "tasks");
    out[0] = '\0';
    for (size_t i = 0; i < wa_json_count(tasks) && n < sizeof out; i++) {
        const struct wa_json *t = wa_json_at(tasks, i);
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s %.*s %.*s %.*s;",
                              WA_SV_ARG(wa_json_sv(wa_json_get(t, "kind"))),
                              WA_SV_ARG(wa_json_sv(wa_json_get(t, "state"))),
                              WA_SV_ARG(wa_json_sv(wa_json_get(t, "created_by"))),
                              WA_SV_ARG(wa_json_sv(wa_json_get(t, "progress"))));
    }
    return out;
}

static void test_what_runs_what_waits_what_is_done(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    assert_string_equal(told(db, 0), "");
    for (int i = 0; i < 2; i++) {
        (void)add(db, i == 0 ? "audit" : "remove", "scheduler", "");
        take(db, &t);
        WA_ASSERT_OK(wa_task_finish(db, t.id, i == 0 ? WA_OK : WA_E_FAILED, WA_SV("said"),
                                    WA_SV("first\n\xff last"), &err));
        wa_task_fini(&t);
    }
    (void)add(db, "upgrade", "scheduler", "");
    take(db, &t);
    (void)add(db, "upgrade", "uid 1000 (alice)", "");
    (void)add(db, "update", "uid 0 (root)", "");
    (void)add(db, "clean", "uid 1000 (alice)", "");
    assert_string_equal(told(db, t.id),
                        "upgrade running scheduler 40;update queued uid 0 (root) 0;upgrade queued "
                        "uid 1000 (alice) 0;clean queued uid 1000 (alice) 0;remove done scheduler "
                        "100;audit done scheduler 100;");
    wa_task_fini(&t);
}

/* However much there is, the message has room for it: what runs is in it. */
static void test_there_is_never_too_much(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    int64_t left_out = 0;
    wa_arena_init(&arena, 4 * WA_QUEUE_MEMORY_MAX);
    (void)add(db, "upgrade", "scheduler", "");
    take(db, &t);
    WA_ASSERT_OK(wa_db_exec(
        db,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO "
        "tasks (kind, args, created_by, action_id, priority, not_before, state, created, message, "
        "log) SELECT 'install', CASE i WHEN 1 THEN '{\"op\":\"install\",\"packages\":[\"' || "
        "hex(zeroblob(40000)) || '\"]}' ELSE '' END, 'uid 1 (' || i || ')', '', 1, 0, CASE WHEN i "
        "> 100 THEN 'done' ELSE 'queued' END, 1, hex(zeroblob(500)), hex(randomblob(3000)) FROM n",
        &err));
    tell(db, t.id, &arena, &j);
    assert_int_equal(wa_json_count(wa_json_get(j, "tasks")) <= WA_QUEUE_TASKS_MAX, 1);
    assert_true(wa_json_count(wa_json_get(j, "tasks")) > 10);
    assert_true(wa_json_i64(wa_json_get(j, "left_out"), &left_out) && left_out > 0);
    assert_true(wa_sv_eqs(wa_json_sv(wa_json_get(wa_json_at(wa_json_get(j, "tasks"), 0), "state")),
                          "running"));
    wa_task_fini(&t);
}

/* --- cancelled from afar --- */

/* The name of the newest task that runs or waits first. */
static void name_of(struct wa_db *db, char ret[33])
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_QUEUE_MEMORY_MAX);
    tell(db, 0, &arena, &j);
    (void)snprintf(
        ret, 33, "%.*s",
        WA_SV_ARG(wa_json_sv(wa_json_get(wa_json_at(wa_json_get(j, "tasks"), 0), "cancel"))));
    assert_int_equal(strlen(ret), 32);
}

static int64_t count(struct wa_db *db, const char *sql)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *s = NULL;
    bool row = false;
    WA_ASSERT_OK(wa_db_prepare(db, sql, &s, &err));
    WA_ASSERT_OK(wa_step(s, &row, &err));
    int64_t n = wa_col_i64(s, 0);
    wa_reset(s);
    return n;
}

static void test_a_task_of_no_order_has_a_name(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    char name[33], later[33];
    struct wa_action_cancelled was = {.running = 0};
    (void)add(db, "upgrade", "uid 1000 (alice)", "");
    name_of(db, name);
    WA_ASSERT_OK(wa_action_cancel(db, name, wa_clock_now() + 100, &was, &err));
    assert_true(was.running == 0 && was.dropped == 1);
    assert_int_equal(count(db, "SELECT count(*) FROM tasks WHERE state <> 'done'"), 0);
    assert_int_equal(count(db, "SELECT count(*) FROM outbox"),
                     0); /* the server knows no such order */
    /* The same again is another one: the cancel does not reach it, though it should come again. */
    (void)add(db, "upgrade", "uid 1000 (alice)", "");
    name_of(db, later);
    assert_string_not_equal(name, later);
    WA_ASSERT_OK(wa_action_cancel(db, name, wa_clock_now() + 100, &was, &err));
    assert_int_equal(count(db, "SELECT count(*) FROM tasks WHERE state = 'queued'"), 1);
    take(db, &t);
    WA_ASSERT_OK(wa_action_cancel(db, name, wa_clock_now() + 100, &was, &err));
    assert_true(was.running == 0 && was.dropped == 0);
    WA_ASSERT_OK(wa_action_cancel(db, later, wa_clock_now() + 100, &was, &err));
    assert_int_equal(was.running, t.id);
    WA_ASSERT_OK(wa_task_requeue(db, t.id, &err)); /* it keeps it over a restart */
    wa_task_fini(&t);
    name_of(db, name);
    assert_string_equal(name, later);
}

/* An order is called as its own identifier is, and is owed for. */
static void test_an_order_is_cancelled_by_its_identifier(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    char name[33];
    struct wa_action_cancelled was = {.running = 0};
    static const char id[] = "0123456789abcdef0123456789abcdef";
    (void)add(db, "upgrade", "order of x", id);
    name_of(db, name);
    assert_string_equal(name, id);
    assert_int_equal(count(db, "SELECT count(*) FROM tasks WHERE mark = ''"), 0);
    WA_ASSERT_OK(wa_action_cancel(db, "ffffffffffffffffffffffffffffffff", 0, &was, &err));
    assert_int_equal(count(db, "SELECT count(*) FROM tasks WHERE state = 'queued'"), 1);
    WA_ASSERT_OK(wa_action_cancel(db, id, wa_clock_now() + 100, &was, &err));
    assert_int_equal(count(db, "SELECT count(*) FROM tasks WHERE state = 'queued'"), 0);
    assert_int_equal(count(db, "SELECT count(*) FROM outbox WHERE state = 'cancelled'"), 1);
}

static enum wa_code tell_all(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_task_progress none = {0, 0};
    struct place *p = arg;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    wa_buf_init(&text, WA_QUEUE_BYTES_MAX);
    return wa_agent_db_open(p->dir, &db, err) == WA_OK ? wa_task_tell(db, &none, true, &text, err)
                                                       : err->code;
}

static void test_memory_runs_out(void **state)
{
    struct place *p = *state;
    (void)add(p->db, "upgrade", "scheduler", "");
    assert_true(wa_torture(tell_all, p) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_task_waits_for_is_no_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_language_of_who_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_message_that_reads_so_is_only_a_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_older_queue_is_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_runs_what_waits_what_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_there_is_never_too_much, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_task_of_no_order_has_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_order_is_cancelled_by_its_identifier, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_memory_runs_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
