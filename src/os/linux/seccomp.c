/* seccomp.c - which system calls a process may still make: an allow list put together from groups.
 *
 * What only an attacker would call kills the process. What a library may try and can do without
 * gets an error, so that its fallback works. Anything not listed is refused with EPERM.
 */
#include "os/linux/priv_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>

#define CALL(name) SCMP_SYS(name)
#define END INT32_MIN

static const int io_calls[] = {CALL(read),
                               CALL(write),
                               CALL(readv),
                               CALL(writev),
                               CALL(pread64),
                               CALL(pwrite64),
                               CALL(preadv),
                               CALL(pwritev),
                               CALL(lseek),
                               CALL(close),
                               CALL(close_range),
                               CALL(dup),
                               CALL(dup2),
                               CALL(dup3),
                               CALL(fcntl),
                               CALL(fstat),
                               CALL(pipe2),
                               CALL(eventfd2),
                               CALL(poll),
                               CALL(ppoll),
                               CALL(select),
                               CALL(pselect6),
                               CALL(epoll_create1),
                               CALL(epoll_ctl),
                               CALL(epoll_wait),
                               CALL(epoll_pwait),
                               CALL(epoll_pwait2),
                               CALL(timerfd_create),
                               CALL(timerfd_settime),
                               CALL(brk),
                               CALL(mmap),
                               CALL(munmap),
                               CALL(mremap),
                               CALL(mprotect),
                               CALL(madvise),
                               CALL(futex),
                               CALL(set_robust_list),
                               CALL(get_robust_list),
                               CALL(rseq),
                               CALL(sched_yield),
                               CALL(sched_getaffinity),
                               CALL(getcpu),
                               CALL(clock_gettime),
                               CALL(clock_getres),
                               CALL(clock_nanosleep),
                               CALL(nanosleep),
                               CALL(gettimeofday),
                               CALL(time),
                               CALL(getrandom),
                               CALL(getpid),
                               CALL(gettid),
                               CALL(getppid),
                               CALL(getuid),
                               CALL(geteuid),
                               CALL(getgid),
                               CALL(getegid),
                               CALL(getgroups),
                               CALL(getresuid),
                               CALL(getresgid),
                               CALL(getpgrp),
                               CALL(getpgid),
                               CALL(getsid),
                               CALL(rt_sigaction),
                               CALL(rt_sigprocmask),
                               CALL(rt_sigreturn),
                               CALL(rt_sigpending),
                               CALL(rt_sigtimedwait),
                               CALL(sigaltstack),
                               CALL(restart_syscall),
                               CALL(exit),
                               CALL(exit_group),
                               CALL(tgkill),
                               CALL(uname),
                               CALL(sysinfo),
                               CALL(getrlimit),
                               CALL(getrusage),
                               CALL(times),
                               CALL(umask),
                               CALL(arch_prctl),
                               CALL(set_tid_address),
                               CALL(shutdown),
                               END};

static const int read_calls[] = {CALL(open),
                                 CALL(openat),
                                 CALL(openat2),
                                 CALL(stat),
                                 CALL(lstat),
                                 CALL(newfstatat),
                                 CALL(statx),
                                 CALL(access),
                                 CALL(faccessat),
                                 CALL(faccessat2),
                                 CALL(readlink),
                                 CALL(readlinkat),
                                 CALL(getdents64),
                                 CALL(getcwd),
                                 CALL(statfs),
                                 CALL(fstatfs),
                                 CALL(flock),
                                 CALL(fadvise64),
                                 CALL(getxattr),
                                 CALL(lgetxattr),
                                 CALL(fgetxattr),
                                 CALL(inotify_init1),
                                 CALL(inotify_add_watch),
                                 CALL(inotify_rm_watch),
                                 CALL(sendfile),
                                 CALL(chdir),
                                 CALL(fchdir),
                                 END};

static const int write_calls[] = {CALL(fsync),           CALL(fdatasync),
                                  CALL(ftruncate),       CALL(truncate),
                                  CALL(fallocate),       CALL(rename),
                                  CALL(renameat),        CALL(renameat2),
                                  CALL(unlink),          CALL(unlinkat),
                                  CALL(mkdir),           CALL(mkdirat),
                                  CALL(rmdir),           CALL(chmod),
                                  CALL(fchmod),          CALL(fchmodat),
                                  CALL(chown),           CALL(fchown),
                                  CALL(fchownat),        CALL(lchown),
                                  CALL(utimensat),       CALL(link),
                                  CALL(linkat),          CALL(sync_file_range),
                                  CALL(copy_file_range), END};

static const int socket_calls[] = {CALL(connect),
                                   CALL(bind),
                                   CALL(listen),
                                   CALL(accept),
                                   CALL(accept4),
                                   CALL(getsockname),
                                   CALL(getpeername),
                                   CALL(setsockopt),
                                   CALL(getsockopt),
                                   CALL(sendto),
                                   CALL(recvfrom),
                                   CALL(sendmsg),
                                   CALL(recvmsg),
                                   CALL(sendmmsg),
                                   CALL(recvmmsg),
                                   CALL(socketpair),
                                   END};

static const int fds_calls[] = {CALL(sendmsg),  CALL(recvmsg),    CALL(sendto),
                                CALL(recvfrom), CALL(getsockopt), END};

static const int spawn_calls[] = {CALL(fork),       CALL(vfork),  CALL(clone),   CALL(execve),
                                  CALL(execveat),   CALL(wait4),  CALL(waitid),  CALL(kill),
                                  CALL(pidfd_open), CALL(setsid), CALL(setpgid), END};

static const int ids_calls[] = {CALL(setuid),
                                CALL(setgid),
                                CALL(setresuid),
                                CALL(setresgid),
                                CALL(setreuid),
                                CALL(setregid),
                                CALL(setgroups),
                                CALL(setfsuid),
                                CALL(setfsgid),
                                CALL(prctl),
                                END};

/* Nobody of ours calls these: whoever does is not us any more. */
static const int deadly_calls[] = {CALL(ptrace),
                                   CALL(process_vm_readv),
                                   CALL(process_vm_writev),
                                   CALL(mount),
                                   CALL(umount2),
                                   CALL(move_mount),
                                   CALL(open_tree),
                                   CALL(fsopen),
                                   CALL(pivot_root),
                                   CALL(chroot),
                                   CALL(bpf),
                                   CALL(perf_event_open),
                                   CALL(userfaultfd),
                                   CALL(keyctl),
                                   CALL(add_key),
                                   CALL(request_key),
                                   CALL(unshare),
                                   CALL(setns),
                                   CALL(kexec_load),
                                   CALL(kexec_file_load),
                                   CALL(init_module),
                                   CALL(finit_module),
                                   CALL(delete_module),
                                   CALL(reboot),
                                   CALL(swapon),
                                   CALL(swapoff),
                                   CALL(acct),
                                   CALL(settimeofday),
                                   CALL(clock_settime),
                                   CALL(adjtimex),
                                   CALL(io_uring_setup),
                                   CALL(mknod),
                                   CALL(mknodat),
                                   CALL(iopl),
                                   CALL(ioperm),
                                   CALL(personality),
                                   CALL(name_to_handle_at),
                                   CALL(open_by_handle_at),
                                   END};

static int add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && calls[i] != END; i++) {
        rc = seccomp_rule_add(ctx, action, calls[i], 0);
        if (rc == -EEXIST || rc == -EDOM)
            rc = 0; /* named twice, or not a call of this architecture */
    }
    return rc;
}

static int allow_family(scmp_filter_ctx ctx, int family)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
}

/* Sockets: only the families that the groups give. */
static int add_sockets(scmp_filter_ctx ctx, unsigned allow)
{
    int rc = 0;
    if ((allow & (WA_PRIV_NET | WA_PRIV_LOCAL)) == 0)
        return (allow & WA_PRIV_FDS) != 0 ? add_all(ctx, SCMP_ACT_ALLOW, fds_calls) : 0;
    rc = add_all(ctx, SCMP_ACT_ALLOW, socket_calls);
    if (rc == 0)
        rc = allow_family(ctx, AF_UNIX);
    if (rc == 0 && (allow & WA_PRIV_NET) != 0) {
        rc = allow_family(ctx, AF_INET);
        rc = rc == 0 ? allow_family(ctx, AF_INET6) : rc;
        rc = rc == 0 ? allow_family(ctx, AF_NETLINK)
                     : rc; /* getaddrinfo asks which addresses there are */
    }
    return rc;
}

/* clone for threads only, told by its flags; clone3 hides them behind a pointer, so the C library
 * is sent back to clone. */
static int add_threads(scmp_filter_ctx ctx, unsigned allow)
{
    int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
    if (rc == 0 && (allow & WA_PRIV_THREADS) != 0 && (allow & WA_PRIV_SPAWN) == 0)
        rc = seccomp_rule_add(
            ctx, SCMP_ACT_ALLOW, CALL(clone), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
    return rc;
}

/* Calls with an argument that decides. */
static int add_special(scmp_filter_ctx ctx, unsigned allow)
{
    /* isatty, FIONREAD and FIONBIO; TIOCSTI and the like stay out. */
    static const scmp_datum_t ioctls[] = {0x5401 /* TCGETS */, 0x541B /* FIONREAD */,
                                          0x5421 /* FIONBIO */, 0x5451 /* FIOCLEX */,
                                          0x5413 /* TIOCGWINSZ */};
    /* PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE, PR_SET_PDEATHSIG */
    static const scmp_datum_t prctls[] = {15, 16, 0x53564d41, 3, 1};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < WA_COUNT(ioctls); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
    for (size_t i = 0; rc == 0 && i < WA_COUNT(prctls) && (allow & WA_PRIV_IDS) == 0; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prctl), 1, SCMP_A0(SCMP_CMP_EQ, prctls[i]));
    /* Reading limits is harmless, raising them is not ours to do. */
    if (rc == 0)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
    return rc;
}

static int add_rules(scmp_filter_ctx ctx, unsigned allow)
{
    int rc = add_all(ctx, SCMP_ACT_ALLOW, io_calls);
    bool reads = (allow & (WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL)) != 0;
    if (rc == 0 && reads)
        rc = add_all(ctx, SCMP_ACT_ALLOW, read_calls);
    if (rc == 0 && (allow & WA_PRIV_FS_WRITE) != 0)
        rc = add_all(ctx, SCMP_ACT_ALLOW, write_calls);
    if (rc == 0 && (allow & WA_PRIV_SPAWN) != 0)
        rc = add_all(ctx, SCMP_ACT_ALLOW, spawn_calls);
    if (rc == 0 && (allow & WA_PRIV_IDS) != 0)
        rc = add_all(ctx, SCMP_ACT_ALLOW, ids_calls);
    rc = rc == 0 ? add_sockets(ctx, allow) : rc;
    rc = rc == 0 ? add_threads(ctx, allow) : rc;
    rc = rc == 0 ? add_special(ctx, allow) : rc;
    rc = rc == 0 ? add_all(ctx, SCMP_ACT_KILL_PROCESS, deadly_calls) : rc;
    if (rc == 0 && (allow & WA_PRIV_SPAWN) == 0) {
        rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(execve), 0);
        rc = rc == 0 ? seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(execveat), 0) : rc;
    }
    return rc;
}

enum wa_code wa_seccomp_apply(const struct wa_priv *p, struct wa_err *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (ctx == NULL)
        return wa_nomem(err);
    int rc = add_rules(ctx, p->allow);
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    if (rc != 0)
        return wa_fail_errno(err, -rc,
                             "cannot enter seccomp, without which this process does not run");
    return WA_OK;
}
