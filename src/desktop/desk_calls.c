/* desk_calls.c - what a page may ask for: a closed table, each call one request to the agent.
 *
 * Only what is named here reaches the agent, whose decision it is. A page's words are checked by
 * the same reader as the agent's: they become a request, which is written anew.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "desktop/desk_priv.h"

/* --- one request under way --- */

struct ask {
    struct wa_local_exchange exchange;
    struct wa_desk *desk;
    struct wa_buf line; /* may hold a password */
    struct wa_desk_answer answer;
};

static void ask_free(struct ask *a)
{
    wa_buf_fini_secret(&a->line);
    wa_buf_fini(&a->answer.data);
    wa_free(a);
}

static enum wa_code work(void *user, struct wa_err *err)
{
    struct ask *a = user;
    return wa_desk_talk(a->desk, wa_buf_sv(&a->line), &a->answer, err);
}

/* "auth" is the page's token; the agent's question for a password has a word of its own. */
static void answer_password(struct wa_http_conn *c, const char *message)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_key(&w, "error");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", "password");
    wa_jw_kv(&w, "message", message);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_http_answer(c, 403, "application/json", wa_buf_sv(&body), NULL);
}

/* A refused password, or too many of them, is the agent's word too: no page ends by it. */
static void answer_err(struct wa_http_conn *c, const struct wa_desk_answer *a,
                       const struct wa_err *err)
{
    struct wa_err said = *err;
    if (err->code == WA_E_AUTH && a->needs_password) {
        answer_password(c, err->text);
        return;
    }
    if (said.code == WA_E_AUTH)
        said.code = WA_E_DENIED;
    wa_http_answer_err(c, &said);
}

static void done(void *user, enum wa_code code, const struct wa_err *err)
{
    struct ask *a = user;
    struct wa_http_conn *c = a->exchange.conn;
    a->desk->busy--;
    if (c != NULL) {
        wa_http_set_user(c, NULL);
        if (a->answer.data.n == 0)
            wa_buf_adds(&a->answer.data, "{}");
        if (code != WA_OK)
            answer_err(c, &a->answer, err);
        else
            wa_local_answer_json(c, &a->answer.data);
    }
    ask_free(a);
}

/* In the language of the page. */
static void start(struct wa_desk *d, struct wa_http_conn *c, struct wa_local_request *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct ask *a = wa_calloc(1, sizeof *a);
    if (a == NULL) {
        (void)wa_nomem(&err);
        wa_http_answer_err(c, &err);
        return;
    }
    a->desk = d;
    wa_buf_init(&a->line, 2 * WA_LOCAL_REQUEST_MAX);
    wa_buf_init(&a->answer.data, WA_LOCAL_LINE_MAX);
    a->exchange.conn = c;
    wa_http_set_user(c, a);
    d->busy++;
    r->language = wa_text_current();
    if (wa_local_request_write(r, &a->line, &err) != WA_OK ||
        wa_loop_work(d->loop, work, done, a, &err) != WA_OK)
        done(a, err.code, &err);
}

/* --- calls --- */

static void call_state(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf logo;
    struct wa_jw w;
    WA_UNUSED(body);
    wa_buf_init(&out, 4u << 20);
    wa_buf_init(&logo, 2 * WA_ICON_BYTES_MAX);
    wa_base64_encode(d->o->logo.p, d->o->logo.n, &logo);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "version", WA_VERSION);
    wa_jw_kv(&w, "language", d->o->language);
    wa_jw_kv(&w, "user", d->o->user);
    wa_jw_kvsv(&w, "logo", wa_buf_sv(&logo));
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
}

static void read_prefs(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(body);
    wa_local_prefs_answer(d->o->prefs_dir, c);
}

static void write_prefs(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body)
{
    wa_local_prefs_keep(d->o->prefs_dir, c, body);
}

/* All members that any of these calls has; each takes what it wants of them. */
struct wanted {
    struct wa_sv op, filter, category, sort, search, password;
    const struct wa_json *packages;
    int64_t page, page_size, task;
};

static enum wa_code read_wanted(struct wa_sv body, struct wa_arena *arena, struct wanted *ret,
                                struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wanted w = {.page = 0};
    const struct wa_json_field fields[] = {
        {"op", WA_WANT_SV, false, 32, &w.op},
        {"filter", WA_WANT_SV, false, 32, &w.filter},
        {"category", WA_WANT_SV, false, WA_NAME_MAX, &w.category},
        {"sort", WA_WANT_SV, false, 32, &w.sort},
        {"search", WA_WANT_SV, false, 256, &w.search},
        {"password", WA_WANT_SV, false, 1024, &w.password},
        {"packages", WA_WANT_ARRAY, false, 64, &w.packages},
        {"page", WA_WANT_I64, false, 0, &w.page},
        {"page_size", WA_WANT_I64, false, 0, &w.page_size},
        {"task", WA_WANT_I64, false, 0, &w.task}};
    if (wa_json_parse(body, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    *ret = w;
    return WA_OK;
}

static void add_words(struct wa_local_request *r, struct wa_sv text)
{
    struct wa_sv word;
    while (r->package_count < WA_COUNT(r->packages) && wa_sv_split(&text, ' ', &word))
        if (wa_sv_trim(word).n > 0)
            r->packages[r->package_count++] = wa_sv_trim(word);
}

static enum wa_code add_packages(struct wa_local_request *r, const struct wa_json *list,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *item = wa_json_at(list, i);
        struct wa_sv name = wa_json_sv(item);
        if (!wa_json_is(item, WA_JSON_STRING) || name.n == 0 || name.n > WA_NAME_MAX)
            return wa_fail(err, WA_E_INVALID, "package %zu has no name", i + 1);
        r->packages[r->package_count++] = name;
    }
    return WA_OK;
}

static enum wa_code to_catalogue(const struct wanted *w, struct wa_local_request *r,
                                 struct wa_err *err)
{
    WA_UNUSED(err);
    *r = (struct wa_local_request){.op = WA_OP_CATALOGUE,
                                   .filter = w->filter,
                                   .category = w->category,
                                   .sort = w->sort,
                                   .page = w->page,
                                   .page_size = w->page_size};
    add_words(r, w->search);
    return WA_OK;
}

static enum wa_code to_icons(const struct wanted *w, struct wa_local_request *r, struct wa_err *err)
{
    *r = (struct wa_local_request){.op = WA_OP_ICONS};
    return add_packages(r, w->packages, err);
}

/* What changes something: these, and with nothing but these members. */
static enum wa_code to_task(const struct wanted *w, struct wa_local_request *r, struct wa_err *err)
{
    static const struct {
        const char *name;
        enum wa_local_op op;
        bool has_packages, has_task;
    } ops[] = {{"install", WA_OP_INSTALL, true, false},  {"remove", WA_OP_REMOVE, true, false},
               {"upgrade", WA_OP_UPGRADE, false, false}, {"update", WA_OP_UPDATE, false, false},
               {"cancel", WA_OP_CANCEL, false, true},    {"lock", WA_OP_LOCK, false, false}};
    size_t i = 0;
    while (i < WA_COUNT(ops) && !wa_sv_eqs(w->op, ops[i].name))
        i++;
    if (i == WA_COUNT(ops))
        return wa_fail(err, WA_E_INVALID, "nothing of that kind can be asked for");
    *r = (struct wa_local_request){.op = ops[i].op, .password = w->password};
    r->task_id = ops[i].has_task ? w->task : 0;
    if (ops[i].has_task && w->task <= 0)
        return wa_fail(err, WA_E_INVALID, "which task is meant");
    if (!ops[i].has_packages)
        return WA_OK;
    return wa_json_count(w->packages) > 0 ? add_packages(r, w->packages, err)
                                          : wa_fail(err, WA_E_INVALID, "no package is named");
}

static enum wa_code to_tasks(const struct wanted *w, struct wa_local_request *r, struct wa_err *err)
{
    WA_UNUSED(w);
    WA_UNUSED(err);
    *r = (struct wa_local_request){.op = WA_OP_TASKS};
    return WA_OK;
}

struct route {
    enum wa_http_method method;
    const char *path;
    size_t body_max;
    void (*call)(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body); /* or: */
    enum wa_code (*to_request)(const struct wanted *w, struct wa_local_request *r,
                               struct wa_err *err);
};

static const struct route routes[] = {
    {WA_HTTP_GET, "/local/state", 0, call_state, NULL},
    {WA_HTTP_GET, "/local/events", 0, wa_desk_listen, NULL},
    {WA_HTTP_GET, "/local/prefs", 0, read_prefs, NULL},
    {WA_HTTP_PUT, "/local/prefs", WA_LOCAL_PREFS_MAX, write_prefs, NULL},
    {WA_HTTP_POST, "/local/catalogue", WA_LOCAL_SMALL_MAX, NULL, to_catalogue},
    {WA_HTTP_POST, "/local/icons", WA_DESK_ICONS_MAX, NULL, to_icons},
    {WA_HTTP_POST, "/local/tasks", WA_LOCAL_SMALL_MAX, NULL, to_tasks},
    {WA_HTTP_POST, "/local/do", WA_LOCAL_SMALL_MAX, NULL, to_task},
};

static const struct route *find_route(const struct wa_http_head *head)
{
    for (size_t i = 0; i < WA_COUNT(routes); i++)
        if (head->method == routes[i].method && wa_sv_eqs(head->path, routes[i].path))
            return &routes[i];
    return NULL;
}

enum wa_code wa_desk_judge(void *desk, const struct wa_http_head *head, size_t *ret_max,
                           struct wa_err *err)
{
    const struct route *r = find_route(head);
    WA_UNUSED(desk);
    if (r == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no such call");
    *ret_max = r->body_max;
    return WA_OK;
}

void wa_desk_call(void *desk, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_desk *d = desk;
    const struct route *route = find_route(wa_http_conn_head(c));
    struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wanted w;
    struct wa_local_request r;
    if (route->call != NULL) {
        route->call(d, c, body);
        return;
    }
    wa_arena_init(&arena, 1u << 20);
    if (read_wanted(body, &arena, &w, &err) == WA_OK && route->to_request(&w, &r, &err) == WA_OK)
        start(d, c, &r);
    else
        wa_http_answer_err(c, &err);
    wa_arena_fini_secret(&arena);
}
