/* db_tasks.c - the queue. */
#include "agent/db.h"

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"

#define KEPT_TASKS 200 /* finished ones, for the history */
/* By which a signed cancel names a task of no order: no later one is ever called so. */
#define MARK "lower(hex(randomblob(16)))"

/* Who asked over the local interface, which writes "uid 1000 (alice)", and is not root. */
static bool is_users(const char *created_by)
{
    return strncmp(created_by, "uid ", 4) == 0 && strncmp(created_by, "uid 0 ", 6) != 0;
}

/* What users ask for overtakes nothing: one update after the other would leave orders waiting for
 * ever. */
static int priority_of(const char *kind, const char *created_by)
{
    static const char *const quick[] = {"update", "update-status", "register"};
    for (size_t i = 0; !is_users(created_by) && i < WA_COUNT(quick); i++)
        if (strcmp(kind, quick[i]) == 0)
            return 10;
    if (strcmp(kind, "reload") == 0)
        return 0;
    return strcmp(kind, "clean") == 0 ? 1000 : 100;
}

void wa_task_fini(struct wa_task *t)
{
    wa_free_secret(t->args);
    wa_free(t->done);
    *t = (struct wa_task){.id = 0};
}

/* An equal one that waits. What runs for its caller alone is equal only for the same caller. */
static enum wa_code find_equal(struct wa_db *db, const char *kind, struct wa_sv args,
                               const char *created_by, int64_t *ret_id, bool *ret_found,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT id FROM tasks WHERE state = 'queued' AND kind = ?1 AND args = ?2 AND "
                      "action_id = '' AND (kind <> 'session-setup' OR created_by = ?3)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, kind);
    wa_bind_sv(s, 1, args);
    wa_bind_s(s, 2, created_by);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        *ret_id = wa_col_i64(s, 0);
    wa_reset(s);
    return WA_OK;
}

/* Each user has some places, and users together never all of them. */
static enum wa_code check_room(struct wa_db *db, const char *created_by, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT COUNT(*), coalesce(SUM(created_by LIKE 'uid %' AND created_by NOT "
                      "LIKE 'uid 0 %'), 0), coalesce(SUM(created_by = ?), 0) FROM tasks WHERE "
                      "state = 'queued' AND action_id = ''",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, created_by);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t waiting = wa_col_i64(s, 0), of_users = wa_col_i64(s, 1), own = wa_col_i64(s, 2);
    wa_reset(s);
    if (is_users(created_by) && own >= WA_LOCAL_TASKS_PER_UID_MAX)
        return wa_fail(err, WA_E_BUSY, "%lld tasks of yours wait already: try again later",
                       (long long)own);
    return waiting < WA_LOCAL_TASKS_MAX &&
                   (!is_users(created_by) || of_users < WA_LOCAL_TASKS_USERS_MAX)
               ? WA_OK
               : wa_fail(err, WA_E_BUSY,
                         "%lld tasks wait already: try again later, or use 'wapt-get cancel-all'",
                         (long long)waiting);
}

enum wa_code wa_task_add(struct wa_db *db, const char *kind, struct wa_sv args,
                         const char *created_by, const char *action_id, int64_t not_before,
                         int64_t *ret_id, struct wa_err *err)
{
    const struct wa_language *language = wa_text_spoken();
    struct wa_stmt *s;
    bool found = false;
    if (action_id[0] == '\0' &&
        find_equal(db, kind, args, created_by, ret_id, &found, err) != WA_OK)
        return err->code;
    if (found)
        return WA_OK;
    if (action_id[0] == '\0' && check_room(db, created_by, err) != WA_OK)
        return err->code;
    if (wa_db_prepare(db,
                      "INSERT INTO tasks (kind, args, created_by, action_id, priority, not_before, "
                      "language, state, created, mark) VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', "
                      "?, " MARK ") RETURNING id",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, kind);
    wa_bind_sv(s, 1, args);
    wa_bind_s(s, 2, created_by);
    wa_bind_s(s, 3, action_id);
    wa_bind_i64(s, 4, priority_of(kind, created_by));
    wa_bind_i64(s, 5, not_before);
    wa_bind_s(s, 6, language != NULL ? wa_text_name_of(language) : "");
    wa_bind_i64(s, 7, wa_clock_now());
    if (wa_step(s, &found, err) != WA_OK)
        return err->code;
    *ret_id = wa_col_i64(s, 0);
    return wa_run(s, err);
}

enum wa_code wa_task_take(struct wa_db *db, struct wa_task *ret, bool *ret_found,
                          struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_task t = {.id = 0};
    if (wa_db_prepare(db,
                      "UPDATE tasks SET state = 'running', started = ?1 WHERE id = (SELECT id FROM "
                      "tasks WHERE state = 'queued'"
                      " AND (not_before <= ?1 OR (is_put_off AND not_before > ?1 + "
                      "86400)) ORDER BY priority, id LIMIT 1) RETURNING id, kind, "
                      "args, created_by, action_id, is_put_off, done, waits_for IS NOT "
                      "NULL, language",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, wa_clock_now());
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    t.id = wa_col_i64(s, 0);
    wa_col_text(s, 1, t.kind, sizeof t.kind);
    wa_col_text(s, 3, t.created_by, sizeof t.created_by);
    wa_col_text(s, 4, t.action_id, sizeof t.action_id);
    t.is_put_off = wa_col_i64(s, 5) != 0;
    t.is_in_use = wa_col_i64(s, 7) != 0;
    t.language = wa_text_find(wa_col_sv(s, 8));
    if (wa_sv_dup(wa_col_sv(s, 2), &t.args, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 6), &t.done, err) != WA_OK || wa_run(s, err) != WA_OK) {
        wa_reset(s);
        wa_task_fini(&t);
        return err->code;
    }
    *ret = t;
    return WA_OK;
}

enum wa_code wa_task_finish(struct wa_db *db, int64_t id, enum wa_code code, struct wa_sv message,
                            struct wa_sv log, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE tasks SET state = 'done', code = ?, message = ?, finished = ?, log = "
                      "?, args = '', done = '' WHERE id = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, wa_code_name(code));
    wa_bind_sv(s, 1, message);
    wa_bind_i64(s, 2, wa_clock_now());
    wa_bind_sv(s, 3, log);
    wa_bind_i64(s, 4, id);
    if (wa_run(s, err) != WA_OK ||
        wa_db_prepare(
            db, "DELETE FROM tasks WHERE state = 'done' AND id <= (SELECT MAX(id) FROM tasks) - ?",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, KEPT_TASKS);
    return wa_run(s, err);
}

bool wa_task_is_scheduled(const struct wa_task *t)
{
    return strcmp(t->created_by, "scheduler") == 0;
}

bool wa_task_is_of_rollout(const struct wa_task *t)
{
    return t->action_id[0] != '\0' && strncmp(t->created_by, "roll-out ", 9) == 0;
}

bool wa_task_is_resumed(const struct wa_task *t)
{
    return t->action_id[0] != '\0' || wa_task_is_scheduled(t) ||
           strncmp(t->created_by, "script ", 7) == 0;
}

enum wa_code wa_task_requeue(struct wa_db *db, int64_t id, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE tasks SET state = 'queued' WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, id);
    return wa_run(s, err);
}

enum wa_code wa_task_note(struct wa_db *db, int64_t id, const struct wa_control *c,
                          const char *status, struct wa_err *err)
{
    char line[3 * WA_NAME_MAX];
    struct wa_stmt *s;
    (void)snprintf(line, sizeof line, "%s %s %s\n", wa_control_get(c, WA_A_PACKAGE),
                   wa_control_get(c, WA_A_VERSION), status);
    if (wa_db_prepare(db, "UPDATE tasks SET done = done || ? WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, line);
    wa_bind_i64(s, 1, id);
    return wa_run(s, err);
}

bool wa_task_next_done(struct wa_sv *rest, struct wa_task_done *ret)
{
    struct wa_sv line;
    if (rest->n == 0 || !wa_sv_split(rest, '\n', &line))
        return false;
    return wa_sv_split(&line, ' ', &ret->package) && wa_sv_split(&line, ' ', &ret->version) &&
           (ret->status = line).n > 0;
}

bool wa_task_has_done(const struct wa_task *t, struct wa_sv package)
{
    struct wa_sv rest = wa_sv(t->done);
    struct wa_task_done d;
    while (wa_task_next_done(&rest, &d))
        if (wa_sv_eq(d.package, package))
            return true;
    return false;
}

enum wa_code wa_task_put_off(struct wa_db *db, int64_t id, int64_t not_before, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE tasks SET state = 'queued', not_before = ?, is_put_off = 1, "
                      "message = 'put off', waits_for = NULL WHERE id = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, not_before);
    wa_bind_i64(s, 1, id);
    return wa_run(s, err);
}

enum wa_code wa_task_wait(struct wa_db *db, int64_t id, int64_t not_before, const char *programs,
                          struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE tasks SET state = 'queued', not_before = ?, is_put_off = 0, "
                      "message = '', waits_for = ? WHERE id = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, not_before);
    wa_bind_s(s, 1, programs);
    wa_bind_i64(s, 2, id);
    return wa_run(s, err);
}

enum wa_code wa_task_begin_again(struct wa_db *db, int64_t id, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE tasks SET not_before = 0 WHERE id = ? AND state = 'queued'", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, id);
    return wa_run(s, err);
}

/* Those of that order which wait, or of none (""), end as cancelled. id 0: all of them. */
static enum wa_code drop_waiting(struct wa_db *db, const char *action_id, int64_t id,
                                 const char *message, bool *ret_dropped, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "UPDATE tasks SET state = 'done', code = 'cancelled', message = ?1, finished = ?2, "
            "args = '' WHERE state = 'queued' AND action_id = ?3 AND (?4 = 0 OR id = ?4)",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, message);
    wa_bind_i64(s, 1, wa_clock_now());
    wa_bind_s(s, 2, action_id);
    wa_bind_i64(s, 3, id);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_dropped = wa_db_changes(db) > 0;
    return WA_OK;
}

/* What an administrator ordered is not a user's to cancel for good (F1E). */
enum wa_code wa_task_cancel(struct wa_db *db, int64_t id, bool *ret_done, struct wa_err *err)
{
    return drop_waiting(db, "", id, "", ret_done, err);
}

/* --- cancelled by order --- */

/* One of no order, of which nothing is owed. */
static enum wa_code drop_marked(struct wa_db *db, const char *mark, int64_t *ret_id,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "UPDATE tasks SET state = 'done', code = 'cancelled', message = 'cancelled "
                      "by order', finished = ?, args = '' WHERE state = 'queued' AND mark = ? AND "
                      "action_id = '' RETURNING id",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, wa_clock_now());
    wa_bind_s(s, 1, mark);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret_id = row ? wa_col_i64(s, 0) : 0;
    return row ? wa_run(s, err) : WA_OK;
}

static enum wa_code find_running(struct wa_db *db, const char *id, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT id FROM tasks WHERE state = 'running' AND ?1 IN (action_id, mark)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

/* One that came before keeps its own row: it can't come again anyway. */
static enum wa_code refuse_from_now(struct wa_db *db, const char *id, int64_t not_after,
                                    struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO actions (id, not_after, is_cancelled) VALUES (?1, ?2, 1) ON "
                      "CONFLICT (id) DO UPDATE SET not_after = MAX(not_after, excluded.not_after) "
                      "WHERE is_cancelled = 1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_i64(s, 1, not_after);
    return wa_run(s, err);
}

enum wa_code wa_action_cancel(struct wa_db *db, const char *id, int64_t not_after,
                              struct wa_action_cancelled *ret, struct wa_err *err)
{
    bool is_dropped = false;
    if (drop_marked(db, id, &ret->dropped, err) != WA_OK ||
        drop_waiting(db, id, 0, "cancelled by order", &is_dropped, err) != WA_OK ||
        find_running(db, id, &ret->running, err) != WA_OK ||
        refuse_from_now(db, id, not_after, err) != WA_OK)
        return err->code;
    return is_dropped ? wa_outbox_add(db, id, "cancelled", wa_code_name(WA_E_CANCELLED),
                                      WA_SV("cancelled by order before it began"), WA_SV(""), err)
                      : WA_OK;
}
