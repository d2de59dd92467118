/* crls.c - revocation lists from one update to the next: private/crl/<authority>.crl, DER.
 *
 * They come from indexes, and from the addresses that the trusted certificates name - no others, so
 * that no certificate from elsewhere decides what is fetched. The newest of each authority is kept.
 * A list that is gone from the index still counts: whoever keeps the repository can't take a
 * revocation back by leaving it out.
 */
#include "agent/backoff.h"
#include "agent/repo_fetch.h"
#include "agent/tasks.h"
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "os/clock.h"

static const struct wa_relpath folder = {"private/crl", 11};
static const struct wa_relpath fetched = {"private/tmp/crl", 15};

/* --- keeping --- */

/* Whether the kept list is as new. One that can't be read is replaced. */
static bool is_kept(struct wa_manager *m, const struct wa_relpath *path, int64_t this_update)
{
    WA_AUTO_BUF struct wa_buf der;
    WA_AUTO_BUF struct wa_buf ignored;
    struct wa_crl_info old;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&der, WA_CRL_BYTES_MAX);
    wa_buf_init(&ignored, WA_CRL_BYTES_MAX);
    return wa_file_read(&m->base, path, WA_CRL_BYTES_MAX, &der, &why) == WA_OK &&
           wa_crl_read(wa_buf_sv(&der), &ignored, &old, &why) == WA_OK &&
           old.this_update >= this_update;
}

static enum wa_code count(void *user, const char *name, const struct wa_stat *st,
                          struct wa_err *err)
{
    size_t *n = user;
    WA_UNUSED(name);
    WA_UNUSED(st);
    WA_UNUSED(err);
    ++*n;
    return WA_OK;
}

static enum wa_code check_room(struct wa_manager *m, const struct wa_relpath *path,
                               struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_err why = WA_ERR_INIT;
    size_t n = 0;
    if (wa_file_open(&m->base, path, &fd, &why) == WA_OK)
        return WA_OK; /* it takes its predecessor's place */
    if (wa_dir_open_sub(&m->base, &folder, &dir, err) != WA_OK ||
        wa_dir_list(&dir, count, &n, err) != WA_OK)
        return err->code;
    return n < WA_CRLS_KEPT_MAX ? WA_OK
                                : wa_fail(err, WA_E_LIMIT, "more than %u revocation lists are kept",
                                          WA_CRLS_KEPT_MAX);
}

static enum wa_code keep_one(struct wa_manager *m, const struct wa_crl_info *info,
                             const struct wa_buf *der, struct wa_err *err)
{
    struct wa_relpath path;
    path.n = (size_t)snprintf(path.p, sizeof path.p, "%s/%s.crl", folder.p, info->authority);
    if (is_kept(m, &path, info->this_update))
        return WA_OK;
    if (check_room(m, &path, err) != WA_OK)
        return err->code;
    return wa_file_replace(&m->base, &path, wa_buf_sv(der), 0600, err);
}

void wa_crls_keep(struct wa_manager *m, const struct wa_trust *anchors,
                  const struct wa_certs *helpers)
{
    struct wa_err err = WA_ERR_INIT;
    bool is_there = true, is_worth = false;
    for (size_t i = 0; is_there && err.code == WA_OK; i++) {
        WA_AUTO_BUF struct wa_buf der;
        struct wa_crl_info info;
        wa_buf_init(&der, WA_CRL_BYTES_MAX);
        if (wa_trust_crl_to_keep(anchors, i, helpers, wa_clock_now(), &der, &info, &is_worth,
                                 &is_there, &err) == WA_OK &&
            is_worth)
            (void)!keep_one(m, &info, &der, &err);
    }
    if (err.code != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "crl.not_kept", &err);
}

/* --- fetching --- */

/* The name of the parameter that says when url is due again. */
static enum wa_code due_name(struct wa_sv url, char out[80], struct wa_err *err)
{
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_sha256_hex(url.p, url.n, digest, err) != WA_OK)
        return err->code;
    (void)snprintf(out, 80, "crl_due:%s", digest);
    return WA_OK;
}

/* Half of its life, a day at most: then a list that its authority renews is never out of date. */
static int64_t due_after(const struct wa_crl_info *info, int64_t now)
{
    int64_t left = info->next_update > now ? (info->next_update - now) / 2 : 0;
    return now + (left < WA_CRL_AGE_MAX_S ? left : WA_CRL_AGE_MAX_S);
}

static enum wa_code take(struct wa_task_run *run, const char *url, struct wa_trust *anchors,
                         struct wa_crl_info *ret, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf der;
    struct wa_fetch_result got = {0};
    bool is_used = false;
    const struct wa_agent_config *c = &run->m->config;
    const struct wa_agent_repo *settings = c->repo_count > 0 ? &c->repos[0] : &c->host_repo;
    const struct wa_repo_get get = {.url = url, .max_bytes = WA_CRL_BYTES_MAX};
    wa_buf_init(&text, WA_CRL_BYTES_MAX);
    wa_buf_init(&der, WA_CRL_BYTES_MAX);
    if (wa_update_download(run, settings, &get, &fetched, &fd, &got, err) != WA_OK)
        return err->code;
    if (got.status != 200)
        return wa_fail(err, WA_E_UNREACHABLE, "'%s' answered with status %d", url, got.status);
    if (wa_file_read(&run->m->base, &fetched, WA_CRL_BYTES_MAX, &text, err) != WA_OK ||
        wa_crl_read(wa_buf_sv(&text), &der, ret, err) != WA_OK)
        return err->code;
    return wa_trust_add_crl(anchors, wa_buf_sv(&text), NULL, &is_used, err);
}

static enum wa_code fetch_one(struct wa_task_run *run, struct wa_sv line, struct wa_trust *anchors,
                              struct wa_err *err)
{
    char url[2048], name[80];
    struct wa_crl_info info;
    int64_t due = 0, now = wa_clock_now();
    (void)snprintf(url, sizeof url, "%.*s", WA_SV_ARG(line));
    if (due_name(line, name, err) != WA_OK || wa_param_i64(run->m->tdb, name, &due, err) != WA_OK)
        return err->code;
    if (wa_is_to_come(due, now, WA_CRL_AGE_MAX_S))
        return WA_OK;
    if (take(run, url, anchors, &info, err) != WA_OK)
        return wa_wrap(err, "fetching the revocation list '%s'", url);
    return wa_param_set_i64(run->m->tdb, name, due_after(&info, now), err);
}

void wa_crls_fetch(struct wa_task_run *run, struct wa_trust *anchors)
{
    struct wa_manager *m = run->m;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv rest, line;
    WA_AUTO_BUF struct wa_buf urls;
    wa_buf_init(&urls, WA_CRL_URLS_MAX * 4096u);
    if (wa_trust_crl_urls(anchors, &urls, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "crl.not_fetched", &err);
    for (rest = wa_buf_sv(&urls); rest.n > 0 && wa_sv_split(&rest, '\n', &line);) {
        struct wa_err why = WA_ERR_INIT, left = WA_ERR_INIT;
        if (line.n > 0 && !wa_cancel_is_set(m->cancel) &&
            fetch_one(run, line, anchors, &why) != WA_OK) {
            wa_task_say(run, "%s\n", why.text);
            wa_log_err(&m->log, WA_LOG_WARNING, "crl.not_fetched", &why);
        }
        if (wa_tree_remove(&m->base, &fetched, &left) != WA_OK)
            wa_log_err(&m->log, WA_LOG_WARNING, "download.left", &left);
    }
    if (urls.n > 0)
        wa_crls_keep(m, anchors, NULL);
}
