/* zip_make.h - a ZIP archive built field by field, so that a test can lie in any one of them. */
#ifndef TEST_CODEC_ZIP_MAKE_H
#define TEST_CODEC_ZIP_MAKE_H

#include "support.h"

struct zip_entry {
    const char *name;
    size_t name_n;    /* 0: strlen */
    const char *data; /* stored as it is: deflated data comes ready made */
    size_t data_n;
    uint16_t flags, method, central_flags;
    uint32_t crc, size; /* size 0: data_n */
    uint32_t attributes;
    uint8_t made_by, version; /* version 0: 20 */
    const char *extra, *local_extra;
    size_t extra_n, local_extra_n;
    const char *after; /* between its data and the next header */
    size_t after_n;
    const char *comment;
    const char *local_name;                       /* NULL: the same */
    uint32_t local_crc, local_packed, local_size; /* XORed into the true values */
    int64_t offset_shift;
};

struct zip_shape {
    const char *before_directory, *before_end, *after_end, *comment;
    int count_shift, disk;
    int64_t offset_shift, size_shift;
    bool zip64;             /* a Zip64 end record and locator, and full fields in the end record */
    bool zip64_keep_fields; /* with real values in the end record */
    int64_t zip64_shift;    /* of the offset in the locator */
    uint64_t zip64_lie;     /* added to the count in the Zip64 end record */
};

static inline void put_bytes(struct wa_buf *b, const char *p, size_t n)
{
    if (p)
        wa_buf_add(b, p, n);
}

static inline void put_local(struct wa_buf *b, const struct zip_entry *e)
{
    const char *name = e->local_name ? e->local_name : e->name;
    size_t name_n = e->local_name || e->name_n == 0 ? strlen(name) : e->name_n;

    wa_buf_u32le(b, 0x04034b50);
    wa_buf_u16le(b, 20);
    wa_buf_u16le(b, e->flags);
    wa_buf_u16le(b, e->method);
    wa_buf_u32le(b, 0x58210000);
    wa_buf_u32le(b, e->crc ^ e->local_crc);
    wa_buf_u32le(b, (uint32_t)e->data_n ^ e->local_packed);
    wa_buf_u32le(b, (e->size ? e->size : (uint32_t)e->data_n) ^ e->local_size);
    wa_buf_u16le(b, (uint16_t)name_n);
    wa_buf_u16le(b, (uint16_t)e->local_extra_n);
    wa_buf_add(b, name, name_n);
    put_bytes(b, e->local_extra, e->local_extra_n);
    put_bytes(b, e->data, e->data_n);
    put_bytes(b, e->after, e->after_n);
}

static inline void put_central(struct wa_buf *b, const struct zip_entry *e, size_t offset)
{
    size_t name_n = e->name_n ? e->name_n : strlen(e->name);

    wa_buf_u32le(b, 0x02014b50);
    wa_buf_u16le(b, (uint16_t)(e->made_by << 8 | 20));
    wa_buf_u16le(b, e->version ? e->version : 20);
    wa_buf_u16le(b, e->central_flags ? e->central_flags : e->flags);
    wa_buf_u16le(b, e->method);
    wa_buf_u32le(b, 0x58210000);
    wa_buf_u32le(b, e->crc);
    wa_buf_u32le(b, (uint32_t)e->data_n);
    wa_buf_u32le(b, e->size ? e->size : (uint32_t)e->data_n);
    wa_buf_u16le(b, (uint16_t)name_n);
    wa_buf_u16le(b, (uint16_t)e->extra_n);
    wa_buf_u16le(b, (uint16_t)strlen(e->comment ? e->comment : ""));
    wa_buf_u16le(b, 0);
    wa_buf_u16le(b, 0);
    wa_buf_u32le(b, e->attributes);
    wa_buf_u32le(b, (uint32_t)((int64_t)offset + e->offset_shift));
    wa_buf_add(b, e->name, name_n);
    put_bytes(b, e->extra, e->extra_n);
    wa_buf_adds(b, e->comment ? e->comment : "");
}

static inline void put_zip64(struct wa_buf *b, const struct zip_shape *s, size_t count,
                             size_t start)
{
    size_t at = b->n;

    wa_buf_u32le(b, 0x06064b50);
    wa_buf_u64le(b, 44);
    wa_buf_u16le(b, 45);
    wa_buf_u16le(b, 45);
    wa_buf_u32le(b, 0);
    wa_buf_u32le(b, 0);
    wa_buf_u64le(b, count + s->zip64_lie);
    wa_buf_u64le(b, count + s->zip64_lie);
    wa_buf_u64le(b, at - start);
    wa_buf_u64le(b, start);
    wa_buf_u32le(b, 0x07064b50);
    wa_buf_u32le(b, 0);
    wa_buf_u64le(b, (uint64_t)((int64_t)at + s->zip64_shift));
    wa_buf_u32le(b, 1);
}

static inline void make_zip(struct wa_buf *b, const struct zip_entry *entries, size_t count,
                            const struct zip_shape *s)
{
    size_t offsets[16], start, size;
    bool is_full = s->zip64 && !s->zip64_keep_fields;

    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = b->n;
        put_local(b, &entries[i]);
    }
    wa_buf_adds(b, s->before_directory ? s->before_directory : "");
    start = b->n;
    for (size_t i = 0; i < count; i++)
        put_central(b, &entries[i], offsets[i]);
    size = b->n - start;
    if (s->zip64)
        put_zip64(b, s, count, start);
    wa_buf_adds(b, s->before_end ? s->before_end : "");
    wa_buf_u32le(b, 0x06054b50);
    wa_buf_u16le(b, (uint16_t)s->disk);
    wa_buf_u16le(b, 0);
    wa_buf_u16le(b, is_full ? 0xffff : (uint16_t)((int)count + s->count_shift));
    wa_buf_u16le(b, is_full ? 0xffff : (uint16_t)((int)count + s->count_shift));
    wa_buf_u32le(b, is_full ? 0xffffffff : (uint32_t)((int64_t)size + s->size_shift));
    wa_buf_u32le(b, is_full ? 0xffffffff : (uint32_t)((int64_t)start + s->offset_shift));
    wa_buf_u16le(b, (uint16_t)strlen(s->comment ? s->comment : ""));
    wa_buf_adds(b, s->comment ? s->comment : "");
    wa_buf_adds(b, s->after_end ? s->after_end : "");
    assert_int_equal(b->failed, WA_OK);
}

#endif
