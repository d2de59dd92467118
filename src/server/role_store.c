/* role_store.c - the store's process: channels to the others, questions under way, the clock. */
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "server/store_priv.h"

#define SIGNER_FD 3
#define FRONT_FD 6
#define CLOCK_MS 2000

struct wa_store_question {
    struct wa_store_question *next;
    uint32_t id;
    wa_store_reply_fn fn;
    void *user;
};

enum wa_code wa_store_ask(struct wa_store *s, struct wa_chan *whom, uint16_t type,
                          struct wa_sv payload, wa_store_reply_fn fn, void *user,
                          struct wa_err *err)
{
    struct wa_store_question *q = wa_calloc(1, sizeof *q);
    if (q == NULL)
        return wa_nomem(err);
    *q = (struct wa_store_question){s->questions, ++s->next_id, fn, user};
    if (wa_chan_post(whom, type, q->id, payload, -1, err) != WA_OK) {
        wa_free(q);
        return err->code;
    }
    s->questions = q;
    return WA_OK;
}

static void on_reply(void *user, const struct wa_chan_msg *msg)
{
    struct wa_store *s = user;
    for (struct wa_store_question **at = &s->questions; *at != NULL; at = &(*at)->next) {
        struct wa_store_question *q = *at;
        if (q->id != msg->id)
            continue;
        *at = q->next;
        q->fn(s, q->user, msg->payload);
        wa_free(q);
        return;
    }
}

/* --- requests of fronts --- */

void wa_store_request_free(struct wa_store_request *r)
{
    wa_buf_fini_secret(&r->body);
    wa_wipe(r->bearer, sizeof r->bearer);
    wa_free(r->query);
    wa_free(r);
}

void wa_store_answer(struct wa_store_request *r, int status, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_IPC_MESSAGE_MAX);
    wa_buf_addf(&text, "{\"status\":%d}\n", status);
    wa_buf_addsv(&text, body);
    if (wa_buf_check(&text, &err) != WA_OK ||
        wa_chan_post(r->store->fronts[r->front], WA_S_ANSWER, r->id, wa_buf_sv(&text), -1, &err) !=
            WA_OK)
        wa_log_err(&r->store->child.log, WA_LOG_ERROR, "answer.lost", &err);
    wa_store_request_free(r);
}

void wa_store_answer_err(struct wa_store_request *r, const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_key(&w, "error");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(err->code));
    wa_jw_kv(&w, "message", err->text);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_store_answer(r, wa_code_http(err->code), wa_buf_sv(&body));
}

static enum wa_code read_request(struct wa_store_request *r, struct wa_sv payload,
                                 struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv head = {NULL, 0}, rest = payload, method = {NULL, 0}, path = {NULL, 0},
                 query = {NULL, 0}, bearer = {NULL, 0}, peer = {NULL, 0};
    const struct wa_json_field fields[] = {{"method", WA_WANT_SV, true, 7, &method},
                                           {"path", WA_WANT_SV, true, 1023, &path},
                                           {"query", WA_WANT_SV, true, 8192, &query},
                                           {"bearer", WA_WANT_SV, true, 159, &bearer},
                                           {"peer", WA_WANT_SV, true, 63, &peer}};
    wa_arena_init(&arena, 256u << 10);
    if (!wa_sv_split(&rest, '\n', &head) || wa_json_parse(head, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a request of a front", err) != WA_OK ||
        wa_sv_dup(query, &r->query, err) != WA_OK)
        return err->code == WA_OK
                   ? wa_fail(err, WA_E_INVALID, "a request of a front without a head")
                   : err->code;
    (void)snprintf(r->method, sizeof r->method, "%.*s", WA_SV_ARG(method));
    (void)snprintf(r->path, sizeof r->path, "%.*s", WA_SV_ARG(path));
    (void)snprintf(r->bearer, sizeof r->bearer, "%.*s", WA_SV_ARG(bearer));
    (void)snprintf(r->peer, sizeof r->peer, "%.*s", WA_SV_ARG(peer));
    wa_buf_addsv(&r->body, rest);
    return wa_buf_check(&r->body, err);
}

static void on_request(struct wa_store *s, int front, const struct wa_chan_msg *msg)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_request *r = wa_calloc(1, sizeof *r);
    if (r == NULL)
        return;
    *r = (struct wa_store_request){.store = s, .front = front, .id = msg->id};
    wa_buf_init(&r->body, WA_SERVER_BODY_MAX);
    if (read_request(r, msg->payload, &err) != WA_OK)
        wa_store_answer_err(r, &err);
    else if (strcmp(r->path, "/agent/v1/register") == 0)
        wa_store_register(r);
    else if (strcmp(r->path, "/agent/v1/report") == 0)
        wa_store_report(r);
    else
        wa_store_api(r);
}

/* --- connections of agents --- */

static enum wa_code requeue(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(
            s->db,
            "UPDATE actions SET state = 'queued' WHERE state = 'sent' AND (?1 = '' OR uuid = ?1)",
            &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    return wa_run(q, err);
}

static void on_gone(struct wa_store *s, int front, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t conn = -1;
    wa_arena_init(&arena, 4096);
    if (wa_json_parse(payload, 0, &arena, &j, &err) != WA_OK ||
        !wa_json_i64(wa_json_get(j, "conn"), &conn))
        return;
    for (struct wa_store_conn **at = &s->conns; *at != NULL; at = &(*at)->next) {
        struct wa_store_conn *c = *at;
        if (c->front != front || c->id != (uint32_t)conn)
            continue;
        *at = c->next;
        /* What was sent and not acknowledged waits for the next connection. */
        if (wa_store_set_reachable(s->db, wa_sv(c->uuid), false, wa_clock_now(), &err) != WA_OK ||
            requeue(s, c->uuid, &err) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
        wa_free(c);
        return;
    }
}

static void on_ack(struct wa_store *s, int front, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *q;
    int64_t conn = -1;
    wa_arena_init(&arena, 4096);
    if (wa_json_parse(payload, 0, &arena, &j, &err) != WA_OK ||
        !wa_json_i64(wa_json_get(j, "conn"), &conn))
        return;
    for (struct wa_store_conn *c = s->conns; c != NULL; c = c->next) {
        if (c->front != front || c->id != (uint32_t)conn)
            continue;
        if (wa_db_prepare(s->db,
                          "UPDATE actions SET state = 'delivered', updated = ? WHERE id = ? AND "
                          "uuid = ? AND state = 'sent'",
                          &q, &err) != WA_OK)
            break;
        wa_bind_i64(q, 0, wa_clock_now());
        wa_bind_sv(q, 1, wa_json_sv(wa_json_get(j, "id")));
        wa_bind_s(q, 2, c->uuid);
        if (wa_run(q, &err) == WA_OK)
            return;
        break;
    }
    if (err.code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
}

/* Each front has a watcher, so that a message is known by where it came from. */
struct front_watch {
    struct wa_store *store;
    int front;
};

static void on_front(void *user, const struct wa_chan_msg *msg)
{
    struct front_watch *f = user;
    switch (msg->type) {
    case WA_S_REQUEST:
        on_request(f->store, f->front, msg);
        break;
    case WA_S_HELLO:
        wa_store_hello(f->store, f->front, msg->id, msg->payload);
        break;
    case WA_S_ACK:
        on_ack(f->store, f->front, msg->payload);
        break;
    case WA_S_GONE:
        on_gone(f->store, f->front, msg->payload);
        break;
    default:
        break;
    }
}

/* Any of the others gone: the supervisor starts all of us anew. */
static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_store *s = user;
    if (code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "channel.failed", err);
    wa_loop_stop(s->loop);
}

static void on_front_end(void *user, enum wa_code code, const struct wa_err *err)
{
    on_end(((struct front_watch *)user)->store, code, err);
}

static void on_clock(void *user)
{
    wa_store_dispatch(user, "");
}

/* --- start --- */

static enum wa_code open_channels(struct wa_store *s, struct front_watch *watches,
                                  struct wa_err *err)
{
    static const enum wa_server_role helpers[] = {WA_SR_SIGNER, WA_SR_AUTH, WA_SR_SCAN};
    struct wa_chan **const chans[] = {&s->signer, &s->auth, &s->scan};
    for (size_t i = 0; i < WA_COUNT(helpers); i++)
        if (wa_chan_new(SIGNER_FD + (int)i, wa_server_rules(helpers[i], WA_SR_STORE), chans[i],
                        err) != WA_OK ||
            wa_chan_attach(*chans[i], s->loop, on_reply, on_end, s, err) != WA_OK)
            return err->code;
    s->front_count = (size_t)s->child.config.fronts;
    for (size_t i = 0; i < s->front_count; i++) {
        watches[i] = (struct front_watch){s, (int)i};
        if (wa_chan_new(FRONT_FD + (int)i, wa_server_rules(WA_SR_FRONT, WA_SR_STORE), &s->fronts[i],
                        err) != WA_OK ||
            wa_chan_attach(s->fronts[i], s->loop, on_front, on_front_end, &watches[i], err) !=
                WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The public half of the relay key, for machines that register; the private one is the signer's
 * alone. */
static enum wa_code read_relay(struct wa_store *s, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf pem;
    size_t n = 0;
    wa_buf_init(&pem, 16u << 10);
    if (wa_server_path(&s->child.config, "private/relay.pub", path, err) != WA_OK ||
        wa_path_read(path, 16u << 10, &pem, err) != WA_OK)
        return err->code;
    return wa_buf_steal(&pem, &s->relay_public, &n, err);
}

static enum wa_code run(struct wa_store *s, struct front_watch *watches, const char *config_file,
                        struct wa_err *err)
{
    char db[WA_PATH_MAX];
    if (wa_server_child_init(&s->child, WA_SR_STORE, config_file, err) != WA_OK ||
        read_relay(s, err) != WA_OK || wa_server_path(&s->child.config, "db", db, err) != WA_OK ||
        wa_server_path(&s->child.config, s->child.config.trusted_signers, s->trusted, err) !=
            WA_OK ||
        wa_loop_new(&s->loop, err) != WA_OK)
        return err->code;
    const char *const reads[] = {s->trusted, NULL};
    const char *const writes[] = {db, NULL};
    if (wa_server_child_confine(&s->child, WA_SR_STORE,
                                WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, reads, writes,
                                false, err) != WA_OK ||
        wa_store_open(s->child.config.dir, &s->db, err) != WA_OK ||
        wa_db_exec(s->db, "UPDATE hosts SET reachable = 0", err) != WA_OK ||
        requeue(s, "", err) != WA_OK || open_channels(s, watches, err) != WA_OK ||
        wa_timer_new(s->loop, on_clock, s, &s->clock, err) != WA_OK)
        return err->code;
    wa_timer_start(s->clock, CLOCK_MS, CLOCK_MS);
    return wa_loop_run(s->loop, err);
}

int wa_server_store(const char *config_file)
{
    static struct wa_store store; /* large, one a process */
    static struct front_watch watches[WA_STORE_FRONTS];
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&store, watches, config_file, &err);
    wa_db_close(store.db);
    return wa_server_child_end(&store.child, code, &err);
}
