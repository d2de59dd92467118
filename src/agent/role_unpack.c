/* role_unpack.c - the process that reads the structure of a ZIP and inflates its members, for the
 * manager.
 *
 * It holds two descriptors: the channel and the manager's private copy of the package, read only.
 * It opens nothing, has no network, judges no signature: what it says is checked by the manager
 * against the signed manifest. A flaw in the ZIP reader or in inflate is confined here. Ends when
 * the manager closes the channel.
 */
#include <errno.h>
#include <unistd.h>

#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "codec/zip_read.h"
#include "os/fs.h"

#define MEMORY_MAX                                                                                 \
    (1ull << 30) /* bytes of address space: the member table of WA_ZIP_MEMBERS_MAX is a quarter of \
                    it */

/* The archive, by the only two calls on it that the confinement leaves: even fstat() is a look-up
 * by name to the kernel. */
struct fd_source {
    struct wa_source base;
    int fd;
};

static enum wa_code source_read(struct wa_source *source, uint64_t offset, void *p, size_t n,
                                struct wa_err *err)
{
    const struct fd_source *s = (const struct fd_source *)(const void *)source;
    char *at = p;
    if (offset > source->size || n > source->size - offset) {
        return wa_fail(err, WA_E_INVALID, "the archive ends too early");
    }
    while (n > 0) {
        ssize_t got = pread(s->fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? wa_fail(err, WA_E_INVALID, "the archive has become shorter")
                            : wa_fail_errno(err, errno, "cannot read the archive");
        }
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return WA_OK;
}

static enum wa_code source_init(struct fd_source *s, int fd, struct wa_err *err)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0 || lseek(fd, 0, SEEK_SET) != 0) {
        return wa_fail_errno(err, errno, "cannot tell how long the archive is");
    }
    *s = (struct fd_source){{(uint64_t)size, source_read}, fd};
    return WA_OK;
}

struct chan_sink {
    struct wa_sink base;
    struct wa_chan *chan;
    uint32_t id;
};

static enum wa_code sink_write(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct chan_sink *s = (struct chan_sink *)(void *)sink;
    const char *at = p;
    while (n > 0) {
        size_t piece = n < WA_ROLE_DATA_MAX ? n : WA_ROLE_DATA_MAX;
        enum wa_code code =
            wa_chan_send(s->chan, WA_M_UNPACK_DATA, s->id, wa_sv_n(at, piece), -1, err);
        if (code != WA_OK) {
            return code;
        }
        at += piece;
        n -= piece;
    }
    return WA_OK;
}

static enum wa_code send_error(struct wa_chan *chan, uint32_t id, const struct wa_err *what,
                               struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF out;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    wa_role_error_write(what, &out);
    enum wa_code code = wa_buf_check(&out, err);
    return code != WA_OK ? code : wa_chan_send(chan, WA_M_UNPACK_END, id, wa_buf_sv(&out), -1, err);
}

static enum wa_code send_list(struct wa_chan *chan, uint32_t id, const struct wa_zip *zip,
                              struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF out;
    wa_buf_init(&out, WA_ROLE_MEMBER_HEAD + WA_RELPATH_MAX);
    size_t count = wa_zip_count(zip);
    for (size_t i = 0; i < count; i++) {
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        wa_buf_clear(&out);
        wa_buf_u64le(&out, m->size);
        wa_buf_addc(&out, m->is_dir ? 1 : 0);
        wa_buf_add(&out, m->name.p, m->name.n);
        enum wa_code code = wa_buf_check(&out, err);
        if (code == WA_OK) {
            code = wa_chan_send(chan, WA_M_UNPACK_MEMBER, id, wa_buf_sv(&out), -1, err);
        }
        if (code != WA_OK) {
            return code;
        }
    }
    wa_buf_clear(&out);
    wa_buf_u32le(&out, (uint32_t)count);
    enum wa_code code = wa_buf_check(&out, err);
    return code != WA_OK ? code
                         : wa_chan_send(chan, WA_M_UNPACK_LISTED, id, wa_buf_sv(&out), -1, err);
}

static enum wa_code send_member(struct wa_chan *chan, const struct wa_chan_msg *msg,
                                struct wa_zip *zip, struct wa_err *err)
{
    const unsigned char *p = (const unsigned char *)msg->payload.p;
    if (msg->payload.n != sizeof(uint32_t)) {
        return wa_fail(err, WA_E_REFUSED, "the manager asked for a member in a wrong form");
    }
    uint32_t index =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (index >= wa_zip_count(zip)) {
        return wa_fail(err, WA_E_REFUSED, "the manager asked for a member that does not exist");
    }
    struct chan_sink sink = {{sink_write}, chan, msg->id};
    struct wa_err failed = WA_ERR_INIT;
    if (wa_zip_read(zip, wa_zip_at(zip, index), &sink.base, &failed) != WA_OK) {
        return send_error(chan, msg->id, &failed, err);
    }
    return wa_chan_send(chan, WA_M_UNPACK_END, msg->id, (struct wa_sv){0}, -1, err);
}

/* The one archive of this process's life. */
static enum wa_code serve(struct wa_chan *chan, struct wa_err *err)
{
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_chan_msg msg;
    enum wa_code code = wa_chan_recv(chan, -1, &msg, err);
    if (code != WA_OK) {
        return code;
    }
    if (msg.type != WA_M_UNPACK_OPEN) {
        return wa_fail(err, WA_E_REFUSED,
                       "the manager asked for a member before naming an archive");
    }
    int WA_AUTO_FD fd = msg.fd;
    struct fd_source source;
    struct wa_err failed = WA_ERR_INIT;
    code = source_init(&source, fd, &failed);
    if (code == WA_OK) {
        code = wa_zip_open(&source.base, &zip, &failed);
    }
    if (code != WA_OK) {
        return send_error(chan, msg.id, &failed, err);
    }
    code = send_list(chan, msg.id, zip, err);
    while (code == WA_OK) {
        code = wa_chan_recv(chan, -1, &msg, err);
        if (code == WA_OK && msg.type != WA_M_UNPACK_READ) {
            wa_fd_close(&msg.fd);
            code = wa_fail(err, WA_E_REFUSED, "the manager named a second archive");
        }
        if (code == WA_OK) {
            code = send_member(chan, &msg, zip, err);
        }
    }
    return code;
}

int wa_role_unpack(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    struct wa_priv priv = {
        .allow = WA_PRIV_FDS,
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 16,
    };
    enum wa_code code = wa_role_child_begin(&c, WA_ROLE_UNPACK, &priv, &err);
    if (code == WA_OK) {
        code = serve(c.chan, &err);
        if (code == WA_E_NOT_FOUND) { /* the manager is done */
            code = WA_OK;
        }
    }
    return wa_role_child_end(&c, code, &err);
}
