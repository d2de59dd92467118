/* trust_json.c - the trust of one connection on its way from the manager to the process that
 * connects.
 *
 * The manager decides whom to trust from its own files; the process that connects can read none of
 * them and is told all.
 */
#include "agent/trust_json.h"

#include "agent/role_priv.h"
#include "codec/hex.h"

void wa_trust_write(struct wa_jw *w, const struct wa_tls_trust *trust)
{
    wa_jw_obj(w);
    wa_jw_kvsv(w, "pem", trust->pem);
    wa_jw_kv(w, "fingerprint", trust->fingerprint);
    wa_jw_kvb(w, "system_cas", trust->system_cas);
    wa_jw_kv(w, "host", trust->host);
    wa_jw_kvsv(w, "identity", trust->identity);
    wa_jw_end(w);
}

enum wa_code wa_trust_read(const struct wa_json *j, struct wa_tls_trust *ret, struct wa_err *err)
{
    struct wa_tls_trust t = {0};
    struct wa_sv fingerprint = {0}, host = {0};
    const struct wa_json_field fields[] = {
        {"pem", WA_WANT_SV, true, 0, &t.pem},
        {"fingerprint", WA_WANT_SV, true, 64, &fingerprint},
        {"system_cas", WA_WANT_BOOL, true, 0, &t.system_cas},
        {"host", WA_WANT_SV, true, sizeof t.host - 1, &host},
        {"identity", WA_WANT_SV, true, 64u << 10, &t.identity},
    };
    enum wa_code code = wa_json_read(j, fields, WA_COUNT(fields), "trust", err);
    if (code != WA_OK) {
        return code;
    }
    if ((fingerprint.n != 0 && !wa_hex_is(fingerprint, 64)) ||
        !wa_role_copy(fingerprint, t.fingerprint, sizeof t.fingerprint) ||
        !wa_role_copy(host, t.host, sizeof t.host)) {
        return wa_fail(err, WA_E_INVALID, "trust: a fingerprint or host of a wrong form");
    }
    *ret = t;
    return WA_OK;
}
