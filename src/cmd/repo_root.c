/* repo_root.c - wapt-repo root init, set, add-signer and revoke: what a draft of a root says.
 *
 * Nothing here signs, and nothing here is in force before the administrators have signed.
 */
#include "base/mem.h"
#include "cmd/repo.h"
#include "codec/hex.h"
#include "os/clock.h"

#define SET_OPTIONS                                                                                \
    {"administrator", 0, "FILE"}, {"threshold", 0, "NUMBER"}, {"timestamp-key", 0, "FILE"},        \
        {"days", 0, "DAYS"}, {"published-days", 0, "DAYS"},                                        \
    {                                                                                              \
        "timestamp-hours", 0, "HOURS"                                                              \
    }

static const struct wa_cli_option set_options[] = {SET_OPTIONS};
static const struct wa_cli_option signer_options[] = {WA_REPO_SIGNER_OPTIONS};

/* --- set --- */

static enum wa_code add_administrators(const struct wa_cli *cli, struct wa_root *r,
                                       struct wa_err *err)
{
    if (wa_repo_add_administrators(cli, r, err) != WA_OK)
        return err->code;
    return r->administrators.n > 0
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "a root needs --administrator FILE at least once");
}

static enum wa_code set(struct wa_cli *cli, struct wa_root *r, struct wa_err *err)
{
    int64_t days = 365;
    if (wa_cli_int(cli, "days", 1, 3650, &days, err) != WA_OK ||
        wa_repo_put_limits(cli, r, err) != WA_OK || add_administrators(cli, r, err) != WA_OK ||
        wa_repo_put_timestamp_keys(cli, r, err) != WA_OK)
        return err->code;
    r->issued = wa_clock_now();
    r->expires = r->issued + days * 86400;
    return WA_OK;
}

static enum wa_code root_init(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT, .is_new = true};
    if (wa_dir_open(cli->args[0], &d.dir, err) != WA_OK)
        return err->code;
    if (wa_publish_has_root(&d.dir))
        return wa_fail(err, WA_E_EXISTS,
                       "'%s' has a root already: change it with root set, add-signer and revoke",
                       cli->args[0]);
    if (wa_root_begin(&d.root, err) != WA_OK || set(cli, d.root, err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

static enum wa_code root_set(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK || set(cli, d.root, err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

/* --- signers --- */

static enum wa_code add_signer(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK ||
        wa_repo_cert(cli->args[1], &c, err) != WA_OK ||
        wa_repo_put_signer(cli, c, d.root, err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

/* --- revoke --- */

static enum wa_code revoke(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    char fingerprint[65];
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK)
        return err->code;
    if (!wa_hex_fingerprint(wa_sv(cli->args[1]), fingerprint)) {
        if (wa_repo_cert(cli->args[1], &c, err) != WA_OK)
            return err->code;
        memcpy(fingerprint, wa_cert_fingerprint(c), sizeof fingerprint);
    }
    if (!wa_root_remove(d.root, fingerprint))
        return wa_fail(err, WA_E_NOT_FOUND, "the root has no signer and no administrator %s",
                       fingerprint);
    return wa_repo_draft_save(cli, &d, err);
}

const struct wa_cli_command wa_repo_root_init = {"root-init", set_options, WA_COUNT(set_options),
                                                 1,           1,           root_init};
const struct wa_cli_command wa_repo_root_set = {"root-set", set_options, WA_COUNT(set_options),
                                                1,          1,           root_set};
const struct wa_cli_command wa_repo_root_add_signer = {
    "root-add-signer", signer_options, WA_COUNT(signer_options), 2, 2, add_signer};
const struct wa_cli_command wa_repo_root_revoke = {"root-revoke", NULL, 0, 2, 2, revoke};
