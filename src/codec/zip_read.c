/* zip_read.c - the content of one member: copied or inflated, its size and CRC checked.
 *
 * Small members are inflated at once by libdeflate, which is faster; large ones through a window by
 * zlib, so that memory is bounded whatever the archive says. A member's deflate stream must end
 * where its bytes end.
 */
#include "codec/zip_read.h"

#include <libdeflate.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/zip_priv.h"

/* Up to here a member is inflated in memory: at most twice this is held at once. */
#define WHOLE_BYTES_MAX (32u << 20)

/* What has come out so far. */
struct output {
    struct wa_sink *sink;
    const struct wa_zip_member *m;
    uint64_t n;
    uint32_t crc;
};

static enum wa_code damaged(struct wa_err *err, const char *why)
{
    return wa_fail(err, WA_E_INVALID, "damaged, or not what the archive says: %s", wa_text(why));
}

static enum wa_code emit(struct output *out, const uint8_t *p, size_t n, struct wa_err *err)
{
    if (n > out->m->size - out->n)
        return damaged(err, "longer than its size");
    out->n += n;
    out->crc = libdeflate_crc32(out->crc, p, n);
    return n > 0 ? out->sink->write(out->sink, p, n, err) : WA_OK;
}

static enum wa_code check_output(const struct output *out, struct wa_err *err)
{
    if (out->n != out->m->size)
        return damaged(err, "shorter than its size");
    if (out->crc != out->m->crc)
        return damaged(err, "wrong CRC");
    return WA_OK;
}

static enum wa_code copy_stored(struct wa_zip *zip, struct output *out, uint8_t *chunk,
                                struct wa_err *err)
{
    const struct wa_zip_member *m = out->m;

    for (uint64_t at = 0; at < m->packed_size;) {
        size_t n = m->packed_size - at < WA_ZIP_CHUNK_BYTES ? (size_t)(m->packed_size - at)
                                                            : WA_ZIP_CHUNK_BYTES;
        enum wa_code code = zip->source->read_at(zip->source, m->data_offset + at, chunk, n, err);
        if (code == WA_OK)
            code = emit(out, chunk, n, err);
        if (code != WA_OK)
            return code;
        at += n;
    }
    return WA_OK;
}

/* packed and whole: packed_size and size bytes. */
static enum wa_code inflate_whole(struct wa_zip *zip, struct output *out, uint8_t *packed,
                                  uint8_t *whole, struct wa_err *err)
{
    const struct wa_zip_member *m = out->m;
    size_t used = 0, made = 0;
    enum wa_code code =
        zip->source->read_at(zip->source, m->data_offset, packed, (size_t)m->packed_size, err);

    if (code != WA_OK)
        return code;
    if (!zip->inflater)
        zip->inflater = libdeflate_alloc_decompressor();
    if (!zip->inflater)
        return wa_nomem(err);
    switch (libdeflate_deflate_decompress_ex(zip->inflater, packed, (size_t)m->packed_size, whole,
                                             (size_t)m->size, &used, &made)) {
    case LIBDEFLATE_SUCCESS:
        break;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return damaged(err, "longer than its size");
    case LIBDEFLATE_BAD_DATA:
    case LIBDEFLATE_SHORT_OUTPUT:
        return damaged(err, "no deflate stream");
    }
    if (used != m->packed_size)
        return damaged(err, "something hides after its deflate stream");
    return emit(out, whole, made, err);
}

static enum wa_code inflate_in_memory(struct wa_zip *zip, struct output *out, struct wa_err *err)
{
    uint8_t *packed = wa_realloc(NULL, (size_t)out->m->packed_size + 1, 1);
    uint8_t *whole = wa_realloc(NULL, (size_t)out->m->size + 1, 1);
    enum wa_code code;

    if (packed && whole)
        code = inflate_whole(zip, out, packed, whole, err);
    else
        code = wa_nomem(err);
    wa_free(packed);
    wa_free(whole);
    return code;
}

/* in and what follows it: two chunks. */
static enum wa_code inflate_stream(struct wa_zip *zip, struct output *out, z_stream *z, uint8_t *in,
                                   struct wa_err *err)
{
    const struct wa_zip_member *m = out->m;
    uint8_t *made = in + WA_ZIP_CHUNK_BYTES;
    uint64_t at = 0;
    int status = Z_OK;

    while (status != Z_STREAM_END) {
        enum wa_code code = WA_OK;
        if (z->avail_in == 0 && at < m->packed_size) {
            size_t n = m->packed_size - at < WA_ZIP_CHUNK_BYTES ? (size_t)(m->packed_size - at)
                                                                : WA_ZIP_CHUNK_BYTES;
            code = zip->source->read_at(zip->source, m->data_offset + at, in, n, err);
            at += n;
            z->next_in = in;
            z->avail_in = (uInt)n;
        }
        if (code != WA_OK)
            return code;
        z->next_out = made;
        z->avail_out = WA_ZIP_CHUNK_BYTES;
        status = inflate(z, Z_NO_FLUSH);
        if (status == Z_MEM_ERROR)
            return wa_nomem(err);
        /* Z_BUF_ERROR: all bytes are used up and the stream still wants more. */
        if (status != Z_OK && status != Z_STREAM_END)
            return damaged(err, status == Z_BUF_ERROR ? "cut short" : "no deflate stream");
        code = emit(out, made, WA_ZIP_CHUNK_BYTES - z->avail_out, err);
        if (code != WA_OK)
            return code;
    }
    if (at != m->packed_size || z->avail_in != 0)
        return damaged(err, "something hides after its deflate stream");
    return WA_OK;
}

static enum wa_code inflate_windowed(struct wa_zip *zip, struct output *out, uint8_t *chunks,
                                     struct wa_err *err)
{
    z_stream z = {0};
    enum wa_code code;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return wa_nomem(err);
    code = inflate_stream(zip, out, &z, chunks, err);
    (void)inflateEnd(&z);
    return code;
}

static enum wa_code read_member(struct wa_zip *zip, struct output *out, struct wa_err *err)
{
    const struct wa_zip_member *m = out->m;
    uint8_t *chunks;
    enum wa_code code;

    if (!zip->is_frugal && m->method == WA_ZIP_DEFLATED && m->size < WHOLE_BYTES_MAX &&
        m->packed_size < WHOLE_BYTES_MAX)
        return inflate_in_memory(zip, out, err);
    chunks = wa_realloc(NULL, 2, WA_ZIP_CHUNK_BYTES);
    if (!chunks)
        return wa_nomem(err);
    code = m->method == WA_ZIP_STORED ? copy_stored(zip, out, chunks, err)
                                      : inflate_windowed(zip, out, chunks, err);
    wa_free(chunks);
    return code;
}

void wa_zip_spare_memory(struct wa_zip *zip)
{
    zip->is_frugal = true;
}

enum wa_code wa_zip_read(struct wa_zip *zip, const struct wa_zip_member *m, struct wa_sink *sink,
                         struct wa_err *err)
{
    struct output out = {.sink = sink, .m = m};
    enum wa_code code = read_member(zip, &out, err);

    if (code == WA_OK)
        code = check_output(&out, err);
    return code == WA_OK ? WA_OK : wa_wrap(err, "reading member '%.200s'", m->name.p);
}
