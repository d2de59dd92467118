/* seccomp.c - which system calls a process may still make: an allow list put together from groups.
 *
 * What only an attacker would call kills the process. What a library may try and can do without
 * gets an error, so that its fallback works: ENOSYS where the C library then takes an older call
 * whose arguments can be looked at here, else EPERM.
 */
#include "os/linux/priv_priv.h"
#include "os/linux/seccomp_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* glibc names its heaps */
#endif

#define ALLOW SCMP_ACT_ALLOW
#define CALL(name) SCMP_SYS(name)
#define EQ(arg, value) SCMP_CMP((arg), SCMP_CMP_EQ, (scmp_datum_t)(value), 0)
#define BITS(arg, mask, value)                                                                     \
    SCMP_CMP((arg), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value))
#define SOCK_TYPE 0xf /* of a socket; the rest is flags */
#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* A filter being built; after a failure the rest is skipped. */
struct filter {
    scmp_filter_ctx ctx;
    unsigned allow;
    int rc;
};

static void add(struct filter *f, uint32_t action, int call, unsigned n,
                const struct scmp_arg_cmp *args)
{
    if (f->rc != 0)
        return;
    int rc = seccomp_rule_add_array(f->ctx, action, call, n, args);
    if (rc != -EEXIST && rc != -EDOM) /* named twice, or not a call of this architecture */
        f->rc = rc;
}

#define ADD_IF(f, call, ...)                                                                       \
    add((f), ALLOW, (call),                                                                        \
        sizeof((const struct scmp_arg_cmp[]){__VA_ARGS__}) / sizeof(struct scmp_arg_cmp),          \
        (const struct scmp_arg_cmp[]){__VA_ARGS__})

static void add_all(struct filter *f, uint32_t action, const int *calls)
{
    for (size_t i = 0; calls[i] != WA_NO_CALL; i++)
        add(f, action, calls[i], 0, NULL);
}

static bool has(const struct filter *f, unsigned groups)
{
    return (f->allow & groups) != 0;
}

/* Libraries are loaded by the name service, PAM and token modules: only who may open files can. */
static bool reads_files(const struct filter *f)
{
    return has(f, WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL | WA_PRIV_SPAWN);
}

static void add_files(struct filter *f)
{
    const unsigned changes = O_ACCMODE | O_CREAT | O_TRUNC;
    /* fstat() of glibc 2.33 to 2.40. With a name it would tell size and owner of that file: the
     * price, since names can't be looked at. */
    ADD_IF(f, CALL(newfstatat), EQ(3, AT_EMPTY_PATH));
    if (!reads_files(f))
        return;
    add_all(f, ALLOW, wa_calls_read);
    if (has(f, WA_PRIV_FS_WRITE)) {
        add_all(f, ALLOW, wa_calls_write);
        add(f, ALLOW, CALL(open), 0, NULL);
        add(f, ALLOW, CALL(openat), 0, NULL);
        add(f, ALLOW, CALL(openat2), 0, NULL);
    } else {
        ADD_IF(f, CALL(open), BITS(1, changes, O_RDONLY));
        ADD_IF(f, CALL(openat), BITS(2, changes, O_RDONLY));
        add(f, SCMP_ACT_ERRNO(ENOSYS), CALL(openat2), 0, NULL); /* its flags are behind a pointer */
    }
}

/* No memory is ever writable and executable, and none becomes executable later. Programs that are
 * started bring code of their own. */
static void add_memory(struct filter *f)
{
    if (has(f, WA_PRIV_SPAWN)) {
        add(f, ALLOW, CALL(mmap), 0, NULL);
        add(f, ALLOW, CALL(mprotect), 0, NULL);
        return;
    }
    ADD_IF(f, CALL(mmap), BITS(2, PROT_EXEC, 0));
    ADD_IF(f, CALL(mprotect), BITS(2, PROT_EXEC, 0));
    if (reads_files(f))
        ADD_IF(f, CALL(mmap), BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC));
}

/* Sockets: only the families that the groups give. */
static void add_sockets(struct filter *f)
{
    if (has(f, WA_PRIV_DATAGRAM)) {
        add_all(f, ALLOW, wa_calls_datagram);
        ADD_IF(f, CALL(socket), EQ(0, AF_INET), BITS(1, SOCK_TYPE, SOCK_DGRAM));
        ADD_IF(f, CALL(socket), EQ(0, AF_NETLINK), EQ(2, NETLINK_ROUTE));
    }
    if (!has(f, WA_PRIV_NET | WA_PRIV_LOCAL)) {
        if (has(f, WA_PRIV_FDS))
            add_all(f, ALLOW, wa_calls_fds);
        return;
    }
    add_all(f, ALLOW, wa_calls_socket);
    ADD_IF(f, CALL(socket), EQ(0, AF_UNIX));
    /* Which addresses there are: getaddrinfo() and the inventory ask. */
    ADD_IF(f, CALL(socket), EQ(0, AF_NETLINK), EQ(2, NETLINK_ROUTE));
    if (has(f, WA_PRIV_IDS)) /* PAM writes to the audit log */
        ADD_IF(f, CALL(socket), EQ(0, AF_NETLINK), EQ(2, NETLINK_AUDIT));
    if (has(f, WA_PRIV_NET)) {
        ADD_IF(f, CALL(socket), EQ(0, AF_INET));
        ADD_IF(f, CALL(socket), EQ(0, AF_INET6));
    }
}

/* clone by its flags; clone3 hides them behind a pointer, so the C library is sent back to clone.
 */
static void add_processes(struct filter *f)
{
    const unsigned thread = CLONE_THREAD | CLONE_VM;
    add(f, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0, NULL);
    if (has(f, WA_PRIV_SPAWN)) {
        add_all(f, ALLOW, wa_calls_spawn);
        ADD_IF(f, CALL(clone), BITS(0, NAMESPACES, 0));
        return;
    }
    if (has(f, WA_PRIV_THREADS))
        ADD_IF(f, CALL(clone), BITS(0, NAMESPACES | thread, thread));
    ADD_IF(f, CALL(tgkill), EQ(0, getpid())); /* abort(), pthread_kill(): ourselves only */
    add(f, SCMP_ACT_KILL_PROCESS, CALL(execve), 0, NULL);
    add(f, SCMP_ACT_KILL_PROCESS, CALL(execveat), 0, NULL);
}

/* Calls with many unrelated purposes, told apart by an argument. */
static void add_special(struct filter *f)
{
    /* isatty and sizes; TIOCSTI, which types on behalf of the user, and the like stay out. */
    static const unsigned ioctls[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX};
    /* Not F_SETOWN and F_SETSIG, by which the kernel signals others for us, leases, nor pipes'
     * sizes. */
    static const unsigned modes[] = {TCSETS, TCSETSW, TCSETSF};
    static const unsigned fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
    static const unsigned locks[] = {F_GETLK,     F_SETLK,     F_SETLKW,
                                     F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW};
    static const unsigned prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE,
                                      PR_SET_PDEATHSIG};
    for (size_t i = 0; i < WA_COUNT(ioctls); i++)
        ADD_IF(f, CALL(ioctl), EQ(1, ioctls[i]));
    for (size_t i = 0; i < WA_COUNT(modes) && has(f, WA_PRIV_TERM); i++)
        ADD_IF(f, CALL(ioctl), EQ(1, modes[i]));
    for (size_t i = 0; i < WA_COUNT(fcntls); i++)
        ADD_IF(f, CALL(fcntl), EQ(1, fcntls[i]));
    for (size_t i = 0; i < WA_COUNT(locks) && reads_files(f); i++)
        ADD_IF(f, CALL(fcntl), EQ(1, locks[i]));
    for (size_t i = 0; i < WA_COUNT(prctls) && !has(f, WA_PRIV_IDS); i++)
        ADD_IF(f, CALL(prctl), EQ(0, prctls[i]));
    /* Reading limits is harmless, raising them is not ours to do. */
    if (has(f, WA_PRIV_LIMITS))
        ADD_IF(f, CALL(prlimit64), EQ(0, 0)); /* of oneself */
    else
        ADD_IF(f, CALL(prlimit64), EQ(2, 0));
}

enum wa_code wa_seccomp_apply(const struct wa_priv *p, struct wa_err *err)
{
    struct filter f = {.ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM)), .allow = p->allow};
    if (f.ctx == NULL)
        return wa_nomem(err);
    /* Calls of another architecture (32-bit ones) would go round the list. */
    f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    add_all(&f, ALLOW, wa_calls_io);
    add_files(&f);
    add_memory(&f);
    add_sockets(&f);
    add_processes(&f);
    if (has(&f, WA_PRIV_IDS))
        add_all(&f, ALLOW, wa_calls_ids);
    add_special(&f);
    add_all(&f, SCMP_ACT_KILL_PROCESS, wa_calls_deadly);
    if (f.rc == 0)
        f.rc = seccomp_load(f.ctx);
    seccomp_release(f.ctx);
    if (f.rc != 0)
        return wa_fail_errno(err, -f.rc,
                             "cannot enter seccomp, without which this process does not run");
    return WA_OK;
}
