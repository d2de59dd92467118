/* exit_countdown.h - the time before an upgrade in which a person may say something. */
#ifndef WA_CMD_EXIT_COUNTDOWN_H
#define WA_CMD_EXIT_COUNTDOWN_H

#include <stdbool.h>
#include <stdint.h>

enum wa_choice { WA_CHOICE_NONE, WA_CHOICE_UPGRADE, WA_CHOICE_NOT_NOW };

struct wa_countdown {
    uint64_t until_ms;   /* when the upgrade begins; UINT64_MAX: not by itself */
    uint64_t stopped_ms; /* how long a stopped countdown waits; UINT64_MAX: for ever */
    bool may_refuse;     /* "not now" is a choice */
    bool is_stopped;
    bool shows_all; /* details are wanted */
};
/* Times by a clock that never goes back. */
void wa_countdown_start(struct wa_countdown *c, uint64_t now_ms, uint64_t wait_ms,
                        uint64_t stopped_ms, bool may_refuse);
/* What a key means: 'u' and Enter upgrade, 'n' and ^C refuse, 's' and space stop the countdown,
 * 'd' turns details on and off; any other one nothing. */
enum wa_choice wa_countdown_key(struct wa_countdown *c, uint64_t now_ms, char key);
/* WA_CHOICE_UPGRADE when the time is over. */
enum wa_choice wa_countdown_turn(const struct wa_countdown *c, uint64_t now_ms);
/* Whole seconds that are left, the begun one too; 0: over, or not counted. */
uint64_t wa_countdown_left_s(const struct wa_countdown *c, uint64_t now_ms);

#endif
