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
    struct wa_control *c;
    bool known; /* the last key is an attribute of ours */
    bool first; /* no key has come yet */
    enum wa_attr attr;
    bool seen[WA_ATTR_COUNT];
    size_t line;
};

static enum wa_code continue_value(struct reader *r, struct wa_sv text, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf joined;
    wa_buf_init(&joined, WA_CONTROL_BYTES_MAX);
    if (r->first)
        return wa_fail(err, WA_E_INVALID, "control line 1 continues nothing");
    if (!r->known)
        return WA_OK;
    wa_buf_adds(&joined, r->c->v[r->attr] == NULL ? "" : r->c->v[r->attr]);
    wa_buf_addc(&joined, '\n');
    wa_buf_addsv(&joined, wa_unicode_strip(text));
    if (wa_buf_check(&joined, err) != WA_OK)
        return err->code;
    return wa_control_set(r->c, r->attr, wa_buf_sv(&joined), err);
}

/* Lower case of an ASCII key; a key with anything else is no attribute of ours. *ret is the
 * attribute before, and the one after it the first guess: that is how all tools write them. */
static bool find_key(struct wa_sv key, enum wa_attr *ret)
{
    char low[64];
    if (key.n >= sizeof low)
        return false;
    for (size_t i = 0; i < key.n; i++)
        low[i] = key.p[i] >= 'A' && key.p[i] <= 'Z' ? (char)(key.p[i] + 32) : key.p[i];
    const char *guess = wa_attr_name((enum wa_attr)(*ret + 1));
    if (wa_sv_eqs(wa_sv_n(low, key.n), guess) && guess[0] != '\0') {
        *ret = (enum wa_attr)(*ret + 1);
        return true;
    }
    return wa_attr_find(wa_sv_n(low, key.n), ret);
}

/* An attribute that reads as "" when it is not set need not be stored empty: most are. */
static bool is_default(enum wa_attr a, struct wa_sv value)
{
    return value.n == 0 && a > WA_A_PRIORITY && (a < WA_A_SIGNER || a > WA_A_SIGNED_ATTRIBUTES);
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
    struct wa_sv value = wa_unicode_strip(wa_sv_sub(line, colon + 1, line.n));
    return is_default(r->attr, value) ? WA_OK : wa_control_set(r->c, r->attr, value, err);
}

/* What the bytes of a text may hold beside plain ASCII, to choose the quick way for nearly all. */
enum { HAS_NUL = 1, HAS_UNICODE = 2, HAS_ODD_LINE_ENDS = 4 };

static unsigned classify(struct wa_sv text)
{
    unsigned found = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char b = (unsigned char)text.p[i];
        found |= b >= 0x80 ? HAS_UNICODE : 0u;
        found |= b < 0x20 && b != '\n' && b != '\t' ? HAS_ODD_LINE_ENDS : 0u;
        found |= b == 0 ? HAS_NUL : 0u;
    }
    return found;
}

static bool next_line(struct wa_sv *rest, bool plain, struct wa_sv *ret)
{
    if (!plain)
        return wa_unicode_next_line(rest, ret);
    return rest->n > 0 && wa_sv_split(rest, '\n', ret);
}

static enum wa_code read_lines(struct wa_sv text, bool plain, struct wa_control *c,
                               struct wa_err *err)
{
    struct reader r = {.c = c, .first = true};
    struct wa_sv line;
    while (next_line(&text, plain, &line)) {
        r.line++;
        if (wa_unicode_strip(line).n == 0)
            break;
        if (read_line(&r, line, err) != WA_OK)
            return err->code;
    }
    if (wa_unicode_strip(text).n != 0)
        return wa_fail(err, WA_E_INVALID, "control has text after a blank line (line %zu)", r.line);
    if (wa_control_get(c, WA_A_PACKAGE)[0] == '\0')
        return wa_fail(err, WA_E_INVALID, "control names no package");
    return WA_OK;
}

enum wa_code wa_control_parse(struct wa_sv text, struct wa_control *ret, struct wa_err *err)
{
    struct wa_control c;
    if (text.n > WA_CONTROL_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "control is larger than %u bytes", WA_CONTROL_BYTES_MAX);
    if (wa_sv_starts(text, "\xef\xbb\xbf"))
        return wa_fail(err, WA_E_INVALID,
                       "control begins with a byte order mark: save it as UTF-8 without one");
    unsigned found = classify(text);
    if ((found & HAS_NUL) != 0 || ((found & HAS_UNICODE) != 0 && !wa_utf8_valid(text)))
        return wa_fail(err, WA_E_INVALID, "control is not UTF-8 text");
    wa_control_init(&c);
    if (read_lines(text, found == 0, &c, err) != WA_OK) {
        wa_control_fini(&c);
        return err->code;
    }
    *ret = c;
    return WA_OK;
}

/* --- writing --- */

/* Would the value come back as it is? Outer blanks, blank lines and foreign line ends would not. */
static bool survives(struct wa_sv v)
{
    struct wa_sv rest = v, line;
    size_t at = 0;
    uint32_t cp;
    if (wa_unicode_strip(v).n != v.n || !wa_utf8_valid(v))
        return false;
    while (wa_utf8_next(v, &at, &cp))
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
    for (const char *p = value; *p != '\0'; p++) {
        wa_buf_addc(out, *p);
        if (*p == '\n')
            wa_buf_addc(out, ' ');
    }
    return WA_OK;
}

enum wa_code wa_control_write(const struct wa_control *c, bool with_index, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        enum wa_attr a = (enum wa_attr)i;
        const char *value = wa_control_get(c, a);
        if (a >= WA_A_FILENAME && (!with_index || value[0] == '\0'))
            continue;
        if (a == WA_A_SIGNATURE && value[0] == '\0')
            continue;
        if (write_attr(&text, a, value, err) != WA_OK)
            return err->code;
    }
    if (wa_buf_check(&text, err) != WA_OK)
        return wa_wrap(err, "writing control");
    wa_buf_addsv(out, wa_buf_sv(&text));
    return wa_buf_check(out, err);
}
