/* kept.h - stages of packages, and what later hooks need of those that are installed. */
#ifndef WA_AGENT_KEPT_H
#define WA_AGENT_KEPT_H

#include "agent/manager_priv.h"

/* A fresh, empty stage. id: WA_STAGE_ID + 1 bytes. */
WA_CHECK enum wa_code wa_stage_new(struct wa_manager *m, char *ret_id, struct wa_dir *ret,
                                   struct wa_err *err);
void wa_stage_remove(struct wa_manager *m, const char *id);
/* Name of a package's folders below private/: its package_uuid, or a digest where it has none that
 * makes a name (packages before WAPT 1.6). */
#define WA_KEPT_ID 64
WA_CHECK enum wa_code wa_kept_id(const struct wa_control *c, char ret[WA_KEPT_ID + 1],
                                 struct wa_err *err);
/* Keeps what later hooks need of a package, from its stage. */
WA_CHECK enum wa_code wa_kept_save(struct wa_manager *m, const struct wa_dir *stage,
                                   const struct wa_control *c, struct wa_err *err);
void wa_kept_remove(struct wa_manager *m, const struct wa_control *c);
/* At start: ends what a kill left half done, and removes what belongs to no installed package. */
WA_CHECK enum wa_code wa_kept_sweep(struct wa_manager *m, struct wa_db *db, struct wa_err *err);
bool wa_kept_has_hook(struct wa_manager *m, const struct wa_control *c, enum wa_hook hook);
/* Whether its papers are kept too: of what WAPT had installed there is only the script. */
bool wa_kept_is_whole(struct wa_manager *m, const struct wa_control *c);
/* One of the kept files, verified again now: after a revocation it is refused. */
WA_CHECK enum wa_code wa_kept_read(struct wa_manager *m, const struct wa_installed_row *row,
                                   const char *file, size_t max, struct wa_buf *out,
                                   struct wa_err *err);
/* Verifies the kept files again and stages them. Refused after a revocation, but for UNINSTALL. */
WA_CHECK enum wa_code wa_kept_stage(struct wa_manager *m, const struct wa_installed_row *row,
                                    enum wa_hook hook, char *ret_id, struct wa_err *err);

#endif
