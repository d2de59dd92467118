/* follow.h - from what a machine knows of a repository to what is true there now: the steps of
 * docs/formats/repository-metadata.md, without a network and without files.
 *
 *     wa_follow_new(...);
 *     while (wa_follow_want(f, &want))          what to fetch next, and how much of it at most
 *         wa_follow_take(f, bytes or "absent");  judged; an error ends it
 *     wa_follow_root(f), wa_follow_published(f)
 *
 * Whoever calls stores what each step accepted (want.kind) before the next one: the root first.
 */
#ifndef WA_REPO_FOLLOW_H
#define WA_REPO_FOLLOW_H

#include "repo/published.h"
#include "repo/timestamp.h"

enum wa_follow_kind { WA_FOLLOW_ROOT, WA_FOLLOW_TIMESTAMP, WA_FOLLOW_PUBLISHED, WA_FOLLOW_DONE };
struct wa_follow_want {
    enum wa_follow_kind kind;
    char name[48];    /* file beside Packages */
    size_t max_bytes; /* nothing beyond is to be read */
    bool may_be_absent;
};

struct wa_follow;
/* root_json: the root that this machine trusts already, judged here for its own signatures alone.
 * published_json: the list it accepted last, "" for none: one that the root does not vouch for any
 * more is forgotten. now: s since 1970. *ret: free it. */
WA_CHECK enum wa_code wa_follow_new(struct wa_sv root_json, struct wa_sv published_json,
                                    int64_t now, struct wa_follow **ret, struct wa_err *err);
void wa_follow_free(struct wa_follow *f);
WA_AUTO_DEFINE(wa_follow, wa_follow_free)

/* False when all is known. */
bool wa_follow_want(const struct wa_follow *f, struct wa_follow_want *ret);
/* The document that was wanted; bytes NULL: it is not there. On an error nothing of it counts, and
 * what was accepted before stays. */
WA_CHECK enum wa_code wa_follow_take(struct wa_follow *f, const struct wa_sv *bytes,
                                     struct wa_err *err);

/* Borrowed; the last one accepted. published: NULL before there is one. */
const struct wa_root *wa_follow_root(const struct wa_follow *f);
const struct wa_published *wa_follow_published(const struct wa_follow *f);
const struct wa_timestamp *wa_follow_timestamp(const struct wa_follow *f); /* NULL before */

#endif
