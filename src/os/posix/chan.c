/* chan.c - framed messages over a stream socket, and the table of what may arrive.
 *
 * The first byte of a frame carries its descriptor, if any. A peer that sends what no rule allows
 * is broken or taken over: the channel dies, and whatever descriptors came are closed.
 */
#include "os/chan.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD 12u
#define PIECE 65536u
#define QUEUE_MAX (64u << 20) /* bytes waiting for a peer that does not read */

/* A frame to be written; its descriptor goes with its first byte. */
struct frame {
    struct frame *next;
    size_t n, done;
    int fd;
    char bytes[];
};

struct wa_chan {
    int fd;
    const struct wa_chan_rule *accept;
    struct wa_buf in;
    size_t used;     /* bytes of `in` that the last message handed out occupied */
    int in_fd;       /* came with the frame at the front; -1 */
    size_t in_fd_at; /* offset in `in` of the byte it came with */
    bool dead;
    struct frame *first, **last;
    size_t queued;
    struct wa_loop *loop;
    struct wa_io *io;
    wa_chan_fn on_msg;
    wa_chan_end_fn on_end;
    void *user;
    bool *freed; /* set when the channel is freed inside one of its callbacks */
};

enum wa_code wa_chan_new(int fd, const struct wa_chan_rule *accept, struct wa_chan **ret,
                         struct wa_err *err)
{
    struct wa_chan *c = wa_calloc(1, sizeof *c);
    if (c == NULL) {
        wa_fd_close(&fd);
        return wa_nomem(err);
    }
    c->fd = fd;
    c->accept = accept;
    c->in_fd = -1;
    c->last = &c->first;
    wa_buf_init(&c->in, HEAD + WA_IPC_MESSAGE_MAX + PIECE);
    *ret = c;
    return WA_OK;
}

void wa_chan_free(struct wa_chan *c)
{
    if (c == NULL)
        return;
    wa_io_free(c->io);
    wa_fd_close(&c->fd);
    wa_fd_close(&c->in_fd);
    while (c->first != NULL) {
        struct frame *next = c->first->next;
        wa_fd_close(&c->first->fd);
        wa_free(c->first);
        c->first = next;
    }
    wa_buf_fini_secret(&c->in);
    if (c->freed != NULL)
        *c->freed = true;
    wa_free(c);
}

int wa_chan_fd(const struct wa_chan *c)
{
    return c->fd;
}

size_t wa_chan_queued_bytes(const struct wa_chan *c)
{
    return c->queued;
}

static uint32_t get32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put32(char *p, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static void put_head(char head[HEAD], uint16_t type, uint32_t id, size_t n)
{
    put32(head, (uint32_t)n);
    put32(head + 4, type);
    put32(head + 8, id);
}

static enum wa_code die(struct wa_chan *c, struct wa_err *err, const char *why)
{
    c->dead = true;
    wa_fd_close(&c->in_fd);
    return wa_fail(err, WA_E_REFUSED, "a process of ours broke the protocol: %s", why);
}

/* Takes descriptors out of a received message. More than one, or a second before the first was
 * used, kills the channel. */
static enum wa_code take_fds(struct wa_chan *c, struct msghdr *m, size_t at, struct wa_err *err)
{
    bool too_many = (m->msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (c->in_fd >= 0) {
                wa_fd_close(&fd);
                too_many = true;
            } else {
                c->in_fd = fd;
                c->in_fd_at = at;
            }
        }
    }
    return too_many ? die(c, err, "too many descriptors") : WA_OK;
}

/* One recvmsg(). WA_E_AGAIN, WA_E_NOT_FOUND at the end of the stream. */
static enum wa_code fill(struct wa_chan *c, struct wa_err *err)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    char *p = wa_buf_reserve(&c->in, PIECE);
    if (p == NULL)
        return wa_buf_check(&c->in, err);
    struct iovec iov = {p, PIECE};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do
        got = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return wa_fail(err, WA_E_AGAIN, "nothing to read");
    if (got < 0 && errno != ECONNRESET)
        return wa_fail_errno(err, errno, "cannot read from another process");
    if (got <= 0)
        return c->in.n == 0 ? wa_fail(err, WA_E_NOT_FOUND, "the other process has closed")
                            : die(c, err, "it ended in the middle of a message");
    size_t at = c->in.n;
    wa_buf_advance(&c->in, (size_t)got);
    return take_fds(c, &m, at, err);
}

static const struct wa_chan_rule *find_rule(const struct wa_chan *c, uint32_t type)
{
    for (const struct wa_chan_rule *r = c->accept; r->name != NULL; r++)
        if (r->type == type)
            return r;
    return NULL;
}

/* The message at the front, if whole. WA_E_AGAIN otherwise. */
static enum wa_code parse(struct wa_chan *c, struct wa_chan_msg *ret, struct wa_err *err)
{
    if (c->in.n < HEAD)
        return wa_fail(err, WA_E_AGAIN, "no whole message yet");
    uint32_t n = get32(c->in.p), type = get32(c->in.p + 4);
    const struct wa_chan_rule *rule = find_rule(c, type);
    if (rule == NULL)
        return die(c, err, "a message that it may not send");
    if (n > rule->max || n > WA_IPC_MESSAGE_MAX)
        return die(c, err, "a message that is too long");
    bool has_fd = c->in_fd >= 0 && c->in_fd_at < HEAD + (size_t)n;
    if (has_fd && !rule->with_fd)
        return die(c, err, "a descriptor where none may be");
    if (c->in.n < HEAD + (size_t)n)
        return wa_fail(err, WA_E_AGAIN, "no whole message yet");
    if (rule->with_fd && !has_fd)
        return die(c, err, "a message without its descriptor");
    *ret = (struct wa_chan_msg){(uint16_t)type, get32(c->in.p + 8), wa_sv_n(c->in.p + HEAD, n),
                                has_fd ? c->in_fd : -1};
    if (has_fd)
        c->in_fd = -1;
    c->used = HEAD + (size_t)n;
    return WA_OK;
}

/* Forgets the message that was handed out last. */
static void drop_used(struct wa_chan *c)
{
    if (c->used == 0)
        return;
    if (c->in.p != NULL)
        wa_wipe(c->in.p, c->used < c->in.n ? c->used : c->in.n);
    wa_buf_consume(&c->in, c->used);
    c->in_fd_at -= c->in_fd_at < c->used ? c->in_fd_at : c->used;
    c->used = 0;
}

/* --- blocking use --- */

static enum wa_code wait_for(int fd, short events, uint64_t until_ms, bool forever,
                             struct wa_err *err)
{
    for (;;) {
        uint64_t now = wa_clock_mono_ms();
        if (!forever && now >= until_ms)
            return wa_fail(err, WA_E_TIMEOUT, "the other process did not answer in time");
        struct pollfd p = {fd, events, 0};
        int rc = poll(&p, 1, forever ? -1 : (int)(until_ms - now));
        if (rc > 0)
            return WA_OK;
        if (rc < 0 && errno != EINTR)
            return wa_fail_errno(err, errno, "cannot wait for another process");
    }
}

/* Sends what it can of frame bytes [done, n), the descriptor with the first byte. Returns bytes, 0
 * when it would block, -1. */
static ssize_t send_piece(int fd, const char *p, size_t n, size_t done, int pass_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    union {
        const char *from;
        char *to;
    } bytes = {.from = p + done}; /* iovec wants a pointer to non-const */
    struct iovec iov = {bytes.to, n - done};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (done == 0 && pass_fd >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &pass_fd, sizeof pass_fd);
    }
    ssize_t put;
    do
        put = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return put;
}

static enum wa_code send_all(int fd, const char *p, size_t n, int pass_fd, struct wa_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = send_piece(fd, p, n, done, pass_fd);
        if (put < 0)
            return errno == EPIPE || errno == ECONNRESET
                       ? wa_fail(err, WA_E_NOT_FOUND, "the other process has closed")
                       : wa_fail_errno(err, errno, "cannot write to another process");
        if (put == 0 && wait_for(fd, POLLOUT, 0, true, err) != WA_OK)
            return err->code;
        done += (size_t)put;
    }
    return WA_OK;
}

enum wa_code wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id, struct wa_sv payload,
                          int fd, struct wa_err *err)
{
    char head[HEAD];
    if (payload.n > WA_IPC_MESSAGE_MAX)
        return wa_fail(err, WA_E_LIMIT, "a message of more than %u bytes to another process",
                       WA_IPC_MESSAGE_MAX);
    put_head(head, type, id, payload.n);
    if (send_all(c->fd, head, HEAD, fd, err) != WA_OK)
        return err->code;
    return send_all(c->fd, payload.p, payload.n, -1, err);
}

enum wa_code wa_chan_recv(struct wa_chan *c, int timeout_ms, struct wa_chan_msg *ret,
                          struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    if (c->dead)
        return wa_fail(err, WA_E_REFUSED, "the channel is dead");
    drop_used(c);
    for (;;) {
        enum wa_code code = parse(c, ret, err);
        if (code != WA_E_AGAIN)
            return code;
        wa_err_clear(err);
        code = fill(c, err);
        if (code == WA_E_AGAIN) {
            wa_err_clear(err);
            code = wait_for(c->fd, POLLIN, until, timeout_ms < 0, err);
        }
        if (code != WA_OK)
            return code;
    }
}

/* --- use in a loop --- */

static void finish(struct wa_chan *c, enum wa_code code, const struct wa_err *err)
{
    wa_chan_end_fn fn = c->on_end;
    c->dead = true;
    c->on_end = NULL;
    wa_io_free(c->io);
    c->io = NULL;
    if (fn != NULL)
        fn(c->user, code, err);
}

/* Writes what the socket takes. */
static enum wa_code flush(struct wa_chan *c, struct wa_err *err)
{
    while (c->first != NULL) {
        struct frame *f = c->first;
        ssize_t put = send_piece(c->fd, f->bytes, f->n, f->done, f->fd);
        if (put < 0)
            return wa_fail_errno(err, errno, "cannot write to another process");
        if (put == 0)
            break;
        if (f->done == 0)
            wa_fd_close(&f->fd);
        f->done += (size_t)put;
        c->queued -= (size_t)put;
        if (f->done < f->n)
            continue;
        c->first = f->next;
        if (c->first == NULL)
            c->last = &c->first;
        wa_wipe(f->bytes, f->n);
        wa_free(f);
    }
    return wa_io_set(c->io, WA_IO_READ | (c->first != NULL ? WA_IO_WRITE : 0), err);
}

/* Hands out every whole message. False when the channel was freed or has ended in a callback. */
static bool deliver(struct wa_chan *c)
{
    struct wa_err err = WA_ERR_INIT;
    bool freed = false;
    for (;;) {
        struct wa_chan_msg msg;
        drop_used(c);
        enum wa_code code = parse(c, &msg, &err);
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
        if (c->dead)
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
    if ((events & WA_IO_READ) == 0)
        return;
    enum wa_code code = fill(c, &err);
    if (code == WA_E_AGAIN)
        return;
    if (code == WA_E_NOT_FOUND)
        finish(c, WA_OK, &(struct wa_err)WA_ERR_INIT);
    else if (code != WA_OK)
        finish(c, code, &err);
    else
        (void)deliver(c);
}

enum wa_code wa_chan_attach(struct wa_chan *c, struct wa_loop *loop, wa_chan_fn on_msg,
                            wa_chan_end_fn on_end, void *user, struct wa_err *err)
{
    if (wa_fd_set_nonblocking(c->fd, true, err) != WA_OK ||
        wa_io_new(loop, c->fd, on_ready, c, &c->io, err) != WA_OK)
        return err->code;
    c->loop = loop;
    c->on_msg = on_msg;
    c->on_end = on_end;
    c->user = user;
    return wa_io_set(c->io, WA_IO_READ, err);
}

enum wa_code wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id, struct wa_sv payload,
                          int fd, struct wa_err *err)
{
    if (c->dead || c->io == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "the other process has closed");
    if (payload.n > WA_IPC_MESSAGE_MAX || c->queued > QUEUE_MAX - payload.n - HEAD)
        return wa_fail(err, WA_E_LIMIT, "too much waits for another process");
    struct frame *f = wa_calloc(1, sizeof *f + HEAD + payload.n);
    if (f == NULL)
        return wa_nomem(err);
    f->n = HEAD + payload.n;
    put_head(f->bytes, type, id, payload.n);
    if (payload.n > 0)
        memcpy(f->bytes + HEAD, payload.p, payload.n);
    f->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && f->fd < 0) {
        wa_free(f);
        return wa_fail_errno(err, errno, "cannot pass a descriptor");
    }
    *c->last = f;
    c->last = &f->next;
    c->queued += f->n;
    return flush(c, err);
}
