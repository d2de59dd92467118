/* tree_priv.h - between proc.c and tree.c. */
#ifndef WA_OS_LINUX_TREE_PRIV_H
#define WA_OS_LINUX_TREE_PRIV_H

#include "os/proc.h"

/* A new cgroup of that name: its handle, and a descriptor of its cgroup.procs for the child to
 * enter it. False where none can be made. */
bool wa_tree_make(const char *name, char *ret_handle, size_t size, int *ret_procs_fd);

#endif
