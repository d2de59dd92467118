/* local_job.c - work that blocks, out of the loop and back, and how it is answered.
 *
 * A page may go away while its job runs: then nobody is answered, and the job still ends.
 */
#include "base/mem.h"
#include "console/local_priv.h"

#define ERROR_TEXT_MAX 8192u

void wa_local_answer_login(struct wa_http_conn *c, const char *message)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, ERROR_TEXT_MAX);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_key(&w, "error");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", "login");
    wa_jw_kv(&w, "message", message);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_http_answer(c, 401, "application/json", wa_buf_sv(&body), NULL);
}

/* WA_E_AUTH of a job is the server's word about its session or a password, never the page's token,
 * which was judged before. */
void wa_local_answer_err(struct wa_http_conn *c, const struct wa_err *err)
{
    if (err->code == WA_E_AUTH)
        wa_local_answer_login(c, err->text);
    else
        wa_http_answer_err(c, err);
}

struct wa_local_job *wa_local_job_new(struct wa_local *l, struct wa_http_conn *conn)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_calloc(1, sizeof *job);
    if (job == NULL || wa_stop_new(&job->stop, &err) != WA_OK) {
        (void)wa_nomem(&err);
        wa_free(job);
        if (conn != NULL)
            wa_http_answer_err(conn, &err);
        return NULL;
    }
    job->local = l;
    job->exchange = (struct wa_local_exchange){conn, job->stop};
    job->trust = l->server.trust;
    job->began_ms = wa_loop_now_ms(l->loop);
    wa_buf_init(&job->in, WA_LOCAL_BODY_MAX);
    wa_buf_init(&job->out, WA_CONSOLE_ANSWER_MAX);
    if (conn != NULL)
        wa_http_set_user(conn, job);
    job->next = l->jobs;
    l->jobs = job;
    return job;
}

enum wa_code wa_local_job_use_server(struct wa_local_job *job, struct wa_err *err)
{
    if (job->local->server.link == NULL)
        return wa_fail(err, WA_E_AUTH, "nobody is logged in at the server");
    if (wa_client_lend(job->local->server.link->client, job->stop, &job->client, err) != WA_OK)
        return err->code;
    job->link = job->local->server.link;
    job->link->refs++;
    return WA_OK;
}

void wa_local_jobs_stop(struct wa_local *l, enum wa_local_which which)
{
    for (struct wa_local_job *job = l->jobs; job != NULL; job = job->next) {
        bool is_meant = which == WA_LOCAL_WAITING ? job->exchange.stop != NULL && job->link != NULL
                                                  : which == WA_LOCAL_REST || !job->is_own;
        if (is_meant)
            wa_stop_pull(job->stop);
    }
}

static void job_free(struct wa_local_job *job)
{
    struct wa_local *l = job->local;
    struct wa_local_link *link = job->link;
    struct wa_local_job **at = &l->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (job->fini != NULL)
        job->fini(job);
    wa_buf_fini_secret(&job->in);
    wa_buf_fini_secret(&job->out);
    wa_client_close(job->client);
    wa_stop_free(job->stop);
    wa_free(job);
    wa_local_link_release(l, link);
}

static void answer(struct wa_local_job *job, const struct wa_err *err)
{
    struct wa_http_conn *c = job->exchange.conn;
    struct wa_err lost = WA_ERR_INIT;
    if (c == NULL)
        return;
    job->exchange.conn = NULL;
    wa_http_set_user(c, NULL);
    if (err->code != WA_OK)
        wa_local_answer_err(c, err);
    else if (wa_buf_check(&job->out, &lost) != WA_OK)
        wa_http_answer_err(c, &lost);
    else if (job->status == 0)
        wa_local_answer_json(c, &job->out);
    else
        wa_http_answer(c, job->status, job->type[0] != '\0' ? job->type : "application/json",
                       wa_buf_sv(&job->out), NULL);
}

void wa_local_job_refuse(struct wa_local_job *job, const struct wa_err *err)
{
    answer(job, err);
    job_free(job);
}

static enum wa_code work(void *user, struct wa_err *err)
{
    struct wa_local_job *job = user;
    return wa_buf_check(&job->in, err) == WA_OK ? job->work(job, err) : err->code;
}

/* What the server's answer, or its silence, says about the server. */
static void hear(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local *l = job->local;
    if (job->link == NULL || job->link != l->server.link)
        return;
    if (err->code == WA_OK)
        wa_local_server_heard(l);
    else if (err->code == WA_E_UNREACHABLE || err->code == WA_E_TIMEOUT)
        wa_local_server_doubt(l);
    else if (err->code == WA_E_CANCELLED && job->exchange.conn != NULL && !l->is_ending) {
        wa_err_clear(err); /* it was given up because of that */
        (void)wa_fail(err, WA_E_UNREACHABLE, "the server does not answer");
    }
}

static void done(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_local_job *job = user;
    struct wa_err why = *err;
    WA_UNUSED(code);
    hear(job, &why);
    if (job->done != NULL)
        job->done(job, &why);
    answer(job, &why);
    job_free(job);
}

void wa_local_job_start(struct wa_local_job *job)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_loop_work(job->local->loop, work, done, job, &err) != WA_OK)
        done(job, err.code, &err);
}
