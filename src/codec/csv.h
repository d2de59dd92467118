/* csv.h - WAPT's comma lists (formats.md 0.3), shell-style patterns. */
#ifndef WA_CODEC_CSV_H
#define WA_CODEC_CSV_H

#include "base/sv.h"

/* Takes the next non-empty, trimmed (Unicode white space) item out of *rest; false at the end. */
bool wa_csv_next(struct wa_sv *rest, struct wa_sv *ret_item);
/* Whether item is one of the list's. */
bool wa_csv_has(struct wa_sv list, struct wa_sv item);
/* Python's fnmatch: * ? [seq] [!seq] on code points, case-sensitive, '*' also over '/' and
 * newlines. Time grows with pattern times text at worst, whatever the count of stars. */
bool wa_fnmatch(struct wa_sv pattern, struct wa_sv text);

#endif
