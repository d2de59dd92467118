/* The rest of Windows' bodies: paths as typed, clock, random bytes, threads, sockets in a loop, no
 * console to ask on. */
#include "testlib.h"

#include <errno.h>

#include "os/clock.h"
#include "os/error.h"
#include "os/fs.h"
#include "os/loop.h"
#include "os/path.h"
#include "os/proc.h"
#include "os/rand.h"
#include "os/socket.h"
#include "os/term.h"
#include "os/thread.h"

static void paths(void **state)
{
    static const struct {
        const char *path, *last, *dir;
        bool is_absolute;
    } rows[] = {
        {"C:\\a\\b.crt", "b.crt", "C:\\a", true},
        {"C:/a/b.crt", "b.crt", "C:/a", true},
        {"C:\\b", "b", "C:\\", true},
        {"C:b", "b", "C:.", false},
        {"\\\\server\\share\\b", "b", "\\\\server\\share", true},
        {"a\\b", "b", "a", false},
        {"b", "b", ".", false},
        {"\\b", "b", "\\", false}, /* of a drive that changes */
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        char dir[WA_PATH_MAX];
        const char *last = wa_path_last(rows[i].path);
        assert_string_equal(last, rows[i].last);
        WA_ASSERT_OK(wa_path_dir(rows[i].path, (size_t)(last - rows[i].path), dir, &err));
        assert_string_equal(dir, rows[i].dir);
        assert_int_equal(wa_path_is_absolute(rows[i].path), rows[i].is_absolute);
    }
}

static void folders(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX], real[WA_PATH_MAX];
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_path_of_config("x.ini", path, &err));
    assert_true(wa_path_is_absolute(path) && wa_sv_ends(wa_sv(path), "\\wapt\\x.ini"));
    WA_ASSERT_OK(wa_path_of_agent("ssl", path, &err));
    assert_true(wa_path_is_absolute(path) && wa_sv_ends(wa_sv(path), "\\wapt\\ssl"));
    WA_ASSERT_OK(wa_proc_self_path(path, &err));
    WA_ASSERT_OK(wa_path_real(path, real, &err));
    assert_true(wa_path_is_absolute(real) && wa_sv_ends(wa_sv(real), ".exe"));
    WA_ASSERT_CODE(wa_path_real("C:\\no\\such", real, &err), WA_E_NOT_FOUND);
    assert_int_equal(wa_system_code(5), WA_E_DENIED);
    assert_int_equal(wa_system_code(112), WA_E_NO_SPACE);
    assert_int_equal(wa_system_code(0), WA_E_IO);
}

static void clock_and_chance(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    unsigned char a[16] = {0}, b[16] = {0};
    WA_UNUSED(state);
    uint64_t before = wa_clock_mono_ms();
    wa_clock_sleep_ms(20);
    assert_true(wa_clock_mono_ms() >= before);
    assert_true(wa_clock_now() > 1700000000);
    WA_ASSERT_OK(wa_rand_bytes(a, sizeof a, &err));
    WA_ASSERT_OK(wa_rand_bytes(b, sizeof b, &err));
    assert_memory_not_equal(a, b, sizeof a);
}

struct pair {
    int fds[2];
    struct wa_loop *loop;
    struct wa_lock *lock;
    char got[8];
    ptrdiff_t n;
    bool is_called;
};

static void readable(void *user, int events)
{
    struct pair *p = user;
    assert_int_equal(events & WA_IO_READ, WA_IO_READ);
    p->n = wa_socket_read(p->fds[1], p->got, sizeof p->got);
    wa_loop_stop(p->loop);
}

static void call(void *user)
{
    struct pair *p = user;
    wa_lock_take(p->lock);
    p->is_called = true;
    wa_lock_signal(p->lock);
    wa_lock_give(p->lock);
    (void)wa_socket_write(p->fds[0], "hello", 5);
}

static void sockets_threads_and_the_loop(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct pair p = {.fds = {-1, -1}};
    struct wa_thread *t = NULL;
    struct wa_io *io = NULL;
    char byte;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_lock_new(&p.lock, &err));
    WA_ASSERT_OK(wa_socketpair(p.fds, &err));
    WA_ASSERT_OK(wa_fd_set_nonblocking(p.fds[1], true, &err));
    assert_int_equal(wa_socket_read(p.fds[1], &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    WA_ASSERT_OK(wa_loop_new(&p.loop, &err));
    WA_ASSERT_OK(wa_io_new(p.loop, p.fds[1], readable, &p, &io, &err));
    WA_ASSERT_OK(wa_io_set(io, WA_IO_READ, &err));
    WA_ASSERT_OK(wa_thread_start(call, &p, &t, &err));
    wa_lock_take(p.lock);
    while (!p.is_called)
        (void)wa_lock_wait(p.lock, -1);
    wa_lock_give(p.lock);
    WA_ASSERT_OK(wa_loop_run(p.loop, &err));
    assert_int_equal(p.n, 5);
    assert_memory_equal(p.got, "hello", 5);
    wa_thread_join(t);
    wa_io_free(io);
    wa_loop_free(p.loop);
    wa_lock_free(p.lock);
    wa_fd_close(&p.fds[0]);
    wa_fd_close(&p.fds[1]);
}

static void no_console(void **state)
{
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&answer, 100);
    assert_false(wa_term_is_out());
    assert_int_equal(wa_term_width(), 0);
    WA_ASSERT_CODE(wa_term_ask("? ", false, &answer, &err), WA_E_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(folders),
        cmocka_unit_test(clock_and_chance),
        cmocka_unit_test(sockets_threads_and_the_loop),
        cmocka_unit_test(no_console),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
