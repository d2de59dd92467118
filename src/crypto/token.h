/* token.h - private keys that never leave a PKCS#11 token (smart card, USB key, HSM), named by a
 * URI of RFC 7512.
 *
 * A library of its own beside crypto: only the programs that sign for people link it.
 */
#ifndef WA_CRYPTO_TOKEN_H
#define WA_CRYPTO_TOKEN_H

#include "crypto/key.h"

#define WA_TOKEN_TEXT_MAX 255u /* bytes of one attribute, decoded; tokens' own labels have 32 */

/* What "pkcs11:token=Signing;object=key?module-path=/usr/lib/x.so" names; "" and 0: not given. */
struct wa_token_uri {
    char token[WA_TOKEN_TEXT_MAX + 1], manufacturer[WA_TOKEN_TEXT_MAX + 1],
        serial[WA_TOKEN_TEXT_MAX + 1], model[WA_TOKEN_TEXT_MAX + 1];
    char object[WA_TOKEN_TEXT_MAX + 1]; /* the key's label */
    uint8_t id[WA_TOKEN_TEXT_MAX];      /* the key's CKA_ID */
    size_t id_n;
    char module_path[WA_TOKEN_TEXT_MAX + 1];
    char pin_source[WA_TOKEN_TEXT_MAX + 1]; /* a file's path; "file:" is taken off */
};

bool wa_token_is_uri(const char *text);
/* WA_E_USAGE: bad form, an attribute twice or one that is not supported; pin-value, which others
 * could see on the command line; a module-path that is not absolute. */
WA_CHECK enum wa_code wa_token_uri_parse(const char *text, struct wa_token_uri *ret,
                                         struct wa_err *err);

/* Logs in and finds the one private key that uri names. The module is a library that is loaded
 * into this process: uri's, else `module`, an absolute path. ask is called once at most, when the
 * token wants a PIN: a wrong one is never tried twice, since tokens lock after few tries.
 * WA_E_CONFIG: no module, or one that can't be used. WA_E_NOT_FOUND: no such token or key; the
 * message lists those that are there. WA_E_CONFLICT: more than one. WA_E_AUTH: wrong PIN.
 * WA_E_DENIED: locked. WA_E_REFUSED: a weak key. The key holds the session until it is freed. */
WA_CHECK enum wa_code wa_token_key_open(const struct wa_token_uri *uri, const char *module,
                                        wa_passphrase_fn ask, void *user, struct wa_key **ret,
                                        struct wa_err *err);

#endif
