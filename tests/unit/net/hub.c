/* hub.c - see hub.h. */
#include "hub.h"

static void on_message(void *user, struct wa_ws_conn *c, struct wa_sv text)
{
    struct hub *h = user;
    struct wa_err err = WA_ERR_INIT;
    h->messages++;
    if (wa_sv_eqs(text, "close 4401"))
        wa_ws_close(c, 4401, "not known here");
    else if (wa_sv_eqs(text, "close 1000"))
        wa_ws_close(c, 1000, NULL);
    else if (wa_sv_eqs(text, "large")) {
        char *p = test_malloc(SERVER_MAX * 20);
        memset(p, 'l', SERVER_MAX * 20);
        must(wa_ws_send(c, wa_sv_n(p, SERVER_MAX * 20), &err));
        test_free(p);
    } else
        must(wa_ws_send(c, text, &err));
}

static void on_ws_close(void *user, struct wa_ws_conn *c, int status, const char *reason)
{
    struct hub *h = user;
    assert_non_null(reason);
    h->open--;
    h->closed_status = status;
    h->has_closed = true;
    if (h->conn == c)
        h->conn = NULL;
}

const struct wa_ws_events hub_ws_events = {on_message, on_ws_close};

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    struct hub *h = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_sv_eqs(head->path, "/later")) {
        h->later = c;
        return;
    }
    if (wa_sv_eqs(head->path, "/denied"))
        (void)wa_fail(&err, WA_E_DENIED, "not you");
    else if (!wa_sv_eqs(head->path, "/ws"))
        (void)wa_fail(&err, WA_E_NOT_FOUND, "nothing here");
    else if (wa_http_accept_ws(c, SERVER_MAX, &hub_ws_events, h, &h->conn, &err) == WA_OK) {
        h->open++;
        h->has_conn = true;
        return;
    }
    wa_http_answer_err(c, &err);
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    const struct hub *h = user;
    WA_UNUSED(body);
    if (h->later != c)
        wa_http_answer(c, 404, NULL, WA_SV(""), NULL);
}

void hub_new_with(struct hub *h, bool has_tls, const struct wa_http_server_config *config)
{
    static const char *const names[] = {"127.0.0.1", "localhost", NULL};
    static const struct wa_http_server_events events = {on_request, on_body, NULL, NULL};
    struct wa_err err = WA_ERR_INIT;
    *h = (struct hub){.port = 0};
    identity_new(&h->id, IDENTITY_SERVER, "srv", names, NULL);
    if (has_tls)
        must(wa_tls_server_ctx(&h->id.chain, h->id.key, &h->tls, &err));
    int fd = listen_loopback(&h->port);
    must(wa_loop_new(&h->loop, &err));
    must(wa_http_server_new(h->loop, &fd, 1, h->tls, config, &events, h, &h->server, &err));
}

void hub_new(struct hub *h, bool has_tls)
{
    static const struct wa_http_server_config config = {.max_connections = 50,
                                                        .max_handshakes = 50};
    hub_new_with(h, has_tls, &config);
}

void hub_free(struct hub *h)
{
    wa_http_server_free(h->server);
    assert_int_equal(h->open, 0); /* each was told its end */
    wa_loop_free(h->loop);
    wa_tls_ctx_free(h->tls);
    identity_free(&h->id);
}
