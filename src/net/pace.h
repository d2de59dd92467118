/* pace.h - whether a transfer is worth waiting for: its average over one window after another, so
 * that one burst a minute does not make up for silence.
 */
#ifndef WA_NET_PACE_H
#define WA_NET_PACE_H

#include "base/err.h"

#include <stdint.h>

struct wa_pace {
    uint64_t min_bytes_s; /* 0: any pace will do */
    uint32_t window_s;
    uint64_t since_ms, since_bytes; /* of the window that runs */
};
/* max_bytes_s: what it is held back to, 0: nothing; then half of that will do. */
void wa_pace_begin(struct wa_pace *p, uint64_t min_bytes_s, uint64_t max_bytes_s,
                   uint32_t window_s);
/* bytes: that have moved since the beginning. WA_E_TIMEOUT. */
WA_CHECK enum wa_code wa_pace_check(struct wa_pace *p, uint64_t bytes, struct wa_err *err);

#endif
