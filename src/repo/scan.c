/* scan.c - from the packages of a folder to its Packages file.
 *
 * An entry is taken over when its file has the size it says and is older than the index; everything
 * else is read anew. The index is replaced at once, so a reader sees the old or the new one, and by
 * one scan at a time, so that none undoes another's.
 */
#include "base/map.h"
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "repo/scan_priv.h"

struct scan {
    const struct wa_dir *dir;
    const struct wa_trust *anchors;
    struct wa_scan_watch watch;
    struct wa_scan_files files;
    struct wa_buf pem; /* WAPT/certificate.crt of the package before; few people sign many */
    struct wa_certs chain;
    struct wa_index old, fresh;
    struct wa_map
        old_by_file; /* file name -> struct wa_control * of old; what is left over is gone */
    bool has_old;
    int64_t old_mtime;
    struct wa_scan_result result;
};

static const struct wa_relpath index_name = {"Packages", 8};
static const struct wa_relpath lock_name = {".Packages.lock", 14};

/* --- the index that is there --- */

/* None, or one that can't be read: everything is read anew. */
static enum wa_code read_old(struct scan *s, bool force, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    size_t bad = 0;
    if (wa_file_open(s->dir, &index_name, &fd, &why) != WA_OK ||
        wa_fd_stat(fd, &st, &why) != WA_OK || wa_fd_source_init(&source, fd, &why) != WA_OK ||
        wa_archive_members_open(&source.base, &members, &why) != WA_OK ||
        wa_index_read(wa_archive_members_get(members), &s->old, &bad, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    if (force) { /* only its revocation lists stay */
        while (s->old.n > 0)
            wa_control_fini(&s->old.items[--s->old.n]);
        return WA_OK;
    }
    s->old_mtime = st.mtime;
    s->has_old = bad == 0; /* with entries that nobody can read it is not worth keeping */
    for (size_t i = 0; i < s->old.n; i++) {
        struct wa_sv file = wa_sv(wa_control_get(&s->old.items[i], WA_A_FILENAME));
        if (wa_map_put(&s->old_by_file, file, &s->old.items[i], NULL, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static bool is_unchanged(const struct scan *s, const struct wa_control *c, const struct wa_stat *st)
{
    char size[24];
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)st->size);
    /* Written within the same second as the index: could be either, so it is read. */
    return strcmp(wa_control_get(c, WA_A_SIZE), size) == 0 && st->mtime < s->old_mtime;
}

/* Moves an unchanged entry over. *ret_done false: it must be read. */
static enum wa_code take_over(struct scan *s, const char *file, const struct wa_stat *st,
                              bool *ret_done, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result trust;
    struct wa_err why = WA_ERR_INIT;
    struct wa_control *c = wa_map_get(&s->old_by_file, wa_sv(file));
    *ret_done = false;
    if (c == NULL || !is_unchanged(s, c, st))
        return WA_OK;
    enum wa_code code =
        wa_index_chain(&s->old, wa_control_get(c, WA_A_SIGNER_FINGERPRINT), &chain, &why);
    if (code == WA_OK && s->anchors != NULL)
        code = wa_verify_control(c, &chain, s->anchors, wa_clock_now(), &trust, &why);
    if (code != WA_OK)
        return code == WA_E_NOMEM ? wa_nomem(err) : WA_OK; /* read anew, it is told why it goes */
    if (wa_index_take(&s->fresh, c, &chain, err) != WA_OK)
        return err->code;
    (void)wa_map_take(&s->old_by_file, wa_sv(file));
    s->result.kept++;
    *ret_done = true;
    return WA_OK;
}

/* --- a package --- */

/* A small member, or an empty buffer when it is absent. */
static enum wa_code read_small(struct wa_members *m, const char *name, struct wa_buf *out,
                               struct wa_err *err)
{
    size_t i;
    struct wa_buf_sink sink;
    wa_buf_sink_init(&sink, out);
    return wa_members_find(m, name, &i) ? m->read(m, i, &sink.base, err) : WA_OK;
}

static enum wa_code set_repo_attributes(struct wa_control *c, const char *file,
                                        struct wa_source *source, struct wa_err *err)
{
    char size[24], md5[WA_DIGEST_HEX_MAX];
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)source->size);
    if (wa_digest_source(WA_MD5, source, md5, err) != WA_OK ||
        wa_control_set(c, WA_A_FILENAME, wa_sv(file), err) != WA_OK ||
        wa_control_set(c, WA_A_SIZE, wa_sv(size), err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_MD5SUM, wa_sv(md5), err);
}

/* The package's chain into s->chain. */
static enum wa_code read_chain(struct scan *s, struct wa_members *m, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (read_small(m, "WAPT/certificate.crt", &pem, err) != WA_OK)
        return err->code;
    if (pem.n == 0)
        return wa_fail(err, WA_E_REFUSED, "it is not signed");
    if (wa_sv_eq(wa_buf_sv(&pem), wa_buf_sv(&s->pem)))
        return WA_OK;
    wa_buf_fini(&s->pem);
    wa_buf_init(&s->pem, WA_CERTFILE_BYTES_MAX);
    wa_certs_fini(&s->chain);
    s->chain = (struct wa_certs){0};
    if (wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &s->chain, err) != WA_OK)
        return err->code;
    struct wa_buf read = pem;
    pem = s->pem;
    s->pem = read;
    return WA_OK;
}

static enum wa_code read_papers(struct scan *s, struct wa_members *m, struct wa_control *c,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (read_small(m, "WAPT/control", &text, err) != WA_OK ||
        (text.n == 0 &&
         wa_fail(err, WA_E_INVALID, "not a package: it has no WAPT/control") != WA_OK) ||
        wa_control_parse(wa_buf_sv(&text), c, err) != WA_OK)
        return err->code;
    return read_chain(s, m, err);
}

static enum wa_code read_package(struct scan *s, const char *file, int fd, struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_fd_source source;
    struct wa_trust_result trust;
    wa_control_init(&c);
    if (wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK)
        return err->code;
    struct wa_members *m = wa_archive_members_get(members);
    if (read_papers(s, m, &c, err) != WA_OK)
        return err->code;
    if (strcmp(wa_control_get(&c, WA_A_SECTION), "host") == 0)
        return WA_OK; /* never listed */
    if (s->anchors != NULL &&
        wa_verify_control(&c, &s->chain, s->anchors, wa_clock_now(), &trust, err) != WA_OK)
        return err->code;
    if (set_repo_attributes(&c, file, &source.base, err) != WA_OK ||
        wa_scan_icon(s->dir, &c, m, err) != WA_OK ||
        wa_index_take(&s->fresh, &c, &s->chain, err) != WA_OK)
        return err->code;
    s->result.added++;
    (void)wa_map_take(&s->old_by_file, wa_sv(file));
    return WA_OK;
}

static enum wa_code scan_file(struct scan *s, const char *file, const struct wa_stat *st,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    bool done = false;
    if (take_over(s, file, st, &done, err) != WA_OK || done)
        return err->code;
    if (wa_relpath_parse(wa_sv(file), &name, &why) == WA_OK &&
        wa_file_open(s->dir, &name, &fd, &why) == WA_OK && read_package(s, file, fd, &why) == WA_OK)
        return WA_OK;
    if (why.code == WA_E_NOMEM || why.code == WA_E_NO_SPACE) {
        *err = why;
        return err->code;
    }
    s->result.bad++;
    if (s->watch.note != NULL)
        s->watch.note(s->watch.user, file, &why);
    return WA_OK;
}

/* --- the new index --- */

/* The lists that were there, and those beside the trusted certificates. */
static enum wa_code take_crls(struct scan *s, bool *ret_changed, struct wa_err *err)
{
    bool is_there = s->anchors != NULL;
    *ret_changed = false;
    for (size_t i = 0; i < s->old.crls.n; i++) {
        struct wa_err why = WA_ERR_INIT;
        enum wa_code code =
            wa_index_add_crl(&s->fresh, wa_buf_sv(&s->old.crls.items[i]), NULL, &why);
        if (code == WA_E_NOMEM)
            return wa_nomem(err);
        *ret_changed = *ret_changed || code != WA_OK; /* one that nobody can read goes */
    }
    for (size_t i = 0; is_there; i++) {
        WA_AUTO_BUF struct wa_buf der;
        bool is_new = false;
        wa_buf_init(&der, WA_CRL_BYTES_MAX);
        if (wa_trust_crl(s->anchors, i, &der, &is_there, err) != WA_OK ||
            (is_there && wa_index_add_crl(&s->fresh, wa_buf_sv(&der), &is_new, err) != WA_OK))
            return err->code;
        *ret_changed = *ret_changed || is_new;
    }
    return WA_OK;
}

static enum wa_code write_index(struct scan *s, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf zip;
    struct wa_buf_sink sink;
    wa_buf_init(&zip, WA_INDEX_BYTES_MAX);
    wa_buf_sink_init(&sink, &zip);
    if (wa_index_write(&s->fresh, wa_clock_now(), &sink.base, err) != WA_OK)
        return err->code;
    return wa_file_replace(s->dir, &index_name, wa_buf_sv(&zip), 0644, err);
}

static enum wa_code scan_files(struct scan *s, struct wa_err *err)
{
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i < s->files.n; i++) {
        if (s->watch.progress != NULL)
            s->watch.progress(s->watch.user, i, s->files.n);
        code = scan_file(s, s->files.items[i].name, &s->files.items[i].st, err);
    }
    if (s->watch.progress != NULL)
        s->watch.progress(s->watch.user, s->files.n, s->files.n);
    return code;
}

static enum wa_code run(struct scan *s, bool force, struct wa_err *err)
{
    bool has_new_crls = false;
    if (wa_scan_files_list(s->dir, &s->files, err) != WA_OK)
        return err->code;
    if (!force && s->anchors == NULL && wa_scan_is_same(s->dir, &s->files, &s->result.kept))
        return WA_OK;
    if (read_old(s, force, err) != WA_OK || scan_files(s, err) != WA_OK)
        return err->code;
    s->result.removed = s->old_by_file.n;
    if (take_crls(s, &has_new_crls, err) != WA_OK)
        return err->code;
    /* When nothing changed the index keeps its date. */
    bool is_same = s->has_old && s->result.added == 0 && s->result.removed == 0 && !has_new_crls;
    if (!is_same &&
        (write_index(s, err) != WA_OK || wa_scan_icons_sweep(s->dir, &s->fresh, err) != WA_OK))
        return err->code;
    struct wa_err lost = WA_ERR_INIT;
    if (s->result.bad == 0 && s->anchors == NULL)
        /* In vain: the next scan has to read the index, no more. */
        (void)!wa_scan_remember(s->dir, &s->files, s->result.kept + s->result.added, &lost);
    return WA_OK;
}

enum wa_code wa_repo_scan(const char *path, bool force, const struct wa_trust *anchors,
                          const struct wa_scan_watch *watch, struct wa_scan_result *ret,
                          struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int lock = -1;
    if (wa_dir_open(path, &dir, err) != WA_OK || wa_dir_lock(&dir, &lock_name, &lock, err) != WA_OK)
        return wa_wrap(err, "scanning '%s'", path);
    struct scan s = {.dir = &dir, .anchors = anchors};
    if (watch != NULL)
        s.watch = *watch;
    wa_buf_init(&s.pem, WA_CERTFILE_BYTES_MAX);
    wa_index_init(&s.old);
    wa_index_init(&s.fresh);
    enum wa_code code = wa_rand_map(&s.old_by_file, err);
    if (code == WA_OK)
        code = run(&s, force, err);
    wa_map_fini(&s.old_by_file);
    wa_index_fini(&s.old);
    wa_index_fini(&s.fresh);
    wa_scan_files_fini(&s.files);
    wa_buf_fini(&s.pem);
    wa_certs_fini(&s.chain);
    if (code != WA_OK)
        return wa_wrap(err, "scanning '%s'", path);
    *ret = s.result;
    return WA_OK;
}
