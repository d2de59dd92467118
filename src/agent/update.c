/* update.c - what the repositories offer this machine: the index and the host package, verified,
 * then remembered. */
#include "agent/manager_priv.h"
#include "os/clock.h"

static const struct wa_relpath index_file = {"private/tmp/index", 17};
static const struct wa_relpath host_file = {"private/tmp/host", 16};

enum wa_code wa_update_download(struct wa_task_run *run, const char *url, const char *etag,
                                const struct wa_relpath *path, uint64_t max, int *ret_fd,
                                struct wa_fetch_result *ret, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_tls_trust trust;
    struct wa_fd_sink sink;
    char condition[WA_ETAG_MAX + 32];
    const char *const headers[] = {etag[0] != '\0' ? condition : NULL, NULL};
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    (void)snprintf(condition, sizeof condition, "If-None-Match: %s", etag);
    if (wa_tree_remove(&m->base, path, err) != WA_OK ||
        wa_file_create(&m->base, path, 0600, &fd, err) != WA_OK ||
        wa_agent_trust(&m->config, url, &pem, &trust, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    const struct wa_fetch what = {.method = "GET",
                                  .url = url,
                                  .headers = headers,
                                  .trust = &trust,
                                  .silence_s = (uint32_t)m->config.timeout_s,
                                  .allow_http = true,
                                  .max_bytes = max,
                                  .proxy = m->config.http_proxy[0] != '\0' ? m->config.http_proxy
                                                                           : NULL};
    if (wa_helper_fetch(m->launcher, &what, &sink.base, wa_task_progress, run, m->cancel, ret,
                        err) != WA_OK)
        return err->code;
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

static void on_discard(void *user, const struct wa_control *c, const struct wa_err *why)
{
    struct wa_task_run *run = user;
    wa_log(&run->m->log, WA_LOG_WARNING, "index.discarded",
           WA_LF_S("package", wa_control_get(c, WA_A_PACKAGE)),
           WA_LF_S("version", wa_control_get(c, WA_A_VERSION)), WA_LF_S("why", why->text));
}

/* Drops entries that this machine does not take. */
static size_t filter(struct wa_manager *m, struct wa_index *ix)
{
    struct wa_host_caps caps;
    size_t kept = 0, dropped = 0;
    wa_manager_caps(m, &caps);
    for (size_t i = 0; i < ix->n; i++) {
        if (wa_host_accepts(&caps, &ix->items[i], NULL)) {
            ix->items[kept++] = ix->items[i];
        } else {
            wa_control_fini(&ix->items[i]);
            dropped++;
        }
    }
    ix->n = kept;
    return dropped;
}

/* The index as it is now: fetched, or the one of the last time when it still is the same. */
static enum wa_code get_index(struct wa_task_run *run, const char *url, int *ret_fd,
                              struct wa_fetch_result *ret, struct wa_err *err)
{
    char etag[WA_ETAG_MAX] = "";
    WA_AUTO_FD int kept = -1;
    WA_AUTO_FD int fetched = -1;
    bool has_kept = wa_index_kept_open(run->m, url, etag, &kept);
    if (wa_update_download(run, url, etag, &index_file, WA_INDEX_PACKED_BYTES_MAX, &fetched, ret,
                           err) != WA_OK)
        return err->code;
    bool is_same = ret->status == 304 && has_kept;
    if (!is_same && ret->status != 200)
        return wa_fail(err, ret->status == 404 ? WA_E_NOT_FOUND : WA_E_UNREACHABLE,
                       "'%s' answered with status %d", url, ret->status);
    int *chosen = is_same ? &kept : &fetched;
    *ret_fd = *chosen;
    *chosen = -1;
    return WA_OK;
}

/* Reads it, and keeps in ix what a trusted signer stands for. */
static enum wa_code judge_index(struct wa_task_run *run, int fd, struct wa_trust *anchors,
                                struct wa_index *ix, size_t *bad, size_t *discarded,
                                struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_unpack *unpack = NULL;
    WA_AUTO_SEEN struct wa_seen seen;
    wa_seen_init(&seen);
    if (wa_index_seen_load(m, &seen, err) != WA_OK ||
        wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_index_read_digests(wa_unpack_members(unpack), ix, bad, err);
    wa_unpack_free(unpack);
    if (code != WA_OK || wa_index_keep_trusted(ix, anchors, wa_clock_now(), &seen, on_discard, run,
                                               discarded, err) != WA_OK)
        return err->code;
    wa_index_seen_save(m, &seen);
    wa_crls_keep(m, anchors, &ix->certs);
    return WA_OK;
}

static enum wa_code update_index(struct wa_task_run *run, struct wa_trust *anchors,
                                 struct wa_err *err)
{
    struct wa_manager *m = run->m;
    char url[2048];
    WA_AUTO_FD int fd = -1;
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_fetch_result got = {0};
    size_t bad = 0, discarded = 0;
    wa_index_init(&ix);
    if (m->config.repo_url[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "no repository is set: put repo_url or wapt_server into '%s'",
                       m->config.file);
    (void)snprintf(url, sizeof url, "%s/Packages", m->config.repo_url);
    if (get_index(run, url, &fd, &got, err) != WA_OK ||
        judge_index(run, fd, anchors, &ix, &bad, &discarded, err) != WA_OK)
        return err->code;
    size_t other = filter(m, &ix);
    wa_task_say(
        run, "%s: %zu packages for this machine, %zu for others, %zu not trusted, %zu unreadable\n",
        m->config.repo_url, ix.n, other, discarded, bad);
    if (wa_available_replace(m->tdb, "wapt", ix.items, ix.n, err) != WA_OK)
        return err->code;
    if (got.status == 200)
        wa_index_kept_save(m, url, got.etag, &index_file, fd);
    return WA_OK;
}

static enum wa_code store_host(struct wa_manager *m, struct wa_verdict *v, const char *file, int fd,
                               struct wa_err *err)
{
    struct wa_stat st;
    char size[24];
    if (strcmp(wa_control_get(&v->control, WA_A_SECTION), "host") != 0 ||
        strcmp(wa_control_get(&v->control, WA_A_PACKAGE), m->uuid) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the package of this machine is for another one or no host package");
    if (wa_fd_stat(fd, &st, err) != WA_OK)
        return err->code;
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)st.size);
    if (wa_control_set(&v->control, WA_A_FILENAME, wa_sv(file), err) != WA_OK ||
        wa_control_set(&v->control, WA_A_SIZE, wa_sv(size), err) != WA_OK)
        return err->code;
    return wa_available_replace(m->tdb, "wapt-host", &v->control, 1, err);
}

/* The machine's own package is its own index entry, verified whole. None is no fault. */
static enum wa_code update_host(struct wa_task_run *run, const struct wa_trust *anchors,
                                struct wa_err *err)
{
    struct wa_manager *m = run->m;
    char url[2048], file[WA_UUID_MAX + 8];
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    struct wa_fetch_result got = {0};
    wa_verdict_init(&v);
    if (m->config.host_repo_url[0] == '\0' || m->uuid[0] == '\0')
        return wa_available_replace(m->tdb, "wapt-host", NULL, 0, err);
    (void)snprintf(file, sizeof file, "%s.wapt", m->uuid);
    (void)snprintf(url, sizeof url, "%s/%s", m->config.host_repo_url, file);
    if (wa_update_download(run, url, "", &host_file, WA_MANIFEST_BYTES_MAX, &fd, &got, err) !=
        WA_OK)
        return err->code;
    if (got.status == 404)
        return wa_available_replace(m->tdb, "wapt-host", NULL, 0, err);
    if (got.status != 200)
        return wa_fail(err, WA_E_UNREACHABLE, "'%s' answered with status %d", url, got.status);
    if (wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_verify_package(wa_unpack_members(unpack), anchors, wa_clock_now(), NULL, NULL, &v, err);
    wa_unpack_free(unpack);
    return code == WA_OK ? store_host(m, &v, file, fd, err) : code;
}

static void drop(struct wa_manager *m, const struct wa_relpath *path)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_tree_remove(&m->base, path, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "download.left", &err);
}

enum wa_code wa_task_update(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (wa_manager_anchors(run->m, &anchors, err) != WA_OK)
        return wa_wrap(err, "updating the list of packages");
    wa_crls_fetch(run, anchors);
    enum wa_code code = update_index(run, anchors, err);
    drop(run->m, &index_file);
    if (code != WA_OK)
        return wa_wrap(err, "updating the list of packages");
    /* The machine's former assignments stay: a refused or unreachable package must not take
     * software away. */
    code = update_host(run, anchors, err);
    drop(run->m, &host_file);
    return code == WA_OK ? WA_OK : wa_wrap(err, "updating this machine's own package");
}
