/* local_gate.h - who may speak to a local program (local_site.h): rules over one request's head.
 *
 * Pure: no sockets, no clock. What it keeps out: pages of other sites (Host, Origin,
 * Sec-Fetch-Site), names that lead here (DNS rebinding), and whoever has no token.
 */
#ifndef WA_NET_LOCAL_GATE_H
#define WA_NET_LOCAL_GATE_H

#include "net/http.h"

#define WA_LOCAL_SECRET_SIZE 65 /* 256 random bits as hex, with NUL */
#define WA_LOCAL_TICKETS 8      /* not used yet; a further one makes the oldest void */

/* What a link carries: one half the page tells, by the other it knows that its answer is from who
 * gave the link. */
struct wa_local_ticket {
    char secret[WA_LOCAL_SECRET_SIZE], answer[WA_LOCAL_SECRET_SIZE];
};
struct wa_local_gate {
    char host[24];   /* "127.X.Y.Z:PORT" */
    char origin[32]; /* "http://" and that */
    char token[WA_LOCAL_SECRET_SIZE];
    char proof[WA_LOCAL_SECRET_SIZE]; /* ours: by it a page knows who answers */
    struct {
        struct wa_local_ticket t; /* secret "": none */
        uint64_t until_ms;
    } tickets[WA_LOCAL_TICKETS];
    size_t next;
};
WA_CHECK enum wa_code wa_local_gate_init(struct wa_local_gate *g, const char *address,
                                         uint16_t port, struct wa_err *err);
void wa_local_gate_fini(struct wa_local_gate *g); /* wipes */
/* A new ticket, for one session within WA_LOCAL_TICKET_MS. */
WA_CHECK enum wa_code wa_local_gate_ticket(struct wa_local_gate *g, uint64_t now_ms,
                                           struct wa_local_ticket *ret, struct wa_err *err);
/* Once: it is void afterwards. secret: of a ticket, whose answer becomes *ret_answer. WA_E_AUTH. */
WA_CHECK enum wa_code wa_local_gate_redeem(struct wa_local_gate *g, struct wa_sv secret,
                                           uint64_t now_ms, char ret_answer[WA_LOCAL_SECRET_SIZE],
                                           struct wa_err *err);

/* For the pages' files, which hold nothing: this very host, and nobody's frame, image or script.
 * WA_E_DENIED. */
WA_CHECK enum wa_code wa_local_gate_file(const struct wa_local_gate *g,
                                         const struct wa_http_head *head, struct wa_err *err);
/* For everything else: WA_E_DENIED for another host or site, WA_E_INVALID for a body that is not
 * JSON by its type, WA_E_AUTH without the token, where needs_token. */
WA_CHECK enum wa_code wa_local_gate_call(const struct wa_local_gate *g,
                                         const struct wa_http_head *head, bool needs_token,
                                         struct wa_err *err);
/* The same, with the token, for a call whose body is a file: there is one, and its type is
 * application/octet-stream, which no form of another site can send. */
WA_CHECK enum wa_code wa_local_gate_bytes(const struct wa_local_gate *g,
                                          const struct wa_http_head *head, struct wa_err *err);

#endif
