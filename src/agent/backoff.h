/* backoff.h - how long to wait after failures: a random moment between now and a bound that doubles
 * with each, so that a server that comes back is not met by its hundred thousand agents at once. */
#ifndef WA_AGENT_BACKOFF_H
#define WA_AGENT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* From 1 to the bound, which is first after no failure, doubles with each and ends at max. In the
 * unit of first and max, 1 <= first <= max. Where there is no randomness, the bound itself. */
uint64_t wa_backoff(uint64_t first, uint64_t max, uint64_t failures);

/* Whether at, seconds of the clock on the wall, is still to come. What lies further away than it
 * was ever put, most, is not: the clock was set back since. */
bool wa_is_to_come(int64_t at, int64_t now, int64_t most);

#endif
