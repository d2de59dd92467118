/* trust.h - is this signer's certificate trusted, and by which anchor?
 *
 * Every certificate of the store is an anchor, as in WAPT (formats.md 4.3), but what WAPT left out
 * is checked: dates, basic constraints, path length, key usage and signature of every certificate
 * on the path, unknown critical extensions, weak keys and digests. A pinned certificate (the signer
 * itself is in the store) needs no issuer. Chains are built from the store and the supplied
 * certificates together; when several authorities have one name, all are tried.
 *
 * A signer whose extended key usage names other purposes only signs nothing.
 *
 * An authority whose extended key usage leaves out codeSigning can't give it: otherwise a deployer,
 * whose own certificate WAPT makes an authority, could issue one for code.
 */
#ifndef WA_CRYPTO_TRUST_H
#define WA_CRYPTO_TRUST_H

#include "crypto/cert.h"

struct wa_trust;

WA_CHECK enum wa_code wa_trust_new(struct wa_trust **ret, struct wa_err *err);
void wa_trust_free(struct wa_trust *t);
WA_AUTO_DEFINE(wa_trust, wa_trust_free)
WA_CHECK enum wa_code wa_trust_add(struct wa_trust *t, struct wa_cert *anchor, struct wa_err *err);
/* All of a directory's certificates (formats.md 4.2), and the revocation lists beside them: in the
 * same files, or in *.crl. What such a list names is refused, and when it is out of date, all that
 * its authority issued. The file revoked.txt there names revoked fingerprints
 * (wa_trust_revoke_lines). WA_E_CONFIG, naming the directory, when there is no certificate. */
WA_CHECK enum wa_code wa_trust_add_dir(struct wa_trust *t, const char *path, struct wa_err *err);
size_t wa_trust_count(const struct wa_trust *t);
/* Lower-case hex SHA-256 of a certificate that is never accepted, on any place of a path.
 * WA_E_INVALID when it is no such. */
WA_CHECK enum wa_code wa_trust_revoke(struct wa_trust *t, const char *fingerprint,
                                      struct wa_err *err);

/* The same for each line of a text, as people copy fingerprints; what follows a '#' is a remark.
 * WA_E_INVALID, naming the line; those before it are revoked then all the same. */
WA_CHECK enum wa_code wa_trust_revoke_lines(struct wa_trust *t, struct wa_sv text,
                                            struct wa_err *err);
/* Who may give orders, if trusted at all: a comma list of lower-case hex SHA-256 of certificates.
 * Nobody may whom no call has named. */
WA_CHECK enum wa_code wa_trust_let_order(struct wa_trust *t, struct wa_sv fingerprints,
                                         struct wa_err *err);
bool wa_trust_may_order(const struct wa_trust *t, const char *fingerprint);

/* Who signed, by which anchor it is trusted, and what it may do. */
struct wa_trust_result {
    char signer_fingerprint[65];
    char signer_cn[WA_CN_SIZE];
    char anchor_fingerprint[65];
    char anchor_cn[WA_CN_SIZE];
    bool is_pinned; /* the signer itself is the anchor */
    bool
        may_sign_code; /* the signer has codeSigning, and every authority on the path may give it */
    bool may_order;    /* wa_trust_let_order() names the signer */
};
/* chain: signer first, then what helps. at: seconds since 1970. WA_E_REFUSED with the reason. Costs
 * a signature check a certificate: who asks often keeps the answer. */
WA_CHECK enum wa_code wa_trust_check(const struct wa_trust *t, const struct wa_certs *chain,
                                     int64_t at, struct wa_trust_result *ret, struct wa_err *err);

#endif
