/* What a machine does by itself, and when: weeks of a machine's life, turn by turn. */
#include "db_place.h"
#include "torture.h"

#include <stdlib.h>

#include "agent/scheduler.h"
#include "agent/tasks.h"
#include "base/date.h"
#include "os/clock.h"
#include "os/loop.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

struct place {
    char dir[WA_PATH_MAX];
    struct wa_manager m;
};

static char nothing[] = "", nights[] = "mon-fri 22:00-05:00";

/* A Thursday at noon. */
static int64_t noon(void)
{
    return wa_date_from_civil(2026, 11, 26, 12, 0, 0);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    wa_log_init(&p->m.log, 2, WA_LOG_ERROR, "test");
    WA_ASSERT_OK(wa_lock_new(&p->m.lock, &err));
    WA_ASSERT_OK(wa_cancel_new(&p->m.cancel, &err));
    WA_ASSERT_OK(wa_loop_new(&p->m.loop, &err));
    p->m.tdb = p->m.db = db_place_new(p->dir);
    p->m.config.windows = p->m.config.freezes = p->m.config.upgrade_priorities = nothing;
    p->m.config.upgrade_on_battery = true; /* the machine of the test may run on one */
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_loop_run(p->m.loop, &err)); /* what is told, to nobody */
    wa_loop_free(p->m.loop);
    wa_db_close(p->m.db);
    wa_cancel_free(p->m.cancel);
    wa_lock_free(p->m.lock);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

static void start(struct place *p, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_schedule_start(&p->m, now, &err));
}

/* The queue is worked off at once. Returns what was in it: the last task's kind, "" for none. */
static const char *worked_off(struct place *p, char args[512])
{
    static char kind[32];
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t;
    bool found = true;
    kind[0] = '\0';
    for (;;) {
        WA_ASSERT_OK(wa_task_take(p->m.db, &t, &found, &err));
        if (!found)
            return kind;
        (void)snprintf(kind, sizeof kind, "%s", t.kind);
        assert_string_equal(t.created_by, WA_SCHEDULER);
        if (args != NULL)
            (void)snprintf(args, 512, "%s", t.args);
        WA_ASSERT_OK(wa_task_finish(p->m.db, t.id, WA_OK, WA_SV(""), WA_SV(""), &err));
        wa_task_fini(&t);
    }
}

/* Lives from a moment to another, a turn a minute; how often it did that kind. *ret_first: when
 * first. */
static unsigned live(struct place *p, int64_t from, int64_t to, const char *kind,
                     int64_t *ret_first)
{
    unsigned n = 0;
    for (int64_t now = from; now < to; now += MINUTE) {
        wa_schedule_turn(&p->m, now);
        if (strcmp(worked_off(p, NULL), kind) == 0 && n++ == 0 && ret_first != NULL)
            *ret_first = now;
    }
    return n;
}

static void test_updates_by_their_period(void **state)
{
    struct place *p = *state;
    int64_t t = noon(), first = 0;
    p->m.config.update_period_s = 2 * HOUR;
    start(p, t);
    assert_int_equal(live(p, t, t + DAY, "update", &first), 12);
    assert_int_equal(first, t);
    start(p, t + DAY); /* a restart brings nothing forward */
    assert_int_equal(live(p, t + DAY, t + DAY + HOUR, "update", NULL), 1); /* the 13th was due */
    start(p, t + DAY + HOUR);
    assert_int_equal(live(p, t + DAY + HOUR, t + DAY + HOUR + 30 * MINUTE, "update", NULL), 0);
    start(p, t + 9 * DAY); /* was off */
    assert_int_equal(live(p, t + 9 * DAY, t + 9 * DAY + HOUR, "update", NULL), 1);
    start(p, t); /* the clock was set back */
    assert_int_equal(live(p, t, t + HOUR, "update", NULL), 1);
    p->m.config.update_period_s = 0;
    assert_int_equal(live(p, t, t + DAY, "update", NULL), 0);
}

/* Once it was years ahead, for an hour: what was put off then is done all the same, without a
 * restart. */
static void test_clock_that_was_ahead(void **state)
{
    struct place *p = *state;
    int64_t t = noon(), ahead = t + 3650 * (int64_t)DAY;
    p->m.config.update_period_s = 2 * HOUR;
    p->m.config.upgrade_period_s = DAY;
    start(p, t);
    assert_int_equal(live(p, t, t + HOUR, "update", NULL), 1);
    assert_int_equal(live(p, ahead, ahead + HOUR, "upgrade", NULL), 1);
    assert_int_equal(live(p, t + HOUR, t + HOUR + DAY, "update", NULL),
                     11); /* one with an upgrade */
    assert_int_equal(live(p, t + DAY, t + 3 * DAY, "upgrade", NULL), 2);
}

static void test_spread(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int64_t t = noon(), least = INT64_MAX, most = 0;
    p->m.config.upgrade_period_s = DAY;
    p->m.config.windows = nights;
    p->m.config.spread_s = 2 * HOUR;
    for (int i = 0; i < 20; i++) { /* machines */
        int64_t at = 0;
        WA_ASSERT_OK(wa_param_set_i64(p->m.db, "next_upgrade", t - HOUR, &err));
        start(p, t);
        p->m.schedule.upgrade_at = 0;
        assert_int_equal(live(p, t + 9 * HOUR, t + 17 * HOUR, "upgrade", &at), 1);
        least = at < least ? at : least;
        most = at > most ? at : most;
    }
    assert_true(least >= t + 10 * HOUR && most <= t + 12 * HOUR + MINUTE);
    assert_true(most - least > 10 * MINUTE); /* 20 of 121 minutes alike: never */
}

static void test_upgrades_in_their_windows(void **state)
{
    struct place *p = *state;
    int64_t t = noon(), first = 0;
    start(p, t - 10 * DAY); /* none were scheduled then: so none is late */
    p->m.config.upgrade_period_s = DAY;
    p->m.config.windows = nights;
    start(p, t);
    assert_int_equal(live(p, t, t + DAY, "upgrade", NULL), 0); /* the first one after a period */
    assert_int_equal(live(p, t + DAY, t + DAY + 10 * HOUR, "upgrade", NULL), 0);
    assert_string_equal(p->m.schedule.waits_for, "a maintenance window");
    assert_int_equal(live(p, t + DAY + 10 * HOUR, t + 2 * DAY, "upgrade", &first), 1);
    assert_int_equal(first, t + DAY + 10 * HOUR); /* Friday, 22:00 */
    assert_string_equal(p->m.schedule.waits_for, "");
    /* The next one is due on Saturday at 22:00, and there is none before Monday night;
     * then Tuesday and Wednesday. */
    assert_int_equal(live(p, t + 2 * DAY, t + 7 * DAY, "upgrade", &first), 3);
    assert_int_equal(first, t + 4 * DAY + 10 * HOUR);
    /* Off in all nights: never, or after a while. */
    for (int day = 7; day < 20; day++) {
        start(p, t + day * DAY);
        assert_int_equal(live(p, t + day * DAY, t + day * DAY + 5 * HOUR, "upgrade", NULL), 0);
    }
    p->m.config.catch_up_s = 5 * DAY;
    start(p, t + 20 * DAY);
    assert_int_equal(live(p, t + 20 * DAY, t + 20 * DAY + 5 * HOUR, "upgrade", &first), 1);
    assert_int_equal(first, t + 20 * DAY);
}

/* The end of a window, and a task that waited until it was over. */
static void test_put_off(void **state)
{
    static char past[] = "2001-01-01 00:00-01:00", always[] = "00:00-24:00";
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now(), first = 0;
    struct wa_task t = {.id = 1, .kind = "upgrade", .created_by = WA_SCHEDULER};
    struct wa_task_run run = {.m = &p->m, .task = &t, .request = {.op = WA_OP_UPGRADE}};
    p->m.config.upgrade_period_s = DAY;
    WA_ASSERT_OK(wa_schedule_begin(&run, &err));
    assert_int_equal(run.until, 0);
    p->m.config.windows = always;
    WA_ASSERT_OK(wa_schedule_begin(&run, &err));
    assert_true(run.until > now);
    WA_ASSERT_OK(wa_task_may_go_on(&run, &err));
    run.until = now - 1;
    WA_ASSERT_CODE(wa_task_may_go_on(&run, &err), WA_E_CANCELLED);
    assert_true(run.is_postponed);
    run.is_postponed = false;
    p->m.config.windows = past;
    WA_ASSERT_CODE(wa_schedule_begin(&run, &err), WA_E_CANCELLED);
    assert_true(run.is_postponed);
    (void)snprintf(t.created_by, sizeof t.created_by, "uid 1000 (alice)"); /* who asks, goes */
    WA_ASSERT_OK(wa_schedule_begin(&run, &err));
    /* What was put off is due again, at once where it may. */
    start(p, now);
    (void)snprintf(t.created_by, sizeof t.created_by, "%s", WA_SCHEDULER);
    run.is_postponed = true;
    wa_schedule_ended(&run, WA_E_CANCELLED);
    assert_int_equal(live(p, now, now + HOUR, "upgrade", NULL), 0);
    p->m.config.windows = always;
    assert_int_equal(live(p, now + HOUR, now + 2 * HOUR, "upgrade", &first), 1);
    assert_int_equal(first, now + HOUR);
}

/* Nothing is upgraded in a freeze, of the configuration or of a signed package, but what is forced;
 * and then what is owed. */
static void test_freeze(void **state)
{
    static char today[] = "2026-11-26 until 2026-11-27";
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int64_t t = noon(), first = 0;
    char args[512];
    p->m.config.upgrade_period_s = DAY;
    p->m.config.catch_up_s = HOUR; /* which is for windows alone */
    p->m.config.freezes = today;
    WA_ASSERT_OK(wa_param_set_i64(p->m.db, "next_upgrade", t - DAY, &err));
    WA_ASSERT_OK(wa_param_set(p->m.db, WA_PARAM_FREEZES, WA_SV("2026-11-28, 2026-11-30"), &err));
    WA_ASSERT_OK(wa_param_set(p->m.db, WA_PARAM_FORCED, WA_SV("5 a(=1)\n"), &err));
    start(p, t);
    assert_int_equal(live(p, t, t + 12 * HOUR, "upgrade", NULL), 0);
    assert_string_equal(p->m.schedule.waits_for, "the end of a freeze");
    assert_int_equal(live(p, t + 12 * HOUR, t + 3 * DAY - 12 * HOUR, "install", NULL), 0);
    wa_schedule_turn(&p->m, t + 3 * DAY - 12 * HOUR); /* the 29th: what is forced is due too */
    assert_string_equal(worked_off(p, args), "upgrade");
    assert_int_equal(live(p, t + 3 * DAY, t + 6 * DAY, "upgrade", &first), 2);
    assert_int_equal(first, t + 4 * DAY + 12 * HOUR); /* not on the 30th */
}

/* Whoever asks. */
static void test_freeze_of_tasks(void **state)
{
    static char always[] = "1970-01-02 until 9999-12-31", damaged[] = "soon";
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 1, .kind = "upgrade", .created_by = "uid 0 (root)"};
    struct wa_task_run run = {.m = &p->m, .task = &t, .request = {.op = WA_OP_UPGRADE}};
    p->m.log.level = WA_LOG_ERROR + 1; /* what can't be read is told */
    p->m.config.freezes = always;
    WA_ASSERT_CODE(wa_schedule_begin(&run, &err), WA_E_REFUSED);
    p->m.config.freezes = damaged;
    WA_ASSERT_CODE(wa_schedule_begin(&run, &err), WA_E_REFUSED);
    run.request.force = true;
    WA_ASSERT_OK(wa_schedule_begin(&run, &err));
    run.request = (struct wa_local_request){.op = WA_OP_INSTALL};
    WA_ASSERT_OK(wa_schedule_begin(&run, &err)); /* by its name */
    (void)snprintf(t.created_by, sizeof t.created_by, "%s", WA_SCHEDULER);
    WA_ASSERT_CODE(wa_schedule_begin(&run, &err), WA_E_CANCELLED);
    assert_false(run.is_postponed);
}

/* One that failed is tried again soon, then ever later; one that somebody stopped is not. */
static void test_retry(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_task t = {.id = 1, .kind = "upgrade", .created_by = WA_SCHEDULER};
    struct wa_task_run run = {.m = &p->m, .task = &t, .request = {.op = WA_OP_UPGRADE}};
    int64_t now = wa_clock_now(), failures = 0;
    p->m.config.upgrade_period_s = DAY;
    start(p, now);
    wa_schedule_ended(&run, WA_E_CANCELLED);
    assert_int_equal(p->m.schedule.owed_at, 0);
    for (int i = 0; i < 70; i++) {
        int64_t bound = i < 6 ? (int64_t)(HOUR / 4) << i : DAY - HOUR / 4;
        wa_schedule_ended(&run, WA_E_PARTIAL);
        int64_t wait = p->m.schedule.owed_at - now;
        if (wait < HOUR / 4 || wait > HOUR / 4 + bound + MINUTE)
            fail_msg("after %d failures: %lld s", i + 1, (long long)wait);
    }
    wa_schedule_turn(&p->m, now);
    assert_int_equal(p->m.schedule.owed_at, 0); /* taken over */
    assert_true(p->m.schedule.next_upgrade <= now + DAY + MINUTE);
    start(p, now); /* kept */
    assert_true(p->m.schedule.next_upgrade <= now + DAY + MINUTE);
    WA_ASSERT_OK(wa_param_i64(p->m.db, "upgrade_failures", &failures, &err));
    assert_int_equal(failures, 64);
    wa_schedule_ended(&run, WA_OK);
    WA_ASSERT_OK(wa_param_i64(p->m.db, "upgrade_failures", &failures, &err));
    assert_int_equal(failures, 0);
    t.created_by[0] = '\0';
    wa_schedule_ended(&run, WA_E_PARTIAL); /* another's */
    assert_int_equal(p->m.schedule.owed_at, 0);
}

static void test_forced(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char text[256], args[512];
    int64_t t = noon();
    (void)snprintf(text, sizeof text, "%lld a(=1)\n%lld b(=2)\nnonsense\n%lld c(=3)\n",
                   (long long)t + HOUR, (long long)t + 5, (long long)t + DAY);
    WA_ASSERT_OK(wa_param_set(p->m.db, WA_PARAM_FORCED, wa_sv(text), &err));
    start(p, t);
    wa_schedule_turn(&p->m, t);
    assert_string_equal(worked_off(p, args), "");
    wa_schedule_turn(&p->m, t + 5);
    assert_string_equal(worked_off(p, args), "install");
    assert_non_null(strstr(args, "[\"b(=2)\"]"));
    wa_schedule_turn(&p->m, t + 10); /* in vain: again in an hour */
    assert_string_equal(worked_off(p, args), "");
    wa_schedule_turn(&p->m, t + HOUR + 10);
    assert_string_equal(worked_off(p, args), "install");
    assert_non_null(strstr(args, "[\"a(=1)\",\"b(=2)\"]"));
    wa_schedule_forced(&p->m, 0); /* all is there */
    wa_schedule_turn(&p->m, t + 9 * DAY);
    assert_string_equal(worked_off(p, args), "");
}

/* --- what is pending --- */

static void control(struct wa_control *c, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_control_parse(wa_sv(text), c, &err));
}

/* An old version installed, a newer one and two profiles available. */
static void stock(struct place *p)
{
    struct wa_control c[3], old;
    struct wa_err err = WA_ERR_INIT;
    control(&c[0], "package: tool\nversion: 2\narchitecture: all\nfilename: tool_2.wapt\n"
                   "forced_install_on: 2026-11-26T13:00:00\n");
    control(&c[1],
            "package: Policy\nversion: 1\narchitecture: all\nsection: profile\n"
            "filename: p.wapt\npackages_held: other, more(>=2) until 2999-01-01\n"
            "maintenance_windows: sun 10:00-11:00\nfreeze_periods: 2026-12-24 until 2027-01-03\n");
    control(
        &c[2],
        "package: Strange\nversion: 1\narchitecture: all\nsection: profile\n"
        "filename: s.wapt\npackages_held: (\nmaintenance_windows: night\nfreeze_periods: now\n");
    control(&old, "package: tool\nversion: 1\narchitecture: all\n");
    WA_ASSERT_OK(wa_available_replace(p->m.db, "wapt", 0, c, WA_COUNT(c), &err));
    WA_ASSERT_OK(
        wa_installed_put(p->m.db, &old, "wapt", "OK", 1, WA_SV(""), WA_SV("{}"), true, &err));
    for (size_t i = 0; i < WA_COUNT(c); i++)
        wa_control_fini(&c[i]);
    wa_control_fini(&old);
}

static void assert_param(struct place *p, const char *name, const char *expected)
{
    struct wa_buf WA_AUTO_BUF text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, 4096);
    WA_ASSERT_OK(wa_param_get(p->m.db, name, &text, &err));
    assert_string_equal(wa_buf_str(&text), expected);
}

static void assert_kept(struct place *p)
{
    assert_param(p, WA_PARAM_HOLDS, ",other, more(>=2) until 2999-01-01");
    assert_param(p, WA_PARAM_WINDOWS, "sun 10:00-11:00");
    assert_param(p, WA_PARAM_FREEZES, "2026-12-24 until 2027-01-03");
    assert_param(p, WA_PARAM_FORCED, "1795698000 tool(=2)\n");
    assert_param(p, "pending_files", "s.wapt\np.wapt\ntool_2.wapt\n");
}

static enum wa_code remember(void *arg, struct wa_err *err)
{
    struct place *p = arg;
    bool has_arrivals = false;
    struct wa_err ignored = WA_ERR_INIT;
    wa_torture_pause();
    assert_int_equal(wa_param_set(p->m.db, "pending_files", WA_SV("as it was"), &ignored), WA_OK);
    wa_torture_resume();
    enum wa_code code = wa_pending_remember(&p->m, &has_arrivals, err);
    wa_torture_pause();
    if (code == WA_OK) {
        assert_true(has_arrivals);
        assert_kept(p);
        assert_int_equal(p->m.schedule.forced_at, 1795698000);
    } else {
        assert_param(p, "pending_files", "as it was");
    }
    wa_torture_resume();
    return code;
}

/* Of packages that say what can't be read nothing counts, and nothing else is stopped. */
static void test_pending(void **state)
{
    static char profiles[] = "Strange,Policy", held[] = "held-here", maturities[] = "PROD";
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    p->m.log.level = WA_LOG_ERROR;
    p->m.config.host_profiles = profiles;
    p->m.config.held = held;
    p->m.config.maturities = maturities;
    p->m.config.locales = p->m.config.blacklist = p->m.config.whitelist = nothing;
    p->m.config.host_unit_dn = p->m.config.host_site = nothing;
    stock(p);
    WA_ASSERT_OK(remember(p, &err)); /* its statements are prepared from here on */
    (void)wa_torture(remember, p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_updates_by_their_period),
        TEST(test_spread),
        TEST(test_upgrades_in_their_windows),
        TEST(test_put_off),
        TEST(test_freeze),
        TEST(test_freeze_of_tasks),
        TEST(test_clock_that_was_ahead),
        TEST(test_retry),
        TEST(test_forced),
        TEST(test_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
