/* tree_proc.c - process trees where no cgroup can be made: what /proc shows.
 *
 * The first process carries a random mark in its environment, which its children inherit, and
 * adopts its orphans as long as it lives. So while it lives nothing of the tree gets away. After
 * its death a process that has left the session and wiped its environment does: then only a cgroup
 * would help. A pid is never taken for the tree's because of its number alone: numbers are used
 * again.
 */
#include "os/linux/tree_priv.h"

#include "os/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMBERS_MAX 1024  /* found in one round; the next one sees the rest */
#define FREEZE_ROUNDS 20  /* rounds of stopping before killing */
#define ANCESTORS_MAX 256 /* links of a chain of parents */

struct tree {
    pid_t leader;
    const char *mark;
};

struct status {
    pid_t parent;
    char state;
    uint64_t start; /* ticks since boot: with the number, which process it is */
};

struct member {
    pid_t pid;
    uint64_t start;
};

static ssize_t read_proc(pid_t pid, const char *name, char *out, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : read(fd, out, size);
}

/* False when it has gone or is a zombie. */
static bool read_status(pid_t pid, struct status *ret)
{
    char text[512];
    ssize_t n = read_proc(pid, "stat", text, sizeof text - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    /* The command's name may hold anything: fields begin after the last parenthesis. */
    const char *end = strrchr(text, ')');
    if (end == NULL || strlen(end) < 5)
        return false;
    struct wa_sv rest = wa_sv(end + 2), field = {NULL, 0};
    uint64_t fields[20] = {0}; /* from the third, the state, to the 22nd, the start */
    for (size_t i = 0; i < WA_COUNT(fields) && wa_sv_split(&rest, ' ', &field); i++)
        if (!wa_sv_u64(field, &fields[i]))
            fields[i] = 0;
    *ret = (struct status){(pid_t)fields[1], end[2], fields[19]};
    return ret->state != 'Z' && ret->state != 'X';
}

static bool has_mark(pid_t pid, const char *mark)
{
    char text[4096]; /* the mark comes first in the environment that we gave */
    ssize_t n = read_proc(pid, "environ", text, sizeof text);
    return n > 0 && memmem(text, (size_t)n, mark, strlen(mark)) != NULL;
}

static bool is_member(const struct tree *t, pid_t pid)
{
    bool is_ours = false;
    pid_t at = pid;
    struct status s;
    for (int i = 0; i < ANCESTORS_MAX && at > 1 && !is_ours; i++) {
        if (has_mark(at, t->mark))
            return true;
        if (!read_status(at, &s))
            break;
        at = s.parent;
        is_ours = at == getpid();
    }
    return is_ours && getsid(pid) == t->leader;
}

void wa_tree_signal(int pid, int signum, bool (*is_it)(const void *what, int pid), const void *what)
{
    WA_AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    bool is_held = pidfd >= 0;
    if ((!is_held && errno != ENOSYS) || !is_it(what, pid))
        return; /* it has gone, and the number may be another's */
    if (is_held)
        (void)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0u);
    else
        (void)kill(pid, signum);
}

/* Members other than ourselves. *ret_running: one of them is not stopped. */
static size_t find_members(const struct tree *t, struct member *list, bool *ret_running)
{
    DIR *d = opendir("/proc");
    size_t n = 0;
    *ret_running = false;
    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        uint64_t pid;
        struct status s;
        if (n == MEMBERS_MAX || !wa_sv_u64(wa_sv(e->d_name), &pid) || pid <= 1 || pid > INT32_MAX ||
            (pid_t)pid == getpid() || !read_status((pid_t)pid, &s) || !is_member(t, (pid_t)pid))
            continue;
        list[n++] = (struct member){(pid_t)pid, s.start};
        *ret_running = *ret_running || s.state != 'T';
    }
    if (d != NULL)
        (void)closedir(d);
    return n;
}

/* Not is_member() again: the first that die take their descendants' ancestry with them. */
static bool is_same(const void *member, int pid)
{
    struct status s;
    return read_status(pid, &s) && s.start == ((const struct member *)member)->start;
}

enum wa_code wa_tree_kill_marked(int leader, const char *mark, struct wa_err *err)
{
    const struct tree t = {leader, mark};
    struct member list[MEMBERS_MAX];
    for (int round = 0; round < WA_TREE_ROUNDS; round++) {
        bool is_running;
        size_t n = find_members(&t, list, &is_running);
        if (n == 0)
            return WA_OK;
        /* First all stand still, so that none forks or is orphaned unseen. */
        bool is_freezing = is_running && round < FREEZE_ROUNDS;
        for (size_t i = 0; i < n; i++)
            wa_tree_signal(list[i].pid, is_freezing ? SIGSTOP : SIGKILL, is_same, &list[i]);
        (void)poll(NULL, 0, is_freezing ? 1 : 10);
    }
    return wa_fail(err, WA_E_FAILED, "processes of the tree of %d could not be killed", leader);
}
