/* signals.c - what exists only where there are signals: being asked to end, children, broken pipes.
 */
#include "os/loop.h"
#include "os/thread.h"

#include <pthread.h>
#include <signal.h>

enum wa_code wa_loop_on_stop(struct wa_loop *loop, wa_signal_fn fn, void *user, struct wa_err *err)
{
    if (wa_loop_on_signal(loop, SIGTERM, fn, user, err) != WA_OK)
        return err->code;
    return wa_loop_on_signal(loop, SIGINT, fn, user, err);
}

enum wa_code wa_loop_on_reload(struct wa_loop *loop, wa_signal_fn fn, void *user,
                               struct wa_err *err)
{
    return wa_loop_on_signal(loop, SIGHUP, fn, user, err);
}

enum wa_code wa_loop_on_child(struct wa_loop *loop, wa_signal_fn fn, void *user, struct wa_err *err)
{
    return wa_loop_on_signal(loop, SIGCHLD, fn, user, err);
}

enum wa_code wa_thread_without_sigpipe(enum wa_code (*fn)(void *user, struct wa_err *err),
                                       void *user, struct wa_err *err)
{
    const struct timespec at_once = {0};
    sigset_t pipe_signal, before, waiting;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)sigpending(&waiting);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    enum wa_code code = fn(user, err);
    if (sigismember(&waiting, SIGPIPE) == 0)
        (void)sigtimedwait(&pipe_signal, NULL, &at_once);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}
