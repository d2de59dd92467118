/* inventory_rows.c - the rows that a machine has by package, and the list that it sends: what is
 * new or another is told, what the list does not name any more too, and what is the same costs no
 * statement.
 */
#include "server/inventory_rows.h"
#include "base/map.h"
#include "os/rand.h"

struct work {
    const struct wa_inventory_kind *kind;
    void *user;
    struct wa_arena arena;
    struct wa_map rows; /* by package */
};

static struct wa_inventory_row *new_row(struct work *w, struct wa_err *err)
{
    struct wa_inventory_row *r = wa_arena_alloc(&w->arena, 1, w->kind->size);
    if (r == NULL)
        (void)wa_nomem(err);
    return r;
}

static enum wa_code load(struct work *w, struct wa_db *db, int64_t host, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, w->kind->select, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, host);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_inventory_row *r = new_row(w, err);
        if (r != NULL) {
            wa_inventory_clean(wa_col_sv(s, 0), &r->package);
            wa_inventory_clean(wa_col_sv(s, 1), &r->version);
            if (w->kind->from_row != NULL)
                w->kind->from_row(s, r);
        }
        if (r == NULL || wa_map_put(&w->rows, wa_sv(r->package.p), r, NULL, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

static enum wa_code take_one(struct work *w, const struct wa_json *j, struct wa_err *err)
{
    struct wa_inventory_row *now = new_row(w, err), *was;
    if (now == NULL)
        return err->code;
    w->kind->from_list(j, now);
    now->is_kept = true;
    was = wa_map_get(&w->rows, wa_sv(now->package.p));
    if (now->package.p[0] == '\0' || (was != NULL && was->is_kept))
        return WA_OK; /* none, or named twice: the first counts */
    if (was != NULL && strcmp(was->version.p, now->version.p) == 0 &&
        (w->kind->is_same == NULL || w->kind->is_same(was, now))) {
        was->is_kept = true;
        return WA_OK;
    }
    return w->kind->changed(w->user, was, now, err) == WA_OK
               ? wa_map_put(&w->rows, wa_sv(now->package.p), now, NULL, err)
               : err->code;
}

static enum wa_code take_all(struct work *w, const struct wa_json *list, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list) && i < WA_PACKAGE_ROWS_MAX; i++)
        if (take_one(w, wa_json_at(list, i), err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < w->rows.n; i++) {
        const struct wa_inventory_row *r = w->rows.items[i].value;
        if (!r->is_kept && w->kind->gone(w->user, r, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_inventory_rows(struct wa_db *db, int64_t host, const struct wa_inventory_kind *kind,
                               const struct wa_json *list, void *user, struct wa_err *err)
{
    struct work w = {.kind = kind, .user = user};
    wa_arena_init(&w.arena, 2 * WA_PACKAGE_ROWS_MAX * (kind->size + 64));
    enum wa_code code = wa_rand_map(&w.rows, err);
    if (code == WA_OK && load(&w, db, host, err) == WA_OK)
        (void)!take_all(&w, list, err);
    wa_map_fini(&w.rows);
    wa_arena_fini(&w.arena);
    return err->code;
}
