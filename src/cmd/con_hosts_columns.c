/* con_hosts_columns.c - waptconsole hosts --columns: what is shown of each machine, as somebody
 * chose it: members of its row, and fields of its inventory by their paths, which have a '.'.
 */
#include "base/date.h"
#include "cmd/con.h"
#include "codec/csv.h"
#include "codec/csv_write.h"
#include "codec/url.h"

static const char *const members[] = {
    "uuid",          "name",       "fqdn",         "os",           "status",       "audit",
    "description",   "ips",        "users",        "manufacturer", "model",        "serial",
    "agent",         "domain",     "site",         "unit",         "reachable",    "last_seen",
    "registered_at", "groups",     "errors",       "upgrades",     "windows",      "waits_for",
    "window_begin",  "window_end", "frozen_until", "held",         "root_version", "orderers",
    "macs",          "last_user",  "dn",           "repositories", "registration"};
static const char *const times[] = {"last_seen", "registered_at", "window_begin", "window_end",
                                    "frozen_until"};

static bool is_one_of(struct wa_sv name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wa_sv_eqs(name, list[i]))
            return true;
    return false;
}

enum wa_code wa_con_columns_read(struct wa_sv text, struct wa_arena *arena,
                                 struct wa_con_columns *ret, struct wa_buf *query,
                                 struct wa_err *err)
{
    struct wa_sv one;
    size_t paths = 0, at;
    *ret = (struct wa_con_columns){.count = 0};
    while (wa_csv_next(&text, &one)) {
        bool is_path = wa_sv_chr(one, '.', &at);
        if (ret->count == WA_COUNT(ret->heads))
            return wa_fail(err, WA_E_USAGE, "--columns takes at most %zu", WA_COUNT(ret->heads));
        if (!is_path && !is_one_of(one, members, WA_COUNT(members)))
            return wa_fail(err, WA_E_USAGE,
                           "'%.*s' is neither a column of the list nor a path of the inventory "
                           "like host_info.cpu_name",
                           WA_SV_ARG(one));
        const char *title = wa_arena_strdup(arena, one);
        if (title == NULL)
            return wa_nomem(err);
        ret->heads[ret->count] = (struct wa_cli_column){title, true};
        ret->value[ret->count++] = is_path ? paths : SIZE_MAX;
        if (!is_path)
            continue;
        wa_buf_adds(query, paths++ == 0 ? "&columns=" : ",");
        wa_url_encode(one, query);
    }
    return ret->count > 0 ? wa_buf_check(query, err)
                          : wa_fail(err, WA_E_USAGE, "--columns takes names of columns");
}

/* What is shown in the column, as text; a list with commas between. */
static enum wa_code write_cell(const struct wa_con_columns *c, size_t i, const struct wa_json *host,
                               struct wa_buf *out, struct wa_err *err)
{
    const char *name = c->heads[i].title;
    const struct wa_json *v = c->value[i] == SIZE_MAX
                                  ? wa_json_get(host, name)
                                  : wa_json_at(wa_json_get(host, "values"), c->value[i]);
    char date[WA_DATE_MAX] = "";
    int64_t at = 0;
    wa_buf_clear(out);
    if (is_one_of(wa_sv(name), times, WA_COUNT(times)) && wa_json_i64(v, &at)) {
        if (at == INT64_MAX)
            wa_buf_adds(out, "always");
        else if (at > 0)
            wa_date_rfc3339(at, date);
        wa_buf_adds(out, date);
    } else if (wa_json_is(v, WA_JSON_BOOL)) {
        wa_buf_adds(out, wa_json_bool(v) ? "yes" : "no");
    } else if (wa_json_is(v, WA_JSON_ARRAY)) {
        for (size_t k = 0; k < wa_json_count(v); k++)
            wa_buf_addf(out, "%s%.*s", k > 0 ? "," : "", WA_SV_ARG(wa_json_sv(wa_json_at(v, k))));
    } else {
        wa_buf_addsv(out, wa_json_sv(v));
    }
    return wa_buf_check(out, err);
}

static enum wa_code show_csv(const struct wa_cli *cli, const struct wa_con_columns *c,
                             const struct wa_host_list *list, const struct wa_host_filter *f,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf line;
    WA_AUTO_BUF struct wa_buf cell;
    struct wa_csv w;
    wa_buf_init(&line, 1u << 20);
    wa_buf_init(&cell, 1u << 20);
    wa_csv_init(&w, &line);
    for (size_t k = 0; k < c->count; k++)
        wa_csv_text(&w, wa_sv(c->heads[k].title));
    wa_csv_end(&w);
    wa_cli_csv(cli, wa_buf_sv(&line));
    for (size_t i = 0; i < list->n; i++) {
        if (!wa_host_matches(list->items[i], f))
            continue;
        wa_buf_clear(&line);
        for (size_t k = 0; k < c->count; k++) {
            if (write_cell(c, k, list->items[i], &cell, err) != WA_OK)
                return err->code;
            wa_csv_text(&w, wa_buf_sv(&cell));
        }
        wa_csv_end(&w);
        if (wa_buf_check(&line, err) != WA_OK)
            return err->code;
        wa_cli_csv(cli, wa_buf_sv(&line));
    }
    return WA_OK;
}

enum wa_code wa_con_columns_show(const struct wa_cli *cli, const struct wa_con_columns *c,
                                 const struct wa_host_list *list, const struct wa_host_filter *f,
                                 struct wa_err *err)
{
    WA_AUTO_TABLE struct wa_cli_table table;
    WA_AUTO_BUF struct wa_buf cell;
    wa_buf_init(&cell, 1u << 20);
    wa_cli_table_init(&table, c->heads, c->count);
    if (wa_cli_has(cli, "csv"))
        return show_csv(cli, c, list, f, err);
    for (size_t i = 0; i < list->n; i++) {
        if (!wa_host_matches(list->items[i], f))
            continue;
        for (size_t k = 0; k < c->count; k++) {
            if (write_cell(c, k, list->items[i], &cell, err) != WA_OK)
                return err->code;
            wa_cli_table_cell(&table, wa_buf_sv(&cell));
        }
    }
    return wa_cli_table_print(&table, cli, err);
}
