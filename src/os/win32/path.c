/* path.c - see os/path.h. Known folders are asked of the system: what the environment says of them
 * anybody may have set.
 */
#include <winsock2.h>

#include <windows.h>

#include <initguid.h>

#include <knownfolders.h>
#include <shlobj.h>

#include "os/win32/win.h"

#include "base/mem.h"
#include "os/path.h"

bool wa_path_is_separator(char c)
{
    return c == '/' || c == '\\';
}

size_t wa_path_drive(const char *path)
{
    bool is_letter = (path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z');
    return is_letter && path[1] == ':' ? 2 : 0;
}

bool wa_path_is_absolute(const char *path)
{
    size_t drive = wa_path_drive(path);
    return wa_path_is_separator(path[drive]) && (drive > 0 || wa_path_is_separator(path[1]));
}

enum wa_code wa_path_real(const char *path, char out[WA_PATH_MAX], struct wa_err *err)
{
    wchar_t *wide = NULL, real[WA_PATH_MAX];
    if (wa_win_path(path, &wide, err) != WA_OK)
        return err->code;
    WA_AUTO_HANDLE HANDLE h = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                                          FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                          NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD n = 0, error = GetLastError();
    wa_free(wide);
    if (h != INVALID_HANDLE_VALUE) {
        n = GetFinalPathNameByHandleW(h, real, WA_COUNT(real), FILE_NAME_NORMALIZED);
        error = GetLastError();
    }
    if (n >= WA_COUNT(real))
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    if (n == 0)
        return wa_win_fail(err, error, "cannot find '%s'", path);
    /* Libraries that take paths do not all know the form without a limit. */
    bool is_share = wcsncmp(real, L"\\\\?\\UNC\\", 8) == 0;
    wchar_t *from = is_share ? real + 6 : wcsncmp(real, L"\\\\?\\", 4) == 0 ? real + 4 : real;
    if (is_share)
        from[0] = L'\\';
    return wa_win_narrow(from, out, WA_PATH_MAX, err);
}

static enum wa_code below(const KNOWNFOLDERID *folder, const char *between, const char *name,
                          char out[WA_PATH_MAX], struct wa_err *err)
{
    wchar_t *wide = NULL;
    char root[WA_PATH_MAX];
    enum wa_code code = WA_OK;
    if (SHGetKnownFolderPath(folder, 0, NULL, &wide) != S_OK)
        code = wa_fail(err, WA_E_CONFIG, "the system does not say where '%s' belongs", name);
    else
        code = wa_win_narrow(wide, root, sizeof root, err);
    CoTaskMemFree(wide);
    if (code != WA_OK)
        return code;
    int n = snprintf(out, WA_PATH_MAX, "%s%s%s", root, between, name);
    return n > 0 && n < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
}

enum wa_code wa_path_of_home(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    return below(&FOLDERID_Profile, "\\", name, out, err);
}

enum wa_code wa_path_of_config(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    return below(&FOLDERID_RoamingAppData, "\\wapt\\", name, out, err);
}

enum wa_code wa_path_of_agent(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    return below(&FOLDERID_ProgramFilesX86, "\\wapt\\", name, out, err);
}
