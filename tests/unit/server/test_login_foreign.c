/* People whom others vouch for: a provider of OpenID Connect, an authority, a registration of their
 * certificate. The oidc process and the front are played. */
#include "bench.h"

#include "base/mem.h"
#include "codec/hex.h"

#define BODY                                                                                       \
    "{\"port\":4711,\"code\":\"c\",\"verifier\":\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"}"
#define SAYS(name, subject, nonce, groups)                                                         \
    "{\"name\":\"" name "\",\"subject\":\"" subject "\",\"nonce\":\"" nonce                        \
    "\",\"groups\":[" groups "]}"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct wa_err err = WA_ERR_INIT;
    bench_new(b);
    struct wa_server_config *c = &b->store->child.config;
    wa_free(c->oidc_roles);
    wa_free(c->oidc_issuer);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("admins:superadmin,help:helpdesk"), &c->oidc_roles, &err));
    WA_ASSERT_OK(wa_sv_dup(WA_SV("https://id.example.org"), &c->oidc_issuer, &err));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

static int log_in(struct bench *b, const char *peer, const char *answer, char token[65])
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    b->oidc_answer = answer;
    int status = bench_ask_from(b, peer, "POST", "/api/v1/session/oidc", "", "", WA_SV(BODY), &out);
    if (status == 200)
        assert_int_equal(
            sscanf(strstr(wa_buf_str(&out), "\"token\":\""), "\"token\":\"%64[^\"]\"", token), 1);
    return status;
}

static void test_oidc(void **state)
{
    struct bench *b = *state;
    char token[65] = "";
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    b->oidc_answer = "{\"url\":\"https://id.example.org/a?b\"}";
    assert_int_equal(bench_ask(b, "POST", "/api/v1/session/oidc/start", "", "",
                               WA_SV("{\"port\":4711,\"state\":\"0123456789abcdef\",\"challenge\":"
                                     "\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"}"),
                               &out),
                     200);
    assert_string_equal(wa_buf_str(&out), "{\"url\":\"https://id.example.org/a?b\"}");
    assert_int_equal(log_in(b, "10.0.0.1", SAYS("anna", "1", "n1", "\"help\""), token), 200);
    assert_non_null(strstr(b->oidc_asked, "\"groups\":[\"admins\",\"help\"]"));
    BENCH_IS(b, "SELECT role || origin || subject FROM users WHERE name = 'anna'", "helpdeskoidc1");
    BENCH_IS(b, "SELECT method FROM sessions", "oidc");
    BENCH_IS(b, "SELECT expires - created FROM sessions", "600");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 403);
    /* What the provider says anew counts anew, in sessions that are open too. */
    char other[65];
    assert_int_equal(log_in(b, "10.0.0.1", SAYS("anna", "1", "n2", "\"admins\""), other), 200);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
    /* Each proof counts once; a name is of one subject; names that are kept here stay here. */
    assert_int_equal(log_in(b, "10.0.0.2", SAYS("anna", "1", "n2", "\"admins\""), other), 401);
    assert_int_equal(log_in(b, "10.0.0.2", SAYS("anna", "2", "n3", "\"admins\""), other), 409);
    assert_int_equal(log_in(b, "10.0.0.2", SAYS("admin", "1", "n4", "\"admins\""), other), 409);
    assert_int_equal(log_in(b, "10.0.0.2", SAYS("eve", "3", "n5", ""), other), 403);
    assert_int_equal(log_in(b, "10.0.0.2", SAYS("eve", "3", "n6", "\"Admins\""), other), 403);
    BENCH_IS(b, "SELECT count(*) FROM users", "2");
    BENCH_IS(b, "SELECT count(*) FROM used_proofs", "2");
    /* What is no answer, and a provider that is away: not the person's doing. */
    assert_int_equal(log_in(b, "10.0.0.3", "{}", other), 400);
    for (int i = 0; i < 8; i++)
        assert_int_equal(
            log_in(b, "10.0.0.4", "{\"code\":\"timeout\",\"message\":\"away\"}", other),
            wa_code_http(WA_E_TIMEOUT));
    for (unsigned i = 0; i <= WA_THROTTLE_ADDRESS; i++)
        assert_int_equal(log_in(b, "10.0.0.5", "{\"code\":\"auth\",\"message\":\"no\"}", other),
                         i < WA_THROTTLE_ADDRESS ? 401 : 429);
    assert_int_equal(b->store->oidc_asked, 0);
    bench_exec(b, "UPDATE used_proofs SET until = 1");
    wa_store_clean(b->store, INT64_C(4000000000));
    BENCH_IS(b, "SELECT count(*) FROM used_proofs", "0");
}

/* --- sessions about which the provider is asked again --- */

#define SEALED(name, nonce, groups, sealed)                                                        \
    "{\"name\":\"" name "\",\"subject\":\"1\",\"nonce\":\"" nonce "\",\"groups\":[" groups         \
    "],\"sealed\":\"" sealed "\"}"

/* It is time; the answer is the same to whatever is asked. */
static void ask_again(struct bench *b, const char *answer)
{
    int status = 0;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(
        wa_node_turn(b->store, &err)); /* where there could be several servers, this leads */
    b->oidc_asked[0] = '\0';
    b->oidc_answer = answer;
    b->store->renew_at = 0;
    bench_exec(b, "UPDATE sessions SET due = 1 WHERE due > 0");
    wa_store_renew_sessions(b->store);
    (void)bench_serve(b, 0, &status, NULL);
    assert_false(b->store->is_renewing);
}

static void test_renewal(void **state)
{
    struct bench *b = *state;
    char token[65] = "", other[65] = "", session[WA_SHA256_HEX], want[256];
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n1", "\"help\"", "first"), token), 200);
    WA_ASSERT_OK(wa_sha256_hex(token, 64, session, &err));
    (void)snprintf(want, sizeof want, "\"session\":\"%s\"", session);
    assert_non_null(strstr(b->oidc_asked, want)); /* sealed for this session */
    assert_null(strstr(b->oidc_asked, token));
    BENCH_IS(b, "SELECT sealed || (due - created) || ' ' || (expires - created) FROM sessions",
             "first600 1200");
    wa_store_renew_sessions(b->store); /* it is not time yet */
    assert_null(b->store->questions);
    /* What it says now counts now, and the next question is by the next token. */
    ask_again(b, SEALED("anna", "n1", "\"admins\"", "second"));
    assert_non_null(strstr(b->oidc_asked, "{\"renew\":{\"session\":\""));
    assert_non_null(strstr(b->oidc_asked, "\"user\":\"anna\",\"sealed\":\"first\"},\"groups\":["));
    BENCH_IS(b, "SELECT sealed FROM sessions", "second");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
    /* Never beyond the longest that a session lasts. */
    bench_exec(b, "UPDATE sessions SET created = created - 43000");
    ask_again(b, SEALED("anna", "n1", "\"admins\"", "third"));
    BENCH_IS(b, "SELECT expires - created FROM sessions", "43200");
    bench_exec(b, "UPDATE sessions SET created = created + 43000");
    /* It does not answer: as long again as it was good, and no longer. */
    char before[32], after[32];
    static const char *const silences[] = {"unreachable", "timeout", "busy", "internal", "config"};
    for (size_t i = 0; i < WA_COUNT(silences); i++) {
        char answer[64];
        bench_query(b, "SELECT expires FROM sessions", before, sizeof before);
        (void)snprintf(answer, sizeof answer, "{\"code\":\"%s\",\"message\":\"m\"}", silences[i]);
        ask_again(b, answer);
        bench_query(b, "SELECT expires FROM sessions", after, sizeof after);
        assert_string_equal(before, after);
        assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
        wa_store_renew_sessions(b->store); /* it is left alone for a while */
        assert_null(b->store->questions);
    }
    bench_exec(b, "UPDATE sessions SET expires = 1");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 401);
    wa_store_clean(b->store, INT64_C(4000000000));
    ask_again(b, "{}");
    assert_non_null(strstr(b->oidc_asked, "{\"revoke\":{\"session\":\""));
    assert_non_null(strstr(b->oidc_asked, "\"sealed\":\"third\""));
    /* Without another token it is the last time. */
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n2", "\"help\"", "fourth"), token), 200);
    ask_again(b, SAYS("anna", "1", "n2", "\"help\""));
    BENCH_IS(b, "SELECT sealed || due FROM sessions", "0");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    /* Somebody who is logged in twice: one session that the provider ends leaves the other. */
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n3", "\"help\"", "fifth"), other), 200);
    ask_again(b, "{\"code\":\"auth\",\"message\":\"the provider refuses\"}");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", other, WA_SV(""), NULL), 401);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.logged_out%'", "1");
}

/* What ends all of a person's sessions, and what none of. */
static void test_renewal_refused(void **state)
{
    static const struct {
        const char *answer;
        bool is_all; /* that he has open */
    } cases[] = {
        {SEALED("anna", "n", "", "next"), true},
        {SEALED("anna", "n", "\"Admins\"", "next"), true},
        {SEALED("eve", "n", "\"admins\"", "next"), false},
        {SAYS("anna", "2", "n", "\"admins\""), false},
        {"{\"code\":\"auth\",\"message\":\"no\"}", false},
        {"{\"code\":\"denied\",\"message\":\"no\"}", false},
    };
    struct bench *b = *state;
    char token[65] = "", other[65] = "", first[1024], nonce[8];
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        (void)snprintf(nonce, sizeof nonce, "a%zu", i);
        (void)snprintf(first, sizeof first,
                       "{\"name\":\"anna\",\"subject\":\"1\",\"nonce\":\"%s\",\"groups\":["
                       "\"help\"],\"sealed\":\"s\"}",
                       nonce);
        assert_int_equal(log_in(b, "10.0.0.1", first, token), 200);
        nonce[0] = 'b';
        (void)snprintf(first, sizeof first, SAYS("anna", "1", "%s", "\"help\""), nonce);
        assert_int_equal(log_in(b, "10.0.0.1", first, other), 200); /* one that is not renewed */
        ask_again(b, cases[i].answer);
        if (bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL) != 401 ||
            bench_ask(b, "GET", "/api/v1/hosts", "", other, WA_SV(""), NULL) !=
                (cases[i].is_all ? 401 : 200))
            fail_msg("case %zu", i);
        BENCH_IS(b, "SELECT role FROM users WHERE name = 'anna'", "helpdesk");
        BENCH_IS(b, "SELECT count(*) FROM users WHERE name = 'eve'", "0");
        assert_non_null(strstr(b->oidc_asked, "{\"revoke\":")); /* and is given back */
        bench_exec(b, "DELETE FROM sessions");
    }
    /* He logged out while the provider was asked: what came is given back, and nothing is open. */
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "c", "\"help\"", "s"), token), 200);
    bench_exec(b, "UPDATE sessions SET due = 1");
    b->store->renew_at = 0;
    b->is_silent = true;
    wa_store_renew_sessions(b->store);
    assert_true(b->store->is_renewing);
    assert_int_equal(bench_ask(b, "DELETE", "/api/v1/session", "", token, WA_SV(""), NULL), 200);
    b->is_silent = false;
    b->oidc_answer = SEALED("anna", "c", "\"help\"", "rotated");
    int status = 0;
    (void)bench_serve(b, 0, &status, NULL);
    BENCH_IS(b, "SELECT count(*) FROM sessions", "0");
    assert_non_null(strstr(b->oidc_asked, "\"sealed\":\"rotated\""));
    BENCH_IS(b, "SELECT count(*) FROM ended_grants", "0");
    /* He was removed meanwhile: whatever the provider says, he stays so, and who has that name
     * since then loses nothing. */
    static const char *const said[] = {SEALED("anna", "c", "\"help\"", "late"),
                                       SEALED("anna", "c", "", "late"),
                                       "{\"code\":\"auth\",\"message\":\"no\",\"gone\":true}"};
    assert_int_equal(bench_login(b, "10.0.0.9", "admin", BENCH_PASSWORD, other), 200);
    for (size_t i = 0; i < WA_COUNT(said); i++) {
        (void)snprintf(first, sizeof first, SEALED("anna", "%s", "\"help\"", "s"),
                       i == 0   ? "g"
                       : i == 1 ? "h"
                                : "i");
        assert_int_equal(log_in(b, "10.0.0.1", first, token), 200);
        bench_exec(b, "UPDATE sessions SET due = 1 WHERE due > 0");
        b->store->renew_at = 0;
        b->is_silent = true;
        wa_store_renew_sessions(b->store);
        assert_true(b->store->is_renewing);
        assert_int_equal(bench_ask(b, "DELETE", "/api/v1/users/anna", "", other, WA_SV(""), NULL),
                         200);
        if (i > 0)
            bench_exec(b, "INSERT INTO users (name, hash, role) VALUES ('anna', 'H', 'readonly')");
        b->is_silent = false;
        b->oidc_answer = said[i];
        (void)bench_serve(b, 0, &status, NULL);
        BENCH_IS(b, "SELECT count(*) FROM users WHERE name = 'anna' AND origin = 'oidc'", "0");
        BENCH_IS(b, "SELECT count(*) FROM sessions WHERE \"user\" = 'anna'", "0");
        BENCH_IS(b, "SELECT count(*) FROM ended_grants", "0");
        BENCH_IS(b, "SELECT count(*) FROM users WHERE name = 'anna' AND role = 'readonly'",
                 i > 0 ? "1" : "0");
        bench_exec(b, "DELETE FROM users WHERE name = 'anna'");
    }
    bench_exec(b, "DELETE FROM sessions");
    /* A login that comes to nothing: likewise. */
    assert_int_equal(log_in(b, "10.0.0.2", SEALED("anna", "d", "", "unused"), token), 403);
    ask_again(b, "{}");
    assert_non_null(strstr(b->oidc_asked, "\"sealed\":\"unused\""));
    /* The oidc process ends: later. */
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "e", "\"help\"", "s"), token), 200);
    bench_exec(b, "UPDATE sessions SET due = 1");
    b->store->renew_at = 0;
    b->is_silent = true;
    wa_store_renew_sessions(b->store);
    wa_store_bereave(b->store, WA_SR_OIDC);
    assert_false(b->store->is_renewing);
    b->store->renew_at = 0;
    bench_exec(b, "UPDATE sessions SET due = 1");
    wa_store_renew_sessions(b->store); /* nobody is there */
    assert_false(b->store->is_renewing);
    b->is_silent = false;
    BENCH_IS(b, "SELECT sealed FROM sessions", "s");
}

static int by_token(struct bench *b, const char *api_token)
{
    return bench_ask(b, "GET", "/api/v1/hosts", "", api_token, WA_SV(""), NULL);
}

/* An API token of somebody whom a provider knows is good while the last that was heard of him there
 * was good, and not too long ago. */
static void test_tokens_of_others(void **state)
{
    struct bench *b = *state;
    char token[65] = "", api[128] = "";
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n1", "\"help\"", "s"), token), 200);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/account/tokens", "", token,
                               WA_SV("{\"name\":\"robot\",\"rights\":[\"view\"],\"days\":30}"),
                               &out),
                     200);
    assert_int_equal(
        sscanf(strstr(wa_buf_str(&out), "\"token\":\""), "\"token\":\"%127[^\"]\"", api), 1);
    assert_int_equal(by_token(b, api), 200);
    /* A session that the provider ends says nothing of the person, unless it says so. */
    ask_again(b, "{\"code\":\"auth\",\"message\":\"logged out there\"}");
    assert_int_equal(by_token(b, token), 401);
    assert_int_equal(by_token(b, api), 200);
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n2", "\"help\"", "s"), token), 200);
    ask_again(b, "{\"code\":\"unreachable\",\"message\":\"away\",\"gone\":true}");
    assert_int_equal(by_token(b, api), 200);
    ask_again(b, "{\"code\":\"auth\",\"message\":\"no\",\"gone\":true}");
    assert_int_equal(by_token(b, token), 401);
    assert_int_equal(by_token(b, api), 401);
    /* Until the next login, or until it vouches for another session that is open. */
    assert_int_equal(log_in(b, "10.0.0.1", SEALED("anna", "n3", "\"help\"", "s"), token), 200);
    assert_int_equal(by_token(b, api), 200);
    bench_exec(b, "UPDATE users SET last_login = 0 WHERE name = 'anna'");
    assert_int_equal(by_token(b, api), 401);
    ask_again(b, SEALED("anna", "n3", "\"help\"", "next"));
    assert_int_equal(by_token(b, api), 200);
    BENCH_IS(b, "SELECT u.last_login - s.created FROM users u, sessions s WHERE u.name = 'anna'",
             "0");
    /* Whom nothing was heard of for long: a session that goes on is no login. */
    bench_exec(b, "UPDATE users SET last_login = last_login - 86401 WHERE name = 'anna'");
    ask_again(b, SEALED("anna", "n3", "\"help\"", "more"));
    assert_int_equal(by_token(b, token), 200);
    assert_int_equal(by_token(b, api), 401);
}

/* Where there is no provider nothing is asked. */
static void test_no_oidc(void **state)
{
    struct bench *b = *state;
    char token[65];
    b->store->child.config.oidc_issuer[0] = '\0';
    b->oidc_asked[0] = '\0';
    assert_int_equal(log_in(b, "10.0.0.1", "{}", token), 403);
    assert_string_equal(b->oidc_asked, "");
}

/* --- certificates --- */

struct shown {
    struct wa_cert *cert;
    struct wa_buf pem;
};

static void issue(const struct bench *b, struct shown *p, const struct wa_cert_request *what,
                  bool by_authority)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    WA_ASSERT_OK(wa_cert_issue(what, key, by_authority ? b->authority : NULL,
                               by_authority ? b->relay : NULL, &p->cert, &err));
    wa_buf_init(&p->pem, 65536);
    WA_ASSERT_OK(wa_cert_write_pem(p->cert, &p->pem, &err));
}

static void shown_fini(struct shown *p)
{
    wa_cert_free(p->cert);
    wa_buf_fini(&p->pem);
}

/* A login over a connection that shows p, which stays. */
static int show(struct bench *b, struct shown *p, char token[65])
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    memset(&b->store->throttle, 0, sizeof b->store->throttle);
    b->person = wa_cert_fingerprint(p->cert);
    b->pem = wa_buf_str(&p->pem);
    int status = bench_ask(b, "POST", "/api/v1/session/certificate", "", "", WA_SV("{}"), &out);
    b->pem = NULL;
    if (status == 200)
        assert_int_equal(
            sscanf(strstr(wa_buf_str(&out), "\"token\":\""), "\"token\":\"%64[^\"]\"", token), 1);
    return status;
}

static void let(struct bench *b, bool is_let, const struct shown *p, const char *session)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/api/v1/users/anna/certificates/%s",
                   wa_cert_fingerprint(p->cert));
    b->person = NULL;
    assert_int_equal(bench_ask(b, is_let ? "POST" : "DELETE", path, "", session, WA_SV(""), NULL),
                     200);
}

static void test_registered(void **state)
{
    static const struct wa_cert_request whats[] = {
        {.cn = "her own", .client_auth = true, .path_length = -1, .days = 10},
        {.cn = "for all", .path_length = -1, .days = 10},
        {.cn = "for code", .code_signing = true, .path_length = -1, .days = 10}};
    struct bench *b = *state;
    struct shown p[WA_COUNT(whats)];
    struct wa_err err = WA_ERR_INIT;
    char admin[65], token[65] = "";
    for (size_t i = 0; i < WA_COUNT(whats); i++)
        issue(b, &p[i], &whats[i], false);
    WA_ASSERT_OK(wa_store_set_user(b->store->db, "anna", "H", "readonly", &err));
    assert_int_equal(bench_login(b, "10.0.0.9", "admin", BENCH_PASSWORD, admin), 200);
    assert_int_equal(show(b, &p[0], token), 403); /* not switched on */
    b->store->child.config.certificate_login = true;
    assert_int_equal(show(b, &p[0], token), 401); /* nobody's */
    for (size_t i = 0; i < WA_COUNT(whats); i++)
        let(b, true, &p[i], admin);
    assert_int_equal(show(b, &p[2], token), 401); /* a key for code is for code */
    assert_int_equal(show(b, &p[1], token), 200);
    assert_int_equal(show(b, &p[0], token), 200);
    BENCH_IS(b, "SELECT DISTINCT expires - created FROM sessions WHERE \"user\" = 'anna'", "43200");
    BENCH_IS(b, "SELECT DISTINCT method FROM sessions WHERE \"user\" = 'anna'", "certificate");
    /* The session is worth nothing on another connection. */
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    b->person = wa_cert_fingerprint(p[1].cert);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 401);
    b->person = NULL;
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 401);
    /* A fingerprint without the certificate, another's certificate beside it, a machine's name. */
    b->person = wa_cert_fingerprint(p[0].cert);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/session/certificate", "", "", WA_SV("{}"), NULL),
                     401);
    b->pem = wa_buf_str(&p[1].pem);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/session/certificate", "", "", WA_SV("{}"), NULL),
                     500);
    b->pem = b->person = NULL;
    (void)snprintf(b->shown, sizeof b->shown, "anna");
    assert_int_equal(bench_ask(b, "POST", "/api/v1/session/certificate", "", "", WA_SV("{}"), NULL),
                     401);
    b->shown[0] = '\0';
    /* Its registration ends, and the sessions with it. */
    let(b, false, &p[0], admin);
    BENCH_IS(b, "SELECT count(*) FROM sessions WHERE \"user\" = 'anna'", "0");
    assert_int_equal(show(b, &p[0], token), 401);
    bench_exec(b, "UPDATE users SET is_disabled = 1 WHERE name = 'anna'");
    assert_int_equal(show(b, &p[1], token), 401);
    for (size_t i = 0; i < WA_COUNT(whats); i++)
        shown_fini(&p[i]);
}

/* Those of an authority that the configuration names: the bench's. */
static void test_issued(void **state)
{
    struct bench *b = *state;
    static const struct {
        struct wa_cert_request what;
        bool by_authority;
        int status;
    } cases[] = {
        {{.cn = "anna", .client_auth = true, .path_length = -1, .days = 10}, true, 200},
        {{.cn = "anna", .path_length = -1, .days = 10}, true, 200},
        {{.cn = "anna", .code_signing = true, .path_length = -1, .days = 10}, true, 401},
        {{.cn = "anna", .server_auth = true, .path_length = -1, .days = 10}, true, 401},
        {{.cn = "nobody", .client_auth = true, .path_length = -1, .days = 10}, true, 401},
        {{.cn = "Anna", .client_auth = true, .path_length = -1, .days = 10}, true, 401},
        {{.cn = "bernd", .client_auth = true, .path_length = -1, .days = 10}, true, 403},
        {{.cn = "anna", .client_auth = true, .path_length = -1, .days = 10}, false, 401},
    };
    struct wa_err err = WA_ERR_INIT;
    char token[65], path[WA_PATH_MAX + 16];
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, 65536);
    (void)snprintf(b->store->issuers, WA_PATH_MAX, "%.4000s/db", b->dir);
    wa_free(b->store->child.config.certificate_issuers);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("db"), &b->store->child.config.certificate_issuers, &err));
    b->store->child.config.certificate_login = true;
    WA_ASSERT_OK(wa_cert_write_pem(b->authority, &pem, &err));
    (void)snprintf(path, sizeof path, "%s/ca.crt", b->store->issuers);
    WA_ASSERT_OK(wa_path_replace(path, wa_buf_sv(&pem), 0600, &err));
    WA_ASSERT_OK(wa_store_set_user(b->store->db, "anna", "H", "readonly", &err));
    WA_ASSERT_OK(
        wa_store_set_foreign(b->store->db, "bernd", "directory", "", "superadmin", "", &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct shown p;
        issue(b, &p, &cases[i].what, cases[i].by_authority);
        int status = show(b, &p, token);
        if (status != cases[i].status)
            fail_msg("case %zu: %d", i, status);
        shown_fini(&p);
    }
    BENCH_IS(b, "SELECT DISTINCT expires - created FROM sessions WHERE \"user\" = 'anna'", "600");
    /* Revoked: the folder is read anew each time. */
    struct shown p;
    issue(b, &p, &cases[0].what, true);
    assert_int_equal(show(b, &p, token), 200);
    (void)snprintf(path, sizeof path, "%s/revoked.txt", b->store->issuers);
    WA_ASSERT_OK(wa_path_replace(path, wa_sv(wa_cert_fingerprint(p.cert)), 0600, &err));
    assert_int_equal(show(b, &p, token), 401);
    shown_fini(&p);
}

#define STORE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {STORE(test_oidc),
                                       STORE(test_renewal),
                                       STORE(test_renewal_refused),
                                       STORE(test_no_oidc),
                                       STORE(test_registered),
                                       STORE(test_issued),
                                       STORE(test_tokens_of_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
