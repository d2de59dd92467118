/* helper_talk.c - a conversation between the manager's task thread and one child, with cancelling
 * and two clocks.
 *
 * One clock bounds the whole, the other the silence between two messages: a child that is stuck, or
 * was taken over and stalls, is killed. Whatever way a conversation ends, the child is gone
 * afterwards.
 */
#include "agent/helper_priv.h"
#include "os/clock.h"

#define LAST_WORDS_MS 2000 /* ms: between the end of a channel and the launcher's news of how */

enum wa_code wa_talk_begin(struct wa_talk *t, struct wa_launcher *l, enum wa_role role,
                           uint32_t timeout_s, struct wa_err *err)
{
    const struct wa_start what = {.role = role, .timeout_s = timeout_s};
    t->l = l;
    t->h = NULL;
    t->chan = NULL;
    enum wa_code code = wa_helper_start(l, &what, &t->h, err);
    if (code == WA_OK) {
        code = wa_helper_channel(t->h, &t->chan, err);
    }
    if (code == WA_OK) {
        wa_chan_set_patience(t->chan, t->silence_ms);
    }
    return code;
}

void wa_talk_end(struct wa_talk *t)
{
    wa_chan_free(t->chan);
    t->chan = NULL;
    if (t->h != NULL) {
        wa_helper_end(t->l, t->h);
    }
    t->h = NULL;
}

enum wa_code wa_talk_broken(const struct wa_talk *t, const char *what, struct wa_err *err)
{
    return wa_fail(err, WA_E_REFUSED, "the %s process broke the rules of the conversation: %s",
                   wa_role_name(t->h->role), what);
}

/* It closed its end in the middle: say how it ended. */
static enum wa_code lost(struct wa_talk *t, struct wa_err *err)
{
    bool is_ended = false;
    const char *role = wa_role_name(t->h->role);
    wa_err_clear(err);
    enum wa_code code = wa_helper_wait(t->l, t->h, LAST_WORDS_MS, &is_ended, err);
    if (code != WA_OK) {
        return code;
    }
    const struct wa_ended *e = &t->h->ended;
    if (is_ended && e->timed_out) {
        return wa_fail(err, WA_E_TIMEOUT, "the %s process took too long and was ended", role);
    }
    if (is_ended) {
        return wa_fail(err, WA_E_FAILED, "the %s process ended in the middle of its work (%s %d)",
                       role, e->is_signal ? "signal" : "status", (int)e->value);
    }
    return wa_fail(err, WA_E_FAILED, "the %s process stopped talking in the middle of its work",
                   role);
}

static int next_slice(const struct wa_talk *t, uint64_t now, uint64_t silent_until)
{
    uint64_t until = silent_until;
    if (t->deadline_ms != 0 && t->deadline_ms < until) {
        until = t->deadline_ms;
    }
    if (now >= until) {
        return 0;
    }
    return until - now < WA_HELPER_SLICE_MS ? (int)(until - now) : WA_HELPER_SLICE_MS;
}

enum wa_code wa_talk_recv(struct wa_talk *t, uint32_t id, struct wa_chan_msg *ret,
                          struct wa_err *err)
{
    uint64_t silent_until = wa_clock_mono_ms() + t->silence_ms;
    for (;;) {
        if (wa_cancel_is_set(t->cancel)) {
            return wa_fail(err, WA_E_CANCELLED, "the work was cancelled");
        }
        int slice = next_slice(t, wa_clock_mono_ms(), silent_until);
        enum wa_code code = wa_chan_recv(t->chan, slice, ret, err);
        if (code == WA_OK && ret->id != id) {
            return wa_talk_broken(t, "an answer to another question", err);
        }
        if (code == WA_OK) {
            return WA_OK;
        }
        if (code == WA_E_TIMEOUT && slice > 0) {
            wa_err_clear(err);
            continue;
        }
        if (code == WA_E_TIMEOUT) {
            return wa_fail(err, WA_E_TIMEOUT, "the %s process took too long",
                           wa_role_name(t->h->role));
        }
        if (code == WA_E_NOT_FOUND || code == WA_E_IO) {
            return lost(t, err);
        }
        return wa_wrap(err, "the %s process", wa_role_name(t->h->role));
    }
}

enum wa_code wa_talk_send(struct wa_talk *t, uint16_t type, uint32_t id, struct wa_sv payload,
                          int fd, struct wa_err *err)
{
    if (wa_cancel_is_set(t->cancel)) {
        return wa_fail(err, WA_E_CANCELLED, "the work was cancelled");
    }
    enum wa_code code = wa_chan_send(t->chan, type, id, payload, fd, err);
    if (code == WA_E_TIMEOUT) {
        return wa_fail(err, code, "the %s process does not listen", wa_role_name(t->h->role));
    }
    return code == WA_E_NOT_FOUND || code == WA_E_IO || code == WA_E_UNREACHABLE ? lost(t, err)
                                                                                 : code;
}
