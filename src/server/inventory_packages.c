/* inventory_packages.c - the packages of a machine, and what became of them: installed, upgraded,
 * failed, removed, audited, each once.
 *
 * History is the difference between what was there and what the machine says now. A report that
 * comes twice differs in nothing, so it adds nothing. It is bounded for each machine, and by age.
 */
#include "server/inventory_rows.h"

struct state {
    struct wa_inventory_row base;
    struct wa_inventory_text status, audit, audit_says;
    int64_t installed_at, audited_at;
    bool is_explicit;
};

struct work {
    struct wa_db *db;
    int64_t host, now;
    int64_t seq; /* of the newest entry of its history; -1: not asked yet */
};

static const struct state *state_of(const struct wa_inventory_row *r)
{
    return (const struct state *)(const void *)r;
}

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
    wa_bind_s(s, 4, now->base.package.p);
    wa_bind_s(s, 5, now->base.version.p);
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
    bool is_new = was == NULL || strcmp(was->base.version.p, now->base.version.p) != 0;
    bool is_other = was == NULL || strcmp(was->status.p, now->status.p) != 0;
    const char *before = was == NULL ? "" : was->base.version.p;
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

static void read_row(struct wa_stmt *s, struct wa_inventory_row *r)
{
    struct state *t = (struct state *)(void *)r;
    wa_inventory_clean(wa_col_sv(s, 2), &t->status);
    wa_inventory_clean(wa_col_sv(s, 3), &t->audit);
    wa_inventory_clean(wa_col_sv(s, 4), &t->audit_says);
    t->installed_at = wa_col_i64(s, 5);
    t->audited_at = wa_col_i64(s, 6);
    t->is_explicit = wa_col_i64(s, 7) != 0;
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
    wa_inventory_version_key(wa_sv(t->base.version.p), key);
    const char *const texts[] = {t->base.package.p, t->base.version.p, key,
                                 t->status.p,       t->audit.p,        t->audit_says.p};
    wa_bind_i64(s, 0, w->host);
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        wa_bind_s(s, i + 1, texts[i]);
    wa_bind_i64(s, 7, t->installed_at);
    wa_bind_i64(s, 8, t->audited_at);
    wa_bind_i64(s, 9, t->is_explicit ? 1 : 0);
    return wa_run(s, err);
}

static enum wa_code drop_row(void *user, const struct wa_inventory_row *r, struct wa_err *err)
{
    struct work *w = user;
    const struct state *t = state_of(r);
    struct wa_stmt *s;
    struct state gone = *t;
    gone.base.version.p[0] = '\0';
    gone.status.p[0] = '\0';
    if (wa_db_prepare(w->db, "DELETE FROM package_states WHERE host = ? AND package = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, t->base.package.p);
    return wa_run(s, err) == WA_OK ? add_event(w, "removed", &gone, t->base.version.p, err)
                                   : err->code;
}

/* --- the list --- */

static void read_state(const struct wa_json *j, struct wa_inventory_row *r)
{
    struct state *ret = (struct state *)(void *)r;
    const struct {
        const char *key;
        struct wa_inventory_text *to;
    } texts[] = {{"package", &ret->base.package},
                 {"version", &ret->base.version},
                 {"install_status", &ret->status},
                 {"last_audit_status", &ret->audit},
                 {"last_audit_output", &ret->audit_says}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        wa_inventory_clean(wa_json_sv(wa_json_get(j, texts[i].key)), texts[i].to);
    (void)wa_json_i64(wa_json_get(j, "install_date"), &ret->installed_at);
    (void)wa_json_i64(wa_json_get(j, "last_audit_on"), &ret->audited_at);
    ret->is_explicit = wa_json_bool(wa_json_get(j, "explicit"));
}

static bool is_same(const struct wa_inventory_row *one, const struct wa_inventory_row *other)
{
    const struct state *a = state_of(one), *b = state_of(other);
    return strcmp(a->status.p, b->status.p) == 0 && strcmp(a->audit.p, b->audit.p) == 0 &&
           strcmp(a->audit_says.p, b->audit_says.p) == 0 && a->installed_at == b->installed_at &&
           a->audited_at == b->audited_at && a->is_explicit == b->is_explicit;
}

static enum wa_code take_row(void *user, const struct wa_inventory_row *was,
                             const struct wa_inventory_row *now, struct wa_err *err)
{
    return write_row(user, state_of(now), err) == WA_OK
               ? tell(user, was != NULL ? state_of(was) : NULL, state_of(now), err)
               : err->code;
}

enum wa_code wa_inventory_packages(struct wa_db *db, int64_t host, const struct wa_json *list,
                                   int64_t now, struct wa_err *err)
{
    static const struct wa_inventory_kind kind = {
        .size = sizeof(struct state),
        .select = "SELECT package, version, status, audit, audit_says, installed_at, audited_at, "
                  "is_explicit FROM package_states WHERE host = ?",
        .from_row = read_row,
        .from_list = read_state,
        .is_same = is_same,
        .changed = take_row,
        .gone = drop_row};
    struct work w = {.db = db, .host = host, .now = now, .seq = -1};
    return wa_inventory_rows(db, host, &kind, list, &w, err) == WA_OK ? trim(&w, err) : err->code;
}
