/* digest.h - SHA-256 (and MD5, SHA-1 where WAPT's formats ask for them, never for trust). */
#ifndef WA_CRYPTO_DIGEST_H
#define WA_CRYPTO_DIGEST_H

#include "base/buf.h"
#include "base/stream.h"

enum wa_digest_kind { WA_SHA256, WA_SHA1, WA_MD5 };
#define WA_SHA256_SIZE 32
#define WA_SHA256_HEX 65 /* with NUL */
#define WA_DIGEST_HEX_MAX 65

struct wa_digest;
WA_CHECK enum wa_code wa_digest_new(enum wa_digest_kind kind, struct wa_digest **ret,
                                    struct wa_err *err);
void wa_digest_free(struct wa_digest *d);
WA_AUTO_DEFINE(wa_digest, wa_digest_free)
WA_CHECK enum wa_code wa_digest_add(struct wa_digest *d, const void *p, size_t n,
                                    struct wa_err *err);
/* Ends it, as lower-case hex; may be used for another message afterwards. */
WA_CHECK enum wa_code wa_digest_hex(struct wa_digest *d, char out[WA_DIGEST_HEX_MAX],
                                    struct wa_err *err);

/* The same for a WA_SHA256 alone, as bytes. */
WA_CHECK enum wa_code wa_digest_sha256(struct wa_digest *d, uint8_t out[WA_SHA256_SIZE],
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_sha256(const void *p, size_t n, uint8_t out[WA_SHA256_SIZE],
                                struct wa_err *err);
WA_CHECK enum wa_code wa_sha256_hex(const void *p, size_t n, char out[WA_SHA256_HEX],
                                    struct wa_err *err);
/* Of a whole source, in pieces. */
WA_CHECK enum wa_code wa_digest_source(enum wa_digest_kind kind, struct wa_source *s,
                                       char out[WA_DIGEST_HEX_MAX], struct wa_err *err);
/* HMAC-SHA-256. */
WA_CHECK enum wa_code wa_hmac_sha256(struct wa_sv key, struct wa_sv message,
                                     uint8_t out[WA_SHA256_SIZE], struct wa_err *err);

/* A sink that digests what passes and hands it on to next (may be NULL). */
struct wa_digest_sink {
    struct wa_sink base;
    struct wa_digest *d;
    struct wa_sink *next;
    uint64_t bytes;
};
void wa_digest_sink_init(struct wa_digest_sink *s, struct wa_digest *d, struct wa_sink *next);

#endif
