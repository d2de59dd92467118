/* oidc.c - see oidc.h. Everything that comes from a provider or a browser is judged here, in the
 * order in which OpenID Connect Core 3.1.3.7 asks for it; nothing is kept.
 */
#include "server/oidc.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "server/people.h"

#define OFFLINE "offline_access" /* OpenID Connect Core, 11: what brings a refresh token */
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

/* --- settings --- */

static enum wa_code check_https(const char *what, struct wa_sv address, struct wa_err *err)
{
    struct wa_url url;
    if (wa_url_parse(address, &url, err) == WA_OK && url.is_https)
        return WA_OK;
    wa_err_clear(err);
    return wa_fail(err, WA_E_CONFIG, "%s is no https address: '%.*s'", what, WA_SV_ARG(address));
}

enum wa_code wa_oidc_check(const struct wa_oidc_settings *s, struct wa_err *err)
{
    if (check_https("oidc_issuer", wa_sv(s->issuer), err) != WA_OK)
        return err->code;
    if (strchr(s->issuer, '?') != NULL)
        return wa_fail(err, WA_E_CONFIG, "oidc_issuer has no query: '%s'", s->issuer);
    if (s->client[0] == '\0' || s->user_claim[0] == '\0')
        return wa_fail(err, WA_E_CONFIG, "oidc_issuer needs oidc_client_id and oidc_user_claim");
    if (strcmp(s->redirect, "127.0.0.1") != 0 && strcmp(s->redirect, "[::1]") != 0 &&
        strcmp(s->redirect, "localhost") != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "oidc_redirect takes 127.0.0.1, [::1] or localhost, not '%s'", s->redirect);
    if (s->prompt[0] != '\0' && strcmp(s->prompt, "consent") != 0 &&
        strcmp(s->prompt, "login") != 0 && strcmp(s->prompt, "select_account") != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "oidc_prompt takes consent, login or select_account, not '%s'", s->prompt);
    return WA_OK;
}

/* --- the provider's description --- */

void wa_oidc_description_url(const char *issuer, struct wa_buf *out)
{
    size_t n = strlen(issuer);
    while (n > 0 && issuer[n - 1] == '/')
        n--;
    wa_buf_addf(out, "%.*s/.well-known/openid-configuration", (int)n, issuer);
}

static bool has(const struct wa_json *list, const char *text)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eqs(wa_json_sv(wa_json_at(list, i)), text))
            return true;
    return false;
}

static enum wa_code take_address(const struct wa_json *j, const char *name, char *out, size_t size,
                                 struct wa_err *err)
{
    struct wa_sv text = wa_json_sv(wa_json_get(j, name));
    if (text.n >= size || check_https(name, text, err) != WA_OK) {
        wa_err_clear(err);
        return wa_fail(err, WA_E_REFUSED, "the provider's '%s' is no https address", name);
    }
    (void)snprintf(out, size, "%.*s", WA_SV_ARG(text));
    return WA_OK;
}

enum wa_code wa_oidc_read_description(struct wa_sv text, const char *issuer,
                                      struct wa_oidc_provider *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_oidc_provider p = {.says_issuer = false};
    wa_arena_init(&arena, 16 * WA_OIDC_ANSWER_MAX);
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "the provider's description");
    struct wa_sv said = wa_json_sv(wa_json_get(j, "issuer"));
    if (!wa_sv_eqs(said, issuer))
        return wa_fail(err, WA_E_REFUSED,
                       "the provider calls itself '%.*s', and oidc_issuer is '%s': they must be "
                       "the same, to the last '/'",
                       WA_SV_ARG(wa_sv_sub(said, 0, 300)), issuer);
    if (take_address(j, "authorization_endpoint", p.authorization, sizeof p.authorization, err) !=
            WA_OK ||
        take_address(j, "token_endpoint", p.token, sizeof p.token, err) != WA_OK ||
        take_address(j, "jwks_uri", p.keys, sizeof p.keys, err) != WA_OK)
        return err->code;
    /* It can do without: then tokens are not given back. */
    if (take_address(j, "revocation_endpoint", p.revocation, sizeof p.revocation, err) != WA_OK)
        wa_err_clear(err);
    const struct wa_json *pkce = wa_json_get(j, "code_challenge_methods_supported");
    const struct wa_json *ways = wa_json_get(j, "token_endpoint_auth_methods_supported");
    if (!has(wa_json_get(j, "response_types_supported"), "code") ||
        (pkce != NULL && !has(pkce, "S256")))
        return wa_fail(err, WA_E_REFUSED,
                       "the provider does not know the authorization code with PKCE (S256)");
    p.says_issuer = wa_json_bool(wa_json_get(j, "authorization_response_iss_parameter_supported"));
    p.has_offline = has(wa_json_get(j, "scopes_supported"), OFFLINE);
    p.takes_post = ways != NULL && !has(ways, "client_secret_basic");
    *ret = p;
    return WA_OK;
}

/* --- the way there --- */

static enum wa_code hash(struct wa_sv text, char out[WA_OIDC_HASH], struct wa_err *err)
{
    uint8_t digest[WA_SHA256_SIZE];
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&b64, WA_OIDC_HASH);
    if (wa_sha256(text.p, text.n, digest, err) != WA_OK)
        return err->code;
    wa_base64url_encode(digest, sizeof digest, &b64);
    if (wa_buf_check(&b64, err) != WA_OK)
        return err->code;
    (void)snprintf(out, WA_OIDC_HASH, "%s", wa_buf_str(&b64));
    return WA_OK;
}

static bool is_made_of(struct wa_sv text, size_t min, size_t max, const char *letters)
{
    if (text.n < min || text.n > max)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr(letters, text.p[i]) == NULL)
            return false;
    return true;
}

enum wa_code wa_oidc_challenge(struct wa_sv verifier, char out[WA_OIDC_HASH], struct wa_err *err)
{
    return is_made_of(verifier, 43, 128, UNRESERVED)
               ? hash(verifier, out, err)
               : wa_fail(err, WA_E_USAGE, "the verifier has 43 to 128 letters and digits");
}

enum wa_code wa_oidc_nonce(const char *challenge, char out[WA_OIDC_HASH], struct wa_err *err)
{
    char text[64];
    (void)snprintf(text, sizeof text, "nonce %.43s", challenge);
    return hash(wa_sv(text), out, err);
}

static enum wa_code check_port(int64_t port, struct wa_err *err)
{
    return port > 0 && port <= UINT16_MAX ? WA_OK
                                          : wa_fail(err, WA_E_USAGE, "the port can't be one");
}

enum wa_code wa_oidc_begin_read(const struct wa_json *j, struct wa_oidc_begin *ret,
                                struct wa_err *err)
{
    const struct wa_json_field fields[] = {{"port", WA_WANT_I64, true, 0, &ret->port},
                                           {"state", WA_WANT_SV, true, 128, &ret->state},
                                           {"challenge", WA_WANT_SV, true, 43, &ret->challenge}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "the beginning of a login", err) != WA_OK ||
        check_port(ret->port, err) != WA_OK)
        return err->code;
    if (!is_made_of(ret->challenge, 43, 43, UNRESERVED) ||
        !is_made_of(ret->state, 16, 128, UNRESERVED))
        return wa_fail(err, WA_E_USAGE, "a challenge has 43 letters and digits, a state 16 to 128");
    return WA_OK;
}

static void add(struct wa_buf *out, const char *sign, const char *name, struct wa_sv value)
{
    wa_buf_addf(out, "%s%s=", sign, name);
    wa_url_encode(value, out);
}

static void add_redirect(const struct wa_oidc_settings *s, int64_t port, struct wa_buf *out)
{
    char uri[64];
    (void)snprintf(uri, sizeof uri, "http://%s:%lld/oidc", s->redirect, (long long)port);
    add(out, "&", "redirect_uri", wa_sv(uri));
}

static bool is_in_scope(const struct wa_oidc_settings *s)
{
    struct wa_sv rest = wa_sv(s->scope), word;
    while (wa_sv_split(&rest, ' ', &word))
        if (wa_sv_eqs(word, OFFLINE))
            return true;
    return false;
}

bool wa_oidc_outlasts(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p)
{
    return is_in_scope(s) || (s->wants_offline && p->has_offline);
}

static void add_scope(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                      struct wa_buf *out)
{
    add(out, "&", "scope", wa_sv(s->scope));
    if (wa_oidc_outlasts(s, p) && !is_in_scope(s))
        wa_buf_adds(out, "%20" OFFLINE);
}

enum wa_code wa_oidc_address(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                             const struct wa_oidc_begin *b, struct wa_buf *out, struct wa_err *err)
{
    char nonce[WA_OIDC_HASH], challenge[WA_OIDC_HASH];
    (void)snprintf(challenge, sizeof challenge, "%.*s", WA_SV_ARG(b->challenge));
    if (wa_oidc_nonce(challenge, nonce, err) != WA_OK)
        return err->code;
    wa_buf_adds(out, p->authorization);
    add(out, strchr(p->authorization, '?') != NULL ? "&" : "?", "response_type", WA_SV("code"));
    add(out, "&", "client_id", wa_sv(s->client));
    add_redirect(s, b->port, out);
    add_scope(s, p, out);
    if (s->prompt[0] != '\0')
        add(out, "&", "prompt", wa_sv(s->prompt));
    add(out, "&", "state", b->state);
    add(out, "&", "nonce", wa_sv(nonce));
    add(out, "&", "code_challenge", b->challenge);
    add(out, "&", "code_challenge_method", WA_SV("S256"));
    return wa_buf_check(out, err);
}

/* --- the way back --- */

enum wa_code wa_oidc_finish_read(const struct wa_json *j, struct wa_oidc_finish *ret,
                                 struct wa_err *err)
{
    const struct wa_json_field fields[] = {{"port", WA_WANT_I64, true, 0, &ret->port},
                                           {"code", WA_WANT_SV, true, WA_OIDC_CODE_MAX, &ret->code},
                                           {"verifier", WA_WANT_SV, true, 128, &ret->verifier},
                                           {"iss", WA_WANT_SV, false, 1024, &ret->issuer}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "the end of a login", err) != WA_OK ||
        check_port(ret->port, err) != WA_OK)
        return err->code;
    return ret->code.n > 0 ? WA_OK : wa_fail(err, WA_E_USAGE, "there is no code");
}

enum wa_code wa_oidc_check_issuer(const struct wa_oidc_settings *s,
                                  const struct wa_oidc_provider *p, struct wa_sv said,
                                  struct wa_err *err)
{
    if (said.n == 0 && !p->says_issuer)
        return WA_OK;
    return wa_sv_eqs(said, s->issuer)
               ? WA_OK
               : wa_fail(err, WA_E_AUTH, "the code does not come from the provider of this server");
}

/* RFC 6749, 2.3.1: both are encoded before they are joined. */
static void add_basic(const struct wa_oidc_settings *s, struct wa_buf *headers)
{
    WA_AUTO_BUF_SECRET struct wa_buf both;
    wa_buf_init(&both, 8192);
    wa_url_encode(wa_sv(s->client), &both);
    wa_buf_addc(&both, ':');
    wa_url_encode(wa_sv(s->secret), &both);
    wa_buf_adds(headers, "Authorization: Basic ");
    wa_base64_encode(both.p, both.n, headers);
    wa_buf_adds(headers, "\r\n");
}

/* Who asks: what goes before is in body already. */
static enum wa_code end_form(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                             struct wa_buf *body, struct wa_buf *headers, struct wa_err *err)
{
    wa_buf_adds(headers, "Content-Type: application/x-www-form-urlencoded\r\nAccept: "
                         "application/json\r\n");
    if (s->secret[0] != '\0' && !p->takes_post) {
        add_basic(s, headers);
    } else {
        add(body, "&", "client_id", wa_sv(s->client));
        if (s->secret[0] != '\0')
            add(body, "&", "client_secret", wa_sv(s->secret));
    }
    return wa_buf_check(body, err) == WA_OK ? wa_buf_check(headers, err) : err->code;
}

enum wa_code wa_oidc_exchange(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                              const struct wa_oidc_finish *f, struct wa_buf *body,
                              struct wa_buf *headers, struct wa_err *err)
{
    add(body, "", "grant_type", WA_SV("authorization_code"));
    add(body, "&", "code", f->code);
    add_redirect(s, f->port, body);
    add(body, "&", "code_verifier", f->verifier);
    return end_form(s, p, body, headers, err);
}

enum wa_code wa_oidc_refresh(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                             struct wa_sv token, struct wa_buf *body, struct wa_buf *headers,
                             struct wa_err *err)
{
    add(body, "", "grant_type", WA_SV("refresh_token"));
    add(body, "&", "refresh_token", token);
    return end_form(s, p, body, headers, err);
}

enum wa_code wa_oidc_revoke(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                            struct wa_sv token, struct wa_buf *body, struct wa_buf *headers,
                            struct wa_err *err)
{
    add(body, "", "token", token);
    add(body, "&", "token_type_hint", WA_SV("refresh_token"));
    return end_form(s, p, body, headers, err);
}

static struct wa_sv text_of(const struct wa_json *answer, const char *key)
{
    const struct wa_json *j = wa_json_get(answer, key);
    return wa_json_is(j, WA_JSON_STRING) ? wa_json_sv(j) : WA_SV("");
}

/* RFC 6749, A.17: a token is of visible letters and blanks. */
static bool can_be_kept(struct wa_sv token)
{
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] < ' ' || token.p[i] > '~')
            return false;
    return token.n > 0 && token.n <= WA_OIDC_REFRESH_MAX;
}

void wa_oidc_read_tokens(const struct wa_json *answer, struct wa_oidc_tokens *ret)
{
    struct wa_sv refresh = text_of(answer, "refresh_token");
    ret->id = text_of(answer, "id_token");
    ret->refresh = can_be_kept(refresh) ? refresh : WA_SV("");
}

/* --- the claims --- */

static enum wa_code judge_audience(const struct wa_oidc_settings *s, const struct wa_json *claims,
                                   struct wa_err *err)
{
    const struct wa_json *aud = wa_json_get(claims, "aud"), *azp = wa_json_get(claims, "azp");
    bool is_many = wa_json_is(aud, WA_JSON_ARRAY) && wa_json_count(aud) != 1;
    bool is_ours = wa_json_is(aud, WA_JSON_ARRAY) ? has(aud, s->client)
                                                  : wa_sv_eqs(wa_json_sv(aud), s->client);
    if (!is_ours)
        return wa_fail(err, WA_E_AUTH, "the token is meant for somebody else ('aud')");
    if ((is_many || azp != NULL) && !wa_sv_eqs(wa_json_sv(azp), s->client))
        return wa_fail(err, WA_E_AUTH, "the token was given to somebody else ('azp')");
    return WA_OK;
}

static enum wa_code judge_times(const struct wa_json *claims, int64_t now, struct wa_err *err)
{
    int64_t exp = 0, iat = 0, nbf = 0;
    if (!wa_json_i64(wa_json_get(claims, "exp"), &exp) ||
        !wa_json_i64(wa_json_get(claims, "iat"), &iat) ||
        (wa_json_get(claims, "nbf") != NULL && !wa_json_i64(wa_json_get(claims, "nbf"), &nbf)))
        return wa_fail(err, WA_E_AUTH, "the token does not say when it is good");
    if (exp <= now - WA_OIDC_SKEW_S || iat < now - WA_OIDC_TOKEN_AGE_S)
        return wa_fail(err, WA_E_AUTH, "the token has expired");
    if (iat > now + WA_OIDC_SKEW_S || nbf > now + WA_OIDC_SKEW_S)
        return wa_fail(err, WA_E_AUTH,
                       "the token is of a time to come: compare the provider's clock with this "
                       "server's");
    return WA_OK;
}

/* Names that differ in case alone are one person to a provider. */
static enum wa_code take_name(const struct wa_oidc_settings *s, const struct wa_json *claims,
                              struct wa_oidc_person *p, struct wa_err *err)
{
    struct wa_sv name = wa_json_sv(wa_json_get(claims, s->user_claim));
    if (!wa_json_is(wa_json_get(claims, s->user_claim), WA_JSON_STRING) ||
        !wa_person_name_is_valid(name))
        return wa_fail(err, WA_E_AUTH, "the token's '%s' can't be a user's name here",
                       s->user_claim);
    if (strcmp(s->user_claim, "email") == 0 && !wa_json_bool(wa_json_get(claims, "email_verified")))
        return wa_fail(err, WA_E_AUTH, "the provider has not verified the person's address");
    for (size_t i = 0; i < name.n; i++)
        p->name[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    p->name[name.n] = '\0';
    return WA_OK;
}

/* may_lack: a token that was refreshed need not say it again. */
static enum wa_code judge_nonce(const struct wa_json *claims, const char *nonce, bool may_lack,
                                struct wa_err *err)
{
    const struct wa_json *j = wa_json_get(claims, "nonce");
    struct wa_sv said = wa_json_sv(j);
    if ((j == NULL && may_lack) || (said.n == strlen(nonce) && wa_ct_equal(said.p, nonce, said.n)))
        return WA_OK;
    return wa_fail(err, WA_E_AUTH, "the token was made for another login ('nonce')");
}

static enum wa_code judge(const struct wa_oidc_settings *s, const struct wa_json *claims,
                          const char *nonce, bool may_lack, int64_t now, struct wa_oidc_person *ret,
                          struct wa_err *err)
{
    struct wa_oidc_person p = {.groups = wa_json_get(claims, s->groups_claim)};
    struct wa_sv subject = wa_json_sv(wa_json_get(claims, "sub"));
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(claims, "iss")), s->issuer))
        return wa_fail(err, WA_E_AUTH, "the token is another provider's ('iss')");
    if (judge_audience(s, claims, err) != WA_OK || judge_times(claims, now, err) != WA_OK ||
        judge_nonce(claims, nonce, may_lack, err) != WA_OK)
        return err->code;
    if (!wa_json_is(wa_json_get(claims, "sub"), WA_JSON_STRING) || subject.n == 0 ||
        subject.n > WA_OIDC_SUBJECT_MAX || memchr(subject.p, 0, subject.n) != NULL)
        return wa_fail(err, WA_E_AUTH, "the token names nobody ('sub')");
    (void)snprintf(p.subject, sizeof p.subject, "%.*s", WA_SV_ARG(subject));
    if (take_name(s, claims, &p, err) != WA_OK)
        return err->code;
    *ret = p;
    return WA_OK;
}

enum wa_code wa_oidc_judge(const struct wa_oidc_settings *s, const struct wa_json *claims,
                           const char *nonce, int64_t now, struct wa_oidc_person *ret,
                           struct wa_err *err)
{
    return judge(s, claims, nonce, false, now, ret, err);
}

enum wa_code wa_oidc_judge_again(const struct wa_oidc_settings *s, const struct wa_json *claims,
                                 const struct wa_oidc_before *before, int64_t now,
                                 struct wa_oidc_person *ret, struct wa_err *err)
{
    struct wa_oidc_person p;
    if (judge(s, claims, before->nonce, true, now, &p, err) != WA_OK)
        return err->code;
    if (strcmp(p.subject, before->subject) != 0)
        return wa_fail(err, WA_E_AUTH, "the token is somebody else's ('sub')");
    if (strcmp(p.name, before->name) != 0)
        return wa_fail(err, WA_E_AUTH, "the person has another name now ('%s')", s->user_claim);
    *ret = p;
    return WA_OK;
}

bool wa_oidc_is_in(const struct wa_oidc_person *p, const char *group)
{
    return wa_json_is(p->groups, WA_JSON_ARRAY) ? has(p->groups, group)
                                                : wa_sv_eqs(wa_json_sv(p->groups), group);
}
