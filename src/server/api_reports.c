/* api_reports.c - reports: saved, listed, run. What they may be is judged twice, here when they are
 * saved and by the process that runs them; what they show is the caller's machines, whoever wrote
 * them. */
#include "base/mem.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api_list.h"
#include "server/api_page.h"
#include "server/api_search.h"
#include "server/report.h"

#define ABOUT_MAX 1000u /* bytes */
#define RUNS_MAX 8u     /* reports that wait or run */
#define RUNS_EACH 2u    /* of one person: the others find room */

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == '/' || *p == 0x7f)
            return false;
    return n > 0 && n <= 100;
}

static void write_report(void *user, const struct wa_report *r)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "name", r->name);
    wa_jw_kvsv(w, "about", r->about);
    wa_jw_kvsv(w, "query", r->query);
    wa_jw_kvsv(w, "author", r->author);
    wa_jw_kvi(w, "changed_at", r->changed_at);
    wa_jw_end(w);
}

static enum wa_code list(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    size_t count = 0;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "reports");
    wa_jw_arr(&w);
    if (wa_store_reports(c->store->db, NULL, write_report, &w, &count, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return WA_OK;
}

static void take_author(void *user, const struct wa_report *r)
{
    (void)snprintf(user, WA_NAME_MAX + 1, "%.*s", WA_SV_ARG(r->author));
}

/* What everybody runs is changed by who sees all machines; somebody with a perimeter has their own
 * reports. */
static enum wa_code check_author(const struct wa_api_call *c, struct wa_err *err)
{
    char author[WA_NAME_MAX + 1] = "";
    size_t count = 0;
    if (!c->who.is_limited ||
        wa_store_reports(c->store->db, c->args[0], take_author, author, &count, err) != WA_OK)
        return err->code;
    return count == 0 || strcmp(author, c->who.user) == 0
               ? WA_OK
               : wa_fail(err, WA_E_DENIED,
                         "the report '%s' is of '%s': with a perimeter one changes one's own alone",
                         c->args[0], author);
}

/* A change of the reports, with its entry in the journal. */
static enum wa_code change(struct wa_api_call *c, const char *what, const struct wa_report *put,
                           struct wa_err *err)
{
    struct wa_store *s = c->store;
    const struct wa_journal_act act = {
        .act = what,
        .user = wa_sv(c->who.user),
        .peer = c->request->peer,
        .what = {{"name", wa_sv(c->args[0])}, {"query", put != NULL ? put->query : WA_SV("")}}};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    enum wa_code code = check_author(c, err);
    if (code == WA_OK)
        code = put != NULL ? wa_store_put_report(s->db, put, err)
                           : wa_store_delete_report(s->db, c->args[0], err);
    if (code != WA_OK || wa_store_note(s, &act, err) != WA_OK || wa_db_commit(s->db, err) != WA_OK)
        wa_db_rollback(s->db);
    else
        wa_buf_adds(c->out, "{}");
    return err->code;
}

/* The members of a body; both stay in arena. */
static enum wa_code read_body(const struct wa_api_call *c, struct wa_arena *arena,
                              struct wa_sv *about, const char **query, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_sv text = {0};
    const struct wa_json_field fields[] = {{"query", WA_WANT_SV, true, WA_FOREIGN_TEXT_MAX, &text},
                                           {"about", WA_WANT_SV, false, ABOUT_MAX, about}};
    size_t at;
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a report", err) != WA_OK)
        return err->code;
    if (wa_sv_chr(text, '\0', &at) || wa_sv_chr(*about, '\0', &at))
        return wa_fail(err, WA_E_USAGE, "a report with a NUL in it");
    *query = wa_arena_strdup(arena, text);
    return *query == NULL ? wa_nomem(err) : wa_foreign_check(*query, err);
}

static enum wa_code put(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_report r = {.name = wa_sv(c->args[0]), .about = {"", 0}};
    const char *query = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (!is_name(c->args[0]))
        return wa_fail(err, WA_E_USAGE, "a report's name has 1 to 100 bytes, and no '/'");
    if (read_body(c, &arena, &r.about, &query, err) != WA_OK)
        return err->code;
    r.query = wa_sv(query);
    r.author = wa_sv(c->who.user);
    r.changed_at = wa_clock_now();
    return change(c, "report.saved", &r, err);
}

static enum wa_code forget(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, "report.deleted", NULL, err);
}

/* --- running --- */

struct wa_report_run {
    struct wa_report_run *next;
    struct wa_store_request *request;
    char scope[33]; /* PostgreSQL: its name; else "" */
    char user[WA_NAME_MAX + 1];
};

static void take_out(struct wa_store *s, const struct wa_report_run *w)
{
    struct wa_report_run **at = &s->report_runs;
    while (*at != NULL && *at != w)
        at = &(*at)->next;
    if (*at != NULL)
        *at = w->next;
    s->reports--;
}

static void on_rows(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_report_run *w = user;
    struct wa_err err = WA_ERR_INIT, ended = WA_ERR_INIT;
    take_out(s, w);
    if (w->scope[0] != '\0' && wa_store_end_scope(s->db, w->scope, wa_clock_now(), &ended) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "report.scope", &ended);
    if (wa_sv_starts(payload, "{\"columns\":")) {
        wa_store_answer(w->request, 200, payload);
    } else if (wa_sv_starts(payload, WA_REPORT_CSV)) {
        wa_store_answer_as(w->request, "csv",
                           wa_sv_sub(payload, sizeof WA_REPORT_CSV - 1, payload.n));
    } else {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        wa_arena_init(&arena, 1u << 20);
        if (wa_json_answer(payload, &arena, &j, &err) == WA_OK)
            (void)wa_fail(&err, WA_E_INTERNAL, "an answer that is none");
        wa_log(&s->child.log, WA_LOG_INFO, "report.failed", WA_LF_S("user", w->user),
               WA_LF_S("why", err.text));
        wa_store_answer_err(w->request, &err);
    }
    wa_free(w);
}

/* Whose machines: the numbers, or the name under which they stand in the database. */
static enum wa_code write_scope(struct wa_api_call *c, struct wa_report_run *w, struct wa_jw *jw,
                                struct wa_err *err)
{
    WA_AUTO_HOSTSET struct wa_hostset among = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf text;
    bool is_all = false, is_sqlite = strcmp(wa_db_driver(c->store->db), "sqlite") == 0;
    wa_buf_init(&text, WA_SEARCH_BYTES_MAX);
    if (wa_api_among(c, &among, &is_all, err) != WA_OK)
        return err->code;
    wa_hostset_write(&among, &text);
    if (is_sqlite && !is_all)
        wa_jw_kvsv(jw, "scope", wa_buf_sv(&text));
    if (wa_buf_check(&text, err) != WA_OK || is_sqlite)
        return err->code;
    if (c->store->child.config.report_database[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "reports on PostgreSQL need report_database in the server's configuration: "
                       "docs/reports.md");
    if (wa_rand_hex(w->scope, 16, err) != WA_OK ||
        wa_store_add_scope(c->store->db, w->scope, is_all ? WA_SV("*") : wa_buf_sv(&text),
                           wa_clock_now(), err) != WA_OK)
        return err->code;
    wa_jw_kv(jw, "scope", w->scope);
    return WA_OK;
}

static enum wa_code check_share(const struct wa_api_call *c, struct wa_err *err)
{
    size_t theirs = 0;
    for (const struct wa_report_run *w = c->store->report_runs; w != NULL; w = w->next)
        theirs += strcmp(w->user, c->who.user) == 0;
    if (theirs >= RUNS_EACH)
        return wa_fail(err, WA_E_BUSY, "%zu reports of '%s' are running already: wait for one",
                       theirs, c->who.user);
    return c->store->reports < RUNS_MAX
               ? WA_OK
               : wa_fail(err, WA_E_BUSY, "too many reports are running: try again in a minute");
}

static enum wa_code read_format(const struct wa_api_call *c, bool *ret_is_csv, struct wa_err *err)
{
    char format[8];
    if (wa_api_text(c, WA_API_FORMAT, format, sizeof format, err) != WA_OK)
        return err->code;
    *ret_is_csv = strcmp(format, "csv") == 0;
    return *ret_is_csv || format[0] == '\0' || strcmp(format, "json") == 0
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "'format' takes json or csv");
}

static enum wa_code ask(struct wa_api_call *c, struct wa_report_run *w, const char *query,
                        struct wa_err *err)
{
    bool is_csv = false;
    WA_AUTO_BUF struct wa_buf question;
    struct wa_jw jw;
    int64_t rows = WA_REPORT_ROWS;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    wa_jw_init(&jw, &question);
    if (wa_api_number(c, "limit", 1, WA_REPORT_ROWS_MAX, &rows, err) != WA_OK ||
        read_format(c, &is_csv, err) != WA_OK || check_share(c, err) != WA_OK)
        return err->code;
    wa_jw_obj(&jw);
    wa_jw_kv(&jw, "sql", query);
    wa_jw_kvi(&jw, "rows", rows);
    wa_jw_kvb(&jw, "csv", is_csv);
    if (write_scope(c, w, &jw, err) != WA_OK)
        return err->code;
    wa_jw_end(&jw);
    w->request = c->request;
    memcpy(w->user, c->who.user, sizeof w->user);
    return wa_buf_check(&question, err) == WA_OK
               ? wa_store_ask(c->store, WA_SR_REPORT, wa_buf_sv(&question), on_rows, w, err)
               : err->code;
}

static enum wa_code start(struct wa_api_call *c, const char *query, struct wa_err *err)
{
    struct wa_report_run *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    if (ask(c, w, query, err) != WA_OK) {
        wa_free(w);
        return err->code;
    }
    w->next = c->store->report_runs;
    c->store->report_runs = w;
    c->store->reports++;
    c->is_later = true;
    return WA_OK;
}

struct found {
    struct wa_arena arena;
    const char *query;
};

static void take_query(void *user, const struct wa_report *r)
{
    struct found *f = user;
    f->query = wa_arena_strdup(&f->arena, r->query);
}

static enum wa_code run_saved(struct wa_api_call *c, struct wa_err *err)
{
    struct found f = {.query = NULL};
    size_t count = 0;
    wa_arena_init(&f.arena, 1u << 20);
    enum wa_code code = wa_store_reports(c->store->db, c->args[0], take_query, &f, &count, err);
    if (code == WA_OK && count == 0)
        code = wa_fail(err, WA_E_NOT_FOUND, "there is no report '%s'", c->args[0]);
    else if (code == WA_OK)
        code = f.query == NULL ? wa_nomem(err) : start(c, f.query, err);
    wa_arena_fini(&f.arena);
    return code;
}

static enum wa_code try_query(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv about = {"", 0};
    const char *query = NULL;
    wa_arena_init(&arena, 1u << 20);
    return read_body(c, &arena, &about, &query, err) == WA_OK ? start(c, query, err) : err->code;
}

static const struct wa_api_param run_params[] = {
    {"limit", "At most so many rows, 1,000 if not said", true},
    {WA_API_FORMAT, "json, or csv: the rows alone, and not whether there are more", false},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/reports", WA_MAY_VIEW, false, list, "The saved reports", wa_api_whole_params,
     NULL, "Reports"},
    {"PUT", "/api/v1/reports/{name}", WA_MAY_REPORT, false, put, "Save a report", NULL, "Report",
     "Nothing"},
    {"DELETE", "/api/v1/reports/{name}", WA_MAY_REPORT, false, forget, "Delete a report", NULL,
     NULL, "Nothing"},
    {"GET", "/api/v1/reports/{name}/rows", WA_MAY_VIEW, false, run_saved,
     "Run a report over the machines that one sees", run_params, NULL, "Rows"},
    {"POST", "/api/v1/report-rows", WA_MAY_REPORT, false, try_query,
     "Run a report that is not saved", run_params, "Report", "Rows"},
};
const struct wa_api_resource wa_api_reports_calls = {routes, WA_COUNT(routes)};
