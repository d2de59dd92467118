/* call.c - the connection of wapt-get and waptexit to the agent: opened, written, cut into lines.
 * What the lines mean is their callers'; a password that is sent is theirs to wipe too. */
#include "cmd/call.h"

#include <errno.h>

#include "agent/config.h"
#include "base/text.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/socket.h"

#define READ_BYTES 65536

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

void wa_call_init(struct wa_call *t)
{
    *t = (struct wa_call){.fd = -1};
    wa_buf_init(&t->in, WA_LOCAL_LINE_MAX);
}

void wa_call_fini(struct wa_call *t)
{
    wa_fd_close(&t->fd);
    wa_buf_fini(&t->in);
    wa_agent_once_end(t->once);
}

static enum wa_code connect_to(struct wa_call *t, const struct wa_agent_config *c, bool may_start,
                               struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (wa_local_connect(c->local_socket, &t->fd, &why) == WA_OK)
        return WA_OK;
    if (why.code != WA_E_UNREACHABLE) {
        *err = why;
        return err->code;
    }
    if (!may_start || !wa_priv_is_root())
        return wa_fail(err, WA_E_UNREACHABLE, "nobody answers at '%s': is waptservice running?%s",
                       c->local_socket, may_start ? " Without it only root can do this" : "");
    if (wa_agent_once_start(c->file, t->log_level, &t->once, err) != WA_OK)
        return err->code;
    return wa_agent_once_connect(t->once, c->local_socket, &t->fd, err);
}

enum wa_code wa_call_open(struct wa_call *t, const char *config_file, bool may_start,
                          struct wa_err *err)
{
    struct wa_agent_config c;
    if (wa_agent_config_load(config_file, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = connect_to(t, &c, may_start, err);
    wa_agent_config_free(&c);
    return code;
}

enum wa_code wa_call_send(struct wa_call *t, struct wa_sv line, struct wa_err *err)
{
    while (line.n > 0) {
        ptrdiff_t put = wa_socket_write(t->fd, line.p, line.n);
        if (put < 0)
            return wa_fail_errno(err, errno, "cannot talk to the service");
        line = wa_sv_sub(line, (size_t)put, line.n);
    }
    return WA_OK;
}

enum wa_code wa_call_ask(struct wa_call *t, const struct wa_local_request *r, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf line;
    struct wa_local_request full = *r;
    full.language = wa_text_current();
    wa_buf_init(&line, 2 * WA_LOCAL_REQUEST_MAX);
    return wa_local_request_write(&full, &line, err) == WA_OK
               ? wa_call_send(t, wa_buf_sv(&line), err)
               : err->code;
}

bool wa_call_next(struct wa_call *t, struct wa_sv *ret)
{
    size_t at;
    wa_buf_consume(&t->in, t->used);
    t->used = 0;
    if (!wa_sv_chr(wa_buf_sv(&t->in), '\n', &at))
        return false;
    *ret = wa_sv_n(t->in.p, at);
    t->used = at + 1;
    return true;
}

enum wa_code wa_call_read(struct wa_call *t, struct wa_err *err)
{
    char *p = wa_buf_reserve(&t->in, READ_BYTES);
    if (p == NULL)
        return wa_buf_check(&t->in, err);
    ptrdiff_t got = wa_pipe_read(t->fd, p, READ_BYTES);
    if (got <= 0)
        return wa_fail(err, WA_E_UNREACHABLE,
                       "the service ended the connection: it may be restarting, look at its log");
    wa_buf_advance(&t->in, (size_t)got);
    return WA_OK;
}

enum wa_code wa_call_line(struct wa_call *t, struct wa_sv *ret, struct wa_err *err)
{
    while (!wa_call_next(t, ret))
        if (wa_call_read(t, err) != WA_OK)
            return err->code;
    return WA_OK;
}
