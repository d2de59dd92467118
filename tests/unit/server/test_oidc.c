/* OpenID Connect without a network: what is asked of a provider, what of its words counts. */
#include "testlib.h"

#include "server/oidc_grant.h"
#include "server/role_oidc.h"
#include "torture.h"

#define ISSUER "https://id.example.org/realm"
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636, appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static const struct wa_oidc_settings settings = {.issuer = ISSUER,
                                                 .client = "a:b c",
                                                 .secret = "",
                                                 .scope = "openid profile",
                                                 .user_claim = "preferred_username",
                                                 .groups_claim = "groups",
                                                 .redirect = "127.0.0.1",
                                                 .prompt = ""};

#define DESCRIPTION(more)                                                                          \
    "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://id.example.org/a\","          \
    "\"token_endpoint\":\"https://id.example.org/t\",\"jwks_uri\":\"https://id.example.org/k\","   \
    "\"response_types_supported\":[\"code id_token\",\"code\"]" more "}"

static void test_description(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"issuer\":\"" ISSUER "\"}",
        "{\"issuer\":\"" ISSUER
        "/\",\"authorization_endpoint\":\"https://a/\",\"token_endpoint\":\"https://a/\",\"jwks_"
        "uri\":\"https://a/\",\"response_types_supported\":[\"code\"]}",
        "{\"issuer\":\"" ISSUER
        "\",\"authorization_endpoint\":\"https://a/\",\"token_endpoint\":\"http://a/\",\"jwks_"
        "uri\":\"https://a/\",\"response_types_supported\":[\"code\"]}",
        "{\"issuer\":\"" ISSUER
        "\",\"authorization_endpoint\":\"javascript:x\",\"token_endpoint\":\"https://a/\",\"jwks_"
        "uri\":\"https://a/\",\"response_types_supported\":[\"code\"]}",
        "{\"issuer\":\"" ISSUER
        "\",\"authorization_endpoint\":\"https://a/\",\"token_endpoint\":\"https://a/\",\"jwks_"
        "uri\":\"https://a/\",\"response_types_supported\":[\"id_token\"]}",
        DESCRIPTION(",\"code_challenge_methods_supported\":[\"plain\"]")};
    struct wa_oidc_provider p;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf url;
    WA_UNUSED(state);
    wa_buf_init(&url, 4096);
    WA_ASSERT_OK(wa_oidc_check(&settings, &err));
    wa_oidc_description_url(ISSUER "/", &url);
    assert_string_equal(wa_buf_str(&url), ISSUER "/.well-known/openid-configuration");
    WA_ASSERT_OK(wa_oidc_read_description(WA_SV(DESCRIPTION("")), ISSUER, &p, &err));
    assert_string_equal(p.token, "https://id.example.org/t");
    assert_false(p.says_issuer || p.takes_post || p.has_offline);
    assert_string_equal(p.revocation, "");
    WA_ASSERT_OK(wa_oidc_read_description(
        WA_SV(DESCRIPTION(",\"revocation_endpoint\":\"https://id.example.org/r\","
                          "\"scopes_supported\":[\"openid\",\"offline_access\"]")),
        ISSUER, &p, &err));
    assert_true(p.has_offline);
    assert_string_equal(p.revocation, "https://id.example.org/r");
    WA_ASSERT_OK(wa_oidc_read_description(
        WA_SV(DESCRIPTION(",\"revocation_endpoint\":\"http://id.example.org/r\"")), ISSUER, &p,
        &err));
    assert_string_equal(p.revocation, ""); /* nothing goes there without TLS */
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        if (wa_oidc_read_description(wa_sv(wrong[i]), ISSUER, &p, &err) == WA_OK)
            fail_msg("%s", wrong[i]);
        wa_err_clear(&err);
    }
}

static void test_settings(void **state)
{
    static const struct wa_oidc_settings wrong[] = {
        {"http://id.example.org", "c", "", "", "sub", "", "127.0.0.1", "", true, NULL, NULL},
        {"id.example.org", "c", "", "", "sub", "", "127.0.0.1", "", true, NULL, NULL},
        {"https://id.example.org/?a=b", "c", "", "", "sub", "", "127.0.0.1", "", true, NULL, NULL},
        {ISSUER, "", "", "", "sub", "", "127.0.0.1", "", true, NULL, NULL},
        {ISSUER, "c", "", "", "", "", "127.0.0.1", "", true, NULL, NULL},
        {ISSUER, "c", "", "", "sub", "", "evil.example.org", "", true, NULL, NULL},
        {ISSUER, "c", "", "", "sub", "", "127.0.0.1", "none", true, NULL, NULL}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_oidc_check(&wrong[i], &err) != WA_E_CONFIG)
            fail_msg("settings %zu: %s", i, err.text);
    }
}

/* What goes to the provider, to the letter. */
static void test_asking(void **state)
{
    struct wa_oidc_provider p = {.authorization = "https://id.example.org/a?x=1"};
    const struct wa_oidc_begin b = {4711, WA_SV("0123456789abcdef"), WA_SV(CHALLENGE)};
    const struct wa_oidc_finish f = {4711, WA_SV("a code&"), WA_SV(VERIFIER), WA_SV("")};
    struct wa_oidc_settings s = settings;
    char challenge[WA_OIDC_HASH], nonce[WA_OIDC_HASH], want[2048];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf headers;
    WA_UNUSED(state);
    wa_buf_init(&out, 8192);
    wa_buf_init(&headers, 8192);
    WA_ASSERT_OK(wa_oidc_challenge(WA_SV(VERIFIER), challenge, &err));
    assert_string_equal(challenge, CHALLENGE);
    WA_ASSERT_OK(wa_oidc_nonce(challenge, nonce, &err));
    assert_string_not_equal(nonce, challenge);
    WA_ASSERT_OK(wa_oidc_address(&s, &p, &b, &out, &err));
    (void)snprintf(want, sizeof want,
                   "https://id.example.org/a?x=1&response_type=code&client_id=a%%3Ab%%20c&"
                   "redirect_uri=http%%3A%%2F%%2F127.0.0.1%%3A4711%%2Foidc&scope=openid%%20profile&"
                   "state=0123456789abcdef&nonce=%s&code_challenge=" CHALLENGE
                   "&code_challenge_method=S256",
                   nonce);
    assert_string_equal(wa_buf_str(&out), want);
    wa_buf_clear(&out);
    WA_ASSERT_OK(wa_oidc_exchange(&s, &p, &f, &out, &headers, &err));
    assert_string_equal(wa_buf_str(&out),
                        "grant_type=authorization_code&code=a%20code%26&redirect_uri=http%3A%2F%"
                        "2F127.0.0.1%3A4711%2Foidc&code_verifier=" VERIFIER "&client_id=a%3Ab%20c");
    assert_null(strstr(wa_buf_str(&headers), "Authorization"));
    s.secret = "s%:+";
    wa_buf_clear(&headers);
    WA_ASSERT_OK(wa_oidc_exchange(&s, &p, &f, &out, &headers, &err)); /* "a%3Ab%20c:s%25%3A%2B" */
    assert_non_null(
        strstr(wa_buf_str(&headers), "Authorization: Basic YSUzQWIlMjBjOnMlMjUlM0ElMkI=\r\n"));
    p.takes_post = true;
    wa_buf_clear(&out);
    WA_ASSERT_OK(wa_oidc_exchange(&s, &p, &f, &out, &headers, &err));
    assert_non_null(strstr(wa_buf_str(&out), "&client_secret=s%25%3A%2B"));
    assert_int_equal(wa_oidc_challenge(WA_SV("short"), challenge, &err), WA_E_USAGE);
}

static bool asks_offline(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p,
                         const char *scope)
{
    const struct wa_oidc_begin b = {4711, WA_SV("0123456789abcdef"), WA_SV(CHALLENGE)};
    struct wa_err err = WA_ERR_INIT;
    char want[128];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 8192);
    WA_ASSERT_OK(wa_oidc_address(s, p, &b, &out, &err));
    (void)snprintf(want, sizeof want, "&scope=%s&state=", scope);
    return strstr(wa_buf_str(&out), want) != NULL;
}

/* Asking again, and giving back. */
static void test_refresh(void **state)
{
    struct wa_oidc_provider p = {.authorization = "https://id.example.org/a"};
    struct wa_oidc_settings s = settings;
    struct wa_oidc_tokens tokens;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf headers;
    WA_AUTO_BUF struct wa_buf large;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&out, 8192);
    wa_buf_init(&headers, 8192);
    wa_buf_init(&large, 65536);
    assert_false(wa_oidc_outlasts(&s, &p));
    s.wants_offline = true;
    assert_false(wa_oidc_outlasts(&s, &p));
    assert_true(asks_offline(&s, &p, "openid%20profile"));
    p.has_offline = true;
    assert_true(asks_offline(&s, &p, "openid%20profile%20offline_access"));
    assert_true(wa_oidc_outlasts(&s, &p));
    s.scope = "openid offline_access x";
    assert_true(asks_offline(&s, &p, "openid%20offline_access%20x"));
    s.wants_offline = false;
    assert_true(wa_oidc_outlasts(&s, &p));
    s.scope = "openid";
    assert_false(wa_oidc_outlasts(&s, &p));
    assert_true(asks_offline(&s, &p, "openid"));
    s.prompt = "consent";
    assert_true(asks_offline(&s, &p, "openid&prompt=consent"));
    WA_ASSERT_OK(wa_oidc_refresh(&s, &p, WA_SV("a token&"), &out, &headers, &err));
    assert_string_equal(wa_buf_str(&out), "grant_type=refresh_token&refresh_token=a%20token%26&"
                                          "client_id=a%3Ab%20c");
    wa_buf_clear(&out);
    s.secret = "secret";
    WA_ASSERT_OK(wa_oidc_revoke(&s, &p, WA_SV("t"), &out, &headers, &err));
    assert_string_equal(wa_buf_str(&out), "token=t&token_type_hint=refresh_token");
    assert_non_null(strstr(wa_buf_str(&headers), "Authorization: Basic "));
    static const struct {
        const char *json, *id, *refresh;
    } answers[] = {{"{\"id_token\":\"i\",\"refresh_token\":\"r r\"}", "i", "r r"},
                   {"{}", "", ""},
                   {"[]", "", ""},
                   {"{\"id_token\":5,\"refresh_token\":{}}", "", ""},
                   {"{\"refresh_token\":\"a\\nb\"}", "", ""},
                   {"{\"refresh_token\":\"\\u00e9\"}", "", ""},
                   {"{\"refresh_token\":\"\"}", "", ""}};
    for (size_t i = 0; i < WA_COUNT(answers); i++) {
        WA_ASSERT_OK(wa_json_parse(wa_sv(answers[i].json), 0, &arena, &j, &err));
        wa_oidc_read_tokens(j, &tokens);
        assert_true(wa_sv_eqs(tokens.id, answers[i].id));
        assert_true(wa_sv_eqs(tokens.refresh, answers[i].refresh));
    }
    for (size_t n = WA_OIDC_REFRESH_MAX; n <= WA_OIDC_REFRESH_MAX + 1; n++) {
        wa_buf_clear(&large);
        wa_buf_addf(&large, "{\"refresh_token\":\"%0*d\"}", (int)n, 0);
        WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&large), 0, &arena, &j, &err));
        wa_oidc_read_tokens(j, &tokens);
        assert_int_equal(tokens.refresh.n, n <= WA_OIDC_REFRESH_MAX ? n : 0);
    }
}

#define CLAIMS(more)                                                                               \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"a:b c\",\"exp\":1100,\"iat\":990,\"nonce\":\"n\",\"sub\":"  \
    "\"1\",\"preferred_username\":\"Anna@Example.org\"" more "}"

static enum wa_code judge(const struct wa_oidc_settings *s, const char *text, int64_t now,
                          struct wa_oidc_person *p, struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    return wa_json_parse(wa_sv(text), 0, arena, &j, err) == WA_OK
               ? wa_oidc_judge(s, j, "n", now, p, err)
               : err->code;
}

/* tests/proc/test_server_oidc.py has the lies of a whole provider; here are the borders. */
static void test_claims(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_oidc_person p;
    struct wa_oidc_settings s = settings;
    struct wa_err err = WA_ERR_INIT;
    static const struct {
        int64_t now;
        bool is_good;
    } times[] = {{990, true},
                 {990 - WA_OIDC_SKEW_S, true},
                 {990 - WA_OIDC_SKEW_S - 1, false},
                 {1100 + WA_OIDC_SKEW_S - 1, true},
                 {1100 + WA_OIDC_SKEW_S, false}};
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(judge(&s, CLAIMS(",\"groups\":[\"g\",5]"), 1000, &p, &arena, &err));
    assert_string_equal(p.name, "anna@example.org");
    assert_string_equal(p.subject, "1");
    assert_true(wa_oidc_is_in(&p, "g"));
    assert_false(wa_oidc_is_in(&p, "G"));
    WA_ASSERT_OK(judge(&s, CLAIMS(",\"groups\":\"one\""), 1000, &p, &arena, &err));
    assert_true(wa_oidc_is_in(&p, "one"));
    for (size_t i = 0; i < WA_COUNT(times); i++) {
        if ((judge(&s, CLAIMS(""), times[i].now, &p, &arena, &err) == WA_OK) != times[i].is_good)
            fail_msg("at %lld: %s", (long long)times[i].now, err.text);
        wa_err_clear(&err);
    }
    s.user_claim = "email";
    assert_int_equal(judge(&s, CLAIMS(",\"email\":\"a@b.org\""), 1000, &p, &arena, &err),
                     WA_E_AUTH);
    wa_err_clear(&err);
    WA_ASSERT_OK(judge(&s, CLAIMS(",\"email\":\"a@b.org\",\"email_verified\":true"), 1000, &p,
                       &arena, &err));
}

/* What a refreshed token may say, and what not. */
static void test_again(void **state)
{
    static const struct wa_oidc_before anna = {"n", "1", "anna@example.org"};
#define AGAIN(iss, aud, iat, more)                                                                 \
    "{\"iss\":\"" iss "\",\"aud\":\"" aud "\",\"exp\":1100,\"iat\":" iat more "}"
#define WHO(sub, name) ",\"sub\":\"" sub "\",\"preferred_username\":\"" name "\""
    static const struct {
        const char *claims;
        bool is_good;
    } cases[] = {
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "Anna@Example.org")), true},
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "anna@example.org") ",\"nonce\":\"n\""), true},
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "anna@example.org") ",\"nonce\":\"m\""), false},
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "anna@example.org") ",\"nonce\":\"\""), false},
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "anna@example.org") ",\"nonce\":null"), false},
        {AGAIN(ISSUER, "a:b c", "990", WHO("2", "anna@example.org")), false},
        {AGAIN(ISSUER, "a:b c", "990", WHO("11", "anna@example.org")), false},
        {AGAIN(ISSUER, "a:b c", "990", WHO("1", "eve@example.org")), false},
        {AGAIN(ISSUER "/", "a:b c", "990", WHO("1", "anna@example.org")), false},
        {AGAIN(ISSUER, "a", "990", WHO("1", "anna@example.org")), false},
        {AGAIN(ISSUER, "a:b c", "100", WHO("1", "anna@example.org")), false},
        {AGAIN(ISSUER, "a:b c", "9999", WHO("1", "anna@example.org")), false},
        {AGAIN(ISSUER, "a:b c", "990", ""), false}};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_oidc_person p;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        const struct wa_json *j = NULL;
        WA_ASSERT_OK(wa_json_parse(wa_sv(cases[i].claims), 0, &arena, &j, &err));
        enum wa_code code = wa_oidc_judge_again(&settings, j, &anna, 1000, &p, &err);
        if (code != (cases[i].is_good ? WA_OK : WA_E_AUTH))
            fail_msg("%s: %s", cases[i].claims, err.text);
    }
}

/* --- what the store keeps --- */

#define SESSION_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SESSION_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
static const uint8_t key[WA_SEAL_KEY] = {1, 2, 3}, other_key[WA_SEAL_KEY] = {1, 2, 4};
static const struct wa_oidc_holder anna = {SESSION_A, "anna"};

static enum wa_code seal(const char *token, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_oidc_grant g = {wa_sv(token), "n", "a\nsubject"};
    return wa_oidc_grant_seal(key, &settings, &anna, &g, out, err);
}

static void test_sealed(void **state)
{
    static const struct wa_oidc_holder others[] = {{SESSION_B, "anna"},
                                                   {SESSION_A, "eve"},
                                                   {SESSION_A, ""},
                                                   {"", "anna"},
                                                   {"A" SESSION_A, "anna"}};
    struct wa_oidc_settings s = settings;
    struct wa_oidc_grant g = {.token = WA_SV("")};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf sealed;
    WA_AUTO_BUF struct wa_buf clear;
    WA_AUTO_BUF struct wa_buf large;
    WA_UNUSED(state);
    wa_buf_init(&sealed, WA_OIDC_SEALED_MAX);
    wa_buf_init(&clear, WA_SEAL_SECRET_MAX + 1);
    wa_buf_init(&large, 65536);
    WA_ASSERT_OK(seal("refresh", &sealed, &err));
    assert_null(strstr(wa_buf_str(&sealed), "refresh"));
    WA_ASSERT_OK(wa_oidc_grant_open(key, &s, &anna, wa_buf_sv(&sealed), &clear, &g, &err));
    assert_true(wa_sv_eqs(g.token, "refresh"));
    assert_string_equal(g.nonce, "n");
    assert_string_equal(g.subject, "a\nsubject");
    for (size_t i = 0; i < WA_COUNT(others); i++)
        WA_ASSERT_CODE(
            wa_oidc_grant_open(key, &s, &others[i], wa_buf_sv(&sealed), &clear, &g, &err),
            WA_E_REFUSED);
    WA_ASSERT_CODE(wa_oidc_grant_open(other_key, &s, &anna, wa_buf_sv(&sealed), &clear, &g, &err),
                   WA_E_REFUSED);
    s.client = "another";
    WA_ASSERT_CODE(wa_oidc_grant_open(key, &s, &anna, wa_buf_sv(&sealed), &clear, &g, &err),
                   WA_E_REFUSED);
    s = settings;
    s.issuer = "https://other.example.org";
    WA_ASSERT_CODE(wa_oidc_grant_open(key, &s, &anna, wa_buf_sv(&sealed), &clear, &g, &err),
                   WA_E_REFUSED);
    /* The largest that is taken fits. */
    wa_buf_addf(&large, "%0*d", (int)WA_OIDC_REFRESH_MAX, 0);
    wa_buf_clear(&sealed);
    wa_buf_clear(&clear);
    WA_ASSERT_OK(seal(wa_buf_str(&large), &sealed, &err));
    WA_ASSERT_OK(wa_oidc_grant_open(key, &settings, &anna, wa_buf_sv(&sealed), &clear, &g, &err));
    assert_int_equal(g.token.n, WA_OIDC_REFRESH_MAX);
}

/* A store that was taken over asks about one session with what is another's: nobody is asked. */
static void test_a_hostile_store(void **state)
{
    static const char *const asks[] = {"renew", "revoke"};
    static const struct {
        const char *session, *user;
        bool is_own;
    } cases[] = {{SESSION_A, "anna", true}, {SESSION_B, "anna", false}, {SESSION_A, "eve", false}};
    struct wa_tls_trust trust = {.host = ""};
    struct wa_oidc_settings s = settings;
    WA_UNUSED(state);
    s.issuer = "https://127.0.0.1:1"; /* nobody listens there */
    const struct wa_oidc_grant g = {WA_SV("refresh"), "n", "1"};
    for (size_t i = 0; i < WA_COUNT(cases) * WA_COUNT(asks); i++) {
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO(wa_oidc_role) struct wa_oidc_role *role = NULL;
        WA_AUTO_BUF struct wa_buf sealed;
        WA_AUTO_BUF struct wa_buf question;
        WA_AUTO_BUF struct wa_buf answer;
        wa_buf_init(&sealed, WA_OIDC_SEALED_MAX);
        wa_buf_init(&question, 65536);
        wa_buf_init(&answer, 65536);
        WA_ASSERT_OK(wa_oidc_role_new(&s, &trust, key, &role, &err));
        WA_ASSERT_OK(wa_oidc_grant_seal(key, &s, &anna, &g, &sealed, &err));
        wa_buf_addf(&question,
                    "{\"%s\":{\"session\":\"%s\",\"user\":\"%s\",\"sealed\":\"%s\"},"
                    "\"groups\":[]}",
                    asks[i % 2], cases[i / 2].session, cases[i / 2].user, wa_buf_str(&sealed));
        WA_ASSERT_OK(wa_oidc_answer(role, wa_buf_sv(&question), &answer, &err));
        if ((strstr(wa_buf_str(&answer), "\"code\":\"unreachable\"") != NULL) !=
                cases[i / 2].is_own ||
            (strstr(wa_buf_str(&answer), "\"code\":\"auth\"") == NULL) != cases[i / 2].is_own)
            fail_msg("%s %s %s: %s", asks[i % 2], cases[i / 2].session, cases[i / 2].user,
                     wa_buf_str(&answer));
    }
}

static enum wa_code seals(void *arg, struct wa_err *err)
{
    struct wa_oidc_grant g = {.token = WA_SV("")};
    WA_AUTO_BUF struct wa_buf sealed;
    WA_AUTO_BUF struct wa_buf clear;
    WA_UNUSED(arg);
    wa_buf_init(&sealed, WA_OIDC_SEALED_MAX);
    wa_buf_init(&clear, WA_SEAL_SECRET_MAX + 1);
    if (seal("refresh", &sealed, err) == WA_OK &&
        wa_oidc_grant_open(key, &settings, &anna, wa_buf_sv(&sealed), &clear, &g, err) == WA_OK)
        assert_true(wa_sv_eqs(g.token, "refresh"));
    return err->code;
}

static enum wa_code all(void *arg, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf headers;
    struct wa_oidc_provider p;
    struct wa_oidc_person who;
    struct wa_oidc_settings s = settings;
    const struct wa_oidc_begin b = {4711, WA_SV("0123456789abcdef"), WA_SV(CHALLENGE)};
    const struct wa_oidc_finish f = {4711, WA_SV("c"), WA_SV(VERIFIER), WA_SV("")};
    WA_UNUSED(arg);
    s.secret = "secret";
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&out, 8192);
    wa_buf_init(&headers, 8192);
    if (wa_oidc_read_description(WA_SV(DESCRIPTION("")), ISSUER, &p, err) != WA_OK ||
        wa_oidc_address(&s, &p, &b, &out, err) != WA_OK ||
        wa_oidc_exchange(&s, &p, &f, &out, &headers, err) != WA_OK)
        return err->code;
    return judge(&s, CLAIMS(""), 1000, &who, &arena, err);
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(all, NULL) > 5);
    assert_true(wa_torture(seals, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_description), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_asking),      cmocka_unit_test(test_claims),
        cmocka_unit_test(test_refresh),     cmocka_unit_test(test_again),
        cmocka_unit_test(test_sealed),      cmocka_unit_test(test_a_hostile_store),
        cmocka_unit_test(test_torture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
