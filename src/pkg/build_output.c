/* build_output.c - the way of an archive into its place.
 *
 * The archive is written beside its place, verified as a stranger would, then renamed: what stands
 * under its name is whole and holds. What a killed run leaves beside it goes at a later one: by its
 * name, which nobody else gives, and its age.
 */
#include "pkg/build_priv.h"

#include "codec/hex.h"
#include "os/clock.h"
#include "os/rand.h"
#include "pkg/verify.h"

#define TEMP_PREFIX ".wapt."
#define TEMP_SUFFIX ".tmp"
#define TEMP_DIGITS 16u

static bool is_temp(struct wa_sv name)
{
    const size_t prefix = sizeof TEMP_PREFIX - 1;
    return name.n == prefix + TEMP_DIGITS + sizeof TEMP_SUFFIX - 1 &&
           wa_sv_starts(name, TEMP_PREFIX) && wa_sv_ends(name, TEMP_SUFFIX) &&
           wa_hex_is(wa_sv_sub(name, prefix, TEMP_DIGITS), TEMP_DIGITS);
}

struct sweep {
    const struct wa_dir *dir;
    int64_t before; /* seconds since 1970 */
};

static enum wa_code sweep_one(void *user, const char *file, const struct wa_stat *st,
                              struct wa_err *err)
{
    const struct sweep *s = user;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    WA_UNUSED(err);
    if (st->is_file && st->mtime < s->before && is_temp(wa_sv(file)) &&
        wa_relpath_parse(wa_sv(file), &name, &why) == WA_OK)
        (void)!wa_file_remove(s->dir, &name, &why);
    return WA_OK;
}

void wa_build_sweep(const char *folder)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct sweep s = {&dir, wa_clock_now() - WA_LEFTOVER_AGE_S};
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_dir_open(folder, &dir, &ignored) == WA_OK)
        (void)!wa_dir_list(&dir, sweep_one, &s, &ignored);
}

/* Length of the path of a file's folder, with its '/'. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

void wa_build_sweep_beside(const char *path, const char *before)
{
    char folder[WA_PATH_MAX];
    size_t n = folder_length(path);
    if (n >= sizeof folder ||
        (before != NULL && folder_length(before) == n && memcmp(path, before, n) == 0))
        return;
    (void)snprintf(folder, sizeof folder, "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "." : path);
    wa_build_sweep(folder);
}

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
    char suffix[TEMP_DIGITS + 1];
    uint64_t seed;
    struct wa_relpath name;
    if (wa_dir_open(dir, &o->dir, err) != WA_OK ||
        wa_rand_hex(suffix, TEMP_DIGITS / 2, err) != WA_OK ||
        wa_rand_bytes(&seed, sizeof seed, err) != WA_OK)
        return err->code;
    name.n = (size_t)snprintf(name.p, sizeof name.p, TEMP_PREFIX "%s" TEMP_SUFFIX, suffix);
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
