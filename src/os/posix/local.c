/* local.c - the Unix socket of local tools. Who the peer is comes from the kernel, never from what
 * it says. */
#include "os/local.h"

#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024 /* connections that wait to be taken: one user's flood delays the others */

static enum wa_code address(const char *path, struct sockaddr_un *ret, struct wa_err *err)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof ret->sun_path)
        return wa_fail(err, WA_E_LIMIT,
                       "the path of the local socket '%s' is longer than %zu bytes", path,
                       sizeof ret->sun_path - 1);
    memcpy(ret->sun_path, path, strlen(path) + 1);
    return WA_OK;
}

enum wa_code wa_local_listen(const char *path, uint32_t mode, int *ret_fd, struct wa_err *err)
{
    struct sockaddr_un addr;
    struct stat st;
    if (address(path, &addr, err) != WA_OK)
        return err->code;
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return wa_fail(err, WA_E_CONFLICT, "'%s' exists and is not a socket", path);
        if (unlink(path) != 0)
            return wa_fail_errno(err, errno, "cannot replace the local socket '%s'", path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot make a local socket");
    /* bind() gives the file the rights of the descriptor: at no moment has it more than mode. */
    bool is_bound = fchmod(fd, mode) == 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0;
    if (!is_bound || chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0) {
        (void)wa_fail_errno(err, errno, "cannot listen on '%s'", path);
        if (is_bound)
            (void)unlink(path);
        (void)close(fd);
        return err->code;
    }
    *ret_fd = fd;
    return WA_OK;
}

enum wa_code wa_local_accept(int listen_fd, int *ret_fd, struct wa_err *err)
{
    int fd;
    do
        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return wa_fail(err, WA_E_AGAIN, "nobody waits");
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot accept a local connection");
    *ret_fd = fd;
    return WA_OK;
}

/* By name, or by uid when name is NULL. Returns an errno; *ret_found NULL when there is no such
 * account. *text holds what pw points to and is the caller's. */
static int find_account(const char *name, uid_t uid, struct passwd *pw, char **text,
                        struct passwd **ret_found)
{
    *ret_found = NULL;
    for (size_t n = 4096; n <= 1u << 20; n *= 4) {
        char *p = wa_realloc(*text, n, 1);
        if (p == NULL)
            return ENOMEM;
        *text = p;
        int rc = name != NULL ? getpwnam_r(name, pw, p, n, ret_found)
                              : getpwuid_r(uid, pw, p, n, ret_found);
        if (rc != ERANGE)
            return rc == ENOENT || rc == ESRCH ? 0 : rc; /* some modules say absence so */
    }
    return ERANGE;
}

enum wa_code wa_local_peer_ids(int fd, struct wa_peer *ret, struct wa_err *err)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred)
        return wa_fail_errno(err, errno, "cannot tell who is calling");
    *ret = (struct wa_peer){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
    if (cred.uid == 0)
        memcpy(ret->user, "root", sizeof "root");
    return WA_OK;
}

enum wa_code wa_local_peer(int fd, struct wa_peer *ret, struct wa_err *err)
{
    struct passwd pw, *found = NULL;
    WA_AUTO_STR char *text = NULL;
    struct wa_peer peer;
    if (wa_local_peer_ids(fd, &peer, err) != WA_OK)
        return err->code;
    int rc = find_account(NULL, peer.uid, &pw, &text, &found);
    if (rc == ENOMEM)
        return wa_nomem(err);
    *ret = peer;
    ret->user[0] = '\0';
    /* No account, or none that could be looked up: no name, and so no right. */
    if (rc == 0 && found != NULL && strlen(pw.pw_name) < sizeof ret->user)
        memcpy(ret->user, pw.pw_name, strlen(pw.pw_name) + 1);
    return WA_OK;
}

void wa_local_remove(const char *path)
{
    (void)unlink(path);
}

static enum wa_code connect_to(const char *path, int type, int *ret_fd, struct wa_err *err)
{
    struct sockaddr_un addr;
    if (address(path, &addr, err) != WA_OK)
        return err->code;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot make a local socket");
    if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        int saved = errno;
        (void)close(fd);
        if (saved == ENOENT || saved == ECONNREFUSED)
            return wa_fail(err, WA_E_UNREACHABLE, "nobody listens on '%s': is the service running?",
                           path);
        return wa_fail_errno(err, saved, "cannot connect to '%s'", path);
    }
    *ret_fd = fd;
    return WA_OK;
}

enum wa_code wa_local_connect(const char *path, int *ret_fd, struct wa_err *err)
{
    return connect_to(path, SOCK_STREAM, ret_fd, err);
}

enum wa_code wa_local_datagrams(const char *path, int *ret_fd, struct wa_err *err)
{
    return connect_to(path, SOCK_DGRAM | SOCK_NONBLOCK, ret_fd, err);
}

enum wa_code wa_user_ids(const char *user, uint32_t *ret_uid, uint32_t *ret_gid, struct wa_err *err)
{
    struct passwd pw, *found = NULL;
    WA_AUTO_STR char *text = NULL;
    int rc = find_account(user, 0, &pw, &text, &found);
    if (rc == ENOMEM)
        return wa_nomem(err);
    if (rc != 0)
        return wa_fail_errno(err, rc, "cannot look up account '%s'", user);
    if (found == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no account '%s'", user);
    *ret_uid = pw.pw_uid;
    *ret_gid = pw.pw_gid;
    return WA_OK;
}

enum wa_code wa_user_by_uid(uint32_t uid, struct wa_account *ret, struct wa_err *err)
{
    struct passwd pw, *found = NULL;
    WA_AUTO_STR char *text = NULL;
    int rc = find_account(NULL, uid, &pw, &text, &found);
    if (rc == ENOMEM)
        return wa_nomem(err);
    if (rc != 0)
        return wa_fail_errno(err, rc, "cannot look up uid %u", (unsigned)uid);
    if (found == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "uid %u has no account", (unsigned)uid);
    if (strlen(pw.pw_name) >= sizeof ret->name || strlen(pw.pw_dir) >= sizeof ret->home)
        return wa_fail(err, WA_E_NOT_FOUND, "the account of uid %u is too long", (unsigned)uid);
    ret->gid = pw.pw_gid;
    memcpy(ret->name, pw.pw_name, strlen(pw.pw_name) + 1);
    memcpy(ret->home, pw.pw_dir, strlen(pw.pw_dir) + 1);
    return WA_OK;
}

#define GROUP_TEXT_SIZE (1u << 20) /* bytes: a group with thousands of members */

/* The numbers of the account's groups, the caller's. */
static enum wa_code groups_of(const char *user, gid_t **ret, size_t *ret_count, struct wa_err *err)
{
    uint32_t uid, gid;
    int count = 64;
    if (wa_user_ids(user, &uid, &gid, err) != WA_OK)
        return err->code;
    for (int round = 0; round < 2; round++) {
        gid_t *groups = wa_calloc((size_t)count, sizeof *groups);
        int n = count;
        if (groups == NULL)
            return wa_nomem(err);
        if (getgrouplist(user, gid, groups, &n) >= 0) {
            *ret = groups;
            *ret_count = (size_t)n;
            return WA_OK;
        }
        wa_free(groups);
        if (n <= count || n > 1 << 20)
            break;
        count = n;
    }
    return wa_fail(err, WA_E_IO, "cannot list the groups of '%s'", user);
}

struct asked {
    const char *const *names;
    size_t count;
    bool *is_in, *is_absent; /* of each; absent: no group has that very name */
};

static enum wa_code match_exactly(const struct asked *a, const gid_t *gids, size_t n, char *text,
                                  struct wa_err *err)
{
    for (size_t i = 0; i < a->count; i++) {
        struct group gr, *found = NULL;
        int rc = getgrnam_r(a->names[i], &gr, text, GROUP_TEXT_SIZE, &found);
        if (rc != 0 && rc != ENOENT && rc != ESRCH)
            return wa_fail_errno(err, rc, "cannot look up group '%s'", a->names[i]);
        a->is_absent[i] = found == NULL;
        for (size_t k = 0; found != NULL && k < n; k++)
            a->is_in[i] = a->is_in[i] || gids[k] == gr.gr_gid;
    }
    return WA_OK;
}

/* Only names that no group has exactly: a group of the directory never stands for the machine's own
 * of the same name. */
static enum wa_code match_loosely(const struct asked *a, const gid_t *gids, size_t n, char *text,
                                  struct wa_err *err)
{
    for (size_t k = 0; k < n; k++) {
        struct group gr, *found = NULL;
        int rc = getgrgid_r(gids[k], &gr, text, GROUP_TEXT_SIZE, &found);
        if (rc != 0 && rc != ENOENT && rc != ESRCH)
            return wa_fail_errno(err, rc, "cannot look up group %u", (unsigned)gids[k]);
        for (size_t i = 0; found != NULL && i < a->count; i++)
            a->is_in[i] =
                a->is_in[i] || (a->is_absent[i] && wa_sv_ieqs(wa_sv(gr.gr_name), a->names[i]));
    }
    return WA_OK;
}

enum wa_code wa_user_in_groups(const char *user, const char *const *names, size_t count,
                               bool *ret_in, struct wa_err *err)
{
    gid_t *gids = NULL;
    size_t n = 0;
    if (groups_of(user, &gids, &n, err) != WA_OK)
        return err->code;
    WA_AUTO_STR char *text = wa_calloc(1, GROUP_TEXT_SIZE);
    bool *found = wa_calloc(2 * count + 1, sizeof *found); /* is_in, then is_absent */
    if (text == NULL || found == NULL) {
        (void)wa_nomem(err);
    } else {
        const struct asked a = {names, count, found, found + count};
        if (match_exactly(&a, gids, n, text, err) == WA_OK &&
            match_loosely(&a, gids, n, text, err) == WA_OK)
            memcpy(ret_in, found, count * sizeof *found);
    }
    wa_free(found);
    wa_free(gids);
    return err->code;
}
