/* chan.c - framed messages over a stream socket, and the table of what may arrive.
 *
 * A descriptor rides on the first byte of its frame. The kernel hands it out together with bytes
 * that were sent before, but with none that were sent after by another call: so it belongs to the
 * frame that holds the last byte received with it. A peer that sends what no rule allows is broken
 * or taken over: the channel dies, and whatever descriptors came are closed.
 */
#include "os/posix/chan_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/fs.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536u /* bytes asked for at a time */

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
    c->last = &c->first;
    wa_buf_init(&c->in, WA_CHAN_HEAD + WA_IPC_MESSAGE_MAX + PIECE);
    *ret = c;
    return WA_OK;
}

/* Closes the descriptors that came and that nobody was given. */
static void close_came(struct wa_chan *c)
{
    for (size_t i = 0; i < c->came_count; i++)
        wa_fd_close(&c->came[i].fd);
    c->came_count = 0;
}

void wa_chan_free(struct wa_chan *c)
{
    if (c == NULL)
        return;
    wa_chan_flush_last(c);
    wa_io_free(c->io);
    wa_fd_close(&c->fd);
    close_came(c);
    while (c->first != NULL) {
        struct wa_chan_frame *next = c->first->next;
        wa_fd_close(&c->first->fd);
        wa_wipe(c->first->bytes, c->first->n);
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

void wa_chan_put_head(char head[WA_CHAN_HEAD], uint16_t type, uint32_t id, size_t n)
{
    put32(head, (uint32_t)n);
    put32(head + 4, type | (uint32_t)wa_text_number(wa_text_spoken()) << 16);
    put32(head + 8, id);
}

static enum wa_code die(struct wa_chan *c, struct wa_err *err, const char *why)
{
    c->is_dead = true;
    close_came(c);
    return wa_fail(err, WA_E_REFUSED, "a process of ours broke the protocol: %s", why);
}

/* Not an error: nobody is shown it, and it ends each turn of reading. */
static enum wa_code again(struct wa_err *err)
{
    return err->code = WA_E_AGAIN;
}

/* Takes descriptors out of a received message whose last byte lies at `at`. */
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
            if (c->came_count == WA_COUNT(c->came)) {
                wa_fd_close(&fd);
                too_many = true;
            } else {
                c->came[c->came_count++] = (struct wa_chan_came){fd, at};
            }
        }
    }
    return too_many ? die(c, err, "more descriptors than may be") : WA_OK;
}

/* Forgets what was handed out, so that the buffer begins with what was not. */
static void compact(struct wa_chan *c)
{
    if (c->at == 0)
        return;
    wa_wipe(c->in.p, c->at);
    wa_buf_consume(&c->in, c->at);
    for (size_t i = 0; i < c->came_count; i++)
        c->came[i].at -= c->at; /* those of what was handed out were handed out too */
    c->at = 0;
    if (c->in.n == 0 && c->in.cap > 4 * PIECE)
        wa_buf_fini_secret(&c->in); /* one large message must not cost memory for ever */
}

enum wa_code wa_chan_fill(struct wa_chan *c, struct wa_err *err)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    compact(c);
    char *p = wa_buf_reserve(&c->in, PIECE);
    if (p == NULL) {
        enum wa_code code = wa_buf_check(&c->in, err);
        c->in.failed = WA_OK; /* nothing is lost: the next try may have the memory */
        return code;
    }
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
        return again(err);
    if (got < 0 && errno != ECONNRESET)
        return wa_fail_errno(err, errno, "cannot read from another process");
    if (got <= 0)
        return c->in.n == 0 ? wa_fail(err, WA_E_NOT_FOUND, "the other process has closed")
                            : die(c, err, "it ended in the middle of a message");
    wa_buf_advance(&c->in, (size_t)got);
    return take_fds(c, &m, c->in.n - 1, err);
}

static const struct wa_chan_rule *find_rule(const struct wa_chan *c, uint32_t type)
{
    for (const struct wa_chan_rule *r = c->accept; r->name != NULL; r++)
        if (r->type == type)
            return r;
    return NULL;
}

enum wa_code wa_chan_parse(struct wa_chan *c, struct wa_chan_msg *ret, struct wa_err *err)
{
    size_t unread = c->in.n - c->at, fds = 0;
    if (unread < WA_CHAN_HEAD)
        return again(err);
    const char *head = c->in.p + c->at;
    uint32_t n = get32(head), type = get32(head + 4) & 0xffffu;
    const struct wa_language *language = NULL;
    const struct wa_chan_rule *rule = find_rule(c, type);
    if (rule == NULL)
        return die(c, err, "a message that it may not send");
    if (!wa_text_numbered((uint16_t)(get32(head + 4) >> 16), &language))
        return die(c, err, "a language that there is none of");
    if (n > rule->max || n > WA_IPC_MESSAGE_MAX)
        return die(c, err, "a message that is too long");
    while (fds < c->came_count && c->came[fds].at < c->at + WA_CHAN_HEAD + n)
        fds++;
    if (fds > (rule->with_fd ? 1u : 0u))
        return die(c, err, "a descriptor where none may be");
    if (unread < WA_CHAN_HEAD + (size_t)n)
        return again(err);
    if (rule->with_fd && fds == 0)
        return die(c, err, "a message without its descriptor");
    *ret = (struct wa_chan_msg){(uint16_t)type, get32(head + 8), wa_sv_n(head + WA_CHAN_HEAD, n),
                                fds == 1 ? c->came[0].fd : -1, language};
    if (fds == 1) {
        c->came[0] = c->came[1];
        c->came_count--;
    }
    c->at += WA_CHAN_HEAD + (size_t)n;
    return WA_OK;
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

struct iovec wa_chan_piece(const char *p, size_t n)
{
    union {
        const char *from;
        char *to;
    } bytes = {.from = p}; /* iovec wants a pointer to non-const */
    return (struct iovec){bytes.to, n};
}

ssize_t wa_chan_send_pieces(int fd, struct iovec *pieces, size_t count, int pass_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = pieces, .msg_iovlen = count};
    if (pass_fd >= 0) {
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

void wa_chan_set_patience(struct wa_chan *c, uint32_t ms)
{
    c->patience_ms = ms;
}

static enum wa_code send_all(const struct wa_chan *c, const char *p, size_t n, int pass_fd,
                             struct wa_err *err)
{
    int fd = c->fd;
    for (size_t done = 0; done < n;) {
        struct iovec piece = wa_chan_piece(p + done, n - done);
        ssize_t put = wa_chan_send_pieces(fd, &piece, 1, done == 0 ? pass_fd : -1);
        if (put < 0)
            return errno == EPIPE || errno == ECONNRESET
                       ? wa_fail(err, WA_E_NOT_FOUND, "the other process has closed")
                       : wa_fail_errno(err, errno, "cannot write to another process");
        if (put == 0 && wait_for(fd, POLLOUT, wa_clock_mono_ms() + c->patience_ms,
                                 c->patience_ms == 0, err) != WA_OK)
            return err->code;
        done += (size_t)put;
    }
    return WA_OK;
}

enum wa_code wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id, struct wa_sv payload,
                          int fd, struct wa_err *err)
{
    char head[WA_CHAN_HEAD];
    if (payload.n > WA_IPC_MESSAGE_MAX)
        return wa_fail(err, WA_E_LIMIT, "a message of more than %u bytes to another process",
                       WA_IPC_MESSAGE_MAX);
    wa_chan_put_head(head, type, id, payload.n);
    if (send_all(c, head, WA_CHAN_HEAD, fd, err) != WA_OK)
        return err->code;
    return send_all(c, payload.p, payload.n, -1, err);
}

enum wa_code wa_chan_recv(struct wa_chan *c, int timeout_ms, struct wa_chan_msg *ret,
                          struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    if (c->is_dead)
        return wa_fail(err, WA_E_REFUSED, "the channel is dead");
    for (;;) {
        enum wa_code code = wa_chan_parse(c, ret, err);
        if (code != WA_E_AGAIN)
            return code;
        wa_err_clear(err);
        code = wa_chan_fill(c, err);
        if (code == WA_E_AGAIN) {
            wa_err_clear(err);
            code = wait_for(c->fd, POLLIN, until, timeout_ms < 0, err);
        }
        if (code != WA_OK)
            return code;
    }
}

enum wa_code wa_chan_hear(struct wa_chan *c, int timeout_ms, struct wa_chan_msg *ret,
                          struct wa_err *err)
{
    if (wa_chan_recv(c, timeout_ms, ret, err) == WA_OK)
        (void)wa_text_speak(ret->language);
    return err->code;
}
