/* helper_wake.c - the manager has machines near this one woken, or this one described.
 *
 * One message of fixed size, one answer; the process that does it ends with it.
 */
#include "agent/helper_priv.h"

#define TIMEOUT_S 15u

static enum wa_code have_done(struct wa_launcher *l, enum wa_role role, uint16_t type,
                              struct wa_sv what, struct wa_cancel *cancel, struct wa_err *err)
{
    struct wa_talk t = {.silence_ms = TIMEOUT_S * 1000, .cancel = cancel};
    struct wa_chan_msg answer;
    enum wa_code code = wa_talk_begin(&t, l, role, TIMEOUT_S, err);
    if (code == WA_OK)
        code = wa_talk_send(&t, type, 1, what, -1, err);
    if (code == WA_OK)
        code = wa_talk_recv(&t, 1, &answer, err);
    if (code == WA_OK && answer.payload.n > 0)
        code = wa_role_error_read(answer.payload, err);
    wa_talk_end(&t);
    return code;
}

enum wa_code wa_helper_wake(struct wa_launcher *l, const struct wa_wake *what,
                            struct wa_cancel *cancel, struct wa_err *err)
{
    return have_done(l, WA_ROLE_WAKE, WA_M_WAKE, wa_sv_n(what, sizeof *what), cancel, err);
}

enum wa_code wa_helper_describe(struct wa_launcher *l, struct wa_sv text, struct wa_cancel *cancel,
                                struct wa_err *err)
{
    struct wa_describe d = {.text = ""};
    if (text.n >= sizeof d.text)
        return wa_fail(err, WA_E_LIMIT, "a description of more than %u bytes", WA_DESCRIPTION_MAX);
    memcpy(d.text, text.n > 0 ? text.p : "", text.n);
    return have_done(l, WA_ROLE_DESCRIBE, WA_M_DESCRIBE, wa_sv_n(&d, sizeof d), cancel, err);
}
