/* signed.h - a statement with any number of signatures (docs/formats/repository-metadata.md).
 *
 *     {"signed":"{\"purpose\":\"wapt-repo-root\",...}",
 *      "signatures":[{"signer":"<64 hex>","signature":"<base64>"}]}
 *
 * Each signature covers the bytes of the string "signed" after JSON decoding. Reading judges the
 * form only; wa_signed_count() says whose signatures hold.
 */
#ifndef WA_REPO_SIGNED_H
#define WA_REPO_SIGNED_H

#include "codec/json.h"
#include "crypto/cert.h"

struct wa_signed_by {
    char signer[65];        /* fingerprint of a certificate, or of a public key's PEM text */
    struct wa_sv signature; /* base64, in the arena */
};
struct wa_signed {
    struct wa_sv text;               /* in the arena */
    const struct wa_json *statement; /* text, parsed: an object of the right purpose */
    struct wa_signed_by *items;      /* in the arena; no signer twice */
    size_t n;
};
/* Who may sign: an identity and its key, both borrowed. */
struct wa_signed_key {
    char id[65];
    const struct wa_key *key;
};

/* Form and purpose. *ret lives in the arena, which must hold three times the text. */
WA_CHECK enum wa_code wa_signed_read(struct wa_sv json, size_t max_bytes, const char *purpose,
                                     struct wa_arena *arena, struct wa_signed *ret,
                                     struct wa_err *err);
/* How many different keys of the list have signed; signatures of others are passed over.
 * WA_E_REFUSED when one by a key of the list does not hold. */
WA_CHECK enum wa_code wa_signed_count(const struct wa_signed *s, const struct wa_signed_key *keys,
                                      size_t key_count, size_t *ret, struct wa_err *err);
/* Writes the document. signatures: those that are there already (may be NULL), but signer's own. */
WA_CHECK enum wa_code wa_signed_add(struct wa_sv text, const struct wa_signed *there,
                                    const char *signer, const struct wa_key *key,
                                    struct wa_buf *out, struct wa_err *err);
/* The document without any signature. */
WA_CHECK enum wa_code wa_signed_none(struct wa_sv text, struct wa_buf *out, struct wa_err *err);

/* SHA-256 of the PEM text of the key's public half: the identity of a bare key. */
WA_CHECK enum wa_code wa_signed_key_id(const struct wa_key *key, char out[65], struct wa_err *err);

#endif
