/* support.h - what the tests of src/sql share: a fresh database of each kind. */
#ifndef TEST_SQL_SUPPORT_H
#define TEST_SQL_SUPPORT_H

#include "testlib.h"

#include "base/mem.h"
#include "sql/db.h"

/* The address of a SQLite database in dir, or the PostgreSQL of $WA_TEST_PG_URL, emptied. */
static inline void make_url(const char *dir, char out[WA_PATH_MAX + 64])
{
    const char *pg = getenv("WA_TEST_PG_URL");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_db) struct wa_db *db = NULL;

    if (pg == NULL) {
        (void)snprintf(out, WA_PATH_MAX + 64, "sqlite:%s/test.db", dir);
        return;
    }
    (void)snprintf(out, WA_PATH_MAX + 64, "%s", pg);
    WA_ASSERT_OK(wa_db_open(out, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err));
}

static inline struct wa_db *open_url(const char *url)
{
    struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_db_open(url, &db, &err));
    return db;
}

static inline struct wa_db *fresh(const char *dir)
{
    char url[WA_PATH_MAX + 64];
    make_url(dir, url);
    return open_url(url);
}

static inline void must_exec(struct wa_db *db, const char *sql)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_db_exec(db, sql, &err));
}

static inline struct wa_stmt *must_prepare(struct wa_db *db, const char *sql)
{
    struct wa_stmt *s = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_db_prepare(db, sql, &s, &err));
    return s;
}

/* The whole number that a query without parameters gives. */
static inline int64_t number(struct wa_db *db, const char *sql)
{
    struct wa_stmt *s = must_prepare(db, sql);
    bool has_row = false;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_true(has_row);
    int64_t v = wa_col_i64(s, 0);
    wa_reset(s);
    return v;
}

#endif
