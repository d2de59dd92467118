/* support.c - see support.h. */
#include "support.h"

#include "os/fs.h"
#include "os/proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int dead_loopback(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

int listen_loopback(uint16_t *ret_port)
{
    struct wa_err err = WA_ERR_INIT;
    int fd = dead_loopback(ret_port);
    assert_int_equal(listen(fd, 64), 0);
    must(wa_fd_set_nonblocking(fd, true, &err));
    return fd;
}

int connect_loopback(uint16_t port)
{
    struct wa_err err = WA_ERR_INIT;
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    must(wa_fd_set_nonblocking(fd, true, &err));
    return fd;
}

void run_until(struct wa_loop *loop, const bool *flag)
{
    struct wa_err err = WA_ERR_INIT;
    while (!*flag)
        must(wa_loop_turn(loop, 1000, &err));
}

void run_a_little(struct wa_loop *loop)
{
    struct wa_err err = WA_ERR_INIT;
    for (int i = 0; i < 20; i++)
        must(wa_loop_turn(loop, 2, &err));
}

/* --- raw client --- */

static void watch(struct raw_client *r)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_io_set(r->io, (r->reads ? WA_IO_READ : 0) | (r->out.n > 0 ? WA_IO_WRITE : 0), &err));
}

static void on_event(void *user, int events)
{
    struct raw_client *r = user;
    char piece[16384];
    if ((events & WA_IO_WRITE) != 0 && r->out.n > 0) {
        size_t n = r->piece > 0 && r->piece < r->out.n ? r->piece : r->out.n;
        ssize_t put = send(r->fd, r->out.p, n, MSG_NOSIGNAL);
        if (put > 0)
            wa_buf_consume(&r->out, (size_t)put);
        else if (errno != EAGAIN)
            wa_buf_clear(&r->out); /* the other side has had enough */
        if (r->out.n == 0 && r->half_closes)
            (void)shutdown(r->fd, SHUT_WR);
    }
    if ((events & WA_IO_READ) != 0 && r->reads) {
        ssize_t got = read(r->fd, piece, sizeof piece);
        if (got > 0)
            wa_buf_add(&r->in, piece, (size_t)got);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            r->is_over = true;
            wa_io_free(r->io);
            r->io = NULL;
            return;
        }
    }
    watch(r);
}

void raw_start(struct raw_client *r, struct wa_loop *loop, uint16_t port, struct wa_sv bytes)
{
    struct wa_err err = WA_ERR_INIT;
    *r = (struct raw_client){.loop = loop, .half_closes = true, .reads = true};
    wa_buf_init(&r->out, 64u << 20);
    wa_buf_init(&r->in, 64u << 20);
    wa_buf_addsv(&r->out, bytes);
    r->fd = connect_loopback(port);
    must(wa_io_new(loop, r->fd, on_event, r, &r->io, &err));
    watch(r);
}

void raw_more(struct raw_client *r, struct wa_sv bytes)
{
    wa_buf_addsv(&r->out, bytes);
    watch(r);
}

void raw_read(struct raw_client *r, bool on)
{
    r->reads = on;
    watch(r);
}

void raw_end(struct raw_client *r)
{
    wa_io_free(r->io);
    wa_fd_close(&r->fd);
    wa_buf_fini(&r->out);
    wa_buf_fini(&r->in);
}
