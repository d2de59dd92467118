/* cli_table.c - rows under titles, in columns as wide as what is in them.
 *
 * On a terminal the columns that may be cut give way until a row fits into a line; in a pipe
 * nothing is ever cut. Cells come from machines and servers: a cell is one line, and nothing in it
 * can move the cursor, hide, or pose as another cell. Width is what a terminal shows: letters of
 * East Asia take two places, combining marks none.
 */
#include "cmd/cli.h"

#include "base/text.h"
#include "base/utf8.h"
#include "os/term.h"

#define CUT_MIN 8u     /* places that a column keeps, or its title's */
#define CELL_MAX 4096u /* bytes */

/* First and last code point of what takes no place, then of what takes two (Unicode's East Asian
 * Width W and F, by blocks). */
static const uint32_t zero_wide[][2] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
static const uint32_t double_wide[][2] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

static bool is_in(uint32_t cp, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cp >= ranges[i][0] && cp <= ranges[i][1])
            return true;
    return false;
}

static size_t places(uint32_t cp)
{
    if (cp < 0x300)
        return 1;
    return is_in(cp, zero_wide, WA_COUNT(zero_wide))       ? 0
           : is_in(cp, double_wide, WA_COUNT(double_wide)) ? 2
                                                           : 1;
}

size_t wa_cli_width(struct wa_sv text)
{
    size_t at = 0, width = 0;
    uint32_t cp;
    while (wa_utf8_next(text, &at, &cp))
        width += places(cp);
    return width;
}

/* --- rows --- */

void wa_cli_table_init(struct wa_cli_table *t, const struct wa_cli_column *columns, size_t count)
{
    *t = (struct wa_cli_table){.columns = columns, .count = count};
    wa_buf_init(&t->cells, 256u << 20);
    for (size_t c = 0; c < count; c++)
        t->width[c] = wa_cli_width(wa_sv(wa_text(columns[c].title)));
}

void wa_cli_table_fini(struct wa_cli_table *t)
{
    wa_buf_fini(&t->cells);
}

void wa_cli_table_widen(struct wa_cli_table *t, size_t column, struct wa_sv text)
{
    size_t w = wa_cli_width(text);
    if (w > t->width[column])
        t->width[column] = w;
}

void wa_cli_table_cell(struct wa_cli_table *t, struct wa_sv text)
{
    size_t from = t->cells.n, column = t->cells_count++ % t->count;
    uint32_t cp;
    if (text.n > CELL_MAX)
        text.n = wa_utf8_cut(text.p, CELL_MAX);
    for (size_t begin = 0, at = 0; wa_utf8_step(text, &at, &cp); begin = at) {
        if (cp == '\n' || cp == '\t')
            wa_buf_addc(&t->cells, ' ');
        else if (!wa_utf8_is_shown(cp))
            wa_buf_addc(&t->cells, '?');
        else
            wa_buf_add(&t->cells, text.p + begin, at - begin);
    }
    if (t->cells.failed == WA_OK)
        wa_cli_table_widen(t, column, wa_sv_n(t->cells.p + from, t->cells.n - from));
    wa_buf_addc(&t->cells, '\0');
}

/* --- printing --- */

/* Takes places from the widest column that may be cut, until all fit. */
static void fit(const struct wa_cli_table *t, size_t screen, size_t width[WA_CLI_COLUMNS_MAX])
{
    size_t sum = 2 * (t->count - 1);
    for (size_t c = 0; c < t->count; c++) {
        width[c] = t->width[c];
        sum += width[c];
    }
    while (screen > 0 && sum > screen) {
        size_t widest = t->count;
        for (size_t c = 0; c < t->count; c++)
            if (t->columns[c].may_cut && width[c] > CUT_MIN &&
                width[c] > wa_cli_width(wa_sv(wa_text(t->columns[c].title))) &&
                (widest == t->count || width[c] > width[widest]))
                widest = c;
        if (widest == t->count)
            return; /* the terminal breaks the line: nothing that matters is hidden */
        width[widest]--;
        sum--;
    }
}

/* text in exactly width places; the last cell of a row is not filled up. */
static void add_cell(struct wa_buf *line, struct wa_sv text, size_t width, bool is_last)
{
    size_t at = 0, used = 0;
    bool is_cut = wa_cli_width(text) > width;
    while (at < text.n) {
        size_t begin = at;
        uint32_t cp = 0;
        if (!wa_utf8_next(text, &at, &cp))
            break;
        if (is_cut && used + places(cp) + 1 > width)
            break;
        used += places(cp);
        wa_buf_add(line, text.p + begin, at - begin);
    }
    if (is_cut) {
        wa_buf_adds(line, "\xe2\x80\xa6"); /* an ellipsis */
        used++;
    }
    for (size_t n = is_last ? 0 : width + 2; n > used; n--)
        wa_buf_addc(line, ' ');
}

static void print_row(const struct wa_cli *cli, const struct wa_cli_table *t, const char **cell,
                      const size_t *width)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, 4 * WA_CLI_COLUMNS_MAX * CELL_MAX);
    for (size_t c = 0; c < t->count; c++) {
        add_cell(&line, wa_sv(*cell), width[c], c + 1 == t->count);
        *cell += strlen(*cell) + 1;
    }
    while (line.n > 0 && line.p[line.n - 1] == ' ')
        line.n--;
    wa_cli_out(cli, "%.*s\n", WA_SV_ARG(wa_buf_sv(&line)));
}

enum wa_code wa_cli_table_print(struct wa_cli_table *t, const struct wa_cli *cli,
                                struct wa_err *err)
{
    size_t width[WA_CLI_COLUMNS_MAX];
    WA_AUTO_BUF struct wa_buf titles;
    wa_buf_init(&titles, 4096);
    if (wa_buf_check(&t->cells, err) != WA_OK)
        return err->code;
    fit(t, t->screen > 0 ? t->screen : wa_term_width(), width);
    for (size_t c = 0; !t->has_titles && c < t->count; c++) {
        wa_buf_adds(&titles, wa_text(t->columns[c].title));
        wa_buf_addc(&titles, '\0');
    }
    if (wa_buf_check(&titles, err) != WA_OK)
        return err->code;
    const char *cell = titles.p;
    if (!t->has_titles)
        print_row(cli, t, &cell, width);
    t->has_titles = true;
    cell = t->cells.p;
    for (size_t r = 0; r < t->cells_count / t->count; r++)
        print_row(cli, t, &cell, width);
    wa_buf_clear(&t->cells);
    t->cells_count = 0;
    return WA_OK;
}
