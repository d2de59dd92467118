/* oidc_grant.c - a refresh token at rest. The store has the sealed text and no key: a database, or
 * a store, that was taken over can neither use a token nor put one person's, or one session's, in
 * another's place. Who somebody is at the provider is inside, said by no one but this process.
 */
#include "server/oidc_grant.h"

#include "codec/hex.h"
#include "crypto/digest.h"

/* No part of it has a line's end: the configuration's values, hex digits, a user's name. */
static enum wa_code write_about(const struct wa_oidc_settings *s, const struct wa_oidc_holder *h,
                                char out[WA_SHA256_HEX], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 16u << 10);
    if (!wa_hex_is(wa_sv(h->session), WA_SHA256_HEX - 1))
        return wa_fail(err, WA_E_REFUSED, "'%s' is no session", h->session);
    wa_buf_addf(&text, "oidc\n%s\n%s\n%s\n%s", s->issuer, s->client, h->session, h->user);
    return wa_buf_check(&text, err) == WA_OK ? wa_sha256_hex(text.p, text.n, out, err) : err->code;
}

enum wa_code wa_oidc_grant_seal(const uint8_t key[WA_SEAL_KEY], const struct wa_oidc_settings *s,
                                const struct wa_oidc_holder *h, const struct wa_oidc_grant *g,
                                struct wa_buf *out, struct wa_err *err)
{
    char about[WA_SHA256_HEX];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, WA_SEAL_SECRET_MAX + 1);
    wa_buf_addf(&text, "%s\n%.*s\n%s", g->nonce, WA_SV_ARG(g->token), g->subject);
    return wa_buf_check(&text, err) == WA_OK && write_about(s, h, about, err) == WA_OK
               ? wa_seal(key, wa_sv(about), wa_buf_sv(&text), out, err)
               : err->code;
}

enum wa_code wa_oidc_grant_open(const uint8_t key[WA_SEAL_KEY], const struct wa_oidc_settings *s,
                                const struct wa_oidc_holder *h, struct wa_sv sealed,
                                struct wa_buf *clear, struct wa_oidc_grant *ret, struct wa_err *err)
{
    char about[WA_SHA256_HEX];
    struct wa_sv rest, nonce = {NULL, 0}, token = {NULL, 0};
    if (write_about(s, h, about, err) != WA_OK ||
        wa_unseal(key, wa_sv(about), sealed, clear, err) != WA_OK)
        return err->code;
    rest = wa_buf_sv(clear);
    if (!wa_sv_split(&rest, '\n', &nonce) || !wa_sv_split(&rest, '\n', &token) || rest.p == NULL ||
        nonce.n >= sizeof ret->nonce || rest.n >= sizeof ret->subject)
        return wa_fail(err, WA_E_REFUSED, "a sealed token that is not well formed");
    ret->token = token;
    (void)snprintf(ret->nonce, sizeof ret->nonce, "%.*s", WA_SV_ARG(nonce));
    (void)snprintf(ret->subject, sizeof ret->subject, "%.*s", WA_SV_ARG(rest));
    return WA_OK;
}
