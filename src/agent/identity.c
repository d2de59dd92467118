/* identity.c - who this machine is: its uuid, its key pair, its certificate (formats.md 4.5).
 *
 * The key never leaves private/. The certificate is self-signed, no authority, for nothing but
 * proving the machine. An identity is bound to the hardware it was made on: a copy of the disk in
 * another machine gives it up at its first start, key and all, before it has said a word.
 */
#include "agent/identity.h"
#include "agent/evidence.h"
#include "agent/tasks.h"
#include "os/rand.h"
#include "proto/hostid.h"

static enum wa_code key_name(const char *uuid, struct wa_relpath *ret, struct wa_err *err)
{
    char name[WA_UUID_MAX + 32];
    (void)snprintf(name, sizeof name, "private/%s.pem", uuid);
    return wa_relpath_parse(wa_sv(name), ret, err);
}

static enum wa_code param(struct wa_db *db, const char *name, struct wa_buf *out,
                          struct wa_err *err)
{
    wa_buf_clear(out);
    return wa_param_get(db, name, out, err);
}

/* Names that machines have before anybody gave them one. */
static bool is_nobodys_name(const char *fqdn)
{
    static const char *const names[] = {"", "localhost", "localhost.localdomain", "(none)"};
    for (size_t i = 0; i < WA_COUNT(names); i++)
        if (wa_sv_ieqs(wa_sv(fqdn), names[i]))
            return true;
    return false;
}

/* The uuid from, in this order: configuration, host name where asked for, what was used before, the
 * machine's firmware. "" when none. */
static enum wa_code find_uuid(const struct wa_manager *m, struct wa_db *db, struct wa_buf *out,
                              struct wa_err *err)
{
    wa_buf_clear(out);
    if (m->config.uuid[0] != '\0') {
        wa_buf_adds(out, m->config.uuid);
    } else if (m->config.use_fqdn_as_uuid) {
        for (const char *c = is_nobodys_name(m->facts.fqdn) ? "" : m->facts.fqdn; *c != '\0'; c++)
            wa_buf_addc(out, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
    } else {
        if (wa_param_get(db, "uuid", out, err) != WA_OK)
            return err->code;
        if (out->n == 0)
            wa_buf_adds(out, m->facts.system_uuid);
    }
    return wa_buf_check(out, err);
}

static enum wa_code read_key(struct wa_manager *m, struct wa_err *err)
{
    struct wa_relpath name;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (key_name(m->uuid, &name, err) != WA_OK)
        return err->code;
    if (wa_file_read(&m->base, &name, WA_KEY_BYTES_MAX, &pem, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return wa_wrap(err, "reading the machine's key");
        wa_err_clear(err);
        return WA_OK;
    }
    return wa_key_read_pem(wa_buf_sv(&pem), name.p, NULL, NULL, &m->key, err);
}

static enum wa_code remove_key(struct wa_manager *m, struct wa_sv uuid, struct wa_err *err)
{
    struct wa_relpath name;
    char text[WA_UUID_MAX + 1];
    if (uuid.n == 0 || wa_hostid_copy(uuid, text, err) != WA_OK ||
        key_name(text, &name, err) != WA_OK)
        return err->code;
    if (wa_file_remove(&m->base, &name, err) != WA_OK && err->code != WA_E_NOT_FOUND)
        return wa_wrap(err, "removing the former key");
    wa_err_clear(err);
    return WA_OK;
}

/* --- copies --- */

static enum wa_code store_evidence(struct wa_db *db, const struct wa_evidence *e,
                                   struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_ROLE_NOTE_MAX);
    wa_evidence_write(e, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_param_set(db, "hardware", wa_buf_sv(&text), err);
}

/* Forgets who this machine was. The key goes first: a kill in between leaves a machine without a
 * key, never one with another's. */
static enum wa_code disown(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf uuid;
    wa_buf_init(&uuid, WA_UUID_MAX);
    if (wa_param_get(db, "uuid", &uuid, err) != WA_OK ||
        remove_key(m, wa_buf_sv(&uuid), err) != WA_OK || find_uuid(m, db, &uuid, err) != WA_OK ||
        remove_key(m, wa_buf_sv(&uuid), err) != WA_OK)
        return err->code;
    wa_tls_identity_forget(m);
    return wa_agent_db_disown(db, err);
}

/* Gives up an identity that was made on other hardware; else notes the hardware of now. */
static enum wa_code check_hardware(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    struct wa_evidence then, now;
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf uuid;
    wa_buf_init(&text, WA_ROLE_NOTE_MAX);
    wa_buf_init(&uuid, WA_UUID_MAX);
    wa_evidence_of(&m->facts, &now);
    if (param(db, "uuid", &uuid, err) != WA_OK || param(db, "hardware", &text, err) != WA_OK)
        return err->code;
    if (uuid.n == 0)
        return WA_OK; /* nobody yet */
    if (text.n == 0 || wa_evidence_read(wa_buf_sv(&text), &then, &why) != WA_OK)
        return store_evidence(db, &now, err);
    if (!wa_evidence_is_other(&then, &now)) {
        wa_evidence_keep(&then, &now);
        return store_evidence(db, &now, err);
    }
    wa_log(&m->log, WA_LOG_WARNING, "identity.copied", WA_LF_SV("uuid", wa_buf_sv(&uuid)),
           WA_LF_S("why", "other hardware than this identity was made on: it stays the first "
                          "machine's; register this one"));
    return disown(m, db, err);
}

enum wa_code wa_identity_load(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf uuid;
    int64_t doubts = 0;
    wa_buf_init(&uuid, WA_UUID_MAX);
    if (check_hardware(m, db, err) != WA_OK || find_uuid(m, db, &uuid, err) != WA_OK ||
        wa_param_i64(db, "twin_doubts", &doubts, err) != WA_OK)
        return err->code;
    m->twin_doubts = doubts;
    if (uuid.n == 0)
        return WA_OK;
    if (wa_hostid_copy(wa_buf_sv(&uuid), m->uuid, err) != WA_OK)
        return wa_wrap(err, "the machine's identity");
    wa_tls_identity_load(m, db);
    return read_key(m, err);
}

/* --- a new one --- */

static enum wa_code make_key(struct wa_manager *m, struct wa_err *err)
{
    struct wa_relpath name;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (key_name(m->uuid, &name, err) != WA_OK || wa_key_new_rsa(2048, &key, err) != WA_OK ||
        wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK ||
        wa_file_replace(&m->base, &name, wa_buf_sv(&pem), 0600, err) != WA_OK)
        return wa_wrap(err, "making the machine's key");
    wa_lock_take(m->lock);
    m->key = WA_TAKE(key);
    wa_lock_give(m->lock);
    return WA_OK;
}

static void become(struct wa_manager *m, const char *uuid)
{
    wa_lock_take(m->lock);
    wa_key_free(m->key);
    m->key = NULL;
    m->twin_doubts = 0;
    (void)snprintf(m->uuid, sizeof m->uuid, "%s", uuid);
    wa_lock_give(m->lock);
}

enum wa_code wa_identity_make(struct wa_manager *m, struct wa_buf *certificate, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    struct wa_evidence now;
    char uuid[37];
    wa_evidence_of(&m->facts, &now);
    if (m->uuid[0] == '\0' && m->config.use_fqdn_as_uuid)
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' names no machine: give this one a name of its own, or unset "
                       "use_fqdn_as_uuid",
                       m->facts.fqdn);
    if (m->uuid[0] == '\0') {
        if (wa_rand_uuid(uuid, err) != WA_OK)
            return err->code;
        become(m, uuid);
    }
    if (wa_param_set(m->tdb, "uuid", wa_sv(m->uuid), err) != WA_OK ||
        store_evidence(m->tdb, &now, err) != WA_OK || (m->key == NULL && make_key(m, err) != WA_OK))
        return err->code;
    const struct wa_cert_request what = {
        .cn = m->uuid, .path_length = -1, .client_auth = true, .days = 3650};
    if (wa_cert_issue(&what, m->key, NULL, NULL, &cert, err) != WA_OK)
        return wa_wrap(err, "making the machine's certificate");
    return wa_cert_write_pem(cert, certificate, err);
}

void wa_identity_uuid(const struct wa_manager *m, char ret[WA_UUID_MAX + 1])
{
    wa_lock_take(m->lock);
    memcpy(ret, m->uuid, sizeof m->uuid);
    wa_lock_give(m->lock);
}

bool wa_identity_is_derived(const struct wa_manager *m)
{
    return m->config.uuid[0] == '\0' && !m->config.use_fqdn_as_uuid;
}

enum wa_code wa_identity_change(struct wa_manager *m, struct wa_sv wanted, bool from_firmware,
                                struct wa_err *err)
{
    char uuid[WA_UUID_MAX + 1] = "rnd-";
    if (!wa_identity_is_derived(m))
        return wa_fail(err, WA_E_CONFIG, "'%s' says who this machine is: change %s there",
                       m->config.file, m->config.uuid[0] != '\0' ? "uuid" : "use_fqdn_as_uuid");
    if (from_firmware && m->facts.system_uuid[0] == '\0')
        return wa_fail(err, WA_E_NOT_FOUND,
                       "this machine's firmware has no uuid of its own: use generate-uuid");
    if (from_firmware)
        wanted = wa_sv(m->facts.system_uuid);
    if (wanted.n > 0 && wa_sv_eqs(wanted, m->uuid))
        return WA_OK; /* it is that one already */
    if ((wanted.n > 0 ? wa_hostid_copy(wanted, uuid, err) : wa_rand_uuid(uuid + 4, err)) != WA_OK ||
        disown(m, m->tdb, err) != WA_OK || wa_param_set(m->tdb, "uuid", wa_sv(uuid), err) != WA_OK)
        return err->code;
    become(m, uuid);
    return WA_OK;
}

enum wa_code wa_identity_forget(struct wa_manager *m, struct wa_err *err)
{
    char uuid[WA_UUID_MAX + 1];
    memcpy(uuid, m->uuid, sizeof uuid);
    if (disown(m, m->tdb, err) != WA_OK || wa_param_set(m->tdb, "uuid", wa_sv(uuid), err) != WA_OK)
        return err->code;
    become(m, uuid);
    return WA_OK;
}

enum wa_code wa_identity_task(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_local_request *r = &run->request;
    struct wa_jw w;
    char before[WA_UUID_MAX + 1];
    memcpy(before, m->uuid, sizeof before);
    enum wa_code code = wa_identity_change(m, r->package_count > 0 ? r->packages[0] : WA_SV(""),
                                           r->op == WA_OP_RESET_UUID, err);
    if (code == WA_OK && strcmp(before, m->uuid) != 0) {
        wa_log(&m->log, WA_LOG_WARNING, "identity.changed", WA_LF_S("from", before),
               WA_LF_S("to", m->uuid), WA_LF_S("by", run->task->created_by));
        wa_task_say(run, "New UUID: %s\nIt is unknown to the server until 'wapt-get register'.\n",
                    m->uuid);
    }
    wa_jw_init(&w, &run->data);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "uuid", m->uuid);
    wa_jw_end(&w);
    return code;
}
