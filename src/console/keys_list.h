/* keys_list.h - certificates for people to look at: what each may, how long, by whom issued, and
 * what to do when it ends soon.
 */
#ifndef WA_CONSOLE_KEYS_LIST_H
#define WA_CONSOLE_KEYS_LIST_H

#include "codec/json.h"
#include "crypto/cert.h"

#define WA_KEYS_SOON_S (45 * 86400) /* s before its end that a certificate is warned of */

/* Members of an open object: name, subject, issuer, fingerprint, kind of key, dates, what it may;
 * "problem": "expired", "soon" or null; pem. */
WA_CHECK enum wa_code wa_keys_write(const struct wa_cert *c, int64_t now, struct wa_jw *w,
                                    struct wa_err *err);
/* "expired", "soon", or NULL. */
const char *wa_keys_problem(const struct wa_cert *c, int64_t now);
/* "RSA 3072", "P-256"; room for 16 bytes. */
void wa_keys_kind(const struct wa_key *key, char out[16]);

#endif
