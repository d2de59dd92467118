/* con_software_names.c - waptconsole software-names: what software is called in reports. */
#include "cmd/con.h"
#include "os/fs.h"

#define FILE_MAX (1u << 20) /* bytes: a thousand names */

static enum wa_code show(struct wa_cli *cli, const struct wa_json *names, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{WA_TEXT("pattern"), true},
                                                   {WA_TEXT("name"), true}};
    static const char *const cells[] = {"pattern", "name"};
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(names); i++)
        for (size_t k = 0; k < WA_COUNT(cells); k++)
            wa_cli_table_cell(&table, wa_json_sv(wa_json_get(wa_json_at(names, i), cells[k])));
    return wa_cli_table_print(&table, cli, err);
}

/* The file as --json shows it, or the list alone. */
static enum wa_code read_body(const char *path, struct wa_buf *body, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_buf_init(&text, FILE_MAX);
    wa_arena_init(&arena, 16u << 20);
    if (wa_path_read(path, FILE_MAX, &text, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "reading '%s'", path);
    bool is_list = wa_json_is(j, WA_JSON_ARRAY);
    wa_buf_adds(body, is_list ? "{\"names\":" : "");
    wa_json_write(j, body);
    wa_buf_adds(body, is_list ? "}" : "");
    return wa_buf_check(body, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&body, 2 * FILE_MAX);
    if ((cli->arg_count == 1 && read_body(cli->args[0], &body, err) != WA_OK) ||
        wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    if (cli->arg_count == 1 && wa_client_call(c, "PUT", "/api/v1/software-names", wa_buf_sv(&body),
                                              &arena, &j, err) != WA_OK)
        return err->code;
    if (wa_client_call(c, "GET", "/api/v1/software-names", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_json(&cli->jw, j);
    return show(cli, wa_json_get(j, "names"), err);
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};

const struct wa_cli_command wa_con_software_names = {
    "software-names", options, WA_COUNT(options), 0, 1, run};
