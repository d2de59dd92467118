/* local_proof.h - what is remembered of passwords that local users typed: proven ones hold for a
 * while in the session where they were typed, wrong ones make their user wait. Times are
 * milliseconds of a clock that never goes back.
 */
#ifndef WA_AGENT_LOCAL_PROOF_H
#define WA_AGENT_LOCAL_PROOF_H

#include "base/limits.h"
#include "os/local.h"

struct wa_proofs {
    struct {
        uint32_t uid;
        struct wa_session session;
        uint64_t until_ms;
    } graces[WA_LOCAL_GRACES];
    struct {
        uint32_t uid;
        unsigned failures;
        uint64_t free_at_ms, forgotten_at_ms;
    } tries[WA_LOCAL_GRACES];
};

/* Whether a password proven in this session still holds; not after the session's end. */
bool wa_proofs_hold(const struct wa_proofs *p, uint32_t uid, const struct wa_session *s,
                    uint64_t now_ms);
/* A password was right: the failures are forgotten, and it holds until until_ms (not later than
 * now_ms: not at all). s NULL: the session is not known, it holds for nothing but now. */
void wa_proofs_give(struct wa_proofs *p, uint32_t uid, const struct wa_session *s, uint64_t now_ms,
                    uint64_t until_ms);
/* What this user has proven holds no longer, in any session. */
void wa_proofs_drop(struct wa_proofs *p, uint32_t uid);
/* A password was wrong: nothing holds any more, and after some of them the next has to wait. */
void wa_proofs_failed(struct wa_proofs *p, uint32_t uid, uint64_t now_ms);
/* As after so many wrong ones in an earlier life. */
void wa_proofs_restore(struct wa_proofs *p, uint32_t uid, unsigned failures, uint64_t now_ms);
/* How long this user has to wait before a password is looked at; 0: not at all. */
uint64_t wa_proofs_wait_ms(const struct wa_proofs *p, uint32_t uid, uint64_t now_ms);

#endif
