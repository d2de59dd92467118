/* xar.c - see xar.h. Every number of the archive is checked against the file before it is used. */
#include "codec/xar.h"

#include <libdeflate.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "codec/xml.h"

#define HEAD_BYTES 28u
#define LEVELS 2u /* of folders that are looked into */

/* What the table says of one member, in whatever order. */
struct entry {
    struct wa_buf name;
    uint64_t offset, packed_size, size; /* bytes */
    bool has_offset, has_packed_size, has_size, has_encoding, is_packed;
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

static bool is_at(const struct wa_xml *x, unsigned level, const char *tail)
{
    static const char *const files[LEVELS] = {"xar/toc/file", "xar/toc/file/file"};
    char path[64];
    (void)snprintf(path, sizeof path, "%s%s", files[level], tail);
    return wa_xml_is(x, path);
}

static enum wa_code read_number(const struct wa_xml *x, uint64_t *ret, bool *ret_has,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 32);
    wa_xml_text(x, &text);
    if (text.failed == WA_E_NOMEM)
        return wa_nomem(err);
    *ret_has = wa_sv_u64(wa_sv_trim(wa_buf_sv(&text)), ret);
    return WA_OK;
}

static enum wa_code read_encoding(const struct wa_xml *x, struct entry *e, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf style;
    wa_buf_init(&style, 256);
    (void)!wa_xml_attr(x, "style", &style);
    if (wa_buf_check(&style, err) != WA_OK)
        return err->code;
    e->is_packed = wa_sv_eqs(wa_buf_sv(&style), "application/x-gzip");
    e->has_encoding = e->is_packed || wa_sv_eqs(wa_buf_sv(&style), "application/octet-stream");
    return WA_OK;
}

static enum wa_code read_event(const struct wa_xml *x, enum wa_xml_event event, unsigned level,
                               struct entry *e, struct wa_err *err)
{
    if (event == WA_XML_OPEN && is_at(x, level, "")) {
        struct wa_buf name = e->name;
        wa_buf_clear(&name);
        *e = (struct entry){.name = name};
    }
    if (event == WA_XML_OPEN && is_at(x, level, "/data/encoding"))
        return read_encoding(x, e, err);
    if (event != WA_XML_TEXT)
        return WA_OK;
    if (is_at(x, level, "/name"))
        wa_xml_text(x, &e->name);
    if (is_at(x, level, "/data/offset"))
        return read_number(x, &e->offset, &e->has_offset, err);
    if (is_at(x, level, "/data/length"))
        return read_number(x, &e->packed_size, &e->has_packed_size, err);
    if (is_at(x, level, "/data/size"))
        return read_number(x, &e->size, &e->has_size, err);
    return wa_buf_check(&e->name, err);
}

static bool is_whole(const struct entry *e, const char *name)
{
    return wa_sv_eqs(wa_buf_sv(&e->name), name) && e->has_offset && e->has_packed_size &&
           e->has_size && e->has_encoding;
}

/* *ret_at: the level at which it was found, LEVELS when it was not. */
static enum wa_code find(struct wa_sv table, const char *name, struct entry entries[LEVELS],
                         unsigned *ret_at, struct wa_err *err)
{
    struct wa_xml x;
    enum wa_xml_event event = WA_XML_OPEN;
    wa_xml_init(&x, table);
    while (event != WA_XML_END) {
        if (wa_xml_next(&x, &event, err) != WA_OK)
            return err->code;
        for (unsigned i = 0; i < LEVELS; i++) {
            if (read_event(&x, event, i, &entries[i], err) != WA_OK)
                return err->code;
            if (is_whole(&entries[i], name)) {
                *ret_at = i;
                return WA_OK;
            }
        }
    }
    *ret_at = LEVELS;
    return WA_OK;
}

static enum wa_code read_member(struct wa_source *file, struct wa_sv table, uint64_t heap,
                                const char *name, struct wa_buf *out, struct wa_err *err)
{
    struct entry entries[LEVELS] = {{.has_offset = false}};
    unsigned at = LEVELS;
    for (unsigned i = 0; i < LEVELS; i++)
        wa_buf_init(&entries[i].name, WA_NAME_MAX);
    enum wa_code code = find(table, name, entries, &at, err);
    if (code == WA_OK && at == LEVELS)
        code = wa_fail(err, WA_E_NOT_FOUND, "there is no %s in it", name);
    const struct entry *e = at < LEVELS ? &entries[at] : NULL;
    if (code == WA_OK && e->offset > file->size)
        code = invalid(err);
    if (code == WA_OK)
        code = read_bytes(file, heap + e->offset, e->packed_size, e->size, e->is_packed, out, err);
    for (unsigned i = 0; i < LEVELS; i++)
        wa_buf_fini(&entries[i].name);
    return code;
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
