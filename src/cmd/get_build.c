/* get_build.c - wapt-get build-package: from source directories to signed packages.
 *
 * One directory that can't be built does not keep the others from being built; the exit status
 * tells.
 */
#include "cmd/get.h"
#include "cmd/get_lint.h"
#include "os/path.h"

static const struct wa_cli_option options[] = {
    WA_GET_SIGNER_OPTIONS,  {"excludes", 'x', "LIST"}, WA_GET_SIGNING_OPTIONS,
    {"output", 'o', "DIR"}, WA_GET_LINT_OPTIONS,
};

struct building {
    struct wa_cli *cli;
    const struct wa_signer *signer;
    struct wa_build_options options;
    const char *const *ignored; /* rules of lint */
    struct wa_get_tally tally;
};

/* The directory that holds the source directory. */
static enum wa_code parent_of(const char *dir, char out[WA_PATH_MAX], struct wa_err *err)
{
    struct wa_sv last = wa_path_name(dir);
    if (last.n > 0 && !wa_sv_eqs(last, ".") && !wa_sv_eqs(last, ".."))
        return wa_path_dir(dir, (size_t)(last.p - dir), out, err);
    int n = snprintf(out, WA_PATH_MAX, "%s/..", dir);
    return n < (int)WA_PATH_MAX ? WA_OK : wa_fail(err, WA_E_LIMIT, "the path is too long");
}

/* Not when there are errors: agents would refuse the package, or it could never do its work. */
static enum wa_code check_and_build(const struct building *b, const char *source, char *ret_path,
                                    struct wa_findings *f, struct wa_err *err)
{
    char folder[WA_PATH_MAX];
    const char *out = wa_cli_get(b->cli, "output", NULL);
    if (wa_get_lint_dir(source, &b->options, f, err) != WA_OK)
        return err->code;
    wa_get_lint_say(b->cli, source, f);
    size_t errors = wa_findings_count(f, WA_LINT_ERROR);
    if (errors > 0)
        return wa_fail(err, WA_E_INVALID,
                       "'%s' is not built: %zu errors; correct them, or say with --ignore which "
                       "rules do not count",
                       source, errors);
    if (out == NULL) {
        if (parent_of(source, folder, err) != WA_OK)
            return err->code;
        out = folder;
    }
    return wa_build_package(source, out, b->signer, &b->options, ret_path, err);
}

static enum wa_code build_one(struct building *b, const char *source, struct wa_err *err)
{
    WA_AUTO_FINDINGS struct wa_findings f = {.ignored = b->ignored};
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw *w = &b->cli->jw;
    char path[WA_PATH_MAX];
    enum wa_code code = check_and_build(b, source, path, &f, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_obj(w);
    wa_jw_kv(w, "source", source);
    wa_jw_kv(w, "file", code == WA_OK ? path : NULL);
    wa_jw_kv(w, "code", wa_code_name(code));
    wa_jw_kv(w, "error", code == WA_OK ? NULL : why.text);
    wa_get_lint_json(b->cli, &f);
    wa_jw_end(w);
    if (code == WA_OK)
        wa_cli_out(b->cli, "%s\n", path);
    wa_get_count(b->cli, &b->tally, &why);
    return WA_OK;
}

static enum wa_code build_all(struct building *b, struct wa_err *err)
{
    struct wa_cli *cli = b->cli;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++)
        if (build_one(b, cli->args[i], err) != WA_OK)
            return err->code;
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&b->tally, "packages could not be built", err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {0};
    WA_AUTO_GET_WORDS struct wa_get_words excludes = {0};
    WA_AUTO_GET_WORDS struct wa_get_words ignored = {0};
    struct building b = {.cli = cli, .signer = &signer.signer, .tally = {0, 0, WA_OK}};
    if (wa_get_signing(cli, &b.options, err) != WA_OK ||
        wa_get_signer_load(cli, &signer, err) != WA_OK ||
        wa_get_words(cli, "excludes", &excludes, err) != WA_OK ||
        wa_get_words(cli, "ignore", &ignored, err) != WA_OK)
        return err->code;
    b.options.excludes = (const char *const *)excludes.items;
    b.ignored = (const char *const *)ignored.items;
    return build_all(&b, err);
}

const struct wa_cli_command wa_get_build_package = {"build-package", options, WA_COUNT(options), 1,
                                                    SIZE_MAX,        run};
