/* pace.c - see pace.h. */
#include "net/pace.h"

#include "os/clock.h"

#include <stdbool.h>

void wa_pace_begin(struct wa_pace *p, uint64_t min_bytes_s, uint64_t max_bytes_s, uint32_t window_s)
{
    bool is_held = max_bytes_s != 0 && max_bytes_s / 2 < min_bytes_s;
    *p = (struct wa_pace){.min_bytes_s = is_held ? max_bytes_s / 2 : min_bytes_s,
                          .window_s = window_s,
                          .since_ms = wa_clock_mono_ms()};
}

enum wa_code wa_pace_check(struct wa_pace *p, uint64_t bytes, struct wa_err *err)
{
    uint64_t now = wa_clock_mono_ms(), spent = now - p->since_ms, moved = bytes - p->since_bytes;
    if (p->min_bytes_s == 0 || spent < 1000ull * p->window_s)
        return WA_OK;
    p->since_ms = now;
    p->since_bytes = bytes;
    return moved * 1000 >= p->min_bytes_s * spent
               ? WA_OK
               : wa_fail(err, WA_E_TIMEOUT,
                         "slower than %llu bytes a second: %llu bytes came in %llu seconds",
                         (unsigned long long)p->min_bytes_s, (unsigned long long)moved,
                         (unsigned long long)(spent / 1000));
}
