/* store_rollouts.c - statements about roll-outs. Values are bound, always. */
#include "server/store_rollouts.h"

#include "base/mem.h"
#include "os/clock.h"

void wa_rollout_row_fini(struct wa_rollout_row *r)
{
    wa_free(r->order);
    wa_free(r->plan);
    *r = (struct wa_rollout_row){.ring = 0};
}

enum wa_code wa_rollouts_add(struct wa_db *db, const struct wa_rollout_row *r, struct wa_err *err)
{
    const char *const texts[] = {r->id,     r->name,  r->kind, r->owner,
                                 r->signer, r->order, r->plan, r->state};
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO rollouts (id, name, kind, owner, signer, orders, plan, state, "
                      "ring_since, not_before, not_after, created, updated) VALUES (?1, ?2, ?3, "
                      "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?9, ?9)",
                      &s, err) != WA_OK)
        return err->code;
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        wa_bind_s(s, i, texts[i]);
    wa_bind_i64(s, 8, r->created);
    wa_bind_i64(s, 9, r->not_before);
    wa_bind_i64(s, 10, r->not_after);
    return wa_run(s, err);
}

static enum wa_code read_row(struct wa_stmt *s, struct wa_rollout_row *r, struct wa_err *err)
{
    wa_col_text(s, 0, r->id, sizeof r->id);
    wa_col_text(s, 1, r->name, sizeof r->name);
    wa_col_text(s, 2, r->kind, sizeof r->kind);
    wa_col_text(s, 3, r->owner, sizeof r->owner);
    wa_col_text(s, 4, r->signer, sizeof r->signer);
    wa_col_text(s, 5, r->state, sizeof r->state);
    wa_col_text(s, 6, r->reason, sizeof r->reason);
    r->ring = wa_col_i64(s, 7);
    r->ring_since = wa_col_i64(s, 8);
    r->forgiven = wa_col_i64(s, 9);
    r->is_open = wa_col_i64(s, 10) != 0;
    r->not_before = wa_col_i64(s, 11);
    r->not_after = wa_col_i64(s, 12);
    r->created = wa_col_i64(s, 13);
    r->updated = wa_col_i64(s, 14);
    return wa_sv_dup(wa_col_sv(s, 15), &r->order, err) == WA_OK
               ? wa_sv_dup(wa_col_sv(s, 16), &r->plan, err)
               : err->code;
}

enum wa_code wa_rollouts_get(struct wa_db *db, const char *id, struct wa_rollout_row *ret,
                             struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    *ret = (struct wa_rollout_row){.ring = 0};
    if (wa_db_prepare(db,
                      "SELECT id, name, kind, owner, signer, state, reason, ring, ring_since, "
                      "forgiven, is_open, not_before, not_after, created, updated, orders, plan "
                      "FROM rollouts WHERE id = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no roll-out '%s'", id);
    (void)read_row(s, ret, err);
    wa_reset(s);
    return err->code;
}

enum wa_code wa_rollouts_set(struct wa_db *db, const struct wa_rollout_row *r, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE rollouts SET state = ?2, reason = ?3, ring = ?4, ring_since = ?5, "
                      "forgiven = ?6, is_open = ?7, updated = ?8 WHERE id = ?1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, r->id);
    wa_bind_s(s, 1, r->state);
    wa_bind_s(s, 2, r->reason);
    wa_bind_i64(s, 3, r->ring);
    wa_bind_i64(s, 4, r->ring_since);
    wa_bind_i64(s, 5, r->forgiven);
    wa_bind_i64(s, 6, r->is_open ? 1 : 0);
    wa_bind_i64(s, 7, wa_clock_now());
    return wa_run(s, err);
}

enum wa_code wa_rollouts_list(struct wa_db *db, bool live, char (*ids)[33], size_t max,
                              size_t *ret_count, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    size_t n = 0;
    if (wa_db_prepare(db,
                      live ? "SELECT id FROM rollouts WHERE state NOT IN ('stopped', 'ended') "
                             "ORDER BY created DESC, id LIMIT ?1"
                           : "SELECT id FROM rollouts ORDER BY created DESC, id LIMIT ?1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, (int64_t)max);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row && n < max; code = wa_step(s, &row, err))
        wa_col_text(s, 0, ids[n++], sizeof ids[0]);
    if (code == WA_OK && row)
        wa_reset(s);
    *ret_count = n;
    return code;
}

enum wa_code wa_rollouts_add_host(struct wa_db *db, const struct wa_rollout_row *r,
                                  const char *uuid, size_t ring, struct wa_err *err)
{
    char id[33 + WA_UUID_MAX + 2];
    struct wa_stmt *s;
    (void)snprintf(id, sizeof id, "%s/%s", r->id, uuid);
    if (wa_db_prepare(db,
                      "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated, ring) VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, "
                      "?7, 'waiting', ?8, ?8, ?9)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_s(s, 1, r->id);
    wa_bind_s(s, 2, uuid);
    wa_bind_s(s, 3, r->kind);
    wa_bind_i64(s, 4, r->not_before);
    wa_bind_i64(s, 5, r->not_after);
    wa_bind_s(s, 6, r->signer);
    wa_bind_i64(s, 7, wa_clock_now());
    wa_bind_i64(s, 8, (int64_t)ring);
    return wa_run(s, err);
}

enum wa_code wa_rollouts_outside(struct wa_db *db, const char *id, wa_rollout_host_fn fn,
                                 void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT h.uuid, COALESCE(m.names, '') FROM hosts h LEFT JOIN memberships m "
                      "ON m.uuid = h.uuid WHERE NOT EXISTS (SELECT 1 FROM actions a WHERE a.id = "
                      "CAST(?1 AS TEXT) || '/' || h.uuid) ORDER BY h.uuid",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    enum wa_code code = wa_step(s, &row, err);
    while (code == WA_OK && row) {
        code = fn(user, wa_col_sv(s, 0), wa_col_sv(s, 1), err);
        if (code == WA_OK)
            code = wa_step(s, &row, err);
        else
            wa_reset(s);
    }
    return code;
}

enum wa_code wa_rollouts_count(struct wa_db *db, const char *id, wa_rollout_count_fn fn, void *user,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT ring, state, COUNT(*) FROM actions WHERE batch = ? GROUP BY ring, "
                      "state ORDER BY ring, state",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row; code = wa_step(s, &row, err))
        fn(user, wa_col_i64(s, 0), wa_col_sv(s, 1), wa_col_i64(s, 2));
    return code;
}

enum wa_code wa_rollouts_release(struct wa_db *db, const char *id, int64_t ring, int64_t *ret_count,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET state = 'queued', updated = ?3 WHERE batch = ?1 AND "
                      "state = 'waiting' AND ring <= ?2",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_i64(s, 1, ring);
    wa_bind_i64(s, 2, wa_clock_now());
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_count = wa_db_changes(db);
    return WA_OK;
}

enum wa_code wa_rollouts_drop(struct wa_db *db, const char *id, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET state = 'cancelled', code = 'cancelled', message = 'the "
                      "roll-out was stopped', updated = ?2 WHERE batch = ?1 AND state IN "
                      "('waiting', 'queued')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_i64(s, 1, wa_clock_now());
    return wa_run(s, err);
}
