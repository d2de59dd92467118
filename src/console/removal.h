/* removal.h - what a repository's packages would lack if some of them left it. */
#ifndef WA_CONSOLE_REMOVAL_H
#define WA_CONSOLE_REMOVAL_H

#include "pkg/index.h"

/* The entry of a file; NULL: the index has none. */
const struct wa_control *wa_removal_find(const struct wa_index *ix, struct wa_sv file);
/* Whether nothing of its name stays, and the files after it are of other packages. */
bool wa_removal_is_last(const struct wa_index *ix, char *const *files, size_t count, size_t i);
/* needed: what leaves; by: what stays and could not be installed any more, since nothing that stays
 * meets the requirement. */
typedef void (*wa_removal_fn)(void *user, const struct wa_control *needed,
                              const struct wa_control *by, struct wa_sv requirement);
/* files: those that would leave. */
void wa_removal_breaks(const struct wa_index *ix, char *const *files, size_t count,
                       wa_removal_fn tell, void *user);

#endif
