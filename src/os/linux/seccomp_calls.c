/* seccomp_calls.c - which system calls belong to which group. Only the names; calls whose arguments
 * decide (open, mmap, socket, clone, ioctl, prctl...) are in seccomp.c.
 *
 * A call that is in no table is refused with EPERM. Names that an architecture has not got are
 * left out by libseccomp.
 */
#include "os/linux/seccomp_calls.h"

#include <seccomp.h>

/* clang-format off */
#define S(name) SCMP_SYS(name)

const int wa_calls_io[] = {
    S(read), S(write), S(readv), S(writev), S(pread64), S(pwrite64), S(preadv), S(pwritev), S(preadv2), S(pwritev2),
    S(lseek), S(close), S(close_range), S(dup), S(dup2), S(dup3), S(fstat), S(pipe), S(pipe2),
    S(socketpair), S(shutdown), S(eventfd2), S(signalfd4),
    S(poll), S(ppoll), S(select), S(pselect6), S(epoll_create1), S(epoll_ctl), S(epoll_wait), S(epoll_pwait),
    S(epoll_pwait2), S(timerfd_create), S(timerfd_settime), S(timerfd_gettime),
    S(brk), S(munmap), S(mremap), S(madvise), S(membarrier),
    S(futex), S(set_robust_list), S(get_robust_list), S(rseq), S(set_tid_address), S(arch_prctl),
    S(sched_yield), S(sched_getaffinity), S(sched_getparam), S(sched_getscheduler), S(getcpu),
    S(clock_gettime), S(clock_getres), S(clock_nanosleep), S(nanosleep), S(gettimeofday), S(time), S(times),
    S(getrandom), S(getpid), S(gettid), S(getppid), S(getuid), S(geteuid), S(getgid), S(getegid), S(getgroups),
    S(getresuid), S(getresgid), S(getpgrp), S(getpgid), S(getsid), S(capget),
    S(rt_sigaction), S(rt_sigprocmask), S(rt_sigreturn), S(rt_sigpending), S(rt_sigtimedwait), S(rt_sigsuspend),
    S(sigaltstack), S(pause), S(restart_syscall), S(exit), S(exit_group),
    S(uname), S(sysinfo), S(getrlimit), S(getrusage), S(umask), WA_NO_CALL};

const int wa_calls_read[] = {
    S(stat), S(lstat), S(newfstatat), S(statx), S(access), S(faccessat), S(faccessat2), S(readlink), S(readlinkat),
    S(getdents64), S(getcwd), S(chdir), S(fchdir), S(statfs), S(fstatfs), S(flock), S(fadvise64), S(readahead),
    S(getxattr), S(lgetxattr), S(fgetxattr), S(inotify_init1), S(inotify_add_watch), S(inotify_rm_watch),
    S(sendfile), WA_NO_CALL};

const int wa_calls_write[] = {
    S(creat), S(fsync), S(fdatasync), S(sync_file_range), S(msync), S(ftruncate), S(truncate), S(fallocate),
    S(rename), S(renameat), S(renameat2), S(unlink), S(unlinkat), S(mkdir), S(mkdirat), S(rmdir), S(link), S(linkat),
    S(chmod), S(fchmod), S(fchmodat), S(chown), S(fchown), S(fchownat), S(lchown), S(utimensat), S(utimes),
    S(copy_file_range), WA_NO_CALL};

const int wa_calls_socket[] = {
    S(connect), S(bind), S(listen), S(accept), S(accept4), S(getsockname), S(getpeername), S(setsockopt), S(getsockopt),
    S(sendto), S(recvfrom), S(sendmsg), S(recvmsg), S(sendmmsg), S(recvmmsg), WA_NO_CALL};

const int wa_calls_datagram[] = {
    S(bind), S(setsockopt), S(getsockname), S(sendto), S(recvmsg), WA_NO_CALL};

const int wa_calls_fds[] = {
    S(sendmsg), S(recvmsg), S(sendto), S(recvfrom), S(getsockopt), WA_NO_CALL};

const int wa_calls_spawn[] = {
    S(fork), S(vfork), S(execve), S(execveat), S(wait4), S(waitid), S(kill), S(tgkill), S(pidfd_open),
    S(pidfd_send_signal), S(setsid), S(setpgid), WA_NO_CALL};

const int wa_calls_ids[] = {
    S(setuid), S(setgid), S(setresuid), S(setresgid), S(setreuid), S(setregid), S(setgroups), S(setfsuid),
    S(setfsgid), S(capset), S(prctl), WA_NO_CALL};

const int wa_calls_deadly[] = {
    /* other processes' memory and descriptors */
    S(ptrace), S(process_vm_readv), S(process_vm_writev), S(process_madvise), S(pidfd_getfd), S(kcmp),
    /* another view of the system */
    S(mount), S(umount2), S(move_mount), S(open_tree), S(fsopen), S(fsconfig), S(fsmount), S(fspick),
    S(mount_setattr), S(pivot_root), S(chroot), S(unshare), S(setns), S(name_to_handle_at), S(open_by_handle_at),
    S(mknod), S(mknodat),
    /* the kernel itself */
    S(bpf), S(perf_event_open), S(userfaultfd), S(keyctl), S(add_key), S(request_key), S(init_module),
    S(finit_module), S(delete_module), S(kexec_load), S(kexec_file_load), S(iopl), S(ioperm), S(modify_ldt),
    S(personality), S(fanotify_init), S(syslog),
    /* the machine */
    S(reboot), S(swapon), S(swapoff), S(acct), S(quotactl), S(vhangup), S(sethostname), S(setdomainname),
    S(settimeofday), S(clock_settime), S(clock_adjtime), S(adjtimex), WA_NO_CALL};
