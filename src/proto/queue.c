/* queue.c - a machine's own queue: written by the agent, and read by its server, which trusts
 * nothing in it. */
#include "proto/queue.h"

#include "base/utf8.h"
#include "codec/hex.h"

#define TEXT_MAX (4u * WA_QUEUE_LOG_MAX) /* bytes */
#define ITEMS_MAX WA_ACTION_PACKAGES_MAX /* packages of a task, and programs */
#define TIME_MAX (INT64_C(253402300799)) /* s: the last of the year 9999; pages show it */
#define NUMBER_MAX (INT64_C(1) << 53)    /* what pages can count to */

void wa_queue_watch_write(int64_t seconds, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "watch");
    wa_jw_kvi(&w, "seconds", seconds);
    wa_jw_end(&w);
}

enum wa_code wa_queue_watch_read(const struct wa_json *m, int64_t *ret_seconds, struct wa_err *err)
{
    struct wa_sv type = {0};
    int64_t seconds = 0;
    const struct wa_json_field fields[] = {{"type", WA_WANT_SV, true, 16, &type},
                                           {"seconds", WA_WANT_I64, true, 0, &seconds}};
    if (wa_json_read_lax(m, fields, WA_COUNT(fields), "a question for the queue", err) != WA_OK)
        return err->code;
    if (seconds < 0)
        return wa_fail(err, WA_E_INVALID, "a question for the queue that is over");
    *ret_seconds = seconds < WA_QUEUE_WATCH_S ? seconds : WA_QUEUE_WATCH_S;
    return WA_OK;
}

void wa_queue_write(bool is_stopped, int64_t left_out, struct wa_sv tasks, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "queue");
    wa_jw_kvb(&w, "stopped", is_stopped);
    wa_jw_kvi(&w, "left_out", left_out);
    wa_jw_key(&w, "tasks");
    wa_jw_raw(&w, tasks);
    wa_jw_end(&w);
}

/* --- as it is read --- */

static struct wa_sv cut(struct wa_sv text)
{
    return wa_sv_sub(text, 0, wa_utf8_cut(text.p, text.n < TEXT_MAX ? text.n : TEXT_MAX));
}

static enum wa_code copy_list(const struct wa_json *list, const char *key, struct wa_jw *w,
                              struct wa_err *err)
{
    wa_jw_key(w, key);
    wa_jw_arr(w);
    for (size_t i = 0; i < wa_json_count(list) && i < ITEMS_MAX; i++) {
        const struct wa_json *one = wa_json_at(list, i);
        if (!wa_json_is(one, WA_JSON_STRING))
            return wa_fail(err, WA_E_INVALID, "'%s' of a task are no texts", key);
        wa_jw_sv(w, cut(wa_json_sv(one)));
    }
    wa_jw_end(w);
    return WA_OK;
}

static bool is_state(struct wa_sv s)
{
    return wa_sv_eqs(s, "queued") || wa_sv_eqs(s, "running") || wa_sv_eqs(s, "done");
}

static enum wa_code copy_task(const struct wa_json *j, struct wa_jw *w, struct wa_err *err)
{
    enum { ID, CREATED, NOT_BEFORE, STARTED, FINISHED, PROGRESS, PRIORITY, NUMBERS };
    enum { KIND, STATE, CODE, MESSAGE, CREATED_BY, CANCEL, LOG, TEXTS };
    int64_t numbers[NUMBERS] = {0};
    struct wa_sv texts[TEXTS] = {{NULL, 0}};
    const struct wa_json *packages = NULL, *waits_for = NULL;
    const struct wa_json_field fields[] = {
        {"id", WA_WANT_I64, true, 0, &numbers[ID]},
        {"created", WA_WANT_I64, true, 0, &numbers[CREATED]},
        {"not_before", WA_WANT_I64, true, 0, &numbers[NOT_BEFORE]},
        {"started", WA_WANT_I64, true, 0, &numbers[STARTED]},
        {"finished", WA_WANT_I64, true, 0, &numbers[FINISHED]},
        {"progress", WA_WANT_I64, true, 0, &numbers[PROGRESS]},
        {"priority", WA_WANT_I64, true, 0, &numbers[PRIORITY]},
        {"kind", WA_WANT_SV, true, 32, &texts[KIND]},
        {"state", WA_WANT_SV, true, 16, &texts[STATE]},
        {"code", WA_WANT_SV, true, 32, &texts[CODE]},
        {"message", WA_WANT_SV, true, 0, &texts[MESSAGE]},
        {"created_by", WA_WANT_SV, true, 0, &texts[CREATED_BY]},
        {"cancel", WA_WANT_SV, true, 32, &texts[CANCEL]},
        {"log", WA_WANT_SV, true, 0, &texts[LOG]},
        {"packages", WA_WANT_ARRAY, true, 0, &packages},
        {"waits_for", WA_WANT_ARRAY, true, 0, &waits_for},
    };
    if (wa_json_read_lax(j, fields, WA_COUNT(fields), "a task of a machine", err) != WA_OK)
        return err->code;
    if (!is_state(texts[STATE]) || (texts[CANCEL].n > 0 && !wa_hex_is(texts[CANCEL], 32)))
        return wa_fail(err, WA_E_INVALID, "a task of a machine in no state, or of no name");
    for (size_t i = 0; i < NUMBERS; i++)
        if (numbers[i] < 0 || numbers[i] > (i >= CREATED && i <= FINISHED ? TIME_MAX : NUMBER_MAX))
            return wa_fail(err, WA_E_INVALID, "'%s' of a task is no such number", fields[i].key);
    if (numbers[PROGRESS] > 100)
        return wa_fail(err, WA_E_INVALID, "a task that is more than done");
    wa_jw_obj(w);
    for (size_t i = 0; i < NUMBERS; i++)
        wa_jw_kvi(w, fields[i].key, numbers[i]);
    for (size_t i = 0; i < TEXTS; i++)
        wa_jw_kvsv(w, fields[NUMBERS + i].key, cut(texts[i]));
    if (copy_list(packages, "packages", w, err) != WA_OK ||
        copy_list(waits_for, "waits_for", w, err) != WA_OK)
        return err->code;
    wa_jw_end(w);
    return WA_OK;
}

enum wa_code wa_queue_copy(const struct wa_json *m, struct wa_buf *out, struct wa_err *err)
{
    struct wa_sv type = {0};
    bool is_stopped = false;
    int64_t left_out = 0;
    const struct wa_json *tasks = NULL;
    struct wa_jw w;
    const struct wa_json_field fields[] = {
        {"type", WA_WANT_SV, true, 16, &type},
        {"stopped", WA_WANT_BOOL, true, 0, &is_stopped},
        {"left_out", WA_WANT_I64, true, 0, &left_out},
        {"tasks", WA_WANT_ARRAY, true, WA_QUEUE_TASKS_MAX, &tasks}};
    if (wa_json_read_lax(m, fields, WA_COUNT(fields), "a machine's queue", err) != WA_OK)
        return err->code;
    if (left_out < 0 || left_out > NUMBER_MAX)
        return wa_fail(err, WA_E_INVALID, "a machine's queue that leaves out less than nothing");
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "stopped", is_stopped);
    wa_jw_kvi(&w, "left_out", left_out);
    wa_jw_key(&w, "tasks");
    wa_jw_arr(&w);
    for (size_t i = 0; i < wa_json_count(tasks); i++)
        if (copy_task(wa_json_at(tasks, i), &w, err) != WA_OK)
            return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}
