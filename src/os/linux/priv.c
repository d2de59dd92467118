/* priv.c - giving up power, in the one order in which it works: limits, identity, capabilities, no
 * new privileges, landlock, seccomp.
 *
 * Seccomp is a must: without it the process refuses to go on. Landlock is used as far as the kernel
 * has it, and the line says how far.
 */
#include "os/priv.h"

#include "os/fs.h"
#include "os/linux/priv_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATUS_BYTES_MAX (64u << 10) /* of /proc/PID/status */

static enum wa_code limit(const char *what, __rlimit_resource_t resource, uint64_t value,
                          struct wa_err *err)
{
    struct rlimit l = {(rlim_t)value, (rlim_t)value};
    if (setrlimit(resource, &l) != 0)
        return wa_fail_errno(err, errno, "cannot limit %s", what);
    return WA_OK;
}

static enum wa_code set_limits(const struct wa_priv *p, struct wa_err *err)
{
    if (p->limit_memory_bytes != 0 &&
        limit("memory", RLIMIT_AS, p->limit_memory_bytes, err) != WA_OK)
        return err->code;
    if (p->limit_files != 0 && limit("open files", RLIMIT_NOFILE, p->limit_files, err) != WA_OK)
        return err->code;
    if (p->no_core && limit("core dumps", RLIMIT_CORE, 0, err) != WA_OK)
        return err->code;
    return WA_OK;
}

static bool is_identity(const struct wa_priv *p)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == p->uid &&
           e == p->uid && s == p->uid && rg == p->gid && eg == p->gid && sg == p->gid;
}

static enum wa_code become(const struct wa_priv *p, struct wa_err *err)
{
    bool keeps_groups = setgroups(0, NULL) != 0;
    if (keeps_groups && p->uid != 0 && is_identity(p))
        return WA_OK; /* started as that account already: its groups are the starter's choice */
    if (keeps_groups || setresgid(p->gid, p->gid, p->gid) != 0 ||
        setresuid(p->uid, p->uid, p->uid) != 0)
        return wa_fail_errno(err, errno, "cannot become uid %u", (unsigned)p->uid);
    if (!is_identity(p) || (p->uid != 0 && setuid(0) == 0))
        return wa_fail(err, WA_E_DENIED, "could become root again");
    return WA_OK;
}

/* A change of identity makes the kernel forget that this process is to die with its parent. */
static enum wa_code set_identity(const struct wa_priv *p, struct wa_err *err)
{
    int signum = 0;
    pid_t parent = getppid();
    if (!p->set_ids)
        return WA_OK;
    (void)prctl(PR_GET_PDEATHSIG, &signum);
    if (become(p, err) != WA_OK)
        return err->code;
    (void)unsetenv("HOME"); /* another account's, into which libraries would look */
    if (signum == 0)
        return WA_OK;
    (void)prctl(PR_SET_PDEATHSIG, signum);
    return getppid() == parent
               ? WA_OK
               : wa_fail(err, WA_E_CANCELLED, "whoever started this process has ended");
}

/* What root keeps for its work on files; nothing at all for others. */
static uint64_t kept_capabilities(const struct wa_priv *p)
{
    uint64_t keep = 0;
    bool stays_root = geteuid() == 0 && (!p->set_ids || p->uid == 0);
    if (!stays_root || (p->allow & (WA_PRIV_FS_READ | WA_PRIV_FS_WRITE)) == 0)
        return 0;
    keep |= 1ull << CAP_DAC_OVERRIDE;
    if ((p->allow & WA_PRIV_FS_WRITE) != 0)
        keep |= 1ull << CAP_CHOWN | 1ull << CAP_FOWNER;
    if ((p->allow & WA_PRIV_IDS) != 0)
        keep |= 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_AUDIT_WRITE;
    return keep;
}

/* What exec could ever give. Before the change of identity, which takes the right to do it. */
static void drop_bounding(uint64_t keep)
{
    for (int cap = 0; cap < 64; cap++)
        if ((keep >> cap & 1u) == 0 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* who isn't root can't, nor need */
}

static enum wa_code set_capabilities(uint64_t keep, unsigned *ret_kept, struct wa_err *err)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &head, data) != 0)
        return wa_fail_errno(err, errno, "cannot give up capabilities");
    keep &= (uint64_t)data[0].permitted | (uint64_t)data[1].permitted << 32; /* a container's root
                                                                                has fewer */
    for (size_t i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(keep >> (32 * i));
        data[i] = (struct __user_cap_data_struct){half, half, 0};
    }
    if (syscall(SYS_capset, &head, data) != 0)
        return wa_fail_errno(err, errno, "cannot give up capabilities");
    *ret_kept = 0;
    for (int cap = 0; cap < 64; cap++)
        *ret_kept += (unsigned)(keep >> cap & 1u);
    return WA_OK;
}

/* Identity, capabilities, landlock and seccomp are a thread's own: another one would stay free. */
static enum wa_code check_alone(struct wa_err *err)
{
    struct stat st;
    if (stat("/proc/self/task", &st) == 0 && st.st_nlink > 3)
        return wa_fail(err, WA_E_INTERNAL, "cannot give up power while other threads run");
    return WA_OK;
}

static void describe(const struct wa_priv *p, unsigned caps, int abi, unsigned reads,
                     unsigned writes, char *line)
{
    static const char *const groups[] = {"fs-read", "fs-write", "net",   "local",
                                         "fds",     "threads",  "spawn", "ids",
                                         "term",    "datagram", "limits"};
    char allowed[176] = "io", confined[96], kept[32] = "no";
    size_t n = 2;
    for (unsigned i = 0; i < WA_COUNT(groups); i++)
        if ((p->allow & (2u << i)) != 0 && n + 12 < sizeof allowed)
            n += (size_t)snprintf(allowed + n, sizeof allowed - n, ",%s", groups[i]);
    if (abi > 0)
        (void)snprintf(confined, sizeof confined, "landlock abi %d (read %u, write %u)", abi, reads,
                       writes);
    else
        (void)snprintf(confined, sizeof confined, "landlock none (this kernel has not got it)");
    if (caps > 0)
        (void)snprintf(kept, sizeof kept, "%u", caps);
    (void)snprintf(line, WA_PRIV_LINE_MAX,
                   "%s: uid %u, %s capabilities, no new privileges, seccomp(%s), %s", p->name,
                   (unsigned)geteuid(), kept, allowed, confined);
}

/* For ps and top: "waptservice/manager" becomes "wapt-manager". */
static void set_name(const char *name)
{
    const char *slash = strchr(name, '/');
    char text[16];
    (void)snprintf(text, sizeof text, "wapt-%.10s", slash != NULL ? slash + 1 : name);
    (void)prctl(PR_SET_NAME, text, 0, 0, 0);
}

enum wa_code wa_priv_drop(const struct wa_priv *p, char *ret_line, struct wa_err *err)
{
    unsigned caps = 0, reads = 0, writes = 0;
    int abi = 0;
    if (check_alone(err) != WA_OK || set_limits(p, err) != WA_OK)
        return wa_wrap(err, "%s", p->name);
    set_name(p->name);
    uint64_t keep = kept_capabilities(p);
    drop_bounding(keep);
    if (set_identity(p, err) != WA_OK || set_capabilities(keep, &caps, err) != WA_OK)
        return wa_wrap(err, "%s", p->name);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return wa_fail_errno(err, errno, "%s: cannot forbid new privileges", p->name);
    if (p->no_core && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return wa_fail_errno(err, errno, "%s: cannot forbid core dumps", p->name);
    if (wa_landlock_apply(p, &abi, &reads, &writes, err) != WA_OK ||
        wa_seccomp_apply(p, err) != WA_OK)
        return wa_wrap(err, "%s", p->name);
    describe(p, caps, abi, reads, writes, ret_line);
    return WA_OK;
}

static bool read_status(int pid, struct wa_buf *out)
{
    struct wa_err ignored = WA_ERR_INIT;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    wa_buf_init(out, STATUS_BYTES_MAX);
    return wa_path_read(path, STATUS_BYTES_MAX, out, &ignored) == WA_OK;
}

bool wa_priv_is_confined(int pid)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf of_first;
    struct wa_sv rest, line;
    wa_buf_init(&of_first, 0);
    /* One that ended before it was looked at may have been any; where no process of root's can be
     * looked at (hidepid), none is refused for that. */
    if (!read_status(pid, &text))
        return read_status(1, &of_first);
    rest = wa_buf_sv(&text);
    while (wa_sv_split(&rest, '\n', &line))
        if (wa_sv_starts(line, "CapEff:"))
            return (strtoull(line.p + sizeof "CapEff:", NULL, 16) >> CAP_KILL & 1u) == 0;
    return true;
}

bool wa_priv_is_root(void)
{
    return geteuid() == 0;
}

const char *const *wa_priv_net_paths(void)
{
    static const char *const paths[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/etc/ld.so.cache",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/usr/lib",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager",
        NULL,
    };
    return paths;
}
