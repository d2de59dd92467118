/* con_hosts.c - waptconsole hosts: the machines that the server knows, as they describe themselves.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/csv.h"
#include "codec/csv_write.h"
#include "codec/url.h"
#include "console/hosts.h"
#include "os/clock.h"

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    {"connected", 0, NULL},
    {"disconnected", 0, NULL},
    {"status", 0, "STATUS"},
    {"os", 0, "PATTERN"},
    {"not-seen", 0, "PERIOD"},
    {"csv", 0, NULL},
    {"software", 0, "NAME"},
    {"software-version", 0, "RANGE"},
    {"package", 0, "NAME"},
    {"package-version", 0, "RANGE"},
    {"package-status", 0, "STATUS"},
    {"package-audit", 0, "STATUS"},
    {"hardware", 0, "TEXT"},
    {"search", 0, "WORDS"},
    {"group", 0, "PATTERN"},
    {"unit", 0, "DN"},
    {"site", 0, "NAME"},
    {"domain", 0, "NAME"},
    {"manufacturer", 0, "NAME"},
    {"model", 0, "NAME"},
    {"agent", 0, "VERSION"},
    {"audit", 0, "STATUS"},
    {"errors", 0, "NUMBER"},
    {"upgrades", 0, "NUMBER"},
    {"window", 0, "WHICH"},
    {"waits-for", 0, "WHAT"},
    {"held", 0, "NAME"},
    {"orderer", 0, "SHA256"},
    {"no-orderer", 0, "SHA256"},
    {"root", 0, "WHICH"},
    {"not", 0, "FILTERS"},
    {"columns", 0, "LIST"},
};

/* --not: what the server turns round, by the names of its parameters; the two that are looked at
 * here are the caller's. */
static void write_not(const struct wa_cli *cli, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv(wa_cli_get(cli, "not", "")), one;
    const char *before = "&not=";
    while (wa_csv_next(&rest, &one)) {
        if (wa_sv_eqs(one, "status") || wa_sv_eqs(one, "os"))
            continue;
        wa_buf_adds(out, before);
        before = ",";
        wa_con_param(one, out);
    }
}

/* What the server looks for. */
static enum wa_code write_query(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    static const char *const names[] = {"software",       "software-version",
                                        "package",        "package-version",
                                        "package-status", "package-audit",
                                        "hardware",       "search",
                                        "group",          "unit",
                                        "site",           "domain",
                                        "manufacturer",   "model",
                                        "agent",          "audit",
                                        "errors",         "upgrades",
                                        "window",         "waits-for",
                                        "held",           "orderer",
                                        "no-orderer",     "root"};
    wa_con_query(cli, names, WA_COUNT(names), out);
    write_not(cli, out);
    return wa_buf_check(out, err);
}

/* Whether --not names the filter, which must be given then. */
static enum wa_code read_not(const struct wa_cli *cli, const char *name, bool *ret,
                             struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_cli_get(cli, "not", "")), one;
    while (wa_csv_next(&rest, &one))
        if (wa_sv_eqs(one, name))
            *ret = true;
    return !*ret || wa_cli_has(cli, name)
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "--not takes filters that are given, not '%s'", name);
}

static const char *const keys[] = {"name", "fqdn", "uuid", "os", "status"};

static void seen_text(const struct wa_json *h, char out[WA_DATE_MAX])
{
    int64_t seen = 0;
    (void)wa_json_i64(wa_json_get(h, "last_seen"), &seen);
    (void)snprintf(out, WA_DATE_MAX, "%s", wa_text("never"));
    if (seen > 0)
        wa_date_rfc3339(seen, out);
}

static enum wa_code read_filter(const struct wa_cli *cli, struct wa_host_filter *f,
                                struct wa_err *err)
{
    union {
        char **from;
        const char *const *to;
    } args = {cli->args};
    int64_t period = 0;
    const char *not_seen = wa_cli_get(cli, "not-seen", NULL);
    if (not_seen != NULL && !wa_date_parse_period(wa_sv(not_seen), 'd', &period))
        return wa_fail(err, WA_E_USAGE, "--not-seen takes a period like 12h or 30d, not '%s'",
                       not_seen);
    *f = (struct wa_host_filter){.patterns = args.to,
                                 .pattern_count = cli->arg_count,
                                 .status = wa_cli_get(cli, "status", NULL),
                                 .os = wa_cli_get(cli, "os", NULL),
                                 .is_connected = wa_cli_has(cli, "connected"),
                                 .is_disconnected = wa_cli_has(cli, "disconnected"),
                                 .seen_before = not_seen == NULL ? 0 : wa_clock_now() - period};
    return read_not(cli, "status", &f->is_not_status, err) == WA_OK
               ? read_not(cli, "os", &f->is_not_os, err)
               : err->code;
}

static enum wa_code show_table(const struct wa_cli *cli, const struct wa_host_list *list,
                               const struct wa_host_filter *f, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("name"), true},    {WA_TEXT("uuid"), false},      {WA_TEXT("system"), true},
        {WA_TEXT("status"), false}, {WA_TEXT("connected"), false}, {WA_TEXT("last seen"), false}};
    static const char *const cells[] = {"name", "uuid", "os", "status"};
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < list->n; i++) {
        const struct wa_json *h = list->items[i];
        char date[WA_DATE_MAX];
        if (!wa_host_matches(h, f))
            continue;
        for (size_t k = 0; k < WA_COUNT(cells); k++)
            wa_cli_table_cell(&table, wa_json_sv(wa_json_get(h, cells[k])));
        wa_cli_table_cell(&table, wa_sv(wa_json_bool(wa_json_get(h, "reachable")) ? "yes" : "no"));
        seen_text(h, date);
        wa_cli_table_cell(&table, wa_sv(date));
    }
    return wa_cli_table_print(&table, cli, err);
}

/* Behind the rest: what came later. */
static const char *const more[] = {"macs", "last_user", "dn", "repositories", "registration"};

/* What a machine goes by, as it told; of times "" is none, "always" one without end. */
static const char *const told[] = {"windows", "waits_for"};
static const char *const times[] = {"window_begin", "window_end", "frozen_until"};

static void add_time(struct wa_csv *w, const struct wa_json *h, const char *key)
{
    char date[WA_DATE_MAX] = "";
    int64_t at = 0;
    (void)wa_json_i64(wa_json_get(h, key), &at);
    if (at == INT64_MAX)
        (void)snprintf(date, sizeof date, "always");
    else if (at > 0)
        wa_date_rfc3339(at, date);
    wa_csv_text(w, wa_sv(date));
}

/* A list in one cell. */
static void add_names(struct wa_csv *w, const struct wa_json *names, struct wa_buf *text)
{
    wa_buf_clear(text);
    for (size_t i = 0; i < wa_json_count(names); i++)
        wa_buf_addf(text, "%s%.*s", i > 0 ? "," : "", WA_SV_ARG(wa_json_sv(wa_json_at(names, i))));
    wa_csv_text(w, wa_buf_sv(text));
}

static enum wa_code show_csv(const struct wa_cli *cli, const struct wa_host_list *list,
                             const struct wa_host_filter *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf line;
    WA_AUTO_BUF struct wa_buf names;
    struct wa_csv w;
    wa_buf_init(&line, 1u << 20);
    wa_buf_init(&names, 1u << 20);
    wa_csv_init(&w, &line);
    for (size_t k = 0; k < WA_COUNT(keys); k++)
        wa_csv_text(&w, wa_sv(keys[k]));
    wa_csv_text(&w, WA_SV("connected"));
    wa_csv_text(&w, WA_SV("last_seen"));
    for (size_t k = 0; k < WA_COUNT(told); k++)
        wa_csv_text(&w, wa_sv(told[k]));
    wa_csv_text(&w, WA_SV("held"));
    for (size_t k = 0; k < WA_COUNT(times); k++)
        wa_csv_text(&w, wa_sv(times[k]));
    for (size_t k = 0; k < WA_COUNT(more); k++)
        wa_csv_text(&w, wa_sv(more[k]));
    wa_csv_end(&w);
    for (size_t i = 0; i < list->n; i++) {
        const struct wa_json *h = list->items[i];
        char date[WA_DATE_MAX];
        if (!wa_host_matches(h, f))
            continue;
        for (size_t k = 0; k < WA_COUNT(keys); k++)
            wa_csv_text(&w, wa_json_sv(wa_json_get(h, keys[k])));
        seen_text(h, date);
        wa_csv_text(&w, wa_json_bool(wa_json_get(h, "reachable")) ? WA_SV("yes") : WA_SV("no"));
        wa_csv_text(&w, wa_sv(date));
        for (size_t k = 0; k < WA_COUNT(told); k++)
            wa_csv_text(&w, wa_json_sv(wa_json_get(h, told[k])));
        add_names(&w, wa_json_get(h, "held"), &names);
        for (size_t k = 0; k < WA_COUNT(times); k++)
            add_time(&w, h, times[k]);
        for (size_t k = 0; k < WA_COUNT(more); k++)
            wa_csv_text(&w, wa_json_sv(wa_json_get(h, more[k])));
        wa_csv_end(&w);
        if (wa_buf_check(&line, err) != WA_OK)
            return err->code;
        wa_cli_csv(cli, wa_buf_sv(&line));
        wa_buf_clear(&line);
    }
    wa_cli_csv(cli, wa_buf_sv(&line)); /* the names alone, where there is no machine */
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    struct wa_host_filter filter;
    WA_AUTO_BUF struct wa_buf query;
    struct wa_con_columns columns;
    bool has_columns = wa_cli_has(cli, "columns");
    wa_arena_init(&arena, 512u << 20);
    wa_buf_init(&query, 20480);
    if (read_filter(cli, &filter, err) != WA_OK || write_query(cli, &query, err) != WA_OK ||
        (has_columns && wa_con_columns_read(wa_sv(wa_cli_get(cli, "columns", "")), &arena, &columns,
                                            &query, err) != WA_OK) ||
        wa_con_connect(cli, &c, err) != WA_OK ||
        wa_host_list_fetch(c, wa_buf_str(&query), &arena, &list, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < list.n; i++)
        if (wa_host_matches(list.items[i], &filter))
            wa_jw_json(&cli->jw, list.items[i]);
    wa_jw_end(&cli->jw);
    if (has_columns)
        return wa_con_columns_show(cli, &columns, &list, &filter, err);
    if (!wa_cli_has(cli, "csv"))
        return show_table(cli, &list, &filter, err);
    return show_csv(cli, &list, &filter, err);
}

const struct wa_cli_command wa_con_hosts = {"hosts", options, WA_COUNT(options), 0, SIZE_MAX, run};
