/* json_read.c - looking into a parsed tree, and filling a struct from an object by a table.
 *
 * Every accessor takes any node, NULL too, and answers "absent" instead of failing, so that a
 * reader of messages needs no check before the one that matters.
 */
#include "base/text.h"
#include "codec/json.h"
#include "codec/json_priv.h"

#include <assert.h>

enum wa_json_type wa_json_type(const struct wa_json *j)
{
    return j ? (enum wa_json_type)j->type : WA_JSON_NULL;
}

bool wa_json_is(const struct wa_json *j, enum wa_json_type type)
{
    return j && j->type == type;
}

size_t wa_json_count(const struct wa_json *j)
{
    return wa_json_is(j, WA_JSON_ARRAY) || wa_json_is(j, WA_JSON_OBJECT) ? j->n : 0;
}

const struct wa_json *wa_json_at(const struct wa_json *j, size_t i)
{
    if (i >= wa_json_count(j))
        return NULL;
    return j->type == WA_JSON_ARRAY ? &j->u.items[i] : &j->u.members->list[i].value;
}

struct wa_sv wa_json_key_at(const struct wa_json *j, size_t i)
{
    if (!wa_json_is(j, WA_JSON_OBJECT) || i >= j->n)
        return (struct wa_sv){NULL, 0};
    return wa_json_member_key(&j->u.members->list[i]);
}

const struct wa_json *wa_json_get(const struct wa_json *j, const char *key)
{
    struct wa_sv wanted = wa_sv(key);
    size_t low = 0, high = wa_json_is(j, WA_JSON_OBJECT) ? j->n : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct wa_json_member *m = &j->u.members->list[j->u.members->order[middle]];
        int order = wa_sv_cmp(wanted, wa_json_member_key(m));
        if (order == 0)
            return &m->value;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

struct wa_sv wa_json_sv(const struct wa_json *j)
{
    if (!wa_json_is(j, WA_JSON_STRING) && !wa_json_is(j, WA_JSON_NUMBER))
        return (struct wa_sv){NULL, 0};
    return (struct wa_sv){j->u.text, j->n};
}

bool wa_json_i64(const struct wa_json *j, int64_t *ret)
{
    struct wa_sv text;
    uint64_t magnitude = 0;

    if (!wa_json_is(j, WA_JSON_NUMBER))
        return false;
    text = wa_json_sv(j);
    bool is_negative = text.n > 0 && text.p[0] == '-';
    if (!wa_sv_u64(is_negative ? wa_sv_sub(text, 1, text.n) : text, &magnitude))
        return false;
    if (!is_negative) {
        if (magnitude > INT64_MAX)
            return false;
        *ret = (int64_t)magnitude;
        return true;
    }
    if (magnitude > (uint64_t)INT64_MAX + 1)
        return false;
    *ret = magnitude == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)magnitude;
    return true;
}

bool wa_json_bool(const struct wa_json *j)
{
    return wa_json_is(j, WA_JSON_BOOL) && j->is_true;
}

static const char *want_name(enum wa_json_want want)
{
    switch (want) {
    case WA_WANT_SV:
        return wa_text("a string");
    case WA_WANT_I64:
        return wa_text("an integer");
    case WA_WANT_BOOL:
        return wa_text("true or false");
    case WA_WANT_ARRAY:
        return wa_text("an array");
    case WA_WANT_OBJECT:
        return wa_text("an object");
    case WA_WANT_ANY:
        break;
    }
    return wa_text("a value");
}

static bool is_wanted(const struct wa_json *j, enum wa_json_want want)
{
    int64_t ignored;

    switch (want) {
    case WA_WANT_SV:
        return wa_json_is(j, WA_JSON_STRING);
    case WA_WANT_I64:
        return wa_json_i64(j, &ignored);
    case WA_WANT_BOOL:
        return wa_json_is(j, WA_JSON_BOOL);
    case WA_WANT_ARRAY:
        return wa_json_is(j, WA_JSON_ARRAY);
    case WA_WANT_OBJECT:
        return wa_json_is(j, WA_JSON_OBJECT);
    case WA_WANT_ANY:
        break;
    }
    return true;
}

static enum wa_code check_field(const struct wa_json *j, const struct wa_json_field *f,
                                const char *what, struct wa_err *err)
{
    if (!j) {
        if (!f->required)
            return WA_OK;
        return wa_fail(err, WA_E_INVALID, "cannot read %s: member '%s' is missing", what, f->key);
    }
    if (!is_wanted(j, f->want))
        return wa_fail(err, WA_E_INVALID, "cannot read %s: member '%s' is not %s", what, f->key,
                       want_name(f->want));
    if (f->max == 0)
        return WA_OK;
    if (f->want == WA_WANT_SV && wa_json_sv(j).n > f->max)
        return wa_fail(err, WA_E_LIMIT, "cannot read %s: member '%s' is longer than %zu bytes",
                       what, f->key, f->max);
    if (f->want == WA_WANT_ARRAY && wa_json_count(j) > f->max)
        return wa_fail(err, WA_E_LIMIT, "cannot read %s: member '%s' has more than %zu items", what,
                       f->key, f->max);
    return WA_OK;
}

static void fill_field(const struct wa_json *j, const struct wa_json_field *f)
{
    const struct wa_json **node = f->ret;

    if (!j)
        return;
    switch (f->want) {
    case WA_WANT_SV:
        *(struct wa_sv *)f->ret = wa_json_sv(j);
        break;
    case WA_WANT_I64:
        /* Checked by check_field(). */
        (void)wa_json_i64(j, f->ret);
        break;
    case WA_WANT_BOOL:
        *(bool *)f->ret = wa_json_bool(j);
        break;
    case WA_WANT_ARRAY:
    case WA_WANT_OBJECT:
    case WA_WANT_ANY:
        *node = j;
        break;
    }
}

static enum wa_code refuse_unknown(const struct wa_json *object, const struct wa_json_field *fields,
                                   size_t count, const char *what, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(object); i++) {
        struct wa_sv key = wa_json_key_at(object, i);
        size_t f = 0;
        while (f < count && !wa_sv_eqs(key, fields[f].key))
            f++;
        if (f == count)
            return wa_fail(err, WA_E_INVALID, "cannot read %s: unknown member '%.*s'", what,
                           WA_SV_ARG(wa_sv_sub(key, 0, 64)));
    }
    return WA_OK;
}

/* Each member is looked for once: where as many are found as there are, none is unknown. */
static enum wa_code read_fields(const struct wa_json *object, const struct wa_json_field *fields,
                                size_t count, bool is_lax, const char *what, struct wa_err *err)
{
    const struct wa_json *found[WA_JSON_FIELDS_MAX];
    size_t known = 0;

    assert(count <= WA_COUNT(found)); /* tables are ours */
    for (size_t i = 0; i < count; i++) {
        found[i] = wa_json_get(object, fields[i].key);
        known += found[i] != NULL;
    }
    if (!is_lax && known != wa_json_count(object) &&
        refuse_unknown(object, fields, count, what, err) != WA_OK)
        return err->code;
    if (!wa_json_is(object, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_INVALID, "cannot read %s: not an object", what);
    for (size_t i = 0; i < count; i++)
        if (check_field(found[i], &fields[i], what, err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < count; i++)
        fill_field(found[i], &fields[i]);
    return WA_OK;
}

enum wa_code wa_json_read_lax(const struct wa_json *object, const struct wa_json_field *fields,
                              size_t count, const char *what, struct wa_err *err)
{
    return read_fields(object, fields, count, true, what, err);
}

enum wa_code wa_json_read(const struct wa_json *object, const struct wa_json_field *fields,
                          size_t count, const char *what, struct wa_err *err)
{
    return read_fields(object, fields, count, false, what, err);
}

enum wa_code wa_json_answer(struct wa_sv text, struct wa_arena *arena, const struct wa_json **ret,
                            struct wa_err *err)
{
    if (wa_json_parse(text, 0, arena, ret, err) != WA_OK)
        return err->code;
    const struct wa_json *name = wa_json_get(*ret, "code");
    enum wa_code code = name != NULL ? wa_code_from_name(wa_json_sv(name)) : WA_OK;
    return code == WA_OK
               ? WA_OK
               : wa_fail(err, code, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(*ret, "message"))));
}
