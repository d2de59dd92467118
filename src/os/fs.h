/* fs.h - files under a directory handle, and files by absolute path for what configuration names.
 *
 * Everything that comes from an archive or a message is a wa_relpath under a wa_dir: no link is
 * followed (openat2 RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS, or a walk with O_NOFOLLOW). Writes that
 * matter replace atomically: temporary file in the same directory, fsync, rename, fsync of the
 * directory.
 */
#ifndef WA_OS_FS_H
#define WA_OS_FS_H

#include "base/buf.h"
#include "base/relpath.h"
#include "base/stream.h"

struct wa_dir {
    int fd; /* -1: closed */
};
#define WA_DIR_INIT                                                                                \
    {                                                                                              \
        -1                                                                                         \
    }

struct wa_stat {
    uint64_t size; /* bytes */
    int64_t mtime; /* seconds since 1970 */
    uint32_t mtime_ns;
    uint64_t inode;
    uint32_t mode; /* permission bits */
    uint32_t uid, gid;
    bool is_dir, is_file, is_link;
};

void wa_fd_close(int *fd); /* keeps errno; sets -1; accepts -1 */
#define WA_AUTO_FD WA_CLEANUP(wa_fd_close)

/* By path of the operating system (absolute, or relative to the current directory). Follows links.
 */
WA_CHECK enum wa_code wa_dir_open(const char *path, struct wa_dir *ret, struct wa_err *err);
/* As above after making it and its missing parents with mode. */
WA_CHECK enum wa_code wa_dir_make(const char *path, uint32_t mode, struct wa_dir *ret,
                                  struct wa_err *err);
void wa_dir_close(struct wa_dir *dir);
#define WA_AUTO_DIR WA_CLEANUP(wa_dir_close)

/* chmod, chown of the directory itself. */
WA_CHECK enum wa_code wa_dir_set_mode(const struct wa_dir *dir, uint32_t mode, struct wa_err *err);
WA_CHECK enum wa_code wa_dir_set_owner(const struct wa_dir *dir, uint32_t uid, uint32_t gid,
                                       struct wa_err *err);
/* Makes it the process's current directory. */
WA_CHECK enum wa_code wa_dir_enter(const struct wa_dir *dir, struct wa_err *err);

WA_CHECK enum wa_code wa_dir_open_sub(const struct wa_dir *dir, const struct wa_relpath *sub,
                                      struct wa_dir *ret, struct wa_err *err);
/* Makes sub and its missing parents. Existing is fine. */
WA_CHECK enum wa_code wa_dir_make_sub(const struct wa_dir *dir, const struct wa_relpath *sub,
                                      uint32_t mode, struct wa_err *err);
/* Descriptor of a regular file, read only, close-on-exec. WA_E_NOT_FOUND, WA_E_INVALID when it is
 * not a regular file. */
WA_CHECK enum wa_code wa_file_open(const struct wa_dir *dir, const struct wa_relpath *name,
                                   int *ret_fd, struct wa_err *err);
/* New file (O_EXCL), parents made with 0755, read-write. */
WA_CHECK enum wa_code wa_file_create(const struct wa_dir *dir, const struct wa_relpath *name,
                                     uint32_t mode, int *ret_fd, struct wa_err *err);
/* An existing regular file to continue: read-write, what is written goes to its end. */
WA_CHECK enum wa_code wa_file_continue(const struct wa_dir *dir, const struct wa_relpath *name,
                                       int *ret_fd, struct wa_err *err);
/* Whole content; WA_E_LIMIT beyond max bytes. Appends to out (whose own cap holds too). */
WA_CHECK enum wa_code wa_file_read(const struct wa_dir *dir, const struct wa_relpath *name,
                                   size_t max, struct wa_buf *out, struct wa_err *err);
/* Atomic replacement, durable when it returns. */
WA_CHECK enum wa_code wa_file_replace(const struct wa_dir *dir, const struct wa_relpath *name,
                                      struct wa_sv bytes, uint32_t mode, struct wa_err *err);
/* The same two by path of the operating system. The path may not be a link for the replacement. */
WA_CHECK enum wa_code wa_path_read(const char *path, size_t max, struct wa_buf *out,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_path_replace(const char *path, struct wa_sv bytes, uint32_t mode,
                                      struct wa_err *err);
/* Whatever a person named, read only: follows links, and does not wait for a FIFO's other end. */
WA_CHECK enum wa_code wa_path_open(const char *path, int *ret_fd, struct wa_err *err);
WA_CHECK enum wa_code wa_path_set_owner(const char *path, uint32_t uid, uint32_t gid,
                                        struct wa_err *err); /* of a link itself */
WA_CHECK enum wa_code wa_path_stat(const char *path, struct wa_stat *ret,
                                   struct wa_err *err); /* does not follow a link */
WA_CHECK enum wa_code wa_fd_stat(int fd, struct wa_stat *ret, struct wa_err *err);

WA_CHECK enum wa_code wa_file_stat(const struct wa_dir *dir, const struct wa_relpath *name,
                                   struct wa_stat *ret,
                                   struct wa_err *err); /* does not follow a link */
WA_CHECK enum wa_code wa_file_remove(const struct wa_dir *dir, const struct wa_relpath *name,
                                     struct wa_err *err);
WA_CHECK enum wa_code wa_file_rename(const struct wa_dir *from, const struct wa_relpath *old_name,
                                     const struct wa_dir *to, const struct wa_relpath *new_name,
                                     struct wa_err *err); /* durable */
/* A second name for the same file; WA_E_EXISTS when there is one of that name. Linux. */
WA_CHECK enum wa_code wa_file_link(const struct wa_dir *from, const struct wa_relpath *old_name,
                                   const struct wa_dir *to, const struct wa_relpath *new_name,
                                   struct wa_err *err); /* durable */
/* The two change their names, durably and at once: whoever looks sees the one or the other. */
WA_CHECK enum wa_code wa_file_exchange(const struct wa_dir *dir, const struct wa_relpath *a,
                                       const struct wa_relpath *b, struct wa_err *err);
/* Removes sub with all below, never through a link. Missing is fine. */
WA_CHECK enum wa_code wa_tree_remove(const struct wa_dir *dir, const struct wa_relpath *sub,
                                     struct wa_err *err);

typedef enum wa_code (*wa_walk_fn)(void *user, const char *name, const struct wa_stat *st,
                                   struct wa_err *err);
/* Entries of the directory itself, sorted by name, without "." and "..". Stops at the first
 * failure. */
WA_CHECK enum wa_code wa_dir_list(const struct wa_dir *dir, wa_walk_fn fn, void *user,
                                  struct wa_err *err);
/* Regular files below, as '/'-separated relative paths, sorted; links and special files are an
 * error WA_E_INVALID. */
typedef enum wa_code (*wa_walk_files_fn)(void *user, const struct wa_relpath *name,
                                         const struct wa_stat *st, struct wa_err *err);
WA_CHECK enum wa_code wa_dir_walk_files(const struct wa_dir *dir, wa_walk_files_fn fn, void *user,
                                        struct wa_err *err);

/* Writes all of it to fd / fsync, with errors named. */
WA_CHECK enum wa_code wa_fd_write_all(int fd, const void *p, size_t n, struct wa_err *err);
WA_CHECK enum wa_code wa_fd_read_at(int fd, uint64_t offset, void *p, size_t n,
                                    struct wa_err *err); /* exactly n bytes */
WA_CHECK enum wa_code wa_fd_sync(int fd, struct wa_err *err);

/* A wa_source over a descriptor (pread); the descriptor stays the caller's, the size is taken once.
 */
struct wa_fd_source {
    struct wa_source base;
    int fd;
};
WA_CHECK enum wa_code wa_fd_source_init(struct wa_fd_source *s, int fd, struct wa_err *err);
/* The same by seeking alone, for a process that may not even ask what fd is. */
WA_CHECK enum wa_code wa_fd_source_init_confined(struct wa_fd_source *s, int fd,
                                                 struct wa_err *err);
/* A wa_sink over a descriptor. */
struct wa_fd_sink {
    struct wa_sink base;
    int fd;
};
void wa_fd_sink_init(struct wa_fd_sink *s, int fd);

/* All of a file to the place where another stands. WA_E_LIMIT above max bytes. */
WA_CHECK enum wa_code wa_fd_copy(int from, int to, uint64_t max, struct wa_err *err);

/* Exclusive lock on a file of dir, held while *ret_fd is open. WA_E_BUSY when another process has
 * it. */
WA_CHECK enum wa_code wa_dir_lock(const struct wa_dir *dir, const struct wa_relpath *name,
                                  int *ret_fd, struct wa_err *err);
/* wa_file_continue() for one process at a time: WA_E_BUSY while another has it open so. What was
 * opened is the file of that name when it returns, not one that was renamed meanwhile. Linux. */
WA_CHECK enum wa_code wa_file_continue_alone(const struct wa_dir *dir,
                                             const struct wa_relpath *name, int *ret_fd,
                                             struct wa_err *err);
/* A private temporary directory (0700) under $TMPDIR or /tmp; out has room for WA_PATH_MAX. */
WA_CHECK enum wa_code wa_temp_dir(const char *prefix, char *out, struct wa_err *err);
/* With all that is in it, best effort. */
void wa_temp_remove(const char *path);
/* A private folder that its process holds for as long as something is put together. Linux. */
struct wa_scratch { /* all 0: none */
    char path[WA_PATH_MAX];
    struct wa_dir dir; /* open while path is there: what holds it */
};
/* kind: the first part of its name. Those of that kind that are this account's, older than a minute
 * and held by nobody go: their process was killed. */
WA_CHECK enum wa_code wa_scratch_open(struct wa_scratch *s, const char *kind, struct wa_err *err);
/* Removes it with all that is in it; one that is none is left alone. */
void wa_scratch_close(struct wa_scratch *s);
#define WA_AUTO_SCRATCH WA_CLEANUP(wa_scratch_close)

/* Whether it lies on another machine, as far as the system says. */
WA_CHECK enum wa_code wa_path_is_remote(const char *path, bool *ret, struct wa_err *err);
/* Bytes free for an ordinary user on the file system of path. */
WA_CHECK enum wa_code wa_path_free_bytes(const char *path, uint64_t *ret, struct wa_err *err);

#endif
