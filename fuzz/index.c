/* index.c - a Packages file of a stranger: read, judged without anchors, nothing of it stays. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text of Packages without its archive, so that its lines are reached. */
struct text_members {
    struct wa_members base;
    struct wa_member item;
    const uint8_t *data;
};

static enum wa_code read_text(struct wa_members *self, size_t i, struct wa_sink *sink,
                              struct wa_err *err)
{
    const struct text_members *t = (const struct text_members *)self;
    WA_UNUSED(i);
    return sink->write(sink, t->data, (size_t)t->item.size, err);
}

static void judge(struct wa_members *members)
{
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO(wa_trust) struct wa_trust *none = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    wa_index_init(&ix);
    if (wa_index_read(members, &ix, &bad, &err) != WA_OK)
        return;
    size_t count = ix.n;
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
    judge(&t.base);
    wa_mem_source_init(&source, data, size);
    if (wa_archive_members_open(&source.base, &archive, &err) == WA_OK)
        judge(wa_archive_members_get(archive));
    return 0;
}
