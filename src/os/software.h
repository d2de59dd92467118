/* software.h - the software that the operating system's own package managers know: dpkg's status
 * file, rpm's database. */
#ifndef WA_OS_SOFTWARE_H
#define WA_OS_SOFTWARE_H

#include "base/sv.h"

struct wa_software {
    const char *name, *version, *architecture, *publisher, *description;
    const char
        *key; /* what the package manager calls it: "libc6:amd64" where a name is not enough */
    uint64_t size_bytes;
    int64_t installed_at; /* Unix seconds; 0: not known */
    bool is_system;       /* the system does not work without it */
};

typedef enum wa_code (*wa_software_fn)(void *user, const struct wa_software *item,
                                       struct wa_err *err);
/* Calls fn for each installed package, in the order of the databases. Nothing where there is no
 * package manager. Where there is a database of rpm's, rpm itself is run to read it. */
WA_CHECK enum wa_code wa_software_list(wa_software_fn fn, void *user, struct wa_err *err);
/* Newest of the mtimes that tell whether the list may have changed; 0 when unknown. */
int64_t wa_software_changed(void);
/* Whether wa_software_list() would run a program. */
bool wa_software_needs_child(void);

#endif
