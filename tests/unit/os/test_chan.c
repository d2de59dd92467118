/* Channels between processes: messages and their descriptors arrive whole and in order; whatever is
 * against the table of rules kills the channel and leaks nothing. */
#include "support.h"

#include "base/text.h"
#include "os/chan.h"
#include "os/loop.h"
#include "os/proc.h"
#include "os/thread.h"

#include <sys/socket.h>

enum { M_TEXT = 1, M_FILE = 2, M_LARGE = 3 };

static const struct wa_chan_rule rules[] = {
    {M_TEXT, "text", 100, false},
    {M_FILE, "file", 100, true},
    {M_LARGE, "large", WA_IPC_MESSAGE_MAX, false},
    {0, NULL, 0, false},
};

/* Our end is a channel; the other end a channel too, or a bare descriptor that lies. */
struct pair {
    struct wa_chan *ours, *theirs;
    int raw;
    int fds;
};

static int setup(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct pair *p = calloc(1, sizeof *p);
    int fds[2];
    assert_non_null(p);
    p->fds = open_fds();
    assert_ok(wa_socketpair(fds, &err));
    assert_ok(wa_chan_new(fds[0], rules, &p->ours, &err));
    assert_ok(wa_chan_new(fds[1], rules, &p->theirs, &err));
    assert_int_equal(wa_chan_fd(p->theirs), fds[1]);
    p->raw = fds[1];
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    wa_chan_free(p->ours);
    wa_chan_free(p->theirs);
    assert_int_equal(open_fds(), p->fds);
    free(p);
    return 0;
}

/* --- honest peers --- */

static void test_messages_arrive_whole_and_in_order(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg m;
    assert_ok(wa_chan_send(p->theirs, M_TEXT, 7, WA_SV("one"), -1, &err));
    assert_ok(wa_chan_send(p->theirs, M_TEXT, UINT32_MAX, WA_SV(""), -1, &err));
    assert_ok(wa_chan_send(p->theirs, M_TEXT, 0, WA_SV("three"), -1, &err));
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_int_equal(m.type, M_TEXT);
    assert_int_equal(m.id, 7);
    assert_true(wa_sv_eqs(m.payload, "one"));
    assert_int_equal(m.fd, -1);
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_int_equal(m.id, UINT32_MAX);
    assert_int_equal(m.payload.n, 0);
    assert_ok(wa_chan_recv(p->ours, 0, &m, &err));
    assert_true(wa_sv_eqs(m.payload, "three"));
    assert_code(wa_chan_recv(p->ours, 0, &m, &err), WA_E_TIMEOUT);
    assert_code(wa_chan_recv(p->ours, 5, &m, &err), WA_E_TIMEOUT);
    wa_chan_free(WA_TAKE(p->theirs));
    assert_code(wa_chan_recv(p->ours, -1, &m, &err), WA_E_NOT_FOUND);
    assert_code(wa_chan_send(p->ours, M_TEXT, 0, WA_SV("x"), -1, &err), WA_E_NOT_FOUND);
}

/* Who is asked speaks as who asks; who hears an answer goes on in his own. */
static void test_a_language_comes_along(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg m;
    const struct wa_language *all[] = {wa_text_find(WA_SV("fr")), wa_text_find(WA_SV("en")), NULL};
    assert_non_null(all[0]);
    for (size_t i = 0; i < WA_COUNT(all); i++) {
        (void)wa_text_speak(all[i]);
        assert_ok(wa_chan_send(p->theirs, M_TEXT, 1, WA_SV("asked"), -1, &err));
        assert_ok(wa_chan_send(p->theirs, M_TEXT, 2, WA_SV("answered"), -1, &err));
        (void)wa_text_speak(all[1]);
        assert_ok(wa_chan_hear(p->ours, -1, &m, &err));
        assert_ptr_equal(wa_text_spoken(), all[i]);
        (void)wa_text_speak(all[1]);
        assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
        assert_ptr_equal(m.language, all[i]);
        assert_ptr_equal(wa_text_spoken(), all[1]);
        assert_code(wa_chan_hear(p->ours, 0, &m, &err), WA_E_TIMEOUT);
        assert_ptr_equal(wa_text_spoken(), all[1]); /* nobody asked */
        wa_err_clear(&err);
    }
    (void)wa_text_speak(NULL);
}

/* The last words of a peer that has closed are heard. */
static void test_what_was_sent_before_closing_arrives(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg m;
    assert_ok(wa_chan_send(p->theirs, M_TEXT, 1, WA_SV("bye"), -1, &err));
    wa_chan_free(WA_TAKE(p->theirs));
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_true(wa_sv_eqs(m.payload, "bye"));
    assert_code(wa_chan_recv(p->ours, -1, &m, &err), WA_E_NOT_FOUND);
}

/* Sends a descriptor that answers with its number, so that one can tell which one arrived. */
static void numbered(struct wa_chan *c, uint32_t id)
{
    struct wa_err err = WA_ERR_INIT;
    int fds[2];
    assert_ok(wa_pipe(fds, &err));
    assert_int_equal(write(fds[1], &id, sizeof id), sizeof id);
    assert_ok(wa_chan_send(c, M_FILE, id, WA_SV("f"), fds[0], &err));
    wa_fd_close(&fds[0]);
    wa_fd_close(&fds[1]);
}

static void assert_numbered(int fd, uint32_t id)
{
    uint32_t got = ~id;
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(read(fd, &got, sizeof got), sizeof got);
    assert_int_equal(got, id);
    wa_fd_close(&fd);
}

/* The kernel hands out, in one piece, what was sent before a descriptor with it, and stops behind
 * it: whose it is must not depend on where the pieces are cut. */
static void test_descriptors_stay_with_their_messages(void **state)
{
    static const char order[] = "tfftttfttffff";
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    for (uint32_t i = 0; order[i] != '\0'; i++) {
        if (order[i] == 'f')
            numbered(p->theirs, i);
        else
            assert_ok(wa_chan_send(p->theirs, M_TEXT, i, WA_SV("text"), -1, &err));
    }
    for (uint32_t i = 0; order[i] != '\0'; i++) {
        struct wa_chan_msg m;
        assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
        assert_int_equal(m.id, i);
        assert_int_equal(m.type, order[i] == 'f' ? M_FILE : M_TEXT);
        if (order[i] == 'f')
            assert_numbered(m.fd, i);
        else
            assert_int_equal(m.fd, -1);
    }
}

struct stream {
    struct wa_chan *c;
    enum wa_code code;
};

static void send_large(void *user)
{
    struct stream *s = user;
    struct wa_err err = WA_ERR_INIT;
    char *p = malloc(WA_IPC_MESSAGE_MAX);
    s->code = WA_E_NOMEM;
    if (p == NULL)
        return;
    for (size_t i = 0; i < WA_IPC_MESSAGE_MAX; i++)
        p[i] = (char)(i * 7 / 3);
    s->code = wa_chan_send(s->c, M_LARGE, 1, wa_sv_n(p, WA_IPC_MESSAGE_MAX), -1, &err);
    if (s->code == WA_OK)
        s->code = wa_chan_send(s->c, M_TEXT, 2, WA_SV("after"), -1, &err);
    free(p);
}

/* Far more than a socket holds: partial writes and reads on both sides. */
static void test_the_largest_message(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct stream s = {p->theirs, WA_OK};
    struct wa_thread *t;
    struct wa_chan_msg m;
    assert_ok(wa_thread_start(send_large, &s, &t, &err));
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_int_equal(m.payload.n, WA_IPC_MESSAGE_MAX);
    for (size_t i = 0; i < m.payload.n; i += 997)
        if (m.payload.p[i] != (char)(i * 7 / 3))
            fail_msg("byte %zu differs", i);
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_true(wa_sv_eqs(m.payload, "after"));
    wa_thread_join(t);
    assert_int_equal(s.code, WA_OK);
    assert_code(wa_chan_send(p->ours, M_LARGE, 1, wa_sv_n("", WA_IPC_MESSAGE_MAX + 1), -1, &err),
                WA_E_LIMIT);
}

/* --- peers that lie --- */

struct part {
    const char *bytes;
    size_t n;
    unsigned fds; /* sent along */
};

#define P(literal, fds)                                                                            \
    {                                                                                              \
        literal, sizeof(literal) - 1, fds                                                          \
    }
#define TEXT_HEAD "\x04\0\0\0\x01\0\0\0\x05\0\0\0"
#define FILE_HEAD "\x04\0\0\0\x02\0\0\0\x05\0\0\0"

/* Each part is one sendmsg(); then the peer closes. good: messages before the refusal. */
static const struct lie {
    const char *name;
    struct part parts[4];
    unsigned good;
} lies[] = {
    {"unknown type", {P("\0\0\0\0\x09\0\0\0\0\0\0\0", 0)}, 0},
    {"a language of no number", {P("\0\0\0\0\x01\0\xff\xff\0\0\0\0", 0)}, 0},
    {"another one", {P("\0\0\0\0\x01\0\0\x01\0\0\0\0", 0)}, 0},
    {"longer than its rule", {P("\x65\0\0\0\x01\0\0\0\0\0\0\0", 0)}, 0},
    {"longer than any", {P("\xff\xff\xff\xff\x03\0\0\0\0\0\0\0", 0)}, 0},
    {"half a head", {P("\x04\0\0\0\x01\0", 0)}, 0},
    {"half a payload", {P(TEXT_HEAD "ab", 0)}, 0},
    {"a good one, then half", {P(TEXT_HEAD "abcd" TEXT_HEAD "ab", 0)}, 1},
    {"a good one, then unknown", {P(TEXT_HEAD "abcd", 0), P("\0\0\0\0\x09\0\0\0\0\0\0\0", 0)}, 1},
    {"a descriptor where none may be", {P(TEXT_HEAD "abcd", 1)}, 0},
    {"a descriptor with half a head", {P("\x04\0", 1)}, 0},
    {"a descriptor in the middle of a payload", {P(TEXT_HEAD "ab", 0), P("cd", 1)}, 0},
    {"no descriptor where one must be", {P(FILE_HEAD "abcd", 0)}, 0},
    {"two descriptors at once", {P(FILE_HEAD "abcd", 2)}, 0},
    {"many descriptors at once", {P(FILE_HEAD "abcd", 50)}, 0},
    {"two descriptors one by one", {P(FILE_HEAD, 1), P("abcd", 1)}, 0},
    {"three descriptors one by one", {P(FILE_HEAD, 1), P("ab", 1), P("cd", 1)}, 0},
    {"a descriptor after a good one", {P(FILE_HEAD "abcd", 1), P(TEXT_HEAD "abcd", 1)}, 1},
    {"half of a message with a descriptor", {P(FILE_HEAD "ab", 1)}, 0},
};

static void send_part(int fd, const struct part *part)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control;
    char bytes[128];
    assert_true(part->n <= sizeof bytes);
    memcpy(bytes, part->bytes, part->n);
    struct iovec iov = {bytes, part->n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (part->fds > 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(part->fds * sizeof(int));
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(part->fds * sizeof(int));
        for (unsigned i = 0; i < part->fds; i++)
            memcpy(CMSG_DATA(h) + i * sizeof(int), &(int){STDERR_FILENO}, sizeof(int));
    }
    assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), part->n);
}

static void tell_lie(struct pair *p, const struct lie *lie)
{
    for (size_t i = 0; i < WA_COUNT(lie->parts) && lie->parts[i].n > 0; i++)
        send_part(p->raw, &lie->parts[i]);
    wa_chan_free(WA_TAKE(p->theirs));
}

static void test_lies_kill_a_blocking_channel(void **state)
{
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(lies); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_chan_msg m;
        unsigned good = 0;
        enum wa_code code;
        tell_lie(p, &lies[i]);
        while ((code = wa_chan_recv(p->ours, -1, &m, &err)) == WA_OK) {
            wa_fd_close(&m.fd);
            good++;
        }
        if (code != WA_E_REFUSED || good != lies[i].good)
            fail_msg("%s: %s after %u messages", lies[i].name, wa_code_name(code), good);
        wa_err_clear(&err);
        assert_code(wa_chan_recv(p->ours, 0, &m, &err), WA_E_REFUSED); /* and stays dead */
        wa_chan_free(p->ours);
        assert_int_equal(open_fds(), p->fds);
        free(p);
        assert_int_equal(setup(state), 0);
        p = *state;
    }
}

/* --- in a loop --- */

struct story {
    struct wa_loop *loop;
    struct wa_chan *c;
    unsigned count, ends;
    enum wa_code code;
    bool frees; /* the channel at the first message */
};

static void on_msg(void *user, const struct wa_chan_msg *msg)
{
    struct story *s = user;
    int fd = msg->fd;
    s->count++;
    wa_fd_close(&fd);
    if (s->frees)
        wa_chan_free(WA_TAKE(s->c));
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct story *s = user;
    assert_int_equal(err->code, code);
    s->ends++;
    s->code = code;
    wa_chan_free(WA_TAKE(s->c)); /* allowed in it */
}

/* The loop ends by itself once the channel has. */
static struct story play(struct pair *p, bool frees)
{
    struct wa_err err = WA_ERR_INIT;
    struct story s = {.c = WA_TAKE(p->ours), .code = WA_E_INTERNAL, .frees = frees};
    assert_ok(wa_loop_new(&s.loop, &err));
    assert_ok(wa_chan_attach(s.c, s.loop, on_msg, on_end, &s, &err));
    assert_ok(wa_loop_run(s.loop, &err));
    wa_loop_free(s.loop);
    assert_null(s.c);
    return s;
}

static void test_lies_kill_a_channel_in_a_loop(void **state)
{
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(lies); i++) {
        tell_lie(p, &lies[i]);
        struct story s = play(p, false);
        if (s.code != WA_E_REFUSED || s.count != lies[i].good || s.ends != 1)
            fail_msg("%s: %s after %u messages, %u ends", lies[i].name, wa_code_name(s.code),
                     s.count, s.ends);
        assert_int_equal(open_fds(), p->fds);
        free(p);
        assert_int_equal(setup(state), 0);
        p = *state;
    }
}

static void test_a_loop_hears_everything_to_the_end(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    for (uint32_t i = 0; i < 50; i++)
        if (i % 7 == 0)
            numbered(p->theirs, i);
        else
            assert_ok(wa_chan_send(p->theirs, M_TEXT, i, WA_SV("text"), -1, &err));
    wa_chan_free(WA_TAKE(p->theirs));
    struct story s = play(p, false);
    assert_int_equal(s.count, 50);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.code, WA_OK);
}

static void test_a_channel_is_freed_in_its_callback(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(wa_chan_send(p->theirs, M_TEXT, i, WA_SV("text"), -1, &err));
    struct story s = play(p, true);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.ends, 0);
}

/* What a blocking receive read ahead is not forgotten when the channel moves to a loop, even though
 * nothing more arrives. */
static void test_what_was_read_ahead_is_delivered(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg m;
    struct story s = {.code = WA_E_INTERNAL};
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(wa_chan_send(p->theirs, M_TEXT, i, WA_SV("text"), -1, &err));
    assert_ok(wa_chan_recv(p->ours, -1, &m, &err));
    assert_ok(wa_loop_new(&s.loop, &err));
    assert_ok(wa_chan_attach(p->ours, s.loop, on_msg, on_end, &s, &err));
    assert_ok(wa_loop_turn(s.loop, 30000, &err));
    assert_int_equal(s.count, 2);
    wa_chan_free(WA_TAKE(p->ours));
    wa_loop_free(s.loop);
}

static void drain(void *user)
{
    struct stream *s = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg m;
    while ((s->code = wa_chan_recv(s->c, -1, &m, &err)) == WA_OK && m.type != M_TEXT)
        ;
}

/* Messages queue for a slow peer, with a cap, and go out as it reads. */
static void test_posts_queue_with_a_cap(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct story s = {.code = WA_E_INTERNAL};
    const size_t size = 16u << 20;
    WA_AUTO_STR char *large = wa_calloc(1, size);
    assert_non_null(large);
    assert_ok(wa_loop_new(&s.loop, &err));
    assert_code(wa_chan_post(p->ours, M_TEXT, 0, WA_SV(""), -1, &err), WA_E_NOT_FOUND);
    assert_ok(wa_chan_attach(p->ours, s.loop, on_msg, on_end, &s, &err));
    for (int i = 0; i < 4; i++)
        assert_ok(wa_chan_post(p->ours, M_LARGE, 0, wa_sv_n(large, size), -1, &err));
    size_t queued = wa_chan_queued_bytes(p->ours);
    assert_true(queued > 3 * size && queued < 4 * (size + 12)); /* the socket took a little */
    assert_code(wa_chan_post(p->ours, M_LARGE, 0, wa_sv_n(large, size), -1, &err), WA_E_LIMIT);
    assert_int_equal(wa_chan_queued_bytes(p->ours), queued);
    assert_ok(wa_chan_post(p->ours, M_TEXT, 0, WA_SV("last"), -1, &err));
    struct stream reader = {p->theirs, WA_E_INTERNAL};
    struct wa_thread *t;
    assert_ok(wa_thread_start(drain, &reader, &t, &err));
    while (wa_chan_queued_bytes(p->ours) > 0)
        assert_ok(wa_loop_turn(s.loop, 30000, &err));
    wa_thread_join(t);
    assert_int_equal(reader.code, WA_OK);
    wa_chan_free(WA_TAKE(p->ours));
    wa_loop_free(s.loop);
}

/* A peer that left while we still had something for it: its last words arrive, ours are dropped
 * with their descriptors. */
static void test_a_peer_that_leaves_is_heard(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct story s = {.code = WA_E_INTERNAL};
    const size_t size = 1u << 20;
    WA_AUTO_STR char *large = wa_calloc(1, size);
    assert_non_null(large);
    assert_ok(wa_loop_new(&s.loop, &err));
    s.c = WA_TAKE(p->ours);
    assert_ok(wa_chan_attach(s.c, s.loop, on_msg, on_end, &s, &err));
    assert_ok(wa_chan_post(s.c, M_LARGE, 0, wa_sv_n(large, size), -1, &err));
    assert_ok(wa_chan_post(s.c, M_FILE, 0, WA_SV("f"), 0, &err));
    assert_true(wa_chan_queued_bytes(s.c) > 0);
    assert_ok(wa_chan_send(p->theirs, M_TEXT, 0, WA_SV("bye"), -1, &err));
    assert_int_equal(shutdown(p->raw, SHUT_RDWR), 0);
    assert_ok(wa_loop_run(s.loop, &err));
    assert_int_equal(s.count, 1);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.code, WA_OK);
    wa_loop_free(s.loop);
}

/* libuv keeps a pipe of its own from its first loop on: not a leak. */
static int warm_up(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_loop *loop;
    WA_UNUSED(state);
    assert_ok(wa_loop_new(&loop, &err));
    wa_loop_free(loop);
    return 0;
}

/* Nobody reads: a patient sender would wait for ever. */
static void test_patience_ends(void **state)
{
    static char large[4 << 20];
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    wa_chan_set_patience(p->ours, 1);
    assert_int_equal(wa_chan_send(p->ours, M_LARGE, 1, wa_sv_n(large, sizeof large), -1, &err),
                     WA_E_TIMEOUT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_language_comes_along),
        T(test_messages_arrive_whole_and_in_order),
        T(test_what_was_sent_before_closing_arrives),
        T(test_descriptors_stay_with_their_messages),
        T(test_the_largest_message),
        T(test_lies_kill_a_blocking_channel),
        T(test_lies_kill_a_channel_in_a_loop),
        T(test_a_loop_hears_everything_to_the_end),
        T(test_a_channel_is_freed_in_its_callback),
        T(test_what_was_read_ahead_is_delivered),
        T(test_posts_queue_with_a_cap),
        T(test_a_peer_that_leaves_is_heard),
        T(test_patience_ends),
    };
    return cmocka_run_group_tests_name("os/chan", tests, warm_up, NULL);
}
