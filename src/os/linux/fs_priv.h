/* fs_priv.h - between the files of fs: opening below a directory without following links. */
#ifndef WA_OS_LINUX_FS_PRIV_H
#define WA_OS_LINUX_FS_PRIV_H

#include "os/fs.h"

/* openat() that never leaves dir and never follows a link, in any part. Returns -1 with errno set.
 */
int wa_open_beneath(int dir_fd, const char *name, int flags, unsigned mode);
enum wa_parent {
    WA_PARENT_IS_THERE,
    WA_PARENT_MAKE, /* missing ones with 0755, for what may be lost in a power cut */
    WA_PARENT_KEEP  /* the same, written through */
};
/* Parent directory of name as a descriptor, and the last part. */
WA_CHECK enum wa_code wa_open_parent(const struct wa_dir *dir, const struct wa_relpath *name,
                                     enum wa_parent how, int *ret_fd, const char **ret_last,
                                     struct wa_err *err);
void wa_stat_fill(const void *st, struct wa_stat *ret); /* st: struct stat */

#endif
