/* moving_text.c - texts and lists as WAPT's versions wrote them into their database.
 *
 * Python 2 wrote what it had: mostly UTF-8, sometimes bytes of another encoding, and lists as JSON
 * or as Python shows them. Every input has a meaning here; what comes out is valid UTF-8 or JSON.
 */
#include "agent/moving.h"

#include "base/utf8.h"
#include "codec/json.h"
#include "pkg/unicode.h"

static void add_cp(struct wa_buf *out, uint32_t cp)
{
    char bytes[4];
    wa_buf_add(out, bytes, wa_utf8_encode(cp, bytes));
}

/* The character at *at, which is moved past it; a byte that is no UTF-8 is one of Latin-1. */
static uint32_t next_char(struct wa_sv s, size_t *at)
{
    uint32_t cp = 0;
    (void)wa_utf8_step(s, at, &cp);
    return cp < WA_UTF8_BAD ? cp : cp - WA_UTF8_BAD;
}

#define CHAR_MAX_BYTES 4u

void wa_old_text(struct wa_sv bytes, size_t max, struct wa_buf *out)
{
    size_t from = out->n;
    for (size_t at = 0; at < bytes.n && out->n - from + CHAR_MAX_BYTES <= max;) {
        uint32_t cp = next_char(bytes, &at);
        add_cp(out, cp != 0 ? cp : '?');
        if (out->failed != WA_OK)
            return;
    }
}

void wa_old_line(struct wa_sv bytes, size_t max, struct wa_buf *out)
{
    size_t from = out->n, end = out->n;
    for (size_t at = 0; at < bytes.n && out->n - from + CHAR_MAX_BYTES <= max;) {
        uint32_t cp = next_char(bytes, &at);
        bool is_blank =
            !wa_utf8_is_shown(cp) || wa_unicode_isspace(cp) || wa_unicode_is_line_end(cp);
        if (is_blank && out->n == from)
            continue;
        add_cp(out, is_blank ? ' ' : cp);
        if (out->failed != WA_OK)
            return;
        if (!is_blank)
            end = out->n;
    }
    if (out->n > end) {
        out->n = end;
        out->p[end] = '\0';
    }
}

/* --- lists --- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* count hexadecimal digits at *at. */
static bool take_hex(struct wa_sv s, size_t *at, size_t count, uint32_t *ret)
{
    uint32_t v = 0;
    if (s.n - *at < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int d = hex_digit(s.p[*at + i]);
        if (d < 0)
            return false;
        v = v * 16 + (uint32_t)d;
    }
    *at += count;
    *ret = v;
    return true;
}

/* What follows the backslash of a Python literal. */
static bool take_escape(struct wa_sv s, size_t *at, struct wa_buf *out)
{
    uint32_t cp = 0;
    if (*at >= s.n)
        return false;
    char c = s.p[(*at)++];
    switch (c) {
    case 'x':
        if (!take_hex(s, at, 2, &cp))
            return false;
        break;
    case 'u':
        if (!take_hex(s, at, 4, &cp))
            return false;
        break;
    case 'n':
        cp = '\n';
        break;
    case 't':
        cp = '\t';
        break;
    default:
        cp = (unsigned char)c;
        break;
    }
    if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return false;
    add_cp(out, cp);
    return true;
}

/* 'a' or u"b" at *at. */
static bool take_literal(struct wa_sv s, size_t *at, struct wa_buf *out)
{
    if (*at < s.n && (s.p[*at] == 'u' || s.p[*at] == 'b'))
        (*at)++;
    if (*at >= s.n || (s.p[*at] != '\'' && s.p[*at] != '"'))
        return false;
    char quote = s.p[(*at)++];
    while (*at < s.n && s.p[*at] != quote) {
        if (s.p[*at] != '\\')
            add_cp(out, next_char(s, at));
        else if ((*at)++, !take_escape(s, at, out))
            return false;
    }
    return (*at)++ < s.n;
}

static void skip_blanks(struct wa_sv s, size_t *at)
{
    while (*at < s.n && (s.p[*at] == ' ' || s.p[*at] == '\n' || s.p[*at] == '\t'))
        (*at)++;
}

/* Python's way to show a list of texts, or one text. Adds the items of a JSON array. */
static bool take_python(struct wa_sv s, struct wa_jw *w, struct wa_err *err)
{
    size_t at = 0;
    bool is_list = s.n > 0 && s.p[0] == '[';
    at += is_list ? 1 : 0;
    skip_blanks(s, &at);
    while (at < s.n && !(is_list && s.p[at] == ']')) {
        WA_AUTO_BUF struct wa_buf item;
        wa_buf_init(&item, WA_OLD_KEYS_MAX);
        if (!take_literal(s, &at, &item) || wa_buf_check(&item, err) != WA_OK)
            return false;
        wa_jw_sv(w, wa_buf_sv(&item));
        skip_blanks(s, &at);
        if (at < s.n && is_list && s.p[at] == ',')
            at++;
        else if (!is_list || at >= s.n || s.p[at] != ']')
            break;
        skip_blanks(s, &at);
    }
    return is_list ? at + 1 == s.n && s.p[at] == ']' : at == s.n;
}

static bool take_json(struct wa_sv text, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64 * WA_OLD_KEYS_MAX);
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK || !wa_json_is(j, WA_JSON_ARRAY))
        return false;
    for (size_t i = 0; i < wa_json_count(j); i++)
        if (wa_json_is(wa_json_at(j, i), WA_JSON_STRING))
            wa_jw_sv(w, wa_json_sv(wa_json_at(j, i)));
    return true;
}

/* Anything else is one key. */
static bool take_raw(struct wa_sv text, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_OLD_KEYS_MAX);
    wa_old_line(text, WA_OLD_KEYS_MAX, &raw);
    wa_jw_sv(w, wa_buf_sv(&raw));
    return wa_buf_check(&raw, err) == WA_OK;
}

enum wa_code wa_old_keys(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    static bool (*const ways[])(struct wa_sv, struct wa_jw *,
                                struct wa_err *) = {take_json, take_python, take_raw};
    struct wa_err why = WA_ERR_INIT;
    text = wa_sv_sub(wa_unicode_strip(text), 0, WA_OLD_KEYS_MAX / 2);
    for (size_t i = 0; i < WA_COUNT(ways) && why.code != WA_E_NOMEM; i++) {
        WA_AUTO_BUF struct wa_buf list;
        struct wa_jw w;
        wa_err_clear(&why);
        wa_buf_init(&list, 8 * WA_OLD_KEYS_MAX);
        wa_jw_init(&w, &list);
        wa_jw_arr(&w);
        bool done = ways[i](text, &w, &why);
        wa_jw_end(&w);
        if (!done)
            continue;
        if (wa_buf_check(&list, err) == WA_OK)
            wa_buf_addsv(out, wa_buf_sv(&list));
        return err->code;
    }
    *err = why;
    return err->code;
}
