/* local_door.c - one local program for a person and a server: a further start asks the one that
 * runs for a link, and shows that.
 *
 * The socket lies in a folder of this person's that nobody else can enter; both ends still ask the
 * kernel whose process the other one is.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "os/socket.h"

#define PATIENCE_MS 5000

struct wa_local_door {
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
    struct wa_local *l = user;
    struct wa_err err = WA_ERR_INIT;
    char link[WA_LOCAL_LINK_SIZE];
    WA_AUTO_FD int fd = -1;
    WA_UNUSED(events);
    if (wa_local_accept(l->door->fd, &fd, &err) != WA_OK || check_peer(fd, &err) != WA_OK ||
        wa_local_link_new(l, link, &err) != WA_OK)
        return;
    l->active_ms = wa_loop_now_ms(l->loop); /* somebody comes: not now the end */
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
            return wa_fail(err, WA_E_BUSY, "the console that runs already does not answer");
        ptrdiff_t got = wa_pipe_read(fd, link + n, sizeof link - 1 - n);
        if (got <= 0)
            break; /* also when it is full */
        n += (size_t)got;
    }
    link[n] = '\0';
    if (wa_sv_starts(wa_sv(link), "http://127.0.0.1:"))
        (void)snprintf(ret_link, WA_LOCAL_LINK_SIZE, "%s", link);
    wa_wipe(link, sizeof link);
    return WA_OK; /* without a link it is about to end */
}

static enum wa_code find_place(const struct wa_local *l, char out[WA_PATH_MAX], struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_stat st;
    uint8_t digest[WA_SHA256_SIZE];
    if (wa_dir_make(l->o->run_dir, 0700, &dir, err) != WA_OK ||
        wa_fd_stat(dir.fd, &st, err) != WA_OK)
        return err->code;
    if (st.uid != wa_proc_own_uid() || (st.mode & 077u) != 0)
        return wa_fail(err, WA_E_DENIED, "others can enter '%s': it must be yours, with mode 0700",
                       l->o->run_dir);
    if (wa_sha256(l->o->server, strlen(l->o->server), digest, err) != WA_OK)
        return err->code;
    int n = snprintf(out, WA_PATH_MAX, "%s/console-%02x%02x%02x%02x.sock", l->o->run_dir, digest[0],
                     digest[1], digest[2], digest[3]);
    return n < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", l->o->run_dir);
}

enum wa_code wa_local_door_open(struct wa_local *l, char *ret_link, struct wa_err *err)
{
    struct wa_local_door *d = wa_calloc(1, sizeof *d);
    if (d == NULL)
        return wa_nomem(err);
    d->fd = -1;
    l->door = d;
    if (find_place(l, d->path, err) != WA_OK || ask_other(d->path, ret_link, err) != WA_OK)
        return err->code;
    if (ret_link[0] != '\0')
        return WA_OK;
    if (wa_local_listen(d->path, 0600, &d->fd, err) != WA_OK ||
        wa_io_new(l->loop, d->fd, on_start, l, &d->io, err) != WA_OK)
        return err->code;
    return wa_io_set(d->io, WA_IO_READ, err);
}

void wa_local_door_close(struct wa_local *l)
{
    struct wa_local_door *d = l->door;
    if (d == NULL)
        return;
    l->door = NULL;
    if (d->io != NULL)
        wa_io_free(d->io);
    if (d->fd >= 0)
        wa_local_remove(d->path);
    wa_fd_close(&d->fd);
    wa_free(d);
}
