/* exit_warn.c - waptexit --warn: waits for the moment in which a shutdown begins, and tells those
 * who are at work that what is pending is installed first.
 *
 * systemd-inhibit holds that moment up, for the few seconds that logind grants, until this ends; it
 * never holds up the shutdown itself. The bus is read by busctl, so that no program of ours speaks
 * D-Bus. */
#include "base/text.h"
#include "cmd/exit.h"
#include "cmd/notice.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"

#define LINE_BYTES 65536u
#define MATCH                                                                                      \
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.login1.Manager',"    \
    "member='PrepareForShutdown'"

/* Until it says so; false when it ends before. */
static enum wa_code read_until_begin(int fd, bool *ret_begins, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    *ret_begins = false;
    wa_buf_init(&text, LINE_BYTES);
    for (;;) {
        char *p = wa_buf_reserve(&text, 4096);
        if (p == NULL)
            return wa_buf_check(&text, err);
        ptrdiff_t got = wa_pipe_read(fd, p, 4096);
        if (got <= 0)
            return WA_OK;
        wa_buf_advance(&text, (size_t)got);
        size_t at;
        while (wa_sv_chr(wa_buf_sv(&text), '\n', &at)) {
            struct wa_sv line = wa_sv_n(text.p, at);
            /* {..."member":"PrepareForShutdown",..."data":[true]}; false: it was called off */
            bool begins = wa_sv_has(line, WA_SV("[true]"));
            wa_buf_consume(&text, at + 1);
            if (begins) {
                *ret_begins = true;
                return WA_OK;
            }
        }
    }
}

static enum wa_code wait_for_shutdown(bool *ret_begins, struct wa_err *err)
{
    static const char *const argv[] = {"/usr/bin/busctl", "--system", "--json=short",
                                       "--match=" MATCH,  "monitor",  NULL};
    int pipe[2];
    struct wa_proc p;
    struct wa_exit end;
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_pipe(pipe, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, pipe[1], 2};
    const struct wa_spawn s = {.path = argv[0],
                               .argv = argv,
                               .fds = fds,
                               .fd_count = WA_COUNT(fds),
                               .die_with_parent = true};
    enum wa_code code = wa_proc_spawn(&s, &p, err);
    wa_fd_close(&pipe[1]);
    if (code == WA_OK) {
        code = read_until_begin(pipe[0], ret_begins, err);
        wa_proc_kill(&p, WA_PROC_KILL);
        (void)!wa_proc_wait(&p, -1, &end, &ignored);
    }
    wa_fd_close(&pipe[0]);
    return code;
}

enum wa_code wa_leave_await_shutdown(struct wa_err *err)
{
    bool begins = false;
    if (!wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED, "only root can warn the others");
    if (wait_for_shutdown(&begins, err) != WA_OK)
        return err->code;
    return begins ? WA_OK
                  : wa_fail(err, WA_E_UNREACHABLE,
                            "the system's bus can't be watched: is D-Bus running?");
}

enum wa_code wa_leave_warn(const struct wa_leave *l, const struct wa_json *names,
                           struct wa_err *err)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   wa_text("This machine is being shut down. First what is pending is installed "
                           "(%zu packages): please leave it on."),
                   wa_json_count(names));
    return wa_notice_all(l->config, "shutdown-begins", text, err);
}
