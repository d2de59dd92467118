/* health_certs.c - the certificates that count here: of who signs packages, and of the server. Each
 * that is refused, or soon will be, is told before it keeps a machine from its updates.
 */
#include "agent/health.h"
#include "crypto/crl.h"
#include "crypto/trust.h"
#include "os/clock.h"

#define SOON_DAYS 30
#define DAY_S 86400

static int64_t days_left(const struct wa_cert *c)
{
    return (wa_cert_not_after(c) - wa_clock_now()) / DAY_S;
}

/* The one that ends first; NULL: there is none. */
static const struct wa_cert *first_to_end(const struct wa_certs *certs)
{
    const struct wa_cert *first = NULL;
    for (size_t i = 0; i < certs->n; i++)
        if (first == NULL || wa_cert_not_after(certs->items[i]) < wa_cert_not_after(first))
            first = certs->items[i];
    return first;
}

/* Why the first that is refused is: expired, revoked, too weak. False: all are good. */
static bool find_refused(const struct wa_agent_config *c, const struct wa_certs *certs,
                         struct wa_err *ret)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    char kept[2 * WA_PATH_MAX];
    (void)snprintf(kept, sizeof kept, "%s/private/crl", c->base);
    if (wa_trust_new(&t, ret) != WA_OK || wa_trust_add_dir(t, c->public_certs_dir, ret) != WA_OK)
        return true;
    if (wa_trust_add_kept(t, kept, ret) != WA_OK && ret->code != WA_E_DENIED)
        return true; /* an ordinary user goes by ssl/ alone */
    wa_err_clear(ret);
    for (size_t i = 0; i < certs->n; i++) {
        WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
        struct wa_trust_result ignored;
        if (wa_certs_add(&chain, certs->items[i], ret) != WA_OK ||
            wa_trust_check(t, &chain, wa_clock_now(), &ignored, ret) != WA_OK)
            return true;
    }
    return false;
}

static void look_signers(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    static const char remedy[] = "put the certificates of those who may sign packages into ssl/, "
                                 "and take those out that ended";
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_err err = WA_ERR_INIT;
    if (wa_certs_read_dir(c->public_certs_dir, &certs, &err) != WA_OK &&
        err.code != WA_E_NOT_FOUND) {
        wa_health_say(r, "signers", WA_HEALTH_ERROR, remedy, "%s", err.text);
        return;
    }
    wa_err_clear(&err);
    const struct wa_cert *first = first_to_end(&certs);
    if (first == NULL)
        wa_health_say(r, "signers", WA_HEALTH_WARNING, remedy,
                      "there is no certificate in '%s': without a root nothing can be installed",
                      c->public_certs_dir);
    else if (find_refused(c, &certs, &err))
        wa_health_say(r, "signers", WA_HEALTH_WARNING, remedy, "%s", err.text);
    else
        wa_health_say(r, "signers",
                      days_left(first) < SOON_DAYS ? WA_HEALTH_WARNING : WA_HEALTH_GOOD,
                      "have its successor put into ssl/ before that",
                      "%zu trusted; '%s' ends first, in %lld days", certs.n, wa_cert_cn(first),
                      (long long)days_left(first));
}

static enum wa_code read_pins(const struct wa_agent_config *c, struct wa_certs *ret,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_tls_trust trust;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_agent_trust(c, NULL, c->wapt_server, &pem, &trust, err) != WA_OK)
        return err->code;
    return trust.pem.n > 0 ? wa_certs_read_pem(trust.pem, WA_CHAIN_MAX * 16, ret, err) : WA_OK;
}

static void look_pins(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_err err = WA_ERR_INIT;
    if (c->wapt_server[0] == '\0')
        return;
    if (read_pins(c, &certs, &err) != WA_OK) {
        wa_health_say(r, "server-certificate", WA_HEALTH_ERROR,
                      "put the server's certificate where verify_cert says", "%s", err.text);
        return;
    }
    const struct wa_cert *first = first_to_end(&certs);
    if (first == NULL) {
        wa_health_say(r, "server-certificate", WA_HEALTH_GOOD, NULL,
                      c->server_fingerprint[0] != '\0' ? "its fingerprint was given"
                                                       : "checked by the system's authorities");
        return;
    }
    int64_t left = days_left(first);
    wa_health_say(r, "server-certificate",
                  left < 0           ? WA_HEALTH_ERROR
                  : left < SOON_DAYS ? WA_HEALTH_WARNING
                                     : WA_HEALTH_GOOD,
                  "put the server's new certificate into ssl/server, beside the old one",
                  left < 0 ? "the pinned '%s' has ended, %lld days ago"
                           : "the pinned '%s' ends in %lld days",
                  wa_cert_cn(first), (long long)(left < 0 ? -left : left));
}

void wa_health_certificates(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    look_signers(c, r);
    look_pins(c, r);
}
