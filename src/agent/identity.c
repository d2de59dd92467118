/* identity.c - who this machine is: its uuid, its key pair, its certificate (formats.md 4.5).
 *
 * The key never leaves private/. The certificate is self-signed, no authority, for nothing but
 * proving the machine.
 */
#include "agent/manager_priv.h"
#include "os/rand.h"
#include "proto/hostid.h"

static enum wa_code key_path(const struct wa_manager *m, char *out, struct wa_err *err)
{
    int n = snprintf(out, WA_PATH_MAX, "%s/private/%s.pem", m->config.base, m->uuid);
    return n > 0 && (size_t)n < WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the base directory's path is too long");
}

/* The uuid from, in this order: configuration, host name where asked for, what was used before, the
 * machine's firmware. "" when none. */
static enum wa_code find_uuid(struct wa_manager *m, struct wa_db *db, struct wa_buf *out,
                              struct wa_err *err)
{
    if (m->config.uuid[0] != '\0')
        wa_buf_adds(out, m->config.uuid);
    else if (m->config.use_fqdn_as_uuid)
        wa_buf_adds(out, m->facts.fqdn);
    else if (wa_param_get(db, "uuid", out, err) != WA_OK)
        return err->code;
    if (out->n == 0)
        wa_buf_adds(out, m->facts.system_uuid);
    return wa_buf_check(out, err);
}

static enum wa_code read_key(struct wa_manager *m, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    if (key_path(m, path, err) != WA_OK)
        return err->code;
    if (wa_path_read(path, 64u << 10, &pem, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return wa_wrap(err, "reading the machine's key");
        wa_err_clear(err);
        return WA_OK;
    }
    return wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, &m->key, err);
}

enum wa_code wa_identity_load(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf uuid;
    wa_buf_init(&uuid, WA_UUID_MAX);
    if (find_uuid(m, db, &uuid, err) != WA_OK)
        return err->code;
    if (uuid.n == 0)
        return WA_OK;
    if (wa_hostid_copy(wa_buf_sv(&uuid), m->uuid, err) != WA_OK)
        return wa_wrap(err, "the machine's identity");
    return read_key(m, err);
}

static enum wa_code make_key(struct wa_manager *m, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    if (key_path(m, path, err) != WA_OK || wa_key_new_rsa(2048, &key, err) != WA_OK ||
        wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK ||
        wa_path_replace(path, wa_buf_sv(&pem), 0600, err) != WA_OK)
        return wa_wrap(err, "making the machine's key");
    wa_lock_take(m->lock);
    m->key = WA_TAKE(key);
    wa_lock_give(m->lock);
    return WA_OK;
}

enum wa_code wa_identity_make(struct wa_manager *m, struct wa_buf *certificate, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    if (m->uuid[0] == '\0' && wa_rand_uuid(m->uuid, err) != WA_OK)
        return err->code;
    if (wa_param_set(m->tdb, "uuid", wa_sv(m->uuid), err) != WA_OK ||
        (m->key == NULL && make_key(m, err) != WA_OK))
        return err->code;
    const struct wa_cert_request what = {
        .cn = m->uuid, .path_length = -1, .client_auth = true, .days = 3650};
    if (wa_cert_issue(&what, m->key, NULL, NULL, &cert, err) != WA_OK)
        return wa_wrap(err, "making the machine's certificate");
    return wa_cert_write_pem(cert, certificate, err);
}
