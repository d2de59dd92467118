/* get_show.c - wapt-get show: what the control of a package says, as its author wrote it. It is not
 * checked here; "verify" does that, and the output says so.
 */
#include "cmd/get.h"
#include "os/fs.h"

static void show(struct wa_cli *cli, const char *path, const struct wa_control *c)
{
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", path);
    wa_jw_key(&cli->jw, "control");
    wa_jw_obj(&cli->jw);
    for (size_t i = 0; i < WA_A_FILENAME; i++) {
        const char *value = wa_control_get(c, (enum wa_attr)i);
        wa_jw_kv(&cli->jw, wa_attr_name((enum wa_attr)i), value);
        if (value[0] != '\0' && i != WA_A_SIGNATURE && i != WA_A_SIGNED_ATTRIBUTES)
            wa_cli_pair(cli, wa_attr_name((enum wa_attr)i), value);
    }
    wa_jw_end(&cli->jw);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, "signature",
                wa_control_get(c, WA_A_SIGNATURE)[0] == '\0'
                    ? "none"
                    : "present, not checked here: see 'wapt-get verify'");
}

/* A name that is no file is one of the service's packages. */
static bool is_path(const char *arg)
{
    struct wa_stat st;
    struct wa_err err = WA_ERR_INIT;
    return strchr(arg, '/') != NULL || wa_sv_ends(wa_sv(arg), ".wapt") ||
           wa_path_stat(arg, &st, &err) == WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    if (!is_path(cli->args[0]))
        return wa_get_agent_run(cli, err);
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        WA_AUTO_CONTROL struct wa_control c;
        wa_control_init(&c);
        if (i > 0)
            wa_cli_out(cli, "\n");
        if (wa_get_control(cli->args[i], &c, &why) == WA_OK)
            show(cli, cli->args[i], &c);
        else if (why.code == WA_E_NOMEM)
            return wa_nomem(err);
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be shown", err);
}

const struct wa_cli_command wa_get_show = {
    "show",
    "FILE|DIR|PACKAGE...",
    "Show what the control of packages says, or what the service knows of them",
    NULL,
    0,
    1,
    SIZE_MAX,
    run};
