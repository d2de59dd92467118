/* cert.h - X.509 certificates: read, describe, issue. */
#ifndef WA_CRYPTO_CERT_H
#define WA_CRYPTO_CERT_H

#include "crypto/key.h"

struct wa_cert;
/* A list of certificates, in file order, each once. */
struct wa_certs {
    struct wa_cert **items;
    size_t n, cap;
};

/* One certificate; reference counted, immutable, may be shared by threads. Only DER is read, so
 * that a fingerprint names exactly one certificate; a weak key does not make one unreadable, but
 * nothing signed by it is accepted. */
struct wa_cert *wa_cert_ref(struct wa_cert *c);
void wa_cert_free(struct wa_cert *c);
WA_AUTO_DEFINE(wa_cert, wa_cert_free)
void wa_certs_fini(struct wa_certs *list);
#define WA_AUTO_CERTS WA_CLEANUP(wa_certs_fini)
WA_CHECK enum wa_code wa_certs_add(struct wa_certs *list, struct wa_cert *c,
                                   struct wa_err *err); /* refs c; a duplicate is skipped */

/* Every "BEGIN CERTIFICATE" block, other text ignored (formats.md 1.8); none at all, a bad block or
 * more than max is an error. */
WA_CHECK enum wa_code wa_certs_read_pem(struct wa_sv pem, size_t max, struct wa_certs *into,
                                        struct wa_err *err);
/* Adds all *.crt, then all *.pem of a directory, each file's in order (formats.md 4.2); files
 * without a certificate are skipped, a bad one is an error that names it. Missing directory:
 * WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_certs_read_dir(const char *path, struct wa_certs *into,
                                        struct wa_err *err);
WA_CHECK enum wa_code wa_cert_write_pem(const struct wa_cert *c, struct wa_buf *out,
                                        struct wa_err *err);
/* All, joined as WAPT does: each PEM ends with \n, one more \n between two. */
WA_CHECK enum wa_code wa_certs_write_pem(const struct wa_certs *list, struct wa_buf *out,
                                         struct wa_err *err);

const char *wa_cert_fingerprint(const struct wa_cert *c); /* lower-case hex SHA-256 of the DER */
/* Its serial number in lower-case hex, two digits a byte; "" when that is longer than the 20 bytes
 * that RFC 5280 allows, or negative. */
const char *wa_cert_serial(const struct wa_cert *c);
const char *wa_cert_cn(const struct wa_cert *c); /* the last common name, UTF-8; "" when absent */
const char *wa_cert_subject(const struct wa_cert *c); /* RFC 2253, for people */
const char *wa_cert_issuer(const struct wa_cert *c);
int64_t wa_cert_not_before(const struct wa_cert *c); /* seconds since 1970 */
int64_t wa_cert_not_after(const struct wa_cert *c);
bool wa_cert_is_ca(const struct wa_cert *c);
bool wa_cert_is_self_issued(const struct wa_cert *c);
bool wa_cert_may_sign_code(
    const struct wa_cert *c); /* EKU codeSigning, exactly: "any" does not count */
/* Whether its owner may use it as a TLS client: it names that purpose, or none at all. */
bool wa_cert_may_be_client(const struct wa_cert *c);
/* Which person it names: by "cn", the first "email" of its alternative names, or the "upn" there
 * (Microsoft's user principal name). False: by none that fits. */
bool wa_cert_person(const struct wa_cert *c, const char *by, char *out, size_t size);
bool wa_cert_equal(const struct wa_cert *a, const struct wa_cert *b);
/* Borrowed; lives as long as the certificate. Never NULL: a key that is weak or can't be read
 * refuses to check anything. */
const struct wa_key *wa_cert_key(const struct wa_cert *c);
bool wa_cert_matches_key(const struct wa_cert *c, const struct wa_key *key);

/* --- issuing --- */
struct wa_cert_request {
    const char *cn, *organization, *org_unit, *country, *locality,
        *email;                    /* NULL: left out; cn is needed */
    bool is_ca;                    /* BasicConstraints CA:TRUE, keyCertSign, cRLSign */
    int path_length;               /* -1: none */
    bool code_signing;             /* EKU codeSigning */
    bool client_auth, server_auth; /* EKU */
    const char *const
        *dns_names; /* NULL-terminated SAN; an item that is an IP address becomes an IP name */
    unsigned days;
};
/* Self-signed when issuer is NULL; else issuer_key must be issuer's, which must be a CA. SHA-256,
 * random 128-bit serial, SKI and AKI, KeyUsage critical. Valid from five minutes ago. WA_E_USAGE
 * for what no check would accept: an issuer that is no authority, has expired or may have none
 * below it. */
WA_CHECK enum wa_code wa_cert_issue(const struct wa_cert_request *what,
                                    const struct wa_key *subject_key, const struct wa_cert *issuer,
                                    const struct wa_key *issuer_key, struct wa_cert **ret,
                                    struct wa_err *err);

/* For net/tls alone: the X509 behind, borrowed. */
void *wa_cert_native(const struct wa_cert *c);
WA_CHECK enum wa_code wa_cert_from_der(const void *der, size_t n, struct wa_cert **ret,
                                       struct wa_err *err);

#endif
