/* text_priv.h - text of files that others wrote, made fit for messages and logs. */
#ifndef WA_OS_LINUX_TEXT_PRIV_H
#define WA_OS_LINUX_TEXT_PRIV_H

#include "base/sv.h"

/* Trimmed copy: valid UTF-8, '?' for whatever is not and for control characters, cut to size - 1
 * bytes at a character's boundary. */
void wa_text_clean(struct wa_sv s, char *out, size_t size);
/* The value of the last assignment to key in lines KEY=VALUE (os-release(5), locale.conf(5)),
 * without its quotes, cleaned. False, and out untouched, when there is none. */
bool wa_text_assigned(struct wa_sv text, const char *key, char *out, size_t size);
/* Takes the next word, separated by blanks, out of *rest; false at the end. */
bool wa_text_word(struct wa_sv *rest, struct wa_sv *ret);

#endif
