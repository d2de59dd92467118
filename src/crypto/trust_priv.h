/* trust_priv.h - what a certificate must be to stand on a path. Only between files of crypto/. */
#ifndef WA_CRYPTO_TRUST_PRIV_H
#define WA_CRYPTO_TRUST_PRIV_H

#include "base/map.h"
#include "crypto/crl_priv.h"
#include "crypto/trust.h"

struct wa_trust {
    struct wa_certs anchors;
    struct wa_map by_fingerprint; /* of anchors */
    struct wa_map revoked;        /* fingerprints */
    struct wa_map may_order;      /* fingerprints */
    struct wa_crls crls;
};

/* Whether authority is an anchor or stands below one, with the help of helpers (may be NULL, and
 * many). WA_E_REFUSED: it does not. */
WA_CHECK enum wa_code wa_trust_leads(const struct wa_trust *t, const struct wa_cert *authority,
                                     const struct wa_certs *helpers, int64_t at,
                                     struct wa_err *err);

/* All WA_E_REFUSED with the reason. at: seconds since 1970. */
/* What must hold wherever it stands: not revoked, in date, strong, nothing critical that is not
 * understood. */
WA_CHECK enum wa_code wa_rule_any(const struct wa_trust *t, const struct wa_cert *c, int64_t at,
                                  struct wa_err *err);
/* What the signer must be beyond that. */
WA_CHECK enum wa_code wa_rule_signer(const struct wa_cert *c, struct wa_err *err);
/* What an issuer must be that has `below` authorities under it, self-issued ones not counted. */
WA_CHECK enum wa_code wa_rule_issuer(const struct wa_cert *c, size_t below, struct wa_err *err);
/* Is child, signed by issuer, revoked - by list, or under its twin's fingerprint? */
WA_CHECK enum wa_code wa_rule_revoked(const struct wa_trust *t, const struct wa_cert *child,
                                      const struct wa_cert *issuer, int64_t at, struct wa_err *err);
/* Name constraints of every authority over all below it; path: signer first. */
WA_CHECK enum wa_code wa_rule_names(const struct wa_cert *const *path, size_t n,
                                    struct wa_err *err);

#endif
