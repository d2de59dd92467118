/* timestamp.h - which published list is the present one, by the server's online key, for a short
 * time (docs/formats/repository-metadata.md). It can do nothing else.
 */
#ifndef WA_REPO_TIMESTAMP_H
#define WA_REPO_TIMESTAMP_H

#include "repo/root.h"

#define WA_TIMESTAMP_PURPOSE "wapt-repo-timestamp"

struct wa_timestamp {
    char repository[33];
    int64_t issued, expires;
    int64_t version; /* of the published list */
    uint64_t length; /* bytes of that document */
    char sha256[65];
};
/* Reads the document and judges it: a key of the root, its repository, in date, and not longer
 * valid than the root allows. WA_E_INVALID, WA_E_REFUSED. */
WA_CHECK enum wa_code wa_timestamp_open(struct wa_sv json, const struct wa_root *root, int64_t now,
                                        struct wa_timestamp *ret, struct wa_err *err);
/* WA_E_REFUSED when it is over, with what to do. */
WA_CHECK enum wa_code wa_timestamp_check_dates(const struct wa_timestamp *t, int64_t now,
                                               struct wa_err *err);
/* The document, signed by key. */
WA_CHECK enum wa_code wa_timestamp_sign(const struct wa_timestamp *t, const struct wa_key *key,
                                        struct wa_buf *out, struct wa_err *err);

#endif
