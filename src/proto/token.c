/* token.c - making and reading enrolment tokens. The token is a secret: callers wipe it and never
 * log it. */
#include "proto/token.h"

#include "codec/base64.h"
#include "codec/hex.h"

#define PREFIX "wapt1-"
#define SECRET_CHARS 43u /* base64url of 32 bytes, unpadded */
#define FINGERPRINT_CHARS 64u

enum wa_code wa_token_make(const char *server_fingerprint, const uint8_t secret[WA_TOKEN_SECRET],
                           struct wa_token *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, WA_TOKEN_MAX - 1);
    if (!wa_hex_is(wa_sv(server_fingerprint), FINGERPRINT_CHARS))
        return wa_fail(
            err, WA_E_INVALID,
            "an enrolment token needs the server certificate's SHA-256, 64 lower-case hex digits");
    wa_buf_adds(&text, PREFIX);
    wa_buf_adds(&text, server_fingerprint);
    wa_buf_addc(&text, '-');
    wa_base64url_encode(secret, WA_TOKEN_SECRET, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    memcpy(ret->text, wa_buf_str(&text), text.n + 1);
    memcpy(ret->server_fingerprint, server_fingerprint, FINGERPRINT_CHARS + 1);
    return WA_OK;
}

enum wa_code wa_token_parse(struct wa_sv text, struct wa_token *ret, struct wa_err *err)
{
    const size_t head = sizeof PREFIX - 1;
    struct wa_sv t = wa_sv_trim(text);
    WA_AUTO_BUF_SECRET struct wa_buf secret;
    wa_buf_init(&secret, 2 * WA_TOKEN_SECRET);
    struct wa_sv fingerprint = wa_sv_sub(t, head, FINGERPRINT_CHARS);
    if (t.n != head + FINGERPRINT_CHARS + 1 + SECRET_CHARS || !wa_sv_starts(t, PREFIX) ||
        !wa_hex_is(fingerprint, FINGERPRINT_CHARS) || t.p[head + FINGERPRINT_CHARS] != '-')
        return wa_fail(err, WA_E_INVALID,
                       "this is not an enrolment token (it begins with '%s', make one with "
                       "'waptserver enrol-token')",
                       PREFIX);
    if (wa_base64url_decode(wa_sv_sub(t, t.n - SECRET_CHARS, SECRET_CHARS), &secret, err) != WA_OK)
        return wa_wrap(err, "reading the enrolment token");
    if (wa_buf_check(&secret, err) != WA_OK)
        return err->code;
    memcpy(ret->text, t.p, t.n);
    ret->text[t.n] = '\0';
    memcpy(ret->server_fingerprint, fingerprint.p, FINGERPRINT_CHARS);
    ret->server_fingerprint[FINGERPRINT_CHARS] = '\0';
    return WA_OK;
}
