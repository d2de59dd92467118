/* test_ended.c - a process that only answers the store ends: whoever waits for it is told at once,
 * the next is told the same, and all goes on with the next process. And no process answers for
 * another. */
#include "bench.h"

#include "base/mem.h"
#include "os/clock.h"
#include "proto/login.h"

struct place {
    struct bench b;
    char admin[65];
    struct wa_buf out;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    assert_non_null(p);
    bench_new(&p->b);
    wa_buf_init(&p->out, 1u << 20);
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "admin", BENCH_PASSWORD, p->admin), 200);
    wa_free(p->b.store->child.config.ldap_roles);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("Help:helpdesk"), &p->b.store->child.config.ldap_roles, &err));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_buf_fini(&p->out);
    bench_free(&p->b);
    free(p);
    return 0;
}

/* What each is asked for by a call. */
static const struct {
    enum wa_server_role who;
    const char *method, *path, *query, *body;
} calls[] = {
    {WA_SR_SCAN, "GET", "/api/v1/packages", "", ""},
    {WA_SR_TRUST, "GET", "/api/v1/signers", "", ""},
    {WA_SR_WAKE, "GET", "/api/v1/wake", "", ""},
    {WA_SR_SEARCH, "GET", "/api/v1/software", "", ""},
    {WA_SR_REPORT, "POST", "/api/v1/report-rows", "", "{\"query\":\"SELECT uuid FROM hosts\"}"},
    {WA_SR_AUTH, "POST", "/api/v1/session", "",
     "{\"user\":\"admin\",\"password\":\"" BENCH_PASSWORD "\"}"},
    {WA_SR_DIRECTORY, "POST", "/api/v1/session", "", "{\"user\":\"eve\",\"password\":\"pw\"}"},
};

static int call(struct place *p, size_t i)
{
    return bench_ask(&p->b, calls[i].method, calls[i].path, calls[i].query, p->admin,
                     wa_sv(calls[i].body), &p->out);
}

static void test_who_waits_is_told(void **state)
{
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(calls); i++) {
        int status = 0;
        memset(&p->b.store->throttle, 0, sizeof p->b.store->throttle);
        p->b.is_silent = true;
        assert_int_equal(call(p, i), 0);
        assert_non_null(p->b.store->questions);
        wa_store_bereave(p->b.store, calls[i].who);
        assert_null(p->b.store->questions);
        assert_true(bench_serve(&p->b, p->b.id, &status, &p->out));
        assert_int_equal(status, 429);
        assert_non_null(strstr(wa_buf_str(&p->out), "started again"));
        assert_int_equal(call(p, i), 429); /* at once */
        p->b.is_silent = false;
        for (size_t other = 0; other < WA_COUNT(calls); other++) /* and nobody else notices */
            if (other > i)
                assert_int_equal(call(p, other) / 100, calls[other].who == WA_SR_DIRECTORY ? 4 : 2);
    }
}

/* Attempts that count against somebody. */
static uint32_t wrong_of(const struct wa_throttle *t)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < WA_COUNT(t->addresses); i++)
        wrong += t->addresses[i].wrong;
    for (size_t i = 0; i < WA_COUNT(t->accounts); i++)
        wrong += t->accounts[i].wrong;
    return wrong;
}

/* All that asks auth says that it has ended, never that something was wrong, nor that it was right;
 * and the attempts that somebody may have looked at stay counted. */
static void test_what_auth_was_asked(void **state)
{
    static const struct {
        const char *path, *body;
    } asks[] = {
        {"/api/v1/session", "{\"user\":\"admin\",\"password\":\"wrong\"}"},
        {"/api/v1/account/password", "{\"old\":\"wrong\",\"new\":\"a long one for her\"}"},
        {"/api/v1/account/second-factor", "{\"password\":\"wrong\"}"},
        {"/api/v1/account/second-factor/confirm", "{\"code\":\"123456\"}"},
        {"/api/v1/account/second-factor/off", "{\"code\":\"123456\"}"},
        {"/api/v1/users",
         "{\"name\":\"anna\",\"password\":\"a long one for her\",\"role\":\"readonly\"}"},
    };
    struct place *p = *state;
    int status = 0;
    for (size_t i = 0; i < WA_COUNT(asks); i++) {
        p->b.is_silent = true;
        assert_int_equal(
            bench_ask(&p->b, "POST", asks[i].path, "", p->admin, wa_sv(asks[i].body), &p->out), 0);
        wa_store_bereave(p->b.store, WA_SR_AUTH);
        if (!bench_serve(&p->b, p->b.id, &status, &p->out))
            fail_msg("%s: nothing", asks[i].path);
        if (status != 429 || strstr(wa_buf_str(&p->out), "auth process has ended") == NULL)
            fail_msg("%s: %d %s", asks[i].path, status, wa_buf_str(&p->out));
        bench_revive(&p->b, WA_SR_AUTH);
    }
    wa_store_bereave(p->b.store, WA_SR_AUTH);
    assert_int_equal(p->b.store->checks, 0);
    BENCH_IS(&p->b, "SELECT count(*) FROM users", "1");
    BENCH_IS(&p->b, "SELECT count(*) FROM sessions", "1");
    /* Three passwords, of the address and of the user, and two codes were counted: somebody may
     * have looked at them. What is not asked of anybody is not. */
    assert_int_equal(wrong_of(&p->b.store->throttle), 6);
    assert_int_equal(wrong_of(&p->b.store->codes), 2);
    for (size_t k = 0; k < 8 * WA_COUNT(asks); k++) {
        const char *path = asks[k % WA_COUNT(asks)].path;
        assert_int_equal(bench_ask(&p->b, "POST", path, "", p->admin,
                                   wa_sv(asks[k % WA_COUNT(asks)].body), &p->out),
                         429);
        if (strstr(wa_buf_str(&p->out), "auth process has ended") == NULL)
            fail_msg("%s: %s", path, wa_buf_str(&p->out));
    }
    assert_int_equal(wrong_of(&p->b.store->throttle), 6);
    assert_int_equal(wrong_of(&p->b.store->codes), 2);
}

/* A machine that registers by a person's password: the same. */
static void test_a_registration(void **state)
{
    struct place *p = *state;
    struct machine m;
    int status = 0;
    machine_new(&m, "pc-1");
    p->b.is_silent = true;
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_PASSWORD, "admin wrong"), 0);
    wa_store_bereave(p->b.store, WA_SR_AUTH);
    assert_true(bench_serve(&p->b, p->b.id, &status, &p->out));
    assert_int_equal(status, 429);
    assert_int_equal(wrong_of(&p->b.store->throttle), 2);
    for (int i = 0; i < 8; i++) {
        wa_buf_clear(&m.answer);
        assert_int_equal(machine_register(&p->b, &m, WA_CRED_PASSWORD, "admin wrong"), 429);
        assert_non_null(strstr(wa_buf_str(&m.answer), "auth process has ended"));
    }
    assert_int_equal(wrong_of(&p->b.store->throttle), 2);
    BENCH_IS(&p->b, "SELECT count(*) FROM hosts", "0");
    machine_free(&m);
}

/* What a machine asks about a person. */
static int ask_person(struct place *p, const struct machine *m)
{
    static const char *const groups[] = {"waptselfservice", NULL};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_login_msg msg = {wa_sv(m->uuid), wa_clock_now(), WA_SV("eve"), WA_SV("wrong"),
                                     groups};
    wa_buf_init(&text, 65536);
    WA_ASSERT_OK(wa_login_write(&msg, &text, &err));
    machine_seal(m, wa_buf_sv(&text), &body);
    return bench_ask(&p->b, "POST", "/agent/v1/login", "", "", wa_buf_sv(&body), &p->out);
}

static void test_what_the_directory_was_asked(void **state)
{
    struct place *p = *state;
    struct machine m;
    int status = 0;
    machine_new(&m, "pc-1");
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_TOKEN, "t"), 200);
    p->b.is_silent = true;
    assert_int_equal(ask_person(p, &m), 0);
    wa_store_bereave(p->b.store, WA_SR_DIRECTORY);
    assert_true(bench_serve(&p->b, p->b.id, &status, &p->out));
    assert_int_equal(status, 429);
    assert_int_equal(wrong_of(&p->b.store->persons), 2);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ask_person(p, &m), 429);
        assert_non_null(strstr(wa_buf_str(&p->out), "has ended"));
    }
    assert_int_equal(wrong_of(&p->b.store->persons), 2);
    machine_free(&m);
}

/* The directory says that the password was right; the code then finds nobody who would look. */
static void test_a_code_after_the_directory(void **state)
{
    static const char body[] = "{\"user\":\"eve\",\"password\":\"pw\",\"code\":\"123456\"}";
    struct place *p = *state;
    p->b.directory_answer = "{\"right\":true,\"groups\":[\"Help\"],\"reason\":\"\"}";
    assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/session", "", "", wa_sv(body), &p->out),
                     200);
    bench_exec(&p->b, "UPDATE users SET totp = 'sealed' WHERE name = 'eve'");
    assert_int_equal(wrong_of(&p->b.store->throttle), 0);
    wa_store_bereave(p->b.store, WA_SR_AUTH);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/session", "", "", wa_sv(body), &p->out),
                         429);
        assert_non_null(strstr(wa_buf_str(&p->out), "auth process has ended"));
    }
    assert_int_equal(wrong_of(&p->b.store->throttle), 0);
    assert_int_equal(wrong_of(&p->b.store->codes), 0);
}

/* One of the others was taken over, and knows the number of the question. */
static void test_nobody_answers_for_another(void **state)
{
    static const char *const words[] = {"ok", "{\"status\":200}", "{\"code\":\"ok\",\"list\":{}}"};
    struct place *p = *state;
    p->b.is_silent = true;
    assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/session", "", "",
                               WA_SV("{\"user\":\"admin\",\"password\":\"wrong\"}"), &p->out),
                     0);
    for (int who = WA_SR_SIGNER; who < WA_SR_COUNT; who++)
        for (size_t i = 0; i < WA_COUNT(words) && who != WA_SR_AUTH; i++) {
            int status = 0;
            const struct wa_chan_msg msg = {
                .id = p->b.store->next_id, .payload = wa_sv(words[i]), .fd = -1};
            wa_store_reply(p->b.store, (enum wa_server_role)who, &msg);
            assert_false(bench_serve(&p->b, p->b.id, &status, &p->out));
        }
    p->b.is_silent = false;
    int status = 0;
    assert_true(bench_serve(&p->b, p->b.id, &status, &p->out));
    assert_int_equal(status, 401);
}

/* --- whose doing it may be --- */

#define OIDC_BODY                                                                                  \
    "{\"port\":4711,\"code\":\"c\",\"verifier\":\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"}"
#define OIDC_START                                                                                 \
    "{\"port\":4711,\"state\":\"0123456789abcdef\",\"challenge\":"                                 \
    "\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"}"

/* Each way to have a process look at what a stranger sends. */
static const struct {
    enum wa_server_role who;
    const char *path, *body;
} ways[] = {
    {WA_SR_AUTH, "/api/v1/session", "{\"user\":\"admin\",\"password\":\"wrong\"}"},
    {WA_SR_DIRECTORY, "/api/v1/session", "{\"user\":\"eve\",\"password\":\"wrong\"}"},
    {WA_SR_KERBEROS, "/api/v1/session/kerberos", "{\"ticket\":\"YQ==\"}"},
    {WA_SR_OIDC, "/api/v1/session/oidc", OIDC_BODY},
    {WA_SR_OIDC, "/api/v1/session/oidc/start", OIDC_START},
};

static void open_all_ways(struct place *p)
{
    struct wa_server_config *c = &p->b.store->child.config;
    struct wa_err err = WA_ERR_INIT;
    wa_free(c->oidc_roles);
    wa_free(c->oidc_issuer);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("help:helpdesk"), &c->oidc_roles, &err));
    WA_ASSERT_OK(wa_sv_dup(WA_SV("https://id.example.org"), &c->oidc_issuer, &err));
    c->kerberos_login = true;
}

static void ask_from(struct place *p, size_t way, const char *peer)
{
    assert_int_equal(
        bench_ask_from(&p->b, peer, "POST", ways[way].path, "", "", wa_sv(ways[way].body), &p->out),
        0);
}

/* A provider that does not answer is waited for by few attempts of one address, so that others' are
 * begun all the same; what was answered counts no more. */
static void test_one_address_does_not_take_every_place(void **state)
{
    struct place *p = *state;
    struct bench *b = &p->b;
    int status = 0;
    open_all_ways(p);
    for (size_t w = 3; w < WA_COUNT(ways); w++) {
        b->is_silent = true;
        for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
            ask_from(p, w, "10.0.0.66");
        assert_int_equal(
            bench_ask_from(b, "10.0.0.66", "POST", ways[4].path, "", "", wa_sv(ways[4].body), NULL),
            429);
        ask_from(p, 4, "10.0.0.7");
        b->is_silent = false;
        b->oidc_answer = "{\"code\":\"timeout\",\"message\":\"away\"}";
        assert_true(bench_serve(b, b->id, &status, &p->out));
        assert_int_equal(status, wa_code_http(WA_E_TIMEOUT));
        assert_int_equal(b->store->oidc_asked, 0);
    }
    b->oidc_answer = "{\"url\":\"https://id.example.org/\"}";
    for (unsigned i = 0; i <= WA_THROTTLE_ADDRESS; i++)
        assert_int_equal(
            bench_ask_from(b, "10.0.0.66", "POST", ways[4].path, "", "", wa_sv(ways[4].body), NULL),
            200);
}

/* Somebody ends the process again and again by what he sends: that counts as an attempt, so he
 * waits like who guesses. Who was only waiting behind him does not. */
static void test_who_may_have_ended_it(void **state)
{
    struct place *p = *state;
    open_all_ways(p);
    for (size_t w = 0; w < WA_COUNT(ways); w++) {
        memset(&p->b.store->throttle, 0, sizeof p->b.store->throttle);
        for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++) {
            int status = 0;
            p->b.is_silent = true;
            ask_from(p, w, "10.0.0.66");
            uint32_t first = p->b.id;
            ask_from(p, w, "10.0.0.7");
            wa_store_bereave(p->b.store, ways[w].who);
            assert_true(bench_serve(&p->b, first, &status, &p->out));
            assert_int_equal(status, 429);
            p->b.is_silent = false;
            bench_revive(&p->b, ways[w].who);
        }
        /* of the address, and of the user where one is named: once each time */
        bool has_user = ways[w].who == WA_SR_AUTH || ways[w].who == WA_SR_DIRECTORY;
        uint32_t each = has_user ? 2 : 1;
        if (wrong_of(&p->b.store->throttle) != each * WA_THROTTLE_ADDRESS)
            fail_msg("%s: %u", ways[w].path, (unsigned)wrong_of(&p->b.store->throttle));
        assert_int_equal(bench_login(&p->b, "10.0.0.66", "admin", BENCH_PASSWORD, p->admin), 429);
        assert_int_equal(bench_login(&p->b, "10.0.0.7", "admin", BENCH_PASSWORD, p->admin), 200);
    }
}

/* A machine that registers by a ticket: nothing counts while it is looked at, but that. */
static void test_a_ticket_that_ends_it(void **state)
{
    struct place *p = *state;
    struct machine m;
    machine_new(&m, "pc-1");
    wa_free(p->b.store->child.config.registration);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_sv_dup(WA_SV("kerberos"), &p->b.store->child.config.registration, &err));
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++) {
        int status = 0;
        p->b.is_silent = true;
        assert_int_equal(machine_register(&p->b, &m, WA_CRED_KERBEROS, "YQ=="), 0);
        wa_store_bereave(p->b.store, WA_SR_KERBEROS);
        assert_true(bench_serve(&p->b, p->b.id, &status, &p->out));
        assert_int_equal(status, 429);
        assert_int_equal(wrong_of(&p->b.store->throttle), i + 1);
        p->b.is_silent = false;
        bench_revive(&p->b, WA_SR_KERBEROS);
    }
    wa_buf_clear(&m.answer);
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_KERBEROS, "YQ=="), 429);
    assert_non_null(strstr(wa_buf_str(&m.answer), "too many wrong credentials"));
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_waits_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_auth_was_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_registration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_the_directory_was_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_code_after_the_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_address_does_not_take_every_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_who_may_have_ended_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_ticket_that_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_answers_for_another, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
