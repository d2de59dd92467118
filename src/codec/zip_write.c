/* zip_write.c - an archive written front to back, the same bytes for the same members.
 *
 * A header comes before its data and carries the sizes: it is written twice, the second time over
 * the first, when they are known. Where it may need Zip64's record is decided before, from what the
 * content can be at most, so that both are as long. Invariant: what has been written is a run of
 * whole members, at most one of which is open, or the writer has failed and takes nothing more.
 */
#include "codec/zip_write.h"

#define ZLIB_CONST /* its input is const */
#include <libdeflate.h>
#include <stddef.h>
#include <zlib.h>

#include "base/date.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/zip_priv.h"

/* Level and memory level decide the bytes: never change them. */
enum { DEFLATE_LEVEL = 6, DEFLATE_MEM_LEVEL = 8 };

#define MODE_FILE 0100000u
#define VERSION_PLAIN 20u
#define VERSION_ZIP64 45u
#define MADE_BY_UNIX (3u << 8)

struct entry {
    char *name;
    uint16_t flags, method;
    bool is_zip64; /* the local header is */
    uint32_t crc, mode;
    uint64_t packed_size, size, offset;
};

struct wa_zip_writer {
    struct wa_sink *sink;
    uint64_t at; /* bytes written */
    uint32_t dos_time;
    bool is_closed;         /* finished, or failed half-way */
    bool is_open;           /* the last entry takes content */
    struct wa_sink content; /* takes it */
    uint64_t content_max;   /* bytes that it may have */
    z_stream z;
    uint8_t *chunks; /* NULL: z is not made; else two of WA_ZIP_CHUNK_BYTES, read and deflated */
    struct {
        WA_VEC(struct entry);
    } entries;
    struct wa_map names; /* folded names; value: this writer for a file, &dos_time for a directory
                            above one */
};

/* UTC, even seconds, within what the format holds. */
static uint32_t dos_time(int64_t seconds)
{
    int d[6];
    uint32_t day, time;

    if (seconds < wa_date_from_civil(1980, 1, 1, 0, 0, 0))
        seconds = wa_date_from_civil(1980, 1, 1, 0, 0, 0);
    if (seconds > wa_date_from_civil(2107, 12, 31, 23, 59, 58))
        seconds = wa_date_from_civil(2107, 12, 31, 23, 59, 58);
    wa_date_to_civil(seconds, d);
    day = (uint32_t)((d[0] - 1980) << 9 | d[1] << 5 | d[2]);
    time = (uint32_t)(d[3] << 11 | d[4] << 5 | d[5] / 2);
    return day << 16 | time;
}

enum wa_code wa_zip_writer_new(struct wa_sink *sink, int64_t mtime, uint64_t seed,
                               struct wa_zip_writer **ret, struct wa_err *err)
{
    struct wa_zip_writer *w = sink->write_at == NULL ? NULL : wa_calloc(1, sizeof(*w));

    if (sink->write_at == NULL)
        return wa_fail(err, WA_E_INTERNAL, "an archive needs a sink that can go back");
    if (!w)
        return wa_nomem(err);
    w->sink = sink;
    w->dos_time = dos_time(mtime);
    wa_map_init(&w->names, seed);
    *ret = w;
    return WA_OK;
}

void wa_zip_writer_free(struct wa_zip_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->entries.n; i++)
        wa_free(w->entries.items[i].name);
    WA_VEC_FREE(&w->entries);
    wa_map_fini(&w->names);
    if (w->chunks)
        (void)deflateEnd(&w->z);
    wa_free(w->chunks);
    wa_free(w);
}

static enum wa_code emit(struct wa_zip_writer *w, const void *p, size_t n, struct wa_err *err)
{
    enum wa_code code = n > 0 ? w->sink->write(w->sink, p, n, err) : WA_OK;

    if (code == WA_OK)
        w->at += n;
    return code;
}

static enum wa_code emit_buf(struct wa_zip_writer *w, struct wa_buf *b, struct wa_err *err)
{
    enum wa_code code = wa_buf_check(b, err);

    return code == WA_OK ? emit(w, b->p, b->n, err) : code;
}

static bool is_large(uint64_t v)
{
    return v >= WA_ZIP_U32_MAX;
}

static void put_clamped(struct wa_buf *b, uint64_t v)
{
    wa_buf_u32le(b, is_large(v) ? WA_ZIP_U32_MAX : (uint32_t)v);
}

/* From "version needed" to the CRC: the same in both headers. */
static void put_common(struct wa_buf *b, const struct wa_zip_writer *w, const struct entry *e,
                       bool is_zip64)
{
    wa_buf_u16le(b, is_zip64 ? VERSION_ZIP64 : VERSION_PLAIN);
    wa_buf_u16le(b, e->flags);
    wa_buf_u16le(b, e->method);
    wa_buf_u32le(b, w->dos_time);
    wa_buf_u32le(b, e->crc);
}

static enum wa_code put_local(struct wa_buf *b, const struct wa_zip_writer *w,
                              const struct entry *e, struct wa_err *err)
{
    wa_buf_u32le(b, WA_ZIP_SIG_LOCAL);
    put_common(b, w, e, e->is_zip64);
    /* A local Zip64 record has both sizes, so both fields point to it. */
    wa_buf_u32le(b, e->is_zip64 ? WA_ZIP_U32_MAX : (uint32_t)e->packed_size);
    wa_buf_u32le(b, e->is_zip64 ? WA_ZIP_U32_MAX : (uint32_t)e->size);
    wa_buf_u16le(b, (uint16_t)strlen(e->name));
    wa_buf_u16le(b, e->is_zip64 ? 20 : 0);
    wa_buf_adds(b, e->name);
    if (e->is_zip64) {
        wa_buf_u16le(b, WA_ZIP_EXTRA_ZIP64);
        wa_buf_u16le(b, 16);
        wa_buf_u64le(b, e->size);
        wa_buf_u64le(b, e->packed_size);
    }
    return wa_buf_check(b, err);
}

/* Once sizes and CRC are known, over what was written before. */
static enum wa_code emit_local(struct wa_zip_writer *w, const struct entry *e, bool again,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b;

    wa_buf_init(&b, WA_ZIP_LOCAL_BYTES + WA_RELPATH_MAX + 64);
    if (put_local(&b, w, e, err) != WA_OK)
        return err->code;
    return again ? w->sink->write_at(w->sink, e->offset, b.p, b.n, err) : emit(w, b.p, b.n, err);
}

static enum wa_code emit_central(struct wa_zip_writer *w, const struct entry *e, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b;
    const uint64_t wide[3] = {e->size, e->packed_size, e->offset};
    unsigned wide_count = 0;

    for (size_t i = 0; i < WA_COUNT(wide); i++)
        wide_count += is_large(wide[i]) ? 1 : 0;
    wa_buf_init(&b, WA_ZIP_CENTRAL_BYTES + WA_RELPATH_MAX + 64);
    wa_buf_u32le(&b, WA_ZIP_SIG_CENTRAL);
    wa_buf_u16le(&b, MADE_BY_UNIX | (wide_count > 0 ? VERSION_ZIP64 : VERSION_PLAIN));
    put_common(&b, w, e, wide_count > 0);
    put_clamped(&b, e->packed_size);
    put_clamped(&b, e->size);
    wa_buf_u16le(&b, (uint16_t)strlen(e->name));
    wa_buf_u16le(&b, wide_count > 0 ? (uint16_t)(4 + 8 * wide_count) : 0);
    wa_buf_u16le(&b, 0); /* comment */
    wa_buf_u16le(&b, 0); /* volume */
    wa_buf_u16le(&b, 0); /* internal attributes */
    wa_buf_u32le(&b, (MODE_FILE | e->mode) << 16);
    put_clamped(&b, e->offset);
    wa_buf_adds(&b, e->name);
    if (wide_count > 0) {
        wa_buf_u16le(&b, WA_ZIP_EXTRA_ZIP64);
        wa_buf_u16le(&b, (uint16_t)(8 * wide_count));
    }
    for (size_t i = 0; i < WA_COUNT(wide); i++) {
        if (is_large(wide[i]))
            wa_buf_u64le(&b, wide[i]);
    }
    return emit_buf(w, &b, err);
}

/* --- content --- */

/* What is in z's input, deflated. */
static enum wa_code run_deflate(struct wa_zip_writer *w, int flush, struct wa_err *err)
{
    uint8_t *made = w->chunks + WA_ZIP_CHUNK_BYTES;

    do {
        w->z.next_out = made;
        w->z.avail_out = WA_ZIP_CHUNK_BYTES;
        int status = deflate(&w->z, flush);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return wa_fail(err, WA_E_INTERNAL, "cannot deflate: zlib says %d", status);
        if (emit(w, made, WA_ZIP_CHUNK_BYTES - w->z.avail_out, err) != WA_OK)
            return err->code;
    } while (w->z.avail_out == 0);
    return WA_OK;
}

static enum wa_code take_content(struct wa_zip_writer *w, const uint8_t *p, size_t n,
                                 struct wa_err *err)
{
    struct entry *e = &w->entries.items[w->entries.n - 1];

    if (!w->is_open || n > w->content_max - e->size)
        return wa_fail(err, WA_E_LIMIT, "it is larger than %llu bytes",
                       (unsigned long long)w->content_max);
    e->size += n;
    e->crc = libdeflate_crc32(e->crc, p, n);
    while (n > 0) {
        uInt part = n < WA_ZIP_CHUNK_BYTES ? (uInt)n : WA_ZIP_CHUNK_BYTES;
        w->z.next_in = p;
        w->z.avail_in = part;
        if (run_deflate(w, Z_NO_FLUSH, err) != WA_OK)
            return err->code;
        p += part;
        n -= part;
    }
    return WA_OK;
}

static enum wa_code write_content(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct wa_zip_writer *w =
        (struct wa_zip_writer *)(void *)((char *)sink - offsetof(struct wa_zip_writer, content));
    enum wa_code code = take_content(w, p, n, err);

    w->is_closed = w->is_closed || code != WA_OK;
    return code;
}

static enum wa_code start_deflate(struct wa_zip_writer *w, struct wa_err *err)
{
    if (w->chunks) {
        (void)deflateReset(&w->z);
        return WA_OK;
    }
    uint8_t *chunks = wa_calloc(2, WA_ZIP_CHUNK_BYTES);
    if (!chunks)
        return wa_nomem(err);
    if (deflateInit2(&w->z, DEFLATE_LEVEL, Z_DEFLATED, -MAX_WBITS, DEFLATE_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        wa_free(chunks);
        return wa_nomem(err);
    }
    w->chunks = chunks;
    return WA_OK;
}

/* --- members --- */

/* Marks the directories above name, so that no file takes the place of one. */
static enum wa_code claim_parents(struct wa_zip_writer *w, const char *folded, struct wa_err *err)
{
    for (const char *slash = strchr(folded, '/'); slash; slash = strchr(slash + 1, '/')) {
        struct wa_sv parent = wa_sv_n(folded, (size_t)(slash - folded));
        void *old = wa_map_get(&w->names, parent);
        if (old == w)
            return wa_fail(err, WA_E_EXISTS, "'%.*s' is a file already", WA_SV_ARG(parent));
        if (!old) {
            enum wa_code code = wa_map_put(&w->names, parent, &w->dos_time, &old, err);
            if (code != WA_OK)
                return code;
        }
    }
    return WA_OK;
}

/* A new entry at the end of the list, with its name claimed. */
static enum wa_code add_entry(struct wa_zip_writer *w, const struct wa_relpath *name, uint32_t mode,
                              struct entry **ret, struct wa_err *err)
{
    char folded[WA_RELPATH_MAX + 1];
    void *old = NULL;
    struct entry *e;
    char *copy;
    enum wa_code code;

    if (w->is_closed || w->is_open)
        return wa_fail(err, WA_E_INTERNAL,
                       "the archive is finished, has failed before, or has a member open");
    if (w->entries.n == WA_ZIP_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u members", WA_ZIP_MEMBERS_MAX);
    wa_relpath_fold(name, folded);
    if (wa_map_get(&w->names, wa_sv(folded)))
        return wa_fail(err, WA_E_EXISTS,
                       "a member of that name, or that differs only in case, is "
                       "there already");
    copy = wa_strndup(name->p, name->n);
    if (!copy)
        return wa_nomem(err);
    e = WA_VEC_PUSH(&w->entries);
    if (!e) {
        wa_free(copy);
        return wa_nomem(err);
    }
    e->name = copy;
    e->mode = mode & 0777;
    e->offset = w->at;
    for (size_t i = 0; i < name->n; i++)
        e->flags = (uint8_t)name->p[i] >= 0x80 ? WA_ZIP_FLAG_UTF8 : e->flags;
    code = claim_parents(w, folded, err);
    if (code == WA_OK)
        code = wa_map_put(&w->names, wa_sv(folded), w, &old, err);
    if (code != WA_OK) {
        wa_free(copy);
        w->entries.n--;
        return code;
    }
    *ret = e;
    return WA_OK;
}

/* Deflate makes nothing longer than by a byte in a thousand. */
static bool may_need_zip64(uint64_t max_bytes)
{
    return is_large(max_bytes + max_bytes / 1000 + 1000);
}

static enum wa_code begin(struct wa_zip_writer *w, const struct wa_relpath *name, uint32_t mode,
                          uint64_t max_bytes, struct wa_err *err)
{
    struct entry *e = NULL;
    enum wa_code code = add_entry(w, name, mode, &e, err);

    if (code != WA_OK)
        return code;
    e->method = WA_ZIP_DEFLATED;
    e->is_zip64 = may_need_zip64(max_bytes);
    w->content_max = max_bytes;
    w->is_open = true;
    code = start_deflate(w, err);
    if (code == WA_OK)
        code = emit_local(w, e, false, err);
    w->is_closed = code != WA_OK;
    return code;
}

enum wa_code wa_zip_begin(struct wa_zip_writer *w, const struct wa_relpath *name, uint32_t mode,
                          uint64_t max_bytes, struct wa_sink **ret_sink, struct wa_err *err)
{
    enum wa_code code = begin(w, name, mode, max_bytes, err);

    if (code != WA_OK)
        return wa_wrap(err, "cannot add '%.200s' to the archive", name->p);
    w->content.write = write_content;
    *ret_sink = &w->content;
    return WA_OK;
}

static enum wa_code end(struct wa_zip_writer *w, struct wa_err *err)
{
    struct entry *e = &w->entries.items[w->entries.n - 1];
    uint64_t head = WA_ZIP_LOCAL_BYTES + strlen(e->name) + (e->is_zip64 ? 20 : 0);
    enum wa_code code = run_deflate(w, Z_FINISH, err);

    if (code != WA_OK)
        return code;
    e->packed_size = w->at - e->offset - head;
    return emit_local(w, e, true, err);
}

enum wa_code wa_zip_end(struct wa_zip_writer *w, struct wa_err *err)
{
    if (!w->is_open || w->is_closed)
        return wa_fail(err, WA_E_INTERNAL, "no member of the archive is open");
    enum wa_code code = end(w, err);
    w->is_open = false;
    w->is_closed = code != WA_OK;
    return code == WA_OK ? WA_OK
                         : wa_wrap(err, "cannot add '%.200s' to the archive",
                                   w->entries.items[w->entries.n - 1].name);
}

static enum wa_code add_content(struct wa_zip_writer *w, const struct wa_relpath *name,
                                uint32_t mode, struct wa_source *content, struct wa_err *err)
{
    enum wa_code code = begin(w, name, mode, content->size, err);

    if (code != WA_OK)
        return code;
    for (uint64_t at = 0; code == WA_OK && at < content->size;) {
        uint64_t left = content->size - at;
        size_t n = left < WA_ZIP_CHUNK_BYTES ? (size_t)left : WA_ZIP_CHUNK_BYTES;
        code = content->read_at(content, at, w->chunks, n, err);
        if (code == WA_OK)
            code = take_content(w, w->chunks, n, err);
        at += n;
    }
    if (code == WA_OK)
        code = end(w, err);
    w->is_open = false;
    w->is_closed = code != WA_OK;
    return code;
}

enum wa_code wa_zip_add(struct wa_zip_writer *w, const struct wa_relpath *name, uint32_t mode,
                        struct wa_source *content, struct wa_err *err)
{
    enum wa_code code = add_content(w, name, mode, content, err);

    return code == WA_OK ? WA_OK : wa_wrap(err, "cannot add '%.200s' to the archive", name->p);
}

enum wa_code wa_zip_add_bytes(struct wa_zip_writer *w, const struct wa_relpath *name, uint32_t mode,
                              struct wa_sv content, struct wa_err *err)
{
    struct wa_mem_source source;

    wa_mem_source_init(&source, content.p, content.n);
    return wa_zip_add(w, name, mode, &source.base, err);
}

static enum wa_code copy_bytes(struct wa_zip_writer *w, struct wa_source *from, uint64_t offset,
                               uint64_t size, struct wa_err *err)
{
    uint8_t *chunk = wa_calloc(1, WA_ZIP_CHUNK_BYTES);
    enum wa_code code = WA_OK;

    if (!chunk)
        return wa_nomem(err);
    while (code == WA_OK && size > 0) {
        size_t n = size < WA_ZIP_CHUNK_BYTES ? (size_t)size : WA_ZIP_CHUNK_BYTES;
        code = from->read_at(from, offset, chunk, n, err);
        if (code == WA_OK)
            code = emit(w, chunk, n, err);
        offset += n;
        size -= n;
    }
    wa_free(chunk);
    return code;
}

static enum wa_code copy_member(struct wa_zip_writer *w, struct wa_zip *from,
                                const struct wa_zip_member *m, struct wa_err *err)
{
    struct entry *e = NULL;
    enum wa_code code;

    if (m->is_dir)
        return wa_fail(err, WA_E_INVALID, "it is a directory");
    code = add_entry(w, &m->name, m->unix_mode != 0 ? m->unix_mode : 0644, &e, err);
    if (code != WA_OK)
        return code;
    e->method = m->method;
    e->crc = m->crc;
    e->size = m->size;
    e->packed_size = m->packed_size;
    e->is_zip64 = is_large(e->size) || is_large(e->packed_size);
    code = emit_local(w, e, false, err);
    if (code == WA_OK)
        code = copy_bytes(w, from->source, m->data_offset, m->packed_size, err);
    w->is_closed = code != WA_OK;
    return code;
}

enum wa_code wa_zip_copy(struct wa_zip_writer *w, struct wa_zip *from,
                         const struct wa_zip_member *m, struct wa_err *err)
{
    enum wa_code code = copy_member(w, from, m, err);

    return code == WA_OK ? WA_OK : wa_wrap(err, "cannot copy '%.200s' to the archive", m->name.p);
}

static void put_end64(struct wa_buf *b, uint64_t count, uint64_t start, uint64_t size)
{
    wa_buf_u32le(b, WA_ZIP_SIG_END64);
    wa_buf_u64le(b, WA_ZIP_END64_BYTES - 12);
    wa_buf_u16le(b, MADE_BY_UNIX | VERSION_ZIP64);
    wa_buf_u16le(b, VERSION_ZIP64);
    wa_buf_u32le(b, 0); /* volumes */
    wa_buf_u32le(b, 0);
    wa_buf_u64le(b, count);
    wa_buf_u64le(b, count);
    wa_buf_u64le(b, size);
    wa_buf_u64le(b, start);
    wa_buf_u32le(b, WA_ZIP_SIG_LOCATOR64);
    wa_buf_u32le(b, 0);
    wa_buf_u64le(b, start + size);
    wa_buf_u32le(b, 1);
}

static enum wa_code finish(struct wa_zip_writer *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b;
    uint64_t start = w->at, size, count = w->entries.n;
    uint16_t small_count = count >= WA_ZIP_U16_MAX ? WA_ZIP_U16_MAX : (uint16_t)count;

    wa_buf_init(&b, 256);
    for (size_t i = 0; i < w->entries.n; i++) {
        enum wa_code code = emit_central(w, &w->entries.items[i], err);
        if (code != WA_OK)
            return code;
    }
    size = w->at - start;
    if (count >= WA_ZIP_U16_MAX || is_large(start) || is_large(size))
        put_end64(&b, count, start, size);
    wa_buf_u32le(&b, WA_ZIP_SIG_END);
    wa_buf_u16le(&b, 0); /* volumes */
    wa_buf_u16le(&b, 0);
    wa_buf_u16le(&b, small_count);
    wa_buf_u16le(&b, small_count);
    put_clamped(&b, size);
    put_clamped(&b, start);
    wa_buf_u16le(&b, 0); /* comment */
    return emit_buf(w, &b, err);
}

enum wa_code wa_zip_finish(struct wa_zip_writer *w, struct wa_err *err)
{
    enum wa_code code;

    if (w->is_closed || w->is_open)
        return wa_fail(err, WA_E_INTERNAL,
                       "cannot finish the archive: it is finished, has failed before, or has a "
                       "member open");
    code = finish(w, err);
    w->is_closed = true;
    return code == WA_OK ? WA_OK : wa_wrap(err, "cannot finish the archive");
}
