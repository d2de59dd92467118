/* digest.c - digests over OpenSSL's EVP interface.
 *
 * A digest is fetched once and started again after each message: fetching costs more than hashing a
 * short message. MD5 and SHA-1 are here to read and write WAPT's fields; nothing in this project
 * trusts them.
 */
#include "crypto/digest.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/digest_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/hmac.h>

#define SOURCE_PIECE                                                                               \
    65536u /* bytes read at once: large enough that calls don't count, small enough for a cache */

struct wa_digest {
    EVP_MD_CTX *ctx;
    EVP_MD *md;
};

static const char *name_of(enum wa_digest_kind kind)
{
    switch (kind) {
    case WA_SHA256:
        return "SHA256";
    case WA_SHA1:
        return "SHA1";
    case WA_MD5:
        return "MD5";
    }
    return "";
}

enum wa_code wa_digest_new(enum wa_digest_kind kind, struct wa_digest **ret, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = wa_calloc(1, sizeof(*d));

    if (d == NULL)
        return wa_nomem(err);
    d->md = EVP_MD_fetch(NULL, name_of(kind), NULL);
    if (d->md == NULL)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot use the digest %s", name_of(kind));
    d->ctx = EVP_MD_CTX_new();
    if (d->ctx == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot make a digest");
    if (EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot start the digest %s", name_of(kind));
    *ret = WA_TAKE(d);
    return WA_OK;
}

void wa_digest_free(struct wa_digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md);
    wa_free(d);
}

enum wa_code wa_digest_add(struct wa_digest *d, const void *p, size_t n, struct wa_err *err)
{
    if (n > 0 && EVP_DigestUpdate(d->ctx, p, n) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot continue the digest");
    return WA_OK;
}

enum wa_code wa_digest_end(struct wa_digest *d, uint8_t out[EVP_MAX_MD_SIZE], size_t *ret_n,
                           struct wa_err *err)
{
    unsigned n = 0;

    if (EVP_DigestFinal_ex(d->ctx, out, &n) != 1 || EVP_DigestInit_ex2(d->ctx, NULL, NULL) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot end the digest");
    *ret_n = n;
    return WA_OK;
}

enum wa_code wa_digest_hex(struct wa_digest *d, char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (wa_digest_end(d, bytes, &n, err) != WA_OK)
        return err->code;
    wa_hex_encode(bytes, n, out);
    return WA_OK;
}

enum wa_code wa_digest_sha256(struct wa_digest *d, uint8_t out[WA_SHA256_SIZE], struct wa_err *err)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (wa_digest_end(d, bytes, &n, err) != WA_OK)
        return err->code;
    if (n != WA_SHA256_SIZE)
        return wa_fail(err, WA_E_INTERNAL, "a digest of %zu bytes is no SHA-256", n);
    memcpy(out, bytes, n);
    return WA_OK;
}

enum wa_code wa_sha256(const void *p, size_t n, uint8_t out[WA_SHA256_SIZE], struct wa_err *err)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];

    if (EVP_Q_digest(NULL, "SHA256", NULL, n > 0 ? p : "", n, bytes, NULL) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot compute a SHA-256 digest");
    memcpy(out, bytes, WA_SHA256_SIZE);
    return WA_OK;
}

enum wa_code wa_sha256_hex(const void *p, size_t n, char out[WA_SHA256_HEX], struct wa_err *err)
{
    uint8_t bytes[WA_SHA256_SIZE];

    if (wa_sha256(p, n, bytes, err) != WA_OK)
        return err->code;
    wa_hex_encode(bytes, sizeof(bytes), out);
    return WA_OK;
}

enum wa_code wa_digest_source(enum wa_digest_kind kind, struct wa_source *s,
                              char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    WA_AUTO_STR char *piece = wa_realloc(NULL, 1, SOURCE_PIECE); /* not zeroed: many are short */

    if (piece == NULL)
        return wa_nomem(err);
    if (wa_digest_new(kind, &d, err) != WA_OK)
        return err->code;
    for (uint64_t at = 0; at < s->size;) {
        size_t n = s->size - at < SOURCE_PIECE ? (size_t)(s->size - at) : SOURCE_PIECE;
        if (s->read_at(s, at, piece, n, err) != WA_OK)
            return err->code;
        if (wa_digest_add(d, piece, n, err) != WA_OK)
            return err->code;
        at += n;
    }
    return wa_digest_hex(d, out, err);
}

enum wa_code wa_hmac_sha256(struct wa_sv key, struct wa_sv message, uint8_t out[WA_SHA256_SIZE],
                            struct wa_err *err)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.n > 0 ? key.p : "", key.n,
                  (const unsigned char *)(message.n > 0 ? message.p : ""), message.n, bytes,
                  sizeof(bytes), &n) == NULL ||
        n != WA_SHA256_SIZE)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot compute an HMAC");
    memcpy(out, bytes, WA_SHA256_SIZE);
    wa_wipe(bytes, sizeof(bytes));
    return WA_OK;
}

static enum wa_code sink_write(struct wa_sink *base, const void *p, size_t n, struct wa_err *err)
{
    struct wa_digest_sink *s = (struct wa_digest_sink *)(void *)base;

    if (wa_digest_add(s->d, p, n, err) != WA_OK)
        return err->code;
    s->bytes += n;
    return s->next == NULL ? WA_OK : s->next->write(s->next, p, n, err);
}

void wa_digest_sink_init(struct wa_digest_sink *s, struct wa_digest *d, struct wa_sink *next)
{
    *s = (struct wa_digest_sink){.base = {.write = sink_write}, .d = d, .next = next};
}
