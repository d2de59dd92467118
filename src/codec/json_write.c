/* json_write.c - a tree as JSON text, compact or pretty, and the streaming writer.
 *
 * What is written is always JSON that our own parser takes: strings that are not UTF-8 get U+FFFD,
 * numbers keep the text that was checked when they were read. Errors stick to the buffer.
 */
#include "codec/json.h"

#include "base/utf8.h"
#include "codec/json_priv.h"

bool wa_json_next_cp(struct wa_sv s, size_t *at, uint32_t *ret_cp)
{
    size_t next = *at;
    const uint8_t *b = (const uint8_t *)s.p + *at;

    if (wa_utf8_next(s, &next, ret_cp)) {
        *at = next;
        return true;
    }
    if (s.n - *at >= 3 && b[0] == 0xed && b[1] >= 0xa0 && b[1] <= 0xbf && (b[2] & 0xc0) == 0x80) {
        *ret_cp = 0xd000u | (b[1] & 63u) << 6 | (b[2] & 63u);
        *at += 3;
        return true;
    }
    (*at)++;
    return false;
}

static void put_escape(struct wa_buf *out, uint32_t unit)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    static const char digits[] = "0123456789abcdef";
    const char *found = unit < 0x80 && unit > 0 ? memchr(from, (int)unit, sizeof(from) - 1) : NULL;

    if (found) {
        const char text[2] = {'\\', to[found - from]};
        wa_buf_add(out, text, sizeof(text));
        return;
    }
    const char text[6] = {'\\',
                          'u',
                          digits[unit >> 12 & 15],
                          digits[unit >> 8 & 15],
                          digits[unit >> 4 & 15],
                          digits[unit & 15]};
    wa_buf_add(out, text, sizeof(text));
}

static bool is_plain(uint32_t cp, bool ascii)
{
    if (cp < 0x20 || cp == '"' || cp == '\\')
        return false;
    if (ascii)
        return cp < 0x7f; /* Python 2 escapes U+007F as well */
    return cp < 0xd800 || cp > 0xdfff;
}

void wa_json_put_string(struct wa_buf *out, struct wa_sv s, bool ascii)
{
    size_t done = 0;

    wa_buf_addc(out, '"');
    for (size_t at = 0; at < s.n;) {
        if ((unsigned char)s.p[at] < 0x7f && is_plain((unsigned char)s.p[at], ascii)) {
            at++;
            continue;
        }
        size_t from = at;
        uint32_t cp = 0;
        bool is_valid = wa_json_next_cp(s, &at, &cp);
        if (is_valid && is_plain(cp, ascii))
            continue;
        wa_buf_add(out, s.p + done, from - done);
        done = at;
        if (!is_valid)
            wa_buf_adds(out, ascii ? "\\ufffd" : "\xef\xbf\xbd");
        else if (cp > 0xffff) {
            put_escape(out, 0xd800 + ((cp - 0x10000) >> 10));
            put_escape(out, 0xdc00 + ((cp - 0x10000) & 0x3ff));
        } else
            put_escape(out, cp);
    }
    if (s.n > done)
        wa_buf_add(out, s.p + done, s.n - done);
    wa_buf_addc(out, '"');
}

/* indent 0: compact. level: of the container that is being written. */
static void put_break(struct wa_buf *out, unsigned indent, unsigned level)
{
    if (indent == 0)
        return;
    wa_buf_addc(out, '\n');
    for (unsigned i = 0; i < indent * level; i++)
        wa_buf_addc(out, ' ');
}

static void put_value(const struct wa_json *j, unsigned indent, unsigned level, struct wa_buf *out);

static void put_container(const struct wa_json *j, unsigned indent, unsigned level,
                          struct wa_buf *out)
{
    bool is_object = j->type == WA_JSON_OBJECT;

    wa_buf_addc(out, is_object ? '{' : '[');
    for (size_t i = 0; i < j->n; i++) {
        if (i > 0)
            wa_buf_addc(out, ',');
        put_break(out, indent, level + 1);
        if (is_object) {
            wa_json_put_string(out, wa_json_key_at(j, i), false);
            wa_buf_adds(out, indent > 0 ? ": " : ":");
        }
        put_value(wa_json_at(j, i), indent, level + 1, out);
    }
    if (j->n > 0)
        put_break(out, indent, level);
    wa_buf_addc(out, is_object ? '}' : ']');
}

static void put_value(const struct wa_json *j, unsigned indent, unsigned level, struct wa_buf *out)
{
    switch (wa_json_type(j)) {
    case WA_JSON_NULL:
        wa_buf_adds(out, "null");
        break;
    case WA_JSON_BOOL:
        wa_buf_adds(out, j->is_true ? "true" : "false");
        break;
    case WA_JSON_NUMBER:
        wa_buf_addsv(out, wa_json_sv(j));
        break;
    case WA_JSON_STRING:
        wa_json_put_string(out, wa_json_sv(j), false);
        break;
    case WA_JSON_ARRAY:
    case WA_JSON_OBJECT:
        put_container(j, indent, level, out);
        break;
    }
}

void wa_json_write(const struct wa_json *j, struct wa_buf *out)
{
    put_value(j, 0, 0, out);
}

void wa_json_write_pretty(const struct wa_json *j, struct wa_buf *out)
{
    put_value(j, 2, 0, out);
    wa_buf_addc(out, '\n');
}

void wa_jw_init(struct wa_jw *w, struct wa_buf *out)
{
    memset(w, 0, sizeof(*w));
    w->out = out;
    w->first[0] = true;
}

/* What stands between values: a comma, but for the first and after a key. */
static void before_value(struct wa_jw *w)
{
    if (w->after_key)
        w->after_key = false;
    else if (w->first[w->depth])
        w->first[w->depth] = false;
    else
        wa_buf_addc(w->out, ',');
}

static void begin(struct wa_jw *w, bool is_object)
{
    before_value(w);
    if (w->depth == WA_JSON_DEPTH_MAX) {
        /* Nobody could read it. The failure sticks, so what follows is not written either. */
        if (w->out->failed == WA_OK)
            w->out->failed = WA_E_LIMIT;
        return;
    }
    w->depth++;
    w->first[w->depth] = true;
    w->is_object[w->depth] = is_object;
    wa_buf_addc(w->out, is_object ? '{' : '[');
}

void wa_jw_obj(struct wa_jw *w)
{
    begin(w, true);
}

void wa_jw_arr(struct wa_jw *w)
{
    begin(w, false);
}

void wa_jw_end(struct wa_jw *w)
{
    if (w->depth == 0)
        return;
    wa_buf_addc(w->out, w->is_object[w->depth] ? '}' : ']');
    w->depth--;
}

void wa_jw_keysv(struct wa_jw *w, struct wa_sv key)
{
    before_value(w);
    wa_json_put_string(w->out, key, false);
    wa_buf_addc(w->out, ':');
    w->after_key = true;
}

void wa_jw_key(struct wa_jw *w, const char *key)
{
    wa_jw_keysv(w, wa_sv(key));
}

void wa_jw_sv(struct wa_jw *w, struct wa_sv s)
{
    before_value(w);
    wa_json_put_string(w->out, s, false);
}

void wa_jw_s(struct wa_jw *w, const char *s)
{
    if (s)
        wa_jw_sv(w, wa_sv(s));
    else
        wa_jw_null(w);
}

void wa_jw_i64(struct wa_jw *w, int64_t v)
{
    char text[24];
    before_value(w);
    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    wa_buf_adds(w->out, text);
}

void wa_jw_bool(struct wa_jw *w, bool v)
{
    before_value(w);
    wa_buf_adds(w->out, v ? "true" : "false");
}

void wa_jw_null(struct wa_jw *w)
{
    before_value(w);
    wa_buf_adds(w->out, "null");
}

void wa_jw_json(struct wa_jw *w, const struct wa_json *j)
{
    before_value(w);
    wa_json_write(j, w->out);
}

void wa_jw_raw(struct wa_jw *w, struct wa_sv json)
{
    before_value(w);
    wa_buf_addsv(w->out, json);
}

void wa_jw_kv(struct wa_jw *w, const char *key, const char *s)
{
    wa_jw_key(w, key);
    wa_jw_s(w, s);
}

void wa_jw_kvsv(struct wa_jw *w, const char *key, struct wa_sv s)
{
    wa_jw_key(w, key);
    wa_jw_sv(w, s);
}

void wa_jw_kvi(struct wa_jw *w, const char *key, int64_t v)
{
    wa_jw_key(w, key);
    wa_jw_i64(w, v);
}

void wa_jw_kvb(struct wa_jw *w, const char *key, bool v)
{
    wa_jw_key(w, key);
    wa_jw_bool(w, v);
}

void wa_jw_err(struct wa_jw *w, const struct wa_err *e)
{
    wa_jw_kv(w, "code", wa_code_name(e->code));
    wa_jw_kv(w, "message", e->text);
}
