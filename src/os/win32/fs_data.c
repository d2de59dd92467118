/* fs_data.c - reading and replacing whole files, locks, and the stream ends over descriptors.
 *
 * A replacement is written beside the old file, made durable, then renamed over it: a kill at any
 * moment leaves the old or the new one.
 */
#include "os/win32/win.h"

#include "base/mem.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/rand.h"

#define PIECE_MAX (1u << 20) /* bytes of one call */

static DWORD read_some(HANDLE h, void *p, size_t n, size_t *ret)
{
    DWORD got = 0;
    if (!ReadFile(h, p, (DWORD)(n < PIECE_MAX ? n : PIECE_MAX), &got, NULL)) {
        DWORD error = GetLastError();
        if (error != ERROR_BROKEN_PIPE && error != ERROR_HANDLE_EOF)
            return error;
        got = 0;
    }
    *ret = got;
    return 0;
}

static enum wa_code read_all(int fd, const char *what, size_t max, struct wa_buf *out,
                             struct wa_err *err)
{
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    size_t total = 0, cap = max < out->max - out->n ? max : out->max - out->n;
    for (;;) {
        char more; /* at the cap, one byte tells whether the file goes on */
        size_t want = cap - total < 65536 ? cap - total : 65536, got = 0;
        char *p = want == 0 ? &more : wa_buf_reserve(out, want);
        if (p == NULL)
            return wa_buf_check(out, err) == WA_OK ? wa_nomem(err)
                                                   : wa_wrap(err, "reading '%s'", what);
        *p = '\0'; /* reserving may have moved the text without its NUL */
        DWORD error = read_some(wa_win_handle(fd), p, want == 0 ? 1 : want, &got);
        if (error != 0)
            return wa_win_fail(err, error, "cannot read '%s'", what);
        if (got == 0)
            return WA_OK;
        if (want == 0)
            return wa_fail(err, WA_E_LIMIT, "'%s' is larger than %zu bytes", what, cap);
        total += got;
        wa_buf_advance(out, got);
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
    WA_AUTO_FD int fd = -1;
    if (wa_path_open(path, &fd, err) != WA_OK)
        return err->code;
    return read_all(fd, path, max, out, err);
}

enum wa_code wa_fd_write_all(int fd, const void *p, size_t n, struct wa_err *err)
{
    const char *at = p;
    while (n > 0) {
        DWORD put = 0;
        if (!WriteFile(wa_win_handle(fd), at, (DWORD)(n < PIECE_MAX ? n : PIECE_MAX), &put, NULL))
            return wa_win_fail(err, GetLastError(), "cannot write");
        at += put;
        n -= put;
    }
    return WA_OK;
}

enum wa_code wa_fd_sync(int fd, struct wa_err *err)
{
    if (!FlushFileBuffers(wa_win_handle(fd)))
        return wa_win_fail(err, GetLastError(), "cannot make written data durable");
    return WA_OK;
}

/* --- replacing --- */

/* The new file beside the old one, with DELETE, without which it can't be renamed. */
static enum wa_code write_temp(HANDLE dir, const wchar_t *temp, struct wa_sv bytes, uint32_t mode,
                               int *ret_fd, struct wa_err *err)
{
    PSECURITY_DESCRIPTOR rights = NULL;
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wa_win_rights(mode, &rights, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(dir, temp, FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE,
                                   FILE_CREATE, FILE_NON_DIRECTORY_FILE, rights, false, &h);
    (void)LocalFree(rights);
    if (rc != 0)
        return wa_win_fail(err, wa_win_error_of(rc), "cannot create a temporary file");
    if (wa_win_fd(h, ret_fd, err) != WA_OK ||
        wa_fd_write_all(*ret_fd, bytes.p, bytes.n, err) != WA_OK)
        return err->code;
    return wa_fd_sync(*ret_fd, err);
}

static enum wa_code replace_at(HANDLE dir, const wchar_t *last, struct wa_sv bytes, uint32_t mode,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    char suffix[17];
    wchar_t temp[WA_NAME_MAX + 32], wide[17];
    if (wa_rand_hex(suffix, 8, err) != WA_OK ||
        wa_win_wide(suffix, wide, WA_COUNT(wide), err) != WA_OK)
        return err->code;
    (void)_snwprintf(temp, WA_COUNT(temp), L".%.200ls.%ls", last, wide);
    if (write_temp(dir, temp, bytes, mode, &fd, err) == WA_OK) {
        DWORD error = wa_win_rename(wa_win_handle(fd), dir, last);
        if (error == 0)
            return wa_fd_sync(fd, err); /* the name with it */
        (void)wa_win_fail(err, error, "cannot put the new file in place");
    }
    if (fd >= 0 && wa_win_remove(wa_win_handle(fd)) != 0)
        return wa_wrap(err, "a temporary file is left behind");
    return err->code;
}

enum wa_code wa_file_replace(const struct wa_dir *dir, const struct wa_relpath *name,
                             struct wa_sv bytes, uint32_t mode, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, true, &parent, last, err) != WA_OK)
        return err->code;
    if (replace_at(parent, last, bytes, mode, err) != WA_OK)
        return wa_wrap(err, "writing '%s'", name->p);
    return WA_OK;
}

enum wa_code wa_path_replace(const char *path, struct wa_sv bytes, uint32_t mode,
                             struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err why = WA_ERR_INIT;
    char folder[WA_PATH_MAX];
    struct wa_relpath last;
    struct wa_stat st;
    if (wa_relpath_parse(wa_sv(wa_path_last(path)), &last, &why) != WA_OK)
        return wa_fail(err, WA_E_USAGE, "'%s' is not the path of a file", path);
    if (wa_path_dir(path, (size_t)(wa_path_last(path) - path), folder, err) != WA_OK ||
        wa_dir_open(folder, &dir, err) != WA_OK)
        return err->code;
    if (wa_file_stat(&dir, &last, &st, &why) == WA_OK && !st.is_file)
        return wa_fail(err, WA_E_CONFLICT, "'%s' exists and is not a regular file", path);
    return wa_file_replace(&dir, &last, bytes, mode, err);
}

/* --- locks, temporary directories, space --- */

enum wa_code wa_dir_lock(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                         struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    WA_AUTO_FD int fd = -1;
    wchar_t last[WA_NAME_MAX + 1];
    OVERLAPPED at = {.Offset = 0};
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, false, &parent, last, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(parent, last, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                                   FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE, NULL, false, &h);
    if (rc != 0)
        return wa_win_fail(err, wa_win_error_of(rc), "cannot open lock '%s'", name->p);
    if (wa_win_fd(h, &fd, err) != WA_OK)
        return err->code;
    if (!LockFileEx(h, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)) {
        DWORD error = GetLastError();
        if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING)
            return wa_fail(err, WA_E_BUSY, "another process holds the lock '%s'", name->p);
        return wa_win_fail(err, error, "cannot lock '%s'", name->p);
    }
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_temp_dir(const char *prefix, char *out, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir made = WA_DIR_INIT;
    wchar_t root[MAX_PATH + 2];
    char text[WA_PATH_MAX], suffix[25];
    DWORD got = GetTempPathW(WA_COUNT(root), root);
    if (got == 0 || got >= WA_COUNT(root))
        return wa_fail(err, WA_E_CONFIG, "there is no directory for temporary files");
    if (wa_win_narrow(root, text, sizeof text, err) != WA_OK ||
        wa_rand_hex(suffix, 12, err) != WA_OK)
        return err->code;
    int n = snprintf(out, WA_PATH_MAX, "%s%s-%s", text, prefix, suffix);
    if (n < 0 || (size_t)n >= WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path of the temporary directory is too long");
    return wa_dir_make(out, 0700, &made, err);
}

enum wa_code wa_path_is_remote(const char *path, bool *ret, struct wa_err *err)
{
    wchar_t *wide = NULL;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    wchar_t root[] = L"?:\\";
    bool is_share = wcsncmp(wide, L"\\\\?\\UNC\\", 8) == 0;
    root[0] = wcslen(wide) > 4 ? wide[4] : L'?'; /* after the mark of the form without a limit */
    wa_free(wide);
    *ret = is_share || GetDriveTypeW(root) == DRIVE_REMOTE;
    return WA_OK;
}

enum wa_code wa_path_free_bytes(const char *path, uint64_t *ret, struct wa_err *err)
{
    wchar_t *wide = NULL;
    ULARGE_INTEGER n;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    DWORD error = GetDiskFreeSpaceExW(wide, &n, NULL, NULL) ? 0 : GetLastError();
    wa_free(wide);
    if (error != 0)
        return wa_win_fail(err, error, "cannot ask for the free space of '%s'", path);
    *ret = n.QuadPart;
    return WA_OK;
}

/* --- streams --- */

/* Reads at offsets move the place of the descriptor, which is put back: somebody may be writing. */
enum wa_code wa_fd_read_at(int fd, uint64_t offset, void *p, size_t n, struct wa_err *err)
{
    HANDLE h = wa_win_handle(fd);
    LARGE_INTEGER none = {.QuadPart = 0}, before;
    char *at = p;
    if (!SetFilePointerEx(h, none, &before, FILE_CURRENT))
        return wa_win_fail(err, GetLastError(), "cannot read a file");
    DWORD error = 0, got = 1;
    while (n > 0 && error == 0 && got > 0) {
        OVERLAPPED where = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        got = 0;
        if (!ReadFile(h, at, (DWORD)(n < PIECE_MAX ? n : PIECE_MAX), &got, &where))
            error = GetLastError();
        at += got;
        offset += got;
        n -= got;
    }
    (void)SetFilePointerEx(h, before, NULL, FILE_BEGIN);
    if (error != 0 && error != ERROR_HANDLE_EOF)
        return wa_win_fail(err, error, "cannot read a file");
    if (n > 0)
        return wa_fail(err, WA_E_INVALID, "a file became shorter while it was read");
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
    struct wa_stat st;
    if (wa_fd_stat(fd, &st, err) != WA_OK)
        return err->code;
    if (!st.is_file)
        return wa_fail(err, WA_E_INVALID, "not a regular file");
    *s = (struct wa_fd_source){.base = {.size = st.size, .read_at = fd_read_at}, .fd = fd};
    return WA_OK;
}

static enum wa_code fd_sink_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    return wa_fd_write_all(((struct wa_fd_sink *)s)->fd, p, n, err);
}

static enum wa_code fd_sink_write_at(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                                     struct wa_err *err)
{
    HANDLE h = wa_win_handle(((struct wa_fd_sink *)s)->fd);
    LARGE_INTEGER none = {.QuadPart = 0}, before;
    const char *at = p;
    if (!SetFilePointerEx(h, none, &before, FILE_CURRENT))
        return wa_win_fail(err, GetLastError(), "cannot write over a file");
    DWORD error = 0, done = 1;
    while (n > 0 && error == 0 && done > 0) {
        OVERLAPPED where = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        done = 0;
        if (!WriteFile(h, at, (DWORD)(n < PIECE_MAX ? n : PIECE_MAX), &done, &where))
            error = GetLastError();
        at += done;
        offset += done;
        n -= done;
    }
    (void)SetFilePointerEx(h, before, NULL, FILE_BEGIN);
    if (error != 0 || n > 0)
        return wa_win_fail(err, error != 0 ? error : ERROR_DISK_FULL, "cannot write over a file");
    return WA_OK;
}

void wa_fd_sink_init(struct wa_fd_sink *s, int fd)
{
    *s = (struct wa_fd_sink){.base = {.write = fd_sink_write, .write_at = fd_sink_write_at},
                             .fd = fd};
}
