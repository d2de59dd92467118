/* error.c - errors of Windows in our codes and words. What is not in the table keeps its number. */
#include "base/text.h"
#include "os/win32/win.h"

#include <errno.h>

#include "os/error.h"

/* Not named by every version of the headers. */
#define STOPPED_ON_SYMLINK 681
#define QUOTA_EXCEEDED 1295
#define REPARSE_POINT_ENCOUNTERED 4395

/* Of ntdll, not declared by every version of its header. */
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS status);

static const struct {
    DWORD error;
    enum wa_code code;
    int as_errno;
    const char *text;
} known[] = {
    {ERROR_FILE_NOT_FOUND, WA_E_NOT_FOUND, ENOENT, "it does not exist"},
    {ERROR_PATH_NOT_FOUND, WA_E_NOT_FOUND, ENOENT, "its folder does not exist"},
    {ERROR_BAD_NETPATH, WA_E_NOT_FOUND, ENOENT, "the computer or share was not found"},
    {ERROR_INVALID_NAME, WA_E_NOT_FOUND, ENOENT, "no file can have this name"},
    {ERROR_DIRECTORY, WA_E_NOT_FOUND, ENOTDIR, "it is not a folder"},
    {ERROR_ACCESS_DENIED, WA_E_DENIED, EACCES, "access is denied"},
    {ERROR_WRITE_PROTECT, WA_E_DENIED, EROFS, "it is write-protected"},
    {ERROR_PRIVILEGE_NOT_HELD, WA_E_DENIED, EPERM, "a privilege is missing"},
    {ERROR_SHARING_VIOLATION, WA_E_BUSY, EBUSY, "another program uses it"},
    {ERROR_LOCK_VIOLATION, WA_E_BUSY, EBUSY, "another program has locked it"},
    {ERROR_USER_MAPPED_FILE, WA_E_BUSY, EBUSY, "another program uses it"},
    {ERROR_FILE_EXISTS, WA_E_EXISTS, EEXIST, "it exists already"},
    {ERROR_ALREADY_EXISTS, WA_E_EXISTS, EEXIST, "it exists already"},
    {ERROR_DIR_NOT_EMPTY, WA_E_IO, ENOTEMPTY, "the folder is not empty"},
    {ERROR_DISK_FULL, WA_E_NO_SPACE, ENOSPC, "the disk is full"},
    {ERROR_HANDLE_DISK_FULL, WA_E_NO_SPACE, ENOSPC, "the disk is full"},
    {QUOTA_EXCEEDED, WA_E_NO_SPACE, ENOSPC, "the quota is used up"},
    {ERROR_NOT_ENOUGH_MEMORY, WA_E_NOMEM, ENOMEM, "memory ran out"},
    {ERROR_OUTOFMEMORY, WA_E_NOMEM, ENOMEM, "memory ran out"},
    {REPARSE_POINT_ENCOUNTERED, WA_E_IO, ELOOP, "it is a link, and links are not followed"},
    {STOPPED_ON_SYMLINK, WA_E_IO, ELOOP, "it is a link, and links are not followed"},
    {ERROR_BROKEN_PIPE, WA_E_IO, EPIPE, "the other side has closed"},
    {ERROR_TOO_MANY_OPEN_FILES, WA_E_IO, EMFILE, "too many files are open"},
    {ERROR_INVALID_HANDLE, WA_E_IO, EBADF, "it is not open"},
    {WSAEWOULDBLOCK, WA_E_AGAIN, EAGAIN, "it would have to wait"},
    {WSAEINTR, WA_E_IO, EINTR, "interrupted"},
    {WSAEMFILE, WA_E_IO, EMFILE, "too many connections are open"},
    {WSAENOBUFS, WA_E_NOMEM, ENOBUFS, "memory ran out"},
    {WSAENOTCONN, WA_E_IO, ENOTCONN, "it is not connected"},
    {WSAECONNREFUSED, WA_E_UNREACHABLE, ECONNREFUSED, "the connection was refused"},
    {WSAECONNRESET, WA_E_UNREACHABLE, ECONNRESET, "the other side broke the connection off"},
    {WSAECONNABORTED, WA_E_UNREACHABLE, ECONNABORTED, "the connection was broken off"},
    {WSAESHUTDOWN, WA_E_IO, EPIPE, "the connection is closed"},
    {WSAETIMEDOUT, WA_E_TIMEOUT, ETIMEDOUT, "the other side did not answer in time"},
    {WSAEHOSTUNREACH, WA_E_UNREACHABLE, EHOSTUNREACH, "there is no way to that computer"},
    {WSAENETUNREACH, WA_E_UNREACHABLE, ENETUNREACH, "there is no way to that network"},
    {WSAENETDOWN, WA_E_UNREACHABLE, ENETDOWN, "the network is down"},
    {WSAEADDRINUSE, WA_E_BUSY, EADDRINUSE, "the address is in use"},
    {WSAEACCES, WA_E_DENIED, EACCES, "access is denied"},
};

DWORD wa_win_error_of(NTSTATUS status)
{
    return RtlNtStatusToDosError(status);
}

enum wa_code wa_win_fail(struct wa_err *err, DWORD error, const char *fmt, ...)
{
    char what[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, wa_text(fmt), args);
    va_end(args);
    for (size_t i = 0; i < WA_COUNT(known); i++)
        if (known[i].error == error)
            return wa_fail(err, known[i].code, "%s: %s", what, known[i].text);
    return wa_fail(err, WA_E_IO, "%s: error %lu of Windows", what, (unsigned long)error);
}

int wa_win_errno(DWORD error)
{
    for (size_t i = 0; i < WA_COUNT(known); i++)
        if (known[i].error == error)
            return known[i].as_errno;
    return EIO;
}

enum wa_code wa_system_code(int error)
{
    struct wa_err err = WA_ERR_INIT;
    return wa_win_fail(&err, (DWORD)error, "the system refused");
}
