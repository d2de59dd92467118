/* con_reader.c - the process beside waptconsole open that has installers and scripts read by other
 * people's programs (roles of the same program; console/reader.h is how it is asked).
 *
 * There are two: the one that reads, with what these programs need and no more, and a keeper, which
 * starts another one when it is killed - the local program can start nothing, and a hostile file
 * must not take the next one's reader away. Neither parses a byte of what it hands on.
 */
#include "cmd/con.h"
#include "cmd/get_tool.h"
#include "cmd/libdir.h"
#include "console/reader.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/priv.h"
#include "os/proc.h"

#include <stdlib.h>

#define KEEPER "role:reader"
#define WORKER "role:reading"
#define CHANNEL_FD 3
#define AGAIN_MS 200 /* before another takes the place of one that ended badly */
#define HOPELESS 2   /* exit status: another one would end in the same way */

enum { ARG_ROLE = 1, ARG_LIBDIR, ARG_LANGUAGE, ARG_TEMP, ARG_COUNT };

bool wa_con_is_reader(int argc, char **argv)
{
    return argc == ARG_COUNT &&
           (strcmp(argv[ARG_ROLE], KEEPER) == 0 || strcmp(argv[ARG_ROLE], WORKER) == 0);
}

static enum wa_code spawn(const char *role, const char *libdir, const char *language,
                          const char *temp, const char *tmpdir, int fd, struct wa_proc *ret,
                          struct wa_err *err)
{
    char text[WA_PATH_MAX + 16];
    (void)snprintf(text, sizeof text, "TMPDIR=%s", tmpdir);
    const char *const argv[] = {"waptconsole", role, libdir, language, temp, NULL};
    const char *const envp[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", text, NULL};
    const int fds[] = {-1, -1, -1, fd};
    const struct wa_spawn what = {
        .argv = argv, .envp = envp, .fds = fds, .fd_count = WA_COUNT(fds), .die_with_parent = true};
    return wa_proc_spawn(&what, ret, err);
}

/* --- the one that reads --- */

/* What the programs need: themselves, the file that they are given - which lies where this person's
 * temporary files do - and the folder to write to. */
static enum wa_code confine(const char *libdir, const char *temp, struct wa_err *err)
{
    const char *scratch = getenv("TMPDIR");
    const char *const reads[] = {"/usr", "/lib",          "/lib64", "/bin", "/etc", "/proc",
                                 "/dev", "/var/lib/dpkg", libdir,   temp,   NULL};
    const char *const writes[] = {scratch != NULL ? scratch : "/nowhere", "/dev/null", NULL};
    const struct wa_priv p = {.name = "waptconsole/reader",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_FDS |
                                       WA_PRIV_THREADS | WA_PRIV_SPAWN | WA_PRIV_LIMITS |
                                       (wa_priv_is_root() ? WA_PRIV_IDS : 0),
                              .read_paths = reads,
                              .write_paths = writes,
                              .no_core = true};
    char line[WA_PRIV_LINE_MAX];
    return wa_priv_drop(&p, line, err);
}

static enum wa_code read_one(const struct wa_chan_msg *msg, const char *libdir, struct wa_buf *out,
                             struct wa_err *err)
{
    enum wa_installer_kind kind;
    int status = 0;
    if (wa_sv_eqs(msg->payload, WA_READER_LINT))
        return wa_get_tool_lint(msg->fd, libdir, NULL, out, &status, err);
    return wa_installer_kind_find(msg->payload, &kind)
               ? wa_get_tool_output(kind, msg->fd, libdir, out, err)
               : wa_fail(err, WA_E_INVALID, "there is no such kind of installer");
}

static enum wa_code answer(struct wa_chan *chan, const struct wa_chan_msg *msg, const char *libdir,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err why = WA_ERR_INIT;
    char text[WA_ERR_TEXT_MAX + 32];
    uint32_t id = msg->id;
    wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
    if (read_one(msg, libdir, &out, &why) == WA_OK)
        return wa_chan_send(chan, WA_READER_TOLD, id, wa_buf_sv(&out), -1, err);
    (void)snprintf(text, sizeof text, "%s %s", wa_code_name(why.code), why.text);
    return wa_chan_send(chan, WA_READER_FAILED, id, wa_sv(text), -1, err);
}

static int work(const char *libdir, const char *temp)
{
    WA_AUTO(wa_chan) struct wa_chan *chan = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg msg;
    if (confine(libdir, temp, &err) != WA_OK)
        return HOPELESS;
    if (wa_chan_new(CHANNEL_FD, wa_reader_asked, &chan, &err) != WA_OK ||
        wa_chan_send(chan, WA_READER_BEGUN, 0, WA_SV(""), -1, &err) != WA_OK)
        return 1;
    while (wa_chan_recv(chan, -1, &msg, &err) == WA_OK) {
        enum wa_code code = answer(chan, &msg, libdir, &err);
        wa_fd_close(&msg.fd);
        if (code != WA_OK)
            break;
    }
    return err.code == WA_E_NOT_FOUND ? 0 : 1; /* the local program has ended */
}

/* --- the keeper --- */

static int keep(char **argv)
{
    const char *scratch = getenv("TMPDIR");
    for (;;) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_proc p;
        struct wa_exit how;
        if (spawn(WORKER, argv[ARG_LIBDIR], argv[ARG_LANGUAGE], argv[ARG_TEMP],
                  scratch != NULL ? scratch : "/nowhere", CHANNEL_FD, &p, &err) != WA_OK ||
            wa_proc_wait(&p, -1, &how, &err) != WA_OK)
            return 1;
        if (how.kind == WA_EXIT_STATUS && (how.value == 0 || how.value == HOPELESS))
            return how.value;
        wa_clock_sleep_ms(AGAIN_MS);
    }
}

int wa_con_reader_main(char **argv)
{
    wa_text_language(argv[ARG_LANGUAGE]);
    wa_proc_ignore_broken_pipes();
    return strcmp(argv[ARG_ROLE], WORKER) == 0 ? work(argv[ARG_LIBDIR], argv[ARG_TEMP])
                                               : keep(argv);
}

/* --- its start --- */

/* Ours, and passed through by the programs, which are nobody's where we are root. */
static enum wa_code make_scratch(struct wa_con_reader *r, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_temp_dir("wapt-reader", r->scratch, err) != WA_OK)
        return err->code;
    if (!wa_priv_is_root())
        return WA_OK;
    return wa_dir_open(r->scratch, &dir, err) == WA_OK ? wa_dir_set_mode(&dir, 0711, err)
                                                       : err->code;
}

enum wa_code wa_con_reader_start(struct wa_con_reader *ret, struct wa_err *err)
{
    const char *temp = getenv("TMPDIR");
    struct wa_proc p;
    int pair[2];
    *ret = (struct wa_con_reader){.fd = -1};
    if (make_scratch(ret, err) != WA_OK || wa_socketpair(pair, err) != WA_OK)
        return err->code;
    enum wa_code code = spawn(KEEPER, wa_libdir(), wa_text_language_name(),
                              temp != NULL ? temp : "/tmp", ret->scratch, pair[1], &p, err);
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
    if (r->scratch[0] != '\0')
        wa_temp_remove(r->scratch);
    r->scratch[0] = '\0';
}
