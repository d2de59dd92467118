/* The self-service's calls: which request each becomes, that nothing else reaches the agent, what
 * is made of its answers, and that with memory running out anywhere a page gets one answer. */
#include "page_bench.h"
#include "torture.h"

#include <unistd.h>

#include "base/mem.h"
#include "desktop/desk_priv.h"
#include "os/fs.h"
#include "os/proc.h"

/* --- the agent --- */

static struct {
    const char *says; /* to who asks next; NULL: nobody is there */
    int fd;           /* its end of the last connection; -1: none */
    size_t asked;
} agent = {.fd = -1};

enum wa_code __wrap_wa_local_connect(const char *path, int *ret_fd, struct wa_err *err);

enum wa_code __wrap_wa_local_connect(const char *path, int *ret_fd, struct wa_err *err)
{
    int fds[2];
    assert_string_equal(path, "/run/agent.sock");
    agent.asked++;
    if (agent.says == NULL)
        return wa_fail(err, WA_E_UNREACHABLE, "nobody listens");
    wa_fd_close(&agent.fd);
    bench_must(wa_socketpair(fds, err));
    size_t n = strlen(agent.says);
    assert_int_equal(write(fds[1], agent.says, n), (ssize_t)n);
    agent.fd = fds[1];
    *ret_fd = fds[0];
    return WA_OK;
}

/* What it was asked, without the line's end. */
static void heard(char out[4096])
{
    ssize_t n = read(agent.fd, out, 4095);
    assert_true(n > 0 && out[n - 1] == '\n');
    out[n - 1] = '\0';
}

/* --- the program --- */

struct bench {
    struct wa_desk desk;
    struct wa_desk_options options;
    struct wa_log log;
};

static void bench_start(struct bench *b)
{
    struct wa_err err = WA_ERR_INIT;
    bench_pause();
    *b = (struct bench){.desk = {.fd = -1}};
    wa_log_init(&b->log, -1, WA_LOG_ERROR, "bench");
    b->options = (struct wa_desk_options){.socket = "/run/agent.sock",
                                          .user = "dave",
                                          .language = "fr",
                                          .logo = WA_SV("picture"),
                                          .log = &b->log};
    b->desk.o = &b->options;
    bench_must(wa_loop_new(&b->desk.loop, &err));
    agent.says = NULL;
    bench_resume();
}

static void bench_end(struct bench *b)
{
    wa_desk_events_end(&b->desk);
    assert_int_equal(b->desk.busy, 0);
    assert_int_equal(b->desk.page_count, 0);
    bench_pause();
    wa_loop_free(b->desk.loop);
    wa_fd_close(&agent.fd);
    bench_resume();
}

static enum wa_code ask(struct bench *b, enum wa_http_method method, const char *path,
                        const char *body, struct wa_buf *out, int *ret_status, struct wa_err *err)
{
    struct page p;
    size_t max = 0;
    wa_buf_clear(out);
    page_open(&p, method, path, wa_sv(body));
    if (wa_desk_judge(&b->desk, &p.head, &max, err) != WA_OK)
        return err->code;
    assert_true(strlen(body) <= max);
    wa_desk_call(&b->desk, page_conn(&p), wa_sv(body));
    return page_close(&p, out, ret_status, err);
}

/* --- requests --- */

static void test_each_call_is_one_request(void **state)
{
    static const struct {
        const char *path, *body, *request, *says, *answer;
    } rows[] = {
        {"/local/catalogue", "{}", "{\"op\":\"catalogue\",\"args\":{},\"language\":\"en\"}",
         "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"\",\"data\":{\"total\":0}}\n",
         "{\"total\":0}"},
        {"/local/catalogue",
         "{\"filter\":\"installed\",\"category\":\"Media\",\"sort\":\"date\",\"search\":\" a  b \","
         "\"page\":2,\"page_size\":9}",
         "{\"op\":\"catalogue\",\"args\":{\"packages\":[\"a\",\"b\"],\"filter\":\"installed\","
         "\"category\":\"Media\",\"sort\":\"date\",\"page\":2,\"page_size\":9},\"language\":"
         "\"en\"}",
         "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"\"}\n", "{}"},
        {"/local/icons", "{\"packages\":[\"a\"]}",
         "{\"op\":\"icons\",\"args\":{\"packages\":[\"a\"]},\"language\":\"en\"}",
         "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"\",\"data\":[]}\n", "[]"},
        {"/local/tasks", "{}", "{\"op\":\"tasks\",\"args\":{},\"language\":\"en\"}",
         "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"\",\"data\":[]}\n", "[]"},
        {"/local/do", "{\"op\":\"install\",\"packages\":[\"a\"],\"password\":\"p\"}",
         "{\"op\":\"install\",\"args\":{\"packages\":[\"a\"]},\"password\":\"p\",\"language\":"
         "\"en\"}",
         "{\"event\":\"task\",\"id\":7,\"state\":\"queued\"}\n", "{\"task\":7}"},
        {"/local/do", "{\"op\":\"upgrade\",\"packages\":[\"a\"],\"task\":3}",
         "{\"op\":\"upgrade\",\"args\":{},\"language\":\"en\"}",
         "{\"event\":\"task\",\"id\":8,\"state\":\"queued\"}\n", "{\"task\":8}"},
        {"/local/do", "{\"op\":\"cancel\",\"task\":3}",
         "{\"op\":\"cancel\",\"args\":{\"task\":3},\"language\":\"en\"}",
         "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"cancelled\"}\n", "{}"},
    };
    struct bench b;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    bench_start(&b);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        char line[4096];
        int status = 0;
        agent.says = rows[i].says;
        WA_ASSERT_OK(ask(&b, WA_HTTP_POST, rows[i].path, rows[i].body, &out, &status, &err));
        heard(line);
        assert_string_equal(line, rows[i].request);
        WA_ASSERT_SV(wa_buf_sv(&out), rows[i].answer);
    }
    bench_end(&b);
}

static void test_nothing_else_reaches_the_agent(void **state)
{
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{}",
                                         "{\"op\":\"forget\"}",
                                         "{\"op\":\"install\"}",
                                         "{\"op\":\"install\",\"packages\":[]}",
                                         "{\"op\":\"install\",\"packages\":[1]}",
                                         "{\"op\":\"install\",\"packages\":[\"\"]}",
                                         "{\"op\":\"install\",\"packages\":[\"a\"],\"force\":true}",
                                         "{\"op\":\"remove\",\"packages\":\"a\"}",
                                         "{\"op\":\"cancel\"}",
                                         "{\"op\":\"cancel\",\"task\":-1}",
                                         "{\"op\":\"stop\"}",
                                         "{\"op\":\"install\",\"op\":\"lock\"}"};
    struct bench b;
    WA_AUTO_BUF struct wa_buf out;
    int status = 0;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    bench_start(&b);
    agent.asked = 0;
    for (size_t i = 0; i < WA_COUNT(bodies); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (ask(&b, WA_HTTP_POST, "/local/do", bodies[i], &out, &status, &err) == WA_OK)
            fail_msg("'%s' is done", bodies[i]);
    }
    const char *const paths[] = {"/local/keys", "/local/do/x", "/api/v1/hosts", "/local"};
    for (size_t i = 0; i < WA_COUNT(paths); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(ask(&b, WA_HTTP_POST, paths[i], "", &out, &status, &err), WA_E_NOT_FOUND);
    }
    assert_int_equal(agent.asked, 0);
    bench_end(&b);
}

/* --- answers --- */

static void test_what_the_agent_says_is_told(void **state)
{
    static const struct {
        const char *says, *contains;
        enum wa_code code;
        int status;
    } rows[] = {
        {"{\"event\":\"auth\",\"reason\":\"your password is needed\"}\n", "\"password\"", WA_E_AUTH,
         403},
        {"{\"event\":\"result\",\"code\":\"denied\",\"message\":\"no rule\"}\n", "no rule",
         WA_E_DENIED, 403},
        /* not the page's session, which would end by it */
        {"{\"event\":\"result\",\"code\":\"auth\",\"message\":\"too many\"}\n", "too many",
         WA_E_DENIED, 403},
        {"{\"event\":\"progress\",\"id\":1}\n{\"event\":\"task\",\"id\":1}\n", "{\"task\":1}",
         WA_OK, 200},
        {NULL, "nobody listens", WA_E_UNREACHABLE, 503},
        {"no JSON\n", "", WA_E_INVALID, 400},
        {"{\"event\":\"other\"}\n", "", WA_E_INVALID, 400},
    };
    struct bench b;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    bench_start(&b);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        int status = 0;
        agent.says = rows[i].says;
        assert_int_equal(
            ask(&b, WA_HTTP_POST, "/local/do", "{\"op\":\"update\"}", &out, &status, &err),
            rows[i].code);
        assert_true(wa_sv_has(wa_buf_sv(&out), wa_sv(rows[i].contains)));
        if (status != rows[i].status)
            fail_msg("row %zu: status %d", i, status);
    }
    bench_end(&b);
}

static void test_the_state(void **state)
{
    struct bench b;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    bench_start(&b);
    WA_ASSERT_OK(ask(&b, WA_HTTP_GET, "/local/state", "", &out, &status, &err));
    assert_true(wa_sv_has(wa_buf_sv(&out), WA_SV("\"user\":\"dave\"")) &&
                wa_sv_has(wa_buf_sv(&out), WA_SV("\"logo\":\"cGljdHVyZQ==\"")));
    bench_end(&b);
}

/* --- events --- */

static void turn(struct bench *b)
{
    struct wa_err err = WA_ERR_INIT;
    for (int i = 0; i < 4; i++)
        WA_ASSERT_OK(wa_loop_turn(b->desk.loop, b->desk.fd >= 0 ? 1 : 0, &err));
}

static void test_pages_hear_what_happens(void **state)
{
    struct bench b;
    struct page p;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    bench_start(&b);
    page_open(&p, WA_HTTP_GET, "/local/events", WA_SV(""));
    wa_desk_call(&b.desk, page_conn(&p), WA_SV("")); /* nobody is there */
    WA_ASSERT_SV(wa_buf_sv(&p.body), "data: {\"event\":\"agent\",\"state\":\"away\"}\n\n");
    agent.says = "{\"event\":\"upgrades\",\"count\":1}\n{\"event\":\"ser";
    wa_buf_clear(&p.body);
    wa_desk_events_turn(&b.desk);
    turn(&b);
    WA_ASSERT_SV(wa_buf_sv(&p.body), "data: {\"event\":\"agent\",\"state\":\"there\"}\n\n"
                                     "data: {\"event\":\"upgrades\",\"count\":1}\n\n");
    wa_buf_clear(&p.body);
    assert_int_equal(write(agent.fd, "vice\"}\n", 7), 7);
    turn(&b);
    WA_ASSERT_SV(wa_buf_sv(&p.body), "data: {\"event\":\"service\"}\n\n");
    wa_buf_clear(&p.body);
    wa_fd_close(&agent.fd);
    turn(&b);
    WA_ASSERT_SV(wa_buf_sv(&p.body), "data: {\"event\":\"agent\",\"state\":\"away\"}\n\n");
    WA_ASSERT_OK(page_close(&p, &out, &status, &err));
    wa_desk_events_turn(&b.desk); /* nobody hears: nothing is asked for */
    assert_int_equal(b.desk.page_count, 0);
    assert_int_equal(b.desk.fd, -1);
    bench_end(&b);
}

static void test_a_line_without_end_ends_it(void **state)
{
    struct bench b;
    struct page p;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    static char endless[20000];
    int status = 0;
    WA_UNUSED(state);
    wa_buf_init(&out, 1u << 20);
    memset(endless, 'x', sizeof endless - 1);
    bench_start(&b);
    agent.says = endless;
    page_open(&p, WA_HTTP_GET, "/local/events", WA_SV(""));
    wa_desk_call(&b.desk, page_conn(&p), WA_SV(""));
    for (int i = 0; i < 8 && b.desk.fd >= 0; i++) {
        (void)!write(agent.fd, endless, sizeof endless - 1);
        turn(&b);
    }
    assert_int_equal(b.desk.fd, -1);
    assert_false(wa_sv_has(wa_buf_sv(&p.body), WA_SV("xxx")));
    WA_ASSERT_OK(page_close(&p, &out, &status, &err));
    bench_end(&b);
}

/* --- memory running out --- */

static enum wa_code all_calls(void *arg, struct wa_err *err)
{
    static const char result[] =
        "{\"event\":\"result\",\"code\":\"ok\",\"message\":\"\",\"data\":{\"total\":1}}\n";
    struct bench b;
    struct wa_buf out;
    int status = 0;
    WA_UNUSED(arg);
    bench_start(&b);
    wa_buf_init(&out, 1u << 20);
    agent.says = result;
    if (ask(&b, WA_HTTP_GET, "/local/state", "", &out, &status, err) == WA_OK &&
        ask(&b, WA_HTTP_POST, "/local/catalogue", "{\"search\":\"a b\"}", &out, &status, err) ==
            WA_OK) {
        agent.says = "{\"event\":\"task\",\"id\":7}\n";
        (void)!ask(&b, WA_HTTP_POST, "/local/do", "{\"op\":\"update\"}", &out, &status, err);
    }
    wa_buf_fini(&out);
    bench_end(&b);
    return err->code;
}

static enum wa_code listening(void *arg, struct wa_err *err)
{
    struct bench b;
    struct wa_buf out;
    int status = 0;
    WA_UNUSED(arg);
    bench_start(&b);
    wa_buf_init(&out, 1u << 20);
    agent.says = "{\"event\":\"upgrades\",\"count\":1}\n";
    (void)!ask(&b, WA_HTTP_GET, "/local/events", "", &out, &status, err);
    if (err->code == WA_OK)
        wa_desk_events_turn(&b.desk);
    wa_buf_fini(&out);
    bench_end(&b);
    return err->code;
}

static void test_without_memory(void **state)
{
    WA_UNUSED(state);
    bench_spare(wa_torture_pause, wa_torture_resume);
    assert_true(wa_torture(all_calls, NULL) > 5);
    assert_true(wa_torture(listening, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_is_one_request),
        cmocka_unit_test(test_nothing_else_reaches_the_agent),
        cmocka_unit_test(test_what_the_agent_says_is_told),
        cmocka_unit_test(test_the_state),
        cmocka_unit_test(test_pages_hear_what_happens),
        cmocka_unit_test(test_a_line_without_end_ends_it),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
