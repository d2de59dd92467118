/* crl.h - a revocation list on its way from an index or an authority's server to a trust store, and
 * from there into keeping (formats.md 3.2, 4.4). Those
 * beside the trusted certificates are read by wa_trust_add_dir(). */
#ifndef WA_CRYPTO_CRL_H
#define WA_CRYPTO_CRL_H

#include "crypto/trust.h"

struct wa_crl_info {
    char authority[65];  /* hex of its issuer's key identifier; of the SHA-256 of its issuer's name
                            when it gives none */
    int64_t this_update; /* seconds since 1970 */
    int64_t next_update; /* seconds since 1970; 0: it names none */
};
/* One list, as DER or as the first of a PEM text; its DER is added to out. WA_E_INVALID when it is
 * none. Nothing is believed of it. */
WA_CHECK enum wa_code wa_crl_read(struct wa_sv text, struct wa_buf *out, struct wa_crl_info *ret,
                                  struct wa_err *err);
/* Gives a list to the store: what it names is refused from then on, and when it is out of date, all
 * that its authority issued. *ret_used false: it is left out, since neither an anchor nor one of
 * helpers (may be NULL) signed it, or the store has it, or enough. */
WA_CHECK enum wa_code wa_trust_add_crl(struct wa_trust *t, struct wa_sv text,
                                       const struct wa_certs *helpers, bool *ret_used,
                                       struct wa_err *err);
/* Adds the DER of the store's list number i to out; *ret_there false: there are no more. */
WA_CHECK enum wa_code wa_trust_crl(const struct wa_trust *t, size_t i, struct wa_buf *out,
                                   bool *ret_there, struct wa_err *err);

/* --- lists for later --- */

/* The lists of a directory (*.crl, one DER or PEM each), as wa_trust_crl_to_keep() gave them
 * earlier; they count as those beside the anchors do. No directory: none. */
WA_CHECK enum wa_code wa_trust_add_kept(struct wa_trust *t, const char *path, struct wa_err *err);
/* As wa_trust_crl(), of a list that is worth keeping for checks to come: whole, and signed by an
 * anchor or by an authority below one, which helpers (may be NULL) may lead to. *ret_keep false:
 * this one is not, and nothing is added. */
WA_CHECK enum wa_code wa_trust_crl_to_keep(const struct wa_trust *t, size_t i,
                                           const struct wa_certs *helpers, int64_t at,
                                           struct wa_buf *out, struct wa_crl_info *ret_info,
                                           bool *ret_keep, bool *ret_there, struct wa_err *err);
/* Where the anchors themselves say that revocation lists can be fetched: http and https addresses,
 * each once and ended by a newline, at most WA_CRL_URLS_MAX. Only of anchors, which the
 * administrator chose: a certificate from elsewhere must not make anybody fetch what it names. */
WA_CHECK enum wa_code wa_trust_crl_urls(const struct wa_trust *t, struct wa_buf *out,
                                        struct wa_err *err);

#endif
