/* fs_data.c - reading and replacing whole files, locks, and the stream ends over descriptors.
 *
 * A replacement is written beside the old file, made durable, then renamed over it: a kill at any
 * moment leaves the old or the new one.
 */
#include "os/linux/fs_priv.h"

#include "os/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

static enum wa_code read_all(int fd, const char *what, size_t max, struct wa_buf *out,
                             struct wa_err *err)
{
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    size_t total = 0, cap = max < out->max - out->n ? max : out->max - out->n;
    for (;;) {
        char more; /* at the cap, one byte tells whether the file goes on */
        size_t want = cap - total < 65536 ? cap - total : 65536;
        char *p = want == 0 ? &more : wa_buf_reserve(out, want);
        if (p == NULL)
            return wa_buf_check(out, err) == WA_OK ? wa_nomem(err)
                                                   : wa_wrap(err, "reading '%s'", what);
        *p = '\0'; /* reserving may have moved the text without its NUL */
        ssize_t got = read(fd, p, want == 0 ? 1 : want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return wa_fail_errno(err, errno, "cannot read '%s'", what);
        if (got == 0)
            return WA_OK;
        if (want == 0)
            return wa_fail(err, WA_E_LIMIT, "'%s' is larger than %zu bytes", what, cap);
        total += (size_t)got;
        wa_buf_advance(out, (size_t)got);
    }
}

enum wa_code wa_file_read(const struct wa_dir *dir, const struct wa_relpath *name, size_t max,
                          struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    if (wa_file_open(dir, name, &fd, err) != WA_OK)
        return err->code;
    return read_all(fd, name->p, max, out, err);
}

enum wa_code wa_path_read(const char *path, size_t max, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", path);
    return read_all(fd, path, max, out, err);
}

enum wa_code wa_fd_write_all(int fd, const void *p, size_t n, struct wa_err *err)
{
    const char *at = p;
    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return wa_fail_errno(err, errno, "cannot write");
        at += put;
        n -= (size_t)put;
    }
    return WA_OK;
}

enum wa_code wa_fd_sync(int fd, struct wa_err *err)
{
    if (fsync(fd) != 0)
        return wa_fail_errno(err, errno, "cannot make written data durable");
    return WA_OK;
}

/* Writes bytes to a new file `temp` of the directory, durable. */
static enum wa_code write_temp(int dir_fd, const char *temp, struct wa_sv bytes, uint32_t mode,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd =
        openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot create a temporary file");
    if (wa_fd_write_all(fd, bytes.p, bytes.n, err) != WA_OK)
        return err->code;
    if (fchmod(fd, mode) != 0)
        return wa_fail_errno(err, errno, "cannot set the rights of a file");
    return wa_fd_sync(fd, err);
}

static enum wa_code replace_at(int dir_fd, const char *last, struct wa_sv bytes, uint32_t mode,
                               struct wa_err *err)
{
    char suffix[17], temp[WA_NAME_MAX + 32];
    if (wa_rand_hex(suffix, 8, err) != WA_OK)
        return err->code;
    (void)snprintf(temp, sizeof temp, ".%.200s.%s", last, suffix);
    if (write_temp(dir_fd, temp, bytes, mode, err) != WA_OK) {
        (void)unlinkat(dir_fd, temp, 0);
        return err->code;
    }
    if (renameat(dir_fd, temp, dir_fd, last) != 0) {
        (void)wa_fail_errno(err, errno, "cannot put the new file in place");
        (void)unlinkat(dir_fd, temp, 0);
        return err->code;
    }
    return wa_fd_sync(dir_fd, err);
}

enum wa_code wa_file_replace(const struct wa_dir *dir, const struct wa_relpath *name,
                             struct wa_sv bytes, uint32_t mode, struct wa_err *err)
{
    WA_AUTO_FD int parent = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, name, WA_PARENT_KEEP, &parent, &last, err) != WA_OK)
        return err->code;
    if (replace_at(parent, last, bytes, mode, err) != WA_OK)
        return wa_wrap(err, "writing '%s'", name->p);
    return WA_OK;
}

enum wa_code wa_path_replace(const char *path, struct wa_sv bytes, uint32_t mode,
                             struct wa_err *err)
{
    char parent[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    struct stat st;
    if (strlen(path) >= sizeof parent || last[0] == '\0' || strlen(last) > 200)
        return wa_fail(err, WA_E_USAGE, "'%s' is not the path of a file", path);
    (void)snprintf(parent, sizeof parent, "%.*s", slash == NULL ? 1 : (int)(slash - path),
                   slash == NULL ? "." : path);
    WA_AUTO_FD int fd = open(parent[0] == '\0' ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open the directory of '%s'", path);
    if (fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        return wa_fail(err, WA_E_CONFLICT, "'%s' exists and is not a regular file", path);
    if (replace_at(fd, last, bytes, mode, err) != WA_OK)
        return wa_wrap(err, "writing '%s'", path);
    return WA_OK;
}

/* --- locks, temporary directories, space --- */

enum wa_code wa_dir_lock(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                         struct wa_err *err)
{
    WA_AUTO_FD int parent = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, name, WA_PARENT_IS_THERE, &parent, &last, err) != WA_OK)
        return err->code;
    WA_AUTO_FD int fd = openat(parent, last, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open lock '%s'", name->p);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return wa_fail(err, WA_E_BUSY, "another process holds the lock '%s'", name->p);
        return wa_fail_errno(err, errno, "cannot lock '%s'", name->p);
    }
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_file_continue_alone(const struct wa_dir *dir, const struct wa_relpath *name,
                                    int *ret_fd, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_stat ours, there;
    if (wa_file_continue(dir, name, &fd, err) != WA_OK)
        return err->code;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? wa_fail(err, WA_E_BUSY, "'%s' is being written already", name->p)
                   : wa_fail_errno(err, errno, "cannot lock '%s'", name->p);
    if (wa_fd_stat(fd, &ours, err) != WA_OK || wa_file_stat(dir, name, &there, err) != WA_OK)
        return err->code;
    if (ours.inode != there.inode)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' has just been taken away", name->p);
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_path_is_remote(const char *path, bool *ret, struct wa_err *err)
{
    /* NFS, SMB in its three kinds, AFS, Ceph, 9P (linux/magic.h has not all of them) */
    static const uint32_t remote[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42,
                                      0x5346414f, 0x00c36400, 0x01021997};
    struct statfs v;
    if (statfs(path, &v) != 0)
        return wa_fail_errno(err, errno, "cannot ask where '%s' is", path);
    *ret = false;
    for (size_t i = 0; i < WA_COUNT(remote); i++)
        *ret = *ret || (uint32_t)v.f_type == remote[i];
    return WA_OK;
}

enum wa_code wa_path_free_bytes(const char *path, uint64_t *ret, struct wa_err *err)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return wa_fail_errno(err, errno, "cannot ask for the free space of '%s'", path);
    *ret = (uint64_t)v.f_bavail * (uint64_t)v.f_frsize;
    return WA_OK;
}

/* --- streams --- */

enum wa_code wa_fd_read_at(int fd, uint64_t offset, void *p, size_t n, struct wa_err *err)
{
    char *at = p;
    while (n > 0) {
        ssize_t got = pread(fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return wa_fail_errno(err, errno, "cannot read a file");
        if (got == 0)
            return wa_fail(err, WA_E_INVALID, "a file became shorter while it was read");
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return WA_OK;
}

static enum wa_code fd_read_at(struct wa_source *s, uint64_t offset, void *p, size_t n,
                               struct wa_err *err)
{
    if (offset > s->size || n > s->size - offset)
        return wa_fail(err, WA_E_INVALID, "reading past the end of a file");
    return wa_fd_read_at(((const struct wa_fd_source *)s)->fd, offset, p, n, err);
}

enum wa_code wa_fd_source_init(struct wa_fd_source *s, int fd, struct wa_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return wa_fail_errno(err, errno, "cannot look at an open file");
    if (!S_ISREG(st.st_mode))
        return wa_fail(err, WA_E_INVALID, "not a regular file");
    *s = (struct wa_fd_source){.base = {.size = (uint64_t)st.st_size, .read_at = fd_read_at},
                               .fd = fd};
    return WA_OK;
}

enum wa_code wa_fd_source_init_confined(struct wa_fd_source *s, int fd, struct wa_err *err)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return wa_fail_errno(err, errno, "cannot tell how long a file is");
    *s = (struct wa_fd_source){.base = {.size = (uint64_t)size, .read_at = fd_read_at}, .fd = fd};
    return WA_OK;
}

static enum wa_code fd_sink_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    return wa_fd_write_all(((struct wa_fd_sink *)s)->fd, p, n, err);
}

static enum wa_code fd_sink_write_at(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                                     struct wa_err *err)
{
    const int fd = ((struct wa_fd_sink *)s)->fd;
    const char *at = p;
    while (n > 0) {
        ssize_t done = pwrite(fd, at, n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return wa_fail_errno(err, done < 0 ? errno : EIO, "cannot write over a file");
        at += done;
        offset += (uint64_t)done;
        n -= (size_t)done;
    }
    return WA_OK;
}

void wa_fd_sink_init(struct wa_fd_sink *s, int fd)
{
    *s = (struct wa_fd_sink){.base = {.write = fd_sink_write, .write_at = fd_sink_write_at},
                             .fd = fd};
}
