/* store_agent.c - what machines say once they are registered: reports (F1D), their leave, the
 * greeting of the push channel.
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
#include "server/store_authority.h"
#include "server/store_check.h"
#include "server/store_hosts.h"

enum wa_code wa_store_check_time(int64_t at, struct wa_err *err)
{
    int64_t now = wa_clock_now();
    if (at < now - WA_REPORT_SKEW_S || at > now + WA_REPORT_SKEW_S) /* no difference overflows */
        return wa_fail(err, WA_E_CONFLICT,
                       "the machine's clock says %lld, the server's %lld: set the machine's clock",
                       (long long)at, (long long)now);
    return WA_OK;
}

/* Columns for lists, from what the machine says of itself: texts, never more. */
void wa_store_read_info(const struct wa_json *info, struct wa_fleet_change *c)
{
    c->name = wa_json_sv(wa_json_get(info, "computer_name"));
    c->fqdn = wa_json_sv(wa_json_get(info, "computer_fqdn"));
    c->os = wa_json_sv(wa_json_get(info, "os_name"));
}

/* What the database has taken is shown. */
void wa_store_show(struct wa_store *s, struct wa_sv uuid, const struct wa_fleet_change *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_fleet_put(s->fleet, uuid, c, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "fleet.stale", &err);
}

void wa_store_show_perimeter(struct wa_store *s, struct wa_sv uuid)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_show_names(s->db, uuid, s->fleet, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "fleet.stale", &err);
}

/* --- reports --- */

enum wa_code wa_store_check_shown(const char *machine, struct wa_sv uuid, struct wa_err *err)
{
    if (machine[0] == '\0' || wa_sv_eqs(uuid, machine))
        return WA_OK;
    return wa_fail(err, WA_E_DENIED, "the certificate of '%s' was shown for what '%.*s' says",
                   machine, WA_SV_ARG(uuid));
}

static enum wa_code check_sender(struct wa_store *s, const struct wa_envelope *e,
                                 const struct wa_sender *checked, const char *machine,
                                 struct wa_sv uuid, int64_t at, struct wa_host_row *ret,
                                 struct wa_err *err)
{
    if (wa_store_check_shown(machine, uuid, err) != WA_OK)
        return err->code;
    if (wa_store_check_signed(s, e, uuid, checked, ret, err) != WA_OK) {
        if (err->code == WA_E_REFUSED) /* the signature: see wa_store_refuse_sender() */
            err->code = WA_E_AUTH;
        return err->code;
    }
    return wa_store_check_time(at, err);
}

enum wa_code wa_store_check_sender(struct wa_store *s, const struct wa_envelope *e,
                                   const char *machine, struct wa_sv uuid, int64_t at,
                                   struct wa_err *err)
{
    struct wa_host_row ignored;
    return check_sender(s, e, NULL, machine, uuid, at, &ignored, err);
}

void wa_store_refuse_sender(struct wa_store_request *r, const struct wa_err *why)
{
    struct wa_err shown = *why;
    if (why->code == WA_E_AUTH) {
        wa_err_clear(&shown);
        (void)wa_fail(&shown, WA_E_AUTH,
                      "no machine is registered here by this name and with this key: a token or an "
                      "administrator's login is needed");
    }
    wa_store_answer_err(r, &shown);
}

/* The machine says it itself, now, and for the first time: taking the number compares it. */
static enum wa_code check_report(const struct wa_store_request *q, const struct wa_statement *r,
                                 struct wa_sv uuid, int64_t at, int64_t seq,
                                 struct wa_host_row *ret, struct wa_err *err)
{
    struct wa_store *s = q->store;
    if (check_sender(s, &r->envelope, r->is_checked ? &r->checked : NULL, q->machine, uuid, at, ret,
                     err) != WA_OK)
        return err->code;
    return wa_store_take_seq(s->db, uuid, seq, wa_clock_now(), err);
}

/* A section that is not in the message leaves its columns alone. */
static enum wa_code read_columns(const struct wa_status_msg *m, struct wa_arena *arena,
                                 struct wa_fleet_change *c, struct wa_err *err)
{
    if (m->sections[WA_SEC_HOST_INFO] != NULL)
        wa_store_read_info(m->sections[WA_SEC_HOST_INFO], c);
    if (m->sections[WA_SEC_HOST_STATUS] != NULL)
        c->status = wa_sv_sub(wa_json_sv(m->sections[WA_SEC_HOST_STATUS]), 0, 32);
    c->last_seen = wa_clock_now();
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (m->sections[i] != NULL &&
            wa_inventory_show((enum wa_section)i, m->sections[i], arena, c, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* A section is kept under the digest that we make of it. One that is not what the machine says it
 * sent is no section. */
static enum wa_code store_section(struct wa_store *s, const struct wa_statement *r, int64_t host,
                                  size_t i, struct wa_err *err)
{
    const struct wa_status_msg *m = &r->status;
    const struct wa_statement_section *section = &r->sections[i];
    const char *name = wa_section_name((enum wa_section)i);
    if (m->digests.hex[i][0] != '\0' && strcmp(m->digests.hex[i], section->digest) != 0)
        return wa_fail(err, WA_E_INVALID, "section '%s' has another digest than its report says",
                       name);
    return wa_store_set_section(s->db, m->uuid, name, section->text, section->digest, err) == WA_OK
               ? wa_inventory_take(s->db, host, (enum wa_section)i, m->sections[i], wa_clock_now(),
                                   err)
               : err->code;
}

/* What a report changes in the fleet, once it is in the database. */
struct reported {
    struct wa_sv uuid;
    bool is_gone; /* it left */
    bool has_sections;
    bool is_its;                /* the machine itself has said it */
    struct wa_sv action, state; /* of one of its orders, and what became of it */
    struct wa_fleet_change change;
};

static enum wa_code store_status(const struct wa_store_request *q, struct wa_statement *r,
                                 struct reported *ret, struct wa_buf *answer, struct wa_err *err)
{
    struct wa_store *s = q->store;
    const struct wa_status_msg *m = &r->status;
    struct wa_section_digests have = {{""}};
    struct wa_host_row row;
    if (check_report(q, r, m->uuid, m->time, m->seq, &row, err) != WA_OK)
        return err->code;
    ret->is_its = true;
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (m->sections[i] != NULL) {
            if (store_section(s, r, row.number, i, err) != WA_OK)
                return err->code;
            ret->has_sections = true;
        }
    ret->uuid = m->uuid;
    if (read_columns(m, &r->arena, &ret->change, err) != WA_OK ||
        wa_store_set_columns(s->db, m->uuid, &ret->change, err) != WA_OK ||
        wa_store_known(s->db, m->uuid, &have, err) != WA_OK)
        return err->code;
    wa_store_changed(s, m->uuid);
    wa_status_answer_write(&have, answer);
    return wa_buf_check(answer, err);
}

static enum wa_code store_result(const struct wa_store_request *q, const struct wa_statement *r,
                                 struct reported *ret, struct wa_err *err)
{
    struct wa_store *s = q->store;
    const struct wa_result_msg m = r->result;
    struct wa_host_row row;
    char id[33];
    bool has_stepped = false;
    WA_AUTO_BUF struct wa_buf packages;
    wa_buf_init(&packages, 1u << 20);
    if (check_report(q, r, m.uuid, m.time, m.seq, &row, err) != WA_OK)
        return err->code;
    ret->is_its = true;
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
                              wa_clock_now(), &has_stepped, err) != WA_OK)
        return err->code;
    const struct wa_journal_act act = {
        .act = "action.result",
        .peer = q->peer,
        .what = {{"id", wa_sv(id)}, {"uuid", m.uuid}, {"state", m.state}, {"code", m.code}}};
    /* Each step of an order once: a machine can't fill the journal by itself. */
    if (!has_stepped)
        return WA_OK;
    ret->action = m.action_id;
    ret->state = m.state;
    return wa_store_note(s, &act, err);
}

/* A machine takes its own row away, no other: the key that the row names has signed it. */
static enum wa_code store_leave(const struct wa_store_request *q, const struct wa_statement *r,
                                struct reported *ret, struct wa_err *err)
{
    struct wa_store *s = q->store;
    const struct wa_leave_msg m = r->leave;
    struct wa_host_row row;
    char uuid[WA_UUID_MAX + 1];
    int64_t revoked = 0;
    if (check_report(q, r, m.uuid, m.time, m.seq, &row, err) != WA_OK)
        return err->code;
    const struct wa_journal_act act = {
        .act = "host.left", .peer = q->peer, .what = {{"uuid", m.uuid}}};
    (void)snprintf(uuid, sizeof uuid, "%.*s", WA_SV_ARG(m.uuid));
    ret->uuid = m.uuid;
    ret->is_gone = true;
    if (wa_store_revoke(s, m.uuid, "the machine left", &revoked, err) != WA_OK ||
        wa_store_delete_host(s->db, uuid, err) != WA_OK)
        return err->code;
    return wa_store_note(s, &act, err);
}

static enum wa_code store_report(const struct wa_store_request *q, struct wa_statement *r,
                                 struct reported *said, struct wa_buf *answer, struct wa_err *err)
{
    if (r->why.code != WA_OK)
        return (*err = r->why).code;
    if (r->kind == WA_STATES_LEAVE)
        return store_leave(q, r, said, err);
    return r->kind == WA_STATES_RESULT ? store_result(q, r, said, err)
                                       : store_status(q, r, said, answer, err);
}

static void tell_report(struct wa_store *s, const struct reported *said)
{
    const struct wa_fleet_host *h = wa_fleet_get(s->fleet, said->uuid);
    struct wa_sv status = said->change.status;
    if (said->action.n > 0)
        wa_store_event(s, WA_EVENT_ACTION, "state", said->uuid, said->action, said->state);
    if (said->change.audit.p != NULL && (h == NULL || !wa_sv_eqs(said->change.audit, h->audit)))
        wa_store_event(s, WA_EVENT_HOST, "audit", said->uuid, WA_SV(""), said->change.audit);
    if (status.p != NULL && (h == NULL || !wa_sv_eqs(status, h->status)))
        wa_store_event(s, WA_EVENT_HOST, "status", said->uuid, WA_SV(""), status);
    else if (said->has_sections)
        wa_store_event(s, WA_EVENT_HOST, "inventory", said->uuid, WA_SV(""), WA_SV(""));
}

/* What the database has taken is shown. */
static void show_report(struct wa_store *s, const char *peer, const struct reported *said)
{
    char uuid[WA_UUID_MAX + 1];
    if (!said->is_gone) {
        tell_report(s, said);
        wa_store_show(s, said->uuid, &said->change);
        return;
    }
    (void)snprintf(uuid, sizeof uuid, "%.*s", WA_SV_ARG(said->uuid));
    wa_store_disconnect(s, uuid);
    wa_store_tell_revoked(s);
    wa_store_event(s, WA_EVENT_HOST, "left", said->uuid, WA_SV(""), WA_SV(""));
    wa_fleet_remove(s->fleet, said->uuid);
    wa_log(&s->child.log, WA_LOG_INFO, "host.left", WA_LF_SV("uuid", said->uuid),
           WA_LF_S("peer", peer));
}

static enum wa_code in_transaction(const struct wa_store_request *q, struct wa_statement *r,
                                   struct reported *said, struct wa_buf *answer, struct wa_err *err)
{
    struct wa_store *s = q->store;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    enum wa_code code = store_report(q, r, said, answer, err);
    if (code == WA_OK)
        code = wa_node_tell(s, said->is_gone ? WA_NODE_GONE : WA_NODE_HOST, said->uuid, err);
    if (code == WA_OK && said->action.n > 0)
        code = wa_node_tell(s, WA_NODE_ACTION, said->action, err);
    if (code == WA_OK)
        code = wa_db_commit(s->db, err);
    if (code != WA_OK)
        wa_db_rollback(s->db);
    return code;
}

enum wa_code wa_store_check_share(const struct wa_store *s, struct wa_sv uuid, uint64_t now_ms,
                                  struct wa_err *err)
{
    return wa_fleet_may_report(s->fleet, uuid, now_ms)
               ? WA_OK
               : wa_fail(err, WA_E_BUSY,
                         "the reports of '%.*s' take too much of the server's time: later",
                         WA_SV_ARG(uuid));
}

/* Of the machine that it says it is of, within what one machine may take. */
static enum wa_code take_report(const struct wa_store_request *q, struct wa_statement *r,
                                struct reported *said, struct wa_buf *answer, struct wa_err *err)
{
    struct wa_sv uuid = r->kind == WA_STATES_STATUS   ? r->status.uuid
                        : r->kind == WA_STATES_RESULT ? r->result.uuid
                                                      : r->leave.uuid;
    uint64_t began = wa_clock_mono_ms();
    if (r->why.code == WA_OK && wa_store_check_share(q->store, uuid, began, err) != WA_OK)
        return err->code;
    enum wa_code code = in_transaction(q, r, said, answer, err);
    uint64_t now = wa_clock_mono_ms();
    if (said->is_its)
        wa_fleet_took(q->store->fleet, uuid, now - began, now);
    return code;
}

void wa_store_judge_report(struct wa_store_request *q, struct wa_statement *r)
{
    struct wa_store *s = q->store;
    struct wa_err err = WA_ERR_INIT;
    struct reported said = {.change = WA_FLEET_UNCHANGED};
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    if (take_report(q, r, &said, &answer, &err) == WA_OK) {
        show_report(s, q->peer, &said);
        wa_store_answer(q, 200, answer.n > 0 ? wa_buf_sv(&answer) : WA_SV("{\"accepted\":true}"));
        return;
    }
    wa_log(&s->child.log, WA_LOG_WARNING, "report.refused", WA_LF_S("peer", q->peer),
           WA_LF_S("why", err.text));
    wa_store_refuse_sender(q, &err);
}

/* --- greeting --- */

static enum wa_code judge_hello(struct wa_store *s, struct wa_sv payload, struct wa_arena *arena,
                                struct wa_hello *h, int64_t *conn, struct wa_err *err)
{
    struct wa_sv nonce = {NULL, 0}, channel = {NULL, 0}, text = {NULL, 0}, shown = {NULL, 0};
    char machine[WA_UUID_MAX + 1];
    const struct wa_json *j = NULL, *message = NULL;
    struct wa_envelope e;
    enum wa_push_type type;
    struct wa_host_row row;
    const struct wa_json_field fields[] = {{"conn", WA_WANT_I64, true, 0, conn},
                                           {"nonce", WA_WANT_SV, true, 64, &nonce},
                                           {"channel", WA_WANT_SV, true, 64, &channel},
                                           {"machine", WA_WANT_SV, false, WA_UUID_MAX, &shown},
                                           {"text", WA_WANT_SV, true, 64u << 10, &text}};
    if (wa_json_parse(payload, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a greeting", err) != WA_OK ||
        wa_push_parse(text, arena, &type, &message, err) != WA_OK)
        return err->code;
    if (type != WA_PUSH_HELLO)
        return wa_fail(err, WA_E_INVALID, "something else than a greeting");
    (void)snprintf(machine, sizeof machine, "%.*s", WA_SV_ARG(shown));
    if (wa_push_hello_read(message, arena, h, &e, err) != WA_OK ||
        check_sender(s, &e, NULL, machine, wa_sv(h->uuid), h->time, &row, err) != WA_OK)
        return err->code;
    if (h->seq < row.last_seq)
        return wa_fail(err, WA_E_EXISTS,
                       "'%s' has reported more than who greets for it knows of: a copy of the "
                       "machine, which is sent no orders",
                       h->uuid);
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
    wa_store_event(s, WA_EVENT_HOST, "connected", wa_sv(h.uuid), WA_SV(""), WA_SV(""));
    wa_store_answer(r, 200, WA_SV(""));
    wa_store_dispatch_host(s, h.uuid);
}
