/* repo_sign.c - wapt-repo root sign and show: the signatures of a draft, until there are enough of
 * them; then it is the root in force.
 */
#include "base/mem.h"
#include "cmd/repo.h"
#include "os/clock.h"

static const struct wa_cli_option sign_options[] = {
    WA_GET_SIGNER_OPTIONS,
    {"yes", 'y', NULL},
};

/* What follows is judged with the draft as it is written, never with what it was before. */
static enum wa_code finish(struct wa_cli *cli, const struct wa_repo_draft *d, struct wa_sv json,
                           struct wa_err *err)
{
    static const struct wa_relpath draft = {WA_REPO_DRAFT, sizeof WA_REPO_DRAFT - 1};
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    struct wa_err why = WA_ERR_INIT;
    bool is_good = false;
    if (wa_root_read(json, &r, err) != WA_OK)
        return err->code;
    is_good = wa_root_check_after(d->in_force, r, &why) == WA_OK;
    wa_jw_obj(&cli->jw);
    wa_jw_kvi(&cli->jw, "version", r->version);
    wa_jw_kvb(&cli->jw, "in_force", is_good);
    wa_jw_kv(&cli->jw, "missing", is_good ? NULL : why.text);
    wa_jw_end(&cli->jw);
    if (!is_good) {
        wa_cli_out(cli, "signed; not in force yet: %s\n", why.text);
        return WA_OK;
    }
    if (wa_root_check_dates(r, wa_clock_now(), err) != WA_OK ||
        wa_publish_put_root(&d->dir, json, err) != WA_OK ||
        wa_file_remove(&d->dir, &draft, err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "signed: root version %lld is in force\n", (long long)r->version);
    return WA_OK;
}

static enum wa_code confirm(struct wa_cli *cli, const struct wa_repo_draft *d, struct wa_err *err)
{
    if (wa_cli_has(cli, "yes"))
        return WA_OK;
    if (cli->json)
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    WA_AUTO_BUF struct wa_buf unused;
    struct wa_jw keep = cli->jw;
    wa_buf_init(&unused, WA_ROOT_BYTES_MAX);
    wa_jw_init(&cli->jw, &unused);
    enum wa_code code = wa_repo_show_root(cli, d->root, d->in_force, err);
    cli->jw = keep;
    return code == WA_OK ? wa_cli_confirm("Sign this root?", "--yes", err) : code;
}

static enum wa_code sign(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_repo_draft_open(cli->args[0], false, &d, err) != WA_OK ||
        wa_get_signer_load(cli, &signer, err) != WA_OK)
        return err->code;
    const struct wa_cert *me = signer.chain.items[0];
    if (!wa_root_has_administrator(d.root, wa_cert_fingerprint(me)) &&
        !wa_root_has_administrator(d.in_force, wa_cert_fingerprint(me)))
        return wa_fail(err, WA_E_REFUSED, "'%s' is no administrator of this repository",
                       wa_cert_cn(me));
    if (confirm(cli, &d, err) != WA_OK ||
        wa_signed_add(d.root->document.text, &d.root->document, wa_cert_fingerprint(me), signer.key,
                      &json, err) != WA_OK ||
        wa_publish_write(&d.dir, WA_REPO_DRAFT, wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    return finish(cli, &d, wa_buf_sv(&json), err);
}

static enum wa_code show_or_null(struct wa_cli *cli, const char *key, const char *title,
                                 const struct wa_root *r, const struct wa_root *old,
                                 struct wa_err *err)
{
    wa_jw_key(&cli->jw, key);
    if (r == NULL) {
        wa_jw_null(&cli->jw);
        return WA_OK;
    }
    wa_cli_out(cli, "%s\n", title);
    return wa_repo_show_root(cli, r, old, err);
}

static enum wa_code show(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = wa_repo_draft_open(cli->args[0], false, &d, &why);
    if (code != WA_OK && (code != WA_E_NOT_FOUND || d.in_force == NULL)) {
        *err = why;
        return code;
    }
    wa_jw_obj(&cli->jw);
    if (show_or_null(cli, "in_force", wa_text("In force:"), d.in_force, NULL, err) != WA_OK ||
        show_or_null(cli, "draft", wa_text("Draft, not in force:"), d.root, d.in_force, err) !=
            WA_OK)
        return err->code;
    wa_err_clear(&why);
    bool is_missing = d.root != NULL && wa_root_check_after(d.in_force, d.root, &why) != WA_OK;
    wa_jw_kv(&cli->jw, "missing", is_missing ? why.text : NULL);
    wa_jw_end(&cli->jw);
    if (is_missing)
        wa_cli_out(cli, "%s\n", why.text);
    return WA_OK;
}

const struct wa_cli_command wa_repo_root_sign = {
    "root-sign", sign_options, WA_COUNT(sign_options), 1, 1, sign};
const struct wa_cli_command wa_repo_root_show = {"root-show", NULL, 0, 1, 1, show};
