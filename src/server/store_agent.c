/* store_agent.c - what machines say: registration (F1A), reports (F1D), the greeting of the push
 * channel.
 *
 * Everything is a statement signed with the machine's own key. A machine writes its own row only,
 * and only the sections that are its own.
 */
#include "base/mem.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "proto/hostid.h"
#include "proto/push.h"
#include "proto/report.h"
#include "server/inventory.h"
#include "server/perimeter.h"
#include "server/rights.h"
#include "server/store_priv.h"

static enum wa_code check_time(int64_t at, struct wa_err *err)
{
    int64_t now = wa_clock_now(), off = at > now ? at - now : now - at;
    if (off > WA_REPORT_SKEW_S)
        return wa_fail(err, WA_E_CONFLICT,
                       "the machine's clock says %lld, the server's %lld: set the machine's clock",
                       (long long)at, (long long)now);
    return WA_OK;
}

/* --- registration --- */

struct registration {
    struct wa_store_request *request;
    struct wa_arena arena;
    struct wa_register_msg msg;
    char by[400];
};

static void registration_free(struct registration *g)
{
    wa_arena_fini(&g->arena);
    wa_free(g);
}

/* The certificate is the machine's own: signed by its key, named like it. Its key signed the
 * statement. */
static enum wa_code check_statement(struct registration *g, const struct wa_envelope *e,
                                    struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    if (wa_certs_read_pem(g->msg.certificate, 1, &certs, err) != WA_OK)
        return wa_wrap(err, "the machine's certificate");
    if (!wa_sv_eqs(g->msg.uuid, wa_cert_cn(certs.items[0])))
        return wa_fail(err, WA_E_REFUSED, "the machine's certificate is for '%s'",
                       wa_cert_cn(certs.items[0]));
    if (wa_envelope_check(e, wa_cert_key(certs.items[0]), err) != WA_OK)
        return err->code;
    return check_time(g->msg.time, err);
}

/* Whether the host is there already, and with the same key. */
static enum wa_code same_key(struct wa_store *s, const struct registration *g, bool *ret_known,
                             bool *ret_same, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs now = {NULL, 0, 0};
    WA_AUTO_CERTS struct wa_certs then = {NULL, 0, 0};
    int64_t seq = 0;
    wa_buf_init(&pem, 64u << 10);
    *ret_same = false;
    if (wa_store_host(s->db, g->msg.uuid, &pem, &seq, ret_known, err) != WA_OK || !*ret_known)
        return err->code;
    if (wa_certs_read_pem(g->msg.certificate, 1, &now, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), 1, &then, err) != WA_OK)
        return err->code;
    *ret_same = wa_key_equal_public(wa_cert_key(now.items[0]), wa_cert_key(then.items[0]));
    if (*ret_same && g->msg.seq <= seq)
        return wa_fail(err, WA_E_CONFLICT,
                       "the registration was sent before (its sequence number is not new)");
    return WA_OK;
}

/* Columns for lists, from what the machine says of itself: texts, never more. */
static void read_info(const struct wa_json *info, struct wa_fleet_change *c)
{
    c->name = wa_json_sv(wa_json_get(info, "computer_name"));
    c->fqdn = wa_json_sv(wa_json_get(info, "computer_fqdn"));
    c->os = wa_json_sv(wa_json_get(info, "os_name"));
}

/* What the database has taken is shown. */
static void show(struct wa_store *s, struct wa_sv uuid, const struct wa_fleet_change *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_fleet_put(s->fleet, uuid, c, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "fleet.stale", &err);
}

static void show_names(struct wa_store *s, struct wa_sv uuid)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_show_names(s->db, uuid, s->fleet, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "fleet.stale", &err);
}

static enum wa_code write_host(struct wa_store *s, struct registration *g,
                               struct wa_fleet_change *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf facts;
    wa_buf_init(&facts, WA_JSON_BYTES_MAX);
    c->registered_at = c->last_seen = wa_clock_now();
    if (wa_store_put_host(s->db, g->msg.uuid, g->msg.certificate, g->by, g->msg.seq, c->last_seen,
                          err) != WA_OK)
        return err->code;
    if (g->msg.facts == NULL)
        return WA_OK;
    read_info(g->msg.facts, c);
    wa_json_write(g->msg.facts, &facts);
    if (wa_buf_check(&facts, err) != WA_OK ||
        wa_store_set_columns(s->db, g->msg.uuid, c, err) != WA_OK)
        return err->code;
    return wa_store_set_section(s->db, g->msg.uuid, "host_info", wa_buf_sv(&facts), "", err);
}

static enum wa_code use_credential(struct wa_store *s, struct registration *g, bool may_replace,
                                   bool *ret_replaced, struct wa_err *err)
{
    bool known = false, same = false;
    char digest[WA_SHA256_HEX];
    if (same_key(s, g, &known, &same, err) != WA_OK)
        return err->code;
    /* An identity is never taken over by a token: only its own key or an administrator can replace
     * it. */
    if (known && !same && !may_replace)
        return wa_fail(
            err, WA_E_EXISTS,
            "another machine is registered as '%.*s': an administrator must register this one",
            WA_SV_ARG(g->msg.uuid));
    if (g->msg.cred == WA_CRED_KEY && !same)
        return wa_fail(
            err, WA_E_AUTH,
            "this machine is unknown here: a token or an administrator's login is needed");
    *ret_replaced = known && !same;
    if (g->msg.cred != WA_CRED_TOKEN)
        return WA_OK;
    if (wa_sha256_hex(g->msg.token.p, g->msg.token.n, digest, err) != WA_OK)
        return err->code;
    return wa_store_use_token(s->db, digest, wa_clock_now(), err);
}

static void disconnect(struct wa_store *s, struct wa_sv uuid)
{
    char text[WA_UUID_MAX + 1];
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(uuid));
    wa_store_disconnect(s, text);
}

/* The account that a registration is about; "" when it is about none. */
static void account_of(const struct registration *g, char out[WA_NAME_MAX + 1])
{
    (void)snprintf(out, WA_NAME_MAX + 1, "%.*s", WA_SV_ARG(g->msg.user));
}

static enum wa_code note_registration(struct wa_store *s, const struct registration *g,
                                      bool is_replaced, struct wa_err *err)
{
    const struct wa_journal_act act = {
        .act = "host.registered",
        .user = g->msg.user,
        .peer = g->request->peer,
        .what = {{"uuid", g->msg.uuid},
                 {"by", wa_sv(g->by)},
                 {"replaced", is_replaced ? WA_SV("yes") : WA_SV("no")}}};
    return wa_store_note(s, &act, err);
}

static void finish_registration(struct registration *g, bool may_replace)
{
    struct wa_store *s = g->request->store;
    struct wa_err err = WA_ERR_INIT;
    char account[WA_NAME_MAX + 1];
    bool is_replaced = false;
    struct wa_fleet_change change = WA_FLEET_UNCHANGED;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, 64u << 10);
    static const char *const kinds[] = {"key", "token", "administrator"};
    (void)snprintf(g->by, sizeof g->by, "%s from %s", kinds[g->msg.cred], g->request->peer);
    enum wa_code code = wa_db_begin(s->db, &err);
    if (code == WA_OK) {
        code = use_credential(s, g, may_replace, &is_replaced, &err);
        if (code == WA_OK)
            code = write_host(s, g, &change, &err);
        if (code == WA_OK)
            code = note_registration(s, g, is_replaced, &err);
        if (code == WA_OK)
            code = wa_node_tell(s, is_replaced ? WA_NODE_GONE : WA_NODE_HOST, g->msg.uuid, &err);
        if (code == WA_OK)
            code = wa_db_commit(s->db, &err);
        if (code != WA_OK)
            wa_db_rollback(s->db);
    }
    wa_log(&s->child.log, code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           code == WA_OK ? "host.registered" : "host.refused", WA_LF_SV("uuid", g->msg.uuid),
           WA_LF_S("by", g->by), WA_LF_S("why", err.text));
    if (code != WA_E_AUTH) { /* what was wrong was not the credential */
        account_of(g, account);
        wa_throttle_good(&s->throttle, g->request->peer, account[0] != '\0' ? account : NULL);
    }
    if (code == WA_OK) {
        show(s, g->msg.uuid, &change);
        show_names(s, g->msg.uuid);
        if (is_replaced) /* the former key's connection has no right to it any more */
            disconnect(s, g->msg.uuid);
        const struct wa_register_answer a = {g->msg.uuid, wa_sv(s->child.config.server_uuid),
                                             wa_sv(s->relay_public), wa_clock_now()};
        wa_register_answer_write(&a, &answer);
        wa_store_answer(g->request, 200, wa_buf_sv(&answer));
    } else {
        wa_store_answer_err(g->request, &err);
    }
    registration_free(g);
}

/* Whether the machine is in the person's perimeter. */
static enum wa_code sees_host(struct wa_store *s, const struct wa_person *p, struct wa_sv uuid,
                              bool *ret, struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter perimeter;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_fleet_view view = {NULL, 0};
    wa_perimeter_init(&perimeter);
    wa_buf_init(&json, WA_PERIMETER_BYTES_MAX);
    if (wa_store_perimeter(s->db, p->name, &json, err) != WA_OK ||
        wa_perimeter_read(&perimeter, wa_buf_sv(&json), err) != WA_OK ||
        wa_perimeter_view(&perimeter, s->fleet, &view, err) != WA_OK)
        return err->code;
    *ret = wa_fleet_sees(s->fleet, &view, uuid);
    wa_fleet_view_fini(&view);
    return WA_OK;
}

/* Whose password it is may let machines in; and in place of one that is there already only who sees
 * that one. */
static enum wa_code check_enroller(struct wa_store *s, const struct registration *g,
                                   bool *ret_may_replace, struct wa_err *err)
{
    struct wa_person p;
    bool found = false;
    char holders[128];
    if (wa_store_person(s->db, g->msg.user, &p, &found, err) != WA_OK)
        return err->code;
    if (found && (wa_person_rights(p.role, p.is_limited) & WA_MAY_ENROL) != 0) {
        *ret_may_replace = !p.is_limited;
        return p.is_limited ? sees_host(s, &p, g->msg.uuid, ret_may_replace, err) : WA_OK;
    }
    wa_right_holders(WA_MAY_ENROL, holders, sizeof holders);
    return wa_fail(err, WA_E_DENIED,
                   "'%.*s' may not register machines: it takes one of the roles %s",
                   WA_SV_ARG(g->msg.user), holders);
}

static void on_password(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct registration *g = user;
    struct wa_err err = WA_ERR_INIT;
    bool may_replace = false;
    if (wa_sv_eqs(payload, "ok") && check_enroller(s, g, &may_replace, &err) == WA_OK) {
        finish_registration(g, may_replace);
        return;
    }
    wa_log(&s->child.log, WA_LOG_WARNING, "login.denied", WA_LF_SV("user", g->msg.user),
           WA_LF_S("peer", g->request->peer), WA_LF_SV("uuid", g->msg.uuid));
    if (err.code == WA_OK)
        (void)wa_fail(&err, WA_E_AUTH, "user or password is wrong");
    wa_store_answer_err(g->request, &err);
    registration_free(g);
}

static enum wa_code start_registration(struct registration *g, struct wa_err *err)
{
    struct wa_store_request *r = g->request;
    struct wa_store *s = r->store;
    char account[WA_NAME_MAX + 1];
    struct wa_envelope e;
    if (wa_envelope_parse(wa_buf_sv(&r->body), WA_PURPOSE_REGISTER, &g->arena, &e, err) != WA_OK ||
        wa_register_read(e.statement, &g->msg, err) != WA_OK ||
        check_statement(g, &e, err) != WA_OK)
        return err->code;
    account_of(g, account);
    if (wa_throttle_begin(&s->throttle, r->peer, account[0] != '\0' ? account : NULL,
                          wa_clock_now(), err) != WA_OK)
        return err->code;
    if (g->msg.cred == WA_CRED_PASSWORD)
        return wa_store_ask_password(s, g->msg.user, g->msg.password, on_password, g, err);
    finish_registration(g, false);
    return WA_OK;
}

void wa_store_register(struct wa_store_request *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct registration *g = wa_calloc(1, sizeof *g);
    if (g == NULL) {
        (void)wa_nomem(&err);
        wa_store_answer_err(r, &err);
        return;
    }
    g->request = r;
    wa_arena_init(&g->arena, WA_REPORT_MEMORY_MAX);
    if (start_registration(g, &err) == WA_OK)
        return;
    wa_log(&r->store->child.log, WA_LOG_WARNING, "registration.refused", WA_LF_S("peer", r->peer),
           WA_LF_S("why", err.text));
    wa_store_answer_err(r, &err);
    registration_free(g);
}

/* --- reports --- */

static enum wa_code load_key(struct wa_store *s, struct wa_sv uuid, struct wa_certs *certs,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    int64_t seq = 0;
    bool found = false;
    wa_buf_init(&pem, 64u << 10);
    if (wa_store_host(s->db, uuid, &pem, &seq, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "this machine is not registered here: register it again");
    return wa_certs_read_pem(wa_buf_sv(&pem), 1, certs, err);
}

enum wa_code wa_store_check_sender(struct wa_store *s, const struct wa_envelope *e,
                                   struct wa_sv uuid, int64_t at, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    if (load_key(s, uuid, &certs, err) != WA_OK ||
        wa_envelope_check(e, wa_cert_key(certs.items[0]), err) != WA_OK)
        return err->code;
    return check_time(at, err);
}

/* A section that is not in the message leaves its columns alone. */
static void read_columns(const struct wa_status_msg *m, struct wa_fleet_change *c)
{
    const struct wa_json *info = m->sections[WA_SEC_HOST_INFO];
    const struct wa_json *status = m->sections[WA_SEC_HOST_STATUS];
    if (info != NULL)
        read_info(info, c);
    if (status != NULL)
        c->status = wa_sv_sub(wa_json_sv(status), 0, 32);
    c->last_seen = wa_clock_now();
}

/* A section is kept under the digest that we make of it. One that is not what the machine says it
 * sent is no section. */
static enum wa_code store_section(struct wa_store *s, const struct wa_status_msg *m, size_t i,
                                  struct wa_err *err)
{
    const char *name = wa_section_name((enum wa_section)i);
    char digest[WA_SHA256_HEX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    if (wa_section_canonical(m->sections[i], &text, digest, err) != WA_OK)
        return wa_wrap(err, "section '%s'", name);
    if (m->digests.hex[i][0] != '\0' && strcmp(m->digests.hex[i], digest) != 0)
        return wa_fail(err, WA_E_INVALID, "section '%s' has another digest than its report says",
                       name);
    wa_buf_clear(&text);
    wa_json_write(m->sections[i], &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_store_set_section(s->db, m->uuid, name, wa_buf_sv(&text), digest, err) == WA_OK
               ? wa_inventory_take(s->db, m->uuid, (enum wa_section)i, m->sections[i],
                                   wa_clock_now(), err)
               : err->code;
}

/* What a report changes in the fleet, once it is in the database. */
struct reported {
    struct wa_sv uuid;
    bool is_gone; /* it left */
    struct wa_fleet_change change;
};

static void take_digest(void *user, struct wa_sv section, struct wa_sv digest)
{
    struct wa_section_digests *have = user;
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (wa_sv_eqs(section, wa_section_name((enum wa_section)i)) &&
            digest.n < sizeof have->hex[i] && digest.n > 0)
            memcpy(have->hex[i], digest.p, digest.n);
}

static enum wa_code store_status(struct wa_store *s, const struct wa_envelope *e,
                                 struct reported *ret, struct wa_buf *answer, struct wa_err *err)
{
    struct wa_status_msg m;
    struct wa_section_digests have = {{""}};
    if (wa_status_read(e->statement, &m, err) != WA_OK ||
        wa_store_check_sender(s, e, m.uuid, m.time, err) != WA_OK ||
        wa_store_take_seq(s->db, m.uuid, m.seq, wa_clock_now(), err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (m.sections[i] != NULL && store_section(s, &m, i, err) != WA_OK)
            return err->code;
    read_columns(&m, &ret->change);
    ret->uuid = m.uuid;
    if (wa_store_set_columns(s->db, m.uuid, &ret->change, err) != WA_OK ||
        wa_store_digests(s->db, m.uuid, take_digest, &have, err) != WA_OK)
        return err->code;
    wa_status_answer_write(&have, answer);
    return wa_buf_check(answer, err);
}

static enum wa_code store_result(struct wa_store *s, const struct wa_envelope *e, const char *peer,
                                 struct reported *ret, struct wa_err *err)
{
    struct wa_result_msg m;
    char id[33];
    WA_AUTO_BUF struct wa_buf packages;
    wa_buf_init(&packages, 1u << 20);
    if (wa_result_read(e->statement, &m, err) != WA_OK ||
        wa_store_check_sender(s, e, m.uuid, m.time, err) != WA_OK ||
        wa_store_take_seq(s->db, m.uuid, m.seq, wa_clock_now(), err) != WA_OK)
        return err->code;
    if (m.packages != NULL)
        wa_json_write(m.packages, &packages);
    if (wa_buf_check(&packages, err) != WA_OK)
        return err->code;
    (void)snprintf(id, sizeof id, "%.*s", WA_SV_ARG(m.action_id));
    ret->uuid = m.uuid;
    ret->change.last_seen = wa_clock_now();
    wa_log(&s->child.log, WA_LOG_INFO, "action.result", WA_LF_S("id", id), WA_LF_SV("uuid", m.uuid),
           WA_LF_SV("state", m.state), WA_LF_SV("code", m.code));
    if (wa_store_action_state(s->db, id, m.uuid, m.state, m.code, m.message, wa_buf_sv(&packages),
                              wa_clock_now(), err) != WA_OK)
        return err->code;
    const struct wa_journal_act act = {
        .act = "action.result",
        .peer = peer,
        .what = {{"id", wa_sv(id)}, {"uuid", m.uuid}, {"state", m.state}, {"code", m.code}}};
    /* Once for each order: a machine can't fill the journal by itself. */
    return wa_db_changes(s->db) == 1 ? wa_store_note(s, &act, err) : WA_OK;
}

/* A machine takes its own row away, no other: the key that the row names has signed it. */
static enum wa_code store_leave(struct wa_store *s, const struct wa_envelope *e, const char *peer,
                                struct reported *ret, struct wa_err *err)
{
    struct wa_leave_msg m;
    char uuid[WA_UUID_MAX + 1];
    if (wa_leave_read(e->statement, &m, err) != WA_OK ||
        wa_store_check_sender(s, e, m.uuid, m.time, err) != WA_OK ||
        wa_store_take_seq(s->db, m.uuid, m.seq, wa_clock_now(), err) != WA_OK)
        return err->code;
    const struct wa_journal_act act = {
        .act = "host.left", .peer = peer, .what = {{"uuid", m.uuid}}};
    (void)snprintf(uuid, sizeof uuid, "%.*s", WA_SV_ARG(m.uuid));
    ret->uuid = m.uuid;
    ret->is_gone = true;
    return wa_store_delete_host(s->db, uuid, err) == WA_OK ? wa_store_note(s, &act, err)
                                                           : err->code;
}

static enum wa_code store_statement(struct wa_store_request *r, struct wa_arena *arena,
                                    struct reported *said, struct wa_buf *answer,
                                    struct wa_err *err)
{
    struct wa_store *s = r->store;
    struct wa_envelope e;
    struct wa_sv purpose = wa_report_purpose(wa_buf_sv(&r->body), arena);
    bool is_result = wa_sv_eqs(purpose, WA_PURPOSE_RESULT);
    bool is_leave = wa_sv_eqs(purpose, WA_PURPOSE_LEAVE);
    if (wa_envelope_parse(wa_buf_sv(&r->body),
                          is_result  ? WA_PURPOSE_RESULT
                          : is_leave ? WA_PURPOSE_LEAVE
                                     : WA_PURPOSE_STATUS,
                          arena, &e, err) != WA_OK)
        return err->code;
    if (is_leave)
        return store_leave(s, &e, r->peer, said, err);
    return is_result ? store_result(s, &e, r->peer, said, err)
                     : store_status(s, &e, said, answer, err);
}

/* What the database has taken is shown. */
static void show_report(struct wa_store *s, const char *peer, const struct reported *said)
{
    if (!said->is_gone) {
        show(s, said->uuid, &said->change);
        return;
    }
    disconnect(s, said->uuid);
    wa_fleet_remove(s->fleet, said->uuid);
    wa_log(&s->child.log, WA_LOG_INFO, "host.left", WA_LF_SV("uuid", said->uuid),
           WA_LF_S("peer", peer));
}

void wa_store_report(struct wa_store_request *r)
{
    struct wa_store *s = r->store;
    struct wa_err err = WA_ERR_INIT;
    struct reported said = {.change = WA_FLEET_UNCHANGED};
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf answer;
    wa_arena_init(&arena, WA_REPORT_MEMORY_MAX);
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    enum wa_code code = wa_db_begin(s->db, &err);
    if (code == WA_OK) {
        code = store_statement(r, &arena, &said, &answer, &err);
        if (code == WA_OK)
            code = wa_node_tell(s, said.is_gone ? WA_NODE_GONE : WA_NODE_HOST, said.uuid, &err);
        if (code == WA_OK)
            code = wa_db_commit(s->db, &err);
        if (code != WA_OK)
            wa_db_rollback(s->db);
    }
    if (code == WA_OK) {
        show_report(s, r->peer, &said);
        wa_store_answer(r, 200, answer.n > 0 ? wa_buf_sv(&answer) : WA_SV("{\"accepted\":true}"));
        return;
    }
    wa_log(&s->child.log, WA_LOG_WARNING, "report.refused", WA_LF_S("peer", r->peer),
           WA_LF_S("why", err.text));
    wa_store_answer_err(r, &err);
}

/* --- greeting --- */

static enum wa_code judge_hello(struct wa_store *s, struct wa_sv payload, struct wa_arena *arena,
                                struct wa_hello *h, int64_t *conn, struct wa_err *err)
{
    struct wa_sv nonce = {NULL, 0}, channel = {NULL, 0}, text = {NULL, 0};
    const struct wa_json *j = NULL, *message = NULL;
    struct wa_envelope e;
    enum wa_push_type type;
    const struct wa_json_field fields[] = {{"conn", WA_WANT_I64, true, 0, conn},
                                           {"nonce", WA_WANT_SV, true, 64, &nonce},
                                           {"channel", WA_WANT_SV, true, 64, &channel},
                                           {"text", WA_WANT_SV, true, 64u << 10, &text}};
    if (wa_json_parse(payload, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a greeting", err) != WA_OK ||
        wa_push_parse(text, arena, &type, &message, err) != WA_OK)
        return err->code;
    if (type != WA_PUSH_HELLO)
        return wa_fail(err, WA_E_INVALID, "something else than a greeting");
    if (wa_push_hello_read(message, arena, h, &e, err) != WA_OK ||
        wa_store_check_sender(s, &e, wa_sv(h->uuid), h->time, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(nonce, h->nonce))
        return wa_fail(err, WA_E_REFUSED, "the greeting answers another challenge (replayed)");
    if (!wa_sv_eqs(channel, h->channel))
        return wa_fail(
            err, WA_E_REFUSED,
            "the greeting was made for another TLS connection: somebody stands in between");
    return WA_OK;
}

void wa_store_hello(struct wa_store *s, int front, uint32_t id, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_hello h;
    struct wa_err err = WA_ERR_INIT;
    int64_t conn = 0;
    struct wa_store_request *r = wa_calloc(1, sizeof *r);
    wa_arena_init(&arena, 4u << 20);
    if (r == NULL)
        return;
    *r = (struct wa_store_request){.store = s, .front = front, .id = id};
    wa_buf_init(&r->body, 0);
    struct wa_store_conn *c = wa_calloc(1, sizeof *c);
    enum wa_code code =
        c == NULL ? wa_nomem(&err) : judge_hello(s, payload, &arena, &h, &conn, &err);
    if (code == WA_OK) {
        *c = (struct wa_store_conn){.front = front, .id = (uint32_t)conn};
        memcpy(c->uuid, h.uuid, sizeof c->uuid);
        memcpy(c->nonce, h.agent_nonce, sizeof c->nonce);
        code = wa_store_connect(s, c, &err);
    }
    if (code != WA_OK) {
        wa_log_err(&s->child.log, WA_LOG_WARNING, "push.refused", &err);
        wa_free(c);
        wa_store_answer_err(r, &err);
        return;
    }
    wa_fleet_set_reachable(s->fleet, wa_sv(h.uuid), true, wa_clock_now());
    wa_node_presence(s, h.uuid);
    wa_store_answer(r, 200, WA_SV(""));
    wa_store_dispatch_host(s, h.uuid);
}
