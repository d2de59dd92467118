/* get_sign.c - wapt-get sign-package: signs packages, or source directories, anew and in place. */
#include "cmd/get.h"

static const struct wa_cli_option options[] = {WA_GET_SIGNER_OPTIONS, WA_GET_SIGNING_OPTIONS};

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {0};
    struct wa_get_tally tally = {0, 0, WA_OK};
    struct wa_build_options o;
    if (wa_get_signing(cli, &o, err) != WA_OK || wa_get_signer_load(cli, &signer, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        char path[WA_PATH_MAX];
        wa_build_sweep_beside(cli->args[i], i > 0 ? cli->args[i - 1] : NULL);
        if (wa_get_sign(cli->args[i], &signer.signer, &o, path, &why) == WA_E_NOMEM)
            return wa_nomem(err);
        wa_jw_obj(&cli->jw);
        wa_jw_kv(&cli->jw, "file", why.code == WA_OK ? path : cli->args[i]);
        wa_jw_kv(&cli->jw, "code", wa_code_name(why.code));
        wa_jw_kv(&cli->jw, "error", why.code == WA_OK ? NULL : why.text);
        wa_jw_end(&cli->jw);
        if (why.code == WA_OK)
            wa_cli_out(cli, "%s: signed by %s\n", path, wa_cert_cn(signer.chain.items[0]));
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be signed", err);
}

const struct wa_cli_command wa_get_sign_package = {"sign-package", options, WA_COUNT(options), 1,
                                                   SIZE_MAX,       run};
