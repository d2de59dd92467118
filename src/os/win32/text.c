/* text.c - UTF-8 to UTF-16 and back, strictly; and paths in the form without a limit of length. */
#include "os/win32/win.h"

#include "base/mem.h"

static enum wa_code say(struct wa_err *err)
{
    return GetLastError() == ERROR_INSUFFICIENT_BUFFER
               ? wa_fail(err, WA_E_LIMIT, "a path or name is too long")
               : wa_fail(err, WA_E_INVALID, "a path or name is not valid Unicode");
}

enum wa_code wa_win_wide(const char *text, wchar_t *out, size_t count, struct wa_err *err)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out, (int)count);
    return n > 0 ? WA_OK : say(err);
}

enum wa_code wa_win_narrow(const wchar_t *text, char *out, size_t n, struct wa_err *err)
{
    int got = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, out, (int)n, NULL, NULL);
    return got > 0 ? WA_OK : say(err);
}

/* "\\?\" or "\\.\" at the front: taken as it is. */
static bool is_verbatim(const wchar_t *p)
{
    return p[0] == L'\\' && p[1] == L'\\' && (p[2] == L'?' || p[2] == L'.') && p[3] == L'\\';
}

#define PREFIX_UNITS 8u /* of "\\?\UNC\" */

enum wa_code wa_win_path(const char *path, wchar_t **ret, struct wa_err *err)
{
    wchar_t given[WA_PATH_MAX];
    if (wa_win_wide(path, given, WA_COUNT(given), err) != WA_OK)
        return err->code;
    DWORD need = GetFullPathNameW(given, 0, NULL, NULL);
    if (given[0] == L'\0' || need == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' is no path", path);
    wchar_t *whole = wa_calloc(need + PREFIX_UNITS + 1, sizeof *whole);
    if (whole == NULL)
        return wa_nomem(err);
    wchar_t *at = whole + PREFIX_UNITS;
    DWORD n = GetFullPathNameW(given, need, at, NULL);
    if (n == 0 || n >= need) {
        wa_free(whole);
        return wa_fail(err, WA_E_IO, "cannot tell where '%s' is", path);
    }
    bool is_share = at[0] == L'\\' && at[1] == L'\\' && !is_verbatim(at);
    const wchar_t *prefix = is_verbatim(at) ? L"" : is_share ? L"\\\\?\\UNC\\" : L"\\\\?\\";
    size_t put = wcslen(prefix);
    const wchar_t *from = is_share ? at + 2 : at;
    wmemcpy(whole, prefix, put);
    wmemmove(whole + put, from, wcslen(from) + 1);
    *ret = whole;
    return WA_OK;
}
