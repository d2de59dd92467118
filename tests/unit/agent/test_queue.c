/* The queue in the agent's database: what it waits for, what an older agent has left in it. */
#include "testlib.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "agent/db.h"
#include "base/mem.h"
#include "codec/json.h"
#include "os/clock.h"

struct place {
    char dir[WA_PATH_MAX];
    struct wa_db *db;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    char db[WA_PATH_MAX + 8];
    wa_test_tmpdir(p->dir);
    (void)snprintf(db, sizeof db, "%s/db", p->dir);
    assert_int_equal(mkdir(db, 0700), 0);
    WA_ASSERT_OK(wa_agent_db_open(p->dir, &p->db, &err));
    WA_ASSERT_OK(wa_db_exec(p->db, "PRAGMA synchronous = OFF", &err));
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

static void test_a_message_that_reads_so_is_only_a_message(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 0};
    (void)add(db, "upgrade", "scheduler", "");
    WA_ASSERT_OK(wa_db_exec(db, "UPDATE tasks SET message = 'in use: editor'", &err));
    take(db, &t);
    assert_false(t.is_in_use);
    wa_task_fini(&t);
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
                            "ALTER TABLE tasks DROP COLUMN waits_for;",
                            &err));
    wa_db_close(p->db);
    p->db = NULL;
    WA_ASSERT_OK(wa_agent_db_open(p->dir, &p->db, &err));
    shown(p->db, "waits_for", text);
    assert_string_equal(text, "[\"editor\",\"player\"]");
    shown(p->db, "message", text);
    assert_string_equal(text, "\"\"");
    take(p->db, &t);
    assert_true(t.is_in_use);
    wa_task_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_task_waits_for_is_no_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_message_that_reads_so_is_only_a_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_older_queue_is_taken_over, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
