/* tree.c - process trees that can be killed whole: a cgroup where one can be made, else what /proc
 * shows of descendants.
 *
 * The handle is text: "cg:<directory>" or "pg:<pid>". A tree of the second kind is found by walking
 * parents, which needs the killer to be a subreaper: then orphans stay its descendants.
 */
#include "os/linux/tree_priv.h"

#include "os/clock.h"
#include "os/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define KILL_ROUNDS 200

/* Where trees may be made, in the order of preference. v2 first; in v1 any hierarchy that is
 * writable does, since only membership matters. */
static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup",
                                    "/sys/fs/cgroup/pids", "/sys/fs/cgroup/freezer"};

static bool has_file(const char *dir, const char *name)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

bool wa_tree_make(const char *name, char *ret_handle, size_t size, int *ret_procs_fd)
{
    for (size_t i = 0; i < WA_COUNT(roots); i++) {
        char dir[WA_PATH_MAX], procs[WA_PATH_MAX + 16];
        if (!has_file(roots[i], "cgroup.procs"))
            continue;
        (void)snprintf(dir, sizeof dir, "%s/%s", roots[i], name);
        if (mkdir(dir, 0755) != 0 && errno != EEXIST)
            continue;
        (void)snprintf(procs, sizeof procs, "%s/cgroup.procs", dir);
        int fd = open(procs, O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            (void)rmdir(dir);
            continue;
        }
        if (snprintf(ret_handle, size, "cg:%s", dir) >= (int)size) {
            (void)close(fd);
            (void)rmdir(dir);
            continue;
        }
        *ret_procs_fd = fd;
        return true;
    }
    return false;
}

/* --- cgroups --- */

/* Kills every process of the cgroup once; false when it is empty. */
static bool kill_members(const char *dir)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    bool any = false;
    wa_buf_init(&text, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/cgroup.procs", dir);
    if (wa_path_read(path, 1u << 20, &text, &err) != WA_OK)
        return false;
    struct wa_sv rest = wa_buf_sv(&text), line;
    while (wa_sv_split(&rest, '\n', &line)) {
        int64_t pid;
        if (!wa_sv_i64(line, &pid) || pid <= 0)
            continue;
        any = true;
        (void)kill((pid_t)pid, SIGKILL);
    }
    return any;
}

static enum wa_code kill_cgroup(const char *dir, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/cgroup.kill", dir);
    for (int round = 0; round < KILL_ROUNDS; round++) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)!write(fd, "1", 1);
            (void)close(fd);
        }
        if (!kill_members(dir) && (rmdir(dir) == 0 || errno == ENOENT))
            return WA_OK;
        (void)poll(NULL, 0, round < 20 ? 5 : 25);
    }
    return wa_fail(err, WA_E_FAILED, "processes of '%s' could not be killed", dir);
}

/* --- descendants by /proc --- */

/* Parent of pid; 0 when it is gone. */
static pid_t parent_of(pid_t pid)
{
    char path[64], text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    /* The command's name may hold anything: fields begin after the last parenthesis. */
    const char *end = strrchr(text, ')');
    if (end == NULL || end[1] == '\0' || end[2] == 'Z')
        return 0;
    return (pid_t)strtol(end + 3, NULL, 10);
}

static bool descends(pid_t pid, pid_t from)
{
    for (int depth = 0; depth < 64 && pid > 1; depth++) {
        if (pid == from)
            return true;
        pid = parent_of(pid);
    }
    return false;
}

/* Kills the descendants of pid, and orphans whose session it led. False when none was found. */
static bool kill_descendants(pid_t root)
{
    DIR *d = opendir("/proc");
    bool any = false;
    if (d == NULL)
        return false;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        uint64_t pid;
        if (!wa_sv_u64(wa_sv(e->d_name), &pid) || pid <= 1 || (pid_t)pid == getpid())
            continue;
        if (parent_of((pid_t)pid) == 0)
            continue;
        if (descends((pid_t)pid, root) || getsid((pid_t)pid) == root) {
            any = true;
            (void)kill((pid_t)pid, SIGKILL);
        }
    }
    (void)closedir(d);
    return any;
}

enum wa_code wa_tree_kill(const char *tree, struct wa_err *err)
{
    if (strncmp(tree, "cg:", 3) == 0)
        return kill_cgroup(tree + 3, err);
    if (strncmp(tree, "pg:", 3) != 0)
        return wa_fail(err, WA_E_USAGE, "'%s' is not a process tree", tree);
    pid_t root = (pid_t)strtol(tree + 3, NULL, 10);
    if (root <= 1)
        return wa_fail(err, WA_E_USAGE, "'%s' is not a process tree", tree);
    for (int round = 0; round < KILL_ROUNDS; round++) {
        if (!kill_descendants(root))
            return WA_OK;
        (void)poll(NULL, 0, 5);
    }
    return wa_fail(err, WA_E_FAILED, "processes below %d could not be killed", (int)root);
}
