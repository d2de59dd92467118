/* unicode.h - the few properties of characters that WAPT's formats borrow from Python 2's unicode
 * type. */
#ifndef WA_PKG_UNICODE_H
#define WA_PKG_UNICODE_H

#include "base/sv.h"

bool wa_unicode_isspace(uint32_t cp);
/* unicode.splitlines() breaks after it. */
bool wa_unicode_is_line_end(uint32_t cp);
/* Letters and digits: ASCII exactly; beyond it every character that is neither space, control,
 * punctuation nor symbol in the blocks that names are written in. */
bool wa_unicode_isalnum(uint32_t cp);
/* Both ends. Bytes that are not UTF-8 stay. */
struct wa_sv wa_unicode_strip(struct wa_sv s);
/* Takes a line without its end out of *rest; false at the end. CRLF counts once. */
bool wa_unicode_next_line(struct wa_sv *rest, struct wa_sv *ret_line);

#endif
