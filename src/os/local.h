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
/* Who it was at connect time, from the kernel (SO_PEERCRED), without the account's name but root's;
 * does not block. */
WA_CHECK enum wa_code wa_local_peer_ids(int fd, struct wa_peer *ret, struct wa_err *err);
/* The same with the name, which may block. */
WA_CHECK enum wa_code wa_local_peer(int fd, struct wa_peer *ret, struct wa_err *err);
/* The session of processes that the peer belongs to: that of a terminal, or of a log-in. Two are
 * the same when both members are; a number is used again only after the session's end. False: the
 * peer, or the session's first process, has gone, or is not the peer's user's. */
struct wa_session {
    int id;
    uint64_t started;
};
bool wa_local_session(const struct wa_peer *peer, struct wa_session *ret);
/* Whether its first process still lives. */
bool wa_session_is_there(const struct wa_session *s);
/* Blocking descriptor. WA_E_UNREACHABLE when nobody listens. */
WA_CHECK enum wa_code wa_local_connect(const char *path, int *ret_fd, struct wa_err *err);
/* Whoever takes datagrams at path, as syslog does. Non-blocking descriptor for wa_socket_write(),
 * each of which is one message, or EAGAIN; WA_E_UNREACHABLE when nobody listens. */
WA_CHECK enum wa_code wa_local_datagrams(const char *path, int *ret_fd, struct wa_err *err);
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
