/* zip_read.h - ZIP archives, strictly: what two readers could understand differently is refused
 * whole.
 *
 * Checked before any member is read: one end record as the last bytes of the file (so no comment:
 * it would be unsigned, and hide a second record), central directory right before it (Zip64 too),
 * every local header equal to its central entry (name, method, sizes unless a data descriptor
 * follows), members that fill the file from its first byte without overlap or gap, no duplicate or
 * aliased names (relpath fold), no directories with content, no links or devices, no encryption,
 * methods 0 and 8 only, caps of base/limits.h. CRC and size are checked while reading. Names are
 * UTF-8, ASCII, or CP437 when bit 11 is clear.
 */
#ifndef WA_CODEC_ZIP_READ_H
#define WA_CODEC_ZIP_READ_H

#include "base/relpath.h"
#include "base/stream.h"

struct wa_zip_member {
    struct wa_relpath name; /* a directory entry's has no trailing '/' */
    bool is_dir;
    uint16_t method;
    uint16_t flags;
    uint32_t crc;
    uint64_t packed_size, size; /* bytes */
    uint64_t data_offset;
    uint32_t unix_mode; /* permission bits from Unix makers, else 0 */
    uint64_t dos_time;
};

struct wa_zip;

/* source stays the caller's and must outlive the archive. WA_E_INVALID or WA_E_LIMIT with the
 * member's name. */
WA_CHECK enum wa_code wa_zip_open(struct wa_source *source, struct wa_zip **ret,
                                  struct wa_err *err);
/* The same for an archive of others' that is looked into and never unpacked: a stored member's size
 * may follow it, as Windows writes its apps. Where it lies says the central directory alone. */
WA_CHECK enum wa_code wa_zip_open_foreign(struct wa_source *source, struct wa_zip **ret,
                                          struct wa_err *err);
void wa_zip_free(struct wa_zip *zip);
WA_AUTO_DEFINE(wa_zip, wa_zip_free)
size_t wa_zip_count(const struct wa_zip *zip);
const struct wa_zip_member *wa_zip_at(const struct wa_zip *zip,
                                      size_t i); /* central directory order */
/* By exact name; NULL when absent. */
const struct wa_zip_member *wa_zip_find(const struct wa_zip *zip, const char *name);
/* From now on members take no memory but a window, and more time. */
void wa_zip_spare_memory(struct wa_zip *zip);
/* Inflated content into sink, CRC and size checked; the sink may have got bytes before a failure.
 */
WA_CHECK enum wa_code wa_zip_read(struct wa_zip *zip, const struct wa_zip_member *m,
                                  struct wa_sink *sink, struct wa_err *err);

#endif
