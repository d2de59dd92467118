/* api_session.c - who is asking: login, the session, its end.
 *
 * A session is a random token of which the database knows the digest. Its rights are those that the
 * person's role has at the moment of each call, not those of the login.
 */
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api.h"

#define SESSION_S 3600

struct login {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1];
};

static void write_who(struct wa_jw *w, const char *user, struct wa_sv role)
{
    wa_jw_kv(w, "user", user);
    wa_jw_kvsv(w, "role", role);
}

static enum wa_code begin_session(struct wa_store *s, const char *digest, const char *user,
                                  const char *peer, int64_t expires, struct wa_err *err)
{
    const struct wa_journal_act act = {.act = "login", .user = wa_sv(user), .peer = peer};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_add_session(s->db, digest, wa_sv(user), expires, err) == WA_OK &&
        wa_store_note(s, &act, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

static enum wa_code make_session(struct wa_store *s, const char *user, const char *peer,
                                 struct wa_buf *answer, struct wa_err *err)
{
    char token[65], digest[WA_SHA256_HEX];
    struct wa_jw w;
    struct wa_person p;
    bool found = false;
    int64_t expires = wa_clock_now() + SESSION_S;
    if (wa_store_person(s->db, wa_sv(user), &p, &found, err) != WA_OK)
        return err->code;
    if (!found || p.is_disabled)
        return wa_fail(err, WA_E_AUTH, "user or password is wrong");
    if (wa_rand_hex(token, 32, err) != WA_OK ||
        wa_sha256_hex(token, strlen(token), digest, err) != WA_OK ||
        begin_session(s, digest, user, peer, expires, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "token", token);
    wa_jw_kvi(&w, "expires", expires);
    write_who(&w, user, wa_sv(p.role));
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
    if (wa_sv_eqs(payload, "ok")) {
        wa_throttle_good(&s->throttle, l->request->peer, l->user);
        (void)make_session(s, l->user, l->request->peer, &answer, &err);
    } else {
        (void)wa_fail(&err, WA_E_AUTH, "user or password is wrong");
    }
    wa_log(&s->child.log, err.code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           err.code == WA_OK ? "login.granted" : "login.denied", WA_LF_S("user", l->user),
           WA_LF_S("peer", l->request->peer));
    if (err.code == WA_OK)
        wa_store_answer(l->request, 200, wa_buf_sv(&answer));
    else
        wa_store_answer_err(l->request, &err);
    wa_free(l);
}

static enum wa_code ask(struct wa_store_request *r, struct wa_sv password, struct login *l,
                        struct wa_err *err)
{
    struct wa_store *s = r->store;
    enum wa_code code = wa_throttle_begin(&s->throttle, r->peer, l->user, wa_clock_now(), err);
    if (code == WA_E_BUSY)
        wa_log(&s->child.log, WA_LOG_WARNING, "login.throttled", WA_LF_S("user", l->user),
               WA_LF_S("peer", r->peer));
    return code == WA_OK ? wa_store_ask_password(s, wa_sv(l->user), password, on_login, l, err)
                         : code;
}

static enum wa_code call_login(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
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
    if (ask(r, password, l, err) != WA_OK) {
        wa_free(l);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

static enum wa_code call_logout(struct wa_api_call *c, struct wa_err *err)
{
    wa_buf_adds(c->out, "{}");
    wa_log(&c->store->child.log, WA_LOG_INFO, "login.ended", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer));
    return wa_store_end_session(c->store->db, c->who.session, err);
}

/* Who this is. A front asks it too, before it takes a body. */
static enum wa_code call_session(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_person p;
    struct wa_jw w;
    bool found = false;
    if (wa_store_person(c->store->db, wa_sv(c->who.user), &p, &found, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    write_who(&w, c->who.user, wa_sv(found ? p.role : ""));
    wa_jw_end(&w);
    return WA_OK;
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/session", 0, true, call_login, "Log in", NULL, "Login", "Session"},
    {"GET", "/api/v1/session", 0, false, call_session, "Who this session is", NULL, NULL, "Who"},
    {"DELETE", "/api/v1/session", 0, false, call_logout, "Log out", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_session_calls = {routes, WA_COUNT(routes)};
