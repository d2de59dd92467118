/* csv.c - comma lists, and shell patterns as Python's fnmatch reads them.
 *
 * White space is Unicode's, as Python 2 strips from a unicode string: a no-break space copied from
 * a web page beside a package name must not become part of it. Never allocates.
 */
#include "codec/csv.h"

#include "base/utf8.h"

static bool is_space(uint32_t cp)
{
    if ((cp >= 0x09 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0)
        return true;
    return cp == 0x1680 || cp == 0x180e || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
           cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static struct wa_sv trim(struct wa_sv s)
{
    size_t begin = 0, end = 0;
    bool seen = false;
    uint32_t cp;

    for (size_t from = 0, at = 0; wa_utf8_step(s, &at, &cp); from = at) {
        if (is_space(cp))
            continue;
        if (!seen)
            begin = from;
        seen = true;
        end = at;
    }
    return wa_sv_sub(s, begin, end - begin);
}

bool wa_csv_next(struct wa_sv *rest, struct wa_sv *ret_item)
{
    struct wa_sv part;

    while (wa_sv_split(rest, ',', &part)) {
        part = trim(part);
        if (part.n > 0) {
            *ret_item = part;
            return true;
        }
    }
    return false;
}

bool wa_csv_has(struct wa_sv list, struct wa_sv item)
{
    struct wa_sv one;

    while (wa_csv_next(&list, &one)) {
        if (wa_sv_eq(one, item))
            return true;
    }
    return false;
}

/* Only before the end of s. */
static uint32_t take(struct wa_sv s, size_t *at)
{
    uint32_t cp = 0;
    (void)wa_utf8_step(s, at, &cp);
    return cp;
}

/* Where the class that began before `at` ends: index of its ']', or p.n when it never ends. */
static size_t class_end(struct wa_sv p, size_t at)
{
    if (at < p.n && p.p[at] == '!')
        at++;
    if (at < p.n && p.p[at] == ']')
        at++;
    while (at < p.n && p.p[at] != ']')
        at++;
    return at;
}

static bool class_has(struct wa_sv class, uint32_t c)
{
    size_t at = 0;
    bool negated = class.n > 0 && class.p[0] == '!', found = false;

    if (negated)
        at = 1;
    while (at < class.n) {
        uint32_t low = take(class, &at), high = low;
        if (at + 1 < class.n && class.p[at] == '-') {
            at++;
            high = take(class, &at);
        }
        if (low <= c && c <= high)
            found = true;
    }
    return found != negated;
}

/* Matches the one element of p at *pi against c and moves *pi past it. */
static bool match_one(struct wa_sv p, size_t *pi, uint32_t c)
{
    char first = p.p[*pi];

    if (first == '?') {
        (*pi)++;
        return true;
    }
    if (first == '[') {
        size_t from = *pi + 1, end = class_end(p, from);
        if (end < p.n) {
            *pi = end + 1;
            return class_has(wa_sv_sub(p, from, end - from), c);
        }
    }
    return take(p, pi) == c;
}

bool wa_fnmatch(struct wa_sv pattern, struct wa_sv text)
{
    size_t pi = 0, ti = 0, star = 0, star_ti = 0;
    bool has_star = false;

    while (ti < text.n) {
        size_t next_pi = pi, next_ti = ti;
        if (pi < pattern.n && pattern.p[pi] == '*') {
            /* Only the last star is ever tried again: an earlier one could gain nothing. */
            has_star = true;
            star = ++pi;
            star_ti = ti;
            continue;
        }
        if (pi < pattern.n && match_one(pattern, &next_pi, take(text, &next_ti))) {
            pi = next_pi;
            ti = next_ti;
            continue;
        }
        if (!has_star)
            return false;
        (void)take(text, &star_ti);
        ti = star_ti;
        pi = star;
    }
    while (pi < pattern.n && pattern.p[pi] == '*')
        pi++;
    return pi == pattern.n;
}
