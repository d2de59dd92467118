/* local_door.c - see local_door.h.
 *
 * The socket lies in a folder of this person's that nobody else can enter; both ends still ask the
 * kernel whose process the other one is.
 */
#include "net/local_door.h"

#include "base/mem.h"
#include "base/sv.h"
#include "net/local_site.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "os/socket.h"

#define PATIENCE_MS 5000

struct wa_local_door {
    enum wa_code (*give)(void *user, char *out, struct wa_err *err);
    void *user;
    char path[WA_PATH_MAX];
    int fd;
    struct wa_io *io;
};

static enum wa_code check_peer(int fd, struct wa_err *err)
{
    struct wa_peer peer;
    if (wa_local_peer_ids(fd, &peer, err) != WA_OK)
        return err->code;
    return peer.uid == wa_proc_own_uid()
               ? WA_OK
               : wa_fail(err, WA_E_DENIED, "another user is at the other end");
}

static void on_start(void *user, int events)
{
    const struct wa_local_door *d = user;
    struct wa_err err = WA_ERR_INIT;
    char link[WA_LOCAL_LINK_SIZE];
    WA_AUTO_FD int fd = -1;
    WA_UNUSED(events);
    if (wa_local_accept(d->fd, &fd, &err) != WA_OK || check_peer(fd, &err) != WA_OK ||
        d->give(d->user, link, &err) != WA_OK)
        return;
    (void)!wa_socket_write(fd, link, strlen(link));
    wa_wipe(link, sizeof link);
}

/* The link of the one that runs; *ret_link "" when none does. */
static enum wa_code ask_other(const char *path, char *ret_link, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_err why = WA_ERR_INIT;
    char link[WA_LOCAL_LINK_SIZE] = "";
    size_t n = 0, count = 0;
    ret_link[0] = '\0';
    if (wa_local_connect(path, &fd, &why) != WA_OK)
        return WA_OK;
    if (check_peer(fd, err) != WA_OK)
        return err->code;
    for (;;) {
        struct wa_pipe_wait w = {fd, false, false};
        if (wa_pipe_wait(&w, 1, PATIENCE_MS, &count, err) != WA_OK)
            return err->code;
        if (count == 0)
            return wa_fail(err, WA_E_BUSY, "the program that runs already does not answer");
        ptrdiff_t got = wa_pipe_read(fd, link + n, sizeof link - 1 - n);
        if (got <= 0)
            break; /* also when it is full */
        n += (size_t)got;
    }
    link[n] = '\0';
    if (wa_sv_starts(wa_sv(link), "http://127."))
        (void)snprintf(ret_link, WA_LOCAL_LINK_SIZE, "%s", link);
    wa_wipe(link, sizeof link);
    return WA_OK; /* without a link it is about to end */
}

static enum wa_code find_place(const char *run_dir, const char *name, char out[WA_PATH_MAX],
                               struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_stat st;
    if (wa_dir_make(run_dir, 0700, &dir, err) != WA_OK || wa_fd_stat(dir.fd, &st, err) != WA_OK)
        return err->code;
    if (st.uid != wa_proc_own_uid() || (st.mode & 077u) != 0)
        return wa_fail(err, WA_E_DENIED, "others can enter '%s': it must be yours, with mode 0700",
                       run_dir);
    return snprintf(out, WA_PATH_MAX, "%s/%s.sock", run_dir, name) < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", run_dir);
}

static enum wa_code open_it(struct wa_local_door *d, const struct wa_local_door_options *o,
                            char *ret_link, struct wa_err *err)
{
    if (find_place(o->run_dir, o->name, d->path, err) != WA_OK ||
        ask_other(d->path, ret_link, err) != WA_OK || ret_link[0] != '\0')
        return err->code;
    if (wa_local_listen(d->path, 0600, &d->fd, err) != WA_OK ||
        wa_io_new(o->loop, d->fd, on_start, d, &d->io, err) != WA_OK)
        return err->code;
    return wa_io_set(d->io, WA_IO_READ, err);
}

enum wa_code wa_local_door_open(const struct wa_local_door_options *o, struct wa_local_door **ret,
                                char *ret_link, struct wa_err *err)
{
    struct wa_local_door *d = wa_calloc(1, sizeof *d);
    if (d == NULL)
        return wa_nomem(err);
    *d = (struct wa_local_door){.give = o->give, .user = o->user, .fd = -1};
    if (open_it(d, o, ret_link, err) == WA_OK)
        *ret = d;
    else
        wa_local_door_close(d);
    return err->code;
}

void wa_local_door_close(struct wa_local_door *d)
{
    if (d == NULL)
        return;
    if (d->io != NULL)
        wa_io_free(d->io);
    if (d->fd >= 0)
        wa_local_remove(d->path);
    wa_fd_close(&d->fd);
    wa_free(d);
}
