/* drv.h - what a driver offers to db.c. One file a driver knows its library. Only between files of
 * sql/. */
#ifndef WA_SQL_DRV_H
#define WA_SQL_DRV_H

#include "sql/db.h"

struct wa_drv_stmt; /* the driver's own */

enum wa_drv_tx {
    WA_TX_NONE,
    WA_TX_OPEN,
    WA_TX_FAILED, /* open, but can only be rolled back */
};

struct wa_drv {
    const char *name;
    const char *prefix; /* of the URLs it serves */
    enum wa_code (*open)(const char *url, void **ret_conn, struct wa_err *err);
    void (*close)(void *conn);
    enum wa_code (*exec)(void *conn, const char *sql, struct wa_err *err);
    enum wa_code (*prepare)(void *conn, const char *sql, struct wa_drv_stmt **ret,
                            struct wa_err *err);
    void (*finalize)(struct wa_drv_stmt *s);
    enum wa_code (*bind_text)(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err);
    enum wa_code (*bind_blob)(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err);
    enum wa_code (*bind_i64)(struct wa_drv_stmt *s, int i, int64_t v, struct wa_err *err);
    enum wa_code (*bind_null)(struct wa_drv_stmt *s, int i, struct wa_err *err);
    enum wa_code (*step)(struct wa_drv_stmt *s, bool *ret_row, struct wa_err *err);
    void (*reset)(struct wa_drv_stmt *s); /* forgets rows and bindings */
    int64_t (*col_i64)(struct wa_drv_stmt *s, int col);
    struct wa_sv (*col_sv)(struct wa_drv_stmt *s, int col);
    bool (*col_is_null)(struct wa_drv_stmt *s, int col);
    int64_t (*changes)(void *conn);
    enum wa_drv_tx (*transaction)(void *conn);
    bool (*is_lost)(void *conn);
    bool (*is_secret)(const char *url); /* holds a password in clear; NULL: never */
    void (*files)(const char *url, struct wa_db_files *ret); /* NULL: none but the database */
    const char *begin;                                       /* takes the write lock at once */
    /* Where one connection tells others of what it has done; NULL, where it has nobody to tell. */
    const char *listen, *announce;
    int (*wake_fd)(void *conn);
    bool (*was_woken)(void *conn);
};

extern const struct wa_drv wa_drv_sqlite;
extern const struct wa_drv wa_drv_pgsql;

/* db.c: a connection by that driver. */
WA_CHECK enum wa_code wa_drv_connect(const struct wa_drv *drv, const char *url, struct wa_db **ret,
                                     struct wa_err *err);

#endif
