/* desk_agent.c - one request to the agent, as this person.
 *
 * What the agent answers is taken as it is worded. A password goes out with the request and is not
 * kept: the agent remembers for a while that it was right.
 */
#include "base/limits.h"
#include "desktop/desk_priv.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/socket.h"

#include <errno.h>

#define SLICE_MS 200      /* how soon it is noticed that the program ends */
#define PATIENCE_MS 90000 /* a directory that is away takes the agent long to ask */
#define READ_BYTES 65536

enum wa_code wa_desk_send(const struct wa_desk *d, struct wa_sv line, int *ret_fd,
                          struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    if (wa_local_connect(d->o->socket, &fd, err) != WA_OK)
        return err->code;
    while (line.n > 0) {
        ptrdiff_t put = wa_socket_write(fd, line.p, line.n);
        if (put < 0)
            return wa_fail_errno(err, errno, "cannot talk to the service");
        line = wa_sv_sub(line, (size_t)put, line.n);
    }
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

/* *ret_over: the agent has said all that is waited for. */
static enum wa_code take(struct wa_sv line, struct wa_desk_answer *ret, bool *ret_over,
                         struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_local_answer a;
    struct wa_jw w;
    char text[WA_ERR_TEXT_MAX];
    wa_arena_init(&arena, 4 * WA_LOCAL_LINE_MAX);
    if (wa_local_answer_read(line, &arena, &a, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &ret->data);
    *ret_over = a.event == WA_EV_AUTH || a.event == WA_EV_TASK || a.event == WA_EV_RESULT;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(a.text));
    ret->needs_password = a.event == WA_EV_AUTH;
    if (a.event == WA_EV_AUTH)
        return wa_fail(err, WA_E_AUTH, "%s", text);
    if (a.event == WA_EV_RESULT && a.code != WA_OK)
        return wa_fail(err, a.code, "%s", text);
    if (a.event == WA_EV_RESULT && a.data != NULL)
        wa_jw_json(&w, a.data);
    if (a.event == WA_EV_TASK) {
        wa_jw_obj(&w);
        wa_jw_kvi(&w, "task", a.id);
        wa_jw_end(&w);
    }
    return wa_buf_check(&ret->data, err);
}

/* Reads once; nothing when there is nothing for a while. */
static enum wa_code read_some(int fd, struct wa_buf *in, struct wa_err *err)
{
    struct wa_pipe_wait w = {fd, false, false};
    size_t count = 0;
    if (wa_pipe_wait(&w, 1, SLICE_MS, &count, err) != WA_OK || count == 0)
        return err->code;
    char *p = wa_buf_reserve(in, READ_BYTES);
    if (p == NULL)
        return wa_buf_check(in, err);
    ptrdiff_t got = wa_pipe_read(fd, p, READ_BYTES);
    if (got <= 0)
        return wa_fail(err, WA_E_UNREACHABLE,
                       "the service ended the connection: too much is asked at once, or it is "
                       "restarting: try again");
    wa_buf_advance(in, (size_t)got);
    return WA_OK;
}

enum wa_code wa_desk_talk(const struct wa_desk *d, struct wa_sv line, struct wa_desk_answer *ret,
                          struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf in;
    uint64_t until = wa_clock_mono_ms() + PATIENCE_MS;
    bool is_over = false;
    size_t from = 0, at;
    wa_buf_init(&in, WA_LOCAL_LINE_MAX);
    if (wa_desk_send(d, line, &fd, err) != WA_OK)
        return err->code;
    while (!is_over) {
        if (wa_sv_chr(wa_sv_sub(wa_buf_sv(&in), from, in.n), '\n', &at)) {
            if (take(wa_sv_n(in.p, from + at), ret, &is_over, err) != WA_OK)
                return err->code;
            wa_buf_consume(&in, from + at + 1);
            from = 0;
            continue;
        }
        from = in.n;
        if (atomic_load(&d->ends) || wa_clock_mono_ms() > until)
            return wa_fail(err, WA_E_TIMEOUT, "the service does not answer");
        if (read_some(fd, &in, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}
