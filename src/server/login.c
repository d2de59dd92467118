/* login.c - logging in: the password, the second factor, and the session that follows.
 *
 * A name that nobody has takes the same way as one with a wrong password, and is answered alike.
 * The token goes to who logged in and is kept nowhere; the session's rights are those that the
 * person has at the moment of each call, not those of the login.
 */
#include "server/login.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api.h"
#include "server/login_directory.h"
#include "server/people.h"

#define WRONG "user or password is wrong"

struct login {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1], code[WA_LOGIN_CODE_MAX + 1];
    const char *method;
};

bool wa_login_lacks_factor(const struct wa_store *s, const struct wa_person *p, const char *method)
{
    const char *who = s->child.config.second_factor;
    bool is_needed = p->needs_factor || strcmp(who, "all") == 0 ||
                     (strcmp(who, "superadmin") == 0 && strcmp(p->role, "superadmin") == 0);
    /* Who has a password of the directory has its tickets too. */
    bool by_password = strcmp(method, "password") == 0 || strcmp(method, "directory") == 0 ||
                       strcmp(method, "kerberos") == 0;
    return by_password && is_needed && !p->has_factor;
}

/* --- the session --- */

void wa_login_judged(const struct wa_store *s, struct wa_person_session *n, bool is_renewed,
                     int64_t now)
{
    const int64_t step = s->child.config.directory_session;
    const int64_t last = n->created + s->child.config.session_max;
    n->due = is_renewed ? now + step : 0;
    n->expires = now + (is_renewed ? 2 * step : step);
    if (is_renewed && n->expires > last)
        n->expires = last;
}

static enum wa_code end_for(struct wa_store *s, const struct wa_person_session *n,
                            const struct wa_person_session *old, struct wa_err *err)
{
    const struct wa_journal_act act = {
        .act = "user.logged_out",
        .user = wa_sv(n->user),
        .peer = n->peer,
        .what = {{"name", wa_sv(n->user)},
                 {"why", WA_SV("another login, of one who has as many sessions as may be")},
                 {"session", wa_sv_sub(wa_sv(old->sha256), 0, WA_ACCESS_ID)},
                 {"of", wa_sv(old->peer)}}};
    bool is_over =
        old->expires <= n->created || old->used <= n->created - s->child.config.session_idle;
    if (wa_store_end_session(s->db, old->sha256, err) != WA_OK || is_over)
        return err->code;
    return wa_store_note(s, &act, err) == WA_OK
               ? wa_node_tell(s, WA_NODE_PEOPLE, wa_sv(n->user), err)
               : err->code;
}

struct ending {
    struct wa_person_session sessions[WA_SESSIONS_MAX];
    size_t n;
};

static void take_one(void *user, const struct wa_person_session *s)
{
    struct ending *e = user;
    if (e->n < WA_COUNT(e->sessions))
        e->sessions[e->n++] = *s;
}

/* For n. In a transaction. */
static enum wa_code make_room(struct wa_store *s, const struct wa_person_session *n,
                              struct wa_err *err)
{
    struct ending e = {.n = 0};
    if (wa_store_sessions_to_end(s->db, n->user, n->created, s->child.config.session_idle, take_one,
                                 &e, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < e.n; i++)
        if (end_for(s, n, &e.sessions[i], err) != WA_OK)
            break;
    return err->code;
}

static enum wa_code add_session(struct wa_store *s, const struct wa_person_session *n,
                                const char *sealed, struct wa_err *err)
{
    const struct wa_journal_act act = {.act = "login",
                                       .user = wa_sv(n->user),
                                       .peer = n->peer,
                                       .what = {{"method", wa_sv(n->method)}}};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (make_room(s, n, err) == WA_OK && wa_store_add_session(s->db, n, sealed, err) == WA_OK &&
        wa_store_logged_in(s->db, n->user, n->created, err) == WA_OK &&
        wa_store_note(s, &act, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

struct kind { /* of a session */
    const char *method;
    const char *bound;  /* to this certificate, "" to none */
    bool is_lent;       /* another vouches, who may change his mind */
    const char *token;  /* NULL: one is made */
    const char *sealed; /* by what that other is asked again; "": by nothing */
};

static enum wa_code make_session(struct wa_store_request *r, const char *user, const struct kind *k,
                                 struct wa_buf *answer, struct wa_err *err)
{
    struct wa_store *s = r->store;
    char token[65];
    struct wa_jw w;
    struct wa_person p;
    struct wa_person_session n = {.created = wa_clock_now()};
    bool found = false;
    if (wa_store_person(s->db, wa_sv(user), &p, &found, err) != WA_OK)
        return err->code;
    if (!found || p.is_disabled)
        return wa_fail(err, WA_E_AUTH, WRONG);
    n.used = n.created;
    n.expires = n.created + s->child.config.session_max;
    if (k->is_lent || strcmp(p.origin, "local") != 0)
        wa_login_judged(s, &n, k->sealed[0] != '\0', n.created);
    (void)snprintf(n.user, sizeof n.user, "%s", p.name);
    (void)snprintf(n.method, sizeof n.method, "%s", k->method);
    (void)snprintf(n.peer, sizeof n.peer, "%s", r->peer);
    (void)snprintf(n.certificate, sizeof n.certificate, "%s", k->bound);
    if (k->token != NULL)
        memcpy(token, k->token, sizeof token);
    if ((k->token == NULL && wa_rand_hex(token, 32, err) != WA_OK) ||
        wa_sha256_hex(token, strlen(token), n.sha256, err) != WA_OK ||
        add_session(s, &n, k->sealed, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "token", token);
    wa_jw_kvi(&w, "expires", n.expires);
    wa_jw_kv(&w, "user", p.name);
    wa_jw_kv(&w, "role", p.role);
    wa_jw_kvb(&w, "lacks_second_factor", wa_login_lacks_factor(s, &p, k->method));
    wa_jw_end(&w);
    wa_wipe(token, sizeof token);
    return wa_buf_check(answer, err);
}

static void deny(struct wa_store_request *r, const char *user, const struct wa_err *err,
                 const char *why)
{
    wa_log(&r->store->child.log, WA_LOG_WARNING, "login.denied", WA_LF_S("user", user),
           WA_LF_S("peer", r->peer), WA_LF_S("why", why));
    wa_store_answer_err(r, err);
}

void wa_login_deny(struct wa_store_request *r, const char *user, const char *why)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_fail(&err, WA_E_AUTH, WRONG);
    deny(r, user, &err, why);
}

void wa_login_refuse(struct wa_store_request *r, const char *user, const struct wa_err *err)
{
    deny(r, user, err, err->text);
}

static void grant_session(struct wa_store_request *r, const char *user, const struct kind *k)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    wa_buf_init(&answer, 4096);
    if (make_session(r, user, k, &answer, &err) != WA_OK) {
        struct wa_err ignored = WA_ERR_INIT;
        char session[WA_SHA256_HEX];
        if (k->sealed[0] != '\0' &&
            wa_sha256_hex(k->token, strlen(k->token), session, &ignored) == WA_OK)
            (void)!wa_store_end_grant(r->store->db, session, user, k->sealed, &ignored);
        deny(r, user, &err, err.text);
        return;
    }
    wa_log(&r->store->child.log, WA_LOG_INFO, "login.granted", WA_LF_S("user", user),
           WA_LF_S("peer", r->peer), WA_LF_S("method", k->method));
    wa_store_answer(r, 200, wa_buf_sv(&answer));
}

void wa_login_grant(struct wa_store_request *r, const char *user, const char *method)
{
    grant_session(r, user, &(struct kind){.method = method, .bound = "", .sealed = ""});
}

void wa_login_grant_bound(struct wa_store_request *r, const char *user, bool is_registered)
{
    grant_session(
        r, user,
        &(struct kind){
            .method = "certificate", .bound = r->person, .is_lent = !is_registered, .sealed = ""});
}

void wa_login_grant_renewed(struct wa_store_request *r, const char *user, const char *token,
                            const char *sealed)
{
    grant_session(r, user,
                  &(struct kind){.method = "oidc", .bound = "", .token = token, .sealed = sealed});
}

/* --- the second factor --- */

static void grant(struct login *l)
{
    wa_throttle_good(&l->request->store->throttle, l->request->peer, l->user);
    wa_login_grant(l->request, l->user, l->method);
    wa_free(l);
}

static void fail(struct login *l, const struct wa_err *err)
{
    deny(l->request, l->user, err, err->text);
    wa_free(l);
}

/* taken: whether the code counted, once. */
static void on_taken(struct login *l, bool is_taken, struct wa_err *err)
{
    if (err->code == WA_OK && !is_taken)
        (void)wa_fail(err, WA_E_AUTH, "the code is wrong, or was used before");
    if (err->code != WA_OK) {
        fail(l, err);
        return;
    }
    wa_throttle_good(&l->request->store->codes, l->user, NULL);
    grant(l);
}

/* At the code, after a right password. */
static void nobody_looked(const struct login *l)
{
    struct wa_store *s = l->request->store;
    wa_throttle_back(&s->codes, l->user, NULL);
    wa_throttle_back(&s->throttle, l->request->peer, l->user);
}

static void on_code(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    int64_t step = 0;
    bool is_taken = false;
    if (wa_store_ended_before(payload))
        nobody_looked(l);
    if (wa_store_checked(payload, &err) == WA_OK && wa_sv_i64(payload, &step) && step > 0 &&
        wa_store_take_step(s->db, l->user, step, &is_taken, &err) != WA_OK)
        is_taken = false;
    on_taken(l, is_taken, &err);
}

static enum wa_code use_recovery(struct login *l, bool *ret_taken, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    char digest[WA_SHA256_HEX];
    const struct wa_journal_act act = {.act = "user.recovery_used",
                                       .user = wa_sv(l->user),
                                       .peer = l->request->peer,
                                       .what = {{"name", wa_sv(l->user)}}};
    if (wa_login_recovery(l->user, wa_sv(l->code), digest, err) != WA_OK ||
        wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_take_recovery(s->db, l->user, digest, ret_taken, err) == WA_OK && *ret_taken &&
        wa_store_note(s, &act, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

enum wa_code wa_login_begin_code(struct wa_store *s, const char *user, struct wa_err *err)
{
    if (wa_throttle_begin(&s->codes, user, NULL, wa_clock_now(), err) == WA_OK)
        return WA_OK;
    wa_err_clear(err);
    return wa_fail(err, WA_E_BUSY, "too many wrong codes: wait before the next one");
}

/* Each code is an attempt of its own, for who knows the password. */
static void check_factor(struct login *l)
{
    struct wa_store *s = l->request->store;
    struct wa_err err = WA_ERR_INIT;
    bool is_taken = false;
    if (wa_login_begin_code(s, l->user, &err) != WA_OK) {
        fail(l, &err);
        return;
    }
    if (strlen(l->code) == WA_TOTP_DIGITS) {
        if (wa_store_ask_code(s, l->user, false, wa_sv(l->code), on_code, l, &err) == WA_OK)
            return;
        nobody_looked(l);
        fail(l, &err);
        return;
    }
    if (use_recovery(l, &is_taken, &err) != WA_OK)
        is_taken = false;
    on_taken(l, is_taken, &err);
}

/* The password was right. */
static void after_password(struct login *l)
{
    struct wa_store *s = l->request->store;
    struct wa_err err = WA_ERR_INIT;
    struct wa_person p = {.has_factor = false};
    bool found = false;
    if (wa_store_person(s->db, wa_sv(l->user), &p, &found, &err) != WA_OK) {
        fail(l, &err);
    } else if (!p.has_factor) {
        grant(l);
    } else if (l->code[0] != '\0') {
        check_factor(l);
    } else { /* asked for, no attempt */
        wa_throttle_back(&s->throttle, l->request->peer, l->user);
        wa_store_answer(l->request, 200, WA_SV("{\"needs\":\"code\"}"));
        wa_free(l);
    }
}

void wa_login_proved(struct wa_store_request *r, const char *user, const char *method,
                     const char *code)
{
    struct wa_err err = WA_ERR_INIT;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL) {
        (void)wa_nomem(&err);
        deny(r, user, &err, err.text);
        return;
    }
    l->request = r;
    l->method = method;
    (void)snprintf(l->user, sizeof l->user, "%s", user);
    (void)snprintf(l->code, sizeof l->code, "%s", code);
    after_password(l);
}

/* --- the password --- */

static void on_password(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_checked(payload, &err) != WA_OK) {
        if (wa_store_ended_before(payload))
            wa_throttle_back(&s->throttle, l->request->peer, l->user);
        fail(l, &err);
        return;
    }
    if (wa_sv_eqs(payload, "ok")) {
        after_password(l);
        return;
    }
    wa_login_deny(l->request, l->user, "password");
    wa_free(l);
}

/* Somebody whom the directory has vouched for becomes a person here, as its groups say now. */
static enum wa_code take_in(struct login *l, const struct wa_role_map *map,
                            const struct wa_directory_says *says, struct wa_err *err)
{
    const struct wa_voucher v = {.user = l->user, .origin = "directory", .subject = ""};
    return says->is_right ? wa_login_take_in(l->request->store, &v, map, says->entry, err)
                          : wa_fail(err, WA_E_AUTH, WRONG);
}

static void on_directory(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    struct wa_directory_says says = {.entry = 0};
    wa_role_map_init(&map);
    if (wa_store_ended_before(payload))
        wa_throttle_back(&s->throttle, l->request->peer, l->user);
    if (wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, &err) == WA_OK &&
        wa_directory_read(&map, payload, &says, &err) == WA_OK &&
        take_in(l, &map, &says, &err) == WA_OK)
        after_password(l);
    else
        fail(l, &err);
}

/* Names that are kept here are never asked of the directory: their passwords do not leave. The name
 * becomes the one under which wrong passwords are counted. */
static enum wa_code find_who_knows(struct login *l, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    struct wa_person p = {.origin = ""};
    char name[WA_PAM_USER_MAX + 1];
    bool found = false;
    if (wa_store_person(s->db, wa_sv(l->user), &p, &found, err) != WA_OK)
        return err->code;
    if (s->child.config.ldap_roles[0] == '\0' || (found && strcmp(p.origin, "local") == 0))
        return WA_OK;
    wa_directory_name(wa_sv(l->user), name);
    if (!wa_person_name_is_valid(wa_sv(name)))
        return wa_fail(err, WA_E_AUTH, WRONG);
    (void)snprintf(l->user, sizeof l->user, "%s", name);
    l->method = "directory";
    return WA_OK;
}

/* typed: the name with its domain, which the directory judges. */
static enum wa_code ask(struct login *l, struct wa_sv typed, struct wa_sv password,
                        struct wa_err *err)
{
    struct wa_store_request *r = l->request;
    struct wa_store *s = r->store;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    wa_role_map_init(&map);
    if (find_who_knows(l, err) != WA_OK ||
        wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, err) != WA_OK)
        return err->code;
    if (wa_throttle_begin(&s->throttle, r->peer, l->user, wa_clock_now(), err) != WA_OK) {
        wa_log(&s->child.log, WA_LOG_WARNING, "login.throttled", WA_LF_S("user", l->user),
               WA_LF_S("peer", r->peer));
        return err->code;
    }
    const struct wa_directory_who who = {typed, NULL};
    enum wa_code code =
        strcmp(l->method, "directory") == 0
            ? wa_store_ask_directory(s, &who, password, map.groups, on_directory, l, err)
            : wa_store_ask_password(s, wa_sv(l->user), password, on_password, l, err);
    if (code != WA_OK) /* nobody has looked at it */
        wa_throttle_back(&s->throttle, r->peer, l->user);
    return code;
}

enum wa_code wa_login_call(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv user = {NULL, 0}, password = {NULL, 0}, code = {NULL, 0};
    const struct wa_json_field fields[] = {{"user", WA_WANT_SV, true, WA_NAME_MAX, &user},
                                           {"password", WA_WANT_SV, true, 1024, &password},
                                           {"code", WA_WANT_SV, false, WA_LOGIN_CODE_MAX, &code}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&r->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a login", err) != WA_OK)
        return err->code;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->request = r;
    l->method = "password";
    (void)snprintf(l->user, sizeof l->user, "%.*s", WA_SV_ARG(user));
    (void)snprintf(l->code, sizeof l->code, "%.*s", WA_SV_ARG(code));
    if (ask(l, user, password, err) != WA_OK) {
        wa_free(l);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

/* --- recovery codes --- */

enum wa_code wa_login_recovery(const char *user, struct wa_sv code, char digest[WA_SHA256_HEX],
                               struct wa_err *err)
{
    char text[WA_NAME_MAX + WA_LOGIN_CODE_MAX + 2];
    size_t n = (size_t)snprintf(text, sizeof text, "%s\n", user);
    for (size_t i = 0; i < code.n && n < sizeof text; i++) { /* as people type it */
        char c = code.p[i];
        if (c != '-' && c != ' ')
            text[n++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return wa_sha256_hex(text, n, digest, err);
}
