/* utf8.h - checking and walking UTF-8 (RFC 3629: no surrogates, no overlong forms, at most
 * U+10FFFF). */
#ifndef WA_BASE_UTF8_H
#define WA_BASE_UTF8_H

#include "base/sv.h"

bool wa_utf8_valid(struct wa_sv s);
/* Decodes one code point at *at and moves *at past it; false at the end or at a bad sequence. */
bool wa_utf8_next(struct wa_sv s, size_t *at, uint32_t *ret_cp);
/* The same for text that may be anything: a byte where no character begins is a step of its own,
 * WA_UTF8_BAD and that byte, which is above every character: it is not shown and encodes to
 * nothing. False at the end alone. */
#define WA_UTF8_BAD 0x110000u
bool wa_utf8_step(struct wa_sv s, size_t *at, uint32_t *ret_cp);
/* False for what could forge, hide or reorder the text around it on a screen or in a log: control
 * characters (C0, DEL, C1), line and paragraph separators, bidirectional and zero-width marks; and
 * for what is no character. */
bool wa_utf8_is_shown(uint32_t cp);
/* Encodes into out (room for 4); returns the count of bytes, 0 for a value that is not a scalar. */
size_t wa_utf8_encode(uint32_t cp, char out[4]);
/* The largest n' <= n that does not cut a sequence of s. */
size_t wa_utf8_cut(const char *s, size_t n);

#endif
