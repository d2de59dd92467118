/* build_output.c - the signed end of a package, and the way of its archive into place.
 *
 * The archive is written beside its place, verified as a stranger would, then renamed: what stands
 * under its name is whole and holds.
 */
#include "pkg/build_priv.h"

#include "codec/base64.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "pkg/verify.h"

/* --- papers --- */

static const char *const paper_names[WA_PAPERS_COUNT] = {
    "WAPT/control", "WAPT/certificate.crt", "WAPT/manifest.sha256", "WAPT/signature.sha256"};

void wa_papers_init(struct wa_papers *p)
{
    wa_buf_init(&p->control, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&p->chain, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&p->manifest, WA_MANIFEST_BYTES_MAX);
    wa_buf_init(&p->signature, WA_SIGNATURE_BYTES_MAX);
}

void wa_papers_fini(struct wa_papers *p)
{
    wa_buf_fini(&p->control);
    wa_buf_fini(&p->chain);
    wa_buf_fini(&p->manifest);
    wa_buf_fini(&p->signature);
}

struct wa_relpath wa_papers_name(size_t i)
{
    struct wa_relpath p;
    p.n = strlen(paper_names[i]);
    memcpy(p.p, paper_names[i], p.n + 1);
    return p;
}

const struct wa_buf *wa_papers_bytes(const struct wa_papers *p, size_t i)
{
    const struct wa_buf *const order[WA_PAPERS_COUNT] = {&p->control, &p->chain, &p->manifest,
                                                         &p->signature};
    return order[i];
}

bool wa_papers_is_generated(const char *name)
{
    for (size_t i = 0; i < WA_PAPERS_COUNT; i++)
        if (strcmp(name, paper_names[i]) == 0)
            return true;
    return wa_manifest_is_unlisted(name);
}

static enum wa_code list_paper(struct wa_manifest *m, size_t i, const struct wa_buf *bytes,
                               struct wa_err *err)
{
    char digest[WA_SHA256_HEX];
    struct wa_relpath name = wa_papers_name(i);
    if (wa_sha256_hex(bytes->p, bytes->n, digest, err) != WA_OK)
        return err->code;
    return wa_manifest_add(m, &name, digest, err);
}

enum wa_code wa_papers_make(const struct wa_control *c, const struct wa_signer *s,
                            struct wa_manifest *m, struct wa_papers *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_control_write(c, false, &ret->control, err) != WA_OK ||
        list_paper(m, 0, &ret->control, err) != WA_OK ||
        wa_certs_write_pem(s->chain, &ret->chain, err) != WA_OK ||
        list_paper(m, 1, &ret->chain, err) != WA_OK ||
        wa_manifest_write(m, &ret->manifest, err) != WA_OK ||
        wa_sign(s->key, wa_buf_sv(&ret->manifest), &raw, err) != WA_OK)
        return wa_wrap(err, "signing");
    wa_base64_encode_mime(raw.p, raw.n, &ret->signature);
    return wa_buf_check(&ret->signature, err);
}

/* --- archive --- */

void wa_output_fini(struct wa_output *o)
{
    struct wa_err ignored = WA_ERR_INIT;
    wa_zip_writer_free(o->zip);
    o->zip = NULL;
    wa_fd_close(&o->fd);
    if (o->temp.n > 0)
        (void)!wa_file_remove(&o->dir, &o->temp, &ignored);
    o->temp.n = 0;
    wa_dir_close(&o->dir);
}

enum wa_code wa_output_open(struct wa_output *o, const char *dir, struct wa_err *err)
{
    char suffix[17];
    uint64_t seed;
    struct wa_relpath name;
    if (wa_dir_open(dir, &o->dir, err) != WA_OK || wa_rand_hex(suffix, 8, err) != WA_OK ||
        wa_rand_bytes(&seed, sizeof seed, err) != WA_OK)
        return err->code;
    name.n = (size_t)snprintf(name.p, sizeof name.p, ".wapt.%s.tmp", suffix);
    if (wa_file_create(&o->dir, &name, 0644, &o->fd, err) != WA_OK)
        return err->code;
    o->temp = name;
    wa_fd_sink_init(&o->sink, o->fd);
    return wa_zip_writer_new(&o->sink.base, wa_clock_now(), seed, &o->zip, err);
}

/* Would a stranger who trusts only this signer take what was written? */
static enum wa_code verify_output(const struct wa_output *o, const struct wa_signer *s,
                                  struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_fd_source source;
    wa_verdict_init(&v);
    if (wa_trust_new(&anchors, err) != WA_OK ||
        wa_trust_add(anchors, s->chain->items[0], err) != WA_OK ||
        wa_fd_source_init(&source, o->fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_verify_package(wa_archive_members_get(members), anchors, wa_clock_now(), NULL, NULL, &v,
                          err) != WA_OK)
        return wa_wrap(err, "agents would refuse the new package");
    return WA_OK;
}

enum wa_code wa_output_commit(struct wa_output *o, const struct wa_control *c,
                              const struct wa_signer *s, struct wa_manifest *m, const char *name,
                              struct wa_err *err)
{
    WA_AUTO_PAPERS struct wa_papers papers;
    struct wa_relpath to;
    wa_papers_init(&papers);
    if (wa_relpath_parse(wa_sv(name), &to, err) != WA_OK ||
        wa_papers_make(c, s, m, &papers, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_PAPERS_COUNT; i++) {
        struct wa_relpath paper = wa_papers_name(i);
        if (wa_zip_add_bytes(o->zip, &paper, 0600, wa_buf_sv(wa_papers_bytes(&papers, i)), err) !=
            WA_OK)
            return err->code;
    }
    if (wa_zip_finish(o->zip, err) != WA_OK || wa_fd_sync(o->fd, err) != WA_OK ||
        verify_output(o, s, err) != WA_OK ||
        wa_file_rename(&o->dir, &o->temp, &o->dir, &to, err) != WA_OK)
        return err->code;
    o->temp.n = 0;
    return WA_OK;
}
