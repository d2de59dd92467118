/* report.c - statements of a machine about itself: registration, status, results of actions.
 *
 * Writers produce the text that wa_envelope_seal() signs; readers take exactly the documented
 * members and leave trust (key, sequence, clock) to the server's store, which has the database.
 */
#include "proto/report.h"

#include "base/utf8.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "proto/hostid.h"

static const char *const section_names[WA_SEC_COUNT] = {
    [WA_SEC_HOST_INFO] = "host_info",
    [WA_SEC_HOST_STATUS] = "host_status",
    [WA_SEC_INSTALLED_PACKAGES] = "installed_packages",
    [WA_SEC_INSTALLED_SOFTWARES] = "installed_softwares",
    [WA_SEC_LAST_UPDATE_STATUS] = "last_update_status",
    [WA_SEC_WAPT_STATUS] = "wapt_status",
    [WA_SEC_AUDIT_STATUS] = "audit_status",
    [WA_SEC_HOST_CAPABILITIES] = "host_capabilities",
    [WA_SEC_HOST_METRICS] = "host_metrics",
    [WA_SEC_DMI] = "dmi",
    [WA_SEC_AUTHORIZED_CERTIFICATES] = "authorized_certificates",
    [WA_SEC_POLICY] = "policy",
};

const char *wa_section_name(enum wa_section s)
{
    return s < WA_SEC_COUNT ? section_names[s] : "";
}

/* The members that every statement begins with. */
static void begin(struct wa_jw *w, struct wa_buf *text, const char *purpose, struct wa_sv uuid,
                  int64_t seq, int64_t time)
{
    wa_jw_init(w, text);
    wa_jw_obj(w);
    wa_jw_kv(w, "purpose", purpose);
    wa_jw_kvsv(w, "uuid", uuid);
    wa_jw_kvi(w, "seq", seq);
    wa_jw_kvi(w, "time", time);
}

static enum wa_code check_ids(struct wa_sv uuid, int64_t seq, struct wa_err *err)
{
    if (!wa_hostid_is_valid(uuid) || seq <= 0)
        return wa_fail(err, WA_E_INVALID, "a report without a valid uuid and sequence number");
    return WA_OK;
}

/* --- registration --- */

enum wa_code wa_register_write(const struct wa_register_msg *m, struct wa_sv facts_json,
                               struct wa_buf *text, struct wa_err *err)
{
    struct wa_jw w;
    begin(&w, text, WA_PURPOSE_REGISTER, m->uuid, m->seq, m->time);
    wa_jw_kvsv(&w, "certificate", m->certificate);
    if (m->csr.n > 0)
        wa_jw_kvsv(&w, "csr", m->csr);
    wa_jw_key(&w, "credential");
    wa_jw_obj(&w);
    switch (m->cred) {
    case WA_CRED_KEY:
        wa_jw_kv(&w, "kind", "key");
        break;
    case WA_CRED_TOKEN:
        wa_jw_kv(&w, "kind", "token");
        wa_jw_kvsv(&w, "token", m->token);
        break;
    case WA_CRED_PASSWORD:
        wa_jw_kv(&w, "kind", "password");
        wa_jw_kvsv(&w, "user", m->user);
        wa_jw_kvsv(&w, "password", m->password);
        break;
    case WA_CRED_KERBEROS:
        wa_jw_kv(&w, "kind", "kerberos");
        wa_jw_kvsv(&w, "ticket", m->ticket);
        break;
    }
    wa_jw_end(&w);
    if (facts_json.n > 0) {
        wa_jw_key(&w, "host_info");
        wa_jw_raw(&w, facts_json);
    }
    wa_jw_end(&w);
    return wa_buf_check(text, err);
}

static enum wa_code read_credential(const struct wa_json *j, struct wa_register_msg *m,
                                    struct wa_err *err)
{
    struct wa_sv kind = {0};
    const struct wa_json_field fields[] = {
        {"kind", WA_WANT_SV, true, 16, &kind},
        {"token", WA_WANT_SV, false, 256, &m->token},
        {"user", WA_WANT_SV, false, WA_NAME_MAX, &m->user},
        {"password", WA_WANT_SV, false, 1024, &m->password},
        {"ticket", WA_WANT_SV, false, WA_TICKET_TEXT_MAX, &m->ticket},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "the credential of a registration", err) != WA_OK)
        return err->code;
    bool with_token = m->token.p != NULL;
    bool with_login = m->user.p != NULL && m->password.p != NULL;
    bool with_part = m->user.p != NULL || m->password.p != NULL;
    bool with_ticket = m->ticket.p != NULL;
    /* A name beside a token would be somebody's who has proved nothing. */
    if (with_ticket && (with_token || with_part || !wa_sv_eqs(kind, "kerberos")))
        return wa_fail(err, WA_E_INVALID, "a ticket beside another credential");
    if (wa_sv_eqs(kind, "kerberos") && with_ticket)
        m->cred = WA_CRED_KERBEROS;
    else if (wa_sv_eqs(kind, "key") && !with_token && !with_part)
        m->cred = WA_CRED_KEY;
    else if (wa_sv_eqs(kind, "token") && with_token && !with_part)
        m->cred = WA_CRED_TOKEN;
    else if (wa_sv_eqs(kind, "password") && with_login && !with_token)
        m->cred = WA_CRED_PASSWORD;
    else
        return wa_fail(
            err, WA_E_INVALID,
            "the credential of a registration is not a key, a token, a ticket or a login");
    return WA_OK;
}

enum wa_code wa_register_read(const struct wa_json *statement, struct wa_register_msg *ret,
                              struct wa_err *err)
{
    struct wa_register_msg m = {0};
    struct wa_sv purpose = {0};
    const struct wa_json *credential = NULL;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &m.uuid},
        {"seq", WA_WANT_I64, true, 0, &m.seq},
        {"time", WA_WANT_I64, true, 0, &m.time},
        {"certificate", WA_WANT_SV, true, 64u << 10, &m.certificate},
        {"csr", WA_WANT_SV, false, WA_CSR_BYTES_MAX, &m.csr},
        {"credential", WA_WANT_OBJECT, true, 0, &credential},
        {"host_info", WA_WANT_OBJECT, false, 0, &m.facts},
    };
    if (wa_json_read(statement, fields, WA_COUNT(fields), "a registration", err) != WA_OK)
        return err->code;
    if (read_credential(credential, &m, err) != WA_OK || check_ids(m.uuid, m.seq, err) != WA_OK)
        return err->code;
    *ret = m;
    return WA_OK;
}

enum wa_code wa_register_binding(const struct wa_register_msg *m, char ret[65], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    char certificate[WA_SHA256_HEX], csr[WA_SHA256_HEX];
    wa_buf_init(&text, 4096);
    if (wa_sha256_hex(m->certificate.p, m->certificate.n, certificate, err) != WA_OK ||
        wa_sha256_hex(m->csr.p, m->csr.n, csr, err) != WA_OK)
        return err->code;
    wa_buf_addf(&text, "wapt-register-kerberos\n%.*s\n%lld\n%lld\n%s\n%s", WA_SV_ARG(m->uuid),
                (long long)m->seq, (long long)m->time, certificate, csr);
    return wa_buf_check(&text, err) == WA_OK ? wa_sha256_hex(text.p, text.n, ret, err) : err->code;
}

void wa_register_answer_write(const struct wa_register_answer *a, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "uuid", a->uuid);
    wa_jw_kvsv(&w, "server_uuid", a->server_uuid);
    wa_jw_kvsv(&w, "relay_key", a->relay_key);
    wa_jw_kvi(&w, "server_time", a->server_time);
    if (a->certificate.n > 0)
        wa_jw_kvsv(&w, "certificate", a->certificate);
    wa_jw_end(&w);
}

enum wa_code wa_register_answer_read(const struct wa_json *j, struct wa_register_answer *ret,
                                     struct wa_err *err)
{
    struct wa_register_answer a = {0};
    const struct wa_json_field fields[] = {
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &a.uuid},
        {"server_uuid", WA_WANT_SV, true, WA_UUID_MAX, &a.server_uuid},
        {"relay_key", WA_WANT_SV, true, 16u << 10, &a.relay_key},
        {"server_time", WA_WANT_I64, true, 0, &a.server_time},
        {"certificate", WA_WANT_SV, false, 64u << 10, &a.certificate},
    };
    if (wa_json_read_lax(j, fields, WA_COUNT(fields), "the answer to a registration", err) != WA_OK)
        return err->code;
    *ret = a;
    return WA_OK;
}

/* --- status --- */

enum wa_code wa_section_canonical(const struct wa_json *section, struct wa_buf *text,
                                  char ret_hex[65], struct wa_err *err)
{
    size_t before = text->n;
    if (wa_json_write_canonical(section, text, err) != WA_OK || wa_buf_check(text, err) != WA_OK)
        return err->code;
    return wa_sha256_hex(text->p + before, text->n - before, ret_hex, err);
}

void wa_section_digests_write(struct wa_jw *w, const struct wa_section_digests *d)
{
    wa_jw_obj(w);
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (d->hex[i][0] != '\0')
            wa_jw_kv(w, section_names[i], d->hex[i]);
    wa_jw_end(w);
}

enum wa_code wa_section_digests_sum(const struct wa_section_digests *d, char ret_hex[65],
                                    struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, 4096);
    wa_jw_init(&w, &text);
    wa_section_digests_write(&w, d);
    return wa_buf_check(&text, err) == WA_OK ? wa_sha256_hex(text.p, text.n, ret_hex, err)
                                             : err->code;
}

enum wa_code wa_section_digests_read(const struct wa_json *j, struct wa_section_digests *ret,
                                     struct wa_err *err)
{
    struct wa_section_digests d = {{""}};
    struct wa_sv texts[WA_SEC_COUNT] = {{NULL, 0}};
    struct wa_json_field fields[WA_SEC_COUNT];
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        fields[i] = (struct wa_json_field){section_names[i], WA_WANT_SV, false, 64, &texts[i]};
    if (wa_json_read(j, fields, WA_COUNT(fields), "the digests of a status report", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        if (texts[i].p == NULL)
            continue;
        if (!wa_hex_is(texts[i], 64))
            return wa_fail(err, WA_E_INVALID, "the digest of section '%s' is none",
                           section_names[i]);
        memcpy(d.hex[i], texts[i].p, 64);
    }
    *ret = d;
    return WA_OK;
}

void wa_status_answer_write(const struct wa_section_digests *have, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "accepted", true);
    wa_jw_key(&w, "status_hashes");
    wa_section_digests_write(&w, have);
    wa_jw_end(&w);
}

enum wa_code wa_status_answer_read(const struct wa_json *j, struct wa_section_digests *ret,
                                   struct wa_err *err)
{
    const struct wa_json *hashes = NULL;
    const struct wa_json_field fields[] = {{"status_hashes", WA_WANT_OBJECT, true, 0, &hashes}};
    if (wa_json_read_lax(j, fields, WA_COUNT(fields), "the answer to a status report", err) !=
        WA_OK)
        return err->code;
    return wa_section_digests_read(hashes, ret, err);
}

enum wa_code wa_status_write(struct wa_sv uuid, int64_t seq, int64_t time,
                             const struct wa_sv sections[WA_SEC_COUNT],
                             const struct wa_section_digests *digests, struct wa_buf *text,
                             struct wa_err *err)
{
    struct wa_jw w;
    begin(&w, text, WA_PURPOSE_STATUS, uuid, seq, time);
    wa_jw_key(&w, "status_hashes");
    wa_section_digests_write(&w, digests);
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        if (sections[i].n == 0)
            continue;
        wa_jw_key(&w, section_names[i]);
        wa_jw_raw(&w, sections[i]);
    }
    wa_jw_end(&w);
    return wa_buf_check(text, err);
}

/* Which JSON type a section has (formats.md 5.7). */
static enum wa_json_want section_want(enum wa_section s)
{
    switch (s) {
    case WA_SEC_HOST_STATUS:
    case WA_SEC_AUDIT_STATUS:
        return WA_WANT_ANY; /* a text; checked below because the table holds node pointers */
    case WA_SEC_INSTALLED_PACKAGES:
    case WA_SEC_INSTALLED_SOFTWARES:
    case WA_SEC_AUTHORIZED_CERTIFICATES:
        return WA_WANT_ARRAY;
    case WA_SEC_HOST_INFO:
    case WA_SEC_LAST_UPDATE_STATUS:
    case WA_SEC_WAPT_STATUS:
    case WA_SEC_HOST_CAPABILITIES:
    case WA_SEC_HOST_METRICS:
    case WA_SEC_DMI:
    case WA_SEC_POLICY:
    case WA_SEC_COUNT:
        break;
    }
    return WA_WANT_OBJECT;
}

enum wa_code wa_status_read(const struct wa_json *statement, struct wa_status_msg *ret,
                            struct wa_err *err)
{
    struct wa_status_msg m = {0};
    struct wa_sv purpose = {0};
    const struct wa_json *hashes = NULL;
    struct wa_json_field fields[5 + WA_SEC_COUNT] = {
        {"status_hashes", WA_WANT_OBJECT, false, 0, &hashes},
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &m.uuid},
        {"seq", WA_WANT_I64, true, 0, &m.seq},
        {"time", WA_WANT_I64, true, 0, &m.time},
    };
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        fields[5 + i] = (struct wa_json_field){section_names[i], section_want((enum wa_section)i),
                                               false, 0, &m.sections[i]};
    if (wa_json_read(statement, fields, WA_COUNT(fields), "a status report", err) != WA_OK)
        return err->code;
    if (check_ids(m.uuid, m.seq, err) != WA_OK ||
        (hashes != NULL && wa_section_digests_read(hashes, &m.digests, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        if (section_want((enum wa_section)i) != WA_WANT_ANY || m.sections[i] == NULL)
            continue;
        if (!wa_json_is(m.sections[i], WA_JSON_STRING))
            return wa_fail(err, WA_E_INVALID, "section '%s' of a status report is not a text",
                           section_names[i]);
    }
    *ret = m;
    return WA_OK;
}

/* --- result of an action --- */

enum wa_code wa_result_write(const struct wa_result_msg *m, struct wa_sv packages_json,
                             struct wa_buf *text, struct wa_err *err)
{
    struct wa_jw w;
    begin(&w, text, WA_PURPOSE_RESULT, m->uuid, m->seq, m->time);
    wa_jw_kvsv(&w, "action_id", m->action_id);
    wa_jw_kvsv(&w, "state", m->state);
    wa_jw_kvsv(&w, "code", m->code);
    wa_jw_kvsv(&w, "message",
               wa_sv_sub(m->message, 0,
                         wa_utf8_cut(m->message.p, m->message.n < 4096 ? m->message.n : 4096)));
    if (packages_json.n > 0) {
        wa_jw_key(&w, "packages");
        wa_jw_raw(&w, packages_json);
    }
    wa_jw_end(&w);
    return wa_buf_check(text, err);
}

static bool is_state(struct wa_sv s)
{
    static const char *const states[] = {"refused", "running", "postponed",
                                         "done",    "failed",  "cancelled"};
    for (size_t i = 0; i < WA_COUNT(states); i++)
        if (wa_sv_eqs(s, states[i]))
            return true;
    return false;
}

enum wa_code wa_result_read(const struct wa_json *statement, struct wa_result_msg *ret,
                            struct wa_err *err)
{
    struct wa_result_msg m = {0};
    struct wa_sv purpose = {0};
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &m.uuid},
        {"seq", WA_WANT_I64, true, 0, &m.seq},
        {"time", WA_WANT_I64, true, 0, &m.time},
        {"action_id", WA_WANT_SV, true, 32, &m.action_id},
        {"state", WA_WANT_SV, true, 16, &m.state},
        {"code", WA_WANT_SV, true, 32, &m.code},
        {"message", WA_WANT_SV, true, 4096, &m.message},
        {"packages", WA_WANT_ARRAY, false, 4096, &m.packages},
    };
    if (wa_json_read(statement, fields, WA_COUNT(fields), "the result of an action", err) != WA_OK)
        return err->code;
    if (!wa_hex_is(m.action_id, 32) || !is_state(m.state))
        return wa_fail(err, WA_E_INVALID,
                       "the result of an action names no action or an unknown state");
    if (check_ids(m.uuid, m.seq, err) != WA_OK)
        return err->code;
    *ret = m;
    return WA_OK;
}

/* --- leaving --- */

enum wa_code wa_leave_write(const struct wa_leave_msg *m, struct wa_buf *text, struct wa_err *err)
{
    struct wa_jw w;
    begin(&w, text, WA_PURPOSE_LEAVE, m->uuid, m->seq, m->time);
    wa_jw_end(&w);
    return wa_buf_check(text, err);
}

enum wa_code wa_leave_read(const struct wa_json *statement, struct wa_leave_msg *ret,
                           struct wa_err *err)
{
    struct wa_leave_msg m = {0};
    struct wa_sv purpose = {0};
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &m.uuid},
        {"seq", WA_WANT_I64, true, 0, &m.seq},
        {"time", WA_WANT_I64, true, 0, &m.time},
    };
    if (wa_json_read(statement, fields, WA_COUNT(fields), "a machine's leave", err) != WA_OK ||
        check_ids(m.uuid, m.seq, err) != WA_OK)
        return err->code;
    *ret = m;
    return WA_OK;
}
