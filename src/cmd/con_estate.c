/* con_estate.c - waptconsole estate: the packages that machines have or should have, each version
 * and state with how many machines: of all that its user sees, or of those that a filter means.
 */
#include "cmd/con.h"
#include "codec/url.h"

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,  {"state", 0, "STATE"},
    {"search", 0, "WORDS"}, {"group", 0, "PATTERN"},
    {"unit", 0, "NAME"},    {"status", 0, "STATUS"},
    {"os", 0, "NAME"},      {"software", 0, "NAME"},
    {"package", 0, "NAME"}, {"package-status", 0, "STATUS"},
};

static enum wa_code write_path(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    static const char *const names[] = {"state", "search",   "group",   "unit",          "status",
                                        "os",    "software", "package", "package-status"};
    wa_buf_adds(out, "/api/v1/estate?name=");
    wa_url_encode(wa_sv(cli->arg_count > 0 ? cli->args[0] : ""), out);
    wa_con_query(cli, names, WA_COUNT(names), out);
    return wa_buf_check(out, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {{WA_TEXT("package"), "package", false, true},
                                                   {WA_TEXT("version"), "version", false, false},
                                                   {WA_TEXT("state"), "status", false, false},
                                                   {WA_TEXT("machines"), "machines", false, false}};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 8192);
    if (write_path(cli, &path, err) != WA_OK || wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    const struct wa_con_list l = {wa_buf_str(&path), "estate", columns, WA_COUNT(columns)};
    return wa_con_list(cli, c, &l, err);
}

const struct wa_cli_command wa_con_estate = {"estate", options, WA_COUNT(options), 0, 1, run};
