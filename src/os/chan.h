/* chan.h - framed messages between two of our processes over a socket pair, with a closed table of
 * what may pass.
 *
 * Frame: u32 length of the payload, u16 type, u16 language, u32 id (little endian), payload. A
 * descriptor may ride on a frame whose rule allows it. What arrives outside the rules given at
 * creation (type unknown for this direction, too long, an unexpected descriptor) is WA_E_REFUSED
 * and the channel is dead: the peer is broken or taken over.
 *
 * Each frame says what language the thread that sends it speaks (wa_text_speak()), so that who is
 * asked can answer a person in theirs. It is one that this build has, whoever says it.
 */
#ifndef WA_OS_CHAN_H
#define WA_OS_CHAN_H

#include "base/buf.h"
#include "os/loop.h"

struct wa_chan_rule {
    uint16_t type;
    const char *name; /* for logs */
    uint32_t max;     /* bytes of payload */
    bool with_fd;     /* must carry one descriptor */
};

struct wa_chan_msg {
    uint16_t type;
    uint32_t id;                        /* chosen by the asker, echoed by the answerer */
    struct wa_sv payload;               /* valid until the next receive on the channel */
    int fd;                             /* -1, or owned by the receiver */
    const struct wa_language *language; /* of who asks, or answers; NULL: its process's */
};

struct wa_chan;

/* Takes over fd. accept: what may be received, ended by a rule with name NULL; must outlive the
 * channel. */
WA_CHECK enum wa_code wa_chan_new(int fd, const struct wa_chan_rule *accept, struct wa_chan **ret,
                                  struct wa_err *err);
void wa_chan_free(struct wa_chan *c); /* closes the descriptor */
WA_AUTO_DEFINE(wa_chan, wa_chan_free)
int wa_chan_fd(const struct wa_chan *c);

/* --- blocking use --- */
/* fd: -1 or a descriptor to send along (stays the caller's). */
WA_CHECK enum wa_code wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id,
                                   struct wa_sv payload, int fd, struct wa_err *err);
/* How long a send waits for a peer that does not read, else for ever; then it is WA_E_TIMEOUT, and
 * the channel, in the middle of a frame, of no use any more. */
void wa_chan_set_patience(struct wa_chan *c, uint32_t ms);
/* WA_E_TIMEOUT after timeout_ms (negative: never), WA_E_NOT_FOUND when the peer closed in good
 * order. */
WA_CHECK enum wa_code wa_chan_recv(struct wa_chan *c, int timeout_ms, struct wa_chan_msg *ret,
                                   struct wa_err *err);
/* The same of a question: this thread speaks from now on as who asks. */
WA_CHECK enum wa_code wa_chan_hear(struct wa_chan *c, int timeout_ms, struct wa_chan_msg *ret,
                                   struct wa_err *err);

/* --- use in a loop --- */
typedef void (*wa_chan_fn)(void *user, const struct wa_chan_msg *msg);
/* code WA_OK: closed in good order. Called once; free the channel in it or later. */
typedef void (*wa_chan_end_fn)(void *user, enum wa_code code, const struct wa_err *err);
WA_CHECK enum wa_code wa_chan_attach(struct wa_chan *c, struct wa_loop *loop, wa_chan_fn on_msg,
                                     wa_chan_end_fn on_end, void *user, struct wa_err *err);
/* Queues; WA_E_LIMIT when more than max_queued bytes wait (default 64 MiB): the caller decides whom
 * to drop. */
WA_CHECK enum wa_code wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id,
                                   struct wa_sv payload, int fd, struct wa_err *err);
size_t wa_chan_queued_bytes(const struct wa_chan *c);

#endif
