/* stop.c - see stop.h. */
#include "net/stop.h"

#include "base/mem.h"
#include "os/thread.h"

struct wa_stop {
    struct wa_lock *lock;
    bool is_pulled;
    struct wa_stop_waker *wakers;
};

enum wa_code wa_stop_new(struct wa_stop **ret, struct wa_err *err)
{
    struct wa_stop *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    if (wa_lock_new(&s->lock, err) != WA_OK) {
        wa_free(s);
        return err->code;
    }
    *ret = s;
    return WA_OK;
}

void wa_stop_free(struct wa_stop *s)
{
    if (s == NULL)
        return;
    wa_lock_free(s->lock);
    wa_free(s);
}

void wa_stop_pull(struct wa_stop *s)
{
    wa_lock_take(s->lock);
    s->is_pulled = true;
    for (const struct wa_stop_waker *w = s->wakers; w != NULL; w = w->next)
        w->wake(w->user);
    wa_lock_give(s->lock);
}

bool wa_stop_is_pulled(struct wa_stop *s)
{
    if (s == NULL)
        return false;
    wa_lock_take(s->lock);
    bool is_pulled = s->is_pulled;
    wa_lock_give(s->lock);
    return is_pulled;
}

bool wa_stop_add(struct wa_stop *s, struct wa_stop_waker *w)
{
    wa_lock_take(s->lock);
    bool is_taken = !s->is_pulled;
    if (is_taken) {
        w->next = s->wakers;
        s->wakers = w;
    }
    wa_lock_give(s->lock);
    return is_taken;
}

void wa_stop_remove(struct wa_stop *s, struct wa_stop_waker *w)
{
    wa_lock_take(s->lock);
    struct wa_stop_waker **at = &s->wakers;
    while (*at != NULL && *at != w)
        at = &(*at)->next;
    if (*at == w)
        *at = w->next;
    wa_lock_give(s->lock);
}
