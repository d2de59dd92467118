/* zip_write.h - reproducible ZIP archives: same members in the same order, same bytes.
 *
 * Deflate by zlib at a fixed level, times given by the caller, no extra fields but Zip64's where
 * needed, names UTF-8 with bit 11 set when not ASCII (as WAPT writes), no directory entries.
 */
#ifndef WA_CODEC_ZIP_WRITE_H
#define WA_CODEC_ZIP_WRITE_H

#include "base/relpath.h"
#include "base/stream.h"

struct wa_zip_writer;

/* sink stays the caller's; it is empty and can go back (write_at). mtime: seconds since 1970,
 * written as UTC into every entry, held within the years 1980-2107. seed: of a map (base/map.h) for
 * the names of members. */
WA_CHECK enum wa_code wa_zip_writer_new(struct wa_sink *sink, int64_t mtime, uint64_t seed,
                                        struct wa_zip_writer **ret, struct wa_err *err);
void wa_zip_writer_free(struct wa_zip_writer *w);
WA_AUTO_DEFINE(wa_zip_writer, wa_zip_writer_free)
/* mode: permission bits, 0600 for generated members. content is read once, front to back.
 * WA_E_EXISTS for a name already written (folded), or that is a directory of one: the writer goes
 * on. After a failure of sink or content it takes nothing more. */
WA_CHECK enum wa_code wa_zip_add(struct wa_zip_writer *w, const struct wa_relpath *name,
                                 uint32_t mode, struct wa_source *content, struct wa_err *err);
WA_CHECK enum wa_code wa_zip_add_bytes(struct wa_zip_writer *w, const struct wa_relpath *name,
                                       uint32_t mode, struct wa_sv content, struct wa_err *err);
/* The same for content that comes in pieces, max_bytes in all at most: *ret_sink takes them until
 * wa_zip_end(), and no other member is added meanwhile. */
WA_CHECK enum wa_code wa_zip_begin(struct wa_zip_writer *w, const struct wa_relpath *name,
                                   uint32_t mode, uint64_t max_bytes, struct wa_sink **ret_sink,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_zip_end(struct wa_zip_writer *w, struct wa_err *err);
/* Copies a member of another archive without inflating it: its content is not checked, nor its time
 * kept. */
struct wa_zip;
struct wa_zip_member;
WA_CHECK enum wa_code wa_zip_copy(struct wa_zip_writer *w, struct wa_zip *from,
                                  const struct wa_zip_member *m, struct wa_err *err);
/* Central directory and end record. Nothing may follow. */
WA_CHECK enum wa_code wa_zip_finish(struct wa_zip_writer *w, struct wa_err *err);

#endif
