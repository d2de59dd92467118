/* published.h - the list of what a repository publishes: its index and every package by length and
 * SHA-256, and whom nobody believes any more (docs/formats/repository-metadata.md).
 */
#ifndef WA_REPO_PUBLISHED_H
#define WA_REPO_PUBLISHED_H

#include "base/map.h"
#include "repo/root.h"

#define WA_PUBLISHED_PURPOSE "wapt-repo-published"

struct wa_published_file {
    struct wa_sv name; /* of the file beside Packages */
    uint64_t length;   /* bytes */
    char sha256[65];
};
struct wa_published {
    struct wa_arena arena;
    struct wa_signed document;
    char sha256[65]; /* of the whole document, as a timestamp names it */
    uint64_t length;
    char repository[33];
    int64_t version, issued, expires;
    struct wa_published_file index;  /* Packages */
    struct wa_published_file *files; /* sorted by name */
    size_t file_count;
    const struct wa_json *revoked; /* array of fingerprints */
};

/* Form only. *ret: free it. */
WA_CHECK enum wa_code wa_published_read(struct wa_sv json, struct wa_published **ret,
                                        struct wa_err *err);
void wa_published_free(struct wa_published *p);
WA_AUTO_DEFINE(wa_published, wa_published_free)
/* By a signer of the root who may publish and is not revoked by the list itself, not expired nor
 * longer valid than the root allows. ret_by (may be NULL): that signer. WA_E_REFUSED. */
WA_CHECK enum wa_code wa_published_check(const struct wa_published *p, const struct wa_root *root,
                                         int64_t now, const struct wa_root_signer **ret_by,
                                         struct wa_err *err);
/* All of that but the dates: for a list that is compared with, not installed from. */
WA_CHECK enum wa_code wa_published_check_signer(const struct wa_published *p,
                                                const struct wa_root *root, int64_t now,
                                                const struct wa_root_signer **ret_by,
                                                struct wa_err *err);
/* NULL when it is not published. */
const struct wa_published_file *wa_published_find(const struct wa_published *p, struct wa_sv name);
bool wa_published_revokes(const struct wa_published *p, const char *fingerprint);
/* Has anchors refuse what the list revokes. */
WA_CHECK enum wa_code wa_published_revoke(const struct wa_published *p, struct wa_trust *anchors,
                                          struct wa_err *err);

/* The text to be signed. files: sorted by name, none twice. */
struct wa_published_what {
    const char *repository;
    int64_t version, issued, expires;
    struct wa_published_file index;
    const struct wa_published_file *files;
    size_t file_count;
    const char *const *revoked;
    size_t revoked_count;
};
WA_CHECK enum wa_code wa_published_write(const struct wa_published_what *what, struct wa_buf *out,
                                         struct wa_err *err);

#endif
