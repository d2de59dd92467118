/* local.h - the local endpoint: a Unix socket (named pipe on Windows) whose peer the kernel
 * identifies. */
#ifndef WA_OS_LOCAL_H
#define WA_OS_LOCAL_H

#include "base/sv.h"

struct wa_peer {
    uint32_t uid, gid;
    int pid;
    char user[256]; /* account name; "" when the identity has no account (then deny) */
};

/* Listening socket at path: an old socket there is replaced, mode as given. Non-blocking. */
WA_CHECK enum wa_code wa_local_listen(const char *path, uint32_t mode, int *ret_fd,
                                      struct wa_err *err);
/* WA_E_AGAIN when nobody waits. The new descriptor is non-blocking, close-on-exec. */
WA_CHECK enum wa_code wa_local_accept(int listen_fd, int *ret_fd, struct wa_err *err);
/* Removes the socket's file when nobody shall find it any more. */
void wa_local_remove(const char *path);
/* Identity at connect time, from the kernel (SO_PEERCRED). */
WA_CHECK enum wa_code wa_local_peer(int fd, struct wa_peer *ret, struct wa_err *err);
/* Blocking descriptor. WA_E_UNREACHABLE when nobody listens. */
WA_CHECK enum wa_code wa_local_connect(const char *path, int *ret_fd, struct wa_err *err);
/* Which of the groups the account is in. A name that no group has exactly is looked for without
 * regard to case, as directories keep names (getgrouplist; may block: use in the auth helper only).
 * WA_E_NOT_FOUND: there is no such account. */
WA_CHECK enum wa_code wa_user_in_groups(const char *user, const char *const *groups, size_t count,
                                        bool *ret_in, struct wa_err *err);
struct wa_account {
    char name[256], home[WA_PATH_MAX];
    uint32_t gid;
};
/* WA_E_NOT_FOUND, also for an account whose name or home is too long to be kept. May block. */
WA_CHECK enum wa_code wa_user_by_uid(uint32_t uid, struct wa_account *ret, struct wa_err *err);
/* uid, gid of an account by name; WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_user_ids(const char *user, uint32_t *ret_uid, uint32_t *ret_gid,
                                  struct wa_err *err);

#endif
