/* dump_priv.h - the catalogue of tables, between dump.c, load.c and dump_sql.c. */
#ifndef WA_SQL_DUMP_PRIV_H
#define WA_SQL_DUMP_PRIV_H

#include "base/vec.h"
#include "sql/db.h"

#define WA_DUMP_NAME_MAX 63u
#define WA_DUMP_COLUMNS_MAX 64u

struct wa_dump_column {
    char name[WA_DUMP_NAME_MAX + 1];
    bool is_number; /* else text */
};
struct wa_dump_table {
    char name[WA_DUMP_NAME_MAX + 1];
    struct wa_dump_column columns[WA_DUMP_COLUMNS_MAX];
    size_t column_count;
};
struct wa_dump_tables {
    WA_VEC(struct wa_dump_table);
};
/* All, each behind those that it refers to. Freed with WA_VEC_FREE(), on failure too. */
WA_CHECK enum wa_code wa_dump_tables_read(struct wa_db *db, struct wa_dump_tables *ret,
                                          struct wa_err *err);
/* a-z, 0-9 and '_': what migrations call tables and columns. */
bool wa_dump_is_name(struct wa_sv name);

struct wa_dump_catalogue {            /* how a driver is asked */
    const char *tables;               /* names */
    const char *columns, *references; /* of a table: name and type; tables that it refers to */
    const char *snapshot;             /* begins a transaction that sees one moment */
    const char *check;                /* a row "ok", or what is wrong */
    const char *has_schema;           /* a row: schema_version exists */
    const char *replace_begin, *replace_finish; /* NULL: nothing to do */
    bool has_cursors;                           /* rows come in parts, by a cursor */
};
const struct wa_dump_catalogue *wa_dump_catalogue(const struct wa_db *db);

#endif
