/* scan_catalogue.h - what the repository's index has, in memory, to be listed and searched.
 */
#ifndef WA_SERVER_SCAN_CATALOGUE_H
#define WA_SERVER_SCAN_CATALOGUE_H

#include "os/fs.h"
#include "pkg/control.h"

struct wa_catalogue {
    struct wa_catalogue_entry {
        struct wa_control control;
        bool is_newest; /* of those of its name, architecture, language and maturity */
    } * items;          /* by name, the newest version first */
    size_t n, cap;
    uint64_t inode, size; /* of the index they are from; inode 0: none */
    int64_t mtime;
    uint32_t mtime_ns;
};
void wa_catalogue_fini(struct wa_catalogue *c);
/* query: JSON of wa_api_packages; out: {"total":...,"packages":[...]}. Reads the index when it is
 * another one than before; without one the list is empty. */
WA_CHECK enum wa_code wa_catalogue_list(struct wa_catalogue *c, const struct wa_dir *repo,
                                        struct wa_sv query, struct wa_buf *out, struct wa_err *err);

#endif
