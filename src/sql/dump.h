/* dump.h - all rows of a database as lines of JSON, and back, between any two drivers.
 *
 *   {"table":"hosts","columns":["uuid","name"]}   what the rows that follow are of
 *   ["u1","pc"]                                   a row: text, whole number, or null
 *   ["u1",{"parts":2}]                            a long text comes as so many lines after its row
 *   {"rows":1234}                                 the end, and how many rows there were in all
 *
 * Tables come after those that they refer to. The schema is not in it: both sides have the same
 * migrations.
 */
#ifndef WA_SQL_DUMP_H
#define WA_SQL_DUMP_H

#include "base/stream.h"
#include "sql/db.h"

#define WA_DUMP_LINE_MAX (16u << 20) /* bytes: what the reader of JSON takes */

/* The whole database as it is at one moment, whatever others write meanwhile. */
WA_CHECK enum wa_code wa_db_dump(struct wa_db *db, struct wa_sink *out, struct wa_err *err);
/* How many steps of the schema the database has; 0: none. Changes nothing. */
WA_CHECK enum wa_code wa_db_version(struct wa_db *db, int64_t *ret, struct wa_err *err);

/* Looks for damage inside: found is what there is, "" when there is none. */
WA_CHECK enum wa_code wa_db_check(struct wa_db *db, char *found, size_t size, struct wa_err *err);

/* Reads lines into an empty database of the same schema, inside the caller's transaction. */
struct wa_db_load;
WA_CHECK enum wa_code wa_db_load_new(struct wa_db *db, struct wa_db_load **ret, struct wa_err *err);
void wa_db_load_free(struct wa_db_load *l);
WA_AUTO_DEFINE(wa_db_load, wa_db_load_free)
/* Without its newline. WA_E_INVALID for what is no such line, or does not fit the schema. */
WA_CHECK enum wa_code wa_db_load_line(struct wa_db_load *l, struct wa_sv line, struct wa_err *err);
/* WA_E_INVALID unless the end has come, and all rows with it. */
WA_CHECK enum wa_code wa_db_load_end(const struct wa_db_load *l, uint64_t *ret_rows,
                                     struct wa_err *err);

/* A database that is to be replaced as a whole. Between the two the connection sees an empty one;
 * finish puts it in place of the former in one transaction. PostgreSQL: in a schema of its own;
 * SQLite has nothing to do here: its file is made beside the former. */
WA_CHECK enum wa_code wa_db_replace_begin(struct wa_db *db, struct wa_err *err);
WA_CHECK enum wa_code wa_db_replace_finish(struct wa_db *db, struct wa_err *err);

#endif
