/* space.c - whether there is room, asked before something is begun that would fill the disk. What
 * is free now may be taken a moment later: a write that fails is an error all the same. */
#include "agent/install_priv.h"

#define RESERVE_BYTES (512u << 10) /* for the database to note down what happened */

static enum wa_code check(const char *where, uint64_t bytes, const char *what, struct wa_err *err)
{
    uint64_t available = 0;
    if (wa_path_free_bytes(where, &available, err) != WA_OK)
        return err->code;
    if (available >= RESERVE_BYTES && bytes <= available - RESERVE_BYTES)
        return WA_OK;
    return wa_fail(
        err, WA_E_NO_SPACE,
        "no space left for %s: it takes %llu KB, and %llu KB are free on the disk of '%s'; "
        "make room there",
        what, (unsigned long long)(bytes >> 10), (unsigned long long)(available >> 10), where);
}

enum wa_code wa_space_check(const struct wa_manager *m, uint64_t bytes, const char *what,
                            struct wa_err *err)
{
    return check(m->config.base, bytes, what, err);
}

enum wa_code wa_space_check_installed(const struct wa_manager *m, const struct wa_control *c,
                                      struct wa_err *err)
{
    uint64_t bytes = 0;
    WA_UNUSED(m);
    if (!wa_sv_u64(wa_sv(wa_control_get(c, WA_A_INSTALLED_SIZE)), &bytes) || bytes == 0)
        return WA_OK;
    return check("/", bytes, "what the package installs (its installed_size)", err);
}
