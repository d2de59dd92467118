/* local.c - the lines between local tools and the agent, and the closed table of who may ask for
 * what (F1E). */
#include "proto/local.h"

#include "base/text.h"

static const struct {
    const char *name;
    enum wa_local_right right;
} ops[WA_OP_COUNT] = {
    [WA_OP_STATUS] = {"status", WA_RIGHT_ANYONE},
    [WA_OP_LIST] = {"list", WA_RIGHT_ANYONE},
    [WA_OP_SEARCH] = {"search", WA_RIGHT_ANYONE},
    [WA_OP_SHOW] = {"show", WA_RIGHT_ANYONE},
    [WA_OP_LIST_UPGRADE] = {"list-upgrade", WA_RIGHT_ANYONE},
    [WA_OP_TASKS] = {"tasks", WA_RIGHT_ANYONE},
    [WA_OP_CHECK_UPGRADES] = {"check-upgrades", WA_RIGHT_ANYONE},
    [WA_OP_CATALOGUE] = {"catalogue", WA_RIGHT_ANYONE},
    [WA_OP_ICONS] = {"icons", WA_RIGHT_ANYONE},
    [WA_OP_EVENTS] = {"events", WA_RIGHT_ANYONE},
    [WA_OP_CHECK] = {"check", WA_RIGHT_ANYONE},
    [WA_OP_SHOW_LOG] = {"show-log", WA_RIGHT_ADMIN_PASSWORD},   /* scripts print secrets */
    [WA_OP_SHOW_TASK] = {"show-task", WA_RIGHT_ADMIN_PASSWORD}, /* for the same reason */
    [WA_OP_UPDATE] = {"update", WA_RIGHT_ANYONE},
    [WA_OP_UPGRADE] = {"upgrade", WA_RIGHT_ANYONE},
    [WA_OP_DOWNLOAD_UPGRADE] = {"download-upgrade", WA_RIGHT_ANYONE},
    [WA_OP_CLEAN] = {"clean", WA_RIGHT_ANYONE},
    [WA_OP_AUDIT] = {"audit", WA_RIGHT_ADMIN_PASSWORD}, /* F1E names it not among the free ones */
    [WA_OP_UPDATE_STATUS] = {"update-status", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_CANCEL] = {"cancel", WA_RIGHT_ANYONE},
    [WA_OP_CANCEL_ALL] = {"cancel-all", WA_RIGHT_ANYONE},
    [WA_OP_RELOAD] = {"reload", WA_RIGHT_ADMIN_PASSWORD}, /* F1E does not name it */
    [WA_OP_RESTART] = {"restart", WA_RIGHT_ANYONE},
    [WA_OP_STOP] = {"stop", WA_RIGHT_ANYONE},
    [WA_OP_START] = {"start", WA_RIGHT_ANYONE},
    [WA_OP_LOCK] = {"lock", WA_RIGHT_ANYONE}, /* takes rights away, the caller's own */
    [WA_OP_DOWNLOAD] = {"download", WA_RIGHT_ADMIN_PASSWORD}, /* of anything: it fills the cache */
    [WA_OP_INSTALL] = {"install", WA_RIGHT_RULES_PASSWORD},
    [WA_OP_REMOVE] = {"remove", WA_RIGHT_RULES_PASSWORD},
    [WA_OP_UNINSTALL] = {"uninstall", WA_RIGHT_ROOT},
    [WA_OP_FORGET] = {"forget", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_REGISTER] = {"register", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_UNREGISTER] = {"unregister", WA_RIGHT_ROOT}, /* nobody else may orphan the machine */
    [WA_OP_GENERATE_UUID] = {"generate-uuid", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_RESET_UUID] = {"reset-uuid", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_INVENTORY] = {"inventory", WA_RIGHT_ADMIN_PASSWORD},
    [WA_OP_SESSION_SETUP] = {"session-setup",
                             WA_RIGHT_ANYONE}, /* for the caller's own account only */
    [WA_OP_REBOOT] = {"reboot", WA_RIGHT_NOBODY},
    [WA_OP_SHUTDOWN] = {"shutdown", WA_RIGHT_NOBODY},
    [WA_OP_WAKE] = {"wake", WA_RIGHT_NOBODY},
    [WA_OP_MESSAGE] = {"message", WA_RIGHT_NOBODY},
    [WA_OP_PROPOSE_UPGRADE] = {"propose-upgrade", WA_RIGHT_NOBODY},
    [WA_OP_RESTART_AGENT] = {"restart-agent", WA_RIGHT_NOBODY},
    [WA_OP_DESCRIBE] = {"describe", WA_RIGHT_NOBODY},
};

const char *wa_local_op_name(enum wa_local_op op)
{
    return op < WA_OP_COUNT ? ops[op].name : "";
}

bool wa_local_op_find(struct wa_sv name, enum wa_local_op *ret)
{
    for (size_t i = 0; i < WA_OP_COUNT; i++) {
        if (!wa_sv_eqs(name, ops[i].name))
            continue;
        *ret = (enum wa_local_op)i;
        return true;
    }
    return false;
}

enum wa_local_right wa_local_op_right(enum wa_local_op op)
{
    return op < WA_OP_COUNT ? ops[op].right : WA_RIGHT_ROOT;
}

bool wa_local_filter_is(struct wa_sv filter)
{
    static const char *const filters[] = {"", "all", "installed", "not-installed", "upgradable"};
    for (size_t i = 0; i < WA_COUNT(filters); i++)
        if (wa_sv_eqs(filter, filters[i]))
            return true;
    return false;
}

bool wa_local_sort_is(struct wa_sv sort)
{
    return sort.n == 0 || wa_sv_eqs(sort, "name") || wa_sv_eqs(sort, "date");
}

static enum wa_code read_args(const struct wa_json *args, struct wa_local_request *r,
                              struct wa_err *err)
{
    const struct wa_json *packages = NULL;
    const struct wa_json_field fields[] = {
        {"packages", WA_WANT_ARRAY, false, WA_COUNT(r->packages), &packages},
        {"force", WA_WANT_BOOL, false, 0, &r->force},
        {"only_if_not_running", WA_WANT_BOOL, false, 0, &r->only_if_not_running},
        {"priorities", WA_WANT_SV, false, WA_NAME_MAX, &r->priorities},
        {"limited", WA_WANT_BOOL, false, 0, &r->limited},
        {"as_upgrade", WA_WANT_BOOL, false, 0, &r->as_upgrade},
        {"task", WA_WANT_I64, false, 0, &r->task_id},
        {"filter", WA_WANT_SV, false, 32, &r->filter},
        {"category", WA_WANT_SV, false, WA_NAME_MAX, &r->category},
        {"sort", WA_WANT_SV, false, 32, &r->sort},
        {"page", WA_WANT_I64, false, 0, &r->page},
        {"page_size", WA_WANT_I64, false, 0, &r->page_size},
        {"text", WA_WANT_SV, false, WA_ACTION_TEXT_MAX, &r->text},
        {"params", WA_WANT_SV, false, 16u << 10, &r->params},
        {"token", WA_WANT_SV, false, 256, &r->token},
        {"server_url", WA_WANT_SV, false, 1024, &r->server_url},
        {"repo_url", WA_WANT_SV, false, 1024, &r->repo_url},
        {"server_user", WA_WANT_SV, false, WA_NAME_MAX, &r->server_user},
        {"server_password", WA_WANT_SV, false, 1024, &r->server_password},
    };
    if (args == NULL)
        return WA_OK;
    if (wa_json_read(args, fields, WA_COUNT(fields), "the arguments of a request", err) != WA_OK)
        return err->code;
    if (!wa_local_filter_is(r->filter) || !wa_local_sort_is(r->sort) || r->page < 0 ||
        r->page > WA_CATALOGUE_PAGES_MAX || r->page_size < 0 ||
        r->page_size > WA_CATALOGUE_PAGE_MAX)
        return wa_fail(err, WA_E_USAGE, "a page of the catalogue that can't be");
    for (size_t i = 0; i < wa_json_count(packages); i++) {
        const struct wa_json *item = wa_json_at(packages, i);
        struct wa_sv text = wa_json_sv(item);
        if (!wa_json_is(item, WA_JSON_STRING) || text.n == 0 || text.n > 1024 ||
            memchr(text.p, 0, text.n) != NULL)
            return wa_fail(err, WA_E_USAGE, "argument %zu is empty or too long", i + 1);
        r->packages[r->package_count++] = text;
    }
    return WA_OK;
}

enum wa_code wa_local_request_read(struct wa_sv line, struct wa_arena *arena,
                                   struct wa_local_request *ret, struct wa_err *err)
{
    struct wa_local_request r = {0};
    struct wa_sv op = {0}, language = {0};
    const struct wa_json *j = NULL, *args = NULL;
    const struct wa_json_field fields[] = {
        {"op", WA_WANT_SV, true, 32, &op},
        {"args", WA_WANT_OBJECT, false, 0, &args},
        {"password", WA_WANT_SV, false, 1024, &r.password},
        {"language", WA_WANT_SV, false, WA_LANGUAGE_BYTES_MAX, &language},
    };
    if (wa_json_parse(line, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a request", err) != WA_OK)
        return err->code;
    if (!wa_local_op_find(op, &r.op))
        return wa_fail(err, WA_E_USAGE, "unknown operation '%.*s'", WA_SV_ARG(op));
    if (read_args(args, &r, err) != WA_OK)
        return err->code;
    r.language = wa_text_find(language);
    *ret = r;
    return WA_OK;
}

static void write_text(struct wa_jw *w, const char *key, struct wa_sv s)
{
    if (s.n > 0)
        wa_jw_kvsv(w, key, s);
}

enum wa_code wa_local_request_write(const struct wa_local_request *r, struct wa_buf *out,
                                    struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "op", wa_local_op_name(r->op));
    wa_jw_key(&w, "args");
    wa_jw_obj(&w);
    if (r->package_count > 0) {
        wa_jw_key(&w, "packages");
        wa_jw_arr(&w);
        for (size_t i = 0; i < r->package_count; i++)
            wa_jw_sv(&w, r->packages[i]);
        wa_jw_end(&w);
    }
    if (r->force)
        wa_jw_kvb(&w, "force", true);
    if (r->only_if_not_running)
        wa_jw_kvb(&w, "only_if_not_running", true);
    write_text(&w, "priorities", r->priorities);
    if (r->limited)
        wa_jw_kvb(&w, "limited", true);
    if (r->as_upgrade)
        wa_jw_kvb(&w, "as_upgrade", true);
    if (r->task_id != 0)
        wa_jw_kvi(&w, "task", r->task_id);
    write_text(&w, "filter", r->filter);
    write_text(&w, "category", r->category);
    write_text(&w, "sort", r->sort);
    if (r->page != 0)
        wa_jw_kvi(&w, "page", r->page);
    if (r->page_size != 0)
        wa_jw_kvi(&w, "page_size", r->page_size);
    write_text(&w, "text", r->text);
    write_text(&w, "params", r->params);
    write_text(&w, "token", r->token);
    write_text(&w, "server_url", r->server_url);
    write_text(&w, "repo_url", r->repo_url);
    write_text(&w, "server_user", r->server_user);
    write_text(&w, "server_password", r->server_password);
    wa_jw_end(&w);
    write_text(&w, "password", r->password);
    if (r->language != NULL)
        wa_jw_kv(&w, "language", wa_text_name_of(r->language));
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
    if (out->n > WA_LOCAL_REQUEST_MAX)
        return wa_fail(err, WA_E_LIMIT, "a request of more than %u bytes", WA_LOCAL_REQUEST_MAX);
    return wa_buf_check(out, err);
}

static const char *const event_names[] = {"auth",   "task",    "progress", "output",
                                          "result", "service", "upgrades", "missed"};
/* The member that holds an event's text; "": it has none. */
static const char *const text_keys[] = {"reason",  "state", "what", "text",
                                        "message", "state", "",     ""};

enum wa_code wa_local_answer_read(struct wa_sv line, struct wa_arena *arena,
                                  struct wa_local_answer *ret, struct wa_err *err)
{
    struct wa_local_answer a = {0};
    const struct wa_json *j = NULL;
    if (wa_json_parse(line, 0, arena, &j, err) != WA_OK)
        return wa_wrap(err, "reading the agent's answer");
    struct wa_sv event = wa_json_sv(wa_json_get(j, "event"));
    size_t i = 0;
    while (i < WA_COUNT(event_names) && !wa_sv_eqs(event, event_names[i]))
        i++;
    if (i == WA_COUNT(event_names))
        return wa_fail(err, WA_E_INVALID,
                       "the agent's answer is of an unknown kind: is it another version?");
    a.event = (enum wa_local_event)i;
    a.text = wa_json_sv(wa_json_get(j, text_keys[i]));
    (void)wa_json_i64(wa_json_get(j, "id"), &a.id);
    (void)wa_json_i64(wa_json_get(j, "done"), &a.done);
    (void)wa_json_i64(wa_json_get(j, "total"), &a.total);
    (void)wa_json_i64(wa_json_get(j, "percent"), &a.percent);
    (void)wa_json_i64(wa_json_get(j, "count"), &a.count);
    if (a.event == WA_EV_TASK) {
        a.kind = wa_json_sv(wa_json_get(j, "kind"));
        a.by = wa_json_sv(wa_json_get(j, "by"));
        a.message = wa_json_sv(wa_json_get(j, "message"));
    }
    if (a.event == WA_EV_RESULT) {
        a.code = wa_code_from_name(wa_json_sv(wa_json_get(j, "code")));
        a.data = wa_json_get(j, "data");
    }
    *ret = a;
    return WA_OK;
}

void wa_local_answer_write(const struct wa_local_answer *a, struct wa_sv data_json,
                           struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "event", event_names[a->event]);
    switch (a->event) {
    case WA_EV_TASK:
        wa_jw_kvi(&w, "id", a->id);
        write_text(&w, "kind", a->kind);
        write_text(&w, "by", a->by);
        if (a->is_done) {
            wa_jw_kv(&w, "code", wa_code_name(a->code));
            wa_jw_kvsv(&w, "message", a->message);
        }
        break;
    case WA_EV_PROGRESS:
        if (a->id != 0)
            wa_jw_kvi(&w, "id", a->id);
        wa_jw_kvi(&w, "done", a->done);
        wa_jw_kvi(&w, "total", a->total);
        if (a->id != 0)
            wa_jw_kvi(&w, "percent", a->percent);
        break;
    case WA_EV_RESULT:
        wa_jw_kv(&w, "code", wa_code_name(a->code));
        break;
    case WA_EV_UPGRADES:
    case WA_EV_MISSED:
        wa_jw_kvi(&w, "count", a->count);
        break;
    case WA_EV_AUTH:
    case WA_EV_OUTPUT:
    case WA_EV_SERVICE:
        break;
    }
    if (text_keys[a->event][0] != '\0')
        wa_jw_kvsv(&w, text_keys[a->event], a->text);
    if (a->event == WA_EV_RESULT && data_json.n > 0) {
        wa_jw_key(&w, "data");
        wa_jw_raw(&w, data_json);
    }
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
}
