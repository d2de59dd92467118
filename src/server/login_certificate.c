/* login_certificate.c - logging in by a TLS certificate. That its owner holds the key the handshake
 * has proved; here is decided whose it is.
 *
 * A registered one counts by its fingerprint, for as long as it is registered; others when one of
 * the configured authorities has issued them and no revocation list names them, for the person
 * whose name they carry. Both folder and registration are read anew each time. What the server's
 * own authority issues is a machine's, and never comes here. The session that follows is good only
 * on connections that show the same certificate.
 */
#include "crypto/trust.h"
#include "os/clock.h"
#include "server/api.h"
#include "server/login.h"

static enum wa_code read_one(const struct wa_store_request *r, struct wa_certs *chain,
                             struct wa_err *err)
{
    if (!r->store->child.config.certificate_login)
        return wa_fail(err, WA_E_DENIED,
                       "nobody logs in by a certificate here: set certificate_login in the "
                       "server's configuration");
    if (r->person[0] == '\0' || r->pem == NULL)
        return wa_fail(err, WA_E_AUTH,
                       r->machine[0] != '\0' ? "this certificate is a machine's, and no person's"
                                             : "no certificate was shown");
    if (wa_certs_read_pem(wa_sv(r->pem), 1, chain, err) != WA_OK)
        return err->code;
    return strcmp(wa_cert_fingerprint(chain->items[0]), r->person) == 0
               ? WA_OK
               : wa_fail(err, WA_E_INTERNAL, "another certificate than the connection's");
}

/* Dates, strength, purpose, revocation; and the way to an authority where it is not registered. */
static enum wa_code judge(const struct wa_store *s, const struct wa_certs *chain,
                          bool is_registered, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_trust_result result;
    struct wa_cert *leaf = chain->items[0];
    if (!wa_cert_may_be_client(leaf))
        return wa_fail(err, WA_E_AUTH,
                       "the certificate is for other purposes: it takes one for TLS clients "
                       "(clientAuth)");
    if (wa_trust_new(&t, err) != WA_OK ||
        (is_registered ? wa_trust_add(t, leaf, err) : wa_trust_add_dir(t, s->issuers, err)) !=
            WA_OK ||
        wa_trust_check(t, chain, wa_clock_now(), &result, err) != WA_OK)
        return err->code;
    return is_registered || (!result.is_pinned && !wa_cert_is_ca(leaf))
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "an authority is no person");
}

enum wa_code wa_login_certificate_check(const struct wa_store_request *r, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    if (read_one(r, &chain, err) == WA_OK && judge(r->store, &chain, true, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_AUTH || err->code == WA_E_REFUSED || err->code == WA_E_INVALID)
        err->code = WA_E_USAGE; /* the session is as good as before */
    return err->code;
}

static enum wa_code find_person(struct wa_store *s, const struct wa_certs *chain,
                                struct wa_person *ret, bool *ret_registered, struct wa_err *err)
{
    const struct wa_cert *leaf = chain->items[0];
    const struct wa_server_config *config = &s->child.config;
    char name[WA_NAME_MAX + 1];
    bool found = false;
    if (wa_store_certificate(s->db, wa_cert_fingerprint(leaf), ret, &found, err) != WA_OK)
        return err->code;
    bool is_registered = *ret_registered = found;
    if (!found && config->certificate_issuers[0] == '\0')
        return wa_fail(err, WA_E_AUTH, "the certificate is registered for nobody");
    if (judge(s, chain, is_registered, err) != WA_OK)
        return err->code;
    if (!found && wa_cert_person(leaf, config->certificate_name, name, sizeof name) &&
        wa_store_person(s->db, wa_sv(name), ret, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "the certificate names nobody who uses this server");
    /* The role of the others is that of their last login there. */
    return strcmp(ret->origin, "local") == 0
               ? WA_OK
               : wa_fail(err, WA_E_DENIED, "'%s' is known by another (%s), and logs in there",
                         ret->name, ret->origin);
}

enum wa_code wa_login_certificate_call(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
    struct wa_store *s = c->store;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    struct wa_person p = {.name = ""};
    struct wa_err why = WA_ERR_INIT;
    bool is_registered = false;
    if (wa_throttle_begin(&s->throttle, r->peer, NULL, wa_clock_now(), err) != WA_OK)
        return err->code;
    c->is_later = true; /* answered below, either way */
    if (read_one(r, &chain, &why) == WA_OK &&
        find_person(s, &chain, &p, &is_registered, &why) == WA_OK) {
        wa_throttle_good(&s->throttle, r->peer, NULL);
        wa_login_grant_bound(r, p.name, is_registered);
        return WA_OK;
    }
    if (why.code == WA_E_REFUSED || why.code == WA_E_INVALID)
        why.code = WA_E_AUTH;
    wa_login_refuse(r, p.name, &why);
    return WA_OK;
}
