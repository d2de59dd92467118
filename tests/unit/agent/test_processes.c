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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/zip_read.h"
#include "codec/zip_write.h"
#include "os/clock.h"
#include "os/fs.h"
#include "process_lib.h"

#define CHANNEL WA_ROLE_CHANNEL_FD
#define STAGE "0123456789abcdef0123456789abcdef"
#define PATIENCE_MS 30000 /* ms: only to end a test that would hang */

static const char *vector;     /* a package */
static const char *python_dir; /* where the real wapt_runner.py lies */

/* --- scenarios: in the manager --- */

static struct wa_launcher *link_open(void)
{
    struct wa_launcher *l = NULL;
    struct wa_err err = WA_ERR_INIT;
    CHECK_OK(wa_launcher_open(CHANNEL, &l, &err));
    return l;
}

static void wait_confined(int pid)
{
    char text[64];
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        proc_status(pid, "Seccomp", text, sizeof text);
        if (strcmp(text, "2") == 0) {
            return;
        }
        CHECK(proc_is_there(pid));
        (void)usleep(20000);
    }
    CHECK(!"it never confined itself");
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
        if (!wa_sv_u64(wa_sv(e->d_name), &fd) || fd <= CHANNEL) {
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
    };
    struct wa_launcher *l = link_open();
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
    struct wa_launcher *l = link_open();
    unpack_file(l, vector, WA_OK);
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
     {.role = WA_ROLE_AUTH, .stage = STAGE},
     false,
     false},
    {"no limit",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = STAGE},
     false,
     false},
    {"a year",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .stage = STAGE, .timeout_s = 86400 * 365},
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
     {.role = WA_ROLE_RUNNER, .hook = WA_HOOK_COUNT, .stage = STAGE, .timeout_s = 5},
     false,
     false},
    {"install as a user",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .uid = ROOM_USER_UID, .stage = STAGE, .timeout_s = 5},
     false,
     false},
    {"a session of root",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER, .hook = WA_HOOK_SESSION_SETUP, .stage = STAGE, .timeout_s = 5},
     false,
     false},
    {"a session of the system",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 999,
      .stage = STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session of nobody",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 65534,
      .stage = STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session of (uid_t)-1",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = UINT32_MAX,
      .stage = STAGE,
      .timeout_s = 5},
     false,
     false},
    {"a session without account",
     WA_M_START,
     sizeof(struct wa_start),
     {.role = WA_ROLE_RUNNER,
      .hook = WA_HOOK_SESSION_SETUP,
      .uid = 7777,
      .stage = STAGE,
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
    CHECK_OK(wa_chan_new(CHANNEL, wa_role_rules(WA_ROLE_LAUNCHER, WA_ROLE_MANAGER), &c, &err));
    CHECK_OK(wa_chan_send(c, h->type, 7, wa_sv_n(bytes, h->size), h->has_fd ? 0 : -1, &err));
    if (h->kills) {
        (void)pause(); /* for the launcher to kill us */
    }
    CHECK_OK(wa_chan_recv(c, PATIENCE_MS, &msg, &err));
    CHECK(msg.type == WA_M_FAILED && msg.id == 7 && msg.payload.n == sizeof failed);
    memcpy(&failed, msg.payload.p, sizeof failed);
    CHECK(failed.code == WA_E_REFUSED || failed.code == WA_E_NOT_FOUND);
    CHECK(failed.text[0] != '\0');
    CHECK(proc_children(getppid(), siblings, 8) == 1); /* ourselves */
    wa_chan_free(c);
}

struct heard {
    struct wa_buf text;
};

static void on_output(void *user, struct wa_sv text)
{
    struct heard *h = user;
    wa_buf_addsv(&h->text, text);
}

/* Runs one request on STAGE. */
static enum wa_code run(struct wa_launcher *l, const char *request, enum wa_hook hook, uint32_t uid,
                        uint32_t timeout_s, struct heard *h, struct wa_buf *result,
                        struct wa_run_result *ret, struct wa_err *err)
{
    const struct wa_run what = {STAGE, hook, uid, wa_sv(request), timeout_s};
    wa_buf_init(&h->text, 4u << 20);
    wa_buf_init(result, 65536);
    return wa_helper_run(l, &what, on_output, h, NULL, result, ret, err);
}

static bool holds(const struct wa_buf *b, const char *text)
{
    return strstr(wa_buf_str(b), text) != NULL;
}

static void play_run(const char *dir)
{
    static const struct {
        const char *request;
        enum wa_exit_kind kind;
        int value;
        bool has_result;
    } rows[] = {
        {"{\"do\":\"tell\"}", WA_EXIT_STATUS, 0, true},
        {"{\"do\":\"fail\"}", WA_EXIT_STATUS, 3, false},
        {"{\"do\":\"silent\"}", WA_EXIT_STATUS, 0, false},
        {"{\"do\":\"abort\"}", WA_EXIT_SIGNAL, 9, false},
        {"no request at all", WA_EXIT_STATUS, 1, false},
    };
    struct wa_launcher *l = link_open();
    WA_UNUSED(dir);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        CHECK_OK(run(l, rows[i].request, WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err));
        CHECK(r.exit.kind == rows[i].kind && r.exit.value == rows[i].value);
        CHECK(!r.timed_out && r.has_result == rows[i].has_result);
        if (i == 0) {
            CHECK(wa_sv_eqs(wa_buf_sv(&h.text), "caf\xc3\xa9\nto stderr\n") ||
                  wa_sv_eqs(wa_buf_sv(&h.text), "to stderr\ncaf\xc3\xa9\n"));
            CHECK(holds(&result, "\"uid\": [0, 0, 0]") && holds(&result, "\"groups\": []"));
            CHECK(holds(&result, "\"HOME\": \"/root\"") && holds(&result, "# the script"));
            CHECK(holds(&result, "\"DEBIAN_FRONTEND\": \"noninteractive\""));
            CHECK(!holds(&result, "WAPT_") && holds(&result, "\"sid\": true"));
            CHECK(holds(&result, "\"fds\": [\"0\", \"1\", \"2\", \"3\", \"4\"]"));
        }
        wa_buf_fini(&h.text);
    }
    wa_launcher_free(l);
}

/* As the user whose session it is: in the folder that it could not reach by itself. */
static void play_session(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = link_open();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"tell\"}", WA_HOOK_SESSION_SETUP, ROOM_USER_UID, 60, &h, &result, &r,
                 &err));
    CHECK(r.exit.kind == WA_EXIT_STATUS && r.exit.value == 0 && r.has_result);
    CHECK(holds(&result, "\"uid\": [4242, 4242, 4242]"));
    CHECK(holds(&result, "\"gid\": [4242, 4242, 4242]"));
    CHECK(holds(&result, "\"groups\": [4242, 4251]"));
    CHECK(holds(&result, "\"HOME\": \"/nonexistent\"") && holds(&result, "\"USER\": \"waptusr\""));
    CHECK(holds(&result, "# the script"));
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

/* The real runner on a real script: in a folder that only root reaches, and as a user in a folder
 * the user can't reach. */
static void play_script(const char *dir)
{
    static const char request[] = "{\"hook\":\"%s\",\"basedir\":\".\",\"control\":{\"package\":"
                                  "\"p\",\"version\":\"1\"},\"params\":{},\"force\":false}";
    static const char script[] = "import os\ndef install():\n    print('as', os.getuid())\n"
                                 "def session_setup():\n    print('as', os.getuid())\n";
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = link_open();
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/base/private/stage/" STAGE "/setup.py", dir);
    room_write(path, script, 0644);
    for (int i = 0; i < 2; i++) {
        enum wa_hook hook = i == 0 ? WA_HOOK_INSTALL : WA_HOOK_SESSION_SETUP;
        uint32_t uid = i == 0 ? 0 : ROOM_USER_UID;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        char text[512];
        (void)snprintf(text, sizeof text, request, wa_hook_name(hook));
        CHECK_OK(run(l, text, hook, uid, 60, &h, &result, &r, &err));
        (void)snprintf(text, sizeof text, "as %u\n", uid);
        if (!r.has_result || !holds(&h.text, text) || !holds(&result, "\"OK\"")) {
            (void)fprintf(stderr, "%s: %s%s\n", wa_hook_name(hook), wa_buf_str(&h.text),
                          wa_buf_str(&result));
            exit(99);
        }
        wa_buf_fini(&h.text);
    }
    room_write(path, "# the script\n", 0644);
    wa_launcher_free(l);
}

static void play_flood(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = link_open();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"flood\"}", WA_HOOK_AUDIT, 0, 60, &h, &result, &r, &err));
    CHECK(r.has_result);
    CHECK(h.text.n <= WA_SCRIPT_OUTPUT_MAX + 128 && h.text.n > WA_SCRIPT_OUTPUT_MAX / 2);
    CHECK(wa_sv_starts(wa_buf_sv(&h.text), "FIRST\n") && wa_sv_ends(wa_buf_sv(&h.text), "LAST\n"));
    CHECK(holds(&h.text, "bytes of output were left out here]\n"));
    wa_buf_fini(&h.text);
    wa_buf_fini(&result);
    /* A result beyond its cap is no result: the tree is killed, the call refused. */
    CHECK(run(l, "{\"do\":\"long\"}", WA_HOOK_AUDIT, 0, 60, &h, &result, &r, &err) == WA_E_REFUSED);
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

/* Every process that the script named is gone. */
static void check_gone(const struct wa_buf *text, size_t expected)
{
    struct wa_sv rest = wa_buf_sv(text), line;
    size_t n = 0;
    while (wa_sv_split(&rest, '\n', &line)) {
        uint64_t pid;
        if (wa_sv_starts(line, "pid ") && wa_sv_u64(wa_sv_sub(line, 4, line.n), &pid)) {
            n++;
            CHECK(!proc_is_there((int)pid));
        }
    }
    CHECK(n == expected);
}

static void play_tree(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = link_open();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"fork\"}", WA_HOOK_INSTALL, 0, 2, &h, &result, &r, &err));
    CHECK(r.timed_out && !r.has_result && r.exit.kind == WA_EXIT_SIGNAL);
    check_gone(&h.text, 5);
    wa_buf_fini(&h.text);
    wa_buf_fini(&result);
    CHECK_OK(run(l, "{\"do\":\"daemon\"}", WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err));
    CHECK(!r.timed_out && r.has_result);
    check_gone(&h.text, 1);
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

static void cancel_at_word(void *user, struct wa_sv text)
{
    WA_UNUSED(text);
    wa_cancel_set(user);
}

static void play_cancel(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = link_open();
    struct wa_cancel *cancel = NULL;
    struct wa_run_result r;
    struct wa_buf WA_AUTO_BUF result;
    const struct wa_run what = {STAGE, WA_HOOK_INSTALL, 0, WA_SV("{\"do\":\"fork\"}"), 600};
    int siblings[8];
    WA_UNUSED(dir);
    wa_buf_init(&result, 65536);
    CHECK_OK(wa_cancel_new(&cancel, &err));
    CHECK(wa_helper_run(l, &what, cancel_at_word, cancel, cancel, &result, &r, &err) ==
          WA_E_CANCELLED);
    CHECK(proc_children(getppid(), siblings, 8) == 1);
    wa_cancel_free(cancel);
    wa_launcher_free(l);
}

/* The folder is one that only root can write, and no link leads to it. Each row spoils something.
 */
static void play_stage(const char *dir)
{
    static const struct {
        const char *path; /* below base */
        unsigned mode;
        unsigned uid;
    } rows[] = {
        {"", 0777, 0},
        {"private", 0770, 0},
        {"private/stage", 0702, 0},
        {"private", 0700, 4242},
        {"private/stage/" STAGE, 0775, 0},
        {"private/stage/" STAGE, 0755, 4242},
    };
    struct wa_launcher *l = link_open();
    for (size_t i = 0; i < WA_COUNT(rows) + 1; i++) {
        struct wa_err err = WA_ERR_INIT;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        struct stat st;
        char path[WA_PATH_MAX];
        bool is_good = i == WA_COUNT(rows); /* the last turn spoils nothing: it must run again */
        (void)snprintf(path, sizeof path, "%s/base/%s", dir, is_good ? "" : rows[i].path);
        CHECK(stat(path, &st) == 0);
        if (!is_good) {
            CHECK(chmod(path, rows[i].mode) == 0 && chown(path, rows[i].uid, 0) == 0);
        }
        enum wa_code code =
            run(l, "{\"do\":\"tell\"}", WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err);
        CHECK(code == (is_good ? WA_OK : WA_E_REFUSED));
        CHECK(chmod(path, st.st_mode & 07777) == 0 && chown(path, 0, 0) == 0);
        wa_buf_fini(&h.text);
    }
    wa_launcher_free(l);
}

static void play_link(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = link_open();
    struct wa_run_result r;
    struct wa_buf WA_AUTO_BUF result;
    char path[WA_PATH_MAX], target[WA_PATH_MAX];
    struct wa_run what = {"ffffffffffffffffffffffffffffffff", WA_HOOK_INSTALL, 0,
                          WA_SV("{\"do\":\"tell\"}"), 60};
    wa_buf_init(&result, 65536);
    (void)snprintf(path, sizeof path, "%s/base/private/stage/%s", dir, what.stage);
    (void)snprintf(target, sizeof target, "%s/base/private/stage/" STAGE, dir);
    CHECK(symlink(target, path) == 0);
    enum wa_code code = wa_helper_run(l, &what, NULL, NULL, NULL, &result, &r, &err);
    CHECK(unlink(path) == 0);
    CHECK(code != WA_OK && code != WA_E_INTERNAL);
    what.stage = STAGE;
    wa_err_clear(&err);
    CHECK_OK(wa_helper_run(l, &what, NULL, NULL, NULL, &result, &r, &err));
    wa_launcher_free(l);
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
    struct wa_launcher *l = link_open();
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

/* Leaves children behind and dies; the next manager finds them gone. */
static void play_die(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = link_open();
    char path[WA_PATH_MAX], text[64];
    struct wa_buf WA_AUTO_BUF before;
    wa_buf_init(&before, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/pids", dir);
    if (wa_path_read(path, 4096, &before, &err) == WA_OK) {
        check_gone(&before, 3);
        CHECK(unlink(path) == 0);
        wa_launcher_free(l);
        return;
    }
    wa_err_clear(&err);
    static const struct wa_start starts[] = {
        {.role = WA_ROLE_UNPACK},
        {.role = WA_ROLE_AUTH},
        {.role = WA_ROLE_RUNNER, .stage = STAGE, .timeout_s = 600},
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
    struct wa_launcher *l = link_open();
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

static const struct {
    const char *name;
    void (*play)(const char *dir);
} scenarios[] = {
    {"confined", play_confined}, {"unpack", play_unpack},   {"hostile", play_hostile},
    {"run", play_run},           {"session", play_session}, {"script", play_script},
    {"flood", play_flood},       {"tree", play_tree},       {"cancel", play_cancel},
    {"stage", play_stage},       {"link", play_link},       {"auth", play_auth},
    {"die", play_die},           {"wait", play_wait},       {"exit7", play_exit7},
};

static int manager(const char *scenario, const char *dir)
{
    (void)alarm(120); /* should the test's own process be gone */
    for (size_t i = 0; i < WA_COUNT(scenarios); i++) {
        if (strcmp(scenarios[i].name, scenario) == 0) {
            scenarios[i].play(dir);
            return 0;
        }
    }
    return 97;
}

/* --- the tests --- */

static pid_t start_launcher(const char *scenario, const char *arg, bool once)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    struct wa_agent_paths paths;
    struct wa_err err = WA_ERR_INIT;
    int status = 96;
    const char *const args[] = {"test", "manager", scenario, arg, vector, NULL};
    room_paths(&paths);
    if (strcmp(scenario, "script") == 0) {
        (void)snprintf(paths.libdir, sizeof paths.libdir, "%s", python_dir);
    }
    if (wa_role_launcher(&paths, args, once, &status, &err) != WA_OK) {
        (void)fprintf(stderr, "launcher: %s\n", err.text);
        status = 95;
    }
    _exit(status);
}

static int wait_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void play(const char *scenario)
{
    assert_int_equal(wait_status(start_launcher(scenario, room_dir(), true)), 0);
}

static void test_each_role_confines_itself(void **state)
{
    WA_UNUSED(state);
    play("confined");
}

static void test_unpack_reads_packages(void **state)
{
    WA_UNUSED(state);
    play("unpack");
}

static void test_the_launcher_refuses(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(hostile); i++) {
        char row[16];
        (void)snprintf(row, sizeof row, "%zu", i);
        int status = wait_status(start_launcher("hostile", row, true));
        if (status != (hostile[i].kills ? 128 + SIGKILL : 0)) {
            print_error("row '%s': status %d\n", hostile[i].name, status);
        }
        assert_int_equal(status, hostile[i].kills ? 128 + SIGKILL : 0);
    }
}

static void test_runner_runs(void **state)
{
    WA_UNUSED(state);
    play("run");
}

static void test_runner_runs_as_the_session_user(void **state)
{
    WA_UNUSED(state);
    play("session");
}

static void test_runner_runs_scripts(void **state)
{
    WA_UNUSED(state);
    play("script");
}

static void test_runner_output_is_cut(void **state)
{
    WA_UNUSED(state);
    play("flood");
}

static void test_runner_tree_dies(void **state)
{
    WA_UNUSED(state);
    play("tree");
}

static void test_runner_is_cancelled(void **state)
{
    WA_UNUSED(state);
    play("cancel");
}

static void test_only_roots_folders_are_run(void **state)
{
    WA_UNUSED(state);
    play("stage");
    play("link");
}

static void test_auth_answers(void **state)
{
    WA_UNUSED(state);
    play("auth");
}

static void test_a_dead_manager_is_replaced(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(wait_status(start_launcher("die", room_dir(), false)), 0);
}

/* Starts "wait" and tells the numbers of the manager and its child. */
static pid_t start_waiting(int ret_pids[2])
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF text;
    wa_buf_init(&text, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/ready", room_dir());
    pid_t pid = start_launcher("wait", room_dir(), false);
    for (int i = 0; i < PATIENCE_MS / 20 && access(path, F_OK) != 0; i++) {
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
    assert_int_equal(wait_status(pid), 128 + SIGTERM);
    assert_false(proc_is_there(pids[0]) || proc_is_there(pids[1]));
}

static void test_nobody_outlives_the_launcher(void **state)
{
    int pids[2], status = 0;
    WA_UNUSED(state);
    pid_t pid = start_waiting(pids);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (int i = 0; i < PATIENCE_MS / 20 && (proc_is_there(pids[0]) || proc_is_there(pids[1]));
         i++) {
        (void)usleep(20000);
    }
    assert_false(proc_is_there(pids[0]) || proc_is_there(pids[1]));
}

static void test_once_tells_the_managers_status(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(wait_status(start_launcher("exit7", room_dir(), true)), 7);
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
    assert_int_equal(wa_zip_writer_new(&sink.base, 1700000000, &w, &err), WA_OK);
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
    room_stage(paths.base, STAGE);
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
    if (wa_role_dispatch(argc, argv, &status)) {
        _exit(status); /* without what a sanitizer does at exit, which the confinement forbids */
    }
    if (argc == 5 && strcmp(argv[1], "manager") == 0) {
        vector = argv[4];
        return manager(argv[2], argv[3]);
    }
    if (argc != 3 || geteuid() != 0) {
        (void)fprintf(stderr, "needs root, the path of a package and that of wapt_runner.py\n");
        return 77; /* skipped */
    }
    vector = argv[1];
    python_dir = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_role_confines_itself),
        cmocka_unit_test(test_unpack_reads_packages),
        cmocka_unit_test(test_the_launcher_refuses),
        cmocka_unit_test(test_runner_runs),
        cmocka_unit_test(test_runner_runs_as_the_session_user),
        cmocka_unit_test(test_runner_runs_scripts),
        cmocka_unit_test(test_runner_output_is_cut),
        cmocka_unit_test(test_runner_tree_dies),
        cmocka_unit_test(test_runner_is_cancelled),
        cmocka_unit_test(test_only_roots_folders_are_run),
        cmocka_unit_test(test_auth_answers),
        cmocka_unit_test(test_a_dead_manager_is_replaced),
        cmocka_unit_test(test_stop_reaches_the_manager),
        cmocka_unit_test(test_nobody_outlives_the_launcher),
        cmocka_unit_test(test_once_tells_the_managers_status),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
