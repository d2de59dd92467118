/* action_priv.h - between the files of orders: signed roots and proofs as JSON, what actions and
 * roll-outs have in common. */
#ifndef WA_PROTO_ACTION_PRIV_H
#define WA_PROTO_ACTION_PRIV_H

#include "proto/action.h"

#define WA_PURPOSE_BATCH "wapt-action-batch"
#define WA_PURPOSE_RELAY "wapt-relay"
#define WA_PURPOSE_RELAY_BATCH "wapt-relay-batch"

/* As many packages, identifiers to cancel, MAC addresses to wake and bytes of text as the kind
 * takes. */
struct wa_action_counts {
    size_t packages, cancels, macs, text;
};
WA_CHECK enum wa_code wa_action_check_counts(enum wa_action_kind kind,
                                             const struct wa_action_counts *n, struct wa_err *err);
/* only_if_not_running: of a kind that can leave something out alone. */
WA_CHECK enum wa_code wa_action_check_spares(enum wa_action_kind kind, bool only_if_not_running,
                                             struct wa_err *err);
/* Each item is a requirement's text. */
WA_CHECK enum wa_code wa_action_check_packages(const struct wa_json *packages, struct wa_err *err);

struct wa_tree_statement {
    struct wa_tree_digest root;
    uint64_t count;
    int64_t time;
};
/* signer_key: name of the member that holds a fingerprint, or NULL for a statement that has none.
 */
WA_CHECK enum wa_code wa_tree_statement_read(const struct wa_json *statement,
                                             const char *signer_key, struct wa_sv *ret_signer,
                                             struct wa_tree_statement *ret, struct wa_err *err);
WA_CHECK enum wa_code wa_proof_read(const struct wa_json *array, struct wa_tree_proof *ret,
                                    struct wa_err *err);
void wa_proof_write(struct wa_jw *w, const struct wa_tree_proof *proof);

#endif
