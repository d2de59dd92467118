/* The HTTP server, asked over plain TCP: answers to the byte, files, bodies. */
#include "app.h"

#include <unistd.h>

static const struct wa_http_server_config plenty = {.max_connections = 100, .max_handshakes = 100};

/* --- to the byte --- */

#define HEADERS "Date: D\r\n" /* the date is put in its place */
#define STRICT                                                                                     \
    "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; "             \
    "frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n"                                   \
    "Strict-Transport-Security: max-age=31536000\r\n"
#define COMMON "Cache-Control: no-store\r\n" STRICT
#define FILE_COMMON "Cache-Control: no-cache\r\n" STRICT
#define HELLO_HEAD                                                                                 \
    "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON                            \
    "X-Extra: 1\r\nContent-Length: 6\r\n\r\n"
#define HELLO HELLO_HEAD "hello\n"
#define FILE_TAGS                                                                                  \
    "ETag: \"tag\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nAccept-Ranges: bytes\r\n"
#define WHOLE_FILE                                                                                 \
    "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" FILE_COMMON FILE_TAGS             \
    "Content-Length: 20\r\n\r\n01234567891234567890"
#define PART_OF_FILE(range, length, bytes)                                                         \
    "HTTP/1.1 206 Partial Content\r\n" HEADERS                                                     \
    "Content-Type: text/plain\r\n" FILE_COMMON FILE_TAGS "Content-Range: bytes " range             \
    "/20\r\nContent-Length: " length "\r\n\r\n" bytes
#define UNCHANGED "HTTP/1.1 304 Not Modified\r\n" HEADERS FILE_COMMON FILE_TAGS "\r\n"
#define ERROR_BODY(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"

static const struct {
    const char *name, *request, *answer;
    int gone;
} exchanges[] = {
    {"an answer", GET("/hello", ""), HELLO, 0},
    {"three in a row", GET("/hello", "") GET("/hello", "") GET("/hello", ""), HELLO HELLO HELLO, 0},
    {"the last one", GET("/hello", "Connection: close\r\n") GET("/hello", ""),
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Connection: close\r\nX-Extra: 1\r\nContent-Length: 6\r\n\r\nhello\n",
     0},
    {"head", "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", HELLO_HEAD, 0},
    {"no content", GET("/nothing", ""), "HTTP/1.1 204 No Content\r\n" HEADERS COMMON "\r\n", 0},
    {"nothing decided", GET("/other", ""),
     "HTTP/1.1 404 Not Found\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Content-Length: 3\r\n\r\nno\n",
     0},
    {"an error", GET("/error", ""),
     "HTTP/1.1 401 Unauthorized\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "WWW-Authenticate: Bearer\r\nContent-Length: 65\r\n\r\n" ERROR_BODY(
         "auth", "say who you are, \\\"please\\\""),
     0},
    {"an upgrade that is not taken",
     GET("/hello", "Connection: Upgrade\r\nUpgrade: websocket\r\n") "\x81\x00",
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Connection: close\r\nX-Extra: 1\r\nContent-Length: 6\r\n\r\nhello\n",
     0},
    {"nonsense", "nonsense\r\n\r\n",
     "HTTP/1.1 400 Bad Request\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 77\r\n\r\n" ERROR_BODY(
         "invalid", "not HTTP: Invalid method encountered"),
     0},
    {"sense, then nonsense", GET("/hello", "") "GET /\nHost: a\n\n",
     HELLO "HTTP/1.1 400 Bad Request\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
           "Connection: close\r\nContent-Length: 87\r\n\r\n" ERROR_BODY(
               "invalid", "a head with strange line ends, blanks or a NUL"),
     0},

    /* --- bodies --- */
    {"a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Content-Length: 10\r\n\r\n0123456789",
     0},
    {"a body, asked for first",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nxy",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" HEADERS
     "Content-Type: text/plain\r\n" COMMON "Content-Length: 2\r\n\r\nxy",
     0},
    {"chunks, then another request",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
     "chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n" GET("/hello", ""),
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Content-Length: 10\r\n\r\n0123456789" HELLO,
     0},
    {"a body that says to be too long",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n",
     "HTTP/1.1 413 Content Too Large\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 98\r\n\r\n" ERROR_BODY(
         "limit", "the request's body is larger than the 10 bytes allowed here"),
     1},
    {"chunks that get too long",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
     "chunked\r\n\r\n9\r\n012345678\r\n2\r\n9x\r\n0\r\n\r\n",
     "HTTP/1.1 413 Content Too Large\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 98\r\n\r\n" ERROR_BODY(
         "limit", "the request's body is larger than the 10 bytes allowed here"),
     1},
    {"a body that nobody wants", "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "HTTP/1.1 413 Content Too Large\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 97\r\n\r\n" ERROR_BODY(
         "limit", "the request's body is larger than the 0 bytes allowed here"),
     1},
    {"a body behind an early answer",
     "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON
     "Connection: close\r\nX-Extra: 1\r\nContent-Length: 6\r\n\r\nhello\n",
     0},
    {"chunks that break",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy",
     "HTTP/1.1 400 Bad Request\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 76\r\n\r\n" ERROR_BODY(
         "invalid", "not HTTP: Expected CRLF after chunk"),
     1},
    {"a body that does not come", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
     "", 1},
    {"a sink that fails", "POST /bad-sink HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "HTTP/1.1 507 Insufficient Storage\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Connection: close\r\nContent-Length: 58\r\n\r\n" ERROR_BODY("no_space", "the disk is full"),
     1},

    /* --- files --- */
    {"a file", GET("/file", ""), WHOLE_FILE, 0},
    {"head of a file", "HEAD /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n",
     "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" FILE_COMMON FILE_TAGS
     "Content-Length: 20\r\n\r\n",
     0},
    {"a range", GET("/file", "Range: bytes=3-5\r\n"), PART_OF_FILE("3-5", "3", "345"), 0},
    {"the rest", GET("/file", "Range: bytes=17-\r\n"), PART_OF_FILE("17-19", "3", "890"), 0},
    {"the end", GET("/file", "Range: bytes=-2\r\n"), PART_OF_FILE("18-19", "2", "90"), 0},
    {"two ranges", GET("/file", "Range: bytes=0-1,3-4\r\n"), WHOLE_FILE, 0},
    {"a range of a post", "POST /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n", WHOLE_FILE,
     0},
    {"a range beyond", GET("/file", "Range: bytes=20-\r\n") GET("/hello", ""),
     "HTTP/1.1 416 Range Not Satisfiable\r\n" HEADERS FILE_COMMON FILE_TAGS
     "Content-Range: bytes */20\r\nContent-Length: 0\r\n\r\n" HELLO,
     0},
    {"a range of the same file", GET("/file", "Range: bytes=0-0\r\nIf-Range: \"tag\"\r\n"),
     PART_OF_FILE("0-0", "1", "0"), 0},
    {"a range of the same date",
     GET("/file", "Range: bytes=0-0\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
     PART_OF_FILE("0-0", "1", "0"), 0},
    {"a range of another file", GET("/file", "Range: bytes=0-0\r\nIf-Range: \"old\"\r\n"),
     WHOLE_FILE, 0},
    {"a range of a file that looks alike",
     GET("/file", "Range: bytes=0-0\r\nIf-Range: W/\"tag\"\r\n"), WHOLE_FILE, 0},
    {"unchanged", GET("/file", "If-None-Match: \"tag\"\r\n") GET("/hello", ""), UNCHANGED HELLO, 0},
    {"unchanged, weakly", GET("/file", "If-None-Match: \"x\", W/\"tag\"\r\n"), UNCHANGED, 0},
    {"unchanged, whatever it is", GET("/file", "If-None-Match: *\r\n"), UNCHANGED, 0},
    {"changed", GET("/file", "If-None-Match: \"old\"\r\n"), WHOLE_FILE, 0},
    {"unchanged since", GET("/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
     UNCHANGED, 0},
    {"changed since", GET("/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n"),
     WHOLE_FILE, 0},
    {"the tag goes before the date",
     GET("/file", "If-None-Match: \"old\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
     WHOLE_FILE, 0},
    {"a folder", GET("/folder", ""),
     "HTTP/1.1 404 Not Found\r\n" HEADERS "Content-Type: application/json\r\n" COMMON
     "Content-Length: 53\r\n\r\n" ERROR_BODY("not_found", "not a file"),
     0},
};

/* Puts "D" in the place of each date. */
static void hide_dates(struct wa_buf *b, struct wa_buf *out)
{
    struct wa_sv rest = wa_buf_sv(b), line;
    bool first = true;
    while (wa_sv_split(&rest, '\n', &line)) {
        if (!first)
            wa_buf_addc(out, '\n');
        first = false;
        if (wa_sv_starts(line, "Date: "))
            wa_buf_adds(out, "Date: D\r");
        else
            wa_buf_addsv(out, line);
    }
}

static void test_exchanges(void **state)
{
    static const size_t pieces[] = {0, 1, 7};
    WA_UNUSED(state);
    struct app a;
    app_new(&a, &plenty);
    for (size_t i = 0; i < WA_COUNT(exchanges); i++) {
        for (size_t p = 0; p < WA_COUNT(pieces); p++) {
            struct raw_client r;
            WA_AUTO_BUF struct wa_buf said;
            wa_buf_init(&said, 1u << 20);
            a.gone = 0;
            raw_start(&r, a.loop, a.port, wa_sv(exchanges[i].request));
            r.piece = pieces[p];
            run_until(a.loop, &r.is_over);
            hide_dates(&r.in, &said);
            if (strcmp(wa_buf_str(&said), exchanges[i].answer) != 0 || a.gone != exchanges[i].gone)
                fail_msg("'%s' in pieces of %zu (%d gone):\n%s\n--- instead of\n%s",
                         exchanges[i].name, pieces[p], a.gone, wa_buf_str(&said),
                         exchanges[i].answer);
            raw_end(&r);
        }
    }
    app_free(&a);
}

/* Without a tag given, one is made of what the file is. */
static void test_made_tag(void **state)
{
    struct app a;
    struct raw_client r;
    char request[512], tag[128];
    WA_UNUSED(state);
    app_new(&a, &plenty);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/untagged", "")));
    run_until(a.loop, &r.is_over);
    const char *at = strstr(wa_buf_str(&r.in), "ETag: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "ETag: %127s", tag), 1);
    raw_end(&r);
    (void)snprintf(request, sizeof request,
                   "GET /untagged HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", tag);
    raw_start(&r, a.loop, a.port, wa_sv(request));
    run_until(a.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 304 "));
    raw_end(&r);
    app_free(&a);
}

/* --- much --- */

/* A file larger than all buffers reaches a client that begins to read late. */
static void test_large_file(void **state)
{
    struct app a;
    struct raw_client r;
    WA_UNUSED(state);
    app_new(&a, &plenty);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/big", "")));
    raw_read(&r, false);
    run_a_little(a.loop);
    raw_read(&r, true);
    run_until(a.loop, &r.is_over);
    const char *body = body_of(&r);
    assert_int_equal(r.in.n - (size_t)(body - r.in.p), BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        if (body[i] != big_byte(i))
            fail_msg("byte %zu differs", i);
    raw_end(&r);
    app_free(&a);
}

/* Promised more than there is in the end: the connection is cut, so that the client can tell. */
static void test_shrinking_file(void **state)
{
    struct app a;
    struct raw_client r;
    WA_UNUSED(state);
    app_new(&a, &plenty);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/big", "") GET("/hello", "")));
    raw_read(&r, false);
    run_until(a.loop, &a.has_request);
    assert_int_equal(ftruncate(a.big, 1), 0);
    raw_read(&r, true);
    run_until(a.loop, &r.is_over);
    assert_true(r.in.n > 0 && r.in.n < BIG_BYTES);
    assert_int_equal(a.requests, 1);
    raw_end(&r);
    app_free(&a);
}

/* Many at once are answered one after another, others in between. */
static void test_long_pipeline(void **state)
{
    struct app a;
    struct raw_client r;
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf request;
    wa_buf_init(&request, 1u << 20);
    for (int i = 0; i < 300; i++)
        wa_buf_adds(&request, GET("/hello", ""));
    app_new(&a, &plenty);
    raw_start(&r, a.loop, a.port, wa_buf_sv(&request));
    run_until(a.loop, &r.is_over);
    assert_int_equal(a.requests, 300);
    assert_int_equal(r.in.n % 300, 0);
    assert_true(wa_sv_ends(wa_buf_sv(&r.in), "\r\n\r\nhello\n"));
    raw_end(&r);
    app_free(&a);
}

static void add_zeros(struct wa_buf *b, size_t n)
{
    char *p = wa_buf_reserve(b, n);
    assert_non_null(p);
    memset(p, '0', n);
    wa_buf_advance(b, n);
}

static void test_large_bodies(void **state)
{
    struct app a;
    struct raw_client r;
    char head[128];
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf request;
    wa_buf_init(&request, 64u << 20);
    app_new(&a, &plenty);
    wa_buf_addf(&request, "PUT /stream HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n",
                BIG_BYTES);
    add_zeros(&request, BIG_BYTES);
    raw_start(&r, a.loop, a.port, wa_buf_sv(&request));
    run_until(a.loop, &r.is_over);
    (void)snprintf(head, sizeof head, "%u", BIG_BYTES);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 201 "));
    assert_string_equal(body_of(&r), head);
    raw_end(&r);

    /* Refused while most of it still comes: the client can read why. */
    wa_buf_clear(&request);
    wa_buf_addf(&request, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n", BIG_BYTES);
    add_zeros(&request, BIG_BYTES);
    raw_start(&r, a.loop, a.port, wa_buf_sv(&request));
    run_until(a.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 413 "));
    assert_non_null(strstr(body_of(&r), "larger than the 10 bytes"));
    raw_end(&r);
    app_free(&a);
}

/* A body that waits until the application has decided: small, large, too large, not wanted. */
static void test_held_bodies(void **state)
{
    static const struct {
        size_t sent, max; /* bytes; max 0: refused with an answer */
        const char *status;
    } cases[] = {{0, 10, "200"},
                 {5, 10, "200"},
                 {5, 4, "413"},
                 {40000, 40000, "200"},
                 {BIG_BYTES, BIG_BYTES, "200"},
                 {BIG_BYTES, 100, "413"},
                 {BIG_BYTES, 0, "401"}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct app a;
        struct raw_client r;
        struct wa_err err = WA_ERR_INIT;
        char start[32];
        WA_AUTO_BUF struct wa_buf request;
        wa_buf_init(&request, 64u << 20);
        app_new(&a, &plenty);
        wa_buf_addf(&request, "PUT /held HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                    cases[i].sent);
        if (cases[i].sent > 0)
            add_zeros(&request, cases[i].sent);
        wa_buf_adds(&request, GET("/hello", ""));
        raw_start(&r, a.loop, a.port, wa_buf_sv(&request));
        run_until(a.loop, &a.has_request);
        run_a_little(a.loop);
        assert_int_equal(a.requests, 1); /* nothing behind it is looked at meanwhile */
        assert_int_equal(r.in.n, 0);
        assert_non_null(a.held);
        (void)wa_fail(&err, WA_E_AUTH, "no");
        if (cases[i].max > 0)
            wa_http_accept_body(a.held, cases[i].max);
        else
            wa_http_answer_err(a.held, &err);
        run_until(a.loop, &r.is_over);
        (void)snprintf(start, sizeof start, "HTTP/1.1 %s ", cases[i].status);
        if (!wa_sv_starts(wa_buf_sv(&r.in), start))
            fail_msg("case %zu: %.60s", i, wa_buf_str(&r.in));
        if (strcmp(cases[i].status, "200") == 0) {
            assert_true(wa_sv_ends(wa_buf_sv(&r.in), "\r\n\r\nhello\n"));
            assert_true(r.in.n > cases[i].sent);
        }
        raw_end(&r);
        app_free(&a);
    }
}

/* One address has its share, no more; others come in still. */
static void test_share_of_an_address(void **state)
{
    static const struct wa_http_server_config two = {
        .max_connections = 100, .max_handshakes = 100, .max_per_address = 2};
    struct app a;
    struct raw_client r[3];
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    app_new(&a, &two);
    for (size_t i = 0; i < 3; i++) {
        raw_start(&r[i], a.loop, a.port, WA_SV(GET("/hello", "")));
        r[i].half_closes = false;
        while (i < 2 && r[i].in.n == 0)
            must(wa_loop_turn(a.loop, 100, &err));
    }
    run_until(a.loop, &r[2].is_over);
    assert_int_equal(r[2].in.n, 0);
    assert_int_equal(a.requests, 2);
    raw_end(&r[2]);
    raw_end(&r[0]);
    while (wa_http_server_count(a.server) > 1)
        must(wa_loop_turn(a.loop, 100, &err));
    raw_start(&r[2], a.loop, a.port, WA_SV(GET("/hello", "")));
    run_until(a.loop, &r[2].is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r[2].in), "HTTP/1.1 200 "));
    raw_end(&r[1]);
    raw_end(&r[2]);
    app_free(&a);
}

/* --- streams --- */

#define PIECE "a piece of it\n"
#define STREAM_HEAD                                                                                \
    "HTTP/1.1 200 OK\r\n" HEADERS "Content-Type: text/plain\r\n" COMMON                            \
    "Connection: close\r\nX-Extra: 1\r\n"

static void test_stream(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {{GET("/pieces", ""),
                  STREAM_HEAD "Transfer-Encoding: chunked\r\n\r\ne\r\n" PIECE "\r\ne\r\n" PIECE
                              "\r\ne\r\n" PIECE "\r\n0\r\n\r\n"},
                 {"GET /pieces HTTP/1.0\r\n\r\n", STREAM_HEAD "\r\n" PIECE PIECE PIECE}};
    struct app a;
    WA_UNUSED(state);
    app_new(&a, &plenty);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct raw_client r;
        WA_AUTO_BUF struct wa_buf said;
        wa_buf_init(&said, 1u << 20);
        raw_start(&r, a.loop, a.port, wa_sv(cases[i].request));
        r.half_closes = false;
        run_until(a.loop, &r.is_over);
        hide_dates(&r.in, &said);
        assert_string_equal(wa_buf_str(&said), cases[i].answer);
        raw_end(&r);
    }
    assert_int_equal(a.gone, 0);
    app_free(&a);
}

static void begin_live(struct app *a, struct raw_client *r)
{
    app_new(a, &plenty);
    raw_start(r, a->loop, a->port, WA_SV(GET("/live", "")));
    r->half_closes = false;
    run_until(a->loop, &a->has_request);
    run_a_little(a->loop);
    assert_non_null(strstr(wa_buf_str(&r->in), "\r\n\r\n"));
    assert_non_null(a->waiting);
}

/* Pieces come when they are there; the client's leaving is told, and its end is the last. */
static void test_live_stream(void **state)
{
    struct app a;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    begin_live(&a, &r);
    must(wa_http_stream_send(a.waiting, WA_SV("one"), &err));
    run_a_little(a.loop);
    assert_string_equal(body_of(&r), "3\r\none\r\n");
    must(wa_http_stream_send(a.waiting, WA_SV("two"), &err));
    wa_http_stream_end(a.waiting, true);
    run_until(a.loop, &r.is_over);
    assert_string_equal(body_of(&r), "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    assert_int_equal(a.gone, 0);
    raw_end(&r);
    app_free(&a);

    begin_live(&a, &r);
    wa_http_stream_end(a.waiting, false); /* cut: no last chunk */
    run_until(a.loop, &r.is_over);
    assert_string_equal(body_of(&r), "");
    assert_int_equal(a.gone, 0);
    raw_end(&r);
    app_free(&a);

    begin_live(&a, &r);
    raw_more(&r, WA_SV("x")); /* it was to listen */
    run_until(a.loop, &a.has_gone);
    assert_null(a.waiting);
    raw_end(&r);
    app_free(&a);

    begin_live(&a, &r);
    raw_end(&r);
    run_until(a.loop, &a.has_gone);
    app_free(&a);
}

/* A client that does not read is not waited for without bound. */
static void test_deaf_stream(void **state)
{
    struct app a;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = WA_OK;
    size_t sent = 0;
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf piece;
    wa_buf_init(&piece, 1u << 20);
    add_zeros(&piece, 100000);
    begin_live(&a, &r);
    raw_read(&r, false);
    for (; code == WA_OK && sent < 1000; sent++) {
        code = wa_http_stream_send(a.waiting, wa_buf_sv(&piece), &err);
        run_a_little(a.loop);
    }
    assert_int_equal(code, WA_E_LIMIT);
    wa_http_stream_end(a.waiting, false);
    raw_end(&r);
    app_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchanges),      cmocka_unit_test(test_made_tag),
        cmocka_unit_test(test_large_file),     cmocka_unit_test(test_large_bodies),
        cmocka_unit_test(test_shrinking_file), cmocka_unit_test(test_long_pipeline),
        cmocka_unit_test(test_held_bodies),    cmocka_unit_test(test_share_of_an_address),
        cmocka_unit_test(test_stream),         cmocka_unit_test(test_live_stream),
        cmocka_unit_test(test_deaf_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
