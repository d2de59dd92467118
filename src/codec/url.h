/* url.h - http and https URLs taken apart strictly; percent-encoding. */
#ifndef WA_CODEC_URL_H
#define WA_CODEC_URL_H

#include "base/buf.h"

struct wa_url {
    bool is_https;
    char host[256];   /* without brackets for IPv6 */
    uint16_t port;    /* default filled in */
    char path[1024];  /* begins with '/', without query or fragment; as written */
    char query[1024]; /* after '?', as written; "" when there is none */
};
/* No user info, no fragment, no control characters, no blanks. */
WA_CHECK enum wa_code wa_url_parse(struct wa_sv text, struct wa_url *ret, struct wa_err *err);
/* Everything but A-Z a-z 0-9 - . _ ~ as %XX. */
void wa_url_encode(struct wa_sv s, struct wa_buf *out);
/* %XX and, in a query, '+'. Refuses bad escapes and %00. */
WA_CHECK enum wa_code wa_url_decode(struct wa_sv s, bool is_query, struct wa_buf *out,
                                    struct wa_err *err);
/* Value of key in "a=1&b=2", decoded into out; false when absent or malformed. */
bool wa_url_query_get(struct wa_sv query, const char *key, struct wa_buf *out);

#endif
