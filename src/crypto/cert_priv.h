/* cert_priv.h - a certificate behind its handle. Only between files of crypto/. */
#ifndef WA_CRYPTO_CERT_PRIV_H
#define WA_CRYPTO_CERT_PRIV_H

#include "crypto/cert.h"
#include "os/fs.h"

#include <openssl/x509.h>
#include <stdatomic.h>

struct wa_cert {
    atomic_uint refs;
    X509 *x;
    struct wa_key *key;
    char fingerprint[65];
    char serial[WA_CERT_SERIAL_SIZE];
    char cn[WA_CN_SIZE];
    char subject[512], issuer[512];
    int64_t not_before, not_after;
    bool is_sound; /* its extensions can be read; if not, the next four are false */
    bool is_ca, is_self_issued, may_sign_code;
    bool may_issue_code; /* no extended key usage, or one with codeSigning or any */
};

/* Takes x whether it succeeds or not. */
WA_CHECK enum wa_code wa_cert_adopt(X509 *x, struct wa_cert **ret, struct wa_err *err);

/* A name as RFC 2253 writes it, cut to size. WA_E_INVALID. */
WA_CHECK enum wa_code wa_cert_take_name(const X509_NAME *name, char *out, size_t size,
                                        struct wa_err *err);

/* Seconds since 1970; false: it is no time. */
bool wa_asn1_time(const ASN1_TIME *t, int64_t *ret);

/* An ECDSA signature has a twin that holds as well, so whoever has a certificate can make another
 * of the same content with another fingerprint: this is it, "" when there is none. issuer_key has
 * signed c. */
WA_CHECK enum wa_code wa_cert_twin(const struct wa_cert *c, const struct wa_key *issuer_key,
                                   char out[65], struct wa_err *err);

/* Calls fn with the content of each file of the directory whose name ends in suffix, in order of
 * name. */
typedef enum wa_code (*wa_pem_file_fn)(void *user, struct wa_sv text, struct wa_err *err);
WA_CHECK enum wa_code wa_pem_files(const char *path, const char *suffix, wa_pem_file_fn fn,
                                   void *user, struct wa_err *err);
/* Next block between the exact lines BEGIN label and END label: its base64. False at the end of the
 * text. */
bool wa_pem_next(struct wa_sv *rest, const char *label, struct wa_sv *ret);
/* As wa_certs_read_pem(), but text without a certificate is fine and its size is the caller's
 * affair. *ret_n: blocks seen. */
WA_CHECK enum wa_code wa_certs_read_text(struct wa_sv pem, size_t max, struct wa_certs *into,
                                         size_t *ret_n, struct wa_err *err);
/* Drops what was added after the first n. */
void wa_certs_cut(struct wa_certs *list, size_t n);

#endif
