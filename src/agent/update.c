/* update.c - what the repositories offer this machine: their indexes and the host package, each
 * verified, then remembered.
 *
 * A repository that can't be read keeps what it offered before, and keeps no other one from being
 * read.
 */
#include "agent/identity.h"
#include "agent/inventory.h"
#include "agent/repo_fetch.h"
#include "agent/repo_trust.h"
#include "agent/tasks.h"
#include "agent/work.h"
#include "os/clock.h"

static const struct wa_relpath index_file = {"private/tmp/index", 17};
static const struct wa_relpath host_file = {"private/tmp/host", 16};

enum wa_code wa_update_download(struct wa_task_run *run, const struct wa_agent_repo *r,
                                const struct wa_repo_get *get, const struct wa_relpath *path,
                                int *ret_fd, struct wa_fetch_result *ret, struct wa_err *err)
{
    struct wa_fd_sink sink;
    WA_AUTO_FD int fd = -1;
    if (wa_tree_remove(&run->m->base, path, err) != WA_OK ||
        wa_file_create(&run->m->base, path, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (wa_repo_fetch(run, r, get, &sink.base, ret, err) != WA_OK)
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

/* Drops entries that this machine does not take, from this repository. */
static size_t filter(struct wa_manager *m, const struct wa_agent_repo *r, struct wa_index *ix)
{
    struct wa_host_caps caps;
    size_t kept = 0, dropped = 0;
    wa_manager_caps(m, &caps);
    caps.maturities = r->maturities;
    caps.blacklist = r->blacklist;
    caps.whitelist = r->whitelist;
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
static enum wa_code get_index(struct wa_task_run *run, const struct wa_agent_repo *r,
                              const char *url, uint64_t max, int *ret_fd,
                              struct wa_fetch_result *ret, struct wa_err *err)
{
    char etag[WA_ETAG_MAX] = "";
    WA_AUTO_FD int kept = -1;
    WA_AUTO_FD int fetched = -1;
    /* The tag came from the same process as the bytes: whoever asks for the whole can be rid of
     * both. */
    bool has_kept = !run->request.force && wa_index_kept_open(run->m, r->name, url, etag, &kept);
    const struct wa_repo_get get = {.url = url, .etag = etag, .max_bytes = max};
    if (wa_update_download(run, r, &get, &index_file, &fetched, ret, err) != WA_OK)
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

/* Under a root: the index of the present list, by the list's number or, where a repository has only
 * one, under WAPT's name; and no other one. */
static enum wa_code get_published_index(struct wa_task_run *run, const struct wa_agent_repo *r,
                                        struct wa_sv address, const struct wa_published *p,
                                        char url[2048], int *ret_fd, struct wa_fetch_result *ret,
                                        struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_FD int fd = -1;
    (void)snprintf(url, 2048, "%.*s/%lld.Packages", WA_SV_ARG(address), (long long)p->version);
    if (get_index(run, r, url, p->index.length, &fd, ret, &why) == WA_E_NOT_FOUND) {
        (void)snprintf(url, 2048, "%.*s/Packages", WA_SV_ARG(address));
        if (get_index(run, r, url, p->index.length, &fd, ret, err) != WA_OK)
            return err->code;
    } else if (why.code != WA_OK) {
        *err = why;
        return err->code;
    }
    if (wa_repo_trust_is(&p->index, "the index", fd, err) != WA_OK)
        return err->code;
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

struct source {
    int64_t rank;
    struct wa_repo_trust *trust;
    struct wa_trust *anchors; /* of this repository */
};

/* Reads it, unless it is the one that was read last. */
static enum wa_code read_index(struct wa_manager *m, const char *repo, int fd, struct wa_index *ix,
                               size_t *bad, struct wa_err *err)
{
    struct wa_unpack *unpack = NULL;
    char digest[WA_DIGEST_HEX_MAX];
    bool is_read = false;
    if (wa_index_digest(fd, digest, err) != WA_OK ||
        wa_index_read_load(m, repo, digest, ix, bad, &is_read, err) != WA_OK || is_read ||
        wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_index_read_digests(wa_unpack_members(unpack), ix, bad, err);
    wa_unpack_free(unpack);
    if (code == WA_OK)
        wa_index_read_save(m, repo, digest, ix, *bad);
    return code;
}

/* Reads it, and keeps in ix what a trusted signer stands for. */
static enum wa_code judge_index(struct wa_task_run *run, const struct wa_agent_repo *r, int fd,
                                const struct source *source, struct wa_index *ix, size_t *bad,
                                size_t *discarded, struct wa_err *err)
{
    struct wa_trust *anchors = source->anchors;
    struct wa_manager *m = run->m;
    WA_AUTO_SEEN struct wa_seen seen;
    wa_seen_init(&seen);
    if (wa_index_seen_load(m, r->name, &seen, err) != WA_OK ||
        read_index(m, r->name, fd, ix, bad, err) != WA_OK ||
        wa_index_keep_trusted(ix, anchors, wa_clock_now(), &seen, on_discard, run, discarded,
                              err) != WA_OK ||
        wa_repo_trust_index(source->trust, anchors, ix, on_discard, run, discarded, err) != WA_OK)
        return err->code;
    wa_index_seen_save(m, r->name, &seen);
    wa_crls_keep(m, anchors, &ix->certs);
    return WA_OK;
}

/* Who counts here; under a root, after what is true at this address. */
static enum wa_code get_anchors(struct wa_task_run *run, const struct wa_agent_repo *r,
                                struct wa_sv address, struct source *s, struct wa_err *err)
{
    if (s->trust->root != NULL && wa_repo_walk(run, r, address, s->trust, err) != WA_OK)
        return err->code;
    wa_trust_free(s->anchors);
    s->anchors = NULL;
    if (wa_manager_anchors(run->m, r, s->trust, &s->anchors, err) != WA_OK)
        return err->code;
    wa_crls_fetch(run, s->anchors);
    return WA_OK;
}

static enum wa_code update_from(struct wa_task_run *run, const struct wa_agent_repo *r,
                                struct wa_sv address, void *user, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct source *source = user;
    char url[2048];
    WA_AUTO_FD int fd = -1;
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_fetch_result got = {0};
    size_t bad = 0, discarded = 0;
    wa_index_init(&ix);
    if (get_anchors(run, r, address, source, err) != WA_OK)
        return err->code;
    (void)snprintf(url, sizeof url, "%.*s/Packages", WA_SV_ARG(address));
    enum wa_code code =
        source->trust->root != NULL
            ? get_published_index(run, r, address, source->trust->published, url, &fd, &got, err)
            : get_index(run, r, url, WA_INDEX_PACKED_BYTES_MAX, &fd, &got, err);
    if (code != WA_OK || judge_index(run, r, fd, source, &ix, &bad, &discarded, err) != WA_OK)
        return err->code;
    size_t other = filter(m, r, &ix);
    wa_task_say(run,
                "%.*s: %zu packages for this machine, %zu for others, %zu not trusted, %zu "
                "unreadable\n",
                WA_SV_ARG(address), ix.n, other, discarded, bad);
    if (wa_available_replace(m->tdb, r->name, source->rank, ix.items, ix.n, err) != WA_OK)
        return err->code;
    if (got.status == 200)
        wa_index_kept_save(m, r->name, url, got.etag, &index_file, fd);
    return WA_OK;
}

static void drop(struct wa_manager *m, const struct wa_relpath *path)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_tree_remove(&m->base, path, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "download.left", &err);
}

/* For whoever looks at the status: what is wrong, until it is right again. */
static void note_problem(struct wa_manager *m, const struct wa_err *problem)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_repo_trust_save_problem(m->tdb, problem->text, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
}

static enum wa_code update_repo(struct wa_task_run *run, size_t i, struct wa_repo_trust *t,
                                struct wa_err *err)
{
    const struct wa_agent_repo *r = &run->m->config.repos[i];
    struct source source = {(int64_t)i, t, NULL};
    size_t at = 0;
    enum wa_code code = wa_repo_each(run, r, &at, update_from, &source, err);
    drop(run->m, &index_file);
    wa_trust_free(source.anchors);
    if (t->root != NULL)
        note_problem(run->m, err);
    return code;
}

/* A root is for the main repository and this machine's own package. */
static bool is_used(const struct wa_repo_trust *t, const char *repo)
{
    return t->root == NULL || strcmp(repo, "wapt") == 0 || strcmp(repo, "wapt-host") == 0;
}

/* *ret_failed: repositories that could not be read; *ret_why, of the first. An error ends it all.
 */
static enum wa_code update_repos(struct wa_task_run *run, struct wa_repo_trust *t,
                                 size_t *ret_failed, struct wa_err *ret_why, struct wa_err *err)
{
    const struct wa_agent_config *c = &run->m->config;
    for (size_t i = 0; i < c->repo_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (!is_used(t, c->repos[i].name)) {
            wa_task_say(run,
                        "repository '%s' is not used: this machine has accepted a root, which "
                        "is for the main repository alone\n",
                        c->repos[i].name);
            continue;
        }
        enum wa_code code = update_repo(run, i, t, &why);
        if (code == WA_E_CANCELLED || code == WA_E_NOMEM) {
            *err = why;
            return code;
        }
        if (code == WA_OK)
            continue;
        if ((*ret_failed)++ == 0)
            *ret_why = why;
        if (c->repo_count > 1)
            wa_task_say(run, "repository '%s' stays as it was: %s\n", c->repos[i].name, why.text);
        wa_log(&run->m->log, WA_LOG_WARNING, "repository.failed",
               WA_LF_S("repository", c->repos[i].name), WA_LF_S("why", why.text));
    }
    return WA_OK;
}

/* --- this machine's own package --- */

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
    return wa_available_replace(m->tdb, "wapt-host", WA_RANK_HOST, &v->control, 1, err);
}

/* Servers give it to the machine that shows its certificate. Without one yet, what is known stays:
 * the next report asks for one. One that is refused is a fault, and replaced. */
static enum wa_code denied(struct wa_task_run *run, const char *url, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    WA_AUTO_BUF_SECRET struct wa_buf own;
    struct wa_sv shown = {NULL, 0};
    if (wa_tls_identity_copy(m, url, &own, &shown, err) != WA_OK)
        return err->code;
    wa_tls_identity_doubt(m);
    if (shown.n > 0)
        return wa_fail(err, WA_E_DENIED,
                       "the server does not give '%s' to this machine: it does not accept the "
                       "certificate that this machine shows, or no longer knows the machine. "
                       "Another one is being asked for by the machine's own key; if this stays "
                       "so, see 'wapt-get status', and register it again with 'wapt-get register'",
                       url);
    wa_task_say(run, "this machine's own package stays as it was: the server gives it to "
                     "registered machines, which show their certificate\n");
    return WA_OK;
}

/* The machine's own package is its own index entry, verified whole. None is no fault. */
static enum wa_code host_from(struct wa_task_run *run, const struct wa_agent_repo *r,
                              struct wa_sv address, void *user, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    char url[2048], file[WA_UUID_MAX + 8];
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    struct wa_fetch_result got = {0};
    const struct wa_repo_trust *t = user;
    wa_verdict_init(&v);
    (void)snprintf(file, sizeof file, "%s.wapt", m->uuid);
    (void)snprintf(url, sizeof url, "%.*s/%s", WA_SV_ARG(address), file);
    const struct wa_repo_get get = {.url = url, .max_bytes = WA_MANIFEST_BYTES_MAX};
    if (wa_update_download(run, r, &get, &host_file, &fd, &got, err) != WA_OK)
        return err->code;
    if (got.status == 404)
        return wa_available_replace(m->tdb, "wapt-host", WA_RANK_HOST, NULL, 0, err);
    if (got.status == 403)
        return denied(run, url, err);
    if (got.status != 200)
        return wa_fail(err, WA_E_UNREACHABLE, "'%s' answered with status %d", url, got.status);
    if (wa_manager_anchors(m, r, t, &anchors, err) != WA_OK ||
        wa_helper_unpack(m->launcher, fd, m->cancel, &unpack, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_verify_package(wa_unpack_members(unpack), anchors, wa_clock_now(), NULL, NULL, &v, err);
    wa_unpack_free(unpack);
    if (code != WA_OK ||
        wa_repo_trust_package(t, &v.trust, &v.control, v.has_setup_py, err) != WA_OK ||
        wa_repo_trust_host(m->tdb, t, &v.control, err) != WA_OK)
        return err->code;
    return store_host(m, &v, file, fd, err);
}

static enum wa_code update_host(struct wa_task_run *run, struct wa_repo_trust *t,
                                struct wa_err *err)
{
    struct wa_manager *m = run->m;
    size_t at = 0;
    if (m->config.host_repo.url[0] == '\0' || m->uuid[0] == '\0')
        return wa_available_replace(m->tdb, "wapt-host", WA_RANK_HOST, NULL, 0, err);
    enum wa_code code = wa_repo_each(run, &m->config.host_repo, &at, host_from, t, err);
    drop(m, &host_file);
    return code;
}

/* --- the task --- */

struct in_use {
    const struct wa_agent_config *config;
    const struct wa_repo_trust *trust;
};

static bool is_in_use(const void *user, const char *repo)
{
    const struct in_use *u = user;
    return wa_agent_repo_find(u->config, repo) != NULL && is_used(u->trust, repo);
}

enum wa_code wa_task_update(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    WA_AUTO_REPO_TRUST struct wa_repo_trust t = {.root = NULL};
    struct wa_err why = WA_ERR_INIT;
    size_t failed = 0, count = m->config.repo_count;
    if (wa_repo_trust_load(m, m->tdb, &t, err) != WA_OK)
        return wa_wrap(err, "updating the list of packages");
    if (count == 0)
        (void)wa_fail(err, WA_E_CONFIG,
                      "no repository is set: put repo_url or wapt_server into '%s'",
                      m->config.file);
    else if (update_repos(run, &t, &failed, &why, err) == WA_OK && failed > 0 &&
             (failed == count || t.root != NULL))
        *err = why;
    if (err->code != WA_OK)
        return wa_wrap(err, "updating the list of packages");
    const struct in_use in_use = {&m->config, &t};
    if (wa_available_prune(m->tdb, is_in_use, &in_use, err) != WA_OK)
        return err->code;
    /* The machine's former assignments stay: a refused or unreachable package must not take
     * software away. */
    if (update_host(run, &t, err) == WA_E_DENIED) {
        const struct wa_err denied = *err;
        wa_err_clear(err);
        return wa_fail(err, WA_E_PARTIAL, "all but this machine's own package is up to date: %s",
                       denied.text);
    }
    if (err->code != WA_OK)
        return wa_wrap(err, "updating this machine's own package");
    return failed == 0 ? WA_OK
                       : wa_fail(err, WA_E_PARTIAL, "%zu of %zu repositories could not be read: %s",
                                 failed, count, why.text);
}
