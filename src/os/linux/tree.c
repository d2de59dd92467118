/* tree.c - process trees that can be killed whole, as cgroups.
 *
 * The handle is text: "cg:<directory>", or "pg:<pid>:<mark>" where no cgroup could be made
 * (tree_proc.c). Version 2 is preferred; in version 1 only membership matters, and the freezer, so
 * that nothing forks while it is being killed. A tree is made below our own cgroup, so that the
 * service manager counts it as ours.
 *
 * Killing is what must never hit anything else: only a directory with a name of our own making is
 * touched, and none that holds ourselves, whatever the handle says.
 */
#include "os/linux/tree_priv.h"

#include "os/fs.h"
#include "os/rand.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNT "/sys/fs/cgroup"
#define PREFIX "wa-tree."
#define DEPTH_MAX 8 /* levels of cgroups that members may have made below theirs */

/* Where hierarchies are mounted, in the order of preference; `controller` as /proc/self/cgroup
 * names it, "" for version 2. */
static const struct {
    const char *mount, *controller;
} hierarchies[] = {
    {MOUNT "/unified", ""},
    {MOUNT, ""},
    {MOUNT "/freezer", "freezer"},
    {MOUNT "/pids", "pids"},
};

/* Our own cgroup in that hierarchy, "/" at worst. */
static void own_cgroup(const char *controller, char *out, size_t size)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    (void)snprintf(out, size, "/");
    wa_buf_init(&text, 1u << 16);
    if (wa_path_read("/proc/self/cgroup", 1u << 16, &text, &ignored) != WA_OK)
        return;
    struct wa_sv rest = wa_buf_sv(&text), line;
    while (wa_sv_split(&rest, '\n', &line)) { /* number:controllers:path */
        struct wa_sv number, names, name;
        if (!wa_sv_split(&line, ':', &number) || !wa_sv_split(&line, ':', &names) || line.n == 0)
            continue;
        bool is_it = names.n == 0 && controller[0] == '\0';
        while (!is_it && controller[0] != '\0' && wa_sv_split(&names, ',', &name))
            is_it = wa_sv_eqs(name, controller);
        if (is_it && line.n < size)
            (void)snprintf(out, size, "%.*s", WA_SV_ARG(line));
    }
}

/* Makes `name` below the cgroup `parent` and opens it for its first member. */
static bool make_below(const char *parent, const char *name, char *ret_handle, size_t size,
                       int *ret_procs_fd)
{
    char procs[WA_PATH_MAX], handle[WA_PATH_MAX];
    const char *dir = handle + 3;
    char unique[9];
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_rand_hex(unique, 4, &ignored) != WA_OK)
        return false;
    int n = snprintf(handle, sizeof handle, "cg:%s/" PREFIX "%s-%s", parent, name, unique);
    if (n < 0 || (size_t)n >= size || (size_t)n >= sizeof handle)
        return false;
    (void)snprintf(procs, sizeof procs, "%.*s/cgroup.procs", 4000, parent);
    if (access(procs, F_OK) != 0 || mkdir(dir, 0755) != 0) /* one that is there is another's */
        return false;
    (void)snprintf(procs, sizeof procs, "%.*s/cgroup.procs", 4000, dir);
    int fd = open(procs, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)rmdir(dir);
        return false;
    }
    memcpy(ret_handle, handle, (size_t)n + 1);
    *ret_procs_fd = fd;
    return true;
}

bool wa_tree_make(const char *name, char *ret_handle, size_t size, int *ret_procs_fd)
{
    for (size_t i = 0; i < WA_COUNT(hierarchies); i++) {
        char own[1024], parent[sizeof own + 64];
        const char *mount = hierarchies[i].mount;
        own_cgroup(hierarchies[i].controller, own, sizeof own);
        (void)snprintf(parent, sizeof parent, "%s%s", mount, strcmp(own, "/") == 0 ? "" : own);
        if (make_below(parent, name, ret_handle, size, ret_procs_fd) ||
            make_below(mount, name, ret_handle, size, ret_procs_fd))
            return true;
    }
    return false;
}

/* Writes to a control file; false when it is not there or refuses. */
static bool poke(const char *dir, const char *file, const char *text)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.*s/%s", 4000, dir, file);
    WA_AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

bool wa_tree_is_made(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    if (strncmp(dir, MOUNT "/", sizeof MOUNT) != 0 || strstr(dir, "/.") != NULL ||
        strstr(dir, "//") != NULL || strncmp(slash + 1, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    return wa_tree_is_name(slash + sizeof PREFIX);
}

bool wa_tree_is_name(const char *s)
{
    return s[0] != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Whether the process whose /proc file that is is in the cgroup, or in one below it; unknown where
 * it can't be read. Of that name in whatever hierarchy: names are unique. */
static bool is_in(const char *proc_file, const char *dir, bool unknown)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_sv rest, line, part;
    wa_buf_init(&text, 1u << 16);
    if (wa_path_read(proc_file, 1u << 16, &text, &ignored) != WA_OK)
        return unknown;
    rest = wa_buf_sv(&text);
    while (wa_sv_split(&rest, '\n', &line)) {
        if (!wa_sv_split(&line, ':', &part) || !wa_sv_split(&line, ':', &part) || line.n == 0)
            continue;
        char own[WA_PATH_MAX], name[WA_NAME_MAX + 2];
        (void)snprintf(own, sizeof own, "%.*s/", WA_SV_ARG(line));
        (void)snprintf(name, sizeof name, "%.250s/", strrchr(dir, '/'));
        if (strstr(own, name) != NULL)
            return true;
    }
    return false;
}

static bool is_member(const void *dir, int pid)
{
    char proc_file[64];
    (void)snprintf(proc_file, sizeof proc_file, "/proc/%d/cgroup", pid);
    return is_in(proc_file, dir, false);
}

/* Kills every process of the cgroup but ourselves. False when it has none. */
static bool kill_members(const char *dir)
{
    char path[WA_PATH_MAX], text[65536];
    (void)snprintf(path, sizeof path, "%.*s/cgroup.procs", 4000, dir);
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text); /* the next round sees the rest */
    struct wa_sv rest = wa_sv_n(text, got < 0 ? 0 : (size_t)got), line;
    bool any = false;
    while (wa_sv_split(&rest, '\n', &line)) {
        uint64_t pid;
        bool is_whole = rest.p != NULL; /* a number at the end may be cut */
        if (!is_whole || !wa_sv_u64(line, &pid) || pid <= 1 || pid > INT32_MAX)
            continue;
        any = true;
        if ((pid_t)pid != getpid())
            wa_tree_signal((int)pid, SIGKILL, is_member, dir);
    }
    return any;
}

/* Kills the members of the cgroup and of those below it, and removes them all. False while
 * something is left. */
static bool kill_all(const char *dir, int depth)
{
    bool is_empty = true;
    DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        char sub[WA_PATH_MAX];
        int n = snprintf(sub, sizeof sub, "%.*s/%s", 3700, dir, e->d_name);
        if (e->d_type == DT_DIR && e->d_name[0] != '.' && n > 0 && n < (int)sizeof sub)
            is_empty = kill_all(sub, depth + 1) && is_empty;
    }
    if (d != NULL)
        (void)closedir(d);
    (void)poke(dir, "pids.max", "0");
    bool is_frozen = poke(dir, "freezer.state", "FROZEN");
    is_empty = !kill_members(dir) && is_empty;
    if (is_frozen) /* in version 1 a frozen process dies once it thaws */
        (void)poke(dir, "freezer.state", "THAWED");
    return is_empty && (rmdir(dir) == 0 || errno == ENOENT);
}

static enum wa_code kill_cgroup(const char *dir, struct wa_err *err)
{
    if (!wa_tree_is_made(dir))
        return wa_fail(err, WA_E_USAGE, "'%s' is not a process tree", dir);
    if (is_in("/proc/self/cgroup", dir, true)) /* can't tell: leave it alone */
        return wa_fail(err, WA_E_USAGE, "the process tree '%s' is our own", dir);
    for (int round = 0; round < WA_TREE_ROUNDS; round++) {
        if (!poke(dir, "cgroup.kill", "1"))
            (void)poke(dir, "cgroup.freeze", "1"); /* version 2 before Linux 5.14 */
        if (kill_all(dir, 0))
            return WA_OK;
        (void)poll(NULL, 0, round < 20 ? 5 : 25);
    }
    return wa_fail(err, WA_E_FAILED, "processes of '%s' could not be killed", dir);
}

/* "WAPT_TREE=" and 32 hex digits: anything shorter could be in everybody's environment. */
static bool is_mark(struct wa_sv s)
{
    static const char start[] = WA_TREE_MARK_ENV "=";
    if (s.n + 1 != WA_TREE_MARK || !wa_sv_starts(s, start))
        return false;
    return strspn(s.p + sizeof start - 1, "0123456789abcdef") == 32; /* ends with the handle */
}

enum wa_code wa_tree_kill(const char *tree, struct wa_err *err)
{
    if (strncmp(tree, "cg:", 3) == 0)
        return kill_cgroup(tree + 3, err);
    struct wa_sv rest = wa_sv(tree), kind, pid;
    uint64_t leader;
    if (!wa_sv_split(&rest, ':', &kind) || !wa_sv_eqs(kind, "pg") ||
        !wa_sv_split(&rest, ':', &pid) || !wa_sv_u64(pid, &leader) || leader <= 1 ||
        leader > INT32_MAX || !is_mark(rest))
        return wa_fail(err, WA_E_USAGE, "'%s' is not a process tree", tree);
    return wa_tree_kill_marked((int)leader, rest.p, err);
}
