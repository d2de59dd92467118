/* report.c - how the machine speaks to its server, each statement signed with its own key, sequence
 * and time in it: registration, results of actions. What it tells of itself is status.c's. */
#include "agent/report.h"
#include "agent/backoff.h"
#include "agent/identity.h"
#include "agent/inventory.h"
#include "agent/tasks.h"

#include "codec/url.h"
#include "os/clock.h"
#include "proto/report.h"
#include "proto/token.h"

#define TRY_FIRST_S 5
#define TRY_MAX_S 3600
#define ENROL_FIRST_S 10
#define TWIN_TRY_S 86400
#define POST_MS 120000u

/* What the server said no with: {"error":{"code","message"}}. */
static enum wa_code server_error(int status, struct wa_sv body, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err ignored = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(body, 0, &arena, &j, &ignored) == WA_OK) {
        struct wa_sv code = wa_json_sv(wa_json_get(wa_json_get(j, "error"), "code"));
        struct wa_sv message = wa_json_sv(wa_json_get(wa_json_get(j, "error"), "message"));
        if (code.n > 0) {
            enum wa_code c = wa_code_from_name(code);
            return wa_fail(err, c == WA_OK ? WA_E_FAILED : c, "the server says: %.*s",
                           WA_SV_ARG(message));
        }
    }
    return wa_fail(err, status >= 500 ? WA_E_UNREACHABLE : WA_E_REFUSED,
                   "the server answered with status %d", status);
}

void wa_server_call_fini(struct wa_server_call *call)
{
    wa_buf_fini(&call->pem);
    wa_buf_fini_secret(&call->own);
}

enum wa_code wa_server_call_make(struct wa_manager *m, const char *path,
                                 struct wa_server_call *call, struct wa_err *err)
{
    wa_buf_init(&call->pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&call->own, WA_TLS_IDENTITY_MAX);
    if (m->config.wapt_server[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "no server is set: put wapt_server into '%s', or give --server to register",
                       m->config.file);
    (void)snprintf(call->url, sizeof call->url, "%s%s", m->config.wapt_server, path);
    return wa_agent_trust(&m->config, NULL, call->url, &call->pem, &call->trust, err);
}

/* With our TLS certificate, by which the server may know us before we have said a word. */
static enum wa_code show_identity(struct wa_manager *m, struct wa_server_call *call,
                                  struct wa_err *err)
{
    return wa_tls_identity_copy(m, call->url, &call->own, &call->trust.identity, err);
}

enum wa_code wa_server_call(struct wa_manager *m, const struct wa_server_call *call,
                            struct wa_sv body, uint32_t timeout_ms, struct wa_cancel *cancel,
                            struct wa_buf *answer, struct wa_err *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct wa_buf_sink sink;
    struct wa_fetch_result result;
    wa_buf_sink_init(&sink, answer);
    const struct wa_fetch what = {.method = "POST",
                                  .url = call->url,
                                  .headers = headers,
                                  .body = body,
                                  .proxy = wa_agent_server_proxy(&m->config),
                                  .trust = &call->trust,
                                  .silence_s = (uint32_t)m->config.timeout_s,
                                  .max_bytes = WA_REPORT_ANSWER_MAX,
                                  .timeout_ms = timeout_ms};
    if (wa_helper_fetch(m->launcher, &what, &sink.base, NULL, NULL, cancel, &result, err) != WA_OK)
        return err->code;
    return result.status == 200 ? WA_OK : server_error(result.status, wa_buf_sv(answer), err);
}

/* A registration shows no certificate: it is the way to a good one. */
static enum wa_code post(struct wa_manager *m, const char *path, bool is_shown, struct wa_sv text,
                         struct wa_buf *answer, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf envelope;
    WA_AUTO_SERVER_CALL struct wa_server_call call = {.url = ""};
    wa_buf_init(&envelope, WA_ROLE_BODY_MAX);
    if (wa_server_call_make(m, path, &call, err) != WA_OK ||
        (is_shown && show_identity(m, &call, err) != WA_OK) ||
        wa_envelope_seal(text, m->key, &envelope, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_server_call(m, &call, wa_buf_sv(&envelope), POST_MS, m->cancel, answer, err);
    if (code != WA_E_DENIED || call.trust.identity.n == 0)
        return code;
    /* The statement is signed with the machine's own key: a certificate that is no longer good does
     * not silence it. */
    wa_tls_identity_doubt(m);
    wa_err_clear(err);
    wa_buf_clear(answer);
    call.trust.identity = WA_SV("");
    return wa_server_call(m, &call, wa_buf_sv(&envelope), POST_MS, m->cancel, answer, err);
}

enum wa_code wa_report_post(struct wa_manager *m, const char *path, struct wa_sv text,
                            struct wa_buf *answer, struct wa_err *err)
{
    return post(m, path, true, text, answer, err);
}

/* --- registration --- */

/* What a registration may change in the configuration, in the order of its keys. */
static const char *const register_keys[] = {"wapt_server", "repo_url", "server_fingerprint"};

static void exchange_texts(char **a, char **b)
{
    char *was = *a;
    *a = *b;
    *b = was;
}

/* Exchanges the addresses of two configurations, and the repositories that follow from them. Under
 * the lock: the loop's thread reads them. */
static void exchange_addresses(struct wa_manager *m, struct wa_agent_config *other)
{
    struct wa_agent_config *ours = &m->config;
    wa_lock_take(m->lock);
    const struct wa_agent_config was = *ours;
    exchange_texts(&ours->wapt_server, &other->wapt_server);
    exchange_texts(&ours->repo_url, &other->repo_url);
    exchange_texts(&ours->server_fingerprint, &other->server_fingerprint);
    ours->repos = other->repos;
    ours->repo_count = other->repo_count;
    ours->host_repo = other->host_repo;
    other->repos = was.repos;
    other->repo_count = was.repo_count;
    other->host_repo = was.host_repo;
    wa_lock_give(m->lock);
}

/* What this machine knew of its server before: its enrolment goes on only with the same one. */
static enum wa_code known_since(struct wa_manager *m, struct wa_sv server_uuid, int64_t *ret,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf known;
    wa_buf_init(&known, 1024);
    if (wa_param_get(m->tdb, "server_uuid", &known, err) != WA_OK)
        return err->code;
    *ret = 0;
    return wa_sv_eq(wa_buf_sv(&known), server_uuid) ? wa_param_i64(m->tdb, "enrolled_at", ret, err)
                                                    : WA_OK;
}

/* is_renewal: proven by the machine's own key. */
static enum wa_code take_answer(struct wa_manager *m, struct wa_sv body, bool is_renewal,
                                struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO(wa_key) struct wa_key *relay = NULL;
    struct wa_register_answer a;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(body, 0, &arena, &j, err) != WA_OK ||
        wa_register_answer_read(j, &a, err) != WA_OK ||
        wa_key_read_public_pem(a.relay_key, &relay, err) != WA_OK)
        return wa_wrap(err, "the server's answer to the registration");
    if (!wa_sv_eqs(a.uuid, m->uuid))
        return wa_fail(err, WA_E_REFUSED, "the server registered another machine than this one");
    int64_t enrolled = 0;
    if (known_since(m, a.server_uuid, &enrolled, err) != WA_OK || wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    /* The enrolment's date is kept at a renewal with the machine's own key: orders on their way
     * stay good. At any other, what was ordered before is not for this machine. */
    if (wa_param_set_i64(m->tdb, "enrolled_at",
                         is_renewal && enrolled > 0 ? enrolled : wa_clock_now(), err) != WA_OK ||
        wa_param_set(m->tdb, "relay_key", a.relay_key, err) != WA_OK ||
        wa_param_set(m->tdb, "server_uuid", a.server_uuid, err) != WA_OK ||
        wa_param_set(m->tdb, "status_hashes", WA_SV(""), err) != WA_OK || /* of whoever was there */
        wa_param_set_i64(m->tdb, "twin_doubts", 0, err) != WA_OK ||
        wa_db_commit(m->tdb, err) != WA_OK) {
        wa_db_rollback(m->tdb);
        return err->code;
    }
    wa_tls_identity_take(m, a.certificate);
    return WA_OK;
}

/* How it is proven: as the request says, else by the machine's account, else by its own key. */
static void choose_credential(const struct wa_manager *m, const struct wa_local_request *r,
                              struct wa_register_msg *msg)
{
    if (r == NULL) {
        msg->cred = WA_CRED_KEY;
    } else if (r->token.n > 0) {
        msg->cred = WA_CRED_TOKEN;
        msg->token = r->token;
    } else if (r->server_user.n > 0) {
        msg->cred = WA_CRED_PASSWORD;
        msg->user = r->server_user;
        msg->password = r->server_password;
    } else {
        msg->cred = m->config.use_kerberos ? WA_CRED_KERBEROS : WA_CRED_KEY;
    }
}

/* A ticket for this statement alone. A directory that does not answer ends it: nothing else is
 * tried in its place. */
static enum wa_code add_ticket(struct wa_manager *m, struct wa_register_msg *msg,
                               struct wa_buf *ticket, struct wa_err *err)
{
    struct wa_url url;
    char binding[65];
    if (msg->cred != WA_CRED_KERBEROS)
        return WA_OK;
    if (wa_url_parse(wa_sv(m->config.wapt_server), &url, err) != WA_OK ||
        wa_register_binding(msg, binding, err) != WA_OK ||
        wa_helper_ticket(m->launcher, url.host, binding, ticket, err) != WA_OK)
        return err->code;
    msg->ticket = wa_buf_sv(ticket);
    return WA_OK;
}

static enum wa_code write_facts(const struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_inventory_names(&m->facts, &w);
    wa_jw_kv(&w, "os_name", m->facts.os_name);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* r NULL: by the machine's own key. */
static enum wa_code compose(struct wa_manager *m, const struct wa_local_request *r,
                            struct wa_sv certificate, struct wa_buf *text, bool *ret_is_renewal,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf facts, csr, ticket;
    wa_buf_init(&facts, WA_JSON_BYTES_MAX);
    wa_buf_init(&csr, WA_CSR_BYTES_MAX);
    wa_buf_init(&ticket, WA_TICKET_TEXT_MAX);
    struct wa_register_msg msg = {
        .uuid = wa_sv(m->uuid), .time = wa_clock_now(), .certificate = certificate};
    choose_credential(m, r, &msg);
    *ret_is_renewal = msg.cred == WA_CRED_KEY;
    if (wa_tls_identity_request(m, *ret_is_renewal, &csr, err) != WA_OK ||
        wa_param_next_seq(m->tdb, &msg.seq, err) != WA_OK || write_facts(m, &facts, err) != WA_OK)
        return err->code;
    msg.csr = wa_buf_sv(&csr);
    if (add_ticket(m, &msg, &ticket, err) != WA_OK)
        return err->code;
    return wa_register_write(&msg, wa_buf_sv(&facts), text, err);
}

/* With the addresses in place: key, statement, answer. r NULL: by the machine's own key. */
static enum wa_code enrol_once(struct wa_manager *m, const struct wa_local_request *r,
                               struct wa_err *err)
{
    bool is_renewal = false;
    WA_AUTO_BUF struct wa_buf certificate;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&certificate, 64u << 10);
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    if (wa_identity_make(m, &certificate, err) != WA_OK ||
        compose(m, r, wa_buf_sv(&certificate), &text, &is_renewal, err) != WA_OK ||
        post(m, "/agent/v1/register", false, wa_buf_sv(&text), &answer, err) != WA_OK)
        return err->code;
    /* A connection that began now would be followed by another, which shows the certificate. */
    wa_lock_take(m->lock);
    m->is_enrolling = true;
    wa_lock_give(m->lock);
    enum wa_code code = take_answer(m, wa_buf_sv(&answer), is_renewal, err);
    wa_lock_take(m->lock);
    m->is_enrolling = false;
    if (code == WA_OK) {
        m->registered = true;
        m->twin_doubts = 0;
    }
    wa_lock_give(m->lock);
    return code;
}

/* The options that the request sets, NUL-terminated in arena; NULL: left alone. */
static enum wa_code wanted_options(const struct wa_local_request *r, struct wa_arena *arena,
                                   const char *values[WA_COUNT(register_keys)], struct wa_err *err)
{
    struct wa_token token = {.server_fingerprint = ""};
    if (r->token.n > 0 && wa_token_parse(r->token, &token, err) != WA_OK)
        return err->code;
    /* The token came from a person and names the server's certificate: that is the fingerprint
     * given in advance (F1B). */
    const struct wa_sv given[] = {r->server_url, r->repo_url, wa_sv(token.server_fingerprint)};
    for (size_t i = 0; i < WA_COUNT(given); i++) {
        values[i] = given[i].n > 0 ? wa_arena_strdup(arena, given[i]) : NULL;
        if (given[i].n > 0 && values[i] == NULL)
            return wa_nomem(err);
    }
    return WA_OK;
}

/* Where the firmware's uuid is another machine's already - vendors repeat them, disks are cloned -
 * a token makes this one a machine of its own. An administrator who logs in decides otherwise. */
static enum wa_code enrol(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    char taken[WA_UUID_MAX + 1];
    if (enrol_once(m, &run->request, err) != WA_E_EXISTS || run->request.token.n == 0 ||
        !wa_identity_is_derived(m))
        return err->code;
    memcpy(taken, m->uuid, sizeof taken);
    wa_err_clear(err);
    if (wa_identity_change(m, WA_SV(""), false, err) != WA_OK)
        return err->code;
    wa_log(&m->log, WA_LOG_WARNING, "identity.taken", WA_LF_S("uuid", taken),
           WA_LF_S("instead", m->uuid));
    wa_task_say(run, "another machine is registered as '%s': this one becomes '%s'\n", taken,
                m->uuid);
    return enrol_once(m, &run->request, err);
}

enum wa_code wa_report_register(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_local_request *r = &run->request;
    const char *values[WA_COUNT(register_keys)] = {NULL};
    struct wa_agent_config other;
    WA_AUTO_ARENA struct wa_arena arena;
    wa_arena_init(&arena, 64u << 10);
    if (wanted_options(r, &arena, values, err) != WA_OK ||
        wa_agent_config_with(&m->config, register_keys, values, WA_COUNT(values), &other, err) !=
            WA_OK)
        return wa_wrap(err, "registering this machine");
    exchange_addresses(m, &other);
    enum wa_code code = enrol(run, err);
    if (code != WA_OK)
        exchange_addresses(m, &other); /* what was tried in vain leaves nothing */
    wa_agent_config_free(&other);
    if (code != WA_OK)
        return wa_wrap(err, "registering this machine");
    if ((values[0] != NULL || values[1] != NULL || values[2] != NULL) &&
        wa_agent_config_write(&m->config, register_keys, values, WA_COUNT(values), err) != WA_OK)
        return wa_wrap(err,
                       "the machine is registered, but its configuration could not be written");
    return WA_OK;
}

/* Whether it ever registered with its server. */
static bool is_enrolled(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t enrolled = 0;
    return wa_param_i64(m->tdb, "enrolled_at", &enrolled, &err) == WA_OK && enrolled != 0;
}

/* As long as the directory or the server does not answer, later and later. */
static void enrol_by_account(struct wa_manager *m)
{
    static const struct wa_local_request by_account = {.op = WA_OP_REGISTER};
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    if (wa_is_to_come(m->enrol_at, now, TRY_MAX_S))
        return;
    m->enrol_at = now + (int64_t)wa_backoff(ENROL_FIRST_S, TRY_MAX_S, m->enrol_tries++);
    if (enrol_once(m, &by_account, &err) != WA_OK) {
        wa_log_err(&m->log, WA_LOG_WARNING, "registration.later", &err);
        return;
    }
    wa_log(&m->log, WA_LOG_INFO, "registration.done", WA_LF_S("uuid", m->uuid));
    m->status_retry_at = now;
}

void wa_report_renew(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    if (m->once || m->config.wapt_server[0] == '\0' || m->twin_doubts > 0)
        return;
    if (!is_enrolled(m)) {
        if (m->config.use_kerberos)
            enrol_by_account(m);
        return;
    }
    if (!wa_tls_identity_is_due(m))
        return;
    if (enrol_once(m, NULL, &err) != WA_OK) {
        wa_log_err(&m->log, WA_LOG_WARNING, "certificate.not_renewed", &err);
        return;
    }
    wa_log(&m->log, WA_LOG_INFO, "certificate.renewed", WA_LF_S("uuid", m->uuid));
}

/* --- leaving --- */

static enum wa_code send_leave(struct wa_manager *m, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf answer;
    struct wa_leave_msg msg = {.uuid = wa_sv(m->uuid), .time = wa_clock_now()};
    wa_buf_init(&text, 4096);
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    if (wa_param_next_seq(m->tdb, &msg.seq, err) != WA_OK ||
        wa_leave_write(&msg, &text, err) != WA_OK)
        return err->code;
    return wa_report_post(m, "/agent/v1/report", wa_buf_sv(&text), &answer, err);
}

/* The server first: cut in between, the machine still has the key with which to say it again. */
enum wa_code wa_report_unregister(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_err why = WA_ERR_INIT;
    if (m->key == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "this machine is not registered");
    if (send_leave(m, &why) != WA_OK) {
        if (why.code != WA_E_AUTH && !run->request.force) {
            *err = why;
            return wa_wrap(err,
                           "the server still has this machine (--force forgets it here alone)");
        }
        wa_task_say(run, "%s\n", why.text);
    }
    if (wa_identity_forget(m, err) != WA_OK)
        return wa_wrap(err, "forgetting the registration");
    wa_log(&m->log, WA_LOG_WARNING, "identity.unregistered", WA_LF_S("uuid", m->uuid),
           WA_LF_S("by", run->task->created_by), WA_LF_S("server", why.text));
    return WA_OK;
}

/* --- what is owed --- */

/* The server has had a report of this number: from a copy of this machine that is ahead of it, or
 * from this one, whose database is older than it was. Neither may go on writing that row. */
static enum wa_code doubt(struct wa_manager *m, int64_t times, struct wa_err *err)
{
    wa_lock_take(m->lock);
    m->twin_doubts = times;
    wa_lock_give(m->lock);
    if (times == WA_TWIN_DOUBTS_MAX)
        wa_log(
            &m->log, WA_LOG_ERROR, "identity.twin", WA_LF_S("uuid", m->uuid),
            WA_LF_S("why", "another machine reports with this one's key: this one is silent now"));
    return wa_param_set_i64(m->tdb, "twin_doubts", times, err);
}

static enum wa_code twin_error(const struct wa_manager *m, struct wa_err *err)
{
    wa_err_clear(err);
    return wa_fail(err, WA_E_CONFLICT,
                   "another machine reports as '%s', with its key: give one of them an identity of "
                   "its own ('wapt-get generate-uuid', then 'wapt-get register')",
                   m->uuid);
}

enum wa_code wa_report_send(struct wa_manager *m, struct wa_sv text, struct wa_buf *answer,
                            struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    if (m->key == NULL)
        return wa_fail(err, WA_E_CONFIG, "this machine is not registered: use 'wapt-get register'");
    /* One try at a start and each day: a server that was wrong, or lied, is not believed for ever,
     * and a copy falls further behind all the time. */
    if (m->twin_doubts >= WA_TWIN_DOUBTS_MAX && wa_is_to_come(m->twin_try_at, now, TWIN_TRY_S))
        return twin_error(m, err);
    m->twin_try_at = now + TWIN_TRY_S;
    if (wa_report_post(m, "/agent/v1/report", text, answer, err) == WA_OK)
        return m->twin_doubts == 0 ? WA_OK : doubt(m, 0, err);
    if (err->code != WA_E_EXISTS)
        return err->code;
    if (doubt(m, m->twin_doubts + 1, &why) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &why);
    return m->twin_doubts >= WA_TWIN_DOUBTS_MAX ? twin_error(m, err) : err->code;
}

static enum wa_code send_result(struct wa_manager *m, const struct wa_outbox_item *i,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    struct wa_result_msg msg = {.uuid = wa_sv(m->uuid),
                                .time = wa_clock_now(),
                                .action_id = wa_sv(i->action_id),
                                .state = wa_sv(i->state),
                                .code = wa_sv(i->code),
                                .message = wa_sv(i->message)};
    if (wa_param_next_seq(m->tdb, &msg.seq, err) != WA_OK ||
        wa_result_write(&msg, wa_sv(i->packages), &text, err) != WA_OK)
        return err->code;
    return wa_report_send(m, wa_buf_sv(&text), &answer, err);
}

/* Later for what may pass; an answer that will never change ends it. */
static bool may_pass(enum wa_code code)
{
    return code != WA_E_INVALID && code != WA_E_NOT_FOUND && code != WA_E_LIMIT;
}

void wa_report_outbox(struct wa_manager *m)
{
    if (m->key == NULL || m->twin_doubts >= WA_TWIN_DOUBTS_MAX ||
        wa_is_to_come(m->outbox_after, wa_clock_now(), WA_OUTBOX_PAUSE_MAX_S))
        return;
    for (int round = 0; round < 64; round++) {
        struct wa_outbox_item item;
        struct wa_err err = WA_ERR_INIT, why = WA_ERR_INIT;
        bool found = false;
        if (wa_outbox_next(m->tdb, wa_clock_now(), &item, &found, &err) != WA_OK || !found)
            break;
        enum wa_code code = send_result(m, &item, &why);
        if (code == WA_OK || !may_pass(code)) {
            if (code != WA_OK)
                wa_log_err(&m->log, WA_LOG_WARNING, "report.dropped", &why);
            code = wa_outbox_done(m->tdb, item.id, &err);
            m->outbox_failures = 0;
        } else { /* the others would fare no better, each after a time-out of its own */
            int64_t delay =
                (int64_t)wa_backoff(TRY_FIRST_S, WA_OUTBOX_PAUSE_MAX_S, m->outbox_failures++);
            wa_log_err(&m->log, WA_LOG_INFO, "report.later", &why);
            m->outbox_after = wa_clock_now() + delay;
            code = wa_outbox_later(m->tdb, item.id, m->outbox_after, &err);
        }
        wa_outbox_item_fini(&item);
        if (code != WA_OK)
            wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
        if (code != WA_OK || m->outbox_failures > 0)
            break;
    }
}
