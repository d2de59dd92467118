/* path_parts.c - what follows of os/path.h from how a system separates the parts of a path. */
#include "os/path.h"

const char *wa_path_last(const char *path)
{
    const char *last = path + wa_path_drive(path);
    for (const char *at = last; *at != '\0'; at++)
        if (wa_path_is_separator(*at))
            last = at + 1;
    return last;
}

struct wa_sv wa_path_name(const char *path)
{
    size_t first = wa_path_drive(path), n = strlen(path), from;
    while (n > first && wa_path_is_separator(path[n - 1]))
        n--;
    from = n;
    while (from > first && !wa_path_is_separator(path[from - 1]))
        from--;
    return wa_sv_n(path + from, n - from);
}

enum wa_code wa_path_dir(const char *path, size_t n, char out[WA_PATH_MAX], struct wa_err *err)
{
    size_t drive = wa_path_drive(path), end = n;
    if (n + 2 > WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    while (end > drive && wa_path_is_separator(path[end - 1]))
        end--;
    bool is_root = end == drive && n > drive;
    memcpy(out, path, is_root ? end + 1 : end);
    out[is_root ? end + 1 : end] = '\0';
    if (n == drive) /* the current one, that of the drive too */
        memcpy(out + n, ".", 2);
    return WA_OK;
}
