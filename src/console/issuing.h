/* issuing.h - a certificate for somebody who asks with a request of his own (PKCS#10): read, shown,
 * issued. What it grants is chosen here; what the request asks for is only told.
 */
#ifndef WA_CONSOLE_ISSUING_H
#define WA_CONSOLE_ISSUING_H

#include "crypto/csr.h"
#include "pkg/build.h"

struct wa_issuing {
    struct wa_key *key; /* of the request; public */
    char cn[WA_CN_SIZE];
    struct wa_csr_said said;
    /* The caller's. */
    bool is_ca, code_signing, client_auth;
    int64_t days;
    const char *organization; /* NULL: none */
};
/* WA_E_REFUSED: the request is not signed by its own key, or that is weak. */
WA_CHECK enum wa_code wa_issuing_read(struct wa_sv pem, struct wa_issuing *ret, struct wa_err *err);
void wa_issuing_fini(struct wa_issuing *i);
#define WA_AUTO_ISSUING WA_CLEANUP(wa_issuing_fini)
/* In words, a line each. label and value live until it returns. */
WA_CHECK enum wa_code wa_issuing_say(const struct wa_issuing *i,
                                     void (*say)(void *user, const char *label, struct wa_sv value),
                                     void *user, struct wa_err *err);
/* The certificate, and those that lead to an authority, into ret_chain. It is read back, and says
 * what was shown. WA_E_USAGE: the signer is no authority. */
WA_CHECK enum wa_code wa_issuing_make(const struct wa_issuing *i, const struct wa_signer *signer,
                                      struct wa_certs *ret_chain, struct wa_err *err);

#endif
