/* xar.c - see xar.h. Every number of the archive is checked against the file before it is used. */
#include "codec/xar.h"

#include <libdeflate.h>
#include <string.h>

#include "base/limits.h"
#include "codec/xml.h"

#define HEAD_BYTES 28u
#define LEVELS 2u /* of folders that are looked into */

/* What the table says of one member, in whatever order. */
struct entry {
    uint64_t offset, packed_size, size; /* bytes */
    bool is_named, has_offset, has_packed_size, has_size, has_encoding, is_packed;
};

struct search {
    const char *name;
    struct entry open[LEVELS];
    struct entry found; /* is_named: it is */
};

static enum wa_code invalid(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "a damaged archive of macOS");
}

static uint64_t number_at(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static enum wa_code inflate(struct wa_sv packed, size_t size, struct wa_buf *out,
                            struct wa_err *err)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    void *p = wa_buf_reserve(out, size + 1);
    if (d == NULL || p == NULL) {
        libdeflate_free_decompressor(d);
        return d == NULL ? wa_nomem(err) : wa_buf_check(out, err);
    }
    enum libdeflate_result r = libdeflate_zlib_decompress(d, packed.p, packed.n, p, size, NULL);
    libdeflate_free_decompressor(d);
    if (r != LIBDEFLATE_SUCCESS)
        return invalid(err);
    wa_buf_advance(out, size);
    return WA_OK;
}

/* n bytes at offset, of which size come out when they are packed. */
static enum wa_code read_bytes(struct wa_source *file, uint64_t offset, uint64_t n, uint64_t size,
                               bool is_packed, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_XML_BYTES_MAX + 1);
    if (offset > file->size || n > file->size - offset || n == 0)
        return invalid(err);
    if (n > WA_XML_BYTES_MAX || size > WA_XML_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u bytes in an archive of macOS",
                       WA_XML_BYTES_MAX);
    void *p = wa_buf_reserve(&raw, (size_t)n);
    if (p == NULL)
        return wa_buf_check(&raw, err);
    if (file->read_at(file, offset, p, (size_t)n, err) != WA_OK)
        return err->code;
    wa_buf_advance(&raw, (size_t)n);
    if (is_packed)
        return inflate(wa_buf_sv(&raw), (size_t)size, out, err);
    wa_buf_addsv(out, wa_buf_sv(&raw));
    return wa_buf_check(out, err);
}

/* --- the table of contents --- */

static void read_part(struct entry *e, const char *part, struct wa_sv value, const char *name)
{
    if (strcmp(part, "name") == 0)
        e->is_named = wa_sv_eqs(value, name);
    else if (strcmp(part, "data/offset") == 0)
        e->has_offset = wa_sv_u64(wa_sv_trim(value), &e->offset);
    else if (strcmp(part, "data/length") == 0)
        e->has_packed_size = wa_sv_u64(wa_sv_trim(value), &e->packed_size);
    else if (strcmp(part, "data/size") == 0)
        e->has_size = wa_sv_u64(wa_sv_trim(value), &e->size);
    else if (strcmp(part, "data/encoding/@style") == 0) {
        e->is_packed = wa_sv_eqs(value, "application/x-gzip");
        e->has_encoding = e->is_packed || wa_sv_eqs(value, "application/octet-stream");
    }
}

static void read_value(void *user, const char *path, struct wa_sv value)
{
    struct search *s = user;
    unsigned level = LEVELS;
    static const char *const files[LEVELS] = {"/xar/toc/file", "/xar/toc/file/file"};
    while (level > 0 && !wa_sv_starts(wa_sv(path), files[level - 1]))
        level--;
    if (level == 0)
        return;
    struct entry *e = &s->open[level - 1];
    const char *part = path + strlen(files[level - 1]);
    if (*part == '/')
        read_part(e, part + 1, value, s->name);
    if (*part != '\0')
        return;
    if (!s->found.is_named && e->is_named && e->has_offset && e->has_packed_size && e->has_size &&
        e->has_encoding)
        s->found = *e;
    *e = (struct entry){.is_named = false};
}

static enum wa_code read_member(struct wa_source *file, struct wa_sv table, uint64_t heap,
                                const char *name, struct wa_buf *out, struct wa_err *err)
{
    struct search s = {.name = name};
    const struct entry *e = &s.found;
    if (wa_xml_read(table, read_value, &s, err) != WA_OK)
        return err->code;
    if (!e->is_named)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no %s in it", name);
    if (e->offset > file->size)
        return invalid(err);
    return read_bytes(file, heap + e->offset, e->packed_size, e->size, e->is_packed, out, err);
}

enum wa_code wa_xar_read(struct wa_source *file, const char *name, struct wa_buf *out,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf table;
    uint8_t head[HEAD_BYTES];
    wa_buf_init(&table, WA_XML_BYTES_MAX + 1);
    if (file->size < sizeof head)
        return invalid(err);
    if (file->read_at(file, 0, head, sizeof head, err) != WA_OK)
        return err->code;
    uint64_t size = number_at(head + 4, 2), packed = number_at(head + 8, 8);
    if (memcmp(head, "xar!", 4) != 0 || size < HEAD_BYTES || packed > file->size)
        return invalid(err);
    return read_bytes(file, size, packed, number_at(head + 16, 8), true, &table, err) == WA_OK
               ? read_member(file, wa_buf_sv(&table), size + packed, name, out, err)
               : err->code;
}
