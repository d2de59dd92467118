/* local_watch.c - whether the server is there: what the pages are told of it is true within
 * seconds.
 *
 * Whatever the server says to anybody counts. After a silence it is asked; where it fails to answer
 * it is asked again, ever more seldom, and who waits for it waits no longer. Nobody asks when no
 * page is there to be told.
 */
#include "base/mem.h"
#include "console/local_priv.h"

#define PATIENCE_MS 4000u /* for the answer to the simplest question */
#define QUIET_MS 10000u   /* without a word: asked */
#define WAITING_MS 2000u  /* the same, when a page waits for a word */
#define FRESH_MS 20000u   /* a page is told what was true so lately */
#define FIRST_MS 1000u    /* after the first failure; then doubled */
#define LONGEST_MS 15000u
#define AUDIENCE_MS 60000u /* a page was there so lately */
#define ANSWER_BYTES_MAX (64u << 10)

/* One that does not say how has passwords alone. */
static void read_ways(struct wa_sv body, struct wa_local_ways *ret)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err ignored = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    *ret = (struct wa_local_ways){.is_known = true};
    if (wa_json_parse(body, 0, &arena, &j, &ignored) != WA_OK)
        return;
    ret->oidc = wa_json_bool(wa_json_get(j, "oidc"));
    ret->certificate = wa_json_bool(wa_json_get(j, "certificate"));
    ret->kerberos = wa_json_bool(wa_json_get(j, "kerberos"));
}

enum wa_code wa_local_server_ask(const struct wa_local_job *job, struct wa_local_ways *ways,
                                 struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_BUF struct wa_buf body;
    struct wa_http_result result;
    const struct wa_client_options o = {.server = job->local->o->server,
                                        .trust = &job->trust,
                                        .proxy = job->local->o->proxy,
                                        .stop = job->stop};
    const struct wa_client_pass question = {.method = "GET",
                                            .path = ways != NULL ? "/api/v1/session/ways" : "/ping",
                                            .max = ANSWER_BYTES_MAX,
                                            .timeout_ms = PATIENCE_MS};
    struct wa_buf_sink sink;
    wa_buf_init(&body, ANSWER_BYTES_MAX);
    wa_buf_sink_init(&sink, &body);
    if (wa_client_open(&o, &c, err) != WA_OK ||
        wa_client_pass(c, &question, &sink.base, &result, err) != WA_OK)
        return err->code;
    if (ways != NULL)
        read_ways(result.status == 200 ? wa_buf_sv(&body) : WA_SV("{}"), ways);
    return WA_OK;
}

/* Asks how to log in, too, where nobody is. */
static enum wa_code ask(struct wa_local_job *job, struct wa_err *err)
{
    return wa_local_server_ask(job, job->own, err);
}

static void ask_fini(struct wa_local_job *job)
{
    wa_free(job->own);
}

static void start_asking(struct wa_local_job *job,
                         void (*done)(struct wa_local_job *job, struct wa_err *err))
{
    if (job->local->server.link == NULL)
        job->own = wa_calloc(1, sizeof(struct wa_local_ways)); /* without memory: not asked */
    job->work = ask;
    job->done = done;
    job->fini = ask_fini;
    wa_local_job_start(job);
}

void wa_local_server_heard(struct wa_local *l)
{
    struct wa_local_server *s = &l->server;
    s->told_ms = wa_loop_now_ms(l->loop);
    s->next_ms = s->told_ms + QUIET_MS;
    s->wait_ms = 0;
    s->silences = 0;
    s->message[0] = '\0';
    s->state = s->link != NULL ? WA_LOCAL_CONNECTED : WA_LOCAL_LOGIN;
}

/* No answer, or one by somebody who is not trusted. */
static void failed(struct wa_local *l, const struct wa_err *err)
{
    struct wa_local_server *s = &l->server;
    s->told_ms = wa_loop_now_ms(l->loop);
    s->wait_ms = s->wait_ms == 0                ? FIRST_MS
                 : s->wait_ms >= LONGEST_MS / 2 ? LONGEST_MS
                                                : 2 * s->wait_ms;
    s->next_ms = s->told_ms + s->wait_ms;
    s->silences++;
    s->state = err->code == WA_E_REFUSED ? WA_LOCAL_PIN : WA_LOCAL_UNREACHABLE;
    (void)snprintf(s->message, sizeof s->message, "%s", err->text);
    s->message_language = wa_text_language_name();
    wa_local_streams_end(l);                          /* by that pages learn of it */
    if (err->code != WA_E_TIMEOUT || s->silences > 1) /* else it may be busy: who waits may go on */
        wa_local_jobs_stop(l, WA_LOCAL_WAITING);
}

/* False: a person has kept another certificate since it was asked, and this answer says nothing. */
static bool learn(struct wa_local_job *job, const struct wa_err *err)
{
    struct wa_local *l = job->local;
    if (strcmp(job->trust.fingerprint, l->server.trust.fingerprint) != 0)
        return false;
    if (err->code == WA_OK && job->own != NULL)
        l->server.ways = *(const struct wa_local_ways *)job->own;
    if (err->code == WA_OK)
        wa_local_server_heard(l);
    else if (err->code != WA_E_CANCELLED && err->code != WA_E_NOMEM)
        failed(l, err);
    return true;
}

/* --- asked by a page --- */

static void asked_by_page(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_http_conn *c = job->exchange.conn;
    bool is_learnt = learn(job, err);
    wa_err_clear(err);
    job->exchange.conn = NULL;
    if (c == NULL)
        return;
    wa_http_set_user(c, NULL);
    if (is_learnt)
        wa_local_state_answer(job->local, c);
    else
        wa_local_server_state(job->local, c, WA_SV(""));
}

void wa_local_server_state(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    const struct wa_local_server *s = &l->server;
    WA_UNUSED(body);
    bool is_known = s->state != WA_LOCAL_UNKNOWN &&
                    (s->state != WA_LOCAL_LOGIN || s->ways.is_known) &&
                    (s->message[0] == '\0' || s->message_language == wa_text_language_name());
    if (is_known && wa_loop_now_ms(l->loop) - s->told_ms < FRESH_MS) {
        wa_local_state_answer(l, c);
        return;
    }
    struct wa_local_job *job = wa_local_job_new(l, c);
    if (job == NULL)
        return;
    start_asking(job, asked_by_page);
}

/* --- asked by itself --- */

static void asked(struct wa_local_job *job, struct wa_err *err)
{
    job->local->server.is_asked = false;
    (void)learn(job, err);
}

static bool does_page_wait(const struct wa_local *l, uint64_t now)
{
    for (const struct wa_local_job *job = l->jobs; job != NULL; job = job->next)
        if (job->link != NULL && job->exchange.conn != NULL && now - job->began_ms >= WAITING_MS)
            return true;
    return false;
}

void wa_local_server_watch(struct wa_local *l)
{
    struct wa_local_server *s = &l->server;
    uint64_t now = wa_loop_now_ms(l->loop);
    if (s->link != NULL)
        wa_client_sweep(s->link->client);
    bool has_audience = l->stream_count > 0 || now - l->called_ms < AUDIENCE_MS;
    uint64_t next_ms =
        s->silences == 0 && does_page_wait(l, now) ? s->told_ms + WAITING_MS : s->next_ms;
    if (l->is_ending || s->is_asked || now < next_ms || !has_audience ||
        s->state == WA_LOCAL_UNKNOWN)
        return;
    struct wa_local_job *job = wa_local_job_new(l, NULL);
    if (job == NULL)
        return;
    s->is_asked = job->is_own = true;
    start_asking(job, asked);
}

void wa_local_server_doubt(struct wa_local *l)
{
    struct wa_local_server *s = &l->server;
    if (s->silences == 0)
        s->next_ms = wa_loop_now_ms(l->loop);
    wa_local_server_watch(l);
}
