/* scan_files.c - the packages of a folder, and whether they are those of the last scan.
 *
 * `.Packages.state` has a digest over the index's bytes and every file's name, size, time and
 * inode. It saves reading an index in which nothing changed; it vouches for nothing, and where it
 * is missing or wrong the scan does without.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "repo/scan_priv.h"

#define STATE_BYTES_MAX 256u

static const struct wa_relpath index_name = {"Packages", 8};
static const struct wa_relpath state_name = {".Packages.state", 15};

static enum wa_code add(void *user, const char *name, const struct wa_stat *st, struct wa_err *err)
{
    struct wa_scan_files *f = user;
    if (!st->is_file || !wa_sv_ends(wa_sv(name), ".wapt") || name[0] == '.')
        return WA_OK;
    struct wa_scan_file *slot = WA_VEC_PUSH(f);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = (struct wa_scan_file){wa_strdup(name), *st};
    return slot->name != NULL ? WA_OK : wa_nomem(err);
}

enum wa_code wa_scan_files_list(const struct wa_dir *dir, struct wa_scan_files *ret,
                                struct wa_err *err)
{
    return wa_dir_list(dir, add, ret, err);
}

static int by_name(const void *name, const void *file)
{
    return strcmp(name, ((const struct wa_scan_file *)file)->name);
}

bool wa_scan_files_has(const struct wa_scan_files *f, const char *name)
{
    return f->n > 0 && bsearch(name, f->items, f->n, sizeof f->items[0], by_name) != NULL;
}

void wa_scan_files_fini(struct wa_scan_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        wa_free(f->items[i].name);
    WA_VEC_FREE(f);
}

static enum wa_code add_index(struct wa_digest *d, const struct wa_dir *dir, int64_t *ret_mtime,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    struct wa_stat st;
    char hex[WA_DIGEST_HEX_MAX];
    if (wa_file_open(dir, &index_name, &fd, err) != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_digest_source(WA_SHA256, &source.base, hex, err) != WA_OK)
        return err->code;
    *ret_mtime = st.mtime;
    return wa_digest_add(d, hex, sizeof hex, err);
}

/* *ret_settled false: a file was written in the same second as the index, or later. */
static enum wa_code state_of(const struct wa_dir *dir, const struct wa_scan_files *files,
                             size_t kept, struct wa_buf *out, bool *ret_settled, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    char hex[WA_DIGEST_HEX_MAX];
    int64_t mtime = 0;
    *ret_settled = true;
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK || add_index(d, dir, &mtime, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < files->n; i++) {
        const struct wa_scan_file *f = &files->items[i];
        const uint64_t facts[] = {f->st.size, (uint64_t)f->st.mtime, f->st.mtime_ns, f->st.inode};
        *ret_settled = *ret_settled && f->st.mtime < mtime;
        if (wa_digest_add(d, f->name, strlen(f->name) + 1, err) != WA_OK ||
            wa_digest_add(d, facts, sizeof facts, err) != WA_OK)
            return err->code;
    }
    if (wa_digest_hex(d, hex, err) != WA_OK)
        return err->code;
    wa_buf_addf(out, "%s\n%s\n%zu\n", WA_VERSION, hex, kept);
    return wa_buf_check(out, err);
}

bool wa_scan_is_same(const struct wa_dir *dir, const struct wa_scan_files *files, size_t *ret_kept)
{
    WA_AUTO_BUF struct wa_buf then;
    WA_AUTO_BUF struct wa_buf now;
    struct wa_err why = WA_ERR_INIT;
    struct wa_sv rest, line = {NULL, 0};
    uint64_t kept = 0;
    bool is_settled = false;
    wa_buf_init(&then, STATE_BYTES_MAX);
    wa_buf_init(&now, STATE_BYTES_MAX);
    if (wa_file_read(dir, &state_name, STATE_BYTES_MAX, &then, &why) != WA_OK)
        return false;
    rest = wa_buf_sv(&then);
    for (size_t i = 0; i < 3; i++)
        (void)wa_sv_split(&rest, '\n', &line);
    if (!wa_sv_u64(line, &kept) || kept > WA_INDEX_ENTRIES_MAX ||
        state_of(dir, files, (size_t)kept, &now, &is_settled, &why) != WA_OK || !is_settled ||
        !wa_sv_eq(wa_buf_sv(&then), wa_buf_sv(&now)))
        return false;
    *ret_kept = (size_t)kept;
    return true;
}

enum wa_code wa_scan_remember(const struct wa_dir *dir, const struct wa_scan_files *files,
                              size_t kept, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf now;
    bool is_settled = false;
    wa_buf_init(&now, STATE_BYTES_MAX);
    if (state_of(dir, files, kept, &now, &is_settled, err) != WA_OK || !is_settled)
        return err->code; /* the next scan reads the index */
    return wa_file_replace(dir, &state_name, wa_buf_sv(&now), 0644, err);
}
