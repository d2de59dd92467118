/* fs_open.c - directories and files opened by handle. No link is ever followed below a directory
 * handle.
 *
 * NtCreateFile() opens one part of a name in the folder whose handle is given, and opens a link, a
 * junction or any other reparse point as itself, which is then refused. So nothing that is
 * exchanged between two steps leads anywhere, which a check of the final path could not promise;
 * and a wa_relpath has no part that Windows reads as a device, a stream, a drive or a step up.
 */
#include "os/win32/win.h"

#include <fcntl.h>
#include <io.h>

#include "base/mem.h"
#include "os/fs.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define STATUS_REPARSE ((NTSTATUS)0xC000050B) /* STATUS_REPARSE_POINT_ENCOUNTERED */
#define DIR_ACCESS (FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE)
#define TURNS_MAX 40u /* tries for what another program is in the way of: 2 s in all */

HANDLE wa_win_handle(int fd)
{
    /* A socket or nothing: the C library would be asked for what it does not have. */
    if (fd < 0 || (fd & WA_WIN_SOCKET_MARK) != 0)
        return INVALID_HANDLE_VALUE;
    return (HANDLE)_get_osfhandle(fd);
}

void wa_win_close(HANDLE *h)
{
    if (*h != INVALID_HANDLE_VALUE && *h != NULL)
        (void)CloseHandle(*h);
    *h = INVALID_HANDLE_VALUE;
}

enum wa_code wa_win_fd(HANDLE h, int *ret_fd, struct wa_err *err)
{
    int fd = _open_osfhandle((intptr_t)h, _O_BINARY | _O_NOINHERIT);
    if (fd < 0) {
        (void)CloseHandle(h);
        return wa_win_fail(err, ERROR_TOO_MANY_OPEN_FILES, "cannot open one more file");
    }
    *ret_fd = fd;
    return WA_OK;
}

void wa_fd_close(int *fd)
{
    int saved = errno;
    if (*fd >= 0 && (*fd & WA_WIN_SOCKET_MARK) != 0)
        (void)closesocket(wa_win_socket(*fd));
    else if (*fd >= 0)
        (void)_close(*fd);
    *fd = -1;
    errno = saved;
}

void wa_dir_close(struct wa_dir *dir)
{
    wa_fd_close(&dir->fd);
}

/* --- one part --- */

static bool is_reparse(HANDLE h)
{
    BY_HANDLE_FILE_INFORMATION i;
    return !GetFileInformationByHandle(h, &i) ||
           (i.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}

NTSTATUS wa_win_open_part(HANDLE dir, const wchar_t *part, ACCESS_MASK access, ULONG disposition,
                          ULONG options, PSECURITY_DESCRIPTOR rights, bool want_link, HANDLE *ret)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK status;
    HANDLE h = INVALID_HANDLE_VALUE;
    name.Length = name.MaximumLength = (USHORT)(wcslen(part) * sizeof(wchar_t));
    name.Buffer = (wchar_t *)(uintptr_t)part; /* read only */
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, dir, rights);
    NTSTATUS rc =
        NtCreateFile(&h, access | FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &status, NULL,
                     FILE_ATTRIBUTE_NORMAL, SHARE_ALL, disposition,
                     options | FILE_OPEN_REPARSE_POINT | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (rc != 0)
        return rc;
    if (!want_link && is_reparse(h)) {
        (void)CloseHandle(h);
        return STATUS_REPARSE;
    }
    *ret = h;
    return 0;
}

static NTSTATUS open_dir_part(HANDLE dir, const wchar_t *part, bool make, HANDLE *ret)
{
    return wa_win_open_part(dir, part, DIR_ACCESS, make ? FILE_OPEN_IF : FILE_OPEN,
                            FILE_DIRECTORY_FILE, NULL, false, ret);
}

/* The directory of the first n bytes of name, 0: dir itself, as a handle of its own. */
static enum wa_code walk(HANDLE dir, const char *name, size_t n, bool make, HANDLE *ret,
                         struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE at = INVALID_HANDLE_VALUE;
    struct wa_sv rest = wa_sv_n(name, n), part;
    if (n == 0 && !DuplicateHandle(GetCurrentProcess(), dir, GetCurrentProcess(), &at, 0, FALSE,
                                   DUPLICATE_SAME_ACCESS))
        return wa_win_fail(err, GetLastError(), "cannot open the directory of '%s'", name);
    while (n > 0 && wa_sv_split(&rest, '/', &part)) {
        char text[WA_NAME_MAX + 1];
        wchar_t wide[WA_NAME_MAX + 1];
        HANDLE next = INVALID_HANDLE_VALUE;
        (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(part));
        if (wa_win_wide(text, wide, WA_COUNT(wide), err) != WA_OK)
            return err->code;
        NTSTATUS rc = open_dir_part(at == INVALID_HANDLE_VALUE ? dir : at, wide, make, &next);
        if (rc != 0)
            return wa_win_fail(err, wa_win_error_of(rc), "cannot open directory '%.*s'", (int)n,
                               name);
        wa_win_close(&at);
        at = next;
    }
    *ret = at;
    at = INVALID_HANDLE_VALUE;
    return WA_OK;
}

enum wa_code wa_win_open_parent(HANDLE dir, const struct wa_relpath *name, bool make, HANDLE *ret,
                                wchar_t *last, struct wa_err *err)
{
    const char *slash = strrchr(name->p, '/');
    if (wa_win_wide(slash == NULL ? name->p : slash + 1, last, WA_NAME_MAX + 1, err) != WA_OK)
        return err->code;
    return walk(dir, name->p, slash == NULL ? 0 : (size_t)(slash - name->p), make, ret, err);
}

/* --- directories --- */

static enum wa_code dir_of_handle(HANDLE h, struct wa_dir *ret, struct wa_err *err)
{
    int fd = -1;
    if (wa_win_fd(h, &fd, err) != WA_OK)
        return err->code;
    ret->fd = fd;
    return WA_OK;
}

enum wa_code wa_dir_open(const char *path, struct wa_dir *ret, struct wa_err *err)
{
    wchar_t *wide = NULL;
    BY_HANDLE_FILE_INFORMATION i;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    HANDLE h = CreateFileW(wide, DIR_ACCESS, SHARE_ALL, NULL, OPEN_EXISTING,
                           FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD error = h == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    wa_free(wide);
    if (error == 0 && (!GetFileInformationByHandle(h, &i) ||
                       (i.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0)) {
        (void)CloseHandle(h);
        error = ERROR_DIRECTORY;
    }
    if (error != 0)
        return wa_win_fail(err, error, "cannot open directory '%s'", path);
    return dir_of_handle(h, ret, err);
}

/* Makes the directory of that whole path, and its parents before. */
static DWORD make_path(wchar_t *path, SECURITY_ATTRIBUTES *rights)
{
    if (CreateDirectoryW(path, rights))
        return 0;
    DWORD error = GetLastError();
    if (error == ERROR_ALREADY_EXISTS)
        return 0;
    wchar_t *slash = wcsrchr(path, L'\\');
    if (error != ERROR_PATH_NOT_FOUND || slash == NULL || slash <= path + 6)
        return error;
    *slash = L'\0';
    error = make_path(path, rights);
    *slash = L'\\';
    if (error != 0 || CreateDirectoryW(path, rights))
        return error;
    error = GetLastError();
    return error == ERROR_ALREADY_EXISTS ? 0 : error;
}

enum wa_code wa_dir_make(const char *path, uint32_t mode, struct wa_dir *ret, struct wa_err *err)
{
    SECURITY_ATTRIBUTES rights = {.nLength = sizeof rights};
    wchar_t *wide = NULL;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    if (wa_win_rights(mode, &rights.lpSecurityDescriptor, err) != WA_OK) {
        wa_free(wide);
        return err->code;
    }
    size_t n = wcslen(wide);
    if (n > 0 && wide[n - 1] == L'\\')
        wide[n - 1] = L'\0';
    DWORD error = make_path(wide, &rights);
    (void)LocalFree(rights.lpSecurityDescriptor);
    wa_free(wide);
    if (error != 0)
        return wa_win_fail(err, error, "cannot make directory '%s'", path);
    return wa_dir_open(path, ret, err);
}

enum wa_code wa_dir_open_sub(const struct wa_dir *dir, const struct wa_relpath *sub,
                             struct wa_dir *ret, struct wa_err *err)
{
    HANDLE h = INVALID_HANDLE_VALUE;
    if (walk(wa_win_handle(dir->fd), sub->p, sub->n, false, &h, err) != WA_OK)
        return err->code;
    return dir_of_handle(h, ret, err);
}

enum wa_code wa_dir_make_sub(const struct wa_dir *dir, const struct wa_relpath *sub, uint32_t mode,
                             struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    WA_UNUSED(mode); /* what a directory hands down holds below it */
    return walk(wa_win_handle(dir->fd), sub->p, sub->n, true, &h, err);
}

/* --- files --- */

static enum wa_code open_regular(const struct wa_dir *dir, const struct wa_relpath *name,
                                 ACCESS_MASK access, int *ret_fd, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    struct wa_stat st;
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, false, &parent, last, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(parent, last, access, FILE_OPEN, 0, NULL, false, &h);
    if (rc != 0)
        return wa_win_fail(err, wa_win_error_of(rc), "cannot open '%s'", name->p);
    DWORD error = wa_win_stat(h, &st);
    if (error != 0 || !st.is_file) {
        (void)CloseHandle(h);
        return error != 0 ? wa_win_fail(err, error, "cannot open '%s'", name->p)
                          : wa_fail(err, WA_E_INVALID, "'%s' is not a regular file", name->p);
    }
    return wa_win_fd(h, ret_fd, err);
}

enum wa_code wa_file_open(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                          struct wa_err *err)
{
    return open_regular(dir, name, FILE_READ_DATA, ret_fd, err);
}

enum wa_code wa_file_continue(const struct wa_dir *dir, const struct wa_relpath *name, int *ret_fd,
                              struct wa_err *err)
{
    return open_regular(dir, name, FILE_READ_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES,
                        ret_fd, err);
}

enum wa_code wa_file_create(const struct wa_dir *dir, const struct wa_relpath *name, uint32_t mode,
                            int *ret_fd, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    PSECURITY_DESCRIPTOR rights = NULL;
    HANDLE h = INVALID_HANDLE_VALUE;
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, true, &parent, last, err) != WA_OK ||
        wa_win_rights(mode, &rights, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(parent, last, FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE,
                                   FILE_CREATE, FILE_NON_DIRECTORY_FILE, rights, false, &h);
    (void)LocalFree(rights);
    if (rc != 0)
        return wa_win_fail(err, wa_win_error_of(rc), "cannot create '%s'", name->p);
    return wa_win_fd(h, ret_fd, err);
}

enum wa_code wa_path_open(const char *path, int *ret_fd, struct wa_err *err)
{
    wchar_t *wide = NULL;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    /* The server of a pipe that somebody names may ask who we are, and no more. */
    HANDLE h = CreateFileW(
        wide, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    DWORD error = GetLastError();
    wa_free(wide);
    if (h == INVALID_HANDLE_VALUE)
        return wa_win_fail(err, error, "cannot open '%s'", path);
    return wa_win_fd(h, ret_fd, err);
}

/* --- others in the way --- */

bool wa_win_wait_turn(DWORD error, unsigned *tries)
{
    if ((error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED &&
         error != ERROR_LOCK_VIOLATION && error != ERROR_USER_MAPPED_FILE) ||
        ++*tries > TURNS_MAX)
        return false;
    Sleep(50);
    return true;
}
