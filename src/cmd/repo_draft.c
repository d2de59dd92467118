/* repo_draft.c - the root document that is being changed and signed, in a file of its own beside
 * the one in force.
 *
 * Whoever changes it takes the signatures away: they were of another text.
 */
#include "cmd/repo.h"

#include "base/mem.h"

void wa_repo_draft_fini(struct wa_repo_draft *d)
{
    wa_root_free(d->root);
    wa_root_free(d->in_force);
    wa_dir_close(&d->dir);
}

static enum wa_code read_one(const struct wa_dir *dir, const char *name, struct wa_root **ret,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    enum wa_code code = wa_publish_read(dir, name, WA_ROOT_BYTES_MAX, &json, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    if (code == WA_OK)
        code = wa_root_read(wa_buf_sv(&json), ret, &why);
    return code == WA_OK ? WA_OK : wa_fail(err, code, "'%s': %s", name, why.text);
}

enum wa_code wa_repo_draft_open(const char *path, bool may_make, struct wa_repo_draft *ret,
                                struct wa_err *err)
{
    *ret = (struct wa_repo_draft){.dir = WA_DIR_INIT};
    if (wa_dir_open(path, &ret->dir, err) != WA_OK ||
        read_one(&ret->dir, "root.json", &ret->in_force, err) != WA_OK ||
        read_one(&ret->dir, WA_REPO_DRAFT, &ret->root, err) != WA_OK)
        return err->code;
    if (ret->in_force != NULL && wa_root_check(ret->in_force, err) != WA_OK)
        return wa_wrap(err, "'root.json'");
    if (ret->root != NULL)
        return WA_OK;
    if (!may_make)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' has no draft of a root to sign", path);
    if (ret->in_force == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' has no root yet: wapt-repo root init", path);
    ret->is_new = true;
    if (read_one(&ret->dir, "root.json", &ret->root, err) == WA_OK)
        ret->root->version++;
    return err->code;
}

enum wa_code wa_repo_draft_save(struct wa_cli *cli, struct wa_repo_draft *d, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_root) struct wa_root *again = NULL;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_unsigned(d->root, &json, &again, err) != WA_OK ||
        wa_publish_write(&d->dir, WA_REPO_DRAFT, wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    if (d->root->document.n > 0 && !d->is_new)
        wa_cli_say(cli, "the draft has changed: the signatures it had are gone");
    wa_cli_out(cli,
               "draft of root version %lld: its administrators sign it (wapt-repo root sign)\n",
               (long long)d->root->version);
    return wa_repo_show_root(cli, again, d->in_force, err);
}
