/* scan.h - building a repository's Packages file from the packages in its folder. */
#ifndef WA_REPO_SCAN_H
#define WA_REPO_SCAN_H

#include "pkg/index.h"

struct wa_scan_result {
    size_t kept, added, removed,
        bad; /* entries taken over unchanged, new or changed, gone, left out */
};
typedef void (*wa_scan_note_fn)(void *user, const char *file,
                                const struct wa_err *why); /* a package left out */
/* Incremental (an entry whose file has its size and is not newer than the index is taken over,
 * unless force), atomic, host packages skipped. One bad package never spoils the rest. With
 * anchors, entries taken over are judged again. WA_E_BUSY while another scan of the same folder
 * runs. Icons go to icons/<package_uuid>.png. anchors NULL: signers are not judged. */
WA_CHECK enum wa_code wa_repo_scan(const char *dir, bool force, const struct wa_trust *anchors,
                                   wa_scan_note_fn note, void *user, struct wa_scan_result *ret,
                                   struct wa_err *err);

#endif
