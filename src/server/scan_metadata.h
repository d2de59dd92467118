/* scan_metadata.h - the repository's metadata on the server: documents that administrators signed
 * elsewhere, and the timestamp (docs/formats/repository-metadata.md).
 */
#ifndef WA_SERVER_SCAN_METADATA_H
#define WA_SERVER_SCAN_METADATA_H

#include "os/fs.h"

/* A new root: the first one, or one that follows the one in force. */
WA_CHECK enum wa_code wa_scan_take_root(const struct wa_dir *repo, struct wa_sv json, int64_t now,
                                        struct wa_err *err);
/* A new list: by who may publish, newer than the last, of the index that is there, and nothing in
 * it that machines would refuse. */
WA_CHECK enum wa_code wa_scan_take_published(const struct wa_dir *repo, struct wa_sv json,
                                             int64_t now, struct wa_err *err);
/* What the signer is to stamp, as JSON {repository,version,length,sha256,hours}; nothing when there
 * is nothing to stamp, or the timestamp there is good for more than half of its life. */
WA_CHECK enum wa_code wa_scan_to_stamp(const struct wa_dir *repo, int64_t now, struct wa_buf *out,
                                       struct wa_err *err);
/* A timestamp that the root vouches for. */
WA_CHECK enum wa_code wa_scan_take_timestamp(const struct wa_dir *repo, struct wa_sv json,
                                             int64_t now, struct wa_err *err);

#endif
