/* search_columns.c - fields of the inventory for a page of the list of machines.
 *
 * Each section is read and parsed once for each machine; the lists that are long are none of those
 * that may be asked for (columns.c).
 */
#include "server/columns.h"
#include "server/search.h"

#define MEMORY_MAX (64u << 20) /* bytes: one machine's section, parsed */

void wa_search_write_columns(const char *columns, const char *const *uuids, size_t count,
                             struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "ask", "columns");
    wa_jw_kv(&w, "columns", columns);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    for (size_t i = 0; i < count; i++)
        wa_jw_s(&w, uuids[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

/* What is there under all columns of this section. One that can't be read, or is longer than any
 * machine's that means no harm, says nothing. */
static enum wa_code take_section(struct wa_db *db, struct wa_sv uuid, const struct wa_columns *c,
                                 const char *section, struct wa_buf *values, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_stmt *s;
    struct wa_err why = WA_ERR_INIT;
    bool row = false;
    wa_arena_init(&arena, MEMORY_MAX);
    if (wa_db_prepare(db, "SELECT content FROM sections WHERE uuid = ? AND section = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_s(s, 1, section);
    if (wa_step(s, &row, err) != WA_OK || !row)
        return err->code;
    if (wa_col_sv(s, 0).n <= WA_COLUMNS_SECTION_MAX &&
        wa_json_parse(wa_col_sv(s, 0), 0, &arena, &j, &why) == WA_OK)
        for (size_t i = 0; i < c->n; i++)
            if (strcmp(c->items[i].names, section) == 0)
                wa_column_value(&c->items[i], j, &values[i]);
    wa_reset(s);
    return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

static enum wa_code take_host(struct wa_db *db, struct wa_sv uuid, const struct wa_columns *c,
                              struct wa_buf *values, struct wa_err *err)
{
    for (size_t i = 0; i < c->n; i++)
        wa_buf_clear(&values[i]);
    for (size_t i = 0; i < c->n; i++) {
        size_t first = 0;
        while (strcmp(c->items[first].names, c->items[i].names) != 0)
            first++;
        if (first == i && take_section(db, uuid, c, c->items[i].names, values, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code write_hosts(struct wa_db *db, const struct wa_json *hosts,
                                const struct wa_columns *c, struct wa_buf *values, struct wa_jw *w,
                                struct wa_err *err)
{
    for (size_t k = 0; k < wa_json_count(hosts); k++) {
        if (take_host(db, wa_json_sv(wa_json_at(hosts, k)), c, values, err) != WA_OK)
            return err->code;
        wa_jw_arr(w);
        for (size_t i = 0; i < c->n; i++) {
            if (wa_buf_check(&values[i], err) != WA_OK)
                return err->code;
            wa_jw_sv(w, wa_buf_sv(&values[i]));
        }
        wa_jw_end(w);
    }
    return WA_OK;
}

enum wa_code wa_search_columns(struct wa_db *db, const struct wa_json *question,
                               struct wa_buf *answer, struct wa_err *err)
{
    struct wa_columns c;
    struct wa_buf values[WA_COLUMNS_MAX];
    struct wa_jw w;
    if (wa_columns_read(wa_json_sv(wa_json_get(question, "columns")), &c, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < c.n; i++)
        wa_buf_init(&values[i], WA_COLUMN_VALUE_MAX + 2);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_key(&w, "rows");
    wa_jw_arr(&w);
    enum wa_code code = write_hosts(db, wa_json_get(question, "hosts"), &c, values, &w, err);
    wa_jw_end(&w);
    wa_jw_end(&w);
    for (size_t i = 0; i < c.n; i++)
        wa_buf_fini(&values[i]);
    return code == WA_OK ? wa_buf_check(answer, err) : code;
}
