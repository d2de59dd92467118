/* local_conn.c - one connection of the local interface: lines in, lines out, and what happens to
 * who does neither.
 *
 * Answers are kept for a slow reader up to a size; events beyond a smaller one are left out and
 * counted, so that who falls behind learns of it. While a question about its user is under way,
 * nothing more is read of a client. What is said to it is in the language of its request.
 */
#include "agent/local_priv.h"

#include "base/text.h"
#include "os/pipe.h"

#include <errno.h>

/* --- out --- */

bool wa_client_flush(struct wa_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    while (c->out.n > 0) {
        ptrdiff_t put = wa_pipe_write(c->fd, c->out.p, c->out.n);
        if (put < 0 && errno == EAGAIN)
            break;
        if (put <= 0) {
            wa_client_drop(c);
            return false;
        }
        wa_buf_consume(&c->out, (size_t)put);
        c->since_ms = wa_loop_now_ms(c->local->m->loop);
    }
    int events = (c->stage == WA_STAGE_ASKING || c->ask != WA_ASK_NOTHING ? 0 : WA_IO_READ) |
                 (c->out.n > 0 ? WA_IO_WRITE : 0);
    if ((c->stage == WA_STAGE_CLOSING && c->out.n == 0) ||
        wa_io_set(c->io, events, &err) != WA_OK) {
        wa_client_drop(c);
        return false;
    }
    return true;
}

/* What waits for all connections of a user. */
static size_t waiting(const struct wa_local *l, uint32_t uid)
{
    size_t n = 0;
    for (const struct wa_client *c = l->first; c != NULL; c = c->next)
        n += c->peer.uid == uid ? c->out.n : 0;
    return n;
}

static bool send_line(struct wa_client *c, struct wa_sv line)
{
    if (c->out.n == 0)
        c->since_ms = wa_loop_now_ms(c->local->m->loop);
    bool is_too_much = waiting(c->local, c->peer.uid) + line.n > WA_LOCAL_WAITING_MAX;
    wa_buf_addsv(&c->out, line);
    if (is_too_much || c->out.failed != WA_OK) { /* does not read */
        wa_client_drop(c);
        return false;
    }
    return wa_client_flush(c);
}

bool wa_client_answer(struct wa_client *c, const struct wa_local_answer *a, struct wa_sv data)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, WA_JSON_BYTES_MAX);
    wa_local_answer_write(a, data, &line);
    if (a->event == WA_EV_RESULT)
        wa_client_stage(c, WA_STAGE_CLOSING);
    return send_line(c, wa_buf_sv(&line));
}

bool wa_client_finish(struct wa_client *c, enum wa_code code, const char *text, struct wa_sv data)
{
    const struct wa_local_answer a = {
        .event = WA_EV_RESULT, .code = code, .text = wa_sv(wa_text(text))};
    return wa_client_answer(c, &a, data);
}

static bool tell_missed(struct wa_client *c)
{
    const struct wa_local_answer missed = {.event = WA_EV_MISSED, .count = (int64_t)c->missed};
    c->missed = 0;
    return missed.count == 0 || wa_client_answer(c, &missed, WA_SV(""));
}

bool wa_client_last(struct wa_client *c, struct wa_sv line)
{
    if (!tell_missed(c))
        return false;
    wa_client_stage(c, WA_STAGE_CLOSING);
    return send_line(c, line);
}

bool wa_client_tell(struct wa_client *c, struct wa_sv line)
{
    if (c->out.n + line.n > WA_LOCAL_EVENTS_MAX) {
        c->missed++;
        return true;
    }
    return tell_missed(c) && send_line(c, line);
}

/* --- in --- */

static void take_password(struct wa_client *c, struct wa_sv line)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv password = {NULL, 0};
    const struct wa_json_field fields[] = {{"password", WA_WANT_SV, true, 1024, &password}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(line, 0, &arena, &j, &err) != WA_OK ||
        wa_json_read(j, fields, 1, "a password", &err) != WA_OK) {
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    wa_buf_fini_secret(&c->password);
    wa_buf_addsv(&c->password, password);
    wa_rights_password(c);
}

static void on_line(struct wa_client *c, struct wa_sv line)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->stage == WA_STAGE_PASSWORD) {
        take_password(c, line);
    } else if (c->stage != WA_STAGE_READING) {
        (void)wa_client_finish(c, WA_E_INVALID, "one request a connection", WA_SV(""));
    } else if (wa_local_request_read(line, &c->arena, &c->request, &err) != WA_OK) {
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
    } else {
        (void)wa_text_speak(c->request.language);
        wa_rights_begin(c);
    }
}

/* One line at a time: what follows is read only when asked for. */
static void take_line(struct wa_client *c, size_t at)
{
    char *line = wa_strndup(c->in.p, at);
    if (line == NULL) {
        wa_client_drop(c);
        return;
    }
    wa_buf_consume(&c->in, at + 1);
    on_line(c, wa_sv_n(line, at));
    wa_free_secret(line);
}

static void take_event(struct wa_client *c, int events)
{
    char piece[4096];
    size_t at;
    if ((events & WA_IO_WRITE) != 0 && !wa_client_flush(c))
        return;
    if ((events & WA_IO_READ) == 0)
        return;
    ptrdiff_t got = wa_pipe_read(c->fd, piece, sizeof piece);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        wa_client_drop(c);
        return;
    }
    if (c->stage == WA_STAGE_CLOSING) /* too late; the answer is on its way */
        return;
    wa_buf_add(&c->in, piece, (size_t)got);
    wa_wipe(piece, (size_t)got);
    if (c->in.failed != WA_OK)
        (void)wa_client_finish(c, WA_E_LIMIT, "the request is too long", WA_SV(""));
    else if (wa_sv_chr(wa_buf_sv(&c->in), '\n', &at))
        take_line(c, at);
}

void wa_client_event(void *client, int events)
{
    const struct wa_client *c = client;
    const struct wa_language *was = wa_text_speak(c->request.language);
    take_event(client, events);
    (void)wa_text_speak(was);
}

/* --- time --- */

void wa_client_turn(struct wa_client *c, uint64_t now_ms)
{
    const struct wa_language *was = wa_text_speak(c->request.language);
    uint64_t waited = now_ms - c->since_ms;
    if (c->out.n > 0 && waited > WA_LOCAL_STALL_MS)
        wa_client_drop(c);
    else if (c->stage == WA_STAGE_READING && c->ask == WA_ASK_NOTHING &&
             waited > WA_LOCAL_REQUEST_MS)
        (void)wa_client_finish(c, WA_E_TIMEOUT, "the request took too long", WA_SV(""));
    else if (c->stage == WA_STAGE_PASSWORD && waited > WA_LOCAL_PASSWORD_MS)
        (void)wa_client_finish(c, WA_E_TIMEOUT, "the password took too long", WA_SV(""));
    (void)wa_text_speak(was);
}
