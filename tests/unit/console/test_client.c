/* F1B, and a server that is not what it should be: the client logs in only to the one it was told
 * of, and no answer of any server makes it do more than fail with a reason. */
#include "support.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "console/client.h"
#include "console/journal_seen.h"
#include "net/http_server.h"
#include "os/path.h"

#define SESSION "/api/v1/session"

/* A server that gives the same answer to whatever is asked, but for the login. */
struct site {
    struct wa_loop *loop;
    struct wa_http_server *server;
    struct wa_tls_ctx *tls;
    struct identity ca, id;
    struct wa_tls_trust trust;
    char url[64];
    /* the script */
    int login_status, status;
    const char *login, *body; /* body NULL: endless */
    /* what came */
    size_t requests;
    char authorization[256], password[64];
};

static void answer(struct site *s, struct wa_http_conn *c, const struct wa_http_head *head)
{
    bool is_login = wa_sv_eqs(head->path, SESSION) && head->method == WA_HTTP_POST;
    if (is_login || wa_sv_eqs(head->path, SESSION)) {
        wa_http_answer(c, is_login ? s->login_status : 200, "application/json",
                       wa_sv(is_login ? s->login : "{}"), NULL);
        return;
    }
    (void)snprintf(s->authorization, sizeof s->authorization, "%.*s",
                   WA_SV_ARG(wa_http_get(head, "authorization")));
    if (s->body != NULL) {
        wa_http_answer(c, s->status, "application/json", wa_sv(s->body), NULL);
        return;
    }
    char path[] = "/tmp/wapt-endless-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && unlink(path) == 0 && ftruncate(fd, (off_t)1 << 32) == 0);
    wa_http_answer_file(c, fd, "application/json", NULL, NULL);
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    struct site *s = user;
    s->requests++;
    if (head->method == WA_HTTP_POST)
        wa_http_accept_body(c, 65536);
    else
        answer(s, c, head);
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct site *s = user;
    (void)snprintf(s->password, sizeof s->password, "%.*s", WA_SV_ARG(body));
    answer(s, c, wa_http_conn_head(c));
}

static const struct wa_http_server_events events = {on_request, on_body, NULL, NULL};

static void site_new(struct site *s)
{
    static const struct wa_http_server_config config = {.max_connections = 50,
                                                        .max_handshakes = 50};
    static const char *const names[] = {"127.0.0.1", NULL};
    struct wa_err err = WA_ERR_INIT;
    uint16_t port = 0;
    *s = (struct site){
        .login_status = 200, .status = 200, .login = "{\"token\":\"abc\"}", .body = "{\"a\":1}"};
    identity_new(&s->ca, IDENTITY_CA, "authority", NULL, NULL);
    identity_new(&s->id, IDENTITY_SERVER, "srv", names, &s->ca);
    must(wa_tls_server_ctx(&s->id.chain, s->id.key, &s->tls, &err));
    must(wa_loop_new(&s->loop, &err));
    int fd = listen_loopback(&port);
    must(wa_http_server_new(s->loop, &fd, 1, s->tls, &config, &events, s, &s->server, &err));
    (void)snprintf(s->url, sizeof s->url, "https://127.0.0.1:%u", (unsigned)port);
    s->trust.pem = wa_buf_sv(&s->ca.pem);
}

static void site_free(struct site *s)
{
    wa_http_server_free(s->server);
    wa_loop_free(s->loop);
    wa_tls_ctx_free(s->tls);
    identity_free(&s->ca);
    identity_free(&s->id);
}

/* One conversation in the pool's thread: log in, ask once, log out. */
struct talk {
    struct site *site;
    const char *url;
    bool is_open, is_over;
    char answer[128];
    bool looks; /* at the journal, too */
    char warning[1024];
    struct wa_err err;
};

static enum wa_code converse(void *user, struct wa_err *err)
{
    struct talk *t = user;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_client *c = NULL;
    const struct wa_json *j = NULL;
    const struct wa_client_options o = {
        .server = t->url, .trust = &t->site->trust, .user = "admin", .password = WA_SV("s\"cret")};
    wa_arena_init(&arena, 512u << 20);
    wa_buf_init(&text, 4096);
    if (wa_client_open(&o, &c, err) != WA_OK)
        return err->code;
    t->is_open = true;
    if (t->looks) {
        WA_AUTO_BUF struct wa_buf warning;
        wa_buf_init(&warning, sizeof t->warning - 1);
        wa_journal_seen_warn(c, t->url, &warning);
        (void)snprintf(t->warning, sizeof t->warning, "%.*s", WA_SV_ARG(wa_buf_sv(&warning)));
    }
    if (wa_client_call(c, "GET", "/api/v1/hosts", WA_SV(""), &arena, &j, err) == WA_OK) {
        wa_json_write(j, &text);
        (void)snprintf(t->answer, sizeof t->answer, "%s", wa_buf_str(&text));
    }
    wa_client_close(c);
    return err->code;
}

static void conversed(void *user, enum wa_code code, const struct wa_err *err)
{
    struct talk *t = user;
    assert_int_equal(code, err->code);
    t->err = *err;
    t->is_over = true;
}

static struct talk talk_to(struct site *s)
{
    struct wa_err err = WA_ERR_INIT;
    struct talk t = {.site = s, .url = s->url};
    must(wa_loop_work(s->loop, converse, conversed, &t, &err));
    run_until(s->loop, &t.is_over);
    return t;
}

static void asks_with_its_session(void **state)
{
    struct site s;
    WA_UNUSED(state);
    site_new(&s);
    struct talk t = talk_to(&s);
    assert_string_equal(t.err.text, "");
    assert_string_equal(t.answer, "{\"a\":1}");
    assert_string_equal(s.authorization, "Bearer abc");
    assert_string_equal(s.password, "{\"user\":\"admin\",\"password\":\"s\\\"cret\"}");
    assert_int_equal(s.requests, 3); /* the session is ended */
    site_free(&s);
}

/* The password goes to nobody but the right server. */
static void f1b_only_the_right_server(void **state)
{
    static const struct {
        bool pem, right_fingerprint, wrong_fingerprint, plain;
        enum wa_code code;
    } cases[] = {
        {true, false, false, false, WA_OK},
        {false, true, false, false, WA_OK},
        {false, false, true, false, WA_E_REFUSED},
        {false, false, false, false, WA_E_REFUSED}, /* nothing is trusted by default */
        {true, false, false, true, WA_E_CONFIG},    /* http */
    };
    struct site s;
    WA_UNUSED(state);
    site_new(&s);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char url[64];
        struct wa_err err = WA_ERR_INIT;
        s.trust = (struct wa_tls_trust){.host = ""};
        s.requests = 0;
        if (cases[i].pem)
            s.trust.pem = wa_buf_sv(&s.ca.pem);
        if (cases[i].right_fingerprint || cases[i].wrong_fingerprint)
            (void)snprintf(s.trust.fingerprint, sizeof s.trust.fingerprint, "%s",
                           wa_cert_fingerprint(s.id.chain.items[0]));
        if (cases[i].wrong_fingerprint)
            s.trust.fingerprint[0] = s.trust.fingerprint[0] == 'a' ? 'b' : 'a';
        (void)snprintf(url, sizeof url, "%s%.50s", cases[i].plain ? "http" : "https", s.url + 5);
        struct talk t = {.site = &s, .url = url};
        must(wa_loop_work(s.loop, converse, conversed, &t, &err));
        run_until(s.loop, &t.is_over);
        assert_int_equal(t.err.code, cases[i].code);
        assert_int_equal(s.requests, cases[i].code == WA_OK ? 3 : 0);
        if (cases[i].code == WA_E_REFUSED) /* says which certificate it was */
            assert_non_null(strstr(t.err.text, wa_cert_fingerprint(s.id.chain.items[0])));
    }
    site_free(&s);
}

static void hostile_logins(void **state)
{
    static const struct {
        int status;
        const char *login;
        enum wa_code code;
        const char *says;
    } cases[] = {
        {401, "{\"error\":{\"code\":\"auth\",\"message\":\"wrong\"}}", WA_E_AUTH, "wrong"},
        {200, "{}", WA_E_INVALID, "no session"},
        {200, "{\"token\":\"\"}", WA_E_INVALID, "no session"},
        {200, "{\"token\":\"a\\r\\nX-Other: b\"}", WA_E_INVALID, "no session"},
        {200, "{\"token\":[1]}", WA_E_INVALID, "no session"},
        {200, "<html>", WA_E_INVALID, ""},
        {200, "", WA_E_INVALID, ""},
    };
    struct site s;
    WA_UNUSED(state);
    site_new(&s);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        s.login_status = cases[i].status;
        s.login = cases[i].login;
        struct talk t = talk_to(&s);
        assert_false(t.is_open);
        assert_int_equal(t.err.code, cases[i].code);
        assert_non_null(strstr(t.err.text, cases[i].says));
        assert_non_null(strstr(t.err.text, s.url));
    }
    site_free(&s);
}

static void hostile_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum wa_code code;
        const char *says;
    } cases[] = {
        {200, "", WA_E_INVALID, "answer"},
        {200, "[1]", WA_E_INVALID, "no JSON object"},
        {200, "{\"a\":1,\"a\":2}", WA_E_INVALID, "answer"},
        {200, "{\"a\":1}x", WA_E_INVALID, "answer"},
        {404, "{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}", WA_E_NOT_FOUND,
         "says: no"},
        {403, "{\"error\":{\"code\":\"denied\",\"message\":\"no\"}}", WA_E_DENIED, "says: no"},
        {429, "{\"error\":{\"code\":\"busy\",\"message\":\"no\"}}", WA_E_BUSY, "says: no"},
        {400, "{\"error\":{\"code\":\"ok\",\"message\":\"no\"}}", WA_E_FAILED, "says: no"},
        {500, "{\"error\":{\"code\":\"internal\",\"message\":\"no\"}}", WA_E_FAILED, "says: no"},
        {400, "{\"error\":{\"code\":\"rm -rf\",\"message\":\"no\"}}", WA_E_FAILED, "says: no"},
        {400, "{\"error\":{\"code\":\"busy\",\"message\":\"\\u001b[2J\\u202ex\\ny\"}}", WA_E_BUSY,
         "says: ?[2J?x?y"},
        {400, "{\"error\":7}", WA_E_REFUSED, "status 400"},
        {502, "<html>a proxy's</html>", WA_E_UNREACHABLE, "status 502"},
        {301, "", WA_E_REFUSED, "status 301"},
        {200, NULL, WA_E_LIMIT, ""},
    };
    struct site s;
    WA_UNUSED(state);
    site_new(&s);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        s.status = cases[i].status;
        s.body = cases[i].body;
        struct talk t = talk_to(&s);
        if (t.err.code != cases[i].code || strstr(t.err.text, cases[i].says) == NULL)
            fail_msg("%d %.40s: %s: %s", cases[i].status,
                     cases[i].body == NULL ? "endless" : cases[i].body, wa_code_name(t.err.code),
                     t.err.text);
        assert_string_equal(t.answer, "");
    }
    site_free(&s);
}

/* Entry 7 was seen. A server may say what it likes of it: a person is told whenever it is not
 * there. */
static void a_journal_that_is_not_what_it_was(void **state)
{
#define SEEN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD(seq, trimmed)                                                                         \
    "{\"node\":\"n\",\"seq\":" seq ",\"digest\":\"" OTHER "\",\"trimmed\":" trimmed
    static const struct {
        const char *body, *says;
        bool is_kept; /* what was seen; else what is there now */
    } cases[] = {
        {HEAD("9", "0") ",\"seen\":\"" SEEN "\"}", "", false},
        {HEAD("9", "7") ",\"seen\":\"" SEEN "\"}", "", false},
        {HEAD("9", "0") ",\"seen\":\"" OTHER "\"}", "rewritten or cut", true},
        {HEAD("9", "0") "}", "rewritten or cut", true},
        {HEAD("9", "7") "}", "rewritten or cut", true},
        {HEAD("9", "8") "}", "was trimmed, with entry 7", false},
        {HEAD("9", "9") ",\"seen\":5}", "was trimmed, with entry 7", false},
        {HEAD("5", "9000000") "}", "rewritten or cut",
         true}, /* what it says was trimmed was never there */
        {HEAD("9", "\"8\"") "}", "rewritten or cut", true},
        {"{}", "rewritten or cut", true},
    };
    char home[] = "/tmp/wapt-client-XXXXXX", path[WA_PATH_MAX];
    struct site s;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    site_new(&s);
    assert_true(mkdtemp(home) != NULL && setenv("XDG_CONFIG_HOME", home, 1) == 0);
    must(wa_journal_seen_file(s.url, path, &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf kept;
        struct talk t = {.site = &s, .url = s.url, .looks = true};
        wa_buf_init(&kept, 4096);
        s.body = cases[i].body;
        *strrchr(path, '/') = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        path[strlen(path)] = '/';
        must(wa_path_replace(path, WA_SV("n 7:" SEEN "\n"), 0600, &err));
        must(wa_loop_work(s.loop, converse, conversed, &t, &err));
        run_until(s.loop, &t.is_over);
        must(wa_path_read(path, 4096, &kept, &err));
        if (cases[i].says[0] == '\0' ? t.warning[0] != '\0'
                                     : strstr(t.warning, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].body, t.warning);
        assert_string_equal(wa_buf_str(&kept),
                            cases[i].is_kept ? "n 7:" SEEN "\n" : "n 9:" OTHER "\n");
    }
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_true(rmdir(path) == 0 && rmdir(home) == 0);
    site_free(&s);
}

static void a_server_that_is_not_there(void **state)
{
    struct site s;
    struct wa_err err = WA_ERR_INIT;
    char url[2048];
    WA_UNUSED(state);
    site_new(&s);
    struct talk t = {.site = &s, .url = "https://127.0.0.1:1"};
    must(wa_loop_work(s.loop, converse, conversed, &t, &err));
    run_until(s.loop, &t.is_over);
    assert_int_equal(t.err.code, WA_E_UNREACHABLE);
    memset(url, 'a', sizeof url - 1);
    url[sizeof url - 1] = '\0';
    t = (struct talk){.site = &s, .url = url};
    must(wa_loop_work(s.loop, converse, conversed, &t, &err));
    run_until(s.loop, &t.is_over);
    assert_int_equal(t.err.code, WA_E_CONFIG);
    site_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_with_its_session),
        cmocka_unit_test(f1b_only_the_right_server),
        cmocka_unit_test(hostile_logins),
        cmocka_unit_test(hostile_answers),
        cmocka_unit_test(a_journal_that_is_not_what_it_was),
        cmocka_unit_test(a_server_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
