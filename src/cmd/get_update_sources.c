/* get_update_sources.c - wapt-get update-package-sources: runs update_package() of sources.
 *
 * That is the packager's own code, run as the packager, as if they had started it: no verification
 * stands before it, so it must be theirs. A folder that somebody else owns or can write to is
 * refused - root would run that person's code as root. A package of another's is verified, and made
 * the caller's own, by "edit".
 */
#include "cmd/agent_main.h"
#include "cmd/get_sources.h"
#include "cmd/get_tool.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"
#include "pkg/version.h"

#include <errno.h>
#include <stdlib.h>

#define RESULT_BYTES_MAX (1u << 20) /* as wapt_runner.py writes at most */
extern char **environ;              /* the script is the caller's, and so are its proxies */

static enum wa_code check_owner(const struct wa_stat *st, const char *name, struct wa_err *err)
{
    unsigned others = wa_priv_is_root() ? 022u : 02u;
    if (st->uid != wa_proc_own_uid())
        return wa_fail(err, WA_E_REFUSED,
                       "'%s' belongs to another user, whose code would run as you: 'wapt-get edit' "
                       "makes your own copy of a verified package",
                       name);
    if ((st->mode & others) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "other users can write to '%s', and their code would run as you: chmod "
                       "go-w it, after reading it",
                       name);
    return WA_OK;
}

/* By the handle of the folder: whoever owns a folder above can't put another in its place between
 * this and the run. */
static enum wa_code check_own(const struct wa_dir *dir, struct wa_err *err)
{
    static const char *const names[] = {"setup.py", "WAPT", "WAPT/control"};
    struct wa_stat st;
    if (wa_fd_stat(dir->fd, &st, err) != WA_OK ||
        check_owner(&st, wa_text("the folder"), err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct wa_relpath path;
        if (wa_relpath_parse(wa_sv(names[i]), &path, err) != WA_OK ||
            wa_file_stat(dir, &path, &st, err) != WA_OK || check_owner(&st, names[i], err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code write_request(const char *folder, const struct wa_control *c,
                                  struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "hook", "update_package");
    wa_jw_kv(&w, "basedir", folder);
    wa_jw_key(&w, "control");
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_A_FILENAME; i++)
        wa_jw_kv(&w, wa_attr_name((enum wa_attr)i), wa_control_get(c, (enum wa_attr)i));
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code send_all(int fd, struct wa_sv bytes, struct wa_err *err)
{
    while (bytes.n > 0) {
        ptrdiff_t n = wa_pipe_write(fd, bytes.p, bytes.n);
        if (n < 0 && errno != EINTR)
            return wa_fail_errno(err, errno, "cannot talk to the script");
        bytes = wa_sv_sub(bytes, n > 0 ? (size_t)n : 0, bytes.n);
    }
    return WA_OK;
}

enum wa_code wa_get_receive(int fd, struct wa_buf *out, struct wa_err *err)
{
    for (;;) {
        char *p = wa_buf_reserve(out, 4096);
        if (p == NULL)
            return wa_buf_check(out, err);
        ptrdiff_t n = wa_pipe_read(fd, p, 4096);
        if (n < 0 && errno != EINTR)
            return wa_fail_errno(err, errno, "cannot hear from the program");
        if (n == 0)
            return WA_OK;
        if (n > 0)
            wa_buf_advance(out, (size_t)n);
    }
}

/* python3 in the current directory; what it prints goes where ours goes, but for --json's standard
 * output. */
static enum wa_code start(const struct wa_cli *cli, int request, int result, struct wa_proc *ret,
                          struct wa_err *err)
{
    char runner[WA_PATH_MAX];
    int n = snprintf(runner, sizeof runner, "%s/wapt_runner.py", wa_libdir());
    if (n < 0 || (size_t)n >= sizeof runner)
        return wa_fail(err, WA_E_CONFIG, "the path of wapt_runner.py is too long");
    const char *const argv[] = {"/usr/bin/python3", "-I", "-B", runner, NULL};
    const int fds[] = {-1, cli->json ? 2 : 1, 2, request, result};
    const struct wa_spawn s = {
        .path = argv[0],
        .argv = argv,
        .envp = (const char *const *)environ,
        .cwd = ".", /* the checked folder */
        .fds = fds,
        .fd_count = WA_COUNT(fds),
        .die_with_parent = true,
    };
    (void)fflush(stdout);
    return wa_proc_spawn(&s, ret, err);
}

static enum wa_code talk(struct wa_proc *proc, int request, int result, struct wa_sv text,
                         struct wa_buf *answer, struct wa_err *err)
{
    struct wa_exit end;
    enum wa_code code = send_all(request, text, err);
    wa_fd_close(&request);
    if (code == WA_OK)
        code = wa_get_receive(result, answer, err);
    if (code != WA_OK)
        wa_proc_kill(proc, WA_PROC_KILL);
    struct wa_err why = WA_ERR_INIT;
    if (wa_proc_wait(proc, -1, &end, &why) != WA_OK && code == WA_OK) {
        *err = why;
        code = err->code;
    }
    return code;
}

static enum wa_code run_script(const struct wa_cli *cli, struct wa_sv text, struct wa_buf *answer,
                               struct wa_err *err)
{
    struct wa_proc proc;
    int request[2], result[2];
    if (wa_pipe(request, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_pipe(result, err);
    if (code == WA_OK) {
        code = start(cli, request[0], result[1], &proc, err);
        wa_fd_close(&result[1]);
        wa_fd_close(&request[0]);
        if (code == WA_OK) {
            int to = request[1];
            request[1] = -1; /* talk() closes it */
            code = talk(&proc, to, result[0], text, answer, err);
        }
        wa_fd_close(&result[0]);
    }
    wa_fd_close(&request[0]);
    wa_fd_close(&request[1]);
    return code;
}

/* Whether the hook said that the sources have changed. */
static enum wa_code read_answer(struct wa_sv text, bool *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (text.n == 0)
        return wa_fail(err, WA_E_FAILED, "the script's runner did not start: is %s whole?",
                       wa_libdir());
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "the answer of the script's runner");
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(j, "status")), "OK"))
        return wa_fail(err, WA_E_FAILED, "update_package(): %.*s",
                       WA_SV_ARG(wa_json_sv(wa_json_get(j, "error"))));
    const struct wa_json *r = wa_json_get(j, "returned");
    *ret = wa_json_bool(r) || wa_json_sv(r).n > 0 || wa_json_count(r) > 0;
    return WA_OK;
}

struct outcome {
    bool changed;
    char version[WA_NAME_MAX + 1], package[WA_NAME_MAX + 1];
};

/* In the current directory, which is folder. */
static enum wa_code update(struct wa_cli *cli, const char *folder, struct outcome *o,
                           struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control before;
    WA_AUTO_CONTROL struct wa_control after;
    WA_AUTO_BUF struct wa_buf request;
    WA_AUTO_BUF struct wa_buf answer;
    wa_control_init(&before);
    wa_control_init(&after);
    wa_buf_init(&request, 4u * WA_CONTROL_BYTES_MAX);
    wa_buf_init(&answer, RESULT_BYTES_MAX);
    if (wa_get_control(".", &before, err) != WA_OK ||
        write_request(folder, &before, &request, err) != WA_OK ||
        run_script(cli, wa_buf_sv(&request), &answer, err) != WA_OK ||
        read_answer(wa_buf_sv(&answer), &o->changed, err) != WA_OK ||
        wa_get_control(".", &after, err) != WA_OK)
        return err->code;
    const char *version = wa_control_get(&after, WA_A_VERSION);
    o->changed = o->changed || strcmp(version, wa_control_get(&before, WA_A_VERSION)) != 0;
    (void)snprintf(o->version, sizeof o->version, "%s", version);
    (void)snprintf(o->package, sizeof o->package, "%s", wa_control_get(&after, WA_A_PACKAGE));
    if (!wa_pkgversion_is_valid(wa_sv(version)))
        return wa_fail(err, WA_E_INVALID, "update_package() has set a version that is none: '%s'",
                       version);
    return WA_OK;
}

/* The process stands in the folder meanwhile. */
static enum wa_code update_in(struct wa_cli *cli, const char *folder, struct outcome *o,
                              struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir here = WA_DIR_INIT;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err back = WA_ERR_INIT;
    if (wa_dir_open(".", &here, err) != WA_OK || wa_dir_open(folder, &dir, err) != WA_OK ||
        check_own(&dir, err) != WA_OK || wa_dir_enter(&dir, err) != WA_OK)
        return err->code;
    enum wa_code code = update(cli, folder, o, err);
    if (wa_dir_enter(&here, &back) != WA_OK && code == WA_OK) {
        *err = back;
        code = err->code;
    }
    return code;
}

static enum wa_code update_one(struct wa_cli *cli, const char *given, struct wa_get_tally *tally,
                               struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    struct outcome o = {.changed = false};
    char *folder = realpath(given, NULL);
    enum wa_code code = folder == NULL ? wa_fail_errno(&why, errno, "'%s'", given)
                                       : update_in(cli, folder, &o, &why);
    free(folder); /* libc's */
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK)
        (void)wa_wrap(&why, "'%s'", given);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "folder", given);
    wa_jw_kvb(&cli->jw, "changed", o.changed);
    wa_jw_kv(&cli->jw, "package", o.package[0] == '\0' ? NULL : o.package);
    wa_jw_kv(&cli->jw, "version", o.version[0] == '\0' ? NULL : o.version);
    wa_jw_kv(&cli->jw, "code", wa_code_name(code));
    wa_jw_kv(&cli->jw, "error", code == WA_OK ? NULL : why.text);
    wa_jw_end(&cli->jw);
    if (code == WA_OK)
        wa_cli_out(cli, "%s: %s, %s %s\n", given,
                   o.changed ? wa_text("changed") : wa_text("unchanged"), o.package, o.version);
    wa_get_count(cli, tally, &why);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_proc_ignore_broken_pipes(); /* a runner that does not start is told, not died of */
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++)
        if (update_one(cli, cli->args[i], &tally, err) != WA_OK)
            return err->code;
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be updated", err);
}

const struct wa_cli_command wa_get_update_package_sources = {
    "update-package-sources", NULL, 0, 1, SIZE_MAX, run};
