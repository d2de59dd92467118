/* journal.c - the log of what is being done to packages, and what an interruption left of it.
 *
 * The rule: before the script began, nothing happened and the row stays as it was. From then on
 * until its outcome is stored, what it did is not known: the package is ERROR with a text that says
 * so, keeps its parameters and whether it was asked for, and the next upgrade takes it up. With a
 * snapshot, the undoing is owed. All of it, and what becomes of the tasks, is one transaction.
 */
#include "agent/journal.h"

#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"

#define INTERRUPTIONS_MAX                                                                          \
    "5" /* of one task: what ends the machine each time is not begun again                         \
         */

#define OUTPUT_MAX (16u << 10) /* bytes kept of what a script said before it was cut */

static const char *const steps[] = {
    [WA_JOURNAL_SNAPSHOT] = "snapshot",
    [WA_JOURNAL_SCRIPT] = "script",
    [WA_JOURNAL_UNDO] = "undo",
    [WA_JOURNAL_OWED] = "owed",
};

enum wa_code wa_journal_begin(struct wa_db *db, const struct wa_journal_entry *e,
                              struct wa_err *err)
{
    struct wa_stmt *s;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_control_write(e->control, true, &text, err) != WA_OK ||
        wa_db_prepare(db,
                      "INSERT OR REPLACE INTO running (package, control, hook, repo, params, "
                      "explicit, step, began) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, wa_control_get(e->control, WA_A_PACKAGE));
    wa_bind_sv(s, 1, wa_buf_sv(&text));
    wa_bind_s(s, 2, e->hook);
    wa_bind_s(s, 3, e->repo);
    wa_bind_sv(s, 4, e->params);
    wa_bind_i64(s, 5, e->is_explicit ? 1 : 0);
    wa_bind_s(s, 6, steps[e->step]);
    wa_bind_i64(s, 7, wa_clock_now());
    return wa_run(s, err);
}

enum wa_code wa_journal_step(struct wa_db *db, const char *package, enum wa_journal_step step,
                             const char *snapshot, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE running SET step = ?, snapshot = ? WHERE package = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, steps[step]);
    wa_bind_s(s, 1, snapshot);
    wa_bind_s(s, 2, package);
    return wa_run(s, err);
}

enum wa_code wa_journal_output(struct wa_db *db, const char *package, struct wa_sv output,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (output.n > OUTPUT_MAX)
        output = wa_sv_sub(output, output.n - OUTPUT_MAX, output.n);
    while (output.n > 0 && ((unsigned char)output.p[0] & 0xc0u) == 0x80u) /* half a character */
        output = wa_sv_sub(output, 1, output.n);
    if (wa_db_prepare(db, "UPDATE running SET output = ? WHERE package = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, output);
    wa_bind_s(s, 1, package);
    return wa_run(s, err);
}

enum wa_code wa_journal_hook(struct wa_db *db, const char *package, char ret_hook[16],
                             struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT hook FROM running WHERE package = ? AND step NOT IN ('snapshot', "
                      "'owed')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    const struct wa_sv hook = row ? wa_col_sv(s, 0) : WA_SV("");
    (void)snprintf(ret_hook, 16, "%.*s", WA_SV_ARG(hook));
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_journal_end(struct wa_db *db, const char *package, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM running WHERE package = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    return wa_run(s, err);
}

/* --- what is owed --- */

void wa_journal_owed_fini(struct wa_journal_owed *o)
{
    wa_control_fini(&o->control);
}

enum wa_code wa_journal_next_owed(struct wa_db *db, struct wa_journal_owed *ret, bool *ret_found,
                                  struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_journal_owed o = {.tries = 0};
    if (wa_db_prepare(db,
                      "UPDATE running SET tries = tries + 1 WHERE package = (SELECT package FROM "
                      "running WHERE step = 'owed' ORDER BY began, package LIMIT 1) RETURNING "
                      "control, snapshot, tries",
                      &s, err) != WA_OK ||
        wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_control_init(&o.control);
    struct wa_sv snapshot = wa_col_sv(s, 1);
    (void)snprintf(o.snapshot, sizeof o.snapshot, "%.*s", WA_SV_ARG(snapshot));
    o.tries = wa_col_i64(s, 2);
    if (wa_control_parse(wa_col_sv(s, 0), &o.control, err) != WA_OK) {
        wa_reset(s);
        return err->code;
    }
    if (wa_run(s, err) != WA_OK) {
        wa_control_fini(&o.control);
        return err->code;
    }
    *ret = o;
    return WA_OK;
}

/* --- recovery --- */

struct left {
    struct wa_control control;
    char hook[16], step[16], repo[WA_NAME_MAX + 1];
    char *params, *output;
    bool is_explicit, has_snapshot;
    int64_t began;
};

static void left_fini(struct left *l)
{
    wa_control_fini(&l->control);
    wa_free_secret(l->params);
    wa_free(l->output);
}

static enum wa_code text_of(const struct left *l, struct wa_buf *out, struct wa_err *err)
{
    char when[WA_DATE_MAX] = "";
    if (l->began > 0)
        wa_date_isolocal(l->began, 0, when);
    wa_buf_adds(out, l->output);
    if (out->n > 0 && out->p[out->n - 1] != '\n')
        wa_buf_addc(out, '\n');
    const char *package = wa_control_get(&l->control, WA_A_PACKAGE),
               *version = wa_control_get(&l->control, WA_A_VERSION);
    if (strcmp(l->hook, "install") == 0)
        wa_buf_addf(
            out,
            wa_text("interrupted while install() of version %s ran (begun %s): what it did is "
                    "not known%s; the next upgrade tries again, as 'wapt-get install %s' does\n"),
            version, when, l->has_snapshot ? wa_text(", and is undone") : "", package);
    else
        wa_buf_addf(
            out,
            wa_text("interrupted while %s() ran (begun %s): what it did is not known; 'wapt-get "
                    "remove %s' ends it\n"),
            l->hook, when, package);
    return wa_buf_check(out, err);
}

static enum wa_code store_failure(struct wa_db *db, const struct left *l, struct wa_sv text,
                                  struct wa_err *err)
{
    const char *package = wa_control_get(&l->control, WA_A_PACKAGE);
    WA_AUTO_INSTALLED struct wa_installed_list there = {NULL, 0, 0};
    if (wa_installed_load(db, package, &there, err) != WA_OK)
        return err->code;
    if (strcmp(l->hook, "install") != 0)
        return there.n == 0 ? WA_OK : wa_installed_set_status(db, package, "ERROR", text, err);
    enum wa_code code =
        there.n > 0
            ? wa_installed_set_failed(db, package, text, wa_sv(l->params), l->is_explicit, err)
            : wa_installed_put(db, &l->control, l->repo, "ERROR", wa_clock_now(), text,
                               wa_sv(l->params), l->is_explicit, err);
    return code == WA_OK
               ? wa_attempt_failed(db, package, wa_control_get(&l->control, WA_A_VERSION),
                                   wa_text("it was interrupted"), true, wa_clock_now(), err)
               : code;
}

static enum wa_code settle(struct wa_db *db, const struct left *l, size_t *count,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const char *package = wa_control_get(&l->control, WA_A_PACKAGE);
    wa_buf_init(&text, 2 * OUTPUT_MAX);
    if (strcmp(l->step, steps[WA_JOURNAL_SNAPSHOT]) == 0)
        return wa_journal_end(db, package, err);
    ++*count;
    if (text_of(l, &text, err) != WA_OK || store_failure(db, l, wa_buf_sv(&text), err) != WA_OK)
        return err->code;
    if (!l->has_snapshot)
        return wa_journal_end(db, package, err);
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE running SET step = 'owed' WHERE package = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    return wa_run(s, err);
}

/* The next row that is not settled yet. */
static enum wa_code next_left(struct wa_db *db, struct left *l, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT control, hook, step, repo, params, explicit, snapshot <> '', began, "
                      "output FROM running WHERE step <> 'owed' LIMIT 1",
                      &s, err) != WA_OK ||
        wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    *l = (struct left){.is_explicit = wa_col_i64(s, 5) != 0,
                       .has_snapshot = wa_col_i64(s, 6) != 0,
                       .began = wa_col_i64(s, 7)};
    wa_control_init(&l->control);
    struct wa_sv hook = wa_col_sv(s, 1), step = wa_col_sv(s, 2), repo = wa_col_sv(s, 3);
    (void)snprintf(l->hook, sizeof l->hook, "%.*s", WA_SV_ARG(hook));
    (void)snprintf(l->step, sizeof l->step, "%.*s", WA_SV_ARG(step));
    (void)snprintf(l->repo, sizeof l->repo, "%.*s", WA_SV_ARG(repo));
    if (wa_control_parse(wa_col_sv(s, 0), &l->control, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 4), &l->params, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 8), &l->output, err) != WA_OK)
        left_fini(l);
    wa_reset(s);
    return err->code;
}

static enum wa_code settle_all(struct wa_db *db, size_t *count, struct wa_err *err)
{
    bool found = true;
    while (found) {
        struct left l;
        if (next_left(db, &l, &found, err) != WA_OK)
            return err->code;
        if (!found)
            break;
        enum wa_code code = settle(db, &l, count, err);
        left_fini(&l);
        if (code != WA_OK)
            return code;
    }
    return WA_OK;
}

/* What nobody waits for is taken up again: orders, the schedule's, what scripts wished for. A
 * removal that has begun is ended, whoever asked for it: else the next upgrade would bring back
 * what was to go. */
static enum wa_code settle_tasks(struct wa_db *db, struct wa_err *err)
{
    return wa_db_exec(
        db,
        "UPDATE tasks SET state = 'queued', interruptions = interruptions + 1 WHERE state = "
        "'running' AND interruptions < " INTERRUPTIONS_MAX
        " AND (action_id <> '' OR created_by = 'scheduler' OR created_by LIKE 'script %' OR kind = "
        "'remove');"
        "INSERT INTO outbox (action_id, state, code, message, packages) SELECT action_id, "
        "'failed', 'failed', 'interrupted " INTERRUPTIONS_MAX
        " times: not tried any more', '[]' FROM tasks WHERE state = 'running' AND action_id <> '';"
        "UPDATE tasks SET state = 'done', code = 'failed', message = 'interrupted', "
        "args = '', done = '' WHERE state = 'running'",
        err);
}

enum wa_code wa_agent_db_recover(struct wa_db *db, size_t *ret_interrupted, struct wa_err *err)
{
    *ret_interrupted = 0;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (settle_all(db, ret_interrupted, err) != WA_OK || settle_tasks(db, err) != WA_OK ||
        wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        return wa_wrap(err, "recovering from an interruption");
    }
    return WA_OK;
}
