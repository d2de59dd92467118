/* tls_look.c - the certificate that a server shows, for a person to compare. What it shows proves
 * nothing. Nothing is sent but the beginning of TLS.
 */
#include "codec/url.h"
#include "net/http_line.h"
#include "os/clock.h"

#define WAIT_MS 15000u /* connecting and TLS together */

/* TLS as far as the certificate: whether it is trusted does not matter here. */
static enum wa_code shake_hands(struct wa_tls_ctx *ctx, int fd, struct wa_patience *p,
                                struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO(wa_tls) struct wa_tls *tls = NULL;
    enum wa_tls_want want = WA_TLS_WANT_WRITE;
    struct wa_err seen = WA_ERR_INIT;
    size_t ready = 0;
    if (wa_tls_new(ctx, fd, false, &tls, err) != WA_OK)
        return err->code;
    while (want != WA_TLS_DONE) {
        enum wa_code code = wa_tls_handshake(tls, &want, err);
        if (wa_tls_ctx_seen(ctx, ret, &seen) == WA_OK) {
            wa_err_clear(err);
            return WA_OK;
        }
        struct wa_pipe_wait w = {.fd = fd, .to_write = want == WA_TLS_WANT_WRITE};
        if (code != WA_OK ||
            (want != WA_TLS_DONE && wa_patience_wait(p, &w, 1, -1, &ready, err) != WA_OK))
            return err->code;
    }
    return wa_fail(err, WA_E_INVALID, "it shows no certificate");
}

static enum wa_code look(const struct wa_line_to *to, struct wa_stop *stop, struct wa_cert **ret,
                         struct wa_err *err)
{
    WA_AUTO(wa_line) struct wa_line *line = NULL;
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *ctx = NULL;
    struct wa_patience p;
    struct wa_tls_trust nobody = {.host = ""};
    (void)snprintf(nobody.host, sizeof nobody.host, "%s", to->url->host);
    if (wa_tls_client_ctx(&nobody, &ctx, err) != WA_OK ||
        wa_patience_begin(&p, wa_clock_mono_ms() + WAIT_MS, stop, err) != WA_OK)
        return err->code;
    if (wa_line_begin(to, &p, &line, err) == WA_OK)
        (void)!shake_hands(ctx, line->fd, &p, ret, err);
    wa_patience_end(&p);
    return err->code;
}

enum wa_code wa_tls_look(const char *server, const char *proxy, struct wa_stop *stop,
                         struct wa_url *url, struct wa_cert **ret, struct wa_err *err)
{
    const struct wa_line_to to = {.url = url, .proxy = proxy};
    if (wa_url_parse(wa_sv(server), url, err) != WA_OK)
        return err->code;
    if (!url->is_https)
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' is not https: nothing confidential or unsigned goes over it", server);
    return look(&to, stop, ret, err) == WA_OK ? WA_OK : wa_wrap(err, "'%s'", server);
}
