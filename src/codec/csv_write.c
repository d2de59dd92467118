/* csv_write.c - rows of CSV. Whoever wrote the texts, opening the file runs nothing. */
#include "codec/csv_write.h"

#include "base/utf8.h"

void wa_csv_init(struct wa_csv *w, struct wa_buf *out)
{
    *w = (struct wa_csv){.out = out};
}

static void begin(struct wa_csv *w)
{
    if (w->in_row)
        wa_buf_addc(w->out, ',');
    w->in_row = true;
}

/* The four signs that begin a formula or a command of DDE, and those that Unicode says are the same
 * in another dress (NFKC), which a program may undress. */
static bool begins_formula(uint32_t cp)
{
    static const uint32_t signs[] = {'=',    '+',    '-',    '@',    0x207a, 0x207b, 0x207c,
                                     0x208a, 0x208b, 0x208c, 0x2212, 0xfe62, 0xfe63, 0xfe66,
                                     0xfe6b, 0xff0b, 0xff0d, 0xff1d, 0xff20};
    for (size_t i = 0; i < WA_COUNT(signs); i++)
        if (cp == signs[i])
            return true;
    return false;
}

static bool is_separator(uint32_t cp)
{
    return cp == ',' || cp == ';' || cp == '|' || cp == 0xff0c || cp == 0xff1b;
}

/* What stands before a formula without hindering it. */
static bool is_passed_over(uint32_t cp)
{
    return cp == ' ' || cp == '"' || cp == '\'' || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x202f || cp == 0x205f || cp == 0x3000 ||
           cp == 0xff02 || cp == 0xff07;
}

void wa_csv_text(struct wa_csv *w, struct wa_sv text)
{
    bool at_start = true;
    uint32_t cp;
    begin(w);
    wa_buf_addc(w->out, '"');
    for (size_t at = 0; wa_utf8_step(text, &at, &cp);) {
        char bytes[4];
        if (cp >= WA_UTF8_BAD)
            cp = 0xfffd;
        else if (!wa_utf8_is_shown(cp))
            cp = ' ';
        if (at_start && begins_formula(cp))
            wa_buf_addc(w->out, '\'');
        at_start = is_separator(cp) || (at_start && is_passed_over(cp));
        if (cp == '"')
            wa_buf_addc(w->out, '"');
        wa_buf_add(w->out, bytes, wa_utf8_encode(cp, bytes));
    }
    wa_buf_addc(w->out, '"');
}

void wa_csv_plain(struct wa_csv *w, struct wa_sv digits)
{
    begin(w);
    wa_buf_addsv(w->out, digits);
}

void wa_csv_end(struct wa_csv *w)
{
    wa_buf_adds(w->out, "\r\n");
    w->in_row = false;
}
