/* repo_walk.c - an update under an accepted root: the documents of the repository, then which
 * entries of its index count.
 *
 * What is accepted is written down at once, the root first: whatever is withheld afterwards, a
 * revocation counts and a version never goes down. What is refused changes nothing.
 */
#include "agent/repo_fetch.h"
#include "agent/repo_trust.h"
#include "agent/tasks.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"

/* --- the documents --- */

struct walk {
    struct wa_task_run *run;
    const struct wa_agent_repo *repo;
    struct wa_sv address;
    struct wa_follow *follow;
    struct wa_buf list; /* a new one, that waits for nothing but to be written down */
    struct wa_buf stamp;
};

/* *ret_found false: the repository has no such file. */
static enum wa_code fetch(const struct walk *w, const struct wa_follow_want *want,
                          struct wa_buf *out, bool *ret_found, struct wa_err *err)
{
    char url[2048];
    struct wa_fetch_result got = {0};
    struct wa_buf_sink sink;
    (void)snprintf(url, sizeof url, "%.*s/%s", WA_SV_ARG(w->address), want->name);
    wa_buf_init(out, want->max_bytes);
    wa_buf_sink_init(&sink, out);
    const struct wa_repo_get get = {.url = url, .max_bytes = want->max_bytes};
    if (wa_repo_fetch(w->run, w->repo, &get, &sink.base, &got, err) != WA_OK)
        return wa_wrap(err, "'%s'", want->name);
    *ret_found = got.status == 200;
    if (got.status != 200 && got.status != 404)
        return wa_fail(err, WA_E_UNREACHABLE, "'%s' answered with status %d", url, got.status);
    return wa_buf_check(out, err);
}

/* Keeps what this step brought. */
static enum wa_code keep(struct walk *w, const struct wa_follow_want *want, struct wa_buf *text,
                         struct wa_err *err)
{
    struct wa_db *db = w->run->m->tdb;
    const struct wa_root *r = wa_follow_root(w->follow);
    if (want->kind == WA_FOLLOW_ROOT) {
        wa_log(&w->run->m->log, WA_LOG_INFO, "root.followed", WA_LF_I("version", r->version));
        return wa_repo_trust_save_root(db, wa_buf_sv(text), wa_follow_published(w->follow) != NULL,
                                       err);
    }
    struct wa_buf *to = want->kind == WA_FOLLOW_TIMESTAMP ? &w->stamp : &w->list;
    *to = *text;
    *text = (struct wa_buf){NULL, 0, 0, 0, WA_OK};
    return WA_OK;
}

static enum wa_code step(struct walk *w, const struct wa_follow_want *want, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text = {NULL, 0, 0, 0, WA_OK};
    bool found = false;
    if (fetch(w, want, &text, &found, err) != WA_OK)
        return err->code;
    const struct wa_sv bytes = wa_buf_sv(&text);
    if (wa_follow_take(w->follow, found ? &bytes : NULL, err) != WA_OK)
        return wa_wrap(err, "'%s'", want->name);
    return found ? keep(w, want, &text, err) : WA_OK;
}

static enum wa_code begin(struct walk *w, const struct wa_repo_trust *t, struct wa_err *err)
{
    struct wa_sv list = t->published != NULL ? wa_buf_sv(&t->list) : WA_SV("");
    return wa_follow_new(wa_buf_sv(&t->json), list, wa_clock_now(), &w->follow, err);
}

static enum wa_code walk(struct walk *w, const struct wa_repo_trust *t, struct wa_err *err)
{
    struct wa_follow_want want;
    if (begin(w, t, err) != WA_OK)
        return err->code;
    while (wa_follow_want(w->follow, &want))
        if (step(w, &want, err) != WA_OK)
            return err->code;
    return wa_repo_trust_save_state(w->run->m->tdb, wa_buf_sv(&w->list), wa_buf_sv(&w->stamp), err);
}

enum wa_code wa_repo_walk(struct wa_task_run *run, const struct wa_agent_repo *repo,
                          struct wa_sv address, struct wa_repo_trust *t, struct wa_err *err)
{
    struct walk w = {.run = run, .repo = repo, .address = address};
    wa_buf_init(&w.list, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&w.stamp, WA_TIMESTAMP_BYTES_MAX);
    struct wa_repo_trust fresh;
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = walk(&w, t, err);
    wa_follow_free(w.follow);
    wa_buf_fini(&w.list);
    wa_buf_fini(&w.stamp);
    /* After a failure too: the next mirror is asked by the root that this one brought. What can't
     * be loaded leaves t as it was, never without a root. */
    if (wa_repo_trust_load(run->m, run->m->tdb, &fresh, &why) == WA_OK) {
        wa_repo_trust_fini(t);
        *t = fresh;
    } else if (code == WA_OK) {
        *err = why;
    }
    return err->code;
}

/* --- the index --- */

/* The judgement of one signer of the index. */
struct signer {
    struct wa_err why; /* code WA_OK: who is trusted */
    struct wa_trust_result who;
};

struct judge {
    const struct wa_repo_trust *t;
    const struct wa_index *ix;
    const struct wa_trust *anchors;
    struct wa_map signers; /* fingerprint -> struct signer *, owned */
};

static enum wa_code find_signer(struct judge *j, const char *fingerprint, struct signer **ret,
                                struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    *ret = wa_map_get(&j->signers, wa_sv(fingerprint));
    if (*ret != NULL)
        return WA_OK;
    struct signer *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    enum wa_code code = wa_index_chain(j->ix, fingerprint, &chain, &s->why);
    if (code == WA_OK)
        code = wa_trust_check(j->anchors, &chain, wa_clock_now(), &s->who, &s->why);
    if (code == WA_E_NOMEM || wa_map_put(&j->signers, wa_sv(fingerprint), s, NULL, err) != WA_OK) {
        wa_free(s);
        return wa_nomem(err);
    }
    *ret = s;
    return WA_OK;
}

/* Whether there is code in it only the package itself can say. */
static enum wa_code judge_entry(struct judge *j, const struct wa_control *c, struct wa_err *err)
{
    struct signer *s = NULL;
    const char *file = wa_control_get(c, WA_A_FILENAME);
    if (find_signer(j, wa_control_get(c, WA_A_SIGNER_FINGERPRINT), &s, err) != WA_OK)
        return err->code;
    if (s->why.code != WA_OK) {
        *err = s->why;
        return err->code;
    }
    if (wa_repo_trust_package(j->t, &s->who, c, false, err) != WA_OK)
        return err->code;
    return wa_published_find(j->t->published, wa_sv(file)) != NULL
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "'%s' is not in the list of what is published", file);
}

static enum wa_code judge_all(struct judge *j, struct wa_index *ix, wa_index_discard_fn discard,
                              void *user, size_t *discarded, struct wa_err *err)
{
    size_t kept = 0, count = ix->n;
    for (size_t i = 0; i < count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (err->code == WA_OK && judge_entry(j, &ix->items[i], &why) == WA_OK) {
            ix->items[kept++] = ix->items[i];
            continue;
        }
        if (why.code == WA_E_NOMEM)
            (void)wa_nomem(err);
        else if (err->code == WA_OK)
            discard(user, &ix->items[i], &why);
        wa_control_fini(&ix->items[i]);
    }
    ix->n = kept;
    *discarded += count - kept;
    return err->code;
}

enum wa_code wa_repo_trust_index(const struct wa_repo_trust *t, const struct wa_trust *anchors,
                                 struct wa_index *ix, wa_index_discard_fn discard, void *user,
                                 size_t *discarded, struct wa_err *err)
{
    struct judge j = {.t = t, .ix = ix, .anchors = anchors};
    if (t->root == NULL)
        return WA_OK;
    if (t->published == NULL)
        return wa_fail(err, WA_E_REFUSED, "nothing that the repository publishes is known yet");
    if (wa_rand_map(&j.signers, err) != WA_OK)
        return err->code;
    enum wa_code code = judge_all(&j, ix, discard, user, discarded, err);
    for (size_t i = 0; i < j.signers.n; i++)
        wa_free(j.signers.items[i].value);
    wa_map_fini(&j.signers);
    return code;
}
