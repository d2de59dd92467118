/* clock.c - wall clock and steady clock. */
#include "os/clock.h"

#include <errno.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t); /* can't fail for these clocks */
    return t;
}

int64_t wa_clock_now(void)
{
    return (int64_t)read_clock(CLOCK_REALTIME).tv_sec;
}

void wa_clock_now_us(int64_t *ret_seconds, uint32_t *ret_microseconds)
{
    struct timespec t = read_clock(CLOCK_REALTIME);
    *ret_seconds = (int64_t)t.tv_sec;
    *ret_microseconds = (uint32_t)(t.tv_nsec / 1000);
}

uint64_t wa_clock_mono_ms(void)
{
    struct timespec t = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void wa_clock_sleep_ms(uint32_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}
