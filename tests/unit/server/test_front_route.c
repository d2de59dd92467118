/* What a front makes of a request's head, before it wants a byte of its body. */
#include "testlib.h"

#include "os/rand.h"
#include "server/front_priv.h"

struct read {
    const struct wa_http_head *head;
    enum wa_code code;
    struct wa_front_route route;
    const char *allow;
    char file[64];
};

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct read *r = user;
    struct wa_err why = WA_ERR_INIT;
    WA_UNUSED(err);
    r->head = head;
    r->code = wa_front_route(head, &r->route, &r->allow, &why);
    assert_int_equal(r->code == WA_OK, why.code == WA_OK);
    if (r->code == WA_OK)
        (void)snprintf(r->file, sizeof r->file, "%.*s", WA_SV_ARG(r->route.file));
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(p);
    WA_UNUSED(n);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

#define UPGRADE                                                                                    \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define TOKEN "Authorization: Bearer abc\r\n"
#define LENGTH "Content-Length: 5\r\n"
#define BROWSER "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"

static const struct {
    const char *line, *headers;
    enum wa_code code;
    enum wa_front_kind kind;
    uint64_t max;
    const char *more; /* the file, or the methods that are allowed */
} cases[] = {
    {"GET /ping", "", WA_OK, WA_FRONT_PING, 0, NULL},
    {"GET /healthz", "", WA_OK, WA_FRONT_PING, 0, NULL},
    {"GET /readyz", "", WA_OK, WA_FRONT_OPEN, 0, NULL},
    {"GET /metrics", "", WA_OK, WA_FRONT_OPEN, 0, NULL},
    {"HEAD /metrics", "", WA_E_USAGE, 0, 0, "GET"},
    {"GET /metrics/", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"POST /ping", "", WA_E_USAGE, 0, 0, "GET, HEAD"},
    {"GET /wapt/Packages", "", WA_OK, WA_FRONT_FILE, 0, "wapt/Packages"},
    {"HEAD /wapt/a%20b.wapt", "", WA_OK, WA_FRONT_FILE, 0, "wapt/a b.wapt"},
    {"PUT /wapt/a.wapt", LENGTH, WA_E_USAGE, 0, 0, "GET, HEAD"},
    {"DELETE /wapt-host/m.wapt", TOKEN, WA_E_USAGE, 0, 0, "GET, HEAD"},
    {"GET /wapt-host/m.wapt", "", WA_OK, WA_FRONT_HOST, 0, "wapt-host/m.wapt"},
    {"GET /wapt-host/Packages", "", WA_E_DENIED, 0, 0, NULL},
    {"GET /wapt-host/", "", WA_E_DENIED, 0, 0, NULL},
    {"GET /wapt/.hidden", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /wapt/a/.hidden", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /incoming/a.part", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /private/tls.pem", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /", BROWSER, WA_OK, WA_FRONT_PAGE, 0, NULL},
    {"HEAD /", BROWSER, WA_OK, WA_FRONT_PAGE, 0, NULL},
    {"GET /", "Accept: TEXT/HTML; q=0.5\r\n", WA_OK, WA_FRONT_PAGE, 0, NULL},
    {"GET /", "Accept: */*\r\n", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /", "Accept: application/json, text/html;q=0\r\n", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /", "Accept: text/html;q=x\r\n", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /", "Accept: text/html5, ;, ,\r\n", WA_E_NOT_FOUND, 0, 0, NULL},
    {"POST /", BROWSER LENGTH, WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /index.html", BROWSER, WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /api/v1/hosts", BROWSER, WA_E_AUTH, 0, 0, NULL},
    {"GET /wapt/Packages", BROWSER, WA_OK, WA_FRONT_FILE, 0, "wapt/Packages"},
    {"POST /agent/v1/register", LENGTH, WA_OK, WA_FRONT_OPEN, WA_FRONT_REGISTER_MAX, NULL},
    {"POST /agent/v1/report", LENGTH, WA_OK, WA_FRONT_OPEN, WA_FRONT_REPORT_MAX, NULL},
    {"GET /agent/v1/report", TOKEN, WA_E_USAGE, 0, 0, "POST"},
    {"PUT /agent/v1/register", TOKEN LENGTH, WA_E_USAGE, 0, 0, "POST"},
    {"POST /agent/v1/other", TOKEN, WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /agent/v1/push", "", WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /agent/v1/push", UPGRADE, WA_OK, WA_FRONT_PUSH, 0, NULL},
    {"GET /api/v1/hosts", UPGRADE TOKEN, WA_E_NOT_FOUND, 0, 0, NULL},
    {"POST /api/v1/session", LENGTH, WA_OK, WA_FRONT_OPEN, WA_FRONT_LOGIN_MAX, NULL},
    {"GET /api/v1/session", "", WA_E_AUTH, 0, 0, NULL},
    {"DELETE /api/v1/session", TOKEN, WA_OK, WA_FRONT_API, WA_FRONT_API_MAX, NULL},
    {"GET /api/v1/hosts", "", WA_E_AUTH, 0, 0, NULL},
    {"GET /api/v1/hosts", TOKEN, WA_OK, WA_FRONT_API, WA_FRONT_API_MAX, NULL},
    {"GET /api/v1/hosts", "Authorization: Basic abc\r\n", WA_E_AUTH, 0, 0, NULL},
    {"GET /api/v1/hosts", "Authorization: Bearer \r\n", WA_E_AUTH, 0, 0, NULL},
    {"GET /api/v1/hosts", "Authorization: bearer abc\r\n", WA_E_AUTH, 0, 0, NULL},
    {"PUT /api/v1/uploads/a", LENGTH, WA_E_AUTH, 0, 0, NULL},
    {"PUT /api/v1/uploads/a", TOKEN, WA_E_USAGE, 0, 0, NULL},
    {"PUT /api/v1/uploads/a", TOKEN "Transfer-Encoding: chunked\r\n", WA_E_USAGE, 0, 0, NULL},
    {"PUT /api/v1/uploads/a", TOKEN LENGTH, WA_OK, WA_FRONT_UPLOAD, WA_PACKAGE_BYTES_MAX, NULL},
    {"PUT /api/v1/repository/root", TOKEN LENGTH, WA_OK, WA_FRONT_UPLOAD, WA_PACKAGE_BYTES_MAX,
     NULL},
    {"PUT /api/v1/users/a", TOKEN LENGTH, WA_OK, WA_FRONT_API, WA_FRONT_API_MAX, NULL},
    {"GET /api/v2/hosts", TOKEN, WA_E_NOT_FOUND, 0, 0, NULL},
    {"GET /api/v1", TOKEN, WA_E_NOT_FOUND, 0, 0, NULL},
};

static void test_cases(void **state)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct read r = {.code = WA_E_INTERNAL};
        struct wa_err err = WA_ERR_INIT;
        char text[1024];
        size_t used = 0;
        WA_AUTO(wa_http_parser) struct wa_http_parser *parser = NULL;
        (void)snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].line,
                       cases[i].headers);
        WA_ASSERT_OK(wa_http_parser_new(true, &events, &r, &parser, &err));
        WA_ASSERT_OK(wa_http_parse(parser, text, strlen(text), &used, &err));
        if (r.code != cases[i].code || (r.allow != NULL) != (r.code == WA_E_USAGE && cases[i].more))
            fail_msg("%s: %s", text, wa_code_name(r.code));
        if (r.code != WA_OK) {
            if (r.allow != NULL)
                assert_string_equal(r.allow, cases[i].more);
            continue;
        }
        assert_int_equal(r.route.kind, cases[i].kind);
        assert_int_equal(r.route.body_max, cases[i].max);
        assert_string_equal(r.file, cases[i].more != NULL ? cases[i].more : "");
    }
}

/* A token longer than any is none. */
static void test_long_token(void **state)
{
    char long_token[512] = "Bearer ";
    struct wa_http_head h = {.method = WA_HTTP_GET, .path = WA_SV("/api/v1/hosts")};
    struct wa_front_route r;
    struct wa_err err = WA_ERR_INIT;
    const char *allow;
    WA_UNUSED(state);
    memset(long_token + 7, 'a', 160);
    h.headers[0] = (struct wa_http_header){WA_SV("Authorization"), wa_sv(long_token)};
    h.header_count = 1;
    WA_ASSERT_CODE(wa_front_route(&h, &r, &allow, &err), WA_E_AUTH);
    long_token[7 + 159] = '\0';
    h.headers[0].value = wa_sv(long_token);
    WA_ASSERT_OK(wa_front_route(&h, &r, &allow, &err));
}

/* After four thousand million exchanges numbers begin anew, and a machine's connection that is open
 * since the first ones keeps its own. */
static void test_numbers_begin_anew(void **state)
{
    struct wa_front f = {.next_id = 0};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_rand_map(&f.by_id, &err));
    WA_ASSERT_OK(wa_loop_new(&f.loop, &err));
    struct wa_exchange *first = wa_front_exchange(&f, NULL), *second = wa_front_exchange(&f, NULL);
    assert_true(first->id == 1 && second->id == 2);
    f.next_id = UINT32_MAX - 1;
    struct wa_exchange *last = wa_front_exchange(&f, NULL), *next = wa_front_exchange(&f, NULL);
    assert_true(last->id == UINT32_MAX && next->id == 3);
    assert_ptr_equal(wa_front_find(&f, 1), first);
    assert_ptr_equal(wa_front_find(&f, 2), second);
    while (f.exchanges != NULL)
        wa_front_exchange_free(f.exchanges);
    wa_loop_free(f.loop);
    wa_map_fini(&f.by_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                       cmocka_unit_test(test_long_token),
                                       cmocka_unit_test(test_numbers_begin_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
