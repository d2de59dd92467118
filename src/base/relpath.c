/* relpath.c - the gate for every path that comes from outside.
 *
 * Refuses what any supported system could read as something else than a plain relative path: see
 * relpath.h for the rule. A path that passed may be joined to a directory handle without further
 * thought.
 */
#include "base/relpath.h"
#include "base/text.h"

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
        return wa_text("it has an empty part");
    if (wa_sv_eqs(part, ".") || wa_sv_eqs(part, ".."))
        return wa_text("it has a part '.' or '..'");
    if (part.n > WA_NAME_MAX)
        return wa_text("a part is too long");
    if (part.p[part.n - 1] == '.' || part.p[part.n - 1] == ' ')
        return wa_text("a part ends in a dot or a blank");
    if (is_device(part))
        return wa_text("a part is the name of a device");
    return NULL;
}

/* In no name of Windows. An index has a name for each of thousands of packages. */
static bool is_forbidden(uint32_t cp)
{
    return cp == ':' || cp == '<' || cp == '>' || cp == '"' || cp == '?' || cp == '*' || cp == '|';
}

/* Characters that are never in a name of ours. */
static const char *fault_of_text(struct wa_sv text)
{
    size_t at = 0;
    uint32_t cp;
    while (wa_utf8_next(text, &at, &cp)) {
        /* Right-to-left and other invisible marks make a name look like another one. */
        if (!wa_utf8_is_shown(cp))
            return cp < 0xa0 ? wa_text("it holds a control character")
                             : wa_text("it holds an invisible character");
        if (cp == '\\')
            return wa_text("it holds a backslash");
        if (is_forbidden(cp))
            return wa_text("it holds one of : < > \" ? * |");
    }
    return at == text.n ? NULL : wa_text("it is not UTF-8");
}

static const char *fault_of(struct wa_sv text)
{
    if (text.n == 0)
        return wa_text("it is empty");
    if (text.n > WA_RELPATH_MAX)
        return wa_text("it is too long");
    const char *fault = fault_of_text(text);
    if (fault != NULL)
        return fault;
    size_t depth = 0;
    struct wa_sv rest = text, part;
    while (wa_sv_split(&rest, '/', &part)) {
        fault = text.p[0] == '/' ? wa_text("it is absolute") : fault_of_part(part);
        if (fault != NULL)
            return fault;
        if (++depth > WA_RELPATH_DEPTH_MAX)
            return wa_text("it is too deep");
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

/* Letters that file systems without case take for one another: Latin, Greek, Cyrillic, Armenian,
 * full-width. With step 1 every letter of the run is a capital, its small one `add` further; with
 * step 2 every second one is, beginning with `from`. */
static const struct {
    uint16_t from, to, step, add;
} folds[] = {
    {0x0041, 0x005a, 1, 32}, {0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32},
    {0x0100, 0x012f, 2, 1},  {0x0132, 0x0137, 2, 1},  {0x0139, 0x0148, 2, 1},
    {0x014a, 0x0177, 2, 1},  {0x0179, 0x017e, 2, 1},  {0x01cd, 0x01dc, 2, 1},
    {0x01de, 0x01ef, 2, 1},  {0x01f8, 0x021f, 2, 1},  {0x0222, 0x0233, 2, 1},
    {0x0370, 0x0373, 2, 1},  {0x0386, 0x0386, 1, 38}, {0x0388, 0x038a, 1, 37},
    {0x038c, 0x038c, 1, 64}, {0x038e, 0x038f, 1, 63}, {0x0391, 0x03a1, 1, 32},
    {0x03a3, 0x03ab, 1, 32}, {0x0400, 0x040f, 1, 80}, {0x0410, 0x042f, 1, 32},
    {0x0460, 0x0481, 2, 1},  {0x048a, 0x04bf, 2, 1},  {0x04c0, 0x04c0, 1, 15},
    {0x04c1, 0x04ce, 2, 1},  {0x04d0, 0x052f, 2, 1},  {0x0531, 0x0556, 1, 48},
    {0x1e00, 0x1e95, 2, 1},  {0x1ea0, 0x1eff, 2, 1},  {0xff21, 0xff3a, 1, 32},
};

/* Single ones: a capital whose small letter comes before it, the sigma at the end of a word, the
 * long s, and the signs for ohm, kelvin and angstrom, which some systems take for the letters. */
static const struct {
    uint16_t from, to;
} odd_folds[] = {{0x0178, 0x00ff}, {0x017f, 's'}, {0x03c2, 0x03c3}, {0x1e9e, 0x00df},
                 {0x2126, 0x03c9}, {0x212a, 'k'}, {0x212b, 0x00e5}};

static uint32_t fold(uint32_t cp)
{
    for (size_t i = 0; i < WA_COUNT(odd_folds); i++)
        if (odd_folds[i].from == cp)
            return odd_folds[i].to;
    for (size_t i = 0; i < WA_COUNT(folds) && cp >= folds[i].from; i++)
        if (cp <= folds[i].to)
            return (cp - folds[i].from) % folds[i].step == 0 ? cp + folds[i].add : cp;
    return cp;
}

void wa_relpath_fold(const struct wa_relpath *path, char out[WA_RELPATH_MAX + 1])
{
    struct wa_sv s = wa_sv_n(path->p, path->n);
    size_t at = 0, n = 0;
    uint32_t cp;
    while (wa_utf8_next(s, &at, &cp))
        n += wa_utf8_encode(fold(cp), out + n); /* no letter above grows by it */
    out[n] = '\0';
}
