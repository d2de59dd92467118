/* build_papers.c - what signing adds to a package: control, certificates, manifests, signatures.
 *
 * A listing has the digests of all other members, once for each manifest. The pair over SHA-1 only
 * ever stands beside the one over SHA-256: nothing that reads SHA-256 looks at it.
 */
#include "pkg/build_priv.h"

#include "codec/base64.h"

static const char *const paper_names[WA_PAPERS_MAX] = {
    "WAPT/control",          "WAPT/certificate.crt", "WAPT/manifest.sha256",
    "WAPT/signature.sha256", "WAPT/manifest.sha1",   "WAPT/signature"};

/* --- the listing --- */

void wa_listing_init(struct wa_listing *l)
{
    *l = (struct wa_listing){.also_sha1 = false};
    wa_manifest_init(&l->sha256);
    wa_manifest_init(&l->sha1);
}

void wa_listing_fini(struct wa_listing *l)
{
    wa_manifest_fini(&l->sha256);
    wa_manifest_fini(&l->sha1);
    wa_digest_free(l->d256);
    wa_digest_free(l->d1);
    l->d256 = NULL;
    l->d1 = NULL;
}

enum wa_code wa_listing_open(struct wa_listing *l, const struct wa_build_options *o,
                             struct wa_err *err)
{
    l->also_sha1 = o != NULL && o->also_sha1;
    if (wa_digest_new(WA_SHA256, &l->d256, err) != WA_OK)
        return err->code;
    return l->also_sha1 ? wa_digest_new(WA_SHA1, &l->d1, err) : WA_OK;
}

struct wa_sink *wa_listing_start(struct wa_listing *l)
{
    wa_digest_sink_init(&l->second, l->d1, NULL);
    wa_digest_sink_init(&l->first, l->d256, l->also_sha1 ? &l->second.base : NULL);
    return &l->first.base;
}

enum wa_code wa_listing_end(struct wa_listing *l, const struct wa_relpath *name, struct wa_err *err)
{
    char digest[WA_DIGEST_HEX_MAX] = "";
    if (wa_digest_hex(l->d256, digest, err) != WA_OK ||
        wa_manifest_add(&l->sha256, name, digest, err) != WA_OK)
        return err->code;
    if (!l->also_sha1)
        return WA_OK;
    memset(digest, 0, sizeof digest);
    if (wa_digest_hex(l->d1, digest, err) != WA_OK)
        return err->code;
    return wa_manifest_add(&l->sha1, name, digest, err);
}

enum wa_code wa_listing_source(struct wa_listing *l, const struct wa_relpath *name,
                               struct wa_source *source, struct wa_err *err)
{
    char digest[WA_DIGEST_HEX_MAX] = "";
    if (wa_digest_source(WA_SHA256, source, digest, err) != WA_OK ||
        wa_manifest_add(&l->sha256, name, digest, err) != WA_OK)
        return err->code;
    if (!l->also_sha1)
        return WA_OK;
    memset(digest, 0, sizeof digest);
    if (wa_digest_source(WA_SHA1, source, digest, err) != WA_OK)
        return err->code;
    return wa_manifest_add(&l->sha1, name, digest, err);
}

/* --- papers --- */

void wa_papers_init(struct wa_papers *p)
{
    static const size_t caps[WA_PAPERS_MAX] = {WA_CONTROL_BYTES_MAX,  WA_CERTFILE_BYTES_MAX,
                                               WA_MANIFEST_BYTES_MAX, WA_SIGNATURE_BYTES_MAX,
                                               WA_MANIFEST_BYTES_MAX, WA_SIGNATURE_BYTES_MAX};
    p->n = 0;
    for (size_t i = 0; i < WA_PAPERS_MAX; i++)
        wa_buf_init(&p->bytes[i], caps[i]);
}

void wa_papers_fini(struct wa_papers *p)
{
    for (size_t i = 0; i < WA_PAPERS_MAX; i++)
        wa_buf_fini(&p->bytes[i]);
}

struct wa_relpath wa_papers_name(size_t i)
{
    struct wa_relpath p;
    p.n = strlen(paper_names[i]);
    memcpy(p.p, paper_names[i], p.n + 1);
    return p;
}

bool wa_papers_is_generated(const char *name)
{
    for (size_t i = 0; i < WA_PAPERS_MAX; i++)
        if (strcmp(name, paper_names[i]) == 0)
            return true;
    return wa_manifest_is_unlisted(name);
}

static enum wa_code list_paper(struct wa_listing *l, size_t i, const struct wa_buf *bytes,
                               struct wa_err *err)
{
    struct wa_mem_source source;
    struct wa_relpath name = wa_papers_name(i);
    wa_mem_source_init(&source, bytes->p, bytes->n);
    return wa_listing_source(l, &name, &source.base, err);
}

/* A manifest and its signature. */
static enum wa_code seal(const struct wa_manifest *m, const struct wa_key *key, bool sha1,
                         struct wa_buf *manifest, struct wa_buf *signature, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_manifest_write(m, manifest, err) != WA_OK)
        return err->code;
    enum wa_code code = sha1 ? wa_sign_sha1(key, wa_buf_sv(manifest), &raw, err)
                             : wa_sign(key, wa_buf_sv(manifest), &raw, err);
    if (code != WA_OK)
        return code;
    wa_base64_encode_mime(raw.p, raw.n, signature);
    return wa_buf_check(signature, err);
}

enum wa_code wa_papers_make(struct wa_control *c, const struct wa_signer *s, struct wa_listing *l,
                            struct wa_papers *ret, struct wa_err *err)
{
    struct wa_buf *b = ret->bytes;
    if (wa_sign_control(c, s, &l->sha256, err) != WA_OK ||
        wa_control_write(c, false, &b[0], err) != WA_OK || list_paper(l, 0, &b[0], err) != WA_OK ||
        wa_certs_write_pem(s->chain, &b[1], err) != WA_OK ||
        list_paper(l, 1, &b[1], err) != WA_OK ||
        seal(&l->sha256, s->key, false, &b[2], &b[3], err) != WA_OK ||
        (l->also_sha1 && seal(&l->sha1, s->key, true, &b[4], &b[5], err) != WA_OK))
        return wa_wrap(err, "signing");
    ret->n = l->also_sha1 ? 6 : 4;
    return WA_OK;
}
