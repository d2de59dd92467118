/* con_reader.c - the process beside waptconsole open that has installers and scripts read by other
 * people's programs (roles of the same program; console/reader.h is how it is asked).
 *
 * There are three: the one that reads, which starts these programs (get_tool.c: each confined to
 * its file); a keeper, which starts another one when it is killed - the local program can start
 * nothing, and a hostile file must not take the next one's reader away; and the keeper's heir,
 * which takes its place when it is killed. None parses a byte of what is handed on.
 */
#include "cmd/con.h"
#include "cmd/get_tool.h"
#include "cmd/libdir.h"
#include "console/reader.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"

#include <stdlib.h>

#define KEEPER "role:reader"
#define HEIR "role:reader-heir"
#define WORKER "role:reading"
#define CHANNEL_FD 3
#define WILL_FD                                                                                    \
    4 /* the heir's: a byte when the keeper ends of itself, the end when it is killed              \
       */
#define AGAIN_MS 200 /* before another takes the place of one that ended badly */
#define LOOK_MS 1000 /* between two looks, where the kernel does not tell of ends */

enum { ARG_ROLE = 1, ARG_LIBDIR, ARG_COUNT };

bool wa_con_is_reader(int argc, char **argv)
{
    return argc == ARG_COUNT &&
           (strcmp(argv[ARG_ROLE], KEEPER) == 0 || strcmp(argv[ARG_ROLE], HEIR) == 0 ||
            strcmp(argv[ARG_ROLE], WORKER) == 0);
}

/* will: -1 but for an heir, which outlives who starts it. */
static enum wa_code spawn(const char *role, const char *const *args, const char *scratch, int fd,
                          int will, struct wa_proc *ret, struct wa_err *err)
{
    char text[WA_PATH_MAX + 16];
    (void)snprintf(text, sizeof text, "TMPDIR=%s", scratch);
    const char *const argv[] = {"waptconsole", role, args[ARG_LIBDIR], NULL};
    const char *const envp[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", text, NULL};
    const int fds[] = {-1, -1, -1, fd, will};
    const struct wa_spawn what = {.argv = argv,
                                  .envp = envp,
                                  .fds = fds,
                                  .fd_count = WA_COUNT(fds),
                                  .die_with_parent = will < 0};
    return wa_proc_spawn(&what, ret, err);
}

static const char *scratch_of_env(void)
{
    const char *scratch = getenv("TMPDIR");
    return scratch != NULL ? scratch : "/nowhere";
}

/* --- the one that reads --- */

static enum wa_code read_one(struct wa_sv what, int fd, const char *libdir, struct wa_buf *out,
                             struct wa_err *err)
{
    enum wa_installer_kind kind;
    int status = 0;
    if (wa_sv_eqs(what, WA_READER_LINT))
        return wa_get_tool_lint(fd, libdir, NULL, out, &status, err);
    if (wa_sv_eqs(what, WA_READER_ICON))
        return wa_get_tool_icon(fd, libdir, out, err);
    return wa_installer_kind_find(what, &kind)
               ? wa_get_tool_output(kind, fd, libdir, out, err)
               : wa_fail(err, WA_E_INVALID, "there is no such kind of installer");
}

static enum wa_code answer(struct wa_chan *chan, const struct wa_chan_msg *msg, const char *libdir,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err why = WA_ERR_INIT;
    char text[WA_ERR_TEXT_MAX + 32];
    uint32_t id = msg->id;
    wa_buf_init(&out,
                wa_sv_eqs(msg->payload, WA_READER_ICON) ? WA_ICON_BYTES_MAX : WA_TOOL_OUTPUT_MAX);
    if (wa_chan_send(chan, WA_READER_TAKEN, id, WA_SV(""), -1, err) != WA_OK)
        return err->code;
    if (read_one(msg->payload, msg->fd, libdir, &out, &why) == WA_OK)
        return wa_chan_send(chan, WA_READER_TOLD, id, wa_buf_sv(&out), -1, err);
    (void)snprintf(text, sizeof text, "%s %s", wa_code_name(why.code), why.text);
    return wa_chan_send(chan, WA_READER_FAILED, id, wa_sv(text), -1, err);
}

static int work(const char *libdir)
{
    WA_AUTO(wa_chan) struct wa_chan *chan = NULL;
    struct wa_err err = WA_ERR_INIT, gone = WA_ERR_INIT;
    struct wa_chan_msg msg;
    if (wa_chan_new(CHANNEL_FD, wa_reader_asked, &chan, &err) != WA_OK)
        return 1;
    (void)!wa_chan_send(chan, WA_READER_BEGUN, 0, WA_SV(""), -1, &gone); /* recv says so too */
    uint32_t last = 0; /* of the questions: the first is 1 */
    while (wa_chan_hear(chan, -1, &msg, &err) == WA_OK) {
        enum wa_code code = msg.id == last ? WA_OK : answer(chan, &msg, libdir, &err);
        last = msg.id;
        wa_fd_close(&msg.fd);
        if (code != WA_OK)
            break;
    }
    return err.code == WA_E_NOT_FOUND ? 0 : 1; /* the local program has ended */
}

/* --- the keeper --- */

struct keeper {
    const char *const *argv;
    struct wa_proc worker, heir; /* pid 0: there is none */
    int will;                    /* to the heir; -1 */
};

static enum wa_code start_heir(struct keeper *k, struct wa_err *err)
{
    int pipe[2];
    if (wa_pipe(pipe, err) != WA_OK)
        return err->code;
    enum wa_code code = spawn(HEIR, k->argv, scratch_of_env(), CHANNEL_FD, pipe[0], &k->heir, err);
    wa_fd_close(&pipe[0]);
    if (code == WA_OK)
        k->will = pipe[1];
    else
        wa_fd_close(&pipe[1]);
    return code;
}

static enum wa_code start_missing(struct keeper *k, struct wa_err *err)
{
    if (k->heir.pid == 0 && start_heir(k, err) != WA_OK)
        return err->code;
    return k->worker.pid != 0
               ? WA_OK
               : spawn(WORKER, k->argv, scratch_of_env(), CHANNEL_FD, -1, &k->worker, err);
}

static bool has_ended(struct wa_proc *p, struct wa_exit *how)
{
    struct wa_err running = WA_ERR_INIT;
    return wa_proc_wait(p, 0, how, &running) == WA_OK;
}

/* One turn. *ret_over: the one that reads has ended of itself. */
static enum wa_code look_after(struct keeper *k, bool *ret_over, struct wa_err *err)
{
    struct wa_exit how = {WA_EXIT_STATUS, 1};
    size_t ignored = 0;
    if (start_missing(k, err) != WA_OK)
        return err->code;
    struct wa_pipe_wait ends[] = {{k->worker.pidfd, false, false}, {k->heir.pidfd, false, false}};
    if (wa_pipe_wait(ends, WA_COUNT(ends), LOOK_MS, &ignored, err) != WA_OK)
        return err->code;
    bool is_left = has_ended(&k->heir, &how), ended = has_ended(&k->worker, &how);
    if (is_left)
        wa_fd_close(&k->will);
    *ret_over = ended && how.kind == WA_EXIT_STATUS && how.value == 0;
    if (!*ret_over && (is_left || ended))
        wa_clock_sleep_ms(AGAIN_MS);
    return WA_OK;
}

static int keep(const char *const *argv)
{
    struct keeper k = {.argv = argv, .worker = {.pidfd = -1}, .heir = {.pidfd = -1}, .will = -1};
    struct wa_err err = WA_ERR_INIT;
    bool is_over = false;
    while (!is_over && look_after(&k, &is_over, &err) == WA_OK)
        continue;
    if (k.will >= 0)
        (void)!wa_pipe_write(k.will, "", 1);
    return is_over ? 0 : 1;
}

static int inherit(const char *const *argv)
{
    char byte;
    bool is_killed = wa_pipe_read(WILL_FD, &byte, 1) == 0;
    int will = WILL_FD;
    wa_fd_close(&will);
    return is_killed ? keep(argv) : 0;
}

int wa_con_reader_main(char **argv)
{
    const char *role = argv[ARG_ROLE];
    wa_proc_ignore_broken_pipes();
    if (strcmp(role, WORKER) == 0)
        return work(argv[ARG_LIBDIR]);
    return strcmp(role, HEIR) == 0 ? inherit((const char *const *)argv)
                                   : keep((const char *const *)argv);
}

/* --- its start --- */

/* What is written there the programs pass through, which are nobody's where we are root. */
static enum wa_code make_folders(struct wa_con_reader *r, struct wa_err *err)
{
    if (wa_scratch_open(&r->files, "wapt-dropped", err) != WA_OK ||
        wa_scratch_open(&r->scratch, "wapt-reader", err) != WA_OK)
        return err->code;
    return wa_priv_is_root() ? wa_dir_set_mode(&r->scratch.dir, 0711, err) : WA_OK;
}

enum wa_code wa_con_reader_start(struct wa_con_reader *ret, struct wa_err *err)
{
    struct wa_proc p;
    int pair[2];
    *ret = (struct wa_con_reader){.fd = -1};
    if (make_folders(ret, err) != WA_OK || wa_socketpair(pair, err) != WA_OK)
        return err->code;
    const char *const args[] = {[ARG_LIBDIR] = wa_libdir()};
    enum wa_code code = spawn(KEEPER, args, ret->scratch.path, pair[1], -1, &p, err);
    wa_fd_close(&pair[1]);
    if (code == WA_OK)
        ret->fd = pair[0];
    else
        wa_fd_close(&pair[0]);
    return code;
}

void wa_con_reader_end(struct wa_con_reader *r)
{
    wa_fd_close(&r->fd);
    wa_scratch_close(&r->scratch);
    wa_scratch_close(&r->files);
}
