/* zip_priv.h - the records of the ZIP format (APPNOTE 6.3.10), between its reader's parts and its
 * writer. */
#ifndef WA_CODEC_ZIP_PRIV_H
#define WA_CODEC_ZIP_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/zip_read.h"

#define WA_ZIP_SIG_LOCAL 0x04034b50u
#define WA_ZIP_SIG_CENTRAL 0x02014b50u
#define WA_ZIP_SIG_END 0x06054b50u
#define WA_ZIP_SIG_END64 0x06064b50u
#define WA_ZIP_SIG_LOCATOR64 0x07064b50u
#define WA_ZIP_SIG_DESCRIPTOR 0x08074b50u

enum {
    WA_ZIP_LOCAL_BYTES = 30,
    WA_ZIP_CENTRAL_BYTES = 46,
    WA_ZIP_END_BYTES = 22,
    WA_ZIP_END64_BYTES = 56,
    WA_ZIP_LOCATOR64_BYTES = 20
};

#define WA_ZIP_FLAG_DEFLATE_LEVEL                                                                  \
    0x0006u /* says how hard the writer tried: no matter to a reader */
#define WA_ZIP_FLAG_DESCRIPTOR 0x0008u
#define WA_ZIP_FLAG_UTF8 0x0800u

#define WA_ZIP_STORED 0u
#define WA_ZIP_DEFLATED 8u

#define WA_ZIP_EXTRA_ZIP64 0x0001u

#define WA_ZIP_U16_MAX 0xffffu
#define WA_ZIP_U32_MAX 0xffffffffu

#define WA_ZIP_NEWEST_VERSION 63u /* of the format that APPNOTE 6.3.10 describes */

/* Bytes moved at a time between an archive and whoever reads or fills it. */
#define WA_ZIP_CHUNK_BYTES 65536u

struct libdeflate_decompressor;

struct wa_zip {
    struct wa_source *source;
    struct wa_zip_member *members; /* count of them, central directory order */
    size_t count;
    uint64_t *offsets;   /* of the local headers */
    const char **folded; /* wa_relpath_fold() of each name, in names */
    uint32_t *by_fold;   /* ascending by folded name */
    struct wa_arena names;
    uint64_t directory_offset;
    struct libdeflate_decompressor *inflater; /* made when first needed */
    bool is_frugal;                           /* no member is inflated as a whole */
    bool is_foreign;                          /* wa_zip_open_foreign() */
};

static inline uint16_t wa_zip_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t wa_zip_u32(const uint8_t *p)
{
    return (uint32_t)wa_zip_u16(p) | (uint32_t)wa_zip_u16(p + 2) << 16;
}
static inline uint64_t wa_zip_u64(const uint8_t *p)
{
    return (uint64_t)wa_zip_u32(p) | (uint64_t)wa_zip_u32(p + 4) << 32;
}

/* Where the central directory lies, from the end record. */
struct wa_zip_end {
    uint64_t count, offset, size;
};
WA_CHECK enum wa_code wa_zip_find_end(struct wa_source *source, struct wa_zip_end *ret,
                                      struct wa_err *err);
/* The bytes of a member's name as text (UTF-8, or CP437 translated) to a path; *ret_is_dir from a
 * '/' at the end. */
WA_CHECK enum wa_code wa_zip_name(struct wa_sv raw, bool is_utf8, struct wa_relpath *ret,
                                  bool *ret_is_dir, struct wa_err *err);
/* Walks an extra field. False when it is malformed, has a record that gives a member another name
 * or encrypts it, or has two of Zip64; *ret_zip64 is the content of that one, p NULL when there is
 * none. */
WA_CHECK bool wa_zip_extra(struct wa_sv extra, struct wa_sv *ret_zip64);
/* Each local header against its central entry, and the members' places in the file. */
WA_CHECK enum wa_code wa_zip_check_locals(struct wa_zip *zip, struct wa_err *err);
/* Fills folded and by_fold and refuses names that could be one file. */
WA_CHECK enum wa_code wa_zip_check_names(struct wa_zip *zip, size_t max_bytes, struct wa_err *err);

#endif
