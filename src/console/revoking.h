/* revoking.h - what becomes of a repository and of machines' own packages when certificates are
 * revoked: which were signed by them, or by somebody whom they vouch for.
 */
#ifndef WA_CONSOLE_REVOKING_H
#define WA_CONSOLE_REVOKING_H

#include "console/hosts.h"
#include "crypto/trust.h"
#include "pkg/index.h"
#include "repo/published.h"

#define WA_REVOKING_MAX 16u /* certificates looked for at once */

struct wa_revoking {
    char fingerprints[WA_REVOKING_MAX][65];
    size_t count;
    struct wa_index index;
    struct {
        WA_VEC(const struct wa_control *); /* of the index */
    } packages;
    struct wa_targets targets; /* all machines */
    struct {
        WA_VEC(const struct wa_target *); /* whose own package was signed so */
    } hosts;
    size_t unread; /* machines whose package could not be judged */
};
void wa_revoking_init(struct wa_revoking *r);
void wa_revoking_fini(struct wa_revoking *r);
#define WA_AUTO_REVOKING WA_CLEANUP(wa_revoking_fini)
/* WA_E_INVALID: it is no fingerprint; WA_E_LIMIT. */
WA_CHECK enum wa_code wa_revoking_add(struct wa_revoking *r, struct wa_sv fingerprint,
                                      struct wa_err *err);
/* Whether the signer, or one who vouches for him in this chain, is one of them. */
bool wa_revoking_hits(const struct wa_revoking *r, const struct wa_certs *chain,
                      const char *signer);
/* Packages of the server's repository, from its index as it comes. */
WA_CHECK enum wa_code wa_revoking_find_packages(struct wa_revoking *r, struct wa_client *c,
                                                struct wa_err *err);
/* None may stand in the repository when they are revoked: no machine would take the list.
 * WA_E_CONFLICT. */
WA_CHECK enum wa_code wa_revoking_check(const struct wa_revoking *r, struct wa_err *err);
/* Machines' own packages, one after the other. progress may be NULL. anchors: as for every package.
 */
WA_CHECK enum wa_code wa_revoking_find_hosts(struct wa_revoking *r, struct wa_client *c,
                                             const struct wa_trust *anchors,
                                             void (*progress)(void *user, size_t done, size_t of),
                                             void *user, struct wa_err *err);
/* {"packages": [...], "hosts": [...], "unread": N}'s members, into an open object. */
void wa_revoking_write(const struct wa_revoking *r, struct wa_jw *w);
/* The list in force, as the server has it; *ret NULL: none. Its signer is checked by root. */
WA_CHECK enum wa_code wa_revoking_list(struct wa_client *c, const struct wa_root *root, int64_t now,
                                       struct wa_published **ret, struct wa_err *err);

#endif
