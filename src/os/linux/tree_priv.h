/* tree_priv.h - between proc.c, tree.c (cgroups) and tree_proc.c (no cgroup can be made). */
#ifndef WA_OS_LINUX_TREE_PRIV_H
#define WA_OS_LINUX_TREE_PRIV_H

#include "os/proc.h"

#define WA_TREE_ROUNDS 200           /* times to look for survivors before giving up */
#define WA_TREE_MARK_ENV "WAPT_TREE" /* variable that marks members without a cgroup */
#define WA_TREE_MARK                                                                               \
    (sizeof WA_TREE_MARK_ENV + 33) /* bytes of "WAPT_TREE=", 32 hex digits, NUL                    \
                                    */

/* A new cgroup of that name (with random digits behind it: never one that is there): its handle,
 * and a descriptor of its cgroup.procs for the child to enter it. False where none can be made. */
bool wa_tree_make(const char *name, char *ret_handle, size_t size, int *ret_procs_fd);
/* [a-z0-9-]+ */
bool wa_tree_is_name(const char *s);
/* Whether the path is one that wa_tree_make() gives: nothing else is ever killed as a cgroup. */
bool wa_tree_is_made(const char *dir);
/* Signals the process of that number if is_it() says so once the number can't change hands any
 * more (pidfd). */
void wa_tree_signal(int pid, int signum, bool (*is_it)(const void *what, int pid),
                    const void *what);
/* Kills whatever carries the mark ("WAPT_TREE=..."), has an ancestor that does, or is a descendant
 * of ours in the session that leader began. */
WA_CHECK enum wa_code wa_tree_kill_marked(int leader, const char *mark, struct wa_err *err);

#endif
