/* F1A in the store: who becomes a machine, and who can't become one that is there already. */
#include "bench.h"

#include "os/clock.h"

#define HOUR 3600

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    bench_new(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

static void test_token_is_good_so_often(void **state)
{
    struct bench *b = *state;
    struct machine m[3];
    bench_token(b, "t", wa_clock_now() + HOUR, 2);
    for (int i = 0; i < 3; i++) {
        char uuid[16];
        (void)snprintf(uuid, sizeof uuid, "machine-%d", i);
        machine_new(&m[i], uuid);
        assert_int_equal(machine_register(b, &m[i], WA_CRED_TOKEN, "t"), i < 2 ? 200 : 401);
        machine_free(&m[i]);
    }
    BENCH_IS(b, "SELECT count(*) FROM hosts", "2");
    BENCH_IS(b, "SELECT uses FROM tokens", "0");
    BENCH_IS(b, "SELECT registered_by FROM hosts WHERE uuid = 'machine-0'", "token from 10.0.0.1");
    BENCH_IS(b, "SELECT content FROM sections WHERE section = 'host_info' AND uuid = 'machine-1'",
             "{\"computer_name\":\"pc\"}");
}

static void test_token_expired_or_invented(void **state)
{
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "old", wa_clock_now() - 1, 5);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "old"), 401);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "never made"), 401);
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 401); /* never anonymous */
    BENCH_IS(b, "SELECT count(*) FROM hosts", "0");
    BENCH_IS(b, "SELECT uses FROM tokens", "5");
    machine_free(&m);
}

static void test_revoked_token(void **state)
{
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 5);
    bench_exec(b, "DELETE FROM tokens");
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 401);
    machine_free(&m);
}

/* A uuid that is taken: no token changes its key, its own key renews it, an administrator replaces
 * it. */
static void test_takeover(void **state)
{
    struct bench *b = *state;
    struct machine first, thief;
    machine_new(&first, "machine");
    machine_new(&thief, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    assert_int_equal(machine_register(b, &first, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_greet(b, &first, 7), 200);
    thief.seq = 1000;
    assert_int_equal(machine_register(b, &thief, WA_CRED_TOKEN, "t"), 409);
    assert_int_equal(machine_register(b, &thief, WA_CRED_KEY, ""), 401);
    assert_int_equal(machine_register(b, &thief, WA_CRED_PASSWORD, "admin a wrong one"), 401);
    BENCH_IS(b, "SELECT uses FROM tokens", "8"); /* what was refused used nothing */
    assert_int_equal(machine_status(b, &first, "OK"), 200);
    assert_int_equal(machine_register(b, &first, WA_CRED_KEY, ""), 200);
    assert_int_equal(machine_greet(b, &thief, 8), 401);
    assert_int_equal(b->closed, 0);
    /* With the administrator's word the former key loses all, its open connection too. */
    assert_int_equal(machine_register(b, &thief, WA_CRED_PASSWORD, "admin " BENCH_PASSWORD), 200);
    assert_int_equal(b->closed, 1);
    assert_int_equal(b->closed_last, 7);
    assert_int_equal(machine_status(b, &first, "OK"), 401);
    assert_int_equal(machine_status(b, &thief, "OK"), 200);
    machine_free(&first);
    machine_free(&thief);
}

/* Whoever has proved nothing hears the same of a machine that is there and of one that is not, by
 * whatever way it asks. */
static void test_nobody_learns_who_is_there(void **state)
{
    struct bench *b = *state;
    struct machine first, strangers[2];
    static const struct {
        enum wa_cred_kind cred;
        const char *secret;
    } tries[] = {{WA_CRED_KEY, ""}, {WA_CRED_TOKEN, "guess"}, {WA_CRED_PASSWORD, "admin wrong"}};
    machine_new(&first, "machine");
    machine_new(&strangers[0], "machine");
    machine_new(&strangers[1], "nowhere");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    assert_int_equal(machine_register(b, &first, WA_CRED_TOKEN, "t"), 200);
    for (size_t i = 0; i < WA_COUNT(tries) + 1; i++) {
        struct wa_buf answers[2];
        for (size_t k = 0; k < 2; k++) {
            struct machine *m = &strangers[k];
            m->seq = 1000;
            assert_int_equal(i < WA_COUNT(tries)
                                 ? machine_register(b, m, tries[i].cred, tries[i].secret)
                                 : machine_status(b, m, "OK"),
                             401);
            wa_buf_init(&answers[k], 4096);
            wa_buf_addsv(&answers[k], wa_buf_sv(&m->answer));
            wa_throttle_good(&b->store->throttle, "10.0.0.1", "admin");
        }
        assert_string_equal(wa_buf_str(&answers[0]), wa_buf_str(&answers[1]));
        wa_buf_fini(&answers[0]);
        wa_buf_fini(&answers[1]);
    }
    assert_int_equal(machine_greet(b, &strangers[0], 7), 401);
    assert_int_equal(machine_greet(b, &strangers[1], 8), 401);
    BENCH_IS(b, "SELECT uses FROM tokens", "8");
    machine_free(&first);
    machine_free(&strangers[0]);
    machine_free(&strangers[1]);
}

static void test_registration_sent_again(void **state)
{
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    m.seq = 10;
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    m.seq = 10; /* 11 was used */
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 409);
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
    machine_free(&m);
}

/* The certificate must be the machine's own, and the statement signed by its key. */
static void test_borrowed_certificate(void **state)
{
    struct bench *b = *state;
    struct machine m, other;
    machine_new(&m, "machine");
    machine_new(&other, "other");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    struct wa_key *own = m.key;
    m.key = other.key; /* signs with another key than the certificate's */
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 403);
    m.key = own;
    struct wa_buf cert = m.cert;
    m.cert = other.cert; /* named differently */
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 403);
    m.cert = cert;
    BENCH_IS(b, "SELECT count(*) FROM hosts", "0");
    machine_free(&m);
    machine_free(&other);
}

static void test_guessing_is_slowed_down(void **state)
{
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "guess"), 401);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 429);
    assert_int_equal(bench_login(b, "10.0.0.1", "admin", BENCH_PASSWORD, NULL), 429);
    assert_int_equal(bench_login(b, "10.0.0.2", "admin", BENCH_PASSWORD, NULL), 200);
    machine_free(&m);
}

/* Many good ones from one address, as behind a router, are no guessing. */
static void test_many_good_ones(void **state)
{
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 100);
    for (unsigned i = 0; i < 4 * WA_THROTTLE_ADDRESS; i++)
        assert_int_equal(machine_register(b, &m, i == 0 ? WA_CRED_TOKEN : WA_CRED_KEY, "t"), 200);
    machine_free(&m);
}

/* By its own key a machine may register as often as it likes: that fills no journal, and takes no
 * more of the server's time than its reports may. */
static void test_a_rogue_machine_registers_for_ever(void **state)
{
    struct bench *b = *state;
    struct machine m, other;
    int status = 200, times = 0;
    WA_AUTO_BUF struct wa_buf facts;
    wa_buf_init(&facts, 1u << 20);
    machine_new(&m, "machine");
    machine_new(&other, "other");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    assert_int_equal(machine_register(b, &other, WA_CRED_TOKEN, "t"), 200);
    wa_buf_adds(&facts, "{\"computer_name\":\"pc\",\"more\":[1");
    for (int i = 0; i < 100000; i++)
        wa_buf_adds(&facts, ",1");
    wa_buf_adds(&facts, "]}");
    b->facts = wa_buf_str(&facts);
    for (; times < 3; times++)
        assert_int_equal(machine_register(b, &m, times == 0 ? WA_CRED_TOKEN : WA_CRED_KEY, "t"),
                         200);
    /* Nearly all that it may: how fast this machine here is, is nothing to test. */
    wa_fleet_took(b->store->fleet, wa_sv(m.uuid), WA_REPORT_BURST_MS - 1, wa_clock_mono_ms());
    for (; status == 200 && times < 1000; times++)
        status = machine_register(b, &m, WA_CRED_KEY, "t");
    b->facts = NULL;
    assert_int_equal(status, 429);
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%host.registered%machine%'", "1");
    assert_int_equal(machine_status(b, &m, "OK"), 429);
    assert_int_equal(machine_register(b, &other, WA_CRED_KEY, ""), 200);
    /* An administrator need not wait for it, and is told of. */
    assert_int_equal(machine_register(b, &m, WA_CRED_PASSWORD, "admin " BENCH_PASSWORD), 200);
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%host.registered%machine%'", "2");
    machine_free(&m);
    machine_free(&other);
}

/* Half a login beside another credential: a name that nobody has proved. */
static void test_credentials_are_not_mixed(void **state)
{
    static const char *const credentials[] = {
        "{\"kind\":\"token\",\"token\":\"t\",\"user\":\"admin\"}",
        "{\"kind\":\"token\",\"token\":\"t\",\"password\":\"x\"}",
        "{\"kind\":\"token\",\"token\":\"t\",\"user\":\"admin\",\"password\":\"x\"}",
        "{\"kind\":\"key\",\"user\":\"admin\"}",
        "{\"kind\":\"key\",\"token\":\"t\"}",
        "{\"kind\":\"password\",\"user\":\"admin\"}",
        "{\"kind\":\"password\",\"user\":\"admin\",\"password\":\"x\",\"token\":\"t\"}"};
    struct bench *b = *state;
    struct machine m;
    machine_new(&m, "machine");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    for (size_t i = 0; i < WA_COUNT(credentials); i++) {
        WA_AUTO_BUF struct wa_buf text;
        WA_AUTO_BUF struct wa_buf body;
        struct wa_jw w;
        wa_buf_init(&text, 64u << 10);
        wa_jw_init(&w, &text);
        wa_jw_obj(&w);
        wa_jw_kv(&w, "purpose", WA_PURPOSE_REGISTER);
        wa_jw_kv(&w, "uuid", m.uuid);
        wa_jw_kvi(&w, "seq", 1);
        wa_jw_kvi(&w, "time", wa_clock_now());
        wa_jw_kvsv(&w, "certificate", wa_buf_sv(&m.cert));
        wa_jw_key(&w, "credential");
        wa_jw_raw(&w, wa_sv(credentials[i]));
        wa_jw_end(&w);
        machine_seal(&m, wa_buf_sv(&text), &body);
        assert_int_equal(bench_ask(b, "POST", "/agent/v1/register", "", "", wa_buf_sv(&body), NULL),
                         400);
    }
    BENCH_IS(b, "SELECT count(*) FROM hosts", "0");
    BENCH_IS(b, "SELECT uses FROM tokens", "9");
    BENCH_IS(b, "SELECT count(*) FROM journal", "0");
    machine_free(&m);
}

static void test_nonsense(void **state)
{
    static const char *const bodies[] = {"",
                                         "{}",
                                         "[]",
                                         "null",
                                         "{\"signed\":1,\"signature\":\"\"}",
                                         "{\"signed\":\"{}\",\"signature\":\"\"}",
                                         "\xff\xfe"};
    struct bench *b = *state;
    static const char *const paths[] = {"/agent/v1/register", "/agent/v1/report"};
    for (size_t i = 0; i < WA_COUNT(bodies); i++)
        for (size_t k = 0; k < WA_COUNT(paths); k++) {
            int status = bench_ask(b, "POST", paths[k], "", "", wa_sv(bodies[i]), NULL);
            assert_true(status == 400 || status == 403);
        }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void let_in(struct bench *b, const char *registration)
{
    struct wa_err err = WA_ERR_INIT;
    wa_free(b->store->child.config.registration);
    WA_ASSERT_OK(wa_sv_dup(wa_sv(registration), &b->store->child.config.registration, &err));
}

#define ACCOUNT(name, sid) "{\"name\":\"" name "\",\"realm\":\"R\",\"account\":\"" sid "\"}"

/* What the kerberos process says of a ticket, and what becomes of it. */
static void test_tickets(void **state)
{
    struct bench *b = *state;
    struct machine m, again, other;
    struct wa_err err = WA_ERR_INIT;
    machine_new(&m, "machine");
    machine_new(&again, "machine");
    machine_new(&other, "other");
    bench_token(b, "t", wa_clock_now() + HOUR, 9);
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-1");
    assert_int_equal(machine_register(b, &m, WA_CRED_KERBEROS, "AAAA"), 403); /* not let in so */
    assert_string_equal(b->kerberos_asked, "");
    let_in(b, "kerberos");
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 403);
    assert_int_equal(machine_register(b, &m, WA_CRED_PASSWORD, "admin " BENCH_PASSWORD), 403);
    BENCH_IS(b, "SELECT uses FROM tokens", "9");
    assert_int_equal(machine_register(b, &m, WA_CRED_KERBEROS, "AAAA"), 200);
    assert_non_null(strstr(b->kerberos_asked, "{\"ticket\":\"AAAA\",\"binding\":\""));
    BENCH_IS(b, "SELECT account FROM host_accounts WHERE uuid = 'machine'", "S-1-5-21-1");
    BENCH_IS(b, "SELECT registered_by FROM hosts", "ticket of PC from 10.0.0.1");
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200); /* its own key, always */
    /* The same account with another key is the same machine; another account is not. */
    again.seq = 1000;
    assert_int_equal(machine_register(b, &again, WA_CRED_KERBEROS, "AAAA"), 200);
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 401);
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-2");
    assert_int_equal(machine_register(b, &m, WA_CRED_KERBEROS, "AAAA"), 409);
    assert_int_equal(machine_register(b, &again, WA_CRED_KERBEROS, "AAAA"),
                     409); /* nor by its key */
    /* One account, one machine. */
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-1");
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 200);
    BENCH_IS(b, "SELECT uuid FROM hosts", "other");
    BENCH_IS(b, "SELECT count(*) FROM host_accounts", "1");
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%host.left%'", "1");
    /* What it calls itself, and what its ticket says. */
    b->facts = "{\"computer_name\":\"pc\",\"computer_fqdn\":\"other.test\"}";
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 403);
    b->facts = "{\"os_name\":\"Debian\"}";
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 403);
    b->facts = NULL;
    b->kerberos_answer = "{\"code\":\"auth\",\"message\":\"replayed\"}";
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 401);
    b->kerberos_answer = "{}";
    assert_true(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA") >= 400);
    /* Wrong ones are counted, right ones are not. */
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA") >= 400, 1);
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 429);
    b->store->throttle = (struct wa_throttle){.seed = b->store->throttle.seed};
    /* Where its account stands, if that is asked for: no answer lets nobody in. */
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-1");
    wa_free(b->store->child.config.kerberos_unit);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("OU=Paris"), &b->store->child.config.kerberos_unit, &err));
    b->directory_answer = "{\"below\":true}";
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 200);
    assert_string_equal(b->directory_asked, "{\"sid\":\"S-1-5-21-1\",\"unit\":\"OU=Paris\"}");
    b->directory_answer = "{\"below\":false}";
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 403);
    b->directory_answer = "{\"code\":\"unreachable\",\"message\":\"away\"}";
    for (size_t i = 0; i < 20; i++) /* and locks nobody out */
        assert_true(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA") >= 500);
    b->directory_answer = NULL; /* of another question */
    assert_true(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA") >= 400);
    b->kerberos_answer = ACCOUNT("PC", "pc$@R");
    assert_int_equal(machine_register(b, &other, WA_CRED_KERBEROS, "AAAA"), 403);
    machine_free(&m);
    machine_free(&again);
    machine_free(&other);
}

/* What each of them leaves behind - a certificate that is revoked, lines of the journal - stays for
 * long. */
static void test_an_account_that_is_ever_another_machine(void **state)
{
    struct bench *b = *state;
    struct machine m;
    unsigned taken = 0;
    let_in(b, "kerberos");
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-1");
    for (unsigned i = 0; i < 20; i++) {
        char uuid[16];
        (void)snprintf(uuid, sizeof uuid, "m%u", i / 2); /* now another name, now another key */
        machine_new(&m, uuid);
        m.seq = 100 * i;
        int status = machine_register(b, &m, WA_CRED_KERBEROS, "AAAA");
        assert_true(status == 200 || status == 429);
        taken += status == 200;
        machine_free(&m);
    }
    assert_in_range(taken, 2, 10);
    machine_new(&m, "another");
    assert_int_equal(machine_register(b, &m, WA_CRED_KERBEROS, "AAAA"), 429);
    b->kerberos_answer = ACCOUNT("PC", "S-1-5-21-2"); /* whoever else */
    assert_int_equal(machine_register(b, &m, WA_CRED_KERBEROS, "AAAA"), 200);
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_token_is_good_so_often),
        TEST(test_token_expired_or_invented),
        TEST(test_revoked_token),
        TEST(test_takeover),
        TEST(test_nobody_learns_who_is_there),
        TEST(test_registration_sent_again),
        TEST(test_borrowed_certificate),
        TEST(test_guessing_is_slowed_down),
        TEST(test_many_good_ones),
        TEST(test_a_rogue_machine_registers_for_ever),
        TEST(test_credentials_are_not_mixed),
        TEST(test_tickets),
        TEST(test_an_account_that_is_ever_another_machine),
        TEST(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
