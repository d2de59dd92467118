/* root.h - the root document of a repository: who administers it, who may sign and order what, and
 * by which key the server stamps the time (docs/formats/repository-metadata.md).
 *
 * What is not listed is not allowed. An empty list allows nothing, "*" everything.
 */
#ifndef WA_REPO_ROOT_H
#define WA_REPO_ROOT_H

#include "crypto/trust.h"
#include "repo/signed.h"

#define WA_ROOT_PURPOSE "wapt-repo-root"

/* What a signer may do. Lists are JSON arrays of strings in the root's arena. */
struct wa_root_signer {
    struct wa_cert *cert;
    const struct wa_json *sections, *prefixes; /* of packages it may sign */
    bool may_sign_code, may_publish;
    const struct wa_json *actions;        /* kinds of orders */
    const struct wa_json *groups, *units; /* of the machines it may order for */
};
struct wa_root {
    struct wa_arena arena;
    struct wa_signed document;
    char repository[33];
    int64_t version, issued, expires; /* s since 1970 */
    int64_t threshold, published_days, timestamp_hours;
    struct wa_certs administrators;
    struct wa_root_signer signers[WA_ROOT_SIGNERS_MAX];
    size_t signer_count;
    struct wa_key *timestamp_keys[WA_ROOT_TIMESTAMP_KEYS_MAX];
    size_t timestamp_key_count;
};

/* Form only: members, lists, certificates, a threshold that can be reached. *ret: free it. */
WA_CHECK enum wa_code wa_root_read(struct wa_sv json, struct wa_root **ret, struct wa_err *err);
void wa_root_free(struct wa_root *r);
WA_AUTO_DEFINE(wa_root, wa_root_free)

/* How many of by's administrators have signed r. WA_E_REFUSED when one's signature does not hold.
 */
WA_CHECK enum wa_code wa_root_count(const struct wa_root *r, const struct wa_root *by, size_t *ret,
                                    struct wa_err *err);
/* A root that stands alone: enough of its own administrators have signed, and its timestamp keys,
 * one at least, are nobody else's. The next one is asked the same. */
WA_CHECK enum wa_code wa_root_check(const struct wa_root *r, struct wa_err *err);
/* next follows old: the version after it, of the same repository, signed by enough of both's
 * administrators. Expiry is not judged: a chain may have old links. */
WA_CHECK enum wa_code wa_root_check_next(const struct wa_root *old, const struct wa_root *next,
                                         struct wa_err *err);
/* WA_E_REFUSED when it has expired, or when the clock says that it is not issued yet. */
WA_CHECK enum wa_code wa_root_check_dates(const struct wa_root *r, int64_t now, struct wa_err *err);
/* A timestamp key, or somebody who may publish, has gone: versions that were remembered may be of
 * one who should not have set them. Who is added can have set none. */
bool wa_root_changes_online(const struct wa_root *old, const struct wa_root *next);

/* Adds the signers' certificates as anchors. */
WA_CHECK enum wa_code wa_root_trust(const struct wa_root *r, struct wa_trust *into,
                                    struct wa_err *err);
/* The entry of an anchor's fingerprint; NULL when there is none. */
const struct wa_root_signer *wa_root_signer(const struct wa_root *r, const char *fingerprint);
/* The entry by which somebody who is trusted is judged: his own, else that of the authority that
 * vouched for him. WA_E_REFUSED when the root has neither. */
WA_CHECK enum wa_code wa_root_entry(const struct wa_root *r, const struct wa_trust_result *who,
                                    const struct wa_root_signer **ret, struct wa_err *err);
/* WA_E_REFUSED with the reason when the signer may not sign such a package. */
WA_CHECK enum wa_code wa_root_allows_package(const struct wa_root_signer *s, const char *section,
                                             const char *name, bool has_code, struct wa_err *err);
/* WA_E_REFUSED when the signer may not order this anywhere. */
WA_CHECK enum wa_code wa_root_lets_order(const struct wa_root_signer *s, const char *action,
                                         struct wa_err *err);
/* WA_E_REFUSED when the signer may not order this on a machine of these groups and units (from
 * signed host packages; NULL-terminated). */
WA_CHECK enum wa_code wa_root_allows_action(const struct wa_root_signer *s, const char *action,
                                            const char *const *groups, const char *const *units,
                                            struct wa_err *err);

/* --- writing (wapt-repo) --- */
/* An empty one, to be filled. *ret: free it. */
WA_CHECK enum wa_code wa_root_new(struct wa_root **ret, struct wa_err *err);
/* The text to be signed, written anew from r, so that an edited root has one form. */
WA_CHECK enum wa_code wa_root_write(const struct wa_root *r, struct wa_buf *out,
                                    struct wa_err *err);

#endif
