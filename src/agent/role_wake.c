/* role_wake.c - the process that wakes machines near this one: a magic packet for each card, to the
 * broadcast address of each network that this machine is in, and to nowhere else.
 *
 * It is unprivileged, sends datagrams and can do nothing else, and is told nothing but numbers of
 * cards.
 */
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "os/socket.h"
#include "proto/hostid.h"

#define MEMORY_MAX (256ull << 20) /* bytes: of address space */
#define PORT 9                    /* discard: cards look at the bytes alone */

static enum wa_code wake(struct wa_sv payload, struct wa_buf *out, struct wa_err *err)
{
    struct wa_wake w;
    WA_UNUSED(out);
    char packet[WA_MAGIC_SIZE];
    size_t networks = 0;
    if (payload.n != sizeof w)
        return wa_fail(err, WA_E_REFUSED, "a wake of the wrong size");
    memcpy(&w, payload.p, sizeof w);
    if (w.count == 0 || w.count > WA_WAKE_MAX)
        return wa_fail(err, WA_E_REFUSED, "a wake of nobody, or of too many");
    for (size_t i = 0; i < w.count; i++) {
        wa_mac_magic(w.macs[i], packet);
        if (wa_socket_broadcast(PORT, wa_sv_n(packet, sizeof packet), &networks, err) != WA_OK)
            return err->code;
    }
    return networks > 0 ? WA_OK
                        : wa_fail(err, WA_E_UNREACHABLE,
                                  "this machine is in no network that knows broadcasts");
}

int wa_role_wake(void)
{
    static const char *const nothing[] = {NULL};
    struct wa_priv priv = {.allow = WA_PRIV_DATAGRAM | WA_PRIV_FDS,
                           .read_paths = nothing,
                           .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
                           .limit_files = 16};
    return wa_role_answer_one(WA_ROLE_WAKE, &priv, wake, WA_M_WAKE_DONE, WA_ROLE_NOTE_MAX);
}
