/* sv.c - string views: comparing, cutting, numbers. */
#include "base/sv.h"

#include "base/mem.h"

struct wa_sv wa_sv(const char *s)
{
    return (struct wa_sv){s, s == NULL ? 0 : strlen(s)};
}

bool wa_sv_eq(struct wa_sv a, struct wa_sv b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool wa_sv_eqs(struct wa_sv a, const char *s)
{
    return wa_sv_eq(a, wa_sv(s));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool wa_sv_ieqs(struct wa_sv a, const char *s)
{
    struct wa_sv b = wa_sv(s);
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool wa_sv_starts(struct wa_sv a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

bool wa_sv_ends(struct wa_sv a, const char *suffix)
{
    size_t n = strlen(suffix);
    return a.n >= n && (n == 0 || memcmp(a.p + (a.n - n), suffix, n) == 0);
}

int wa_sv_cmp(struct wa_sv a, struct wa_sv b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

bool wa_sv_chr(struct wa_sv a, char c, size_t *ret_at)
{
    const char *hit = a.n == 0 ? NULL : memchr(a.p, c, a.n);
    if (hit == NULL)
        return false;
    *ret_at = (size_t)(hit - a.p);
    return true;
}

bool wa_sv_has(struct wa_sv a, struct wa_sv part)
{
    const char *p = a.p, *end;
    if (part.n == 0)
        return true;
    if (a.n < part.n)
        return false;
    end = a.p + (a.n - part.n) + 1;
    while ((p = memchr(p, part.p[0], (size_t)(end - p))) != NULL) {
        if (memcmp(p, part.p, part.n) == 0)
            return true;
        if (++p == end)
            return false;
    }
    return false;
}

struct wa_sv wa_sv_sub(struct wa_sv a, size_t from, size_t n)
{
    if (from >= a.n)
        return (struct wa_sv){NULL, 0};
    if (n > a.n - from)
        n = a.n - from;
    return (struct wa_sv){a.p + from, n};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct wa_sv wa_sv_trim(struct wa_sv a)
{
    while (a.n > 0 && is_space(a.p[0]))
        a = (struct wa_sv){a.p + 1, a.n - 1};
    while (a.n > 0 && is_space(a.p[a.n - 1]))
        a.n--;
    return a;
}

bool wa_sv_split(struct wa_sv *rest, char sep, struct wa_sv *ret_part)
{
    size_t at;
    if (rest->p == NULL)
        return false;
    if (wa_sv_chr(*rest, sep, &at)) {
        *ret_part = (struct wa_sv){rest->p, at};
        *rest = (struct wa_sv){rest->p + at + 1, rest->n - at - 1};
    } else {
        *ret_part = *rest;
        *rest = (struct wa_sv){NULL, 0};
    }
    return true;
}

bool wa_sv_u64(struct wa_sv a, uint64_t *ret)
{
    uint64_t v = 0;
    if (a.n == 0)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(a.p[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

bool wa_sv_i64(struct wa_sv a, int64_t *ret)
{
    bool negative = a.n > 0 && a.p[0] == '-';
    uint64_t v;
    if (!wa_sv_u64(negative ? wa_sv_sub(a, 1, a.n) : a, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
        return false;
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

enum wa_code wa_sv_dup(struct wa_sv a, char **ret, struct wa_err *err)
{
    size_t at;
    if (wa_sv_chr(a, '\0', &at))
        return wa_fail(err, WA_E_INVALID, "a text holds a NUL byte");
    char *copy = wa_strndup(a.p, a.n);
    if (copy == NULL)
        return wa_nomem(err);
    *ret = copy;
    return WA_OK;
}
