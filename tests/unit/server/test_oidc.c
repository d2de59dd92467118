/* OpenID Connect without a network: what is asked of a provider, what of its words counts. */
#include "testlib.h"

#include "server/oidc.h"
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
                                                 .redirect = "127.0.0.1"};

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
    assert_false(p.says_issuer || p.takes_post);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        if (wa_oidc_read_description(wa_sv(wrong[i]), ISSUER, &p, &err) == WA_OK)
            fail_msg("%s", wrong[i]);
        wa_err_clear(&err);
    }
}

static void test_settings(void **state)
{
    static const struct wa_oidc_settings wrong[] = {
        {"http://id.example.org", "c", "", "", "sub", "", "127.0.0.1"},
        {"id.example.org", "c", "", "", "sub", "", "127.0.0.1"},
        {"https://id.example.org/?a=b", "c", "", "", "sub", "", "127.0.0.1"},
        {ISSUER, "", "", "", "sub", "", "127.0.0.1"},
        {ISSUER, "c", "", "", "", "", "127.0.0.1"},
        {ISSUER, "c", "", "", "sub", "", "evil.example.org"}};
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_description),
                                       cmocka_unit_test(test_settings),
                                       cmocka_unit_test(test_asking), cmocka_unit_test(test_claims),
                                       cmocka_unit_test(test_torture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
