/* pg_text.h - SQL text and values between our conventions and PostgreSQL's. Only between files of
 * sql/. */
#ifndef WA_SQL_PG_TEXT_H
#define WA_SQL_PG_TEXT_H

#include "base/buf.h"

/* sql with each '?' outside of strings, quoted names and comments as $1, $2..., or each '?2' as $2;
 * *ret_count: the highest. WA_E_INTERNAL for text that ends inside one of those, has both kinds, or
 * more than 1,000. */
WA_CHECK enum wa_code wa_pg_placeholders(const char *sql, struct wa_buf *out, int *ret_count,
                                         struct wa_err *err);
/* bytea's text form "\x0a1b" decoded in its place; its length, or -1 when it is none. */
int wa_pg_bytea(char *text, int n);

#endif
