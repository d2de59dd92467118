/* local_proof.c - the grace after a right password, and the delay after wrong ones.
 *
 * A grace belongs to one user in one session of processes, as sudo's does: another terminal, or
 * what runs after the log-out, has none. Failures are counted by user, whatever connection they
 * came over; only users with an account get this far, and only with their own account's password,
 * so nobody can lock another one out.
 */
#include "agent/local_proof.h"

bool wa_proofs_hold(const struct wa_proofs *p, uint32_t uid, const struct wa_session *s,
                    uint64_t now_ms)
{
    for (size_t i = 0; i < WA_COUNT(p->graces); i++)
        if (p->graces[i].until_ms > now_ms && p->graces[i].uid == uid &&
            p->graces[i].session.id == s->id && p->graces[i].session.started == s->started)
            return wa_session_is_there(s);
    return false;
}

void wa_proofs_give(struct wa_proofs *p, uint32_t uid, const struct wa_session *s, uint64_t now_ms,
                    uint64_t until_ms)
{
    size_t at = 0;
    for (size_t i = 0; i < WA_COUNT(p->tries); i++)
        if (p->tries[i].uid == uid)
            p->tries[i].failures = 0;
    if (s == NULL || until_ms <= now_ms)
        return;
    for (size_t i = 0; i < WA_COUNT(p->graces); i++) {
        bool is_same = p->graces[i].uid == uid && p->graces[i].session.id == s->id;
        if (is_same || p->graces[i].until_ms < p->graces[at].until_ms)
            at = i;
        if (is_same)
            break;
    }
    p->graces[at].uid = uid;
    p->graces[at].session = *s;
    p->graces[at].until_ms = until_ms;
}

void wa_proofs_drop(struct wa_proofs *p, uint32_t uid)
{
    for (size_t i = 0; i < WA_COUNT(p->graces); i++)
        if (p->graces[i].uid == uid)
            p->graces[i].until_ms = 0;
}

/* The user's place, or the one that may be taken for it. */
static size_t try_of(const struct wa_proofs *p, uint32_t uid)
{
    size_t at = 0;
    for (size_t i = 0; i < WA_COUNT(p->tries); i++) {
        if (p->tries[i].uid == uid)
            return i;
        if (p->tries[i].forgotten_at_ms < p->tries[at].forgotten_at_ms)
            at = i;
    }
    return at;
}

void wa_proofs_failed(struct wa_proofs *p, uint32_t uid, uint64_t now_ms)
{
    size_t at = try_of(p, uid);
    uint64_t delay = 0;
    wa_proofs_drop(p, uid);
    if (p->tries[at].uid != uid || now_ms >= p->tries[at].forgotten_at_ms)
        p->tries[at].failures = 0;
    p->tries[at].uid = uid;
    p->tries[at].failures++;
    if (p->tries[at].failures >= WA_LOCAL_TRIES_MAX) {
        unsigned more = p->tries[at].failures - WA_LOCAL_TRIES_MAX;
        delay = more < 16 ? (uint64_t)WA_LOCAL_DELAY_FIRST_MS << more : WA_LOCAL_DELAY_MAX_MS;
        delay = delay < WA_LOCAL_DELAY_MAX_MS ? delay : WA_LOCAL_DELAY_MAX_MS;
    }
    p->tries[at].free_at_ms = now_ms + delay;
    p->tries[at].forgotten_at_ms = now_ms + delay + WA_LOCAL_DELAY_MAX_MS;
}

void wa_proofs_restore(struct wa_proofs *p, uint32_t uid, unsigned failures, uint64_t now_ms)
{
    for (unsigned i = 0; i < failures && i < 32; i++)
        wa_proofs_failed(p, uid, now_ms);
}

uint64_t wa_proofs_wait_ms(const struct wa_proofs *p, uint32_t uid, uint64_t now_ms)
{
    size_t at = try_of(p, uid);
    bool waits =
        p->tries[at].uid == uid && p->tries[at].failures > 0 && p->tries[at].free_at_ms > now_ms;
    return waits ? p->tries[at].free_at_ms - now_ms : 0;
}
