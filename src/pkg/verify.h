/* verify.h - the only door to "trusted": is this package what a trusted signer signed, whole and
 * unaltered?
 *
 * Order: names and sizes of the members, control, certificate chain against the anchors, control
 * signature with a minimum set of signed attributes (F2B), manifest signature by the same
 * certificate, then the digest of every member; every member must be listed and every listed one be
 * there. setup.py needs codeSigning under any spelling. Nothing is written.
 */
#ifndef WA_PKG_VERIFY_H
#define WA_PKG_VERIFY_H

#include "crypto/trust.h"
#include "pkg/control.h"
#include "pkg/manifest.h"
#include "pkg/members.h"

enum wa_check { /* the checks of a verdict, in order */
                WA_CHECK_ARCHIVE,
                WA_CHECK_CONTROL,
                WA_CHECK_CHAIN,
                WA_CHECK_CONTROL_SIGNATURE,
                WA_CHECK_ATTRIBUTES,
                WA_CHECK_MANIFEST_SIGNATURE,
                WA_CHECK_CODE,
                WA_CHECK_FILES,
                WA_CHECK_COUNT
};
const char *wa_check_name(enum wa_check c); /* "archive", "control", ... */

struct wa_verdict {
    struct wa_control control;
    struct wa_manifest manifest;
    struct wa_certs chain; /* signer first */
    struct wa_trust_result trust;
    char manifest_sha256[65],
        signature_sha256[65]; /* of the two members that the manifest can't list */
    bool has_setup_py;
    bool is_legacy_json; /* control signed in the form before 1.8 */
    enum wa_check
        failed;    /* the first check that failed; WA_CHECK_COUNT: none, the package is good */
    size_t passed; /* checks passed */
};
void wa_verdict_init(struct wa_verdict *v);
void wa_verdict_fini(struct wa_verdict *v);
#define WA_AUTO_VERDICT WA_CLEANUP(wa_verdict_fini)

/* at: seconds since 1970. WA_OK only when good. WA_E_REFUSED (or INVALID, LIMIT) with the reason
 * otherwise, *v filled as far as it came, which must then be used for display only. progress may be
 * NULL: bytes digested so far; false cancels (WA_E_CANCELLED). */
WA_CHECK enum wa_code wa_verify_package(struct wa_members *members, const struct wa_trust *anchors,
                                        int64_t at,
                                        bool (*progress)(void *user, uint64_t done, uint64_t total),
                                        void *user, struct wa_verdict *v, struct wa_err *err);
/* The same for an index entry or a stored control: signature over the attributes, with the chain
 * given. */
WA_CHECK enum wa_code wa_verify_control(const struct wa_control *c, const struct wa_certs *chain,
                                        const struct wa_trust *anchors, int64_t at,
                                        struct wa_trust_result *ret, struct wa_err *err);
/* Only its second half: the signature and the signed attributes, whoever the signer is. */
WA_CHECK enum wa_code wa_verify_control_by(const struct wa_control *c, const struct wa_cert *signer,
                                           struct wa_err *err);
/* Extracts all members that the verified manifest lists below dir (made new, modes 0644/0755),
 * digesting again: what is written is what was verified, even when members comes from a process
 * that lies. On failure nothing must be used; the caller removes dir. */
struct wa_dir;
WA_CHECK enum wa_code wa_extract_verified(struct wa_members *members, const struct wa_verdict *v,
                                          const struct wa_dir *dir, struct wa_err *err);
/* Checks kept files again before their code runs: manifest and signature are among them; each must
 * match, listed ones may be missing. An extra file is an error too. control and manifest signature
 * are checked against anchors as above, revocation included. */
WA_CHECK enum wa_code wa_verify_tree(const struct wa_dir *dir, const struct wa_trust *anchors,
                                     int64_t at, struct wa_verdict *v, struct wa_err *err);

#endif
