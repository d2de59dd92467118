/* verify_priv.h - between verify.c, which decides whom to believe, and verify_files.c and
 * verify_sha1.c, which compare the members with what the believed one signed. */
#ifndef WA_PKG_VERIFY_PRIV_H
#define WA_PKG_VERIFY_PRIV_H

#include "crypto/digest.h"
#include "pkg/verify.h"

struct wa_verify_progress {
    bool (*fn)(void *user, uint64_t done, uint64_t total);
    void *user;
    uint64_t done, total; /* bytes */
};

/* The list of members as such: count, safe names, none twice, sizes within the caps. Adds up
 * p->total. */
WA_CHECK enum wa_code wa_verify_names(const struct wa_members *m, struct wa_verify_progress *p,
                                      struct wa_err *err);
/* A small member into out, whose cap holds. missing: what its absence means. */
WA_CHECK enum wa_code wa_verify_read_small(struct wa_members *m, const char *name,
                                           struct wa_buf *out, const char *missing,
                                           struct wa_err *err);
/* The digest of member i, of exactly the size that was announced. */
WA_CHECK enum wa_code wa_verify_digest(struct wa_members *m, size_t i, struct wa_digest *d,
                                       char out[WA_DIGEST_HEX_MAX], struct wa_err *err);
/* setup.py, and the signer's right to it. */
WA_CHECK enum wa_code wa_verify_code(const struct wa_members *m, struct wa_verdict *v,
                                     struct wa_err *err);
/* Every member is listed with its digest, and every listed one is there unless may_miss. */
WA_CHECK enum wa_code wa_verify_files(struct wa_members *m, const struct wa_verdict *v,
                                      struct wa_verify_progress *p, bool may_miss,
                                      struct wa_err *err);
/* The pair over SHA-1, if it is there: its signature by the same key, the same files, their
 * digests. After wa_verify_files(). */
WA_CHECK enum wa_code wa_verify_sha1(struct wa_members *m, const struct wa_verdict *v,
                                     struct wa_err *err);

#endif
