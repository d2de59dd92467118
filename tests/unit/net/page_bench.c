/* page_bench.c - see page_bench.h. */
#include "page_bench.h"

#include <stdlib.h>

#include "codec/json.h"

static void nothing(void)
{
}

/* With torture.h, what the bench itself needs is not its business. */
static void (*pause_failures)(void) = nothing, (*resume_failures)(void) = nothing;

void bench_spare(void (*pause)(void), void (*resume)(void))
{
    pause_failures = pause;
    resume_failures = resume;
}

void bench_must(enum wa_code code)
{
    if (code != WA_OK)
        abort();
}

void bench_pause(void)
{
    pause_failures();
}

void bench_resume(void)
{
    resume_failures();
}

/* --- a page's request --- */

static struct page *page_of(const struct wa_http_conn *c)
{
    union {
        const struct wa_http_conn *conn;
        struct page *page;
    } u = {c};
    return u.page;
}

const struct wa_http_head *__wrap_wa_http_conn_head(const struct wa_http_conn *c);
void __wrap_wa_http_set_user(struct wa_http_conn *c, void *data);
void *__wrap_wa_http_user(const struct wa_http_conn *c);
void __wrap_wa_http_answer(struct wa_http_conn *c, int status, const char *type, struct wa_sv body,
                           const char *extra);
void __wrap_wa_http_answer_err(struct wa_http_conn *c, const struct wa_err *err);
void __wrap_wa_http_answer_stream(struct wa_http_conn *c, const char *type, const char *extra);
enum wa_code __wrap_wa_http_stream_send(struct wa_http_conn *c, struct wa_sv piece,
                                        struct wa_err *err);
void __wrap_wa_http_stream_end(struct wa_http_conn *c, bool is_whole);
void __wrap_wa_http_stream_body(struct wa_http_conn *c, uint64_t max, struct wa_sink *sink);

const struct wa_http_head *__wrap_wa_http_conn_head(const struct wa_http_conn *c)
{
    return &page_of(c)->head;
}

void __wrap_wa_http_set_user(struct wa_http_conn *c, void *data)
{
    page_of(c)->user = data;
}

void *__wrap_wa_http_user(const struct wa_http_conn *c)
{
    return page_of(c)->user;
}

/* Exactly one answer ends an exchange. */
static void conclude(struct page *p, int status, struct wa_sv body)
{
    if (p->is_over || p->is_stream || (body.n > 0 && body.p == NULL))
        abort();
    p->is_over = true;
    p->status = status;
    bench_pause();
    wa_buf_addsv(&p->body, body);
    bench_must(p->body.failed);
    bench_resume();
}

void __wrap_wa_http_answer(struct wa_http_conn *c, int status, const char *type, struct wa_sv body,
                           const char *extra)
{
    WA_UNUSED(type);
    WA_UNUSED(extra);
    conclude(page_of(c), status, body);
}

void __wrap_wa_http_answer_err(struct wa_http_conn *c, const struct wa_err *err)
{
    struct wa_buf body;
    struct page *p = page_of(c);
    if (err->code == WA_OK)
        abort();
    bench_pause();
    wa_buf_init(&body, 64u << 10);
    wa_http_err_body(err, &body);
    conclude(p, wa_code_http(err->code), wa_buf_sv(&body));
    bench_pause();
    wa_buf_fini(&body);
    bench_resume();
}

void __wrap_wa_http_answer_stream(struct wa_http_conn *c, const char *type, const char *extra)
{
    struct page *p = page_of(c);
    WA_UNUSED(type);
    WA_UNUSED(extra);
    if (p->is_over || p->is_stream)
        abort();
    p->is_stream = true;
    p->status = 200;
}

enum wa_code __wrap_wa_http_stream_send(struct wa_http_conn *c, struct wa_sv piece,
                                        struct wa_err *err)
{
    struct page *p = page_of(c);
    WA_UNUSED(err);
    if (!p->is_stream || p->is_over)
        abort();
    bench_pause();
    wa_buf_addsv(&p->body, piece);
    bench_resume();
    return WA_OK;
}

void __wrap_wa_http_stream_end(struct wa_http_conn *c, bool is_whole)
{
    struct page *p = page_of(c);
    WA_UNUSED(is_whole);
    if (!p->is_stream || p->is_over)
        abort();
    p->is_over = true;
}

void __wrap_wa_http_stream_body(struct wa_http_conn *c, uint64_t max, struct wa_sink *sink)
{
    struct page *p = page_of(c);
    struct wa_err err = WA_ERR_INIT;
    if (p->in.n > max)
        (void)wa_fail(&err, WA_E_LIMIT, "the body is too long");
    if (err.code != WA_OK || sink->write(sink, p->in.p, p->in.n, &err) != WA_OK)
        __wrap_wa_http_answer_err(c, &err);
}

/* --- what blocks, done at once --- */

enum wa_code __wrap_wa_loop_work(struct wa_loop *loop, wa_work_fn fn, wa_work_done_fn done,
                                 void *user, struct wa_err *err);

enum wa_code __wrap_wa_loop_work(struct wa_loop *loop, wa_work_fn fn, wa_work_done_fn done,
                                 void *user, struct wa_err *err)
{
    struct wa_err own = WA_ERR_INIT;
    WA_UNUSED(loop);
    WA_UNUSED(err);
    (void)!fn(user, &own);
    done(user, own.code, &own);
    return WA_OK;
}

/* --- asking --- */

void page_open(struct page *p, enum wa_http_method method, const char *path, struct wa_sv body)
{
    const char *query = strchr(path, '?');
    *p = (struct page){.head = {.method = method,
                                .path = wa_sv(path),
                                .has_body = body.n > 0,
                                .has_length = true,
                                .length = body.n},
                       .in = body};
    wa_buf_init(&p->body, 128u << 20);
    if (query == NULL)
        return;
    p->head.path = wa_sv_n(path, (size_t)(query - path));
    p->head.query = wa_sv(query + 1);
}

struct wa_http_conn *page_conn(struct page *p)
{
    union {
        struct page *page;
        struct wa_http_conn *conn;
    } u = {p};
    return u.conn;
}

/* What the answer says went wrong. */
static enum wa_code error_of(struct wa_sv body, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err ignored = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(body, 0, &arena, &j, &ignored) != WA_OK)
        abort(); /* an error that is no JSON */
    j = wa_json_get(j, "error");
    struct wa_sv code = wa_json_sv(wa_json_get(j, "code")),
                 text = wa_json_sv(wa_json_get(j, "message"));
    enum wa_code known = wa_sv_eqs(code, "login") || wa_sv_eqs(code, "password")
                             ? WA_E_AUTH
                             : wa_code_from_name(code);
    if (known == WA_E_NOMEM)
        return wa_nomem(err);
    return wa_fail(err, known, "%.*s", WA_SV_ARG(text));
}

enum wa_code page_close(struct page *p, struct wa_buf *out, int *ret_status, struct wa_err *err)
{
    if (!p->is_over && p->user != NULL)
        ((struct wa_local_exchange *)p->user)->conn = NULL;
    bench_pause();
    *ret_status = p->status;
    wa_buf_addsv(out, wa_buf_sv(&p->body));
    wa_buf_fini(&p->body);
    if (p->status >= 400 && out->n > 0)
        (void)error_of(wa_buf_sv(out), err);
    else if (p->status >= 400)
        (void)wa_fail(err, WA_E_FAILED, "status %d", p->status);
    bench_resume();
    return err->code;
}
