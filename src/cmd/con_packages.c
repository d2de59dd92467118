/* con_packages.c - waptconsole packages: what the server's repository holds. */
#include "cmd/con.h"
#include "codec/url.h"

#define PAGE 1000u

static enum wa_code write_query(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    static const char *const filters[] = {"package", "section", "maturity", "architecture",
                                          "signer"};
    wa_buf_addf(out, "/api/v1/packages?limit=%u", PAGE);
    for (size_t i = 0; i < WA_COUNT(filters); i++) {
        const char *value = wa_cli_get(cli, filters[i], NULL);
        if (value == NULL)
            continue;
        wa_buf_addf(out, "&%s=", filters[i]);
        wa_url_encode(wa_sv(value), out);
    }
    if (wa_cli_has(cli, "newest"))
        wa_buf_adds(out, "&newest=1");
    for (size_t i = 0; i < cli->arg_count; i++) {
        wa_buf_adds(out, i == 0 ? "&search=" : "%20");
        wa_url_encode(wa_sv(cli->args[i]), out);
    }
    return wa_buf_check(out, err);
}

static void add_row(struct wa_cli *cli, struct wa_cli_table *table, const struct wa_json *p)
{
    static const char *const cells[] = {"package",      "version", "maturity",
                                        "architecture", "section", "signer"};
    char size[32];
    int64_t bytes = 0;
    (void)wa_json_i64(wa_json_get(p, "size"), &bytes);
    (void)snprintf(size, sizeof size, "%lld", (long long)bytes);
    for (size_t k = 0; k < WA_COUNT(cells); k++)
        wa_cli_table_cell(table, wa_json_sv(wa_json_get(p, cells[k])));
    wa_cli_table_cell(table, wa_sv(size));
    wa_jw_json(&cli->jw, p);
}

/* One page of them; next: of the page before, then its own. */
static enum wa_code show_page(struct wa_cli *cli, struct wa_client *c, const char *query,
                              struct wa_buf *next, struct wa_cli_table *table, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    wa_buf_init(&path, 16u << 10);
    wa_buf_addf(&path, "%s%s%s", query, next->n > 0 ? "&after=" : "", wa_buf_str(next));
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(c, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *packages = wa_json_get(j, "packages");
    for (size_t i = 0; i < wa_json_count(packages); i++)
        add_row(cli, table, wa_json_at(packages, i));
    wa_buf_clear(next);
    if (wa_json_count(packages) > 0)
        wa_buf_addsv(next, wa_json_sv(wa_json_get(j, "next")));
    return wa_buf_check(next, err);
}

static enum wa_code list(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("package"), true},       {WA_TEXT("version"), false}, {WA_TEXT("maturity"), false},
        {WA_TEXT("architecture"), false}, {WA_TEXT("section"), false}, {WA_TEXT("signer"), true},
        {WA_TEXT("bytes"), false}};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_TABLE struct wa_cli_table table;
    WA_AUTO_BUF struct wa_buf query;
    WA_AUTO_BUF struct wa_buf next;
    wa_buf_init(&query, 8192);
    wa_buf_init(&next, 4096);
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    if (write_query(cli, &query, err) != WA_OK || wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    do {
        if (show_page(cli, c, wa_buf_str(&query), &next, &table, err) != WA_OK)
            return err->code;
    } while (next.n > 0);
    wa_jw_end(&cli->jw);
    return wa_cli_table_print(&table, cli, err);
}

static const struct wa_cli_option list_options[] = {
    WA_CON_SERVER_OPTIONS,   {"package", 0, "NAME"},      {"section", 0, "NAME"},
    {"maturity", 0, "NAME"}, {"architecture", 0, "NAME"}, {"signer", 0, "NAME"},
    {"newest", 0, NULL},
};

const struct wa_cli_command wa_con_packages = {"packages", list_options, WA_COUNT(list_options),
                                               0,          SIZE_MAX,     list};
