/* front_proxy.c - a proxy before us that terminates TLS, as nginx does: what it says of its clients
 * is believed when it comes from a configured address with the secret, and from nobody else.
 *
 * It says the client's address (X-Real-IP) and the certificate that the client proved to have
 * (X-Wapt-Client-Cert, percent-encoded PEM), which is judged here as if it had been shown to us.
 * The same headers from others mean nothing; the secret is compared in constant time.
 */
#include "base/mem.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "server/front_priv.h"

#define SECRET_HEX 64u

enum wa_code wa_front_read_proxy(struct wa_front *f, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 256);
    if (f->child.config.proxies[0] == '\0')
        return WA_OK;
    if (wa_server_path(&f->child.config, "private/proxy.secret", path, err) != WA_OK ||
        wa_path_read(path, 256, &text, err) != WA_OK)
        return err->code;
    struct wa_sv secret = wa_sv_trim(wa_buf_sv(&text));
    if (!wa_hex_is(secret, SECRET_HEX))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' must hold %u hex digits: remove it, and a new one "
                       "is made at the next start",
                       path, SECRET_HEX);
    memcpy(f->proxy_secret, secret.p, SECRET_HEX);
    return WA_OK;
}

bool wa_front_is_proxied(const struct wa_front *f, const struct wa_http_conn *c)
{
    struct wa_sv rest = wa_sv(f->child.config.proxies), one;
    struct wa_sv said = wa_http_get(wa_http_conn_head(c), "x-wapt-proxy");
    bool is_its_address = false;
    if (f->proxy_secret[0] == '\0' || said.n != SECRET_HEX)
        return false;
    while (wa_csv_next(&rest, &one))
        is_its_address = is_its_address || wa_sv_eqs(one, wa_http_peer(c));
    return is_its_address && wa_ct_equal(said.p, f->proxy_secret, SECRET_HEX);
}

/* It goes into logs and counts: digits, and what stands between them. */
static bool is_address(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f') ||
              s.p[i] == '.' || s.p[i] == ':'))
            return false;
    return true;
}

const char *wa_front_peer(const struct wa_front *f, const struct wa_http_conn *c, char out[48])
{
    struct wa_sv said = wa_http_get(wa_http_conn_head(c), "x-real-ip");
    if (said.n == 0 || said.n >= 48 || !wa_front_is_proxied(f, c) || !is_address(said))
        return wa_http_peer(c);
    (void)snprintf(out, 48, "%.*s", WA_SV_ARG(said));
    return out;
}

enum wa_code wa_front_proxied_pem(const struct wa_front *f, const struct wa_http_conn *c,
                                  struct wa_buf *out, struct wa_err *err)
{
    struct wa_sv said = wa_http_get(wa_http_conn_head(c), "x-wapt-client-cert");
    if (said.n == 0 || !wa_front_is_proxied(f, c))
        return WA_OK;
    return wa_url_decode(said, false, out, err) == WA_OK ? wa_buf_check(out, err)
                                                         : wa_wrap(err, "the client's certificate");
}

enum wa_code wa_front_proxied_client(const struct wa_front *f, const struct wa_http_conn *c,
                                     struct wa_tls_peer *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_HTTP_HEAD_MAX);
    if (wa_front_proxied_pem(f, c, &pem, err) != WA_OK || pem.n == 0)
        return err->code;
    if (wa_tls_check_client(f->tls, wa_buf_sv(&pem), ret, err) != WA_OK)
        return wa_wrap(err, "the client's certificate");
    return WA_OK;
}
