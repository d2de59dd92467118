/* get_sign.c - wapt-get sign-package: signs packages, or source directories, anew and in place. */
#include "cmd/get.h"
#include "os/fs.h"

static const struct wa_cli_option options[] = {
    WA_GET_SIGNER_OPTIONS,
    {"inc-release", 'i', NULL, "Increment the version"},
    {"maturity", 0, "NAME", "Set the maturity (DEV, PREPROD, PROD)"},
    {"keep-signature-date", 0, NULL, "Keep the date of the last signature"},
};

static enum wa_code sign(const char *path, const struct wa_signer *signer,
                         const struct wa_build_options *o, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err why = WA_ERR_INIT;
    return wa_dir_open(path, &dir, &why) == WA_OK ? wa_sign_tree(path, signer, o, err)
                                                  : wa_sign_package(path, signer, o, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {0};
    struct wa_get_tally tally = {0, 0, WA_OK};
    struct wa_build_options o = {
        .increment_release = wa_cli_has(cli, "inc-release"),
        .keep_signature_date = wa_cli_has(cli, "keep-signature-date"),
        .maturity = wa_cli_get(cli, "maturity", NULL),
    };
    if (wa_get_signer_load(cli, &signer, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (sign(cli->args[i], &signer.signer, &o, &why) == WA_E_NOMEM)
            return wa_nomem(err);
        wa_jw_obj(&cli->jw);
        wa_jw_kv(&cli->jw, "file", cli->args[i]);
        wa_jw_kv(&cli->jw, "code", wa_code_name(why.code));
        wa_jw_kv(&cli->jw, "error", why.code == WA_OK ? NULL : why.text);
        wa_jw_end(&cli->jw);
        if (why.code == WA_OK)
            wa_cli_out(cli, "%s: signed by %s\n", cli->args[i], wa_cert_cn(signer.chain.items[0]));
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be signed", err);
}

const struct wa_cli_command wa_get_sign_package = {"sign-package",
                                                   "FILE|DIR...",
                                                   "Sign packages or source directories anew",
                                                   options,
                                                   WA_COUNT(options),
                                                   1,
                                                   SIZE_MAX,
                                                   run};
