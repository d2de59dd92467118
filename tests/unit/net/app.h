/* app.h - the application behind the server in tests: one path for each thing it can do. */
#ifndef WA_TEST_NET_APP_H
#define WA_TEST_NET_APP_H

#include "net/http_server.h"
#include "support.h"

#define BIG_BYTES (6u << 20)

struct app {
    struct wa_loop *loop;
    struct wa_http_server *server;
    uint16_t port;
    int file, big;                /* open files that are answered with */
    struct wa_http_conn *waiting; /* of /late, or of /live, a stream without end */
    struct wa_http_conn *held;    /* of /held: its body waits */
    struct wa_sink sink, bad_sink;
    uint64_t sunk;
    int requests, gone, pieces;
    bool has_request, has_gone, is_stopped;
};

/* Serves plainly on loopback. */
void app_new(struct app *a, const struct wa_http_server_config *config);
void app_new_tls(struct app *a, const struct wa_http_server_config *config, struct wa_tls_ctx *tls);
void app_free(struct app *a);
extern const struct wa_http_server_events app_events;
/* The same byte of /big each time. */
char big_byte(size_t at);

#define GET(path, headers) "GET " path " HTTP/1.1\r\nHost: a\r\n" headers "\r\n"

/* What follows the first head that came. */
const char *body_of(struct raw_client *r);

#endif
