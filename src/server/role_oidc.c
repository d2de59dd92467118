/* role_oidc.c - talks to the provider of OpenID Connect: fetches its description and its keys,
 * exchanges codes and refresh tokens, and says whose ID token it got. One question after the other,
 * each with its time-out.
 *
 * It has the network and nothing else; what it says of a person is what a signed token says, and it
 * keeps no token: the store gets a refresh token sealed, and gives it back when it asks again. The
 * client's secret and the key were read before it gave up its files.
 */
#include "server/role_oidc.h"

#include "base/mem.h"
#include "crypto/digest.h"
#include "net/http_post.h"
#include "os/clock.h"
#include "server/oidc_grant.h"
#include "server/role_common.h"

struct wa_oidc_role {
    struct wa_oidc_settings settings;
    struct wa_tls_trust *trust;
    struct wa_oidc_provider provider;
    struct wa_buf keys;    /* the set's text */
    uint64_t described_ms; /* 0: not yet */
    uint64_t failed_ms;    /* 0: it did not */
    uint8_t key[WA_SEAL_KEY];
    bool is_gone; /* the person, says the last answer */
};

/* --- asking --- */

static bool is_within(uint64_t since_ms, uint64_t seconds)
{
    return since_ms != 0 && wa_clock_mono_ms() - since_ms < seconds * 1000;
}

static enum wa_code ask(const struct wa_oidc_role *r, const char *method, const char *url,
                        const char *headers, struct wa_sv body, struct wa_buf *answer,
                        int *ret_status, struct wa_err *err)
{
    const struct wa_http_post p = {.method = method,
                                   .url = url,
                                   .headers = headers,
                                   .body = body,
                                   .answer = answer,
                                   .timeout_ms = WA_OIDC_TIMEOUT_MS,
                                   .proxy = r->settings.proxy,
                                   .bypass = r->settings.bypass};
    return wa_http_post(&p, r->trust, ret_status, err);
}

static enum wa_code get(const struct wa_oidc_role *r, const char *url, struct wa_buf *answer,
                        struct wa_err *err)
{
    int status = 0;
    if (ask(r, "GET", url, "Accept: application/json\r\n", WA_SV(""), answer, &status, err) !=
        WA_OK)
        return err->code;
    return status == 200
               ? WA_OK
               : wa_fail(err, WA_E_UNREACHABLE, "'%s' answers with status %d", url, status);
}

/* A provider that is away is not asked by each who wants to log in. */
static enum wa_code describe(struct wa_oidc_role *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf url;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&url, 2048);
    wa_buf_init(&text, WA_OIDC_ANSWER_MAX);
    if (is_within(r->described_ms, WA_OIDC_DESCRIPTION_S))
        return WA_OK;
    if (is_within(r->failed_ms, WA_OIDC_FAILED_S))
        return wa_fail(err, WA_E_UNREACHABLE, "the provider could not be asked a moment ago");
    wa_oidc_description_url(r->settings.issuer, &url);
    r->failed_ms = wa_clock_mono_ms();
    if (wa_buf_check(&url, err) != WA_OK || get(r, wa_buf_str(&url), &text, err) != WA_OK ||
        wa_oidc_read_description(wa_buf_sv(&text), r->settings.issuer, &r->provider, err) != WA_OK)
        return wa_wrap(err, "the provider");
    r->failed_ms = 0;
    r->described_ms = wa_clock_mono_ms();
    return WA_OK;
}

/* What is no set of keys leaves those that are known, and is no word against anybody's token. */
static enum wa_code fetch_keys(struct wa_oidc_role *r, struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *set = NULL;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_OIDC_ANSWER_MAX);
    if (get(r, r->provider.keys, &text, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, arena, &set, err) != WA_OK) {
        if (err->code != WA_E_NOMEM)
            err->code = WA_E_UNREACHABLE;
        return wa_wrap(err, "the provider's keys");
    }
    wa_buf_clear(&r->keys);
    wa_buf_addsv(&r->keys, wa_buf_sv(&text));
    return wa_buf_check(&r->keys, err);
}

/* --- the token --- */

static enum wa_code check_with(const struct wa_oidc_role *r, const struct wa_jws *j,
                               struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *set = NULL;
    if (r->keys.n == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "no keys are known yet");
    return wa_json_parse(wa_buf_sv(&r->keys), 0, arena, &set, err) == WA_OK
               ? wa_jws_check(j, set, err)
               : wa_wrap(err, "the provider's keys");
}

/* Keys change: one that is not known is looked for among the new ones. It is the provider itself
 * that names it: the token came from there. */
static enum wa_code check_signature(struct wa_oidc_role *r, const struct wa_jws *j,
                                    struct wa_arena *arena, struct wa_err *err)
{
    if (check_with(r, j, arena, err) != WA_E_NOT_FOUND)
        return err->code;
    wa_err_clear(err);
    return fetch_keys(r, arena, err) == WA_OK ? check_with(r, j, arena, err) : err->code;
}

/* Whatever is wrong with it, it proves nothing. */
static enum wa_code read_token(struct wa_oidc_role *r, struct wa_sv token, struct wa_arena *arena,
                               struct wa_jws *ret, struct wa_err *err)
{
    if (wa_jws_parse(token, arena, ret, err) == WA_OK)
        (void)check_signature(r, ret, arena, err);
    if (err->code == WA_E_REFUSED || err->code == WA_E_INVALID || err->code == WA_E_LIMIT ||
        err->code == WA_E_NOT_FOUND)
        err->code = WA_E_AUTH;
    return err->code;
}

/* What the provider says of what it does not take: one of a few words. is_again: of a refresh token
 * only "invalid_grant" says that it is none any more; whatever else is wrong is not the person's
 * doing. */
static enum wa_code refused(bool is_again, int status, const struct wa_json *answer,
                            struct wa_err *err)
{
    char word[48];
    struct wa_sv said = wa_json_sv(wa_json_get(answer, "error"));
    (void)snprintf(word, sizeof word, "%.*s", WA_SV_ARG(wa_sv_sub(said, 0, 40)));
    for (char *c = word; *c != '\0'; c++)
        if (*c != '_' && (*c < 'a' || *c > 'z'))
            *c = '?';
    if (status >= 500)
        return wa_fail(err, WA_E_UNREACHABLE, "the provider answers with status %d", status);
    if (!is_again)
        return wa_fail(err, WA_E_AUTH, "the provider refuses the code (status %d, %s)", status,
                       word);
    return wa_fail(err, strcmp(word, "invalid_grant") == 0 ? WA_E_AUTH : WA_E_UNREACHABLE,
                   "the provider refuses the refresh token (status %d, %s)", status, word);
}

/* For the provider's endpoints. */
struct form {
    struct wa_buf body, headers;
    bool is_again; /* by a refresh token */
};

static void form_init(struct form *f, bool is_again)
{
    *f = (struct form){.is_again = is_again};
    wa_buf_init(&f->body, 32u << 10);
    wa_buf_init(&f->headers, 32u << 10);
}

static void form_fini(struct form *f)
{
    wa_buf_fini_secret(&f->body);
    wa_buf_fini_secret(&f->headers);
}
#define AUTO_FORM WA_CLEANUP(form_fini)

/* What of its answer counts; in the arena. */
static enum wa_code exchange(struct wa_oidc_role *r, const struct form *f, struct wa_arena *arena,
                             struct wa_oidc_tokens *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    const struct wa_json *j = NULL;
    int status = 0;
    wa_buf_init(&answer, WA_OIDC_ANSWER_MAX);
    if (ask(r, "POST", r->provider.token, wa_buf_str(&f->headers), wa_buf_sv(&f->body), &answer,
            &status, err) != WA_OK)
        return wa_wrap(err, "the provider");
    if (wa_json_parse(wa_buf_sv(&answer), 0, arena, &j, err) != WA_OK && status == 200)
        return wa_wrap(err, "the provider's answer");
    wa_err_clear(err);
    if (status != 200 && refused(f->is_again, status, j, err) != WA_OK) {
        r->is_gone =
            f->is_again && err->code == WA_E_AUTH && wa_oidc_outlasts(&r->settings, &r->provider);
        return err->code;
    }
    wa_oidc_read_tokens(j, ret);
    return ret->id.n > 0 ? WA_OK : wa_fail(err, WA_E_AUTH, "the provider gives no ID token");
}

/* --- the questions --- */

static enum wa_code begin(struct wa_oidc_role *r, const struct wa_json *j, struct wa_jw *w,
                          struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf url;
    struct wa_oidc_begin b = {.port = 0};
    wa_buf_init(&url, 8192);
    if (wa_oidc_begin_read(j, &b, err) != WA_OK || describe(r, err) != WA_OK ||
        wa_oidc_address(&r->settings, &r->provider, &b, &url, err) != WA_OK)
        return err->code;
    wa_jw_kvsv(w, "url", wa_buf_sv(&url));
    return WA_OK;
}

static void write_person(struct wa_jw *w, const struct wa_oidc_person *p, const char *nonce,
                         const struct wa_json *groups)
{
    wa_jw_kv(w, "name", p->name);
    wa_jw_kv(w, "subject", p->subject);
    wa_jw_kv(w, "nonce", nonce);
    wa_jw_key(w, "groups");
    wa_jw_arr(w);
    for (size_t i = 0; i < wa_json_count(groups); i++) {
        char group[512];
        struct wa_sv name = wa_json_sv(wa_json_at(groups, i));
        (void)snprintf(group, sizeof group, "%.*s", WA_SV_ARG(name));
        if (name.n < sizeof group && wa_oidc_is_in(p, group))
            wa_jw_s(w, group);
    }
    wa_jw_end(w);
}

/* What the store keeps of a refresh token; nothing where there is none. */
static enum wa_code write_sealed(const struct wa_oidc_role *r, const struct wa_oidc_holder *h,
                                 const struct wa_oidc_person *p, const char *nonce,
                                 struct wa_sv token, struct wa_jw *w, struct wa_err *err)
{
    struct wa_oidc_grant g = {.token = token};
    WA_AUTO_BUF struct wa_buf sealed;
    wa_buf_init(&sealed, WA_OIDC_SEALED_MAX);
    if (token.n == 0 || h->session[0] == '\0')
        return WA_OK;
    (void)snprintf(g.nonce, sizeof g.nonce, "%s", nonce);
    (void)snprintf(g.subject, sizeof g.subject, "%s", p->subject);
    if (wa_oidc_grant_seal(r->key, &r->settings, h, &g, &sealed, err) != WA_OK)
        return err->code;
    wa_jw_kvsv(w, "sealed", wa_buf_sv(&sealed));
    return WA_OK;
}

/* session: for which the refresh token is sealed; "": for none. */
static enum wa_code finish(struct wa_oidc_role *r, const struct wa_json *j, const char *session,
                           const struct wa_json *groups, struct wa_arena *arena, struct wa_jw *w,
                           struct wa_err *err)
{
    char challenge[WA_OIDC_HASH], nonce[WA_OIDC_HASH];
    struct wa_oidc_finish f = {.issuer = WA_SV("")};
    struct wa_oidc_tokens tokens = {.id = WA_SV("")};
    struct wa_jws jws;
    struct wa_oidc_person p;
    AUTO_FORM struct form form;
    form_init(&form, false);
    if (wa_oidc_finish_read(j, &f, err) != WA_OK ||
        wa_oidc_challenge(f.verifier, challenge, err) != WA_OK ||
        wa_oidc_nonce(challenge, nonce, err) != WA_OK || describe(r, err) != WA_OK ||
        wa_oidc_check_issuer(&r->settings, &r->provider, f.issuer, err) != WA_OK ||
        wa_oidc_exchange(&r->settings, &r->provider, &f, &form.body, &form.headers, err) != WA_OK ||
        exchange(r, &form, arena, &tokens, err) != WA_OK ||
        read_token(r, tokens.id, arena, &jws, err) != WA_OK ||
        wa_oidc_judge(&r->settings, jws.claims, nonce, wa_clock_now(), &p, err) != WA_OK)
        return err->code;
    const struct wa_oidc_holder h = {session, p.name};
    write_person(w, &p, nonce, groups);
    return write_sealed(r, &h, &p, nonce, tokens.refresh, w, err);
}

/* {session,user,sealed}, opened. Nothing is asked of the provider for what does not open. */
struct kept {
    char session[WA_SHA256_HEX], user[WA_NAME_MAX + 1];
    struct wa_oidc_grant grant;
};

static enum wa_code open_kept(const struct wa_oidc_role *r, const struct wa_json *j,
                              struct wa_buf *clear, struct kept *ret, struct wa_err *err)
{
    struct wa_sv session = {NULL, 0}, user = {NULL, 0}, sealed = {NULL, 0};
    const struct wa_json_field fields[] = {
        {"session", WA_WANT_SV, true, WA_SHA256_HEX - 1, &session},
        {"user", WA_WANT_SV, true, WA_NAME_MAX, &user},
        {"sealed", WA_WANT_SV, true, WA_OIDC_SEALED_MAX, &sealed}};
    const struct wa_oidc_holder h = {ret->session, ret->user};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    (void)snprintf(ret->session, sizeof ret->session, "%.*s", WA_SV_ARG(session));
    (void)snprintf(ret->user, sizeof ret->user, "%.*s", WA_SV_ARG(user));
    if (wa_oidc_grant_open(r->key, &r->settings, &h, sealed, clear, &ret->grant, err) !=
        WA_E_REFUSED)
        return err->code;
    wa_err_clear(err);
    return wa_fail(err, WA_E_AUTH, "what is kept of the session is not its own");
}

static enum wa_code renew(struct wa_oidc_role *r, const struct wa_json *j,
                          const struct wa_json *groups, struct wa_arena *arena, struct wa_jw *w,
                          struct wa_err *err)
{
    struct kept k;
    struct wa_oidc_tokens tokens = {.id = WA_SV("")};
    struct wa_jws jws;
    struct wa_oidc_person p;
    WA_AUTO_BUF_SECRET struct wa_buf clear;
    AUTO_FORM struct form form;
    wa_buf_init(&clear, WA_SEAL_SECRET_MAX + 1);
    form_init(&form, true);
    if (open_kept(r, j, &clear, &k, err) != WA_OK || describe(r, err) != WA_OK ||
        wa_oidc_refresh(&r->settings, &r->provider, k.grant.token, &form.body, &form.headers,
                        err) != WA_OK ||
        exchange(r, &form, arena, &tokens, err) != WA_OK ||
        read_token(r, tokens.id, arena, &jws, err) != WA_OK)
        return err->code;
    const struct wa_oidc_before before = {k.grant.nonce, k.grant.subject, k.user};
    if (wa_oidc_judge_again(&r->settings, jws.claims, &before, wa_clock_now(), &p, err) != WA_OK)
        return err->code;
    const struct wa_oidc_holder h = {k.session, k.user};
    write_person(w, &p, k.grant.nonce, groups);
    return write_sealed(r, &h, &p, k.grant.nonce,
                        tokens.refresh.n > 0 ? tokens.refresh : k.grant.token, w, err);
}

/* Given back as well as can be: a token that nobody has is worth nothing anyway. */
static enum wa_code revoke(struct wa_oidc_role *r, const struct wa_json *j, struct wa_err *err)
{
    struct kept k;
    int status = 0;
    WA_AUTO_BUF_SECRET struct wa_buf clear;
    AUTO_FORM struct form form;
    wa_buf_init(&clear, WA_SEAL_SECRET_MAX + 1);
    form_init(&form, true);
    if (open_kept(r, j, &clear, &k, err) != WA_OK || describe(r, err) != WA_OK)
        return err->code;
    if (r->provider.revocation[0] == '\0')
        return WA_OK;
    if (wa_oidc_revoke(&r->settings, &r->provider, k.grant.token, &form.body, &form.headers, err) !=
            WA_OK ||
        ask(r, "POST", r->provider.revocation, wa_buf_str(&form.headers), wa_buf_sv(&form.body),
            NULL, &status, err) != WA_OK)
        return wa_wrap(err, "the provider");
    return status == 200 ? WA_OK : refused(true, status, NULL, err);
}

static enum wa_code answer_question(struct wa_oidc_role *r, struct wa_sv request,
                                    struct wa_arena *arena, struct wa_jw *w, struct wa_err *err)
{
    const struct wa_json *j = NULL, *from = NULL, *to = NULL, *again = NULL, *back = NULL,
                         *groups = NULL;
    struct wa_sv said = {NULL, 0};
    char session[WA_SHA256_HEX];
    const struct wa_json_field fields[] = {
        {"begin", WA_WANT_OBJECT, false, 0, &from},
        {"finish", WA_WANT_OBJECT, false, 0, &to},
        {"session", WA_WANT_SV, false, WA_SHA256_HEX - 1, &said},
        {"renew", WA_WANT_OBJECT, false, 0, &again},
        {"revoke", WA_WANT_OBJECT, false, 0, &back},
        {"groups", WA_WANT_ARRAY, false, WA_AUTH_GROUPS_MAX, &groups}};
    if (r->settings.issuer[0] == '\0')
        return wa_fail(err, WA_E_DENIED, "this server knows no provider of OpenID Connect");
    if (wa_json_parse(request, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    (void)snprintf(session, sizeof session, "%.*s", WA_SV_ARG(said));
    return from != NULL    ? begin(r, from, w, err)
           : again != NULL ? renew(r, again, groups, arena, w, err)
           : back != NULL  ? revoke(r, back, err)
                           : finish(r, to, session, groups, arena, w, err);
}

enum wa_code wa_oidc_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    struct wa_oidc_role *r = user;
    WA_CLEANUP(wa_arena_fini_secret) struct wa_arena arena; /* tokens */
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    wa_arena_init(&arena, 64 * WA_OIDC_ANSWER_MAX);
    wa_buf_init(&text, WA_FRONT_PERSON_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    r->is_gone = false;
    if (answer_question(r, request, &arena, &w, &failed) == WA_E_NOMEM)
        return wa_nomem(err);
    if (failed.code != WA_OK) { /* nothing beside it */
        wa_buf_clear(&text);
        wa_jw_init(&w, &text);
        wa_jw_obj(&w);
        wa_jw_err(&w, &failed);
        if (r->is_gone)
            wa_jw_kvb(&w, "gone", true);
    }
    wa_jw_end(&w);
    wa_buf_addsv(answer, wa_buf_sv(&text));
    return wa_buf_check(&text, err) == WA_OK ? wa_buf_check(answer, err) : err->code;
}

/* --- start --- */

enum wa_code wa_oidc_role_new(const struct wa_oidc_settings *s, struct wa_tls_trust *trust,
                              const uint8_t key[WA_SEAL_KEY], struct wa_oidc_role **ret,
                              struct wa_err *err)
{
    struct wa_oidc_role *r = wa_calloc(1, sizeof *r);
    if (r == NULL)
        return wa_nomem(err);
    r->settings = *s;
    r->trust = trust;
    memcpy(r->key, key, sizeof r->key);
    wa_buf_init(&r->keys, WA_OIDC_ANSWER_MAX);
    *ret = r;
    return WA_OK;
}

void wa_oidc_role_free(struct wa_oidc_role *r)
{
    if (r == NULL)
        return;
    wa_buf_fini(&r->keys);
    wa_wipe(r->key, sizeof r->key);
    wa_free(r);
}

void wa_oidc_settings_of(const struct wa_server_config *c, struct wa_oidc_settings *ret)
{
    *ret = (struct wa_oidc_settings){.issuer = c->oidc_issuer,
                                     .client = c->oidc_client,
                                     .secret = "",
                                     .scope = c->oidc_scope,
                                     .user_claim = c->oidc_user_claim,
                                     .groups_claim = c->oidc_groups_claim,
                                     .redirect = c->oidc_redirect,
                                     .prompt = c->oidc_prompt,
                                     .wants_offline = c->oidc_offline,
                                     .proxy = c->http_proxy,
                                     .bypass = c->no_proxy};
}

static enum wa_code read_secret(const struct wa_server_config *c, struct wa_buf *out,
                                struct wa_err *err)
{
    if (c->oidc_issuer[0] == '\0' || c->oidc_secret[0] == '\0')
        return WA_OK;
    return wa_server_secret(c, c->oidc_secret, "oidc_client_secret_file", out, err);
}

int wa_server_oidc(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.host = ""};
    struct wa_oidc_settings settings = {.issuer = ""};
    uint8_t key[WA_SEAL_KEY] = {0};
    WA_AUTO(wa_oidc_role) struct wa_oidc_role *role = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf secret;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&secret, 1024);
    enum wa_code code = wa_server_child_init(&c, WA_SR_OIDC, config_file, &err);
    bool is_used = code == WA_OK && c.config.oidc_issuer[0] != '\0';
    if (code == WA_OK)
        code = wa_server_trust(&c.config, is_used ? c.config.oidc_verify : "0", &pem, &trust, &err);
    if (code == WA_OK)
        code = read_secret(&c.config, &secret, &err);
    if (code == WA_OK && is_used)
        code = wa_server_read_seal_key(&c.config, WA_OIDC_KEY, key, &err);
    if (code == WA_OK) {
        wa_oidc_settings_of(&c.config, &settings);
        settings.secret = wa_buf_str(&secret);
        code = wa_oidc_role_new(&settings, &trust, key, &role, &err);
    }
    wa_wipe(key, sizeof key);
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_OIDC, WA_PRIV_FDS | (is_used ? WA_PRIV_NET : 0u),
                                       is_used ? wa_priv_net_paths() : NULL, NULL, &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_OIDC, WA_S_OIDC_IS, wa_oidc_answer, role, &err);
    return wa_server_child_end(&c, code, &err);
}
