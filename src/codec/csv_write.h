/* csv_write.h - tables as CSV (RFC 4180, UTF-8, CRLF) that no spreadsheet executes.
 *
 * A text that a spreadsheet could take for a formula gets an apostrophe before the sign that would
 * begin it: = + - @ and what looks like them, at the text's beginning or behind a comma, semicolon
 * or bar in it (who opens the file with another separator cuts there), blanks and quotes before it
 * or not. What is not shown - control characters, line ends, tabs, marks of direction - becomes a
 * blank. Numbers are written as they are; every text stands in quotes.
 */
#ifndef WA_CODEC_CSV_WRITE_H
#define WA_CODEC_CSV_WRITE_H

#include "base/buf.h"

struct wa_csv {
    struct wa_buf *out; /* whose failure tells of all */
    bool in_row;
};
void wa_csv_init(struct wa_csv *w, struct wa_buf *out);
/* Bytes that are no UTF-8 become U+FFFD. */
void wa_csv_text(struct wa_csv *w, struct wa_sv text);
/* digits: of a number that we made ourselves, or true and false. */
void wa_csv_plain(struct wa_csv *w, struct wa_sv digits);
void wa_csv_end(struct wa_csv *w); /* of the row */

#endif
