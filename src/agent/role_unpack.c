/* role_unpack.c - the process that reads the structure of a ZIP and inflates its members, for the
 * manager.
 *
 * It holds two descriptors: the channel and the manager's private copy of the package, read only.
 * It opens nothing, has no network, judges no signature: what it says is checked by the manager
 * against the signed manifest. A flaw in the ZIP reader or in inflate is confined here. Ends when
 * the manager closes the channel.
 */

#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "codec/zip_read.h"
#include "os/fs.h"

#define MEMORY_MAX                                                                                 \
    (1ull << 30) /* bytes of address space: the member table of WA_ZIP_MEMBERS_MAX is a quarter of \
                    it */

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
    struct chan_sink sink = {{.write = sink_write}, chan, msg->id};
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
    enum wa_code code = wa_chan_hear(chan, -1, &msg, err);
    if (code != WA_OK) {
        return code;
    }
    if (msg.type != WA_M_UNPACK_OPEN) {
        return wa_fail(err, WA_E_REFUSED,
                       "the manager asked for a member before naming an archive");
    }
    int WA_AUTO_FD fd = msg.fd;
    struct wa_fd_source source;
    struct wa_err failed = WA_ERR_INIT;
    code = wa_fd_source_init_confined(&source, fd, &failed);
    if (code == WA_OK) {
        code = wa_zip_open(&source.base, &zip, &failed);
    }
    if (code != WA_OK) {
        return send_error(chan, msg.id, &failed, err);
    }
    code = send_list(chan, msg.id, zip, err);
    while (code == WA_OK) {
        code = wa_chan_hear(chan, -1, &msg, err);
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
