/* install.c - bringing one package onto the machine, and taking it away: the transaction around its
 * hook.
 *
 * Downloaded to the cache, verified whole from the descriptor that is then used, staged, run. The
 * log of what runs is in the database before the hook starts; what it becomes, after. A failed
 * upgrade leaves the old version's row and script in place, marked ERROR.
 */
#include "agent/install_priv.h"

#include "codec/hex.h"
#include "os/clock.h"

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

/* --- getting the file --- */

struct download {
    struct wa_relpath part, path;
    char url[4096];
    uint64_t size;     /* bytes, as the index says */
    bool may_continue; /* part's name says which bytes it is the beginning of */
};

/* All of it, or the rest behind `have` bytes, to fd. */
static enum wa_code transfer(struct wa_task_run *run, const struct download *d, uint64_t have,
                             int fd, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_tls_trust trust;
    struct wa_fetch_result result;
    struct wa_fd_sink sink;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_agent_trust(&m->config, d->url, &pem, &trust, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    const struct wa_fetch what = {.method = "GET",
                                  .url = d->url,
                                  .trust = &trust,
                                  .silence_s = (uint32_t)m->config.timeout_s,
                                  .allow_http = true,
                                  .max_bytes = d->size - have,
                                  .resume_from = have,
                                  .proxy = m->config.http_proxy[0] != '\0' ? m->config.http_proxy
                                                                           : NULL};
    if (wa_helper_fetch(m->launcher, &what, &sink.base, wa_task_progress, run, m->cancel, &result,
                        err) != WA_OK)
        return err->code;
    if (have > 0 && result.status != 206)
        return wa_fail(err, WA_E_CONFLICT, "'%s' does not send the rest", d->url);
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
static enum wa_code continue_part(struct wa_task_run *run, const struct download *d, bool *ret_done,
                                  struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    *ret_done = false;
    if (!d->may_continue || wa_file_continue(&run->m->base, &d->part, &fd, &why) != WA_OK ||
        wa_fd_stat(fd, &st, &why) != WA_OK || st.size == 0 || st.size >= d->size)
        return WA_OK;
    if (transfer(run, d, st.size, fd, &why) != WA_OK && is_beginning(why.code)) {
        *err = why;
        return err->code;
    }
    *ret_done = why.code == WA_OK;
    return WA_OK;
}

static enum wa_code fetch_part(struct wa_task_run *run, const struct download *d,
                               struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    bool done = false;
    WA_AUTO_FD int fd = -1;
    if (continue_part(run, d, &done, err) != WA_OK || done)
        return err->code;
    if (wa_tree_remove(&run->m->base, &d->part, err) != WA_OK ||
        wa_file_create(&run->m->base, &d->part, 0600, &fd, err) != WA_OK)
        return err->code;
    if (transfer(run, d, 0, fd, err) == WA_OK)
        return WA_OK;
    if (!(d->may_continue && is_beginning(err->code)) &&
        wa_tree_remove(&run->m->base, &d->part, &why) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_WARNING, "cache.left", &why);
    return err->code;
}

/* The MD5 of an unsigned index only names the part: another file, another part. The whole is judged
 * by its signature, however it came together. */
static enum wa_code fetch_package(struct wa_task_run *run, const struct wa_control *c,
                                  const char *repo_url, struct wa_err *err)
{
    struct download d;
    const char *file = wa_control_get(c, WA_A_FILENAME), *md5 = wa_control_get(c, WA_A_MD5SUM);
    char suffix[48];
    WA_AUTO_BUF struct wa_buf url;
    wa_buf_init(&url, sizeof d.url - 1);
    d.may_continue = wa_hex_is(wa_sv(md5), 32);
    (void)snprintf(suffix, sizeof suffix, ".%s.part", d.may_continue ? md5 : "whole");
    if (!wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &d.size) || d.size > WA_PACKAGE_BYTES_MAX)
        return wa_fail(err, WA_E_REFUSED, "the index gives no sensible size for '%s'", file);
    wa_buf_addf(&url, "%s/", repo_url);
    wa_url_encode(wa_sv(file), &url);
    if (wa_buf_check(&url, err) != WA_OK || cache_path(file, suffix, &d.part, err) != WA_OK ||
        cache_path(file, "", &d.path, err) != WA_OK)
        return err->code;
    (void)snprintf(d.url, sizeof d.url, "%s", wa_buf_str(&url));
    if (fetch_part(run, &d, err) != WA_OK)
        return err->code;
    return wa_file_rename(&run->m->base, &d.part, &run->m->base, &d.path, err);
}

/* The package's file in the cache, open; downloaded when it is not there in its full size. */
enum wa_code wa_install_open(struct wa_task_run *run, const struct wa_control *c,
                             const char *repo_url, int *ret_fd, struct wa_err *err)
{
    struct wa_relpath path;
    struct wa_err missing = WA_ERR_INIT;
    struct wa_stat st;
    WA_AUTO_FD int fd = -1;
    uint64_t size = 0;
    if (cache_path(wa_control_get(c, WA_A_FILENAME), "", &path, err) != WA_OK)
        return err->code;
    (void)wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &size);
    if (wa_file_open(&run->m->base, &path, &fd, &missing) == WA_OK &&
        wa_fd_stat(fd, &st, &missing) == WA_OK && st.size == size) {
        *ret_fd = fd;
        fd = -1;
        return WA_OK;
    }
    if (fetch_package(run, c, repo_url, err) != WA_OK)
        return wa_wrap(err, "downloading '%s'", wa_control_get(c, WA_A_PACKAGE));
    return wa_file_open(&run->m->base, &path, ret_fd, err);
}

static void drop_cached(struct wa_manager *m, const struct wa_control *c)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    if (cache_path(wa_control_get(c, WA_A_FILENAME), "", &path, &err) != WA_OK ||
        wa_tree_remove(&m->base, &path, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "cache.left", &err);
}

/* --- verifying --- */

static bool go_on(void *user, uint64_t done, uint64_t total)
{
    struct wa_task_run *run = user;
    wa_task_progress(run, done, total);
    return !wa_cancel_is_set(run->m->cancel);
}

/* The verified package is the one that was planned. Both signatures have been checked, so one and
 * the same means the same attributes; name, version and architecture are compared all the same,
 * since a second signer could have been made for one signature. */
static enum wa_code check_same(const struct wa_control *planned, const struct wa_verdict *v,
                               struct wa_err *err)
{
    if (strcmp(wa_control_get(planned, WA_A_SIGNATURE),
               wa_control_get(&v->control, WA_A_SIGNATURE)) != 0 ||
        !wa_entry_same(planned, &v->control))
        return wa_fail(err, WA_E_REFUSED, "the file is another package than the index says");
    return WA_OK;
}

static enum wa_code verify(struct wa_task_run *run, const struct wa_control *c,
                           struct wa_members *members, struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (wa_manager_anchors(run->m, &anchors, err) == WA_OK &&
        wa_verify_package(members, anchors, wa_clock_now(), go_on, run, v, err) == WA_OK &&
        check_same(c, v, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_REFUSED || err->code == WA_E_INVALID || err->code == WA_E_LIMIT) {
        drop_cached(run->m, c);
        wa_log(&run->m->log, WA_LOG_ERROR, "package.refused",
               WA_LF_S("package", wa_control_get(c, WA_A_PACKAGE)), WA_LF_S("why", err->text));
    }
    return wa_wrap(err, "package '%s' is refused", wa_control_get(c, WA_A_PACKAGE));
}

/* --- running install() --- */

static bool has_persistent(const struct wa_members *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (wa_sv_starts(wa_sv(m->items[i].name.p), "WAPT/persistent/"))
            return true;
    return false;
}

static enum wa_code commit_row(struct wa_task_run *run, const struct wa_install *in,
                               const char *status, const struct wa_hook_result *r,
                               struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const char *package = wa_control_get(in->to, WA_A_PACKAGE);
    struct wa_sv output = r != NULL ? wa_buf_sv(&r->output) : WA_SV("");
    struct wa_sv params = r != NULL && r->params.n > 0 ? wa_buf_sv(&r->params) : WA_SV("{}");
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    enum wa_code code = strcmp(status, "ERROR") == 0 && in->from != NULL
                            ? wa_installed_set_status(m->tdb, package, "ERROR", output, err)
                            : wa_installed_put(m->tdb, in->to, status, wa_clock_now(), output,
                                               params, in->is_explicit, err);
    if (code == WA_OK)
        code = wa_running_end(m->tdb, package, err);
    if (code == WA_OK)
        code = wa_db_commit(m->tdb, err);
    if (code != WA_OK) {
        wa_db_rollback(m->tdb);
        m->is_unsettled = true;
    }
    return code;
}

/* An installation that ended: its row, and the script that is not needed any more. */
static enum wa_code commit(struct wa_task_run *run, const struct wa_install *in, const char *status,
                           const struct wa_hook_result *r, struct wa_err *err)
{
    char was[WA_KEPT_ID + 1] = "", is[WA_KEPT_ID + 1];
    if (commit_row(run, in, status, r, err) != WA_OK || wa_kept_id(in->to, is, err) != WA_OK ||
        (in->from != NULL && wa_kept_id(&in->from->control, was, err) != WA_OK))
        return err->code;
    if (strcmp(was, is) == 0)
        return WA_OK;
    if (strcmp(status, "ERROR") == 0)
        wa_kept_remove(run->m, in->to);
    else if (in->from != NULL)
        wa_kept_remove(run->m, &in->from->control);
    return WA_OK;
}

static enum wa_code run_install(struct wa_task_run *run, const struct wa_install *in,
                                struct wa_members *members, const struct wa_verdict *v,
                                const char *stage_id, const struct wa_dir *stage,
                                struct wa_hook_result *r, struct wa_err *err)
{
    const struct wa_hook_run what = {.hook = WA_HOOK_INSTALL,
                                     .control = in->to,
                                     .stage = stage_id,
                                     .force = in->force,
                                     .has_persistent = has_persistent(members),
                                     .params = in->params};
    /* Kept before the script runs: afterwards it might not be the signer's any more. */
    if (wa_extract_verified(members, v, stage, err) != WA_OK ||
        wa_kept_save(run->m, stage, in->to, err) != WA_OK ||
        wa_running_begin(run->m->tdb, in->to, "install", err) != WA_OK)
        return err->code;
    return wa_hook_run(run, &what, r, err);
}

static enum wa_code install_with_code(struct wa_task_run *run, const struct wa_install *in,
                                      struct wa_members *members, const struct wa_verdict *v,
                                      struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    struct wa_hook_result r;
    struct wa_err why = WA_ERR_INIT;
    if (wa_stage_new(run->m, id, &stage, err) != WA_OK)
        return err->code;
    wa_hook_result_init(&r);
    enum wa_code code = run_install(run, in, members, v, id, &stage, &r, &why);
    if (code != WA_OK)
        wa_buf_addf(&r.output, "%s\n", why.text);
    enum wa_code stored = commit(run, in, code == WA_OK ? r.status : "ERROR", &r, err);
    if (stored == WA_OK && code != WA_OK)
        *err = why;
    else if (stored == WA_OK && strcmp(r.status, "ERROR") == 0)
        (void)wa_fail(err, r.code, "%s", r.error[0] != '\0' ? r.error : "its install() failed");
    else if (stored == WA_OK && strcmp(r.status, "OK") != 0)
        wa_task_say(run, "%s: install() says %s\n", wa_control_get(in->to, WA_A_PACKAGE), r.status);
    wa_hook_result_fini(&r);
    wa_stage_remove(run->m, id);
    return err->code;
}

enum wa_code wa_install_one(struct wa_task_run *run, const struct wa_install *in,
                            struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    wa_verdict_init(&v);
    if (wa_install_open(run, in->to, in->repo_url, &fd, err) != WA_OK ||
        wa_helper_unpack(run->m->launcher, fd, run->m->cancel, &unpack, err) != WA_OK)
        return err->code;
    struct wa_members *members = wa_unpack_members(unpack);
    enum wa_code code = verify(run, in->to, members, &v, err);
    if (code == WA_OK)
        code = v.has_setup_py ? install_with_code(run, in, members, &v, err)
                              : commit(run, in, "OK", NULL, err);
    wa_unpack_free(unpack);
    return code;
}

/* --- removal --- */

static void record_failure(struct wa_manager *m, const char *package, struct wa_sv output)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_installed_set_status(m->tdb, package, "ERROR", output, &err) != WA_OK ||
        wa_running_end(m->tdb, package, &err) != WA_OK) {
        m->is_unsettled = true;
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    }
}

static enum wa_code run_uninstall(struct wa_task_run *run, const struct wa_installed_row *row,
                                  struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    struct wa_hook_result r;
    const struct wa_control *c = &row->base.control;
    if (wa_kept_stage(run->m, row, WA_HOOK_UNINSTALL, id, err) != WA_OK)
        return err->code;
    wa_hook_result_init(&r);
    const struct wa_hook_run what = {.hook = WA_HOOK_UNINSTALL,
                                     .control = c,
                                     .stage = id,
                                     .force = run->request.force,
                                     .params = row->params};
    enum wa_code code = wa_running_begin(run->m->tdb, c, "uninstall", err);
    if (code == WA_OK)
        code = wa_hook_run(run, &what, &r, err);
    if (code == WA_OK && strcmp(r.status, "ERROR") == 0)
        code = wa_fail(err, r.code, "%s", r.error[0] != '\0' ? r.error : "its uninstall() failed");
    if (code != WA_OK)
        record_failure(run->m, wa_control_get(c, WA_A_PACKAGE), wa_buf_sv(&r.output));
    wa_hook_result_fini(&r);
    wa_stage_remove(run->m, id);
    return code;
}

enum wa_code wa_install_forget(struct wa_manager *m, const struct wa_control *c, struct wa_err *err)
{
    const char *package = wa_control_get(c, WA_A_PACKAGE);
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    if (wa_installed_delete(m->tdb, package, err) != WA_OK ||
        wa_running_end(m->tdb, package, err) != WA_OK || wa_db_commit(m->tdb, err) != WA_OK) {
        wa_db_rollback(m->tdb);
        m->is_unsettled = true;
        return err->code;
    }
    wa_kept_remove(m, c);
    return WA_OK;
}

enum wa_code wa_remove_one(struct wa_task_run *run, const struct wa_installed_row *row,
                           struct wa_err *err)
{
    const struct wa_control *c = &row->base.control;
    struct wa_err why = WA_ERR_INIT;
    if (wa_kept_has_hook(run->m, c, WA_HOOK_UNINSTALL) && run_uninstall(run, row, &why) != WA_OK) {
        if (!run->request.force) {
            *err = why;
            return err->code;
        }
        wa_task_say(run, "%s: %s; removed all the same, as forced\n",
                    wa_control_get(c, WA_A_PACKAGE), why.text);
    }
    return wa_install_forget(run->m, c, err);
}
