/* index_judge.c - which entries of an index a trusted signer stands for (F2B).
 *
 * An index has thousands of entries and few signers: each signer's chain is judged once a call,
 * each entry's signature once, or never again where it is remembered (index_seen.h). Without memory
 * nothing more is judged, and what is not judged is not kept.
 */
#include "pkg/index.h"

#include "base/map.h"
#include "os/rand.h"
#include "pkg/index_priv.h"

/* The judgement of one signer, by fingerprint. */
struct signer {
    enum wa_code code;
    struct wa_err why;
    struct wa_cert *cert; /* borrowed from the index */
};

struct judge {
    const struct wa_index *ix;
    const struct wa_trust *anchors;
    int64_t at;
    struct wa_seen *seen;
    struct wa_map signers; /* fingerprint -> struct signer *, owned */
};

/* Where a package lies is unsigned: it may be any name in the repository's own folder, no more. */
static enum wa_code check_filename(const struct wa_control *c, struct wa_err *err)
{
    struct wa_relpath path;
    const char *name = wa_control_get(c, WA_A_FILENAME);
    if (name[0] == '\0')
        return WA_OK; /* the canonical name is tried */
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return wa_wrap(err, "file name of package '%s'", wa_control_get(c, WA_A_PACKAGE));
    if (strchr(name, '/') != NULL)
        return wa_fail(err, WA_E_REFUSED, "package '%s' lies outside the repository: '%s'",
                       wa_control_get(c, WA_A_PACKAGE), name);
    return WA_OK;
}

/* Only for certificates of the index: of others there could be as many as entries. */
static enum wa_code judge_signer(struct judge *j, const char *fingerprint, struct signer **ret,
                                 struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result trust;
    if (wa_index_chain(j->ix, fingerprint, &chain, err) != WA_OK)
        return err->code;
    struct signer *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    s->cert = chain.items[0];
    s->code = wa_trust_check(j->anchors, &chain, j->at, &trust, &s->why);
    if (s->code == WA_E_NOMEM ||
        wa_map_put(&j->signers, wa_sv(fingerprint), s, NULL, err) != WA_OK) {
        wa_free(s);
        return wa_nomem(err);
    }
    *ret = s;
    return WA_OK;
}

static enum wa_code find_signer(struct judge *j, const struct wa_control *c, struct wa_cert **ret,
                                struct wa_err *err)
{
    const char *fingerprint = wa_control_get(c, WA_A_SIGNER_FINGERPRINT);
    struct signer *s = wa_map_get(&j->signers, wa_sv(fingerprint));
    if (s == NULL && judge_signer(j, fingerprint, &s, err) != WA_OK)
        return err->code;
    if (s->code != WA_OK) {
        *err = s->why;
        return s->code;
    }
    *ret = s->cert;
    return WA_OK;
}

static enum wa_code check_entry(struct judge *j, size_t i, struct wa_err *err)
{
    const struct wa_control *c = &j->ix->items[i];
    struct wa_cert *signer = NULL;
    if (check_filename(c, err) != WA_OK || find_signer(j, c, &signer, err) != WA_OK)
        return err->code;
    if (j->seen == NULL)
        return wa_verify_control_by(c, signer, err);
    const struct wa_entry_digest *digest = &j->ix->digests[i];
    if (!wa_seen_has(j->seen, digest) && wa_verify_control_by(c, signer, err) != WA_OK)
        return err->code;
    return wa_seen_add(j->seen, digest, err);
}

static enum wa_code keep(struct wa_index *ix, struct wa_trust *anchors, struct judge *j,
                         wa_index_discard_fn discard, void *user, size_t *ret_discarded,
                         struct wa_err *err)
{
    size_t kept = 0, count = ix->n;
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = wa_index_crls_teach(ix, anchors, err);
    for (size_t i = 0; i < count; i++) {
        struct wa_control *c = &ix->items[i];
        wa_err_clear(&why);
        if (code == WA_OK && check_entry(j, i, &why) == WA_OK) {
            if (kept++ != i)
                ix->items[kept - 1] = *c;
            continue;
        }
        if (why.code == WA_E_NOMEM)
            code = wa_nomem(err);
        else if (code == WA_OK && discard != NULL)
            discard(user, c, &why);
        wa_control_fini(c);
    }
    ix->n = kept;
    if (code == WA_OK)
        *ret_discarded = count - kept;
    return code;
}

enum wa_code wa_index_keep_trusted(struct wa_index *ix, struct wa_trust *anchors, int64_t at,
                                   struct wa_seen *seen, wa_index_discard_fn discard, void *user,
                                   size_t *ret_discarded, struct wa_err *err)
{
    struct judge j = {.ix = ix, .anchors = anchors, .at = at, .seen = seen};
    if (seen != NULL && ix->digests_n != ix->n)
        return wa_fail(err, WA_E_INTERNAL, "an index without digests can't be remembered");
    if (wa_rand_map(&j.signers, err) != WA_OK)
        return err->code;
    enum wa_code code = keep(ix, anchors, &j, discard, user, ret_discarded, err);
    for (size_t i = 0; i < j.signers.n; i++)
        wa_free(j.signers.items[i].value);
    wa_map_fini(&j.signers);
    wa_free(ix->digests); /* they don't follow the entries */
    ix->digests = NULL;
    ix->digests_n = ix->digests_cap = 0;
    return code;
}
