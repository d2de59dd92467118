/* desk_events.c - what happens, from the agent to the pages: one connection for all of them, while
 * there is a page, handed on line by line.
 *
 * The agent's lines are JSON without a line break inside, which is all that counts here. A page
 * that does not read is let go, and comes again. When the service goes away the pages are told, and
 * it is looked for again.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "desktop/desk_priv.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/proc.h"

#include <errno.h>

#define QUIET_MS 15000u /* then a page is told that all is well */

struct wa_desk_page {
    struct wa_local_exchange exchange;
    struct wa_desk_page *next;
};

/* --- to the pages --- */

static void say(struct wa_desk_page *p, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    if (p->exchange.conn == NULL || wa_http_stream_send(p->exchange.conn, text, &err) == WA_OK ||
        p->exchange.conn == NULL)
        return;
    struct wa_http_conn *c = p->exchange.conn;
    p->exchange.conn = NULL;
    wa_http_set_user(c, NULL);
    wa_http_stream_end(c, false);
}

static void say_all(struct wa_desk *d, struct wa_sv text)
{
    for (struct wa_desk_page *p = d->pages; p != NULL; p = p->next)
        say(p, text);
    d->told_ms = wa_loop_now_ms(d->loop);
}

static struct wa_sv standing(const struct wa_desk *d)
{
    return d->fd >= 0 ? WA_SV("data: {\"event\":\"agent\",\"state\":\"there\"}\n\n")
                      : WA_SV("data: {\"event\":\"agent\",\"state\":\"away\"}\n\n");
}

static void sweep(struct wa_desk *d)
{
    for (struct wa_desk_page **at = &d->pages; *at != NULL;) {
        struct wa_desk_page *p = *at;
        if (p->exchange.conn != NULL) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        d->page_count--;
        wa_free(p);
    }
}

/* --- from the agent --- */

static void hang_up(struct wa_desk *d)
{
    if (d->io != NULL)
        wa_io_free(d->io);
    d->io = NULL;
    wa_fd_close(&d->fd);
    wa_buf_fini(&d->line);
}

static void take_lines(struct wa_desk *d)
{
    size_t at;
    while (wa_sv_chr(wa_buf_sv(&d->line), '\n', &at)) {
        WA_AUTO_BUF struct wa_buf text;
        wa_buf_init(&text, WA_DESK_EVENT_MAX + 16);
        wa_buf_adds(&text, "data: ");
        wa_buf_add(&text, d->line.p, at);
        wa_buf_adds(&text, "\n\n");
        wa_buf_consume(&d->line, at + 1);
        if (text.failed == WA_OK)
            say_all(d, wa_buf_sv(&text));
    }
}

static void on_agent(void *user, int events)
{
    struct wa_desk *d = user;
    char piece[16384];
    WA_UNUSED(events);
    ptrdiff_t got = wa_pipe_read(d->fd, piece, sizeof piece);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got > 0)
        wa_buf_add(&d->line, piece, (size_t)got);
    if (got > 0 && d->line.failed == WA_OK) {
        take_lines(d);
        return;
    }
    hang_up(d);
    say_all(d, standing(d));
}

struct connecting {
    struct wa_desk *desk;
    int fd;
};

static enum wa_code connect_to_it(void *user, struct wa_err *err)
{
    struct connecting *k = user;
    return wa_desk_send(k->desk, WA_SV("{\"op\":\"events\"}\n"), &k->fd, err);
}

static void connected(void *user, enum wa_code code, const struct wa_err *why)
{
    struct connecting *k = user;
    struct wa_desk *d = k->desk;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(why); /* nobody answers: that is told to the pages */
    d->busy--;
    d->is_connecting = false;
    if (code == WA_OK && !atomic_load(&d->ends)) {
        d->fd = k->fd;
        k->fd = -1;
        wa_buf_init(&d->line, WA_DESK_EVENT_MAX);
        if (wa_fd_set_nonblocking(d->fd, true, &err) != WA_OK ||
            wa_io_new(d->loop, d->fd, on_agent, d, &d->io, &err) != WA_OK ||
            wa_io_set(d->io, WA_IO_READ, &err) != WA_OK) {
            wa_log_err(d->o->log, WA_LOG_WARNING, "events.failed", &err);
            hang_up(d);
        }
    }
    say_all(d, standing(d));
    wa_fd_close(&k->fd);
    wa_free(k);
}

static void reach(struct wa_desk *d)
{
    struct wa_err err = WA_ERR_INIT;
    struct connecting *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return; /* at the next turn */
    *k = (struct connecting){d, -1};
    d->is_connecting = true;
    d->busy++;
    if (wa_loop_work(d->loop, connect_to_it, connected, k, &err) != WA_OK)
        connected(k, err.code, &err);
}

/* --- life --- */

void wa_desk_listen(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(body);
    sweep(d);
    struct wa_desk_page *p = d->page_count < WA_LOCAL_STREAMS ? wa_calloc(1, sizeof *p) : NULL;
    if (p == NULL) {
        (void)(d->page_count < WA_LOCAL_STREAMS
                   ? wa_nomem(&err)
                   : wa_fail(&err, WA_E_BUSY, "too many pages are open"));
        wa_http_answer_err(c, &err);
        return;
    }
    p->exchange.conn = c;
    p->next = d->pages;
    d->pages = p;
    d->page_count++;
    wa_http_set_user(c, p);
    wa_http_answer_stream(c, "text/event-stream", NULL);
    if (d->fd >= 0)
        say(p, standing(d));
    else if (!d->is_connecting)
        reach(d);
}

void wa_desk_events_turn(struct wa_desk *d)
{
    sweep(d);
    if (d->pages == NULL)
        hang_up(d);
    else if (d->fd < 0 && !d->is_connecting)
        reach(d);
    else if (wa_loop_now_ms(d->loop) - d->told_ms > QUIET_MS)
        say_all(d, WA_SV(": here\n\n"));
}

void wa_desk_events_end(struct wa_desk *d)
{
    for (struct wa_desk_page *p = d->pages; p != NULL; p = p->next) {
        struct wa_http_conn *c = p->exchange.conn;
        p->exchange.conn = NULL;
        if (c == NULL)
            continue;
        wa_http_set_user(c, NULL);
        wa_http_stream_end(c, true);
    }
    sweep(d);
    hang_up(d);
}
