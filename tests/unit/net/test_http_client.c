/* The HTTPS client against our own server: the loop here, the blocking call in the pool. */
#include "app.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_client.h"
#include "os/fs.h"

/* One exchange in the pool's thread. */
struct question {
    struct wa_http_call call;
    const struct wa_tls_trust *trust;
    struct wa_buf body;
    struct wa_buf_sink sink;
    struct wa_http_result result;
    struct wa_err err;
    bool is_over;
};

static enum wa_code ask_in_pool(void *user, struct wa_err *err)
{
    struct question *q = user;
    return wa_http_perform(&q->call, q->trust, &q->sink.base, &q->result, err);
}

static void asked(void *user, enum wa_code code, const struct wa_err *err)
{
    struct question *q = user;
    assert_int_equal(code, err->code);
    q->err = *err;
    q->is_over = true;
}

static void ask(struct question *q, struct app *a, const struct wa_tls_trust *trust)
{
    struct wa_err err = WA_ERR_INIT;
    q->is_over = false;
    q->trust = trust;
    q->result = (struct wa_http_result){.status = -1};
    wa_buf_init(&q->body, 64u << 20);
    wa_buf_sink_init(&q->sink, &q->body);
    must(wa_loop_work(a->loop, ask_in_pool, asked, q, &err));
    run_until(a->loop, &q->is_over);
}

/* --- a server with TLS --- */

struct site {
    struct app app;
    struct identity ca, id;
    struct wa_tls_ctx *tls;
    struct wa_tls_trust trust;
    char base[64];
};

static void site_new(struct site *s, bool has_tls)
{
    static const struct wa_http_server_config config = {.max_connections = 50,
                                                        .max_handshakes = 50};
    static const char *const names[] = {"127.0.0.1", NULL};
    struct wa_err err = WA_ERR_INIT;
    *s = (struct site){.base = ""};
    identity_new(&s->ca, IDENTITY_CA, "authority", NULL, NULL);
    identity_new(&s->id, IDENTITY_SERVER, "srv", names, &s->ca);
    if (has_tls)
        must(wa_tls_server_ctx(&s->id.chain, s->id.key, &s->tls, &err));
    app_new_tls(&s->app, &config, s->tls);
    s->trust.pem = wa_buf_sv(&s->ca.pem);
    (void)snprintf(s->base, sizeof s->base, "http%s://127.0.0.1:%u", has_tls ? "s" : "",
                   (unsigned)s->app.port);
}

static void site_free(struct site *s)
{
    app_free(&s->app);
    wa_tls_ctx_free(s->tls);
    identity_free(&s->ca);
    identity_free(&s->id);
}

static struct question question(const struct site *s, const char *method, const char *path,
                                char url[256])
{
    (void)snprintf(url, 256, "%s%s", s->base, path);
    return (struct question){.call = {.method = method, .url = url, .max_bytes = BIG_BYTES}};
}

/* --- answers --- */

static void test_answers(void **state)
{
    static const char *const same_tag[] = {"If-None-Match: \"tag\"", NULL};
    static const char *const other_tag[] = {"If-Range: \"old\"", NULL};
    static const struct {
        const char *method, *path;
        uint64_t resume_from;
        const char *const *headers;
        int status;
        bool resumed;
        const char *body;
    } cases[] = {
        {"GET", "/file", 0, NULL, 200, false, "01234567891234567890"},
        {"HEAD", "/file", 0, NULL, 200, false, ""},
        {"GET", "/other", 0, NULL, 404, false, "no\n"},
        {"GET", "/nothing", 0, NULL, 204, false, ""},
        {"GET", "/file", 15, NULL, 206, true, "67890"},
        {"GET", "/file", 20, NULL, 0, false, ""},      /* nothing is there */
        {"GET", "/file", 15, other_tag, 0, false, ""}, /* another file now: not behind our part */
        {"GET", "/hello", 3, NULL, 0, false, ""},      /* knows no ranges */
        {"GET", "/file", 0, same_tag, 304, false, ""},
        {"DELETE", "/other", 0, NULL, 404, false, "no\n"},
        {"POST", "/other", 0, NULL, 404, false, "no\n"},
    };
    WA_UNUSED(state);
    struct site s;
    site_new(&s, true);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char url[256];
        struct question q = question(&s, cases[i].method, cases[i].path, url);
        q.call.resume_from = cases[i].resume_from;
        q.call.headers = cases[i].headers;
        ask(&q, &s.app, &s.trust);
        if (cases[i].status == 0) {
            assert_int_equal(q.err.code, WA_E_CONFLICT);
            assert_int_equal(q.body.n, 0);
            wa_buf_fini(&q.body);
            continue;
        }
        if (q.err.code != WA_OK)
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, q.err.text);
        assert_int_equal(q.result.status, cases[i].status);
        assert_int_equal(q.result.resumed, cases[i].resumed);
        assert_string_equal(wa_buf_str(&q.body), cases[i].body);
        assert_int_equal(q.result.bytes, strlen(cases[i].body));
        if (strcmp(cases[i].path, "/file") == 0) {
            assert_string_equal(q.result.etag, "\"tag\"");
            assert_string_equal(q.result.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
        }
        wa_buf_fini(&q.body);
    }
    site_free(&s);
}

static void test_much(void **state)
{
    char url[256], count[32];
    WA_UNUSED(state);
    struct site s;
    site_new(&s, true);
    char *bytes = test_calloc(1, BIG_BYTES);
    struct wa_mem_source source;
    wa_mem_source_init(&source, bytes, BIG_BYTES);
    struct question q = question(&s, "PUT", "/stream", url);
    q.call.body = &source.base;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_OK);
    assert_int_equal(q.result.status, 201);
    (void)snprintf(count, sizeof count, "%u", BIG_BYTES);
    assert_string_equal(wa_buf_str(&q.body), count);
    wa_buf_fini(&q.body);

    q = question(&s, "GET", "/big", url); /* and down */
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.body.n, BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        if (q.body.p[i] != big_byte(i))
            fail_msg("byte %zu differs", i);
    wa_buf_fini(&q.body);

    q = question(&s, "POST", "/echo", url);
    wa_mem_source_init(&source, "0123456789", 10);
    q.call.body = &source.base;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.result.status, 200);
    assert_string_equal(wa_buf_str(&q.body), "0123456789");
    wa_buf_fini(&q.body);
    test_free(bytes);
    site_free(&s);
}

static void test_who(void **state)
{
    char url[256];
    WA_UNUSED(state);
    struct site s;
    site_new(&s, true);
    struct question q = question(&s, "GET", "/who", url);
    q.call.user = "admin";
    q.call.password = "s\xc3\xa9"
                      "cret";
    q.call.rate_min_bytes_s = 1;
    q.call.rate_window_s = 60;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_OK);
    assert_string_equal(wa_buf_str(&q.body), "Basic YWRtaW46c8OpY3JldA==");
    wa_buf_fini(&q.body);
    site_free(&s);
}

/* --- F1B --- */

static void test_f1b_certificates(void **state)
{
    WA_UNUSED(state);
    struct site s;
    struct identity other;
    char url[256];
    site_new(&s, true);
    identity_new(&other, IDENTITY_CA, "other", NULL, NULL);
    const char *print = wa_cert_fingerprint(s.id.chain.items[0]);
    struct wa_tls_trust fingerprint = {.host = "elsewhere"}, wrong_print = {.host = ""};
    (void)snprintf(fingerprint.fingerprint, sizeof fingerprint.fingerprint, "%s", print);
    memset(wrong_print.fingerprint, '0', 64);
    const struct {
        const char *name;
        struct wa_tls_trust trust;
        const char *refusal; /* NULL: accepted */
    } cases[] = {
        {"authority", {.pem = wa_buf_sv(&s.ca.pem)}, NULL},
        {"pinned, for another name", {.pem = wa_buf_sv(&s.id.pem), .host = "elsewhere"}, NULL},
        {"fingerprint", fingerprint, NULL},
        {"nothing", {.host = ""}, "no authority is trusted here"},
        {"other authority", {.pem = wa_buf_sv(&other.pem)}, "its authority is unknown"},
        {"other name", {.pem = wa_buf_sv(&s.ca.pem), .host = "elsewhere"}, "not for 'elsewhere'"},
        {"wrong fingerprint", wrong_print, "is not trusted"},
        {"the system's authorities", {.system_cas = true}, "its authority is unknown"},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct question q = question(&s, "GET", "/file", url);
        int before = s.app.requests;
        ask(&q, &s.app, &cases[i].trust);
        if (q.err.code != (cases[i].refusal == NULL ? WA_OK : WA_E_REFUSED))
            fail_msg("'%s': %s '%s'", cases[i].name, wa_code_name(q.err.code), q.err.text);
        if (cases[i].refusal != NULL) {
            assert_int_equal(s.app.requests, before); /* nothing was sent */
            assert_int_equal(q.result.status, -1);
            assert_int_equal(q.body.n, 0);
            if (strstr(q.err.text, cases[i].refusal) == NULL || strstr(q.err.text, print) == NULL)
                fail_msg("'%s': '%s'", cases[i].name, q.err.text);
        }
        wa_buf_fini(&q.body);
    }
    identity_free(&other);
    site_free(&s);
}

/* --- what goes wrong --- */

static bool stop_soon(void *user, uint64_t done, uint64_t total)
{
    WA_UNUSED(user);
    WA_UNUSED(total);
    return done < 1000;
}

static void test_failures(void **state)
{
    WA_UNUSED(state);
    struct site s;
    char url[256];
    uint16_t nobody = 0;
    site_new(&s, true);

    struct question q = question(&s, "GET", "/big", url); /* it says its length */
    q.call.max_bytes = BIG_BYTES - 1;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_LIMIT);
    assert_int_equal(q.body.n, 0);
    wa_buf_fini(&q.body);

    q = question(&s, "GET", "/hello", url); /* none at all is wanted */
    q.call.max_bytes = 0;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_LIMIT);
    wa_buf_fini(&q.body);

    q = question(&s, "GET", "/big", url);
    q.call.progress = stop_soon;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_CANCELLED);
    wa_buf_fini(&q.body);

    q = question(&s, "GET", "/late", url); /* never answered */
    q.call.timeout_ms = 50;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_TIMEOUT);
    wa_buf_fini(&q.body);

    q = question(&s, "GET", "/", url);
    int fd = dead_loopback(&nobody);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)nobody);
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_UNREACHABLE);
    assert_non_null(strstr(q.err.text, url));
    wa_fd_close(&fd);
    wa_buf_fini(&q.body);
    site_free(&s);
}

static void test_plain(void **state)
{
    WA_UNUSED(state);
    struct site s;
    char url[256];
    site_new(&s, false);
    struct question q = question(&s, "GET", "/file", url);
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_CONFIG); /* http, unless it was asked for */
    wa_buf_fini(&q.body);
    q.call.allow_http = true;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_OK);
    assert_int_equal(q.result.status, 200);
    wa_buf_fini(&q.body);
    q.call.user = "admin";
    q.call.password = "secret";
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_CONFIG); /* no password over it */
    wa_buf_fini(&q.body);
    static const char *const addresses[] = {"ftp://127.0.0.1/", "file:///etc/passwd", "",
                                            "https://", "https://u:p@127.0.0.1/"};
    for (size_t i = 0; i < WA_COUNT(addresses); i++) {
        q = (struct question){.call = {.method = "GET", .url = addresses[i], .allow_http = true}};
        ask(&q, &s.app, &s.trust);
        assert_true(q.err.code == WA_E_CONFIG || q.err.code == WA_E_INVALID);
        wa_buf_fini(&q.body);
    }
    q = question(&s, "GET", "/file", url);
    q.call.allow_http = true;
    q.call.proxy = "https://127.0.0.1:1/";
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_CONFIG);
    wa_buf_fini(&q.body);
    assert_int_equal(s.app.requests, 1);
    site_free(&s);
}

/* The environment has no say. */
static void test_environment(void **state)
{
    WA_UNUSED(state);
    struct site s;
    char url[256];
    site_new(&s, false);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    struct question q = question(&s, "GET", "/file", url);
    q.call.allow_http = true;
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_OK);
    wa_buf_fini(&q.body);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
    assert_int_equal(setenv("no_proxy", "*", 1), 0);
    q.call.proxy = "http://127.0.0.1:1"; /* nobody: it must have been tried */
    ask(&q, &s.app, &s.trust);
    assert_int_equal(q.err.code, WA_E_UNREACHABLE);
    wa_buf_fini(&q.body);
    assert_int_equal(unsetenv("no_proxy"), 0);
    site_free(&s);
}

/* --- servers that lie --- */

/* Answers each visitor the same bytes, whatever it asks. */
struct liar {
    struct wa_loop *loop;
    int fd;
    struct wa_io *io;
    const char *bytes;
};

static void on_visit(void *user, int events)
{
    struct liar *l = user;
    char piece[4096];
    WA_UNUSED(events);
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)!read(fd, piece, sizeof piece);
    assert_int_equal(send(fd, l->bytes, strlen(l->bytes), MSG_NOSIGNAL), strlen(l->bytes));
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, piece, sizeof piece) > 0)
        ;
    (void)close(fd);
}

static void test_liars(void **state)
{
    char head[80000]; /* of 79 lines */
    memset(head, 'x', sizeof head);
    for (size_t i = 0; i < sizeof head; i += 1000)
        memcpy(head + i, i == 0 ? "HTTP/1.1 200 OK\r\nA: " : "\r\nX: ", i == 0 ? 20 : 5);
    memcpy(head + sizeof head - 5, "\r\n\r\n", 5);
    const struct {
        const char *name, *bytes;
        enum wa_code code;
        const char *text, *etag;
    } cases[] = {
        {"a long head", head, WA_E_LIMIT, "header lines are longer", ""},
        {"another part",
         "HTTP/1.1 206 OK\r\nContent-Range: bytes 4-7/8\r\nContent-Length: 4\r\n\r\nabcd",
         WA_E_INVALID, "another part", ""},
        {"a part of nothing", "HTTP/1.1 206 OK\r\nContent-Length: 4\r\n\r\nabcd", WA_E_INVALID,
         "another part", ""},
        {"an empty part",
         "HTTP/1.1 206 OK\r\nContent-Range: bytes 4-7/8\r\nContent-Length: 0\r\n\r\n", WA_E_INVALID,
         "another part", ""},
        {"the right part",
         "HTTP/1.1 206 OK\r\nContent-Range: bytes 5-7/8\r\nContent-Length: 3\r\n\r\nabc", WA_OK,
         NULL, ""},
        {"more than allowed, in chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
         "chunked\r\n\r\n9\r\n123456789\r\n9\r\n123456789\r\n0\r\n\r\n",
         WA_E_LIMIT, "larger than 10 bytes", ""},
        {"less than it said", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", WA_E_UNREACHABLE,
         "", ""},
        {"a tag said in passing",
         "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
         "1\r\n\r\na",
         WA_OK, NULL, ""},
        {"a redirect is an answer",
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", WA_OK,
         NULL, ""},
        {"a head that ends early", "HTTP/1.1 200 OK\r\n", WA_E_UNREACHABLE, "cut off", ""},
        {"one that ends in a line", "HTTP/1.1 200 OK\r\nETag: \"a\"", WA_E_UNREACHABLE, "cut off",
         ""},
        {"no HTTP", "SSH-2.0-OpenSSH\r\n", WA_E_UNREACHABLE, "", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct liar l = {.bytes = cases[i].bytes};
        struct app a = {.port = 0};
        char url[64];
        l.fd = listen_loopback(&a.port);
        must(wa_loop_new(&a.loop, &err));
        must(wa_io_new(a.loop, l.fd, on_visit, &l, &l.io, &err));
        must(wa_io_set(l.io, WA_IO_READ, &err));
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)a.port);
        struct question q = {
            .call = {.method = "GET",
                     .url = url,
                     .allow_http = true,
                     .max_bytes = 10,
                     .resume_from = strstr(cases[i].bytes, " 206 ") != NULL ? 5 : 0}};
        const struct wa_tls_trust none = {.host = ""};
        ask(&q, &a, &none);
        if (q.err.code != cases[i].code ||
            (cases[i].text != NULL && strstr(q.err.text, cases[i].text) == NULL))
            fail_msg("'%s': %s '%s'", cases[i].name, wa_code_name(q.err.code), q.err.text);
        if (q.err.code == WA_OK)
            assert_string_equal(q.result.etag, cases[i].etag);
        assert_true(q.body.n <= 10);
        wa_buf_fini(&q.body);
        wa_io_free(l.io);
        wa_fd_close(&l.fd);
        wa_loop_free(a.loop);
    }
}

/* Where a redirect may lead, and that nothing of it is handed on. */
static void test_redirects(void **state)
{
    static const struct {
        const char *location;
        enum wa_code code;
        const char *text;
    } cases[] = {
        {"/", WA_E_LIMIT, "more than 2 redirects"},
        {"file:///etc/passwd", WA_E_INVALID, "not http"},
        {"http://localhost:1/", WA_E_REFUSED, "not https"},
        {"https://127.0.0.1:1/", WA_E_UNREACHABLE, ""},
        {"", WA_E_INVALID, "nowhere"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        char bytes[256], url[64];
        struct liar l = {.bytes = bytes};
        struct app a = {.port = 0};
        (void)snprintf(bytes, sizeof bytes,
                       "HTTP/1.1 302 Found\r\n%s%s\r\nContent-Length: 3\r\n\r\nabc",
                       cases[i].location[0] != '\0' ? "Location: " : "X: y", cases[i].location);
        l.fd = listen_loopback(&a.port);
        must(wa_loop_new(&a.loop, &err));
        must(wa_io_new(a.loop, l.fd, on_visit, &l, &l.io, &err));
        must(wa_io_set(l.io, WA_IO_READ, &err));
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)a.port);
        struct question q = {.call = {.method = "GET",
                                      .url = url,
                                      .allow_http = true,
                                      .max_bytes = 10,
                                      .redirects_max = 2}};
        const struct wa_tls_trust none = {.system_cas = true};
        ask(&q, &a, &none);
        if (q.err.code != cases[i].code || strstr(q.err.text, cases[i].text) == NULL)
            fail_msg("'%s': %s '%s'", cases[i].location, wa_code_name(q.err.code), q.err.text);
        assert_int_equal(q.body.n, 0);
        wa_buf_fini(&q.body);
        wa_io_free(l.io);
        wa_fd_close(&l.fd);
        wa_loop_free(a.loop);
    }
}

/* What a proxy's address may be; no message shows its login. */
static void test_proxies(void **state)
{
    static const struct {
        const char *proxy;
        enum wa_code code;
    } cases[] = {
        {"http://me:secret@127.0.0.1:1", WA_E_UNREACHABLE},
        {"http://me:sec@ret@127.0.0.1:1", WA_E_CONFIG},
        {"https://me:secret@127.0.0.1:1", WA_E_INVALID},
        {"http://me:secret@", WA_E_INVALID},
        {"socks5://127.0.0.1:1", WA_E_INVALID},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const struct wa_tls_trust none = {.system_cas = true};
        const struct wa_http_call call = {.method = "GET",
                                          .url = "http://127.0.0.1:1/",
                                          .allow_http = true,
                                          .proxy = cases[i].proxy};
        struct wa_http_result result;
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_http_perform(&call, &none, NULL, &result, &err), cases[i].code);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_much),
        cmocka_unit_test(test_who),         cmocka_unit_test(test_f1b_certificates),
        cmocka_unit_test(test_failures),    cmocka_unit_test(test_plain),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_liars),
        cmocka_unit_test(test_redirects),   cmocka_unit_test(test_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
