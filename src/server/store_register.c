/* store_register.c - who becomes a machine (security target F1A).
 *
 * A registration is a statement signed with the machine's own key; what proves it is one credential
 * of the kinds that the configuration allows. Its TLS certificate comes with the answer. An
 * identity is never taken over: only its own key, its own account or an administrator can replace
 * it.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "proto/report.h"
#include "server/login.h"
#include "server/perimeter.h"
#include "server/rights.h"
#include "server/store_authority.h"
#include "server/store_senders.h"
#include "server/store_ticket.h"

struct registration {
    struct wa_store_request *request;
    struct wa_arena arena;
    struct wa_register_msg msg;
    struct wa_store_csr csr;
    bool has_csr;
    struct wa_sender sender; /* so that its certificate need not be read again when it reports */
    bool has_sender;
    struct wa_ticket_account account; /* KERBEROS: whose ticket it is */
    char former[WA_UUID_MAX + 1];     /* what that account was before */
    bool is_move;                     /* the account is another machine now */
    char by[800];
};

static void registration_free(struct registration *g)
{
    wa_arena_fini(&g->arena);
    wa_store_csr_fini(&g->csr);
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
    if (wa_envelope_check(e, wa_cert_key(certs.items[0]), err) != WA_OK ||
        wa_store_check_shown(g->request->machine, g->msg.uuid, err) != WA_OK)
        return err->code;
    g->has_sender = wa_key_point(wa_cert_key(certs.items[0]), g->sender.point);
    if (wa_sha256(g->msg.certificate.p, g->msg.certificate.n, g->sender.certificate, err) != WA_OK)
        return err->code;
    g->has_csr = g->msg.csr.n > 0;
    if (g->has_csr && wa_store_csr_read(g->msg.csr, g->msg.uuid, wa_cert_key(certs.items[0]),
                                        &g->csr, err) != WA_OK)
        return err->code;
    return wa_store_check_time(g->msg.time, err);
}

/* Whether the host is there already, and with the same key. */
static enum wa_code same_key(struct wa_store *s, const struct registration *g, bool *ret_known,
                             bool *ret_same, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs now = {NULL, 0, 0};
    WA_AUTO_CERTS struct wa_certs then = {NULL, 0, 0};
    struct wa_host_row row;
    wa_buf_init(&pem, 64u << 10);
    *ret_same = false;
    if (wa_store_host(s->db, g->msg.uuid, &pem, &row, err) != WA_OK)
        return err->code;
    *ret_known = row.is_there;
    if (!row.is_there)
        return WA_OK;
    if (wa_certs_read_pem(g->msg.certificate, 1, &now, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), 1, &then, err) != WA_OK)
        return err->code;
    *ret_same = wa_key_equal_public(wa_cert_key(now.items[0]), wa_cert_key(then.items[0]));
    if (*ret_same && g->msg.seq <= row.last_seq)
        return wa_fail(err, WA_E_CONFLICT,
                       "the registration was sent before (its sequence number is not new)");
    return WA_OK;
}

static enum wa_code write_host(struct wa_store *s, struct registration *g,
                               struct wa_fleet_change *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf facts;
    wa_buf_init(&facts, WA_JSON_BYTES_MAX);
    c->registered_at = c->last_seen = wa_clock_now();
    c->registration = wa_store_method(wa_sv(g->by));
    if (wa_store_put_host(s->db, g->msg.uuid, g->msg.certificate, g->by, g->msg.seq, c->last_seen,
                          err) != WA_OK)
        return err->code;
    if (g->msg.facts == NULL)
        return WA_OK;
    wa_store_read_info(g->msg.facts, c);
    wa_json_write(g->msg.facts, &facts);
    if (wa_buf_check(&facts, err) != WA_OK ||
        wa_store_set_columns(s->db, g->msg.uuid, c, err) != WA_OK)
        return err->code;
    return wa_store_set_section(s->db, g->msg.uuid, "host_info", wa_buf_sv(&facts), "", err);
}

/* The account's ticket proves the machine that is bound to it, and no other one. */
static enum wa_code check_account(struct wa_store *s, struct registration *g, bool is_known,
                                  bool *ret_is_its, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bound;
    wa_buf_init(&bound, sizeof g->account.account);
    if (wa_store_account_of(s, g->msg.uuid, &bound, err) != WA_OK)
        return err->code;
    *ret_is_its = bound.n > 0 && wa_sv_eqs(wa_buf_sv(&bound), g->account.account);
    if (is_known && bound.n > 0 && !*ret_is_its)
        return wa_fail(err, WA_E_EXISTS, "'%.*s' is the machine of another account than '%s'",
                       WA_SV_ARG(g->msg.uuid), g->account.name);
    return wa_store_account_holder(s, g->account.account, g->msg.uuid, g->former, err);
}

/* Each time leaves a revoked certificate, which all are told of until it ends: a few in an hour,
 * and then ever fewer. */
static enum wa_code check_moves(struct registration *g, bool is_replaced, struct wa_err *err)
{
    struct wa_err busy = WA_ERR_INIT;
    if (g->msg.cred != WA_CRED_KERBEROS || (!is_replaced && g->former[0] == '\0'))
        return WA_OK;
    g->is_move = wa_throttle_begin(&g->request->store->moves, g->account.account, NULL,
                                   wa_clock_now() / 60, &busy) == WA_OK;
    return g->is_move ? WA_OK
                      : wa_fail(err, WA_E_BUSY,
                                "'%s' was another machine several times of late: try again later",
                                g->account.name);
}

/* One account, one machine: under another name it is not what it was. */
static enum wa_code leave_former(struct wa_store *s, const struct registration *g,
                                 struct wa_err *err)
{
    int64_t revoked = 0;
    const struct wa_journal_act act = {.act = "host.left",
                                       .peer = g->request->peer,
                                       .what = {{"uuid", wa_sv(g->former)},
                                                {"now", g->msg.uuid},
                                                {"account", wa_sv(g->account.account)}}};
    if (g->former[0] == '\0')
        return WA_OK;
    if (wa_store_revoke(s, wa_sv(g->former), "its account is another machine", &revoked, err) !=
            WA_OK ||
        wa_store_delete_host(s->db, g->former, err) != WA_OK ||
        wa_node_tell(s, WA_NODE_GONE, wa_sv(g->former), err) != WA_OK)
        return err->code;
    return wa_store_note(s, &act, err);
}

/* A login in place of another machine unties it from the account of that one. */
static enum wa_code bind_account(struct wa_store *s, const struct registration *g, bool is_replaced,
                                 struct wa_err *err)
{
    if (g->msg.cred == WA_CRED_KERBEROS)
        return wa_store_bind_account(s, g->msg.uuid, g->account.account, err);
    return is_replaced ? wa_store_bind_account(s, g->msg.uuid, "", err) : WA_OK;
}

static enum wa_code use_credential(struct wa_store *s, struct registration *g, bool may_replace,
                                   bool *ret_replaced, struct wa_err *err)
{
    bool known = false, same = false;
    char digest[WA_SHA256_HEX];
    if (same_key(s, g, &known, &same, err) != WA_OK)
        return err->code;
    if (g->msg.cred == WA_CRED_KERBEROS && check_account(s, g, known, &may_replace, err) != WA_OK)
        return err->code;
    if (g->msg.cred == WA_CRED_KEY && !same)
        return wa_fail(err, WA_E_AUTH,
                       known ? "another machine is registered as '%.*s': a key alone proves nothing"
                             : wa_text("no machine is registered as '%.*s': a key alone proves "
                                       "nothing"),
                       WA_SV_ARG(g->msg.uuid));
    /* The token first: who has none learns nothing of which machines there are. It is not used up
     * where the registration fails after all. */
    if (g->msg.cred == WA_CRED_TOKEN &&
        (wa_sha256_hex(g->msg.token.p, g->msg.token.n, digest, err) != WA_OK ||
         wa_store_use_token(s->db, digest, wa_clock_now(), err) != WA_OK))
        return err->code;
    /* An identity is never taken over by a token: only its own key or an administrator can replace
     * it. */
    if (known && !same && !may_replace)
        return wa_fail(
            err, WA_E_EXISTS,
            "another machine is registered as '%.*s': an administrator must register this one",
            WA_SV_ARG(g->msg.uuid));
    *ret_replaced = known && !same;
    return WA_OK;
}

/* The account that a registration is about; "" when it is about none. */
static void account_of(const struct registration *g, char out[WA_NAME_MAX + 1])
{
    (void)snprintf(out, WA_NAME_MAX + 1, "%.*s", WA_SV_ARG(g->msg.user));
}

#define AGAIN_S 86400

/* A machine that proves itself by what it has, again and again, can't fill the journal. */
static bool is_news(const struct wa_store *s, const struct registration *g, bool is_replaced)
{
    const struct wa_fleet_host *h = wa_fleet_get(s->fleet, g->msg.uuid);
    int64_t now = wa_clock_now();
    bool is_again = h != NULL && now >= h->registered_at && now - h->registered_at < AGAIN_S;
    bool is_by_itself = g->msg.cred == WA_CRED_KEY || g->msg.cred == WA_CRED_KERBEROS;
    return is_replaced || !is_by_itself || !is_again;
}

static enum wa_code note_registration(struct wa_store *s, const struct registration *g,
                                      bool is_replaced, struct wa_err *err)
{
    if (!is_news(s, g, is_replaced))
        return WA_OK;
    const struct wa_journal_act act = {
        .act = "host.registered",
        .user = g->msg.user,
        .peer = g->request->peer,
        .what = {{"uuid", g->msg.uuid},
                 {"by", wa_sv(g->by)},
                 {"replaced", is_replaced ? WA_SV("yes") : WA_SV("no")}}};
    return wa_store_note(s, &act, err);
}

/* What the machine was, it is no more: neither its connection nor its certificate. */
static enum wa_code replace(struct wa_store *s, const struct registration *g, bool is_replaced,
                            struct wa_err *err)
{
    int64_t revoked = 0;
    return is_replaced ? wa_store_revoke(s, g->msg.uuid, "registered anew", &revoked, err) : WA_OK;
}

/* The registration stands, with a certificate or without: the machine asks for it again. */
static void on_certified(void *user, struct wa_sv pem, const struct wa_err *why)
{
    struct registration *g = user;
    struct wa_store *s = g->request->store;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, 128u << 10);
    if (why->code != WA_OK)
        wa_log(&s->child.log, WA_LOG_WARNING, "certificate.refused", WA_LF_SV("uuid", g->msg.uuid),
               WA_LF_S("why", why->text));
    const struct wa_register_answer a = {g->msg.uuid, wa_sv(s->child.config.server_uuid),
                                         wa_sv(s->relay_public), wa_clock_now(), pem};
    wa_register_answer_write(&a, &answer);
    wa_store_answer(g->request, 200, wa_buf_sv(&answer));
    registration_free(g);
}

static enum wa_code write_registration(struct registration *g, bool may_replace,
                                       struct wa_fleet_change *change, bool *ret_replaced,
                                       struct wa_err *err)
{
    struct wa_store *s = g->request->store;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (use_credential(s, g, may_replace, ret_replaced, err) != WA_OK ||
        check_moves(g, *ret_replaced, err) != WA_OK || leave_former(s, g, err) != WA_OK ||
        write_host(s, g, change, err) != WA_OK || bind_account(s, g, *ret_replaced, err) != WA_OK ||
        replace(s, g, *ret_replaced, err) != WA_OK ||
        note_registration(s, g, *ret_replaced, err) != WA_OK ||
        wa_node_tell(s, *ret_replaced ? WA_NODE_GONE : WA_NODE_HOST, g->msg.uuid, err) != WA_OK ||
        wa_db_commit(s->db, err) != WA_OK) {
        if (g->is_move)
            wa_throttle_back(&s->moves, g->account.account, NULL);
        wa_db_rollback(s->db);
    }
    return err->code;
}

static void finish_registration(struct registration *g, bool may_replace)
{
    static const char *const kinds[] = {"key", "token", "administrator", "ticket"};
    struct wa_store *s = g->request->store;
    struct wa_err err = WA_ERR_INIT;
    char account[WA_NAME_MAX + 1], uuid[WA_UUID_MAX + 1];
    bool is_replaced = false;
    struct wa_fleet_change change = WA_FLEET_UNCHANGED;
    uint64_t began = wa_clock_mono_ms();
    (void)snprintf(g->by, sizeof g->by, "%s%s%s from %s", kinds[g->msg.cred],
                   g->account.name[0] != '\0' ? " of " : "", g->account.name, g->request->peer);
    enum wa_code code = write_registration(g, may_replace, &change, &is_replaced, &err);
    wa_log(&s->child.log, code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           code == WA_OK ? "host.registered" : "host.refused", WA_LF_SV("uuid", g->msg.uuid),
           WA_LF_S("by", g->by), WA_LF_S("why", err.text));
    if (code != WA_E_AUTH && g->msg.cred != WA_CRED_KERBEROS) { /* not the credential was wrong */
        account_of(g, account);
        wa_throttle_good(&s->throttle, g->request->peer, account[0] != '\0' ? account : NULL);
    }
    if (code != WA_OK) {
        if (g->msg.cred == WA_CRED_KEY)
            wa_store_refuse_sender(g->request, &err);
        else
            wa_store_answer_err(g->request, &err);
        registration_free(g);
        return;
    }
    wa_store_changed(s, g->msg.uuid);
    if (g->has_sender)
        wa_senders_keep(s->senders, g->msg.uuid, &g->sender);
    wa_store_show(s, g->msg.uuid, &change);
    wa_store_show_perimeter(s, g->msg.uuid);
    if (g->msg.cred == WA_CRED_KEY)
        wa_fleet_took(s->fleet, g->msg.uuid, wa_clock_mono_ms() - began, wa_clock_mono_ms());
    wa_store_event(s, WA_EVENT_HOST, "registered", g->msg.uuid, WA_SV(""), WA_SV(""));
    if (is_replaced) { /* the former key's connection has no right to it any more */
        (void)snprintf(uuid, sizeof uuid, "%.*s", WA_SV_ARG(g->msg.uuid));
        wa_store_disconnect(s, uuid);
    }
    if (g->former[0] != '\0') {
        wa_store_disconnect(s, g->former);
        wa_fleet_remove(s->fleet, wa_sv(g->former));
    }
    if (is_replaced || g->former[0] != '\0')
        wa_store_tell_revoked(s);
    if (g->has_csr)
        wa_store_certify(s, &g->csr, on_certified, g);
    else
        on_certified(g, WA_SV(""), &err);
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
    if (found && (p.has_factor || wa_login_lacks_factor(s, &p, "password")))
        return wa_fail(
            err, WA_E_DENIED,
            "'%s' has a second factor, which a machine can't ask for: register it with an "
            "enrolment token",
            p.name);
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
    char account[WA_NAME_MAX + 1];
    bool may_replace = false;
    account_of(g, account);
    if (wa_store_ended_before(payload))
        wa_throttle_back(&s->throttle, g->request->peer, account[0] != '\0' ? account : NULL);
    if (wa_store_checked(payload, &err) == WA_OK && wa_sv_eqs(payload, "ok") &&
        check_enroller(s, g, &may_replace, &err) == WA_OK) {
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

static enum wa_code ask_password(struct registration *g, const char *account, struct wa_err *err)
{
    struct wa_store *s = g->request->store;
    if (wa_store_ask_password(s, g->msg.user, g->msg.password, on_password, g, err) != WA_OK)
        wa_throttle_back(&s->throttle, g->request->peer,
                         account[0] != '\0' ? account : NULL); /* nobody has looked at it */
    return err->code;
}

/* --- tickets --- */

/* What the machine calls itself must be what the directory calls it. */
static enum wa_code check_names(const struct registration *g, struct wa_err *err)
{
    struct wa_sv account = wa_sv(g->account.name),
                 name = wa_json_sv(wa_json_get(g->msg.facts, "computer_name")),
                 fqdn = wa_json_sv(wa_json_get(g->msg.facts, "computer_fqdn"));
    if (name.n + fqdn.n > 0 && (name.n == 0 || wa_ticket_is_name_of(account, name)) &&
        (fqdn.n == 0 || wa_ticket_is_name_of(account, fqdn)))
        return WA_OK;
    return wa_fail(err, WA_E_DENIED,
                   "the ticket is of the machine '%s', and this one calls itself '%.*s'",
                   g->account.name, WA_SV_ARG(fqdn.n > 0 ? fqdn : name));
}

/* A directory that is away, or that we ask wrongly: nothing that the machine could do about. */
static bool is_ours(enum wa_code code)
{
    return code == WA_E_UNREACHABLE || code == WA_E_TIMEOUT || code == WA_E_BUSY ||
           code == WA_E_CONFIG;
}

/* payload: what the process said that was asked last. */
static void refuse_ticket(struct registration *g, struct wa_sv payload, const struct wa_err *why)
{
    struct wa_store *s = g->request->store;
    struct wa_err busy = WA_ERR_INIT;
    /* Counted now: many machines of one network register at the same time, and are right. */
    if (!is_ours(why->code) || wa_store_ended_over(payload))
        (void)!wa_throttle_begin(&s->throttle, g->request->peer, NULL, wa_clock_now(), &busy);
    wa_log(&s->child.log, WA_LOG_WARNING, "ticket.refused", WA_LF_SV("uuid", g->msg.uuid),
           WA_LF_S("peer", g->request->peer), WA_LF_S("account", g->account.name),
           WA_LF_S("why", why->text));
    wa_store_answer_err(g->request, why);
    registration_free(g);
}

static void on_unit(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct registration *g = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_unit_read(s, &g->account, payload, &err) == WA_OK)
        finish_registration(g, false);
    else
        refuse_ticket(g, payload, &err);
}

static void on_ticket(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct registration *g = user;
    struct wa_err err = WA_ERR_INIT;
    bool needs_unit = s->child.config.kerberos_unit[0] != '\0';
    if (wa_store_ticket_read(payload, &g->account, &err) != WA_OK ||
        check_names(g, &err) != WA_OK ||
        (needs_unit && wa_store_ask_unit(s, &g->account, on_unit, g, &err) != WA_OK))
        refuse_ticket(g, payload, &err);
    else if (!needs_unit)
        finish_registration(g, false);
}

static enum wa_code ask_ticket(struct registration *g, struct wa_err *err)
{
    struct wa_store *s = g->request->store;
    char binding[65];
    wa_throttle_good(&s->throttle, g->request->peer, NULL);
    if (wa_register_binding(&g->msg, binding, err) != WA_OK)
        return err->code;
    return wa_store_ask_ticket(s, g->msg.ticket, binding, on_ticket, g, err);
}

/* --- the way in --- */

/* Whether the configuration lets machines in by that at all. */
static enum wa_code check_kind(const struct registration *g, struct wa_err *err)
{
    static const char *const words[] = {NULL, "token", "login", "kerberos"};
    const struct wa_server_config *c = &g->request->store->child.config;
    const char *word = words[g->msg.cred];
    if (word == NULL || wa_server_lets_in(c, word))
        return WA_OK;
    return wa_fail(err, WA_E_DENIED,
                   "this server lets no machine in by a %s: its configuration says registration = "
                   "%s",
                   word, c->registration);
}

static enum wa_code start_registration(struct registration *g, struct wa_err *err)
{
    struct wa_store_request *r = g->request;
    struct wa_store *s = r->store;
    char account[WA_NAME_MAX + 1];
    struct wa_envelope e;
    if (wa_envelope_parse(wa_buf_sv(&r->body), WA_PURPOSE_REGISTER, &g->arena, &e, err) != WA_OK ||
        wa_register_read(e.statement, &g->msg, err) != WA_OK ||
        check_statement(g, &e, err) != WA_OK || check_kind(g, err) != WA_OK ||
        (g->msg.cred == WA_CRED_KEY &&
         wa_store_check_share(s, g->msg.uuid, wa_clock_mono_ms(), err) != WA_OK))
        return err->code;
    account_of(g, account);
    if (wa_throttle_begin(&s->throttle, r->peer, account[0] != '\0' ? account : NULL,
                          wa_clock_now(), err) != WA_OK)
        return err->code;
    if (g->msg.cred == WA_CRED_PASSWORD)
        return ask_password(g, account, err);
    if (g->msg.cred == WA_CRED_KERBEROS)
        return ask_ticket(g, err);
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
