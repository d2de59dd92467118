/* stop.c - being asked to end: ^C, ^Break, the console's window closed. There are no signals of
 * broken pipes or children here. */
#include "os/win32/win.h"

#include <signal.h>

#include "os/loop.h"
#include "os/thread.h"

#define CLOSED 1 /* SIGHUP, as libuv calls the closing of the window */

enum wa_code wa_loop_on_stop(struct wa_loop *loop, wa_signal_fn fn, void *user, struct wa_err *err)
{
    if (wa_loop_on_signal(loop, SIGINT, fn, user, err) != WA_OK ||
        wa_loop_on_signal(loop, SIGBREAK, fn, user, err) != WA_OK)
        return err->code;
    return wa_loop_on_signal(loop, CLOSED, fn, user, err);
}

enum wa_code wa_thread_without_sigpipe(enum wa_code (*fn)(void *user, struct wa_err *err),
                                       void *user, struct wa_err *err)
{
    return fn(user, err);
}
