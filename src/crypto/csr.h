/* csr.h - requests for a certificate (PKCS#10), and lists of what was revoked, as an authority of
 * ours makes them.
 *
 * Of a request nothing counts but its key, proven by its own signature, and its common name: what
 * it asks for besides - extensions, attributes - is never looked at.
 */
#ifndef WA_CRYPTO_CSR_H
#define WA_CRYPTO_CSR_H

#include "crypto/cert.h"

/* "BEGIN CERTIFICATE REQUEST", appended: for key, named cn, asking for nothing. */
WA_CHECK enum wa_code wa_csr_make(const char *cn, const struct wa_key *key, struct wa_buf *pem,
                                  struct wa_err *err);
/* One request, DER inside PEM. *ret_key: public, never weak. WA_E_REFUSED: not signed by its own
 * key, or a weak one. */
WA_CHECK enum wa_code wa_csr_read(struct wa_sv pem, struct wa_key **ret_key,
                                  char ret_cn[WA_CN_SIZE], struct wa_err *err);

/* What a request says besides, for the person who decides. It binds nobody. */
struct wa_csr_said {
    char subject[512]; /* RFC 2253; cut if it is longer */
    char asks[512];    /* extensions it asks for, "CA" and purposes by name; "": none */
};
WA_CHECK enum wa_code wa_csr_read_said(struct wa_sv pem, struct wa_key **ret_key,
                                       char ret_cn[WA_CN_SIZE], struct wa_csr_said *ret,
                                       struct wa_err *err);

struct wa_revoked {
    const char *serial; /* as wa_cert_serial() */
    int64_t at;         /* seconds since 1970 */
};
/* "BEGIN X509 CRL", appended. number grows with each list of the authority. issuer_key is issuer's.
 */
WA_CHECK enum wa_code wa_crl_issue(const struct wa_revoked *entries, size_t count, int64_t number,
                                   int64_t this_update, int64_t next_update,
                                   const struct wa_cert *issuer, const struct wa_key *issuer_key,
                                   struct wa_buf *pem, struct wa_err *err);

#endif
