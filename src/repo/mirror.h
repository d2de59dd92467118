/* mirror.h - a copy of a repository's files in a folder, for a web server near the machines of a
 * site: fetched where they changed, judged as a machine would, put in place all at once.
 *
 *     wa_mirror(&options, &result, &err);      again and again: from a timer
 *
 * A machine believes a copy no more than the repository: what is judged here keeps rubbish off the
 * disk and off the lines. Who asks how what is fetched comes here is the caller's matter. Machines'
 * own packages are not copied: a server gives them to those machines alone.
 */
#ifndef WA_REPO_MIRROR_H
#define WA_REPO_MIRROR_H

#include "repo/published.h"

enum wa_mirror_event { WA_MIRROR_FETCHED, WA_MIRROR_REMOVED, WA_MIRROR_REFUSED };
struct wa_mirror_options {
    const char *dir; /* made if missing. WA_E_EXISTS: an index is there that is no mirror's */
    /* A file beside Packages: at most max bytes behind the first `from`, into sink. *ret_found
     * false: there is none; what went to the sink is no part of it. WA_E_CONFLICT, WA_E_INVALID:
     * the rest alone can't be had. */
    enum wa_code (*fetch)(void *user, const char *name, uint64_t from, uint64_t max,
                          struct wa_sink *sink, bool *ret_found, struct wa_err *err);
    void *fetch_user;
    struct wa_sv root;        /* to begin with; "": the one that this mirror knows */
    struct wa_trust *anchors; /* whose packages count where there is no root; NULL: only by a root.
                                 Learns the index's revocation lists */
    bool verify;              /* every package, those too that are as they were */
    int64_t now;
    /* why: of what is refused; NULL otherwise. */
    void (*tell)(void *user, enum wa_mirror_event event, struct wa_sv file,
                 const struct wa_err *why);
    void *tell_user;
};
struct wa_mirror_result {
    int64_t version; /* of the published list; 0: there is no root */
    size_t kept, fetched, removed, refused;
    uint64_t bytes; /* of what was fetched */
};
/* What can't be fetched now stops it, and nothing changes for machines; the next run goes on there,
 * within a file too. A package that is refused is told and left out. A file that the repository has
 * no more is removed by the run after the one that saw it: who is between two states finds it.
 * WA_E_CONFIG: neither a root is known nor who is trusted. WA_E_BUSY: another run is at it. */
WA_CHECK enum wa_code wa_mirror(const struct wa_mirror_options *o, struct wa_mirror_result *ret,
                                struct wa_err *err);

#endif
