/* db_priv.h - a connection, between db.c (statements) and group.c (transactions). */
#ifndef WA_SQL_DB_PRIV_H
#define WA_SQL_DB_PRIV_H

#include "base/map.h"
#include "sql/drv.h"

struct wa_db {
    const struct wa_drv *drv;
    void *conn;
    char *url;
    struct wa_map statements; /* text -> struct wa_stmt */
    struct wa_db_counts counts;
    bool is_grouping; /* transactions are parts of a group */
    bool in_group;    /* which has begun: a transaction of the database is open */
    bool in_part;     /* and one of its parts is */
};

/* --- group.c --- */
/* A statement that writes follows: outside of a transaction it opens the group, if there is one. */
WA_CHECK enum wa_code wa_group_join(struct wa_db *db, struct wa_err *err);

#endif
