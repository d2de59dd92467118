/* con_rows.c - what the server lists, as a table; all of a list, page by page; what is asked of it
 * by options, and which machines they mean. */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/url.h"

#define PAGES_MAX 100000u
#define PAGE "200" /* rows: the least that the server's lists allow */

void wa_con_param(struct wa_sv option, struct wa_buf *out)
{
    size_t start = out->n;
    wa_url_encode(option, out);
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '-')
            out->p[i] = '_';
}

void wa_con_query(const struct wa_cli *cli, const char *const *options, size_t count,
                  struct wa_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = wa_cli_get(cli, options[i], NULL);
        if (value == NULL)
            continue;
        wa_buf_addc(out, '&');
        wa_con_param(wa_sv(options[i]), out);
        wa_buf_addc(out, '=');
        wa_url_encode(wa_sv(value), out);
    }
}

static void add_cell(struct wa_cli_table *t, const struct wa_json *value, bool is_time)
{
    char text[WA_DATE_MAX] = "";
    int64_t n = 0;
    if (!wa_json_i64(value, &n)) {
        wa_cli_table_cell(t, wa_json_is(value, WA_JSON_STRING) ? wa_json_sv(value) : WA_SV(""));
        return;
    }
    if (!is_time)
        (void)snprintf(text, sizeof text, "%lld", (long long)n);
    else if (n > 0)
        wa_date_rfc3339(n, text);
    wa_cli_table_cell(t, wa_sv(text));
}

enum wa_code wa_con_rows(const struct wa_cli *cli, const struct wa_json *rows,
                         const struct wa_con_column *columns, size_t count, struct wa_err *err)
{
    WA_AUTO_TABLE struct wa_cli_table table;
    struct wa_cli_column titles[WA_CLI_COLUMNS_MAX];
    for (size_t i = 0; i < count; i++)
        titles[i] = (struct wa_cli_column){columns[i].title, columns[i].may_cut};
    wa_cli_table_init(&table, titles, count);
    for (size_t i = 0; i < wa_json_count(rows); i++)
        for (size_t k = 0; k < count; k++)
            add_cell(&table, wa_json_get(wa_json_at(rows, i), columns[k].key), columns[k].is_time);
    return wa_cli_table_print(&table, cli, err);
}

enum wa_code wa_con_show(struct wa_cli *cli, struct wa_client *c, const struct wa_con_list *l,
                         struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_client_call(c, "GET", l->path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *rows = wa_json_get(j, l->member);
    wa_jw_json(&cli->jw, rows);
    return wa_con_rows(cli, rows, l->columns, l->count, err);
}

enum wa_code wa_con_change(struct wa_cli *cli, struct wa_client *c, const struct wa_con_one *one,
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[256];
    wa_arena_init(&arena, 1u << 20);
    if (strlen(one->id) > 64 || strpbrk(one->id, "/?#") != NULL)
        return wa_fail(err, WA_E_USAGE, "'%s' is none: 'list' shows what there is", one->id);
    (void)snprintf(path, sizeof path, "%s/%s%s", one->path, one->id, one->more);
    if (wa_client_call(c, one->method, path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    return WA_OK;
}

static enum wa_code ask_page(struct wa_client *c, const char *path, struct wa_sv after,
                             struct wa_arena *arena, const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf page;
    wa_buf_init(&page, 16u << 10);
    wa_buf_addf(&page, "%s%climit=" PAGE, path, strchr(path, '?') != NULL ? '&' : '?');
    if (after.n > 0) {
        wa_buf_adds(&page, "&after=");
        wa_url_encode(after, &page);
    }
    return wa_buf_check(&page, err) == WA_OK
               ? wa_client_call(c, "GET", wa_buf_str(&page), WA_SV(""), arena, ret, err)
               : err->code;
}

/* A page: its rows shown and written; after: where the next one begins, "" at the end. */
static enum wa_code show_page(struct wa_cli *cli, struct wa_client *c, const struct wa_con_list *l,
                              char after[512], struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (ask_page(c, l->path, wa_sv(after), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *rows = wa_json_get(j, l->member);
    struct wa_sv next = wa_json_sv(wa_json_get(j, "next"));
    for (size_t k = 0; k < wa_json_count(rows); k++)
        wa_jw_json(&cli->jw, wa_json_at(rows, k));
    (void)snprintf(after, 512, "%.*s", WA_SV_ARG(next.n < 512 ? next : WA_SV("")));
    return wa_con_rows(cli, rows, l->columns, l->count, err);
}

enum wa_code wa_con_list(struct wa_cli *cli, struct wa_client *c, const struct wa_con_list *l,
                         struct wa_err *err)
{
    char after[512] = "";
    wa_jw_arr(&cli->jw);
    for (unsigned i = 0; i < PAGES_MAX && err->code == WA_OK && (i == 0 || after[0] != '\0'); i++)
        (void)!show_page(cli, c, l, after, err);
    wa_jw_end(&cli->jw);
    return err->code;
}

enum wa_code wa_con_has_targets(const struct wa_cli *cli, struct wa_err *err)
{
    static const char *const names[] = {"unit", "group"};
    bool has = wa_cli_has(cli, "hosts");
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        if (wa_cli_has(cli, names[i]) && wa_cli_get(cli, names[i], "")[0] == '\0')
            return wa_fail(err, WA_E_USAGE, "--%s takes a name", names[i]);
        has = has || wa_cli_has(cli, names[i]);
    }
    return has ? WA_OK
               : wa_fail(err, WA_E_USAGE,
                         "which hosts? Give --hosts NAME,... ('waptconsole hosts' lists them)");
}

enum wa_code wa_con_targets(const struct wa_cli *cli, struct wa_client *c, size_t max,
                            struct wa_arena *arena, struct wa_host_list *list,
                            struct wa_targets *ret, struct wa_err *err)
{
    static const char *const options[] = {"unit", "group"};
    WA_AUTO_BUF struct wa_buf query;
    wa_buf_init(&query, 8192);
    wa_buf_adds(&query, WA_HOST_LIST_NAMES);
    wa_con_query(cli, options, WA_COUNT(options), &query);
    if (wa_buf_check(&query, err) != WA_OK ||
        wa_host_list_fetch(c, wa_buf_str(&query), arena, list, err) != WA_OK)
        return err->code;
    return wa_targets_choose(list, wa_sv(wa_cli_get(cli, "hosts", "*")), max, ret, err);
}
