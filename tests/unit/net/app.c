/* app.c - see app.h. */
#include "app.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum wa_code sink_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct app *a = (struct app *)(void *)((char *)s - offsetof(struct app, sink));
    WA_UNUSED(p);
    WA_UNUSED(err);
    a->sunk += n;
    return WA_OK;
}

static enum wa_code bad_sink_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(s);
    WA_UNUSED(p);
    WA_UNUSED(n);
    return wa_fail(err, WA_E_NO_SPACE, "the disk is full");
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    struct app *a = user;
    struct wa_err err = WA_ERR_INIT;
    a->requests++;
    a->has_request = true;
    wa_http_set_user(c, a);
    assert_string_equal(wa_http_peer(c), "127.0.0.1");
    assert_ptr_equal(wa_http_conn_head(c), head);
    if (wa_sv_eqs(head->path, "/hello"))
        wa_http_answer(c, 200, "text/plain", WA_SV("hello\n"), "X-Extra: 1\r\n");
    else if (wa_sv_eqs(head->path, "/nothing"))
        wa_http_answer(c, 204, NULL, WA_SV(""), NULL);
    else if (wa_sv_eqs(head->path, "/who"))
        wa_http_answer(c, 200, "text/plain", wa_http_get(head, "authorization"), NULL);
    else if (wa_sv_eqs(head->path, "/echo"))
        wa_http_accept_body(c, 10);
    else if (wa_sv_eqs(head->path, "/held")) {
        wa_http_hold_body(c);
        a->held = c;
    } else if (wa_sv_eqs(head->path, "/stream"))
        wa_http_stream_body(c, BIG_BYTES, &a->sink);
    else if (wa_sv_eqs(head->path, "/bad-sink"))
        wa_http_stream_body(c, BIG_BYTES, &a->bad_sink);
    else if (wa_sv_eqs(head->path, "/file"))
        wa_http_answer_file(c, dup(a->file), "text/plain", "tag", NULL);
    else if (wa_sv_eqs(head->path, "/untagged"))
        wa_http_answer_file(c, dup(a->file), "text/plain", NULL, NULL);
    else if (wa_sv_eqs(head->path, "/big"))
        wa_http_answer_file(c, dup(a->big), NULL, "big", NULL);
    else if (wa_sv_eqs(head->path, "/folder"))
        wa_http_answer_file(c, open("/tmp", O_RDONLY | O_CLOEXEC), NULL, NULL, NULL);
    else if (wa_sv_eqs(head->path, "/error")) {
        (void)wa_fail(&err, WA_E_AUTH, "say who you are, \"please\"");
        wa_http_answer_err(c, &err);
    } else if (wa_sv_eqs(head->path, "/pieces")) {
        a->pieces = 0;
        wa_http_answer_stream(c, "text/plain", "X-Extra: 1\r\n");
    } else if (wa_sv_eqs(head->path, "/live")) {
        a->waiting = c;
        wa_http_answer_stream(c, "text/plain", NULL);
    } else if (wa_sv_eqs(head->path, "/late"))
        a->waiting = c;
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct app *a = user;
    char text[64];
    assert_ptr_equal(wa_http_user(c), a);
    if (c == a->waiting)
        return;
    if (wa_sv_eqs(wa_http_conn_head(c)->path, "/echo") || c == a->held) {
        wa_http_answer(c, 200, "text/plain", body, NULL);
    } else if (wa_sv_eqs(wa_http_conn_head(c)->path, "/stream")) {
        assert_int_equal(body.n, 0);
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)a->sunk);
        wa_http_answer(c, 201, "text/plain", wa_sv(text), NULL);
    } else {
        wa_http_answer(c, 404, "text/plain", WA_SV("no\n"), NULL);
    }
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct app *a = user;
    assert_ptr_equal(wa_http_user(c), a);
    a->gone++;
    a->has_gone = true;
    if (a->waiting == c)
        a->waiting = NULL;
    if (a->held == c)
        a->held = NULL;
}

/* Three pieces of a list, then its end; an empty one is none. */
static void on_drained(void *user, struct wa_http_conn *c)
{
    struct app *a = user;
    struct wa_err err = WA_ERR_INIT;
    if (c == a->waiting)
        return;
    if (a->pieces == 3) {
        wa_http_stream_end(c, true);
        return;
    }
    a->pieces++;
    must(wa_http_stream_send(c, WA_SV(""), &err));
    must(wa_http_stream_send(c, WA_SV("a piece of it\n"), &err));
}

char big_byte(size_t at)
{
    return (char)('0' + (at + at / 10 + at / 65536) % 10);
}

static int temporary_file(size_t n)
{
    char name[] = "/tmp/wapt-test-server-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(unlink(name), 0);
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, n);
    for (size_t i = 0; i < n; i++)
        wa_buf_addc(&b, big_byte(i));
    assert_int_equal(write(fd, b.p, n), n);
    const struct timespec times[2] = {{.tv_sec = 784111777}, {.tv_sec = 784111777}};
    assert_int_equal(futimens(fd, times), 0);
    return fd;
}

const struct wa_http_server_events app_events = {on_request, on_body, on_gone, on_drained};

void app_new(struct app *a, const struct wa_http_server_config *config)
{
    app_new_tls(a, config, NULL);
}

void app_new_tls(struct app *a, const struct wa_http_server_config *config, struct wa_tls_ctx *tls)
{
    struct wa_err err = WA_ERR_INIT;
    *a = (struct app){.sink.write = sink_write, .bad_sink.write = bad_sink_write};
    a->file = temporary_file(20);
    a->big = temporary_file(BIG_BYTES);
    int fd = listen_loopback(&a->port);
    must(wa_loop_new(&a->loop, &err));
    must(wa_http_server_new(a->loop, &fd, 1, tls, config, &app_events, a, &a->server, &err));
}

void app_free(struct app *a)
{
    wa_http_server_free(a->server);
    wa_loop_free(a->loop);
    (void)close(a->file);
    (void)close(a->big);
}

const char *body_of(struct raw_client *r)
{
    const char *end = strstr(wa_buf_str(&r->in), "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}
