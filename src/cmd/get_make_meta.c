/* get_make_meta.c - wapt-get make-host-template, make-group-template and make-selfservice-template:
 * the sources of packages without code, which say what a machine, a group, a unit or a profile
 * needs, or what users may install.
 */
#include "cmd/get_sources.h"
#include "pkg/selfservice.h"
#include "proto/hostid.h"

/* rules: of a self-service package; else NULL. */
static enum wa_code make(struct wa_cli *cli, const char *section, const char *depends,
                         const char *folder, const struct wa_buf *rules, struct wa_err *err)
{
    static const struct wa_relpath file = {WA_SELF_FILE, sizeof WA_SELF_FILE - 1};
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_GET_DEFAULTS struct wa_get_defaults d = {0};
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (wa_get_defaults_load(cli, &d, err) != WA_OK ||
        wa_template_meta(section, cli->args[0], depends, &d.options, &c, err) != WA_OK ||
        wa_get_sources_begin(cli, folder, &s, err) != WA_OK ||
        wa_get_sources_control(&s, &c, err) != WA_OK ||
        (rules != NULL && wa_file_replace(&s.dir, &file, wa_buf_sv(rules), 0644, err) != WA_OK) ||
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

static enum wa_code make_meta(struct wa_cli *cli, const char *section, struct wa_err *err)
{
    return make(cli, section, cli->arg_count > 1 ? cli->args[1] : "",
                cli->arg_count > 2 ? cli->args[2] : NULL, NULL, err);
}

static enum wa_code run_host(struct wa_cli *cli, struct wa_err *err)
{
    if (!wa_hostid_is_valid(wa_sv(cli->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
    return make_meta(cli, "host", err);
}

static enum wa_code run_group(struct wa_cli *cli, struct wa_err *err)
{
    const char *section = wa_cli_get(cli, "section", "group");
    if (strcmp(section, "group") != 0 && strcmp(section, "unit") != 0 &&
        strcmp(section, "profile") != 0)
        return wa_fail(err, WA_E_USAGE, "'%s' is none of group, unit and profile", section);
    return make_meta(cli, section, err);
}

/* --- the rules of self-service --- */

static enum wa_code write_rules(const struct wa_cli *cli, struct wa_buf *text, struct wa_err *err)
{
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    struct wa_jw w;
    if (wa_self_rules_init(&rules, err) != WA_OK)
        return err->code;
    for (size_t i = 1; i < cli->arg_count; i++)
        if (strchr(cli->args[i], '=') == NULL)
            return wa_fail(err, WA_E_USAGE, "'%s' is not GROUP=PACKAGE,...", cli->args[i]);
        else if (wa_self_rules_add_typed(&rules, cli->args[i], err) != WA_OK)
            return err->code;
    wa_jw_init(&w, text);
    wa_self_rules_write(&rules, &w);
    return wa_buf_check(text, err);
}

static enum wa_code run_selfservice(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_SELF_BYTES_MAX);
    return write_rules(cli, &text, err) == WA_OK
               ? make(cli, WA_SELF_SECTION, "", wa_cli_get(cli, "folder", NULL), &text, err)
               : err->code;
}

static const struct wa_cli_option selfservice_options[] = {
    WA_GET_DEFAULTS_OPTIONS,
    {"folder", 0, "FOLDER"},
};
static const struct wa_cli_option host_options[] = {WA_GET_DEFAULTS_OPTIONS};
static const struct wa_cli_option group_options[] = {
    WA_GET_DEFAULTS_OPTIONS,
    {"section", 0, "NAME"},
};
const struct wa_cli_command wa_get_make_host_template = {
    "make-host-template", host_options, WA_COUNT(host_options), 1, 3, run_host};
const struct wa_cli_command wa_get_make_group_template = {
    "make-group-template", group_options, WA_COUNT(group_options), 1, 3, run_group};
const struct wa_cli_command wa_get_make_selfservice_template = {
    "make-selfservice-template", selfservice_options, WA_COUNT(selfservice_options), 2,
    1 + WA_SELF_GROUPS_MAX,      run_selfservice};
