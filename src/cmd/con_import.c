/* con_import.c - waptconsole import, resign and promote: packages of another repository, or of the
 * own one, under one's own signature. Where they come from and whose signature counts there is said
 * here; con_intake.c does the work.
 */
#include "base/mem.h"
#include "cmd/con_intake.h"
#include "os/fs.h"

/* --- import --- */

static enum wa_code conf_of(const struct wa_con_intake *t, const char *key, char **ret,
                            struct wa_err *err)
{
    return t->section[0] == '\0' ? WA_OK : wa_get_conf_in(t->cli, t->section, key, ret, err);
}

/* A URL, a folder, or the name of a section of the configuration that has repo_url. */
static enum wa_code read_from(struct wa_con_intake *t, const char *from, struct wa_err *err)
{
    WA_AUTO_STR char *url = NULL;
    struct wa_stat st;
    struct wa_err none = WA_ERR_INIT;
    bool is_url = wa_sv_starts(wa_sv(from), "https://");
    if (wa_sv_starts(wa_sv(from), "http://"))
        return wa_fail(err, WA_E_USAGE, "repositories are reached by https:// only, not '%s'",
                       from);
    if (!is_url && wa_get_conf_in(t->cli, from, "repo_url", &url, err) != WA_OK)
        return err->code;
    if (wa_sv_dup(wa_sv(url != NULL ? from : ""), &t->section, err) != WA_OK)
        return err->code;
    if (is_url || url != NULL) {
        t->o.base = "";
        return wa_con_reach_other(t->cli, url != NULL ? url : from, t->section, &t->from, err);
    }
    if (wa_path_stat(from, &st, &none) != WA_OK || !st.is_dir)
        return wa_fail(err, WA_E_USAGE,
                       "'%s' is no https:// address, no folder, and no section with repo_url in "
                       "the configuration",
                       from);
    t->o.folder = from;
    return WA_OK;
}

static enum wa_code read_trusted(struct wa_con_intake *t, struct wa_err *err)
{
    if (conf_of(t, "public_certs_dir", &t->trusted, err) != WA_OK)
        return err->code;
    const char *dir = wa_cli_get(t->cli, "trusted", t->trusted);
    if (dir == NULL)
        return wa_fail(err, WA_E_USAGE,
                       "whose packages are taken from there? --trusted DIR names the folder with "
                       "their certificates");
    if (wa_trust_new(&t->anchors, err) != WA_OK || wa_trust_add_dir(t->anchors, dir, err) != WA_OK)
        return wa_wrap(err, "trusted certificates");
    return WA_OK;
}

static bool are_files(const struct wa_cli *cli)
{
    for (size_t i = 0; i < cli->arg_count; i++)
        if (!wa_sv_ends(wa_sv(cli->args[i]), ".wapt"))
            return false;
    return cli->arg_count > 0;
}

static enum wa_code read_source(struct wa_con_intake *t, struct wa_err *err)
{
    const char *from = wa_cli_get(t->cli, "from", NULL);
    if (from != NULL)
        return read_from(t, from, err) == WA_OK && read_trusted(t, err) == WA_OK
                   ? wa_con_intake_requests(t, err)
                   : err->code;
    if (!are_files(t->cli))
        return wa_fail(err, WA_E_USAGE,
                       "from where? --from takes an https:// address, a folder, or the name of a "
                       "section of the configuration; or give .wapt files");
    t->o.files = t->cli->args;
    t->o.file_count = t->cli->arg_count;
    return wa_get_anchors(t->cli, &t->anchors, err);
}

static enum wa_code import_them(struct wa_con_intake *t, struct wa_err *err)
{
    const struct wa_cli *cli = t->cli;
    t->wish =
        (struct wa_import_wish){.filter = {.os = wa_cli_get(cli, "os", NULL),
                                           .architecture = wa_cli_get(cli, "architecture", NULL),
                                           .locales = wa_cli_get(cli, "locales", NULL),
                                           .maturities = wa_cli_get(cli, "maturities", NULL)},
                                .signer = wa_cli_get(cli, "signer", NULL),
                                .prefix = wa_cli_get(cli, "prefix", NULL),
                                .maturity = wa_cli_get(cli, "maturity", NULL),
                                .every_version = wa_cli_has(cli, "all-versions"),
                                .only_newer = wa_cli_has(cli, "newer"),
                                .with_depends = !wa_cli_has(cli, "no-depends")};
    if (read_source(t, err) != WA_OK)
        return err->code;
    if (t->wish.request_count == 0 && t->o.file_count == 0 && !wa_cli_has(cli, "all"))
        return wa_fail(err, WA_E_USAGE, "which packages? Name them, or say --all");
    if (!wa_cli_has(cli, "output") && wa_con_connect(cli, &t->server, err) != WA_OK)
        return err->code;
    return wa_con_intake_run(t, err);
}

static enum wa_code run_with(struct wa_cli *cli,
                             enum wa_code (*what)(struct wa_con_intake *t, struct wa_err *err),
                             struct wa_err *err)
{
    struct wa_con_intake *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    t->cli = cli;
    enum wa_code code = what(t, err);
    wa_con_intake_fini(t);
    wa_free(t);
    return code;
}

static enum wa_code run_import(struct wa_cli *cli, struct wa_err *err)
{
    return run_with(cli, import_them, err);
}

/* --- the own repository's --- */

static enum wa_code own(struct wa_con_intake *t, struct wa_err *err)
{
    if (wa_con_intake_requests(t, err) != WA_OK ||
        wa_get_anchors(t->cli, &t->anchors, err) != WA_OK ||
        wa_con_connect(t->cli, &t->server, err) != WA_OK)
        return err->code;
    t->from = t->server;
    t->o.base = "/wapt";
    return wa_con_intake_run(t, err);
}

static enum wa_code resign_them(struct wa_con_intake *t, struct wa_err *err)
{
    const char *prefix = wa_cli_get(t->cli, "prefix", NULL);
    t->wish = (struct wa_import_wish){.signer = wa_cli_get(t->cli, "signer", NULL),
                                      .every_version = !wa_cli_has(t->cli, "newest"),
                                      .prefix = prefix,
                                      .maturity = wa_cli_get(t->cli, "maturity", NULL),
                                      .with_depends =
                                          prefix != NULL && !wa_cli_has(t->cli, "no-depends")};
    if (t->cli->arg_count == 0 && t->wish.signer == NULL)
        return wa_fail(err, WA_E_USAGE, "which packages? Name them, or their signer with --signer");
    return own(t, err);
}

static enum wa_code run_resign(struct wa_cli *cli, struct wa_err *err)
{
    return run_with(cli, resign_them, err);
}

static enum wa_code promote_them(struct wa_con_intake *t, struct wa_err *err)
{
    static const char *const steps[] = {"DEV", "PREPROD", "PROD"};
    const char *to = wa_cli_get(t->cli, "to", "PROD"), *from = wa_cli_get(t->cli, "from", NULL);
    for (size_t i = 1; from == NULL && i < WA_COUNT(steps); i++)
        if (strcmp(to, steps[i]) == 0)
            from = steps[i - 1];
    if (from == NULL)
        return wa_fail(err, WA_E_USAGE, "to '%s' from which maturity? Say --from", to);
    if (strcmp(from, to) == 0)
        return wa_fail(err, WA_E_USAGE, "'%s' is the maturity that it has already", to);
    t->wish = (struct wa_import_wish){.filter = {.maturities = from}, .maturity = to};
    t->removes_old = wa_cli_has(t->cli, "remove-old");
    return own(t, err);
}

static enum wa_code run_promote(struct wa_cli *cli, struct wa_err *err)
{
    return run_with(cli, promote_them, err);
}

static const struct wa_cli_option import_options[] = {
    WA_CON_INTAKE_OPTIONS,           {"from", 0, "URL"},        {"from-fingerprint", 0, "SHA256"},
    {"from-verify-cert", 0, "FILE"}, {"all", 0, NULL},          {"architecture", 0, "NAME"},
    {"locales", 0, "LIST"},          {"maturities", 0, "LIST"}, {"os", 0, "NAME"},
    {"signer", 0, "NAME"},           {"all-versions", 0, NULL}, {"newer", 0, NULL},
    {"no-depends", 0, NULL},         {"prefix", 0, "NAME"},     {"maturity", 0, "NAME"},
};
static const struct wa_cli_option resign_options[] = {
    WA_CON_INTAKE_OPTIONS, {"signer", 0, "NAME"},   {"newest", 0, NULL},
    {"prefix", 0, "NAME"}, {"maturity", 0, "NAME"}, {"no-depends", 0, NULL},
};
static const struct wa_cli_option promote_options[] = {
    WA_CON_INTAKE_OPTIONS,
    {"from", 0, "NAME"},
    {"to", 0, "NAME"},
    {"remove-old", 0, NULL},
};
const struct wa_cli_command wa_con_import = {"import", import_options, WA_COUNT(import_options),
                                             0,        SIZE_MAX,       run_import};
const struct wa_cli_command wa_con_resign = {"resign", resign_options, WA_COUNT(resign_options),
                                             0,        SIZE_MAX,       run_resign};
const struct wa_cli_command wa_con_promote = {"promote", promote_options, WA_COUNT(promote_options),
                                              1,         SIZE_MAX,        run_promote};
