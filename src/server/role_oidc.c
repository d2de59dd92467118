/* role_oidc.c - talks to the provider of OpenID Connect: fetches its description and its keys,
 * exchanges codes, and says whose ID token it got. One question after the other, each with its
 * time-out.
 *
 * It has the network and nothing else; what it says of a person is what a signed token says, and it
 * keeps no token. The client's secret was read before it gave up its files.
 */
#include "server/role_oidc.h"

#include "base/mem.h"
#include "net/http_post.h"
#include "os/clock.h"
#include "server/role_common.h"

struct wa_oidc_role {
    struct wa_oidc_settings settings;
    struct wa_tls_trust *trust;
    struct wa_oidc_provider provider;
    struct wa_buf keys;    /* the set's text */
    uint64_t described_ms; /* 0: not yet */
    uint64_t failed_ms;    /* 0: it did not */
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
                                   .timeout_ms = WA_OIDC_TIMEOUT_MS};
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

static enum wa_code fetch_keys(struct wa_oidc_role *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_OIDC_ANSWER_MAX);
    if (get(r, r->provider.keys, &text, err) != WA_OK)
        return wa_wrap(err, "the provider's keys");
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
    return fetch_keys(r, err) == WA_OK ? check_with(r, j, arena, err) : err->code;
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

/* What the provider says of a code that it does not take: one of a few words. */
static enum wa_code refused(int status, const struct wa_json *answer, struct wa_err *err)
{
    char word[48];
    struct wa_sv said = wa_json_sv(wa_json_get(answer, "error"));
    (void)snprintf(word, sizeof word, "%.*s", WA_SV_ARG(wa_sv_sub(said, 0, 40)));
    for (char *c = word; *c != '\0'; c++)
        if (*c != '_' && (*c < 'a' || *c > 'z'))
            *c = '?';
    return status >= 500
               ? wa_fail(err, WA_E_UNREACHABLE, "the provider answers with status %d", status)
               : wa_fail(err, WA_E_AUTH, "the provider refuses the code (status %d, %s)", status,
                         word);
}

static enum wa_code exchange(const struct wa_oidc_role *r, const struct wa_oidc_finish *f,
                             struct wa_arena *arena, struct wa_sv *ret_token, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf body;
    WA_AUTO_BUF_SECRET struct wa_buf headers;
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    const struct wa_json *j = NULL;
    int status = 0;
    wa_buf_init(&body, 32u << 10);
    wa_buf_init(&headers, 32u << 10);
    wa_buf_init(&answer, WA_OIDC_ANSWER_MAX);
    if (wa_oidc_exchange(&r->settings, &r->provider, f, &body, &headers, err) != WA_OK ||
        ask(r, "POST", r->provider.token, wa_buf_str(&headers), wa_buf_sv(&body), &answer, &status,
            err) != WA_OK)
        return wa_wrap(err, "the provider");
    if (wa_json_parse(wa_buf_sv(&answer), 0, arena, &j, err) != WA_OK && status == 200)
        return wa_wrap(err, "the provider's answer");
    wa_err_clear(err);
    if (status != 200)
        return refused(status, j, err);
    *ret_token = wa_json_sv(wa_json_get(j, "id_token"));
    return ret_token->n > 0 ? WA_OK : wa_fail(err, WA_E_AUTH, "the provider gives no ID token");
}

/* --- the two questions --- */

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

static enum wa_code finish(struct wa_oidc_role *r, const struct wa_json *j,
                           const struct wa_json *groups, struct wa_arena *arena, struct wa_jw *w,
                           struct wa_err *err)
{
    char challenge[WA_OIDC_HASH], nonce[WA_OIDC_HASH];
    struct wa_oidc_finish f = {.issuer = WA_SV("")};
    struct wa_sv token = {NULL, 0};
    struct wa_jws jws;
    struct wa_oidc_person p;
    if (wa_oidc_finish_read(j, &f, err) != WA_OK ||
        wa_oidc_challenge(f.verifier, challenge, err) != WA_OK ||
        wa_oidc_nonce(challenge, nonce, err) != WA_OK || describe(r, err) != WA_OK ||
        wa_oidc_check_issuer(&r->settings, &r->provider, f.issuer, err) != WA_OK ||
        exchange(r, &f, arena, &token, err) != WA_OK ||
        read_token(r, token, arena, &jws, err) != WA_OK ||
        wa_oidc_judge(&r->settings, jws.claims, nonce, wa_clock_now(), &p, err) != WA_OK)
        return err->code;
    write_person(w, &p, nonce, groups);
    return WA_OK;
}

static enum wa_code answer_question(struct wa_oidc_role *r, struct wa_sv request,
                                    struct wa_arena *arena, struct wa_jw *w, struct wa_err *err)
{
    const struct wa_json *j = NULL, *from = NULL, *to = NULL, *groups = NULL;
    const struct wa_json_field fields[] = {
        {"begin", WA_WANT_OBJECT, false, 0, &from},
        {"finish", WA_WANT_OBJECT, false, 0, &to},
        {"groups", WA_WANT_ARRAY, false, WA_AUTH_GROUPS_MAX, &groups}};
    if (r->settings.issuer[0] == '\0')
        return wa_fail(err, WA_E_DENIED, "this server knows no provider of OpenID Connect");
    if (wa_json_parse(request, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    return from != NULL ? begin(r, from, w, err) : finish(r, to, groups, arena, w, err);
}

enum wa_code wa_oidc_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    wa_arena_init(&arena, 64 * WA_OIDC_ANSWER_MAX);
    wa_buf_init(&text, WA_FRONT_PERSON_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    if (answer_question(user, request, &arena, &w, &failed) == WA_E_NOMEM)
        return wa_nomem(err);
    if (failed.code != WA_OK) {
        wa_jw_kv(&w, "code", wa_code_name(failed.code));
        wa_jw_kv(&w, "message", failed.text);
    }
    wa_jw_end(&w);
    wa_buf_addsv(answer, wa_buf_sv(&text));
    return wa_buf_check(&text, err) == WA_OK ? wa_buf_check(answer, err) : err->code;
}

/* --- start --- */

enum wa_code wa_oidc_role_new(const struct wa_oidc_settings *s, struct wa_tls_trust *trust,
                              struct wa_oidc_role **ret, struct wa_err *err)
{
    struct wa_oidc_role *r = wa_calloc(1, sizeof *r);
    if (r == NULL)
        return wa_nomem(err);
    r->settings = *s;
    r->trust = trust;
    wa_buf_init(&r->keys, WA_OIDC_ANSWER_MAX);
    *ret = r;
    return WA_OK;
}

void wa_oidc_role_free(struct wa_oidc_role *r)
{
    if (r == NULL)
        return;
    wa_buf_fini(&r->keys);
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
                                     .redirect = c->oidc_redirect};
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
    if (code == WA_OK) {
        wa_oidc_settings_of(&c.config, &settings);
        settings.secret = wa_buf_str(&secret);
        code = wa_oidc_role_new(&settings, &trust, &role, &err);
    }
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_OIDC, WA_PRIV_FDS | (is_used ? WA_PRIV_NET : 0u),
                                       is_used ? wa_priv_net_paths() : NULL, NULL, &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_OIDC, WA_S_OIDC_IS, wa_oidc_answer, role, &err);
    return wa_server_child_end(&c, code, &err);
}
