/* kind_root.c - the next root of the repository: composed from what a person wants it to say, or
 * read from the file that the administrator before him has signed; shown against the one in force,
 * as it is known here; signed by him, and given back. It is sent by another call, when all have
 * signed it.
 *
 * The first root has none before it that vouches for it. A console believes one only by a person's
 * gesture: that of the last signature, or of whoever takes over a root that others have signed.
 */
#include "console/local_kind.h"
#include "console/root_wish.h"
#include "os/clock.h"

struct rooting {
    struct wa_dir known;
    struct wa_root *in_force,
        *root;            /* in_force NULL: none yet. root: read back from its document */
    const char *document; /* of one that others have signed, in p's arena */
};

static enum wa_code read_request(struct rooting *k, const struct wa_json *request,
                                 struct wa_err *err)
{
    struct wa_sv what, key, document = WA_SV("");
    const struct wa_json *wish = NULL;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"document", WA_WANT_SV, false, WA_ROOT_BYTES_MAX, &document},
        {"wish", WA_WANT_OBJECT, false, 0, &wish}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if ((document.n > 0) == (wish != NULL))
        return wa_fail(err, WA_E_INVALID, "a root that somebody has signed, or what is to change");
    if (document.n > 0)
        return wa_root_read(document, &k->root, err);
    return wa_root_of_wish(k->in_force, wish, wa_clock_now(), &k->root, err);
}

static void say(void *user, const char *label, struct wa_sv value)
{
    wa_local_say(user, label, value);
}

static enum wa_code show(struct wa_local_prepared *p, const struct rooting *k, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw w;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "root");
    wa_root_write_shown(k->root, k->in_force, &w);
    bool is_missing = wa_root_check_after(k->in_force, k->root, &why) != WA_OK;
    wa_jw_kv(&w, "missing", is_missing ? why.text : NULL);
    wa_jw_end(&w);
    if (k->in_force == NULL)
        wa_local_say(p, wa_text("Until now"),
                     wa_sv(wa_text("no root: whoever has this one obeys "
                                   "it alone, and there is no way back")));
    wa_buf_addf(&p->title, wa_text("root version %lld"), (long long)k->root->version);
    return wa_root_say(k->root, k->in_force, say, p, err);
}

static enum wa_code begin(struct wa_local_prepared *p, struct rooting **ret, struct wa_err *err)
{
    struct rooting *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct rooting){.known = WA_DIR_INIT};
    p->own = *ret = k;
    return wa_known_open(p->options->server, &k->known, err);
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct rooting *k = NULL;
    if (begin(p, &k, err) != WA_OK ||
        wa_known_root_or_none(&k->known, client, &k->in_force, err) != WA_OK ||
        read_request(k, request, err) != WA_OK ||
        wa_root_check_signable(k->in_force, k->root, p->signer, err) != WA_OK)
        return err->code;
    return show(p, k, err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct rooting *k = p->own;
    WA_AUTO(wa_root) struct wa_root *known = NULL;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_sign(k->in_force, k->root, signer, &json, &why, err) != WA_OK)
        return err->code;
    bool is_begun = k->in_force == NULL && why.code == WA_OK;
    if (is_begun && wa_known_begin(&k->known, client, wa_buf_sv(&json), &known, err) != WA_OK)
        return err->code;
    wa_jw_kvsv(w, "document", wa_buf_sv(&json));
    wa_jw_kvb(w, "in_force", is_begun);
    wa_jw_kvi(w, "version", k->root->version);
    wa_jw_kv(w, "missing", why.code == WA_OK ? NULL : why.text);
    return WA_OK;
}

/* --- a root that others have signed, to be known here --- */

static enum wa_code prepare_known(struct wa_local_prepared *p, const struct wa_json *request,
                                  struct wa_client *client, struct wa_err *err)
{
    struct rooting *k = NULL;
    struct wa_sv what, document = WA_SV("");
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"document", WA_WANT_SV, true, WA_ROOT_BYTES_MAX, &document}};
    WA_UNUSED(client);
    if (begin(p, &k, err) != WA_OK ||
        wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        wa_root_read(document, &k->root, err) != WA_OK || wa_root_check(k->root, err) != WA_OK)
        return err->code;
    k->document = wa_arena_strdup(&p->arena, document);
    return k->document != NULL ? show(p, k, err) : wa_nomem(err);
}

static enum wa_code commit_known(struct wa_local_prepared *p, const struct wa_signer *signer,
                                 struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct rooting *k = p->own;
    WA_AUTO(wa_root) struct wa_root *known = NULL;
    WA_UNUSED(signer);
    if (wa_known_begin(&k->known, client, wa_sv(k->document), &known, err) != WA_OK)
        return err->code;
    wa_jw_kvi(w, "version", known->version);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct rooting *k = p->own;
    if (k == NULL)
        return;
    wa_dir_close(&k->known);
    wa_root_free(k->in_force);
    wa_root_free(k->root);
}

const struct wa_local_kind wa_local_kind_root = {.what = "root",
                                                 .prepare = prepare,
                                                 .commit = commit,
                                                 .discard = discard,
                                                 .gesture = WA_LOCAL_GESTURE_ALWAYS};
const struct wa_local_kind wa_local_kind_known_root = {.what = "known-root",
                                                       .prepare = prepare_known,
                                                       .commit = commit_known,
                                                       .discard = discard,
                                                       .gesture = WA_LOCAL_GESTURE_ALWAYS,
                                                       .is_unsigned = true};
