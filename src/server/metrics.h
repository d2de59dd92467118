/* metrics.h - how the server is, in numbers, for Prometheus (text format 0.0.4).
 *
 * Names and labels are literals and small numbers: nothing that a machine or a person says becomes
 * one, so neither their count nor their text is in anybody's hands.
 */
#ifndef WA_SERVER_METRICS_H
#define WA_SERVER_METRICS_H

#include "net/http_server.h"

/* What a front tells the store, as it stands: both are the same program. */
struct wa_front_counts {
    struct wa_http_counts http; /* classes: enum wa_front_kind + 1; 0: none of them */
    uint64_t connections, websockets, streams, resident_bytes;
    int64_t certificate_until, authority_until; /* s since 1970; 0: there is none */
};

enum wa_store_kind { /* of what fronts ask */
                     WA_STORE_REGISTER,
                     WA_STORE_REPORT,
                     WA_STORE_LOGIN,
                     WA_STORE_HELLO,
                     WA_STORE_API,
                     WA_STORE_KINDS
};
struct wa_store_counts {
    uint64_t requests[WA_STORE_KINDS];
    uint64_t refused[WA_CODE_COUNT]; /* requests that were answered by an error */
    struct wa_front_counts fronts[64];
};

struct wa_store;
/* All of them. */
WA_CHECK enum wa_code wa_metrics_write(struct wa_store *s, struct wa_buf *out, struct wa_err *err);

#endif
