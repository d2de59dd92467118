/* oidc.c - see oidc.h.
 *
 * Verifier and state never leave this process but to the server. The port takes one request at a
 * time; whatever does not bring the state back is answered 404 and forgotten, so that neither a web
 * page nor another user of this machine can end the login or begin one of his own in it. What the
 * browser brought goes into no page.
 */
#include "console/oidc.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "net/http.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/listen.h"
#include "os/pipe.h"
#include "os/rand.h"
#include "os/socket.h"

#define SECRET 32u       /* bytes of chance in a verifier */
#define REQUEST_MS 5000u /* for one request on the port */
#define PIECE 4096u

struct login {
    int fd;
    uint16_t port;
    uint64_t deadline_ms;
    char state[48], verifier[48], challenge[48];
    struct wa_buf code, issuer, error; /* error: instead of a code */
    bool has_head, is_back;
};

static enum wa_code chance(char out[48], struct wa_err *err)
{
    uint8_t bytes[SECRET];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 48);
    if (wa_rand_bytes(bytes, sizeof bytes, err) != WA_OK)
        return err->code;
    wa_base64url_encode(bytes, sizeof bytes, &text);
    wa_wipe(bytes, sizeof bytes);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    (void)snprintf(out, 48, "%s", wa_buf_str(&text));
    return WA_OK;
}

static enum wa_code prepare(struct login *l, struct wa_err *err)
{
    uint8_t digest[WA_SHA256_SIZE];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 48);
    if (chance(l->state, err) != WA_OK || chance(l->verifier, err) != WA_OK ||
        wa_sha256(l->verifier, strlen(l->verifier), digest, err) != WA_OK ||
        wa_listen_alone("127.0.0.1", &l->fd, &l->port, err) != WA_OK)
        return err->code;
    wa_base64url_encode(digest, sizeof digest, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    (void)snprintf(l->challenge, sizeof l->challenge, "%s", wa_buf_str(&text));
    return WA_OK;
}

/* --- the browser's request --- */

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct login *l = user;
    WA_AUTO_BUF struct wa_buf state;
    wa_buf_init(&state, 256);
    WA_UNUSED(err);
    l->has_head = true;
    if (h->method != WA_HTTP_GET || !wa_sv_eqs(h->path, "/oidc") || l->is_back ||
        !wa_url_query_get(h->query, "state", &state) || state.n != strlen(l->state) ||
        !wa_ct_equal(state.p, l->state, state.n))
        return WA_OK;
    (void)wa_url_query_get(h->query, "iss", &l->issuer);
    l->is_back = wa_url_query_get(h->query, "code", &l->code) ||
                 wa_url_query_get(h->query, "error", &l->error);
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(p);
    WA_UNUSED(n);
    return wa_fail(err, WA_E_INVALID, "a body that nobody asked for");
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

static bool wait_until(int fd, bool to_write, uint64_t deadline_ms)
{
    struct wa_pipe_wait w = {.fd = fd, .to_write = to_write};
    struct wa_err err = WA_ERR_INIT;
    size_t ready = 0;
    uint64_t now = wa_clock_mono_ms();
    return now < deadline_ms &&
           wa_pipe_wait(&w, 1, (int)(deadline_ms - now), &ready, &err) == WA_OK && ready > 0;
}

static void write_all(int fd, struct wa_sv rest, uint64_t deadline_ms)
{
    while (rest.n > 0) {
        ptrdiff_t n = wa_socket_write(fd, rest.p, rest.n);
        if (n <= 0 && !wait_until(fd, true, deadline_ms))
            return;
        rest = wa_sv_sub(rest, n > 0 ? (size_t)n : 0, rest.n);
    }
}

static void answer(int fd, bool is_back, uint64_t deadline_ms)
{
    WA_AUTO_BUF struct wa_buf out;
    const char *text = is_back ? wa_text("Done: this page can be closed.\n") : "404\n";
    wa_buf_init(&out, 4096);
    wa_buf_addf(
        &out,
        "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: "
        "nosniff\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
        "Connection: close\r\n\r\n%s",
        is_back ? "200 OK" : "404 Not Found", strlen(text), text);
    write_all(fd, wa_buf_sv(&out), deadline_ms);
    wa_socket_shut(fd);
}

/* One connection, one request. */
static void serve(struct login *l, int fd)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    WA_AUTO(wa_http_parser) struct wa_http_parser *parser = NULL;
    struct wa_err err = WA_ERR_INIT;
    uint64_t until = wa_clock_mono_ms() + REQUEST_MS;
    char piece[PIECE];
    size_t used = 0;
    l->has_head = false;
    if (wa_http_parser_new(true, &events, l, &parser, &err) != WA_OK)
        return;
    while (!l->has_head) { /* the parser has a limit */
        ptrdiff_t n = wa_socket_read(fd, piece, sizeof piece);
        if (n == 0 || (n < 0 && !wait_until(fd, false, until)) ||
            (n > 0 && wa_http_parse(parser, piece, (size_t)n, &used, &err) != WA_OK))
            break;
    }
    answer(fd, l->is_back, until);
}

static enum wa_code wait_for_browser(struct login *l, struct wa_err *err)
{
    while (!l->is_back) {
        char peer[WA_ADDRESS_TEXT_MAX];
        if (!wait_until(l->fd, false, l->deadline_ms))
            return wa_fail(err, WA_E_TIMEOUT, "nobody came back from the provider in time");
        int fd = wa_socket_accept(l->fd, peer);
        if (fd >= 0)
            serve(l, fd);
        wa_fd_close(&fd);
    }
    if (l->code.n > 0)
        return wa_buf_check(&l->code, err) == WA_OK ? wa_buf_check(&l->issuer, err) : err->code;
    for (size_t i = 0; i < l->error.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz_", l->error.p[i]) == NULL)
            l->error.p[i] = '?';
    return wa_fail(err, WA_E_AUTH, "the provider refuses: %s", wa_buf_str(&l->error));
}

/* --- the server --- */

static enum wa_code begin(struct wa_client *c, const struct login *l, struct wa_arena *arena,
                          char **ret_url, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    wa_buf_init(&body, 1024);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "port", l->port);
    wa_jw_kv(&w, "state", l->state);
    wa_jw_kv(&w, "challenge", l->challenge);
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/session/oidc/start", wa_buf_sv(&body), arena, &j, err) !=
            WA_OK)
        return err->code;
    struct wa_sv url = wa_json_sv(wa_json_get(j, "url"));
    bool is_plain = wa_sv_starts(url, "https://");
    for (size_t i = 0; is_plain && i < url.n; i++)
        is_plain = url.p[i] > ' ' && url.p[i] < 0x7f;
    return is_plain ? wa_sv_dup(url, ret_url, err)
                    : wa_fail(err, WA_E_INVALID, "the server gave no address of a provider");
}

static enum wa_code finish(struct wa_client *c, const struct login *l, struct wa_arena *arena,
                           const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, 16384);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "port", l->port);
    wa_jw_kvsv(&w, "code", wa_buf_sv(&l->code));
    wa_jw_kv(&w, "verifier", l->verifier);
    if (l->issuer.n > 0)
        wa_jw_kvsv(&w, "iss", wa_buf_sv(&l->issuer));
    wa_jw_end(&w);
    return wa_buf_check(&body, err) == WA_OK ? wa_client_call(c, "POST", "/api/v1/session/oidc",
                                                              wa_buf_sv(&body), arena, ret, err)
                                             : err->code;
}

enum wa_code wa_oidc_login(struct wa_client *c, wa_oidc_show_fn show, void *user,
                           struct wa_arena *arena, const struct wa_json **ret, struct wa_err *err)
{
    struct login l = {.fd = -1, .deadline_ms = wa_clock_mono_ms() + WA_OIDC_PATIENCE_MS};
    WA_AUTO_STR char *url = NULL;
    wa_buf_init(&l.code, WA_OIDC_CODE_MAX);
    wa_buf_init(&l.issuer, 1024);
    wa_buf_init(&l.error, 64);
    enum wa_code code = prepare(&l, err);
    if (code == WA_OK)
        code = begin(c, &l, arena, &url, err);
    if (code == WA_OK)
        code = show(user, url, err);
    if (code == WA_OK)
        code = wait_for_browser(&l, err);
    wa_fd_close(&l.fd);
    if (code == WA_OK)
        code = finish(c, &l, arena, ret, err);
    wa_buf_fini_secret(&l.code);
    wa_buf_fini(&l.issuer);
    wa_buf_fini(&l.error);
    wa_wipe(l.verifier, sizeof l.verifier);
    return code;
}
