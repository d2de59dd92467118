/* helper_priv.h - one child process as the manager sees it. Between the helper_*.c files only.
 *
 * Whoever waits for the launcher reads its channel for all: the first waiter reads, the others
 * sleep until it has read something. So there is no thread of our own, and none that could have
 * missed the manager's confinement.
 */
#ifndef WA_AGENT_HELPER_PRIV_H
#define WA_AGENT_HELPER_PRIV_H

#include "agent/helpers.h"
#include "agent/role_priv.h"

#define WA_HELPER_SLICE_MS 200    /* ms: how often cancelling is looked at */
#define WA_HELPER_START_MS 15000u /* ms: the launcher only forks and execs */
#define WA_HELPER_FDS 3

struct wa_helper {
    struct wa_helper *next;
    uint32_t id;
    int pid; /* for logs and tests; never signalled by us */
    enum wa_role role;
    int fds[WA_HELPER_FDS]; /* RUNNER: request, result, output; else the channel's; -1 once taken */
    unsigned fd_count;
    bool is_failed, is_ended;
    struct wa_failed failed;
    struct wa_ended ended;
};

/* Starts a child and waits until it runs. */
WA_CHECK enum wa_code wa_helper_start(struct wa_launcher *l, const struct wa_start *what,
                                      struct wa_helper **ret, struct wa_err *err);
/* Kills what is left of it, waits until the launcher has reaped it, frees h. NULL is fine. */
void wa_helper_end(struct wa_launcher *l, struct wa_helper *h);
/* Whether it has ended, waiting at most timeout_ms. Fails when the launcher is gone. */
WA_CHECK enum wa_code wa_helper_wait(struct wa_launcher *l, struct wa_helper *h, int timeout_ms,
                                     bool *ret_ended, struct wa_err *err);
WA_CHECK enum wa_code wa_helper_kill(struct wa_launcher *l, const struct wa_helper *h,
                                     struct wa_err *err);
/* Ends every child of role that is still there. */
WA_CHECK enum wa_code wa_helper_forget(struct wa_launcher *l, enum wa_role role,
                                       struct wa_err *err);
/* Takes the descriptor and makes it the channel. */
WA_CHECK enum wa_code wa_helper_channel(struct wa_helper *h, struct wa_chan **ret,
                                        struct wa_err *err);

/* --- a conversation with a child --- */
struct wa_talk {
    struct wa_launcher *l;
    struct wa_helper *h;
    struct wa_chan *chan;
    struct wa_cancel *cancel; /* may be NULL */
    uint64_t deadline_ms;     /* monotonic; 0: none */
    uint32_t silence_ms;      /* longest time without a message */
};
/* Starts a child of role; timeout_s: the launcher's own limit on its life. */
WA_CHECK enum wa_code wa_talk_begin(struct wa_talk *t, struct wa_launcher *l, enum wa_role role,
                                    uint32_t timeout_s, struct wa_err *err);
/* The next message with this id. WA_E_CANCELLED, WA_E_TIMEOUT; WA_E_REFUSED when the child broke
 * the rules; WA_E_FAILED, saying how it ended, when it is gone. */
WA_CHECK enum wa_code wa_talk_recv(struct wa_talk *t, uint32_t id, struct wa_chan_msg *ret,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_talk_send(struct wa_talk *t, uint16_t type, uint32_t id,
                                   struct wa_sv payload, int fd, struct wa_err *err);
void wa_talk_end(struct wa_talk *t);
/* "the unpack process broke the rules of the conversation: <what>", WA_E_REFUSED. */
enum wa_code wa_talk_broken(const struct wa_talk *t, const char *what, struct wa_err *err);

/* --- readers of what children say, apart so that they can be tested and fuzzed --- */
WA_CHECK enum wa_code wa_fetch_done_read(struct wa_sv text, struct wa_fetch_result *ret,
                                         struct wa_err *err);
/* groups: those that were asked. An error of the child comes back as its own. */
WA_CHECK enum wa_code wa_auth_answer_read(struct wa_sv text, const char *const *groups,
                                          bool has_password, struct wa_auth_answer *ret,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_unpack_member_read(struct wa_sv payload, struct wa_member *ret,
                                            struct wa_err *err);

/* --- a script's output: the head as it comes, the tail at the end, what lies between counted ---
 */
struct wa_output_cut {
    wa_helper_output_fn fn;
    void *user;
    size_t head_left;   /* bytes that still pass */
    struct wa_buf part; /* an unfinished UTF-8 sequence */
    struct wa_buf tail;
    uint64_t left_out; /* bytes dropped from the middle */
};
void wa_cut_init(struct wa_output_cut *o, wa_helper_output_fn fn, void *user);
WA_CHECK enum wa_code wa_cut_feed(struct wa_output_cut *o, const char *p, size_t n,
                                  struct wa_err *err);
WA_CHECK enum wa_code wa_cut_finish(struct wa_output_cut *o, struct wa_err *err);
void wa_cut_fini(struct wa_output_cut *o);

#endif
