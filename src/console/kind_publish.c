/* kind_publish.c - the signed list of the server's repository: compared with what was published,
 * shown, signed; and by itself after a change that a person has confirmed.
 *
 * By itself only that very change is published: whatever else differs from the last list - which
 * the server, or somebody else, has put there - is for a person to look at first.
 */
#include "console/local_publish.h"
#include "console/publishing.h"

struct publish {
    struct wa_publishing *p;
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
    enum wa_code code = wa_publishing_judge(k->p, show, k, err);
    wa_jw_end(&k->w);
    wa_jw_end(&k->w);
    if (code == WA_E_REFUSED && k->refused.code != WA_OK)
        return wa_fail(err, WA_E_REFUSED, "%s (%s)", err->text, k->refused.text);
    if (code != WA_OK)
        return code;
    const struct wa_publish_job *job = wa_publishing_job(k->p);
    (void)snprintf(text, sizeof text, "%zu", k->counts[WA_PUBLISH_SAME]);
    wa_local_say(p, wa_text("As before"), wa_sv(text));
    wa_local_say_time(p, wa_text("Good until"), job->next->expires);
    wa_buf_addf(&p->title, wa_text("publish list %lld of the repository"),
                (long long)job->o.version);
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct publish *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    struct wa_sv what, key;
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key}};
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct publish){.shown = p};
    p->own = k;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if (p->options->known == NULL)
        return wa_fail(err, WA_E_CONFIG, "there is no place to remember what was published");
    const struct wa_publishing_options o = {.client = client, .known = p->options->known};
    return wa_publishing_open(&o, &k->p, err) == WA_OK ? judge(p, k, err) : err->code;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct publish *k = p->own;
    wa_publishing_reach(k->p, client);
    if (wa_publishing_sign(k->p, signer, err) != WA_OK)
        return err->code;
    wa_jw_kvi(w, "version", wa_publishing_job(k->p)->o.version);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct publish *k = p->own;
    if (k != NULL)
        wa_publishing_free(k->p);
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

static enum wa_code publish(const char *known, const struct wa_local_changes *ours,
                            struct wa_client *client, const struct wa_signer *signer,
                            int64_t *ret_version, struct wa_err *err)
{
    WA_AUTO(wa_publishing) struct wa_publishing *p = NULL;
    const struct wa_publishing_options o = {.client = client, .known = known};
    struct after a = {.ours = ours};
    if (wa_publishing_open(&o, &p, err) != WA_OK ||
        wa_publishing_judge(p, compare, &a, err) != WA_OK)
        return err->code;
    if (a.strange > 0) {
        *err = a.first;
        return err->code;
    }
    *ret_version = wa_publishing_job(p)->o.version;
    return wa_publishing_sign(p, signer, err);
}

void wa_local_publish_after(const struct wa_local_prepared *p, const struct wa_local_changes *ours,
                            struct wa_client *client, const struct wa_signer *signer,
                            struct wa_jw *w)
{
    struct wa_err err = WA_ERR_INIT;
    bool is_known = false;
    int64_t version = 0;
    const char *state = "none";
    if (ours->n > 0 && p->options->known != NULL &&
        wa_publishing_is_known(p->options->known, &is_known, &err) == WA_OK && is_known)
        state = publish(p->options->known, ours, client, signer, &version, &err) == WA_OK
                    ? "done"
                    : "waiting";
    wa_jw_key(w, "published");
    wa_jw_obj(w);
    wa_jw_kv(w, "state", err.code == WA_OK ? state : "waiting");
    wa_jw_kvi(w, "version", err.code == WA_OK ? version : 0);
    wa_jw_kv(w, "error", err.code == WA_OK ? NULL : err.text);
    wa_jw_end(w);
}
