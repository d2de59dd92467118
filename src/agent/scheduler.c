/* scheduler.c - when the machine does what by itself: updates, upgrades in its maintenance windows,
 * packages whose day has come, audits. The loop's, but for what the header says.
 *
 * What is due is kept in the database: a machine that was off does it when it is on again, and not
 * again when it was only started again. Windows come from the configuration, else from the
 * machine's own signed packages, never from the server; what is ordered or asked for does not go by
 * them. Freezes come from both, and no upgrade is done in them, whoever wants it, unless it is
 * forced: only what somebody with the right to it names.
 */
#include "agent/scheduler.h"
#include "agent/backoff.h"
#include "agent/journal.h"
#include "agent/tasks.h"
#include "agent/work.h"

#include "base/date.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/moment.h"
#include "os/rand.h"
#include "pkg/windows.h"

#define AUDIT_CHECK_S 60
#define START_S 60          /* a machine that starts has other things to do first */
#define FORCED_RETRY_S 3600 /* until what was forced in vain is tried again */
#define RETRY_FIRST_S                                                                              \
    1800 /* until an upgrade that failed is tried again; doubles, to its period                    \
          */
#define PARAM_FAILURES "upgrade_failures" /* in a row */

/* From 0 to max: so that a fleet does not move at once. */
static int64_t random_until(int64_t max)
{
    struct wa_err ignored = WA_ERR_INIT;
    uint64_t r = 0;
    return max > 0 && wa_rand_bytes(&r, sizeof r, &ignored) == WA_OK
               ? (int64_t)(r % ((uint64_t)max + 1))
               : 0;
}

static void database_failed(struct wa_manager *m, const struct wa_err *err)
{
    wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", err);
}

int64_t wa_schedule_local(int64_t seconds)
{
    char text[WA_DATE_MAX];
    int64_t local = seconds;
    wa_date_isolocal(seconds, 0, text);
    return wa_date_parse_iso(wa_sv(text), &local) ? local : seconds;
}

static void set_next(struct wa_manager *m, const char *name, int64_t *field, int64_t at)
{
    struct wa_err err = WA_ERR_INIT;
    *field = at;
    if (wa_param_set_i64(m->db, name, at, &err) != WA_OK)
        database_failed(m, &err);
}

/* --- whether --- */

/* The text of the windows that hold; "": any time. */
static enum wa_code windows_text(struct wa_manager *m, struct wa_db *db, struct wa_buf *out,
                                 struct wa_err *err)
{
    if (m->config.windows[0] == '\0')
        return wa_param_get(db, WA_PARAM_WINDOWS, out, err);
    wa_buf_adds(out, m->config.windows);
    return wa_buf_check(out, err);
}

/* The freezes of the configuration and of the machine's own packages. */
static enum wa_code freezes_text(struct wa_manager *m, struct wa_db *db, struct wa_buf *out,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf more;
    wa_buf_init(&more, WA_WINDOWS_BYTES_MAX);
    if (wa_param_get(db, WA_PARAM_FREEZES, &more, err) != WA_OK)
        return err->code;
    wa_buf_addf(out, "%s%s", m->config.freezes,
                m->config.freezes[0] != '\0' && more.n > 0 ? "," : "");
    wa_buf_addsv(out, wa_buf_sv(&more));
    return wa_buf_check(out, err);
}

/* When the freeze that holds now ends, by the clock on the wall; 0: none does. Those that can't be
 * read have no end: each was read before it was kept. */
static int64_t frozen_until(struct wa_manager *m, struct wa_db *db, int64_t now)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_freezes f = {.n = 0};
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, 2 * WA_WINDOWS_BYTES_MAX);
    if (freezes_text(m, db, &text, &err) != WA_OK ||
        wa_freezes_parse(wa_buf_sv(&text), &f, &err) != WA_OK) {
        wa_log_err(&m->log, WA_LOG_ERROR, "freezes.unreadable", &err);
        return INT64_MAX;
    }
    return wa_freezes_end(&f, wa_schedule_local(now));
}

enum waits { FOR_NOTHING, FOR_FREEZE, FOR_READABLE, FOR_WINDOW, FOR_POWER };
static const struct {
    const char *name; /* for programs */
    const char *text;
} waits[] = {
    [FOR_NOTHING] = {"", ""},
    [FOR_FREEZE] = {"freeze", WA_TEXT("the end of a freeze")},
    [FOR_READABLE] = {"unreadable", WA_TEXT("the maintenance windows can't be read")},
    [FOR_WINDOW] = {"window", WA_TEXT("a maintenance window")},
    [FOR_POWER] = {"power", WA_TEXT("mains power")},
};

/* The windows that hold. */
static enum wa_code load_windows(struct wa_manager *m, struct wa_db *db, struct wa_windows *ret,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_WINDOWS_BYTES_MAX);
    return windows_text(m, db, &text, err) == WA_OK ? wa_windows_parse(wa_buf_sv(&text), ret, err)
                                                    : err->code;
}

/* Why a scheduled upgrade that is due since then may not begin now; FOR_NOTHING: it may, until
 * *ret_until (0: without end). */
static enum waits why_not(struct wa_manager *m, struct wa_db *db, int64_t due, int64_t now,
                          int64_t *ret_until)
{
    struct wa_windows w = {.n = 0};
    struct wa_err err = WA_ERR_INIT;
    *ret_until = 0;
    if (frozen_until(m, db, now) != 0)
        return FOR_FREEZE;
    if (load_windows(m, db, &w, &err) != WA_OK) {
        wa_log_err(&m->log, WA_LOG_ERROR, "windows.unreadable", &err);
        return FOR_READABLE;
    }
    bool is_late = m->config.catch_up_s > 0 && now - due > m->config.catch_up_s;
    if (w.n > 0 && !is_late) {
        int64_t local = wa_schedule_local(now), end = wa_windows_end(&w, local);
        if (end == 0)
            return FOR_WINDOW;
        *ret_until = now + (end - local);
    }
    return !m->config.upgrade_on_battery && wa_moment_on_battery() ? FOR_POWER : FOR_NOTHING;
}

/* --- the turns --- */

/* How far away what is done with that period is ever put. */
static int64_t furthest(const struct wa_manager *m, int64_t period)
{
    return period + m->config.spread_s + START_S;
}

static bool queue(struct wa_manager *m, const struct wa_local_request *r)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t id = 0;
    if (wa_manager_queue(m, wa_local_op_name(r->op), r, WA_SCHEDULER, "", 0, &id, &err) == WA_OK)
        return true;
    wa_log_err(&m->log, WA_LOG_ERROR, "schedule.failed", &err);
    return false;
}

static void turn_update(struct wa_manager *m, int64_t now)
{
    struct wa_schedule *s = &m->schedule;
    const struct wa_local_request r = {.op = WA_OP_UPDATE};
    if (m->config.update_period_s <= 0 ||
        wa_is_to_come(s->next_update, now, furthest(m, m->config.update_period_s)))
        return;
    (void)queue(m, &r);
    set_next(m, "next_update", &s->next_update,
             now + m->config.update_period_s + random_until(m->config.spread_s));
}

static void waits_for(struct wa_manager *m, const char *what)
{
    struct wa_schedule *s = &m->schedule;
    if (s->waits_for != what && what[0] != '\0') /* of the table: told once */
        wa_log(&m->log, WA_LOG_INFO, "upgrade.waits", WA_LF_S("for", what));
    s->waits_for = what;
}

static void turn_upgrade(struct wa_manager *m, int64_t now)
{
    struct wa_schedule *s = &m->schedule;
    const struct wa_local_request r = {.op = WA_OP_UPGRADE,
                                       .only_if_not_running = true,
                                       .priorities = wa_sv(m->config.upgrade_priorities)};
    int64_t until = 0;
    wa_lock_take(m->lock);
    int64_t owed = s->owed_at;
    s->owed_at = 0;
    wa_lock_give(m->lock);
    if (owed > 0)
        set_next(m, "next_upgrade", &s->next_upgrade, owed);
    if (m->config.upgrade_period_s <= 0 ||
        wa_is_to_come(s->next_upgrade, now, furthest(m, m->config.upgrade_period_s)))
        return;
    enum waits why = why_not(m, m->db, s->next_upgrade, now, &until);
    waits_for(m, waits[why].text);
    if (why != FOR_NOTHING) {
        s->upgrade_at = 0;
        return;
    }
    if (s->upgrade_at == 0) {
        int64_t room = until > 0 ? (until - now) / 2 : m->config.spread_s;
        s->upgrade_at = now + random_until(room < m->config.spread_s ? room : m->config.spread_s);
    }
    if (wa_is_to_come(s->upgrade_at, now, m->config.spread_s))
        return;
    wa_lock_take(m->lock);
    s->upgrade_due = s->next_upgrade;
    wa_lock_give(m->lock);
    if (!queue(m, &r))
        return;
    s->upgrade_at = 0;
    set_next(m, "next_upgrade", &s->next_upgrade,
             now + m->config.upgrade_period_s + random_until(m->config.spread_s));
}

/* --- packages that are forced on a day --- */

/* Lines of "seconds name(=version)". Those whose time has come go to r, as many as there is room
 * for; *ret_first: of the earliest of all, 0: none. */
static void read_forced(struct wa_sv text, int64_t now, struct wa_local_request *r,
                        int64_t *ret_first)
{
    struct wa_sv line, at_text;
    *ret_first = 0;
    while (text.n > 0 && wa_sv_split(&text, '\n', &line)) {
        int64_t at;
        if (!wa_sv_split(&line, ' ', &at_text) || !wa_sv_i64(at_text, &at) || line.n == 0)
            continue;
        if (*ret_first == 0 || at < *ret_first)
            *ret_first = at;
        if (at <= now && r->package_count < WA_COUNT(r->packages))
            r->packages[r->package_count++] = line;
    }
}

static void turn_forced(struct wa_manager *m, int64_t now)
{
    struct wa_schedule *s = &m->schedule;
    struct wa_local_request r = {.op = WA_OP_INSTALL};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_PENDING_BYTES_MAX);
    wa_lock_take(m->lock);
    int64_t at = s->forced_at;
    wa_lock_give(m->lock);
    if (at == 0 || now < at || wa_is_to_come(s->forced_retry, now, FORCED_RETRY_S) ||
        frozen_until(m, m->db, now) != 0)
        return;
    s->forced_retry = now + FORCED_RETRY_S;
    if (wa_param_get(m->db, WA_PARAM_FORCED, &text, &err) != WA_OK) {
        database_failed(m, &err);
        return;
    }
    read_forced(wa_buf_sv(&text), now, &r, &at);
    if (r.package_count > 0)
        (void)queue(m, &r);
}

/* --- audits --- */

static bool audit_is_due(struct wa_manager *m, int64_t now)
{
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    struct wa_err err = WA_ERR_INIT;
    if (wa_installed_load(m->db, NULL, &l, &err) != WA_OK)
        return false;
    for (size_t i = 0; i < l.n; i++)
        if (wa_audit_is_due(m, &l.items[i], now))
            return true;
    return false;
}

static void turn_audit(struct wa_manager *m, int64_t now)
{
    const struct wa_local_request r = {.op = WA_OP_AUDIT};
    if (wa_is_to_come(m->schedule.next_audit_check, now, AUDIT_CHECK_S))
        return;
    m->schedule.next_audit_check = now + AUDIT_CHECK_S;
    if (audit_is_due(m, now))
        (void)queue(m, &r);
}

void wa_schedule_turn(struct wa_manager *m, int64_t now)
{
    turn_update(m, now);
    turn_forced(m, now);
    turn_upgrade(m, now);
    turn_audit(m, now);
}

/* --- from one start to the next --- */

/* What was kept, unless it is further away than one period: then the clock was set back, or the
 * period is another one. fallback: when nothing was kept. 0: it has no period, and when it gets one
 * it is not due since long. */
static int64_t kept(const struct wa_manager *m, int64_t at, int64_t now, int64_t period,
                    int64_t fallback)
{
    if (period <= 0)
        return 0;
    return at == 0 || at > now + furthest(m, period) ? fallback : at;
}

enum wa_code wa_schedule_start(struct wa_manager *m, int64_t now, struct wa_err *err)
{
    struct wa_schedule *s = &m->schedule;
    const struct wa_agent_config *c = &m->config;
    struct wa_local_request ignored = {.op = WA_OP_INSTALL};
    WA_AUTO_BUF struct wa_buf forced;
    int64_t update = 0, upgrade = 0;
    wa_buf_init(&forced, WA_PENDING_BYTES_MAX);
    if (wa_param_i64(m->db, "next_update", &update, err) != WA_OK ||
        wa_param_i64(m->db, "next_upgrade", &upgrade, err) != WA_OK ||
        wa_param_get(m->db, WA_PARAM_FORCED, &forced, err) != WA_OK)
        return err->code;
    /* Spread, so that a fleet that was switched on together does not ask together. */
    int64_t soon = now + (c->spread_s > 0 ? START_S + random_until(c->spread_s) : 0);
    update = kept(m, update, now, c->update_period_s, soon);
    s->next_update = update > 0 && update < soon ? soon : update;
    s->next_upgrade = kept(m, upgrade, now, c->upgrade_period_s, soon + c->upgrade_period_s);
    s->waits_for = "";
    read_forced(wa_buf_sv(&forced), now, &ignored, &s->forced_at);
    /* The first ones are kept too: a machine that is never on for a whole period has its upgrade
     * all the same. */
    if (wa_param_set_i64(m->db, "next_update", s->next_update, err) != WA_OK)
        return err->code;
    return wa_param_set_i64(m->db, "next_upgrade", s->next_upgrade, err);
}

/* --- the task thread's --- */

/* An upgrade in a freeze, or what the schedule wants then, whatever it is. */
static enum wa_code check_freeze(struct wa_task_run *run, int64_t now, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    bool is_upgrade =
        (run->request.op == WA_OP_UPGRADE || run->request.as_upgrade) && !run->request.force;
    bool is_forced = run->request.op == WA_OP_INSTALL && wa_task_is_scheduled(run->task);
    int64_t end = is_upgrade || is_forced ? frozen_until(m, m->tdb, now) : 0;
    char day[WA_DATE_MAX] = "its end";
    if (end == 0)
        return WA_OK;
    if (end != INT64_MAX) {
        wa_date_isoutc(end, 0, day); /* of the clock on the wall already */
        day[10] = '\0';              /* of the day alone */
    }
    return wa_fail(err, wa_task_is_scheduled(run->task) ? WA_E_CANCELLED : WA_E_REFUSED,
                   "nothing is upgraded before %s: this machine is in a freeze", day);
}

enum wa_code wa_schedule_begin(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    int64_t now = wa_clock_now();
    bool is_mine = run->request.op == WA_OP_UPGRADE && wa_task_is_scheduled(run->task);
    if (!is_mine)
        return check_freeze(run, now, err);
    /* It may have waited for others, or for the machine to be on again. */
    wa_lock_take(m->lock);
    int64_t due = m->schedule.upgrade_due;
    wa_lock_give(m->lock);
    enum waits why = why_not(m, m->tdb, due > 0 ? due : now, now, &run->until);
    if (why == FOR_NOTHING)
        return WA_OK;
    run->is_postponed = true;
    return wa_fail(err, WA_E_CANCELLED, "put off: it waits for %s", wa_text(waits[why].text));
}

/* Kept at once: the service may end before its next turn. */
static void owe(struct wa_manager *m, int64_t at)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_param_set_i64(m->tdb, "next_upgrade", at, &err) != WA_OK)
        database_failed(m, &err);
    wa_lock_take(m->lock);
    m->schedule.owed_at = at;
    wa_lock_give(m->lock);
}

/* The next one is tried before its day, unless a user or the end of the service stopped this one.
 */
static enum wa_code count_failures(struct wa_manager *m, enum wa_code code, struct wa_err *err)
{
    int64_t failures = 0, period = m->config.upgrade_period_s, now = wa_clock_now(), first = 0;
    if (code == WA_OK) { /* what failed before may have been left out: it has a time of its own */
        if (wa_attempt_first(m->tdb, now, &first, err) != WA_OK)
            return err->code;
        if (first > 0 && first < now + period)
            owe(m, first);
        return wa_param_set_i64(m->tdb, PARAM_FAILURES, 0, err);
    }
    if (code == WA_E_CANCELLED || period <= RETRY_FIRST_S)
        return WA_OK;
    if (wa_param_i64(m->tdb, PARAM_FAILURES, &failures, err) != WA_OK)
        return err->code;
    owe(m, wa_clock_now() + RETRY_FIRST_S / 2 +
               (int64_t)wa_backoff(RETRY_FIRST_S / 2, (uint64_t)period - RETRY_FIRST_S / 2,
                                   (uint64_t)failures));
    return wa_param_set_i64(m->tdb, PARAM_FAILURES, failures < 64 ? failures + 1 : failures, err);
}

void wa_schedule_ended(const struct wa_task_run *run, enum wa_code code)
{
    struct wa_manager *m = run->m;
    struct wa_err err = WA_ERR_INIT;
    if (run->request.op != WA_OP_UPGRADE || !wa_task_is_scheduled(run->task))
        return;
    if (run->is_postponed) { /* due since when it was before */
        wa_lock_take(m->lock);
        int64_t due = m->schedule.upgrade_due;
        wa_lock_give(m->lock);
        owe(m, due > 0 ? due : wa_clock_now());
    } else if (count_failures(m, code, &err) != WA_OK) {
        database_failed(m, &err);
    }
}

void wa_schedule_forced(struct wa_manager *m, int64_t at)
{
    wa_lock_take(m->lock);
    m->schedule.forced_at = at;
    wa_lock_give(m->lock);
}

/* --- for people --- */

enum wa_code wa_schedule_status(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    const struct wa_schedule *s = &m->schedule;
    int64_t now = wa_clock_now(), frozen = frozen_until(m, m->db, now);
    WA_AUTO_BUF struct wa_buf windows;
    WA_AUTO_BUF struct wa_buf freezes;
    WA_AUTO_BUF struct wa_buf held;
    wa_buf_init(&windows, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&freezes, 2 * WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&held, WA_HOLDS_BYTES_MAX);
    wa_buf_adds(&held, m->config.held);
    if (windows_text(m, m->db, &windows, err) != WA_OK ||
        freezes_text(m, m->db, &freezes, err) != WA_OK ||
        wa_param_get(m->db, WA_PARAM_HOLDS, &held, err) != WA_OK)
        return err->code;
    wa_jw_kvi(w, "next_update", m->config.update_period_s > 0 ? s->next_update : 0);
    wa_jw_kvi(w, "next_upgrade", m->config.upgrade_period_s > 0 ? s->next_upgrade : 0);
    wa_jw_kv(w, "upgrade_waits_for",
             s->waits_for != NULL && s->waits_for[0] != '\0' ? wa_text(s->waits_for) : "");
    wa_jw_kvsv(w, "maintenance_windows", wa_buf_sv(&windows));
    wa_jw_kvsv(w, "freeze_periods", wa_buf_sv(&freezes));
    wa_jw_kvi(w, "frozen_until",
              frozen == 0 || frozen == INT64_MAX ? frozen
                                                 : now + (frozen - wa_schedule_local(now)));
    wa_jw_kvsv(w, "packages_held", wa_buf_sv(&held));
    return wa_buf_check(&held, err);
}

/* The window that goes on or comes next; an end of INT64_MAX: any time; 0, 0: never any more. */
static enum wa_code write_window(struct wa_manager *m, int64_t now, struct wa_jw *w,
                                 struct wa_err *err)
{
    struct wa_windows list = {.n = 0};
    struct wa_err why = WA_ERR_INIT;
    int64_t local = wa_schedule_local(now), begin = 0, end = 0;
    if (load_windows(m, m->tdb, &list, &why) == WA_E_NOMEM)
        return wa_nomem(err);
    bool is_any = why.code == WA_OK && list.n == 0;
    bool is_some = !is_any && wa_windows_span(&list, local, &begin, &end);
    is_any = is_any || (is_some && end == INT64_MAX);
    wa_jw_kvi(w, "window_begin", is_some && !is_any ? now + (begin - local) : 0);
    wa_jw_kvi(w, "window_end", is_any ? INT64_MAX : is_some ? now + (end - local) : 0);
    return WA_OK;
}

enum wa_code wa_schedule_policy(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    int64_t now = wa_clock_now(), frozen = frozen_until(m, m->tdb, now), due = 0, until = 0;
    enum waits why = FOR_NOTHING;
    bool is_scheduled = !m->once && m->config.upgrade_period_s > 0;
    if (is_scheduled && wa_param_i64(m->tdb, "next_upgrade", &due, err) != WA_OK)
        return err->code;
    if (due > 0 && due <= now)
        why = why_not(m, m->tdb, due, now, &until);
    wa_jw_kvi(w, "utc_offset", wa_schedule_local(now) - now);
    wa_jw_kvi(w, "next_upgrade", due);
    wa_jw_kv(w, "waits_for", waits[why].name);
    wa_jw_kvi(w, "frozen_until",
              frozen == 0 || frozen == INT64_MAX ? frozen
                                                 : now + (frozen - wa_schedule_local(now)));
    return write_window(m, now, w, err);
}
