/* role_describe.c - the process that writes what the machine is called for people.
 *
 * It is root's, since the file is, and can open nothing outside of /etc. The text is looked at here
 * again: the manager's word is not enough for a file that other programs read.
 */
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "os/host.h"
#include "proto/action.h"

#define MEMORY_MAX (256ull << 20) /* bytes: of address space */

static enum wa_code describe(struct wa_sv payload, struct wa_buf *out, struct wa_err *err)
{
    struct wa_describe d;
    WA_UNUSED(out);
    if (payload.n != sizeof d)
        return wa_fail(err, WA_E_REFUSED, "a description of the wrong size");
    memcpy(&d, payload.p, sizeof d);
    if (memchr(d.text, '\0', sizeof d.text) == NULL || !wa_description_is_good(wa_sv(d.text)))
        return wa_fail(err, WA_E_REFUSED, "a description that is none");
    return wa_host_describe(wa_sv(d.text), err);
}

int wa_role_describe(void)
{
    static const char *const etc[] = {"/etc", NULL};
    struct wa_priv priv = {.allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_FDS,
                           .read_paths = etc,
                           .write_paths = etc,
                           .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
                           .limit_files = 16};
    return wa_role_answer_one(WA_ROLE_DESCRIBE, &priv, describe, WA_M_DESCRIBE_DONE,
                              WA_ROLE_NOTE_MAX);
}
