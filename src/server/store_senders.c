/* store_senders.c - who signed: a machine's signature against the certificate that the database has
 * of it now, without reading that certificate anew each time.
 *
 * A certificate's key is kept by the digest of its text. The text comes from the database with each
 * message, so nothing here can be older than what another server or an administrator has changed.
 */
#include "base/mem.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "server/store_hosts.h"
#include "server/store_priv.h"

#define SENDERS_MAX (1u << 18) /* of about 200 bytes each; then all are forgotten */

static void forget_all(struct wa_store *s)
{
    while (s->senders.n > 0) {
        const struct wa_map_item *last = &s->senders.items[s->senders.n - 1];
        wa_free(wa_map_take(&s->senders, wa_sv_n(last->key, last->key_n)));
    }
}

void wa_store_senders_fini(struct wa_store *s)
{
    forget_all(s);
    wa_map_fini(&s->senders);
    wa_key_free(s->sender);
    s->sender = NULL;
}

/* Best effort: what is not kept is read again. */
static void keep(struct wa_store *s, const char *digest, const struct wa_key *key)
{
    struct wa_err ignored = WA_ERR_INIT;
    uint8_t *point = wa_calloc(1, WA_KEY_POINT_BYTES);
    if (s->senders.n >= SENDERS_MAX)
        forget_all(s);
    if (point == NULL || !wa_key_point(key, point) ||
        wa_map_put(&s->senders, wa_sv(digest), point, NULL, &ignored) != WA_OK)
        wa_free(point);
}

static enum wa_code check_kept(struct wa_store *s, const uint8_t *point,
                               const struct wa_envelope *e, struct wa_err *err)
{
    if ((s->sender == NULL && wa_key_new_of_points(&s->sender, err) != WA_OK) ||
        wa_key_set_point(s->sender, point, err) != WA_OK)
        return err->code;
    return wa_envelope_check(e, s->sender, err);
}

static enum wa_code check_by(struct wa_store *s, struct wa_sv pem, const struct wa_envelope *e,
                             struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    char digest[WA_SHA256_HEX];
    if (wa_sha256_hex(pem.p, pem.n, digest, err) != WA_OK)
        return err->code;
    const uint8_t *point = wa_map_get(&s->senders, wa_sv(digest));
    if (point != NULL)
        return check_kept(s, point, e, err);
    if (wa_certs_read_pem(pem, 1, &certs, err) != WA_OK)
        return err->code;
    keep(s, digest, wa_cert_key(certs.items[0]));
    return wa_envelope_check(e, wa_cert_key(certs.items[0]), err);
}

enum wa_code wa_store_check_signed(struct wa_store *s, const struct wa_envelope *e,
                                   struct wa_sv uuid, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    int64_t seq = 0;
    bool found = false;
    wa_buf_init(&pem, 64u << 10);
    if (wa_store_host(s->db, uuid, &pem, &seq, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "this machine is not registered here: register it again");
    return check_by(s, wa_buf_sv(&pem), e, err);
}
