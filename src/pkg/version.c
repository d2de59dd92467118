/* version.c - natural order of versions, and what WAPT calls valid (formats.md 2.1). */
#include "pkg/version.h"

#include "base/buf.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Digit runs of any length, by value. */
static int cmp_numbers(struct wa_sv a, struct wa_sv b)
{
    while (a.n > 1 && a.p[0] == '0')
        a = wa_sv_sub(a, 1, a.n);
    while (b.n > 1 && b.p[0] == '0')
        b = wa_sv_sub(b, 1, b.n);
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return wa_sv_cmp(a, b);
}

static int cmp_texts(struct wa_sv a, struct wa_sv b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)lower(a.p[i]), y = (unsigned char)lower(b.p[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* Takes the run of digits, or of other characters, at the front. */
static struct wa_sv take_run(struct wa_sv *s, bool digits)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]) == digits)
        n++;
    struct wa_sv run = wa_sv_n(s->p, n);
    *s = wa_sv_n(s->p + n, s->n - n);
    return run;
}

/* Python's re.split('([0-9]+)'): text, digits, text, digits..., text; the lists compared item by
 * item. */
static int cmp_member(struct wa_sv a, struct wa_sv b)
{
    for (bool digits = false;; digits = !digits) {
        bool end_a = digits && a.n == 0, end_b = digits && b.n == 0;
        if (end_a || end_b)
            return (int)end_b - (int)end_a;
        struct wa_sv x = take_run(&a, digits), y = take_run(&b, digits);
        int c = digits ? cmp_numbers(x, y) : cmp_texts(x, y);
        if (c != 0)
            return c;
    }
}

/* Member i of a version of `members` members: absent ones are "0" when padded, else false. */
static bool next_member(struct wa_sv *rest, bool padded, struct wa_sv *ret)
{
    if (wa_sv_split(rest, '.', ret)) {
        *ret = wa_sv_trim(*ret);
        return true;
    }
    *ret = padded ? WA_SV("0") : WA_SV("");
    return padded;
}

int wa_version_cmp(struct wa_sv a, struct wa_sv b, unsigned members)
{
    struct wa_sv x, y;
    if (a.p == NULL)
        a.p = "";
    if (b.p == NULL)
        b.p = "";
    for (unsigned i = 0; members == 0 || i < members; i++) {
        bool has_a = next_member(&a, members != 0, &x), has_b = next_member(&b, members != 0, &y);
        if (!has_a && !has_b)
            return 0;
        int c = cmp_member(x, y);
        if (c != 0)
            return c;
        if (has_a != has_b && members == 0 && x.n == 0 && y.n == 0)
            continue; /* "1" and "1." differ in nothing that is compared */
    }
    return 0;
}

/* Splits at the first '-'. */
static bool packaging(struct wa_sv *v, struct wa_sv *ret)
{
    size_t at;
    if (!wa_sv_chr(*v, '-', &at))
        return false;
    *ret = wa_sv_trim(wa_sv_sub(*v, at + 1, v->n));
    *v = wa_sv_n(v->p, at);
    return true;
}

static bool all_digits(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* A packaging part as Python's int() takes it, of any length. */
static bool is_integer(struct wa_sv s)
{
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
        s = wa_sv_sub(s, 1, s.n);
    return all_digits(s);
}

static int cmp_integers(struct wa_sv a, struct wa_sv b)
{
    bool minus_a = a.p[0] == '-', minus_b = b.p[0] == '-';
    if (a.p[0] == '-' || a.p[0] == '+')
        a = wa_sv_sub(a, 1, a.n);
    if (b.p[0] == '-' || b.p[0] == '+')
        b = wa_sv_sub(b, 1, b.n);
    int c = cmp_numbers(a, b);
    if (minus_a && minus_b)
        return -c;
    if (minus_a == minus_b)
        return c;
    bool both_zero = cmp_numbers(a, WA_SV("0")) == 0 && cmp_numbers(b, WA_SV("0")) == 0;
    return both_zero ? 0 : minus_a ? -1 : 1;
}

enum wa_code wa_pkgversion_cmp(struct wa_sv a, struct wa_sv b, int *ret, struct wa_err *err)
{
    struct wa_sv pa = {0}, pb = {0}, va = a, vb = b;
    bool has_a = packaging(&va, &pa), has_b = packaging(&vb, &pb);
    if ((has_a && !is_integer(pa)) || (has_b && !is_integer(pb)))
        return wa_fail(
            err, WA_E_INVALID,
            "versions '%.*s' and '%.*s' can't be compared: what follows '-' is not a number",
            WA_SV_ARG(a), WA_SV_ARG(b));
    int c = wa_version_cmp(va, vb, 4);
    if (c == 0 && has_a != has_b)
        c = has_a ? 1 : -1;
    else if (c == 0 && has_a)
        c = cmp_integers(pa, pb);
    *ret = c;
    return WA_OK;
}

static bool is_alnum(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool wa_pkgversion_is_valid(struct wa_sv v)
{
    size_t i = 0, parts = 0;
    while (parts < 4) {
        size_t from = i;
        while (i < v.n && is_digit(v.p[i]))
            i++;
        if (i == from)
            return false;
        parts++;
        if (i < v.n && v.p[i] == '.' && parts < 4)
            i++;
        else
            break;
    }
    if (i == v.n)
        return true;
    if (v.p[i++] != '-')
        return false;
    for (;;) {
        size_t from = i;
        while (i < v.n && is_alnum(v.p[i]))
            i++;
        if (i == from)
            return false;
        if (i == v.n)
            return true;
        if (v.p[i++] != '.')
            return false;
    }
}

enum wa_code wa_pkgversion_increment(struct wa_sv v, char *out, struct wa_err *err)
{
    size_t at = 0, from, end = v.n;
    uint64_t number;
    if (!wa_pkgversion_is_valid(v) || v.n > WA_NAME_MAX - 2)
        return wa_fail(err, WA_E_INVALID, "'%.*s' is not a package version", WA_SV_ARG(v));
    /* The packaging part when it is a number, else the last numeric part before it. */
    if (wa_sv_chr(v, '-', &at)) {
        from = at + 1;
        if (!all_digits(wa_sv_sub(v, from, v.n)))
            end = at;
    }
    for (from = end; from > 0 && is_digit(v.p[from - 1]); from--) {
    }
    if (!wa_sv_u64(wa_sv_sub(v, from, end - from), &number) || number > INT64_MAX)
        return wa_fail(err, WA_E_LIMIT, "version '%.*s' can't be incremented", WA_SV_ARG(v));
    int n = snprintf(out, WA_NAME_MAX + 1, "%.*s%llu%.*s", (int)from, v.p,
                     (unsigned long long)number + 1, (int)(v.n - end), v.p + end);
    return n > 0 && n <= (int)WA_NAME_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "version '%.*s' becomes too long", WA_SV_ARG(v));
}
