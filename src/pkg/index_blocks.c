/* index_blocks.c - the text of an index, cut into its entries as it comes.
 *
 * Entries end at a line that is blank, or with the text. One at a time is in memory, and of one
 * that comes in pieces no more than an entry may have: a longer one counts as bad, like any other
 * that can't be read. An entry that lies whole within a piece is not copied.
 */
#include "base/mem.h"
#include "pkg/index_priv.h"

static bool is_blank(struct wa_sv line)
{
    return line.n == 0 || ((unsigned char)line.p[0] <= ' ' && wa_sv_trim(line).n == 0);
}

/* Until the rest of the entry comes. */
static void put_aside(struct wa_blocks *b, struct wa_sv piece)
{
    b->is_too_long = b->is_too_long || b->aside.n + piece.n > WA_CONTROL_BYTES_MAX;
    if (b->is_too_long)
        wa_buf_clear(&b->aside);
    else
        wa_buf_addsv(&b->aside, piece);
}

static enum wa_code take(struct wa_blocks *b, struct wa_sv text, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (b->count++ >= WA_INDEX_ENTRIES_MAX)
        return wa_fail(err, WA_E_LIMIT, "the index has more than %u entries", WA_INDEX_ENTRIES_MAX);
    enum wa_code code = b->is_too_long ? WA_E_LIMIT : wa_control_parse(text, &c, &why);
    if (code == WA_OK)
        return b->entry(b->user, &c, err);
    b->bad++;
    return code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

/* rest: what of it is not aside. */
static enum wa_code end_entry(struct wa_blocks *b, struct wa_sv rest, struct wa_err *err)
{
    bool is_whole = b->aside.n == 0 && !b->is_too_long;
    if (!is_whole)
        put_aside(b, rest);
    if (wa_buf_check(&b->aside, err) != WA_OK ||
        (b->has_lines && take(b, is_whole ? rest : wa_buf_sv(&b->aside), err) != WA_OK))
        return err->code;
    wa_buf_clear(&b->aside);
    b->has_lines = b->is_too_long = false;
    return WA_OK;
}

static enum wa_code write_piece(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct wa_blocks *b = (struct wa_blocks *)sink;
    const char *entry = p, *line = p, *end = line + n;
    b->bytes += n;
    if (b->bytes > WA_INDEX_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "'Packages' is larger than %u bytes", WA_INDEX_BYTES_MAX);
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop == NULL ? end : stop) - line);
        b->is_line_blank = b->is_line_blank && is_blank(wa_sv_n(line, length));
        if (stop == NULL)
            break;
        b->has_lines = b->has_lines || !b->is_line_blank;
        if (b->is_line_blank) {
            if (end_entry(b, wa_sv_n(entry, (size_t)(line - entry)), err) != WA_OK)
                return err->code;
            entry = stop + 1;
        }
        line = stop + 1;
        b->is_line_blank = true;
    }
    if (entry < end)
        put_aside(b, wa_sv_n(entry, (size_t)(end - entry)));
    return wa_buf_check(&b->aside, err);
}

void wa_blocks_init(struct wa_blocks *b, wa_index_entry_fn entry, void *user)
{
    *b = (struct wa_blocks){
        .base = {.write = write_piece}, .entry = entry, .user = user, .is_line_blank = true};
    wa_buf_init(&b->aside, WA_CONTROL_BYTES_MAX);
}

void wa_blocks_fini(struct wa_blocks *b)
{
    wa_buf_fini(&b->aside);
}

enum wa_code wa_blocks_end(struct wa_blocks *b, struct wa_err *err)
{
    b->has_lines = b->has_lines || !b->is_line_blank;
    return end_entry(b, WA_SV(""), err);
}
