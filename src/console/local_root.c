/* local_root.c - the repository's root and list, for the pages: what is in force as it is known
 * here, a root that all have signed into the repository, and what a revocation would hit.
 */
#include "console/local_priv.h"
#include "console/revoking.h"
#include "console/root_wish.h"
#include "os/clock.h"

/* --- what is in force --- */

static void write_list(const struct wa_published *p, struct wa_jw *w)
{
    wa_jw_obj(w);
    wa_jw_kvi(w, "version", p->version);
    wa_jw_kvi(w, "issued", p->issued);
    wa_jw_kvi(w, "expires", p->expires);
    wa_jw_kvi(w, "packages", (int64_t)p->file_count);
    wa_jw_key(w, "revoked");
    wa_jw_json(w, p->revoked);
    wa_jw_end(w);
}

static enum wa_code write_state(const struct wa_root *root, struct wa_client *c, struct wa_jw *w,
                                struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *list = NULL;
    struct wa_err why = WA_ERR_INIT;
    if (wa_revoking_list(c, root, wa_clock_now(), &list, &why) == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_key(w, "root");
    wa_root_write_shown(root, NULL, w);
    wa_jw_key(w, "list");
    if (list != NULL)
        write_list(list, w);
    else
        wa_jw_null(w);
    wa_jw_kv(w, "list_problem", why.code == WA_OK ? NULL : why.text);
    return WA_OK;
}

/* Where no root is known, why is told; is_none: as the server says, there is none yet, else nobody
 * gave it to this person. */
static enum wa_code show(struct wa_local_job *job, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw w;
    bool is_none = false;
    if (wa_known_open(job->local->o->server, &known, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_known_root_or_none(&known, job->client, &root, &why);
    if (code != WA_OK && code != WA_E_CONFIG && code != WA_E_REFUSED && code != WA_E_INVALID) {
        *err = why;
        return code;
    }
    is_none = code == WA_OK && root == NULL;
    wa_jw_init(&w, &job->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "problem", code == WA_OK ? NULL : why.text);
    wa_jw_kvb(&w, "is_none", is_none);
    if (root != NULL && write_state(root, job->client, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return WA_OK;
}

/* --- a new one --- */

static enum wa_code read_body(const struct wa_local_job *job, const struct wa_json_field *fields,
                              size_t count, struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    return wa_json_parse(wa_buf_sv(&job->in), 0, arena, &j, err) == WA_OK
               ? wa_json_read(j, fields, count, "the request", err)
               : err->code;
}

/* Whatever asks: what is sent counts by the administrators' signatures alone. */
static enum wa_code send(struct wa_local_job *job, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    struct wa_sv document = WA_SV("");
    struct wa_jw w;
    const struct wa_json_field fields[] = {
        {"document", WA_WANT_SV, true, WA_ROOT_BYTES_MAX, &document}};
    wa_arena_init(&arena, 16u << 20);
    if (read_body(job, fields, WA_COUNT(fields), &arena, err) != WA_OK ||
        wa_known_open(job->local->o->server, &known, err) != WA_OK ||
        wa_known_send_root(&known, job->client, document, &root, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &job->out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "version", root->version);
    wa_jw_end(&w);
    return WA_OK;
}

/* --- what a revocation would hit --- */

static enum wa_code look(struct wa_local_job *job, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_REVOKING struct wa_revoking r;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    const struct wa_json *list = NULL;
    struct wa_jw w;
    const struct wa_json_field fields[] = {
        {"fingerprints", WA_WANT_ARRAY, true, WA_REVOKING_MAX, &list}};
    wa_arena_init(&arena, 1u << 20);
    wa_revoking_init(&r);
    if (read_body(job, fields, WA_COUNT(fields), &arena, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_revoking_add(&r, wa_json_sv(wa_json_at(list, i)), err) != WA_OK)
            return err->code;
    const struct wa_local_prepared p = {.options = job->local->o};
    if (wa_local_anchors(&p, &anchors, err) != WA_OK ||
        wa_revoking_find_packages(&r, job->client, err) != WA_OK ||
        wa_revoking_find_hosts(&r, job->client, anchors, NULL, NULL, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &job->out);
    wa_jw_obj(&w);
    wa_revoking_write(&r, &w);
    wa_jw_end(&w);
    return WA_OK;
}

/* --- the calls --- */

static void done(struct wa_local_job *job, struct wa_err *err)
{
    if (err->code == WA_E_AUTH)
        wa_local_server_lost(job->local, job->link);
}

static void start(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body,
                  enum wa_code (*work)(struct wa_local_job *job, struct wa_err *err))
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    if (job == NULL)
        return;
    job->work = work;
    job->done = done;
    wa_buf_addsv(&job->in, body);
    if (wa_buf_check(&job->in, &err) != WA_OK || wa_local_job_use_server(job, &err) != WA_OK)
        wa_local_job_refuse(job, &err);
    else
        wa_local_job_start(job);
}

void wa_local_root_show(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    start(l, c, body, show);
}

void wa_local_root_send(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    start(l, c, body, send);
}

void wa_local_revocation(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    start(l, c, body, look);
}
