/* stream.h - where bytes come from and go to, as two small interfaces.
 *
 * Readers and writers are embedded as first member in the struct that implements
 * them. Tests have doubles that fail at byte N.
 */
#ifndef WA_BASE_STREAM_H
#define WA_BASE_STREAM_H

#include "base/sv.h"

/* Random access, as an archive needs it. */
struct wa_source {
    uint64_t size; /* bytes; fixed for the life of the source */
    /* Fills exactly n bytes from offset, or fails (reading past the end is WA_E_INVALID). */
    enum wa_code (*read_at)(struct wa_source *s, uint64_t offset, void *p, size_t n,
                            struct wa_err *err);
};

/* Accepts bytes in order. */
struct wa_sink {
    enum wa_code (*write)(struct wa_sink *s, const void *p, size_t n, struct wa_err *err);
    /* Writes over what was accepted before, offset counted from the first byte of the file or
     * buffer; NULL where nobody can go back. */
    enum wa_code (*write_at)(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                             struct wa_err *err);
};

/* A source over memory; the memory stays the caller's. */
struct wa_mem_source {
    struct wa_source base;
    const uint8_t *p;
};
void wa_mem_source_init(struct wa_mem_source *s, const void *p, size_t n);

/* A sink into a buffer; the buffer's cap holds. */
struct wa_buf;
struct wa_buf_sink {
    struct wa_sink base;
    struct wa_buf *b;
};
void wa_buf_sink_init(struct wa_buf_sink *s, struct wa_buf *b);

#endif
