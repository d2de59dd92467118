/* get_upload.c - wapt-get upload-package and build-upload: hand over to waptconsole, which checks
 * and sends. wapt-get itself does not speak HTTP; the command it becomes asks for passwords on the
 * same terminal, and its status and result are the answer.
 */
#include "base/vec.h"
#include "cmd/get.h"
#include "cmd/get_lint.h"
#include "os/proc.h"

#define SERVER_OPTIONS                                                                             \
    {"server", 0, "URL"}, {"server-user", 0, "NAME"}, {"server-password-file", 0, "FILE"},         \
        {"server-fingerprint", 0, "SHA256"}, {"verify-cert", 0, "FILE"},                           \
    {                                                                                              \
        "trusted", 't', "DIR"                                                                      \
    }

static const struct wa_cli_option upload_options[] = {SERVER_OPTIONS};
static const struct wa_cli_option build_options[] = {
    SERVER_OPTIONS,         WA_GET_SIGNER_OPTIONS,  {"excludes", 'x', "LIST"},
    WA_GET_SIGNING_OPTIONS, {"output", 'o', "DIR"}, WA_GET_LINT_OPTIONS,
};

/* Ours, and waptconsole's. */
static const char *const names[][2] = {{"config", "--config"},
                                       {"server", "--server"},
                                       {"server-user", "--user"},
                                       {"server-password-file", "--password-file"},
                                       {"server-fingerprint", "--server-fingerprint"},
                                       {"verify-cert", "--verify-cert"},
                                       {"trusted", "--trusted"}};

struct words {
    WA_VEC(const char *);
};

static bool add(struct words *w, const char *word)
{
    const char **slot = WA_VEC_PUSH(w);
    if (slot != NULL)
        *slot = word;
    return slot != NULL;
}

static bool add_options(const struct wa_cli *cli, struct words *w)
{
    bool ok = true;
    const char *value;
    for (size_t i = 0; i < WA_COUNT(names); i++)
        for (size_t n = 0; (value = wa_cli_at(cli, names[i][0], n)) != NULL; n++)
            ok = ok && add(w, names[i][1]) && add(w, value);
    return ok && (!cli->json || add(w, "--json")) && add(w, "--");
}

/* Returns only when waptconsole could not be started. */
static enum wa_code hand_over(const struct wa_cli *cli, const char *const *files, size_t count,
                              struct wa_err *err)
{
    char program[WA_PATH_MAX];
    struct words w = {0};
    if (wa_proc_sibling_path("waptconsole", program, err) != WA_OK)
        return err->code;
    bool ok = add(&w, "waptconsole") && add(&w, "upload") && add_options(cli, &w);
    for (size_t i = 0; ok && i < count; i++)
        ok = add(&w, files[i]);
    ok = ok && add(&w, NULL);
    (void)fflush(stdout);
    enum wa_code code = ok ? wa_proc_become(program, w.items, err) : wa_nomem(err);
    WA_VEC_FREE(&w);
    if (code == WA_E_NOT_FOUND)
        return wa_fail(err, WA_E_NOT_FOUND, "uploading is done by waptconsole, which is not here");
    return code;
}

static enum wa_code upload(struct wa_cli *cli, struct wa_err *err)
{
    return hand_over(cli, (const char *const *)cli->args, cli->arg_count, err);
}

/* The files that build-package tells in its result, as docs/json.md has it. */
static enum wa_code hand_over_built(const struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *built = NULL;
    struct words files = {0};
    wa_arena_init(&arena, 64u << 20);
    if (wa_json_parse(wa_buf_sv(&cli->result), 0, &arena, &built, err) != WA_OK)
        return wa_wrap(err, "the result of building");
    bool ok = true;
    for (size_t i = 0; ok && i < wa_json_count(built); i++) {
        struct wa_sv file = wa_json_sv(wa_json_get(wa_json_at(built, i), "file"));
        char *path = wa_arena_strdup(&arena, file);
        ok = path != NULL && add(&files, path);
    }
    enum wa_code code = ok ? hand_over(cli, files.items, files.n, err) : wa_nomem(err);
    WA_VEC_FREE(&files);
    return code;
}

/* All or nothing: what could not be built would be missed among what was published. */
static enum wa_code build_upload(struct wa_cli *cli, struct wa_err *err)
{
    if (wa_get_build_package.run(cli, err) != WA_OK)
        return wa_wrap(err, "nothing was uploaded");
    return hand_over_built(cli, err);
}

const struct wa_cli_command wa_get_upload_package = {
    "upload-package", upload_options, WA_COUNT(upload_options), 1, SIZE_MAX, upload};
const struct wa_cli_command wa_get_build_upload = {
    "build-upload", build_options, WA_COUNT(build_options), 1, SIZE_MAX, build_upload};
