/* con_tool.c - waptconsole tool: one of the person's own programs for a machine.
 *
 * Typed by the person, in a process of its own: the local program behind the pages starts nothing,
 * since a page's script or a machine's name must not be what begins a program here.
 */
#include "cmd/con.h"
#include "console/tool.h"
#include "os/proc.h"

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};

static const struct wa_json *row_of(const struct wa_host_list *list, const char *uuid)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_sv_eqs(wa_json_sv(wa_json_get(list->items[i], "uuid")), uuid))
            return list->items[i];
    return NULL;
}

static enum wa_code fill(const struct wa_cli *cli, const char *line, struct wa_arena *arena,
                         const char *const **ret, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_AUTO_TARGETS struct wa_targets targets = {0};
    if (wa_con_connect(cli, &c, err) != WA_OK ||
        wa_host_list_fetch(c, WA_HOST_LIST_NAMES, arena, &list, err) != WA_OK ||
        wa_targets_choose(&list, wa_sv(cli->args[1]), 1, &targets, err) != WA_OK)
        return err->code;
    const struct wa_json *row = row_of(&list, targets.items[0].uuid);
    const struct wa_tool_host h = {wa_json_sv(wa_json_get(row, "uuid")),
                                   wa_json_sv(wa_json_get(row, "fqdn")),
                                   wa_json_sv(wa_json_get(row, "ips"))};
    return wa_tool_argv(line, &h, arena, ret, err);
}

/* With --json it is only told. */
static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_STR char *line = NULL;
    const char *const *argv = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (wa_get_conf_in(cli, "tools", cli->args[0], &line, err) != WA_OK)
        return err->code;
    if (line == NULL)
        return wa_fail(err, WA_E_NOT_FOUND,
                       "there is no tool '%s': write its command line under [tools] in "
                       "waptconsole.ini, like: %s = ssh -- {computer_fqdn}",
                       cli->args[0], cli->args[0]);
    if (fill(cli, line, &arena, &argv, err) != WA_OK)
        return err->code;
    if (!cli->json)
        return wa_proc_become(argv[0], argv, err);
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; argv[i] != NULL; i++)
        wa_jw_s(&cli->jw, argv[i]);
    wa_jw_end(&cli->jw);
    return WA_OK;
}

const struct wa_cli_command wa_con_tool = {"tool", options, WA_COUNT(options), 2, 2, run};
