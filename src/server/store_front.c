/* store_front.c - what fronts say: requests, greetings, acknowledgements, connections that ended.
 *
 * A front could have been taken over: it can lie about what clients said, but a connection is known
 * by the front it came from, statements are judged by their signatures, and its messages reach no
 * other front's connections.
 */
#include "base/mem.h"
#include "base/text.h"
#include "net/http_server.h"
#include "os/clock.h"
#include "server/api_list.h"
#include "server/api_page.h"
#include "server/inventory.h"

/* --- requests --- */

static void forget_search(struct wa_store_request *r)
{
    struct wa_store_request **at = &r->store->searches;
    while (*at != NULL && *at != r)
        at = &(*at)->next_search;
    if (*at != NULL)
        *at = r->next_search;
}

void wa_store_request_free(struct wa_store_request *r)
{
    if (r->is_search)
        forget_search(r);
    wa_buf_fini_secret(&r->body);
    wa_wipe(r->bearer, sizeof r->bearer);
    wa_free(r->query);
    wa_free(r->pem);
    wa_free(r);
}

/* next: query of the next page; "" when there is none. */
static void answer(struct wa_store_request *r, int status, const char *type, struct wa_sv next,
                   struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, WA_IPC_MESSAGE_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "status", status);
    if (type != NULL)
        wa_jw_kv(&w, "type", type);
    if (next.n > 0)
        wa_jw_kvsv(&w, "next", next);
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    wa_buf_addsv(&text, body);
    if (wa_buf_check(&text, &err) == WA_OK)
        wa_store_reply_front(r->store, r->front, r->id, status, &text);
    else
        wa_log_err(&r->store->child.log, WA_LOG_ERROR, "answer.lost", &err);
    wa_store_request_free(r);
}

static void answer_table(struct wa_store_request *r, struct wa_sv json)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf next;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 32768);
    wa_buf_init(&next, 16384);
    if (wa_api_table_write(r, json, &out, &next, &err) == WA_OK)
        answer(r, 200, "csv", wa_buf_sv(&next), wa_buf_sv(&out));
    else
        wa_store_answer_err(r, &err);
}

static void answer_whole(struct wa_store_request *r, struct wa_sv json)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 32768);
    enum wa_code code = wa_api_whole_cut(r, json, &out, &err);
    r->whole = NULL;
    if (code == WA_OK)
        wa_store_answer(r, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(r, &err);
}

void wa_store_answer(struct wa_store_request *r, int status, struct wa_sv body)
{
    if (status == 200)
        wa_api_acted(r);
    if (status == 200 && r->whole != NULL)
        answer_whole(r, body);
    else if (status == 200 && r->table.route != NULL)
        answer_table(r, body);
    else
        answer(r, status, NULL, WA_SV(""), body);
}

void wa_store_answer_as(struct wa_store_request *r, const char *type, struct wa_sv body)
{
    if (type == NULL)
        wa_store_answer(r, 200, body);
    else
        answer(r, 200, type, WA_SV(""), body);
}

void wa_store_answer_err(struct wa_store_request *r, const struct wa_err *why)
{
    struct wa_err shown = *why;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 8192);
    if (wa_code_http(why->code) >= 500)
        wa_log(&r->store->child.log, WA_LOG_ERROR, "request.failed", WA_LF_S("path", r->path),
               WA_LF_S("peer", r->peer), WA_LF_S("why", why->text));
    wa_server_hide(&shown);
    wa_http_err_body(&shown, &body);
    r->store->counts->refused[why->code]++;
    wa_store_answer(r, wa_code_http(shown.code), wa_buf_sv(&body));
}

static enum wa_code read_request(struct wa_store_request *r, struct wa_sv payload,
                                 struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv head = {NULL, 0}, rest = payload, method = {NULL, 0}, path = {NULL, 0},
                 query = {NULL, 0}, bearer = {NULL, 0}, peer = {NULL, 0}, machine = {NULL, 0},
                 last_event = {NULL, 0}, person = {NULL, 0}, pem = {NULL, 0};
    bool is_question = false;
    const struct wa_json_field fields[] = {{"method", WA_WANT_SV, true, 7, &method},
                                           {"path", WA_WANT_SV, true, 1023, &path},
                                           {"query", WA_WANT_SV, true, 8192, &query},
                                           {"bearer", WA_WANT_SV, true, 159, &bearer},
                                           {"peer", WA_WANT_SV, true, 63, &peer},
                                           {"machine", WA_WANT_SV, false, WA_UUID_MAX, &machine},
                                           {"person", WA_WANT_SV, false, 64, &person},
                                           {"pem", WA_WANT_SV, false, WA_HTTP_HEAD_MAX, &pem},
                                           {"last_event", WA_WANT_SV, false, 23, &last_event},
                                           {"question", WA_WANT_BOOL, false, 0, &is_question}};
    wa_arena_init(&arena, 256u << 10);
    if (!wa_sv_split(&rest, '\n', &head) || wa_json_parse(head, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a request of a front", err) != WA_OK ||
        wa_sv_dup(query, &r->query, err) != WA_OK ||
        (pem.n > 0 && wa_sv_dup(pem, &r->pem, err) != WA_OK))
        return err->code == WA_OK
                   ? wa_fail(err, WA_E_INVALID, "a request of a front without a head")
                   : err->code;
    (void)snprintf(r->method, sizeof r->method, "%.*s", WA_SV_ARG(method));
    (void)snprintf(r->path, sizeof r->path, "%.*s", WA_SV_ARG(path));
    (void)snprintf(r->bearer, sizeof r->bearer, "%.*s", WA_SV_ARG(bearer));
    (void)snprintf(r->peer, sizeof r->peer, "%.*s", WA_SV_ARG(peer));
    (void)snprintf(r->person, sizeof r->person, "%.*s", WA_SV_ARG(person));
    (void)snprintf(r->machine, sizeof r->machine, "%.*s", WA_SV_ARG(machine));
    (void)snprintf(r->last_event, sizeof r->last_event, "%.*s", WA_SV_ARG(last_event));
    r->is_question = is_question;
    wa_buf_addsv(&r->body, rest);
    return wa_buf_check(&r->body, err);
}

static void on_request(struct wa_store *s, int front, const struct wa_chan_msg *msg)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_request *r = wa_calloc(1, sizeof *r);
    if (r == NULL) {
        if (wa_chan_post(s->fronts[front], WA_S_ANSWER, msg->id, WA_SV("{\"status\":503}\n"), -1,
                         &err) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_ERROR, "answer.lost", &err);
        return;
    }
    *r = (struct wa_store_request){
        .store = s, .front = front, .id = msg->id, .language = msg->language};
    wa_buf_init(&r->body, WA_SERVER_BODY_MAX);
    if (read_request(r, msg->payload, &err) != WA_OK) {
        wa_store_answer_err(r, &err);
        return;
    }
    static const struct {
        const char *path;
        void (*fn)(struct wa_store_request *r);
    } statements[] = {[WA_STORE_REGISTER] = {"/agent/v1/register", wa_store_register},
                      [WA_STORE_REPORT] = {"/agent/v1/report", wa_store_report},
                      [WA_STORE_LOGIN] = {"/agent/v1/login", wa_store_login}};
    for (size_t i = 0; i < WA_COUNT(statements); i++) {
        if (strcmp(r->path, statements[i].path) != 0)
            continue;
        s->counts->requests[i]++;
        statements[i].fn(r);
        return;
    }
    s->counts->requests[WA_STORE_API]++;
    wa_store_api(r);
}

#define GUEST_S 600 /* s: then the fronts are told again; they remember for longer */

void wa_store_guest(struct wa_store *s, const char *peer)
{
    int64_t now = wa_clock_now();
    if (peer[0] == '\0' || wa_guests_has(&s->guests, peer, now))
        return;
    wa_guests_add(&s->guests, wa_sv(peer), now + GUEST_S);
    for (size_t i = 0; i < s->front_count; i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_chan_post(s->fronts[i], WA_S_GUEST, 0, wa_sv(peer), -1, &err) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_ERROR, "front.lost", &err);
    }
}

/* --- connections of agents --- */

/* Two statements: by one for both, each machine that leaves would have all that is sent looked
 * through. */
enum wa_code wa_store_requeue(struct wa_store *s, const char *uuid, struct wa_err *err)
{
#define REQUEUE "UPDATE actions SET state = 'queued', node = '' WHERE state = 'sent' AND "
    static const char *const sql[] = {REQUEUE "(?1 = '' OR node = ?1)",
                                      REQUEUE "(?1 = '' OR node = ?1) AND uuid = ?2"};
    struct wa_stmt *q;
    bool is_one = uuid[0] != '\0';
    if (wa_db_prepare(s->db, sql[is_one], &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, s->node.is_alone ? "" : s->child.config.node);
    if (is_one)
        wa_bind_s(q, 1, uuid);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    s->owes_dispatch |= wa_db_changes(s->db) > 0;
    return WA_OK;
}

/* A connection's place in conns_by_id. */
struct place {
    char bytes[sizeof(int32_t) + sizeof(uint32_t)];
};

static struct wa_sv place_of(int front, uint32_t id, struct place *p)
{
    const int32_t f = front;
    memcpy(p->bytes, &f, sizeof f);
    memcpy(p->bytes + sizeof f, &id, sizeof id);
    return wa_sv_n(p->bytes, sizeof p->bytes);
}

struct wa_store_conn *wa_store_conn_of(const struct wa_store *s, const char *uuid)
{
    return wa_map_get(&s->conns_by_uuid, wa_sv(uuid));
}

struct wa_store_conn *wa_store_conn_at(const struct wa_store *s, int front, uint32_t id)
{
    struct place p;
    return wa_map_get(&s->conns_by_id, place_of(front, id, &p));
}

static void take_out(struct wa_store *s, const struct wa_store_conn *c)
{
    struct place p;
    (void)wa_map_take(&s->conns_by_uuid, wa_sv(c->uuid));
    (void)wa_map_take(&s->conns_by_id, place_of(c->front, c->id, &p));
}

enum wa_code wa_store_connect(struct wa_store *s, struct wa_store_conn *c, struct wa_err *err)
{
    struct place p;
    struct wa_sv place = place_of(c->front, c->id, &p);
    if (wa_map_get(&s->conns_by_id, place) != NULL)
        return wa_fail(err, WA_E_REFUSED, "a connection that has greeted already");
    wa_store_disconnect(s, c->uuid); /* one machine, one connection: the newest */
    if (wa_map_put(&s->conns_by_uuid, wa_sv(c->uuid), c, NULL, err) != WA_OK)
        return err->code;
    if (wa_map_put(&s->conns_by_id, place, c, NULL, err) != WA_OK)
        (void)wa_map_take(&s->conns_by_uuid, wa_sv(c->uuid));
    return err->code;
}

void wa_store_forget(struct wa_store *s)
{
    for (size_t i = 0; i < s->conns_by_uuid.n; i++)
        wa_free(s->conns_by_uuid.items[i].value);
    wa_map_fini(&s->conns_by_uuid);
    wa_map_fini(&s->conns_by_id);
}

/* The message's connection; NULL when it is none. */
static struct wa_store_conn *find(const struct wa_store *s, int front, const struct wa_json *j)
{
    int64_t id = -1;
    if (!wa_json_i64(wa_json_get(j, "conn"), &id) || id < 0 || id > UINT32_MAX)
        return NULL;
    return wa_store_conn_at(s, front, (uint32_t)id);
}

static void database_failed(const struct wa_store *s, const struct wa_err *err)
{
    wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", err);
}

/* What was sent to it and not acknowledged waits again. */
static void left(struct wa_store *s, const struct wa_store_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    const char *uuid = c->uuid;
    wa_fleet_set_reachable(s->fleet, wa_sv(uuid), false, wa_clock_now());
    wa_node_presence(s, uuid);
    wa_store_event(s, WA_EVENT_HOST, "disconnected", wa_sv(uuid), WA_SV(""), WA_SV(""));
    if (!c->was_sent || wa_store_requeue(s, uuid, &err) == WA_OK)
        return;
    s->owes_requeue = true;
    database_failed(s, &err);
}

enum wa_code wa_store_mend(struct wa_store *s, struct wa_err *err)
{
    if (s->owes_requeue && wa_store_requeue(s, "", err) != WA_OK)
        return err->code;
    s->owes_requeue = false;
    return WA_OK;
}

static void on_gone(struct wa_store *s, int front, const struct wa_json *j)
{
    struct wa_store_conn *c = find(s, front, j);
    if (c == NULL) { /* a watcher; or it never greeted, or a newer one has taken its place */
        int64_t id = -1;
        if (wa_json_i64(wa_json_get(j, "conn"), &id) && id >= 0 && id <= UINT32_MAX)
            wa_store_watcher_gone(s, front, (uint32_t)id);
        return;
    }
    take_out(s, c);
    left(s, c);
    wa_free(c);
}

void wa_store_disconnect(struct wa_store *s, const char *uuid)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_conn *c = wa_store_conn_of(s, uuid);
    if (c == NULL)
        return;
    take_out(s, c);
    if (wa_chan_post(s->fronts[c->front], WA_S_CLOSE, c->id, WA_SV(""), -1, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "close.lost", &err);
    left(s, c);
    wa_free(c);
}

static void on_ack(struct wa_store *s, int front, const struct wa_json *j)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_store_conn *c = find(s, front, j);
    if (c == NULL)
        return;
    struct wa_sv id = wa_json_sv(wa_json_get(j, "id"));
    bool has_begun = wa_json_bool(wa_json_get(j, "begun"));
    const char *to = has_begun ? "running" : "delivered";
    if (wa_store_action_step(s->db, id, c->uuid, has_begun ? "delivered" : "sent", to, "", &err) !=
        WA_OK)
        database_failed(s, &err);
    else if (wa_db_changes(s->db) > 0)
        wa_store_event(s, WA_EVENT_ACTION, "state", wa_sv(c->uuid), id, wa_sv(to));
}

/* {"conn":...} of a front; one that is not well formed is no loss. */
static void on_conn(struct wa_store *s, int front, const struct wa_chan_msg *msg)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16u << 10);
    if (wa_json_parse(msg->payload, 0, &arena, &j, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "front.bad_message", &err);
    else if (msg->type == WA_S_ACK)
        on_ack(s, front, j);
    else
        on_gone(s, front, j);
}

void wa_store_front(struct wa_store *s, int front, const struct wa_chan_msg *msg)
{
    wa_store_gather(s);
    switch (msg->type) {
    case WA_S_REQUEST:
        on_request(s, front, msg);
        break;
    case WA_S_HELLO:
        s->counts->requests[WA_STORE_HELLO]++;
        wa_store_hello(s, front, msg->id, msg->payload);
        break;
    case WA_S_COUNTS:
        if (msg->payload.n == sizeof s->counts->fronts[front])
            memcpy(&s->counts->fronts[front], msg->payload.p, msg->payload.n);
        break;
    case WA_S_SAME:
        wa_store_same(s, front, msg->id, msg->payload);
        break;
    case WA_S_SEEN:
        wa_store_seen(s, front, msg->payload);
        break;
    case WA_S_QUEUE:
        wa_queue_take(s, front, msg->id, msg->payload);
        break;
    case WA_S_ACK:
    case WA_S_GONE:
        on_conn(s, front, msg);
        break;
    default:
        break;
    }
}

/* --- what has expired --- */

#define CLEAN_S 600
#define TOKEN_KEPT_S (30 * 86400) /* so that a list still shows it */

#define ACTIONS_KEPT_S (90 * 86400) /* after their time is over; the journal has them for ever */
#define ACTIONS_AT_ONCE 2000        /* the next ones at the next turn: nobody waits for it */

static void forget_actions(struct wa_store *s, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    bool has_more = false;
    if (!wa_node_leads(s))
        return;
    if (wa_store_forget_actions(s->db, now - ACTIONS_KEPT_S, ACTIONS_AT_ONCE, &has_more, &err) !=
        WA_OK)
        database_failed(s, &err);
    if (has_more)
        s->cleaned_at = 0;
}

void wa_store_clean(struct wa_store *s, int64_t now)
{
    static const struct {
        const char *sql;
        int64_t kept;
    } what[] = {{"DELETE FROM certificates WHERE not_after <= ?", 86400},
                {"DELETE FROM tokens WHERE expires <= ?", TOKEN_KEPT_S}};
    if (now >= s->cleaned_at && now - s->cleaned_at < CLEAN_S)
        return;
    s->cleaned_at = now;
    struct wa_err failed = WA_ERR_INIT;
    if (wa_store_clean_access(s->db, now, s->child.config.session_idle, &failed) != WA_OK)
        database_failed(s, &failed);
    for (size_t i = 0; i < WA_COUNT(what); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_stmt *q;
        if (wa_db_prepare(s->db, what[i].sql, &q, &err) == WA_OK) {
            wa_bind_i64(q, 0, now - what[i].kept);
            if (wa_run(q, &err) == WA_OK)
                continue;
        }
        database_failed(s, &err);
    }
    struct wa_err err = WA_ERR_INIT;
    if (wa_inventory_forget(s->db, now, &err) != WA_OK)
        database_failed(s, &err);
    forget_actions(s, now);
}
