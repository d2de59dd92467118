/* stage.c - the folders that scripts run in, and what is kept of a package for the hooks to come.
 *
 * A stage is new for each run and removed after it. Kept files are what the signer signed -
 * control, manifest, signature, certificate, setup.py, the rules of self-service - and are verified
 * again before each use (design: code that runs later).
 */
#include "agent/inventory.h"
#include "agent/kept.h"
#include "agent/repo_trust.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "pkg/selfservice.h"

static const char *const kept_papers[] = {"WAPT/control", "WAPT/manifest.sha256",
                                          "WAPT/signature.sha256", "WAPT/certificate.crt"};
static const char *const kept_contents[] = {"setup.py", WA_SELF_FILE}; /* where it has them */

static enum wa_code path_of(struct wa_relpath *ret, struct wa_err *err, const char *folder,
                            const char *name)
{
    char text[WA_RELPATH_MAX + 1];
    (void)snprintf(text, sizeof text, "private/%s/%s", folder, name);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

enum wa_code wa_stage_new(struct wa_manager *m, char *ret_id, struct wa_dir *ret,
                          struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_rand_hex(ret_id, WA_STAGE_ID / 2, err) != WA_OK ||
        path_of(&path, err, "stage", ret_id) != WA_OK ||
        wa_dir_make_sub(&m->base, &path, 0755, err) != WA_OK)
        return wa_wrap(err, "making a folder for the script");
    return wa_dir_open_sub(&m->base, &path, ret, err);
}

void wa_stage_remove(struct wa_manager *m, const char *id)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    if (path_of(&path, &err, "stage", id) != WA_OK ||
        wa_tree_remove(&m->base, &path, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "stage.left", &err);
}

static struct wa_relpath fixed(const char *name)
{
    struct wa_relpath p;
    p.n = strlen(name);
    memcpy(p.p, name, p.n + 1);
    return p;
}

static enum wa_code copy_file(const struct wa_dir *from, const struct wa_dir *to, const char *name,
                              struct wa_err *err)
{
    struct wa_relpath path = fixed(name);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_FD int fd = -1;
    wa_buf_init(&bytes, WA_MANIFEST_BYTES_MAX);
    if (wa_file_read(from, &path, WA_MANIFEST_BYTES_MAX, &bytes, err) != WA_OK ||
        wa_file_create(to, &path, 0644, &fd, err) != WA_OK ||
        wa_fd_write_all(fd, bytes.p, bytes.n, err) != WA_OK)
        return err->code;
    return wa_fd_sync(fd, err);
}

static enum wa_code copy_kept(const struct wa_dir *from, const struct wa_dir *to,
                              struct wa_err *err)
{
    for (size_t i = 0; i < WA_COUNT(kept_papers); i++)
        if (copy_file(from, to, kept_papers[i], err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < WA_COUNT(kept_contents); i++) {
        struct wa_err why = WA_ERR_INIT;
        if (copy_file(from, to, kept_contents[i], &why) != WA_OK && why.code != WA_E_NOT_FOUND) {
            *err = why;
            return err->code;
        }
    }
    return WA_OK;
}

static bool is_plain(const char *uuid)
{
    size_t n = strlen(uuid);
    for (size_t i = 0; i < n; i++)
        if (strchr("0123456789abcdefABCDEF-", uuid[i]) == NULL)
            return false;
    return n >= 16 && n <= WA_KEPT_ID && uuid[0] != '-';
}

enum wa_code wa_kept_id(const struct wa_control *c, char ret[WA_KEPT_ID + 1], struct wa_err *err)
{
    const char *uuid = wa_control_get(c, WA_A_PACKAGE_UUID);
    if (!is_plain(uuid))
        return wa_sha256_hex(wa_control_get(c, WA_A_SIGNATURE),
                             strlen(wa_control_get(c, WA_A_SIGNATURE)), ret, err);
    (void)snprintf(ret, WA_KEPT_ID + 1, "%s", uuid);
    return WA_OK;
}

/* private/<folder>/<prefix><id> */
static enum wa_code kept_path(const char *folder, const char *prefix, const struct wa_control *c,
                              struct wa_relpath *ret, struct wa_err *err)
{
    char id[WA_KEPT_ID + 1], name[WA_KEPT_ID + 16];
    if (wa_kept_id(c, id, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "%s%s", prefix, id);
    return path_of(ret, err, folder, name);
}

/* Puts temp in place of path, at each moment of which a kill leaves the old or the new: what is set
 * aside is put back by the next start (wa_kept_sweep). */
static enum wa_code put_in_place(struct wa_manager *m, const struct wa_relpath *temp,
                                 const struct wa_relpath *path, const struct wa_relpath *aside,
                                 struct wa_err *err)
{
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    bool there = wa_file_stat(&m->base, path, &st, &missing) == WA_OK;
    if (wa_tree_remove(&m->base, aside, err) != WA_OK ||
        (there && wa_file_rename(&m->base, path, &m->base, aside, err) != WA_OK) ||
        wa_file_rename(&m->base, temp, &m->base, path, err) != WA_OK)
        return err->code;
    return wa_tree_remove(&m->base, aside, err);
}

enum wa_code wa_kept_save(struct wa_manager *m, const struct wa_dir *stage,
                          const struct wa_control *c, struct wa_err *err)
{
    struct wa_relpath temp, path, aside;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (kept_path("packages", "new-", c, &temp, err) != WA_OK ||
        kept_path("packages", "old-", c, &aside, err) != WA_OK ||
        kept_path("packages", "", c, &path, err) != WA_OK ||
        wa_tree_remove(&m->base, &temp, err) != WA_OK ||
        wa_dir_make_sub(&m->base, &temp, 0700, err) != WA_OK ||
        wa_dir_open_sub(&m->base, &temp, &dir, err) != WA_OK ||
        copy_kept(stage, &dir, err) != WA_OK || put_in_place(m, &temp, &path, &aside, err) != WA_OK)
        return wa_wrap(err, "keeping the package's script");
    return WA_OK;
}

static void remove_id(struct wa_manager *m, const char *id)
{
    static const char *const folders[] = {"packages", "persistent"};
    for (size_t i = 0; i < WA_COUNT(folders); i++) {
        struct wa_relpath path;
        struct wa_err err = WA_ERR_INIT;
        if (path_of(&path, &err, folders[i], id) != WA_OK ||
            wa_tree_remove(&m->base, &path, &err) != WA_OK)
            wa_log_err(&m->log, WA_LOG_WARNING, "package.left", &err);
    }
}

void wa_kept_remove(struct wa_manager *m, const struct wa_control *c)
{
    char id[WA_KEPT_ID + 1];
    struct wa_err err = WA_ERR_INIT;
    if (wa_kept_id(c, id, &err) == WA_OK)
        remove_id(m, id);
    else
        wa_log_err(&m->log, WA_LOG_WARNING, "package.left", &err);
}

/* --- after a kill --- */

struct sweep {
    struct wa_manager *m;
    const struct wa_installed_list *rows;
};

/* What was set aside for a new one that never came goes back. */
static enum wa_code settle_aside(struct wa_manager *m, const char *name, struct wa_err *err)
{
    struct wa_relpath aside, path;
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    if (path_of(&aside, err, "packages", name) != WA_OK ||
        path_of(&path, err, "packages", name + 4) != WA_OK)
        return err->code;
    if (wa_file_stat(&m->base, &path, &st, &missing) == WA_OK)
        return wa_tree_remove(&m->base, &aside, err);
    return wa_file_rename(&m->base, &aside, &m->base, &path, err);
}

static enum wa_code settle_asides(void *user, const char *name, const struct wa_stat *st,
                                  struct wa_err *err)
{
    const struct sweep *s = user;
    WA_UNUSED(st);
    return strncmp(name, "old-", 4) == 0 ? settle_aside(s->m, name, err) : WA_OK;
}

static enum wa_code remove_orphan(void *user, const char *name, const struct wa_stat *st,
                                  struct wa_err *err)
{
    const struct sweep *s = user;
    char id[WA_KEPT_ID + 1];
    WA_UNUSED(st);
    for (size_t i = 0; i < s->rows->n; i++) {
        if (wa_kept_id(&s->rows->items[i].base.control, id, err) != WA_OK)
            return err->code;
        if (strcmp(id, name) == 0)
            return WA_OK;
    }
    remove_id(s->m, name);
    return WA_OK;
}

enum wa_code wa_kept_sweep(struct wa_manager *m, struct wa_db *db, struct wa_err *err)
{
    static const char *const folders[] = {"private/packages", "private/persistent"};
    WA_AUTO_INSTALLED struct wa_installed_list rows = {NULL, 0, 0};
    struct sweep s = {m, &rows};
    if (wa_installed_load(db, NULL, &rows, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(folders); i++) {
        WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
        struct wa_relpath path = fixed(folders[i]);
        if (wa_dir_open_sub(&m->base, &path, &dir, err) != WA_OK ||
            wa_dir_list(&dir, settle_asides, &s, err) != WA_OK ||
            wa_dir_list(&dir, remove_orphan, &s, err) != WA_OK)
            return wa_wrap(err, "clearing up '%s'", folders[i]);
    }
    return WA_OK;
}

bool wa_kept_has_hook(struct wa_manager *m, const struct wa_control *c, enum wa_hook hook)
{
    /* The textual test of WAPT (formats.md 10.2); whether the hook is really there, the runner
     * finds. */
    static const char file[] = "/setup.py";
    char needle[64];
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf code;
    wa_buf_init(&code, WA_SETUP_PY_BYTES_MAX);
    (void)snprintf(needle, sizeof needle, "def %s():", wa_hook_name(hook));
    if (kept_path("packages", "", c, &path, &err) != WA_OK || path.n + sizeof file > sizeof path.p)
        return false;
    memcpy(path.p + path.n, file, sizeof file);
    path.n += sizeof file - 1;
    if (wa_file_read(&m->base, &path, WA_SETUP_PY_BYTES_MAX, &code, &err) != WA_OK)
        return false;
    return strstr(wa_buf_str(&code), needle) != NULL;
}

/* The certificate that this package was accepted with when it came: good for its uninstall even
 * when it is trusted no longer. */
static enum wa_code accepted_then(const struct wa_dir *kept, const struct wa_control *c,
                                  struct wa_trust **ret, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_relpath name = fixed("WAPT/certificate.crt");
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_file_read(kept, &name, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK ||
        wa_trust_new(&t, err) != WA_OK)
        return err->code;
    if (strcmp(wa_cert_fingerprint(chain.items[0]), wa_control_get(c, WA_A_SIGNER_FINGERPRINT)) !=
        0)
        return wa_fail(err, WA_E_REFUSED, "the kept certificate is not that of the package");
    if (wa_trust_add(t, chain.items[0], err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(t);
    return WA_OK;
}

static bool is_same(const struct wa_verdict *v, const struct wa_installed_row *row)
{
    return strcmp(wa_control_get(&v->control, WA_A_SIGNATURE),
                  wa_control_get(&row->base.control, WA_A_SIGNATURE)) == 0;
}

static enum wa_code verify_kept(struct wa_manager *m, const struct wa_dir *kept,
                                const struct wa_installed_row *row, enum wa_hook hook,
                                struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO(wa_trust) struct wa_trust *then = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    WA_AUTO_VERDICT struct wa_verdict again;
    WA_AUTO_REPO_TRUST struct wa_repo_trust trust = {.root = NULL};
    struct wa_err why = WA_ERR_INIT;
    wa_verdict_init(&v);
    wa_verdict_init(&again);
    if (wa_repo_trust_load(m, m->tdb, &trust, &why) == WA_OK &&
        wa_manager_anchors(m, wa_agent_repo_find(&m->config, row->repo), &trust, &anchors, &why) ==
            WA_OK &&
        wa_verify_tree(kept, anchors, wa_clock_now(), &v, &why) == WA_OK &&
        wa_repo_trust_package(&trust, &v.trust, &v.control, v.has_setup_py, &why) == WA_OK) {
        return is_same(&v, row)
                   ? WA_OK
                   : wa_fail(err, WA_E_REFUSED, "what is kept belongs to another package");
    }
    if (hook != WA_HOOK_UNINSTALL) {
        *err = why;
        return err->code;
    }
    wa_log_err(&m->log, WA_LOG_WARNING, "uninstall.untrusted_signer", &why);
    if (accepted_then(kept, &row->base.control, &then, err) != WA_OK ||
        wa_verify_tree(kept, then, row->install_date, &again, err) != WA_OK)
        return err->code;
    return is_same(&again, row)
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "what is kept belongs to another package");
}

bool wa_kept_is_whole(struct wa_manager *m, const struct wa_control *c)
{
    static const char file[] = "/WAPT/manifest.sha256";
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_err ignored = WA_ERR_INIT;
    if (kept_path("packages", "", c, &path, &ignored) != WA_OK ||
        path.n + sizeof file > sizeof path.p)
        return false;
    memcpy(path.p + path.n, file, sizeof file);
    path.n += sizeof file - 1;
    return wa_file_stat(&m->base, &path, &st, &ignored) == WA_OK;
}

enum wa_code wa_kept_read(struct wa_manager *m, const struct wa_installed_row *row,
                          const char *file, size_t max, struct wa_buf *out, struct wa_err *err)
{
    struct wa_relpath path, name = fixed(file);
    WA_AUTO_DIR struct wa_dir kept = WA_DIR_INIT;
    if (kept_path("packages", "", &row->base.control, &path, err) != WA_OK ||
        wa_dir_open_sub(&m->base, &path, &kept, err) != WA_OK ||
        verify_kept(m, &kept, row, WA_HOOK_AUDIT, err) != WA_OK)
        return wa_wrap(err, "what is kept of '%s'",
                       wa_control_get(&row->base.control, WA_A_PACKAGE));
    return wa_file_read(&kept, &name, max, out, err);
}

enum wa_code wa_kept_stage(struct wa_manager *m, const struct wa_installed_row *row,
                           enum wa_hook hook, char *ret_id, struct wa_err *err)
{
    struct wa_relpath path;
    WA_AUTO_DIR struct wa_dir kept = WA_DIR_INIT;
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    const char *package = wa_control_get(&row->base.control, WA_A_PACKAGE);
    if (!wa_kept_is_whole(m, &row->base.control))
        return wa_fail(err, WA_E_REFUSED, "the script of '%s' has no signature", package);
    if (kept_path("packages", "", &row->base.control, &path, err) != WA_OK ||
        wa_dir_open_sub(&m->base, &path, &kept, err) != WA_OK ||
        verify_kept(m, &kept, row, hook, err) != WA_OK)
        return wa_wrap(err, "the kept script of '%s'", package);
    if (wa_stage_new(m, ret_id, &stage, err) != WA_OK)
        return err->code;
    if (copy_kept(&kept, &stage, err) != WA_OK) {
        wa_stage_remove(m, ret_id);
        return wa_wrap(err, "staging the script of '%s'", package);
    }
    return WA_OK;
}
