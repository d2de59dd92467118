/* Whether the server can work, and its numbers. */
#include "bench.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "os/clock.h"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    bench_new(b);
    (void)snprintf(b->store->child.config.dir, sizeof b->store->child.config.dir, "%s", b->dir);
    (void)snprintf(path, sizeof path, "%.3000s/repo", b->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    WA_ASSERT_OK(
        wa_sv_dup(WA_SV("10.1.1.1,fd00::1"), &b->store->child.config.metrics_addresses, &err));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    bench_free(b);
    free(b);
    return 0;
}

static void test_ready(void **state)
{
    struct bench *b = *state;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    assert_int_equal(bench_ask(b, "GET", "/readyz", "", "", WA_SV(""), &out), 200);
    assert_string_equal(wa_buf_str(&out),
                        "{\"ready\":true,\"database\":true,\"signer\":true,\"disk\":true}");
    b->signer_answer = "{}";
    assert_int_equal(bench_ask(b, "GET", "/readyz", "", "", WA_SV(""), &out), 503);
    b->signer_answer = NULL;
    bench_exec(b, "ALTER TABLE journal RENAME TO away");
    assert_int_equal(bench_ask(b, "GET", "/readyz", "", "", WA_SV(""), &out), 503);
    assert_string_equal(wa_buf_str(&out),
                        "{\"ready\":false,\"database\":false,\"signer\":true,\"disk\":true}");
    bench_exec(b, "ALTER TABLE away RENAME TO journal");
    assert_int_equal(bench_ask(b, "GET", "/readyz", "", "", WA_SV(""), &out), 200);
}

/* Several balancers ask at the same moment, and whoever wants to disturb them: all get the answer.
 */
static void test_ready_for_all(void **state)
{
    static const char ask[] = "{\"method\":\"GET\",\"path\":\"/readyz\",\"query\":\"\","
                              "\"bearer\":\"\",\"peer\":\"10.0.0.9\"}\n";
    struct bench *b = *state;
    int status = 0;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    for (uint32_t id = 500; id < 600; id++)
        bench_send(b, WA_S_REQUEST, id, wa_sv(ask));
    b->is_silent = true;
    assert_false(bench_serve(b, 500, &status, &out));
    b->is_silent = false;
    assert_true(bench_serve(b, 500, &status, &out)); /* who asked first, of all */
    assert_int_equal(status, 200);
    assert_null(b->store->ready_asked);
}

static void test_who_reads_metrics(void **state)
{
    struct bench *b = *state;
    struct wa_err err = WA_ERR_INIT;
    char token[65];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask(b, "GET", "/metrics", "", "", WA_SV(""), &out), 401);
    assert_int_equal(bench_ask_from(b, "10.1.1.10", "GET", "/metrics", "", "", WA_SV(""), &out),
                     401);
    assert_int_equal(bench_ask_from(b, "10.1.1.1", "GET", "/metrics", "", "", WA_SV(""), &out),
                     200);
    assert_int_equal(bench_ask_from(b, "fd00::1", "GET", "/metrics", "", "", WA_SV(""), &out), 200);
    assert_int_equal(bench_login(b, "10.0.0.9", "admin", BENCH_PASSWORD, token), 200);
    assert_int_equal(bench_ask(b, "GET", "/metrics", "", token, WA_SV(""), &out), 200);
    WA_ASSERT_OK(wa_store_set_role(b->store->db, "admin", "developer", &err));
    assert_int_equal(bench_ask(b, "GET", "/metrics", "", token, WA_SV(""), &out), 403);
}

static void has(struct bench *b, const char *line)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask_from(b, "10.1.1.1", "GET", "/metrics", "", "", WA_SV(""), &out),
                     200);
    if (strstr(wa_buf_str(&out), line) == NULL)
        fail_msg("no '%s' in\n%s", line, wa_buf_str(&out));
}

/* Machines' words are counted, and become no label. */
static void test_numbers(void **state)
{
    struct bench *b = *state;
    struct machine m;
    struct wa_front_counts counts = {.connections = 7};
    bench_token(b, "t", wa_clock_now() + 3600, 9);
    machine_new(&m, "machine");
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_status(b, &m, "ERROR"), 200);
    has(b, "\nwapt_hosts{status=\"ERROR\"} 1\nwapt_hosts{status=\"other\"} 0\n");
    assert_int_equal(machine_status(b, &m, "x} 1 # EOF"), 200);
    has(b, "\nwapt_hosts{status=\"ERROR\"} 0\nwapt_hosts{status=\"other\"} 1\n");
    has(b, "\nwapt_requests_total{kind=\"report\"} 2\n");
    assert_int_equal(machine_greet(b, &m, 1000), 200);
    has(b, "\nwapt_hosts_reachable 1\n");
    assert_int_equal(bench_login(b, "10.0.0.9", "admin", "wrong", NULL), 401);
    has(b, "\nwapt_requests_refused_total{code=\"auth\"} 1\n");
    has(b, "\nwapt_actions{state=\"queued\"} 0\n");
    has(b, "\nwapt_database_up 1\n");
    counts.http.answers[2][2] = 5; /* files, 2xx */
    bench_send(b, WA_S_COUNTS, 0, wa_sv_n((const char *)&counts, sizeof counts));
    has(b, "\nwapt_front_connections{front=\"0\"} 7\n");
    has(b, "\nwapt_http_answers_total{front=\"0\",kind=\"file\",status=\"2xx\"} 5\n");
    bench_send(b, WA_S_COUNTS, 0, WA_SV("short"));
    has(b, "\nwapt_front_connections{front=\"0\"} 7\n");
    bench_exec(b, "ALTER TABLE actions RENAME TO away");
    has(b, "\nwapt_database_up 0\n");
    bench_exec(b, "ALTER TABLE away RENAME TO actions");
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ready_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_reads_metrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
