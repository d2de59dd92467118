/* local_make.c - POST /local/make: what a package would be like that is made of files which were
 * dropped into the page, asked at first and again whenever a person has changed something. Nothing
 * of it is kept, nor signed: that is kind_make.c's.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "console/making.h"
#include "os/fs.h"

struct make {
    struct wa_arena arena;
    struct wa_making m;
    const char *files_dir;
    char maintainer[256];
    struct wa_scratch temp;
};

static void add_check(void *user, const char *text)
{
    wa_jw_s(user, text);
}

static enum wa_code write_answer(const struct make *k, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_making *m = &k->m;
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_making_write(m, &w);
    wa_jw_kv(&w, "file", m->inst.file);
    wa_jw_kv(&w, "made_by",
             m->inst.maker == WA_MAKER_UNKNOWN ? NULL : wa_installer_maker_name(m->inst.maker));
    wa_jw_kvsv(&w, "control", wa_buf_sv(&m->text));
    wa_jw_kvsv(&w, "setup", wa_buf_sv(&m->setup));
    wa_jw_key(&w, "checks");
    wa_jw_arr(&w);
    if (!m->is_told) /* they are about what was read */
        wa_template_checks(&m->inst, &m->control, true, add_check, &w);
    wa_jw_end(&w);
    wa_making_write_findings(&m->findings, wa_buf_sv(&m->text), &w);
    if (wa_making_write_icon(wa_buf_sv(&m->icon), &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code work(struct wa_local_job *job, struct wa_err *err)
{
    struct make *k = job->own;
    const struct wa_local_options *o = job->local->o;
    const struct wa_template_options options = {.prefix = o->prefix != NULL ? o->prefix : "",
                                                .maintainer = k->maintainer,
                                                .maturity = o->maturity};
    const struct wa_json *j = NULL;
    if (wa_json_parse(wa_buf_sv(&job->in), 0, &k->arena, &j, err) != WA_OK ||
        wa_making_read(&k->m, j, k->files_dir, &k->arena, NULL, err) != WA_OK ||
        (!k->m.is_told && wa_making_propose(&k->m, &options, o->reader, job->stop, err) != WA_OK) ||
        wa_scratch_open(&k->temp, "wapt-making", err) != WA_OK ||
        wa_making_compose(&k->m, &k->temp.dir, false, o->reader, job->stop, err) != WA_OK)
        return err->code;
    return write_answer(k, &job->out, err);
}

static void fini(struct wa_local_job *job)
{
    struct make *k = job->own;
    if (k == NULL)
        return;
    wa_scratch_close(&k->temp);
    wa_making_fini(&k->m);
    wa_arena_fini(&k->arena);
    wa_free(k);
}

void wa_local_make(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    const struct wa_local_key *key = wa_local_key_find(l, WA_SV(""));
    if (job == NULL)
        return;
    struct make *k = wa_calloc(1, sizeof *k);
    if (k == NULL) {
        (void)wa_nomem(&err);
        wa_local_job_refuse(job, &err);
        return;
    }
    wa_arena_init(&k->arena, 64u << 20);
    wa_making_init(&k->m);
    k->files_dir = l->o->files_dir;
    if (key != NULL)
        (void)snprintf(k->maintainer, sizeof k->maintainer, "%s", wa_cert_cn(key->chain.items[0]));
    job->own = k;
    job->fini = fini;
    job->work = work;
    wa_buf_addsv(&job->in, body);
    wa_local_job_start(job);
}
