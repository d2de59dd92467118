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
#include "os/proc.h"
#include "os/rand.h"
#include "os/socket.h"

#define SECRET 32u       /* bytes of chance in a verifier */
#define REQUEST_MS 5000u /* for one request on the port */
#define SLICE_MS 250u    /* after which a stop is looked at */
#define PIECE 4096u

struct wa_oidc {
    int fd;
    uint16_t port;
    char *url;
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

static enum wa_code prepare(struct wa_oidc *l, struct wa_err *err)
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
    struct wa_oidc *l = user;
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

static bool wait_until(struct wa_stop *stop, int fd, bool to_write, uint64_t deadline_ms)
{
    struct wa_pipe_wait w = {.fd = fd, .to_write = to_write};
    struct wa_err err = WA_ERR_INIT;
    size_t ready = 0;
    for (uint64_t now = wa_clock_mono_ms(); now < deadline_ms && !wa_stop_is_pulled(stop);
         now = wa_clock_mono_ms()) {
        uint64_t left = deadline_ms - now;
        if (wa_pipe_wait(&w, 1, (int)(left < SLICE_MS ? left : SLICE_MS), &ready, &err) != WA_OK)
            return false;
        if (ready > 0)
            return true;
    }
    return false;
}

static void write_all(struct wa_stop *stop, int fd, struct wa_sv rest, uint64_t deadline_ms)
{
    while (rest.n > 0) {
        ptrdiff_t n = wa_socket_write(fd, rest.p, rest.n);
        if (n <= 0 && !wait_until(stop, fd, true, deadline_ms))
            return;
        rest = wa_sv_sub(rest, n > 0 ? (size_t)n : 0, rest.n);
    }
}

static void answer(struct wa_stop *stop, int fd, bool is_back, uint64_t deadline_ms)
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
    write_all(stop, fd, wa_buf_sv(&out), deadline_ms);
    wa_socket_shut(fd);
}

/* One connection, one request. */
static void serve(struct wa_oidc *l, int fd, struct wa_stop *stop)
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
        if (n == 0 || (n < 0 && !wait_until(stop, fd, false, until)) ||
            (n > 0 && wa_http_parse(parser, piece, (size_t)n, &used, &err) != WA_OK))
            break;
    }
    answer(stop, fd, l->is_back, until);
}

/* Of this person's processes the browser is one; another user would only stand in its way. */
static bool is_own(int fd)
{
    struct wa_err stranger = WA_ERR_INIT;
    uint32_t uid = 0;
    return wa_socket_peer_uid(fd, &uid, &stranger) == WA_OK && uid == wa_proc_own_uid();
}

bool wa_oidc_hear(struct wa_oidc *l, struct wa_stop *stop)
{
    char peer[WA_ADDRESS_TEXT_MAX];
    int fd = l->is_back ? -1 : wa_socket_accept(l->fd, peer);
    if (fd >= 0 && is_own(fd))
        serve(l, fd, stop);
    wa_fd_close(&fd);
    return l->is_back;
}

static enum wa_code wait_for_browser(struct wa_oidc *l, struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + WA_OIDC_PATIENCE_MS;
    do {
        if (!wait_until(NULL, l->fd, false, until))
            return wa_fail(err, WA_E_TIMEOUT, WA_OIDC_NOBODY);
    } while (!wa_oidc_hear(l, NULL));
    return WA_OK;
}

/* What it brought: a code, or the provider's word for none. */
static enum wa_code check_back(struct wa_oidc *l, struct wa_err *err)
{
    if (l->code.n > 0)
        return wa_buf_check(&l->code, err) == WA_OK ? wa_buf_check(&l->issuer, err) : err->code;
    for (size_t i = 0; i < l->error.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz_", l->error.p[i]) == NULL)
            l->error.p[i] = '?';
    return wa_fail(err, WA_E_AUTH, "the provider refuses: %s", wa_buf_str(&l->error));
}

/* --- the server --- */

static enum wa_code ask_address(struct wa_client *c, struct wa_oidc *l, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 1024);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "port", l->port);
    wa_jw_kv(&w, "state", l->state);
    wa_jw_kv(&w, "challenge", l->challenge);
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/session/oidc/start", wa_buf_sv(&body), &arena, &j,
                       err) != WA_OK)
        return err->code;
    struct wa_sv url = wa_json_sv(wa_json_get(j, "url"));
    bool is_plain = wa_sv_starts(url, "https://");
    for (size_t i = 0; is_plain && i < url.n; i++)
        is_plain = url.p[i] > ' ' && url.p[i] < 0x7f;
    return is_plain ? wa_sv_dup(url, &l->url, err)
                    : wa_fail(err, WA_E_INVALID, "the server gave no address of a provider");
}

enum wa_code wa_oidc_begin(struct wa_client *c, struct wa_oidc **ret, struct wa_err *err)
{
    WA_AUTO(wa_oidc) struct wa_oidc *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->fd = -1;
    wa_buf_init(&l->code, WA_OIDC_CODE_MAX);
    wa_buf_init(&l->issuer, 1024);
    wa_buf_init(&l->error, 64);
    if (prepare(l, err) != WA_OK || ask_address(c, l, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(l);
    return WA_OK;
}

const char *wa_oidc_url(const struct wa_oidc *l)
{
    return l->url;
}

int wa_oidc_fd(const struct wa_oidc *l)
{
    return l->fd;
}

void wa_oidc_free(struct wa_oidc *l)
{
    if (l == NULL)
        return;
    wa_fd_close(&l->fd);
    wa_buf_fini_secret(&l->code);
    wa_buf_fini(&l->issuer);
    wa_buf_fini(&l->error);
    wa_free(l->url);
    wa_wipe(l, sizeof *l);
    wa_free(l);
}

enum wa_code wa_oidc_end(struct wa_oidc *l, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 16384);
    if (check_back(l, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "port", l->port);
    wa_jw_kvsv(&w, "code", wa_buf_sv(&l->code));
    wa_jw_kv(&w, "verifier", l->verifier);
    if (l->issuer.n > 0)
        wa_jw_kvsv(&w, "iss", wa_buf_sv(&l->issuer));
    wa_jw_end(&w);
    return wa_buf_check(&body, err) == WA_OK &&
                   wa_client_call(c, "POST", "/api/v1/session/oidc", wa_buf_sv(&body), &arena, &j,
                                  err) == WA_OK
               ? wa_client_take(c, wa_json_sv(wa_json_get(j, "token")), err)
               : err->code;
}

enum wa_code wa_oidc_login(struct wa_client *c, wa_oidc_show_fn show, void *user,
                           struct wa_err *err)
{
    WA_AUTO(wa_oidc) struct wa_oidc *l = NULL;
    return wa_oidc_begin(c, &l, err) == WA_OK && show(user, l->url, err) == WA_OK &&
                   wait_for_browser(l, err) == WA_OK
               ? wa_oidc_end(l, c, err)
               : err->code;
}
