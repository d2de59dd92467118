/* columns.h - any field of what machines report, by its path, as a column of their list.
 *
 * "host_info.cpu_name": the section, then the names of members. In a name '.', ',' and '%' stand as
 * %2E, %2C and %25; any byte may. Where the report has a list, a number is the place of one item,
 * from 0, and another name is looked for in all of them.
 */
#ifndef WA_SERVER_COLUMNS_H
#define WA_SERVER_COLUMNS_H

#include "codec/json.h"

struct wa_column {
    char text[WA_COLUMN_PATH_MAX + 1];  /* as it was asked for */
    char names[WA_COLUMN_PATH_MAX + 1]; /* one behind the other, each with its NUL */
    size_t count;                       /* of names, the section first: at least 2 */
};
/* Bytes with the NUL of all of them, with their commas. */
#define WA_API_COLUMNS (WA_COLUMNS_MAX * (WA_COLUMN_PATH_MAX + 1u) + 1u)
struct wa_columns {
    struct wa_column items[WA_COLUMNS_MAX];
    size_t n;
};
/* text: paths with commas between; empty: none. Of the sections those that are short: not the lists
 * of software and packages. WA_E_USAGE. */
WA_CHECK enum wa_code wa_columns_read(struct wa_sv text, struct wa_columns *ret,
                                      struct wa_err *err);
/* What the section says there, as text for people, appended; several with ", " between. Nothing
 * where there is nothing, or something with members of its own. */
void wa_column_value(const struct wa_column *c, const struct wa_json *section, struct wa_buf *out);

#endif
