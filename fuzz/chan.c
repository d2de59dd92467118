/* chan.c - whatever a process of ours sends when it is taken over: what is handed out follows the
 * rules, descriptors that are not handed out are closed, and a dead channel stays dead.
 *
 * The input is cut into pieces, each sent by one call: a byte for its length, a byte for the count
 * of descriptors that ride on it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/chan.h"
#include "os/fs.h"
#include "os/proc.h"

#define FDS_MAX 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wa_chan_rule rules[] = {
    {1, "text", 64, false},
    {2, "file", 64, true},
    {3, "large", 4096, false},
    {0, NULL, 0, false},
};

static void send_piece(int to, const uint8_t *p, size_t n, size_t fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    char copy[256];
    const int fd = STDERR_FILENO;

    memset(&control, 0, sizeof(control));
    memcpy(copy, p, n);
    struct iovec iov = {copy, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fds > 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fds * sizeof(int));
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(fds * sizeof(int));
        for (size_t i = 0; i < fds; i++)
            memcpy(CMSG_DATA(h) + i * sizeof(int), &fd, sizeof(fd));
    }
    (void)!sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void check_message(struct wa_chan_msg *m)
{
    const struct wa_chan_rule *r = rules;

    while (r->name && r->type != m->type)
        r++;
    if (!r->name || m->payload.n > r->max || (m->fd >= 0) != r->with_fd)
        abort();
    if (m->fd >= 0 && (fcntl(m->fd, F_GETFD) & FD_CLOEXEC) == 0)
        abort();
    wa_fd_close(&m->fd);
}

/* Receives until nothing more comes. */
static bool receive_all(struct wa_chan *c)
{
    for (;;) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_chan_msg m;
        enum wa_code code = wa_chan_recv(c, 0, &m, &err);
        if (code != WA_OK)
            return code == WA_E_TIMEOUT;
        check_message(&m);
    }
}

static int next_fd(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), n = fd;

    wa_fd_close(&fd);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan *c = NULL;
    int fds[2], before = next_fd();
    bool lives = true;

    if (size > 16384 || wa_socketpair(fds, &err) != WA_OK)
        return 0;
    if (wa_chan_new(fds[0], rules, &c, &err) != WA_OK)
        abort();
    while (size > 2) {
        size_t n = data[0] < size - 2 ? data[0] : size - 2;
        bool reads_now = (data[1] & 0x80) != 0;
        if (n > 0)
            send_piece(fds[1], data + 2, n, data[1] % (FDS_MAX + 1));
        data += 2 + n;
        size -= 2 + n;
        if (lives && reads_now)
            lives = receive_all(c);
    }
    wa_fd_close(&fds[1]);
    if (receive_all(c) || receive_all(c))
        abort(); /* closed or refused: no more to come */
    wa_chan_free(c);
    if (next_fd() != before)
        abort();
    return 0;
}
