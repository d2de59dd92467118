/* publish.h - the files of a repository's metadata in its own directory: reading what is in force,
 * describing what lies there, judging it as an agent would, putting a new state in place.
 *
 * Needs no network and no agent: an administrator does it on his own machine, or on the server with
 * a key that comes with him.
 */
#ifndef WA_REPO_PUBLISH_H
#define WA_REPO_PUBLISH_H

#include "os/fs.h"
#include "repo/published.h"
#include "repo/timestamp.h"

/* root.json. WA_E_NOT_FOUND when the directory has none; not judged but for its own signatures. */
WA_CHECK enum wa_code wa_publish_root(const struct wa_dir *dir, struct wa_root **ret,
                                      struct wa_err *err);
/* The newest N.published.json; *ret NULL when there is none. Form only. mtime_ret (may be NULL): of
 * its file. */
WA_CHECK enum wa_code wa_publish_last(const struct wa_dir *dir, struct wa_published **ret,
                                      int64_t *ret_mtime, struct wa_err *err);

struct wa_publish_options {
    int64_t version, now, days;
    const char *const *revoked; /* besides those of the last list */
    size_t revoked_count;
    bool force;      /* digest every package anew */
    bool is_partial; /* packages of the last list need not be there: they are as it says */
};
/* The text of the list that describes Packages and the packages it names. A package of the length
 * it had and older than the last list keeps its digest. WA_E_NOT_FOUND without Packages, or when it
 * names a package that is not there. */
WA_CHECK enum wa_code wa_publish_propose(const struct wa_dir *dir, const struct wa_root *root,
                                         const struct wa_published *last, int64_t last_mtime,
                                         const struct wa_publish_options *o, struct wa_buf *text,
                                         struct wa_err *err);

enum wa_publish_change { WA_PUBLISH_SAME, WA_PUBLISH_ADDED, WA_PUBLISH_CHANGED, WA_PUBLISH_GONE };
/* why: what the root, or the package itself, has against it; its code WA_OK when nothing. */
typedef void (*wa_publish_note_fn)(void *user, enum wa_publish_change change, struct wa_sv file,
                                   const struct wa_err *why);
/* Compares next with last (may be NULL) and judges as an agent would: each entry of Packages by its
 * signature and what the root lets its signer do; each package that is new or changed, or all,
 * whole. note is told of each file once. *ret_bad: files that an agent would not take. */
WA_CHECK enum wa_code wa_publish_judge(const struct wa_dir *dir, const struct wa_root *root,
                                       const struct wa_published *next,
                                       const struct wa_published *last, bool all, int64_t now,
                                       wa_publish_note_fn note, void *user, size_t *ret_bad,
                                       struct wa_err *err);

#define WA_PROPOSAL_NAME "published.proposal.json"
/* After a scan: where there is a root, leaves what would be published as an unsigned document,
 * which no machine reads. *ret_made: it did. */
WA_CHECK enum wa_code wa_publish_leave_proposal(const char *path, int64_t now, bool *ret_made,
                                                struct wa_err *err);

/* Puts a signed list in place: N.Packages first, then N.published.json; what is three lists old
 * goes. The list must describe the Packages that is there (WA_E_CONFLICT). */
WA_CHECK enum wa_code wa_publish_put(const struct wa_dir *dir, struct wa_sv json,
                                     struct wa_err *err);
/* Removes, best effort, the lists and indexes that are three lists older than this version. */
void wa_publish_tidy(const struct wa_dir *dir, int64_t version);
/* Puts a root in place: N.root.json, then root.json. */
WA_CHECK enum wa_code wa_publish_put_root(const struct wa_dir *dir, struct wa_sv json,
                                          struct wa_err *err);
/* A timestamp over the newest list, good for as long as the root allows. */
WA_CHECK enum wa_code wa_publish_stamp(const struct wa_dir *dir, const struct wa_key *key,
                                       int64_t now, struct wa_err *err);

/* A file of dir by a name of ours. */
WA_CHECK enum wa_code wa_publish_read(const struct wa_dir *dir, const char *name, size_t max,
                                      struct wa_buf *out, struct wa_err *err);
WA_CHECK enum wa_code wa_publish_write(const struct wa_dir *dir, const char *name,
                                       struct wa_sv bytes, struct wa_err *err);
bool wa_publish_has_root(const struct wa_dir *dir);

#endif
