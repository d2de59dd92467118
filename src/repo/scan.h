/* scan.h - building a repository's Packages file from the packages in its folder. */
#ifndef WA_REPO_SCAN_H
#define WA_REPO_SCAN_H

#include "pkg/index.h"

struct wa_scan_result {
    size_t kept, added, removed,
        bad; /* entries taken over unchanged, new or changed, gone, left out */
};
/* Who is told; each may be NULL. */
struct wa_scan_watch {
    void (*note)(void *user, const char *file, const struct wa_err *why); /* a package left out */
    void (*progress)(void *user, size_t done, size_t total);              /* packages */
    /* a package that was read anew, or that is listed no more */
    void (*change)(void *user, const char *file, bool is_listed);
    /* MD5 of a file whose bytes were all read just now; NULL: it is read again */
    const char *(*md5)(void *user, const char *file);
    void *user;
};
/* Incremental (an entry whose file has its size and is older than the index is taken over, unless
 * force; where nothing changed since a scan that left nothing out, the index is not even read),
 * atomic, host packages skipped. One bad package never spoils the rest. With anchors, entries taken
 * over are judged again. WA_E_BUSY while another scan of the same folder runs. Icons go to
 * icons/<package_uuid>.png. anchors NULL: signers are not judged. watch may be NULL. */
WA_CHECK enum wa_code wa_repo_scan(const char *dir, bool force, const struct wa_trust *anchors,
                                   const struct wa_scan_watch *watch, struct wa_scan_result *ret,
                                   struct wa_err *err);

/* Gives the packages in dir their usual names, unless those are taken; the index is not looked at.
 * tell: of each that has another name; why.code is not WA_OK where it keeps it. WA_E_BUSY as above.
 */
typedef void (*wa_rename_fn)(void *user, const char *file, const char *usual,
                             const struct wa_err *why);
WA_CHECK enum wa_code wa_repo_rename(const char *dir, wa_rename_fn tell, void *user,
                                     size_t *ret_renamed, struct wa_err *err);

#endif
