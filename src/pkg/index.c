/* index.c - the Packages file, read. Nothing in it is believed until
 * wa_index_keep_trusted() (index_judge.c) has judged it. */
#include "pkg/index.h"

#include "base/map.h"
#include "codec/zip_write.h"
#include "pkg/index_priv.h"

void wa_index_init(struct wa_index *ix)
{
    *ix = (struct wa_index){.n = 0};
}

void wa_index_fini(struct wa_index *ix)
{
    for (size_t i = 0; i < ix->n; i++)
        wa_control_fini(&ix->items[i]);
    WA_VEC_FREE(ix);
    wa_free(ix->digests);
    wa_certs_fini(&ix->certs);
    wa_index_crls_fini(ix);
    wa_index_init(ix);
}

/* --- reading --- */

static enum wa_code read_cert(struct wa_members *m, size_t i, struct wa_index *ix,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_buf_sink sink;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_sink_init(&sink, &pem);
    if (m->read(m, i, &sink.base, err) != WA_OK)
        return err->code;
    /* A certificate that can't be read helps nobody: entries that need it will be refused. */
    enum wa_code code = wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &ix->certs, &why);
    return code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

enum wa_code wa_index_read_certs(struct wa_members *m, struct wa_index *ix, struct wa_err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        struct wa_sv name = wa_sv(m->items[i].name.p);
        if (!wa_sv_starts(name, "ssl/") || !wa_sv_ends(name, ".crt") ||
            ix->certs.n >= WA_ANCHORS_MAX)
            continue;
        if (read_cert(m, i, ix, err) != WA_OK)
            return wa_wrap(err, "reading the index: certificate '%s'", m->items[i].name.p);
    }
    return wa_index_crls_read(m, ix, err);
}

enum wa_code wa_index_each(struct wa_members *m, wa_index_entry_fn fn, void *user, size_t *ret_bad,
                           struct wa_err *err)
{
    WA_AUTO_BLOCKS struct wa_blocks blocks;
    size_t at;
    wa_blocks_init(&blocks, fn, user);
    if (!wa_members_find(m, "Packages", &at))
        return wa_fail(err, WA_E_INVALID, "not an index: 'Packages' is not in it");
    if (m->read(m, at, &blocks.base, err) != WA_OK || wa_blocks_end(&blocks, err) != WA_OK)
        return wa_wrap(err, "reading the index");
    *ret_bad = blocks.bad;
    return WA_OK;
}

struct keeper {
    struct wa_index ix;
    struct wa_digest *digest; /* NULL: none asked for */
};

static enum wa_code keep_entry(void *user, struct wa_control *c, struct wa_err *err)
{
    struct keeper *k = user;
    struct wa_index *ix = &k->ix;
    struct wa_control *slot = WA_VEC_PUSH(ix);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = *c;
    wa_control_init(c);
    if (k->digest == NULL)
        return WA_OK;
    if (!wa_vec_grow_((void **)(void *)&ix->digests, ix->digests_n, &ix->digests_cap,
                      sizeof ix->digests[0]))
        return wa_nomem(err);
    return wa_entry_digest(k->digest, slot, &ix->digests[ix->digests_n++], err);
}

static enum wa_code read_whole(struct wa_members *members, struct wa_digest *digest,
                               struct wa_index *ret, size_t *ret_bad, struct wa_err *err)
{
    struct keeper k = {.digest = digest};
    size_t bad = 0;
    wa_index_init(&k.ix);
    if (wa_index_each(members, keep_entry, &k, &bad, err) != WA_OK ||
        wa_index_read_certs(members, &k.ix, err) != WA_OK) {
        wa_index_fini(&k.ix);
        return err->code;
    }
    *ret = k.ix;
    *ret_bad = bad;
    return WA_OK;
}

enum wa_code wa_index_read(struct wa_members *members, struct wa_index *ret, size_t *ret_bad,
                           struct wa_err *err)
{
    return read_whole(members, NULL, ret, ret_bad, err);
}

enum wa_code wa_index_read_digests(struct wa_members *members, struct wa_index *ret,
                                   size_t *ret_bad, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *digest = NULL;
    if (wa_digest_new(WA_SHA256, &digest, err) != WA_OK)
        return err->code;
    return read_whole(members, digest, ret, ret_bad, err);
}

/* --- chains --- */

static struct wa_cert *find_cert(const struct wa_certs *list, const char *fingerprint)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(wa_cert_fingerprint(list->items[i]), fingerprint) == 0)
            return list->items[i];
    return NULL;
}

/* The signer's certificate, and upwards from it those that name themselves its issuers, as far as a
 * chain may go. */
enum wa_code wa_index_chain(const struct wa_index *ix, const char *fingerprint,
                            struct wa_certs *chain, struct wa_err *err)
{
    struct wa_cert *signer = find_cert(&ix->certs, fingerprint);
    if (signer == NULL)
        return wa_fail(err, WA_E_REFUSED, "the index does not carry the signer's certificate %s",
                       fingerprint);
    if (wa_certs_add(chain, signer, err) != WA_OK)
        return err->code;
    for (size_t from = 0; from < chain->n; from++)
        for (size_t i = 0; i < ix->certs.n && chain->n < WA_CHAIN_MAX; i++)
            if (strcmp(wa_cert_issuer(chain->items[from]), wa_cert_subject(ix->certs.items[i])) ==
                    0 &&
                wa_certs_add(chain, ix->certs.items[i], err) != WA_OK)
                return err->code;
    return WA_OK;
}

/* --- filling --- */

enum wa_code wa_index_take(struct wa_index *ix, struct wa_control *c, const struct wa_certs *chain,
                           struct wa_err *err)
{
    for (size_t i = 0; i < chain->n; i++)
        if (wa_certs_add(&ix->certs, chain->items[i], err) != WA_OK)
            return err->code;
    struct wa_control *slot = WA_VEC_PUSH(ix);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = *c;
    wa_control_init(c);
    return WA_OK;
}

enum wa_code wa_index_add(struct wa_index *ix, const struct wa_control *c,
                          const struct wa_certs *chain, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control copy;
    wa_control_init(&copy);
    if (wa_control_copy(c, &copy, err) != WA_OK)
        return err->code;
    return wa_index_take(ix, &copy, chain, err);
}
