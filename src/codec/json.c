/* json.c - the strict JSON parser: text to an immutable tree in an arena.
 *
 * The text is copied once into the arena and strings are decoded in that copy, where they can only
 * shrink; nodes point into it. While a container is open its children wait on one stack; when it
 * closes they move to the arena as one array. Depth is capped, so recursion is too. Nothing is
 * accepted that another reader could take for something else: the numbers keep their text, a key
 * occurs once.
 */
#include "codec/json.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/json_priv.h"
#include "codec/sort_priv.h"

/* What the arena may add to a request. */
#define ALIGN_BYTES_MAX 32u

struct parser {
    struct wa_sv text;
    size_t at;
    unsigned flags;
    unsigned depth;
    struct wa_arena *arena;
    char *copy; /* text.n bytes; what is decoded lies at or before its place in text */
    struct {
        WA_VEC(struct wa_json_member);
    } stack;
    struct wa_err *err;
};

static enum wa_code parse_value(struct parser *p, struct wa_json *ret);

static enum wa_code fail_at(struct parser *p, size_t at, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at && i < p->text.n; i++) {
        /* Columns count characters, not bytes: continuation bytes don't add. */
        if (p->text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((uint8_t)p->text.p[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return wa_fail(p->err, WA_E_INVALID, "cannot read JSON at line %zu, column %zu: %s", line,
                   column, wa_text(what));
}

static enum wa_code fail_here(struct parser *p, const char *what)
{
    return fail_at(p, p->at, p->at < p->text.n ? what : WA_TEXT("it ends too early"));
}

static void *arena_get(struct parser *p, size_t count, size_t size)
{
    void *v = wa_arena_alloc(p->arena, count, size);

    if (v)
        return v;
    if (p->arena->max_bytes - p->arena->used_bytes < count * size + ALIGN_BYTES_MAX)
        (void)wa_fail(p->err, WA_E_LIMIT,
                      "cannot read JSON: it needs more than %zu bytes of memory",
                      p->arena->max_bytes);
    else
        (void)wa_nomem(p->err);
    return NULL;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.n) {
        char c = p->text.p[p->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            break;
        p->at++;
    }
}

static bool take(struct parser *p, char c)
{
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

/* Four hex digits at p->at. */
static bool take_hex4(struct parser *p, uint32_t *ret)
{
    uint32_t v = 0;

    if (p->text.n - p->at < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = p->text.p[p->at + i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
        v = v << 4 | digit;
    }
    p->at += 4;
    *ret = v;
    return true;
}

/* A surrogate as UTF-8 would write it if it could (WTF-8). */
static size_t put_surrogate(uint32_t cp, char *out)
{
    out[0] = (char)(0xe0 | cp >> 12);
    out[1] = (char)(0x80 | (cp >> 6 & 63));
    out[2] = (char)(0x80 | (cp & 63));
    return 3;
}

/* After "\u". */
static enum wa_code parse_unicode(struct parser *p, size_t escape, char *out, size_t *n)
{
    uint32_t cp = 0, low = 0;

    if (!take_hex4(p, &cp))
        return fail_at(p, escape, "\\u takes four hex digits");
    if (cp >= 0xd800 && cp <= 0xdbff && p->text.n - p->at >= 6 && p->text.p[p->at] == '\\' &&
        p->text.p[p->at + 1] == 'u') {
        size_t back = p->at;
        p->at += 2;
        if (!take_hex4(p, &low))
            return fail_at(p, back, "\\u takes four hex digits");
        if (low >= 0xdc00 && low <= 0xdfff)
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        else
            p->at = back; /* not its partner: a value of its own, read next */
    }
    if (cp < 0xd800 || cp > 0xdfff) {
        *n += wa_utf8_encode(cp, out + *n);
        return WA_OK;
    }
    if (!(p->flags & WA_JSON_LONE_SURROGATES))
        return fail_at(p, escape, "half of a surrogate pair");
    *n += put_surrogate(cp, out + *n);
    return WA_OK;
}

static enum wa_code parse_escape(struct parser *p, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t escape = p->at++;
    const char *found;

    if (p->at >= p->text.n)
        return fail_here(p, "an escape");
    char c = p->text.p[p->at++];
    if (c == 'u')
        return parse_unicode(p, escape, out, n);
    found = memchr(from, c, sizeof(from) - 1);
    if (!found)
        return fail_at(p, escape, "no such escape");
    out[(*n)++] = to[found - from];
    return WA_OK;
}

/* p->at is at the opening quote. */
static enum wa_code parse_string(struct parser *p, const char **ret, uint32_t *ret_n)
{
    size_t n = 0;
    char *out;

    p->at++;
    out = p->copy + p->at;
    for (;;) {
        const char *from = p->text.p + p->at, *end = p->text.p + p->text.n, *to = from;
        while (to < end && *to != '"' && *to != '\\' && (uint8_t)*to >= 0x20)
            to++;
        size_t plain = (size_t)(to - from);
        memcpy(out + n, from, plain);
        n += plain;
        p->at += plain;
        if (take(p, '"'))
            break;
        if (p->at >= p->text.n || p->text.p[p->at] != '\\')
            return fail_here(p, "a control character in a string must be escaped");
        enum wa_code code = parse_escape(p, out, &n);
        if (code != WA_OK)
            return code;
    }
    *ret = out;
    *ret_n = (uint32_t)n;
    return WA_OK;
}

static size_t skip_digits(struct parser *p)
{
    size_t from = p->at;

    while (p->at < p->text.n && p->text.p[p->at] >= '0' && p->text.p[p->at] <= '9')
        p->at++;
    return p->at - from;
}

static enum wa_code parse_number(struct parser *p, struct wa_json *ret)
{
    size_t from = p->at;

    (void)take(p, '-');
    if (!take(p, '0') && skip_digits(p) == 0)
        return fail_here(p, "expected a digit");
    if (take(p, '.') && skip_digits(p) == 0)
        return fail_here(p, "expected a digit after the point");
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+'))
            (void)take(p, '-');
        if (skip_digits(p) == 0)
            return fail_here(p, "expected a digit in the exponent");
    }
    memcpy(p->copy + from, p->text.p + from, p->at - from);
    ret->type = WA_JSON_NUMBER;
    ret->u.text = p->copy + from;
    ret->n = (uint32_t)(p->at - from);
    return WA_OK;
}

static enum wa_code push(struct parser *p, const struct wa_json_member *m)
{
    struct wa_json_member *slot;

    /* The stack is memory too: it may hold no more than the arena that its items go to. */
    if (p->stack.n >= p->arena->max_bytes / sizeof(*m))
        return wa_fail(p->err, WA_E_LIMIT,
                       "cannot read JSON: it needs more than %zu bytes of memory",
                       p->arena->max_bytes);
    slot = WA_VEC_PUSH(&p->stack);
    if (!slot)
        return wa_nomem(p->err);
    *slot = *m;
    return WA_OK;
}

static enum wa_code close_array(struct parser *p, size_t base, struct wa_json *ret)
{
    size_t n = p->stack.n - base;
    struct wa_json *items = NULL;

    if (n > 0) {
        items = arena_get(p, n, sizeof(*items));
        if (!items)
            return p->err->code;
    }
    for (size_t i = 0; i < n; i++)
        items[i] = p->stack.items[base + i].value;
    p->stack.n = base;
    ret->type = WA_JSON_ARRAY;
    ret->n = (uint32_t)n;
    ret->u.items = items;
    return WA_OK;
}

static enum wa_code parse_array(struct parser *p, struct wa_json *ret)
{
    size_t base = p->stack.n;
    enum wa_code code;

    p->at++;
    skip_blanks(p);
    if (take(p, ']'))
        return close_array(p, base, ret);
    for (;;) {
        struct wa_json_member m = {0};
        code = parse_value(p, &m.value);
        if (code == WA_OK)
            code = push(p, &m);
        if (code != WA_OK)
            return code;
        skip_blanks(p);
        if (take(p, ']'))
            return close_array(p, base, ret);
        if (!take(p, ','))
            return fail_here(p, "expected ',' or ']'");
    }
}

static int compare_keys(const void *items, uint32_t a, uint32_t b)
{
    const struct wa_json_member *list = items;

    return wa_sv_cmp(wa_json_member_key(&list[a]), wa_json_member_key(&list[b]));
}

static enum wa_code close_object(struct parser *p, size_t base, struct wa_json *ret)
{
    size_t n = p->stack.n - base;
    struct wa_json_members *members = arena_get(p, 1, sizeof(*members));
    struct wa_json_member *list = members && n > 0 ? arena_get(p, n, sizeof(*list)) : NULL;
    uint32_t *order = list ? arena_get(p, n, sizeof(*order)) : NULL;

    if (!members || (n > 0 && !order))
        return p->err->code;
    if (n > 0)
        memcpy(list, p->stack.items + base, n * sizeof(*list));
    p->stack.n = base;
    wa_index_sort(order, n, compare_keys, list);
    for (size_t i = 1; i < n; i++) {
        const struct wa_json_member *m = &list[order[i]];
        if (wa_sv_eq(wa_json_member_key(&list[order[i - 1]]), wa_json_member_key(m)))
            return fail_at(p, (size_t)(m->key - p->copy),
                           wa_text("this key, or another one of its object, "
                                   "is there twice"));
    }
    members->list = list;
    members->order = order;
    ret->type = WA_JSON_OBJECT;
    ret->n = (uint32_t)n;
    ret->u.members = members;
    return WA_OK;
}

static enum wa_code parse_member(struct parser *p)
{
    struct wa_json_member m = {0};
    enum wa_code code;

    skip_blanks(p);
    if (p->at >= p->text.n || p->text.p[p->at] != '"')
        return fail_here(p, "expected a key in double quotes");
    code = parse_string(p, &m.key, &m.key_n);
    if (code != WA_OK)
        return code;
    skip_blanks(p);
    if (!take(p, ':'))
        return fail_here(p, "expected ':'");
    code = parse_value(p, &m.value);
    return code == WA_OK ? push(p, &m) : code;
}

static enum wa_code parse_object(struct parser *p, struct wa_json *ret)
{
    size_t base = p->stack.n;

    p->at++;
    skip_blanks(p);
    if (take(p, '}'))
        return close_object(p, base, ret);
    for (;;) {
        enum wa_code code = parse_member(p);
        if (code != WA_OK)
            return code;
        skip_blanks(p);
        if (take(p, '}'))
            return close_object(p, base, ret);
        if (!take(p, ','))
            return fail_here(p, "expected ',' or '}'");
    }
}

static enum wa_code parse_container(struct parser *p, struct wa_json *ret)
{
    enum wa_code code;

    if (p->depth == WA_JSON_DEPTH_MAX)
        return wa_fail(p->err, WA_E_LIMIT, "cannot read JSON: nested deeper than %u levels",
                       WA_JSON_DEPTH_MAX);
    p->depth++;
    code = p->text.p[p->at] == '[' ? parse_array(p, ret) : parse_object(p, ret);
    p->depth--;
    return code;
}

static enum wa_code parse_word(struct parser *p, struct wa_json *ret)
{
    static const struct {
        const char *word;
        uint8_t type;
        bool is_true;
    } words[] = {{"null", WA_JSON_NULL, false},
                 {"true", WA_JSON_BOOL, true},
                 {"false", WA_JSON_BOOL, false}};

    for (size_t i = 0; i < WA_COUNT(words); i++) {
        if (!wa_sv_starts(wa_sv_sub(p->text, p->at, p->text.n), words[i].word))
            continue;
        p->at += strlen(words[i].word);
        ret->type = words[i].type;
        ret->is_true = words[i].is_true;
        return WA_OK;
    }
    return fail_here(p, "expected a value");
}

static enum wa_code parse_value(struct parser *p, struct wa_json *ret)
{
    skip_blanks(p);
    char c = p->at < p->text.n ? p->text.p[p->at] : '\0';
    if (c == '{' || c == '[')
        return parse_container(p, ret);
    if (c == '"') {
        ret->type = WA_JSON_STRING;
        return parse_string(p, &ret->u.text, &ret->n);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return parse_number(p, ret);
    return parse_word(p, ret);
}

/* Where text stops being UTF-8. */
static size_t bad_utf8_at(struct wa_sv text)
{
    size_t at = 0;
    uint32_t cp;

    while (wa_utf8_next(text, &at, &cp))
        continue;
    return at;
}

static enum wa_code parse_document(struct parser *p, const struct wa_json **ret)
{
    struct wa_json *root;
    enum wa_code code;

    if (p->text.n > WA_JSON_BYTES_MAX)
        return wa_fail(p->err, WA_E_LIMIT, "cannot read JSON: longer than %u bytes",
                       WA_JSON_BYTES_MAX);
    if (!wa_utf8_valid(p->text))
        return fail_at(p, bad_utf8_at(p->text), "not UTF-8");
    p->copy = arena_get(p, p->text.n + 1, 1);
    root = p->copy ? arena_get(p, 1, sizeof(*root)) : NULL;
    if (!root)
        return p->err->code;
    code = parse_value(p, root);
    if (code != WA_OK)
        return code;
    skip_blanks(p);
    if (p->at != p->text.n)
        return fail_here(p, "text after the end");
    *ret = root;
    return WA_OK;
}

enum wa_code wa_json_parse(struct wa_sv text, unsigned flags, struct wa_arena *arena,
                           const struct wa_json **ret, struct wa_err *err)
{
    struct parser p = {.text = text, .flags = flags, .arena = arena, .err = err};
    enum wa_code code = parse_document(&p, ret);

    WA_VEC_FREE(&p.stack);
    return code;
}
