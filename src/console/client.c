/* client.c - calls of the server's API over verified TLS. The session's token lives in memory only.
 */
#include "console/client.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "console/oidc.h"
#include "net/auth_spnego.h"
#include "proto/login.h"

#define WAYS_MAX 4096u  /* bytes: a small answer */
#define CALL_MS 300000u /* a whole call, but an upload */

struct wa_client {
    char server[1024];
    struct wa_http_lines *lines;
    char authorization[256]; /* header, "" before the login */
    bool is_token, is_lent;  /* no session of ours to end; no memory of ours either... */
    bool shows;              /* ...but its lines: they show another certificate */
    struct wa_stop *stop;
};

static enum wa_code server_error(int status, const struct wa_json *j, struct wa_err *err)
{
    struct wa_sv code = wa_json_sv(wa_json_get(wa_json_get(j, "error"), "code"));
    struct wa_sv message = wa_json_sv(wa_json_get(wa_json_get(j, "error"), "message"));
    if (code.n == 0)
        return wa_fail(err, status >= 500 ? WA_E_UNREACHABLE : WA_E_REFUSED,
                       "the server answered with status %d", status);
    enum wa_code c = wa_code_from_name(code);
    bool is_told = c != WA_OK && c != WA_E_INTERNAL && c != WA_E_AGAIN; /* the rest is no answer */
    return wa_fail(err, is_told ? c : WA_E_FAILED, "the server says: %.*s", WA_SV_ARG(message));
}

struct progress {
    bool (*fn)(void *user, uint64_t done, uint64_t total);
    void *user;
};

/* Whatever it asks carries the session, and says in which language it is to be answered. more:
 * header lines. */
static enum wa_code ask_server(struct wa_client *c, struct wa_http_request q, const char *more,
                               struct wa_sink *sink, struct wa_http_result *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf headers;
    wa_buf_init(&headers, 1024);
    wa_buf_addf(&headers, "Accept-Language: %s\r\n", wa_text_language_name());
    if (c->authorization[0] != '\0')
        wa_buf_addf(&headers, "%s\r\n", c->authorization);
    if (q.body != NULL)
        wa_buf_adds(&headers, "Content-Type: application/json\r\n");
    wa_buf_adds(&headers, more);
    if (wa_buf_check(&headers, err) != WA_OK)
        return err->code;
    q.headers = wa_buf_str(&headers);
    q.stop = c->stop;
    return wa_http_lines_ask(c->lines, &q, sink, ret, err);
}

static enum wa_code ask(struct wa_client *c, const char *method, const char *path,
                        struct wa_source *body, const struct progress *p, struct wa_buf *answer,
                        int *ret_status, struct wa_err *err)
{
    struct wa_buf_sink sink;
    struct wa_http_result result;
    wa_buf_sink_init(&sink, answer);
    const struct wa_http_request q = {.method = method,
                                      .path = path,
                                      .body = body,
                                      .max_bytes = WA_CONSOLE_ANSWER_MAX,
                                      .progress = p != NULL ? p->fn : NULL,
                                      .user = p != NULL ? p->user : NULL,
                                      .timeout_ms = p != NULL ? 0 : CALL_MS,
                                      .rate_min_bytes_s = 1,
                                      .rate_window_s = 60};
    enum wa_code code = ask_server(c, q, "", &sink.base, &result, err);
    *ret_status = result.status;
    return code;
}

/* The answer as JSON; its error as ours. */
static enum wa_code read_json(int status, struct wa_sv answer, struct wa_arena *arena,
                              const struct wa_json **ret, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_json_parse(answer, 0, arena, &j, err) != WA_OK) {
        if (status == 200)
            return wa_wrap(err, "the server's answer");
        wa_err_clear(err); /* a proxy's page of HTML: its status says enough */
        j = NULL;
    }
    if (status != 200)
        return server_error(status, j, err);
    if (!wa_json_is(j, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_INVALID, "the server's answer is no JSON object");
    *ret = j;
    return WA_OK;
}

static enum wa_code exchange(struct wa_client *c, const char *method, const char *path,
                             struct wa_source *body, const struct progress *p,
                             struct wa_arena *arena, const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf answer;
    int status = 0;
    wa_buf_init(&answer, WA_CONSOLE_ANSWER_MAX);
    return ask(c, method, path, body, p, &answer, &status, err) == WA_OK
               ? read_json(status, wa_buf_sv(&answer), arena, ret, err)
               : err->code;
}

enum wa_code wa_client_call(struct wa_client *c, const char *method, const char *path,
                            struct wa_sv body, struct wa_arena *arena, const struct wa_json **ret,
                            struct wa_err *err)
{
    struct wa_mem_source source;
    wa_mem_source_init(&source, body.p, body.n);
    return exchange(c, method, path, body.n > 0 ? &source.base : NULL, NULL, arena, ret, err);
}

enum wa_code wa_client_text(struct wa_client *c, const char *method, const char *path,
                            struct wa_sv body, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *ignored = NULL;
    struct wa_mem_source source;
    int status = 0;
    wa_mem_source_init(&source, body.p, body.n);
    wa_arena_init(&arena, 1u << 20);
    if (ask(c, method, path, body.n > 0 ? &source.base : NULL, NULL, out, &status, err) != WA_OK)
        return err->code;
    return status == 200 ? WA_OK : read_json(status, wa_buf_sv(out), &arena, &ignored, err);
}

enum wa_code wa_client_upload(struct wa_client *c, const char *path, struct wa_source *file,
                              bool (*progress)(void *user, uint64_t done, uint64_t total),
                              void *user, struct wa_arena *arena, const struct wa_json **ret,
                              struct wa_err *err)
{
    const struct progress p = {progress, user};
    return exchange(c, "PUT", path, file, &p, arena, ret, err);
}

enum wa_code wa_client_pass(struct wa_client *c, const struct wa_client_pass *p,
                            struct wa_sink *sink, struct wa_http_result *ret, struct wa_err *err)
{
    char event[48] = "";
    struct wa_mem_source body;
    wa_mem_source_init(&body, p->body.p, p->body.n);
    if (p->last_event.n > 0)
        (void)snprintf(event, sizeof event, "Last-Event-ID: %.*s\r\n",
                       WA_SV_ARG(wa_sv_sub(p->last_event, 0, 20)));
    const struct wa_http_request q = {.method = p->method,
                                      .path = p->path,
                                      .body = p->body.n > 0 ? &body.base : NULL,
                                      .max_bytes = p->max,
                                      .progress = p->goes_on,
                                      .on_answer = p->on_answer,
                                      .user = p->user,
                                      .timeout_ms = p->is_stream         ? 0
                                                    : p->timeout_ms != 0 ? p->timeout_ms
                                                                         : CALL_MS,
                                      .rate_min_bytes_s = p->is_stream ? 0 : 1,
                                      .rate_window_s = 60};
    return ask_server(c, q, event, sink, ret, err);
}

enum wa_code wa_client_fetch_rest(struct wa_client *c, const struct wa_client_rest *r,
                                  struct wa_sink *sink, bool *ret_found, struct wa_err *err)
{
    struct wa_http_result result;
    const struct wa_http_request q = {.method = "GET",
                                      .path = r->path,
                                      .max_bytes = r->max,
                                      .resume_from = r->from,
                                      .rate_max_bytes_s = r->rate_max_bytes_s,
                                      .progress = r->progress,
                                      .user = r->user,
                                      .rate_min_bytes_s = 1,
                                      .rate_window_s = 30};
    if (ask_server(c, q, "", sink, &result, err) != WA_OK)
        return err->code;
    if (result.status == 401 || result.status == 403)
        return wa_fail(err, WA_E_DENIED, "the server does not give '%s' to everybody", r->path);
    *ret_found = result.status == (r->from > 0 ? 206 : 200);
    return *ret_found || result.status == 404
               ? WA_OK
               : wa_fail(err, WA_E_UNREACHABLE, "the server answered with status %d",
                         result.status);
}

enum wa_code wa_client_fetch(struct wa_client *c, const char *path, uint64_t max,
                             struct wa_sink *sink, bool *ret_found, struct wa_err *err)
{
    const struct wa_client_rest r = {.path = path, .max = max};
    return wa_client_fetch_rest(c, &r, sink, ret_found, err);
}

/* What becomes part of a header. */
enum wa_code wa_client_take(struct wa_client *c, struct wa_sv token, struct wa_err *err)
{
    bool is_good = token.n > 0 && token.n <= 200;
    for (size_t i = 0; is_good && i < token.n; i++)
        is_good = token.p[i] > ' ' && token.p[i] < 0x7f;
    if (!is_good)
        return wa_fail(err, WA_E_INVALID, "the server gave no session");
    (void)snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %.*s",
                   WA_SV_ARG(token));
    return WA_OK;
}

/* One attempt; w: its body, an object that is still open. *ret_needs_code: the first factor was
 * right, and a code is wanted too. */
static enum wa_code attempt(struct wa_client *c, const char *path, struct wa_jw *w,
                            struct wa_sv code, bool *ret_needs_code, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (code.n > 0)
        wa_jw_kvsv(w, "code", code);
    wa_jw_end(w);
    if (wa_buf_check(w->out, err) != WA_OK ||
        wa_client_call(c, "POST", path, wa_buf_sv(w->out), &arena, &j, err) != WA_OK)
        return err->code;
    *ret_needs_code = wa_sv_eqs(wa_json_sv(wa_json_get(j, "needs")), "code");
    return *ret_needs_code ? WA_OK : wa_client_take(c, wa_json_sv(wa_json_get(j, "token")), err);
}

static enum wa_code try_password(struct wa_client *c, const struct wa_client_options *o,
                                 struct wa_sv code, bool *ret_needs_code, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "user", o->user);
    wa_jw_kvsv(&w, "password", o->password);
    return attempt(c, "/api/v1/session", &w, code, ret_needs_code, err);
}

/* With the tickets that this person has (kinit, or the login at the workstation), bound to the
 * certificate that the server shows now. */
static enum wa_code make_ticket(struct wa_client *c, struct wa_buf *out, struct wa_err *err)
{
    struct wa_url url;
    struct wa_http_result r;
    struct wa_buf_sink sink;
    WA_AUTO_BUF struct wa_buf body;
    WA_AUTO_BUF_SECRET struct wa_buf token;
    char binding[WA_LOGIN_BINDING_SIZE];
    const struct wa_client_pass ways = {
        .method = "GET", .path = "/api/v1/session/ways", .max = WAYS_MAX};
    wa_buf_init(&body, WAYS_MAX);
    wa_buf_init(&token, WA_TICKET_TEXT_MAX);
    wa_buf_sink_init(&sink, &body);
    if (wa_url_parse(wa_sv(c->server), &url, err) != WA_OK ||
        wa_client_pass(c, &ways, &sink.base, &r, err) != WA_OK)
        return err->code;
    wa_login_binding(r.certificate, binding);
    const struct wa_spnego q = {
        .host = url.host,
        .binding = wa_sv(binding),
        .without = WA_E_AUTH,
        .no_ticket = WA_TEXT("you have no Kerberos ticket that could be used (kinit gets one)"),
        .no_service_ticket = WA_TEXT("no Kerberos ticket for the server could be had")};
    if (wa_spnego_token(&q, &token, err) != WA_OK)
        return err->code;
    wa_base64_encode(token.p, token.n, out);
    return wa_buf_check(out, err);
}

/* A ticket is good for one attempt. */
static enum wa_code try_ticket(struct wa_client *c, struct wa_sv code, bool *ret_needs_code,
                               struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf ticket;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&ticket, WA_TICKET_TEXT_MAX);
    wa_buf_init(&body, WA_TICKET_TEXT_MAX + 1024);
    if (make_ticket(c, &ticket, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "ticket", wa_buf_sv(&ticket));
    return attempt(c, "/api/v1/session/kerberos", &w, code, ret_needs_code, err);
}

static enum wa_code show_certificate(struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    return wa_client_call(c, "POST", "/api/v1/session/certificate", WA_SV("{}"), &arena, &j, err) ==
                   WA_OK
               ? wa_client_take(c, wa_json_sv(wa_json_get(j, "token")), err)
               : err->code;
}

static enum wa_code log_in(struct wa_client *c, const struct wa_client_options *o,
                           struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf code;
    bool needs_code = false, by_ticket = o->way == WA_CLIENT_KERBEROS;
    wa_buf_init(&code, 256);
    if (o->way == WA_CLIENT_OIDC)
        return wa_oidc_login(c, o->show, o->ask_user, err);
    if (o->way == WA_CLIENT_CERTIFICATE)
        return show_certificate(c, err);
    if ((by_ticket ? try_ticket(c, WA_SV(""), &needs_code, err)
                   : try_password(c, o, WA_SV(""), &needs_code, err)) != WA_OK ||
        !needs_code)
        return err->code;
    if (o->ask_code == NULL)
        return wa_fail(err, WA_E_AUTH, "the code of the second factor is needed");
    if (o->ask_code(o->ask_user, &code, err) != WA_OK)
        return err->code;
    struct wa_sv given = wa_sv_trim(wa_buf_sv(&code));
    if ((by_ticket ? try_ticket(c, given, &needs_code, err)
                   : try_password(c, o, given, &needs_code, err)) != WA_OK)
        return err->code;
    return needs_code ? wa_fail(err, WA_E_AUTH, "the code of the second factor is needed") : WA_OK;
}

enum wa_code wa_client_open(const struct wa_client_options *o, struct wa_client **ret,
                            struct wa_err *err)
{
    struct wa_client *c = NULL;
    if (strlen(o->server) >= sizeof c->server)
        return wa_fail(err, WA_E_CONFIG, "the server's address is too long");
    c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    (void)snprintf(c->server, sizeof c->server, "%s", o->server);
    c->stop = o->stop;
    if (wa_http_lines_new(o->server, o->trust, o->proxy, &c->lines, err) == WA_OK) {
        c->is_token = o->token.n > 0;
        if (c->is_token ? wa_client_take(c, o->token, err) == WA_OK
                        : o->user == NULL || log_in(c, o, err) == WA_OK) {
            *ret = c;
            return WA_OK;
        }
    }
    c->authorization[0] = '\0';
    wa_client_close(c);
    return wa_wrap(err, "logging in to '%s'", o->server);
}

void wa_client_close(struct wa_client *c)
{
    if (c == NULL)
        return;
    if (c->is_lent) {
        if (c->shows)
            wa_http_lines_free(c->lines);
        wa_wipe(c, sizeof *c);
        wa_free(c);
        return;
    }
    if (c->authorization[0] != '\0' && !c->is_token) {
        struct wa_err ignored = WA_ERR_INIT; /* it expires by itself */
        struct wa_http_result result;
        const struct wa_http_request q = {.method = "DELETE",
                                          .path = "/api/v1/session",
                                          .may_repeat = true,
                                          .max_bytes = WAYS_MAX,
                                          .timeout_ms = CALL_MS,
                                          .rate_min_bytes_s = 1,
                                          .rate_window_s = 60};
        (void)!ask_server(c, q, "", NULL, &result, &ignored);
    }
    wa_wipe(c->authorization, sizeof c->authorization);
    wa_http_lines_free(c->lines);
    wa_free(c);
}

enum wa_code wa_client_lend(const struct wa_client *c, struct wa_stop *stop, struct wa_client **ret,
                            struct wa_err *err)
{
    struct wa_client *lent = wa_calloc(1, sizeof *lent);
    if (lent == NULL)
        return wa_nomem(err);
    *lent = *c;
    lent->is_lent = true;
    lent->shows = false;
    lent->stop = stop;
    *ret = lent;
    return WA_OK;
}

void wa_client_sweep(struct wa_client *c)
{
    wa_http_lines_sweep(c->lines);
}

void wa_client_set_stop(struct wa_client *c, struct wa_stop *stop)
{
    c->stop = stop;
}

struct wa_stop *wa_client_stop(const struct wa_client *c)
{
    return c->stop;
}

enum wa_code wa_client_show(const struct wa_client *c, struct wa_cert *cert, struct wa_key *key,
                            struct wa_client **ret, struct wa_err *err)
{
    if (wa_client_lend(c, c->stop, ret, err) != WA_OK)
        return err->code;
    (*ret)->lines = NULL;
    (*ret)->shows = true;
    if (wa_http_lines_as(c->lines, cert, key, &(*ret)->lines, err) == WA_OK)
        return WA_OK;
    wa_client_close(*ret);
    *ret = NULL;
    return err->code;
}

enum wa_code wa_client_add_certificate(struct wa_client *c, struct wa_cert *cert,
                                       struct wa_key *key, struct wa_sv password, struct wa_sv code,
                                       bool *ret_needs_code, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *shown = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "password", password);
    if (code.n > 0)
        wa_jw_kvsv(&w, "code", code);
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK || wa_client_show(c, cert, key, &shown, err) != WA_OK ||
        wa_client_call(shown, "POST", "/api/v1/account/certificates", wa_buf_sv(&body), &arena, &j,
                       err) != WA_OK)
        return err->code;
    *ret_needs_code = wa_sv_eqs(wa_json_sv(wa_json_get(j, "needs")), "code");
    return WA_OK;
}
