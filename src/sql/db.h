/* db.h - one SQL interface over drivers: SQLite here, PostgreSQL beside it.
 *
 * A connection belongs to one thread at a time. Values are always bound: there is no way to build
 * SQL from text of outside. Placeholders are '?', or '?1', '?2'... where a value is used twice, not
 * both in one statement. Columns are numbered from 0. Text returned lives until the next step or
 * reset.
 */
#ifndef WA_SQL_DB_H
#define WA_SQL_DB_H

#include "base/buf.h"

struct wa_db;
struct wa_stmt;

/* "sqlite:/path/to/file" or "postgresql://...". SQLite: WAL, synchronous=FULL, foreign keys on,
 * trusted_schema off, busy time-out 5 s; made with mode 0600 when missing; the file itself may not
 * be a link. With "?mode=ro" behind the file nothing is made or written: another has it open to
 * write. PostgreSQL: UTF-8, locks waited for 5 s, and sslmode=verify-full unless the address says
 * otherwise or names this machine alone; of libpq's variables (PGHOST and others) none counts, they
 * are taken out of the environment; a connection that is lost (WA_E_UNREACHABLE) stays lost until
 * wa_db_reconnect(). */
WA_CHECK enum wa_code wa_db_open(const char *url, struct wa_db **ret, struct wa_err *err);
/* The same for "sqlite:" alone, without linking libpq. */
WA_CHECK enum wa_code wa_db_open_sqlite(const char *url, struct wa_db **ret, struct wa_err *err);
/* "sqlite" or "postgresql": for schemas, which differ. */
const char *wa_db_driver(const struct wa_db *db);
void wa_db_close(struct wa_db *db);
/* Whether the connection is lost. */
bool wa_db_is_lost(const struct wa_db *db);
/* Opens it anew, by the same address. On success statements prepared before are invalid, and a
 * transaction is gone; on failure it is as lost as before. */
WA_CHECK enum wa_code wa_db_reconnect(struct wa_db *db, struct wa_err *err);
/* Whether the address holds a password in clear: then it is a secret. */
bool wa_db_url_is_secret(const char *url);
/* Files that connecting to the address reads, beside what every connection does: a password's,
 * certificates', a key's. For a process that gives up reading others. */
#define WA_DB_FILES 6u
struct wa_db_files {
    char paths[WA_DB_FILES][1024];
    size_t n;
};
void wa_db_url_files(const char *url, struct wa_db_files *ret);
WA_AUTO_DEFINE(wa_db, wa_db_close)

/* Cached by text for the life of the connection: preparing again is cheap, and begins anew: a loop
 * over a statement's rows must not prepare the same text inside. sql must be a literal. */
WA_CHECK enum wa_code wa_db_prepare(struct wa_db *db, const char *sql, struct wa_stmt **ret,
                                    struct wa_err *err);
/* Bindings are sticky in failure, reported by the step. i from 0. Text and blobs are copied. */
void wa_bind_sv(struct wa_stmt *s, int i, struct wa_sv v);
void wa_bind_s(struct wa_stmt *s, int i, const char *v); /* NULL: NULL */
void wa_bind_i64(struct wa_stmt *s, int i, int64_t v);
void wa_bind_blob(struct wa_stmt *s, int i, struct wa_sv v);
void wa_bind_null(struct wa_stmt *s, int i);
/* *ret_row false: no (more) rows; the statement is then reset by itself. WA_E_NO_SPACE for a full
 * disk, WA_E_EXISTS for a uniqueness conflict, WA_E_CONFLICT for another constraint, WA_E_BUSY.
 * After a failure the statement is reset, and the transaction may have been rolled back: roll back,
 * and begin again. */
WA_CHECK enum wa_code wa_step(struct wa_stmt *s, bool *ret_row, struct wa_err *err);
/* Runs a statement whose rows don't matter; resets it. */
WA_CHECK enum wa_code wa_run(struct wa_stmt *s, struct wa_err *err);
void wa_reset(struct wa_stmt *s); /* after leaving a loop of steps early */
int64_t wa_col_i64(struct wa_stmt *s, int col);
struct wa_sv wa_col_sv(struct wa_stmt *s, int col); /* empty for NULL */
/* The same into out, of size bytes: as much of it as fits, no character cut in two. */
void wa_col_text(struct wa_stmt *s, int col, char *out, size_t size);
bool wa_col_is_null(struct wa_stmt *s, int col);
/* The first column of the row that sql, a literal, finds by key, its one parameter, appended to
 * out; nothing where there is none. */
WA_CHECK enum wa_code wa_db_text(struct wa_db *db, const char *sql, struct wa_sv key,
                                 struct wa_buf *out, struct wa_err *err);
int64_t wa_db_changes(struct wa_db *db); /* rows touched by the last statement */

/* Several statements without parameters, literals only: schema. */
WA_CHECK enum wa_code wa_db_exec(struct wa_db *db, const char *sql, struct wa_err *err);
/* A transaction; begin takes the write lock at once (SQLite: BEGIN IMMEDIATE; PostgreSQL: one
 * advisory lock for all that begin so), so what is read in it stays true until commit. Not to be
 * nested. commit: WA_E_CONFLICT when a failure has rolled it back before. rollback never fails, and
 * does nothing outside a transaction. */
WA_CHECK enum wa_code wa_db_begin(struct wa_db *db, struct wa_err *err);
WA_CHECK enum wa_code wa_db_commit(struct wa_db *db, struct wa_err *err);
void wa_db_rollback(struct wa_db *db);

struct wa_db_counts {              /* since it was opened */
    uint64_t transactions, errors; /* errors: statements that failed */
};
const struct wa_db_counts *wa_db_counts(const struct wa_db *db);

/* --- waking others --- */
/* From now on this connection is woken by what others announce; to be said again after
 * wa_db_reconnect(). Nothing where the database has nobody to tell (SQLite). A wake-up can be lost:
 * the tables are the truth. */
WA_CHECK enum wa_code wa_db_listen(struct wa_db *db, struct wa_err *err);
/* Wakes the others when the caller's transaction commits. */
WA_CHECK enum wa_code wa_db_announce(struct wa_db *db, struct wa_err *err);
/* Readable when there may be a wake-up, or the connection is lost; the connection's own, for
 * watching alone; -1: none. */
int wa_db_wake_fd(const struct wa_db *db);
/* Whether another connection has announced something since the last time. Does not block. */
bool wa_db_was_woken(struct wa_db *db);

/* --- several transactions, one commit --- */
/* From now on what writes is part of a group: each transaction fails or holds by itself (a
 * statement outside of one may take the group with it), but nothing is durable before
 * wa_db_group_end(). */
void wa_db_group_begin(struct wa_db *db);
/* Whether something waits for the group's end. */
bool wa_db_group_is_open(const struct wa_db *db);
/* Makes all of it durable; WA_OK when there is nothing. On failure all of it is undone. */
WA_CHECK enum wa_code wa_db_group_end(struct wa_db *db, struct wa_err *err);

/* --- migrations --- */
struct wa_migration {
    int version; /* 1, 2, 3... */
    const char *sql;
};
/* Brings the schema up, each step in a transaction of its own, once even when several programs
 * start together. steps are 1, 2, 3... WA_E_CONFIG when the database is newer than the program. */
WA_CHECK enum wa_code wa_db_migrate(struct wa_db *db, const struct wa_migration *steps,
                                    size_t count, struct wa_err *err);

#endif
