/* backoff.c - waiting, and whether it is over; see the header. It keeps nothing: however often it
 * is asked, nothing grows. */
#include "agent/backoff.h"

#include "os/rand.h"

uint64_t wa_backoff(uint64_t first, uint64_t max, uint64_t failures)
{
    struct wa_err ignored = WA_ERR_INIT;
    uint64_t bound = first, r = 0;
    while (failures > 0 && bound < max) { /* at most 64 times, since it doubles */
        bound = bound > max / 2 ? max : bound * 2;
        failures--;
    }
    return wa_rand_bytes(&r, sizeof r, &ignored) == WA_OK ? 1 + r % bound : bound;
}

bool wa_is_to_come(int64_t at, int64_t now, int64_t most)
{
    return at > now && at - now <= most;
}
