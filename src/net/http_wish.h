/* http_wish.h - what a request says its answer should be, where there is a choice: headers of the
 * form "a, b;q=0.8" (RFC 9110, 12.5). Pure; what can't be read is no wish.
 */
#ifndef WA_NET_HTTP_WISH_H
#define WA_NET_HTTP_WISH_H

#include "net/http.h"

struct wa_language;

/* How much such a header wants name, or what is of it ("fr-CA" of "fr"), in thousandths; 0: not. */
unsigned wa_http_wish(struct wa_sv header, const char *name);
/* The language (base/text.h) that Accept-Language wants most, of those there are; of two that it
 * wants alike the first. NULL: it names none of them. */
const struct wa_language *wa_http_language(const struct wa_http_head *h);

#endif
