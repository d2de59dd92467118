/* stream.c - the two stream ends that live in memory. */
#include "base/stream.h"

#include "base/buf.h"

static enum wa_code mem_read(struct wa_source *s, uint64_t offset, void *p, size_t n,
                             struct wa_err *err)
{
    const struct wa_mem_source *m = (const struct wa_mem_source *)s;
    if (offset > s->size || n > s->size - offset)
        return wa_fail(err, WA_E_INVALID, "reading past the end (%zu bytes at %llu of %llu)", n,
                       (unsigned long long)offset, (unsigned long long)s->size);
    if (n > 0)
        memcpy(p, m->p + offset, n);
    return WA_OK;
}

void wa_mem_source_init(struct wa_mem_source *s, const void *p, size_t n)
{
    *s = (struct wa_mem_source){.base = {.size = n, .read_at = mem_read}, .p = p};
}

static enum wa_code buf_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct wa_buf *b = ((struct wa_buf_sink *)s)->b;
    wa_buf_add(b, p, n);
    return wa_buf_check(b, err);
}

static enum wa_code buf_write_at(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                                 struct wa_err *err)
{
    struct wa_buf *b = ((struct wa_buf_sink *)s)->b;
    if (offset > b->n || n > b->n - offset)
        return wa_fail(err, WA_E_INTERNAL, "writing over more than there is");
    if (n > 0)
        memcpy(b->p + offset, p, n);
    return WA_OK;
}

void wa_buf_sink_init(struct wa_buf_sink *s, struct wa_buf *b)
{
    *s = (struct wa_buf_sink){.base = {.write = buf_write, .write_at = buf_write_at}, .b = b};
}
