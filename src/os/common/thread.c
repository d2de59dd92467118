/* thread.c - threads and one kind of lock, by libuv's portable primitives. */
#include "os/thread.h"

#include "base/mem.h"
#include "base/text.h"

#include <uv.h>

struct wa_thread {
    uv_thread_t uv;
    wa_thread_fn fn;
    void *user;
    const struct wa_language *language;
};

struct wa_lock {
    uv_mutex_t mutex;
    uv_cond_t cond;
};

static void run(void *arg)
{
    struct wa_thread *t = arg;
    (void)wa_text_speak(t->language);
    t->fn(t->user);
}

enum wa_code wa_thread_start(wa_thread_fn fn, void *user, struct wa_thread **ret,
                             struct wa_err *err)
{
    struct wa_thread *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    t->fn = fn;
    t->user = user;
    t->language = wa_text_spoken();
    int rc = uv_thread_create(&t->uv, run, t);
    if (rc != 0) {
        wa_free(t);
        return wa_fail(err, rc == UV_ENOMEM ? WA_E_NOMEM : WA_E_IO, "cannot start a thread: %s",
                       uv_strerror(rc));
    }
    *ret = t;
    return WA_OK;
}

void wa_thread_join(struct wa_thread *t)
{
    if (t == NULL)
        return;
    (void)uv_thread_join(&t->uv);
    wa_free(t);
}

enum wa_code wa_lock_new(struct wa_lock **ret, struct wa_err *err)
{
    struct wa_lock *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    if (uv_mutex_init(&l->mutex) != 0) {
        wa_free(l);
        return wa_fail(err, WA_E_NOMEM, "cannot make a lock");
    }
    if (uv_cond_init(&l->cond) != 0) {
        uv_mutex_destroy(&l->mutex);
        wa_free(l);
        return wa_fail(err, WA_E_NOMEM, "cannot make a lock");
    }
    *ret = l;
    return WA_OK;
}

void wa_lock_free(struct wa_lock *l)
{
    if (l == NULL)
        return;
    uv_cond_destroy(&l->cond);
    uv_mutex_destroy(&l->mutex);
    wa_free(l);
}

void wa_lock_take(struct wa_lock *l)
{
    uv_mutex_lock(&l->mutex);
}

void wa_lock_give(struct wa_lock *l)
{
    uv_mutex_unlock(&l->mutex);
}

void wa_lock_signal(struct wa_lock *l)
{
    uv_cond_broadcast(&l->cond);
}

bool wa_lock_wait(struct wa_lock *l, int timeout_ms)
{
    if (timeout_ms < 0) {
        uv_cond_wait(&l->cond, &l->mutex);
        return true;
    }
    return uv_cond_timedwait(&l->cond, &l->mutex, (uint64_t)timeout_ms * 1000000u) == 0;
}
