/* stage.c - the folders that scripts run in, and what is kept of a package for the hooks to come.
 *
 * A stage is new for each run and removed after it. Kept files are what the signer signed -
 * control, manifest, signature, certificate, setup.py - and are verified again before each run
 * (design: code that runs later).
 */
#include "agent/manager_priv.h"
#include "os/clock.h"
#include "os/rand.h"

static const char *const kept_files[] = {"WAPT/control", "WAPT/manifest.sha256",
                                         "WAPT/signature.sha256", "WAPT/certificate.crt",
                                         "setup.py"};

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
    for (size_t i = 0; i < WA_COUNT(kept_files); i++)
        if (copy_file(from, to, kept_files[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_kept_save(struct wa_manager *m, const struct wa_dir *stage, const char *uuid,
                          struct wa_err *err)
{
    char temp_name[64];
    struct wa_relpath temp, path;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    (void)snprintf(temp_name, sizeof temp_name, "new-%.48s", uuid);
    if (path_of(&temp, err, "packages", temp_name) != WA_OK ||
        path_of(&path, err, "packages", uuid) != WA_OK ||
        wa_tree_remove(&m->base, &temp, err) != WA_OK ||
        wa_dir_make_sub(&m->base, &temp, 0700, err) != WA_OK ||
        wa_dir_open_sub(&m->base, &temp, &dir, err) != WA_OK ||
        copy_kept(stage, &dir, err) != WA_OK || wa_tree_remove(&m->base, &path, err) != WA_OK)
        return wa_wrap(err, "keeping the package's script");
    return wa_file_rename(&m->base, &temp, &m->base, &path, err);
}

void wa_kept_remove(struct wa_manager *m, const char *uuid)
{
    static const char *const folders[] = {"packages", "persistent"};
    for (size_t i = 0; uuid[0] != '\0' && i < WA_COUNT(folders); i++) {
        struct wa_relpath path;
        struct wa_err err = WA_ERR_INIT;
        if (path_of(&path, &err, folders[i], uuid) != WA_OK ||
            wa_tree_remove(&m->base, &path, &err) != WA_OK)
            wa_log_err(&m->log, WA_LOG_WARNING, "package.left", &err);
    }
}

bool wa_kept_has_hook(struct wa_manager *m, const char *uuid, enum wa_hook hook)
{
    /* The textual test of WAPT (formats.md 10.2); whether the hook is really there, the runner
     * finds. */
    char text[WA_RELPATH_MAX + 1], needle[64];
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf code;
    wa_buf_init(&code, WA_SETUP_PY_BYTES_MAX);
    (void)snprintf(text, sizeof text, "private/packages/%s/setup.py", uuid);
    (void)snprintf(needle, sizeof needle, "def %s():", wa_hook_name(hook));
    if (uuid[0] == '\0' || wa_relpath_parse(wa_sv(text), &path, &err) != WA_OK ||
        wa_file_read(&m->base, &path, WA_SETUP_PY_BYTES_MAX, &code, &err) != WA_OK)
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

static enum wa_code verify_kept(struct wa_manager *m, const struct wa_dir *kept,
                                const struct wa_installed_row *row, enum wa_hook hook,
                                struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO(wa_trust) struct wa_trust *then = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    WA_AUTO_VERDICT struct wa_verdict again;
    struct wa_err why = WA_ERR_INIT;
    wa_verdict_init(&v);
    wa_verdict_init(&again);
    if (wa_manager_anchors(m, &anchors, &why) == WA_OK &&
        wa_verify_tree(kept, anchors, wa_clock_now(), &v, &why) == WA_OK) {
        if (strcmp(wa_control_get(&v.control, WA_A_SIGNATURE),
                   wa_control_get(&row->base.control, WA_A_SIGNATURE)) != 0)
            return wa_fail(err, WA_E_REFUSED, "the kept script belongs to another package");
        return WA_OK;
    }
    if (hook != WA_HOOK_UNINSTALL) {
        *err = why;
        return err->code;
    }
    wa_log_err(&m->log, WA_LOG_WARNING, "uninstall.untrusted_signer", &why);
    if (accepted_then(kept, &row->base.control, &then, err) != WA_OK ||
        wa_verify_tree(kept, then, row->install_date, &again, err) != WA_OK)
        return err->code;
    return WA_OK;
}

enum wa_code wa_kept_stage(struct wa_manager *m, const struct wa_installed_row *row,
                           enum wa_hook hook, char *ret_id, struct wa_err *err)
{
    struct wa_relpath path;
    WA_AUTO_DIR struct wa_dir kept = WA_DIR_INIT;
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    const char *package = wa_control_get(&row->base.control, WA_A_PACKAGE);
    if (path_of(&path, err, "packages", wa_control_get(&row->base.control, WA_A_PACKAGE_UUID)) !=
            WA_OK ||
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
