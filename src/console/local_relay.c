/* local_relay.c - calls of the server's API, made by a page, with this program's session.
 *
 * What would show or make a token is not relayed, nor what gives somebody something that lasts: who
 * wants that asks by what kind_grant.c and kind_own_certificate.c show. Nor is anything that a
 * browser could take for a page of ours: only data by its type, and only that of the server itself.
 */
#include "codec/url.h"
#include "console/local_priv.h"

/* "users", and what is below it; not "users-x". */
static bool is_below(struct wa_sv path, const char *name)
{
    size_t n = strlen(name);
    return wa_sv_starts(path, name) &&
           (path.n == n || strchr("/.;", path.p[n]) != NULL || path.p[n] == '-');
}

bool wa_local_relay_takes(enum wa_http_method method, struct wa_sv path)
{
    static const char prefix[] = "/api/v1/";
    static const char *const kept[] = {"session", "login", "enrol-tokens"};
    static const char *const lasting[] = {"users", "account/tokens", "account/certificates",
                                          "signers"};
    if (!wa_sv_starts(path, prefix))
        return false;
    struct wa_sv rest = wa_sv_sub(path, sizeof prefix - 1, path.n);
    for (size_t i = 0; i < WA_COUNT(kept); i++)
        if (is_below(rest, kept[i]))
            return false;
    bool is_read = method == WA_HTTP_GET || method == WA_HTTP_HEAD;
    bool removes = method == WA_HTTP_DELETE && !wa_sv_ends(rest, "/second-factor");
    for (size_t i = 0; i < WA_COUNT(lasting); i++)
        if (is_below(rest, lasting[i]) && !is_read && !removes)
            return false;
    if (is_below(rest, "webhooks") && !is_read && !removes && !wa_sv_ends(rest, "/test"))
        return false;
    return rest.n > 0;
}

/* The path was decoded when it was read: it is encoded again, byte by byte. */
void wa_local_relay_path(const struct wa_http_head *head, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv_sub(head->path, 1, head->path.n), part;
    while (wa_sv_split(&rest, '/', &part)) {
        wa_buf_addc(out, '/');
        wa_url_encode(part, out);
    }
    if (head->query.n > 0) {
        wa_buf_addc(out, '?');
        wa_buf_addsv(out, head->query);
    }
}

static bool is_let_through(const char *type)
{
    static const char *const types[] = {"application/json", "text/csv", "image/png",
                                        "application/x-ndjson"};
    struct wa_sv all = wa_sv(type), what = {NULL, 0};
    (void)wa_sv_split(&all, ';', &what);
    for (size_t i = 0; i < WA_COUNT(types); i++)
        if (wa_sv_ieqs(wa_sv_trim(what), types[i]))
            return true;
    return false;
}

/* Before a byte of it is kept. */
static enum wa_code judge(void *user, const struct wa_http_result *r, struct wa_err *err)
{
    WA_UNUSED(user);
    if (r->status < 200 || (r->status >= 300 && r->status < 400) ||
        !is_let_through(r->content_type))
        return wa_fail(err, WA_E_UNREACHABLE,
                       "the server answers with status %d and something that is no data: is there "
                       "another server in between?",
                       r->status);
    return WA_OK;
}

/* job->in: path, NUL, body. */
static enum wa_code relay(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_buf_sink sink;
    struct wa_http_result r;
    size_t n = strlen(job->in.p);
    union {
        void *from;
        const char *to;
    } method = {job->own};
    const struct wa_client_pass pass = {.method = method.to,
                                        .path = job->in.p,
                                        .body = wa_sv_sub(wa_buf_sv(&job->in), n + 1, job->in.n),
                                        .max = WA_CONSOLE_ANSWER_MAX,
                                        .on_answer = judge};
    wa_buf_sink_init(&sink, &job->out);
    if (wa_client_pass(job->client, &pass, &sink.base, &r, err) != WA_OK)
        return err->code;
    job->status = r.status;
    if (r.bytes == 0)
        return r.status >= 200 && r.status < 300 ? WA_OK : judge(NULL, &r, err);
    (void)snprintf(job->type, sizeof job->type, "%s", r.content_type);
    return WA_OK;
}

static void relayed(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_http_conn *c = job->exchange.conn;
    if (err->code == WA_E_REFUSED) /* its certificate is another one now */
        job->local->server.state = WA_LOCAL_UNKNOWN;
    if (err->code != WA_OK || job->status != 401)
        return;
    wa_local_server_lost(job->local, job->link);
    job->exchange.conn = NULL;
    if (c == NULL)
        return;
    wa_http_set_user(c, NULL);
    wa_local_answer_login(c, wa_text("the session at the server has ended: log in again"));
}

void wa_local_relay(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    static char methods[][8] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    const struct wa_http_head *head = wa_http_conn_head(c);
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    if (job == NULL)
        return;
    job->own = methods[head->method];
    job->work = relay;
    job->done = relayed;
    wa_local_relay_path(head, &job->in);
    wa_buf_addc(&job->in, '\0');
    wa_buf_addsv(&job->in, body);
    if (wa_buf_check(&job->in, &err) != WA_OK || wa_local_job_use_server(job, &err) != WA_OK)
        wa_local_job_refuse(job, &err);
    else
        wa_local_job_start(job);
}
