/* local_relay.c - calls of the server's API, made by a page, with this program's session; and
 * icons of the repository's packages.
 *
 * What is read is relayed, but for what would show or make a token. Of what changes something there
 * is a list: what takes something away, what roll-outs that were signed do, what one keeps for
 * oneself. What gives somebody something that lasts is not on it: who wants that asks by what
 * kind_grant.c and kind_own_certificate.c show. Nor is anything relayed that a browser could take
 * for a page of ours: only data by its type, and only that of the server itself.
 */
#include "codec/url.h"
#include "console/local_priv.h"

#define API "/api/v1/"
#define ICONS "/local/icons/" /* on the server below /wapt, which no page of ours asks for */

static const char *const unread[] = {"session", "login", "enrol-tokens"};

static const struct change {
    enum wa_http_method method;
    const char *path; /* below the API; '*' is one part of it */
} changes[] = {
    {WA_HTTP_POST, "account/second-factor"},
    {WA_HTTP_POST, "account/second-factor/confirm"},
    {WA_HTTP_POST, "account/second-factor/off"},
    {WA_HTTP_DELETE, "account/certificates/*"},
    {WA_HTTP_DELETE, "account/sessions/*"},
    {WA_HTTP_DELETE, "account/tokens/*"},
    {WA_HTTP_POST, "estate"}, /* a question: about machines that are named */
    {WA_HTTP_DELETE, "hosts/*"},
    {WA_HTTP_DELETE, "hosts/*/certificate"},
    {WA_HTTP_DELETE, "packages/*"},
    {WA_HTTP_POST, "report-rows"}, /* a question */
    {WA_HTTP_PUT, "reports/*"},
    {WA_HTTP_DELETE, "reports/*"},
    {WA_HTTP_POST, "rollouts/*/pause"},
    {WA_HTTP_POST, "rollouts/*/promote"},
    {WA_HTTP_POST, "rollouts/*/resume"},
    {WA_HTTP_POST, "rollouts/*/stop"},
    {WA_HTTP_DELETE, "users/*"},
    {WA_HTTP_DELETE, "users/*/certificates/*"},
    {WA_HTTP_DELETE, "users/*/sessions"},
    {WA_HTTP_DELETE, "users/*/tokens/*"},
    {WA_HTTP_DELETE, "webhooks/*"},
    {WA_HTTP_POST, "webhooks/*/test"},
};

/* "users", and what is below it or may be taken for it; not "usersx". */
static bool is_below(struct wa_sv path, const char *name)
{
    size_t n = strlen(name);
    return wa_sv_starts(path, name) && (path.n == n || strchr("/.;-", path.p[n]) != NULL);
}

static bool is_like(struct wa_sv path, const char *pattern)
{
    struct wa_sv wanted = wa_sv(pattern), part, want;
    while (wa_sv_split(&wanted, '/', &want))
        if (!wa_sv_split(&path, '/', &part) || part.n == 0 ||
            !(wa_sv_eqs(want, "*") || wa_sv_eq(want, part)))
            return false;
    return !wa_sv_split(&path, '/', &part);
}

bool wa_local_relay_takes(enum wa_http_method method, struct wa_sv path)
{
    bool is_read = method == WA_HTTP_GET || method == WA_HTTP_HEAD;
    if (wa_sv_starts(path, ICONS))
        return is_read && wa_sv_ends(path, ".png") &&
               is_like(wa_sv_sub(path, 1, path.n), "local/icons/*");
    if (!wa_sv_starts(path, API))
        return false;
    struct wa_sv rest = wa_sv_sub(path, sizeof API - 1, path.n);
    bool takes = is_read && rest.n > 0;
    for (size_t i = 0; i < WA_COUNT(unread); i++)
        takes = takes && !is_below(rest, unread[i]);
    for (size_t i = 0; i < WA_COUNT(changes); i++)
        takes = takes || (method == changes[i].method && is_like(rest, changes[i].path));
    return takes;
}

/* The path was decoded when it was read: it is encoded again, byte by byte. */
void wa_local_relay_path(const struct wa_http_head *head, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv_sub(head->path, 1, head->path.n), part;
    if (wa_sv_starts(head->path, ICONS)) {
        wa_buf_adds(out, "/wapt");
        (void)!wa_sv_split(&rest, '/', &part);
    }
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
