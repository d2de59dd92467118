/* kind_publish.c - the signed list of the server's repository: compared with what was published,
 * shown, signed; and by itself after a change that a person has confirmed.
 *
 * By itself only that very change is published: whatever else differs from the last list - which
 * the server, or somebody else, has put there - is for a person to look at first.
 */
#include "console/local_publish.h"
#include "console/publishing.h"
#include "console/revoking.h"

struct publish {
    struct wa_publishing p;
    struct wa_dir known;        /* what was seen of the repository */
    struct wa_revoking revoked; /* certificates that this list takes away */
    struct wa_local_prepared *shown;
    struct wa_jw w; /* of the files, into the details */
    size_t counts[4];
    struct wa_err refused; /* the first that a machine would not take */
};

static const char *const change_names[] = {"same", "added", "changed", "gone"};

static void show(void *user, enum wa_publish_change change, struct wa_sv file,
                 const struct wa_err *why)
{
    struct publish *k = user;
    const char *const labels[] = {WA_TEXT("Refused"), WA_TEXT("Added"), WA_TEXT("Changed"),
                                  WA_TEXT("Gone")};
    k->counts[change]++;
    if (why->code != WA_OK && k->refused.code == WA_OK)
        (void)wa_fail(&k->refused, why->code, "'%.*s': %s", WA_SV_ARG(file), why->text);
    if (change == WA_PUBLISH_SAME && why->code == WA_OK)
        return;
    wa_local_say(k->shown, wa_text(labels[change]), file);
    wa_jw_obj(&k->w);
    wa_jw_kvsv(&k->w, "file", file);
    wa_jw_kv(&k->w, "change", change_names[change]);
    wa_jw_kv(&k->w, "code", wa_code_name(why->code));
    wa_jw_kv(&k->w, "error", why->code == WA_OK ? NULL : why->text);
    wa_jw_end(&k->w);
}

static enum wa_code judge(struct wa_local_prepared *p, struct publish *k, struct wa_err *err)
{
    char text[64];
    wa_jw_init(&k->w, &p->details);
    wa_jw_obj(&k->w);
    wa_jw_key(&k->w, "files");
    wa_jw_arr(&k->w);
    enum wa_code code = wa_publish_job_prepare(&k->p.job, show, k, err);
    wa_jw_end(&k->w);
    wa_jw_end(&k->w);
    if (code == WA_E_REFUSED && k->refused.code != WA_OK)
        return wa_fail(err, WA_E_REFUSED, "%s (%s)", err->text, k->refused.text);
    if (code != WA_OK)
        return code;
    const struct wa_publish_job *job = &k->p.job;
    (void)snprintf(text, sizeof text, "%zu", k->counts[WA_PUBLISH_SAME]);
    wa_local_say(p, wa_text("As before"), wa_sv(text));
    wa_local_say_time(p, wa_text("Good until"), job->next->expires);
    if (k->revoked.count > 0)
        wa_buf_addf(&p->title,
                    wa_text_n("revoke %zu certificate, with list %lld of the repository",
                              "revoke %zu certificates, with list %lld of the repository",
                              k->revoked.count),
                    k->revoked.count, (long long)job->o.version);
    else
        wa_buf_addf(&p->title, wa_text("publish list %lld of the repository"),
                    (long long)job->o.version);
    return WA_OK;
}

static enum wa_code look(struct wa_publishing *p, const struct wa_dir *known,
                         struct wa_client *client, struct wa_err *err)
{
    return wa_publishing_find_root(p, known, client, WA_SV(""), err) == WA_OK
               ? wa_publishing_fetch(p, known, client, NULL, NULL, err)
               : err->code;
}

/* --- with certificates that count no more --- */

static enum wa_code take_revoked(struct publish *k, const struct wa_json *list, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_revoking_add(&k->revoked, wa_json_sv(wa_json_at(list, i)), err) != WA_OK ||
            wa_publish_job_revoke(&k->p.job, wa_json_sv(wa_json_at(list, i)), err) != WA_OK)
            return err->code;
    return WA_OK;
}

static const char *name_of(const struct wa_root *r, const char *fingerprint)
{
    const struct wa_root_signer *s = wa_root_signer(r, fingerprint);
    return s != NULL ? wa_cert_cn(s->cert) : wa_text("not a signer of the root");
}

/* Packages that they signed are told first, in words that say what to do: the list would only be
 * refused. */
static enum wa_code look_at_revoked(struct publish *k, struct wa_client *client, struct wa_err *err)
{
    char text[512];
    if (k->revoked.count == 0)
        return WA_OK;
    if (wa_revoking_find_packages(&k->revoked, client, err) != WA_OK ||
        wa_revoking_check(&k->revoked, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->revoked.count; i++) {
        const char *fingerprint = k->revoked.fingerprints[i];
        (void)snprintf(text, sizeof text, "%s %.300s", fingerprint,
                       name_of(k->p.job.root, fingerprint));
        wa_local_say(k->shown, wa_text("Counts no more"), wa_sv(text));
    }
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    const struct wa_json *revoked = NULL;
    struct publish *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    struct wa_sv what, key;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"revoke", WA_WANT_ARRAY, false, WA_REVOKING_MAX, &revoked}};
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct publish){.shown = p, .known = WA_DIR_INIT};
    wa_publishing_init(&k->p);
    wa_revoking_init(&k->revoked);
    p->own = k;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        take_revoked(k, revoked, err) != WA_OK ||
        wa_known_open(p->options->server, &k->known, err) != WA_OK ||
        look(&k->p, &k->known, client, err) != WA_OK || look_at_revoked(k, client, err) != WA_OK)
        return err->code;
    if (k->p.unknown.code != WA_OK)
        wa_local_say(p, wa_text("Nothing is taken over from the last list"),
                     wa_sv(k->p.unknown.text));
    return judge(p, k, err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct publish *k = p->own;
    if (wa_publishing_commit(&k->p, &k->known, client, signer->chain->items[0], signer->key, err) !=
        WA_OK)
        return err->code;
    wa_jw_kvi(w, "version", k->p.job.o.version);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct publish *k = p->own;
    if (k == NULL)
        return;
    wa_publishing_fini(&k->p);
    wa_revoking_fini(&k->revoked);
    wa_dir_close(&k->known);
}

const struct wa_local_kind wa_local_kind_publish = {.what = "publish",
                                                    .prepare = prepare,
                                                    .commit = commit,
                                                    .discard = discard,
                                                    .gesture = WA_LOCAL_GESTURE_ALWAYS};

/* --- after a change --- */

void wa_local_changes_init(struct wa_local_changes *c)
{
    *c = (struct wa_local_changes){.items = NULL};
}

void wa_local_changes_fini(struct wa_local_changes *c)
{
    for (size_t i = 0; i < c->n; i++)
        wa_free(c->items[i]);
    WA_VEC_FREE(c);
}

void wa_local_changes_add(struct wa_local_changes *c, struct wa_sv file)
{
    struct wa_err ignored = WA_ERR_INIT; /* then a person looks at the list */
    char **slot = WA_VEC_PUSH(c);
    if (slot != NULL && wa_sv_dup(file, slot, &ignored) != WA_OK)
        c->n--;
}

struct after {
    const struct wa_local_changes *ours;
    size_t strange;
    struct wa_err first;
};

static void compare(void *user, enum wa_publish_change change, struct wa_sv file,
                    const struct wa_err *why)
{
    struct after *a = user;
    WA_UNUSED(why);
    if (change == WA_PUBLISH_SAME)
        return;
    for (size_t i = 0; i < a->ours->n; i++)
        if (wa_sv_eqs(file, a->ours->items[i]))
            return;
    if (a->strange++ == 0)
        (void)wa_fail(&a->first, WA_E_CONFLICT,
                      "something else changed, too, and is to be looked at first: '%.*s'",
                      WA_SV_ARG(file));
}

static enum wa_code publish(const struct wa_dir *known, struct wa_publishing *p,
                            const struct wa_local_changes *ours, struct wa_client *client,
                            const struct wa_signer *signer, struct wa_err *err)
{
    struct after a = {.ours = ours};
    if (look(p, known, client, err) != WA_OK ||
        wa_publish_job_prepare(&p->job, compare, &a, err) != WA_OK)
        return err->code;
    if (a.strange > 0) {
        *err = a.first;
        return err->code;
    }
    return wa_publishing_commit(p, known, client, signer->chain->items[0], signer->key, err);
}

void wa_local_publish_after(const struct wa_local_prepared *p, const struct wa_local_changes *ours,
                            struct wa_client *client, const struct wa_signer *signer,
                            struct wa_jw *w)
{
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    struct wa_publishing publishing;
    struct wa_err err = WA_ERR_INIT;
    bool is_done = false;
    wa_publishing_init(&publishing);
    if (ours->n > 0 && wa_known_open(p->options->server, &known, &err) == WA_OK &&
        wa_publish_has_root(&known))
        is_done = publish(&known, &publishing, ours, client, signer, &err) == WA_OK;
    wa_jw_key(w, "published");
    wa_jw_obj(w);
    wa_jw_kv(w, "state", err.code != WA_OK ? "waiting" : is_done ? "done" : "none");
    wa_jw_kvi(w, "version", is_done ? publishing.job.o.version : 0);
    wa_jw_kv(w, "error", err.code != WA_OK ? err.text : NULL);
    wa_jw_end(w);
    wa_publishing_fini(&publishing);
}
