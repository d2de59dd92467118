/* index_kept.c - the last index of each repository, so that one that is still the same is neither
 * fetched nor read again.
 *
 * Whether it is the same says the server by its entity tag, never a date: a server that lies can
 * withhold an index either way, and gains nothing. Beside the file, in a folder that is this
 * process's alone, is kept what was read in it (pkg/index_saved.c), bound to its SHA-256, and which
 * signatures held (pkg/index_seen.h). Neither is a judgement: who is trusted is asked each time.
 * Whatever is missing or damaged here costs a download or a reading, no more.
 */
#include "agent/repo_fetch.h"
#include "crypto/digest.h"

#define STATE_BYTES_MAX 4096u

/* "private/index/NAME.what": name is that of a configured repository (config_repo.c: is_name). */
static struct wa_relpath path_of(const char *repo, const char *what)
{
    struct wa_relpath path;
    path.n = (size_t)snprintf(path.p, sizeof path.p, "private/index/%s.%s", repo, what);
    return path;
}

/* It goes into a header of ours one day. */
static bool is_tag(struct wa_sv tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if (tag.p[i] <= ' ' || tag.p[i] >= 0x7f)
            return false;
    return tag.n > 2 && tag.n < WA_ETAG_MAX;
}

enum wa_code wa_index_digest(int fd, char ret[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    struct wa_fd_source source;
    if (wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    return wa_digest_source(WA_SHA256, &source.base, ret, err);
}

bool wa_index_kept_open(struct wa_manager *m, const char *repo, const char *url,
                        char ret_etag[WA_ETAG_MAX], int *ret_fd)
{
    const struct wa_relpath kept = path_of(repo, "Packages"), state = path_of(repo, "state");
    char digest[WA_DIGEST_HEX_MAX];
    struct wa_err why = WA_ERR_INIT;
    struct wa_sv rest, line[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, STATE_BYTES_MAX);
    if (wa_file_read(&m->base, &state, STATE_BYTES_MAX, &text, &why) != WA_OK)
        return false;
    rest = wa_buf_sv(&text);
    for (size_t i = 0; i < WA_COUNT(line); i++)
        (void)wa_sv_split(&rest, '\n', &line[i]);
    if (!wa_sv_eqs(line[1], url) || !is_tag(line[2]) ||
        wa_file_open(&m->base, &kept, &fd, &why) != WA_OK ||
        wa_index_digest(fd, digest, &why) != WA_OK || !wa_sv_eqs(line[0], digest))
        return false;
    (void)snprintf(ret_etag, WA_ETAG_MAX, "%.*s", WA_SV_ARG(line[2]));
    *ret_fd = fd;
    fd = -1;
    return true;
}

/* The state is gone while the file and its tag do not belong together. */
static enum wa_code save(struct wa_manager *m, const char *repo, const char *url, const char *etag,
                         const struct wa_relpath *fetched, int fd, struct wa_err *err)
{
    const struct wa_relpath kept = path_of(repo, "Packages"), state = path_of(repo, "state");
    char digest[WA_DIGEST_HEX_MAX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, STATE_BYTES_MAX);
    if (wa_index_digest(fd, digest, err) != WA_OK || wa_tree_remove(&m->base, &state, err) != WA_OK)
        return err->code;
    if (!is_tag(wa_sv(etag)))
        return wa_tree_remove(&m->base, fetched, err);
    wa_buf_addf(&text, "%s\n%s\n%s\n", digest, url, etag);
    if (wa_buf_check(&text, err) != WA_OK || wa_fd_sync(fd, err) != WA_OK ||
        wa_file_rename(&m->base, fetched, &m->base, &kept, err) != WA_OK)
        return err->code;
    return wa_file_replace(&m->base, &state, wa_buf_sv(&text), 0600, err);
}

void wa_index_kept_save(struct wa_manager *m, const char *repo, const char *url, const char *etag,
                        const struct wa_relpath *fetched, int fd)
{
    struct wa_err err = WA_ERR_INIT;
    if (save(m, repo, url, etag, fetched, fd, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "index.not_kept", &err);
}

enum wa_code wa_index_read_load(struct wa_manager *m, const char *repo,
                                const char of[WA_SHA256_HEX], struct wa_index *ret, size_t *ret_bad,
                                bool *ret_is_read, struct wa_err *err)
{
    const struct wa_relpath read = path_of(repo, "read");
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf saved;
    wa_buf_init(&saved, WA_INDEX_BYTES_MAX);
    *ret_is_read = wa_file_read(&m->base, &read, saved.max, &saved, &why) == WA_OK &&
                   wa_index_load(wa_buf_sv(&saved), of, ret, ret_bad, &why) == WA_OK;
    return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

void wa_index_read_save(struct wa_manager *m, const char *repo, const char of[WA_SHA256_HEX],
                        const struct wa_index *ix, size_t bad)
{
    const struct wa_relpath read = path_of(repo, "read");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf saved;
    wa_buf_init(&saved, WA_INDEX_BYTES_MAX);
    if (wa_index_save(ix, bad, of, &saved, &err) != WA_OK ||
        wa_file_replace(&m->base, &read, wa_buf_sv(&saved), 0600, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "index.not_kept", &err);
}

enum wa_code wa_index_seen_load(struct wa_manager *m, const char *repo, struct wa_seen *ret,
                                struct wa_err *err)
{
    const struct wa_relpath checked = path_of(repo, "checked");
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf memory;
    wa_buf_init(&memory, WA_INDEX_ENTRIES_MAX * sizeof(struct wa_entry_digest));
    if (wa_file_read(&m->base, &checked, memory.max, &memory, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    return wa_seen_read(ret, wa_buf_sv(&memory), err);
}

void wa_index_seen_save(struct wa_manager *m, const char *repo, struct wa_seen *seen)
{
    const struct wa_relpath checked = path_of(repo, "checked");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf memory;
    wa_buf_init(&memory, WA_INDEX_ENTRIES_MAX * sizeof(struct wa_entry_digest));
    if (wa_seen_write(seen, &memory, &err) != WA_OK ||
        wa_file_replace(&m->base, &checked, wa_buf_sv(&memory), 0600, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "index.not_kept", &err);
}
