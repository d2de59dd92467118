/* fs_rights.c - rights and owners of directories, and files opened by who may do little else. */
#include "os/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum wa_code wa_dir_set_mode(const struct wa_dir *dir, uint32_t mode, struct wa_err *err)
{
    if (fchmod(dir->fd, (mode_t)mode) != 0)
        return wa_fail_errno(err, errno, "cannot set the rights of a directory");
    return WA_OK;
}

enum wa_code wa_dir_set_owner(const struct wa_dir *dir, uint32_t uid, uint32_t gid,
                              struct wa_err *err)
{
    if (fchown(dir->fd, uid, gid) != 0)
        return wa_fail_errno(err, errno, "cannot give a directory to uid %u", (unsigned)uid);
    return WA_OK;
}

enum wa_code wa_path_set_owner(const char *path, uint32_t uid, uint32_t gid, struct wa_err *err)
{
    if (lchown(path, uid, gid) != 0)
        return wa_fail_errno(err, errno, "cannot give '%s' to uid %u", path, (unsigned)uid);
    return WA_OK;
}

enum wa_code wa_dir_enter(const struct wa_dir *dir, struct wa_err *err)
{
    if (fchdir(dir->fd) != 0)
        return wa_fail_errno(err, errno, "cannot enter a directory");
    return WA_OK;
}

enum wa_code wa_path_open(const char *path, int *ret_fd, struct wa_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", path);
    *ret_fd = fd;
    return WA_OK;
}
