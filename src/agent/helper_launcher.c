/* helper_launcher.c - the manager's end of the launcher's channel: start children, kill them, learn
 * that they are gone.
 *
 * Used from the loop's thread and the task thread. All state is under one lock; the channel is read
 * by one waiter at a time, outside the lock, and what it reads is sorted by the id of the START it
 * belongs to. A child that nobody waits for any more loses its descriptors here. Once the launcher
 * is gone or says something senseless, every call fails: the manager ends.
 */
#include <stdatomic.h>

#include "agent/helper_priv.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/thread.h"

#define FOLLOWER_MS                                                                                \
    50 /* ms: another thread reads; looked at this often in case its news was for us */

struct wa_launcher {
    struct wa_chan *chan;
    struct wa_lock *lock;
    struct wa_helper *helpers;
    uint32_t last_id;
    bool is_reading;
    struct wa_err broken; /* code WA_OK while the launcher is there */
};

struct wa_cancel {
    atomic_bool is_set;
};

enum wa_code wa_cancel_new(struct wa_cancel **ret, struct wa_err *err)
{
    struct wa_cancel *c = wa_calloc(1, sizeof *c);
    if (c == NULL) {
        return wa_nomem(err);
    }
    atomic_init(&c->is_set, false);
    *ret = c;
    return WA_OK;
}

void wa_cancel_free(struct wa_cancel *c)
{
    wa_free(c);
}

void wa_cancel_set(struct wa_cancel *c)
{
    atomic_store(&c->is_set, true);
}

bool wa_cancel_is_set(const struct wa_cancel *c)
{
    return c != NULL && atomic_load(&c->is_set);
}

void wa_cancel_reset(struct wa_cancel *c)
{
    atomic_store(&c->is_set, false);
}

enum wa_code wa_launcher_open(int fd, struct wa_launcher **ret, struct wa_err *err)
{
    struct wa_launcher *l = wa_calloc(1, sizeof *l);
    if (l == NULL) {
        wa_fd_close(&fd);
        return wa_nomem(err);
    }
    enum wa_code code =
        wa_chan_new(fd, wa_role_rules(WA_ROLE_LAUNCHER, WA_ROLE_MANAGER), &l->chan, err);
    if (code == WA_OK) {
        code = wa_lock_new(&l->lock, err);
    }
    if (code != WA_OK) {
        wa_launcher_free(l);
        return code;
    }
    /* A child that dies while it is spoken to is an error of that call, not of the manager. */
    wa_proc_ignore_broken_pipes();
    *ret = l;
    return WA_OK;
}

static void helper_free(struct wa_helper *h)
{
    for (size_t i = 0; i < WA_HELPER_FDS; i++) {
        wa_fd_close(&h->fds[i]);
    }
    wa_free(h);
}

void wa_launcher_free(struct wa_launcher *l)
{
    if (l == NULL) {
        return;
    }
    while (l->helpers != NULL) {
        struct wa_helper *h = l->helpers;
        l->helpers = h->next;
        helper_free(h);
    }
    wa_chan_free(l->chan);
    wa_lock_free(l->lock);
    wa_free(l);
}

static struct wa_helper *find(const struct wa_launcher *l, uint32_t id)
{
    struct wa_helper *h = l->helpers;
    while (h != NULL && h->id != id) {
        h = h->next;
    }
    return h;
}

static unsigned fds_of(enum wa_role role)
{
    return role == WA_ROLE_RUNNER ? WA_HELPER_FDS : 1;
}

/* Sorts one message. False: the launcher said something that makes no sense. */
static bool take_message(struct wa_launcher *l, struct wa_chan_msg *msg)
{
    struct wa_helper *h = find(l, msg->id);
    size_t n = msg->payload.n;
    bool is_good = false;
    switch (msg->type) {
    case WA_M_STARTED:
        is_good = n == sizeof(struct wa_started) && (h == NULL || h->fd_count == 0);
        if (is_good && h != NULL) {
            struct wa_started started;
            memcpy(&started, msg->payload.p, n);
            h->pid = started.pid;
        }
        break;
    case WA_M_MORE_FD:
        is_good = n == 0 && (h == NULL || (h->fd_count > 0 && h->fd_count < fds_of(h->role)));
        break;
    case WA_M_FAILED:
        is_good = n == sizeof(struct wa_failed);
        if (is_good && h != NULL) {
            memcpy(&h->failed, msg->payload.p, n);
            h->failed.text[sizeof h->failed.text - 1] = '\0';
            h->is_failed = true;
        }
        break;
    case WA_M_ENDED:
        is_good = n == sizeof(struct wa_ended);
        if (is_good && h != NULL) {
            memcpy(&h->ended, msg->payload.p, n);
            h->is_ended = true;
        }
        break;
    default:
        break;
    }
    if (is_good && h != NULL && (msg->type == WA_M_STARTED || msg->type == WA_M_MORE_FD)) {
        h->fds[h->fd_count++] = msg->fd;
    } else {
        wa_fd_close(&msg->fd);
    }
    return is_good;
}

/* With the lock held, which it gives while waiting: returns after news, or after timeout_ms at the
 * latest. */
static enum wa_code pump(struct wa_launcher *l, int timeout_ms, struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_err failed = WA_ERR_INIT;
    if (l->broken.code != WA_OK) {
        *err = l->broken;
        return err->code;
    }
    if (l->is_reading) {
        if (timeout_ms > 0) {
            (void)wa_lock_wait(l->lock, timeout_ms < FOLLOWER_MS ? timeout_ms : FOLLOWER_MS);
        }
        return WA_OK;
    }
    l->is_reading = true;
    wa_lock_give(l->lock);
    enum wa_code code = wa_chan_recv(l->chan, timeout_ms, &msg, &failed);
    wa_lock_take(l->lock);
    l->is_reading = false;
    if (code == WA_OK && !take_message(l, &msg)) {
        code = wa_fail(&failed, WA_E_INTERNAL, "the launcher sent a senseless message");
    } else if (code == WA_E_NOT_FOUND) {
        code = wa_fail(&failed, WA_E_INTERNAL, "the launcher is gone");
    }
    wa_lock_signal(l->lock);
    if (code == WA_OK || code == WA_E_TIMEOUT) {
        return WA_OK;
    }
    l->broken = failed;
    *err = failed;
    return code;
}

bool wa_launcher_is_there(struct wa_launcher *l)
{
    struct wa_err ignored = WA_ERR_INIT;
    wa_lock_take(l->lock);
    bool is_there = pump(l, 0, &ignored) == WA_OK;
    wa_lock_give(l->lock);
    return is_there;
}

static int slice_until(uint64_t deadline_ms)
{
    uint64_t now = wa_clock_mono_ms();
    if (now >= deadline_ms) {
        return 0;
    }
    return deadline_ms - now < WA_HELPER_SLICE_MS ? (int)(deadline_ms - now) : WA_HELPER_SLICE_MS;
}

static void unlink_helper(struct wa_launcher *l, const struct wa_helper *h)
{
    struct wa_helper **at = &l->helpers;
    while (*at != NULL && *at != h) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = h->next;
    }
}

/* With the lock held: sends START and waits for the answer. */
static enum wa_code start_and_wait(struct wa_launcher *l, const struct wa_start *what,
                                   struct wa_helper *h, struct wa_err *err)
{
    uint64_t deadline_ms = wa_clock_mono_ms() + WA_HELPER_START_MS;
    enum wa_code code =
        wa_chan_send(l->chan, WA_M_START, h->id, wa_sv_n(what, sizeof *what), -1, err);
    while (code == WA_OK && !h->is_failed && h->fd_count < fds_of(h->role)) {
        int slice = slice_until(deadline_ms);
        if (slice == 0) {
            return wa_fail(err, WA_E_TIMEOUT, "the launcher did not answer");
        }
        code = pump(l, slice, err);
    }
    if (code == WA_OK && h->is_failed) {
        code = h->failed.code > WA_OK && h->failed.code < WA_CODE_COUNT
                   ? (enum wa_code)h->failed.code
                   : WA_E_INTERNAL;
        return wa_fail(err, code, "%s", h->failed.text);
    }
    return code;
}

enum wa_code wa_helper_start(struct wa_launcher *l, const struct wa_start *what,
                             struct wa_helper **ret, struct wa_err *err)
{
    struct wa_helper *h = wa_calloc(1, sizeof *h);
    if (h == NULL) {
        return wa_nomem(err);
    }
    for (size_t i = 0; i < WA_HELPER_FDS; i++) {
        h->fds[i] = -1;
    }
    h->role = (enum wa_role)what->role;
    wa_lock_take(l->lock);
    h->id = ++l->last_id;
    h->next = l->helpers;
    l->helpers = h;
    enum wa_code code = start_and_wait(l, what, h, err);
    wa_lock_give(l->lock);
    if (code != WA_OK) {
        if (h->is_failed) {
            h->is_ended = true; /* it never began */
        }
        wa_helper_end(l, h);
        return wa_wrap(err, "cannot start the %s process", wa_role_name((enum wa_role)what->role));
    }
    *ret = h;
    return WA_OK;
}

/* With the lock held. */
static enum wa_code wait_ended(struct wa_launcher *l, struct wa_helper *h, int timeout_ms,
                               struct wa_err *err)
{
    uint64_t deadline_ms = wa_clock_mono_ms() + (uint64_t)timeout_ms;
    enum wa_code code = WA_OK;
    do {
        if (!h->is_ended) {
            code = pump(l, slice_until(deadline_ms), err);
        }
    } while (code == WA_OK && !h->is_ended && slice_until(deadline_ms) > 0);
    return code;
}

enum wa_code wa_helper_wait(struct wa_launcher *l, struct wa_helper *h, int timeout_ms,
                            bool *ret_ended, struct wa_err *err)
{
    wa_lock_take(l->lock);
    enum wa_code code = wait_ended(l, h, timeout_ms, err);
    if (code == WA_OK) {
        *ret_ended = h->is_ended;
    }
    wa_lock_give(l->lock);
    return code;
}

/* With the lock held. */
static enum wa_code send_kill(struct wa_launcher *l, const struct wa_helper *h, struct wa_err *err)
{
    const struct wa_kill k = {.start_id = h->id};
    return wa_chan_send(l->chan, WA_M_KILL, h->id, wa_sv_n(&k, sizeof k), -1, err);
}

enum wa_code wa_helper_kill(struct wa_launcher *l, const struct wa_helper *h, struct wa_err *err)
{
    wa_lock_take(l->lock);
    enum wa_code code = h->is_ended ? WA_OK : send_kill(l, h, err);
    wa_lock_give(l->lock);
    return code;
}

void wa_helper_end(struct wa_launcher *l, struct wa_helper *h)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (h == NULL) {
        return;
    }
    wa_lock_take(l->lock);
    if (!h->is_ended && send_kill(l, h, &ignored) == WA_OK) {
        /* When it fails the launcher is gone, and with it, by the kernel, all it has started. */
        (void)wait_ended(l, h, (int)WA_HELPER_START_MS, &ignored);
    }
    unlink_helper(l, h);
    wa_lock_give(l->lock);
    helper_free(h);
}

enum wa_code wa_helper_forget(struct wa_launcher *l, enum wa_role role, struct wa_err *err)
{
    for (;;) {
        wa_lock_take(l->lock);
        struct wa_helper *h = l->helpers;
        while (h != NULL && h->role != role) {
            h = h->next;
        }
        *err = l->broken;
        wa_lock_give(l->lock);
        if (h == NULL || err->code != WA_OK) {
            return err->code;
        }
        wa_helper_end(l, h);
    }
}

enum wa_code wa_helper_channel(struct wa_helper *h, struct wa_chan **ret, struct wa_err *err)
{
    int fd = h->fds[0];
    h->fds[0] = -1;
    return wa_chan_new(fd, wa_role_rules(h->role, WA_ROLE_MANAGER), ret, err);
}
