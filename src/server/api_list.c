/* api_list.c - lists as tables. The columns are the properties that the description names, in its
 * order, so that they are the same for an empty list; what a machine adds of its own is none.
 *
 * Nothing is kept between two pages: the next one is a request of its own, with its own check of
 * who asks. Texts are written so that no spreadsheet executes them (codec/csv_write.h).
 */
#include "server/api_list.h"

#include "base/mem.h"
#include "codec/csv_write.h"
#include "codec/url.h"
#include "server/columns.h"

#define PAGE 1000u /* rows of one answer: what each list that has pages gives at once, at least */

/* --- what the description says --- */

static const struct wa_json *schema_of(const struct wa_json *schemas, const struct wa_json *j)
{
    static const char *const at = "#/components/schemas/";
    struct wa_sv ref = wa_json_sv(wa_json_get(j, "$ref"));
    char name[64];
    if (!wa_sv_starts(ref, at))
        return j;
    (void)snprintf(name, sizeof name, "%.*s", (int)(ref.n - strlen(at)), ref.p + strlen(at));
    return wa_json_get(schemas, name);
}

const struct wa_json *wa_api_columns(const struct wa_json *schemas, const char *name,
                                     struct wa_sv *ret_key)
{
    const struct wa_json *properties = wa_json_get(wa_json_get(schemas, name), "properties");
    const struct wa_json *found = NULL;
    for (size_t i = 0; i < wa_json_count(properties); i++) {
        const struct wa_json *p = wa_json_at(properties, i);
        const struct wa_json *row = schema_of(schemas, wa_json_get(p, "items"));
        if (!wa_sv_eqs(wa_json_sv(wa_json_get(p, "type")), "array") ||
            wa_json_count(wa_json_get(row, "properties")) == 0)
            continue;
        if (found != NULL)
            return NULL;
        found = wa_json_get(row, "properties");
        *ret_key = wa_json_key_at(properties, i);
    }
    return found;
}

enum wa_code wa_api_read_schemas(struct wa_arena *arena, const struct wa_json **ret,
                                 struct wa_err *err)
{
    return wa_json_parse(wa_api_schemas(), 0, arena, ret, err);
}

bool wa_api_is_list(const struct wa_api_route *r, const struct wa_json *schemas)
{
    struct wa_sv key;
    return strcmp(r->method, "GET") == 0 && wa_api_columns(schemas, r->gives, &key) != NULL;
}

static bool takes(const struct wa_api_route *r, const char *name)
{
    for (const struct wa_api_param *p = r->params; p != NULL && p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return true;
    return false;
}

/* --- queries --- */

/* The query without that parameter. */
static void without(struct wa_sv query, const char *name, struct wa_buf *out)
{
    struct wa_sv one, key;
    while (query.n > 0 && wa_sv_split(&query, '&', &one)) {
        struct wa_sv rest = one;
        (void)wa_sv_split(&rest, '=', &key);
        if (one.n == 0 || wa_sv_eqs(key, name))
            continue;
        if (out->n > 0)
            wa_buf_addc(out, '&');
        wa_buf_addsv(out, one);
    }
}

/* In the place of what out says of that parameter. */
static void set(struct wa_buf *out, const char *name, struct wa_sv value)
{
    WA_AUTO_BUF struct wa_buf before;
    wa_buf_init(&before, out->max);
    wa_buf_addsv(&before, wa_buf_sv(out));
    wa_buf_clear(out);
    without(wa_buf_sv(&before), name, out);
    wa_buf_addf(out, "%s%s=", out->n > 0 ? "&" : "", name);
    wa_url_encode(value, out);
}

static bool has(struct wa_sv query, const char *name)
{
    WA_AUTO_BUF struct wa_buf value;
    wa_buf_init(&value, 8192);
    return wa_url_query_get(query, name, &value);
}

static enum wa_code complete(struct wa_store_request *r, struct wa_err *err)
{
    const struct wa_api_table *t = &r->table;
    WA_AUTO_BUF struct wa_buf query;
    char limit[16];
    size_t n = 0;
    char *text = NULL;
    wa_buf_init(&query, 16384);
    without(wa_sv(r->query), WA_API_FORMAT, &query);
    (void)snprintf(limit, sizeof limit, "%u", PAGE);
    if (t->goes_on && takes(t->route, "limit"))
        set(&query, "limit", wa_sv(limit));
    if (wa_buf_steal(&query, &text, &n, err) != WA_OK)
        return err->code;
    wa_free(r->query);
    r->query = text;
    return WA_OK;
}

enum wa_code wa_api_table_begin(struct wa_store_request *r, const struct wa_api_route *route,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf format;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *schemas = NULL;
    wa_buf_init(&format, 64);
    wa_arena_init(&arena, WA_API_SCHEMAS_MEMORY);
    if (!has(wa_sv(r->query), WA_API_FORMAT) || takes(route, WA_API_FORMAT))
        return WA_OK; /* of a table that the call makes by itself */
    if (wa_api_read_schemas(&arena, &schemas, err) != WA_OK)
        return err->code;
    if (!wa_url_query_get(wa_sv(r->query), WA_API_FORMAT, &format) ||
        wa_buf_check(&format, err) != WA_OK || !wa_api_is_list(route, schemas))
        return wa_fail(err, WA_E_USAGE, "%s %s has no formats: it gives no list", r->method,
                       r->path);
    struct wa_sv f = wa_buf_sv(&format);
    if (!wa_sv_eqs(f, "json") && !wa_sv_eqs(f, "csv") && !wa_sv_eqs(f, "csv-rows"))
        return wa_fail(err, WA_E_USAGE, "'format' takes json or csv");
    if (!wa_sv_eqs(f, "json"))
        r->table = (struct wa_api_table){.route = route,
                                         .is_first = wa_sv_eqs(f, "csv"),
                                         .goes_on = !has(wa_sv(r->query), "limit") ||
                                                    wa_sv_eqs(f, "csv-rows")};
    return complete(r, err);
}

/* --- rows --- */

static enum wa_code write_value(struct wa_csv *w, const struct wa_json *v, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    switch (wa_json_type(v)) {
    case WA_JSON_NULL:
        wa_csv_plain(w, WA_SV(""));
        return WA_OK;
    case WA_JSON_BOOL:
        wa_csv_plain(w, wa_json_bool(v) ? WA_SV("true") : WA_SV("false"));
        return WA_OK;
    case WA_JSON_NUMBER:
        wa_csv_plain(w, wa_json_sv(v));
        return WA_OK;
    case WA_JSON_STRING:
        wa_csv_text(w, wa_json_sv(v));
        return WA_OK;
    case WA_JSON_ARRAY:
    case WA_JSON_OBJECT:
        break;
    }
    wa_json_write(v, &text);
    if (wa_buf_check(&text, err) == WA_OK)
        wa_csv_text(w, wa_buf_sv(&text));
    return err->code;
}

/* Of a list with columns of its own ('columns'), in place of the one that holds them all. */
#define VALUES "values"

static void write_heads(const struct wa_json *columns, const struct wa_columns *own,
                        struct wa_csv *w)
{
    for (size_t k = 0; k < wa_json_count(columns); k++) {
        bool is_values = wa_sv_eqs(wa_json_key_at(columns, k), VALUES);
        for (size_t i = 0; is_values && i < own->n; i++)
            wa_csv_text(w, wa_sv(own->items[i].text));
        if (!is_values)
            wa_csv_text(w, wa_json_key_at(columns, k));
    }
    wa_csv_end(w);
}

static enum wa_code write_rows(const struct wa_json *list, const struct wa_json *columns,
                               const struct wa_columns *own, struct wa_csv *w, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        for (size_t k = 0; k < wa_json_count(columns); k++) {
            char key[64];
            (void)snprintf(key, sizeof key, "%.*s", WA_SV_ARG(wa_json_key_at(columns, k)));
            if (strcmp(key, VALUES) == 0) {
                const struct wa_json *values = wa_json_get(wa_json_at(list, i), key);
                for (size_t n = 0; n < own->n; n++)
                    wa_csv_text(w, wa_json_sv(wa_json_at(values, n)));
                continue;
            }
            if (write_value(w, wa_json_get(wa_json_at(list, i), key), err) != WA_OK)
                return err->code;
        }
        wa_csv_end(w);
    }
    return wa_buf_check(w->out, err);
}

enum wa_code wa_api_table_write(const struct wa_store_request *r, struct wa_sv json,
                                struct wa_buf *out, struct wa_buf *next, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf asked;
    const struct wa_json *answer = NULL, *schemas = NULL;
    struct wa_sv key = {NULL, 0};
    struct wa_columns own = {.n = 0};
    char name[64];
    struct wa_csv w;
    wa_arena_init(&arena, 8u * WA_IPC_MESSAGE_MAX);
    wa_buf_init(&asked, WA_API_COLUMNS);
    if (takes(r->table.route, "columns") && wa_url_query_get(wa_sv(r->query), "columns", &asked) &&
        wa_columns_read(wa_buf_sv(&asked), &own, err) != WA_OK)
        return err->code;
    if (wa_api_read_schemas(&arena, &schemas, err) != WA_OK ||
        wa_json_parse(json, 0, &arena, &answer, err) != WA_OK)
        return err->code;
    const struct wa_json *columns = wa_api_columns(schemas, r->table.route->gives, &key);
    if (columns == NULL)
        return wa_fail(err, WA_E_INTERNAL, "a list that is none");
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(key));
    const struct wa_json *list = wa_json_get(answer, name);
    wa_csv_init(&w, out);
    if (r->table.is_first)
        write_heads(columns, &own, &w);
    if (write_rows(list, columns, &own, &w, err) != WA_OK)
        return err->code;
    struct wa_sv place = wa_json_sv(wa_json_get(answer, "next"));
    if (r->table.goes_on && place.n > 0) {
        wa_buf_addsv(next, wa_sv(r->query));
        set(next, "after", place);
        set(next, WA_API_FORMAT, WA_SV("csv-rows"));
    }
    return wa_buf_check(next, err);
}
