/* inventory.h - what the machine has and takes. */
#ifndef WA_AGENT_INVENTORY_H
#define WA_AGENT_INVENTORY_H

#include "agent/manager_priv.h"

/* --- inventory.c: JSON texts --- */
/* The machine's names: members of host_info, and what a registration carries of it. */
void wa_inventory_names(const struct wa_host_facts *f, struct wa_jw *w);
/* with_params: what was given to the packages' scripts too. */
WA_CHECK enum wa_code wa_inventory_packages(struct wa_db *db, bool with_params, struct wa_buf *out,
                                            struct wa_err *err);
void wa_control_json(struct wa_jw *w, const struct wa_control *c); /* an object's members */

/* --- inventory.c too: what this machine takes --- */
void wa_manager_caps(const struct wa_manager *m, struct wa_host_caps *ret);
/* The signers that count: the accepted root's, else those of a repository's certificates; repo
 * NULL: for all else. */
WA_CHECK enum wa_code wa_manager_anchors(const struct wa_manager *m,
                                         const struct wa_agent_repo *repo,
                                         const struct wa_repo_trust *t, struct wa_trust **ret,
                                         struct wa_err *err);

#endif
