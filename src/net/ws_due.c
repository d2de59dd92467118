/* ws_due.c - when each of the server's WebSockets is looked at: a wheel of moments, of which the
 * clock touches only those that have come.
 *
 * What comes from a peer moves nobody: who is looked at too early is put off again. What is due
 * later than the wheel is long waits at its end.
 */
#include "net/http_server_priv.h"

void wa_ws_due_leave(struct wa_ws_conn *c)
{
    if (c->at == NULL)
        return;
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    c->at = NULL;
}

void wa_ws_due_enter(struct wa_ws_conn *c, struct wa_ws_conn **list)
{
    wa_ws_due_leave(c);
    c->at = list;
    c->next = *list;
    if (c->next != NULL)
        c->next->at = &c->next;
    *list = c;
}

/* ms: when something is to be done about it, unless something comes before. */
static uint64_t due_ms(const struct wa_ws_conn *c)
{
    const struct wa_http_server_config *config = &c->server->config;
    uint64_t silent = c->heard_ms + config->ws_silence_ms;
    uint64_t spoke = c->pinged_ms > c->heard_ms ? c->pinged_ms : c->heard_ms;
    uint64_t due = c->closing ? c->deadline_ms : spoke + config->ws_ping_ms;
    return due < silent ? due : silent;
}

void wa_ws_due_put(struct wa_ws_conn *c)
{
    struct wa_http_server *s = c->server;
    uint64_t tick = due_ms(c) / s->tick_ms + 1; /* the first that is later */
    uint64_t last = s->tick + WA_WS_TICKS - 2;  /* one less: the place before is being emptied */
    tick = tick < s->tick ? s->tick : tick > last ? last : tick;
    wa_ws_due_enter(c, &s->due[tick % WA_WS_TICKS]);
}

void wa_ws_due_sweep(struct wa_http_server *s, uint64_t now)
{
    uint64_t end = now / s->tick_ms + 1;
    if (end > s->tick + WA_WS_TICKS) /* the process stood still */
        s->tick = end - WA_WS_TICKS;
    while (s->tick < end) {
        struct wa_ws_conn **list = &s->due[s->tick++ % WA_WS_TICKS];
        while (*list != NULL)
            wa_ws_conn_check_time(*list, now); /* puts it off, or takes it out */
    }
}
