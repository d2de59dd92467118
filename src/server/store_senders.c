/* store_senders.c - who signed: a machine's signature against the certificate that the database has
 * of it now, without reading that certificate anew each time.
 *
 * A certificate's key is kept with the digest of its text. The text comes from the database with
 * each message, so nothing here can be older than what another server or an administrator has
 * changed; and what a thread has checked before counts for that very text only.
 */
#include "server/store_senders.h"

#include "base/mem.h"
#include "crypto/cert.h"
#include "os/rand.h"
#include "os/thread.h"
#include "server/store_hosts.h"
#include "server/store_priv.h"

#define SENDERS_MAX (1u << 18) /* of about 200 bytes each; then all are forgotten */

struct wa_senders {
    struct wa_lock *lock;
    struct wa_map by_uuid; /* struct wa_sender, owned */
};

static void forget_all(struct wa_senders *s)
{
    while (s->by_uuid.n > 0) {
        const struct wa_map_item *last = &s->by_uuid.items[s->by_uuid.n - 1];
        wa_free(wa_map_take(&s->by_uuid, wa_sv_n(last->key, last->key_n)));
    }
}

void wa_senders_free(struct wa_senders *s)
{
    if (s == NULL)
        return;
    forget_all(s);
    wa_map_fini(&s->by_uuid);
    wa_lock_free(s->lock);
    wa_free(s);
}

enum wa_code wa_senders_new(struct wa_senders **ret, struct wa_err *err)
{
    struct wa_senders *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    if (wa_rand_map(&s->by_uuid, err) != WA_OK || wa_lock_new(&s->lock, err) != WA_OK) {
        wa_map_fini(&s->by_uuid);
        wa_free(s);
        return err->code;
    }
    *ret = s;
    return WA_OK;
}

bool wa_senders_get(struct wa_senders *s, struct wa_sv uuid, struct wa_sender *ret)
{
    wa_lock_take(s->lock);
    const struct wa_sender *found = wa_map_get(&s->by_uuid, uuid);
    if (found != NULL)
        *ret = *found;
    wa_lock_give(s->lock);
    return found != NULL;
}

void wa_senders_keep(struct wa_senders *s, struct wa_sv uuid, const struct wa_sender *sender)
{
    struct wa_err ignored = WA_ERR_INIT;
    void *old = NULL;
    struct wa_sender *it = wa_calloc(1, sizeof *it);
    if (it == NULL)
        return;
    *it = *sender;
    wa_lock_take(s->lock);
    if (s->by_uuid.n >= SENDERS_MAX)
        forget_all(s);
    if (wa_map_put(&s->by_uuid, uuid, it, &old, &ignored) != WA_OK)
        old = it;
    wa_lock_give(s->lock);
    wa_free(old);
}

enum wa_code wa_sender_check(const struct wa_sender *sender, const struct wa_envelope *e,
                             struct wa_key **scratch, struct wa_err *err)
{
    if ((*scratch == NULL && wa_key_new_of_points(scratch, err) != WA_OK) ||
        wa_key_set_point(*scratch, sender->point, err) != WA_OK)
        return err->code;
    return wa_envelope_check(e, *scratch, err);
}

static enum wa_code digest_text(struct wa_store *s, struct wa_sv pem, uint8_t out[WA_SHA256_SIZE],
                                struct wa_err *err)
{
    if ((s->digest == NULL && wa_digest_new(WA_SHA256, &s->digest, err) != WA_OK) ||
        wa_digest_add(s->digest, pem.p, pem.n, err) != WA_OK)
        return err->code;
    return wa_digest_sha256(s->digest, out, err);
}

static enum wa_code check_by(struct wa_store *s, struct wa_sv uuid, struct wa_sv pem,
                             const struct wa_envelope *e, const struct wa_sender *checked,
                             struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    uint8_t digest[WA_SHA256_SIZE];
    struct wa_sender known;
    if (digest_text(s, pem, digest, err) != WA_OK)
        return err->code;
    if (checked != NULL && memcmp(checked->certificate, digest, sizeof digest) == 0)
        return WA_OK;
    if (wa_senders_get(s->senders, uuid, &known) &&
        memcmp(known.certificate, digest, sizeof digest) == 0)
        return wa_sender_check(&known, e, &s->sender, err);
    if (wa_certs_read_pem(pem, 1, &certs, err) != WA_OK)
        return err->code;
    memcpy(known.certificate, digest, sizeof digest);
    if (wa_key_point(wa_cert_key(certs.items[0]), known.point)) /* else it is read each time */
        wa_senders_keep(s->senders, uuid, &known);
    return wa_envelope_check(e, wa_cert_key(certs.items[0]), err);
}

enum wa_code wa_store_check_signed(struct wa_store *s, const struct wa_envelope *e,
                                   struct wa_sv uuid, const struct wa_sender *checked,
                                   struct wa_host_row *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    if (wa_store_host(s->db, uuid, &pem, ret, err) != WA_OK)
        return err->code;
    if (!ret->is_there)
        return wa_fail(err, WA_E_AUTH, "this machine is not registered here: register it again");
    return check_by(s, uuid, wa_buf_sv(&pem), e, checked, err);
}
