/* link.h - one TLS connection of a simulated machine, from a source address of its own: HTTP
 * requests one after another, or a WebSocket. The bytes are those of src/net. */
#ifndef WA_BENCH_AGENTS_LINK_H
#define WA_BENCH_AGENTS_LINK_H

#include "net/tls.h"
#include "os/loop.h"

struct link;
struct link_place {
    struct wa_loop *loop;
    struct wa_tls_ctx *tls;
    uint32_t address; /* of the server, host order */
    uint16_t port;
};
struct link_events {
    void (*on_ready)(void *user); /* TLS is up */
    void (*on_answer)(void *user, int status, struct wa_sv body);
    void (*on_text)(void *user, struct wa_sv text);
    void (*on_end)(void *user, const char *why); /* once; the link is gone with it */
};
/* source: host order, of 127.0.0.0/8. NULL: no descriptor or no memory. */
struct link *link_new(const struct link_place *place, uint32_t source,
                      const struct link_events *events, void *user);
/* One at a time. */
void link_post(struct link *l, const char *path, struct wa_sv body);
/* Then on_text comes. */
void link_upgrade(struct link *l);
void link_send(struct link *l, struct wa_sv text);
WA_CHECK enum wa_code link_binding(struct link *l, uint8_t out[32], struct wa_err *err);
/* Without a word, as a machine that lost its network. on_end is not called. */
void link_free(struct link *l);

#endif
