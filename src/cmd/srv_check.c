/* srv_check.c - waptserver check: how the server is, one line and one remedy each. */
#include "cmd/srv.h"
#include "server/check.h"

struct findings {
    struct wa_cli *cli;
    size_t warnings, errors;
};

static void on_finding(void *user, const char *what, enum wa_finding s, const char *text,
                       const char *remedy)
{
    struct findings *f = user;
    f->warnings += s == WA_FINDING_WARNING;
    f->errors += s == WA_FINDING_ERROR;
    wa_jw_obj(&f->cli->jw);
    wa_jw_kv(&f->cli->jw, "check", what);
    wa_jw_kv(&f->cli->jw, "state", wa_finding_name(s));
    wa_jw_kv(&f->cli->jw, "text", text);
    wa_jw_kv(&f->cli->jw, "remedy", remedy);
    wa_jw_end(&f->cli->jw);
    wa_cli_out(f->cli, "%-7s  %-12s  %s%s%s\n", wa_finding_name(s), what, text,
               remedy[0] != '\0' ? " -> " : "", remedy);
}

static enum wa_code check(struct wa_cli *cli, struct wa_err *err)
{
    struct findings f = {.cli = cli};
    const struct wa_check_report r = {on_finding, &f};
    struct wa_server_config c;
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    wa_server_check(&c, &r);
    wa_jw_end(&cli->jw);
    wa_server_config_free(&c);
    if (f.errors > 0)
        return wa_fail(err, WA_E_FAILED, "%zu errors, %zu warnings", f.errors, f.warnings);
    return f.warnings > 0 ? wa_fail(err, WA_E_PARTIAL, "%zu warnings", f.warnings) : WA_OK;
}

static const struct wa_cli_option check_options[] = {WA_SRV_CONFIG_OPTION};

const struct wa_cli_command wa_srv_check = {"check", check_options, WA_COUNT(check_options), 0,
                                            0,       check};
