/* relpath.c - the gate for every path that comes from outside.
 *
 * Refuses what any supported system could read as something else than a plain relative path: see
 * relpath.h for the rule. A path that passed may be joined to a directory handle without further
 * thought.
 */
#include "base/relpath.h"

#include "base/utf8.h"

/* Names that Windows keeps for devices, with any extension. */
static bool is_device(struct wa_sv part)
{
    static const char *const names[] = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"};
    size_t dot = part.n;
    (void)wa_sv_chr(part, '.', &dot);
    struct wa_sv stem = wa_sv_trim(wa_sv_sub(part, 0, dot));
    for (size_t i = 0; i < WA_COUNT(names); i++)
        if (wa_sv_ieqs(stem, names[i]))
            return true;
    struct wa_sv kind = wa_sv_sub(stem, 0, 3);
    if (!wa_sv_ieqs(kind, "com") && !wa_sv_ieqs(kind, "lpt"))
        return false;
    struct wa_sv digit = wa_sv_sub(stem, 3, stem.n);
    if (digit.n == 1)
        return digit.p[0] >= '0' && digit.p[0] <= '9';
    /* The superscripts 1, 2, 3 count as digits there. */
    return wa_sv_eqs(digit, "\xc2\xb9") || wa_sv_eqs(digit, "\xc2\xb2") ||
           wa_sv_eqs(digit, "\xc2\xb3");
}

static const char *fault_of_part(struct wa_sv part)
{
    if (part.n == 0)
        return "it has an empty part";
    if (wa_sv_eqs(part, ".") || wa_sv_eqs(part, ".."))
        return "it has a part '.' or '..'";
    if (part.n > WA_NAME_MAX)
        return "a part is too long";
    if (part.p[part.n - 1] == '.' || part.p[part.n - 1] == ' ')
        return "a part ends in a dot or a blank";
    if (is_device(part))
        return "a part is the name of a device";
    return NULL;
}

/* Characters that are never in a name of ours. */
static const char *fault_of_text(struct wa_sv text)
{
    size_t at = 0;
    uint32_t cp;
    while (wa_utf8_next(text, &at, &cp)) {
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            return "it holds a control character";
        if (cp == '\\')
            return "it holds a backslash";
        if (cp < 0x80 && strchr(":<>\"?*|", (int)cp) != NULL)
            return "it holds one of : < > \" ? * |";
        /* Right-to-left and other invisible marks make a name look like another one. */
        if ((cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) ||
            (cp >= 0x2066 && cp <= 0x2069) || cp == 0x2028 || cp == 0x2029 || cp == 0xfeff)
            return "it holds an invisible character";
    }
    return at == text.n ? NULL : "it is not UTF-8";
}

static const char *fault_of(struct wa_sv text)
{
    if (text.n == 0)
        return "it is empty";
    if (text.n > WA_RELPATH_MAX)
        return "it is too long";
    const char *fault = fault_of_text(text);
    if (fault != NULL)
        return fault;
    size_t depth = 0;
    struct wa_sv rest = text, part;
    while (wa_sv_split(&rest, '/', &part)) {
        fault = text.p[0] == '/' ? "it is absolute" : fault_of_part(part);
        if (fault != NULL)
            return fault;
        if (++depth > WA_RELPATH_DEPTH_MAX)
            return "it is too deep";
    }
    return NULL;
}

enum wa_code wa_relpath_parse(struct wa_sv text, struct wa_relpath *ret, struct wa_err *err)
{
    const char *fault = fault_of(text);
    if (fault != NULL)
        return wa_fail(err, WA_E_INVALID, "unsafe path '%.*s': %s",
                       (int)(text.n > 200 ? 200 : text.n), text.n == 0 ? "" : text.p, fault);
    memcpy(ret->p, text.p, text.n);
    ret->p[text.n] = '\0';
    ret->n = text.n;
    return WA_OK;
}

/* Simple case folding of the letters that file systems without case fold: ASCII, Latin-1, Latin
 * Extended-A, Greek, Cyrillic. */
static uint32_t fold(uint32_t cp)
{
    if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7))
        return cp + 0x20;
    if ((cp >= 0x100 && cp <= 0x137 && cp != 0x130 && cp != 0x131) || (cp >= 0x14a && cp <= 0x177))
        return cp | 1;
    if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e))
        return cp % 2 == 1 ? cp + 1 : cp;
    if (cp == 0x178)
        return 0xff;
    if ((cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2) || (cp >= 0x410 && cp <= 0x42f))
        return cp + 0x20;
    if (cp >= 0x400 && cp <= 0x40f)
        return cp + 0x50;
    return cp;
}

void wa_relpath_fold(const struct wa_relpath *path, char out[WA_RELPATH_MAX + 1])
{
    struct wa_sv s = wa_sv_n(path->p, path->n);
    size_t at = 0, n = 0;
    uint32_t cp;
    while (wa_utf8_next(s, &at, &cp))
        n += wa_utf8_encode(fold(cp), out + n); /* folding keeps the length of every letter above */
    out[n] = '\0';
}
