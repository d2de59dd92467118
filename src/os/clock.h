/* clock.h - the time, as a value that tests can replace. */
#ifndef WA_OS_CLOCK_H
#define WA_OS_CLOCK_H

#include <stdint.h>

int64_t wa_clock_now(void); /* seconds since 1970 UTC */
void wa_clock_now_us(int64_t *ret_seconds, uint32_t *ret_microseconds);
uint64_t wa_clock_mono_ms(void);     /* never goes back; arbitrary start */
void wa_clock_sleep_ms(uint32_t ms); /* never in an event loop */

#endif
