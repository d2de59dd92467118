/* patience.c - see patience.h. A stop wakes the thread that waits by a pair of sockets, and so does
 * a look-up that has ended: a thread of its own, since no name service can be interrupted.
 */
#include "net/patience.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/thread.h"

#define SECOND_MS 1000u

static void wake_up(void *user)
{
    const struct wa_patience *p = user;
    (void)wa_socket_write(p->wake[1], "", 1); /* once: a stop is for good */
}

enum wa_code wa_patience_begin(struct wa_patience *p, uint64_t until_ms, struct wa_stop *stop,
                               struct wa_err *err)
{
    *p = (struct wa_patience){.until_ms = until_ms, .stop = stop, .wake = {-1, -1}};
    if (stop == NULL)
        return WA_OK;
    if (wa_socketpair(p->wake, err) != WA_OK)
        return err->code;
    p->waker = (struct wa_stop_waker){.wake = wake_up, .user = p};
    (void)!wa_stop_add(stop, &p->waker); /* what was pulled before is seen before each wait */
    return WA_OK;
}

void wa_patience_end(struct wa_patience *p)
{
    if (p->stop != NULL)
        wa_stop_remove(p->stop, &p->waker);
    wa_fd_close(&p->wake[0]);
    wa_fd_close(&p->wake[1]);
}

/* ret_ms: how long one look may take; negative: as long as it likes. */
static enum wa_code goes_on(struct wa_patience *p, int *ret_ms, struct wa_err *err)
{
    uint64_t now = wa_clock_mono_ms();
    *ret_ms = p->goes_on != NULL ? (int)SECOND_MS : -1;
    if (wa_stop_is_pulled(p->stop))
        return wa_fail(err, WA_E_CANCELLED, "it was cancelled");
    if (p->until_ms != 0 && now >= p->until_ms)
        return wa_fail(err, WA_E_TIMEOUT, "it did not answer in time");
    if (p->until_ms != 0 && (*ret_ms < 0 || p->until_ms - now < (uint64_t)*ret_ms))
        *ret_ms = p->until_ms - now < INT32_MAX ? (int)(p->until_ms - now) : INT32_MAX;
    return p->goes_on != NULL ? p->goes_on(p->user, err) : WA_OK;
}

enum wa_code wa_patience_wait(struct wa_patience *p, struct wa_pipe_wait *list, size_t count,
                              int max_ms, size_t *ret_count, struct wa_err *err)
{
    struct wa_pipe_wait all[WA_PATIENCE_WAITS + 1];
    uint64_t since = wa_clock_mono_ms();
    int ms = 0;
    if (count > WA_PATIENCE_WAITS)
        return wa_fail(err, WA_E_INTERNAL, "more than %u descriptors to wait for",
                       WA_PATIENCE_WAITS);
    if (count > 0)
        memcpy(all, list, count * sizeof *list);
    all[count] = (struct wa_pipe_wait){.fd = p->wake[0]};
    for (*ret_count = 0; *ret_count == 0;) {
        if (goes_on(p, &ms, err) != WA_OK)
            return err->code;
        uint64_t spent = wa_clock_mono_ms() - since;
        if (max_ms >= 0 && spent >= (uint64_t)max_ms)
            return WA_OK;
        if (max_ms >= 0 && (ms < 0 || max_ms - (int)spent < ms))
            ms = max_ms - (int)spent;
        if (wa_pipe_wait(all, count + 1, ms, ret_count, err) != WA_OK)
            return err->code;
        if (*ret_count > 0 && all[count].is_ready)
            *ret_count = 0; /* the stop, which goes_on() sees */
    }
    if (count > 0)
        memcpy(list, all, count * sizeof *list);
    return WA_OK;
}

/* --- a name --- */

struct lookup {
    struct wa_lock *lock;
    char host[256];
    uint16_t port;
    int told; /* written to when it is done */
    bool is_done, is_left;
    struct wa_addresses *found;
    struct wa_err err;
};

static void lookup_free(struct lookup *l)
{
    wa_addresses_free(l->found);
    wa_lock_free(l->lock);
    wa_fd_close(&l->told);
    wa_free(l);
}

static void look(void *user)
{
    struct lookup *l = user;
    struct wa_addresses *found = NULL;
    struct wa_err err = WA_ERR_INIT;
    (void)!wa_addresses_find(l->host, l->port, &found, &err);
    wa_lock_take(l->lock);
    l->found = found;
    l->err = err;
    l->is_done = true;
    bool is_left = l->is_left;
    if (!is_left)
        (void)wa_socket_write(l->told, "", 1);
    wa_lock_give(l->lock);
    if (is_left)
        lookup_free(l);
}

/* The one of both that comes last frees it. */
static void leave(struct lookup *l)
{
    wa_lock_take(l->lock);
    bool is_done = l->is_done;
    l->is_left = true;
    wa_lock_give(l->lock);
    if (is_done)
        lookup_free(l);
}

static enum wa_code lookup_new(const char *host, uint16_t port, int told, struct lookup **ret,
                               struct wa_err *err)
{
    struct lookup *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->told = -1;
    if (wa_lock_new(&l->lock, err) != WA_OK) {
        wa_free(l);
        return err->code;
    }
    (void)snprintf(l->host, sizeof l->host, "%s", host);
    l->port = port;
    l->told = told;
    *ret = l;
    return WA_OK;
}

enum wa_code wa_patience_look_up(struct wa_patience *p, const char *host, uint16_t port,
                                 struct wa_addresses **ret, struct wa_err *err)
{
    WA_AUTO_FD int ours = -1;
    WA_AUTO_FD int told = -1;
    int pair[2];
    struct lookup *l = NULL;
    size_t count = 0;
    if (p->stop == NULL)
        return wa_addresses_find(host, port, ret, err);
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    ours = pair[0];
    told = pair[1];
    if (lookup_new(host, port, told, &l, err) != WA_OK)
        return err->code;
    told = -1;
    if (wa_thread_let_go(look, l, err) != WA_OK) {
        lookup_free(l);
        return err->code;
    }
    struct wa_pipe_wait w = {.fd = ours};
    enum wa_code code = wa_patience_wait(p, &w, 1, -1, &count, err);
    if (code == WA_OK) {
        wa_lock_take(l->lock);
        *err = l->err;
        *ret = WA_TAKE(l->found);
        wa_lock_give(l->lock);
        code = err->code;
    }
    leave(l);
    return code;
}
