/* local_publish.h - the list that is signed after a change of the repository (kind_publish.c). */
#ifndef WA_CONSOLE_LOCAL_PUBLISH_H
#define WA_CONSOLE_LOCAL_PUBLISH_H

#include "base/vec.h"
#include "console/local_kind.h"

/* Files that a commit has put there, or removed. */
struct wa_local_changes {
    WA_VEC(char *); /* owned */
};
void wa_local_changes_init(struct wa_local_changes *c);
void wa_local_changes_fini(struct wa_local_changes *c);
#define WA_AUTO_LOCAL_CHANGES WA_CLEANUP(wa_local_changes_fini)
void wa_local_changes_add(struct wa_local_changes *c, struct wa_sv file);
/* Signs and publishes the list, if a root of the repository is known here and nothing but these
 * files differs from the last one. Writes "published" into an open object: state none, done or
 * waiting - then error says why, and the kind "publish" shows all of it. What was done before
 * stays done. */
void wa_local_publish_after(const struct wa_local_prepared *p, const struct wa_local_changes *ours,
                            struct wa_client *client, const struct wa_signer *signer,
                            struct wa_jw *w);

#endif
