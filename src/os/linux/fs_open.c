/* fs_open.c - directories and files opened by handle. No link is ever followed below a directory
 * handle. */
#include "os/linux/fs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void wa_fd_close(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

void wa_dir_close(struct wa_dir *dir)
{
    wa_fd_close(&dir->fd);
}

/* One part of a path. A link is ELOOP, as openat2 says it, also where a directory is wanted. */
static int open_part(int at, const char *part, int flags, unsigned mode)
{
    struct stat st;
    int fd = openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == ENOTDIR)
        errno = fstatat(at, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? ELOOP
                                                                                        : ENOTDIR;
    return fd;
}

/* Where openat2 is missing or forbidden by seccomp: part by part. The name is a relpath, so it has
 * no dotted part. */
static int walk_beneath(int dir_fd, const char *name, int flags, unsigned mode)
{
    char part[WA_RELPATH_MAX + 1];
    int at = dir_fd;
    for (;;) {
        const char *slash = strchr(name, '/');
        size_t n = slash == NULL ? strlen(name) : (size_t)(slash - name);
        memcpy(part, name, n);
        part[n] = '\0';
        int fd = open_part(at, part, slash == NULL ? flags : O_PATH | O_DIRECTORY, mode);
        if (at != dir_fd)
            wa_fd_close(&at);
        if (fd < 0 || slash == NULL)
            return fd;
        at = fd;
        name = slash + 1;
    }
}

int wa_open_beneath(int dir_fd, const char *name, int flags, unsigned mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return walk_beneath(dir_fd, name, flags | O_CLOEXEC, mode);
    return (int)fd;
}

enum wa_code wa_dir_open(const char *path, struct wa_dir *ret, struct wa_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open directory '%s'", path);
    ret->fd = fd;
    return WA_OK;
}

/* A new directory is in its parent for good only when that one is written through. */
static enum wa_code sync_parent(const char *path, struct wa_err *err)
{
    char parent[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    (void)snprintf(parent, sizeof parent, "%.*s", n, slash == NULL ? "." : path);
    WA_AUTO_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? wa_fail_errno(err, errno, "cannot open directory '%s'", parent)
                  : wa_fd_sync(fd, err);
}

enum wa_code wa_dir_make(const char *path, uint32_t mode, struct wa_dir *ret, struct wa_err *err)
{
    char part[WA_PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return wa_fail(err, WA_E_LIMIT, "the path of a directory is empty or longer than %u bytes",
                       WA_PATH_MAX);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        bool is_new = mkdir(part, mode) == 0;
        if (!is_new && errno != EEXIST)
            return wa_fail_errno(err, errno, "cannot make directory '%s'", part);
        if (is_new && sync_parent(part, err) != WA_OK)
            return err->code;
        part[i] = end;
    }
    return wa_dir_open(path, ret, err);
}

enum wa_code wa_dir_open_sub(const struct wa_dir *dir, const struct wa_relpath *sub,
                             struct wa_dir *ret, struct wa_err *err)
{
    int fd = wa_open_beneath(dir->fd, sub->p, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open directory '%s'", sub->p);
    ret->fd = fd;
    return WA_OK;
}

static enum wa_code make_sub(const struct wa_dir *dir, const struct wa_relpath *sub, uint32_t mode,
                             bool keep, struct wa_err *err)
{
    char part[WA_RELPATH_MAX + 1];
    WA_AUTO_FD int at = -1;
    const char *rest = sub->p;
    while (rest != NULL) {
        const char *slash = strchr(rest, '/');
        size_t n = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
        memcpy(part, rest, n);
        part[n] = '\0';
        int parent = at < 0 ? dir->fd : at;
        bool is_new = mkdirat(parent, part, mode) == 0;
        if (!is_new && errno != EEXIST)
            return wa_fail_errno(err, errno, "cannot make directory '%s'", sub->p);
        if (is_new && keep && wa_fd_sync(parent, err) != WA_OK)
            return err->code;
        int next = openat(parent, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return wa_fail_errno(err, errno, "cannot open directory '%s'", sub->p);
        wa_fd_close(&at);
        at = next;
        rest = slash == NULL ? NULL : slash + 1;
    }
    return WA_OK;
}

enum wa_code wa_dir_make_sub(const struct wa_dir *dir, const struct wa_relpath *sub, uint32_t mode,
                             struct wa_err *err)
{
    return make_sub(dir, sub, mode, true, err);
}

enum wa_code wa_open_parent(const struct wa_dir *dir, const struct wa_relpath *name,
                            enum wa_parent how, int *ret_fd, const char **ret_last,
                            struct wa_err *err)
{
    const char *slash = strrchr(name->p, '/');
    struct wa_relpath parent;
    int fd;
    if (slash == NULL) {
        fd = fcntl(dir->fd, F_DUPFD_CLOEXEC, 0);
    } else {
        parent.n = (size_t)(slash - name->p);
        memcpy(parent.p, name->p, parent.n);
        parent.p[parent.n] = '\0';
        if (how != WA_PARENT_IS_THERE &&
            make_sub(dir, &parent, 0755, how == WA_PARENT_KEEP, err) != WA_OK)
            return err->code;
        fd = wa_open_beneath(dir->fd, parent.p, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open the directory of '%s'", name->p);
    *ret_fd = fd;
    *ret_last = slash == NULL ? name->p : slash + 1;
    return WA_OK;
}

static enum wa_code open_regular(const struct wa_dir *dir, const struct wa_relpath *name, int flags,
                                 int *ret_fd, struct wa_err *err)
{
    /* O_NONBLOCK: a FIFO in the place of a file must not hang us. It means nothing for regular
     * files. */
    WA_AUTO_FD int fd = wa_open_beneath(dir->fd, name->p, flags | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", name->p);
    if (fstat(fd, &st) != 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", name->p);
    if (!S_ISREG(st.st_mode))
        return wa_fail(err, WA_E_INVALID, "'%s' is not a regular file", name->p);
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_file_open(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                          struct wa_err *err)
{
    return open_regular(dir, name, O_RDONLY, ret_fd, err);
}

enum wa_code wa_file_continue(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                              struct wa_err *err)
{
    return open_regular(dir, name, O_RDWR | O_APPEND, ret_fd, err);
}

enum wa_code wa_file_create(const struct wa_dir *dir, const struct wa_relpath *name, uint32_t mode,
                            int *ret_fd, struct wa_err *err)
{
    WA_AUTO_FD int parent = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, name, WA_PARENT_MAKE, &parent, &last, err) != WA_OK)
        return err->code;
    int fd = openat(parent, last, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot create '%s'", name->p);
    *ret_fd = fd;
    return WA_OK;
}

void wa_stat_fill(const void *p, struct wa_stat *ret)
{
    const struct stat *st = p;
    *ret = (struct wa_stat){
        .size = (uint64_t)st->st_size,
        .mtime = (int64_t)st->st_mtim.tv_sec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .inode = (uint64_t)st->st_ino,
        .mode = (uint32_t)st->st_mode & 07777u,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .is_dir = S_ISDIR(st->st_mode),
        .is_file = S_ISREG(st->st_mode),
        .is_link = S_ISLNK(st->st_mode),
    };
}

enum wa_code wa_file_stat(const struct wa_dir *dir, const struct wa_relpath *name,
                          struct wa_stat *ret, struct wa_err *err)
{
    struct stat st;
    WA_AUTO_FD int fd = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, name, WA_PARENT_IS_THERE, &fd, &last, err) != WA_OK)
        return err->code;
    if (fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return wa_fail_errno(err, errno, "cannot look at '%s'", name->p);
    wa_stat_fill(&st, ret);
    return WA_OK;
}

enum wa_code wa_path_stat(const char *path, struct wa_stat *ret, struct wa_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return wa_fail_errno(err, errno, "cannot look at '%s'", path);
    wa_stat_fill(&st, ret);
    return WA_OK;
}

enum wa_code wa_fd_stat(int fd, struct wa_stat *ret, struct wa_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return wa_fail_errno(err, errno, "cannot look at an open file");
    wa_stat_fill(&st, ret);
    return WA_OK;
}
