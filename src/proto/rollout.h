/* rollout.h - the statement of a roll-out: what an administrator has signed beforehand, for which
 * machines, from when until when (docs/formats/rollouts.md). The server only chooses when to
 * release it to which machine.
 *
 *   {"purpose":"wapt-rollout","id":"<32
 * hex>","action":"install","packages":["tis-x"],"force":false,
 *    "issued_at":s,"not_before":s,"not_after":s,"signer":"<fingerprint>",
 *    "machines":["<uuid>",...] or "members_of":["grp-paris",...] [,"supersedes":"<32 hex>"]
 *    [,"only_if_not_running":true]}
 *
 * It travels in place of an action's leaf and batch (proto/action.h): order
 * {"rollout":{envelope},"chain":"<PEM, signer first>"}, countersigned like every other.
 */
#ifndef WA_PROTO_ROLLOUT_H
#define WA_PROTO_ROLLOUT_H

#include "proto/action.h"

/* Writes the statement of r, whose lists are given here as texts: packages, and the machines or
 * groups. signer: fingerprint. */
struct wa_rollout_lists {
    const char *const *packages, *const *machines, *const *members_of;
    size_t package_count, machine_count, member_count;
};
WA_CHECK enum wa_code wa_rollout_write(const struct wa_rollout *r,
                                       const struct wa_rollout_lists *lists, const char *signer,
                                       struct wa_buf *text, struct wa_err *err);
/* Of a statement whose purpose is right; the arena of the JSON must outlive *ret. ret_signer: the
 * fingerprint that it names. */
WA_CHECK enum wa_code wa_rollout_read(const struct wa_json *statement, struct wa_rollout *ret,
                                      struct wa_sv *ret_signer, struct wa_err *err);
/* The statement of an order that was read and judged before: neither its chain nor its signature is
 * looked at. The arena must outlive *ret. */
WA_CHECK enum wa_code wa_rollout_open(const struct wa_json *order, struct wa_arena *arena,
                                      struct wa_rollout *ret, struct wa_err *err);
/* The order, from text and signature. */
WA_CHECK enum wa_code wa_rollout_order_write(struct wa_sv text, const struct wa_key *key,
                                             const struct wa_certs *chain, struct wa_buf *out,
                                             struct wa_err *err);
/* Whether it is for this machine. names: what its own signed host package says that it is in,
 * ended by NULL. */
bool wa_rollout_covers(const struct wa_rollout *r, const char *uuid, const char *const *names);

#endif
