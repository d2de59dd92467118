/* con_report.c - waptconsole report: SQL over what the server knows, saved there or tried from a
 * file. What it may say, and whose machines it shows, the server decides.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/url.h"
#include "os/fs.h"

#define TABLE_MAX 8u               /* columns of a report: more are CSV */
#define QUERY_MAX (16u << 10)      /* bytes: as the server's own limit */
#define ANSWER_MEMORY (512u << 20) /* bytes: rows as a tree of nodes */

struct work {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_arena arena;
};

static enum wa_code call(struct work *w, const char *method, const char *name, struct wa_sv body,
                         const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 4096);
    wa_buf_adds(&path, "/api/v1/reports");
    if (name != NULL) {
        wa_buf_addc(&path, '/');
        wa_url_encode(wa_sv(name), &path);
    }
    return wa_buf_check(&path, err) == WA_OK
               ? wa_client_call(w->client, method, wa_buf_str(&path), body, &w->arena, ret, err)
               : err->code;
}

/* --- rows --- */

static struct wa_sv cell_text(const struct wa_json *cell)
{
    return wa_json_is(cell, WA_JSON_NULL) ? WA_SV("") : wa_json_sv(cell);
}

/* names: at most WA_CLI_COLUMNS_MAX. */
static enum wa_code print_table(struct work *w, const struct wa_json *names,
                                const struct wa_json *rows, struct wa_err *err)
{
    struct wa_cli_column columns[WA_CLI_COLUMNS_MAX];
    size_t n = wa_json_count(names);
    for (size_t i = 0; i < n; i++) {
        char *title = wa_arena_strdup(&w->arena, wa_json_sv(wa_json_at(names, i)));
        if (title == NULL)
            return wa_nomem(err);
        wa_cli_tame(title); /* whoever wrote the report chose it */
        columns[i] = (struct wa_cli_column){title, true};
    }
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, n);
    for (size_t i = 0; i < wa_json_count(rows); i++)
        for (size_t k = 0; k < n; k++)
            wa_cli_table_cell(&table, cell_text(wa_json_at(wa_json_at(rows, i), k)));
    return wa_cli_table_print(&table, w->cli, err);
}

/* A question for rows. */
struct asks {
    const char *method, *path; /* of the API, without parameters */
    struct wa_sv body;
};

/* As the server writes it, so that no spreadsheet executes it: a line each, which it can't tell to
 * be all. */
static enum wa_code print_csv(struct work *w, const struct asks *a, int64_t limit,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    WA_AUTO_BUF struct wa_buf text;
    int64_t lines = 0;
    wa_buf_init(&path, 4096);
    wa_buf_init(&text, WA_CONSOLE_ANSWER_MAX);
    wa_buf_addf(&path, "%s?limit=%lld&format=csv", a->path, (long long)limit);
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_text(w->client, a->method, wa_buf_str(&path), a->body, &text, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    if (lines > limit) /* the first names the columns */
        wa_cli_say(w->cli, "there may be more rows than these: ask for more with --limit");
    wa_cli_csv(w->cli, wa_buf_sv(&text));
    return WA_OK;
}

static enum wa_code show_rows(struct work *w, const struct asks *a, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    int64_t limit = 1000;
    wa_buf_init(&path, 4096);
    if (wa_cli_int(w->cli, "limit", 1, 100000, &limit, err) != WA_OK)
        return err->code;
    if (wa_cli_has(w->cli, "csv") && !w->cli->json)
        return print_csv(w, a, limit, err);
    wa_buf_addf(&path, "%s?limit=%lld", a->path, (long long)limit);
    if (wa_buf_check(&path, err) != WA_OK || wa_client_call(w->client, a->method, wa_buf_str(&path),
                                                            a->body, &w->arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *names = wa_json_get(j, "columns"), *rows = wa_json_get(j, "rows");
    wa_jw_json(&w->cli->jw, j);
    bool is_wide = wa_json_count(names) > TABLE_MAX;
    if (is_wide && !w->cli->json)
        return print_csv(w, a, limit, err);
    if (wa_json_bool(wa_json_get(j, "is_cut")))
        wa_cli_say(w->cli, "there are more rows than these: ask for more with --limit");
    return is_wide ? WA_OK : print_table(w, names, rows, err);
}

/* --- what there is to do --- */

static enum wa_code list(struct work *w, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("report"), true}, {WA_TEXT("author"), true}, {WA_TEXT("about"), true}};
    static const char *const cells[] = {"name", "author", "about"};
    const struct wa_json *j = NULL;
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    if (call(w, "GET", NULL, WA_SV(""), &j, err) != WA_OK)
        return err->code;
    const struct wa_json *reports = wa_json_get(j, "reports");
    wa_jw_json(&w->cli->jw, j);
    for (size_t i = 0; i < wa_json_count(reports); i++)
        for (size_t k = 0; k < WA_COUNT(cells); k++)
            wa_cli_table_cell(&table, wa_json_sv(wa_json_get(wa_json_at(reports, i), cells[k])));
    return wa_cli_table_print(&table, w->cli, err);
}

static enum wa_code show(struct work *w, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (call(w, "GET", NULL, WA_SV(""), &j, err) != WA_OK)
        return err->code;
    const struct wa_json *reports = wa_json_get(j, "reports");
    for (size_t i = 0; i < wa_json_count(reports); i++) {
        const struct wa_json *r = wa_json_at(reports, i);
        struct wa_sv query = wa_json_sv(wa_json_get(r, "query"));
        if (!wa_sv_eqs(wa_json_sv(wa_json_get(r, "name")), w->cli->args[1]))
            continue;
        wa_jw_obj(&w->cli->jw);
        wa_jw_key(&w->cli->jw, "reports");
        wa_jw_arr(&w->cli->jw);
        wa_jw_json(&w->cli->jw, r);
        wa_jw_end(&w->cli->jw);
        wa_jw_end(&w->cli->jw);
        wa_cli_out(w->cli, "%.*s\n", (int)query.n, query.p);
        return WA_OK;
    }
    return wa_fail(err, WA_E_NOT_FOUND, "there is no report '%s'", w->cli->args[1]);
}

static enum wa_code run_saved(struct work *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 4096);
    wa_buf_adds(&path, "/api/v1/reports/");
    wa_url_encode(wa_sv(w->cli->args[1]), &path);
    wa_buf_adds(&path, "/rows");
    const struct asks a = {"GET", wa_buf_str(&path), WA_SV("")};
    return wa_buf_check(&path, err) == WA_OK ? show_rows(w, &a, err) : err->code;
}

/* {"query":...,"about":...} of a file. */
static enum wa_code read_query(struct work *w, const char *path, struct wa_buf *body,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw jw;
    const char *about = wa_cli_get(w->cli, "about", NULL);
    wa_buf_init(&text, QUERY_MAX);
    if (wa_path_read(path, QUERY_MAX, &text, err) != WA_OK)
        return wa_wrap(err, "reading '%s'", path);
    wa_jw_init(&jw, body);
    wa_jw_obj(&jw);
    wa_jw_kvsv(&jw, "query", wa_sv_trim(wa_buf_sv(&text)));
    if (about != NULL)
        wa_jw_kv(&jw, "about", about);
    wa_jw_end(&jw);
    return wa_buf_check(body, err);
}

static enum wa_code say_name(struct work *w, const char *text)
{
    wa_jw_obj(&w->cli->jw);
    wa_jw_kv(&w->cli->jw, "name", w->cli->args[1]);
    wa_jw_end(&w->cli->jw);
    wa_cli_out(w->cli, "%s: %s\n", w->cli->args[1], wa_text(text));
    return WA_OK;
}

static enum wa_code save(struct work *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    wa_buf_init(&body, 2 * QUERY_MAX);
    return read_query(w, w->cli->args[2], &body, err) == WA_OK &&
                   call(w, "PUT", w->cli->args[1], wa_buf_sv(&body), &j, err) == WA_OK
               ? say_name(w, WA_TEXT("saved"))
               : err->code;
}

static enum wa_code try_file(struct work *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 2 * QUERY_MAX);
    if (read_query(w, w->cli->args[1], &body, err) != WA_OK)
        return err->code;
    const struct asks a = {"POST", "/api/v1/report-rows", wa_buf_sv(&body)};
    return show_rows(w, &a, err);
}

static enum wa_code forget(struct work *w, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    return call(w, "DELETE", w->cli->args[1], WA_SV(""), &j, err) == WA_OK
               ? say_name(w, WA_TEXT("deleted"))
               : err->code;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        size_t args;
        enum wa_code (*fn)(struct work *w, struct wa_err *err);
    } verbs[] = {{"list", 1, list}, {"show", 2, show},     {"run", 2, run_saved},
                 {"save", 3, save}, {"delete", 2, forget}, {"try", 2, try_file}};
    struct work w = {.cli = cli};
    for (size_t i = 0; i < WA_COUNT(verbs); i++) {
        if (strcmp(cli->args[0], verbs[i].verb) != 0 || cli->arg_count != verbs[i].args)
            continue;
        wa_arena_init(&w.arena, ANSWER_MEMORY);
        if (wa_con_connect(cli, &w.client, err) == WA_OK)
            (void)!verbs[i].fn(&w, err);
        wa_client_close(w.client);
        wa_arena_fini(&w.arena);
        return err->code;
    }
    return wa_fail(err, WA_E_USAGE,
                   "after report comes 'list', 'show NAME', 'run NAME', 'save NAME FILE', "
                   "'delete NAME' or 'try FILE'");
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS, {"limit", 0, "N"}, {"csv", 0, NULL}, {"about", 0, "TEXT"}};

const struct wa_cli_command wa_con_report = {"report", options, WA_COUNT(options), 1, 3, run};
