/* HTTP/1.1 messages: each request of the table means one thing, however its bytes arrive. */
#include "support.h"

#include "base/text.h"
#include "net/http.h"
#include "net/http_wish.h"
#include "requests.h"

/* What the parser said, one line a message. */
struct heard {
    struct wa_buf text, body;
    struct wa_http_head head; /* views die with the parser's next message */
    bool is_refused, head_came;
    size_t messages;
};

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    x->head = *h;
    x->head_came = true;
    wa_buf_clear(&x->body);
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    wa_buf_add(&x->body, p, n);
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    const struct wa_http_head *h = &x->head;
    assert_true(x->head_came);
    x->head_came = false;
    if (x->messages++ > 0)
        wa_buf_addc(&x->text, '\n');
    /* The views of the head are as they were, after all of the body. */
    wa_buf_addf(&x->text, "%s ", wa_http_method_name(h->method));
    wa_buf_addsv(&x->text, h->path);
    if (h->query.n > 0)
        wa_buf_addc(&x->text, '?');
    wa_buf_addsv(&x->text, h->query);
    wa_buf_addc(&x->text, ' ');
    wa_buf_addsv(&x->text, wa_buf_sv(&x->body));
    wa_buf_adds(&x->text, h->keep_alive ? " keep" : " close");
    wa_buf_adds(&x->text, h->is_upgrade ? " upgrade" : "");
    assert_true(h->has_body || x->body.n == 0);
    return WA_OK;
}

static const struct wa_http_events events = {on_head, on_body, on_done};

static void heard_init(struct heard *x)
{
    *x = (struct heard){.messages = 0};
    wa_buf_init(&x->text, 1u << 20);
    wa_buf_init(&x->body, 1u << 20);
}

static void heard_fini(struct heard *x)
{
    wa_buf_fini(&x->text);
    wa_buf_fini(&x->body);
}

/* Feeds one run of bytes, going on behind each message. False when refused. */
static bool feed(struct wa_http_parser *p, struct heard *x, const char *bytes, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    while (n > 0) {
        size_t used = 0, before = x->messages;
        /* A copy as long as the bytes, so that a sanitizer sees what is read beyond. */
        char *copy = test_malloc(n);
        memcpy(copy, bytes, n);
        enum wa_code code = wa_http_parse(p, copy, n, &used, &err);
        test_free(copy);
        if (code != WA_OK) {
            assert_true(code == WA_E_INVALID || code == WA_E_LIMIT);
            assert_true(err.text[0] != '\0');
            /* And for good. */
            struct wa_err again = WA_ERR_INIT;
            assert_int_equal(wa_http_parse(p, "GET ", 4, &used, &again), code);
            x->is_refused = true;
            return false;
        }
        assert_true(used <= n);
        if (x->messages > before && !x->head.is_upgrade)
            wa_http_resume(p);
        else
            assert_true(used == n || x->head.is_upgrade);
        if (used == 0)
            break;
        bytes += used;
        n -= used;
    }
    return true;
}

static bool check(const struct request_case *c, const struct heard *x, const char *how)
{
    char said[4096];
    (void)snprintf(said, sizeof said, "%s%s", wa_buf_str(&x->text),
                   x->is_refused      ? "refused"
                   : x->messages == 0 ? "more"
                                      : "");
    if (strcmp(said, c->expected) != 0)
        print_error("'%s' %s: '%s' instead of '%s'\n", c->name, how, said, c->expected);
    return strcmp(said, c->expected) == 0;
}

static bool run_case(const struct request_case *c, size_t piece, size_t cut)
{
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct heard x;
    char how[64];
    heard_init(&x);
    must(wa_http_parser_new(true, &events, &x, &p, &err));
    for (size_t at = 0; at < c->n;) {
        size_t n = cut > 0 ? (at == 0 ? cut : c->n - cut) : piece;
        n = n < c->n - at ? n : c->n - at;
        if (!feed(p, &x, c->bytes + at, n))
            break;
        at += n;
    }
    (void)snprintf(how, sizeof how, cut > 0 ? "cut at %zu" : "in pieces of %zu",
                   cut > 0 ? cut : piece);
    bool ok = check(c, &x, how);
    heard_fini(&x);
    return ok;
}

static void test_requests(void **state)
{
    WA_UNUSED(state);
    bool ok = true;
    for (size_t i = 0; i < WA_COUNT(request_cases); i++) {
        const struct request_case *c = &request_cases[i];
        ok = run_case(c, c->n, 0) && ok;
        ok = run_case(c, 1, 0) && ok;
        for (size_t cut = 1; cut < c->n; cut++)
            ok = run_case(c, 0, cut) && ok;
    }
    assert_true(ok);
}

/* --- caps --- */

static bool is_refused(struct wa_sv bytes)
{
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct heard x;
    heard_init(&x);
    must(wa_http_parser_new(true, &events, &x, &p, &err));
    bool refused = !feed(p, &x, bytes.p, bytes.n);
    heard_fini(&x);
    return refused;
}

static void test_caps(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, 1u << 20);
    for (unsigned extra = 0; extra < 2; extra++) { /* headers, Host included */
        wa_buf_clear(&b);
        wa_buf_adds(&b, "GET /a HTTP/1.1\r\nHost: a\r\n");
        for (unsigned i = 0; i < WA_HTTP_HEADERS_MAX - 1 + extra; i++)
            wa_buf_addf(&b, "X%u: y\r\n", i);
        wa_buf_adds(&b, "\r\n");
        assert_int_equal(is_refused(wa_buf_sv(&b)), extra == 1);
    }
    for (unsigned extra = 0; extra < 2; extra++) { /* bytes of the head */
        wa_buf_clear(&b);
        wa_buf_adds(&b, "GET /a HTTP/1.1\r\nHost: a\r\nX: ");
        while (b.n < WA_HTTP_HEAD_MAX - 4 + extra)
            wa_buf_addc(&b, 'y');
        wa_buf_adds(&b, "\r\n\r\n");
        assert_int_equal(is_refused(wa_buf_sv(&b)), extra == 1);
    }
}

/* --- answers --- */

static void test_answers(void **state)
{
    static const struct {
        const char *bytes;
        int status;
        const char *body;
        bool ends_well;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, "ab", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200, "ab",
         true},
        {"HTTP/1.1 200 OK\r\n\r\nall to the end", 200, "all to the end", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", 200, "ab", false},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true},
        {"", 0, "", true},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
        struct wa_err err = WA_ERR_INIT;
        struct heard x;
        size_t used = 0;
        heard_init(&x);
        must(wa_http_parser_new(false, &events, &x, &p, &err));
        must(wa_http_parse(p, cases[i].bytes, strlen(cases[i].bytes), &used, &err));
        assert_int_equal(x.head.status, cases[i].status);
        assert_string_equal(wa_buf_str(&x.body), cases[i].body);
        assert_int_equal(wa_http_parse_end(p, &err), cases[i].ends_well ? WA_OK : WA_E_INVALID);
        heard_fini(&x);
    }
}

/* However it is cut, or not: nobody may read a body where the next one reads frames. */
static void test_switching_has_no_body(void **state)
{
    static const char *const refused[] = {
        "HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n3*\r\nabc\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 3\r\n\r\nabc",
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(refused); i++) {
        WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
        struct wa_err err = WA_ERR_INIT;
        struct heard x;
        size_t used = 0;
        heard_init(&x);
        must(wa_http_parser_new(false, &events, &x, &p, &err));
        assert_int_equal(wa_http_parse(p, refused[i], strlen(refused[i]), &used, &err),
                         WA_E_INVALID);
        heard_fini(&x);
    }
}

/* --- words --- */

static void test_words(void **state)
{
    WA_UNUSED(state);
    assert_string_equal(wa_http_status_text(404), "Not Found");
    assert_string_equal(wa_http_status_text(299), "Status");
    struct wa_http_head h = {
        .header_count = 2,
        .headers = {{WA_SV("Accept"), WA_SV("a")}, {WA_SV("ACCEPT"), WA_SV("b")}}};
    assert_true(wa_sv_eqs(wa_http_get(&h, "accept"), "a"));
    assert_null(wa_http_get(&h, "accep").p);
}

static void test_wishes(void **state)
{
    static const struct {
        const char *header, *language; /* NULL: none */
        unsigned html;                 /* how much it wants text/html, as Accept */
    } rows[] = {
        {"fr", "fr", 0},
        {"EN-gb", "en", 0},
        {"fr, en", "fr", 0},
        {"en, fr", "en", 0},
        {"en;q=0.8, fr-CA;q=0.9", "fr", 0},
        {"fr;q=0, en;q=0.001", "en", 0},
        {"fr;q=0", NULL, 0},
        {"fr;q=,;;q", NULL, 0},
        {"fr;q=0.9;q=x", NULL, 0},
        {"frr, fra, de", NULL, 0},
        {"*", NULL, 0},
        {"", NULL, 0},
        {",;=", NULL, 0},
        {"../fr", NULL, 0},
        {"text/html", NULL, 1000},
        {"*/*, TEXT/HTML ;level=1; q=0.75", NULL, 750},
        {"text/htmlx, text/html;q=0", NULL, 0},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        const struct wa_http_head h = {
            .header_count = 1, .headers = {{WA_SV("Accept-Language"), wa_sv(rows[i].header)}}};
        const struct wa_language *l = wa_http_language(&h);
        if (rows[i].language == NULL)
            assert_null(l);
        else
            assert_string_equal(wa_text_name_of(l), rows[i].language);
        assert_int_equal(wa_http_wish(wa_sv(rows[i].header), "text/html"), rows[i].html);
    }
    assert_null(wa_http_language(&(struct wa_http_head){.header_count = 0}));
}

static void test_ranges(void **state)
{
    static const struct {
        const char *value;
        uint64_t size;
        const char *expected; /* "first+count", "all", "416" */
    } cases[] = {
        {"bytes=0-0", 10, "0+1"},
        {"bytes=0-", 10, "0+10"},
        {"bytes=3-5", 10, "3+3"},
        {"bytes=3-50", 10, "3+7"},
        {"bytes=9-", 10, "9+1"},
        {"bytes=-3", 10, "7+3"},
        {"bytes=-30", 10, "0+10"},
        {"bytes=10-", 10, "416"},
        {"bytes=10-12", 10, "416"},
        {"bytes=-0", 10, "416"},
        {"bytes=0-", 0, "416"},
        {"bytes=-5", 0, "416"},
        {"bytes=5-3", 10, "all"},
        {"bytes=0-1,3-4", 10, "all"},
        {"bytes=a-b", 10, "all"},
        {"bytes=", 10, "all"},
        {"bytes=-", 10, "all"},
        {"bytes=--1", 10, "all"},
        {"bytes=0-18446744073709551616", 10, "all"},
        {"bytes=0-18446744073709551615", 10, "0+10"},
        {"bytes=18446744073709551615-", 10, "416"},
        {"bytes=-18446744073709551615", 10, "0+10"},
        {"lines=0-1", 10, "all"},
        {"", 10, "all"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        uint64_t first = 0, count = 0;
        bool bad = true;
        char said[64];
        bool ok = wa_http_range(wa_sv(cases[i].value), cases[i].size, &first, &count, &bad);
        if (ok)
            (void)snprintf(said, sizeof said, "%llu+%llu", (unsigned long long)first,
                           (unsigned long long)count);
        else
            (void)snprintf(said, sizeof said, "%s", bad ? "416" : "all");
        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("'%s' of %llu: %s instead of %s", cases[i].value,
                     (unsigned long long)cases[i].size, said, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_caps),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_switching_has_no_body),
        cmocka_unit_test(test_words),    cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
