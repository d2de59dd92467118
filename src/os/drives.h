/* drives.h - the file systems of this machine's own disks, with what they hold. */
#ifndef WA_OS_DRIVES_H
#define WA_OS_DRIVES_H

#include "base/sv.h"

struct wa_drive {
    const char *mount_point, *device, *type; /* "/home", "/dev/sda2", "ext4" */
    uint64_t size_bytes, free_bytes;         /* free: to who is not root */
};
typedef enum wa_code (*wa_drive_fn)(void *user, const struct wa_drive *drive, struct wa_err *err);
/* Calls fn for each file system on a local block device, or a pool of some, once a device, in the
 * order in which they were mounted. Network file systems are never asked: one whose server is away
 * would not answer. */
WA_CHECK enum wa_code wa_drives_list(wa_drive_fn fn, void *user, struct wa_err *err);

/* Of the file system that holds path, for whoever asks. */
WA_CHECK enum wa_code wa_drive_space(const char *path, uint64_t *ret_free, uint64_t *ret_total,
                                     struct wa_err *err);

struct wa_memory {
    uint64_t physical_bytes, swap_bytes; /* all of it; 0: not known */
    int64_t boot_time;                   /* Unix seconds; 0: not known */
};
/* Bytes of this process: in memory, and of addresses; 0 where that can't be known. */
void wa_memory_own(uint64_t *ret_resident, uint64_t *ret_virtual);
WA_CHECK enum wa_code wa_memory_read(struct wa_memory *ret, struct wa_err *err);
/* How many files and connections this process may have open, once it has been given as many as it
 * may take; 0: not known. */
uint64_t wa_files_most(void);

#endif
