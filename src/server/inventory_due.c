/* inventory_due.c - the packages that an upgrade of a machine would change, as the machine says:
 * rows beside those of what it has (inventory_packages.c).
 *
 * What that means for each - missing, of another version, to be installed again or taken away - is
 * seen by what the machine has, when it is asked: one of the two comes before the other.
 */
#include "base/arena.h"
#include "base/map.h"
#include "os/rand.h"
#include "server/inventory.h"

struct due {
    struct wa_inventory_text package, version;
    bool is_kept; /* the machine still names it */
};

struct work {
    struct wa_db *db;
    int64_t host;
    struct wa_arena arena;
    struct wa_map rows; /* of struct due, by package */
};

static enum wa_code load_rows(struct work *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(w->db, "SELECT package, version FROM package_due WHERE host = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct due *d = wa_arena_alloc(&w->arena, 1, sizeof *d);
        if (d == NULL) {
            wa_reset(s);
            return wa_nomem(err);
        }
        wa_inventory_clean(wa_col_sv(s, 0), &d->package);
        wa_inventory_clean(wa_col_sv(s, 1), &d->version);
        if (wa_map_put(&w->rows, wa_sv(d->package.p), d, NULL, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

static enum wa_code write_row(struct work *w, const struct due *d, struct wa_err *err)
{
    struct wa_stmt *s;
    char key[WA_VERSION_KEY];
    if (wa_db_prepare(w->db,
                      "INSERT INTO package_due (host, package, version, version_key) VALUES (?, ?, "
                      "?, ?) ON CONFLICT (host, package) DO UPDATE SET version = excluded.version, "
                      "version_key = excluded.version_key",
                      &s, err) != WA_OK)
        return err->code;
    wa_inventory_version_key(wa_sv(d->version.p), key);
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, d->package.p);
    wa_bind_s(s, 2, d->version.p);
    wa_bind_s(s, 3, key);
    return wa_run(s, err);
}

static enum wa_code drop_row(struct work *w, const struct due *d, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(w->db, "DELETE FROM package_due WHERE host = ? AND package = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, d->package.p);
    return wa_run(s, err);
}

/* "tis-a(=1.2-3)": a name and the version; what else is said is not kept. */
static void read_due(struct wa_sv text, struct due *ret)
{
    struct wa_sv rest = text, name = {"", 0}, version;
    size_t end;
    if (!wa_sv_split(&rest, '(', &name) || rest.p == NULL)
        rest = WA_SV("");
    while (rest.n > 0 && (rest.p[0] == '=' || rest.p[0] == ' '))
        rest = wa_sv_sub(rest, 1, rest.n);
    version = wa_sv_chr(rest, ')', &end) ? wa_sv_sub(rest, 0, end) : rest;
    wa_inventory_clean(wa_sv_trim(name), &ret->package);
    wa_inventory_clean(wa_sv_trim(version), &ret->version);
}

static enum wa_code take_one(struct work *w, struct wa_sv text, struct wa_err *err)
{
    struct due *now = wa_arena_alloc(&w->arena, 1, sizeof *now), *was;
    if (now == NULL)
        return wa_nomem(err);
    read_due(text, now);
    now->is_kept = true;
    was = wa_map_get(&w->rows, wa_sv(now->package.p));
    if (now->package.p[0] == '\0' || (was != NULL && was->is_kept))
        return WA_OK; /* none, or named twice: the first counts */
    if (was != NULL && strcmp(was->version.p, now->version.p) == 0) {
        was->is_kept = true;
        return WA_OK;
    }
    if (write_row(w, now, err) != WA_OK)
        return err->code;
    return wa_map_put(&w->rows, wa_sv(now->package.p), now, NULL, err);
}

static enum wa_code take_all(struct work *w, const struct wa_json *list, struct wa_err *err)
{
    if (load_rows(w, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list) && i < WA_PACKAGE_ROWS_MAX; i++)
        if (take_one(w, wa_json_sv(wa_json_at(list, i)), err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < w->rows.n; i++) {
        const struct due *d = w->rows.items[i].value;
        if (!d->is_kept && drop_row(w, d, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_inventory_due(struct wa_db *db, int64_t host, const struct wa_json *last_update,
                              struct wa_err *err)
{
    struct work w = {.db = db, .host = host};
    wa_arena_init(&w.arena, 2 * WA_PACKAGE_ROWS_MAX * (sizeof(struct due) + 64));
    enum wa_code code = wa_rand_map(&w.rows, err);
    if (code == WA_OK)
        code = take_all(&w, wa_json_get(last_update, "upgrades"), err);
    wa_map_fini(&w.rows);
    wa_arena_fini(&w.arena);
    return code;
}
