/* exit_countdown.c - see the header. Knows no clock, no terminal and no service: what time it is
 * and which key was pressed is its caller's. Nothing refuses where that is not allowed, and a
 * countdown that was stopped goes on by itself where somebody waits for its end. */
#include "cmd/exit_countdown.h"

#define CTRL_C 3

static uint64_t later(uint64_t now_ms, uint64_t wait_ms)
{
    return wait_ms < UINT64_MAX - now_ms ? now_ms + wait_ms : UINT64_MAX;
}

void wa_countdown_start(struct wa_countdown *c, uint64_t now_ms, uint64_t wait_ms,
                        uint64_t stopped_ms, bool may_refuse)
{
    *c = (struct wa_countdown){
        .until_ms = later(now_ms, wait_ms), .stopped_ms = stopped_ms, .may_refuse = may_refuse};
}

enum wa_choice wa_countdown_key(struct wa_countdown *c, uint64_t now_ms, char key)
{
    switch (key) {
    case 'u':
    case 'U':
    case '\r':
    case '\n':
        return WA_CHOICE_UPGRADE;
    case 'n':
    case 'N':
    case CTRL_C:
        return c->may_refuse ? WA_CHOICE_NOT_NOW : WA_CHOICE_NONE;
    case 's':
    case 'S':
    case ' ':
        if (!c->is_stopped) /* once: not again and again */
            c->until_ms = later(now_ms, c->stopped_ms);
        c->is_stopped = true;
        return WA_CHOICE_NONE;
    case 'd':
    case 'D':
        c->shows_all = !c->shows_all;
        return WA_CHOICE_NONE;
    default:
        return WA_CHOICE_NONE;
    }
}

enum wa_choice wa_countdown_turn(const struct wa_countdown *c, uint64_t now_ms)
{
    return now_ms >= c->until_ms ? WA_CHOICE_UPGRADE : WA_CHOICE_NONE;
}

uint64_t wa_countdown_left_s(const struct wa_countdown *c, uint64_t now_ms)
{
    if (c->until_ms == UINT64_MAX || now_ms >= c->until_ms)
        return 0;
    return (c->until_ms - now_ms - 1) / 1000 + 1;
}
