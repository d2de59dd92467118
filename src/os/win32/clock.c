/* clock.c - wall clock and steady clock. */
#include "os/win32/win.h"

#include "os/clock.h"

#define EPOCH_1601_S 11644473600LL /* from 1601 to 1970 */

void wa_clock_now_us(int64_t *ret_seconds, uint32_t *ret_microseconds)
{
    FILETIME t;
    GetSystemTimePreciseAsFileTime(&t);
    uint64_t ticks = (uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime; /* of 100 ns */
    *ret_seconds = (int64_t)(ticks / 10000000u) - EPOCH_1601_S;
    *ret_microseconds = (uint32_t)(ticks % 10000000u / 10u);
}

int64_t wa_clock_now(void)
{
    int64_t seconds = 0;
    uint32_t us = 0;
    wa_clock_now_us(&seconds, &us);
    return seconds;
}

uint64_t wa_clock_mono_ms(void)
{
    return GetTickCount64();
}

void wa_clock_sleep_ms(uint32_t ms)
{
    Sleep(ms);
}
