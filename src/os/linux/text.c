/* text.c - reading small configuration texts. Nothing here fails: what can't be read is not there.
 */
#include "os/linux/text_priv.h"

#include "base/utf8.h"

void wa_text_clean(struct wa_sv s, char *out, size_t size)
{
    size_t n = 0;
    uint32_t cp;
    s = wa_sv_trim(s);
    for (size_t at = 0; wa_utf8_step(s, &at, &cp);) {
        char bytes[4] = "?";
        size_t len = 1;
        if (cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0) && cp < WA_UTF8_BAD)
            len = wa_utf8_encode(cp, bytes);
        if (n + len >= size)
            break;
        memcpy(out + n, bytes, len);
        n += len;
    }
    out[n] = '\0';
}

/* Takes off one layer of quotes; in double ones a backslash protects the next character. */
static void unquote(struct wa_sv raw, char *out, size_t size)
{
    char plain[1024];
    size_t n = 0;
    raw = wa_sv_trim(raw);
    char quote = raw.n > 0 && (raw.p[0] == '"' || raw.p[0] == '\'') ? raw.p[0] : '\0';
    for (size_t i = quote != '\0' ? 1 : 0; i < raw.n && n < sizeof plain; i++) {
        if (quote != '\0' && raw.p[i] == quote)
            break;
        if (quote != '\'' && raw.p[i] == '\\' && i + 1 < raw.n)
            i++;
        plain[n++] = raw.p[i];
    }
    wa_text_clean(wa_sv_n(plain, n), out, size);
}

bool wa_text_assigned(struct wa_sv text, const char *key, char *out, size_t size)
{
    struct wa_sv line;
    bool found = false;
    while (wa_sv_split(&text, '\n', &line)) {
        size_t at;
        line = wa_sv_trim(line);
        if (!wa_sv_chr(line, '=', &at) || !wa_sv_eqs(wa_sv_sub(line, 0, at), key))
            continue;
        unquote(wa_sv_sub(line, at + 1, line.n), out, size);
        found = true;
    }
    return found;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool wa_text_word(struct wa_sv *rest, struct wa_sv *ret)
{
    size_t from = 0;
    while (from < rest->n && is_blank(rest->p[from]))
        from++;
    size_t to = from;
    while (to < rest->n && !is_blank(rest->p[to]))
        to++;
    if (to == from)
        return false;
    *ret = wa_sv_sub(*rest, from, to - from);
    *rest = wa_sv_sub(*rest, to, rest->n);
    return true;
}
