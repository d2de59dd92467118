/* proc.h - child processes: start with exactly these descriptors, limit, wait, kill as a tree.
 *
 * Children get no descriptor but those named, an environment given in full, default signals, their
 * own session; they die with their parent where asked. A tree is a cgroup (v2, or v1 freezer or
 * pids) where one can be made. Where none can, the program gets a variable WAPT_TREE more in its
 * environment and adopts its orphans: wa_tree_kill() then misses only what left the session, wiped
 * its environment and outlived the program.
 */
#ifndef WA_OS_PROC_H
#define WA_OS_PROC_H

#include "base/sv.h"

struct wa_spawn {
    const char *path;        /* program, absolute; NULL: this very program */
    const char *const *argv; /* NULL-terminated, argv[0] included */
    const char *const
        *envp;       /* NULL-terminated; NULL: an empty environment but PATH, LANG=C.UTF-8 */
    const char *cwd; /* NULL: "/" */
    /* fds[i] becomes descriptor i in the child, -1 means /dev/null for 0..2 and closed above. */
    const int *fds;
    size_t fd_count;
    bool set_ids; /* with uid, gid; supplementary groups from initgroups(user) if user is set, else
                     none */
    uint32_t uid, gid;
    const char *user;            /* may be NULL */
    bool die_with_parent;        /* killed when the thread that called wa_proc_spawn() ends */
    uint64_t limit_memory_bytes; /* RLIMIT_AS, 0: none */
    uint64_t limit_file_bytes;   /* RLIMIT_FSIZE, 0: none */
    uint32_t limit_files;        /* RLIMIT_NOFILE, 0: none */
    const char *tree;            /* name of a process tree made for it ([a-z0-9-]); NULL: none */
};

struct wa_proc {
    int pid;
    int pidfd;      /* readable when it has ended; -1 where the kernel has none */
    char tree[128]; /* handle for wa_tree_kill(); "" when none */
};

enum wa_exit_kind { WA_EXIT_STATUS, WA_EXIT_SIGNAL };
struct wa_exit {
    enum wa_exit_kind kind;
    int value; /* status or signal */
};

WA_CHECK enum wa_code wa_proc_spawn(const struct wa_spawn *what, struct wa_proc *ret,
                                    struct wa_err *err);
/* Reaps. timeout_ms: 0 asks only, negative waits for ever. WA_E_AGAIN while it runs. On success
 * p->pid becomes 0 and p->pidfd -1, so that wa_proc_kill() can't hit another process. */
WA_CHECK enum wa_code wa_proc_wait(struct wa_proc *p, int timeout_ms, struct wa_exit *ret,
                                   struct wa_err *err);
enum wa_proc_end {
    WA_PROC_ASK,    /* it may end in good order (SIGTERM) */
    WA_PROC_RELOAD, /* it may read its configuration anew (SIGHUP) */
    WA_PROC_KILL    /* SIGKILL */
};
void wa_proc_kill(const struct wa_proc *p, enum wa_proc_end how);
/* Reaps ended children that nobody waits for: those of which is_known says no. */
void wa_proc_reap_others(bool (*is_known)(const void *user, int pid), const void *user);
int wa_proc_own_pid(void);
/* From now on a peer that has gone is an error of the write, not the end of the process (SIGPIPE).
 * For programs. */
void wa_proc_ignore_broken_pipes(void);
/* From now on no dump of this process's memory is written when it crashes, and no other process of
 * this account looks into it: it is going to hold a secret. For programs. */
void wa_proc_keep_private(void);
/* Kills every process of the tree, repeatedly until none is left (bounded), then removes it. */
WA_CHECK enum wa_code wa_tree_kill(const char *tree, struct wa_err *err);
/* The calling process adopts orphaned descendants (PR_SET_CHILD_SUBREAPER). */
WA_CHECK enum wa_code wa_proc_be_subreaper(struct wa_err *err);
/* Connected stream pair, close-on-exec. */
WA_CHECK enum wa_code wa_socketpair(int ret_fds[2], struct wa_err *err);
WA_CHECK enum wa_code wa_pipe(int ret_fds[2],
                              struct wa_err *err); /* [0] read, [1] write, close-on-exec */
WA_CHECK enum wa_code wa_fd_set_nonblocking(int fd, bool on, struct wa_err *err);
/* The calling process becomes another program, with its terminal, environment and descriptors 0 to
 * 2; a name without '/' is looked for in PATH. Returns only when that fails. */
#define WA_PROC_ARGS_MAX 4096u
WA_CHECK enum wa_code wa_proc_become(const char *program, const char *const *argv,
                                     struct wa_err *err);
/* A session of processes of its own, where it was started without a terminal: what is proven in it
 * (os/local.h) is not proven for all that runs on a person's desktop. */
void wa_proc_own_session(void);
uint32_t wa_proc_own_uid(void); /* in whose name it acts */
/* Absolute path of the running program. out has room for WA_PATH_MAX. */
WA_CHECK enum wa_code wa_proc_self_path(char *out, struct wa_err *err);
/* Absolute path of a program of ours that lies in the same directory as the running one. */
WA_CHECK enum wa_code wa_proc_sibling_path(const char *name, char *out, struct wa_err *err);

#endif
