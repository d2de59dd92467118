/* libdir.c - see libdir.h. */
#include "cmd/libdir.h"

#include <stdlib.h>

#include "os/priv.h"

const char *wa_libdir(void)
{
    const char *given = getenv("WAPT_LIBDIR");
    return given != NULL && given[0] == '/' && wa_priv_is_root() ? given : WA_LIBDIR;
}
