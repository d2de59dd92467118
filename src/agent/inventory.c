/* inventory.c - what this machine takes and trusts, and what it says of its packages (formats.md
 * 5.7). The rest of its inventory is in sections.c.
 */
#include "agent/inventory.h"
#include "agent/repo_trust.h"
#include "base/date.h"
#include "crypto/crl.h"
#include "os/clock.h"

void wa_manager_caps(const struct wa_manager *m, struct wa_host_caps *ret)
{
    *ret = (struct wa_host_caps){
        .os = m->facts.os,
        .os_version = m->facts.os_version,
        .architecture = m->facts.architecture,
        .wapt_version = WA_VERSION,
        .locales = m->config.locales[0] != '\0' ? m->config.locales : m->facts.language,
        .maturities = m->config.maturities,
        .blacklist = m->config.blacklist,
        .whitelist = m->config.whitelist,
    };
    wa_date_isolocal(wa_clock_now(), 0, ret->now);
}

/* Under a root: its signers, less what the administrator of this machine has revoked himself. */
static enum wa_code add_root(const struct wa_repo_trust *t, const char *dir,
                             struct wa_trust *anchors, struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_TRUST_FILE_BYTES_MAX);
    (void)snprintf(path, sizeof path, "%s/revoked.txt", dir);
    if (wa_repo_trust_anchors(t, anchors, err) != WA_OK ||
        wa_path_read(path, text.max, &text, &why) == WA_E_NOT_FOUND)
        return err->code;
    if (why.code == WA_OK && wa_trust_revoke_lines(anchors, wa_buf_sv(&text), &why) == WA_OK)
        return WA_OK;
    *err = why;
    return wa_wrap(err, "'%s'", path);
}

enum wa_code wa_manager_anchors(const struct wa_manager *m, const struct wa_agent_repo *repo,
                                const struct wa_repo_trust *t, struct wa_trust **ret,
                                struct wa_err *err)
{
    const char *dir = repo != NULL ? repo->public_certs_dir : m->config.public_certs_dir;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    char kept[2 * WA_PATH_MAX];
    (void)snprintf(kept, sizeof kept, "%s/private/crl", m->config.base);
    /* Read anew for each task: what an administrator puts there or takes away counts at once.
     * ssl/server is a directory below, never read. */
    if (wa_trust_new(&anchors, err) != WA_OK)
        return err->code;
    enum wa_code code =
        t->root != NULL ? add_root(t, dir, anchors, err) : wa_trust_add_dir(anchors, dir, err);
    if (code != WA_OK || wa_trust_add_kept(anchors, kept, err) != WA_OK ||
        wa_trust_let_order(anchors, wa_sv(m->config.action_signers), err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(anchors);
    return WA_OK;
}

void wa_inventory_names(const struct wa_host_facts *f, struct wa_jw *w)
{
    size_t at;
    struct wa_sv fqdn = wa_sv(f->fqdn);
    wa_jw_kv(w, "computer_name", f->name);
    wa_jw_kv(w, "computer_fqdn", f->fqdn);
    wa_jw_kvsv(w, "dnsdomain",
               wa_sv_chr(fqdn, '.', &at) ? wa_sv_sub(fqdn, at + 1, fqdn.n) : WA_SV(""));
}

void wa_control_json(struct wa_jw *w, const struct wa_control *c)
{
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        if (c->v[i] != NULL && c->v[i][0] != '\0' && i != WA_A_SIGNATURE &&
            i != WA_A_SIGNED_ATTRIBUTES)
            wa_jw_kv(w, wa_attr_name((enum wa_attr)i), c->v[i]);
}

static void write_installed(struct wa_jw *w, const struct wa_installed_row *r, bool with_params)
{
    wa_jw_obj(w);
    wa_control_json(w, &r->base.control);
    wa_jw_kv(w, "install_status", r->base.status);
    wa_jw_kvi(w, "install_date", r->install_date);
    wa_jw_kvb(w, "explicit", r->base.is_explicit);
    wa_jw_kvsv(w, "install_output", wa_sv_sub(wa_sv(r->output), 0, 8192));
    wa_jw_kv(w, "last_audit_status", r->audit_status);
    wa_jw_kvi(w, "last_audit_on", r->audit_on);
    wa_jw_kvsv(w, "last_audit_output", wa_sv_sub(wa_sv(r->audit_output), 0, 8192));
    wa_jw_kvi(w, "next_audit_on", r->next_audit);
    wa_jw_kv(w, "repo", r->repo);
    wa_jw_key(w, "uninstall_key");
    wa_jw_raw(w, wa_sv(r->uninstall_key)); /* our own JSON */
    if (with_params)                       /* what people give a script can be a product's key */
        wa_jw_kv(w, "install_params", r->params);
    wa_jw_end(w);
}

enum wa_code wa_inventory_packages(struct wa_db *db, bool with_params, struct wa_buf *out,
                                   struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    struct wa_jw w;
    if (wa_installed_load(db, NULL, &list, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_arr(&w);
    for (size_t i = 0; i < list.n; i++)
        write_installed(&w, &list.items[i], with_params);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}
