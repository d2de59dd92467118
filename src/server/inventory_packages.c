/* inventory_packages.c - the packages of a machine, and what became of them: installed, upgraded,
 * failed, removed, audited, each once.
 *
 * History is the difference between what was there and what the machine says now. A report that
 * comes twice differs in nothing, so it adds nothing. It is bounded for each machine, and by age.
 */
#include "base/arena.h"
#include "base/map.h"
#include "os/rand.h"
#include "server/inventory.h"

struct state {
    struct wa_inventory_text package, version, status, audit, audit_says;
    int64_t installed_at, audited_at;
    bool is_explicit;
    bool is_kept; /* the machine still names it */
};

struct work {
    struct wa_db *db;
    int64_t host, now;
    int64_t seq; /* of the newest entry of its history; -1: not asked yet */
    struct wa_arena arena;
    struct wa_map rows; /* of struct state, by package */
};

/* --- history --- */

static enum wa_code last_seq(struct work *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (w->seq >= 0)
        return WA_OK;
    if (wa_db_prepare(w->db, "SELECT COALESCE(MAX(seq), 0) FROM package_history WHERE host = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    w->seq = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

static enum wa_code add_event(struct work *w, const char *event, const struct state *now,
                              const char *was, struct wa_err *err)
{
    struct wa_stmt *s;
    if (last_seq(w, err) != WA_OK ||
        wa_db_prepare(w->db,
                      "INSERT INTO package_history (host, seq, at, event, package, version, was, "
                      "status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_i64(s, 1, ++w->seq);
    wa_bind_i64(s, 2, w->now);
    wa_bind_s(s, 3, event);
    wa_bind_s(s, 4, now->package.p);
    wa_bind_s(s, 5, now->version.p);
    wa_bind_s(s, 6, was);
    wa_bind_s(s, 7, strcmp(event, "audited") == 0 ? now->audit.p : now->status.p);
    return wa_run(s, err);
}

static enum wa_code trim(struct work *w, struct wa_err *err)
{
    struct wa_stmt *s;
    if (w->seq <= (int64_t)WA_HISTORY_ROWS_MAX)
        return WA_OK; /* nothing was added, or there is room */
    if (wa_db_prepare(w->db, "DELETE FROM package_history WHERE host = ? AND seq <= ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_i64(s, 1, w->seq - (int64_t)WA_HISTORY_ROWS_MAX);
    return wa_run(s, err);
}

/* What happened between the two; was: NULL when it was not there. */
static enum wa_code tell(struct work *w, const struct state *was, const struct state *now,
                         struct wa_err *err)
{
    bool is_new = was == NULL || strcmp(was->version.p, now->version.p) != 0;
    bool is_other = was == NULL || strcmp(was->status.p, now->status.p) != 0;
    const char *before = was == NULL ? "" : was->version.p;
    if (is_new || is_other) {
        const char *event = strcmp(now->status.p, "OK") != 0 ? "failed"
                            : was == NULL                    ? "installed"
                            : is_new                         ? "upgraded"
                                                             : "repaired";
        if (add_event(w, event, now, before, err) != WA_OK)
            return err->code;
    }
    bool is_audited =
        now->audit.p[0] != '\0' && (was == NULL || strcmp(was->audit.p, now->audit.p) != 0);
    return is_audited ? add_event(w, "audited", now, before, err) : WA_OK;
}

/* --- rows --- */

static enum wa_code load_rows(struct work *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(w->db,
                      "SELECT package, version, status, audit, audit_says, installed_at, "
                      "audited_at, is_explicit FROM package_states WHERE host = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct state *t = wa_arena_alloc(&w->arena, 1, sizeof *t);
        if (t == NULL) {
            wa_reset(s);
            return wa_nomem(err);
        }
        struct wa_inventory_text *const texts[] = {&t->package, &t->version, &t->status, &t->audit,
                                                   &t->audit_says};
        for (int i = 0; i < (int)WA_COUNT(texts); i++)
            wa_inventory_clean(wa_col_sv(s, i), texts[i]);
        t->installed_at = wa_col_i64(s, 5);
        t->audited_at = wa_col_i64(s, 6);
        t->is_explicit = wa_col_i64(s, 7) != 0;
        if (wa_map_put(&w->rows, wa_sv(t->package.p), t, NULL, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

static enum wa_code write_row(struct work *w, const struct state *t, struct wa_err *err)
{
    struct wa_stmt *s;
    char key[WA_VERSION_KEY];
    if (wa_db_prepare(
            w->db,
            "INSERT INTO package_states (host, package, version, version_key, status, audit, "
            "audit_says, installed_at, audited_at, is_explicit) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
            "?7, ?8, ?9, ?10) ON CONFLICT (host, package) DO UPDATE SET version = "
            "excluded.version, version_key = excluded.version_key, status = excluded.status, audit "
            "= excluded.audit, audit_says = excluded.audit_says, installed_at = "
            "excluded.installed_at, audited_at = excluded.audited_at, is_explicit = "
            "excluded.is_explicit",
            &s, err) != WA_OK)
        return err->code;
    wa_inventory_version_key(wa_sv(t->version.p), key);
    const char *const texts[] = {t->package.p, t->version.p, key,
                                 t->status.p,  t->audit.p,   t->audit_says.p};
    wa_bind_i64(s, 0, w->host);
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        wa_bind_s(s, i + 1, texts[i]);
    wa_bind_i64(s, 7, t->installed_at);
    wa_bind_i64(s, 8, t->audited_at);
    wa_bind_i64(s, 9, t->is_explicit ? 1 : 0);
    return wa_run(s, err);
}

static enum wa_code drop_row(struct work *w, const struct state *t, struct wa_err *err)
{
    struct wa_stmt *s;
    struct state gone = *t;
    gone.version.p[0] = '\0';
    gone.status.p[0] = '\0';
    if (wa_db_prepare(w->db, "DELETE FROM package_states WHERE host = ? AND package = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, t->package.p);
    return wa_run(s, err) == WA_OK ? add_event(w, "removed", &gone, t->version.p, err) : err->code;
}

/* --- the list --- */

static void read_state(const struct wa_json *j, struct state *ret)
{
    const struct {
        const char *key;
        struct wa_inventory_text *to;
    } texts[] = {{"package", &ret->package},
                 {"version", &ret->version},
                 {"install_status", &ret->status},
                 {"last_audit_status", &ret->audit},
                 {"last_audit_output", &ret->audit_says}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        wa_inventory_clean(wa_json_sv(wa_json_get(j, texts[i].key)), texts[i].to);
    (void)wa_json_i64(wa_json_get(j, "install_date"), &ret->installed_at);
    (void)wa_json_i64(wa_json_get(j, "last_audit_on"), &ret->audited_at);
    ret->is_explicit = wa_json_bool(wa_json_get(j, "explicit"));
}

static bool is_same(const struct state *a, const struct state *b)
{
    return strcmp(a->version.p, b->version.p) == 0 && strcmp(a->status.p, b->status.p) == 0 &&
           strcmp(a->audit.p, b->audit.p) == 0 && strcmp(a->audit_says.p, b->audit_says.p) == 0 &&
           a->installed_at == b->installed_at && a->audited_at == b->audited_at &&
           a->is_explicit == b->is_explicit;
}

static enum wa_code take_one(struct work *w, const struct wa_json *j, struct wa_err *err)
{
    struct state *now = wa_arena_alloc(&w->arena, 1, sizeof *now), *was;
    if (now == NULL)
        return wa_nomem(err);
    read_state(j, now);
    now->is_kept = true;
    was = wa_map_get(&w->rows, wa_sv(now->package.p));
    if (now->package.p[0] == '\0' || (was != NULL && was->is_kept))
        return WA_OK; /* none, or named twice: the first counts */
    if (was != NULL && is_same(was, now)) {
        was->is_kept = true;
        return WA_OK;
    }
    if (write_row(w, now, err) != WA_OK || tell(w, was, now, err) != WA_OK)
        return err->code;
    return wa_map_put(&w->rows, wa_sv(now->package.p), now, NULL, err);
}

static enum wa_code take_all(struct work *w, const struct wa_json *list, struct wa_err *err)
{
    if (load_rows(w, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list) && i < WA_PACKAGE_ROWS_MAX; i++)
        if (take_one(w, wa_json_at(list, i), err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < w->rows.n; i++) {
        const struct state *t = w->rows.items[i].value;
        if (!t->is_kept && drop_row(w, t, err) != WA_OK)
            return err->code;
    }
    return trim(w, err);
}

enum wa_code wa_inventory_packages(struct wa_db *db, int64_t host, const struct wa_json *list,
                                   int64_t now, struct wa_err *err)
{
    struct work w = {.db = db, .host = host, .now = now, .seq = -1};
    wa_arena_init(&w.arena, 2 * WA_PACKAGE_ROWS_MAX * (sizeof(struct state) + 64));
    enum wa_code code = wa_rand_map(&w.rows, err);
    if (code == WA_OK)
        code = take_all(&w, list, err);
    wa_map_fini(&w.rows);
    wa_arena_fini(&w.arena);
    return code;
}
