/* win.h - between the files of this folder: Windows' headers, its errors, its texts, its handles.
 *
 * UTF-16 lives in this folder alone. A descriptor of os/fs.h is one of the C library over a handle;
 * one of os/socket.h is the SOCKET with SOCKET_MARK set, which no descriptor of a file reaches and
 * which a handle of the kernel (few, multiples of four) does not either.
 */
#ifndef WA_OS_WIN32_WIN_H
#define WA_OS_WIN32_WIN_H

#include <winsock2.h>

#include <windows.h>

#include <winternl.h>

#include <wchar.h>

#include "base/buf.h"
#include "base/relpath.h"

/* --- errors (error.c) --- */
/* Says what could not be done and why, with the code that belongs to the error of Windows. */
enum wa_code wa_win_fail(struct wa_err *err, DWORD error, const char *fmt, ...) WA_FORMAT(3, 4);
DWORD wa_win_error_of(NTSTATUS status);
/* For the functions that answer with errno. */
int wa_win_errno(DWORD error);

/* --- texts (text.c) --- */
/* UTF-8 to UTF-16 with its NUL, out has room for count units; WA_E_INVALID for what is not UTF-8,
 * WA_E_LIMIT. */
WA_CHECK enum wa_code wa_win_wide(const char *text, wchar_t *out, size_t count, struct wa_err *err);
/* Back, out has room for n bytes. */
WA_CHECK enum wa_code wa_win_narrow(const wchar_t *text, char *out, size_t n, struct wa_err *err);
/* A path as a person types it, whole and in the form that has no limit of 260 units. Owned by the
 * caller (wa_free()). */
WA_CHECK enum wa_code wa_win_path(const char *path, wchar_t **ret, struct wa_err *err);

/* --- handles --- */
#define WA_WIN_SOCKET_MARK 0x40000000
HANDLE wa_win_handle(int fd); /* INVALID_HANDLE_VALUE for what is none */
/* Takes over the handle, also on failure. */
WA_CHECK enum wa_code wa_win_fd(HANDLE h, int *ret_fd, struct wa_err *err);
void wa_win_close(HANDLE *h);
#define WA_AUTO_HANDLE WA_CLEANUP(wa_win_close)
static inline SOCKET wa_win_socket(int fd)
{
    return fd < 0 ? INVALID_SOCKET : (SOCKET)(fd & ~WA_WIN_SOCKET_MARK);
}

/* --- who may (rights.c) --- */
/* Whether the mode leaves group and others nothing; then ret is a descriptor for the owner, the
 * system and administrators alone, else NULL: as the folder has it. LocalFree() it. */
WA_CHECK enum wa_code wa_win_rights(uint32_t mode, PSECURITY_DESCRIPTOR *ret, struct wa_err *err);

/* Whether nobody may read it but its owner, the system and administrators. h with READ_CONTROL. */
bool wa_win_is_private(HANDLE h);

/* --- below a directory (fs_open.c) --- */
/* The part of that name in the directory, never what a link there leads to: a reparse point is
 * opened as itself, and refused unless want_link. */
NTSTATUS wa_win_open_part(HANDLE dir, const wchar_t *part, ACCESS_MASK access, ULONG disposition,
                          ULONG options, PSECURITY_DESCRIPTOR rights, bool want_link, HANDLE *ret);
/* The parent of name as a handle of its own, and the last part; missing parents are made when
 * asked. last has room for WA_NAME_MAX + 1 units. */
WA_CHECK enum wa_code wa_win_open_parent(HANDLE dir, const struct wa_relpath *name, bool make,
                                         HANDLE *ret, wchar_t *last, struct wa_err *err);
/* Size, dates, kind. */
struct wa_stat;
DWORD wa_win_stat(HANDLE h, struct wa_stat *ret); /* 0, or the error */
/* Renames the open file to name in dir, over what is there: again and again while somebody who
 * looks at it is in the way, for some seconds. */
WA_CHECK DWORD wa_win_rename(HANDLE h, HANDLE dir, const wchar_t *name);
WA_CHECK DWORD wa_win_remove(HANDLE h); /* h with DELETE: gone when h is closed at the latest */
bool wa_win_wait_turn(DWORD error, unsigned *tries);

#endif
