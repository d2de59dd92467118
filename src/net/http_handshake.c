/* http_handshake.c - whose TLS handshake runs, and who waits.
 *
 * A handshake costs a thousand times what letting in costs. So all are let in, some handshakes run,
 * and the others wait in order, without memory for TLS; those whom the application prefers go
 * first, in a few places of their own. In one turn of the loop only so many steps are made: whoever
 * has a connection already need not wait for all who come.
 */
#include "net/http_server_priv.h"

#define STEPS 8u            /* of handshakes in one turn, a millisecond or two each */
#define PREFERRED_STEPS 16u /* with those of whom the application prefers */

static void unqueue(struct wa_http_conn *c)
{
    struct wa_http_server *s = c->server;
    *(c->wait_prev != NULL ? &c->wait_prev->wait_next : &s->first_waiting) = c->wait_next;
    *(c->wait_next != NULL ? &c->wait_next->wait_prev : &s->last_waiting) = c->wait_prev;
    c->wait_next = c->wait_prev = NULL;
    c->is_waiting = false;
    s->waiting--;
}

static void queue(struct wa_http_conn *c)
{
    struct wa_http_server *s = c->server;
    c->wait_prev = c->is_preferred ? NULL : s->last_waiting;
    c->wait_next = c->is_preferred ? s->first_waiting : NULL;
    *(c->wait_prev != NULL ? &c->wait_prev->wait_next : &s->first_waiting) = c;
    *(c->wait_next != NULL ? &c->wait_next->wait_prev : &s->last_waiting) = c;
    c->is_waiting = true;
    c->deadline_ms = wa_loop_now_ms(s->loop) + WA_TLS_WAITING_TIMEOUT_MS;
    s->waiting++;
}

static bool may_start(const struct wa_http_server *s, const struct wa_http_conn *c)
{
    return s->handshakes < s->config.max_handshakes + (c->is_preferred ? WA_TLS_PREFERRED_MAX : 0);
}

static enum wa_code start(struct wa_http_conn *c, struct wa_err *err)
{
    struct wa_http_server *s = c->server;
    s->handshakes++;
    c->deadline_ms = wa_loop_now_ms(s->loop) + WA_TLS_HANDSHAKE_TIMEOUT_MS;
    return wa_tls_new(s->tls, c->fd, true, &c->tls, err) == WA_OK
               ? wa_io_set(c->io, WA_IO_READ, err)
               : err->code;
}

enum wa_code wa_http_handshake_begin(struct wa_http_conn *c, struct wa_err *err)
{
    const struct wa_http_server *s = c->server;
    c->state = WA_CONN_HANDSHAKE;
    c->is_preferred = s->config.is_preferred != NULL && s->config.is_preferred(s->user, c->peer);
    if (may_start(s, c))
        return start(c, err);
    queue(c);
    return WA_OK;
}

void wa_http_handshake_leave(struct wa_http_conn *c)
{
    if (c->is_waiting) {
        unqueue(c);
        return;
    }
    c->server->handshakes--;
    c->server->counts.handshakes_failed++;
}

void wa_http_handshake_next(struct wa_http_server *s)
{
    while (s->first_waiting != NULL && !s->is_stopping && may_start(s, s->first_waiting)) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_http_conn *c = s->first_waiting;
        unqueue(c);
        if (start(c, &err) != WA_OK)
            c->deadline_ms = 1; /* the next sweep ends it: lists may be walked here */
    }
}

bool wa_http_handshake_may_step(const struct wa_http_conn *c)
{
    struct wa_http_server *s = c->server;
    uint64_t now = wa_loop_now_ms(s->loop); /* the turn's */
    if (s->turn_ms != now) {
        s->turn_ms = now;
        s->turn_steps = 0;
    }
    return s->turn_steps++ < (c->is_preferred ? PREFERRED_STEPS : STEPS);
}
