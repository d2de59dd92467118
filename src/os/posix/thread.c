/* thread.c - the thread that nobody joins, which libuv does not have. */
#include "os/thread.h"

#include "base/mem.h"

#include <pthread.h>

struct errand {
    wa_thread_fn fn;
    void *user;
};

static void *run(void *arg)
{
    struct errand e = *(struct errand *)arg;
    wa_free(arg);
    e.fn(e.user);
    return NULL;
}

enum wa_code wa_thread_let_go(wa_thread_fn fn, void *user, struct wa_err *err)
{
    pthread_t id;
    struct errand *e = wa_calloc(1, sizeof *e);
    if (e == NULL)
        return wa_nomem(err);
    *e = (struct errand){fn, user};
    int rc = pthread_create(&id, NULL, run, e);
    if (rc != 0) {
        wa_free(e);
        return wa_fail_errno(err, rc, "cannot start a thread");
    }
    (void)pthread_detach(id);
    return WA_OK;
}
