/* update.c - what the repositories offer this machine: the index and the host package, verified,
 * then remembered. */
#include "agent/manager_priv.h"
#include "os/clock.h"

#define INDEX_PACKED_MAX (128u << 20)

/* Downloads url to a private file without a name, open for reading. *ret_status: HTTP. */
static enum wa_code download(struct wa_task_run *run, const char *url, const char *name,
                             uint64_t max, int *ret_fd, int *ret_status, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_relpath path;
    struct wa_tls_trust trust;
    struct wa_fetch_result result;
    struct wa_fd_sink sink;
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    path.n = (size_t)snprintf(path.p, sizeof path.p, "private/tmp/%s", name);
    if (wa_tree_remove(&m->base, &path, err) != WA_OK ||
        wa_file_create(&m->base, &path, 0600, &fd, err) != WA_OK ||
        wa_file_remove(&m->base, &path, err) !=
            WA_OK || /* nothing is left behind whatever happens */
        wa_agent_trust(&m->config, url, &pem, &trust, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    const struct wa_fetch what = {.method = "GET",
                                  .url = url,
                                  .trust = &trust,
                                  .silence_s = (uint32_t)m->config.timeout_s,
                                  .allow_http = true,
                                  .max_bytes = max,
                                  .proxy = m->config.http_proxy[0] != '\0' ? m->config.http_proxy
                                                                           : NULL};
    if (wa_helper_fetch(m->launcher, &what, &sink.base, wa_task_progress, run, m->cancel, &result,
                        err) != WA_OK)
        return err->code;
    *ret_status = result.status;
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

static enum wa_code update_index(struct wa_task_run *run, struct wa_trust *anchors,
                                 struct wa_err *err)
{
    struct wa_manager *m = run->m;
    char url[2048];
    WA_AUTO_FD int fd = -1;
    WA_AUTO_INDEX struct wa_index ix;
    int status = 0;
    size_t bad = 0, discarded = 0;
    struct wa_unpack *unpack = NULL;
    wa_index_init(&ix);
    if (m->config.repo_url[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "no repository is set: put repo_url or wapt_server into '%s'",
                       m->config.file);
    (void)snprintf(url, sizeof url, "%s/Packages", m->config.repo_url);
    if (download(run, url, "index", INDEX_PACKED_MAX, &fd, &status, err) != WA_OK)
        return err->code;
    if (status != 200)
        return wa_fail(err, status == 404 ? WA_E_NOT_FOUND : WA_E_UNREACHABLE,
                       "'%s' answered with status %d", url, status);
    if (wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_index_read(wa_unpack_members(unpack), &ix, &bad, err);
    wa_unpack_free(unpack);
    if (code != WA_OK || wa_index_keep_trusted(&ix, anchors, wa_clock_now(), NULL, on_discard, run,
                                               &discarded, err) != WA_OK)
        return err->code;
    size_t other = filter(m, &ix);
    wa_task_say(
        run, "%s: %zu packages for this machine, %zu for others, %zu not trusted, %zu unreadable\n",
        m->config.repo_url, ix.n, other, discarded, bad);
    return wa_available_replace(m->tdb, "wapt", ix.items, ix.n, err);
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
    int status = 0;
    wa_verdict_init(&v);
    if (m->config.host_repo_url[0] == '\0' || m->uuid[0] == '\0')
        return wa_available_replace(m->tdb, "wapt-host", NULL, 0, err);
    (void)snprintf(file, sizeof file, "%s.wapt", m->uuid);
    (void)snprintf(url, sizeof url, "%s/%s", m->config.host_repo_url, file);
    if (download(run, url, "host", WA_MANIFEST_BYTES_MAX, &fd, &status, err) != WA_OK)
        return err->code;
    if (status == 404)
        return wa_available_replace(m->tdb, "wapt-host", NULL, 0, err);
    if (status != 200)
        return wa_fail(err, WA_E_UNREACHABLE, "'%s' answered with status %d", url, status);
    if (wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_verify_package(wa_unpack_members(unpack), anchors, wa_clock_now(), NULL, NULL, &v, err);
    wa_unpack_free(unpack);
    return code == WA_OK ? store_host(m, &v, file, fd, err) : code;
}

enum wa_code wa_task_update(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (wa_manager_anchors(run->m, &anchors, err) != WA_OK ||
        update_index(run, anchors, err) != WA_OK)
        return wa_wrap(err, "updating the list of packages");
    /* The machine's former assignments stay: a refused or unreachable package must not take
     * software away. */
    if (update_host(run, anchors, err) != WA_OK)
        return wa_wrap(err, "updating this machine's own package");
    return WA_OK;
}
