/* tls_look.c - the certificate that a server shows, for a person to compare. What it shows proves
 * nothing. Nothing is sent but the beginning of TLS.
 */
#include "net/tls.h"

#include "codec/url.h"
#include "net/stop.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/socket.h"

#include <errno.h>

#define WAIT_MS 15000u /* for one address, connecting and TLS together */
#define SLICE_MS 200u  /* after which a stop is seen */

/* How long a server may take, and who may say that it takes too long. */
struct patience {
    struct wa_stop *stop;
    uint64_t until_ms;
};

static enum wa_code wait_for(int fd, bool to_write, const struct patience *p, struct wa_err *err)
{
    struct wa_pipe_wait w = {fd, to_write, false};
    size_t count = 0;
    while (count == 0) {
        uint64_t now = wa_clock_mono_ms();
        if (wa_stop_is_pulled(p->stop))
            return wa_fail(err, WA_E_CANCELLED, "it was cancelled");
        if (now >= p->until_ms)
            return wa_fail(err, WA_E_TIMEOUT, "it did not answer in time");
        uint64_t left = p->until_ms - now;
        if (wa_pipe_wait(&w, 1, (int)(left < SLICE_MS ? left : SLICE_MS), &count, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* TLS as far as the certificate: whether it is trusted does not matter here. */
static enum wa_code shake_hands(struct wa_tls_ctx *ctx, int fd, const struct patience *p,
                                struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO(wa_tls) struct wa_tls *tls = NULL;
    enum wa_tls_want want = WA_TLS_WANT_WRITE;
    struct wa_err seen = WA_ERR_INIT;
    if (wa_tls_new(ctx, fd, false, &tls, err) != WA_OK)
        return err->code;
    while (want != WA_TLS_DONE) {
        enum wa_code code = wa_tls_handshake(tls, &want, err);
        if (wa_tls_ctx_seen(ctx, ret, &seen) == WA_OK) {
            wa_err_clear(err);
            return WA_OK;
        }
        if (code != WA_OK ||
            (want != WA_TLS_DONE && wait_for(fd, want == WA_TLS_WANT_WRITE, p, err) != WA_OK))
            return err->code;
    }
    return wa_fail(err, WA_E_INVALID, "it shows no certificate");
}

static enum wa_code ask_address(const struct wa_addresses *a, size_t i, struct wa_tls_ctx *ctx,
                                struct wa_stop *stop, struct wa_cert **ret, struct wa_err *err)
{
    const struct patience p = {stop, wa_clock_mono_ms() + WAIT_MS};
    WA_AUTO_FD int fd = wa_socket_connect(a, i);
    if (fd < 0)
        return wa_fail_errno(err, errno, "connecting");
    if (wait_for(fd, true, &p, err) != WA_OK)
        return err->code;
    int failed = wa_socket_outcome(fd);
    return failed != 0 ? wa_fail_errno(err, failed, "connecting")
                       : shake_hands(ctx, fd, &p, ret, err);
}

enum wa_code wa_tls_look(const char *server, struct wa_stop *stop, struct wa_url *url,
                         struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO(wa_addresses) struct wa_addresses *found = NULL;
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *ctx = NULL;
    struct wa_tls_trust nobody = {.host = ""};
    if (wa_url_parse(wa_sv(server), url, err) != WA_OK)
        return err->code;
    if (!url->is_https)
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' is not https: nothing confidential or unsigned goes over it", server);
    (void)snprintf(nobody.host, sizeof nobody.host, "%s", url->host);
    if (wa_tls_client_ctx(&nobody, &ctx, err) != WA_OK ||
        wa_addresses_find(url->host, url->port, &found, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_fail(err, WA_E_UNREACHABLE, "'%s' has no address", url->host);
    for (size_t i = 0; code != WA_OK && code != WA_E_CANCELLED && i < wa_addresses_count(found);
         i++) {
        wa_err_clear(err);
        code = ask_address(found, i, ctx, stop, ret, err);
    }
    return code == WA_OK ? WA_OK : wa_wrap(err, "'%s'", server);
}
