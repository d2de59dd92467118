/* priv.h - how one of our processes gives up its power.
 *
 * Called by the child itself, once, after it has opened what it needs: limits, identity,
 * capabilities, no new privileges, landlock as far as the kernel has it, then seccomp, without
 * which it refuses to go on. The result is stated in one line.
 *
 * Who stays root keeps, for its groups, of all capabilities: FS_READ DAC_OVERRIDE; FS_WRITE CHOWN
 * and FOWNER too; IDS SETUID, SETGID and AUDIT_WRITE too. Without FS_* it keeps none. A call
 * outside the groups fails with EPERM; exec without SPAWN, and what only an attacker would call,
 * kills.
 */
#ifndef WA_OS_PRIV_H
#define WA_OS_PRIV_H

#include "base/sv.h"

/* What is left after wa_priv_drop(). Each profile is an allow list of system calls made of these
 * groups. */
enum {
    WA_PRIV_IO =
        1 << 0, /* read, write, poll, epoll, futex, memory, clocks, signals: always needed */
    WA_PRIV_FS_READ =
        1 << 1, /* open for reading, stat, list; also comes with NET, LOCAL and SPAWN */
    WA_PRIV_FS_WRITE = 1 << 2, /* create, rename, remove, fsync, chmod, chown, locks */
    WA_PRIV_NET = 1 << 3,      /* sockets to the network, name look-up */
    WA_PRIV_LOCAL =
        1 << 4, /* Unix sockets: listen, accept, connect; asking for the machine's addresses */
    WA_PRIV_FDS = 1 << 5,       /* pass and receive descriptors (sendmsg, recvmsg) */
    WA_PRIV_THREADS = 1 << 6,   /* clone of threads */
    WA_PRIV_SPAWN = 1 << 7,     /* fork and exec: PAM's unix_chkpwd */
    WA_PRIV_IDS = 1 << 8,       /* change identity: PAM modules */
    WA_PRIV_TERM = 1 << 9,      /* set the terminal's mode, to ask on it */
    WA_PRIV_DATAGRAM = 1 << 10, /* send datagrams of IPv4; asking for the machine's addresses */
    WA_PRIV_LIMITS = 1 << 11    /* set its own limits: for programs that it starts, with SPAWN */
};

struct wa_priv {
    const char *name; /* "waptservice/network" */
    unsigned allow;   /* WA_PRIV_*; WA_PRIV_IO is implied */
    bool set_ids;
    uint32_t uid, gid; /* target identity, groups cleared */
    const char *const
        *read_paths; /* NULL-terminated: landlock read; NULL with no FS: nothing at all */
    const char *const *write_paths; /* NULL-terminated: landlock read and write */
    uint64_t limit_memory_bytes;    /* RLIMIT_AS, 0: unchanged */
    uint32_t limit_files;           /* RLIMIT_NOFILE, 0: unchanged */
    bool no_core; /* RLIMIT_CORE 0 and not dumpable: true for all who hold secrets */
};

/* An error says why, and the caller must end: it may have given up a part. WA_E_INTERNAL while
 * other threads run, since they would stay free. ret_line, WA_PRIV_LINE_MAX bytes, says what is
 * left, for the log: "waptservice/network: uid 998, no capabilities, no new privileges,
 * seccomp(io,net), landlock abi 4 (read 3, write 0)". */
#define WA_PRIV_LINE_MAX 512
WA_CHECK enum wa_code wa_priv_drop(const struct wa_priv *p, char *ret_line, struct wa_err *err);

/* Whether that process, one of root's, has given up the power over other accounts' processes, as
 * all of ours do that give up anything; one that has ended counts as such. False where no process
 * of root's can be looked at. */
bool wa_priv_is_confined(int pid);

/* What a process that talks to the network reads: what the name look-up needs and its plug-ins, the
 * certificates of the system's authorities. NULL-terminated. */
const char *const *wa_priv_net_paths(void);

/* Whether the process runs as root (uid 0 / elevated). */
bool wa_priv_is_root(void);

#endif
