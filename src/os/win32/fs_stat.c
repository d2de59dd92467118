/* fs_stat.c - what is known of a file. Owners are accounts here, not numbers: uid and gid stay 0.
 * The mode says whether it may be written and, for a file named by its path, whether others than
 * its owner may read it; entries of listings and walks are not asked for that.
 */
#include "os/win32/win.h"

#include "base/mem.h"
#include "os/fs.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define EPOCH_1601 116444736000000000ull /* from 1601 to 1970, in steps of 100 ns */

DWORD wa_win_stat(HANDLE h, struct wa_stat *ret)
{
    BY_HANDLE_FILE_INFORMATION i;
    if (!GetFileInformationByHandle(h, &i))
        return GetLastError();
    uint64_t ticks =
        (uint64_t)i.ftLastWriteTime.dwHighDateTime << 32 | i.ftLastWriteTime.dwLowDateTime;
    int64_t since = (int64_t)(ticks - EPOCH_1601);
    bool is_link = (i.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    bool is_dir = !is_link && (i.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    bool is_fixed = (i.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0;
    int64_t part = since % 10000000 < 0 ? since % 10000000 + 10000000 : since % 10000000;
    *ret = (struct wa_stat){
        .size = (uint64_t)i.nFileSizeHigh << 32 | i.nFileSizeLow,
        .mtime = (since - part) / 10000000,
        .mtime_ns = (uint32_t)part * 100u,
        .inode = (uint64_t)i.nFileIndexHigh << 32 | i.nFileIndexLow,
        .mode = is_dir     ? 0755u
                : is_fixed ? 0444u
                           : 0644u,
        .is_dir = is_dir,
        .is_file = !is_link && !is_dir && GetFileType(h) == FILE_TYPE_DISK,
        .is_link = is_link,
    };
    return 0;
}

enum wa_code wa_file_stat(const struct wa_dir *dir, const struct wa_relpath *name,
                          struct wa_stat *ret, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, false, &parent, last, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(parent, last, 0, FILE_OPEN, 0, NULL, true, &h);
    DWORD error = rc != 0 ? wa_win_error_of(rc) : wa_win_stat(h, ret);
    return error == 0 ? WA_OK : wa_win_fail(err, error, "cannot look at '%s'", name->p);
}

enum wa_code wa_path_stat(const char *path, struct wa_stat *ret, struct wa_err *err)
{
    wchar_t *wide = NULL;
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    WA_AUTO_HANDLE HANDLE h =
        CreateFileW(wide, FILE_READ_ATTRIBUTES | READ_CONTROL, SHARE_ALL, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT |
                        SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                    NULL);
    DWORD error = h == INVALID_HANDLE_VALUE ? GetLastError() : wa_win_stat(h, ret);
    wa_free(wide);
    if (error == 0 && ret->is_file && wa_win_is_private(h))
        ret->mode &= 0700u;
    return error == 0 ? WA_OK : wa_win_fail(err, error, "cannot look at '%s'", path);
}

enum wa_code wa_fd_stat(int fd, struct wa_stat *ret, struct wa_err *err)
{
    DWORD error = wa_win_stat(wa_win_handle(fd), ret);
    return error == 0 ? WA_OK : wa_win_fail(err, error, "cannot look at an open file");
}
