/* root_wish.h - the next root of a repository, as a person wants it; and his signature.
 *
 * A wish says the whole of what is to be; certificates and timestamp keys by their fingerprint in
 * the root in force or as PEM. Where none is in force (NULL), it is the first root of a repository:
 *
 *     {"days", "threshold", "published_days", "timestamp_hours", "administrators": [TEXT],
 *      "signers": [{"certificate", "sections", "prefixes", "code", "publish", "actions", "groups",
 *                   "units"}], "timestamp_keys": [TEXT]}    (not given: they stay)
 */
#ifndef WA_CONSOLE_ROOT_WISH_H
#define WA_CONSOLE_ROOT_WISH_H

#include "console/root_known.h"
#include "pkg/build.h"
#include "repo/root_edit.h"

/* The root after in_force that says so, read back from its own text. *ret: free it. */
WA_CHECK enum wa_code wa_root_of_wish(const struct wa_root *in_force, const struct wa_json *wish,
                                      int64_t now, struct wa_root **ret, struct wa_err *err);
/* root can follow in_force (NULL: be the first) once all have signed, and signer (a fingerprint) is
 * an administrator of one of them. WA_E_REFUSED. */
WA_CHECK enum wa_code wa_root_check_signable(const struct wa_root *in_force,
                                             const struct wa_root *root, const char *signer,
                                             struct wa_err *err);
/* The document with this signature too. ret_missing: what it still lacks; WA_OK: nothing. */
WA_CHECK enum wa_code wa_root_sign(const struct wa_root *in_force, const struct wa_root *root,
                                   const struct wa_signer *signer, struct wa_buf *json,
                                   struct wa_err *ret_missing, struct wa_err *err);

#endif
