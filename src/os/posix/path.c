/* path.c - see os/path.h. */
#include "os/path.h"

#include <errno.h>

bool wa_path_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool wa_path_is_separator(char c)
{
    return c == '/';
}

size_t wa_path_drive(const char *path)
{
    WA_UNUSED(path);
    return 0;
}

enum wa_code wa_path_real(const char *path, char out[WA_PATH_MAX], struct wa_err *err)
{
    char *whole = realpath(path, NULL);
    if (whole == NULL)
        return wa_fail_errno(err, errno, "cannot find '%s'", path);
    int n = snprintf(out, WA_PATH_MAX, "%s", whole);
    free(whole); /* libc's */
    return n < (int)WA_PATH_MAX ? WA_OK : wa_fail(err, WA_E_LIMIT, "the path is too long");
}

static enum wa_code join(const char *root, const char *between, const char *name,
                         char out[WA_PATH_MAX], struct wa_err *err)
{
    int n = snprintf(out, WA_PATH_MAX, "%s%s%s", root, between, name);
    return n > 0 && n < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
}

enum wa_code wa_path_of_home(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/')
        return wa_fail(err, WA_E_CONFIG, "HOME is not set");
    return join(home, "/", name, out, err);
}

enum wa_code wa_path_of_config(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (base != NULL && base[0] == '/')
        return join(base, "/wapt/", name, out, err);
    if (home != NULL && home[0] == '/')
        return join(home, "/.config/wapt/", name, out, err);
    return wa_fail(err, WA_E_CONFIG, "neither HOME nor XDG_CONFIG_HOME is set");
}

enum wa_code wa_path_of_agent(const char *name, char out[WA_PATH_MAX], struct wa_err *err)
{
    return join("/opt/wapt", "/", name, out, err);
}
