/* script_wishes.c - what a script of root's wants beside its own work: values kept for later
 * scripts (WAPT.write_param), and tasks for when its own is done (WAPT.install and the like).
 *
 * Who says this is a package's code: kinds, counts and sizes are checked here, not believed. A
 * script that runs as somebody else keeps and wishes nothing. Tasks that scripts wish for may wish
 * in turn, to a depth, so that two packages can't call each other for ever.
 */
#include "agent/hook.h"
#include "agent/tasks.h"

#define BY "script "

static enum wa_code load(struct wa_db *db, struct wa_arena *arena, const struct wa_json **ret,
                         struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, WA_SCRIPT_STORE_MAX);
    *ret = NULL;
    if (wa_param_get(db, WA_PARAM_SCRIPTS, &text, err) != WA_OK || text.n == 0)
        return err->code;
    return wa_json_parse(wa_buf_sv(&text), 0, arena, ret, err);
}

enum wa_code wa_script_store_write(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *store = NULL;
    wa_arena_init(&arena, 16 * WA_SCRIPT_STORE_MAX);
    if (load(m->tdb, &arena, &store, err) != WA_OK)
        return wa_wrap(err, "reading what scripts have kept");
    wa_jw_key(w, "params_store");
    if (wa_json_is(store, WA_JSON_OBJECT)) {
        wa_jw_json(w, store);
    } else {
        wa_jw_obj(w);
        wa_jw_end(w);
    }
    return WA_OK;
}

static bool has_key(const struct wa_json *object, struct wa_sv key)
{
    for (size_t i = 0; i < wa_json_count(object); i++)
        if (wa_sv_eq(wa_json_key_at(object, i), key))
            return true;
    return false;
}

/* The members of an object, but those that except has, and those that are null. */
static void add_members(struct wa_jw *w, const struct wa_json *object, const struct wa_json *except)
{
    for (size_t i = 0; i < wa_json_count(object); i++) {
        const struct wa_json *value = wa_json_at(object, i);
        if (wa_json_is(value, WA_JSON_NULL) || has_key(except, wa_json_key_at(object, i)))
            continue;
        wa_jw_keysv(w, wa_json_key_at(object, i));
        wa_jw_json(w, value);
    }
}

static enum wa_code keep(struct wa_db *db, const struct wa_json *changes, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const struct wa_json *store = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 16 * WA_SCRIPT_STORE_MAX);
    wa_buf_init(&text, WA_SCRIPT_STORE_MAX);
    if (wa_json_count(changes) == 0)
        return WA_OK;
    if (wa_json_count(changes) > WA_SCRIPT_STORE_NAMES_MAX ||
        load(db, &arena, &store, err) != WA_OK)
        return err->code != WA_OK ? err->code
                                  : wa_fail(err, WA_E_LIMIT, "more than %d values at a time",
                                            WA_SCRIPT_STORE_NAMES_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    add_members(&w, store, changes);
    add_members(&w, changes, NULL);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK)
        return wa_wrap(err, "all values together may have %d bytes", WA_SCRIPT_STORE_MAX);
    return wa_param_set(db, WA_PARAM_SCRIPTS, wa_buf_sv(&text), err);
}

/* --- tasks --- */

/* How many scripts in a row led to this task. */
static int depth_of(const struct wa_task *t)
{
    const size_t n = sizeof BY - 1;
    return strncmp(t->created_by, BY, n) == 0 && t->created_by[n] >= '1' && t->created_by[n] <= '9'
               ? t->created_by[n] - '0'
               : 0;
}

static bool may_be_wished(enum wa_local_op op)
{
    return op == WA_OP_INSTALL || op == WA_OP_REMOVE || op == WA_OP_FORGET || op == WA_OP_UPDATE ||
           op == WA_OP_UPGRADE;
}

static enum wa_code read_wish(const struct wa_json *wish, struct wa_local_request *r,
                              struct wa_err *err)
{
    struct wa_sv op = WA_SV("");
    const struct wa_json *packages = NULL;
    const struct wa_json_field fields[] = {
        {"op", WA_WANT_SV, true, 0, &op},
        {"packages", WA_WANT_ARRAY, false, WA_COUNT(r->packages), &packages},
        {"force", WA_WANT_BOOL, false, 0, &r->force}};
    if (wa_json_read(wish, fields, WA_COUNT(fields), "a wish", err) != WA_OK)
        return err->code;
    if (!wa_local_op_find(op, &r->op) || !may_be_wished(r->op))
        return wa_fail(err, WA_E_INVALID, "nobody may wish for '%.*s'", WA_SV_ARG(op));
    for (size_t i = 0; i < wa_json_count(packages); i++)
        r->packages[r->package_count++] = wa_json_sv(wa_json_at(packages, i));
    return WA_OK;
}

static enum wa_code queue_wish(const struct wa_task_run *run, const struct wa_json *wish,
                               const char *by, struct wa_err *err)
{
    struct wa_local_request r = {.op = WA_OP_COUNT};
    WA_AUTO_BUF_SECRET struct wa_buf text;
    int64_t id = 0;
    wa_buf_init(&text, WA_LOCAL_REQUEST_MAX);
    return read_wish(wish, &r, err) == WA_OK && wa_local_request_write(&r, &text, err) == WA_OK
               ? wa_task_add(run->m->tdb, wa_local_op_name(r.op), wa_buf_sv(&text), by, "", 0, &id,
                             err)
               : err->code;
}

static enum wa_code queue_wishes(const struct wa_task_run *run, const struct wa_json *wishes,
                                 struct wa_err *err)
{
    char by[sizeof BY + 8];
    int depth = depth_of(run->task) + 1;
    if (wa_json_count(wishes) > WA_SCRIPT_WISHES_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %d tasks", WA_SCRIPT_WISHES_MAX);
    if (wa_json_count(wishes) > 0 && depth > WA_SCRIPT_DEPTH_MAX)
        return wa_fail(err, WA_E_LIMIT,
                       "%d scripts in a row have asked for one another: name the packages in "
                       "'depends'",
                       WA_SCRIPT_DEPTH_MAX);
    (void)snprintf(by, sizeof by, BY "%d", depth);
    for (size_t i = 0; i < wa_json_count(wishes); i++)
        if (queue_wish(run, wa_json_at(wishes, i), by, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_script_wishes_take(const struct wa_task_run *run, const struct wa_json *result,
                                   struct wa_err *err)
{
    if (keep(run->m->tdb, wa_json_get(result, "params_store_changes"), err) != WA_OK)
        return wa_wrap(err, "what the script keeps can't be kept");
    if (queue_wishes(run, wa_json_get(result, "wishes"), err) != WA_OK)
        return wa_wrap(err, "what the script asks for can't be done");
    return WA_OK;
}
