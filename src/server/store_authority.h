/* store_authority.h - machines' TLS certificates in the store: issued at registration, revoked,
 * told to the fronts. Rows outlive their machine until they expire, so that a revocation does too.
 */
#ifndef WA_SERVER_STORE_AUTHORITY_H
#define WA_SERVER_STORE_AUTHORITY_H

#include "crypto/digest.h"
#include "server/store_priv.h"

/* A machine's request, read and judged: its key signed it, and it is for that machine. */
struct wa_store_csr {
    char uuid[WA_UUID_MAX + 1];
    char key_sha256[WA_SHA256_HEX]; /* of the public key's PEM */
    struct wa_buf key;              /* that PEM */
};
void wa_store_csr_fini(struct wa_store_csr *r);
/* machine_key: the machine's own, which must not be the TLS key as well: another process holds
 * that. *ret is to be finished whatever the result. */
WA_CHECK enum wa_code wa_store_csr_read(struct wa_sv pem, struct wa_sv uuid,
                                        const struct wa_key *machine_key, struct wa_store_csr *ret,
                                        struct wa_err *err);
/* A certificate for it: the present one while that has half its life, else a new one, which the
 * signer composes; the machine's certificates for other keys are revoked. fn is called once, now or
 * later: with the PEM, or empty and why. */
typedef void (*wa_store_certified_fn)(void *user, struct wa_sv pem, const struct wa_err *why);
void wa_store_certify(struct wa_store *s, const struct wa_store_csr *r, wa_store_certified_fn fn,
                      void *user);

/* Revokes what the machine has, in the caller's transaction; *ret_count how many. After the commit
 * comes wa_store_tell_revoked(). */
WA_CHECK enum wa_code wa_store_revoke(struct wa_store *s, struct wa_sv uuid, const char *why,
                                      int64_t *ret_count, struct wa_err *err);
/* Tells the fronts which certificates are revoked, and renews the list in db/authority.crl. */
void wa_store_tell_revoked(struct wa_store *s);
/* From time to time: what another server of the same database revoked, a list that is a day old. */
void wa_store_look_at_revoked(struct wa_store *s);

#endif
