/* software.h - the software that the operating system's own package manager knows (dpkg's status
 * file here). */
#ifndef WA_OS_SOFTWARE_H
#define WA_OS_SOFTWARE_H

#include "base/sv.h"

struct wa_software {
    const char *name, *version, *architecture, *publisher, *description;
    uint64_t size_bytes;
};

typedef enum wa_code (*wa_software_fn)(void *user, const struct wa_software *item,
                                       struct wa_err *err);
/* Calls fn for each installed package, in the order of the database. No child process. Nothing
 * where there is no dpkg. */
WA_CHECK enum wa_code wa_software_list(wa_software_fn fn, void *user, struct wa_err *err);
/* Newest of the mtimes that tell whether the list may have changed; 0 when unknown. */
int64_t wa_software_changed(void);

#endif
