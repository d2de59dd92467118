/* api_page.c - pages of lists: their parameters, the place where the next one begins, and the cut
 * of lists that are written whole.
 *
 * The place comes back from outside: it is text of a known form and length, or refused.
 */
#include "server/api_page.h"

#include "base/utf8.h"
#include "codec/base64.h"
#include "server/api_list.h"

#include <stdlib.h>

/* --- places --- */

static enum wa_code refuse(struct wa_err *err)
{
    return wa_fail(err, WA_E_USAGE, "'after' is not the 'next' of a page of this list");
}

static bool take(struct wa_sv part, char out[WA_PAGE_TEXT])
{
    if (part.n >= WA_PAGE_TEXT)
        return false;
    memcpy(out, part.p, part.n);
    out[part.n] = '\0';
    return strlen(out) == part.n;
}

/* Order, identifier and value, with newlines between; the value may have some too. */
static enum wa_code read_place(struct wa_sv text, struct wa_api_page *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf plain;
    struct wa_sv rest, sort, id;
    wa_buf_init(&plain, 2048);
    if (wa_base64url_decode(text, &plain, err) != WA_OK) {
        wa_err_clear(err);
        return refuse(err);
    }
    rest = wa_buf_sv(&plain);
    if (!wa_utf8_valid(rest) || !wa_sv_split(&rest, '\n', &sort) ||
        !wa_sv_split(&rest, '\n', &id) || rest.p == NULL || !wa_sv_eqs(sort, p->sort) ||
        id.n == 0 || !take(id, p->id) || !take(rest, p->value))
        return refuse(err);
    p->has_after = true;
    return WA_OK;
}

enum wa_code wa_api_page_read(const struct wa_api_call *c, int64_t limit, int64_t limit_max,
                              struct wa_api_page *ret, struct wa_err *err)
{
    char after[2048];
    *ret = (struct wa_api_page){.limit = limit};
    if (wa_api_text(c, "search", ret->search, sizeof ret->search, err) != WA_OK ||
        wa_api_text(c, "sort", ret->sort, sizeof ret->sort, err) != WA_OK ||
        wa_api_text(c, "after", after, sizeof after, err) != WA_OK ||
        wa_api_number(c, "offset", 0, INT32_MAX, &ret->offset, err) != WA_OK ||
        wa_api_number(c, "limit", 0, limit_max, &ret->limit, err) != WA_OK)
        return err->code;
    return after[0] == '\0' ? WA_OK : read_place(wa_sv(after), ret, err);
}

void wa_api_page_next(struct wa_jw *w, const struct wa_api_page *p, const char *value,
                      const char *id)
{
    WA_AUTO_BUF struct wa_buf plain;
    WA_AUTO_BUF struct wa_buf text;
    size_t n = strlen(value);
    wa_buf_init(&plain, 2048);
    wa_buf_init(&text, 4096);
    wa_buf_addf(&plain, "%s\n%s\n", p->sort, id);
    wa_buf_addsv(&plain,
                 wa_sv_n(value, n < WA_PAGE_TEXT ? n : wa_utf8_cut(value, WA_PAGE_TEXT - 1)));
    wa_base64url_encode(plain.p, plain.n, &text);
    if (plain.failed != WA_OK || text.failed != WA_OK)
        w->out->failed = plain.failed != WA_OK ? plain.failed : text.failed;
    wa_jw_kvsv(w, "next", wa_buf_sv(&text));
}

void wa_api_page_next_number(struct wa_jw *w, int64_t last)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)last);
    wa_jw_kv(w, "next", text);
}

/* --- whole lists --- */

const struct wa_api_param wa_api_whole_params[] = {
    {"search", "Words, each in one of the row's texts", false},
    {"sort", "A column; before it '-' for the other way. By the first one, if none is said", false},
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};

#define WHOLE_MAX 100000 /* rows of a page: all of them */

struct row {
    const struct wa_json *json;
    int64_t number;         /* by which it is sorted; 0 where that is no number */
    struct wa_sv value, id; /* as a place has them: cut */
};

struct whole {
    struct wa_arena arena;
    struct wa_api_page page;
    const struct wa_json *columns, *answer;
    struct wa_sv list; /* the answer's member that has it */
    char key[64];      /* the column that it is sorted by */
    char id[64];
    bool is_number, is_descending;
};

static enum wa_code begin(struct whole *w, const struct wa_api_call *c, const char *gives,
                          struct wa_err *err)
{
    const struct wa_json *schemas = NULL;
    if (wa_api_page_read(c, WHOLE_MAX, WHOLE_MAX, &w->page, err) != WA_OK ||
        wa_api_read_schemas(&w->arena, &schemas, err) != WA_OK)
        return err->code;
    w->columns = wa_api_columns(schemas, gives, &w->list);
    if (w->columns == NULL)
        return wa_fail(err, WA_E_INTERNAL, "a list that is none");
    w->is_descending = w->page.sort[0] == '-';
    (void)snprintf(w->id, sizeof w->id, "%.*s", WA_SV_ARG(wa_json_key_at(w->columns, 0)));
    (void)snprintf(w->key, sizeof w->key, "%s", w->page.sort + w->is_descending);
    if (w->key[0] == '\0')
        (void)snprintf(w->key, sizeof w->key, "%s", w->id);
    const struct wa_json *column = wa_json_get(w->columns, w->key);
    w->is_number = wa_sv_eqs(wa_json_sv(wa_json_get(column, "type")), "integer");
    return column != NULL
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "'sort' takes a column of the list, not '%s'", w->key);
}

enum wa_code wa_api_whole_check(const struct wa_api_call *c, const struct wa_api_route *route,
                                struct wa_err *err)
{
    struct whole w = {.is_descending = false};
    if (route->params != wa_api_whole_params)
        return WA_OK;
    wa_arena_init(&w.arena, WA_API_SCHEMAS_MEMORY);
    enum wa_code code = begin(&w, c, route->gives, err);
    wa_arena_fini(&w.arena);
    if (code == WA_OK)
        c->request->whole = route;
    return code;
}

static struct row row_of(const struct whole *w, const struct wa_json *json, struct wa_sv value,
                         struct wa_sv id)
{
    struct row r = {json, 0, value, id};
    if (r.value.n >= WA_PAGE_TEXT)
        r.value.n = wa_utf8_cut(r.value.p, WA_PAGE_TEXT - 1);
    if (w->is_number)
        (void)wa_sv_i64(value, &r.number);
    return r;
}

static struct wa_sv value_of(const struct wa_json *j)
{
    return wa_json_is(j, WA_JSON_BOOL) ? wa_json_bool(j) ? WA_SV("true") : WA_SV("false")
                                       : wa_json_sv(j);
}

static int by_value(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int way = (x->number > y->number) - (x->number < y->number);
    if (way == 0)
        way = wa_sv_cmp(x->value, y->value);
    return way != 0 ? way : wa_sv_cmp(x->id, y->id);
}

/* Whether each word is in one of the row's texts. */
static enum wa_code is_searched(const struct wa_json *row, const char *search, bool *ret,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    char words[WA_PAGE_TEXT];
    struct wa_sv rest, word;
    wa_buf_init(&text, WA_IPC_MESSAGE_MAX);
    (void)snprintf(words, sizeof words, "%s", search);
    wa_fleet_fold(words, strlen(words));
    for (size_t i = 0; i < wa_json_count(row); i++) {
        wa_buf_addsv(&text, wa_json_sv(wa_json_at(row, i)));
        wa_buf_addc(&text, '\n');
    }
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_fleet_fold(text.p, text.n);
    *ret = true;
    for (rest = wa_sv(words); wa_sv_split(&rest, ' ', &word);)
        *ret = *ret && (word.n == 0 || wa_sv_has(wa_buf_sv(&text), word));
    return WA_OK;
}

/* The rows that are meant, sorted. */
static enum wa_code choose(struct whole *w, struct row **ret, size_t *ret_count, struct wa_err *err)
{
    char name[64];
    if (!wa_json_is(w->answer, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_INTERNAL, "a list that is none");
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(w->list));
    const struct wa_json *list = wa_json_get(w->answer, name);
    size_t all = wa_json_count(list), n = 0;
    struct row *rows = wa_arena_alloc(&w->arena, all + 1, sizeof *rows);
    if (rows == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < all; i++) {
        const struct wa_json *j = wa_json_at(list, i);
        bool is_meant = true;
        if (w->page.search[0] != '\0' && is_searched(j, w->page.search, &is_meant, err) != WA_OK)
            return err->code;
        if (is_meant)
            rows[n++] =
                row_of(w, j, value_of(wa_json_get(j, w->key)), wa_json_sv(wa_json_get(j, w->id)));
    }
    if (n > 0)
        qsort(rows, n, sizeof *rows, by_value);
    for (size_t i = 0; w->is_descending && i < n / 2; i++) {
        struct row one = rows[i];
        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = one;
    }
    *ret = rows;
    *ret_count = n;
    return WA_OK;
}

static void write_next(struct wa_jw *jw, const struct whole *w, const struct row *last)
{
    char value[WA_PAGE_TEXT], id[WA_PAGE_TEXT];
    (void)snprintf(value, sizeof value, "%.*s", WA_SV_ARG(last->value));
    (void)snprintf(id, sizeof id, "%.*s", WA_SV_ARG(last->id));
    wa_api_page_next(jw, &w->page, value, id);
}

static void write_page(const struct whole *w, const struct row *rows, size_t n, struct wa_buf *out)
{
    struct row last = row_of(w, NULL, wa_sv(w->page.value), wa_sv(w->page.id));
    size_t i = 0, count = 0;
    struct wa_jw jw;
    while (w->page.has_after && i < n &&
           (w->is_descending ? by_value(&rows[i], &last) >= 0 : by_value(&rows[i], &last) <= 0))
        i++;
    i += (size_t)w->page.offset;
    wa_jw_init(&jw, out);
    wa_jw_obj(&jw);
    wa_jw_kvi(&jw, "total", (int64_t)n);
    for (size_t k = 0; k < wa_json_count(w->answer); k++) {
        struct wa_sv key = wa_json_key_at(w->answer, k);
        wa_jw_keysv(&jw, key);
        if (!wa_sv_eq(key, w->list)) {
            wa_jw_json(&jw, wa_json_at(w->answer, k));
            continue;
        }
        wa_jw_arr(&jw);
        for (; i < n && (int64_t)count < w->page.limit; i++, count++)
            wa_jw_json(&jw, rows[i].json);
        wa_jw_end(&jw);
    }
    if (count > 0 && i < n)
        write_next(&jw, w, &rows[i - 1]);
    wa_jw_end(&jw);
}

enum wa_code wa_api_whole_cut(struct wa_store_request *r, struct wa_sv json, struct wa_buf *out,
                              struct wa_err *err)
{
    struct whole w = {.is_descending = false};
    const struct wa_api_call c = {.request = r};
    struct row *rows = NULL;
    size_t n = 0;
    wa_arena_init(&w.arena, 8u * WA_IPC_MESSAGE_MAX);
    if (begin(&w, &c, r->whole->gives, err) == WA_OK &&
        wa_json_parse(json, 0, &w.arena, &w.answer, err) == WA_OK &&
        choose(&w, &rows, &n, err) == WA_OK)
        write_page(&w, rows, n, out);
    wa_arena_fini(&w.arena);
    return err->code == WA_OK ? wa_buf_check(out, err) : err->code;
}
