/* test_processes.c - the real processes under a real launcher: what each may still do, and what the
 * launcher refuses.
 *
 * Each test forks a process that is the launcher; it starts this program again as the manager,
 * which plays a scenario and tells by its exit status how it went. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/zip_read.h"
#include "codec/zip_write.h"
#include "os/fs.h"
#include "process_lib.h"

/* --- scenarios: in the manager --- */

static void wait_confined(int pid)
{
    char text[64];
    for (int i = 0; i < ROOM_PATIENCE_MS / 20; i++) {
        proc_status(pid, "Seccomp", text, sizeof text);
        if (strcmp(text, "2") == 0) {
            return;
        }
        CHECK(proc_is_there(pid));
        (void)usleep(20000);
    }
    CHECK(false && "it never confined itself");
}

static void check_status(int pid, const char *key, const char *expected)
{
    char text[256];
    proc_status(pid, key, text, sizeof text);
    if (strcmp(text, expected) != 0) {
        (void)fprintf(stderr, "%s of %d is '%s', not '%s'\n", key, pid, text, expected);
        exit(99);
    }
}

/* Exactly the descriptors 0 to 3, and what an event loop makes for itself. */
static void check_fds(int pid)
{
    char path[64], target[256];
    (void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *d = opendir(path);
    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        uint64_t fd;
        if (!wa_sv_u64(wa_sv(e->d_name), &fd) || fd <= WA_ROLE_CHANNEL_FD) {
            continue;
        }
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        CHECK(n > 0);
        target[n] = '\0';
        CHECK(strncmp(target, "anon_inode:", 11) == 0 || strncmp(target, "pipe:", 5) == 0);
    }
    (void)closedir(d);
}

static void play_confined(const char *dir)
{
    static const struct {
        enum wa_role role;
        const char *uid, *caps;
    } rows[] = {
        {WA_ROLE_NETWORK, "4246\t4246\t4246\t4246", "0000000000000000"},
        {WA_ROLE_UNPACK, "4246\t4246\t4246\t4246", "0000000000000000"},
        {WA_ROLE_FETCH, "4246\t4246\t4246\t4246", "0000000000000000"},
        {WA_ROLE_AUTH, "0\t0\t0\t0", NULL},
        {WA_ROLE_DESCRIBE, "0\t0\t0\t0", "000000000000000b"},
    };
    struct wa_launcher *l = room_link();
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(dir);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        const struct wa_start what = {.role = rows[i].role};
        struct wa_helper *h = NULL;
        CHECK_OK(wa_helper_start(l, &what, &h, &err));
        wait_confined(h->pid);
        check_status(h->pid, "NoNewPrivs", "1");
        check_status(h->pid, "Uid", rows[i].uid);
        check_status(h->pid, "Groups", "");
        if (rows[i].caps != NULL) {
            check_status(h->pid, "CapEff", rows[i].caps);
            check_status(h->pid, "CapPrm", rows[i].caps);
        }
        check_fds(h->pid);
        int pid = h->pid;
        wa_helper_end(l, h);
        CHECK(!proc_is_there(pid));
    }
    wa_launcher_free(l);
}

/* The same members, with the same content, as reading the archive here gives. */
static void compare(struct wa_unpack *u, const char *path)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF bytes;
    struct wa_mem_source source;
    struct wa_zip *zip = NULL;
    struct wa_members *m = wa_unpack_members(u);
    wa_buf_init(&bytes, 64u << 20);
    CHECK_OK(wa_path_read(path, 64u << 20, &bytes, &err));
    wa_mem_source_init(&source, bytes.p, bytes.n);
    CHECK_OK(wa_zip_open(&source.base, &zip, &err));
    CHECK(m->n == wa_zip_count(zip) && m->n > 0);
    for (size_t i = 0; i < m->n; i++) {
        const struct wa_zip_member *z = wa_zip_at(zip, i);
        struct wa_buf WA_AUTO_BUF here, there;
        struct wa_buf_sink here_sink, there_sink;
        wa_buf_init(&here, 64u << 20);
        wa_buf_init(&there, 64u << 20);
        wa_buf_sink_init(&here_sink, &here);
        wa_buf_sink_init(&there_sink, &there);
        CHECK(strcmp(m->items[i].name.p, z->name.p) == 0);
        CHECK(m->items[i].size == z->size && m->items[i].is_dir == z->is_dir);
        if (z->is_dir) {
            continue;
        }
        CHECK_OK(wa_zip_read(zip, z, &here_sink.base, &err));
        CHECK_OK(m->read(m, i, &there_sink.base, &err));
        CHECK(wa_sv_eq(wa_buf_sv(&here), wa_buf_sv(&there)));
    }
    wa_zip_free(zip);
}

static void unpack_file(struct wa_launcher *l, const char *path, enum wa_code expected)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_unpack *u = NULL;
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    enum wa_code code = wa_helper_unpack(l, fileno(f), NULL, &u, &err);
    if (code != expected) {
        (void)fprintf(stderr, "'%s': %d, not %d: %s\n", path, code, expected, err.text);
        exit(99);
    }
    if (code == WA_OK) {
        compare(u, path);
        wa_unpack_free(u);
    }
    (void)fclose(f);
}

static void play_unpack(const char *dir)
{
    char path[WA_PATH_MAX];
    struct wa_launcher *l = room_link();
    unpack_file(l, room_argument(), WA_OK);
    (void)snprintf(path, sizeof path, "%s/large.zip", dir);
    unpack_file(l, path, WA_OK);
    (void)snprintf(path, sizeof path, "%s/cut.zip", dir);
    unpack_file(l, path, WA_E_INVALID);
    (void)snprintf(path, sizeof path, "%s/crc.zip", dir);
    /* The structure is right, a byte of the content is not: the member fails, the list does not. */
    struct wa_err err = WA_ERR_INIT;
    struct wa_unpack *u = NULL;
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    CHECK_OK(wa_helper_unpack(l, fileno(f), NULL, &u, &err));
    struct wa_buf WA_AUTO_BUF out;
    struct wa_buf_sink sink;
    wa_buf_init(&out, 64u << 20);
    wa_buf_sink_init(&sink, &out);
    struct wa_members *m = wa_unpack_members(u);
    CHECK(m->read(m, 0, &sink.base, &err) == WA_E_INVALID);
    wa_err_clear(&err);
    CHECK(m->read(m, 0, &sink.base, &err) == WA_E_REFUSED); /* no second chance */
    wa_unpack_free(u);
    (void)fclose(f);
    wa_launcher_free(l);
}

/* What the launcher must refuse: one message each. kills: the channel's own rules are broken. */
static const struct hostile {
    const char *name;
    uint16_t type;
    size_t size; /* bytes sent */
    struct wa_start start;
    bool has_fd, kills;
} hostile[] = {
    {"role of nobody", WA_M_START, sizeof(struct wa_start), {.role = 99}, false, false},
    {"the launcher", WA_M_START, sizeof(struct wa_start), {.role = WA_ROLE_LAUNCHER}, false, false},
    {"a manager", WA_M_START, sizeof(struct wa_start), {.role = WA_ROLE_MANAGER}, false, false},
    {"too short", WA_M_START, sizeof(struct wa_start) - 1, {.role = WA_ROLE_UNPACK}, false, false},
    {"empty", WA_M_START, 0, {.role = WA_ROLE_UNPACK}, false, false},
    {"a hook for unpack",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_UNPACK, .hook = 1},
     false,
     false},
    {"a user for auth",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_AUTH, .uid = ROOM_USER_UID},
     false,
     false},
    {"a stage for auth",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_AUTH, .stage = ROOM_STAGE},
     false,
     false},
    {"no limit",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = ROOM_STAGE},
     false,
     false},
    {"a year",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = ROOM_STAGE, .timeout_s = 86400 * 365},
     false,
     false},
    {"no stage",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .timeout_s = 5},
     false,
     false},
    {"a stage above",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = "../../../../../../../../../etc//", .timeout_s = 5},
     false,
     false},
    {"upper case",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = "0123456789ABCDEF0123456789ABCDEF", .timeout_s = 5},
     false,
     false},
    {"not staged",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = "00000000000000000000000000000000", .timeout_s = 5},
     false,
     false},
    {"an unknown hook",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .hook = WA_HOOK_COUNT, .stage = ROOM_STAGE, .timeout_s = 5},
     false,
     false},
    {"install as a user",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .uid = ROOM_USER_UID, .stage = ROOM_STAGE, .timeout_s = 5},
     false,
     false},
    {"a session of root",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .hook = WA_HOOK_SESSION_SETUP, .stage = ROOM_STAGE, .timeout_s = 5},
     false,
     false},
    {"a session of the system",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 999,
      .stage = ROOM_STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session of nobody",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 65534,
      .stage = ROOM_STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session of (uid_t)-1",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = UINT32_MAX,
      .stage = ROOM_STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session without account",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 7777,
      .stage = ROOM_STAGE,
      .timeout_s = 5},
     false,
     false},
    {"too long", WA_M_START, sizeof(struct wa_start) + 1, {.role = WA_ROLE_UNPACK}, false, true},
    {"a message of others", WA_M_STARTED, 4, {.role = WA_ROLE_UNPACK}, false, true},
    {"an unknown message", 999, 4, {.role = WA_ROLE_UNPACK}, false, true},
    {"a descriptor", WA_M_START, sizeof(struct wa_start), {.role = WA_ROLE_UNPACK}, true, true},
};

static void play_hostile(const char *row)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan *c = NULL;
    struct wa_chan_msg msg;
    struct wa_failed failed;
    char bytes[sizeof(struct wa_start) + 1] = "";
    const struct hostile *h = &hostile[strtoul(row, NULL, 10)];
    int siblings[8];
    memcpy(bytes, &h->start, sizeof h->start);
    CHECK_OK(wa_chan_new(WA_ROLE_CHANNEL_FD, wa_role_rules(WA_ROLE_LAUNCHER, WA_ROLE_MANAGER), &c,
                         &err));
    CHECK_OK(wa_chan_send(c, h->type, 7, wa_sv_n(bytes, h->size), h->has_fd ? 0 : -1, &err));
    if (h->kills) {
        (void)pause(); /* for the launcher to kill us */
    }
    CHECK_OK(wa_chan_recv(c, ROOM_PATIENCE_MS, &msg, &err));
    CHECK(msg.type == WA_M_FAILED && msg.id == 7 && msg.payload.n == sizeof failed);
    memcpy(&failed, msg.payload.p, sizeof failed);
    CHECK(failed.code == WA_E_REFUSED || failed.code == WA_E_NOT_FOUND);
    CHECK(failed.text[0] != '\0');
    CHECK(proc_children(getppid(), siblings, 8) == 1); /* ourselves */
    wa_chan_free(c);
}

static void play_auth(const char *dir)
{
    static const struct {
        const char *user, *password; /* NULL: groups only */
        bool is_ok, in_group;
    } rows[] = {
        {ROOM_ADMIN, "secret", true, true},    {ROOM_ADMIN, "Secret", false, true},
        {ROOM_ADMIN, "", false, true},         {ROOM_ADMIN, NULL, false, true},
        {ROOM_USER, "secret", true, false},    {ROOM_USER, NULL, false, false},
        {ROOM_LOCKED, "secret", false, false}, {ROOM_EMPTY, "", false, false},
        {ROOM_EMPTY, "x", false, false},
    };
    static const char *const groups[] = {"no-such-group", "waptselfservice", NULL};
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_auth_answer a;
        struct wa_sv password = wa_sv(rows[i].password);
        CHECK_OK(wa_helper_auth(l, rows[i].user, password, groups, &a, &err));
        if (a.password_ok != rows[i].is_ok) {
            (void)fprintf(stderr, "row %zu: password_ok %d\n", i, a.password_ok);
        }
        CHECK(a.password_ok == rows[i].is_ok);
        CHECK(!a.in_group[0] && a.in_group[1] == rows[i].in_group);
    }
    struct wa_err err = WA_ERR_INIT;
    struct wa_auth_answer a;
    enum wa_code code = wa_helper_auth(l, "waptxxx", WA_SV("secret"), groups, &a, &err);
    CHECK(code == WA_OK && !a.password_ok && !a.in_group[1]);
    wa_launcher_free(l);
}

/* A manager that was taken over writes no line of its own into a file that other programs read. */
static void play_describe(const char *dir)
{
    static const char *const texts[] = {"a\nPRETTY_HOSTNAME=b", "a\x1b[2J", "\xff", "\xc2\x85"};
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        struct wa_err err = WA_ERR_INIT;
        CHECK(wa_helper_describe(l, wa_sv(texts[i]), NULL, &err) == WA_E_REFUSED);
    }
    struct wa_talk t = {.l = l, .silence_ms = 15000};
    struct wa_err err = WA_ERR_INIT, too = WA_ERR_INIT;
    struct wa_chan_msg answer;
    struct wa_describe endless;
    memset(&endless, 'x', sizeof endless);
    CHECK_OK(wa_talk_begin(&t, l, WA_ROLE_DESCRIBE, 15, &err));
    CHECK_OK(wa_talk_send(&t, WA_M_DESCRIBE, 1, wa_sv_n(&endless, sizeof endless), -1, &err));
    CHECK_OK(wa_talk_recv(&t, 1, &answer, &err));
    CHECK(answer.payload.n > 0 && wa_role_error_read(answer.payload, &too) == WA_E_REFUSED);
    wa_talk_end(&t);
    wa_launcher_free(l);
}

/* Leaves children behind and dies; the next manager finds them gone. */
static void play_die(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = room_link();
    char path[WA_PATH_MAX], text[64];
    struct wa_buf WA_AUTO_BUF before;
    wa_buf_init(&before, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/pids", dir);
    if (wa_path_read(path, 4096, &before, &err) == WA_OK) {
        room_check_gone(&before, 3);
        CHECK(unlink(path) == 0);
        wa_launcher_free(l);
        return;
    }
    wa_err_clear(&err);
    static const struct wa_start starts[] = {
        {.role = WA_ROLE_UNPACK},
        {.role = WA_ROLE_AUTH},
        {.role = WA_ROLE_RUNNER, .stage = ROOM_STAGE, .timeout_s = 600},
    };
    for (size_t i = 0; i < WA_COUNT(starts); i++) {
        struct wa_helper *h = NULL;
        CHECK_OK(wa_helper_start(l, &starts[i], &h, &err));
        CHECK(proc_is_there(h->pid));
        (void)snprintf(text, sizeof text, "pid %d\n", h->pid);
        wa_buf_adds(&before, text);
    }
    room_write(path, wa_buf_str(&before), 0644);
    (void)raise(SIGKILL);
}

/* Until a signal; its own number and that of its child are in the file. */
static void play_wait(const char *dir)
{
    char path[WA_PATH_MAX], text[64];
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = room_link();
    struct wa_helper *h = NULL;
    const struct wa_start what = {.role = WA_ROLE_UNPACK};
    CHECK_OK(wa_helper_start(l, &what, &h, &err));
    (void)snprintf(path, sizeof path, "%s/ready", dir);
    (void)snprintf(text, sizeof text, "%d %d", getpid(), h->pid);
    room_write(path, text, 0644);
    (void)pause();
}

static void play_exit7(const char *dir)
{
    WA_UNUSED(dir);
    exit(7);
}

static const struct room_scenario scenarios[] = {
    {"confined", play_confined}, {"unpack", play_unpack},     {"hostile", play_hostile},
    {"auth", play_auth},         {"describe", play_describe}, {"die", play_die},
    {"wait", play_wait},         {"exit7", play_exit7},       {NULL, NULL},
};

/* --- the tests --- */

static void test_each_role_confines_itself(void **state)
{
    WA_UNUSED(state);
    room_play("confined");
}

static void test_unpack_reads_packages(void **state)
{
    WA_UNUSED(state);
    room_play("unpack");
}

static void test_the_launcher_refuses(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(hostile); i++) {
        char row[16];
        (void)snprintf(row, sizeof row, "%zu", i);
        int status = room_wait(room_launch("hostile", row, true));
        if (status != (hostile[i].kills ? 128 + SIGKILL : 0)) {
            print_error("row '%s': status %d\n", hostile[i].name, status);
        }
        assert_int_equal(status, hostile[i].kills ? 128 + SIGKILL : 0);
    }
}

static void test_auth_answers(void **state)
{
    WA_UNUSED(state);
    room_play("auth");
}

static void test_describe_refuses_what_is_no_line(void **state)
{
    WA_UNUSED(state);
    room_play("describe");
}

static void test_a_dead_manager_is_replaced(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(room_wait(room_launch("die", room_dir(), false)), 0);
}

/* Starts "wait" and tells the numbers of the manager and its child. */
static pid_t start_waiting(int ret_pids[2])
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF text;
    wa_buf_init(&text, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/ready", room_dir());
    pid_t pid = room_launch("wait", room_dir(), false);
    for (int i = 0; i < ROOM_PATIENCE_MS / 20 && access(path, F_OK) != 0; i++) {
        (void)usleep(20000);
    }
    assert_int_equal(wa_path_read(path, 4096, &text, &err), WA_OK);
    assert_int_equal(sscanf(wa_buf_str(&text), "%d %d", &ret_pids[0], &ret_pids[1]), 2);
    assert_int_equal(unlink(path), 0);
    assert_true(proc_is_there(ret_pids[0]) && proc_is_there(ret_pids[1]));
    return pid;
}

static void test_stop_reaches_the_manager(void **state)
{
    int pids[2];
    WA_UNUSED(state);
    pid_t pid = start_waiting(pids);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(room_wait(pid), 128 + SIGTERM);
    assert_false(proc_is_there(pids[0]) || proc_is_there(pids[1]));
}

static void test_nobody_outlives_the_launcher(void **state)
{
    int pids[2], status = 0;
    WA_UNUSED(state);
    pid_t pid = start_waiting(pids);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (int i = 0; i < ROOM_PATIENCE_MS / 20 && (proc_is_there(pids[0]) || proc_is_there(pids[1]));
         i++) {
        (void)usleep(20000);
    }
    assert_false(proc_is_there(pids[0]) || proc_is_there(pids[1]));
}

static void test_once_tells_the_managers_status(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(room_wait(room_launch("exit7", room_dir(), true)), 7);
}

/* Root, but not of the manager's unit. */
static void test_a_stranger_gets_no_launcher(void **state)
{
    WA_UNUSED(state);
    pid_t pid = fork();
    if (pid == 0) {
        struct wa_agent_paths paths;
        struct wa_err err = WA_ERR_INIT;
        int pair[2];
        room_paths(&paths);
        bool is_refused = wa_socketpair(pair, &err) == WA_OK &&
                          wa_role_launcher_of(&paths, pair[0], &err) == WA_E_DENIED;
        _exit(is_refused && strstr(err.text, WA_MANAGER_UNIT) != NULL ? 0 : 1);
    }
    assert_int_equal(room_wait(pid), 0);
}

static void put_file(const char *name, struct wa_sv bytes)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", room_dir(), name);
    assert_int_equal(wa_path_replace(path, bytes, 0600, &err), WA_OK);
}

/* large.zip: more than one piece a member; cut.zip: without its end; crc.zip: one byte of the
 * content is another. */
static void make_archives(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF zip, content;
    struct wa_buf_sink sink;
    struct wa_zip_writer *w = NULL;
    struct wa_relpath name;
    uint32_t x = 1;
    wa_buf_init(&zip, 16u << 20);
    wa_buf_init(&content, 16u << 20);
    wa_buf_sink_init(&sink, &zip);
    for (size_t i = 0; i < 300000; i++) { /* does not deflate */
        x = x * 1664525u + 1013904223u;
        wa_buf_u32le(&content, x);
    }
    assert_int_equal(wa_zip_writer_new(&sink.base, 1700000000, 0, &w, &err), WA_OK);
    assert_int_equal(wa_relpath_parse(WA_SV("data/random.bin"), &name, &err), WA_OK);
    assert_int_equal(wa_zip_add_bytes(w, &name, 0600, wa_buf_sv(&content), &err), WA_OK);
    assert_int_equal(wa_relpath_parse(WA_SV("empty"), &name, &err), WA_OK);
    assert_int_equal(wa_zip_add_bytes(w, &name, 0600, (struct wa_sv){0}, &err), WA_OK);
    assert_int_equal(wa_zip_finish(w, &err), WA_OK);
    wa_zip_writer_free(w);
    put_file("large.zip", wa_buf_sv(&zip));
    put_file("cut.zip", wa_sv_sub(wa_buf_sv(&zip), 0, zip.n - 9));
    zip.p[600000] = (char)(zip.p[600000] ^ 1);
    put_file("crc.zip", wa_buf_sv(&zip));
}

static int group_setup(void **state)
{
    struct wa_agent_paths paths;
    WA_UNUSED(state);
    room_open();
    room_paths(&paths);
    room_stage(paths.base, ROOM_STAGE);
    make_archives();
    return 0;
}

static int group_teardown(void **state)
{
    WA_UNUSED(state);
    room_close();
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (room_main(argc, argv, scenarios, &status)) {
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_role_confines_itself),
        cmocka_unit_test(test_unpack_reads_packages),
        cmocka_unit_test(test_the_launcher_refuses),
        cmocka_unit_test(test_auth_answers),
        cmocka_unit_test(test_describe_refuses_what_is_no_line),
        cmocka_unit_test(test_a_dead_manager_is_replaced),
        cmocka_unit_test(test_stop_reaches_the_manager),
        cmocka_unit_test(test_nobody_outlives_the_launcher),
        cmocka_unit_test(test_once_tells_the_managers_status),
        cmocka_unit_test(test_a_stranger_gets_no_launcher),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
