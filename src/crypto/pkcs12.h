/* pkcs12.h - a key with its certificates as one file, PKCS#12 (RFC 7292): what browsers take, and
 * what some authorities give.
 */
#ifndef WA_CRYPTO_PKCS12_H
#define WA_CRYPTO_PKCS12_H

#include "crypto/cert.h"

/* The one private key of it, with its certificates: the key's own, then whoever issued the one
 * before, as far as they are there; others are left out. It is hostile as any file: at most
 * WA_PKCS12_BYTES_MAX, so many parts and certificates, and all hashing of the password together no
 * more than WA_KEY_ROUNDS_MAX rounds. ask: as for wa_key_read_pem(); what: for messages.
 *
 * WA_E_AUTH: the password is wrong. WA_E_REFUSED: weak keys, RC2 and DES, no checksum, several
 * keys, or none that a certificate belongs to. WA_E_INVALID: it is no such file. */
WA_CHECK enum wa_code wa_pkcs12_read(struct wa_sv der, const char *what, wa_passphrase_fn ask,
                                     void *user, struct wa_key **ret_key,
                                     struct wa_certs *ret_chain, struct wa_err *err);
/* The key of the first certificate, and all of them, encrypted (PBES2, AES-256-CBC, PBKDF2 with
 * HMAC-SHA-256) by a password, which must not be empty. out should be a secret buffer. */
WA_CHECK enum wa_code wa_pkcs12_write(const struct wa_key *key, const struct wa_certs *chain,
                                      struct wa_sv password, struct wa_buf *out,
                                      struct wa_err *err);

#endif
