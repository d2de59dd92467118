/* local_journal.c - every entry of the server's journal looked at for a page, some at each call.
 *
 * Where it stands travels with the page: it is the page's own screen that a script in it could lie
 * on, and what is kept here is written only after the server's journal held what was kept before.
 */
#include "base/mem.h"
#include "console/journal_seen.h"
#include "console/local_priv.h"

struct walking {
    struct wa_journal_walk walk;
    bool has_begun;
    char path[WA_PATH_MAX];
};

static enum wa_code read_request(struct wa_sv body, struct walking *k, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv node = WA_SV(""), digest = WA_SV("");
    int64_t after = -1;
    const struct wa_json_field fields[] = {
        {"node", WA_WANT_SV, false, sizeof k->walk.node - 1, &node},
        {"after", WA_WANT_I64, false, 0, &after},
        {"digest", WA_WANT_SV, false, 64, &digest}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(body, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    (void)snprintf(k->walk.node, sizeof k->walk.node, "%.*s", WA_SV_ARG(node));
    (void)snprintf(k->walk.digest, sizeof k->walk.digest, "%.*s", WA_SV_ARG(digest));
    k->has_begun = after >= 0;
    k->walk.seq = after;
    return k->has_begun == (digest.n == 64)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "an entry is named by its number and its digest");
}

static enum wa_code walk(struct wa_local_job *job, struct wa_err *err)
{
    struct walking *k = job->own;
    struct wa_journal_walk *w = &k->walk;
    struct wa_jw jw;
    if ((k->has_begun ? wa_journal_walk_on(job->client, k->path, w, err)
                      : wa_journal_walk_begin(job->client, w, err)) != WA_OK)
        return err->code;
    wa_jw_init(&jw, &job->out);
    wa_jw_obj(&jw);
    wa_jw_kv(&jw, "node", w->node);
    wa_jw_kvi(&jw, "after", w->seq);
    wa_jw_kv(&jw, "digest", w->digest);
    wa_jw_kvi(&jw, "total", w->total);
    wa_jw_kvb(&jw, "done", w->is_over);
    wa_jw_end(&jw);
    return wa_buf_check(&job->out, err);
}

static void walking_fini(struct wa_local_job *job)
{
    wa_free(job->own);
}

void wa_local_journal(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct walking *k = job == NULL ? NULL : wa_calloc(1, sizeof *k);
    if (job == NULL)
        return;
    job->own = k;
    job->fini = walking_fini;
    job->work = walk;
    if (k == NULL)
        (void)wa_nomem(&err);
    if (err.code != WA_OK || wa_journal_seen_file(l->o->server, k->path, &err) != WA_OK ||
        read_request(body, k, &err) != WA_OK || wa_local_job_use_server(job, &err) != WA_OK)
        wa_local_job_refuse(job, &err);
    else
        wa_local_job_start(job);
}
