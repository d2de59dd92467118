/* get_fetch.c - a package of the repository by its name, for edit and duplicate. wapt-get itself
 * does not speak HTTP: waptconsole fetches it into a folder of its own, which is removed again.
 *
 * waptconsole's word is not taken for the package: it is verified here, as any other file.
 */
#include "cmd/get_sources.h"
#include "cmd/get_tool.h"

#include "os/fs.h"
#include "os/proc.h"

extern char **environ; /* its configuration and its proxies are the caller's */

#define ANSWER_MAX (64u << 10)

static enum wa_code start(const struct wa_cli *cli, const char *name, const char *folder, int out,
                          struct wa_proc *ret, struct wa_err *err)
{
    /* Of the same name there. */
    static const char *const options[][2] = {{"config", "--config"},
                                             {"server", "--server"},
                                             {"server-fingerprint", "--server-fingerprint"},
                                             {"verify-cert", "--verify-cert"},
                                             {"trusted", "--trusted"}};
    const char *argv[8 + 2 * WA_COUNT(options)] = {"waptconsole", "download", "--json", "--output",
                                                   folder};
    char program[WA_PATH_MAX];
    size_t n = 5;
    for (size_t i = 0; i < WA_COUNT(options); i++) {
        const char *value = wa_cli_get(cli, options[i][0], NULL);
        if (value == NULL)
            continue;
        argv[n++] = options[i][1];
        argv[n++] = value;
    }
    argv[n++] = "--";
    argv[n++] = name;
    argv[n] = NULL;
    const int fds[] = {-1, out, 2};
    const struct wa_spawn what = {.path = program,
                                  .argv = argv,
                                  .envp = (const char *const *)environ,
                                  .cwd = ".",
                                  .fds = fds,
                                  .fd_count = WA_COUNT(fds),
                                  .die_with_parent = true};
    return wa_proc_sibling_path("waptconsole", program, err) == WA_OK
               ? wa_proc_spawn(&what, ret, err)
               : err->code;
}

static enum wa_code ask(const struct wa_cli *cli, const char *name, const char *folder,
                        struct wa_buf *answer, struct wa_err *err)
{
    struct wa_proc proc;
    struct wa_exit end;
    struct wa_err ignored = WA_ERR_INIT; /* how it ended is in its answer, or there is none */
    int pipe[2];
    if (wa_pipe(pipe, err) != WA_OK)
        return err->code;
    enum wa_code code = start(cli, name, folder, pipe[1], &proc, err);
    wa_fd_close(&pipe[1]);
    if (code == WA_OK) {
        code = wa_get_receive(pipe[0], answer, err);
        if (code != WA_OK)
            wa_proc_kill(&proc, WA_PROC_KILL);
        (void)!wa_proc_wait(&proc, -1, &end, &ignored);
    } else if (code == WA_E_NOT_FOUND) {
        code = wa_fail(err, WA_E_NOT_FOUND,
                       "there is no such file here, and packages of the repository are fetched by "
                       "waptconsole, which is not here");
    }
    wa_fd_close(&pipe[0]);
    return code;
}

/* The file that it tells, or why there is none. */
static enum wa_code read_answer(struct wa_sv text, struct wa_arena *arena, const char **ret,
                                struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK)
        return wa_wrap(err, "the answer of waptconsole");
    const struct wa_json *one = wa_json_at(wa_json_get(j, "result"), 0);
    struct wa_sv file = wa_json_sv(wa_json_get(one, "file"));
    struct wa_sv why = wa_json_sv(wa_json_get(one != NULL ? one : j, "error"));
    if (file.n > 0) {
        *ret = wa_arena_strdup(arena, file);
        return *ret != NULL ? WA_OK : wa_nomem(err);
    }
    enum wa_code code = wa_code_from_name(wa_json_sv(wa_json_get(one != NULL ? one : j, "code")));
    return wa_fail(err, code == WA_OK ? WA_E_FAILED : code, "%.*s", WA_SV_ARG(why));
}

static enum wa_code take(const struct wa_cli *cli, const char *name, const char *folder,
                         struct wa_get_sources *s, struct wa_control *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf answer;
    const char *file = NULL;
    wa_arena_init(&arena, 16 * ANSWER_MAX);
    wa_buf_init(&answer, ANSWER_MAX);
    if (ask(cli, name, folder, &answer, err) != WA_OK ||
        read_answer(wa_buf_sv(&answer), &arena, &file, err) != WA_OK)
        return wa_wrap(err, "fetching '%s', which is no file or folder here", name);
    return wa_get_sources_take(cli, file, s, ret, err);
}

enum wa_code wa_get_sources_fetch(const struct wa_cli *cli, const char *name,
                                  struct wa_get_sources *s, struct wa_control *ret,
                                  struct wa_err *err)
{
    WA_AUTO_SCRATCH struct wa_scratch folder = {.path = ""};
    wa_err_clear(err);
    return wa_scratch_open(&folder, "wapt-fetch", err) == WA_OK
               ? take(cli, name, folder.path, s, ret, err)
               : err->code;
}
