/* issuing.c - a certificate for somebody who asks with a request of his own. */
#include "console/issuing.h"

#include "base/text.h"
#include "repo/signed.h"

#define DAYS_MAX 36500

enum wa_code wa_issuing_read(struct wa_sv pem, struct wa_issuing *ret, struct wa_err *err)
{
    return wa_csr_read_said(pem, &ret->key, ret->cn, &ret->said, err);
}

void wa_issuing_fini(struct wa_issuing *i)
{
    wa_key_free(i->key);
    i->key = NULL;
}

static void grants_of(const struct wa_issuing *i, struct wa_buf *out)
{
    const struct {
        bool is_granted;
        const char *text;
    } all[] = {{i->is_ca, wa_text("issue certificates (authority)")},
               {i->code_signing, wa_text("sign packages with a setup.py (code signing)")},
               {i->client_auth, wa_text("log in at a server (TLS client)")}};
    for (size_t k = 0; k < WA_COUNT(all); k++)
        if (all[k].is_granted)
            wa_buf_addf(out, "%s%s", out->n > 0 ? ", " : "", all[k].text);
    if (out->n == 0)
        wa_buf_adds(out, wa_text("sign orders and packages without a setup.py"));
}

enum wa_code wa_issuing_say(const struct wa_issuing *i,
                            void (*say)(void *user, const char *label, struct wa_sv value),
                            void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf grants;
    char key[32], id[65], days[32];
    wa_buf_init(&grants, 1024);
    grants_of(i, &grants);
    if (wa_buf_check(&grants, err) != WA_OK || wa_signed_key_id(i->key, id, err) != WA_OK)
        return err->code;
    (void)snprintf(key, sizeof key, "%s %u", wa_key_kind(i->key) == WA_KEY_RSA ? "RSA" : "P",
                   wa_key_bits(i->key));
    (void)snprintf(days, sizeof days, "%lld", (long long)i->days);
    say(user, wa_text("For"), wa_sv(i->cn));
    say(user, wa_text("The request says"), wa_sv(i->said.subject));
    if (i->said.asks[0] != '\0')
        say(user, wa_text("It asks for, which grants nothing"), wa_sv(i->said.asks));
    say(user, wa_text("Its key"), wa_sv(key));
    say(user, wa_text("SHA-256 of its key"), wa_sv(id));
    if (i->organization != NULL)
        say(user, wa_text("Organisation"), wa_sv(i->organization));
    say(user, wa_text("It may"), wa_buf_sv(&grants));
    say(user, wa_text("Days"), wa_sv(days));
    return WA_OK;
}

/* What was asked of the library is only certain once it is read as others will read it. */
static enum wa_code check(const struct wa_issuing *i, const struct wa_cert *c, struct wa_err *err)
{
    if (strcmp(wa_cert_cn(c), i->cn) == 0 && wa_cert_is_ca(c) == i->is_ca &&
        wa_cert_may_sign_code(c) == i->code_signing && wa_cert_matches_key(c, i->key))
        return WA_OK;
    return wa_fail(err, WA_E_INTERNAL, "the certificate made is not the one that was shown");
}

enum wa_code wa_issuing_make(const struct wa_issuing *i, const struct wa_signer *signer,
                             struct wa_certs *ret_chain, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *made = NULL;
    if (i->days < 1 || i->days > DAYS_MAX)
        return wa_fail(err, WA_E_USAGE, "a certificate is good for 1 to %d days", DAYS_MAX);
    const struct wa_cert_request what = {.cn = i->cn,
                                         .organization = i->organization,
                                         .is_ca = i->is_ca,
                                         .path_length = -1,
                                         .code_signing = i->code_signing,
                                         .client_auth = i->client_auth,
                                         .days = (unsigned)i->days};
    if (wa_cert_issue(&what, i->key, signer->chain->items[0], signer->key, &made, err) != WA_OK ||
        check(i, made, err) != WA_OK || wa_certs_add(ret_chain, made, err) != WA_OK)
        return err->code;
    for (size_t k = 0; k < signer->chain->n; k++)
        if (wa_certs_add(ret_chain, signer->chain->items[k], err) != WA_OK)
            return err->code;
    return WA_OK;
}
