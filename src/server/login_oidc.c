/* login_oidc.c - logging in by OpenID Connect. The first call says where the person's browser goes,
 * the second takes the code that it came back with.
 *
 * The store passes both on to the oidc process, which alone talks to the provider, and believes
 * what it says of a person as it believes the directory process. An attempt counts for the address
 * that makes it, its beginning until that is answered: each costs a question to the provider. The
 * session's token is made before that, so that what renews the session can be sealed for it; nobody
 * is told it until the person is known.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api.h"
#include "server/login.h"

#define ASKED_MAX 16u /* each may take the provider's time-out */

struct login {
    struct wa_store_request *request;
    char token[65], session[WA_SHA256_HEX]; /* of the session to come; "": of none */
};

static void login_free(struct login *l)
{
    wa_wipe(l->token, sizeof l->token);
    wa_free(l);
}

/* --- asking the oidc process --- */

static void write_question(const struct login *l, const char *what, const struct wa_role_map *map,
                           struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, what);
    wa_jw_raw(&w, wa_buf_sv(&l->request->body));
    if (l->session[0] != '\0')
        wa_jw_kv(&w, "session", l->session);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; i < map->n; i++)
        wa_jw_s(&w, map->groups[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

static enum wa_code ask(struct login *l, const char *what, wa_store_reply_fn fn, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    WA_AUTO_BUF_SECRET struct wa_buf question;
    wa_buf_init(&question, WA_FRONT_PERSON_MAX);
    wa_role_map_init(&map);
    if (s->oidc_asked >= ASKED_MAX)
        return wa_fail(err, WA_E_BUSY, "too many are logging in: try again in a minute");
    if (wa_role_map_read(&map, "oidc_login_roles", s->child.config.oidc_roles, err) != WA_OK)
        return err->code;
    write_question(l, what, &map, &question);
    if (wa_buf_check(&question, err) != WA_OK ||
        wa_store_ask(s, WA_SR_OIDC, wa_buf_sv(&question), fn, l, err) != WA_OK)
        return err->code;
    s->oidc_asked++;
    return WA_OK;
}

/* payload: what the oidc process said. */
static void fail(struct login *l, struct wa_sv payload, const struct wa_err *err)
{
    /* What is wrong with the provider is not the address's doing; that the process ended may be. */
    if (err->code != WA_E_AUTH && !wa_store_ended_over(payload))
        wa_throttle_back(&l->request->store->throttle, l->request->peer, NULL);
    wa_login_refuse(l->request, "", err);
    login_free(l);
}

/* --- the calls --- */

static void on_begun(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    s->oidc_asked--;
    if (wa_json_answer(payload, &arena, &j, &err) != WA_OK) {
        fail(l, payload, &err);
        return;
    }
    wa_throttle_back(&s->throttle, l->request->peer, NULL);
    WA_AUTO_BUF struct wa_buf answer;
    struct wa_jw w;
    wa_buf_init(&answer, WA_FRONT_PERSON_MAX);
    wa_jw_init(&w, &answer);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "url", wa_json_sv(wa_json_get(j, "url")));
    wa_jw_end(&w);
    wa_store_answer(l->request, 200, wa_buf_sv(&answer));
    login_free(l);
}

enum wa_code wa_oidc_read_person(const struct wa_role_map *map, const struct wa_json *j,
                                 struct wa_oidc_says *ret, struct wa_err *err)
{
    struct wa_oidc_says says = {.entry = map->n};
    struct wa_sv name = {NULL, 0}, sub = {NULL, 0}, once = {NULL, 0}, sealed = {NULL, 0};
    const struct wa_json *groups = NULL;
    const struct wa_json_field fields[] = {
        {"name", WA_WANT_SV, true, WA_NAME_MAX, &name},
        {"subject", WA_WANT_SV, true, WA_OIDC_SUBJECT_MAX, &sub},
        {"nonce", WA_WANT_SV, true, WA_OIDC_HASH - 1, &once},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &groups},
        {"sealed", WA_WANT_SV, false, WA_OIDC_SEALED_MAX, &sealed}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "the provider's answer", err) != WA_OK)
        return err->code;
    (void)snprintf(says.name, sizeof says.name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(says.subject, sizeof says.subject, "%.*s", WA_SV_ARG(sub));
    (void)snprintf(says.nonce, sizeof says.nonce, "%.*s", WA_SV_ARG(once));
    (void)snprintf(says.sealed, sizeof says.sealed, "%.*s", WA_SV_ARG(sealed));
    says.entry = wa_role_map_find(map, groups);
    *ret = says;
    return WA_OK;
}

static enum wa_code take_in(struct login *l, const struct wa_json *j, struct wa_oidc_says *says,
                            struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    wa_role_map_init(&map);
    if (wa_role_map_read(&map, "oidc_login_roles", s->child.config.oidc_roles, err) != WA_OK ||
        wa_oidc_read_person(&map, j, says, err) != WA_OK)
        return err->code;
    const struct wa_voucher v = {says->name, "oidc", says->subject, says->nonce};
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_login_take_in(s, &v, &map, says->entry, err) != WA_OK && says->sealed[0] != '\0' &&
        l->session[0] != '\0')
        (void)!wa_store_end_grant(s->db, l->session, says->name, says->sealed,
                                  &ignored); /* nobody will use it */
    return err->code;
}

static void on_finished(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_oidc_says says = {.entry = 0};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    s->oidc_asked--;
    if (wa_json_answer(payload, &arena, &j, &err) != WA_OK || take_in(l, j, &says, &err) != WA_OK) {
        fail(l, payload, &err);
        return;
    }
    wa_throttle_good(&s->throttle, l->request->peer, NULL);
    wa_login_grant_renewed(l->request, says.name, l->token, says.sealed);
    login_free(l);
}

/* The body goes on as it is once it is one JSON object of the form that the oidc process reads. */
static enum wa_code check_body(struct wa_store_request *r, bool is_beginning, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_oidc_begin b = {.port = 0};
    struct wa_oidc_finish f = {.port = 0};
    char challenge[WA_OIDC_HASH];
    wa_arena_init(&arena, 256u << 10);
    if (r->store->child.config.oidc_issuer[0] == '\0')
        return wa_fail(err, WA_E_DENIED,
                       "this server knows no OpenID Connect provider: set oidc_issuer in its "
                       "configuration");
    if (wa_json_parse(wa_buf_sv(&r->body), 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (is_beginning)
        return wa_oidc_begin_read(j, &b, err);
    return wa_oidc_finish_read(j, &f, err) == WA_OK ? wa_oidc_challenge(f.verifier, challenge, err)
                                                    : err->code;
}

static enum wa_code make_token(struct login *l, struct wa_err *err)
{
    return wa_rand_hex(l->token, 32, err) == WA_OK
               ? wa_sha256_hex(l->token, strlen(l->token), l->session, err)
               : err->code;
}

static enum wa_code call(struct wa_api_call *c, bool is_beginning, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
    struct wa_store *s = c->store;
    if (check_body(r, is_beginning, err) != WA_OK ||
        wa_throttle_begin(&s->throttle, r->peer, NULL, wa_clock_now(), err) != WA_OK)
        return err->code;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL) {
        wa_throttle_back(&s->throttle, r->peer, NULL);
        return wa_nomem(err);
    }
    *l = (struct login){.request = r};
    if ((!is_beginning && make_token(l, err) != WA_OK) ||
        ask(l, is_beginning ? "begin" : "finish", is_beginning ? on_begun : on_finished, err) !=
            WA_OK) {
        wa_throttle_back(&s->throttle, r->peer, NULL);
        login_free(l);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

enum wa_code wa_login_oidc_begin(struct wa_api_call *c, struct wa_err *err)
{
    return call(c, true, err);
}

enum wa_code wa_login_oidc_call(struct wa_api_call *c, struct wa_err *err)
{
    return call(c, false, err);
}
