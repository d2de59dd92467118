/* members.h - the members of a package, wherever they come from: an archive in this process, or the
 * unpack process's pipe.
 *
 * Verification and extraction are written against this, so that the privileged process need not
 * parse archives.
 */
#ifndef WA_PKG_MEMBERS_H
#define WA_PKG_MEMBERS_H

#include "base/relpath.h"
#include "base/stream.h"

struct wa_member {
    struct wa_relpath name;
    uint64_t size; /* bytes, as the archive declares; the reader checks what it delivers */
    bool is_dir;
};

/* Embedded as first member by the two implementations. */
struct wa_members {
    const struct wa_member *items; /* no duplicate names, folded */
    size_t n;
    /* Content of member i into sink: exactly items[i].size bytes or a failure. Any order,
     * repeatedly. */
    enum wa_code (*read)(struct wa_members *self, size_t i, struct wa_sink *sink,
                         struct wa_err *err);
};
/* Index of name, or false. */
bool wa_members_find(const struct wa_members *m, const char *name, size_t *ret);

/* Over a .wapt in this process (codec/zip_read). source must outlive it. */
struct wa_archive_members;
WA_CHECK enum wa_code wa_archive_members_open(struct wa_source *source,
                                              struct wa_archive_members **ret, struct wa_err *err);
void wa_archive_members_free(struct wa_archive_members *a);
WA_AUTO_DEFINE(wa_archive_members, wa_archive_members_free)
/* From now on members take no memory but a window, and more time. */
void wa_archive_members_spare_memory(struct wa_archive_members *a);
struct wa_members *wa_archive_members_get(struct wa_archive_members *a);

#endif
