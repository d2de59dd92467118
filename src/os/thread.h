/* thread.h - one thread, one lock, one condition: for the few places that block on purpose. */
#ifndef WA_OS_THREAD_H
#define WA_OS_THREAD_H

#include "base/sv.h"

struct wa_thread;
struct wa_lock;

typedef void (*wa_thread_fn)(void *user);

/* It speaks this thread's language. */
WA_CHECK enum wa_code wa_thread_start(wa_thread_fn fn, void *user, struct wa_thread **ret,
                                      struct wa_err *err);
void wa_thread_join(struct wa_thread *t); /* waits, then frees */
/* One that nobody waits for: what it works on is its own, and it ends with the process at the
 * latest. */
WA_CHECK enum wa_code wa_thread_let_go(wa_thread_fn fn, void *user, struct wa_err *err);

/* fn(user) in this thread, for libraries that write without MSG_NOSIGNAL: the signal of a peer that
 * has gone is kept from the thread, and eaten if it came. The process's own handling stays as it
 * is. */
WA_CHECK enum wa_code wa_thread_without_sigpipe(enum wa_code (*fn)(void *user, struct wa_err *err),
                                                void *user, struct wa_err *err);

/* A mutex with one condition variable. */
WA_CHECK enum wa_code wa_lock_new(struct wa_lock **ret, struct wa_err *err);
void wa_lock_free(struct wa_lock *l);
void wa_lock_take(struct wa_lock *l);
void wa_lock_give(struct wa_lock *l);
void wa_lock_signal(struct wa_lock *l);
/* Gives the lock while waiting. False when timeout_ms passed (negative: no limit). */
bool wa_lock_wait(struct wa_lock *l, int timeout_ms);

#endif
