/* build_output.c - the way of an archive into its place.
 *
 * The archive is written beside its place, verified as a stranger would, then renamed: what stands
 * under its name is whole and holds.
 */
#include "pkg/build_priv.h"

#include "os/clock.h"
#include "os/rand.h"
#include "pkg/verify.h"

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

enum wa_code wa_output_open(struct wa_output *o, const char *dir, int64_t mtime, struct wa_err *err)
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
    return wa_zip_writer_new(&o->sink.base, mtime, seed, &o->zip, err);
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

enum wa_code wa_output_commit(struct wa_output *o, struct wa_control *c, const struct wa_signer *s,
                              struct wa_listing *l, const char *name, struct wa_err *err)
{
    WA_AUTO_PAPERS struct wa_papers papers;
    struct wa_relpath to;
    wa_papers_init(&papers);
    if (wa_relpath_parse(wa_sv(name), &to, err) != WA_OK ||
        wa_papers_make(c, s, l, &papers, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < papers.n; i++) {
        struct wa_relpath paper = wa_papers_name(i);
        if (wa_zip_add_bytes(o->zip, &paper, 0600, wa_buf_sv(&papers.bytes[i]), err) != WA_OK)
            return err->code;
    }
    if (wa_zip_finish(o->zip, err) != WA_OK || wa_fd_sync(o->fd, err) != WA_OK ||
        verify_output(o, s, err) != WA_OK ||
        wa_file_rename(&o->dir, &o->temp, &o->dir, &to, err) != WA_OK)
        return err->code;
    o->temp.n = 0;
    return WA_OK;
}
