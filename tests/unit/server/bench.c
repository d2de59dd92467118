/* bench.c - the store's surroundings, played honestly or as a test wants them. */
#include "bench.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/rand.h"
#include "proto/action.h"
#include "proto/push.h"
#include "server/answers.h"
#include "server/report.h"
#include "server/search.h"
#include "server/store_check.h"

static void must(enum wa_code code, const struct wa_err *err)
{
    if (code != WA_OK)
        fail_msg("%s: %s", wa_code_name(code), err->text);
}

/* --- life --- */

static void nothing(void *user, const struct wa_chan_msg *msg)
{
    WA_UNUSED(user);
    WA_UNUSED(msg);
}

static void ended(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(code);
    WA_UNUSED(err);
}

static void join(struct bench *b, enum wa_server_role role, struct wa_chan **ours,
                 struct wa_chan **theirs)
{
    int pair[2];
    struct wa_err err = WA_ERR_INIT;
    must(wa_socketpair(pair, &err), &err);
    must(wa_chan_new(pair[0], wa_server_rules(role, WA_SR_STORE), ours, &err), &err);
    must(wa_chan_attach(*ours, b->store->loop, nothing, ended, b, &err), &err);
    must(wa_chan_new(pair[1], wa_server_rules(WA_SR_STORE, role), theirs, &err), &err);
}

static void make_dir(const struct bench *b, const char *name, char *path)
{
    (void)snprintf(path, WA_PATH_MAX, "%.3000s/%s", b->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* "" for SQLite, or the PostgreSQL of $WA_TEST_PG_URL, emptied. */
static const char *database(void)
{
    const char *url = getenv("WA_TEST_PG_URL");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (url == NULL)
        return "";
    must(wa_db_open(url, &db, &err), &err);
    must(wa_db_exec(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err), &err);
    return url;
}

static struct wa_buf schema; /* bytes of an empty database */

static void free_schema(void)
{
    wa_buf_fini(&schema);
}

/* An empty database, made once a process: bringing the schema up takes longer than most tests. */
static void copy_schema(const struct bench *b)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%.3000s/db/waptserver.sqlite", b->dir);
    if (schema.n == 0) {
        WA_AUTO(wa_db) struct wa_db *db = NULL;
        must(wa_store_open(b->dir, "", &db, &err), &err);
        wa_db_close(db);
        db = NULL;
        wa_buf_init(&schema, 4u << 20);
        must(wa_path_read(path, 4u << 20, &schema, &err), &err);
        (void)atexit(free_schema);
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(schema.p, 1, schema.n, f), schema.n);
    assert_int_equal(fclose(f), 0);
}

/* other: whose database it shares; NULL: it gets one of its own. */
static void make(struct bench *b, const struct bench *other, const char *node)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    const char *url = other == NULL ? database() : other->url;
    *b = (struct bench){.url = url};
    wa_buf_init(&b->order, WA_WS_MESSAGE_MAX);
    wa_buf_init(&b->revoked, WA_IPC_MESSAGE_MAX);
    wa_test_tmpdir(b->dir);
    make_dir(b, "db", path);
    struct wa_store *s = b->store = wa_calloc(1, sizeof *s);
    assert_non_null(s);
    s->child.log.fd = -1;
    wa_map_init(&s->conns_by_uuid, 1);
    wa_map_init(&s->conns_by_id, 0);
    must(wa_senders_new(&s->senders, &err), &err);
    make_dir(b, "trusted", s->trusted);
    (void)snprintf(s->root, sizeof s->root, "%.4000s/root.json", b->dir);
    must(wa_loop_new(&s->loop, &err), &err);
    if (url[0] == '\0' && other == NULL)
        copy_schema(b);
    must(wa_store_open(other == NULL ? b->dir : other->dir, url, &s->db, &err), &err);
    if (url[0] == '\0') /* nobody pulls the plug here, and there are thousands of these */
        must(wa_db_exec(s->db, "PRAGMA synchronous = OFF", &err), &err);
    must(wa_sv_dup(wa_sv(node), &s->child.config.node, &err), &err);
    s->node.is_alone = url[0] == '\0' && other == NULL;
    must(wa_node_join(s, &err), &err);
    must(wa_fleet_new(&s->fleet, &err), &err);
    must(wa_store_load_fleet(s->db, s->fleet, &err), &err);
    must(wa_store_set_user(s->db, "admin", "H", "superadmin", &err), &err);
    must(wa_sv_dup(WA_SV("server-uuid"), &s->child.config.server_uuid, &err), &err);
    must(wa_sv_dup(WA_SV("relay key"), &s->relay_public, &err), &err);
    must(wa_sv_dup(WA_SV("timestamp key"), &s->timestamp_public, &err), &err);
    must(wa_sv_dup(WA_SV("optional"), &s->child.config.second_factor, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.ldap_roles, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.oidc_roles, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.ldap_account, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.oidc_issuer, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.certificate_issuers, &err), &err);
    must(wa_sv_dup(WA_SV("cn"), &s->child.config.certificate_name, &err), &err);
    s->child.config.directory_session = 600;
    s->child.config.directory_tokens = 86400;
    s->child.config.session_idle = 3600;
    s->child.config.session_max = 12 * 3600;
    must(wa_key_new_p256(&b->relay, &err), &err);
    static const struct wa_cert_request authority = {
        .cn = "authority", .is_ca = true, .path_length = 0, .days = 1000};
    must(wa_cert_issue(&authority, b->relay, NULL, NULL, &b->authority, &err), &err);
    (void)snprintf(s->child.config.dir, sizeof s->child.config.dir, "%.3000s", b->dir);
    s->child.config.client_cert_days = 90;
    join(b, WA_SR_FRONT, &s->fronts[0], &b->front);
    for (int role = WA_SR_SIGNER; role < WA_SR_COUNT; role++)
        join(b, (enum wa_server_role)role, &s->helpers[role], &b->helpers[role]);
    must(wa_sv_dup(WA_SV("token, login"), &s->child.config.registration, &err), &err);
    must(wa_sv_dup(WA_SV("directory.example.org"), &s->child.config.ldap_servers, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.kerberos_unit, &err), &err);
    s->front_count = 1;
    s->child.config.upload_max = s->child.config.upload_person = s->child.config.upload_all = 64;
    s->child.config.upload_days = 7;
    must(wa_sv_dup(WA_SV(""), &s->child.config.webhook_networks, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.wol_ports, &err), &err);
    must(wa_sv_dup(WA_SV(""), &s->child.config.wol_networks, &err), &err);
    s->counts = wa_calloc(1, sizeof *s->counts);
    assert_non_null(s->counts);
    wa_buf_init(&b->stream, 16u << 20);
    wa_buf_init(&b->hook_asked, 1u << 20);
    must(wa_events_new(wa_clock_now(), 0, &s->events, &err), &err);
    s->hooked = wa_events_last(s->events);
}

void bench_new(struct bench *b)
{
    make(b, NULL, "server-uuid");
}

void bench_new_beside(struct bench *b, struct bench *other, const char *node)
{
    struct wa_err err = WA_ERR_INIT;
    if (other->store->node.is_alone) { /* not any more */
        other->store->node.is_alone = false;
        wa_node_fini(other->store);
        must(wa_node_join(other->store, &err), &err);
    }
    make(b, other, node);
}

void bench_free(struct bench *b)
{
    struct wa_store *s = b->store;
    wa_chan_free(s->fronts[0]);
    wa_chan_free(b->front);
    for (size_t i = 0; i < WA_SR_COUNT; i++) {
        wa_chan_free(s->helpers[i]);
        wa_chan_free(b->helpers[i]);
    }
    wa_store_forget(s);
    assert_int_equal(s->unnoted, 0);
    assert_null(s->questions);
    wa_node_fini(s);
    wa_store_events_close(s);
    wa_buf_fini(&b->stream);
    wa_buf_fini(&b->hook_asked);
    wa_db_close(s->db);
    wa_fleet_free(s->fleet);
    wa_store_checks_end(s);
    wa_senders_free(s->senders);
    wa_key_free(s->sender);
    wa_digest_free(s->digest);
    wa_loop_free(s->loop);
    wa_key_free(b->relay);
    wa_cert_free(b->authority);
    wa_buf_fini(&b->revoked);
    wa_buf_fini(&b->order);
    wa_free(s->counts);
    wa_server_config_free(&s->child.config);
    wa_free(s->relay_public);
    wa_free(s->timestamp_public);
    wa_free(s);
    wa_test_tmpdir_remove(b->dir);
}

/* --- messages --- */

void bench_send(struct bench *b, uint16_t type, uint32_t id, struct wa_sv payload)
{
    const struct wa_chan_msg msg = {.type = type, .id = id, .payload = payload, .fd = -1};
    if (b->is_tortured)
        wa_torture_resume();
    wa_store_front(b->store, 0, &msg);
    if (b->is_tortured)
        wa_torture_pause();
}

static bool next(struct wa_chan *c, struct wa_chan_msg *msg)
{
    struct wa_err err = WA_ERR_INIT;
    return wa_chan_recv(c, 0, msg, &err) == WA_OK;
}

static void reply(struct bench *b, enum wa_server_role who, const struct wa_chan_msg *to,
                  struct wa_sv text)
{
    const struct wa_chan_msg msg = {
        .type = wa_server_rules(who, WA_SR_STORE)->type, .id = to->id, .payload = text, .fd = -1};
    if (b->is_tortured)
        wa_torture_resume();
    wa_store_reply(b->store, who, &msg);
    if (b->is_tortured)
        wa_torture_pause();
}

/* As the report process does, with less patience. */
static void run_report(const struct bench *b, struct wa_sv question, struct wa_buf *out)
{
    char url[WA_STORE_URL];
    struct wa_err err = WA_ERR_INIT;
    struct wa_foreign f = {.url = url, .max_ms = 1000, .max_bytes = 1u << 20};
    f.views = wa_report_views(&f.view_count);
    const char *database = b->store->child.config.report_database;
    wa_store_url(b->dir, database != NULL ? database : "", url);
    must(wa_report_answer(&f, question, out, &err), &err);
}

/* Hashing takes too long here: "H" is the hash of BENCH_PASSWORD, "X" of any other. */
static void serve_auth(struct bench *b, const struct wa_chan_msg *msg)
{
    struct wa_auth_keys keys = {.nobody = ""};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1024);
    if (wa_sv_starts(msg->payload, WA_S_FACTOR "\n") || wa_sv_starts(msg->payload, WA_S_CODE "\n"))
        must(wa_auth_answer(&keys, msg->payload, &text, &err), &err);
    else if (wa_sv_starts(msg->payload, WA_S_MAKE "\n"))
        wa_buf_adds(&text, wa_sv_eqs(msg->payload, WA_S_MAKE "\n" BENCH_PASSWORD) ? "H" : "X");
    else
        wa_buf_adds(&text, wa_sv_eqs(msg->payload, "H\n" BENCH_PASSWORD) ? "ok" : "no");
    reply(b, WA_SR_AUTH, msg, wa_buf_sv(&text));
}

static bool serve_helpers(struct bench *b)
{
    struct wa_chan_msg msg;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_IPC_MESSAGE_MAX);
    if (next(b->helpers[WA_SR_AUTH], &msg)) {
        serve_auth(b, &msg);
        return true;
    }
    if (next(b->helpers[WA_SR_SIGNER], &msg)) {
        struct wa_signer_keys keys = {b->relay, b->relay, {b->authority, b->relay}};
        must(wa_signer_answer(&keys, msg.payload, &text, &err), &err);
        reply(b, WA_SR_SIGNER, &msg,
              b->signer_answer != NULL ? wa_sv(b->signer_answer) : wa_buf_sv(&text));
        return true;
    }
    if (next(b->helpers[WA_SR_OIDC], &msg)) {
        (void)snprintf(b->oidc_asked, sizeof b->oidc_asked, "%.*s", WA_SV_ARG(msg.payload));
        reply(b, WA_SR_OIDC, &msg, wa_sv(b->oidc_answer));
        return true;
    }
    if (next(b->helpers[WA_SR_KERBEROS], &msg)) {
        (void)snprintf(b->kerberos_asked, sizeof b->kerberos_asked, "%.*s", WA_SV_ARG(msg.payload));
        reply(b, WA_SR_KERBEROS, &msg, wa_sv(b->kerberos_answer));
        return true;
    }
    if (next(b->helpers[WA_SR_DIRECTORY], &msg)) {
        (void)snprintf(b->directory_asked, sizeof b->directory_asked, "%.*s",
                       WA_SV_ARG(msg.payload));
        reply(b, WA_SR_DIRECTORY, &msg,
              wa_sv(b->directory_answer != NULL
                        ? b->directory_answer
                        : "{\"right\":false,\"groups\":[],\"reason\":\"nobody\"}"));
        return true;
    }
    if (next(b->helpers[WA_SR_HOOK], &msg)) {
        b->hooked++;
        wa_buf_clear(&b->hook_asked);
        wa_buf_addsv(&b->hook_asked, msg.payload);
        reply(b, WA_SR_HOOK, &msg,
              wa_sv(b->hook_answer != NULL ? b->hook_answer : "{\"status\":204}"));
        return true;
    }
    if (next(b->helpers[WA_SR_SEARCH], &msg)) {
        must(wa_search_answer(b->store->db, msg.payload, &text, &err), &err);
        reply(b, WA_SR_SEARCH, &msg, wa_buf_sv(&text));
        return true;
    }
    if (next(b->helpers[WA_SR_REPORT], &msg)) {
        run_report(b, msg.payload, &text);
        reply(b, WA_SR_REPORT, &msg, wa_buf_sv(&text));
        return true;
    }
    if (next(b->helpers[WA_SR_WAKE], &msg)) {
        struct wa_wake_where where;
        const struct wa_server_config *c = &b->store->child.config;
        must(wa_wake_where_read(c->wol_ports, c->wol_networks, &where, &err), &err);
        must(wa_wake_answer(&where, msg.payload, &text, &err), &err);
        reply(b, WA_SR_WAKE, &msg,
              b->wake_answer != NULL ? wa_sv(b->wake_answer) : wa_buf_sv(&text));
        return true;
    }
    const enum wa_server_role who = next(b->helpers[WA_SR_SCAN], &msg)    ? WA_SR_SCAN
                                    : next(b->helpers[WA_SR_TRUST], &msg) ? WA_SR_TRUST
                                                                          : WA_SR_COUNT;
    if (who == WA_SR_COUNT)
        return false;
    (void)snprintf(b->scan_asked, sizeof b->scan_asked, "%.*s", WA_SV_ARG(msg.payload));
    bool is_part = wa_sv_starts(msg.payload, "{\"op\":\"part\"");
    reply(b, who, &msg,
          wa_sv(is_part ? "{\"code\":\"ok\",\"message\":\"\",\"bytes\":0}"
                : b->scan_answer != NULL
                    ? b->scan_answer
                    : "{\"code\":\"ok\",\"message\":\"\",\"file\":\"a.wapt\",\"list\":{}}"));
    return true;
}

/* A piece of a stream: is kept. */
static bool is_piece(struct bench *b, const struct wa_chan_msg *msg)
{
    struct wa_sv rest = msg->payload, head = {NULL, 0};
    assert_true(wa_sv_split(&rest, '\n', &head));
    if (!wa_sv_starts(head, "{\"status\":200,\"type\":\"events\","))
        return false;
    b->stream_open = wa_sv_ends(head, "\"open\":true}");
    b->stream_id = msg->id;
    wa_buf_addsv(&b->stream, rest);
    return true;
}

static void read_next(struct bench *b, struct wa_sv head)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 65536);
    must(wa_json_parse(head, 0, &arena, &j, &err), &err);
    (void)snprintf(b->next, sizeof b->next, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "next"))));
}

void bench_revive(struct bench *b, enum wa_server_role role)
{
    wa_chan_free(b->helpers[role]);
    join(b, role, &b->store->helpers[role], &b->helpers[role]);
}

bool bench_serve(struct bench *b, uint32_t id, int *ret_status, struct wa_buf *out)
{
    struct wa_chan_msg msg;
    bool answered = false;
    while (!b->is_silent && serve_helpers(b))
        ;
    while (next(b->front, &msg)) {
        struct wa_sv rest = msg.payload, head = {NULL, 0};
        if (msg.type == WA_S_ANSWER) {
            b->order_of[0] = b->order_of[1];
            b->order_of[1] = msg.id;
        }
        if (msg.type == WA_S_ORDER) {
            b->orders++;
            b->order_to = msg.id;
            wa_buf_clear(&b->order);
            wa_buf_addsv(&b->order, msg.payload);
        } else if (msg.type == WA_S_REVOKED) {
            wa_buf_clear(&b->revoked);
            wa_buf_addsv(&b->revoked, msg.payload);
        } else if (msg.type == WA_S_GUEST) {
            b->guests++;
        } else if (msg.type == WA_S_KNOWN) {
            b->known_to = msg.id;
            b->is_known = !wa_sv_eqs(msg.payload, "0");
            b->may_remember = wa_sv_eqs(msg.payload, "1");
        } else if (msg.type == WA_S_WATCH) {
            b->watched++;
            b->watched_last = msg.id;
        } else if (msg.type == WA_S_CHANGED) {
            b->changed++;
        } else if (msg.type == WA_S_CLOSE) {
            b->closed++;
            b->closed_last = msg.id;
        } else if (is_piece(b, &msg)) {
            answered = answered || msg.id == id;
            *ret_status = 200;
        } else if (msg.id == id) {
            assert_false(answered);
            answered = true;
            assert_true(wa_sv_split(&rest, '\n', &head));
            assert_int_equal(sscanf(head.p, "{\"status\":%d", ret_status), 1);
            read_next(b, head);
            if (out != NULL)
                wa_buf_addsv(out, rest);
        }
    }
    return answered;
}

uint32_t bench_pass(struct bench *b, const char *peer, const char *method, const char *path,
                    const char *query, const char *bearer, struct wa_sv body)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_SERVER_BODY_MAX + 65536);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", method);
    wa_jw_kv(&w, "path", path);
    wa_jw_kv(&w, "query", query);
    wa_jw_kv(&w, "bearer", bearer);
    wa_jw_kv(&w, "peer", peer);
    wa_jw_kv(&w, "machine", b->shown);
    if (b->person != NULL)
        wa_jw_kv(&w, "person", b->person);
    if (b->pem != NULL)
        wa_jw_kv(&w, "pem", b->pem);
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    wa_buf_addsv(&text, body);
    bench_send(b, WA_S_REQUEST, ++b->id, wa_buf_sv(&text));
    return b->id;
}

int bench_ask_from(struct bench *b, const char *peer, const char *method, const char *path,
                   const char *query, const char *bearer, struct wa_sv body, struct wa_buf *out)
{
    int status = 0;
    if (out != NULL)
        wa_buf_clear(out);
    uint32_t id = bench_pass(b, peer, method, path, query, bearer, body);
    return bench_serve(b, id, &status, out) ? status : 0;
}

int bench_ask(struct bench *b, const char *method, const char *path, const char *query,
              const char *bearer, struct wa_sv body, struct wa_buf *out)
{
    return bench_ask_from(b, "10.0.0.1", method, path, query, bearer, body, out);
}

int bench_publish(struct bench *b, const char *bearer, const char *host, struct wa_buf *out)
{
    char body[512], path[128], id[33] = "";
    WA_AUTO_BUF struct wa_buf own;
    wa_buf_init(&own, 8192);
    (void)snprintf(body, sizeof body, "{\"%s\":\"%s\",\"size\":5,\"sha256\":\"%064u\"}",
                   host != NULL ? "host" : "name", host != NULL ? host : "a_1_all.wapt", b->id);
    struct wa_buf *into = out != NULL ? out : &own;
    int status = bench_ask(b, "POST", "/api/v1/uploads", "", bearer, wa_sv(body), into);
    if (status != 200)
        return status;
    assert_int_equal(sscanf(wa_buf_str(into), "{\"id\":\"%32[0-9a-f]\"", id), 1);
    (void)snprintf(path, sizeof path, "/api/v1/uploads/%s/finish", id);
    return bench_ask(b, "POST", path, "", bearer, WA_SV(""), into);
}

int bench_login(struct bench *b, const char *peer, const char *user, const char *password,
                char token[65])
{
    char body[512];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    (void)snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    int status = bench_ask_from(b, peer, "POST", "/api/v1/session", "", "", wa_sv(body), &out);
    if (status == 200 && token != NULL)
        assert_int_equal(sscanf(wa_buf_str(&out), "{\"token\":\"%64[0-9a-f]\"", token), 1);
    return status;
}

/* --- the database --- */

void bench_query(struct bench *b, const char *sql, char *out, size_t size)
{
    struct wa_stmt *s;
    bool row = false;
    struct wa_err err = WA_ERR_INIT;
    must(wa_db_prepare(b->store->db, sql, &s, &err), &err);
    must(wa_step(s, &row, &err), &err);
    (void)snprintf(out, size, "%.*s", row ? (int)wa_col_sv(s, 0).n : 0,
                   row ? wa_col_sv(s, 0).p : "");
    wa_reset(s);
}

void bench_exec(struct bench *b, const char *sql)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_db_exec(b->store->db, sql, &err), &err);
}

void bench_forbid(struct bench *b, bool is_forbidden)
{
    bool is_sqlite = strcmp(wa_db_driver(b->store->db), "sqlite") == 0;
    struct wa_err err = WA_ERR_INIT;
    const char *sql =
        !is_forbidden ? is_sqlite ? "DROP TRIGGER no" : "DROP TRIGGER no ON actions"
        : is_sqlite
            ? "CREATE TRIGGER no BEFORE UPDATE OF state ON actions BEGIN SELECT RAISE(ABORT, 'not "
              "now'); END"
            : "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE "
              "EXCEPTION ''not now''; END'; CREATE TRIGGER no BEFORE UPDATE OF state ON actions "
              "FOR EACH ROW EXECUTE FUNCTION no()";
    must(wa_db_exec(b->store->db, sql, &err), &err);
}

void bench_token(struct bench *b, const char *token, int64_t expires, int64_t uses)
{
    char digest[WA_SHA256_HEX];
    struct wa_err err = WA_ERR_INIT;
    must(wa_sha256_hex(token, strlen(token), digest, &err), &err);
    must(wa_store_add_token(b->store->db, digest, expires, uses, &err), &err);
}

bool bench_is_here(const struct bench *b, const char *uuid)
{
    const struct wa_fleet_host *h = wa_fleet_get(b->store->fleet, wa_sv(uuid));
    return h != NULL && h->is_reachable;
}

/* --- machines --- */

void machine_new(struct machine *m, const char *uuid)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    *m = (struct machine){.seq = 0};
    (void)snprintf(m->uuid, sizeof m->uuid, "%s", uuid);
    const struct wa_cert_request what = {.cn = m->uuid, .path_length = -1, .days = 100};
    wa_buf_init(&m->cert, 64u << 10);
    wa_buf_init(&m->csr, 64u << 10);
    wa_buf_init(&m->answer, 1u << 20);
    must(wa_key_new_p256(&m->key, &err), &err);
    must(wa_cert_issue(&what, m->key, NULL, NULL, &cert, &err), &err);
    must(wa_cert_write_pem(cert, &m->cert, &err), &err);
}

void machine_free(struct machine *m)
{
    wa_key_free(m->key);
    wa_buf_fini(&m->cert);
    wa_buf_fini(&m->csr);
    wa_buf_fini(&m->answer);
}

struct machine machine_again(const struct machine *m)
{
    struct machine again = *m;
    wa_buf_init(&again.answer, 1u << 20);
    return again;
}

void machine_seal(const struct machine *m, struct wa_sv text, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 16u << 20);
    must(wa_envelope_seal(text, m->key, out, &err), &err);
}

static int post(struct bench *b, struct machine *m, const char *path, struct wa_sv text)
{
    WA_AUTO_BUF struct wa_buf body;
    machine_seal(m, text, &body);
    return bench_ask(b, "POST", path, "", "", wa_buf_sv(&body), &m->answer);
}

int machine_register(struct bench *b, struct machine *m, enum wa_cred_kind cred, const char *secret)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf body;
    const char *space = strchr(secret, ' ');
    struct wa_register_msg msg = {.uuid = wa_sv(m->uuid),
                                  .seq = ++m->seq,
                                  .time = wa_clock_now(),
                                  .certificate = wa_buf_sv(&m->cert),
                                  .csr = wa_buf_sv(&m->csr),
                                  .cred = cred,
                                  .token = wa_sv(secret),
                                  .ticket = wa_sv(secret)};
    if (cred == WA_CRED_PASSWORD) {
        msg.user = wa_sv_n(secret, (size_t)(space - secret));
        msg.password = wa_sv(space + 1);
    }
    wa_buf_init(&text, 1u << 20);
    must(wa_register_write(&msg, wa_sv(b->facts != NULL ? b->facts : "{\"computer_name\":\"pc\"}"),
                           &text, &err),
         &err);
    machine_seal(m, wa_buf_sv(&text), &body);
    return bench_ask(b, "POST", "/agent/v1/register", "", "", wa_buf_sv(&body), &m->answer);
}

int machine_status(struct bench *b, struct machine *m, const char *status)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv sections[WA_SEC_COUNT] = {{NULL, 0}};
    const struct wa_section_digests digests = {{""}};
    WA_AUTO_BUF struct wa_buf text;
    char json[64];
    (void)snprintf(json, sizeof json, "\"%s\"", status);
    sections[WA_SEC_HOST_STATUS] = wa_sv(json);
    wa_buf_init(&text, 1u << 20);
    must(wa_status_write(wa_sv(m->uuid), ++m->seq, wa_clock_now(), sections, &digests, &text, &err),
         &err);
    int got = post(b, m, "/agent/v1/report", wa_buf_sv(&text));
    return got;
}

int machine_result(struct bench *b, struct machine *m, const char *id, const char *state,
                   const char *code, const char *message)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_result_msg msg = {.uuid = wa_sv(m->uuid),
                                      .seq = ++m->seq,
                                      .time = wa_clock_now(),
                                      .action_id = wa_sv(id),
                                      .state = wa_sv(state),
                                      .code = wa_sv(code),
                                      .message = wa_sv(message)};
    wa_buf_init(&text, 1u << 20);
    must(wa_result_write(&msg, WA_SV(""), &text, &err), &err);
    return post(b, m, "/agent/v1/report", wa_buf_sv(&text));
}

int machine_greet(struct bench *b, struct machine *m, uint32_t conn)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf hello;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_hello h = {.seq = m->seq, .time = wa_clock_now()};
    struct wa_jw w;
    int status = 0;
    wa_buf_init(&hello, 64u << 10);
    wa_buf_init(&text, 128u << 10);
    (void)snprintf(h.uuid, sizeof h.uuid, "%s", m->uuid);
    must(wa_rand_hex(h.nonce, 32, &err), &err);
    must(wa_rand_hex(h.agent_nonce, 32, &err), &err);
    must(wa_rand_hex(h.channel, 32, &err), &err);
    must(wa_push_hello_write(&h, m->key, &hello, &err), &err);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "conn", conn);
    wa_jw_kv(&w, "nonce", h.nonce);
    wa_jw_kv(&w, "channel", h.channel);
    wa_jw_kv(&w, "machine", b->shown);
    wa_jw_kvsv(&w, "text", wa_buf_sv(&hello));
    wa_jw_end(&w);
    bench_send(b, WA_S_HELLO, conn, wa_buf_sv(&text));
    assert_true(bench_serve(b, conn, &status, NULL));
    return status;
}

/* --- people --- */

void person_new(struct bench *b, struct person *p, bool trusted)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    const struct wa_cert_request what = {
        .cn = "Deployer", .path_length = -1, .is_ca = true, .days = 100};
    *p = (struct person){.key = NULL};
    wa_buf_init(&pem, 64u << 10);
    must(wa_key_new_p256(&p->key, &err), &err);
    must(wa_cert_issue(&what, p->key, NULL, NULL, &cert, &err), &err);
    must(wa_cert_write_pem(cert, &pem, &err), &err);
    must(wa_certs_read_pem(wa_buf_sv(&pem), 1, &p->chain, &err), &err);
    (void)snprintf(path, sizeof path, "%.4000s/p.crt", b->store->trusted);
    if (trusted)
        must(wa_path_replace(path, wa_buf_sv(&pem), 0644, &err), &err);
}

void person_free(struct person *p)
{
    wa_key_free(p->key);
    wa_certs_fini(&p->chain);
}

void person_order(const struct person *p, const char *const *uuids, size_t count, char (*ids)[33],
                  struct wa_buf *out)
{
    person_orders(p, WA_ACT_UPDATE, uuids, count, ids, out);
}

void person_orders(const struct person *p, enum wa_action_kind kind, const char *const *uuids,
                   size_t count, char (*ids)[33], struct wa_buf *out)
{
    static const char *const packages[] = {"tis-x"};
    bool takes = wa_action_kind_takes(kind) == WA_TAKES_SOME;
    person_signs(p, kind, uuids, count, takes ? packages : NULL, ids, out);
}

void person_signs(const struct person *p, enum wa_action_kind kind, const char *const *uuids,
                  size_t count, const char *const *item, char (*ids)[33], struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf texts[8];
    struct wa_sv views[8];
    struct wa_action_batch *batch = NULL;
    int64_t now = wa_clock_now();
    assert_true(count <= WA_COUNT(texts));
    for (size_t i = 0; i < count; i++) {
        struct wa_action a = {
            .kind = kind, .issued_at = now, .not_before = now, .not_after = now + 3600};
        (void)snprintf(a.uuid, sizeof a.uuid, "%s", uuids[i]);
        must(wa_rand_hex(a.id, 16, &err), &err);
        memcpy(ids[i], a.id, 33);
        wa_buf_init(&texts[i], WA_ACTION_BYTES_MAX);
        must(wa_action_write(&a, item, item != NULL ? 1 : 0, &texts[i], &err), &err);
        views[i] = wa_buf_sv(&texts[i]);
    }
    must(wa_action_batch_sign(views, count, p->key, &p->chain, now, &batch, &err), &err);
    wa_buf_init(out, 1u << 20);
    wa_buf_adds(out, "{\"orders\":[");
    for (size_t i = 0; i < count; i++) {
        wa_buf_adds(out, i > 0 ? "," : "");
        must(wa_action_batch_order(batch, i, out, &err), &err);
        wa_buf_fini(&texts[i]);
    }
    wa_buf_adds(out, "]}");
    wa_action_batch_free(batch);
}

int pair_setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    machine_new(&p->other, "other");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->other, WA_CRED_TOKEN, "t"), 200);
    *state = p;
    return 0;
}

int pair_teardown(void **state)
{
    struct pair *p = *state;
    machine_free(&p->m);
    machine_free(&p->other);
    bench_free(&p->b);
    free(p);
    return 0;
}

void trio_say(struct trio *t, size_t i, const char *sections)
{
    struct machine *m = &t->m[i];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 65536);
    wa_buf_addf(&text,
                "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,%s}",
                m->uuid, (long long)++m->seq, (long long)wa_clock_now(), sections);
    assert_int_equal(post(&t->b, m, "/agent/v1/report", wa_buf_sv(&text)), 200);
}

int trio_setup(void **state, const char *const sections[3])
{
    static const char *const uuids[] = {"a", "b", "c"};
    struct wa_err err = WA_ERR_INIT;
    struct trio *t = calloc(1, sizeof *t);
    assert_non_null(t);
    bench_new(&t->b);
    bench_token(&t->b, "t", INT64_MAX, 10);
    for (size_t i = 0; i < 3; i++) {
        machine_new(&t->m[i], uuids[i]);
        assert_int_equal(machine_register(&t->b, &t->m[i], WA_CRED_TOKEN, "t"), 200);
        trio_say(t, i, sections[i]);
    }
    struct wa_db *db = t->b.store->db;
    assert_int_equal(bench_login(&t->b, "10.0.0.1", "admin", BENCH_PASSWORD, t->admin), 200);
    must(wa_store_set_user(db, "limited", "H", "readonly", &err), &err);
    must(wa_store_set_perimeter(db, "limited", "{\"groups\":[\"sales\"]}", &err), &err);
    must(wa_store_set_names(db, WA_SV("b"), WA_SV("sales"), &err), &err);
    must(wa_store_show_names(db, WA_SV("b"), t->b.store->fleet, &err), &err);
    assert_int_equal(bench_login(&t->b, "10.0.0.1", "limited", BENCH_PASSWORD, t->limited), 200);
    *state = t;
    return 0;
}

int trio_teardown(void **state)
{
    struct trio *t = *state;
    for (size_t i = 0; i < 3; i++)
        machine_free(&t->m[i]);
    bench_free(&t->b);
    free(t);
    return 0;
}
