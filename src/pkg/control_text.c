/* control_text.c - WAPT/control as text (formats.md 1.2).
 *
 * Reading follows WAPT's grammar to the letter where honest packages need it, and refuses where two
 * readers could differ.
 */
#include "pkg/control.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "pkg/unicode.h"

/* --- reading --- */

struct reader {
    bool known;        /* the last key is an attribute of ours */
    bool first;        /* no key has come yet */
    bool plain;        /* only '\n' ends lines */
    enum wa_attr attr; /* of the last key */
    bool seen[WA_ATTR_COUNT];
    struct wa_sv
        value[WA_ATTR_COUNT]; /* in the text; with the lines that continue it, as they are */
    size_t line;
};

static enum wa_code continue_value(struct reader *r, struct wa_sv text, struct wa_err *err)
{
    if (r->first)
        return wa_fail(err, WA_E_INVALID, "control line 1 continues nothing");
    if (r->known) {
        struct wa_sv *v = &r->value[r->attr];
        v->n = (size_t)(text.p + text.n - v->p);
    }
    return WA_OK;
}

/* Lower case of an ASCII key; a key with anything else is no attribute of ours. */
static bool find_key(struct wa_sv key, enum wa_attr *ret)
{
    char low[64];
    if (key.n >= sizeof low)
        return false;
    for (size_t i = 0; i < key.n; i++)
        low[i] = key.p[i] >= 'A' && key.p[i] <= 'Z' ? (char)(key.p[i] + 32) : key.p[i];
    return wa_attr_find(wa_sv_n(low, key.n), ret);
}

static enum wa_code read_line(struct reader *r, struct wa_sv line, struct wa_err *err)
{
    size_t colon;
    if (line.p[0] == ' ')
        return continue_value(r, line, err);
    if (!wa_sv_chr(line, ':', &colon))
        return wa_fail(err, WA_E_INVALID, "control line %zu has no ':'", r->line);
    r->first = false;
    r->known = find_key(wa_unicode_strip(wa_sv_n(line.p, colon)), &r->attr);
    if (!r->known)
        return WA_OK;
    if (r->seen[r->attr])
        return wa_fail(err, WA_E_INVALID, "control line %zu sets '%s' again", r->line,
                       wa_attr_name(r->attr));
    r->seen[r->attr] = true;
    r->value[r->attr] = wa_unicode_strip(wa_sv_n(line.p + colon + 1, line.n - colon - 1));
    return WA_OK;
}

/* What the bytes of a text may hold beside plain ASCII, to choose the quick way for nearly all. */
enum { HAS_NUL = 1, HAS_UNICODE = 2, HAS_ODD_LINE_ENDS = 4 };

static unsigned classify_byte(unsigned char b)
{
    unsigned found = b >= 0x80 ? HAS_UNICODE : 0u;
    found |= b < 0x20 && b != '\n' && b != '\t' ? HAS_ODD_LINE_ENDS : 0u;
    return found | (b == 0 ? HAS_NUL : 0u);
}

/* Eight bytes at a time, since most words are plain: no byte has its top bit, nor is below 0x20. */
static unsigned classify(struct wa_sv text)
{
    const uint64_t tops = 0x8080808080808080u, blanks = 0x2020202020202020u;
    unsigned found = 0;
    size_t i = 0;
    for (; i + 8 <= text.n; i += 8) {
        uint64_t w;
        memcpy(&w, text.p + i, 8);
        if (((w | (w - blanks)) & tops) == 0)
            continue;
        for (size_t k = i; k < i + 8; k++)
            found |= classify_byte((unsigned char)text.p[k]);
    }
    for (; i < text.n; i++)
        found |= classify_byte((unsigned char)text.p[i]);
    return found;
}

static bool next_line(struct wa_sv *rest, bool plain, struct wa_sv *ret)
{
    if (!plain)
        return wa_unicode_next_line(rest, ret);
    return rest->n > 0 && wa_sv_split(rest, '\n', ret);
}

static bool is_blank(struct wa_sv line)
{
    bool begins = line.n > 0 && line.p[0] > ' ' && line.p[0] < 0x7f; /* nearly always */
    return !begins && wa_unicode_strip(line).n == 0;
}

static enum wa_code read_lines(struct wa_sv text, struct reader *r, struct wa_err *err)
{
    struct wa_sv line;
    while (next_line(&text, r->plain, &line)) {
        r->line++;
        if (is_blank(line))
            break;
        if (read_line(r, line, err) != WA_OK)
            return err->code;
    }
    if (wa_unicode_strip(text).n != 0)
        return wa_fail(err, WA_E_INVALID, "control has text after a blank line (line %zu)",
                       r->line);
    if (r->value[WA_A_PACKAGE].n == 0)
        return wa_fail(err, WA_E_INVALID, "control names no package");
    return WA_OK;
}

/* --- reading what tools write --- */

/* A value without line ends or outer blanks. */
static bool is_tame(struct wa_sv value)
{
    size_t at = 0;
    uint32_t cp;
    unsigned found = classify(value);
    if (wa_unicode_strip(value).n != value.n || (found & ~(unsigned)HAS_UNICODE) != 0)
        return false;
    if (found == 0)
        return true;
    while (wa_utf8_next(value, &at, &cp))
        if (wa_unicode_is_line_end(cp))
            return false;
    return at == value.n;
}

/* The attribute at or after *a whose padded key begins the line; NULL for none. */
static const char *skip_key(const char *line, size_t n, size_t *a)
{
    static const char padding[] = "                  : ";
    const size_t width = sizeof padding - 1;
    for (; n >= width && *a < WA_ATTR_COUNT; ++*a) {
        struct wa_sv key = wa_attr_sv((enum wa_attr) * a);
        if (memcmp(line, key.p, key.n) == 0 &&
            memcmp(line + key.n, padding + key.n, width - key.n) == 0)
            return line + width;
    }
    return NULL;
}

/* Every tool writes a key a line, padded to one width, in one order, and an index has half a
 * million such lines. False: the general way must say what it is. */
static bool read_quickly(struct wa_sv text, struct reader *r)
{
    const char *line = text.p, *end = text.p + text.n;
    for (size_t a = 0; line < end; a++) {
        const char *value = skip_key(line, (size_t)(end - line), &a);
        if (value == NULL)
            return false;
        const char *stop = memchr(value, '\n', (size_t)(end - value));
        line = stop == NULL ? end : stop + 1;
        r->value[a] = wa_sv_n(value, (size_t)((stop == NULL ? end : stop) - value));
        r->seen[a] = true;
        if (!is_tame(r->value[a]))
            return false;
    }
    r->plain = true;
    return r->value[WA_A_PACKAGE].n > 0;
}

/* --- keeping --- */

/* An attribute that reads as "" when it is not set need not be stored empty: most are. */
static bool is_default(enum wa_attr a, struct wa_sv value)
{
    return value.n == 0 && a > WA_A_PRIORITY && (a < WA_A_SIGNER || a > WA_A_SIGNED_ATTRIBUTES);
}

/* The value with its lines stripped and joined by '\n', and a NUL. Never longer than it was. */
static char *put_value(struct wa_sv value, bool plain, char *at)
{
    struct wa_sv line;
    if (value.n > 0 && plain && memchr(value.p, '\n', value.n) == NULL) {
        memcpy(at, value.p, value.n);
        at[value.n] = '\0';
        return at + value.n + 1;
    }
    for (bool first = true; next_line(&value, plain, &line); first = false) {
        line = wa_unicode_strip(line);
        if (!first)
            *at++ = '\n';
        memcpy(at, line.p, line.n);
        at += line.n;
    }
    *at = '\0';
    return at + 1;
}

/* All values into one block. */
static enum wa_code keep_values(const struct reader *r, struct wa_control *ret, struct wa_err *err)
{
    size_t size = 0;
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        if (r->seen[i] && !is_default((enum wa_attr)i, r->value[i]))
            size += r->value[i].n + 1;
    char *at = wa_calloc(size, 1);
    if (at == NULL)
        return wa_nomem(err);
    wa_control_init(ret);
    ret->block = at;
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        if (!r->seen[i] || is_default((enum wa_attr)i, r->value[i]))
            continue;
        ret->v[i] = at;
        at = put_value(r->value[i], r->plain, at);
    }
    ret->block_size = (size_t)(at - ret->block); /* lines that were joined took less */
    return WA_OK;
}

enum wa_code wa_control_parse(struct wa_sv text, struct wa_control *ret, struct wa_err *err)
{
    struct reader r = {.first = false};
    if (text.n > WA_CONTROL_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "control is larger than %u bytes", WA_CONTROL_BYTES_MAX);
    if (read_quickly(text, &r))
        return keep_values(&r, ret, err);
    r = (struct reader){.first = true};
    if (wa_sv_starts(text, "\xef\xbb\xbf"))
        return wa_fail(err, WA_E_INVALID,
                       "control begins with a byte order mark: save it as UTF-8 without one");
    unsigned found = classify(text);
    if ((found & HAS_NUL) != 0 || ((found & HAS_UNICODE) != 0 && !wa_utf8_valid(text)))
        return wa_fail(err, WA_E_INVALID, "control is not UTF-8 text");
    r.plain = found == 0;
    return read_lines(text, &r, err) == WA_OK ? keep_values(&r, ret, err) : err->code;
}

/* --- writing --- */

/* Would the value come back as it is? Outer blanks, blank lines and foreign line ends would not. */
static bool survives(struct wa_sv v)
{
    struct wa_sv rest = v, line;
    size_t at = 0;
    uint32_t cp;
    bool is_plain = classify(v) == 0;
    if (wa_unicode_strip(v).n != v.n || (!is_plain && !wa_utf8_valid(v)))
        return false;
    while (!is_plain && wa_utf8_next(v, &at, &cp))
        if (cp == 0 || (wa_unicode_is_line_end(cp) && cp != '\n'))
            return false;
    while (v.n > 0 && wa_sv_split(&rest, '\n', &line))
        if (line.n == 0 || wa_unicode_strip(line).n != line.n)
            return false;
    return true;
}

static enum wa_code write_attr(struct wa_buf *out, enum wa_attr a, const char *value,
                               struct wa_err *err)
{
    if (!survives(wa_sv(value)))
        return wa_fail(err, WA_E_INVALID,
                       "attribute '%s' has outer blanks, a blank line or a strange line end",
                       wa_attr_name(a));
    if (out->n > 0)
        wa_buf_addc(out, '\n');
    wa_buf_addf(out, "%-18s: ", wa_attr_name(a));
    const char *line = value, *end = strchr(value, '\n');
    while (end != NULL) {
        wa_buf_add(out, line, (size_t)(end - line) + 1);
        wa_buf_addc(out, ' ');
        line = end + 1;
        end = strchr(line, '\n');
    }
    wa_buf_adds(out, line);
    return WA_OK;
}

enum wa_code wa_control_write(const struct wa_control *c, bool with_index, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    (void)wa_buf_reserve(&text, 2048); /* most are shorter; what fails shows at the end */
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        enum wa_attr a = (enum wa_attr)i;
        const char *value = wa_control_get(c, a);
        if (a >= WA_A_FILENAME && (!with_index || value[0] == '\0'))
            continue;
        if (wa_attr_is_ours(a) && value[0] == '\0')
            continue;
        if (a == WA_A_SIGNATURE && !with_index && value[0] == '\0')
            continue;
        if (write_attr(&text, a, value, err) != WA_OK)
            return err->code;
    }
    if (wa_buf_check(&text, err) != WA_OK)
        return wa_wrap(err, "writing control");
    wa_buf_addsv(out, wa_buf_sv(&text));
    return wa_buf_check(out, err);
}
