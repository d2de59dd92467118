/* The local endpoint: the kernel says who calls, the file's rights who may. */
#include "support.h"

#include "os/local.h"
#include "os/proc.h"
#include "os/service.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STRANGER 64999 /* no such account */

static char path[WA_PATH_MAX + 16];

static void set_path(void **state)
{
    struct room *r = *state;
    assert_int_equal(chmod(r->path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/socket", r->path);
}

struct caller {
    uint32_t uid; /* UINT32_MAX: as we are */
    enum wa_code expected;
};

static int call(void *arg)
{
    const struct caller *c = arg;
    struct wa_err err = WA_ERR_INIT;
    int fd;
    uid_t uid = c->uid;
    if (uid != UINT32_MAX && become(&uid) != 0)
        return 1;
    return wa_local_connect(path, &fd, &err) == c->expected ? 0 : 2;
}

static void test_the_kernel_says_who_calls(void **state)
{
    static const struct {
        uint32_t uid;
        const char *user;
    } callers[] = {{0, "root"}, {NOBODY, "nobody"}, {STRANGER, ""}};
    struct wa_err err = WA_ERR_INIT;
    int listener, fd;
    if (!has_accounts())
        skip();
    set_path(state);
    assert_ok(wa_local_listen(path, 0666, &listener, &err));
    assert_code(wa_local_accept(listener, &fd, &err), WA_E_AGAIN);
    for (size_t i = 0; i < WA_COUNT(callers); i++) {
        struct caller c = {callers[i].uid, WA_OK};
        struct wa_peer peer;
        assert_int_equal(in_child(call, &c), 0); /* it has gone by now: who it was stays true */
        assert_ok(wa_local_accept(listener, &fd, &err));
        assert_ok(wa_local_peer(fd, &peer, &err));
        assert_int_equal(peer.uid, callers[i].uid);
        assert_int_equal(peer.gid, callers[i].uid);
        assert_true(peer.pid > 1);
        assert_string_equal(peer.user, callers[i].user);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        wa_fd_close(&fd);
    }
    wa_fd_close(&listener);
}

static void test_rights_say_who_may_call(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stat st;
    struct caller nobody = {NOBODY, WA_E_DENIED}, root = {0, WA_OK};
    int listener;
    if (!has_accounts())
        skip();
    set_path(state);
    mode_t old = umask(0);
    assert_ok(wa_local_listen(path, 0600, &listener, &err));
    (void)umask(old);
    assert_ok(wa_path_stat(path, &st, &err));
    assert_int_equal(st.mode, 0600);
    assert_int_equal(in_child(call, &nobody), 0);
    assert_int_equal(in_child(call, &root), 0);
    wa_fd_close(&listener);
}

static void test_an_old_socket_is_replaced_and_nothing_else(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct caller c = {UINT32_MAX, WA_E_UNREACHABLE};
    int first, second;
    set_path(state);
    assert_int_equal(in_child(call, &c), 0); /* no file */
    assert_ok(wa_local_listen(path, 0600, &first, &err));
    wa_fd_close(&first);
    assert_int_equal(in_child(call, &c), 0); /* nobody listens any more */
    assert_ok(wa_local_listen(path, 0600, &second, &err));
    c.expected = WA_OK;
    assert_int_equal(in_child(call, &c), 0);
    wa_fd_close(&second);
    assert_int_equal(unlink(path), 0);
    put_file(*state, "socket", "precious");
    assert_code(wa_local_listen(path, 0600, &first, &err), WA_E_CONFLICT);
    assert_file(*state, "socket", "precious");
}

static void test_a_path_that_is_too_long(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char text[200];
    int fd = -1;
    WA_UNUSED(state);
    memset(text, 'x', sizeof text - 1);
    text[0] = '/';
    text[sizeof text - 1] = '\0';
    assert_code(wa_local_listen(text, 0600, &fd, &err), WA_E_LIMIT);
    assert_code(wa_local_connect(text, &fd, &err), WA_E_LIMIT);
    assert_int_equal(fd, -1);
}

static void test_accounts_and_groups(void **state)
{
    static const struct {
        const char *user, *group;
        bool is_member;
    } cases[] = {
        {"root", "root", true},    {"root", "nogroup", false},       {"nobody", "nogroup", true},
        {"nobody", "root", false}, {"root", "no-such-group", false}, {"daemon", "daemon", true},
    };
    struct wa_err err = WA_ERR_INIT;
    uint32_t uid = 1, gid = 1;
    static const char *const many[] = {"daemon", "root", "RooT"};
    bool is_member = true, in[WA_COUNT(many)];
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        assert_ok(wa_user_in_groups(cases[i].user, &cases[i].group, 1, &is_member, &err));
        assert_int_equal(is_member, cases[i].is_member);
    }
    assert_ok(wa_user_in_groups("root", many, WA_COUNT(many), in, &err));
    assert_true(!in[0] && in[1] && in[2]); /* a directory's "Root" is looked for without case */
    is_member = true;
    assert_code(wa_user_in_groups("no-such-user", many, 1, &is_member, &err), WA_E_NOT_FOUND);
    assert_true(is_member); /* untouched */
    assert_code(wa_user_ids("no-such-user", &uid, &gid, &err), WA_E_NOT_FOUND);
    assert_int_equal(uid, 1);
    assert_ok(wa_user_ids("nobody", &uid, &gid, &err));
    assert_int_equal(uid, NOBODY);
    assert_int_equal(gid, NOBODY);
}

static void test_sessions(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_peer peer;
    struct wa_session mine, again;
    int fds[2];
    WA_UNUSED(state);
    assert_ok(wa_socketpair(fds, &err));
    assert_ok(wa_local_peer_ids(fds[0], &peer, &err));
    wa_fd_close(&fds[0]);
    wa_fd_close(&fds[1]);
    assert_int_equal(peer.pid, getpid());
    assert_true(peer.uid != 0 || strcmp(peer.user, "root") == 0);
    assert_true(wa_local_session(&peer, &mine) && wa_local_session(&peer, &again));
    assert_int_equal(mine.id, getsid(0));
    assert_true(mine.started == again.started && wa_session_is_there(&mine));
    again.started++;
    assert_false(wa_session_is_there(&again)); /* the number is another one's now */
    peer.uid++;
    assert_false(wa_local_session(&peer, &again)); /* so is the process's */
    peer.uid--;
    peer.pid = 0; /* out of sight, in another namespace */
    assert_false(wa_local_session(&peer, &again));
}

/* --- the service manager --- */

static int bind_datagram(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    assert_true(n < sizeof a.sun_path);
    memcpy(a.sun_path, name, n);
    if (name[0] == '@')
        a.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
    return fd;
}

static void test_the_service_manager_is_told(void **state)
{
    char abstract[64], got[64];
    set_path(state);
    (void)snprintf(abstract, sizeof abstract, "@wa-test-os-%d", (int)getpid());
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        int fd = bind_datagram(names[i]);
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        wa_service_notify("READY=1");
        ssize_t n = recv(fd, got, sizeof got - 1, 0);
        assert_int_equal(n, 7);
        assert_memory_equal(got, "READY=1", 7);
        wa_fd_close(&fd);
        wa_service_notify("STOPPING=1"); /* nobody there: nothing happens */
    }
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    wa_service_notify("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    wa_service_notify("READY=1");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_kernel_says_who_calls),
        T(test_rights_say_who_may_call),
        T(test_an_old_socket_is_replaced_and_nothing_else),
        T(test_a_path_that_is_too_long),
        T(test_accounts_and_groups),
        cmocka_unit_test(test_sessions),
        T(test_the_service_manager_is_told),
    };
    return cmocka_run_group_tests_name("os/local", tests, NULL, NULL);
}
