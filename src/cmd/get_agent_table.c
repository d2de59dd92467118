/* get_agent_table.c - installed and available packages, and tasks, as tables. What stands in them
 * was signed, but by anybody whom the machine trusts for anything: the table tames it.
 */
#include "base/date.h"
#include "cmd/get.h"

static struct wa_sv member(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

/* The day on which a package came; "" when that is not known. */
static void day_of(const struct wa_json *row, char out[WA_DATE_MAX])
{
    int64_t at = 0;
    out[0] = '\0';
    if (!wa_json_i64(wa_json_get(row, "install_date"), &at) || at <= 0)
        return;
    wa_date_isolocal(at, 0, out);
    out[10] = '\0';
}

enum wa_code wa_get_show_packages(const struct wa_cli *cli, bool is_list,
                                  const struct wa_json *const *rows, size_t count,
                                  struct wa_err *err)
{
    static const struct wa_cli_column installed[] = {
        {WA_TEXT("package"), false},   {WA_TEXT("version"), false}, {WA_TEXT("status"), false},
        {WA_TEXT("newer"), false},     {WA_TEXT("why"), false},     {WA_TEXT("installed"), false},
        {WA_TEXT("description"), true}};
    static const struct wa_cli_column available[] = {
        {WA_TEXT("package"), false},   {WA_TEXT("version"), false},   {WA_TEXT("installed"), false},
        {WA_TEXT("arch"), false},      {WA_TEXT("locale"), true},     {WA_TEXT("maturity"), true},
        {WA_TEXT("repository"), true}, {WA_TEXT("description"), true}};
    static const char *const installed_keys[] = {"package", "version", "install_status", "newer"};
    static const char *const available_keys[] = {"package", "version",  "installed", "architecture",
                                                 "locale",  "maturity", "repo",      "description"};
    WA_AUTO_TABLE struct wa_cli_table t;
    wa_cli_table_init(&t, is_list ? installed : available,
                      is_list ? WA_COUNT(installed) : WA_COUNT(available));
    for (size_t i = 0; i < count; i++) {
        const struct wa_json *row = rows[i];
        char day[WA_DATE_MAX];
        for (size_t k = 0; !is_list && k < WA_COUNT(available_keys); k++)
            wa_cli_table_cell(&t, member(row, available_keys[k]));
        if (!is_list)
            continue;
        for (size_t k = 0; k < WA_COUNT(installed_keys); k++)
            wa_cli_table_cell(&t, member(row, installed_keys[k]));
        day_of(row, day);
        wa_cli_table_cell(&t,
                          wa_sv(wa_json_bool(wa_json_get(row, "explicit")) ? wa_text("asked for")
                                                                           : wa_text("needed")));
        wa_cli_table_cell(&t, wa_sv(day));
        wa_cli_table_cell(&t, member(row, "description"));
    }
    return wa_cli_table_print(&t, cli, err);
}

enum wa_code wa_get_show_catalogue(const struct wa_cli *cli, const struct wa_json *page,
                                   struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{"package", false},   {"version", false},
                                                   {"installed", false}, {"may", false},
                                                   {"name", true},       {"description", true}};
    const struct wa_json *rows = wa_json_get(page, "packages");
    WA_AUTO_TABLE struct wa_cli_table t;
    wa_cli_table_init(&t, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(rows); i++) {
        const struct wa_json *row = wa_json_at(rows, i);
        bool install = wa_json_bool(wa_json_get(row, "may_install")),
             remove = wa_json_bool(wa_json_get(row, "may_remove"));
        wa_cli_table_cell(&t, member(row, "package"));
        wa_cli_table_cell(&t, member(row, "version"));
        wa_cli_table_cell(&t, member(row, "installed"));
        wa_cli_table_cell(&t, wa_sv(install && remove ? "install, remove"
                                    : install         ? "install"
                                    : remove          ? "remove"
                                                      : ""));
        wa_cli_table_cell(&t, member(row, "name"));
        wa_cli_table_cell(&t, member(row, "description"));
    }
    return wa_cli_table_print(&t, cli, err);
}

/* A moment of a task, to the second; "" when it has not come. */
static void time_of(const struct wa_json *row, const char *key, char out[WA_DATE_MAX])
{
    int64_t at = 0;
    out[0] = '\0';
    if (wa_json_i64(wa_json_get(row, key), &at) && at > 0)
        wa_date_isolocal(at, 0, out);
}

/* Why it ended so; of one that has left something out, what it comes back after. */
static enum wa_code message_of(const struct wa_json *row, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_json *programs = wa_json_get(row, "waits_for");
    wa_buf_clear(out);
    wa_buf_addsv(out, member(row, "message"));
    for (size_t i = 0; i < wa_json_count(programs); i++) {
        wa_buf_adds(out, i > 0 ? ", " : wa_text("in use: "));
        wa_buf_addsv(out, wa_json_sv(wa_json_at(programs, i)));
    }
    return wa_buf_check(out, err);
}

enum wa_code wa_get_show_tasks(const struct wa_cli *cli, const struct wa_json *rows,
                               struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("task"), false},  {WA_TEXT("what"), false},    {WA_TEXT("state"), false},
        {WA_TEXT("done"), false},  {WA_TEXT("started"), false}, {WA_TEXT("by"), true},
        {WA_TEXT("message"), true}};
    WA_AUTO_TABLE struct wa_cli_table t;
    WA_AUTO_BUF struct wa_buf message;
    wa_buf_init(&message, WA_LOCAL_LINE_MAX);
    wa_cli_table_init(&t, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(rows); i++) {
        const struct wa_json *row = wa_json_at(rows, i);
        int64_t id = 0, percent = 0;
        char number[24], done[24], when[WA_DATE_MAX];
        (void)wa_json_i64(wa_json_get(row, "id"), &id);
        (void)wa_json_i64(wa_json_get(row, "progress"), &percent);
        (void)snprintf(number, sizeof number, "%lld", (long long)id);
        (void)snprintf(done, sizeof done, "%lld%%", (long long)percent);
        time_of(row, "started", when);
        struct wa_sv state = member(row, "state");
        wa_cli_table_cell(&t, wa_sv(number));
        wa_cli_table_cell(&t, member(row, "kind"));
        wa_cli_table_cell(&t, wa_sv_eqs(state, "done") ? member(row, "code") : state);
        wa_cli_table_cell(&t, wa_sv(done));
        wa_cli_table_cell(&t, wa_sv(when));
        wa_cli_table_cell(&t, member(row, "created_by"));
        if (message_of(row, &message, err) != WA_OK)
            return err->code;
        wa_cli_table_cell(&t, wa_buf_sv(&message));
    }
    return wa_cli_table_print(&t, cli, err);
}
