/* local_calls.c - what pages send to the console's local program, and what a server answers it: one
 * answer each, JSON where it is an error, never the session's token; and nothing on the terminal
 * that would move its cursor or turn the direction of its text.
 *
 * Requests are parted by 0x1e: METHOD SP PATH LF BODY. In a body $ID is what was prepared last,
 * $KEY the key's name and $CERT the server's certificate. ANSWER instead of a method: that is what
 * the server says from now on; KEYS: what is typed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "local_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS_MAX 12

static struct {
    struct bench bench;
    char id[65], cert[65];
    bool is_told; /* the input itself has the token */
} now;

static void check(bool is_so)
{
    if (!is_so)
        abort();
}

static void replace(struct wa_sv body, struct wa_buf *out)
{
    const struct {
        struct wa_sv mark;
        const char *is;
    } names[] = {{WA_SV("$ID"), now.id},
                 {WA_SV("$KEY"), now.bench.local.keys[0].id},
                 {WA_SV("$CERT"), now.cert}};
    for (size_t i = 0; i < body.n;) {
        size_t k = 0;
        while (k < WA_COUNT(names) &&
               !wa_sv_eq(wa_sv_sub(body, i, i + names[k].mark.n), names[k].mark))
            k++;
        if (k < WA_COUNT(names))
            wa_buf_adds(out, names[k].is);
        else
            wa_buf_addc(out, body.p[i]);
        i += k < WA_COUNT(names) ? names[k].mark.n : 1;
    }
}

static void remember(const struct wa_buf *answer)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err ignored = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (wa_json_parse(wa_buf_sv(answer), 0, &arena, &j, &ignored) != WA_OK)
        return;
    struct wa_sv id = wa_json_sv(wa_json_get(j, "id")), cert = wa_json_sv(wa_json_get(j, "sha256"));
    if (id.n == 32)
        (void)snprintf(now.id, sizeof now.id, "%.*s", WA_SV_ARG(id));
    if (cert.n == 64)
        (void)snprintf(now.cert, sizeof now.cert, "%.*s", WA_SV_ARG(cert));
}

static void check_terminal(struct wa_buf *shown)
{
    struct wa_sv text = wa_buf_sv(shown);
    for (size_t at = 0; at < text.n;) {
        uint32_t cp = 0;
        check(wa_utf8_next(text, &at, &cp));
        check(wa_utf8_is_shown(cp) || cp == '\n' || cp == '\r');
    }
    wa_buf_clear(shown);
}

static void ask(enum wa_http_method method, const char *path, struct wa_sv body)
{
    WA_AUTO_BUF struct wa_buf whole;
    WA_AUTO_BUF struct wa_buf answer;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    wa_buf_init(&whole, 8u << 20);
    wa_buf_init(&answer, 256u << 20);
    replace(body, &whole);
    if (bench_ask(&now.bench, method, path, wa_buf_sv(&whole), &answer, &status, &err) == WA_OK)
        check(status >= 200 && status < 300);
    check(now.is_told || !wa_sv_has(wa_buf_sv(&answer), WA_SV(BENCH_TOKEN)));
    remember(&answer);
    check_terminal(&now.bench.shown);
}

static void play(struct wa_sv request)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    struct bench *b = &now.bench;
    struct wa_sv method, path, body = request;
    char name[2048];
    if (!wa_sv_split(&body, '\n', &path) || !wa_sv_split(&path, ' ', &method))
        return;
    if (wa_sv_eqs(method, "ANSWER")) {
        wa_buf_clear(&b->answer);
        wa_buf_addsv(&b->answer, body);
        return;
    }
    if (wa_sv_eqs(method, "KEYS")) {
        if (b->local.confirm != NULL)
            bench_type(b, wa_sv_eqs(path, "yes"));
        return;
    }
    /* As net/http gives them. */
    if (path.n == 0 || path.n >= sizeof name || path.p[0] != '/' || wa_sv_has(path, WA_SV("//")))
        return;
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(path));
    for (size_t i = 0; i < WA_COUNT(methods); i++)
        if (wa_sv_eqs(method, methods[i]))
            ask((enum wa_http_method)i, name, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv rest = wa_sv_n(data, size), request;
    bench_start(&now.bench);
    bench_unlock(&now.bench);
    now.id[0] = now.cert[0] = '\0';
    now.is_told = wa_sv_has(rest, WA_SV(BENCH_TOKEN));
    for (size_t i = 0; i < REQUESTS_MAX && wa_sv_split(&rest, 0x1e, &request); i++)
        play(request);
    bench_end(&now.bench);
    return 0;
}
