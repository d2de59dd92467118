/* store_api.c - what the console asks: sessions, hosts, orders, packages. Every call but the login
 * needs a session; every right is checked in wa_store_api(), nowhere else.
 */
#include "base/mem.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "crypto/trust.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/action.h"
#include "proto/hostid.h"
#include "server/store_priv.h"

#define SESSION_S 3600
#define PACKAGES "/api/v1/packages/"
#define HOST_PACKAGES "/api/v1/host-packages/"
#define REPOSITORY "/api/v1/repository/" /* root, published: documents signed elsewhere */
#define ORDERS_MAX 10000u

/* --- login --- */

struct login {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1];
};

static enum wa_code make_session(struct wa_store *s, const char *user, struct wa_buf *answer,
                                 struct wa_err *err)
{
    char token[65], digest[WA_SHA256_HEX];
    struct wa_jw w;
    int64_t expires = wa_clock_now() + SESSION_S;
    if (wa_rand_hex(token, 32, err) != WA_OK ||
        wa_sha256_hex(token, strlen(token), digest, err) != WA_OK ||
        wa_store_add_session(s->db, digest, wa_sv(user), expires, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "token", token);
    wa_jw_kvi(&w, "expires", expires);
    wa_jw_kv(&w, "user", user);
    wa_jw_end(&w);
    wa_wipe(token, sizeof token);
    return wa_buf_check(answer, err);
}

static void on_login(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    wa_buf_init(&answer, 4096);
    bool ok = wa_sv_eqs(payload, "ok");
    if (ok)
        wa_throttle_good(&s->throttle, l->request->peer, l->user);
    else
        (void)wa_fail(&err, WA_E_AUTH, "user or password is wrong");
    wa_log(&s->child.log, ok ? WA_LOG_INFO : WA_LOG_WARNING, ok ? "login.granted" : "login.denied",
           WA_LF_S("user", l->user), WA_LF_S("peer", l->request->peer));
    if (ok && make_session(s, l->user, &answer, &err) == WA_OK)
        wa_store_answer(l->request, 200, wa_buf_sv(&answer));
    else
        wa_store_answer_err(l->request, &err);
    wa_free(l);
}

static enum wa_code start_login(struct wa_store_request *r, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv user = {NULL, 0}, password = {NULL, 0};
    const struct wa_json_field fields[] = {{"user", WA_WANT_SV, true, WA_NAME_MAX, &user},
                                           {"password", WA_WANT_SV, true, 1024, &password}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&r->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a login", err) != WA_OK)
        return err->code;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->request = r;
    (void)snprintf(l->user, sizeof l->user, "%.*s", WA_SV_ARG(user));
    enum wa_code code =
        wa_throttle_begin(&r->store->throttle, r->peer, l->user, wa_clock_now(), err);
    if (code == WA_E_BUSY)
        wa_log(&r->store->child.log, WA_LOG_WARNING, "login.throttled", WA_LF_S("user", l->user),
               WA_LF_S("peer", r->peer));
    if (code == WA_OK)
        code = wa_store_ask_password(r->store, user, password, on_login, l, err);
    if (code != WA_OK)
        wa_free(l);
    return code;
}

/* --- hosts --- */

static enum wa_code list_hosts(struct wa_store *s, struct wa_buf *out, struct wa_err *err)
{
    static const char *const texts[] = {"uuid", "name", "fqdn", "os", "status"};
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = false;
    enum wa_code code;
    if (wa_db_prepare(s->db,
                      "SELECT uuid, name, fqdn, os, status, reachable, last_seen, registered_at "
                      "FROM hosts ORDER BY name, uuid",
                      &q, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    for (code = wa_step(q, &row, err); code == WA_OK && row; code = wa_step(q, &row, err)) {
        wa_jw_obj(&w);
        for (int i = 0; i < (int)WA_COUNT(texts); i++)
            wa_jw_kvsv(&w, texts[i], wa_col_sv(q, i));
        wa_jw_kvb(&w, "reachable", wa_col_i64(q, 5) != 0);
        wa_jw_kvi(&w, "last_seen", wa_col_i64(q, 6));
        wa_jw_kvi(&w, "registered_at", wa_col_i64(q, 7));
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

static enum wa_code show_host(struct wa_store *s, const char *uuid, struct wa_buf *out,
                              struct wa_err *err)
{
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = false;
    size_t count = 0;
    enum wa_code code;
    if (wa_db_prepare(s->db,
                      "SELECT section, content FROM sections WHERE uuid = ? ORDER BY section", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (code = wa_step(q, &row, err); code == WA_OK && row; code = wa_step(q, &row, err)) {
        wa_jw_keysv(&w, wa_col_sv(q, 0));
        wa_jw_raw(&w, wa_col_sv(q, 1));
        count++;
    }
    wa_jw_end(&w);
    if (code == WA_OK && count == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", uuid);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

/* --- orders --- */

/* The order is whole, and its signer one of those whose orders are passed on. The machines judge
 * for themselves again. */
static enum wa_code take_order(struct wa_store *s, const struct wa_json *j,
                               const struct wa_trust *trusted, const char *batch,
                               struct wa_arena *arena, struct wa_jw *w, struct wa_err *err)
{
    struct wa_order o;
    struct wa_trust_result who;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf pem;
    int64_t seq = 0;
    bool known = false;
    wa_buf_init(&text, 512u << 10);
    wa_buf_init(&pem, 64u << 10);
    if (wa_order_read(j, arena, &o, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_order_check_signature(&o, err);
    if (code == WA_OK)
        code = wa_trust_check(trusted, &o.chain, wa_clock_now(), &who, err);
    if (code == WA_OK)
        code = wa_store_host(s->db, wa_sv(o.action.uuid), &pem, &seq, &known, err);
    if (code == WA_OK && !known)
        code = wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", o.action.uuid);
    wa_json_write(j, &text);
    if (code == WA_OK)
        code = wa_buf_check(&text, err);
    if (code == WA_OK)
        code = wa_store_add_action(s->db, o.action.id, batch, o.action.uuid,
                                   wa_action_kind_name(o.action.kind), wa_buf_sv(&text),
                                   o.action.not_before, o.action.not_after, o.signer,
                                   wa_clock_now(), err);
    if (code == WA_OK) {
        wa_jw_obj(w);
        wa_jw_kv(w, "id", o.action.id);
        wa_jw_kv(w, "uuid", o.action.uuid);
        wa_jw_kv(w, "state", "queued");
        wa_jw_end(w);
    }
    wa_order_fini(&o);
    return code;
}

static void log_orders(const struct wa_store_request *r, const char *user, const char *batch,
                       size_t count, const struct wa_err *err)
{
    wa_log(&r->store->child.log, err->code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           err->code == WA_OK ? "orders.taken" : "orders.refused", WA_LF_S("user", user),
           WA_LF_S("peer", r->peer), WA_LF_S("batch", batch), WA_LF_I("count", count),
           WA_LF_S("why", err->text));
}

static enum wa_code take_orders(struct wa_store_request *r, const char *user, struct wa_buf *out,
                                struct wa_err *err)
{
    struct wa_store *s = r->store;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO(wa_trust) struct wa_trust *trusted = NULL;
    const struct wa_json *j = NULL, *orders = NULL;
    char batch[33];
    struct wa_jw w;
    const struct wa_json_field fields[] = {{"orders", WA_WANT_ARRAY, true, ORDERS_MAX, &orders}};
    wa_arena_init(&arena, 512u << 20);
    if (wa_json_parse(wa_buf_sv(&r->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, 1, "orders", err) != WA_OK ||
        wa_trust_new(&trusted, err) != WA_OK ||
        wa_trust_add_dir(trusted, s->trusted, err) != WA_OK ||
        wa_rand_hex(batch, 16, err) != WA_OK || wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "batch", batch);
    wa_jw_key(&w, "actions");
    wa_jw_arr(&w);
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i < wa_json_count(orders); i++)
        code = take_order(s, wa_json_at(orders, i), trusted, batch, &arena, &w, err);
    wa_jw_end(&w);
    wa_jw_end(&w);
    if (code == WA_OK)
        code = wa_buf_check(out, err);
    if (code == WA_OK)
        code = wa_db_commit(s->db, err);
    log_orders(r, user, batch, wa_json_count(orders), err);
    if (code != WA_OK) {
        wa_db_rollback(s->db);
        return code;
    }
    wa_store_dispatch(s, "");
    return WA_OK;
}

static enum wa_code show_batch(struct wa_store *s, struct wa_sv batch, struct wa_buf *out,
                               struct wa_err *err)
{
    static const char *const keys[] = {"id", "uuid", "name", "state", "code", "message"};
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = false;
    enum wa_code code;
    if (wa_db_prepare(s->db,
                      "SELECT a.id, a.uuid, h.name, CASE WHEN a.state IN ('queued', 'sent') AND "
                      "a.not_after < ?2 THEN 'expired' ELSE a.state END,"
                      " a.code, a.message, a.packages FROM actions a LEFT JOIN hosts h ON h.uuid = "
                      "a.uuid WHERE a.batch = ?1",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_sv(q, 0, batch);
    wa_bind_i64(q, 1, wa_clock_now());
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "actions");
    wa_jw_arr(&w);
    for (code = wa_step(q, &row, err); code == WA_OK && row; code = wa_step(q, &row, err)) {
        wa_jw_obj(&w);
        for (int i = 0; i < (int)WA_COUNT(keys); i++)
            wa_jw_kvsv(&w, keys[i], wa_col_sv(q, i));
        wa_jw_key(&w, "packages");
        wa_jw_raw(&w, wa_col_sv(q, 6).n > 0 ? wa_col_sv(q, 6) : WA_SV("[]"));
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

/* --- packages --- */

/* What the scan process was asked for, and by whom. */
struct scanning {
    struct wa_store_request *request;
    const char *op;
    char user[WA_NAME_MAX + 1];
};

static void on_scanned(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct scanning *k = user;
    struct wa_store_request *r = k->request;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    char code[32] = "";
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(payload, 0, &arena, &j, &err) == WA_OK) {
        (void)snprintf(code, sizeof code, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "code"))));
        enum wa_code c = wa_code_from_name(code);
        if (c != WA_OK)
            (void)wa_fail(&err, c, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "message"))));
    }
    wa_log(&s->child.log, err.code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           err.code == WA_OK ? "package.changed" : "package.refused", WA_LF_S("op", k->op),
           WA_LF_S("user", k->user), WA_LF_S("peer", r->peer), WA_LF_S("path", r->path),
           WA_LF_SV("file", wa_json_sv(wa_json_get(j, "file"))), WA_LF_S("why", err.text));
    if (err.code == WA_OK)
        wa_store_answer(r, 200, payload);
    else
        wa_store_answer_err(r, &err);
    if (err.code == WA_OK && (strcmp(k->op, "root") == 0 || strcmp(k->op, "published") == 0))
        wa_store_stamp(s, true);
    wa_free(k);
}

static enum wa_code ask_scan(struct wa_store_request *r, const char *user, const char *op,
                             struct wa_sv file, struct wa_sv name, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    struct wa_jw w;
    wa_buf_init(&question, 8192);
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "op", op);
    wa_jw_kvsv(&w, "file", file);
    wa_jw_kvsv(&w, "name", name);
    wa_jw_end(&w);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    struct scanning *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct scanning){.request = r, .op = op};
    (void)snprintf(k->user, sizeof k->user, "%s", user);
    if (wa_store_ask(r->store, r->store->scan, WA_S_SCAN, wa_buf_sv(&question), on_scanned, k,
                     err) != WA_OK)
        wa_free(k);
    return err->code;
}

/* An upload that a front has written: body is its name in incoming/, nothing else. */
static enum wa_code accept_upload(struct wa_store_request *r, const char *user, struct wa_err *err)
{
    struct wa_sv path = wa_sv(r->path), body = wa_buf_sv(&r->body);
    bool is_root = wa_sv_eqs(path, REPOSITORY "root"), is_host = wa_sv_starts(path, HOST_PACKAGES);
    struct wa_sv name = wa_sv_sub(path, strlen(is_host ? HOST_PACKAGES : PACKAGES), path.n);
    if (!wa_sv_starts(body, "incoming/") || !wa_sv_ends(body, ".part"))
        return wa_fail(err, WA_E_INTERNAL, "an upload that no front has written");
    if (is_host && wa_sv_ends(name, ".wapt"))
        name.n -= 5;
    if (is_root || wa_sv_eqs(path, REPOSITORY "published"))
        return ask_scan(r, user, is_root ? "root" : "published", body, WA_SV(""), err);
    return ask_scan(r, user, is_host ? "accept-host" : "accept", body, name, err);
}

static enum wa_code delete_package(struct wa_store_request *r, const char *user, struct wa_err *err)
{
    char file[WA_RELPATH_MAX + 1];
    const char *name = r->path + strlen(PACKAGES);
    if (strchr(name, '/') != NULL || !wa_sv_ends(wa_sv(name), ".wapt"))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the name of a package's file", name);
    (void)snprintf(file, sizeof file, "wapt/%s", name);
    return ask_scan(r, user, "delete", wa_sv(file), WA_SV(""), err);
}

/* --- dispatch --- */

static enum wa_code check_session(struct wa_store_request *r, char digest[WA_SHA256_HEX],
                                  char user[WA_NAME_MAX + 1], struct wa_err *err)
{
    bool found = false;
    if (r->bearer[0] == '\0')
        return wa_fail(err, WA_E_AUTH, "log in first");
    if (wa_sha256_hex(r->bearer, strlen(r->bearer), digest, err) != WA_OK ||
        wa_store_session(r->store->db, digest, wa_clock_now(), user, &found, err) != WA_OK)
        return err->code;
    return found ? WA_OK : wa_fail(err, WA_E_AUTH, "the session has ended: log in again");
}

/* *ret_later: somebody else will answer. */
static enum wa_code call(struct wa_store_request *r, struct wa_buf *out, bool *ret_later,
                         struct wa_err *err)
{
    struct wa_store *s = r->store;
    char digest[WA_SHA256_HEX], user[WA_NAME_MAX + 1] = "";
    bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0,
         put = strcmp(r->method, "PUT") == 0, del = strcmp(r->method, "DELETE") == 0;
    if (post && strcmp(r->path, "/api/v1/session") == 0) {
        *ret_later = true;
        return start_login(r, err);
    }
    if (check_session(r, digest, user, err) != WA_OK)
        return err->code;
    if (del && strcmp(r->path, "/api/v1/session") == 0) {
        wa_buf_adds(out, "{}");
        wa_log(&s->child.log, WA_LOG_INFO, "login.ended", WA_LF_S("user", user),
               WA_LF_S("peer", r->peer));
        return wa_store_end_session(s->db, digest, err);
    }
    if (get &&
        strcmp(r->path, "/api/v1/session") == 0) { /* a front asks before it takes an upload */
        wa_buf_adds(out, "{}");
        return WA_OK;
    }
    if (get && strcmp(r->path, "/api/v1/hosts") == 0)
        return list_hosts(s, out, err);
    if (get && strncmp(r->path, "/api/v1/hosts/", 14) == 0)
        return show_host(s, r->path + 14, out, err);
    if (post && strcmp(r->path, "/api/v1/actions") == 0)
        return take_orders(r, user, out, err);
    if (get && strcmp(r->path, "/api/v1/actions") == 0) {
        WA_AUTO_BUF struct wa_buf batch;
        wa_buf_init(&batch, 64);
        if (!wa_url_query_get(wa_sv(r->query), "batch", &batch))
            return wa_fail(err, WA_E_USAGE, "which batch?");
        return show_batch(s, wa_buf_sv(&batch), out, err);
    }
    bool packages = wa_sv_starts(wa_sv(r->path), PACKAGES),
         hosts = wa_sv_starts(wa_sv(r->path), HOST_PACKAGES),
         documents = strcmp(r->path, REPOSITORY "root") == 0 ||
                     strcmp(r->path, REPOSITORY "published") == 0;
    if ((put && (packages || hosts || documents)) || (del && packages)) {
        *ret_later = true;
        return put ? accept_upload(r, user, err) : delete_package(r, user, err);
    }
    return wa_fail(err, WA_E_NOT_FOUND, "there is nothing at %s %s", r->method, r->path);
}

void wa_store_api(struct wa_store_request *r)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    bool later = false;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    if (call(r, &out, &later, &err) != WA_OK)
        wa_store_answer_err(r, &err);
    else if (!later)
        wa_store_answer(r, 200, wa_buf_sv(&out));
}
