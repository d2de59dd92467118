/* upgrade_hand.c - the manager's part in its own replacement: who may ask for it, the verified
 * bytes put in place, the start of the process that does it, and what became of it.
 *
 * A script says which file of its package it means, no more: the bytes are those of the verified
 * archive, not those of the folder that the script could write in. Nothing is executed here.
 */
#include "agent/upgrade.h"

#include "agent/helper_priv.h"
#include "agent/repo_fetch.h"
#include "agent/repo_trust.h"
#include "agent/scheduler.h"
#include "agent/tasks.h"
#include "agent/upgrade_hand.h"
#include "os/clock.h"

#define START_S 60 /* s: what it starts with ends at once */
#define COPY_BYTES (64u << 10)

static enum wa_code path_of(const char *name, struct wa_relpath *ret, struct wa_err *err)
{
    return wa_relpath_parse(wa_sv(name), ret, err);
}

/* Being trusted for packages is not enough: the agent is replaced on the word of those who may give
 * this machine orders. */
static enum wa_code check_right(struct wa_manager *m, const struct wa_verdict *v,
                                struct wa_err *err)
{
    WA_AUTO_REPO_TRUST struct wa_repo_trust t = {.root = NULL};
    bool is_outside = false;
    if (wa_repo_trust_load(m, m->tdb, &t, err) != WA_OK)
        return err->code;
    if (t.root != NULL)
        return wa_repo_trust_order(m, m->tdb, &t, &v->trust, WA_UPGRADE_RIGHT, &is_outside, err);
    return v->trust.may_order
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED,
                         "'%s' may sign packages, but not replace the agent: that needs its "
                         "fingerprint in [actions] signers",
                         v->trust.signer_cn);
}

/* One that failed here is not tried again by itself. */
static enum wa_code check_untried(struct wa_task_run *run, const char *sha256, struct wa_err *err)
{
    struct wa_upgrade_result last;
    struct wa_err absent = WA_ERR_INIT;
    if (run->request.force || wa_upgrade_result_load(&run->m->base, &last, &absent) != WA_OK ||
        strcmp(last.sha256, sha256) != 0 || strcmp(last.outcome, "returned") != 0)
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED,
                   "this very version did not work here before (%.300s): it is tried again only "
                   "with --force",
                   last.message);
}

/* A member of the package to a file, if it is the one with that digest. */
static enum wa_code write_member(struct wa_manager *m, struct wa_members *members, const char *name,
                                 const char *wanted, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath path;
    struct wa_fd_sink sink;
    char digest[WA_DIGEST_HEX_MAX];
    size_t at;
    if (!wa_members_find(members, name, &at))
        return wa_fail(err, WA_E_NOT_FOUND, "the package has no file '%s'", name);
    if (path_of(WA_UP_NEW, &path, err) != WA_OK ||
        wa_file_create(&m->base, &path, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (members->read(members, at, &sink.base, err) != WA_OK || wa_fd_sync(fd, err) != WA_OK ||
        wa_index_digest(fd, digest, err) != WA_OK)
        return err->code;
    return strcmp(digest, wanted) == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "'%s' is not the file that was verified", name);
}

/* The program as it is now: what is installed next must not be what watches it. */
static enum wa_code copy_program(struct wa_manager *m, const char *program, struct wa_err *err)
{
    WA_AUTO_FD int from = -1;
    WA_AUTO_FD int to = -1;
    struct wa_relpath path;
    struct wa_stat st;
    char piece[COPY_BYTES];
    if (wa_path_open(program, &from, err) != WA_OK || wa_fd_stat(from, &st, err) != WA_OK ||
        path_of(WA_UP_PROGRAM, &path, err) != WA_OK ||
        wa_file_create(&m->base, &path, 0700, &to, err) != WA_OK)
        return err->code;
    for (uint64_t at = 0; at < st.size;) {
        size_t n = st.size - at < sizeof piece ? (size_t)(st.size - at) : sizeof piece;
        if (wa_fd_read_at(from, at, piece, n, err) != WA_OK ||
            wa_fd_write_all(to, piece, n, err) != WA_OK)
            return err->code;
        at += n;
    }
    return wa_fd_sync(to, err);
}

static enum wa_code fill(struct wa_manager *m, struct wa_members *members, const char *name,
                         struct wa_upgrade *u, struct wa_err *err)
{
    struct wa_relpath dir;
    return path_of(WA_UP_DIR, &dir, err) == WA_OK && wa_tree_remove(&m->base, &dir, err) == WA_OK &&
                   wa_dir_make_sub(&m->base, &dir, 0700, err) == WA_OK &&
                   write_member(m, members, name, u->sha256, err) == WA_OK &&
                   wa_proc_sibling_path("waptservice", u->program, err) == WA_OK &&
                   copy_program(m, u->program, err) == WA_OK
               ? wa_upgrade_save(&m->base, u, err)
               : err->code;
}

enum wa_code wa_upgrade_hand(struct wa_task_run *run, struct wa_members *members,
                             const struct wa_verdict *v, const char *name, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_upgrade u = {.step = WA_UP_HANDED}, other;
    struct wa_err absent = WA_ERR_INIT;
    const struct wa_manifest_entry *e = wa_manifest_find(&v->manifest, name);
    if (m->once)
        return wa_fail(err, WA_E_CONFLICT,
                       "the agent replaces itself only where its service runs; without it, install "
                       "the Debian package");
    if (e == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "the package has no file '%s'", name);
    if (wa_upgrade_load(&m->base, &other, &absent) != WA_E_NOT_FOUND)
        return wa_fail(err, WA_E_BUSY, "an upgrade of the agent is under way");
    (void)snprintf(u.package, sizeof u.package, "%s", wa_control_get(&v->control, WA_A_PACKAGE));
    (void)snprintf(u.sha256, sizeof u.sha256, "%s", e->digest);
    (void)snprintf(u.config, sizeof u.config, "%s", m->config.file);
    if (check_right(m, v, err) != WA_OK || check_untried(run, e->digest, err) != WA_OK ||
        fill(m, members, name, &u, err) != WA_OK)
        return wa_wrap(err, "replacing the agent");
    return WA_OK;
}

static void await_end(struct wa_manager *m, bool is_awaited)
{
    wa_lock_take(m->lock);
    m->upgrade_handed = is_awaited;
    wa_lock_give(m->lock);
}

enum wa_code wa_upgrade_begin(struct wa_manager *m, struct wa_err *err)
{
    const struct wa_start what = {.role = WA_ROLE_UPGRADE, .timeout_s = START_S};
    struct wa_helper *h = NULL;
    bool has_ended = false;
    await_end(m, true);
    if (wa_helper_start(m->launcher, &what, &h, err) == WA_OK &&
        wa_helper_wait(m->launcher, h, START_S * 1000, &has_ended, err) == WA_OK &&
        (!has_ended || h->ended.is_signal || h->ended.value != 0))
        (void)wa_fail(err, WA_E_FAILED,
                      "what should replace the agent could not be started: see 'systemctl status "
                      "wapt-upgrade'");
    wa_helper_end(m->launcher, h);
    return err->code;
}

/* What became of it is told with the package that brought it, as any other failure. */
static enum wa_code settle(struct wa_manager *m, struct wa_db *db,
                           const struct wa_upgrade_result *r, struct wa_err *err)
{
    const struct wa_local_request status = {.op = WA_OP_UPDATE_STATUS};
    bool is_good = strcmp(r->outcome, "upgraded") == 0;
    int64_t id = 0;
    char text[2 * WA_ERR_TEXT_MAX];
    (void)snprintf(text, sizeof text, "the agent's upgrade from %s to %s: %s%s%s\n", r->from, r->to,
                   r->outcome, is_good ? "" : ": ", r->message);
    wa_log(&m->log, is_good ? WA_LOG_INFO : WA_LOG_ERROR, "upgrade.settled",
           WA_LF_S("outcome", r->outcome), WA_LF_S("package", r->package), WA_LF_S("from", r->from),
           WA_LF_S("to", r->to), WA_LF_S("message", r->message));
    if (!is_good && wa_installed_set_status(db, r->package, "ERROR", wa_sv(text), err) != WA_OK)
        return err->code;
    return wa_param_set_i64(db, "agent_upgrade_at", r->at, err) == WA_OK
               ? wa_manager_queue(m, wa_local_op_name(status.op), &status, WA_SCHEDULER, "", 0, &id,
                                  err)
               : err->code;
}

enum wa_code wa_upgrade_notice(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    struct wa_upgrade_result r;
    struct wa_err absent = WA_ERR_INIT;
    struct wa_upgrade under_way;
    int64_t told = 0;
    /* This may be the very version that is being watched: then its end is awaited. */
    await_end(m, wa_upgrade_load(&m->base, &under_way, &absent) == WA_OK);
    wa_err_clear(&absent);
    if (wa_upgrade_result_load(&m->base, &r, &absent) != WA_OK)
        return absent.code == WA_E_NOT_FOUND ? WA_OK : wa_fail(err, absent.code, "%s", absent.text);
    if (wa_param_i64(db, "agent_upgrade_at", &told, err) != WA_OK || told == r.at)
        return err->code;
    return settle(m, db, &r, err);
}
