/* F1E by way of the server: what a machine may ask about people, how often, and what it is told. */
#include "bench.h"

#include "os/clock.h"
#include "proto/login.h"

static const char *const groups[] = {"waptselfservice", "Domain Admins", NULL};
static const char known[] = "{\"right\":true,\"groups\":[\"waptselfservice\"],\"reason\":\"\"}";

/* The status; the answer's body in out, which may be NULL. */
static int ask(struct bench *b, const struct machine *m, const char *user, const char *password,
               int64_t at, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_login_msg msg = {wa_sv(m->uuid), at, wa_sv(user), wa_sv(password), groups};
    wa_buf_init(&text, 1u << 20);
    assert_int_equal(wa_login_write(&msg, &text, &err), WA_OK);
    machine_seal(m, wa_buf_sv(&text), &body);
    return bench_ask(b, "POST", "/agent/v1/login", "", "", wa_buf_sv(&body), out);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    bench_new(b);
    bench_token(b, "t", wa_clock_now() + 3600, 99);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

static void enrolled(struct bench *b, struct machine *m, const char *uuid)
{
    machine_new(m, uuid);
    assert_int_equal(machine_register(b, m, WA_CRED_TOKEN, "t"), 200);
}

static void test_answers(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    enrolled(b, &m, "machine");
    b->directory_answer = known;
    assert_int_equal(ask(b, &m, "alice", "open sesame", wa_clock_now(), &out), 200);
    assert_string_equal(wa_buf_str(&out), "{\"accepted\":true,\"groups\":[\"waptselfservice\"]}");
    assert_string_equal(b->directory_asked,
                        "{\"user\":\"alice\",\"password\":\"open sesame\",\"groups\":"
                        "[\"waptselfservice\",\"Domain Admins\"]}");
    b->directory_answer = NULL;
    assert_int_equal(ask(b, &m, "alice", "wrong", wa_clock_now(), &out), 200);
    assert_string_equal(wa_buf_str(&out), "{\"accepted\":false,\"groups\":[]}"); /* not why */
    b->directory_answer = "{\"code\":\"timeout\",\"message\":\"the directory is away\"}";
    assert_int_equal(ask(b, &m, "alice", "open sesame", wa_clock_now(), &out),
                     wa_code_http(WA_E_TIMEOUT));
    b->directory_answer = "{\"right\":\"yes\"}";
    assert_true(ask(b, &m, "alice", "open sesame", wa_clock_now(), &out) >= 400);
    machine_free(&m);
}

static void test_who_may_not_ask(void **state)
{
    struct bench *b = *state;
    struct machine m, stranger, thief;
    enrolled(b, &m, "machine");
    machine_new(&stranger, "stranger");
    machine_new(&thief, "machine");
    b->directory_answer = known;
    assert_int_equal(ask(b, &stranger, "alice", "p", wa_clock_now(), NULL), 401);
    assert_int_equal(ask(b, &thief, "alice", "p", wa_clock_now(), NULL), 401);
    assert_int_equal(ask(b, &m, "alice", "p", wa_clock_now() - WA_REPORT_SKEW_S - 5, NULL), 409);
    assert_int_equal(ask(b, &m, "alice", "", wa_clock_now(), NULL), 400);
    assert_string_equal(b->directory_asked, "");
    b->store->child.config.ldap_servers[0] = '\0';
    assert_int_equal(ask(b, &m, "alice", "p", wa_clock_now(), NULL), wa_code_http(WA_E_DENIED));
    assert_string_equal(b->directory_asked, "");
    machine_free(&m);
    machine_free(&stranger);
    machine_free(&thief);
}

/* Five wrong ones of a machine, twenty of a person by whatever machines and in whatever form of the
 * name; who has the right password from a machine where it was right before is not kept out. */
static void test_guessing(void **state)
{
    static const char *const forms[] = {"alice", "ALICE", "EXAMPLE\\Alice", "alice@example.org"};
    struct bench *b = *state;
    struct machine m[6];
    for (size_t i = 0; i < WA_COUNT(m); i++) {
        char uuid[16];
        (void)snprintf(uuid, sizeof uuid, "machine-%zu", i);
        enrolled(b, &m[i], uuid);
    }
    b->directory_answer = known;
    assert_int_equal(ask(b, &m[5], "alice", "right", wa_clock_now(), NULL), 200);
    b->directory_answer = NULL;
    for (size_t i = 0; i < 4; i++) {
        for (unsigned k = 0; k < WA_THROTTLE_ADDRESS; k++)
            assert_int_equal(ask(b, &m[i], forms[i], "guess", wa_clock_now(), NULL), 200);
        assert_int_equal(ask(b, &m[i], "bob", "guess", wa_clock_now(), NULL), 429);
    }
    b->directory_asked[0] = '\0';
    assert_int_equal(ask(b, &m[4], "alice", "guess", wa_clock_now(), NULL), 429);
    assert_string_equal(b->directory_asked, "");
    assert_int_equal(ask(b, &m[4], "bob", "guess", wa_clock_now(), NULL), 200);
    b->directory_answer = known;
    assert_int_equal(ask(b, &m[5], "alice", "right", wa_clock_now(), NULL), 200);
    for (size_t i = 0; i < WA_COUNT(m); i++)
        machine_free(&m[i]);
}

static enum wa_code asks(void *arg, struct wa_err *err)
{
    struct bench b;
    const struct machine *m = arg;
    struct machine copy = machine_again(m);
    wa_torture_pause();
    bench_new(&b);
    bench_token(&b, "t", wa_clock_now() + 3600, 2);
    assert_int_equal(machine_register(&b, &copy, WA_CRED_TOKEN, "t"), 200);
    b.directory_answer = known;
    b.is_tortured = true;
    int status = ask(&b, &copy, "alice", "open sesame", wa_clock_now(), NULL);
    b.is_tortured = false;
    wa_buf_fini(&copy.answer);
    bench_free(&b);
    wa_torture_resume();
    return status == 200 ? WA_OK : wa_nomem(err);
}

static void test_no_memory(void **state)
{
    struct machine m;
    WA_UNUSED(state);
    machine_new(&m, "machine");
    (void)wa_torture(asks, &m);
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_may_not_ask, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guessing, setup, teardown),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
