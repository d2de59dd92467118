/* tries.c - what somebody would do from inside a process that he has taken over: reach for the key,
 * for other files, for other processes.
 *
 * Each attempt is made as directly as can be, by the system call itself. Some end the process; then
 * what was announced stays without a result.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "hostile.h"

static long try_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : read(fd, &byte, 1) >= 0 ? 0 : -1;
}

static long try_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return fd < 0 ? -1 : write(fd, "taken", 5) == 5 ? 0 : -1;
}

static long try_remove(const char *path)
{
    return unlink(path);
}

static long try_link(const char *path)
{
    return symlink("/etc/shadow", path);
}

static long try_make(const char *path)
{
    return mkdir(path, 0755);
}

/* To be heard, not just to connect: the answer counts. */
static long try_ask(const char *path)
{
    static const char question[] = "{\"op\":\"restart\",\"args\":{}}\n";
    char answer;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        return -1;
    (void)!send(fd, question, sizeof question - 1, MSG_NOSIGNAL);
    return read(fd, &answer, 1) == 1 ? 0 : -1;
}

static pid_t pid_of(const char *text)
{
    return (pid_t)strtol(text, NULL, 10);
}

static bool stands_still(pid_t pid)
{
    char path[64], text[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && read(fd, text, sizeof text - 1) > 0;
    (void)close(fd);
    return is_read && strstr(text, ") T ") != NULL;
}

/* "MANAGER:SOCKET": asks while the manager has no time to look who it is, and is gone when it
 * looks. */
static long try_flee(const char *target)
{
    static const char question[] = "{\"op\":\"forget\",\"args\":{\"packages\":[\"none\"]}}\n";
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const char *path = strchr(target, ':');
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path != NULL ? path + 1 : "");
    while (!stands_still(pid_of(target)))
        (void)usleep(10000);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        send(fd, question, sizeof question - 1, MSG_NOSIGNAL) < 0)
        return -1;
    _exit(0);
}

static long try_kill(const char *pid)
{
    return kill(pid_of(pid), SIGTERM);
}

static long try_ptrace(const char *pid)
{
    return ptrace(PTRACE_SEIZE, pid_of(pid), NULL, NULL);
}

static long try_exec(const char *path)
{
    union {
        const char *from;
        char *to;
    } arg = {path};
    char *const argv[] = {arg.to, NULL};
    return execve(path, argv, argv + 1);
}

static long try_fork(const char *unused)
{
    WA_UNUSED(unused);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid;
}

static long try_root(const char *unused)
{
    WA_UNUSED(unused);
    return geteuid() == 0 ? -1 : setuid(0);
}

/* A signal of the kernel's to another process whenever something can be read (F_SETOWN), a lease on
 * a file of others, a sealed one: fcntl() is many calls. */
static long try_own(const char *pid)
{
    return fcntl(2, F_SETOWN, pid_of(pid));
}

static const struct {
    const char *what;
    long (*act)(const char *target);
} tries[] = {
    {"read", try_read},     {"write", try_write}, {"remove", try_remove}, {"link", try_link},
    {"make", try_make},     {"ask", try_ask},     {"kill", try_kill},     {"own", try_own},
    {"ptrace", try_ptrace}, {"exec", try_exec},   {"fork", try_fork},     {"root", try_root},
    {"flee", try_flee},
};

void hostile_try(const char *role, const char *what, const char *target)
{
    (void)dprintf(2, "hostile: %s tries to %s %s\n", role, what, target);
    for (size_t i = 0; i < WA_COUNT(tries); i++) {
        if (strcmp(tries[i].what, what) == 0) {
            errno = 0;
            bool done = tries[i].act(target) >= 0;
            (void)dprintf(2, "hostile: %s %s %s: %s (%d)\n", role, what, target,
                          done ? "DONE" : "refused", errno);
        }
    }
}
