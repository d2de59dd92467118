/* api_account.c - one's own account: password, sessions, API tokens. Only in a session: a token
 * makes no tokens, and changes nothing here.
 */
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api.h"
#include "server/api_change.h"
#include "server/api_page.h"
#include "server/second_factor.h"

#define DAY_S 86400
#define TOKEN_DAYS_MAX 366
#define TOKENS_MAX 64u /* of one person */

/* --- password --- */

struct new_password {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1], session[WA_SHA256_HEX];
    char *password;
};

static void new_password_free(struct new_password *n)
{
    wa_free_secret(n->password);
    wa_free(n);
}

/* The old one was right, or not. */
static void on_old(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct new_password *n = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_api_call c = {.store = s, .request = n->request};
    const struct wa_person_change change = {.what = WA_PERSON_PASSWORD,
                                            .name = n->user,
                                            .password = wa_sv(n->password),
                                            .keep_session = n->session};
    (void)snprintf(c.who.user, sizeof c.who.user, "%s", n->user);
    if (wa_store_checked(payload, &err) != WA_OK) {
        if (wa_store_ended_before(payload))
            wa_throttle_back(&s->throttle, n->request->peer, n->user);
    } else if (!wa_sv_eqs(payload, "ok")) {
        (void)wa_fail(&err, WA_E_DENIED, "the present password is another");
    } else {
        wa_throttle_good(&s->throttle, n->request->peer, n->user);
        if (wa_api_change_person(&c, &change, &err) == WA_OK) {
            new_password_free(n); /* answered when there is a hash */
            return;
        }
    }
    wa_store_answer_err(n->request, &err);
    new_password_free(n);
}

static enum wa_code call_password(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv old = {NULL, 0}, next = {NULL, 0};
    const struct wa_json_field fields[] = {{"old", WA_WANT_SV, true, 1024, &old},
                                           {"new", WA_WANT_SV, true, 1024, &next}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a change of password", err) != WA_OK)
        return err->code;
    const struct wa_person_change change = {
        .what = WA_PERSON_PASSWORD, .name = c->who.user, .password = next};
    struct wa_store *s = c->store;
    if (wa_people_check(&change, err) != WA_OK ||
        wa_throttle_begin(&s->throttle, c->request->peer, c->who.user, wa_clock_now(), err) !=
            WA_OK)
        return err->code;
    struct new_password *n = wa_calloc(1, sizeof *n);
    if (n == NULL) {
        wa_throttle_back(&s->throttle, c->request->peer, c->who.user);
        return wa_nomem(err);
    }
    n->request = c->request;
    memcpy(n->user, c->who.user, sizeof n->user);
    memcpy(n->session, c->who.session, sizeof n->session);
    if (wa_sv_dup(next, &n->password, err) != WA_OK ||
        wa_store_ask_password(s, wa_sv(n->user), old, on_old, n, err) != WA_OK) {
        wa_throttle_back(&s->throttle, n->request->peer, n->user); /* nobody has looked at it */
        new_password_free(n);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

/* --- sessions --- */

struct listing {
    struct wa_jw w;
    const char *mine;
};

static void list_session(void *user, const struct wa_person_session *s)
{
    struct listing *l = user;
    wa_jw_obj(&l->w);
    wa_jw_kvsv(&l->w, "id", wa_sv_sub(wa_sv(s->sha256), 0, WA_ACCESS_ID));
    wa_jw_kv(&l->w, "method", s->method);
    wa_jw_kv(&l->w, "peer", s->peer);
    wa_jw_kvi(&l->w, "created", s->created);
    wa_jw_kvi(&l->w, "used", s->used);
    wa_jw_kvi(&l->w, "expires", s->expires);
    wa_jw_kvb(&l->w, "this", strcmp(s->sha256, l->mine) == 0);
    wa_jw_end(&l->w);
}

static enum wa_code call_sessions(struct wa_api_call *c, struct wa_err *err)
{
    struct listing l = {.mine = c->who.session};
    wa_jw_init(&l.w, c->out);
    wa_jw_obj(&l.w);
    wa_jw_key(&l.w, "sessions");
    wa_jw_arr(&l.w);
    if (wa_store_sessions(c->store->db, c->who.user, wa_clock_now(), list_session, &l, err) !=
        WA_OK)
        return err->code;
    wa_jw_end(&l.w);
    wa_jw_end(&l.w);
    return WA_OK;
}

static enum wa_code call_end_session(struct wa_api_call *c, struct wa_err *err)
{
    wa_buf_adds(c->out, "{}");
    if (wa_store_end_session_of(c->store->db, c->who.user, c->args[0], err) == WA_OK)
        wa_node_tell_now(c->store, WA_NODE_PEOPLE, wa_sv(c->who.user));
    return err->code;
}

/* --- tokens --- */

static enum wa_code call_tokens(struct wa_api_call *c, struct wa_err *err)
{
    return wa_api_list_tokens(c, c->who.user, err);
}

static enum wa_code call_revoke(struct wa_api_call *c, struct wa_err *err)
{
    return wa_api_revoke_token(c, c->who.user, c->args[0], err);
}

static void count_token(void *user, const struct wa_api_token *t)
{
    size_t *n = user;
    WA_UNUSED(t);
    ++*n;
}

/* Of one's own rights, at this moment: later ones do not come into it by themselves. */
static enum wa_code read_rights(const struct wa_api_call *c, const struct wa_json *list,
                                char out[256], struct wa_err *err)
{
    unsigned rights = 0;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(list, i));
        unsigned one = wa_right_from_name(name);
        if (one == 0)
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no right that a token can have",
                           WA_SV_ARG(name));
        if ((c->who.rights & one) == 0)
            return wa_fail(err, WA_E_DENIED, "you have not the right '%.*s' yourself",
                           WA_SV_ARG(name));
        rights |= one;
    }
    if (rights == 0)
        return wa_fail(err, WA_E_USAGE, "a token without any right");
    wa_right_names(rights, out, 256);
    return WA_OK;
}

/* In its one form; "" without one. */
static enum wa_code read_perimeter(const struct wa_json *j, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    WA_AUTO_BUF struct wa_buf text;
    wa_perimeter_init(&p);
    wa_buf_init(&text, WA_PERIMETER_BYTES_MAX);
    if (j == NULL || wa_json_is(j, WA_JSON_NULL))
        return WA_OK;
    wa_json_write(j, &text);
    if (wa_buf_check(&text, err) != WA_OK || wa_perimeter_read(&p, wa_buf_sv(&text), err) != WA_OK)
        return err->code;
    wa_perimeter_write(&p, out);
    return wa_buf_check(out, err);
}

static enum wa_code add_token(struct wa_api_call *c, const struct wa_api_token *t,
                              const char *perimeter, struct wa_err *err)
{
    struct wa_store *s = c->store;
    size_t count = 0;
    const struct wa_journal_act act = {
        .act = "api_token.made",
        .user = wa_sv(c->who.user),
        .peer = c->request->peer,
        .what = {{"name", wa_sv(t->name)},
                 {"token", wa_sv_sub(wa_sv(t->sha256), 0, WA_ACCESS_ID)},
                 {"rights", wa_sv(t->rights)},
                 {"perimeter", wa_sv(perimeter)}}};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_api_tokens(s->db, t->user, count_token, &count, err) == WA_OK &&
        count >= TOKENS_MAX)
        (void)wa_fail(err, WA_E_LIMIT, "you have %zu tokens: revoke some", count);
    if (err->code == WA_OK && wa_store_add_api_token(s->db, t, perimeter, err) == WA_OK &&
        wa_store_note(s, &act, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

/* Shown now, and never again. */
static enum wa_code make_token(struct wa_api_call *c, struct wa_api_token *t, const char *perimeter,
                               struct wa_err *err)
{
    char secret[65], text[sizeof WA_API_TOKEN_PREFIX + 64];
    struct wa_jw w;
    if (wa_rand_hex(secret, 32, err) != WA_OK)
        return err->code;
    (void)snprintf(text, sizeof text, WA_API_TOKEN_PREFIX "%s", secret);
    if (wa_sha256_hex(text, strlen(text), t->sha256, err) != WA_OK ||
        add_token(c, t, perimeter, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "id", wa_sv_sub(wa_sv(t->sha256), 0, WA_ACCESS_ID));
    wa_jw_kv(&w, "token", text);
    wa_jw_kvi(&w, "expires", t->expires);
    wa_jw_end(&w);
    wa_wipe(secret, sizeof secret);
    wa_wipe(text, sizeof text);
    return WA_OK;
}

static enum wa_code call_make_token(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf perimeter;
    const struct wa_json *j = NULL, *rights = NULL, *limits = NULL;
    struct wa_sv name = {NULL, 0};
    int64_t days = 0;
    struct wa_api_token t = {.created = wa_clock_now()};
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, true, sizeof t.name - 1, &name},
                                           {"rights", WA_WANT_ARRAY, true, 32, &rights},
                                           {"days", WA_WANT_I64, true, 0, &days},
                                           {"perimeter", WA_WANT_ANY, false, 0, &limits}};
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a token", err) != WA_OK ||
        read_rights(c, rights, t.rights, err) != WA_OK ||
        read_perimeter(limits, &perimeter, err) != WA_OK)
        return err->code;
    if (name.n == 0 || days < 1 || days > TOKEN_DAYS_MAX)
        return wa_fail(err, WA_E_USAGE, "a token has a name, and 1 to %d days", TOKEN_DAYS_MAX);
    (void)snprintf(t.name, sizeof t.name, "%.*s", WA_SV_ARG(name));
    memcpy(t.user, c->who.user, sizeof t.user);
    t.expires = t.created + days * DAY_S;
    return make_token(c, &t, perimeter.n > 0 ? wa_buf_str(&perimeter) : "", err);
}

#define ACCOUNT "/api/v1/account"
static const struct wa_api_route routes[] = {
    {"POST", ACCOUNT "/password", WA_MAY_OWN, false, call_password,
     "Change one's own password, and end one's other sessions", NULL, "OwnPassword", "Nothing"},
    {"GET", ACCOUNT "/sessions", WA_MAY_OWN, false, call_sessions, "One's own sessions",
     wa_api_whole_params, NULL, "Sessions"},
    {"DELETE", ACCOUNT "/sessions/{id}", WA_MAY_OWN, false, call_end_session,
     "End one of one's own sessions", NULL, NULL, "Nothing"},
    {"GET", ACCOUNT "/tokens", WA_MAY_OWN, false, call_tokens, "One's own API tokens",
     wa_api_whole_params, NULL, "Tokens"},
    {"POST", ACCOUNT "/tokens", WA_MAY_OWN, false, call_make_token,
     "Make an API token with part of one's own rights; it is shown once", NULL, "NewToken",
     "Token"},
    {"DELETE", ACCOUNT "/tokens/{id}", WA_MAY_OWN, false, call_revoke, "Revoke an API token", NULL,
     NULL, "Nothing"},
    {"POST", ACCOUNT "/second-factor", WA_MAY_OWN, false, wa_factor_offer_call,
     "A new second factor, which waits for its first code", NULL, "FactorOffer", "Factor"},
    {"POST", ACCOUNT "/second-factor/confirm", WA_MAY_OWN, false, wa_factor_confirm_call,
     "Have it count from now on; the recovery codes are shown once", NULL, "Code", "Recovery"},
    {"POST", ACCOUNT "/second-factor/off", WA_MAY_OWN, false, wa_factor_off_call,
     "Have no second factor any more", NULL, "Code", "Nothing"},
};
const struct wa_api_resource wa_api_account_calls = {routes, WA_COUNT(routes)};
