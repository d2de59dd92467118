/* control_order.c - which of two packages is the newer one: WAPT's comparison C, between entries
 * and between an entry and a text (formats.md 2.1). docs/formats/versions.md says where which
 * comparison counts.
 *
 * Numbers may have any length. Versions that are not of the form that building accepts are compared
 * as texts, as WAPT does.
 */
#include "pkg/control.h"

#include "pkg/version.h"

struct parsed {
    struct wa_sv number[4];
    bool has[4];
    struct wa_sv packaging;
};

static struct parsed parse_version(struct wa_sv v)
{
    struct parsed p = {0};
    size_t dash = v.n;
    if (wa_sv_chr(v, '-', &dash))
        p.packaging = wa_sv_sub(v, dash + 1, v.n);
    struct wa_sv rest = wa_sv_n(v.p, dash), part;
    for (size_t i = 0; i < 4 && wa_sv_split(&rest, '.', &part); i++) {
        p.number[i] = part;
        p.has[i] = true;
    }
    return p;
}

static int cmp_parsed(const struct parsed *a, const struct parsed *b)
{
    for (size_t i = 0; i < 4; i++) {
        if (a->has[i] != b->has[i])
            return a->has[i] ? 1 : -1; /* None sorts before any number */
        int c = a->has[i] ? wa_version_cmp(a->number[i], b->number[i], 1) : 0;
        if (c != 0)
            return c;
    }
    return wa_version_cmp(a->packaging, b->packaging, 0);
}

int wa_entry_cmp(const struct wa_control *a, const struct wa_control *b)
{
    struct wa_sv va = wa_sv(wa_control_get(a, WA_A_VERSION)),
                 vb = wa_sv(wa_control_get(b, WA_A_VERSION));
    int c = strcmp(wa_control_get(a, WA_A_PACKAGE), wa_control_get(b, WA_A_PACKAGE));
    if (c != 0)
        return c;
    bool is_same = wa_sv_eq(va, vb); /* as nearly always when nothing is to be upgraded */
    if (!wa_pkgversion_is_valid(va) || (!is_same && !wa_pkgversion_is_valid(vb)))
        return wa_sv_cmp(va, vb);
    if (!is_same) {
        struct parsed pa = parse_version(va), pb = parse_version(vb);
        c = cmp_parsed(&pa, &pb);
    }
    if (c == 0)
        c = strcmp(wa_control_get(a, WA_A_MATURITY), wa_control_get(b, WA_A_MATURITY));
    const char *da = wa_control_get(a, WA_A_SIGNATURE_DATE),
               *db = wa_control_get(b, WA_A_SIGNATURE_DATE);
    if (c == 0 && da[0] != '\0' && db[0] != '\0')
        c = strcmp(da, db);
    return c;
}

bool wa_entry_same(const struct wa_control *a, const struct wa_control *b)
{
    static const enum wa_attr keys[] = {WA_A_PACKAGE, WA_A_VERSION, WA_A_ARCHITECTURE, WA_A_LOCALE,
                                        WA_A_MATURITY};
    for (size_t i = 0; i < WA_COUNT(keys); i++)
        if (strcmp(wa_control_get(a, keys[i]), wa_control_get(b, keys[i])) != 0)
            return false;
    return true;
}

/* The packaging part counts when the text has one. */
static int cmp_with_text(const struct parsed *have, const struct parsed *text)
{
    bool has_packaging = text->packaging.n > 0;
    for (size_t i = 0; i < 4; i++) {
        if (!text->has[i] && !has_packaging)
            return 0; /* "1.2" speaks of every 1.2 */
        int c = wa_version_cmp(have->has[i] ? have->number[i] : WA_SV("0"),
                               text->has[i] ? text->number[i] : WA_SV("0"), 1);
        if (c != 0)
            return c;
    }
    return has_packaging ? wa_version_cmp(have->packaging, text->packaging, 0) : 0;
}

int wa_entry_cmp_version(const struct wa_control *c, struct wa_sv version)
{
    struct wa_sv have = wa_sv(wa_control_get(c, WA_A_VERSION));
    if (!wa_pkgversion_is_valid(have) || !wa_pkgversion_is_valid(version))
        return wa_sv_cmp(have, version);
    struct parsed a = parse_version(have), b = parse_version(version);
    return cmp_with_text(&a, &b);
}
