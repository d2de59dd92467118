/* store_batches.c - statements about batches of orders. Values are bound, always. */
#include "server/store_batches.h"

#define OPEN_S 3600 /* s: so long after it began a batch takes more */

enum wa_code wa_batches_add(struct wa_db *db, const struct wa_batch *b, struct wa_err *err)
{
    const char *const texts[] = {b->id, b->user, b->kind, b->what, b->signer};
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO batches (id, \"user\", kind, what, signer, orders, created) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      &s, err) != WA_OK)
        return err->code;
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        wa_bind_s(s, i, texts[i]);
    wa_bind_i64(s, 5, b->count);
    wa_bind_i64(s, 6, b->created);
    return wa_run(s, err);
}

static void read_row(struct wa_stmt *s, struct wa_batch *b)
{
    wa_col_text(s, 0, b->id, sizeof b->id);
    wa_col_text(s, 1, b->user, sizeof b->user);
    wa_col_text(s, 2, b->kind, sizeof b->kind);
    wa_col_text(s, 3, b->what, sizeof b->what);
    wa_col_text(s, 4, b->signer, sizeof b->signer);
    b->count = wa_col_i64(s, 5);
    b->created = wa_col_i64(s, 6);
}

#define ROWS "SELECT id, \"user\", kind, what, signer, orders, created FROM batches WHERE "

static enum wa_code find(struct wa_db *db, const char *id, struct wa_batch *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, ROWS "id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no batch '%s'", id);
    read_row(s, ret);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_batches_extend(struct wa_db *db, const struct wa_batch *more, struct wa_err *err)
{
    struct wa_batch there;
    struct wa_stmt *s;
    if (find(db, more->id, &there, err) != WA_OK)
        return err->code;
    if (strcmp(there.user, more->user) != 0 || strcmp(there.kind, more->kind) != 0 ||
        strcmp(there.what, more->what) != 0 || strcmp(there.signer, more->signer) != 0 ||
        more->created - there.created > OPEN_S)
        return wa_fail(err, WA_E_CONFLICT,
                       "batch '%s' is of another person, another order or another time: these "
                       "orders are none of it",
                       more->id);
    if (there.count + more->count > (int64_t)WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_LIMIT, "a batch has at most %u orders", WA_ACTION_HOSTS_MAX);
    if (wa_db_prepare(db, "UPDATE batches SET orders = orders + ?2 WHERE id = ?1", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, more->id);
    wa_bind_i64(s, 1, more->count);
    return wa_run(s, err);
}

enum wa_code wa_batches_list(struct wa_db *db, const struct wa_batch *after, size_t limit,
                             struct wa_batch *ret, size_t *ret_count, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    size_t n = 0;
    if (wa_db_prepare(db,
                      ROWS "?1 < 0 OR created < ?1 OR (created = ?1 AND id < ?2) ORDER BY created "
                           "DESC, id DESC LIMIT ?3",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, after->created);
    wa_bind_s(s, 1, after->id);
    wa_bind_i64(s, 2, (int64_t)limit);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row && n < limit; code = wa_step(s, &row, err))
        read_row(s, &ret[n++]);
    if (code == WA_OK && row)
        wa_reset(s);
    *ret_count = n;
    return code;
}

#define SHOWN                                                                                      \
    "CASE WHEN state IN ('waiting', 'queued', 'sent', 'postponed') AND not_after < ?2 THEN "       \
    "'expired' ELSE "                                                                              \
    "state END"

enum wa_code wa_batches_states(struct wa_db *db, const char *id, bool is_summed, int64_t now,
                               wa_batch_state_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      is_summed ? "SELECT shown, '', COUNT(*) FROM (SELECT " SHOWN " AS shown FROM "
                                  "actions WHERE batch = ?1) AS b GROUP BY shown ORDER BY shown"
                                : "SELECT " SHOWN
                                  " AS shown, uuid, 1 FROM actions WHERE batch = ?1 "
                                  "ORDER BY shown",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_i64(s, 1, now);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row; code = wa_step(s, &row, err))
        fn(user, wa_col_sv(s, 0), wa_col_sv(s, 1), wa_col_i64(s, 2));
    return code;
}
