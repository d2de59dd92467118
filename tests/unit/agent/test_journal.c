/* The log of what is being done to packages: how far it had come decides what the next start makes
 * of it; and packages that failed, and when they are tried again. */
#include "db_place.h"
#include "torture.h"

#include <stdlib.h>

#include "agent/journal.h"
#include "agent/manager_priv.h"
#include "base/mem.h"

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

static void make(struct wa_control *c, const char *package, const char *version)
{
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(c);
    WA_ASSERT_OK(wa_control_set(c, WA_A_PACKAGE, wa_sv(package), &err));
    WA_ASSERT_OK(wa_control_set(c, WA_A_VERSION, wa_sv(version), &err));
}

static void begin(struct wa_db *db, const char *package, const char *hook,
                  enum wa_journal_step step)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    make(&c, package, "2-1");
    const struct wa_journal_entry e = {.control = &c,
                                       .hook = hook,
                                       .repo = "wapt",
                                       .params = WA_SV("{\"k\":\"v\"}"),
                                       .is_explicit = true,
                                       .step = step};
    WA_ASSERT_OK(wa_journal_begin(db, &e, &err));
}

static void put(struct wa_db *db, const char *package)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    make(&c, package, "1-1");
    WA_ASSERT_OK(wa_installed_put(db, &c, "wapt", "OK", 1, WA_SV(""), WA_SV("{}"), false, &err));
}

/* The row of a package: "status version params explicit", "" for none. */
static void row(struct wa_db *db, const char *package, char out[200])
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    out[0] = '\0';
    WA_ASSERT_OK(wa_installed_load(db, package, &l, &err));
    if (l.n == 1)
        (void)snprintf(out, 200, "%s %s %s %d", l.items[0].base.status,
                       wa_control_get(&l.items[0].base.control, WA_A_VERSION), l.items[0].params,
                       l.items[0].base.is_explicit);
}

static size_t recover(struct wa_db *db)
{
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    WA_ASSERT_OK(wa_agent_db_recover(db, &n, &err));
    return n;
}

static void test_how_far_it_had_come(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    char text[200], hook[16];
    WA_AUTO_INSTALLED struct wa_installed_list fresh = {NULL, 0, 0};
    put(db, "unbegun");
    put(db, "upgraded");
    put(db, "leaving");
    begin(db, "unbegun", "install", WA_JOURNAL_SNAPSHOT);
    begin(db, "upgraded", "install", WA_JOURNAL_SCRIPT);
    begin(db, "fresh", "install", WA_JOURNAL_SCRIPT);
    begin(db, "leaving", "uninstall", WA_JOURNAL_SCRIPT);
    WA_ASSERT_OK(wa_journal_output(db, "fresh", WA_SV("last words"), &err));
    WA_ASSERT_OK(wa_journal_hook(db, "leaving", hook, &err));
    assert_string_equal(hook, "uninstall");
    WA_ASSERT_OK(wa_journal_hook(db, "unbegun", hook, &err));
    assert_string_equal(hook, "");
    begin(db, "ended", "install", WA_JOURNAL_SCRIPT);
    WA_ASSERT_OK(wa_journal_end(db, "ended", &err));
    assert_int_equal(recover(db), 3);
    row(db, "unbegun", text);
    assert_string_equal(text, "OK 1-1 {} 0");
    row(db, "upgraded", text);
    assert_string_equal(text, "ERROR 1-1 {\"k\":\"v\"} 1");
    row(db, "fresh", text);
    assert_string_equal(text, "ERROR 2-1 {\"k\":\"v\"} 1");
    WA_ASSERT_OK(wa_installed_load(db, "fresh", &fresh, &err));
    assert_int_equal(strncmp(fresh.items[0].output, "last words\ninterrupted while", 28), 0);
    row(db, "leaving", text);
    assert_string_equal(text, "ERROR 1-1 {} 0");
    row(db, "ended", text);
    assert_string_equal(text, "");
    assert_int_equal(recover(db), 0); /* once */
}

static void test_an_undoing_is_owed_until_it_is_ended(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    struct wa_journal_owed o;
    bool found = false;
    begin(db, "first", "install", WA_JOURNAL_SNAPSHOT);
    WA_ASSERT_OK(wa_journal_step(db, "first", WA_JOURNAL_SCRIPT, "snap-1", &err));
    begin(db, "second", "install", WA_JOURNAL_SNAPSHOT);
    WA_ASSERT_OK(wa_journal_step(db, "second", WA_JOURNAL_UNDO, "snap-2", &err));
    assert_int_equal(recover(db), 2);
    assert_int_equal(recover(db), 0);
    for (int64_t tries = 1; tries <= 2; tries++) {
        WA_ASSERT_OK(wa_journal_next_owed(db, &o, &found, &err));
        assert_true(found);
        assert_string_equal(o.snapshot, "snap-1");
        assert_int_equal(o.tries, tries);
        wa_journal_owed_fini(&o);
    }
    WA_ASSERT_OK(wa_journal_end(db, "first", &err));
    WA_ASSERT_OK(wa_journal_next_owed(db, &o, &found, &err));
    assert_string_equal(o.snapshot, "snap-2");
    wa_journal_owed_fini(&o);
    WA_ASSERT_OK(wa_journal_end(db, "second", &err));
    WA_ASSERT_OK(wa_journal_next_owed(db, &o, &found, &err));
    assert_false(found);
}

static int64_t next_of(struct wa_db *db, const char *version, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t next = 0;
    WA_ASSERT_OK(wa_attempt_next(db, "p", version, now, &next, &err));
    return next;
}

static void failed(struct wa_db *db, const char *version, bool is_interruption, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_attempt_failed(db, "p", version, "a reason", is_interruption, now, &err));
}

static void test_each_failure_makes_the_wait_longer(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    const int64_t now = 1000000;
    int64_t least = 900, first = 0;
    assert_int_equal(next_of(db, "1-1", now), 0);
    for (unsigned i = 0; i < 12; i++) {
        failed(db, "1-1", false, now);
        int64_t wait = next_of(db, "1-1", now) - now;
        assert_in_range(wait, least, 2 * least);
        assert_int_equal(next_of(db, "1-1", now + wait), 0);
        least = least * 2 < 43200 ? least * 2 : 43200;
    }
    WA_ASSERT_OK(wa_attempt_first(db, now, &first, &err));
    assert_int_equal(first, next_of(db, "1-1", now));
    WA_ASSERT_OK(wa_attempt_first(db, first, &first, &err));
    assert_int_equal(first, 0);
    assert_int_equal(next_of(db, "1-1", now - 1), 0); /* the clock was set back */
    assert_int_equal(next_of(db, "2-1", now), 0);     /* another version */
    failed(db, "2-1", true, now);
    assert_int_equal(next_of(db, "2-1", now),
                     0); /* one interruption costs no wait, the next does */
    failed(db, "2-1", true, now);
    assert_int_not_equal(next_of(db, "2-1", now), 0);
    WA_ASSERT_OK(wa_attempt_forget(db, "p", &err));
    assert_int_equal(next_of(db, "2-1", now), 0);
}

static void test_what_a_task_has_done(void **state)
{
    struct wa_db *db = ((struct place *)*state)->db;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_task t = {.id = 0};
    struct wa_task_done d;
    int64_t id = 0;
    bool found = false;
    make(&c, "p", "1-1");
    WA_ASSERT_OK(wa_task_add(db, "install", WA_SV("{}"), "x", "0123", 0, &id, &err));
    for (unsigned starts = 0; starts < 2; starts++) {
        WA_ASSERT_OK(wa_task_take(db, &t, &found, &err));
        assert_true(found);
        assert_int_equal(wa_task_has_done(&t, WA_SV("p")), starts > 0);
        assert_false(wa_task_has_done(&t, WA_SV("p2")));
        struct wa_sv rest = wa_sv(t.done);
        if (starts == 0) {
            assert_false(wa_task_next_done(&rest, &d));
            WA_ASSERT_OK(wa_task_note(db, id, &c, "a status", &err));
        } else {
            assert_true(wa_task_next_done(&rest, &d));
            assert_true(wa_sv_eqs(d.version, "1-1") && wa_sv_eqs(d.status, "a status"));
            assert_false(wa_task_next_done(&rest, &d));
        }
        wa_task_fini(&t);
        assert_int_equal(recover(db), 0);
    }
}

/* On a connection of its own, whose statements are freed with it. */
static enum wa_code recover_all(void *arg, struct wa_err *err)
{
    struct place *p = arg;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    size_t n = 0;
    wa_torture_pause();
    begin(p->db, "fresh", "install", WA_JOURNAL_SCRIPT);
    wa_torture_resume();
    return wa_agent_db_open(p->dir, &db, err) == WA_OK ? wa_agent_db_recover(db, &n, err)
                                                       : err->code;
}

static void test_memory_runs_out(void **state)
{
    struct place *p = *state;
    char text[200];
    begin(p->db, "fresh", "install", WA_JOURNAL_SCRIPT); /* the statement is prepared */
    (void)wa_torture(recover_all, p);
    row(p->db, "fresh", text);
    assert_string_equal(text, "ERROR 2-1 {\"k\":\"v\"} 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_how_far_it_had_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_undoing_is_owed_until_it_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_failure_makes_the_wait_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_a_task_has_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_runs_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
