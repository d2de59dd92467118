/* hub.h - a server of WebSockets for tests: it says back what it hears. */
#ifndef WA_TEST_NET_HUB_H
#define WA_TEST_NET_HUB_H

#include "net/http_server.h"
#include "support.h"

/* Bytes of a message that the server takes; the client takes ten times as much. */
#define SERVER_MAX 100000u

struct hub {
    struct wa_loop *loop;
    struct wa_http_server *server;
    struct identity id;
    struct wa_tls_ctx *tls;
    uint16_t port;
    struct wa_ws_conn *conn;    /* the latest */
    struct wa_http_conn *later; /* of /later: not accepted yet */
    size_t open, messages;
    int closed_status;
    bool has_conn, has_closed;
};

/* On loopback, over TLS or plainly. "/ws" is the WebSocket, "/later" one that
 * the test accepts itself, "/denied" answers 403, all else 404. A
 * message "close N" makes it close with that status, "large" makes it send too much. */
extern const struct wa_ws_events hub_ws_events;
void hub_new_with(struct hub *h, bool has_tls, const struct wa_http_server_config *config);
void hub_new(struct hub *h, bool has_tls);
void hub_free(struct hub *h);

#endif
