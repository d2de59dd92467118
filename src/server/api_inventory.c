/* api_inventory.c - what machines say of themselves, by what is in it: what became of a machine's
 * packages. */
#include "server/api.h"

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
    int64_t before = INT64_MAX, limit = 200;
    char package[WA_NAME_MAX + 1];
    if (wa_api_text(c, "package", package, sizeof package, err) != WA_OK ||
        wa_api_number(c, "before", 1, INT64_MAX, &before, err) != WA_OK ||
        wa_api_number(c, "limit", 1, WA_HISTORY_PAGE_MAX, &limit, err) != WA_OK)
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
    wa_bind_i64(q, 3, limit);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "events");
    wa_jw_arr(&w);
    while (wa_step(q, &row, err) == WA_OK && row)
        write_event(&w, q);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return err->code;
}

static const struct wa_api_param history_params[] = {
    {"package", "Only what became of that package", false},
    {"before", "Only entries before this one", true},
    {"limit", "At most so many, the newest first; 200 if not said", true},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/hosts/{uuid}/history", WA_MAY_VIEW, false, history,
     "What became of a machine's packages, the newest first", history_params, NULL, "History"},
};
const struct wa_api_resource wa_api_inventory_calls = {routes, WA_COUNT(routes)};
