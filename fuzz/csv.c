/* csv.c - comma lists and shell patterns: items are trimmed parts of the list and are found in it;
 * a pattern without special characters matches itself alone; '*' everything. Hex digits, too. A
 * cell of a table stands in quotes, in one line, and begins no formula. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/csv.h"
#include "codec/csv_write.h"
#include "codec/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(struct wa_sv list)
{
    struct wa_sv rest = list, item;
    size_t ignored;
    while (wa_csv_next(&rest, &item))
        if (item.n == 0 || item.p < list.p || item.p + item.n > list.p + list.n ||
            wa_sv_chr(item, ',', &ignored) || !wa_csv_has(list, item))
            abort();
}

static void check_pattern(struct wa_sv pattern, struct wa_sv text)
{
    bool is_plain = true;
    for (size_t i = 0; i < pattern.n; i++)
        is_plain = is_plain && strchr("*?[", pattern.p[i]) == NULL;
    bool matches = wa_fnmatch(pattern, text);
    if ((is_plain && matches != wa_sv_eq(pattern, text)) || !wa_fnmatch(WA_SV("*"), text))
        abort();
}

static void check_hex(struct wa_sv text)
{
    WA_AUTO_STR char *bytes = wa_calloc(text.n + 1, 1), *back = wa_calloc(text.n + 2, 1);
    if (bytes == NULL || back == NULL || !wa_hex_decode(text, bytes, text.n / 2))
        return;
    wa_hex_encode(bytes, text.n / 2, back);
    if (!wa_sv_ieqs(text, back) || (wa_hex_is(text, text.n) && !wa_sv_eqs(text, back)))
        abort();
}

static void check_cell(struct wa_sv text)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_csv w;
    size_t quotes = 0;
    wa_buf_init(&out, 8 * text.n + 64);
    wa_csv_init(&w, &out);
    wa_csv_text(&w, text);
    if (out.failed != WA_OK)
        return;
    for (size_t i = 0; i < out.n; i++) {
        if ((unsigned char)out.p[i] < ' ')
            abort();
        quotes += out.p[i] == '"';
    }
    if (out.n < 2 || out.p[0] != '"' || out.p[out.n - 1] != '"' || quotes % 2 != 0 ||
        strchr("=+-@", out.p[1]) != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv all = wa_sv_n(data, size), pattern;
    check_list(all);
    check_hex(all);
    check_cell(all);
    if (size < 4096 && wa_sv_split(&all, '\n', &pattern)) /* its time grows with the product */
        check_pattern(pattern, all);
    return 0;
}
