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

#define MEMORY_MAX (256ull << 20)   /* bytes: of address space */
#define FIRST_WORD_TIMEOUT_MS 30000 /* ms: the manager speaks first */
#define PORT 9                      /* discard: cards look at the bytes alone */

static enum wa_code wake(struct wa_sv payload, struct wa_err *err)
{
    struct wa_wake w;
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

static enum wa_code serve(struct wa_role_child *c, struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_err failed = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    enum wa_code code = wa_chan_recv(c->chan, FIRST_WORD_TIMEOUT_MS, &msg, err);
    if (code != WA_OK)
        return code == WA_E_NOT_FOUND ? WA_OK : code; /* the manager changed its mind */
    if (wake(msg.payload, &failed) != WA_OK) {
        wa_log_err(&c->log, WA_LOG_WARNING, "wake.failed", &failed);
        wa_role_error_write(&failed, &out);
    }
    return wa_chan_send(c->chan, WA_M_WAKE_DONE, msg.id, wa_buf_sv(&out), -1, err);
}

int wa_role_wake(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    static const char *const nothing[] = {NULL};
    struct wa_priv priv = {.allow = WA_PRIV_DATAGRAM | WA_PRIV_FDS,
                           .read_paths = nothing,
                           .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
                           .limit_files = 16};
    enum wa_code code = wa_role_child_begin(&c, WA_ROLE_WAKE, &priv, &err);
    if (code == WA_OK)
        code = serve(&c, &err);
    return wa_role_child_end(&c, code, &err);
}
