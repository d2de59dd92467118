/* Each allocation fails in turn: the function says that memory ran out, leaks neither memory nor
 * descriptors, and works once there is memory again. */
#include "support.h"
#include "torture.h"

#include "os/accounts.h"
#include "os/chan.h"
#include "os/directory.h"
#include "os/dmi.h"
#include "os/drives.h"
#include "os/host.h"
#include "os/linux/host_priv.h"
#include "os/linux/software_priv.h"
#include "os/local.h"
#include "os/loop.h"
#include "os/proc.h"
#include "os/thread.h"

#include <sys/socket.h>

static struct room *room;

typedef enum wa_code step_fn(struct wa_err *err);

/* No descriptor is left behind, either. */
static enum wa_code run_step(void *arg, struct wa_err *err)
{
    step_fn *const *step = arg;
    int before = open_fds();
    enum wa_code code = (*step)(err);
    assert_int_equal(open_fds(), before);
    return code;
}

static void torture(const char *name, step_fn *step, size_t at_least)
{
    size_t n = wa_torture(run_step, &step);
    if (n < at_least)
        fail_msg("%s allocates %zu times only", name, n);
}

/* --- files --- */

static enum wa_code read_file(struct wa_err *err)
{
    struct wa_relpath p = rel("a/file");
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, 1000);
    return wa_file_read(&room->dir, &p, 1000, &b, err);
}

static enum wa_code any_entry(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(name);
    WA_UNUSED(st);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code any_file(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(name);
    WA_UNUSED(st);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code list(struct wa_err *err)
{
    return wa_dir_list(&room->dir, any_entry, NULL, err);
}

static enum wa_code walk(struct wa_err *err)
{
    return wa_dir_walk_files(&room->dir, any_file, NULL, err);
}

static enum wa_code remove_tree(struct wa_err *err)
{
    struct wa_relpath p = rel("tree");
    wa_torture_pause(); /* building is not what is tested */
    put_file(room, "tree/a/file", "x");
    put_file(room, "tree/b", "x");
    wa_torture_resume();
    return wa_tree_remove(&room->dir, &p, err);
}

static void test_files(void **state)
{
    room = *state;
    put_file(room, "a/file", "text");
    put_file(room, "b", "text");
    torture("read", read_file, 1);
    torture("list", list, 3);
    torture("walk", walk, 4);
    torture("remove", remove_tree, 4);
}

/* --- channels and the loop --- */

static const struct wa_chan_rule rules[] = {{1, "text", 100, false}, {0, NULL, 0, false}};

static enum wa_code talk(struct wa_err *err)
{
    struct wa_chan_msg m;
    int fds[2];
    WA_AUTO(wa_chan) struct wa_chan *a = NULL;
    WA_AUTO(wa_chan) struct wa_chan *b = NULL;
    if (wa_socketpair(fds, err) != WA_OK)
        return err->code;
    if (wa_chan_new(fds[0], rules, &a, err) != WA_OK) {
        wa_fd_close(&fds[1]);
        return err->code;
    }
    if (wa_chan_new(fds[1], rules, &b, err) != WA_OK ||
        wa_chan_send(a, 1, 2, WA_SV("hello"), -1, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_chan_recv(b, -1, &m, err);
    if (code == WA_E_NOMEM) { /* the message is still there */
        struct wa_err again = WA_ERR_INIT;
        wa_torture_pause();
        assert_int_equal(wa_chan_recv(b, -1, &m, &again), WA_OK);
        wa_torture_resume();
    }
    assert_true(wa_sv_eqs(m.payload, "hello"));
    return code;
}

static void on_msg(void *user, const struct wa_chan_msg *msg)
{
    WA_UNUSED(msg);
    wa_loop_stop(user);
}

static enum wa_code ended; /* of a channel: how */

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(err);
    ended = code;
    wa_loop_stop(user);
}

static enum wa_code talk_in_a_loop(struct wa_err *err)
{
    WA_AUTO(wa_loop) struct wa_loop *loop = NULL;
    WA_AUTO(wa_chan) struct wa_chan *a = NULL;
    WA_AUTO(wa_chan) struct wa_chan *b = NULL;
    int fds[2];
    if (wa_loop_new(&loop, err) != WA_OK || wa_socketpair(fds, err) != WA_OK)
        return err->code;
    if (wa_chan_new(fds[0], rules, &a, err) != WA_OK) {
        wa_fd_close(&fds[1]);
        return err->code;
    }
    if (wa_chan_new(fds[1], rules, &b, err) != WA_OK ||
        wa_chan_attach(a, loop, on_msg, on_end, loop, err) != WA_OK ||
        wa_chan_attach(b, loop, on_msg, on_end, loop, err) != WA_OK ||
        wa_chan_post(a, 1, 2, WA_SV("hello"), -1, err) != WA_OK)
        return err->code;
    ended = WA_OK;
    enum wa_code code = wa_loop_run(loop, err);
    return code == WA_OK && ended == WA_E_NOMEM ? wa_nomem(err) : code;
}

static void nothing(void *user)
{
    WA_UNUSED(user);
}

static void no_signal(void *user, int signum)
{
    WA_UNUSED(user);
    WA_UNUSED(signum);
}

static void no_event(void *user, int events)
{
    WA_UNUSED(user);
    WA_UNUSED(events);
}

static enum wa_code no_work(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

static void no_end(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(code);
    WA_UNUSED(err);
}

static enum wa_code watch_all(struct wa_err *err)
{
    WA_AUTO(wa_loop) struct wa_loop *loop = NULL;
    struct wa_timer *t = NULL;
    struct wa_io *io = NULL;
    int fds[2] = {-1, -1};
    bool worked = false;
    if (wa_loop_new(&loop, err) != WA_OK || wa_pipe(fds, err) != WA_OK)
        return err->code;
    if (wa_timer_new(loop, nothing, NULL, &t, err) == WA_OK &&
        wa_io_new(loop, fds[0], no_event, NULL, &io, err) == WA_OK &&
        wa_loop_on_signal(loop, SIGUSR1, no_signal, NULL, err) == WA_OK &&
        wa_loop_post(loop, nothing, NULL, err) == WA_OK &&
        wa_loop_work(loop, no_work, no_end, NULL, err) == WA_OK &&
        wa_loop_turn(loop, 0, err) == WA_OK)
        worked = true;
    wa_io_free(io);
    wa_timer_free(t);
    wa_fd_close(&fds[0]);
    wa_fd_close(&fds[1]);
    assert_int_equal(worked, err->code == WA_OK);
    return err->code;
}

static enum wa_code use_thread(struct wa_err *err)
{
    struct wa_lock *l;
    struct wa_thread *t;
    if (wa_lock_new(&l, err) != WA_OK)
        return err->code;
    if (wa_thread_start(nothing, NULL, &t, err) == WA_OK)
        wa_thread_join(t);
    wa_lock_free(l);
    return err->code;
}

static void test_channels_and_the_loop(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    assert_ok(watch_all(&err)); /* libuv keeps its pipe and its pool */
    torture("channel", talk, 3);
    torture("channel in a loop", talk_in_a_loop, 6);
    torture("loop", watch_all, 7);
    torture("thread", use_thread, 2);
}

/* --- accounts, facts, software --- */

static enum wa_code identify(struct wa_err *err)
{
    struct wa_peer peer;
    int fds[2];
    if (wa_socketpair(fds, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_local_peer(fds[0], &peer, err);
    wa_fd_close(&fds[0]);
    wa_fd_close(&fds[1]);
    return code;
}

static enum wa_code find_group(struct wa_err *err)
{
    static const char *const names[] = {"root", "Daemon"};
    bool is_member[2];
    return wa_user_in_groups("root", names, 2, is_member, err);
}

static enum wa_code read_facts(struct wa_err *err)
{
    static struct wa_host_facts f;
    return wa_host_facts_at(room->path, &f, err);
}

static enum wa_code any_software(void *user, const struct wa_software *s, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(s);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code list_software(struct wa_err *err)
{
    char path[WA_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/status", room->path);
    return wa_software_list_file(path, any_software, NULL, err);
}

static enum wa_code any_name(void *user, struct wa_sv name, struct wa_sv members,
                             struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(name);
    WA_UNUSED(members);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code list_people(struct wa_err *err)
{
    char last[WA_LOGIN_NAME];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 16);
    if (wa_accounts_list(any_name, NULL, err) != WA_OK ||
        wa_groups_list(any_name, NULL, err) != WA_OK ||
        wa_environment_list(any_name, NULL, err) != WA_OK || wa_sessions_list(&out, err) != WA_OK)
        return err->code;
    return wa_sessions_last(last, err);
}

static enum wa_code any_drive(void *user, const struct wa_drive *d, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(d);
    WA_UNUSED(err);
    return WA_OK;
}

/* Some machines have no table of the firmware to read. */
static enum wa_code list_hardware(struct wa_err *err)
{
    struct wa_memory m;
    WA_AUTO_BUF struct wa_buf table;
    wa_buf_init(&table, WA_DMI_TABLE_MAX);
    return wa_drives_list(any_drive, NULL, err) == WA_OK && wa_memory_read(&m, err) == WA_OK
               ? wa_dmi_read(&table, err)
               : err->code;
}

static enum wa_code any_group(void *user, const char *name, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(name);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code ask_directory(struct wa_err *err)
{
    static char dn[WA_DIRECTORY_DN];
    bool is_known;
    return wa_directory_ask("root", "", dn, any_group, NULL, &is_known, err);
}

static void test_what_the_machine_is(void **state)
{
    room = *state;
    torture("people", list_people, 3);
    torture("hardware", list_hardware, 2);
    torture("directory", ask_directory, 2);
}

static void test_accounts_facts_and_software(void **state)
{
    room = *state;
    put_file(room, "etc/os-release", "ID=debian\n");
    put_file(room, "etc/hosts", "127.0.0.1 localhost\n");
    put_file(room, "proc/cpuinfo", "processor : 0\n");
    put_file(room, "status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
    torture("peer", identify, 1);
    torture("group", find_group, 3);
    torture("facts", read_facts, 1);
    torture("software", list_software, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_files),
        T(test_accounts_facts_and_software),
        T(test_what_the_machine_is),
        cmocka_unit_test(test_channels_and_the_loop),
    };
    return cmocka_run_group_tests_name("os/torture", tests, NULL, NULL);
}
