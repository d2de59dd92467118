/* json_number.c - a JSON number as Python 2.7 writes it after reading it: integers digit by digit,
 * floats as repr().
 *
 * The decimal point never reaches strtod() or comes from snprintf(): both would take it from the
 * process's locale. Digits and exponent do not depend on it. No integer is ever turned into a
 * machine number.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>

#include "codec/json_priv.h"

/* A double is decided by its first 767 significant digits and whether anything follows (that of
 * 2^-1074 has 751). */
enum { DIGITS_MAX = 780, EXPONENT_MAX = 100000 };

/* 0.DIGITS times 10 to the power of point. */
struct decimal {
    char digits[DIGITS_MAX + 2];
    size_t n;
    int64_t point;
};

static void push_digit(struct decimal *d, char c)
{
    if (d->n < DIGITS_MAX)
        d->digits[d->n++] = c;
    else if (c != '0' && d->n == DIGITS_MAX)
        d->digits[d->n++] = '1'; /* "and something more" is all that rounding can still ask */
}

/* text: a JSON number without its sign. */
static void read_decimal(struct wa_sv text, struct decimal *d)
{
    bool seen_point = false, is_negative = false;
    int64_t exponent = 0;
    size_t i = 0;

    d->n = 0;
    d->point = 0;
    for (; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
        char c = text.p[i];
        if (c == '.') {
            seen_point = true;
            continue;
        }
        bool is_leading_zero = d->n == 0 && c == '0';
        if (!is_leading_zero)
            push_digit(d, c);
        if (!seen_point && !is_leading_zero)
            d->point++;
        if (seen_point && is_leading_zero)
            d->point--;
    }
    for (i++; i < text.n; i++) {
        char c = text.p[i];
        if (c == '-')
            is_negative = true;
        else if (c != '+' && exponent < INT32_MAX)
            exponent = exponent * 10 + (c - '0');
    }
    d->point += is_negative ? -exponent : exponent;
}

static double to_double(const struct decimal *d)
{
    char text[DIGITS_MAX + 40];
    int64_t exponent = d->point - (int64_t)d->n;

    if (d->n == 0)
        return 0;
    if (exponent > EXPONENT_MAX)
        exponent = EXPONENT_MAX;
    if (exponent < -EXPONENT_MAX)
        exponent = -EXPONENT_MAX;
    (void)snprintf(text, sizeof(text), "%.*se%d", (int)d->n, d->digits, (int)exponent);
    return strtod(text, NULL);
}

/* The shortest digits that read back as v, which is finite and above 0. */
static void shortest(double v, struct decimal *d)
{
    for (int precision = 0; precision < DBL_DECIMAL_DIG; precision++) {
        char text[48];
        const char *exponent;
        (void)snprintf(text, sizeof(text), "%.*e", precision, v);
        exponent = strchr(text, 'e');
        d->n = 0;
        for (const char *c = text; c < exponent; c++) {
            if (*c >= '0' && *c <= '9')
                d->digits[d->n++] = *c;
        }
        d->point = strtol(exponent + 1, NULL, 10) + 1;
        if (to_double(d) == v)
            break;
    }
    while (d->n > 1 && d->digits[d->n - 1] == '0')
        d->n--;
}

static void put_zeros(struct wa_buf *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        wa_buf_addc(out, '0');
}

/* float_repr_style 'short': fixed from 1e-4 to below 1e16, else scientific with at least two digits
 * of exponent. */
static void put_repr(struct wa_buf *out, const struct decimal *d)
{
    if (d->point > 16 || d->point < -3) {
        wa_buf_addc(out, d->digits[0]);
        if (d->n > 1)
            wa_buf_addf(out, ".%.*s", (int)d->n - 1, d->digits + 1);
        wa_buf_addf(out, "e%c%02d", d->point > 0 ? '+' : '-', abs((int)d->point - 1));
        return;
    }
    if (d->point <= 0) {
        wa_buf_adds(out, "0.");
        put_zeros(out, -d->point);
        wa_buf_add(out, d->digits, d->n);
        return;
    }
    size_t whole = (size_t)d->point < d->n ? (size_t)d->point : d->n;
    wa_buf_add(out, d->digits, whole);
    put_zeros(out, d->point - (int64_t)whole);
    wa_buf_addc(out, '.');
    if (d->n > whole)
        wa_buf_add(out, d->digits + whole, d->n - whole);
    else
        wa_buf_addc(out, '0');
}

void wa_json_put_number(struct wa_buf *out, struct wa_sv text)
{
    struct decimal d;
    size_t ignored;
    bool is_float = wa_sv_chr(text, '.', &ignored) || wa_sv_chr(text, 'e', &ignored) ||
                    wa_sv_chr(text, 'E', &ignored);
    bool is_negative = text.n > 0 && text.p[0] == '-';

    if (!is_float) {
        /* int('-0') is 0 */
        wa_buf_addsv(out, wa_sv_eqs(text, "-0") ? WA_SV("0") : text);
        return;
    }
    if (is_negative) {
        wa_buf_addc(out, '-');
        text = wa_sv_sub(text, 1, text.n);
    }
    read_decimal(text, &d);
    double v = to_double(&d);
    if (v > DBL_MAX) {
        wa_buf_adds(out, "Infinity"); /* json.loads('1e400') is inf, and dumps() writes it so */
        return;
    }
    if (!(v > 0)) {
        wa_buf_adds(out, "0.0");
        return;
    }
    shortest(v, &d);
    put_repr(out, &d);
}
