/* loop.h - the event loop: readiness of descriptors, timers, wake-ups, deferred work (libuv
 * behind).
 *
 * One loop a process, used from one thread; only wa_loop_wake() and wa_loop_post() may be called
 * from another one. Callbacks may close any handle, their own included: memory goes after the
 * callback returns.
 */
#ifndef WA_OS_LOOP_H
#define WA_OS_LOOP_H

#include "base/sv.h"

struct wa_loop;
struct wa_io; /* watches one descriptor; does not own it */
struct wa_timer;

enum { WA_IO_READ = 1, WA_IO_WRITE = 2 };

typedef void (*wa_io_fn)(void *user, int events);
typedef void (*wa_timer_fn)(void *user);
typedef void (*wa_signal_fn)(void *user, int signum);
typedef void (*wa_post_fn)(void *user);
typedef enum wa_code (*wa_work_fn)(void *user, struct wa_err *err);
typedef void (*wa_work_done_fn)(void *user, enum wa_code code, const struct wa_err *err);

WA_CHECK enum wa_code wa_loop_new(struct wa_loop **ret, struct wa_err *err);
/* Closes what is still open: watches and timers not freed before are gone with it. Waits for work
 * that is in a thread of the pool (its done is called); what was posted and has not run is dropped.
 */
void wa_loop_free(struct wa_loop *loop);
WA_AUTO_DEFINE(wa_loop, wa_loop_free)
/* Until wa_loop_stop() or nothing is left to watch. */
WA_CHECK enum wa_code wa_loop_run(struct wa_loop *loop, struct wa_err *err);
/* One turn, waiting at most timeout_ms (0: don't wait, -1: until something happens). */
WA_CHECK enum wa_code wa_loop_turn(struct wa_loop *loop, int timeout_ms, struct wa_err *err);
void wa_loop_stop(struct wa_loop *loop);
/* What is to be done once, together, before the loop waits again. The owner's; zeroed at first. */
struct wa_soon {
    struct wa_soon *next;
    void (*fn)(void *user);
    void *user;
    bool is_set;
};
/* False, and nothing is done, outside wa_loop_run(): then it is the caller's to do. */
bool wa_loop_soon(struct wa_loop *loop, struct wa_soon *soon);
void wa_loop_not_soon(struct wa_loop *loop, struct wa_soon *soon); /* before it is freed */
/* Milliseconds of a clock that never goes back; cached for the turn. */
uint64_t wa_loop_now_ms(struct wa_loop *loop);

/* fd must be non-blocking. events: WA_IO_*; 0 pauses. */
WA_CHECK enum wa_code wa_io_new(struct wa_loop *loop, int fd, wa_io_fn fn, void *user,
                                struct wa_io **ret, struct wa_err *err);
WA_CHECK enum wa_code wa_io_set(struct wa_io *io, int events, struct wa_err *err);
void wa_io_free(struct wa_io *io); /* before the descriptor is closed */

WA_CHECK enum wa_code wa_timer_new(struct wa_loop *loop, wa_timer_fn fn, void *user,
                                   struct wa_timer **ret, struct wa_err *err);
/* Fires once after delay_ms, then every repeat_ms unless that is 0. Restarts a running timer. */
void wa_timer_start(struct wa_timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void wa_timer_stop(struct wa_timer *t);
void wa_timer_free(struct wa_timer *t);

/* Calls fn in the loop at each such signal. Lives as long as the loop. */
WA_CHECK enum wa_code wa_loop_on_signal(struct wa_loop *loop, int signum, wa_signal_fn fn,
                                        void *user, struct wa_err *err);
/* As above for being asked to end (SIGTERM, SIGINT), to read the configuration anew (SIGHUP), and
 * for a child that has changed (SIGCHLD). */
WA_CHECK enum wa_code wa_loop_on_stop(struct wa_loop *loop, wa_signal_fn fn, void *user,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_loop_on_reload(struct wa_loop *loop, wa_signal_fn fn, void *user,
                                        struct wa_err *err);
WA_CHECK enum wa_code wa_loop_on_child(struct wa_loop *loop, wa_signal_fn fn, void *user,
                                       struct wa_err *err);
/* From any thread: fn(user) is called once in the loop's thread. */
WA_CHECK enum wa_code wa_loop_post(struct wa_loop *loop, wa_post_fn fn, void *user,
                                   struct wa_err *err);
/* How many threads the pool has, instead of four. Of the process; before the first work. */
WA_CHECK enum wa_code wa_loop_pool_size(unsigned count, struct wa_err *err);
/* fn in a thread of the pool, then done in the loop's thread; both in this thread's language. */
WA_CHECK enum wa_code wa_loop_work(struct wa_loop *loop, wa_work_fn fn, wa_work_done_fn done,
                                   void *user, struct wa_err *err);

#endif
