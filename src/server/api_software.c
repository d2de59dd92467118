/* api_software.c - what software is called in reports: rules that give the titles of vendors one
 * name. They change what is shown, nothing else.
 */
#include "server/api_search.h"
#include "server/software_names.h"

#define NAME_MAX 255u /* bytes of a name, and of a pattern */

static enum wa_code get(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    bool row = true;
    if (wa_db_prepare(c->store->db, "SELECT pattern, name FROM software_rules ORDER BY seq", &s,
                      err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "names");
    wa_jw_arr(&w);
    while (wa_step(s, &row, err) == WA_OK && row) {
        char text[WA_SEARCH_TEXT];
        wa_api_pattern_text(wa_col_sv(s, 0), text);
        wa_jw_obj(&w);
        wa_jw_kv(&w, "pattern", text);
        wa_jw_kvsv(&w, "name", wa_col_sv(s, 1));
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return err->code;
}

static enum wa_code put_rule(struct wa_db *db, const struct wa_json *rule, int64_t seq,
                             struct wa_err *err)
{
    struct wa_sv pattern = {0}, name = {0};
    struct wa_inventory_text clean;
    struct wa_stmt *s;
    char text[NAME_MAX + 1], like[WA_SEARCH_TEXT];
    const struct wa_json_field fields[] = {{"pattern", WA_WANT_SV, true, NAME_MAX, &pattern},
                                           {"name", WA_WANT_SV, true, NAME_MAX, &name}};
    if (wa_json_read(rule, fields, WA_COUNT(fields), "a name of software", err) != WA_OK)
        return err->code;
    if (pattern.n == 0 || name.n == 0)
        return wa_fail(err, WA_E_USAGE, "a name of software without a pattern or a name");
    wa_inventory_clean(pattern, &clean);
    (void)snprintf(text, sizeof text, "%s", clean.p);
    wa_api_pattern(text, true, like);
    wa_inventory_clean(name, &clean);
    if (wa_db_prepare(db, "INSERT INTO software_rules (seq, pattern, name) VALUES (?, ?, ?)", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, seq);
    wa_bind_s(s, 1, like);
    wa_bind_s(s, 2, clean.p);
    return wa_run(s, err);
}

static enum wa_code run(struct wa_db *db, const char *sql, struct wa_err *err)
{
    struct wa_stmt *s;
    return wa_db_prepare(db, sql, &s, err) == WA_OK ? wa_run(s, err) : err->code;
}

/* All of them in place of those that are there, and the titles with them. */
static enum wa_code replace(struct wa_api_call *c, const struct wa_json *names, struct wa_err *err)
{
    struct wa_db *db = c->store->db;
    char count[24];
    (void)snprintf(count, sizeof count, "%zu", wa_json_count(names));
    const struct wa_journal_act act = {.act = "software.named",
                                       .user = wa_sv(c->who.user),
                                       .peer = c->request->peer,
                                       .what = {{"count", wa_sv(count)}}};
    if (run(db, "DELETE FROM software_rules", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(names); i++)
        if (put_rule(db, wa_json_at(names, i), (int64_t)i + 1, err) != WA_OK)
            return err->code;
    return wa_software_rename_all(db, err) == WA_OK ? wa_store_note(c->store, &act, err)
                                                    : err->code;
}

static enum wa_code put(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *names = NULL;
    const struct wa_json_field fields[] = {
        {"names", WA_WANT_ARRAY, true, WA_SOFTWARE_NAMES_MAX, &names}};
    wa_arena_init(&arena, 4u << 20);
    if (c->who.is_limited) /* names are the same for all machines */
        return wa_fail(err, WA_E_DENIED,
                       "what software is called is the same for all machines: it is for somebody "
                       "who sees all of them");
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "names of software", err) != WA_OK ||
        wa_db_begin(c->store->db, err) != WA_OK)
        return err->code;
    if (replace(c, names, err) != WA_OK || wa_db_commit(c->store->db, err) != WA_OK)
        wa_db_rollback(c->store->db);
    else
        wa_buf_adds(c->out, "{}");
    return err->code;
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/software-names", WA_MAY_VIEW, false, get,
     "What software is called in reports, the first pattern that matches", NULL, NULL,
     "SoftwareNames"},
    {"PUT", "/api/v1/software-names", WA_MAY_REPORT, false, put,
     "Call software so, in place of all names before", NULL, "SoftwareNames", "Nothing"},
};
const struct wa_api_resource wa_api_software_calls = {routes, WA_COUNT(routes)};
