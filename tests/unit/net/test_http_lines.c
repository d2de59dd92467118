/* Connections that are kept: when one is used again, when not, and a server that lies about where
 * its answers end. What is asked first and what is asked next never get each other's answer.
 *
 * The server is a thread that follows a script: one answer for each request, whatever it asks, over
 * whichever connection it comes.
 */
#include "app.h"
#include "support.h"
#include "torture.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_lines.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/thread.h"

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" body
#define EVIL OK("evil")
#define STEPS_MAX 40

/* --- the clock, and the name service --- */

uint64_t __real_wa_clock_mono_ms(void);
uint64_t __wrap_wa_clock_mono_ms(void);
enum wa_code __real_wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                                      struct wa_err *err);
enum wa_code __wrap_wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                                      struct wa_err *err);

static uint64_t later_ms;
static struct wa_lock *names; /* NULL: the name service answers */
static bool is_asked, may_answer, has_answered;

uint64_t __wrap_wa_clock_mono_ms(void)
{
    return __real_wa_clock_mono_ms() + later_ms;
}

enum wa_code __wrap_wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                                      struct wa_err *err)
{
    if (names == NULL)
        return __real_wa_addresses_find(host, port, ret, err);
    wa_lock_take(names);
    is_asked = true;
    wa_lock_signal(names);
    while (!may_answer)
        (void)wa_lock_wait(names, -1);
    enum wa_code code = __real_wa_addresses_find(host, port, ret, err);
    has_answered = true;
    wa_lock_signal(names);
    wa_lock_give(names);
    return code;
}

/* --- the server --- */

enum how {
    STAY,
    CLOSE,  /* behind the answer, with TLS's good-bye */
    CUT,    /* the same without */
    SILENT, /* no answer, until it is let go on */
    AGAIN   /* the same bytes once more, in a record of their own */
};
struct step {
    const char *bytes; /* "": none */
    enum how how;
    bool is_impatient; /* does not wait for the request's body */
};
struct liar {
    struct identity ca, id;
    struct wa_tls_ctx *ctx;
    struct wa_tls_trust trust;
    struct wa_http_lines *lines;
    struct wa_thread *thread;
    char url[64];
    int listening;
    struct wa_line line; /* the connection that is there */
    const struct step *script;
    size_t count;
    /* Under the lock. */
    struct wa_lock *lock;
    size_t done, connections, ended;
    size_t over[STEPS_MAX]; /* the connection that each request came over, from 1 */
    char asked[STEPS_MAX][64];
    bool goes_on, is_over;
};

static struct wa_patience forever;

static bool wait_readable(int fd, bool to_write)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_pipe_wait w = {.fd = fd, .to_write = to_write};
    size_t ready = 0;
    return wa_patience_wait(&forever, &w, 1, -1, &ready, &err) == WA_OK;
}

static bool put(struct wa_line *l, struct wa_sv rest)
{
    while (rest.n > 0) {
        struct wa_err err = WA_ERR_INIT;
        enum wa_tls_want want = WA_TLS_DONE;
        size_t n = 0;
        if (wa_line_write(l, rest.p, rest.n, &n, &want, &err) != WA_OK ||
            (want != WA_TLS_DONE && !wait_readable(l->fd, want == WA_TLS_WANT_WRITE)))
            return false;
        rest = wa_sv_sub(rest, n, rest.n);
    }
    return true;
}

/* What is there of a request; false: the client has closed, or has come by another connection,
 * which goes first. */
static bool get(const struct liar *s, struct wa_line *l, struct wa_buf *in)
{
    for (;;) {
        struct wa_pipe_wait waits[] = {{.fd = l->fd}, {.fd = in->n == 0 ? s->listening : -1}};
        size_t ready = 0;
        struct wa_err err = WA_ERR_INIT;
        enum wa_tls_want want = WA_TLS_DONE;
        char piece[4096];
        size_t n = 0;
        if (wa_line_read(l, piece, sizeof piece, &n, &want, &err) != WA_OK)
            return false;
        if (want == WA_TLS_DONE) {
            wa_buf_add(in, piece, n);
            return n > 0;
        }
        if (wa_patience_wait(&forever, waits, 2, -1, &ready, &err) != WA_OK || waits[1].is_ready)
            return false;
    }
}

static size_t length_of(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");
    uint64_t n = 0;
    struct wa_sv rest = at == NULL ? WA_SV("") : wa_sv(at + 16), value = {NULL, 0};
    return wa_sv_split(&rest, '\r', &value) && wa_sv_u64(value, &n) ? (size_t)n : 0;
}

static bool get_request(const struct liar *s, struct wa_line *l, bool is_impatient,
                        struct wa_buf *in)
{
    for (;;) {
        const char *end = strstr(wa_buf_str(in), "\r\n\r\n");
        size_t head = end == NULL ? 0 : (size_t)(end - in->p) + 4;
        if (end != NULL && (is_impatient || in->n >= head + length_of(in->p)))
            return true;
        if (!get(s, l, in))
            return false;
    }
}

static void hang_up(struct liar *s, bool says_goodbye)
{
    if (s->line.tls != NULL && says_goodbye)
        wa_tls_close(s->line.tls);
    wa_tls_free(s->line.tls);
    wa_fd_close(&s->line.fd);
    s->line = (struct wa_line){.fd = -1};
}

/* False: it is to end. */
static bool welcome(struct liar *s)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_WANT_READ;
    char peer[WA_ADDRESS_TEXT_MAX];
    while (s->line.fd < 0) {
        if (!wait_readable(s->listening, false))
            return false;
        s->line.fd = wa_socket_accept(s->listening, peer);
        wa_lock_take(s->lock);
        bool is_over = s->is_over;
        wa_lock_give(s->lock);
        if (is_over)
            return false;
    }
    if (wa_tls_new(s->ctx, s->line.fd, true, &s->line.tls, &err) != WA_OK)
        return false;
    while (want != WA_TLS_DONE)
        if (wa_tls_handshake(s->line.tls, &want, &err) != WA_OK ||
            (want != WA_TLS_DONE && !wait_readable(s->line.fd, want == WA_TLS_WANT_WRITE)))
            return false;
    wa_lock_take(s->lock);
    s->connections++;
    wa_lock_give(s->lock);
    return true;
}

static void note_request(struct liar *s, size_t i, const struct wa_buf *in)
{
    struct wa_sv rest = wa_buf_sv(in), first = {NULL, 0};
    (void)wa_sv_split(&rest, '\r', &first);
    wa_lock_take(s->lock);
    s->over[i] = s->connections;
    (void)snprintf(s->asked[i], sizeof s->asked[i], "%.*s", WA_SV_ARG(first));
    wa_lock_give(s->lock);
}

static void note_answer(struct liar *s, size_t i)
{
    wa_lock_take(s->lock);
    s->done = i + 1;
    wa_lock_signal(s->lock);
    while (s->script[i].how == SILENT && !s->goes_on)
        (void)wa_lock_wait(s->lock, -1);
    wa_lock_give(s->lock);
}

/* One request and its answer; false: the client has closed before it asked. */
static bool serve(struct liar *s, size_t i)
{
    const struct step *step = &s->script[i];
    WA_AUTO_BUF struct wa_buf in;
    wa_buf_init(&in, 16u << 20);
    if (!get_request(s, &s->line, step->is_impatient, &in)) {
        hang_up(s, false);
        wa_lock_take(s->lock);
        s->ended++;
        wa_lock_signal(s->lock);
        wa_lock_give(s->lock);
        return false;
    }
    note_request(s, i, &in);
    (void)put(&s->line, wa_sv(step->bytes));
    if (step->how == AGAIN)
        (void)put(&s->line, wa_sv(step->bytes));
    if (step->how == CLOSE || step->how == CUT)
        hang_up(s, step->how == CLOSE);
    note_answer(s, i); /* from now on all of it is on its way */
    return true;
}

static void follow(void *user)
{
    struct liar *s = user;
    for (size_t i = 0; i < s->count;) {
        if (s->line.fd < 0 && !welcome(s))
            return;
        if (serve(s, i))
            i++;
    }
}

static void liar_new(struct liar *s, const struct step *script, size_t count)
{
    static const char *const host[] = {"127.0.0.1", NULL};
    struct wa_err err = WA_ERR_INIT;
    uint16_t port = 0;
    *s = (struct liar){.script = script, .count = count, .line = {.fd = -1}};
    assert_true(count <= STEPS_MAX);
    must(wa_patience_begin(&forever, 0, NULL, &err));
    identity_new(&s->ca, IDENTITY_CA, "authority", NULL, NULL);
    identity_new(&s->id, IDENTITY_SERVER, "srv", host, &s->ca);
    must(wa_tls_server_ctx(&s->id.chain, s->id.key, &s->ctx, &err));
    must(wa_lock_new(&s->lock, &err));
    s->listening = listen_loopback(&port);
    s->trust.pem = wa_buf_sv(&s->ca.pem);
    (void)snprintf(s->url, sizeof s->url, "https://127.0.0.1:%u", (unsigned)port);
    must(wa_http_lines_new(s->url, &s->trust, NULL, &s->lines, &err));
    must(wa_thread_start(follow, s, &s->thread, &err));
}

static void liar_free(struct liar *s)
{
    wa_http_lines_free(s->lines);
    wa_lock_take(s->lock);
    s->is_over = s->goes_on = true;
    wa_lock_signal(s->lock);
    wa_lock_give(s->lock);
    (void)shutdown(s->listening, SHUT_RDWR);
    wa_thread_join(s->thread);
    hang_up(s, false);
    wa_fd_close(&s->listening);
    wa_lock_free(s->lock);
    wa_tls_ctx_free(s->ctx);
    identity_free(&s->ca);
    identity_free(&s->id);
    later_ms = 0;
}

/* --- asking --- */

struct answer {
    enum wa_code code;
    char text[WA_ERR_TEXT_MAX], body[64];
    struct wa_http_result result;
};

static struct answer ask_of(struct wa_http_lines *lines, const struct wa_http_request *q)
{
    struct answer a = {.code = WA_OK};
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf_sink sink;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, sizeof a.body - 1);
    wa_buf_sink_init(&sink, &body);
    a.code = wa_http_lines_ask(lines, q, &sink.base, &a.result, &err);
    assert_int_equal(a.code, err.code);
    (void)snprintf(a.text, sizeof a.text, "%s", err.text);
    (void)snprintf(a.body, sizeof a.body, "%s", wa_buf_str(&body));
    return a;
}

static struct answer ask(struct liar *s, const char *method, const char *path)
{
    const struct wa_http_request q = {.method = method, .path = path, .max_bytes = 60};
    return ask_of(s->lines, &q);
}

static void wait_for_requests(struct liar *s, size_t n)
{
    wa_lock_take(s->lock);
    while (s->done < n)
        (void)wa_lock_wait(s->lock, -1);
    wa_lock_give(s->lock);
}

static void wait_for_ends(struct liar *s, size_t n)
{
    wa_lock_take(s->lock);
    while (s->ended < n)
        (void)wa_lock_wait(s->lock, -1);
    wa_lock_give(s->lock);
}

/* --- what is kept --- */

static void keeps_what_ended_as_it_said(void **state)
{
    static const struct step script[] = {
        {OK("one!"), STAY, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
         STAY, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", STAY, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", STAY, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", STAY, false},          /* to a HEAD */
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", STAY, false}, /* to a HEAD */
        {"HTTP/1.1 200 OK\r\n\r\n", STAY, false},                               /* to a HEAD */
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n" OK(
             "last"),
         STAY, false},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nContent-Type: text/x\r\n\r\nno", STAY,
         false},
    };
    static const struct {
        const char *method, *body;
        int status;
    } asked[] = {{"GET", "one!", 200}, {"GET", "abcd", 200}, {"GET", "", 204},
                 {"GET", "", 304},     {"HEAD", "", 200},    {"HEAD", "", 200},
                 {"HEAD", "", 200},    {"GET", "last", 200}, {"GET", "no", 404}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    for (size_t i = 0; i < WA_COUNT(asked); i++) {
        struct answer a = ask(&s, asked[i].method, "/a?b");
        if (a.code != WA_OK || a.result.status != asked[i].status)
            fail_msg("%zu: %d %s", i, a.result.status, a.text);
        assert_string_equal(a.body, asked[i].body);
        assert_string_equal(a.result.etag, "");
        assert_string_equal(a.result.certificate, wa_cert_fingerprint(s.id.chain.items[0]));
        assert_int_equal(s.over[i], 1);
        assert_true(wa_sv_ends(wa_sv(s.asked[i]), " /a?b HTTP/1.1"));
    }
    liar_free(&s);
}

/* After each of these the next request has a connection of its own, and the answer to it. */
static void leaves_what_is_not_clear(void **state)
{
    static const char head[] = "GET";
    static const struct {
        const char *name;
        struct step step;
        enum wa_code code;
        const char *says;
    } cases[] = {
        {"it wants to close",
         {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nonly", STAY, false},
         WA_OK,
         "only"},
        {"an old server",
         {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nonly", STAY,
          false},
         WA_OK,
         "only"},
        {"a body to the end", {"HTTP/1.1 200 OK\r\n\r\nonly", CLOSE, false}, WA_OK, "only"},
        {"an end that anybody can make",
         {"HTTP/1.1 200 OK\r\n\r\nonly", CUT, false},
         WA_E_UNREACHABLE,
         "cut"},
        {"another answer behind it", {OK("only") EVIL, STAY, false}, WA_OK, "only"},
        {"a byte behind it", {OK("only") "x", STAY, false}, WA_OK, "only"},
        {"an answer twice", {OK("only"), AGAIN, false}, WA_OK, "only"},
        {"a body where there is none",
         {"HTTP/1.1 204 No Content\r\n\r\n" EVIL, STAY, false},
         WA_OK,
         ""},
        {"none, with a length",
         {"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", STAY, false},
         WA_E_UNREACHABLE,
         "a body where there can be none"},
        {"a hint with a length",
         {"HTTP/1.1 103 Early Hints\r\nContent-Length: 60\r\n\r\n" EVIL, STAY, false},
         WA_E_UNREACHABLE,
         "a body where there can be none"},
        {"another protocol",
         {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", STAY, false},
         WA_E_UNREACHABLE,
         "change of protocols"},
        {"half of it",
         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CLOSE, false},
         WA_E_UNREACHABLE,
         "cut off"},
        {"half of its head",
         {"HTTP/1.1 200 OK\r\nContent-Le", CLOSE, false},
         WA_E_UNREACHABLE,
         "header lines"},
        {"only hints",
         {"HTTP/1.1 103 Early Hints\r\n\r\n", CLOSE, false},
         WA_E_UNREACHABLE,
         "cut off"},
        {"a length and chunks",
         {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
          "4\r\nevil\r\n0\r\n\r\n",
          STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"two lengths",
         {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nevilevil", STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"a chunk that is longer",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nevil\r\n0\r\n\r\n", STAY,
          false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"chunks without an end",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n", CLOSE, false},
         WA_E_UNREACHABLE,
         "cut off"},
        {"fields behind the chunks",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"a coding nobody knows",
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"a head with bare line ends",
         {"HTTP/1.1 200 OK\nContent-Length: 4\n\nevil", STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"a head that goes on behind a line",
         {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 4\r\n\r\nevil", STAY, false},
         WA_E_UNREACHABLE,
         "not to be used"},
        {"larger than wanted, it says",
         {"HTTP/1.1 200 OK\r\nContent-Length: 61\r\n\r\n", STAY, false},
         WA_E_LIMIT,
         "larger than 60"},
        {"no HTTP", {"SSH-2.0-OpenSSH\r\n", STAY, false}, WA_E_UNREACHABLE, "not to be used"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const struct step script[] = {
            {OK("good"), STAY, false}, cases[i].step, {OK("next"), STAY, false}};
        struct liar s;
        liar_new(&s, script, WA_COUNT(script));
        assert_string_equal(ask(&s, head, "/").body, "good");
        struct answer a = ask(&s, head, "/");
        if (a.code != cases[i].code ||
            strstr(a.code == WA_OK ? a.body : a.text, cases[i].says) == NULL)
            fail_msg("'%s': %s '%s' '%s'", cases[i].name, wa_code_name(a.code), a.text, a.body);
        wait_for_requests(&s, 2);
        a = ask(&s, head, "/");
        if (a.code != WA_OK || strcmp(a.body, "next") != 0)
            fail_msg("'%s', then: '%s' '%s'", cases[i].name, a.text, a.body);
        if (s.over[1] != 1 || s.over[2] != 2)
            fail_msg("'%s': over %zu, then %zu", cases[i].name, s.over[1], s.over[2]);
        liar_free(&s);
    }
}

static void counts_interim_answers(void **state)
{
    WA_AUTO_BUF struct wa_buf many;
    wa_buf_init(&many, 4096);
    for (unsigned i = 0; i < WA_HTTP_INTERIM_MAX + 1; i++)
        wa_buf_adds(&many, "HTTP/1.1 103 Early Hints\r\n\r\n");
    wa_buf_adds(&many, OK("late"));
    const struct step script[] = {{many.p, STAY, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    struct answer a = ask(&s, "GET", "/");
    assert_int_equal(a.code, WA_E_LIMIT);
    assert_string_equal(a.body, "");
    liar_free(&s);
}

/* The rest of a file, behind what is there already; nothing else is handed on. */
static void takes_the_rest(void **state)
{
    static const struct {
        const char *bytes;
        enum wa_code code;
        int status;
        const char *says;
    } cases[] = {
        {"HTTP/1.1 206 OK\r\nContent-Range: bytes 5-7/8\r\nContent-Length: 3\r\n\r\nabc", WA_OK,
         206, "abc"},
        {"HTTP/1.1 206 OK\r\nContent-Range: bytes 4-7/8\r\nContent-Length: 4\r\n\r\nabcd",
         WA_E_INVALID, 0, "another part"},
        {"HTTP/1.1 206 OK\r\nContent-Length: 4\r\n\r\nabcd", WA_E_INVALID, 0, "another part"},
        {"HTTP/1.1 416 No\r\nContent-Length: 2\r\n\r\nno", WA_E_CONFLICT, 0, "the rest"},
        {OK("good"), WA_E_CONFLICT, 0, "the rest"},
        {"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", WA_OK, 404, ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const struct step script[] = {{cases[i].bytes, STAY, false}, {OK("next"), STAY, false}};
        const struct wa_http_request q = {
            .method = "GET", .path = "/", .max_bytes = 60, .resume_from = 5};
        struct liar s;
        liar_new(&s, script, WA_COUNT(script));
        struct answer a = ask_of(s.lines, &q);
        if (a.code != cases[i].code ||
            strstr(a.code == WA_OK ? a.body : a.text, cases[i].says) == NULL)
            fail_msg("%zu: %s '%s' '%s'", i, wa_code_name(a.code), a.text, a.body);
        assert_int_equal(a.result.resumed, cases[i].status == 206);
        assert_true(a.code != WA_OK || a.result.status == cases[i].status);
        assert_true(cases[i].status == 206 || a.body[0] == '\0');
        assert_string_equal(ask(&s, "GET", "/").body, "next");
        liar_free(&s);
    }
}

static bool a_moment_later(void *user, uint64_t done, uint64_t total)
{
    WA_UNUSED(user);
    WA_UNUSED(done);
    WA_UNUSED(total);
    later_ms += 20;
    return true;
}

/* 64 KiB a second: all but the last piece of it has had its time, by the test's clock. */
static void comes_no_faster(void **state)
{
    static char bytes[128 + 65536];
    const struct step script[] = {{bytes, STAY, false}};
    struct liar s;
    struct wa_err err = WA_ERR_INIT;
    struct wa_http_result r;
    WA_UNUSED(state);
    int n = snprintf(bytes, 128, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n");
    memset(bytes + n, 'x', 65536);
    liar_new(&s, script, WA_COUNT(script));
    const struct wa_http_request q = {.method = "GET",
                                      .path = "/",
                                      .max_bytes = 65536,
                                      .rate_max_bytes_s = 65536,
                                      .progress = a_moment_later};
    uint64_t since = wa_clock_mono_ms();
    must(wa_http_lines_ask(s.lines, &q, NULL, &r, &err));
    assert_int_equal(r.bytes, 65536);
    assert_true(wa_clock_mono_ms() - since >= 740);
    liar_free(&s);
}

/* --- dead connections --- */

static void asks_once_more_where_that_is_harmless(void **state)
{
    static const struct step script[] = {
        {OK("good"), STAY, false},  {"", CUT, false},          {OK("next"), STAY, false},
        {"", CLOSE, false},         {"", CUT, false},          {OK("then"), STAY, false},
        {OK("ends"), CLOSE, false}, {OK("last"), STAY, false},
    };
    static const size_t over[] = {1, 1, 2, 2, 3, 4, 4, 5};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "GET", "/1").body, "good");
    assert_string_equal(ask(&s, "GET", "/2").body, "next"); /* taken, cut, asked again */
    struct answer a = ask(&s, "GET", "/3");                 /* both times: no third */
    assert_int_equal(a.code, WA_E_UNREACHABLE);
    assert_string_equal(ask(&s, "GET", "/4").body, "then");
    assert_string_equal(ask(&s, "HEAD", "/5").body, "");
    wait_for_requests(&s, 7); /* which closed behind its answer: seen before the next */
    assert_string_equal(ask(&s, "GET", "/6").body, "last");
    for (size_t i = 0; i < WA_COUNT(over); i++)
        if (s.over[i] != over[i])
            fail_msg("request %zu came over %zu", i, s.over[i]);
    assert_string_equal(s.asked[1], "GET /2 HTTP/1.1");
    assert_string_equal(s.asked[2], "GET /2 HTTP/1.1");
    liar_free(&s);
}

/* What has begun to answer has answered. */
static void does_not_ask_again_after_a_byte(void **state)
{
    static const struct step script[] = {
        {OK("good"), STAY, false}, {"H", CUT, false}, {OK("next"), STAY, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "GET", "/1").body, "good");
    assert_int_equal(ask(&s, "GET", "/2").code, WA_E_UNREACHABLE);
    assert_string_equal(ask(&s, "GET", "/3").body, "next");
    assert_string_equal(s.asked[2], "GET /3 HTTP/1.1");
    liar_free(&s);
}

/* An order is never sent twice, however its connection ends; and it takes none that may have been
 * closed for idleness. */
static void sends_no_order_twice(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE"};
    static const struct step script[] = {{OK("good"), STAY, false},
                                         {"", CUT, false},
                                         {"", CLOSE, false},
                                         {OK("next"), STAY, false},
                                         {OK("last"), STAY, false}};
    static const size_t over[] = {1, 1, 2, 3, 4};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(methods); i++) {
        struct liar s;
        liar_new(&s, script, WA_COUNT(script));
        assert_string_equal(ask(&s, "GET", "/1").body, "good");
        struct answer a = ask(&s, methods[i], "/2"); /* over the kept one */
        assert_int_equal(a.code, WA_E_UNREACHABLE);
        assert_non_null(strstr(a.text, "not known whether"));
        a = ask(&s, methods[i], "/3"); /* over one of its own */
        assert_int_equal(a.code, WA_E_UNREACHABLE);
        assert_non_null(strstr(a.text, "not known whether"));
        assert_string_equal(ask(&s, "GET", "/4").body, "next");
        later_ms += WA_LINE_ORDER_MS;
        assert_string_equal(ask(&s, methods[i], "/5").body, "last");
        for (size_t k = 0; k < WA_COUNT(over); k++)
            if (s.over[k] != over[k] || strchr(s.asked[k], '/')[1] != (char)('1' + k))
                fail_msg("%s: '%s' came over %zu", methods[i], s.asked[k], s.over[k]);
        liar_free(&s);
    }
}

/* The server has closed before: that is seen, and the order goes over a new one. */
static void sees_a_good_bye_before_an_order(void **state)
{
    static const struct step script[] = {
        {OK("good"), CLOSE, false}, {OK("next"), CUT, false}, {OK("last"), STAY, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "POST", "/1").body, "good");
    wait_for_requests(&s, 1);
    assert_string_equal(ask(&s, "POST", "/2").body, "next");
    wait_for_requests(&s, 2);
    assert_string_equal(ask(&s, "POST", "/3").body, "last");
    assert_int_equal(s.over[2], 3);
    liar_free(&s);
}

/* A connection serves orders and questions; what may be repeated takes one that is idle, too. */
static void serves_orders_and_questions(void **state)
{
    static const struct step script[] = {{OK("good"), STAY, false},
                                         {OK("done"), STAY, false},
                                         {OK("next"), STAY, false},
                                         {OK("bye!"), STAY, false},
                                         {OK("last"), CLOSE, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "POST", "/1").body, "good");
    assert_string_equal(ask(&s, "GET", "/2").body, "done");
    assert_string_equal(ask(&s, "GET", "/3").body, "next");
    later_ms += WA_LINE_ORDER_MS;
    const struct wa_http_request bye = {
        .method = "DELETE", .path = "/4", .max_bytes = 9, .may_repeat = true};
    assert_string_equal(ask_of(s.lines, &bye).body, "bye!");
    const struct wa_http_request closing = {
        .method = "GET", .path = "/5", .max_bytes = 9, .closes = true};
    assert_string_equal(ask_of(s.lines, &closing).body, "last");
    for (size_t i = 0; i < WA_COUNT(script); i++)
        assert_int_equal(s.over[i], 1);
    liar_free(&s);
}

/* A server that has heard enough: its answer is taken, and the rest of the request is nobody's. */
static void hears_an_early_answer(void **state)
{
    static const struct step script[] = {
        {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nstop", STAY, true},
        {OK("next"), STAY, false}};
    struct liar s;
    struct wa_mem_source body;
    WA_UNUSED(state);
    char *bytes = test_calloc(1, 8u << 20);
    wa_mem_source_init(&body, bytes, 8u << 20);
    liar_new(&s, script, WA_COUNT(script));
    const struct wa_http_request q = {
        .method = "PUT", .path = "/", .max_bytes = 60, .body = &body.base};
    struct answer a = ask_of(s.lines, &q);
    assert_int_equal(a.code, WA_OK);
    assert_int_equal(a.result.status, 413);
    assert_string_equal(a.body, "stop");
    assert_string_equal(ask(&s, "GET", "/").body, "next");
    assert_int_equal(s.over[1], 2);
    test_free(bytes);
    liar_free(&s);
}

/* --- time --- */

static void a_connection_ages(void **state)
{
    static struct step script[STEPS_MAX];
    struct liar s;
    size_t n = 0;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(script); i++)
        script[i] = (struct step){OK("good"), STAY, false};
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "GET", "/").body, "good");
    later_ms += WA_LINE_IDLE_MS; /* nobody asked for so long */
    assert_string_equal(ask(&s, "GET", "/").body, "good");
    assert_int_equal(s.over[1], 2);
    for (n = 2; n < STEPS_MAX && s.over[n - 1] == 2; n++) { /* and however often it is asked */
        later_ms += WA_LINE_IDLE_MS - 5000;
        assert_string_equal(ask(&s, "GET", "/").body, "good");
    }
    assert_true(n < STEPS_MAX);
    assert_in_range(n, WA_LINE_AGE_MS / WA_LINE_IDLE_MS, 2 + WA_LINE_AGE_MS / 15000);
    size_t ended = s.ended;
    wa_http_lines_sweep(s.lines);
    assert_string_equal(ask(&s, "GET", "/").body, "good");
    assert_int_equal(s.over[n], 3); /* sweeping leaves what is fresh */
    later_ms += WA_LINE_IDLE_MS;
    wa_http_lines_sweep(s.lines);
    wait_for_ends(&s, ended + 1); /* and closes the rest by itself */
    liar_free(&s);
}

/* --- who --- */

static void other_lines_are_others(void **state)
{
    static const struct step script[] = {
        {OK("good"), STAY, false}, {OK("next"), STAY, false}, {OK("none"), STAY, false}};
    const struct wa_tls_trust nobody = {.host = ""};
    struct wa_http_lines *wary = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "GET", "/").body, "good");
    assert_int_equal(wa_http_lines_new("http://127.0.0.1:1", &nobody, NULL, &wary, &err),
                     WA_E_CONFIG);
    wa_err_clear(&err);
    const struct wa_http_request q = {.method = "GET", .path = "/", .max_bytes = 9};
    /* Who shows another certificate has other connections, too. */
    must(wa_http_lines_as(s.lines, s.id.chain.items[0], s.id.key, &wary, &err));
    assert_string_equal(ask_of(wary, &q).body, "next");
    assert_int_equal(s.over[1], 2);
    wa_http_lines_free(wary);
    must(wa_http_lines_new(s.url, &nobody, NULL, &wary, &err));
    struct answer a = ask_of(wary, &q);
    assert_int_equal(a.code, WA_E_REFUSED);
    assert_non_null(strstr(a.text, wa_cert_fingerprint(s.id.chain.items[0])));
    assert_int_equal(s.done, 2);
    wa_http_lines_free(wary);
    liar_free(&s);
}

static void says_no_other_path(void **state)
{
    static const char *const paths[] = {"", "a", "/a b", "/a\r\nX: y", "/a\nb", "/a#b", "/\x7f"};
    static const struct step script[] = {{OK("good"), STAY, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, script, WA_COUNT(script));
    assert_string_equal(ask(&s, "GET", "/").body, "good");
    for (size_t i = 0; i < WA_COUNT(paths); i++)
        assert_int_equal(ask(&s, "GET", paths[i]).code, WA_E_CONFIG);
    liar_free(&s);
}

/* --- several at once --- */

struct caller {
    struct wa_http_lines *lines;
    struct wa_loop *loop;
    size_t number, *left;
    bool *is_over;
    char body[64], wanted[64];
};

static enum wa_code call(void *user, struct wa_err *err)
{
    struct caller *c = user;
    char header[96];
    (void)snprintf(c->wanted, sizeof c->wanted, "Bearer %zu", c->number);
    (void)snprintf(header, sizeof header, "Authorization: %s\r\n", c->wanted);
    const struct wa_http_request q = {
        .method = "GET", .path = "/who", .headers = header, .max_bytes = 60};
    struct answer a = ask_of(c->lines, &q);
    (void)snprintf(c->body, sizeof c->body, "%s", a.body);
    return a.code == WA_OK ? WA_OK : wa_fail(err, a.code, "%s", a.text);
}

static void called(void *user, enum wa_code code, const struct wa_err *err)
{
    struct caller *c = user;
    if (code != WA_OK)
        fail_msg("%zu: %s", c->number, err->text);
    assert_string_equal(c->body, c->wanted); /* each its own answer */
    *c->is_over = --*c->left == 0;
}

static void serves_several_threads(void **state)
{
    static const struct wa_http_server_config config = {.max_connections = 50,
                                                        .max_handshakes = 50};
    static const char *const host[] = {"127.0.0.1", NULL};
    struct caller callers[60];
    struct identity id;
    struct app a;
    struct wa_tls_ctx *ctx = NULL;
    struct wa_http_lines *lines = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t left = WA_COUNT(callers);
    bool is_over = false;
    char url[64];
    WA_UNUSED(state);
    identity_new(&id, IDENTITY_SERVER, "srv", host, NULL);
    must(wa_tls_server_ctx(&id.chain, id.key, &ctx, &err));
    app_new_tls(&a, &config, ctx);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)a.port);
    const struct wa_tls_trust trust = {.pem = wa_buf_sv(&id.pem)};
    must(wa_http_lines_new(url, &trust, NULL, &lines, &err));
    for (size_t i = 0; i < WA_COUNT(callers); i++) {
        callers[i] = (struct caller){
            .lines = lines, .loop = a.loop, .number = i, .left = &left, .is_over = &is_over};
        must(wa_loop_work(a.loop, call, called, &callers[i], &err));
    }
    run_until(a.loop, &is_over);
    assert_int_equal(a.requests, WA_COUNT(callers));
    wa_http_lines_free(lines);
    app_free(&a);
    wa_tls_ctx_free(ctx);
    identity_free(&id);
}

/* --- stops --- */

struct waiting {
    struct liar *s;
    struct wa_http_request q;
    struct answer a;
};

static void ask_in_thread(void *user)
{
    struct waiting *w = user;
    w->a = ask_of(w->s->lines, &w->q);
}

static void stops_at_once(void **state)
{
    static const struct step script[] = {{OK("good"), STAY, false}, {"", SILENT, false}};
    struct liar s;
    struct wa_thread *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_stop *stop = NULL;
    WA_UNUSED(state);
    must(wa_stop_new(&stop, &err));
    liar_new(&s, script, WA_COUNT(script));
    struct waiting w = {&s, {.method = "GET", .path = "/", .max_bytes = 60, .stop = stop}, {0}};
    assert_string_equal(ask_of(s.lines, &w.q).body, "good");
    must(wa_thread_start(ask_in_thread, &w, &t, &err));
    wait_for_requests(&s, 2); /* over the kept one */
    wa_stop_pull(stop);
    wa_thread_join(t);
    assert_int_equal(w.a.code, WA_E_CANCELLED);
    assert_int_equal(ask_of(s.lines, &w.q).code, WA_E_CANCELLED); /* for good */
    assert_int_equal(s.done, 2);
    liar_free(&s);
    wa_stop_free(stop);
}

static void stops_while_a_name_is_looked_up(void **state)
{
    struct wa_thread *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_stop *stop = NULL;
    struct liar s = {.url = "https://127.0.0.1:1"};
    const struct wa_tls_trust nobody = {.host = ""};
    WA_UNUSED(state);
    must(wa_stop_new(&stop, &err));
    must(wa_lock_new(&names, &err));
    must(wa_http_lines_new(s.url, &nobody, NULL, &s.lines, &err));
    struct waiting w = {&s, {.method = "GET", .path = "/", .stop = stop}, {0}};
    must(wa_thread_start(ask_in_thread, &w, &t, &err));
    wa_lock_take(names);
    while (!is_asked)
        (void)wa_lock_wait(names, -1);
    wa_lock_give(names);
    wa_stop_pull(stop);
    wa_thread_join(t); /* the name service has not answered yet */
    assert_int_equal(w.a.code, WA_E_CANCELLED);
    wa_lock_take(names);
    assert_false(has_answered);
    may_answer = true;
    wa_lock_signal(names);
    while (!has_answered)
        (void)wa_lock_wait(names, -1);
    wa_lock_give(names);
    wa_http_lines_free(s.lines);
    wa_stop_free(stop);
}

static void a_name_is_looked_up_in_time(void **state)
{
    static const struct step script[] = {{OK("good"), STAY, false}};
    struct wa_err err = WA_ERR_INIT;
    struct wa_stop *stop = NULL;
    struct liar s;
    WA_UNUSED(state);
    must(wa_stop_new(&stop, &err));
    liar_new(&s, script, WA_COUNT(script));
    const struct wa_http_request q = {.method = "GET", .path = "/", .max_bytes = 9, .stop = stop};
    assert_string_equal(ask_of(s.lines, &q).body, "good");
    liar_free(&s);
    wa_stop_free(stop);
}

/* --- memory --- */

static enum wa_code ask_step(void *arg, struct wa_err *err)
{
    const struct liar *s = arg;
    const struct wa_http_request q = {.method = "GET", .path = "/", .max_bytes = 60};
    WA_AUTO(wa_http_lines) struct wa_http_lines *lines = NULL;
    struct wa_http_result r;
    if (wa_http_lines_new(s->url, &s->trust, NULL, &lines, err) != WA_OK ||
        wa_http_lines_ask(lines, &q, NULL, &r, err) != WA_OK)
        return err->code;
    return wa_http_lines_ask(lines, &q, NULL, &r, err);
}

/* The server has a process of its own, and memory. */
static void memory_runs_out(void **state)
{
    static const struct step script[] = {{OK("good"), STAY, false}, {OK("next"), STAY, false}};
    struct liar s;
    WA_UNUSED(state);
    liar_new(&s, NULL, 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        (void)alarm(100); /* s, should the test fail */
    while (child == 0) {
        s.script = script;
        s.count = WA_COUNT(script);
        if (s.line.fd < 0 && !welcome(&s)) {
            hang_up(&s, false);
            continue;
        }
        (void)serve(&s, 0);
    }
    (void)wa_torture(ask_step, &s);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    liar_free(&s);
}

static void tells_nothing_of_a_proxys_password(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    must(wa_proxy_check("http://wapt:a%40b@proxy.example:3128", &err));
    assert_int_equal(wa_proxy_check("https://wapt:hush@proxy.example", &err), WA_E_CONFIG);
    assert_null(strstr(err.text, "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(keeps_what_ended_as_it_said),
        cmocka_unit_test(leaves_what_is_not_clear),
        cmocka_unit_test(counts_interim_answers),
        cmocka_unit_test(takes_the_rest),
        cmocka_unit_test(comes_no_faster),
        cmocka_unit_test(asks_once_more_where_that_is_harmless),
        cmocka_unit_test(does_not_ask_again_after_a_byte),
        cmocka_unit_test(sends_no_order_twice),
        cmocka_unit_test(sees_a_good_bye_before_an_order),
        cmocka_unit_test(serves_orders_and_questions),
        cmocka_unit_test(hears_an_early_answer),
        cmocka_unit_test(a_connection_ages),
        cmocka_unit_test(other_lines_are_others),
        cmocka_unit_test(says_no_other_path),
        cmocka_unit_test(serves_several_threads),
        cmocka_unit_test(stops_at_once),
        cmocka_unit_test(a_name_is_looked_up_in_time),
        cmocka_unit_test(stops_while_a_name_is_looked_up),
        cmocka_unit_test(tells_nothing_of_a_proxys_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
