/* trust_json.h - whom a client trusts, as a member of the messages to the network and fetch
 * processes.
 *
 *     {"pem":"...","fingerprint":"","system_cas":false,"host":"server.example"}
 */
#ifndef WA_AGENT_TRUST_JSON_H
#define WA_AGENT_TRUST_JSON_H

#include "codec/json.h"
#include "net/tls.h"

void wa_trust_write(struct wa_jw *w, const struct wa_tls_trust *trust);
/* ret->pem points into the arena of j. WA_E_INVALID. */
WA_CHECK enum wa_code wa_trust_read(const struct wa_json *j, struct wa_tls_trust *ret,
                                    struct wa_err *err);

#endif
