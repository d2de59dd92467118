/* xml.c - see xml.h.
 *
 * All that is told has been checked: names match, attributes are different, references can be
 * resolved. Time is linear in the document; an element's attributes, capped, are compared pairwise.
 */
#include "codec/xml.h"

#include "base/utf8.h"

#include <string.h>

#define REFERENCE_MAX 12u /* bytes: "&#x0010FFFF;" without '&' */

static enum wa_code invalid(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "XML that is not well-formed, or declares a document type");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct wa_sv *s)
{
    while (s->n > 0 && is_blank(s->p[0]))
        *s = wa_sv_sub(*s, 1, s->n);
}

/* Takes the text before mark out of *rest, and mark with it. */
static bool take_until(struct wa_sv *rest, const char *mark, struct wa_sv *ret)
{
    size_t n = strlen(mark);
    for (size_t at = 0; at + n <= rest->n; at++) {
        const char *found = memchr(rest->p + at, mark[0], rest->n - at);
        if (found == NULL)
            return false;
        at = (size_t)(found - rest->p);
        if (wa_sv_starts(wa_sv_sub(*rest, at, n), mark)) {
            *ret = wa_sv_sub(*rest, 0, at);
            *rest = wa_sv_sub(*rest, at + n, rest->n);
            return true;
        }
    }
    return false;
}

static bool is_char(uint32_t cp)
{
    return cp == '\t' || cp == '\n' || cp == '\r' || (cp >= ' ' && cp != 0xFFFE && cp != 0xFFFF);
}

static bool is_name_char(char c, bool is_first)
{
    unsigned char u = (unsigned char)c, low = u | 0x20;
    if (u >= 0x80 || u == '_' || u == ':' || (low >= 'a' && low <= 'z'))
        return true;
    return !is_first && (u == '-' || u == '.' || (u >= '0' && u <= '9'));
}

static bool take_name(struct wa_sv *rest, struct wa_sv *ret)
{
    size_t n = 0;
    while (n < rest->n && n <= WA_XML_NAME_MAX && is_name_char(rest->p[n], n == 0))
        n++;
    *ret = wa_sv_sub(*rest, 0, n);
    *rest = wa_sv_sub(*rest, n, rest->n);
    return n > 0 && n <= WA_XML_NAME_MAX;
}

/* --- references --- */

static bool read_number(struct wa_sv digits, uint32_t *ret)
{
    uint32_t base = 10, value = 0;
    if (digits.n > 1 && digits.p[0] == 'x') {
        base = 16;
        digits = wa_sv_sub(digits, 1, digits.n);
    }
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i], low = (char)(c | 0x20);
        uint32_t digit = c >= '0' && c <= '9'       ? (uint32_t)(c - '0')
                         : low >= 'a' && low <= 'f' ? (uint32_t)(low - 'a') + 10
                                                    : base;
        if (digit >= base || value > 0x10FFFF)
            return false;
        value = value * base + digit;
    }
    *ret = value;
    return digits.n > 0;
}

/* What stands between '&' and ';'. */
static bool resolve(struct wa_sv name, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint32_t cp;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    char ignored[4];
    for (size_t i = 0; i < WA_COUNT(known); i++)
        if (wa_sv_eqs(name, known[i].name)) {
            *ret = known[i].cp;
            return true;
        }
    return name.n > 1 && name.p[0] == '#' && read_number(wa_sv_sub(name, 1, name.n), ret) &&
           is_char(*ret) && wa_utf8_encode(*ret, ignored) > 0;
}

/* out: NULL to check alone. */
static bool decode(struct wa_sv raw, struct wa_buf *out)
{
    char text[4];
    size_t at, end;
    while (wa_sv_chr(raw, '&', &at)) {
        uint32_t cp = 0;
        struct wa_sv tail = wa_sv_sub(raw, at + 1, raw.n);
        if (!wa_sv_chr(wa_sv_sub(tail, 0, REFERENCE_MAX), ';', &end) ||
            !resolve(wa_sv_sub(tail, 0, end), &cp))
            return false;
        if (out != NULL) {
            wa_buf_addsv(out, wa_sv_sub(raw, 0, at));
            wa_buf_add(out, text, wa_utf8_encode(cp, text));
        }
        raw = wa_sv_sub(tail, end + 1, tail.n);
    }
    if (out != NULL)
        wa_buf_addsv(out, raw);
    return true;
}

/* --- elements --- */

static enum wa_code read_attr(struct wa_xml *x, struct wa_err *err)
{
    struct wa_xml_attr *a = &x->attrs[x->attr_count];
    if (x->attr_count == WA_XML_ATTRS_MAX)
        return wa_fail(err, WA_E_LIMIT, "an element of XML with more than %u attributes",
                       WA_XML_ATTRS_MAX);
    if (!take_name(&x->rest, &a->name))
        return invalid(err);
    skip_blanks(&x->rest);
    if (!wa_sv_starts(x->rest, "="))
        return invalid(err);
    x->rest = wa_sv_sub(x->rest, 1, x->rest.n);
    skip_blanks(&x->rest);
    const char *quote = wa_sv_starts(x->rest, "\"") ? "\"" : "'";
    bool is_quoted = wa_sv_starts(x->rest, quote);
    x->rest = wa_sv_sub(x->rest, 1, x->rest.n);
    size_t ignored;
    if (!is_quoted || !take_until(&x->rest, quote, &a->raw) || wa_sv_chr(a->raw, '<', &ignored) ||
        !decode(a->raw, NULL))
        return invalid(err);
    for (size_t i = 0; i < x->attr_count; i++)
        if (wa_sv_eq(x->attrs[i].name, a->name))
            return invalid(err);
    x->attr_count++;
    return WA_OK;
}

static enum wa_code read_open(struct wa_xml *x, struct wa_err *err)
{
    x->attr_count = 0;
    if (x->depth == 0 && x->has_root)
        return invalid(err);
    if (x->depth == WA_XML_DEPTH_MAX)
        return wa_fail(err, WA_E_LIMIT, "XML with more than %u elements in one another",
                       WA_XML_DEPTH_MAX);
    if (!take_name(&x->rest, &x->open[x->depth]))
        return invalid(err);
    x->depth++;
    x->has_root = true;
    for (;;) {
        bool has_blank = x->rest.n > 0 && is_blank(x->rest.p[0]);
        skip_blanks(&x->rest);
        x->is_empty = wa_sv_starts(x->rest, "/>");
        if (x->is_empty || wa_sv_starts(x->rest, ">")) {
            x->rest = wa_sv_sub(x->rest, x->is_empty ? 2 : 1, x->rest.n);
            return WA_OK;
        }
        if (!has_blank)
            return invalid(err);
        if (read_attr(x, err) != WA_OK)
            return err->code;
    }
}

static enum wa_code read_close(struct wa_xml *x, struct wa_err *err)
{
    struct wa_sv name;
    bool is_named = take_name(&x->rest, &name);
    skip_blanks(&x->rest);
    if (!is_named || !wa_sv_starts(x->rest, ">") || x->depth == 0 ||
        !wa_sv_eq(name, x->open[x->depth - 1]))
        return invalid(err);
    x->rest = wa_sv_sub(x->rest, 1, x->rest.n);
    x->depth--;
    return WA_OK;
}

static enum wa_code read_text(struct wa_xml *x, struct wa_err *err)
{
    size_t n = x->rest.n;
    (void)!wa_sv_chr(x->rest, '<', &n);
    x->text = wa_sv_sub(x->rest, 0, n);
    x->rest = wa_sv_sub(x->rest, n, x->rest.n);
    x->is_cdata = false;
    if (!decode(x->text, NULL))
        return invalid(err);
    if (x->depth == 0 && wa_sv_trim(x->text).n > 0)
        return invalid(err);
    return WA_OK;
}

/* --- the document --- */

static bool takes(struct wa_xml *x, const char *mark)
{
    if (!wa_sv_starts(x->rest, mark))
        return false;
    x->rest = wa_sv_sub(x->rest, strlen(mark), x->rest.n);
    return true;
}

/* What begins with "<!" or "<?". *ret_told: it is text. */
static enum wa_code read_other(struct wa_xml *x, bool *ret_told, struct wa_err *err)
{
    struct wa_sv ignored;
    if (takes(x, "<!--"))
        return take_until(&x->rest, "--", &ignored) && takes(x, ">") ? WA_OK : invalid(err);
    if (takes(x, "<?"))
        return take_until(&x->rest, "?>", &ignored) ? WA_OK : invalid(err);
    if (x->depth == 0 || !takes(x, "<![CDATA["))
        return invalid(err);
    x->is_cdata = *ret_told = true;
    return take_until(&x->rest, "]]>", &x->text) ? WA_OK : invalid(err);
}

/* Whether all of it is text; said once, of the whole. */
static bool is_text(struct wa_sv s)
{
    size_t at = 0;
    while (at < s.n) {
        uint32_t cp = 0;
        if (!wa_utf8_next(s, &at, &cp) || !is_char(cp))
            return false;
    }
    return true;
}

void wa_xml_init(struct wa_xml *x, struct wa_sv text)
{
    *x = (struct wa_xml){.rest = text};
    (void)!takes(x, "\xEF\xBB\xBF");
    if (text.n <= WA_XML_BYTES_MAX && !is_text(x->rest))
        x->rest = WA_SV("&"); /* nothing that could be read */
}

static enum wa_code finish(const struct wa_xml *x, enum wa_xml_event *ret, struct wa_err *err)
{
    *ret = WA_XML_END;
    return x->depth == 0 && x->has_root ? WA_OK : invalid(err);
}

enum wa_code wa_xml_next(struct wa_xml *x, enum wa_xml_event *ret, struct wa_err *err)
{
    bool is_told = false;
    if (x->rest.n > WA_XML_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "XML of more than %u bytes", WA_XML_BYTES_MAX);
    if (x->is_empty) {
        x->is_empty = false;
        x->depth--;
        *ret = WA_XML_CLOSE;
        return WA_OK;
    }
    while (x->rest.n > 0) {
        if (x->rest.p[0] != '<') {
            *ret = WA_XML_TEXT;
            return read_text(x, err);
        }
        if (wa_sv_starts(x->rest, "<!") || wa_sv_starts(x->rest, "<?")) {
            if (read_other(x, &is_told, err) != WA_OK)
                return err->code;
            *ret = WA_XML_TEXT;
            if (is_told)
                return WA_OK;
            continue;
        }
        *ret = takes(x, "</") ? WA_XML_CLOSE : WA_XML_OPEN;
        if (*ret == WA_XML_CLOSE)
            return read_close(x, err);
        x->rest = wa_sv_sub(x->rest, 1, x->rest.n);
        return read_open(x, err);
    }
    return finish(x, ret, err);
}

/* --- what is told --- */

static struct wa_sv without_prefix(struct wa_sv name)
{
    size_t colon;
    return wa_sv_chr(name, ':', &colon) ? wa_sv_sub(name, colon + 1, name.n) : name;
}

bool wa_xml_is(const struct wa_xml *x, const char *path)
{
    struct wa_sv rest = wa_sv(path), part;
    size_t n = 0;
    while (wa_sv_split(&rest, '/', &part)) {
        if (n == x->depth || !wa_sv_eq(without_prefix(x->open[n]), part))
            return false;
        n++;
    }
    return n == x->depth;
}

bool wa_xml_attr(const struct wa_xml *x, const char *name, struct wa_buf *out)
{
    for (size_t i = 0; i < x->attr_count; i++)
        if (wa_sv_eqs(x->attrs[i].name, name))
            return decode(x->attrs[i].raw, out);
    return false;
}

void wa_xml_text(const struct wa_xml *x, struct wa_buf *out)
{
    if (x->is_cdata)
        wa_buf_addsv(out, x->text);
    else
        (void)!decode(x->text, out);
}
