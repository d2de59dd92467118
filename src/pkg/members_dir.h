/* members_dir.h - the files of a directory as members: sources being built, and hooks kept for
 * later. */
#ifndef WA_PKG_MEMBERS_DIR_H
#define WA_PKG_MEMBERS_DIR_H

#include "os/fs.h"
#include "pkg/members.h"

struct wa_dir_members;
/* dir must outlive it. Links and special files are WA_E_INVALID. */
WA_CHECK enum wa_code wa_dir_members_open(const struct wa_dir *dir, struct wa_dir_members **ret,
                                          struct wa_err *err);
void wa_dir_members_free(struct wa_dir_members *d);
WA_AUTO_DEFINE(wa_dir_members, wa_dir_members_free)
struct wa_members *wa_dir_members_get(struct wa_dir_members *d);

#endif
