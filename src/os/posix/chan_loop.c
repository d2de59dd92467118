/* chan_loop.c - a channel in an event loop: messages come to a callback, answers queue.
 *
 * What is posted in one turn of the loop leaves together at its end: a call for each message costs
 * more than the message. A peer that does not read fills our queue up to its cap, never our memory.
 * A peer that has closed is still read to the end: its last words came before.
 */
#include "os/posix/chan_priv.h"

#include "base/mem.h"
#include "os/fs.h"
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>

size_t wa_chan_queued_bytes(const struct wa_chan *c)
{
    return c->queued;
}

#define PIECES_MAX 64u
#define GATHER_MAX (32u << 10) /* bytes: then the peer may begin with them */

static void finish(struct wa_chan *c, enum wa_code code, const struct wa_err *err)
{
    wa_chan_end_fn fn = c->on_end;
    c->is_dead = true;
    c->on_end = NULL;
    wa_io_free(c->io);
    c->io = NULL;
    if (fn != NULL)
        fn(c->user, code, err);
}

static void drop_first(struct wa_chan *c)
{
    struct wa_chan_frame *f = c->first;
    c->queued -= f->n - f->done;
    c->first = f->next;
    if (c->first == NULL)
        c->last = &c->first;
    wa_fd_close(&f->fd);
    wa_wipe(f->bytes, f->n);
    wa_free(f);
}

/* Frames that go out by one call: one with a descriptor alone, others together. */
static size_t gather(const struct wa_chan *c, struct iovec pieces[PIECES_MAX])
{
    size_t n = 0;
    for (const struct wa_chan_frame *f = c->first; f != NULL && n < PIECES_MAX; f = f->next) {
        if (n > 0 && f->fd >= 0)
            break;
        pieces[n++] = wa_chan_piece(f->bytes + f->done, f->n - f->done);
        if (f->fd >= 0)
            break;
    }
    return n;
}

static void drop_sent(struct wa_chan *c, size_t sent)
{
    while (sent > 0) {
        struct wa_chan_frame *f = c->first;
        size_t part = f->n - f->done < sent ? f->n - f->done : sent;
        wa_fd_close(&f->fd);
        f->done += part;
        c->queued -= part;
        sent -= part;
        if (f->done == f->n)
            drop_first(c);
    }
}

/* Writes what the socket takes. A peer that has gone is found out by reading. */
static enum wa_code flush(struct wa_chan *c, struct wa_err *err)
{
    struct iovec pieces[PIECES_MAX];
    c->gathered = 0;
    while (c->first != NULL) {
        size_t n = gather(c, pieces);
        ssize_t put = wa_chan_send_pieces(c->fd, pieces, n, c->first->fd);
        if (put < 0 && errno != EPIPE && errno != ECONNRESET)
            return wa_fail_errno(err, errno, "cannot write to another process");
        if (put == 0)
            break;
        if (put > 0)
            drop_sent(c, (size_t)put);
        while (put < 0 && c->first != NULL)
            drop_first(c);
    }
    return wa_io_set(c->io, WA_IO_READ | (c->first != NULL ? WA_IO_WRITE : 0), err);
}

static void flush_soon(void *user)
{
    struct wa_chan *c = user;
    struct wa_err err = WA_ERR_INIT;
    if (!c->is_dead && flush(c, &err) != WA_OK)
        finish(c, err.code, &err);
}

void wa_chan_flush_last(struct wa_chan *c)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (!c->soon.is_set)
        return;
    wa_loop_not_soon(c->loop, &c->soon);
    if (!c->is_dead && c->io != NULL && flush(c, &ignored) != WA_OK)
        wa_err_clear(&ignored); /* nobody is left to be told */
}

/* Hands out every whole message. False when the channel was freed or has ended in a callback. */
static bool deliver(struct wa_chan *c)
{
    bool freed = false;
    for (;;) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_chan_msg msg;
        enum wa_code code = wa_chan_parse(c, &msg, &err);
        if (code == WA_E_AGAIN)
            return true;
        if (code != WA_OK) {
            finish(c, code, &err);
            return false;
        }
        c->freed = &freed;
        c->on_msg(c->user, &msg);
        if (freed)
            return false;
        c->freed = NULL;
        if (c->is_dead)
            return false;
    }
}

static void on_ready(void *user, int events)
{
    struct wa_chan *c = user;
    struct wa_err err = WA_ERR_INIT;
    if ((events & WA_IO_WRITE) != 0 && flush(c, &err) != WA_OK) {
        finish(c, err.code, &err);
        return;
    }
    if (!deliver(c)) /* what a blocking receive had read ahead */
        return;
    if ((events & WA_IO_READ) == 0)
        return;
    enum wa_code code = wa_chan_fill(c, &err);
    if (code == WA_E_AGAIN)
        return;
    if (code == WA_E_NOT_FOUND) {
        wa_err_clear(&err);
        finish(c, WA_OK, &err);
    } else if (code != WA_OK)
        finish(c, code, &err);
    else
        (void)deliver(c);
}

enum wa_code wa_chan_attach(struct wa_chan *c, struct wa_loop *loop, wa_chan_fn on_msg,
                            wa_chan_end_fn on_end, void *user, struct wa_err *err)
{
    struct wa_io *io = NULL;
    if (c->is_dead)
        return wa_fail(err, WA_E_REFUSED, "the channel is dead");
    if (wa_fd_set_nonblocking(c->fd, true, err) != WA_OK ||
        wa_io_new(loop, c->fd, on_ready, c, &io, err) != WA_OK)
        return err->code;
    /* Writable is at once: that turn hands out what was read before. */
    if (wa_io_set(io, WA_IO_READ | (c->in.n > c->at ? WA_IO_WRITE : 0), err) != WA_OK) {
        wa_io_free(io);
        return err->code;
    }
    c->io = io;
    c->loop = loop;
    c->soon = (struct wa_soon){.fn = flush_soon, .user = c};
    c->on_msg = on_msg;
    c->on_end = on_end;
    c->user = user;
    return WA_OK;
}

enum wa_code wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id, struct wa_sv payload,
                          int fd, struct wa_err *err)
{
    if (c->is_dead || c->io == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "the other process has closed");
    if (payload.n > WA_IPC_MESSAGE_MAX || c->queued > WA_CHAN_QUEUE_MAX - payload.n - WA_CHAN_HEAD)
        return wa_fail(err, WA_E_LIMIT, "too much waits for another process");
    struct wa_chan_frame *f = wa_calloc(1, sizeof *f + WA_CHAN_HEAD + payload.n);
    if (f == NULL)
        return wa_nomem(err);
    f->n = WA_CHAN_HEAD + payload.n;
    wa_chan_put_head(f->bytes, type, id, payload.n);
    if (payload.n > 0)
        memcpy(f->bytes + WA_CHAN_HEAD, payload.p, payload.n);
    f->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && f->fd < 0) {
        wa_free(f);
        return wa_fail_errno(err, errno, "cannot pass a descriptor");
    }
    *c->last = f;
    c->last = &f->next;
    c->queued += f->n;
    c->gathered += f->n;
    if (c->gathered < GATHER_MAX && wa_loop_soon(c->loop, &c->soon))
        return WA_OK;
    return flush(c, err);
}
