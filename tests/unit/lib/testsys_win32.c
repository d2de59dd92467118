/* testsys_win32.c - what unit tests ask of the system: temporary directories and one lock, by
 * Windows alone. */
#include <windows.h>

#include "testlib.h"

void wa_test_tmpdir(char out[WA_PATH_MAX])
{
    static unsigned count;
    char base[MAX_PATH + 2];
    if (GetTempPathA(sizeof base, base) == 0)
        fail_msg("%s", "there is no temporary directory");
    int n = snprintf(out, WA_PATH_MAX, "%swapt-test-%lu-%u", base,
                     (unsigned long)GetCurrentProcessId(), ++count);
    if (n < 0 || (size_t)n >= WA_PATH_MAX || !CreateDirectoryA(out, NULL))
        fail_msg("cannot make a temporary directory: error %lu", (unsigned long)GetLastError());
}

static void remove_below(const char *path)
{
    char text[2 * WA_PATH_MAX];
    WIN32_FIND_DATAA e;
    (void)snprintf(text, sizeof text, "%s\\*", path);
    HANDLE h = FindFirstFileA(text, &e);
    BOOL more = h != INVALID_HANDLE_VALUE;
    for (; more; more = FindNextFileA(h, &e)) {
        if (strcmp(e.cFileName, ".") == 0 || strcmp(e.cFileName, "..") == 0)
            continue;
        (void)snprintf(text, sizeof text, "%s\\%s", path, e.cFileName);
        bool is_dir = (e.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
        if (is_dir && (e.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0)
            remove_below(text);
        (void)SetFileAttributesA(text, FILE_ATTRIBUTE_NORMAL);
        if (!(is_dir ? RemoveDirectoryA(text) : DeleteFileA(text)) &&
            GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)
            fail_msg("cannot remove %s: error %lu", text, (unsigned long)GetLastError());
    }
    if (h != INVALID_HANDLE_VALUE)
        (void)FindClose(h);
}

void wa_test_tmpdir_remove(const char *path)
{
    remove_below(path);
    if (!RemoveDirectoryA(path))
        fail_msg("cannot remove %s: error %lu", path, (unsigned long)GetLastError());
}

void wa_test_symlink(const char *path)
{
    if (!CreateSymbolicLinkA(path, "C:\\windows\\win.ini", 0))
        fail_msg("cannot make link %s: error %lu", path, (unsigned long)GetLastError());
    if (GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES)
        skip();
}

static SRWLOCK lock = SRWLOCK_INIT;

void wa_test_lock(void)
{
    AcquireSRWLockExclusive(&lock);
}

void wa_test_unlock(void)
{
    ReleaseSRWLockExclusive(&lock);
}
