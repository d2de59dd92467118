/* front_clients.c - the certificates that machines show a front: whom they name, which are revoked.
 *
 * The store tells the whole list of revoked ones; until it has, nobody who shows one is served. A
 * session that is resumed brings its certificate along unverified, so each request is judged again.
 */
#include "os/rand.h"
#include "proto/push.h"
#include "server/authority.h"
#include "server/front_priv.h"

static bool is_revoked(void *user, const char *serial)
{
    const struct wa_front *f = user;
    return wa_map_get(&f->revoked, wa_sv(serial)) != NULL;
}

enum wa_code wa_front_ask_clients(struct wa_front *f, struct wa_tls_ctx *tls, struct wa_err *err)
{
    struct wa_authority a = {NULL, NULL};
    if (wa_rand_map(&f->revoked, err) != WA_OK ||
        wa_authority_read(&f->child.config, false, &a, err) != WA_OK)
        return err->code;
    f->tls = tls;
    f->authority_until = a.cert != NULL ? wa_cert_not_after(a.cert) : 0;
    enum wa_code code = wa_tls_ask_clients(tls, a.cert, is_revoked, f, err);
    if (f->child.config.certificate_login)
        wa_tls_let_people(tls);
    wa_authority_fini(&a);
    return code;
}

enum wa_code wa_front_machine(struct wa_front *f, const struct wa_http_conn *c,
                              struct wa_tls_peer *ret, struct wa_err *err)
{
    struct wa_tls_peer peer;
    *ret = (struct wa_tls_peer){.name = ""};
    if (wa_http_client(c, &peer, err) != WA_OK)
        return err->code;
    if (peer.serial[0] == '\0' && peer.person[0] == '\0' && f->knows_revoked &&
        wa_front_proxied_client(f, c, &peer, err) != WA_OK)
        return err->code;
    if (peer.serial[0] == '\0') { /* of no machine */
        *ret = peer;
        return WA_OK;
    }
    if (!f->knows_revoked)
        return wa_fail(err, WA_E_BUSY, "the server is starting: try again in a moment");
    if (is_revoked(f, peer.serial))
        return wa_fail(err, WA_E_DENIED, "the certificate of '%s' was revoked", peer.name);
    *ret = peer;
    return WA_OK;
}

enum wa_code wa_front_person_pem(const struct wa_front *f, const struct wa_http_conn *c,
                                 struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    if (wa_http_client_cert(c, &cert, err) != WA_OK)
        return err->code;
    return cert != NULL ? wa_cert_write_pem(cert, out, err) : wa_front_proxied_pem(f, c, out, err);
}

static enum wa_code take_list(struct wa_front *f, struct wa_sv lines, struct wa_err *err)
{
    struct wa_sv line;
    struct wa_map fresh;
    if (wa_rand_map(&fresh, err) != WA_OK)
        return err->code;
    while (wa_sv_split(&lines, '\n', &line))
        if (line.n > 0 && wa_map_put(&fresh, line, f, NULL, err) != WA_OK) {
            wa_map_fini(&fresh);
            return err->code;
        }
    wa_map_fini(&f->revoked);
    f->revoked = fresh;
    return WA_OK;
}

static void close_revoked(struct wa_front *f, struct wa_exchange *first)
{
    for (struct wa_exchange *x = first; x != NULL; x = x->next)
        if (x->ws != NULL && x->client.serial[0] != '\0' && is_revoked(f, x->client.serial))
            wa_ws_close(x->ws, WA_PUSH_CLOSE_REFUSED, "the certificate was revoked");
}

void wa_front_take_revoked(struct wa_front *f, struct wa_sv lines)
{
    struct wa_err err = WA_ERR_INIT;
    f->knows_revoked = take_list(f, lines, &err) == WA_OK;
    if (!f->knows_revoked)
        wa_log_err(&f->child.log, WA_LOG_ERROR, "revocations.not_taken", &err);
    close_revoked(f, f->exchanges);
    close_revoked(f, f->greeted);
}
