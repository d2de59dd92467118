/* orderers.h - whose orders the server passes on: of signers that its trusted certificates vouch
 * for, and, where the repository has a root, as far as the root lets them.
 *
 * Machines judge for themselves, by the root that they have accepted; here a mistake is told to the
 * person who makes it, before it goes to hundreds of machines.
 */
#ifndef WA_SERVER_ORDERERS_H
#define WA_SERVER_ORDERERS_H

#include "proto/action.h"
#include "repo/root.h"
#include "server/store_priv.h"

struct wa_orderers {
    struct wa_trust *trusted; /* by the server's own certificates */
    struct wa_root *root;     /* NULL: the repository has none */
    struct wa_trust *named;   /* by the root */
};
/* ret: to be finished whatever the result. A root that can't be used is an error. */
WA_CHECK enum wa_code wa_orderers_load(struct wa_store *s, struct wa_orderers *ret,
                                       struct wa_err *err);
/* Of the repository's root as it is now; 0: there is none. */
WA_CHECK enum wa_code wa_orderers_root_version(struct wa_store *s, int64_t *ret,
                                               struct wa_err *err);
void wa_orderers_fini(struct wa_orderers *o);
#define WA_AUTO_ORDERERS WA_CLEANUP(wa_orderers_fini)
struct wa_orderer {                     /* somebody who is trusted */
    const struct wa_root_signer *entry; /* the root's; NULL: the repository has none */
};
/* Who the signer of this chain is, now; costs a signature check a certificate. */
WA_CHECK enum wa_code wa_orderers_find(const struct wa_orderers *o, const struct wa_certs *chain,
                                       struct wa_orderer *ret, struct wa_err *err);
/* May they order that? uuid: of the machine, whose groups count as its host package told them at
 * upload; where none is known, and for NULL, the machines judge alone. */
WA_CHECK enum wa_code wa_orderer_check(const struct wa_orderer *who, struct wa_db *db,
                                       enum wa_action_kind kind, const char *uuid,
                                       struct wa_err *err);

#endif
