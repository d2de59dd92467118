/* inventory_software.c - the software of a machine: each title once for the whole fleet, and which
 * machine has which.
 *
 * A title is what name, version and publisher say together. Those that no machine has any more go,
 * so that one machine can't fill the table by naming new ones in each report.
 */
#include "base/arena.h"
#include "base/map.h"
#include "os/rand.h"
#include "server/inventory.h"
#include "server/software_names.h"

#define KEY_MAX (3 * (WA_INVENTORY_TEXT + 1) + 2)

struct title {
    struct wa_inventory_text name, version, publisher;
    bool is_system;
};

struct have { /* a row that is there */
    int64_t id;
    bool is_kept;
};

struct work {
    struct wa_db *db;
    int64_t host;
    struct wa_arena arena;
    struct wa_map rows; /* of struct have, by what the title says */
    struct wa_software_names names;
};

static struct wa_sv key_of(const struct title *t, char out[KEY_MAX])
{
    int n = snprintf(out, KEY_MAX, "%s\n%s\n%s\n%d", t->name.p, t->version.p, t->publisher.p,
                     t->is_system ? 1 : 0);
    return wa_sv_n(out, (size_t)n); /* no text has a newline */
}

static enum wa_code remember(struct work *w, const struct title *t, int64_t id, bool is_kept,
                             struct wa_err *err)
{
    char key[KEY_MAX];
    struct have *h = wa_arena_alloc(&w->arena, 1, sizeof *h);
    if (h == NULL)
        return wa_nomem(err);
    *h = (struct have){id, is_kept};
    return wa_map_put(&w->rows, key_of(t, key), h, NULL, err);
}

static enum wa_code load_rows(struct work *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(w->db,
                      "SELECT t.id, t.name, t.version, t.publisher, t.is_system FROM host_software "
                      "h JOIN software_titles t ON t.id = h.title WHERE h.host = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct title t = {.is_system = wa_col_i64(s, 4) != 0};
        wa_inventory_clean(wa_col_sv(s, 1), &t.name);
        wa_inventory_clean(wa_col_sv(s, 2), &t.version);
        wa_inventory_clean(wa_col_sv(s, 3), &t.publisher);
        if (remember(w, &t, wa_col_i64(s, 0), false, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

/* --- titles --- */

static void bind_title(struct wa_stmt *s, const struct title *t)
{
    wa_bind_s(s, 0, t->name.p);
    wa_bind_s(s, 1, t->version.p);
    wa_bind_s(s, 2, t->publisher.p);
    wa_bind_i64(s, 3, t->is_system ? 1 : 0);
}

static enum wa_code add_title(struct work *w, const struct title *t, struct wa_err *err)
{
    struct wa_stmt *s;
    char key[WA_VERSION_KEY];
    const char *name = NULL;
    if (wa_software_name(&w->names, w->db, t->name.p, &name, err) != WA_OK ||
        wa_db_prepare(w->db,
                      "INSERT INTO software_titles (id, name, version, publisher, is_system, "
                      "version_key, normal_name) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM "
                      "software_titles), ?1, ?2, ?3, ?4, ?5, ?6)",
                      &s, err) != WA_OK)
        return err->code;
    wa_inventory_version_key(wa_sv(t->version.p), key);
    bind_title(s, t);
    wa_bind_s(s, 4, key);
    wa_bind_s(s, 5, name);
    return wa_run(s, err);
}

static enum wa_code find_title(struct wa_db *db, const struct title *t, int64_t *ret, bool *found,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT id FROM software_titles WHERE name = ?1 AND version = ?2 AND "
                      "publisher = ?3 AND is_system = ?4",
                      &s, err) != WA_OK)
        return err->code;
    bind_title(s, t);
    if (wa_step(s, found, err) != WA_OK || !*found)
        return err->code;
    *ret = wa_col_i64(s, 0);
    wa_reset(s);
    return WA_OK;
}

static enum wa_code run_pair(struct wa_db *db, const char *sql, int64_t a, int64_t b,
                             struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, a);
    if (b >= 0)
        wa_bind_i64(s, 1, b);
    return wa_run(s, err);
}

/* --- the list --- */

static enum wa_code add_row(struct work *w, const struct title *t, struct wa_err *err)
{
    int64_t id = 0;
    bool found = false;
    if (find_title(w->db, t, &id, &found, err) != WA_OK)
        return err->code;
    if (!found &&
        (add_title(w, t, err) != WA_OK || find_title(w->db, t, &id, &found, err) != WA_OK))
        return err->code;
    return run_pair(w->db, "INSERT INTO host_software (host, title) VALUES (?, ?)", w->host, id,
                    err) == WA_OK
               ? remember(w, t, id, true, err)
               : err->code;
}

static enum wa_code take_one(struct work *w, const struct wa_json *j, struct wa_err *err)
{
    struct title t = {.is_system = false};
    char key[KEY_MAX];
    int64_t flag = 0;
    wa_inventory_clean(wa_json_sv(wa_json_get(j, "name")), &t.name);
    wa_inventory_clean(wa_json_sv(wa_json_get(j, "version")), &t.version);
    wa_inventory_clean(wa_json_sv(wa_json_get(j, "publisher")), &t.publisher);
    t.is_system = wa_json_i64(wa_json_get(j, "system_component"), &flag) && flag != 0;
    if (t.name.p[0] == '\0')
        return WA_OK;
    struct have *h = wa_map_get(&w->rows, key_of(&t, key));
    if (h == NULL)
        return add_row(w, &t, err);
    h->is_kept = true;
    return WA_OK;
}

static enum wa_code drop_row(struct work *w, int64_t title, struct wa_err *err)
{
    return run_pair(w->db, "DELETE FROM host_software WHERE host = ? AND title = ?", w->host, title,
                    err) == WA_OK
               ? run_pair(w->db,
                          "DELETE FROM software_titles WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM "
                          "host_software h WHERE h.title = ?1)",
                          title, -1, err)
               : err->code;
}

static enum wa_code take_all(struct work *w, const struct wa_json *list, struct wa_err *err)
{
    if (load_rows(w, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list) && i < WA_SOFTWARE_ROWS_MAX; i++)
        if (take_one(w, wa_json_at(list, i), err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < w->rows.n; i++) {
        const struct have *h = w->rows.items[i].value;
        if (!h->is_kept && drop_row(w, h->id, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_inventory_software(struct wa_db *db, int64_t host, const struct wa_json *list,
                                   struct wa_err *err)
{
    struct work w = {.db = db, .host = host};
    wa_arena_init(&w.arena, WA_SOFTWARE_ROWS_MAX * 64u);
    wa_software_names_init(&w.names);
    enum wa_code code = wa_rand_map(&w.rows, err);
    if (code == WA_OK)
        code = take_all(&w, list, err);
    wa_map_fini(&w.rows);
    wa_arena_fini(&w.arena);
    wa_software_names_fini(&w.names);
    return code;
}
