/* scan.c - from the packages of a folder to its Packages file.
 *
 * The old index is read entry by entry beside the list of files, both in the order of names, and
 * the new one is written as they come: no entry stays in memory. An entry is taken over when its
 * file has the size it says and is older than the index; everything else is read anew, also what
 * stands in an index that is in another order. The index is replaced at once, so a reader sees the
 * old or the new one, and by one scan at a time, so that none undoes another's.
 */
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "repo/scan_priv.h"

struct scan {
    const struct wa_dir *dir;
    const struct wa_trust *anchors;
    struct wa_scan_watch watch;
    struct wa_scan_files files;
    size_t next;       /* of files */
    struct wa_buf pem; /* WAPT/certificate.crt of the package before; few people sign many */
    struct wa_certs chain;
    struct wa_index old, fresh;         /* without their entries */
    const struct wa_control *old_entry; /* of the file that is read anew; NULL: it had none */
    bool has_old;                       /* and it is as a scan of ours leaves it */
    bool is_confirmed;                  /* what was read anew was as the old index said */
    int64_t old_mtime;
    struct wa_buf packed; /* the new index */
    struct wa_buf_sink sink;
    struct wa_index_writer *writer;
    struct wa_scan_icons icons;
    struct wa_scan_result result;
};

static const struct wa_relpath index_name = {"Packages", 8};
static const struct wa_relpath lock_name = {".Packages.lock", 14};

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

static enum wa_code set_repo_attributes(const struct scan *s, struct wa_control *c,
                                        const char *file, struct wa_source *source,
                                        struct wa_err *err)
{
    char size[24], read[WA_DIGEST_HEX_MAX];
    const char *md5 = s->watch.md5 != NULL ? s->watch.md5(s->watch.user, file) : NULL;
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)source->size);
    if (md5 == NULL && wa_digest_source(WA_MD5, source, read, err) != WA_OK)
        return err->code;
    md5 = md5 != NULL ? md5 : read;
    if (wa_control_set(c, WA_A_FILENAME, wa_sv(file), err) != WA_OK ||
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

/* Into the new index. A control that can't be written is the package's fault. */
static enum wa_code add_entry(struct scan *s, const struct wa_control *c,
                              const struct wa_certs *chain, struct wa_err *err)
{
    if (wa_index_writer_add(s->writer, c, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < chain->n; i++)
        if (wa_certs_add(&s->fresh.certs, chain->items[i], err) != WA_OK)
            return err->code;
    wa_scan_icons_keep(&s->icons, c);
    return WA_OK;
}

static void tell_change(const struct scan *s, const char *file, bool is_listed)
{
    if (s->watch.change != NULL)
        s->watch.change(s->watch.user, file, is_listed);
}

/* The digest is part of an entry: the same entry is the same file. */
static enum wa_code is_as_before(const struct scan *s, const struct wa_control *c, bool *ret,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf then;
    WA_AUTO_BUF struct wa_buf now;
    wa_buf_init(&then, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&now, WA_CONTROL_BYTES_MAX);
    *ret = false;
    if (s->old_entry == NULL)
        return WA_OK;
    if (wa_control_write(s->old_entry, true, &then, err) != WA_OK ||
        wa_control_write(c, true, &now, err) != WA_OK)
        return err->code;
    *ret = wa_sv_eq(wa_buf_sv(&then), wa_buf_sv(&now));
    return WA_OK;
}

/* *ret_is_listed false: a package of section host. */
static enum wa_code read_package(struct scan *s, const char *file, int fd, bool *ret_is_listed,
                                 bool *ret_is_same, struct wa_err *err)
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
    *ret_is_listed = strcmp(wa_control_get(&c, WA_A_SECTION), "host") != 0;
    if (!*ret_is_listed)
        return WA_OK;
    if (s->anchors != NULL &&
        wa_verify_control(&c, &s->chain, s->anchors, wa_clock_now(), &trust, err) != WA_OK)
        return err->code;
    if (set_repo_attributes(s, &c, file, &source.base, err) != WA_OK ||
        wa_scan_icon(s->dir, &c, m, err) != WA_OK || is_as_before(s, &c, ret_is_same, err) != WA_OK)
        return err->code;
    return add_entry(s, &c, &s->chain, err);
}

/* Reads a file anew. *ret_is_listed false: what was listed of it is gone. */
static enum wa_code scan_file(struct scan *s, const char *file, bool *ret_is_listed,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    bool is_listed = false, is_same = false;
    if (wa_relpath_parse(wa_sv(file), &name, &why) == WA_OK &&
        wa_file_open(s->dir, &name, &fd, &why) == WA_OK &&
        read_package(s, file, fd, &is_listed, &is_same, &why) == WA_OK) {
        s->is_confirmed = s->is_confirmed || is_same;
        s->result.kept += is_same ? 1 : 0;
        s->result.added += is_listed && !is_same ? 1 : 0;
        if (is_listed && !is_same)
            tell_change(s, file, true);
        *ret_is_listed = is_listed;
        return WA_OK;
    }
    if (why.code == WA_E_NOMEM || why.code == WA_E_NO_SPACE) {
        *err = why;
        return err->code;
    }
    *ret_is_listed = false;
    s->result.bad++;
    if (s->watch.note != NULL)
        s->watch.note(s->watch.user, file, &why);
    return WA_OK;
}

/* --- beside the index that is there --- */

static bool is_unchanged(const struct scan *s, const struct wa_control *c, const struct wa_stat *st)
{
    char size[24];
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)st->size);
    /* Written within the same second as the index: could be either, so it is read. */
    return strcmp(wa_control_get(c, WA_A_SIZE), size) == 0 && st->mtime < s->old_mtime;
}

/* *ret_done false: it must be read. */
static enum wa_code take_over(struct scan *s, const struct wa_control *c, bool *ret_done,
                              struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result trust;
    struct wa_err why = WA_ERR_INIT;
    *ret_done = false;
    if (!is_unchanged(s, c, &s->files.items[s->next].st))
        return WA_OK;
    enum wa_code code =
        wa_index_chain(&s->old, wa_control_get(c, WA_A_SIGNER_FINGERPRINT), &chain, &why);
    if (code == WA_OK && s->anchors != NULL)
        code = wa_verify_control(c, &chain, s->anchors, wa_clock_now(), &trust, &why);
    if (code == WA_OK)
        code = add_entry(s, c, &chain, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    *ret_done = code == WA_OK; /* else it is read anew, and told why it goes */
    s->result.kept += *ret_done ? 1 : 0;
    return WA_OK;
}

static void tell_progress(const struct scan *s)
{
    if (s->watch.progress != NULL)
        s->watch.progress(s->watch.user, s->next, s->files.n);
}

/* The files that come before name (NULL: all that are left) are in no old entry. */
static enum wa_code scan_files_before(struct scan *s, const char *name, struct wa_err *err)
{
    for (; s->next < s->files.n; s->next++) {
        const char *file = s->files.items[s->next].name;
        bool ignored = false;
        if (name != NULL && strcmp(file, name) >= 0)
            return WA_OK;
        tell_progress(s);
        if (scan_file(s, file, &ignored, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static void count_removed(struct scan *s, const char *file)
{
    s->result.removed++;
    tell_change(s, file, false);
}

static enum wa_code old_entry(void *user, struct wa_control *c, struct wa_err *err)
{
    struct scan *s = user;
    const char *name = wa_control_get(c, WA_A_FILENAME);
    bool is_listed = false;
    if (scan_files_before(s, name, err) != WA_OK)
        return err->code;
    if (s->next == s->files.n || strcmp(s->files.items[s->next].name, name) != 0) {
        /* Gone, or in another order than ours, and then its file has had its turn. */
        s->has_old = false;
        if (!wa_scan_files_has(&s->files, name))
            count_removed(s, name);
        return WA_OK;
    }
    tell_progress(s);
    s->old_entry = c;
    enum wa_code code = take_over(s, c, &is_listed, err);
    if (code == WA_OK && !is_listed)
        code = scan_file(s, name, &is_listed, err);
    s->old_entry = NULL;
    if (code != WA_OK)
        return code;
    if (!is_listed)
        count_removed(s, name);
    s->next++;
    return WA_OK;
}

static enum wa_code pass_over(void *user, struct wa_control *c, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(c);
    WA_UNUSED(err);
    return WA_OK;
}

/* Reads the index that is there twice: what can't be read to its end is not believed at all, and
 * everything is read anew, as with force. Revocation lists are taken over all the same. */
static enum wa_code merge(struct scan *s, bool force, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    struct wa_members *m;
    size_t bad = 0;
    if (wa_file_open(s->dir, &index_name, &fd, &why) != WA_OK ||
        wa_fd_stat(fd, &st, &why) != WA_OK || wa_fd_source_init(&source, fd, &why) != WA_OK ||
        wa_archive_members_open(&source.base, &members, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    wa_archive_members_spare_memory(members);
    m = wa_archive_members_get(members);
    if (wa_index_each(m, pass_over, NULL, &bad, &why) != WA_OK ||
        wa_index_read_certs(m, &s->old, &why) != WA_OK) {
        wa_index_fini(&s->old);
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    }
    if (force)
        return WA_OK;
    s->old_mtime = st.mtime;
    s->has_old = bad == 0; /* with entries that nobody can read it is not worth keeping */
    return wa_index_each(m, old_entry, s, &bad, err);
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

static enum wa_code start(struct scan *s, struct wa_err *err)
{
    wa_buf_sink_init(&s->sink, &s->packed);
    if (wa_scan_icons_open(s->dir, &s->icons, err) != WA_OK)
        return err->code;
    return wa_index_writer_new(&s->sink.base, wa_clock_now(), &s->writer, err);
}

static enum wa_code put_in_place(struct scan *s, struct wa_err *err)
{
    if (wa_index_writer_end(s->writer, &s->fresh, err) != WA_OK ||
        wa_file_replace(s->dir, &index_name, wa_buf_sv(&s->packed), 0644, err) != WA_OK)
        return err->code;
    return wa_scan_icons_sweep(&s->icons, err);
}

/* The same bytes, whose time now says that they are younger than the files: what was signed over
 * them stays true, and the next scan need not read these files again. */
static enum wa_code renew(struct scan *s, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf packed;
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_file_read(s->dir, &index_name, WA_INDEX_PACKED_BYTES_MAX, &packed, err) != WA_OK)
        return err->code;
    return wa_file_replace(s->dir, &index_name, wa_buf_sv(&packed), 0644, err);
}

static enum wa_code run(struct scan *s, bool force, struct wa_err *err)
{
    bool has_new_crls = false;
    if (wa_scan_files_list(s->dir, &s->files, err) != WA_OK)
        return err->code;
    if (!force && s->anchors == NULL && wa_scan_is_same(s->dir, &s->files, &s->result.kept))
        return WA_OK;
    if (start(s, err) != WA_OK || merge(s, force, err) != WA_OK ||
        scan_files_before(s, NULL, err) != WA_OK)
        return err->code;
    tell_progress(s);
    if (take_crls(s, &has_new_crls, err) != WA_OK)
        return err->code;
    /* When nothing changed the index keeps its date. */
    bool is_same = s->has_old && s->result.added == 0 && s->result.removed == 0 && !has_new_crls;
    if (!is_same ? put_in_place(s, err) != WA_OK : s->is_confirmed && renew(s, err) != WA_OK)
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
    wa_buf_init(&s.packed, WA_INDEX_PACKED_BYTES_MAX);
    wa_index_init(&s.old);
    wa_index_init(&s.fresh);
    enum wa_code code = run(&s, force, err);
    wa_index_writer_free(s.writer);
    wa_scan_icons_fini(&s.icons);
    wa_buf_fini(&s.packed);
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
