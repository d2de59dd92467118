/* helper_wake.c - the manager has machines near this one woken.
 *
 * One message of fixed size, one answer; the process that broadcasts ends with it.
 */
#include "agent/helper_priv.h"

#define TIMEOUT_S 15u

enum wa_code wa_helper_wake(struct wa_launcher *l, const struct wa_wake *what,
                            struct wa_cancel *cancel, struct wa_err *err)
{
    struct wa_talk t = {.silence_ms = TIMEOUT_S * 1000, .cancel = cancel};
    struct wa_chan_msg answer;
    enum wa_code code = wa_talk_begin(&t, l, WA_ROLE_WAKE, TIMEOUT_S, err);
    if (code == WA_OK)
        code = wa_talk_send(&t, WA_M_WAKE, 1, wa_sv_n(what, sizeof *what), -1, err);
    if (code == WA_OK)
        code = wa_talk_recv(&t, 1, &answer, err);
    if (code == WA_OK && answer.payload.n > 0)
        code = wa_role_error_read(answer.payload, err);
    wa_talk_end(&t);
    return code;
}
