/* api_inventory.c - what machines have: what became of a machine's packages, and how many machines
 * have which software and which packages. */
#include "base/mem.h"
#include "server/api_page.h"
#include "server/api_search.h"

static void write_event(struct wa_jw *w, struct wa_stmt *q)
{
    static const char *const texts[] = {"event", "package", "version", "was", "status"};
    wa_jw_obj(w);
    wa_jw_kvi(w, "seq", wa_col_i64(q, 0));
    wa_jw_kvi(w, "at", wa_col_i64(q, 1));
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        wa_jw_kvsv(w, texts[i], wa_col_sv(q, i + 2));
    wa_jw_end(w);
}

static enum wa_code history(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = true;
    int64_t before = INT64_MAX, limit = 200, last = 0;
    char package[WA_NAME_MAX + 1];
    if (wa_api_text(c, "package", package, sizeof package, err) != WA_OK ||
        wa_api_number(c, "after", 1, INT64_MAX, &before, err) != WA_OK ||
        wa_api_number(c, "limit", 1, WA_HISTORY_PAGE_MAX, &limit, err) != WA_OK)
        return err->code;
    if (wa_api_need_host(c, c->args[0], err) != WA_OK)
        return err->code;
    if (wa_fleet_get(c->store->fleet, wa_sv(c->args[0])) == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", c->args[0]);
    if (wa_db_prepare(c->store->db,
                      "SELECT p.seq, p.at, p.event, p.package, p.version, p.was, p.status FROM "
                      "package_history p JOIN hosts h ON h.number = p.host WHERE h.uuid = ?1 AND "
                      "p.seq < ?2 AND (?3 = '' OR p.package = ?3) ORDER BY p.seq DESC LIMIT ?4",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, c->args[0]);
    wa_bind_i64(q, 1, before);
    wa_bind_s(q, 2, package);
    wa_bind_i64(q, 3, limit + 1);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "events");
    wa_jw_arr(&w);
    while (wa_step(q, &row, err) == WA_OK && row) {
        if (limit-- == 0)
            break;
        last = wa_col_i64(q, 0);
        write_event(&w, q);
    }
    wa_jw_end(&w);
    if (limit < 0) {
        wa_reset(q);
        wa_api_page_next_number(&w, last);
    }
    wa_jw_end(&w);
    return err->code;
}

/* --- counts: the search process writes the answer --- */

static enum wa_code ask_counts(struct wa_api_call *c, const char *what, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    WA_AUTO_HOSTSET struct wa_hostset among = {NULL, 0, 0};
    struct wa_search_counts q = {.what = what, .limit = 200};
    struct wa_api_page page;
    char package[256], pattern[WA_SEARCH_TEXT] = "";
    bool is_all = false;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    if (wa_api_page_read(c, 200, WA_COUNTS_PAGE_MAX, &page, err) != WA_OK ||
        wa_api_text(c, "package", package, sizeof package, err) != WA_OK ||
        wa_api_among(c, &among, &is_all, err) != WA_OK)
        return err->code;
    if (package[0] != '\0')
        wa_api_pattern(package, true, pattern);
    else if (page.search[0] != '\0')
        wa_api_pattern(page.search, false, pattern);
    q.offset = page.offset;
    q.limit = page.limit;
    q.after_value = page.has_after ? page.value : NULL;
    q.after_id = page.id;
    q.name = pattern;
    q.among = is_all ? NULL : &among;
    wa_search_write_counts(&q, &question);
    if (wa_api_search_ask(c->request, &question, wa_api_answer_found, c->request, err) != WA_OK)
        return err->code;
    c->is_later = true;
    return WA_OK;
}

static enum wa_code software(struct wa_api_call *c, struct wa_err *err)
{
    return ask_counts(c, "software", err);
}

static enum wa_code packages(struct wa_api_call *c, struct wa_err *err)
{
    return ask_counts(c, "packages", err);
}

static const struct wa_api_param count_params[] = {
    {"search", "Only of such a name: a part of it, or a pattern with * and ?", false},
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};
static const struct wa_api_param state_params[] = {
    {"package", "Only of that name, or of a pattern with * and ?", false},
    {"search", "Only of such a name: a part of it, or a pattern with * and ?", false},
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};
static const struct wa_api_param history_params[] = {
    {"package", "Only what became of that package", false},
    WA_API_PAGE_PARAMS,
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/hosts/{uuid}/history", WA_MAY_VIEW, false, history,
     "What became of a machine's packages, the newest first", history_params, NULL, "History"},
    {"GET", "/api/v1/software", WA_MAY_VIEW, false, software,
     "Software, with how many machines have each version", count_params, NULL, "Software"},
    {"GET", "/api/v1/package-states", WA_MAY_VIEW, false, packages,
     "Packages on machines, with how many have each version and state", state_params, NULL,
     "PackageStates"},
};
const struct wa_api_resource wa_api_inventory_calls = {routes, WA_COUNT(routes)};
