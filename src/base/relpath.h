/* relpath.h - the only type in which a path from an archive or a message exists.
 *
 * Holds a relative path with '/' between non-empty parts, valid UTF-8, no part "." or "..", no
 * control character or invisible mark (wa_utf8_is_shown()), no backslash, and nothing that Windows
 * would read as something else: no ':' nor any of <>"|?* , no part ending in a dot or a blank, no
 * reserved device name (CON, NUL, COM1...). Whoever has one may join it to a directory handle
 * without further thought.
 */
#ifndef WA_BASE_RELPATH_H
#define WA_BASE_RELPATH_H

#include "base/sv.h"

struct wa_relpath {
    char p[WA_RELPATH_MAX + 1]; /* NUL-terminated */
    size_t n;
};

/* WA_E_INVALID with the reason, naming the path. */
WA_CHECK enum wa_code wa_relpath_parse(struct wa_sv text, struct wa_relpath *ret,
                                       struct wa_err *err);
/* Key under which two paths are the same file on some supported system: NFC is not applied; Latin,
 * Greek, Cyrillic, Armenian and full-width letters lose their case where that does not make them
 * longer in UTF-8. Two members with equal keys are refused. */
void wa_relpath_fold(const struct wa_relpath *path, char out[WA_RELPATH_MAX + 1]);

#endif
