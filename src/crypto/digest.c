/* digest.c - digests by OpenSSL's EVP. MD5 and SHA-1 exist for WAPT's formats only; nothing here
 * trusts them. */
#include "crypto/digest.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/ossl_priv.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>

struct wa_digest {
    EVP_MD_CTX *ctx;
    const EVP_MD *md;
};

static const EVP_MD *md_of(enum wa_digest_kind kind)
{
    switch (kind) {
    case WA_SHA256:
        return EVP_sha256();
    case WA_SHA1:
        return EVP_sha1();
    case WA_MD5:
        return EVP_md5();
    }
    return EVP_sha256();
}

enum wa_code wa_digest_new(enum wa_digest_kind kind, struct wa_digest **ret, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = wa_calloc(1, sizeof *d);
    if (d == NULL)
        return wa_nomem(err);
    d->md = md_of(kind);
    d->ctx = EVP_MD_CTX_new();
    if (d->ctx == NULL)
        return wa_nomem(err);
    if (EVP_DigestInit_ex(d->ctx, d->md, NULL) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "start a digest");
    *ret = WA_TAKE(d);
    return WA_OK;
}

void wa_digest_free(struct wa_digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->ctx);
    wa_free(d);
}

enum wa_code wa_digest_add(struct wa_digest *d, const void *p, size_t n, struct wa_err *err)
{
    if (EVP_DigestUpdate(d->ctx, p, n) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "compute a digest");
    return WA_OK;
}

enum wa_code wa_digest_hex(struct wa_digest *d, char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_DigestFinal_ex(d->ctx, raw, &n) != 1 || EVP_DigestInit_ex(d->ctx, d->md, NULL) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "finish a digest");
    wa_hex_encode(raw, n, out);
    return WA_OK;
}

enum wa_code wa_sha256(const void *p, size_t n, uint8_t out[WA_SHA256_SIZE], struct wa_err *err)
{
    if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "compute a digest");
    return WA_OK;
}

enum wa_code wa_sha256_hex(const void *p, size_t n, char out[WA_SHA256_HEX], struct wa_err *err)
{
    uint8_t raw[WA_SHA256_SIZE];
    if (wa_sha256(p, n, raw, err) != WA_OK)
        return err->code;
    wa_hex_encode(raw, sizeof raw, out);
    return WA_OK;
}

enum wa_code wa_digest_source(enum wa_digest_kind kind, struct wa_source *s,
                              char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    const size_t piece = 1u << 18;
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    WA_AUTO_STR char *p = wa_calloc(piece, 1);
    if (p == NULL)
        return wa_nomem(err);
    if (wa_digest_new(kind, &d, err) != WA_OK)
        return err->code;
    for (uint64_t at = 0; at < s->size;) {
        size_t n = s->size - at < piece ? (size_t)(s->size - at) : piece;
        if (s->read_at(s, at, p, n, err) != WA_OK || wa_digest_add(d, p, n, err) != WA_OK)
            return err->code;
        at += n;
    }
    return wa_digest_hex(d, out, err);
}

enum wa_code wa_hmac_sha256(struct wa_sv key, struct wa_sv message, uint8_t out[WA_SHA256_SIZE],
                            struct wa_err *err)
{
    size_t n = 0;
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.p == NULL ? "" : key.p, key.n,
                  (const unsigned char *)message.p, message.n, out, WA_SHA256_SIZE, &n) == NULL ||
        n != WA_SHA256_SIZE)
        return wa_fail_ossl(err, WA_E_INTERNAL, "compute an HMAC");
    return WA_OK;
}

static enum wa_code sink_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct wa_digest_sink *d = (struct wa_digest_sink *)s;
    if (wa_digest_add(d->d, p, n, err) != WA_OK)
        return err->code;
    d->bytes += n;
    return d->next == NULL ? WA_OK : d->next->write(d->next, p, n, err);
}

void wa_digest_sink_init(struct wa_digest_sink *s, struct wa_digest *d, struct wa_sink *next)
{
    *s = (struct wa_digest_sink){.base = {.write = sink_write}, .d = d, .next = next};
}
