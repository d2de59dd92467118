/* drv.h - what a driver offers to db.c. One file a driver knows its library. */
#ifndef WA_SQL_DRV_H
#define WA_SQL_DRV_H

#include "sql/db.h"

struct wa_drv_stmt; /* the driver's own */

struct wa_drv {
    const char *prefix; /* of the URLs it serves */
    enum wa_code (*open)(const char *url, void **ret_conn, struct wa_err *err);
    void (*close)(void *conn);
    enum wa_code (*exec)(void *conn, const char *sql, struct wa_err *err);
    enum wa_code (*prepare)(void *conn, const char *sql, struct wa_drv_stmt **ret,
                            struct wa_err *err);
    void (*finalize)(struct wa_drv_stmt *s);
    /* false: memory ran out */
    bool (*bind_text)(struct wa_drv_stmt *s, int i, struct wa_sv v);
    bool (*bind_blob)(struct wa_drv_stmt *s, int i, struct wa_sv v);
    bool (*bind_i64)(struct wa_drv_stmt *s, int i, int64_t v);
    bool (*bind_null)(struct wa_drv_stmt *s, int i);
    enum wa_code (*step)(void *conn, struct wa_drv_stmt *s, bool *ret_row, struct wa_err *err);
    void (*reset)(struct wa_drv_stmt *s);
    int64_t (*col_i64)(struct wa_drv_stmt *s, int col);
    struct wa_sv (*col_sv)(struct wa_drv_stmt *s, int col);
    bool (*col_is_null)(struct wa_drv_stmt *s, int col);
    int64_t (*changes)(void *conn);
    const char *begin; /* takes the write lock at once */
};

extern const struct wa_drv wa_drv_sqlite;

#endif
