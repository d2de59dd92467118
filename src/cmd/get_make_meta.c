/* get_make_meta.c - wapt-get make-host-template and make-group-template: the sources of packages
 * that hold no files, only what a machine, a group, a unit or a profile needs.
 */
#include "cmd/get_sources.h"
#include "proto/hostid.h"

static enum wa_code make(struct wa_cli *cli, const char *section, struct wa_err *err)
{
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_GET_DEFAULTS struct wa_get_defaults d = {0};
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (wa_get_defaults_load(cli, &d, err) != WA_OK ||
        wa_template_meta(section, cli->args[0], cli->arg_count > 1 ? cli->args[1] : "", &d.options,
                         &c, err) != WA_OK ||
        wa_get_sources_begin(cli, cli->arg_count > 2 ? cli->args[2] : NULL, &s, err) != WA_OK ||
        wa_get_sources_control(&s, &c, err) != WA_OK ||
        wa_get_sources_end(cli, &s, &c, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "folder", s.path);
    wa_jw_kv(&cli->jw, "package", wa_control_get(&c, WA_A_PACKAGE));
    wa_jw_kv(&cli->jw, "section", section);
    wa_jw_kv(&cli->jw, "depends", wa_control_get(&c, WA_A_DEPENDS));
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", s.path);
    if (!cli->json)
        wa_cli_say(cli, "then: wapt-get build-package '%s'", s.path);
    return WA_OK;
}

static enum wa_code run_host(struct wa_cli *cli, struct wa_err *err)
{
    if (!wa_hostid_is_valid(wa_sv(cli->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
    return make(cli, "host", err);
}

static enum wa_code run_group(struct wa_cli *cli, struct wa_err *err)
{
    const char *section = wa_cli_get(cli, "section", "group");
    if (strcmp(section, "group") != 0 && strcmp(section, "unit") != 0 &&
        strcmp(section, "profile") != 0)
        return wa_fail(err, WA_E_USAGE, "'%s' is none of group, unit and profile", section);
    return make(cli, section, err);
}

static const struct wa_cli_option host_options[] = {WA_GET_DEFAULTS_OPTIONS};
static const struct wa_cli_option group_options[] = {
    WA_GET_DEFAULTS_OPTIONS,
    {"section", 0, "NAME", "group, unit or profile (else group)"},
};
const struct wa_cli_command wa_get_make_host_template = {
    "make-host-template",
    "UUID [PACKAGE,... [FOLDER]]",
    "Make the sources of the package that says what a machine gets",
    host_options,
    WA_COUNT(host_options),
    1,
    3,
    run_host};
const struct wa_cli_command wa_get_make_group_template = {
    "make-group-template",
    "NAME [PACKAGE,... [FOLDER]]",
    "Make the sources of a package that stands for several",
    group_options,
    WA_COUNT(group_options),
    1,
    3,
    run_group};
