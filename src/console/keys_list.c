/* keys_list.c - certificates for people to look at. */
#include "console/keys_list.h"

#include "crypto/trust.h"

const char *wa_keys_problem(const struct wa_cert *c, int64_t now)
{
    if (wa_cert_not_after(c) <= now)
        return "expired";
    return wa_cert_not_after(c) - now < WA_KEYS_SOON_S ? "soon" : NULL;
}

void wa_keys_kind(const struct wa_key *key, char out[16])
{
    (void)snprintf(out, 16, "%s%u", wa_key_kind(key) == WA_KEY_RSA ? "RSA " : "P-",
                   wa_key_bits(key));
}

enum wa_code wa_keys_write(const struct wa_cert *c, int64_t now, struct wa_jw *w,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    char kind[16];
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_keys_kind(wa_cert_key(c), kind);
    if (wa_cert_write_pem(c, &pem, err) != WA_OK)
        return err->code;
    wa_jw_kv(w, "name", wa_cert_cn(c));
    wa_jw_kv(w, "subject", wa_cert_subject(c));
    wa_jw_kv(w, "issuer", wa_cert_issuer(c));
    wa_jw_kvb(w, "self_issued", wa_cert_is_self_issued(c));
    wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kv(w, "kind", kind);
    wa_jw_kvi(w, "not_before", wa_cert_not_before(c));
    wa_jw_kvi(w, "not_after", wa_cert_not_after(c));
    wa_jw_kvb(w, "is_authority", wa_cert_is_ca(c));
    wa_jw_kvb(w, "can_sign_code", wa_cert_may_sign_code(c));
    wa_jw_kv(w, "problem", wa_keys_problem(c, now));
    wa_jw_kvsv(w, "pem", wa_buf_sv(&pem));
    return WA_OK;
}
