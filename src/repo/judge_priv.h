/* judge_priv.h - a package of a repository's folder, judged as a machine would (publish_judge.c).
 */
#ifndef WA_REPO_JUDGE_PRIV_H
#define WA_REPO_JUDGE_PRIV_H

#include "os/fs.h"
#include "pkg/control.h"
#include "repo/published.h"

struct wa_judging {
    const struct wa_root *root; /* NULL: the anchors alone say whose packages count */
    const struct wa_trust *anchors;
    int64_t now;
    const struct wa_dir
        *icons; /* the repository's folder, which gets a good package's icon; NULL */
};
/* Whole, the one that the index has under this name, of this length, and of this SHA-256 ("": it is
 * not known), by a signer who may. */
WA_CHECK enum wa_code wa_judge_package(const struct wa_judging *j, const struct wa_dir *dir,
                                       const struct wa_relpath *name,
                                       const struct wa_control *entry, uint64_t length,
                                       const char *sha256, struct wa_err *err);
/* WA_E_REFUSED when the root does not let this signer sign such a package. */
WA_CHECK enum wa_code wa_judge_allowed(const struct wa_judging *j, const struct wa_control *c,
                                       const struct wa_trust_result *trust, bool has_code,
                                       struct wa_err *err);

#endif
