/* local_oidc.c - logging in at the organisation's provider, from a page: the browser goes there in
 * another tab, and comes back to a port of its own (console/oidc.h), which knows it by the state.
 *
 * The port is no way past the gate: what it takes is one code, for the login that this program has
 * begun, and it tells no page anything. Verifier, code and session stay here. While a job has the
 * login in a thread, the loop leaves it alone.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "console/oidc.h"

enum { BEGINNING, WAITING, FAILED };

struct wa_local_oidc {
    struct wa_local *local;
    int state;
    struct wa_oidc *login;
    struct wa_local_link *link; /* its client has no session yet */
    struct wa_local_who who;
    struct wa_io *io;
    uint64_t until_ms;
    struct wa_stop *stop; /* of the job that has it now; NULL: none has */
    bool is_dropped;      /* freed when the job is back */
    bool has_come;        /* the browser; the job's */
    struct wa_err why;    /* FAILED */
};

static void oidc_free(struct wa_local_oidc *o)
{
    if (o->io != NULL)
        wa_io_free(o->io);
    wa_oidc_free(o->login);
    wa_local_link_release(o->local, o->link);
    wa_free(o);
}

void wa_local_oidc_stop(struct wa_local *l)
{
    struct wa_local_oidc *o = l->oidc;
    l->oidc = NULL;
    if (o == NULL)
        return;
    o->is_dropped = true;
    if (o->stop != NULL)
        wa_stop_pull(o->stop);
    else
        oidc_free(o);
}

static void fail(struct wa_local_oidc *o, const struct wa_err *why)
{
    if (o->io != NULL)
        wa_io_free(o->io);
    o->io = NULL;
    o->state = FAILED;
    o->why = *why;
}

void wa_local_oidc_sweep(struct wa_local *l)
{
    struct wa_err err = WA_ERR_INIT;
    if (l->oidc == NULL || l->oidc->state != WAITING || l->oidc->stop != NULL ||
        wa_loop_now_ms(l->loop) < l->oidc->until_ms)
        return;
    (void)wa_fail(&err, WA_E_TIMEOUT, WA_OIDC_NOBODY);
    fail(l->oidc, &err);
}

/* Back from a thread. False: nobody waits for it any more, and it is gone. */
static bool is_back(struct wa_local_job *job)
{
    struct wa_local_oidc *o = job->own;
    o->stop = NULL;
    if (o->link->client != NULL)
        wa_client_set_stop(o->link->client, NULL); /* it was this job's */
    if (!o->is_dropped)
        return true;
    oidc_free(o);
    return false;
}

static enum wa_code start_job(struct wa_local_oidc *o, struct wa_http_conn *c,
                              enum wa_code (*work)(struct wa_local_job *, struct wa_err *),
                              void (*done)(struct wa_local_job *, struct wa_err *),
                              struct wa_err *err)
{
    struct wa_local_job *job = wa_local_job_new(o->local, c);
    if (job == NULL)
        return wa_nomem(err);
    job->own = o;
    job->work = work;
    job->done = done;
    o->stop = job->stop;
    wa_local_job_start(job);
    return WA_OK;
}

/* --- the end --- */

static enum wa_code hear(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local_oidc *o = job->own;
    if (!wa_oidc_hear(o->login, job->stop))
        return WA_OK;
    o->has_come = true;
    wa_client_set_stop(o->link->client, job->stop);
    return wa_oidc_end(o->login, o->link->client, err) == WA_OK
               ? wa_local_server_who(job, o->link->client, &o->who, err)
               : err->code;
}

static void heard(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local_oidc *o = job->own;
    struct wa_local *l = job->local;
    if (!is_back(job))
        return;
    if (err->code == WA_OK && !o->has_come)
        (void)!wa_io_set(o->io, WA_IO_READ, err); /* it was somebody else */
    if (err->code != WA_OK) {
        fail(o, err);
    } else if (o->has_come) {
        wa_local_server_entered(l, o->link, &o->who);
        o->link = NULL;
        wa_local_oidc_stop(l);
    }
}

static void on_visit(void *user, int events)
{
    struct wa_local_oidc *o = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(events);
    if (wa_io_set(o->io, 0, &err) != WA_OK || start_job(o, NULL, hear, heard, &err) != WA_OK)
        fail(o, &err);
}

/* --- the beginning --- */

static enum wa_code begin(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local_oidc *o = job->own;
    const struct wa_client_options to = {.server = job->local->o->server,
                                         .trust = &job->trust,
                                         .proxy = job->local->o->proxy,
                                         .stop = job->stop};
    return wa_client_open(&to, &o->link->client, err) == WA_OK
               ? wa_oidc_begin(o->link->client, &o->login, err)
               : err->code;
}

static enum wa_code await_browser(struct wa_local_oidc *o, struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    if (wa_io_new(o->local->loop, wa_oidc_fd(o->login), on_visit, o, &o->io, err) != WA_OK ||
        wa_io_set(o->io, WA_IO_READ, err) != WA_OK)
        return err->code;
    o->state = WAITING;
    o->until_ms = wa_loop_now_ms(o->local->loop) + WA_OIDC_PATIENCE_MS;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "url", wa_oidc_url(o->login));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static void begun(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local_oidc *o = job->own;
    if (!is_back(job)) {
        (void)wa_fail(err, WA_E_CANCELLED, "another login was begun meanwhile");
        return;
    }
    wa_local_server_refused(job->local, err);
    if (err->code == WA_OK)
        (void)!await_browser(o, &job->out, err);
    if (err->code != WA_OK)
        wa_local_oidc_stop(job->local);
}

void wa_local_oidc_start(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_oidc *o = wa_calloc(1, sizeof *o);
    struct wa_local_link *link = wa_local_link_new();
    WA_UNUSED(body);
    if (o == NULL || link == NULL) {
        (void)wa_nomem(&err);
        wa_free(o);
        wa_free(link);
        wa_local_answer_err(c, &err);
        return;
    }
    wa_local_oidc_stop(l);
    *o = (struct wa_local_oidc){.local = l, .link = link, .state = BEGINNING};
    l->oidc = o;
    if (start_job(o, c, begin, begun, &err) != WA_OK) /* which the page was told */
        wa_local_oidc_stop(l);
}

void wa_local_oidc_ask(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(body);
    if (l->oidc != NULL && l->oidc->state != FAILED) {
        wa_http_answer(c, 202, "application/json", WA_SV("{\"state\":\"browser\"}"), NULL);
    } else if (l->oidc != NULL) { /* told once */
        err = l->oidc->why;
        wa_local_oidc_stop(l);
        wa_local_answer_err(c, &err);
    } else if (l->server.state == WA_LOCAL_CONNECTED) {
        wa_http_answer(c, 200, "application/json", WA_SV("{\"state\":\"done\"}"), NULL);
    } else {
        (void)wa_fail(&err, WA_E_NOT_FOUND, "nobody logs in at the provider");
        wa_local_answer_err(c, &err);
    }
}
