/* install.c - bringing one package onto the machine, and taking it away: the transaction around its
 * hook.
 *
 * Downloaded to the cache (download.c), verified whole from the descriptor that is then used,
 * staged, run. The log of what runs is in the database before the hook starts (journal.c); what it
 * becomes, after. A failed upgrade leaves the old version's row and script in place, marked ERROR
 * from the moment its script began.
 */
#include "agent/install_priv.h"
#include "base/text.h"

#include "agent/hook.h"
#include "agent/inventory.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/repo_trust.h"
#include "agent/tasks.h"
#include "agent/upgrade_hand.h"
#include "os/clock.h"
#include "pkg/selfservice.h"

/* --- verifying --- */

static bool go_on(void *user, uint64_t done, uint64_t total)
{
    struct wa_task_run *run = user;
    wa_task_progress(run, done, total);
    return !wa_cancel_is_set(run->m->cancel);
}

/* As it is now, and by what is signed: the plan may be older than the machine's present state. */
static enum wa_code check_machine(const struct wa_manager *m, const struct wa_control *c,
                                  struct wa_err *err)
{
    struct wa_host_caps caps;
    const char *why = "";
    wa_manager_caps(m, &caps);
    return wa_host_accepts(&caps, c, &why)
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT, "this machine does not take it: %s", why);
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

/* Under a root: the file that the list names, before what is in it counts for anything. The
 * machine's own package is in no list. */
static enum wa_code check_published(const struct wa_manager *m, const struct wa_repo_trust *t,
                                    const struct wa_control *c, int fd, struct wa_err *err)
{
    bool is_own = strcmp(wa_control_get(c, WA_A_SECTION), "host") == 0 &&
                  strcmp(wa_control_get(c, WA_A_PACKAGE), m->uuid) == 0;
    return is_own ? WA_OK : wa_repo_trust_file(t, wa_control_get(c, WA_A_FILENAME), fd, err);
}

static enum wa_code verify(struct wa_task_run *run, const struct wa_install *in, int fd,
                           struct wa_members *members, struct wa_verdict *v, struct wa_err *err)
{
    const struct wa_control *c = in->to;
    WA_AUTO_REPO_TRUST struct wa_repo_trust t = {.root = NULL};
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (wa_repo_trust_load(run->m, run->m->tdb, &t, err) == WA_OK &&
        check_published(run->m, &t, c, fd, err) == WA_OK &&
        wa_manager_anchors(run->m, in->repo, &t, &anchors, err) == WA_OK &&
        wa_verify_package(members, anchors, wa_clock_now(), go_on, run, v, err) == WA_OK &&
        check_same(c, v, err) == WA_OK &&
        wa_repo_trust_package(&t, &v->trust, &v->control, v->has_setup_py, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_REFUSED || err->code == WA_E_INVALID || err->code == WA_E_LIMIT) {
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

/* The row, what the task has done and what failed before, as one. r NULL: the package has no code.
 */
static enum wa_code store_row(struct wa_task_run *run, const struct wa_install *in,
                              const char *status, const struct wa_hook_result *r,
                              struct wa_err *err)
{
    struct wa_db *db = run->m->tdb;
    const char *package = wa_control_get(in->to, WA_A_PACKAGE);
    struct wa_sv output = r != NULL ? wa_buf_sv(&r->output) : WA_SV("");
    struct wa_sv params = r != NULL && r->params.n > 0
                              ? wa_buf_sv(&r->params)
                              : wa_sv(in->params != NULL ? in->params : "{}");
    bool has_failed = strcmp(status, "ERROR") == 0;
    if (has_failed && in->from != NULL)
        return wa_installed_set_failed(db, package, output, params, in->is_explicit, err);
    if (wa_installed_put(db, in->to, in->repo->name, status, wa_clock_now(), output, params,
                         in->is_explicit, err) != WA_OK ||
        has_failed || wa_attempt_forget(db, package, err) != WA_OK)
        return err->code;
    return wa_task_note(db, run->task->id, in->to, status, err);
}

static enum wa_code commit_row(struct wa_task_run *run, const struct wa_install *in,
                               const char *status, const struct wa_hook_result *r,
                               struct wa_err *err)
{
    struct wa_manager *m = run->m;
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    enum wa_code code = store_row(run, in, status, r, err);
    if (code == WA_OK)
        code = wa_journal_end(m->tdb, wa_control_get(in->to, WA_A_PACKAGE), err);
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

static uint64_t bytes_of(const struct wa_members *members)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < members->n; i++)
        sum += members->items[i].size < UINT64_MAX - sum ? members->items[i].size : 0;
    return sum;
}

/* Kept before the script runs: afterwards it might not be the signer's any more. */
static enum wa_code prepare(struct wa_task_run *run, const struct wa_install *in,
                            struct wa_members *members, const struct wa_verdict *v,
                            const struct wa_dir *stage, struct wa_err *err)
{
    return wa_space_check(run->m, bytes_of(members), "unpacking the package", err) == WA_OK &&
                   wa_space_check_installed(run->m, in->to, err) == WA_OK &&
                   wa_extract_verified(members, v, stage, err) == WA_OK
               ? wa_kept_save(run->m, stage, in->to, err)
               : err->code;
}

/* From here on an interruption is one of the script's. snapshot: WA_SNAPSHOT_ID_MAX + 1 bytes. */
static enum wa_code begin(struct wa_task_run *run, const struct wa_install *in,
                          struct wa_buf *output, char *snapshot, struct wa_err *err)
{
    const char *package = wa_control_get(in->to, WA_A_PACKAGE);
    bool has_snapshot = wa_snapshot_is_on(run->m);
    const struct wa_journal_entry entry = {.control = in->to,
                                           .hook = "install",
                                           .repo = in->repo->name,
                                           .params = wa_sv(in->params != NULL ? in->params : "{}"),
                                           .is_explicit = in->is_explicit,
                                           .step = has_snapshot ? WA_JOURNAL_SNAPSHOT
                                                                : WA_JOURNAL_SCRIPT};
    struct wa_err late = WA_ERR_INIT;
    if (wa_journal_begin(run->m->tdb, &entry, err) != WA_OK || !has_snapshot)
        return err->code;
    if (wa_snapshot_take(run, in->to, output, snapshot, err) == WA_OK &&
        wa_journal_step(run->m->tdb, package, WA_JOURNAL_SCRIPT, snapshot, err) == WA_OK)
        return WA_OK;
    if (wa_journal_end(run->m->tdb, package, &late) != WA_OK)
        run->m->is_unsettled = true;
    return err->code;
}

bool wa_install_is_lost(struct wa_task_run *run)
{
    run->is_lost = run->is_lost || !wa_launcher_is_there(run->m->launcher);
    return run->is_lost;
}

/* Its install(), and the undoing of it. WA_OK: r says what came of it. */
static enum wa_code run_script(struct wa_task_run *run, const struct wa_install *in,
                               const struct wa_hook_run *what, const char *snapshot,
                               struct wa_hook_result *r)
{
    struct wa_err why = WA_ERR_INIT;
    const char *package = wa_control_get(in->to, WA_A_PACKAGE);
    enum wa_code code = wa_hook_run(run, what, r, &why);
    if (code != WA_OK) {
        wa_buf_addf(&r->output, "%s\n", why.text);
        (void)snprintf(r->error, sizeof r->error, "%s", why.text);
        (void)snprintf(r->status, sizeof r->status, "ERROR");
        r->code = code;
    }
    if (code != WA_OK && wa_install_is_lost(run))
        return code;
    if (strcmp(r->status, "ERROR") != 0 || snapshot[0] == '\0')
        return code;
    if (wa_journal_step(run->m->tdb, package, WA_JOURNAL_UNDO, snapshot, &why) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_ERROR, "database.failed", &why);
    wa_snapshot_undo(run->m, run, in->to, snapshot, &r->output);
    return code;
}

/* The script never began: what was kept of it belongs to nothing. */
static void drop_kept(struct wa_task_run *run, const struct wa_install *in)
{
    char was[WA_KEPT_ID + 1] = "", is[WA_KEPT_ID + 1] = "";
    struct wa_err ignored = WA_ERR_INIT; /* the next start sweeps */
    if (wa_kept_id(in->to, is, &ignored) == WA_OK &&
        (in->from == NULL || wa_kept_id(&in->from->control, was, &ignored) == WA_OK) &&
        strcmp(was, is) != 0)
        wa_kept_remove(run->m, in->to);
}

/* What is to replace the agent lies ready before the package counts as installed. */
static enum wa_code hand_agent(struct wa_task_run *run, struct wa_members *members,
                               const struct wa_verdict *v, struct wa_hook_result *r)
{
    struct wa_err why = WA_ERR_INIT;
    if (strcmp(r->status, "ERROR") == 0 || r->upgrade[0] == '\0' ||
        wa_upgrade_hand(run, members, v, r->upgrade, &why) == WA_OK)
        return WA_OK;
    wa_buf_addf(&r->output, "%s\n", why.text);
    (void)snprintf(r->error, sizeof r->error, "%s", why.text);
    (void)snprintf(r->status, sizeof r->status, "ERROR");
    r->code = why.code;
    return why.code;
}

/* The last thing of all: it ends this service. */
static enum wa_code begin_agent(struct wa_task_run *run, const struct wa_install *in,
                                const struct wa_hook_result *r, struct wa_err *err)
{
    struct wa_err late = WA_ERR_INIT;
    if (r->upgrade[0] == '\0' || wa_upgrade_begin(run->m, err) == WA_OK)
        return WA_OK;
    if (wa_installed_set_status(run->m->tdb, wa_control_get(in->to, WA_A_PACKAGE), "ERROR",
                                wa_sv(err->text), &late) != WA_OK)
        run->m->is_unsettled = true;
    return err->code;
}

/* Before the script begins a failure leaves all as it was; after that the row tells of it. */
static enum wa_code install_staged(struct wa_task_run *run, const struct wa_install *in,
                                   struct wa_members *members, const struct wa_verdict *v,
                                   const char *stage_id, const struct wa_dir *stage,
                                   struct wa_hook_result *r, struct wa_err *err)
{
    char snapshot[WA_SNAPSHOT_ID_MAX + 1] = "";
    const struct wa_hook_run what = {.hook = WA_HOOK_INSTALL,
                                     .control = in->to,
                                     .stage = stage_id,
                                     .force = in->force,
                                     .has_persistent = has_persistent(members),
                                     .params = in->params};
    if (prepare(run, in, members, v, stage, err) != WA_OK ||
        begin(run, in, &r->output, snapshot, err) != WA_OK) {
        drop_kept(run, in);
        return err->code;
    }
    enum wa_code code = run_script(run, in, &what, snapshot, r);
    if (run->is_lost)
        return wa_fail(err, code, "%s", r->error);
    if (code == WA_OK)
        code = hand_agent(run, members, v, r);
    if (commit(run, in, r->status, r, err) != WA_OK)
        return err->code;
    if (code != WA_OK || strcmp(r->status, "ERROR") == 0)
        return wa_fail(err, r->code, "%s",
                       r->error[0] != '\0' ? r->error : wa_text("its install() failed"));
    if (strcmp(r->status, "OK") != 0)
        wa_task_say(run, "%s: install() says %s\n", wa_control_get(in->to, WA_A_PACKAGE),
                    r->status);
    return begin_agent(run, in, r, err);
}

static enum wa_code install_with_code(struct wa_task_run *run, const struct wa_install *in,
                                      struct wa_members *members, const struct wa_verdict *v,
                                      bool *ret_counts, struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    struct wa_hook_result r;
    if (wa_stage_new(run->m, id, &stage, err) != WA_OK)
        return err->code;
    wa_hook_result_init(&r);
    if (install_staged(run, in, members, v, id, &stage, &r, err) == WA_OK)
        *ret_counts = strcmp(r.status, "OK") == 0 || strcmp(r.status, "UNKNOWN") == 0;
    wa_hook_result_fini(&r);
    wa_stage_remove(run->m, id);
    return err->code;
}

/* Nothing runs. The rules of self-service are read from what is kept. */
static enum wa_code install_without_code(struct wa_task_run *run, const struct wa_install *in,
                                         struct wa_members *members, const struct wa_verdict *v,
                                         struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    if (strcmp(wa_control_get(in->to, WA_A_SECTION), WA_SELF_SECTION) != 0)
        return commit(run, in, "OK", NULL, err);
    if (wa_stage_new(run->m, id, &stage, err) != WA_OK)
        return err->code;
    if (wa_extract_verified(members, v, &stage, err) == WA_OK &&
        wa_kept_save(run->m, &stage, in->to, err) == WA_OK)
        (void)commit(run, in, "OK", NULL, err);
    wa_stage_remove(run->m, id);
    return err->code;
}

/* Spoilt or not the one that was planned: another address, or a fresh download in place of what lay
 * in the cache, may have the right one. */
static bool may_be_spoilt(enum wa_code code)
{
    return code == WA_E_REFUSED || code == WA_E_INVALID || code == WA_E_LIMIT;
}

/* Downloads and judges it. ret: to be freed, also with the verdict. */
static enum wa_code get_verified(struct wa_task_run *run, const struct wa_install *in, int *fd,
                                 struct wa_unpack **ret, struct wa_verdict *v, struct wa_err *err)
{
    struct wa_err first = WA_ERR_INIT;
    size_t at = 0;
    for (size_t tries = 0; tries < WA_MIRRORS_MAX + 2; tries++) { /* the cache, each address */
        struct wa_err why = WA_ERR_INIT;
        struct wa_sv next;
        wa_fd_close(fd);
        if (wa_download_open(run, in->to, in->repo, &at, fd, &why) == WA_OK &&
            wa_helper_unpack(run->m->launcher, *fd, run->m->cancel, ret, &why) == WA_OK &&
            verify(run, in, *fd, wa_unpack_members(*ret), v, &why) == WA_OK)
            return WA_OK;
        wa_unpack_free(*ret);
        *ret = NULL;
        if (first.code == WA_OK)
            first = why;
        if (!may_be_spoilt(why.code))
            break;
        wa_download_drop(run->m, in->to);
        if (!wa_agent_repo_address(in->repo, at, &next))
            break;
        wa_task_say(run, "%s; trying '%.*s'\n", why.text, WA_SV_ARG(next));
        wa_verdict_fini(v);
        wa_verdict_init(v);
    }
    *err = first;
    return err->code;
}

/* Past the end of what was published nothing is downloaded, whoever offers it. */
static enum wa_code check_fresh(struct wa_manager *m, struct wa_err *err)
{
    WA_AUTO_REPO_TRUST struct wa_repo_trust t = {.root = NULL};
    if (wa_repo_trust_load(m, m->tdb, &t, err) != WA_OK)
        return err->code;
    return wa_repo_trust_fresh(&t, wa_clock_now(), err);
}

enum wa_code wa_install_one(struct wa_task_run *run, const struct wa_install *in, bool *ret_counts,
                            struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    wa_verdict_init(&v);
    *ret_counts = true;
    if (check_fresh(run->m, err) != WA_OK)
        return err->code;
    enum wa_code code = get_verified(run, in, &fd, &unpack, &v, err);
    if (code == WA_OK)
        code = check_machine(run->m, &v.control, err);
    if (code == WA_OK)
        code = v.has_setup_py
                   ? install_with_code(run, in, wa_unpack_members(unpack), &v, ret_counts, err)
                   : install_without_code(run, in, wa_unpack_members(unpack), &v, err);
    wa_unpack_free(unpack);
    return code;
}

enum wa_code wa_download_one(struct wa_task_run *run, const struct wa_control *c,
                             const struct wa_agent_repo *repo, bool again, struct wa_err *err)
{
    const struct wa_install in = {.to = c, .repo = repo};
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    wa_verdict_init(&v);
    if (check_fresh(run->m, err) != WA_OK)
        return err->code;
    if (again)
        wa_download_drop(run->m, c);
    enum wa_code code = get_verified(run, &in, &fd, &unpack, &v, err);
    wa_unpack_free(unpack);
    return code;
}

/* --- what WAPT had installed --- */

/* The very package, not only one of the same name and version, as it is offered at present. */
static bool find_same(const struct wa_available *a, const struct wa_control *c, size_t *ret)
{
    for (size_t i = 0; i < a->n; i++)
        if (wa_entry_same(&a->items[i], c) &&
            strcmp(wa_control_get(&a->items[i], WA_A_PACKAGE_UUID),
                   wa_control_get(c, WA_A_PACKAGE_UUID)) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

/* Its files from the verified package, without install(). The row comes first: after a kill in
 * between it is done again. */
static enum wa_code keep_verified(struct wa_task_run *run, const struct wa_install *in,
                                  struct wa_members *members, const struct wa_verdict *v,
                                  struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    if (!v->has_setup_py)
        return wa_fail(err, WA_E_REFUSED, "the package that is offered has no script");
    if (wa_stage_new(run->m, id, &stage, err) != WA_OK)
        return err->code;
    if (wa_extract_verified(members, v, &stage, err) == WA_OK &&
        wa_installed_set_control(run->m->tdb, in->to, in->repo->name, err) == WA_OK &&
        wa_kept_save(run->m, &stage, in->to, err) == WA_OK)
        wa_task_say(run, "%s: its script is verified now\n", wa_control_get(in->to, WA_A_PACKAGE));
    wa_stage_remove(run->m, id);
    return err->code;
}

static enum wa_code fetch_verified(struct wa_task_run *run, const struct wa_installed_row *row,
                                   struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_unpack *unpack = NULL;
    size_t at = 0;
    wa_verdict_init(&v);
    if (check_fresh(run->m, err) != WA_OK || wa_available_load(run->m->tdb, &a, err) != WA_OK)
        return err->code;
    if (!find_same(&a, &row->base.control, &at))
        return wa_fail(err, WA_E_REFUSED, "no repository offers this very package any more");
    const struct wa_install in = {.to = &a.items[at],
                                  .from = &row->base,
                                  .repo = wa_agent_repo_find(&run->m->config, a.repos[at])};
    if (in.repo == NULL)
        return wa_fail(err, WA_E_REFUSED, "its repository is not configured any more");
    if (get_verified(run, &in, &fd, &unpack, &v, err) == WA_OK)
        (void)keep_verified(run, &in, wa_unpack_members(unpack), &v, err);
    wa_unpack_free(unpack);
    return err->code;
}

enum wa_code wa_install_complete(struct wa_task_run *run, const struct wa_installed_row **row,
                                 struct wa_installed_list *fresh, struct wa_err *err)
{
    const char *package = wa_control_get(&(*row)->base.control, WA_A_PACKAGE);
    struct wa_err why = WA_ERR_INIT;
    if (wa_kept_is_whole(run->m, &(*row)->base.control))
        return WA_OK;
    if (fetch_verified(run, *row, &why) != WA_OK)
        return wa_fail(err, why.code,
                       "the script of '%s' can't be verified: WAPT kept no signature of it, and "
                       "%.500s; install the package again ('wapt-get install --force %s'), which "
                       "runs its install()",
                       package, why.text, package);
    if (wa_installed_load(run->m->tdb, package, fresh, err) != WA_OK)
        return err->code;
    if (fresh->n != 1)
        return wa_fail(err, WA_E_INTERNAL, "'%s' is not installed any more", package);
    *row = &fresh->items[0];
    return WA_OK;
}
