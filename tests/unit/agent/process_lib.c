/* process_lib.c - a room of its own for tests that start the real processes as root.
 *
 * The accounts are bind mounts over /etc in a mount namespace that only this test and its children
 * see: nothing of the machine changes, and everything is gone with the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "process_lib.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fs.h"

/* SHA-512 crypt of "secret". */
#define SECRET                                                                                     \
    "$6$waptwapt$Rlzw2ee1VL9VCPINIjymdfCBaawMG4kD732XwpK59Z/"                                      \
    "Ut16o6LqMTNQJaEE63vhm2TjQ8IaxHebJYGhh/x14g0"

static char dir[WA_PATH_MAX];
static const char *argument;

static const char passwd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "nobody:x:65534:65534::/nonexistent:/bin/false\n" ROOM_USER
    ":x:4242:4242::/nonexistent:/bin/sh\n" ROOM_ADMIN
    ":x:4243:4243::/nonexistent:/bin/sh\n" ROOM_LOCKED
    ":x:4245:4245::/nonexistent:/bin/sh\n" ROOM_EMPTY
    ":x:4247:4247::/nonexistent:/bin/sh\n" ROOM_ACCOUNT ":x:4246:4246::/nonexistent:/bin/false\n";
static const char group[] =
    "root:x:0:\nnogroup:x:65534:\n" ROOM_USER ":x:4242:\n" ROOM_ADMIN ":x:4243:\n" ROOM_LOCKED
    ":x:4245:\n" ROOM_ACCOUNT ":x:4246:\nwaptselfservice:x:4250:" ROOM_ADMIN
    "\nextra:x:4251:" ROOM_USER "\n";
static const char shadow[] =
    "root:*:19000:0:99999:7:::\n" ROOM_USER ":" SECRET ":19000:0:99999:7:::\n" ROOM_ADMIN ":" SECRET
    ":19000:0:99999:7:::\n" ROOM_LOCKED ":!" SECRET ":19000:0:99999:7:::\n" ROOM_EMPTY
    "::19000:0:99999:7:::\n";
static const char pam[] = "auth required pam_unix.so nullok\naccount required pam_unix.so\n";

/* Stands for wapt_runner.py: does what the request says. */
static const char runner[] =
    "import json, os, sys, time\n"
    "with open(3, 'rb') as f:\n"
    "    ask = json.loads(f.read())\n"
    "def tell(**what):\n"
    "    os.write(4, json.dumps(what).encode())\n"
    "def sleeper():\n"
    "    pid = os.fork()\n"
    "    if pid == 0:\n"
    "        os.setsid()\n"
    "        while True:\n"
    "            time.sleep(1)\n"
    "    print('pid', pid, flush=True)\n"
    "do = ask['do']\n"
    "if do == 'tell':\n"
    "    print('caf\\u00e9')\n"
    "    print('to stderr', file=sys.stderr)\n"
    "    tell(uid=os.getresuid(), gid=os.getresgid(), groups=sorted(os.getgroups()), "
    "env=dict(os.environ),\n"
    "         setup=open('setup.py').read(), fds=sorted(os.listdir('/proc/self/fd')), "
    "sid=os.getsid(0) == os.getpid())\n"
    "elif do == 'fail':\n"
    "    tell(x=1)\n"
    "    sys.exit(3)\n"
    "elif do == 'silent':\n"
    "    pass\n"
    "elif do == 'flood':\n"
    "    print('FIRST', flush=True)\n"
    "    for i in range(40000):\n"
    "        os.write(1, b'x' * 99 + b'\\n')\n"
    "    print('LAST')\n"
    "    tell(x=1)\n"
    "elif do == 'long':\n"
    "    with open(4, 'wb') as f:\n"
    "        f.write(b'x' * (1 << 20))\n"
    "elif do == 'fork':\n"
    "    for i in range(5):\n"
    "        sleeper()\n"
    "    while True:\n"
    "        time.sleep(1)\n"
    "elif do == 'daemon':\n"
    "    sleeper()\n"
    "    tell(x=1)\n"
    "elif do == 'abort':\n"
    "    tell(x=1)\n"
    "    os.kill(os.getpid(), 9)\n";

static void must(bool condition, const char *what)
{
    if (!condition) {
        (void)fprintf(stderr, "the room can't be made: %s: %s\n", what, strerror(errno));
        exit(98);
    }
}

static void below(char out[WA_PATH_MAX], const char *name)
{
    int n = snprintf(out, WA_PATH_MAX, "%s/%s", dir, name);
    must(n > 0 && n < (int)WA_PATH_MAX, "path");
}

static void make(const char *name, unsigned mode)
{
    char path[WA_PATH_MAX];
    below(path, name);
    must(mkdir(path, mode) == 0 && chmod(path, mode) == 0, name);
}

void room_write(const char *path, const char *text, unsigned mode)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_path_replace(path, wa_sv(text), mode, &err) == WA_OK, err.text);
}

static void put(const char *name, const char *text, unsigned mode)
{
    char path[WA_PATH_MAX];
    below(path, name);
    room_write(path, text, mode);
}

static void cover(const char *name, const char *target)
{
    char path[WA_PATH_MAX];
    below(path, name);
    must(mount(path, target, NULL, MS_BIND, NULL) == 0, target);
}

void room_open(void)
{
    struct wa_err err = WA_ERR_INIT;
    must(unshare(CLONE_NEWNS) == 0, "a mount namespace");
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "a private root");
    must(wa_temp_dir("wapt-room", dir, &err) == WA_OK, err.text);
    must(chmod(dir, 0755) == 0, "rights");
    make("base", 0755);
    make("base/private", 0700);
    make("base/private/stage", 0700);
    make("lib", 0755);
    make("pam.d", 0755);
    put("lib/wapt_runner.py", runner, 0644);
    put("passwd", passwd, 0644);
    put("group", group, 0644);
    put("shadow", shadow, 0600);
    put("pam.d/wapt", pam, 0644);
    put("pam.d/other", "auth required pam_deny.so\naccount required pam_deny.so\n", 0644);
    cover("passwd", "/etc/passwd");
    cover("group", "/etc/group");
    cover("shadow", "/etc/shadow");
    cover("pam.d", "/etc/pam.d");
}

void room_close(void)
{
    struct wa_dir WA_AUTO_DIR tmp = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath name;
    static const char *const covered[] = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/pam.d"};
    for (size_t i = 0; i < WA_COUNT(covered); i++) {
        (void)umount2(covered[i], MNT_DETACH);
    }
    char *slash = strrchr(dir, '/');
    must(wa_relpath_parse(wa_sv(slash + 1), &name, &err) == WA_OK, err.text);
    *slash = '\0';
    must(wa_dir_open(dir, &tmp, &err) == WA_OK, err.text);
    must(wa_tree_remove(&tmp, &name, &err) == WA_OK, err.text);
}

const char *room_dir(void)
{
    return dir;
}

void room_paths(struct wa_agent_paths *paths)
{
    below(paths->base, "base");
    below(paths->libdir, "lib");
    (void)snprintf(paths->user, sizeof paths->user, ROOM_ACCOUNT);
}

void room_stage(const char *base, const char *id)
{
    char path[WA_PATH_MAX];
    must(snprintf(path, sizeof path, "%s/private/stage/%s", base, id) < (int)sizeof path, "path");
    must(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0, path);
    must(snprintf(path, sizeof path, "%s/private/stage/%s/setup.py", base, id) < (int)sizeof path,
         "path");
    room_write(path, "# the script\n", 0644);
}

void proc_status(int pid, const char *key, char *out, size_t n)
{
    char path[64];
    struct wa_buf WA_AUTO_BUF text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv line;
    wa_buf_init(&text, 1u << 20);
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    out[0] = '\0';
    if (wa_path_read(path, 65536, &text, &err) != WA_OK) {
        return;
    }
    struct wa_sv rest = wa_buf_sv(&text);
    while (wa_sv_split(&rest, '\n', &line)) {
        struct wa_sv name;
        struct wa_sv value = line;
        if (wa_sv_split(&value, ':', &name) && wa_sv_eqs(name, key)) {
            (void)wa_role_copy(wa_sv_trim(value), out, n);
        }
    }
}

bool proc_is_there(int pid)
{
    char state[64];
    proc_status(pid, "State", state, sizeof state);
    return state[0] != '\0' && state[0] != 'Z' && state[0] != 'X';
}

size_t proc_children(int pid, int *out, size_t max)
{
    size_t n = 0;
    DIR *d = opendir("/proc");
    must(d != NULL, "/proc");
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        uint64_t child, parent;
        char text[64];
        if (!wa_sv_u64(wa_sv(e->d_name), &child)) {
            continue;
        }
        proc_status((int)child, "PPid", text, sizeof text);
        if (wa_sv_u64(wa_sv(text), &parent) && (int)parent == pid && n < max &&
            proc_is_there((int)child)) {
            out[n++] = (int)child;
        }
    }
    (void)closedir(d);
    return n;
}

/* --- the play --- */

static int manager(const char *scenario, const char *arg, const struct room_scenario *s)
{
    (void)alarm(ROOM_LIFE_S); /* should the test's own process be gone */
    while (s->name != NULL && strcmp(s->name, scenario) != 0) {
        s++;
    }
    if (s->name == NULL) {
        return 97;
    }
    s->play(arg);
    return 0;
}

bool room_main(int argc, char **argv, const struct room_scenario *scenarios, int *ret_status)
{
    if (wa_role_dispatch(argc, argv, ret_status)) {
        _exit(
            *ret_status); /* without what a sanitizer does at exit, which the confinement forbids */
    }
    if (argc == 5 && strcmp(argv[1], "manager") == 0) {
        argument = argv[4];
        *ret_status = manager(argv[2], argv[3], scenarios);
        return true;
    }
    if (argc != 2 || geteuid() != 0) {
        (void)fprintf(stderr, "needs root and one argument, see meson.build\n");
        *ret_status = 99;
        return true;
    }
    argument = argv[1];
    return false;
}

const char *room_argument(void)
{
    return argument;
}

static void copy_tree(const char *from, const char *to)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/cp", "cp", "-rT", from, to, (char *)NULL);
        _exit(127);
    }
    must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "copying the scripts' side");
}

int room_launch(const char *scenario, const char *arg, bool once)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    struct wa_agent_paths paths;
    struct wa_err err = WA_ERR_INIT;
    int status = 96;
    const char *const args[] = {"test", "manager", scenario, arg, argument, NULL};
    room_paths(&paths);
    if (strcmp(scenario, "script") ==
        0) { /* with the real runner, where every account can walk to */
        below(paths.libdir, "real-lib");
        copy_tree(argument, paths.libdir);
    }
    if (wa_role_launcher(&paths, args, once, &status, &err) != WA_OK) {
        (void)fprintf(stderr, "launcher: %s\n", err.text);
        status = 95;
    }
    _exit(status);
}

int room_wait(int pid)
{
    int status = 0;
    must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "waiting for the launcher");
    return WEXITSTATUS(status);
}

void room_play(const char *scenario)
{
    int status = room_wait(room_launch(scenario, dir, true));
    if (status != 0) {
        fail_msg("scenario '%s' ended with status %d", scenario, status);
    }
}

struct wa_launcher *room_link(void)
{
    struct wa_launcher *l = NULL;
    struct wa_err err = WA_ERR_INIT;
    CHECK_OK(wa_launcher_open(WA_ROLE_CHANNEL_FD, &l, &err));
    return l;
}

void room_check_gone(const struct wa_buf *text, size_t expected)
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
