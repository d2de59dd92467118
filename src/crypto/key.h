/* key.h - private and public keys: RSA for WAPT's formats, EC P-256 for TLS and the server's own
 * keys; P-384 in certificates alone.
 *
 * A key from outside is looked at once: RSA from 2,048 to 16,384 bits with a sound modulus and
 * exponent, P-256 or P-384 by name. Keys are immutable; threads may share one.
 */
#ifndef WA_CRYPTO_KEY_H
#define WA_CRYPTO_KEY_H

#include "base/buf.h"

struct wa_key;

enum wa_key_kind { WA_KEY_RSA, WA_KEY_EC };

/* Asked only when the PEM is encrypted. Fills out (cap 1024) with the passphrase; WA_E_AUTH to give
 * up. */
typedef enum wa_code (*wa_passphrase_fn)(void *user, const char *what, struct wa_buf *out,
                                         struct wa_err *err);

WA_CHECK enum wa_code wa_key_new_rsa(unsigned bits, struct wa_key **ret, struct wa_err *err);
WA_CHECK enum wa_code wa_key_new_p256(struct wa_key **ret, struct wa_err *err);
/* The first private key of a PEM text, PKCS#8 or traditional, encrypted (PBES2 with
 * PBKDF2 or scrypt, PKCS#12's triple DES - of at most 10,000,000 rounds -, or traditionally) or
 * not. A wrong passphrase is WA_E_AUTH; weak keys and other
 * encryptions are WA_E_REFUSED. what: for messages. */
WA_CHECK enum wa_code wa_key_read_pem(struct wa_sv pem, const char *what, wa_passphrase_fn ask,
                                      void *user, struct wa_key **ret, struct wa_err *err);
/* PKCS#8 PEM, encrypted (PBES2, AES-256-CBC, PBKDF2 with 600,000 rounds of HMAC-SHA-256) unless
 * passphrase is empty. out should be a secret buffer. */
WA_CHECK enum wa_code wa_key_write_pem(const struct wa_key *key, struct wa_sv passphrase,
                                       struct wa_buf *out, struct wa_err *err);
/* "BEGIN PUBLIC KEY" */
WA_CHECK enum wa_code wa_key_write_public_pem(const struct wa_key *key, struct wa_buf *out,
                                              struct wa_err *err);
WA_CHECK enum wa_code wa_key_read_public_pem(struct wa_sv pem, struct wa_key **ret,
                                             struct wa_err *err);
/* One more owner, who frees it too; from any thread. */
struct wa_key *wa_key_ref(struct wa_key *key);
void wa_key_free(struct wa_key *key);
WA_AUTO_DEFINE(wa_key, wa_key_free)
enum wa_key_kind wa_key_kind(const struct wa_key *key);
unsigned wa_key_bits(const struct wa_key *key);
bool wa_key_is_private(const struct wa_key *key);
/* Its token could not sign: it is gone, or wants its PIN again. */
bool wa_key_is_lost(const struct wa_key *key);
bool wa_key_equal_public(const struct wa_key *a, const struct wa_key *b);

/* The public RSA key of these numbers, big-endian. WA_E_REFUSED when it is weak. */
WA_CHECK enum wa_code wa_key_of_rsa(struct wa_sv n, struct wa_sv e, struct wa_key **ret,
                                    struct wa_err *err);

/* --- many signers, of whom only the point is kept --- */
#define WA_KEY_POINT_BYTES 65
/* The public half of a P-256 key, uncompressed. False: it is a key of another kind. */
bool wa_key_point(const struct wa_key *key, uint8_t out[WA_KEY_POINT_BYTES]);
/* A key to be set to one signer after another, by one thread alone: a hundred times cheaper than
 * reading a certificate for each. */
WA_CHECK enum wa_code wa_key_new_of_points(struct wa_key **ret, struct wa_err *err);
/* From now on it is the public key of this point. WA_E_INVALID: the curve has none such. */
WA_CHECK enum wa_code wa_key_set_point(struct wa_key *key, const uint8_t point[WA_KEY_POINT_BYTES],
                                       struct wa_err *err);

/* --- signatures: RSA PKCS#1 v1.5 with SHA-256 (formats.md 0.5), or ECDSA P-256 with SHA-256 in DER
 * --- Two ECDSA signatures hold for one message and key: a signature is never an identifier. */
WA_CHECK enum wa_code wa_sign(const struct wa_key *key, struct wa_sv message,
                              struct wa_buf *ret_signature, struct wa_err *err);
/* WA_E_REFUSED when it does not hold. Exact length, no leniency. */
WA_CHECK enum wa_code wa_signature_check(const struct wa_key *key, struct wa_sv message,
                                         struct wa_sv signature, struct wa_err *err);

/* RSA with SHA-1, which is weak: for a signature that stands beside a better one and must not be
 * wrong (formats.md 1.9). */
WA_CHECK enum wa_code wa_sign_sha1(const struct wa_key *key, struct wa_sv message,
                                   struct wa_buf *ret_signature, struct wa_err *err);
WA_CHECK enum wa_code wa_signature_check_sha1(const struct wa_key *key, struct wa_sv message,
                                              struct wa_sv signature, struct wa_err *err);

/* For net/tls alone: the EVP_PKEY behind, borrowed. */
void *wa_key_native(const struct wa_key *key);

#endif
