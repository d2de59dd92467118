/* attempts.c - packages that failed, and when the machine tries them again by itself.
 *
 * Each failure of the same version doubles the wait, so that a package that can't be installed is
 * not tried at every turn of the schedule; another version is another matter. What was not the
 * package's fault - a repository that is away, a task that was cancelled - is no failure here: the
 * caller knows.
 */
#include "agent/backoff.h"
#include "agent/journal.h"

#include "base/utf8.h"

#define RETRY_FIRST_S 1800 /* the least bound: an interruption may have been the machine's end */
#define RETRY_MAX_S 86400
#define WHY_MAX 500u /* bytes kept of the reason */

static enum wa_code failures_of(struct wa_db *db, const char *package, const char *version,
                                int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT failures FROM attempts WHERE package = ? AND version = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    wa_bind_s(s, 1, version);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

/* Half of the bound for certain, the rest at random. */
static int64_t wait_after(int64_t failures)
{
    uint64_t bound = RETRY_FIRST_S;
    for (int64_t i = 0; i < failures && bound < RETRY_MAX_S; i++)
        bound *= 2;
    if (bound > RETRY_MAX_S)
        bound = RETRY_MAX_S;
    return (int64_t)(bound / 2 + wa_backoff(bound / 2, bound / 2, 0));
}

enum wa_code wa_attempt_failed(struct wa_db *db, const char *package, const char *version,
                               const char *why, bool is_interruption, int64_t now,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    int64_t failures = 0;
    size_t n = strlen(why);
    if (failures_of(db, package, version, &failures, err) != WA_OK ||
        wa_db_prepare(db,
                      "INSERT OR REPLACE INTO attempts (package, version, failures, last_try, "
                      "next_try, why) VALUES (?, ?, ?, ?, ?, ?)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    wa_bind_s(s, 1, version);
    wa_bind_i64(s, 2, failures + 1);
    wa_bind_i64(s, 3, now);
    wa_bind_i64(s, 4, is_interruption && failures == 0 ? now : now + wait_after(failures));
    wa_bind_sv(s, 5, wa_sv_n(why, n < WHY_MAX ? n : wa_utf8_cut(why, WHY_MAX)));
    return wa_run(s, err);
}

enum wa_code wa_attempt_forget(struct wa_db *db, const char *package, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM attempts WHERE package = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    return wa_run(s, err);
}

enum wa_code wa_attempt_next(struct wa_db *db, const char *package, const char *version,
                             int64_t now, int64_t *ret_next, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT last_try, next_try FROM attempts WHERE package = ? AND version = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    wa_bind_s(s, 1, version);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t last = row ? wa_col_i64(s, 0) : 0, next = row ? wa_col_i64(s, 1) : 0;
    wa_reset(s);
    /* Before the last try is a clock that was set back: no wait becomes longer by that. */
    *ret_next = now >= last && now < next ? next : 0;
    return WA_OK;
}

enum wa_code wa_attempt_first(struct wa_db *db, int64_t now, int64_t *ret_next, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT coalesce(min(next_try), 0) FROM attempts WHERE next_try > ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret_next = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_attempts_write(struct wa_db *db, struct wa_jw *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    enum wa_code code;
    if (wa_db_prepare(db,
                      "SELECT package, version, failures, last_try, next_try, why FROM attempts "
                      "ORDER BY package",
                      &s, err) != WA_OK)
        return err->code;
    wa_jw_arr(w);
    for (code = wa_step(s, &row, err); code == WA_OK && row; code = wa_step(s, &row, err)) {
        wa_jw_obj(w);
        wa_jw_kvsv(w, "package", wa_col_sv(s, 0));
        wa_jw_kvsv(w, "version", wa_col_sv(s, 1));
        wa_jw_kvi(w, "failures", wa_col_i64(s, 2));
        wa_jw_kvi(w, "last_try", wa_col_i64(s, 3));
        wa_jw_kvi(w, "next_try", wa_col_i64(s, 4));
        wa_jw_kvsv(w, "why", wa_col_sv(s, 5));
        wa_jw_end(w);
    }
    wa_jw_end(w);
    return code;
}
