/* loop.c - libuv behind a small face: readiness, timers, signals, wake-ups, work.
 *
 * Handles of libuv live until their close callback; ours are freed there, so that a callback may
 * free its own handle.
 */
#include "os/loop.h"

#include "base/mem.h"
#include "base/text.h"
#include "os/common/socket_of.h"
#include "os/thread.h"

#include <uv.h>

struct signal_watch {
    uv_signal_t uv;
    wa_signal_fn fn;
    void *user;
};

struct posted {
    struct posted *next;
    wa_post_fn fn;
    void *user;
};

struct wa_loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t limit;     /* of one turn */
    uv_prepare_t waiting; /* is about to wait */
    struct wa_soon *soon;
    bool is_running;
    struct wa_lock *lock;
    struct posted *first, **last;
    bool is_stopped;
};

struct wa_io {
    uv_poll_t uv;
    wa_io_fn fn;
    void *user;
    int watched; /* events, of UV's */
};

struct wa_timer {
    uv_timer_t uv;
    wa_timer_fn fn;
    void *user;
};

struct work {
    uv_work_t uv;
    wa_work_fn fn;
    wa_work_done_fn done;
    void *user;
    const struct wa_language *language; /* of who gave it; of all that comes of it */
    enum wa_code code;
    struct wa_err err;
};

static enum wa_code fail_uv(struct wa_err *err, int rc, const char *what)
{
    enum wa_code code = rc == UV_ENOMEM ? WA_E_NOMEM : rc == UV_EEXIST ? WA_E_EXISTS : WA_E_IO;
    return wa_fail(err, code, "cannot %s: %s", wa_text(what), uv_strerror(rc));
}

/* False when there was nothing. */
static bool run_posted(struct wa_loop *loop)
{
    wa_lock_take(loop->lock);
    struct posted *p = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    wa_lock_give(loop->lock);
    bool any = p != NULL;
    while (p != NULL) {
        struct posted *next = p->next;
        p->fn(p->user);
        wa_free(p);
        p = next;
    }
    return any;
}

static void woken(uv_async_t *a)
{
    (void)run_posted(a->data);
}

static void run_soon(struct wa_loop *loop)
{
    while (loop->soon != NULL) {
        struct wa_soon *s = loop->soon;
        loop->soon = s->next;
        s->is_set = false;
        s->fn(s->user);
    }
}

static void about_to_wait(uv_prepare_t *p)
{
    run_soon(p->data);
}

bool wa_loop_soon(struct wa_loop *loop, struct wa_soon *soon)
{
    if (!loop->is_running)
        return false;
    if (!soon->is_set) {
        soon->is_set = true;
        soon->next = loop->soon;
        loop->soon = soon;
    }
    return true;
}

void wa_loop_not_soon(struct wa_loop *loop, struct wa_soon *soon)
{
    struct wa_soon **at = &loop->soon;
    while (*at != NULL && *at != soon)
        at = &(*at)->next;
    if (*at != NULL)
        *at = soon->next;
    soon->is_set = false;
}

enum wa_code wa_loop_new(struct wa_loop **ret, struct wa_err *err)
{
    struct wa_loop *loop = wa_calloc(1, sizeof *loop);
    if (loop == NULL)
        return wa_nomem(err);
    if (wa_lock_new(&loop->lock, err) != WA_OK) {
        wa_free(loop);
        return err->code;
    }
    loop->last = &loop->first;
    int rc = uv_loop_init(&loop->uv);
    if (rc == 0) {
        rc = uv_async_init(&loop->uv, &loop->wake, woken);
        if (rc != 0)
            (void)uv_loop_close(&loop->uv);
    }
    if (rc != 0) {
        wa_lock_free(loop->lock);
        wa_free(loop);
        return fail_uv(err, rc, "start the event loop");
    }
    /* None of these fails. */
    (void)uv_timer_init(&loop->uv, &loop->limit);
    (void)uv_prepare_init(&loop->uv, &loop->waiting);
    (void)uv_prepare_start(&loop->waiting, about_to_wait);
    loop->wake.data = loop->waiting.data = loop;
    uv_unref((uv_handle_t *)&loop->wake); /* a loop with nothing else to watch may end */
    uv_unref((uv_handle_t *)&loop->waiting);
    *ret = loop;
    return WA_OK;
}

static void free_handle(uv_handle_t *h)
{
    wa_free(h->data);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    WA_UNUSED(arg);
    if (uv_is_closing(h))
        return;
    /* The owner freed nothing: what is ours hangs at data, but for the loop's own. */
    uv_close(h, h->type == UV_ASYNC || h->type == UV_PREPARE ? NULL : free_handle);
}

void wa_loop_free(struct wa_loop *loop)
{
    if (loop == NULL)
        return;
    uv_walk(&loop->uv, close_handle, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
    while (loop->first != NULL) {
        struct posted *next = loop->first->next;
        wa_free(loop->first);
        loop->first = next;
    }
    wa_lock_free(loop->lock);
    wa_free(loop);
}

enum wa_code wa_loop_run(struct wa_loop *loop, struct wa_err *err)
{
    int rc;
    loop->is_stopped = false;
    loop->is_running = true;
    do /* what was posted counts as something left, though its wake-up does not */
        rc = uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (rc == 0 && !loop->is_stopped && run_posted(loop));
    run_soon(loop); /* what was left by what ended it */
    loop->is_running = false;
    return rc < 0 ? fail_uv(err, rc, "run the event loop") : WA_OK;
}

static void nothing(uv_timer_t *t)
{
    WA_UNUSED(t);
}

enum wa_code wa_loop_turn(struct wa_loop *loop, int timeout_ms, struct wa_err *err)
{
    if (timeout_ms > 0) {
        uv_update_time(&loop->uv); /* else the time since the last turn would count */
        (void)uv_timer_start(&loop->limit, nothing, (uint64_t)timeout_ms, 0);
    }
    if (timeout_ms < 0)
        uv_ref((uv_handle_t *)&loop->wake);
    int rc = uv_run(&loop->uv, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    uv_unref((uv_handle_t *)&loop->wake);
    (void)uv_timer_stop(&loop->limit);
    return rc < 0 ? fail_uv(err, rc, "run the event loop") : WA_OK;
}

void wa_loop_stop(struct wa_loop *loop)
{
    loop->is_stopped = true;
    uv_stop(&loop->uv);
}

uint64_t wa_loop_now_ms(struct wa_loop *loop)
{
    return uv_now(&loop->uv);
}

/* --- readiness --- */

static void io_ready(uv_poll_t *p, int status, int events)
{
    struct wa_io *io = p->data;
    int ready = 0;
    if (status < 0)
        io->watched = 0; /* libuv has stopped by itself */
    if (status < 0 || (events & (UV_READABLE | UV_DISCONNECT)) != 0)
        ready |= WA_IO_READ; /* the reader finds out what is wrong */
    if (status < 0 || (events & UV_WRITABLE) != 0)
        ready |= WA_IO_WRITE;
    io->fn(io->user, ready);
}

enum wa_code wa_io_new(struct wa_loop *loop, int fd, wa_io_fn fn, void *user, struct wa_io **ret,
                       struct wa_err *err)
{
    struct wa_io *io = wa_calloc(1, sizeof *io);
    if (io == NULL)
        return wa_nomem(err);
    int rc = uv_poll_init_socket(&loop->uv, &io->uv, wa_socket_of(fd));
    if (rc != 0) {
        wa_free(io);
        return fail_uv(err, rc, "watch a descriptor");
    }
    io->uv.data = io;
    io->fn = fn;
    io->user = user;
    *ret = io;
    return WA_OK;
}

enum wa_code wa_io_set(struct wa_io *io, int events, struct wa_err *err)
{
    int uv_events = ((events & WA_IO_READ) != 0 ? UV_READABLE : 0) |
                    ((events & WA_IO_WRITE) != 0 ? UV_WRITABLE : 0);
    if (uv_events == io->watched) /* libuv would take it out of epoll and put it back */
        return WA_OK;
    int rc = uv_events == 0 ? uv_poll_stop(&io->uv) : uv_poll_start(&io->uv, uv_events, io_ready);
    if (rc != 0)
        return fail_uv(err, rc, "watch a descriptor");
    io->watched = uv_events;
    return WA_OK;
}

void wa_io_free(struct wa_io *io)
{
    if (io == NULL)
        return;
    (void)uv_poll_stop(&io->uv);
    uv_close((uv_handle_t *)&io->uv, free_handle);
}

/* --- timers --- */

static void timer_fired(uv_timer_t *t)
{
    struct wa_timer *timer = t->data;
    timer->fn(timer->user);
}

enum wa_code wa_timer_new(struct wa_loop *loop, wa_timer_fn fn, void *user, struct wa_timer **ret,
                          struct wa_err *err)
{
    struct wa_timer *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    (void)uv_timer_init(&loop->uv, &t->uv); /* never fails */
    t->uv.data = t;
    t->fn = fn;
    t->user = user;
    *ret = t;
    return WA_OK;
}

void wa_timer_start(struct wa_timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
    (void)uv_timer_start(&t->uv, timer_fired, delay_ms, repeat_ms);
}

void wa_timer_stop(struct wa_timer *t)
{
    (void)uv_timer_stop(&t->uv);
}

void wa_timer_free(struct wa_timer *t)
{
    if (t == NULL)
        return;
    (void)uv_timer_stop(&t->uv);
    uv_close((uv_handle_t *)&t->uv, free_handle);
}

/* --- signals, posts, work --- */

static void signal_came(uv_signal_t *s, int signum)
{
    struct signal_watch *w = s->data;
    w->fn(w->user, signum);
}

enum wa_code wa_loop_on_signal(struct wa_loop *loop, int signum, wa_signal_fn fn, void *user,
                               struct wa_err *err)
{
    struct signal_watch *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    int rc = uv_signal_init(&loop->uv, &w->uv);
    if (rc != 0) {
        wa_free(w);
        return fail_uv(err, rc, "watch a signal");
    }
    w->uv.data = w;
    w->fn = fn;
    w->user = user;
    rc = uv_signal_start(&w->uv, signal_came, signum);
    if (rc != 0) {
        uv_close((uv_handle_t *)&w->uv, free_handle);
        return fail_uv(err, rc, "watch a signal");
    }
    uv_unref((uv_handle_t *)&w->uv);
    return WA_OK;
}

enum wa_code wa_loop_post(struct wa_loop *loop, wa_post_fn fn, void *user, struct wa_err *err)
{
    struct posted *p = wa_calloc(1, sizeof *p);
    if (p == NULL)
        return wa_nomem(err);
    *p = (struct posted){NULL, fn, user};
    wa_lock_take(loop->lock);
    *loop->last = p;
    loop->last = &p->next;
    wa_lock_give(loop->lock);
    (void)uv_async_send(&loop->wake); /* fails only on a handle that is being closed */
    return WA_OK;
}

enum wa_code wa_loop_pool_size(unsigned count, struct wa_err *err)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", count);
    int rc = uv_os_setenv("UV_THREADPOOL_SIZE", text);
    return rc == 0 ? WA_OK : fail_uv(err, rc, "size the pool of threads");
}

static void work_run(uv_work_t *uv)
{
    struct work *w = uv->data;
    (void)wa_text_speak(w->language);
    w->code = w->fn(w->user, &w->err);
    (void)wa_text_speak(NULL);
}

static void work_done(uv_work_t *uv, int status)
{
    struct work *w = uv->data;
    const struct wa_language *was = wa_text_speak(w->language);
    if (status == UV_ECANCELED)
        w->code = wa_fail(&w->err, WA_E_CANCELLED, "the program is ending");
    w->done(w->user, w->code, &w->err);
    (void)wa_text_speak(was);
    wa_free(w);
}

enum wa_code wa_loop_work(struct wa_loop *loop, wa_work_fn fn, wa_work_done_fn done, void *user,
                          struct wa_err *err)
{
    struct work *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    w->uv.data = w;
    w->fn = fn;
    w->done = done;
    w->user = user;
    w->language = wa_text_spoken();
    int rc = uv_queue_work(&loop->uv, &w->uv, work_run, work_done);
    if (rc != 0) {
        wa_free(w);
        return fail_uv(err, rc, "hand work to the pool");
    }
    return WA_OK;
}
