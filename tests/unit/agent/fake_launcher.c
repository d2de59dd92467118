/* fake_launcher.c - plays the launcher's part towards helper_*.c, so that children can lie at will.
 *
 * Sends its messages in one piece each, as the real one does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "fake_launcher.h"
#include "os/fs.h"

#define CHILDREN_MAX 4

struct fake_child {
    uint32_t id;
    struct wa_chan *chan;
};

/* One message in one piece, as the launcher's loop sends them. Whether the manager still hears is
 * its business. */
static void tell(int fd, uint16_t type, uint32_t id, struct wa_sv payload, int pass_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = ""};
    struct wa_buf WA_AUTO_BUF frame;
    wa_buf_init(&frame, 4096);
    wa_buf_u32le(&frame, (uint32_t)payload.n);
    wa_buf_u32le(&frame, type);
    wa_buf_u32le(&frame, id);
    wa_buf_addsv(&frame, payload);
    struct iovec iov = {frame.p, frame.n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (pass_fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &pass_fd, sizeof pass_fd);
    }
    ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
    WA_UNUSED(n);
}

static void send_ended(int fd, uint32_t id, bool is_signal, int value)
{
    const struct wa_ended e = {.start_id = id, .is_signal = is_signal, .value = value};
    tell(fd, WA_M_ENDED, id, wa_sv_n(&e, sizeof e), -1);
}

static void say(struct wa_chan *c, const struct frame *f)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF all;
    wa_buf_init(&all, 4u << 20);
    for (size_t i = 0; i < (f->repeat == 0 ? 1 : f->repeat); i++) {
        wa_buf_addsv(&all, f->payload);
    }
    enum wa_code code = wa_chan_send(c, f->type, f->id, wa_buf_sv(&all), f->has_fd ? 0 : -1, &err);
    WA_UNUSED(code); /* a manager that has heard enough closes */
}

static void start_child(struct fake *fake, uint32_t id, struct fake_child *child)
{
    static const struct wa_chan_rule any[] = {{0, NULL, 0, false}};
    struct wa_err err = WA_ERR_INIT;
    const struct wa_started started = {.pid = 1};
    const struct script *s = fake->script;
    int pair[2];
    fake->starts++;
    if (s->refused != WA_OK) {
        struct wa_failed f = {.code = (uint32_t)s->refused, .text = "no"};
        tell(fake->fd, WA_M_FAILED, id, wa_sv_n(&f, sizeof f), -1);
        fake->ends++;
        return;
    }
    assert_int_equal(wa_socketpair(pair, &err), WA_OK);
    assert_int_equal(wa_chan_new(pair[1], any, &child->chan, &err), WA_OK);
    child->id = id;
    struct wa_sv payload = s->started.p != NULL ? s->started : wa_sv_n(&started, sizeof started);
    tell(fake->fd, WA_M_STARTED, id, payload, pair[0]);
    wa_fd_close(&pair[0]);
    for (size_t i = 0; i < FRAMES_MAX && s->frames[i].type != 0; i++) {
        say(child->chan, &s->frames[i]);
    }
    if (s->fate != STAYS) {
        wa_chan_free(child->chan);
        child->chan = NULL;
        fake->ends++;
        send_ended(fake->fd, id, s->fate == CRASHES, s->fate == CRASHES ? 31 : 0);
        child->id = 0;
    }
}

static void fake_launcher(void *user)
{
    struct fake *fake = user;
    struct fake_child children[CHILDREN_MAX] = {{0, NULL}};
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan *c = NULL;
    struct wa_chan_msg msg;
    assert_int_equal(
        wa_chan_new(fake->fd, wa_role_rules(WA_ROLE_MANAGER, WA_ROLE_LAUNCHER), &c, &err), WA_OK);
    while (wa_chan_recv(c, -1, &msg, &err) == WA_OK) {
        size_t i = 0;
        uint32_t wanted = msg.type == WA_M_START ? 0 : msg.id;
        while (i < CHILDREN_MAX && children[i].id != wanted) {
            i++;
        }
        if (i == CHILDREN_MAX) {
            continue;
        }
        if (msg.type == WA_M_START) {
            start_child(fake, msg.id, &children[i]);
        } else if (children[i].id != 0) {
            wa_chan_free(children[i].chan);
            children[i] = (struct fake_child){0, NULL};
            fake->kills++;
            send_ended(fake->fd, wanted, true, 9);
        }
    }
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        wa_chan_free(children[i].chan);
    }
    wa_chan_free(c);
}

void scene_open(struct scene *s, const struct script *script)
{
    struct wa_err err = WA_ERR_INIT;
    int pair[2];
    *s = (struct scene){.fake = {.script = script}};
    assert_int_equal(wa_socketpair(pair, &err), WA_OK);
    s->fake.fd = pair[1];
    assert_int_equal(wa_thread_start(fake_launcher, &s->fake, &s->thread, &err), WA_OK);
    assert_int_equal(wa_launcher_open(pair[0], &s->l, &err), WA_OK);
}

void scene_close(struct scene *s)
{
    wa_launcher_free(s->l);
    wa_thread_join(s->thread);
    assert_int_equal(s->fake.starts, s->fake.ends + s->fake.kills);
}
