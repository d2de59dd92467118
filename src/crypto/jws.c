/* jws.c - see jws.h.
 *
 * The algorithm comes from a list of two, and the key must be of its kind: a text cannot choose how
 * it is checked. A key is taken from the set alone. The numbers of an ES256 signature are written
 * anew as DER, so that one checker serves all signatures of the project.
 */
#include "crypto/jws.h"

#include "base/limits.h"
#include "base/mem.h"
#include "codec/base64.h"

#define PART_MAX (64u << 10) /* bytes of a decoded part */
#define EC_BYTES 32u

/* --- reading --- */

static enum wa_code decode(struct wa_sv text, struct wa_arena *arena, struct wa_sv *ret,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    wa_buf_init(&bytes, PART_MAX);
    if (wa_base64url_decode(text, &bytes, err) != WA_OK || wa_buf_check(&bytes, err) != WA_OK)
        return err->code;
    char *copy = wa_arena_strdup(arena, wa_buf_sv(&bytes));
    if (copy == NULL)
        return wa_nomem(err);
    *ret = wa_sv_n(copy, bytes.n);
    return WA_OK;
}

static enum wa_code read_object(struct wa_sv text, struct wa_arena *arena,
                                const struct wa_json **ret, struct wa_err *err)
{
    struct wa_sv bytes;
    if (decode(text, arena, &bytes, err) != WA_OK ||
        wa_json_parse(bytes, 0, arena, ret, err) != WA_OK)
        return err->code;
    return wa_json_is(*ret, WA_JSON_OBJECT) ? WA_OK
                                            : wa_fail(err, WA_E_INVALID, "a part is no object");
}

static enum wa_code read_head(const struct wa_json *head, struct wa_jws *j, struct wa_err *err)
{
    struct wa_sv alg = {NULL, 0};
    const struct wa_json_field fields[] = {{"alg", WA_WANT_SV, true, 16, &alg},
                                           {"kid", WA_WANT_SV, false, 256, &j->kid}};
    if (wa_json_read_lax(head, fields, WA_COUNT(fields), "the token's head", err) != WA_OK)
        return err->code;
    if (wa_json_get(head, "crit") != NULL)
        return wa_fail(err, WA_E_REFUSED, "the token wants what we don't know ('crit')");
    if (wa_sv_eqs(alg, "RS256"))
        j->kind = WA_KEY_RSA;
    else if (wa_sv_eqs(alg, "ES256"))
        j->kind = WA_KEY_EC;
    else
        return wa_fail(err, WA_E_REFUSED,
                       "the token is signed by '%.*s': RS256 and ES256 are accepted, which the "
                       "provider can be set to",
                       WA_SV_ARG(alg));
    return WA_OK;
}

enum wa_code wa_jws_parse(struct wa_sv text, struct wa_arena *arena, struct wa_jws *ret,
                          struct wa_err *err)
{
    struct wa_jws j = {.kid = WA_SV("")};
    struct wa_sv rest = text, head, claims;
    const struct wa_json *first = NULL;
    if (text.n > WA_JWS_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "the token has more than %u bytes", WA_JWS_BYTES_MAX);
    if (!wa_sv_split(&rest, '.', &head) || rest.p == NULL || !wa_sv_split(&rest, '.', &claims) ||
        rest.p == NULL || memchr(rest.p, '.', rest.n) != NULL)
        return wa_fail(err, WA_E_INVALID, "the token has not the three parts of a signed one");
    j.input = wa_sv_n(text.p, (size_t)(rest.p - 1 - text.p));
    if (read_object(head, arena, &first, err) != WA_OK || read_head(first, &j, err) != WA_OK ||
        read_object(claims, arena, &j.claims, err) != WA_OK ||
        decode(rest, arena, &j.signature, err) != WA_OK)
        return wa_wrap(err, "the provider's token");
    *ret = j;
    return WA_OK;
}

/* --- keys --- */

static enum wa_code number(const struct wa_json *jwk, const char *name, struct wa_buf *out,
                           struct wa_err *err)
{
    struct wa_sv text = wa_json_sv(wa_json_get(jwk, name));
    if (text.n == 0)
        return wa_fail(err, WA_E_INVALID, "a key of the provider has no '%s'", name);
    return wa_base64url_decode(text, out, err) == WA_OK ? wa_buf_check(out, err) : err->code;
}

static enum wa_code rsa_key(const struct wa_json *jwk, struct wa_key **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf n;
    WA_AUTO_BUF struct wa_buf e;
    wa_buf_init(&n, WA_RSA_BITS_MAX / 8);
    wa_buf_init(&e, 8);
    if (number(jwk, "n", &n, err) != WA_OK || number(jwk, "e", &e, err) != WA_OK)
        return err->code;
    return wa_key_of_rsa(wa_buf_sv(&n), wa_buf_sv(&e), ret, err);
}

static enum wa_code ec_key(const struct wa_json *jwk, struct wa_key **ret, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf point;
    wa_buf_init(&point, WA_KEY_POINT_BYTES);
    wa_buf_addc(&point, 4); /* uncompressed */
    if (number(jwk, "x", &point, err) != WA_OK)
        return err->code;
    if (point.n != 1 + EC_BYTES || number(jwk, "y", &point, err) != WA_OK ||
        point.n != WA_KEY_POINT_BYTES)
        return err->code != WA_OK ? err->code
                                  : wa_fail(err, WA_E_INVALID, "a key of the provider is no point");
    if (wa_key_new_of_points(&key, err) != WA_OK ||
        wa_key_set_point(key, (const uint8_t *)point.p, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(key);
    return WA_OK;
}

static bool is_or_absent(const struct wa_json *jwk, const char *name, const char *value)
{
    const struct wa_json *j = wa_json_get(jwk, name);
    return j == NULL || wa_sv_eqs(wa_json_sv(j), value);
}

/* By what the set says of it: of the algorithm's kind, for signatures, and the one that is named.
 */
static bool may_be(const struct wa_jws *j, const struct wa_json *jwk)
{
    bool is_rsa = j->kind == WA_KEY_RSA;
    return wa_sv_eqs(wa_json_sv(wa_json_get(jwk, "kty")), is_rsa ? "RSA" : "EC") &&
           (is_rsa || wa_sv_eqs(wa_json_sv(wa_json_get(jwk, "crv")), "P-256")) &&
           is_or_absent(jwk, "use", "sig") &&
           is_or_absent(jwk, "alg", is_rsa ? "RS256" : "ES256") &&
           (j->kid.n == 0 || wa_sv_eq(wa_json_sv(wa_json_get(jwk, "kid")), j->kid));
}

/* --- checking --- */

/* A positive whole number in DER. */
static void add_integer(struct wa_sv bytes, struct wa_buf *out)
{
    while (bytes.n > 1 && bytes.p[0] == 0)
        bytes = wa_sv_sub(bytes, 1, bytes.n);
    bool is_high = ((unsigned char)bytes.p[0] & 0x80u) != 0;
    wa_buf_addc(out, 2);
    wa_buf_addc(out, (char)(bytes.n + (is_high ? 1 : 0)));
    if (is_high)
        wa_buf_addc(out, 0);
    wa_buf_addsv(out, bytes);
}

static enum wa_code as_der(struct wa_sv both, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf numbers;
    wa_buf_init(&numbers, 2 * (EC_BYTES + 3));
    if (both.n != (size_t)2 * EC_BYTES)
        return wa_fail(err, WA_E_REFUSED, "the token's signature has the wrong length");
    add_integer(wa_sv_sub(both, 0, EC_BYTES), &numbers);
    add_integer(wa_sv_sub(both, EC_BYTES, both.n), &numbers);
    if (wa_buf_check(&numbers, err) != WA_OK)
        return err->code;
    wa_buf_addc(out, 0x30);
    wa_buf_addc(out, (char)numbers.n);
    wa_buf_addsv(out, wa_buf_sv(&numbers));
    return wa_buf_check(out, err);
}

static enum wa_code check_one(const struct wa_jws *j, const struct wa_json *jwk, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf der;
    wa_buf_init(&der, 128);
    if (j->kind == WA_KEY_RSA)
        return rsa_key(jwk, &key, err) == WA_OK
                   ? wa_signature_check(key, j->input, j->signature, err)
                   : err->code;
    if (as_der(j->signature, &der, err) != WA_OK || ec_key(jwk, &key, err) != WA_OK)
        return err->code;
    return wa_signature_check(key, j->input, wa_buf_sv(&der), err);
}

enum wa_code wa_jws_check(const struct wa_jws *j, const struct wa_json *set, struct wa_err *err)
{
    const struct wa_json *keys = wa_json_get(set, "keys");
    size_t n = wa_json_count(keys), tried = 0;
    if (!wa_json_is(keys, WA_JSON_ARRAY) || n > WA_JWK_KEYS_MAX)
        return wa_fail(err, WA_E_INVALID, "the provider's keys are no set of at most %u",
                       WA_JWK_KEYS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!may_be(j, wa_json_at(keys, i)))
            continue;
        wa_err_clear(err);
        tried++;
        if (check_one(j, wa_json_at(keys, i), err) == WA_OK || err->code == WA_E_NOMEM)
            return err->code;
    }
    return tried > 0 ? wa_wrap(err, "the provider's token")
                     : wa_fail(err, WA_E_NOT_FOUND, "the token's key is none of the provider's");
}
