/* db_queue.c - the queue as it is shown: to local tools, and to the server while somebody there
 * looks at it.
 */
#include "agent/db.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "proto/local.h"
#include "proto/queue.h"

/* The columns of one task, as members of an object. */
#define TASK_COLUMNS                                                                               \
    "id, kind, state, code, message, created_by, created, not_before, started, finished, args, "   \
    "coalesce(waits_for, '')"

/* Whether the message can have a script's own words in it. */
static bool is_of_script(struct wa_sv code)
{
    return wa_sv_eqs(code, wa_code_name(WA_E_FAILED)) ||
           wa_sv_eqs(code, wa_code_name(WA_E_PARTIAL)) ||
           wa_sv_eqs(code, wa_code_name(WA_E_TIMEOUT));
}

/* Those that it is about, until it is done; what else an operation calls so is not everybody's to
 * know. */
static void write_packages(struct wa_jw *w, struct wa_sv args)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_local_request r = {.package_count = 0};
    struct wa_err ignored = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    if (args.n > 0 && wa_local_request_read(args, &arena, &r, &ignored) == WA_OK &&
        (r.op == WA_OP_INSTALL || r.op == WA_OP_REMOVE || r.op == WA_OP_DOWNLOAD))
        for (size_t i = 0; i < r.package_count; i++)
            wa_jw_sv(w, r.packages[i]);
    wa_jw_end(w);
}

/* What it waits for. */
static void write_programs(struct wa_jw *w, struct wa_sv programs)
{
    struct wa_sv one;
    wa_jw_key(w, "waits_for");
    wa_jw_arr(w);
    while (wa_csv_next(&programs, &one))
        wa_jw_sv(w, one);
    wa_jw_end(w);
}

static void write_task(struct wa_jw *w, struct wa_stmt *s, const struct wa_task_progress *running,
                       bool with_scripts)
{
    static const char *const keys[] = {"id",      "kind",       "state",   "code",
                                       "message", "created_by", "created", "not_before",
                                       "started", "finished"};
    for (int i = 0; i < (int)WA_COUNT(keys); i++) {
        if (i == 0 || i >= 6)
            wa_jw_kvi(w, keys[i], wa_col_i64(s, i));
        else if (i == 4 && !with_scripts && is_of_script(wa_col_sv(s, 3)))
            wa_jw_kv(w, keys[i], "");
        else
            wa_jw_kvsv(w, keys[i], wa_col_sv(s, i));
    }
    wa_jw_kvi(w, "progress",
              wa_col_i64(s, 0) == running->id      ? running->percent
              : wa_sv_eqs(wa_col_sv(s, 2), "done") ? 100
                                                   : 0);
    write_packages(w, wa_col_sv(s, 10));
    write_programs(w, wa_sv_eqs(wa_col_sv(s, 2), "queued") ? wa_col_sv(s, 11) : WA_SV(""));
}

enum wa_code wa_task_list(struct wa_db *db, const struct wa_task_progress *running,
                          bool with_scripts, struct wa_buf *json, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    bool row = false;
    enum wa_code code;
    if (wa_db_prepare(db, "SELECT " TASK_COLUMNS " FROM tasks ORDER BY id DESC LIMIT 60", &s,
                      err) != WA_OK)
        return err->code;
    wa_jw_init(&w, json);
    wa_jw_arr(&w);
    for (code = wa_step(s, &row, err); code == WA_OK && row; code = wa_step(s, &row, err)) {
        wa_jw_obj(&w);
        write_task(&w, s, running, with_scripts);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    return code == WA_OK ? wa_buf_check(json, err) : code;
}

enum wa_code wa_task_show(struct wa_db *db, int64_t id, const struct wa_task_progress *running,
                          struct wa_buf *json, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    bool row = false;
    if (wa_db_prepare(db, "SELECT " TASK_COLUMNS ", log FROM tasks WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return wa_fail(err, WA_E_NOT_FOUND,
                       "there is no task %lld, or it is forgotten: 'wapt-get tasks' lists them",
                       (long long)id);
    wa_jw_init(&w, json);
    wa_jw_obj(&w);
    write_task(&w, s, running, true);
    wa_jw_kvsv(&w, "log", wa_col_sv(s, 12));
    wa_jw_end(&w);
    wa_reset(s);
    return wa_buf_check(json, err);
}

/* --- for the server --- */

/* More of a task, behind its columns. */
#define TOLD_COLUMNS                                                                               \
    ", priority, CASE action_id WHEN '' THEN mark ELSE action_id END, substr(log, -?1)"

/* What runs, what waits in its order, what is done, the newest first; what failed is told for
 * longer than what went well. */
#define TOLD                                                                                       \
    " FROM tasks WHERE state <> 'done' OR id IN (SELECT id FROM tasks WHERE state = 'done' ORDER " \
    "BY finished DESC, id DESC LIMIT 20) OR id IN (SELECT id FROM tasks WHERE state = 'done' AND " \
    "code <> 'ok' ORDER BY finished DESC, id DESC LIMIT 10) ORDER BY state = 'done', state = "     \
    "'queued', CASE state WHEN 'queued' THEN priority ELSE -finished END, CASE state WHEN "        \
    "'queued' THEN id ELSE -id END"

static void write_told(struct wa_jw *w, struct wa_stmt *s, const struct wa_task_progress *running)
{
    wa_jw_obj(w);
    write_task(w, s, running, true);
    wa_jw_kvi(w, "priority", wa_col_i64(s, 12));
    wa_jw_kvsv(w, "cancel", wa_col_sv(s, 13));
    wa_jw_kvsv(w, "log", wa_col_sv(s, 14));
    wa_jw_end(w);
}

#define FRAME_MAX 256u /* bytes around the tasks */

/* Those that there is room for; *ret_left_out: so many more. */
static enum wa_code tell_tasks(struct wa_stmt *s, const struct wa_task_progress *running,
                               struct wa_buf *out, int64_t *ret_left_out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf one;
    struct wa_err ignored = WA_ERR_INIT;
    size_t count = 0;
    bool row = false;
    enum wa_code code;
    wa_buf_init(&one, WA_QUEUE_BYTES_MAX);
    wa_buf_addc(out, '[');
    for (code = wa_step(s, &row, err); code == WA_OK && row; code = wa_step(s, &row, err)) {
        struct wa_jw w;
        wa_buf_clear(&one);
        wa_jw_init(&w, &one);
        write_told(&w, s, running);
        if (count == WA_QUEUE_TASKS_MAX || wa_buf_check(&one, &ignored) != WA_OK ||
            out->n + one.n + FRAME_MAX > WA_QUEUE_BYTES_MAX) {
            ++*ret_left_out;
            continue;
        }
        if (count++ > 0)
            wa_buf_addc(out, ',');
        wa_buf_addsv(out, wa_buf_sv(&one));
    }
    wa_buf_addc(out, ']');
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

enum wa_code wa_task_tell(struct wa_db *db, const struct wa_task_progress *running, bool is_stopped,
                          struct wa_buf *message, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf tasks;
    struct wa_stmt *s;
    int64_t left_out = 0;
    wa_buf_init(&tasks, WA_QUEUE_BYTES_MAX);
    if (wa_db_prepare(db, "SELECT " TASK_COLUMNS TOLD_COLUMNS TOLD, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, WA_QUEUE_LOG_MAX);
    if (tell_tasks(s, running, &tasks, &left_out, err) != WA_OK)
        return err->code;
    wa_queue_write(is_stopped, left_out, wa_buf_sv(&tasks), message);
    return wa_buf_check(message, err);
}
