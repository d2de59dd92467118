/* api_views.c - what somebody's console keeps on the server for them: lists as they cut and sorted
 * them, columns, by name. Their content means nothing here; it is bounded, and nobody else's.
 */
#include "os/clock.h"
#include "server/api_page.h"

static enum wa_code list(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    bool row = true;
    if (wa_db_prepare(
            c->store->db,
            "SELECT name, content, changed_at FROM views WHERE \"user\" = ? ORDER BY name", &s,
            err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, c->who.user);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "views");
    wa_jw_arr(&w);
    while (wa_step(s, &row, err) == WA_OK && row) {
        wa_jw_obj(&w);
        wa_jw_kvsv(&w, "name", wa_col_sv(s, 0));
        wa_jw_key(&w, "view");
        wa_jw_raw(&w, wa_col_sv(s, 1));
        wa_jw_kvi(&w, "changed_at", wa_col_i64(s, 2));
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return err->code;
}

static enum wa_code check_name(const char *name, struct wa_err *err)
{
    size_t n = strlen(name);
    return n > 0 && n <= WA_NAME_MAX
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "a view's name has 1 to %u bytes", WA_NAME_MAX);
}

/* One more, unless it is there already. */
static enum wa_code check_room(const struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(c->store->db, "SELECT COUNT(*) FROM views WHERE \"user\" = ?1 AND name <> ?2",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, c->who.user);
    wa_bind_s(s, 1, c->args[0]);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t n = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return n < (int64_t)WA_VIEWS_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "you have %u views already: delete one", WA_VIEWS_MAX);
}

static enum wa_code put(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL, *view = NULL;
    struct wa_stmt *s;
    const struct wa_json_field fields[] = {{"view", WA_WANT_OBJECT, true, 0, &view}};
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, WA_VIEW_BYTES_MAX);
    if (check_name(c->args[0], err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a view", err) != WA_OK)
        return err->code;
    wa_json_write(view, &text);
    if (wa_buf_check(&text, err) != WA_OK || check_room(c, err) != WA_OK ||
        wa_db_prepare(c->store->db,
                      "INSERT INTO views (\"user\", name, content, changed_at) VALUES (?1, ?2, ?3, "
                      "?4) ON CONFLICT (\"user\", name) DO UPDATE SET content = excluded.content, "
                      "changed_at = excluded.changed_at",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, c->who.user);
    wa_bind_s(s, 1, c->args[0]);
    wa_bind_sv(s, 2, wa_buf_sv(&text));
    wa_bind_i64(s, 3, wa_clock_now());
    wa_buf_adds(c->out, "{}");
    return wa_run(s, err);
}

static enum wa_code forget(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(c->store->db, "DELETE FROM views WHERE \"user\" = ? AND name = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, c->who.user);
    wa_bind_s(s, 1, c->args[0]);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    wa_buf_adds(c->out, "{}");
    return wa_db_changes(c->store->db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "you have no view '%s'", c->args[0]);
}

/* --- the calls --- */

#define VIEWS "/api/v1/account/views"

static const struct wa_api_route routes[] = {
    {"GET", VIEWS, WA_MAY_OWN, false, list, "One's own saved views", wa_api_whole_params, NULL,
     "Views"},
    {"PUT", VIEWS "/{name}", WA_MAY_OWN, false, put, "Save a view", NULL, "View", "Nothing"},
    {"DELETE", VIEWS "/{name}", WA_MAY_OWN, false, forget, "Delete a view", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_views_calls = {routes, WA_COUNT(routes)};
