/* download.c - a package's file in the cache: fetched, gone on with after an interruption, dropped.
 *
 * Nothing here is believed: size, name and MD5 of an index are unsigned, and only say where to
 * fetch and when to stop. What came is judged by its signature, in install.c.
 */
#include "agent/install_priv.h"
#include "agent/repo_fetch.h"
#include "agent/tasks.h"

#include "codec/hex.h"

static enum wa_code cache_path(const char *file, const char *suffix, struct wa_relpath *ret,
                               struct wa_err *err)
{
    char text[WA_RELPATH_MAX + 1];
    size_t at;
    if (wa_sv_chr(wa_sv(file), '/', &at) || strlen(file) > WA_NAME_MAX - 40)
        return wa_fail(err, WA_E_REFUSED,
                       "the index names a file '%s' outside the repository's folder", file);
    (void)snprintf(text, sizeof text, "cache/%s%s", file, suffix);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

struct download {
    const struct wa_control *control;
    const struct wa_agent_repo *repo;
    struct wa_relpath part, path;
    char url[4096];
    uint64_t size;     /* bytes, as the index says */
    bool may_continue; /* part's name says which bytes it is the beginning of */
    bool is_continued; /* what was there already came from who knows where */
};

/* All of it, or the rest behind `have` bytes, to fd. */
static enum wa_code transfer(struct wa_task_run *run, const struct download *d, uint64_t have,
                             int fd, struct wa_err *err)
{
    struct wa_fetch_result result;
    struct wa_fd_sink sink;
    wa_fd_sink_init(&sink, fd);
    const struct wa_repo_get get = {
        .url = d->url, .max_bytes = d->size - have, .resume_from = have};
    if (wa_repo_fetch(run, d->repo, &get, &sink.base, &result, err) != WA_OK)
        return err->code;
    if (have > 0 && result.status != 206)
        return wa_fail(err, result.status == 404 ? WA_E_NOT_FOUND : WA_E_UNREACHABLE,
                       "'%s' answered with status %d", d->url, result.status);
    if (have == 0 && result.status != 200)
        return wa_fail(err, result.status == 404 ? WA_E_NOT_FOUND : WA_E_REFUSED,
                       "'%s' answered with status %d", d->url, result.status);
    if (result.bytes != d->size - have)
        return wa_fail(err, WA_E_REFUSED, "'%s' is not of the size that the index gives", d->url);
    return wa_fd_sync(fd, err);
}

/* What came before an interruption is the beginning of the file; what else failed is not. */
static bool is_beginning(enum wa_code code)
{
    return code == WA_E_UNREACHABLE || code == WA_E_TIMEOUT || code == WA_E_CANCELLED;
}

/* Goes on where an interruption left off. *ret_done false: from the beginning, please. */
static enum wa_code continue_part(struct wa_task_run *run, struct download *d, bool *ret_done,
                                  struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    *ret_done = false;
    if (!d->may_continue || wa_file_continue(&run->m->base, &d->part, &fd, &why) != WA_OK ||
        wa_fd_stat(fd, &st, &why) != WA_OK || st.size == 0 || st.size >= d->size)
        return WA_OK;
    if (transfer(run, d, st.size, fd, &why) != WA_OK &&
        (is_beginning(why.code) || why.code == WA_E_NOT_FOUND)) { /* another address may know it */
        *err = why;
        return err->code;
    }
    *ret_done = d->is_continued = why.code == WA_OK;
    return WA_OK;
}

struct parts {
    const char *own; /* the name of the one to come */
    size_t count;
    char oldest[WA_NAME_MAX + 1];
    int64_t since;
};

static enum wa_code look_at(void *user, const char *name, const struct wa_stat *st,
                            struct wa_err *err)
{
    struct parts *p = user;
    WA_UNUSED(err);
    if (!wa_sv_ends(wa_sv(name), ".part") || strcmp(name, p->own) == 0)
        return WA_OK;
    if (p->count++ == 0 || st->mtime < p->since) {
        p->since = st->mtime;
        (void)snprintf(p->oldest, sizeof p->oldest, "%s", name);
    }
    return WA_OK;
}

/* Interrupted downloads wait for their rest, but no more of them than so many: a repository that
 * breaks off each one, under ever new names, does not fill the disk. */
static enum wa_code make_room(struct wa_manager *m, const struct wa_relpath *part,
                              struct wa_err *err)
{
    const struct wa_relpath cache = {"cache", 5};
    struct parts p = {.own = part->p + sizeof "cache"};
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath oldest;
    if (wa_dir_open_sub(&m->base, &cache, &dir, err) != WA_OK ||
        wa_dir_list(&dir, look_at, &p, err) != WA_OK)
        return err->code;
    if (p.count < WA_DOWNLOAD_PARTS_MAX)
        return WA_OK;
    if (wa_relpath_parse(wa_sv(p.oldest), &oldest, err) != WA_OK)
        return err->code;
    return wa_tree_remove(&dir, &oldest, err);
}

static enum wa_code fetch_part(struct wa_task_run *run, struct download *d, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    bool done = false;
    WA_AUTO_FD int fd = -1;
    if (continue_part(run, d, &done, err) != WA_OK || done)
        return err->code;
    if (make_room(run->m, &d->part, err) != WA_OK ||
        wa_tree_remove(&run->m->base, &d->part, err) != WA_OK ||
        wa_file_create(&run->m->base, &d->part, 0600, &fd, err) != WA_OK)
        return err->code;
    if (transfer(run, d, 0, fd, err) == WA_OK)
        return WA_OK;
    if (!(d->may_continue && is_beginning(err->code)) &&
        wa_tree_remove(&run->m->base, &d->part, &why) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_WARNING, "cache.left", &why);
    return err->code;
}

static enum wa_code fetch_from(struct wa_task_run *run, const struct wa_agent_repo *r,
                               struct wa_sv address, void *user, struct wa_err *err)
{
    struct download *d = user;
    WA_AUTO_BUF struct wa_buf url;
    wa_buf_init(&url, sizeof d->url - 1);
    wa_buf_addf(&url, "%.*s/", WA_SV_ARG(address));
    wa_url_encode(wa_sv(wa_control_get(d->control, WA_A_FILENAME)), &url);
    if (wa_buf_check(&url, err) != WA_OK)
        return err->code;
    (void)snprintf(d->url, sizeof d->url, "%s", wa_buf_str(&url));
    d->repo = r;
    return fetch_part(run, d, err);
}

/* Bytes that are there already, and are replaced or gone on with. */
static uint64_t have_of(const struct wa_manager *m, const struct download *d)
{
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    return wa_file_stat(&m->base, &d->part, &st, &missing) == WA_OK && st.size < d->size ? st.size
                                                                                         : 0;
}

/* The MD5 of an unsigned index only names the part: another file, another part. The whole is judged
 * by its signature, however it came together. */
static enum wa_code fetch_package(struct wa_task_run *run, const struct wa_control *c,
                                  const struct wa_agent_repo *repo, size_t *at, struct wa_err *err)
{
    struct download d = {.control = c};
    const char *file = wa_control_get(c, WA_A_FILENAME), *md5 = wa_control_get(c, WA_A_MD5SUM);
    char suffix[48];
    d.may_continue = wa_hex_is(wa_sv(md5), 32);
    (void)snprintf(suffix, sizeof suffix, ".%s.part", d.may_continue ? md5 : "whole");
    if (!wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &d.size) || d.size > WA_PACKAGE_BYTES_MAX)
        return wa_fail(err, WA_E_REFUSED, "the index gives no sensible size for '%s'", file);
    if (cache_path(file, suffix, &d.part, err) != WA_OK ||
        cache_path(file, "", &d.path, err) != WA_OK ||
        wa_cache_make_room(run, file, d.size, err) != WA_OK ||
        wa_space_check(run->m, d.size - have_of(run->m, &d), "downloading the package", err) !=
            WA_OK ||
        wa_repo_each(run, repo, at, fetch_from, &d, err) != WA_OK)
        return err->code;
    if (!d.is_continued) /* else the same address, from the beginning */
        ++*at;
    return wa_file_rename(&run->m->base, &d.part, &run->m->base, &d.path, err);
}

enum wa_code wa_download_open(struct wa_task_run *run, const struct wa_control *c,
                              const struct wa_agent_repo *repo, size_t *at, int *ret_fd,
                              struct wa_err *err)
{
    struct wa_relpath path;
    struct wa_err missing = WA_ERR_INIT;
    struct wa_stat st;
    WA_AUTO_FD int fd = -1;
    uint64_t size = 0;
    if (repo == NULL)
        return wa_fail(err, WA_E_CONFLICT,
                       "the repository that offers '%s' is not set up any more: try 'wapt-get "
                       "update'",
                       wa_control_get(c, WA_A_PACKAGE));
    if (cache_path(wa_control_get(c, WA_A_FILENAME), "", &path, err) != WA_OK)
        return err->code;
    (void)wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &size);
    if (wa_file_open(&run->m->base, &path, &fd, &missing) == WA_OK &&
        wa_fd_stat(fd, &st, &missing) == WA_OK && st.size == size) {
        *ret_fd = fd;
        fd = -1;
        return WA_OK;
    }
    if (fetch_package(run, c, repo, at, err) != WA_OK)
        return wa_wrap(err, "downloading '%s'", wa_control_get(c, WA_A_PACKAGE));
    return wa_file_open(&run->m->base, &path, ret_fd, err);
}

void wa_download_drop(struct wa_manager *m, const struct wa_control *c)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    if (cache_path(wa_control_get(c, WA_A_FILENAME), "", &path, &err) != WA_OK ||
        wa_tree_remove(&m->base, &path, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "cache.left", &err);
}
