/* index.c - a Packages file of a stranger: the same in whatever pieces it comes; read, judged
 * without anchors, nothing of it stays; loaded as it was saved. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text of Packages without its archive, so that its lines are reached. */
struct text_members {
    struct wa_members base;
    struct wa_member item;
    const uint8_t *data;
    size_t piece; /* bytes at a time */
};

static enum wa_code read_text(struct wa_members *self, size_t i, struct wa_sink *sink,
                              struct wa_err *err)
{
    const struct text_members *t = (const struct text_members *)self;
    WA_UNUSED(i);
    for (size_t at = 0; at < t->item.size; at += t->piece) {
        size_t left = (size_t)t->item.size - at;
        if (sink->write(sink, t->data + at, left < t->piece ? left : t->piece, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code note(void *user, struct wa_control *c, struct wa_err *err)
{
    return wa_digest_add(user, c->block, c->block_size, err);
}

/* Which entries there are, whole or in pieces. */
static void check_pieces(struct text_members *t)
{
    char hex[2][WA_DIGEST_HEX_MAX] = {"", ""};
    size_t bad[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        WA_AUTO(wa_digest) struct wa_digest *d = NULL;
        struct wa_err err = WA_ERR_INIT;
        t->piece = i == 0 ? (size_t)t->item.size + 1 : 5;
        if (wa_digest_new(WA_SHA256, &d, &err) != WA_OK ||
            wa_index_each(&t->base, note, d, &bad[i], &err) != WA_OK ||
            wa_digest_hex(d, hex[i], &err) != WA_OK)
            return;
    }
    if (strcmp(hex[0], hex[1]) != 0 || bad[0] != bad[1])
        abort();
}

static void check_saved(const struct wa_index *ix, size_t bad)
{
    static const char of[] = "0000000000000000000000000000000000000000000000000000000000000000";
    WA_AUTO_BUF struct wa_buf saved;
    WA_AUTO_INDEX struct wa_index back;
    struct wa_err err = WA_ERR_INIT;
    size_t bad_back = 0;
    wa_index_init(&back);
    wa_buf_init(&saved, WA_INDEX_BYTES_MAX);
    if (wa_index_save(ix, bad, of, &saved, &err) != WA_OK)
        return;
    if (wa_index_load(wa_buf_sv(&saved), of, &back, &bad_back, &err) != WA_OK || bad != bad_back ||
        back.n != ix->n || back.certs.n != ix->certs.n ||
        (ix->n > 0 && memcmp(back.digests, ix->digests, ix->n * sizeof ix->digests[0]) != 0))
        abort();
}

static void judge(struct wa_members *members)
{
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO(wa_trust) struct wa_trust *none = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    wa_index_init(&ix);
    if (wa_index_read_digests(members, &ix, &bad, &err) != WA_OK)
        return;
    size_t count = ix.n;
    check_saved(&ix, bad);
    if (wa_trust_new(&none, &err) != WA_OK)
        return;
    if (wa_index_keep_trusted(&ix, none, 1796040000, NULL, NULL, NULL, &gone, &err) == WA_OK &&
        (ix.n != 0 || gone != count))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *archive = NULL;
    struct text_members t = {.item = {.name = {"Packages", 8}, .size = size}, .data = data};
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    t.base = (struct wa_members){&t.item, 1, read_text};
    check_pieces(&t);
    judge(&t.base);
    wa_mem_source_init(&source, data, size);
    if (wa_archive_members_open(&source.base, &archive, &err) == WA_OK)
        judge(wa_archive_members_get(archive));
    return 0;
}
