/* api_list.h - lists as tables: what a call gives as JSON, as CSV, page by page.
 *
 * A call that gives one list of objects is a list; the description says so, and says the columns.
 * Such a call knows nothing of tables.
 */
#ifndef WA_SERVER_API_LIST_H
#define WA_SERVER_API_LIST_H

#include "server/api.h"

#define WA_API_FORMAT                                                                              \
    "format" /* the parameter: json, csv; csv-rows: without the columns' names                     \
              */

/* Whether the route gives a list. schemas: wa_api_schemas(), read. */
bool wa_api_is_list(const struct wa_api_route *r, const struct wa_json *schemas);
/* The columns of the list that the schema of that name has, and the member that has the list; NULL
 * when it has none, or several. */
const struct wa_json *wa_api_columns(const struct wa_json *schemas, const char *name,
                                     struct wa_sv *ret_key);
#define WA_API_SCHEMAS_MEMORY (8u << 20)
/* Reads them; arena: WA_API_SCHEMAS_MEMORY is enough. */
WA_CHECK enum wa_code wa_api_read_schemas(struct wa_arena *arena, const struct wa_json **ret,
                                          struct wa_err *err);
/* Takes the format out of the request's query, and completes that for a table: all of the list
 * unless the query has a limit, in pages where the list has pages. WA_E_USAGE. */
WA_CHECK enum wa_code wa_api_table_begin(struct wa_store_request *r,
                                         const struct wa_api_route *route, struct wa_err *err);
/* json: what the call gave. next: the query of the next page, empty after the last. */
WA_CHECK enum wa_code wa_api_table_write(const struct wa_store_request *r, struct wa_sv json,
                                         struct wa_buf *out, struct wa_buf *next,
                                         struct wa_err *err);

#endif
