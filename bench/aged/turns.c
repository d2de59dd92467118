/* turns.c - the timer by which the manager looks at the clock, faster too: 14 simulated seconds
 * between two looks. What the schedule then begins is done by real processes, and takes the time it
 * takes.
 */
#include <stdio.h>

#include "agent/manager_priv.h"

#define LOOKS_FASTER 100
#define CLOCK_MS 1000 /* the manager's */

void __real_wa_timer_start(struct wa_timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void __wrap_wa_timer_start(struct wa_timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void __real_wa_schedule_turn(struct wa_manager *m, int64_t now);
void __wrap_wa_schedule_turn(struct wa_manager *m, int64_t now);

void __wrap_wa_timer_start(struct wa_timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
    __real_wa_timer_start(t, delay_ms, repeat_ms == CLOCK_MS ? CLOCK_MS / LOOKS_FASTER : repeat_ms);
}

void __wrap_wa_schedule_turn(struct wa_manager *m, int64_t now)
{
    static unsigned turns;
    __real_wa_schedule_turn(m, now);
    if (++turns % 1000 == 0)
        (void)fprintf(stderr, "aged: %u turns\n", turns);
}
