/* role_report.c - the process that runs reports: SQL that people wrote, where it can do no harm.
 *
 * It reads SQLite's file, or knows a PostgreSQL's role that sees the views alone; it writes
 * nothing, has no more memory than it needs, and no other descriptor than the channel to the store.
 */
#include "base/arena.h"
#include "codec/csv_write.h"
#include "codec/json.h"
#include "server/report.h"
#include "server/role_common.h"
#include "server/store_db.h"

#define MEMORY_MAX (1ull << 30)     /* bytes of address space */
#define ANSWER_MAX (12u << 20)      /* bytes of cells */
#define QUESTION_MEMORY (16u << 20) /* bytes: a question, read */

struct writing {
    struct wa_jw w;
    struct wa_csv csv;
    bool is_csv;
    struct wa_buf *out;
};

static void write_columns(void *user, const char *const *names, size_t count)
{
    struct writing *t = user;
    for (size_t i = 0; t->is_csv && i < count; i++)
        wa_csv_text(&t->csv, wa_sv(names[i]));
    if (t->is_csv) {
        wa_csv_end(&t->csv);
        return;
    }
    wa_jw_key(&t->w, "columns");
    wa_jw_arr(&t->w);
    for (size_t i = 0; i < count; i++)
        wa_jw_s(&t->w, names[i]);
    wa_jw_end(&t->w);
    wa_jw_key(&t->w, "rows");
    wa_jw_arr(&t->w);
}

static void write_csv_row(struct wa_csv *w, const struct wa_foreign_cell *cells, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++)
        if (cells[i].is_null || (cells[i].is_number && wa_sv_i64(cells[i].text, &number)))
            wa_csv_plain(w, cells[i].is_null ? WA_SV("") : cells[i].text);
        else
            wa_csv_text(w, cells[i].text);
    wa_csv_end(w);
}

static bool write_row(void *user, const struct wa_foreign_cell *cells, size_t count)
{
    struct writing *t = user;
    int64_t number = 0;
    if (t->out->n > WA_IPC_MESSAGE_MAX - (2u << 20))
        return false;
    if (t->is_csv) {
        write_csv_row(&t->csv, cells, count);
        return t->out->failed == WA_OK;
    }
    wa_jw_arr(&t->w);
    for (size_t i = 0; i < count; i++) {
        if (cells[i].is_null)
            wa_jw_null(&t->w);
        else if (cells[i].is_number && wa_sv_i64(cells[i].text, &number))
            wa_jw_i64(&t->w, number);
        else
            wa_jw_sv(&t->w, cells[i].text);
    }
    wa_jw_end(&t->w);
    return t->out->failed == WA_OK;
}

static enum wa_code answer(const struct wa_foreign *settings, struct wa_sv request,
                           struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct writing t = {.out = out};
    const struct wa_foreign_sink sink = {write_columns, write_row, &t};
    struct wa_foreign f = *settings;
    const struct wa_json *j = NULL;
    struct wa_sv sql = {0}, scope = {0};
    int64_t rows = 0;
    bool is_cut = false;
    const struct wa_json_field fields[] = {{"sql", WA_WANT_SV, true, WA_FOREIGN_TEXT_MAX, &sql},
                                           {"scope", WA_WANT_SV, false, 0, &scope},
                                           {"csv", WA_WANT_BOOL, false, 0, &t.is_csv},
                                           {"rows", WA_WANT_I64, true, 0, &rows}};
    wa_arena_init(&arena, QUESTION_MEMORY);
    if (wa_json_parse(request, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a report's question", err) != WA_OK)
        return err->code;
    f.max_rows = (size_t)rows;
    const char *text = wa_arena_strdup(&arena, sql);
    const char *among = scope.p == NULL ? NULL : wa_arena_strdup(&arena, scope);
    if (text == NULL || (scope.p != NULL && among == NULL))
        return wa_nomem(err);
    wa_jw_init(&t.w, out);
    wa_csv_init(&t.csv, out);
    if (t.is_csv)
        wa_buf_adds(out, WA_REPORT_CSV);
    else
        wa_jw_obj(&t.w);
    if (wa_foreign_run(&f, among, text, &sink, &is_cut, err) != WA_OK)
        return err->code;
    if (t.is_csv)
        return wa_buf_check(out, err);
    wa_jw_end(&t.w);
    wa_jw_kvb(&t.w, "is_cut", is_cut);
    wa_jw_end(&t.w);
    return wa_buf_check(out, err);
}

enum wa_code wa_report_answer(void *user, struct wa_sv request, struct wa_buf *out,
                              struct wa_err *err)
{
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    if (answer(user, request, out, &failed) == WA_OK)
        return WA_OK;
    wa_buf_clear(out);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_err(&w, &failed);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code serve(struct wa_server_child *c, struct wa_err *err)
{
    char db[WA_PATH_MAX], url[WA_STORE_URL];
    const char *const reads[] = {db, NULL};
    bool is_sqlite = c->config.database[0] == '\0';
    const char *database = is_sqlite ? "" : c->config.report_database;
    struct wa_server_reads all;
    struct wa_foreign f = {.url = url, .max_ms = WA_REPORT_SECONDS * 1000, .max_bytes = ANSWER_MAX};
    f.views = wa_report_views(&f.view_count);
    c->memory_bytes = MEMORY_MAX;
    if (wa_server_path(&c->config, "db", db, err) != WA_OK ||
        wa_server_child_confine(
            c, WA_SR_REPORT, is_sqlite ? WA_PRIV_FDS | WA_PRIV_FS_READ : WA_PRIV_FDS | WA_PRIV_NET,
            wa_server_reads(database, is_sqlite ? reads : NULL, &all), NULL, err) != WA_OK)
        return err->code;
    wa_store_url(c->config.dir, database, url);
    return wa_server_child_serve(WA_SR_REPORT, WA_S_REPORTED, wa_report_answer, &f, err);
}

int wa_server_report(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = wa_server_child_init(&c, WA_SR_REPORT, config_file, &err);
    if (code == WA_OK)
        code = serve(&c, &err);
    return wa_server_child_end(&c, code, &err);
}
