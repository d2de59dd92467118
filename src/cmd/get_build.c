/* get_build.c - wapt-get build-package: from source directories to signed packages.
 *
 * One directory that can't be built does not keep the others from being built; the exit status
 * tells.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "cmd/get.h"
#include "codec/csv.h"

static const struct wa_cli_option options[] = {
    WA_GET_SIGNER_OPTIONS,
    {"excludes", 'x', "LIST", "Patterns of file names to leave out, separated by commas"},
    WA_GET_SIGNING_OPTIONS,
    {"output", 'o', "DIR", "Directory for the packages (else that of the sources)"},
};

/* Patterns as wa_build_options wants them. */
struct patterns {
    WA_VEC(char *);
};

static void patterns_fini(struct patterns *p)
{
    for (size_t i = 0; i < p->n; i++)
        wa_free(p->items[i]);
    WA_VEC_FREE(p);
}

static enum wa_code split_patterns(const struct wa_cli *cli, struct patterns *p, struct wa_err *err)
{
    const char *list;
    for (size_t i = 0; (list = wa_cli_at(cli, "excludes", i)) != NULL; i++) {
        struct wa_sv rest = wa_sv(list), item;
        while (wa_csv_next(&rest, &item)) {
            char **slot = WA_VEC_PUSH(p);
            if (slot == NULL || wa_sv_dup(item, slot, err) != WA_OK)
                return wa_nomem(err);
        }
    }
    return WA_VEC_PUSH(p) == NULL ? wa_nomem(err) : WA_OK; /* the NULL at the end */
}

/* The directory that holds the source directory. */
static void parent_of(const char *dir, char out[WA_PATH_MAX])
{
    struct wa_sv path = wa_sv(dir);
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/')
        slash--;
    struct wa_sv last = wa_sv_sub(path, slash, path.n);
    if (wa_sv_eqs(last, ".") || wa_sv_eqs(last, "..") || path.n <= 1)
        (void)snprintf(out, WA_PATH_MAX, "%.*s/..", WA_SV_ARG(path));
    else if (slash == 0)
        (void)snprintf(out, WA_PATH_MAX, ".");
    else
        (void)snprintf(out, WA_PATH_MAX, "%.*s", (int)(slash > 1 ? slash - 1 : 1), path.p);
}

static enum wa_code build_one(struct wa_cli *cli, const char *source,
                              const struct wa_signer *signer, const struct wa_build_options *o,
                              struct wa_get_tally *tally, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    char folder[WA_PATH_MAX], path[WA_PATH_MAX];
    const char *out = wa_cli_get(cli, "output", NULL);
    if (out == NULL) {
        parent_of(source, folder);
        out = folder;
    }
    enum wa_code code = wa_build_package(source, out, signer, o, path, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "source", source);
    wa_jw_kv(&cli->jw, "file", code == WA_OK ? path : NULL);
    wa_jw_kv(&cli->jw, "code", wa_code_name(code));
    wa_jw_kv(&cli->jw, "error", code == WA_OK ? NULL : why.text);
    wa_jw_end(&cli->jw);
    if (code == WA_OK)
        wa_cli_out(cli, "%s\n", path);
    wa_get_count(cli, tally, &why);
    return WA_OK;
}

static enum wa_code build_all(struct wa_cli *cli, const struct wa_signer *signer,
                              const struct wa_build_options *o, struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++)
        if (build_one(cli, cli->args[i], signer, o, &tally, err) != WA_OK)
            return err->code;
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "packages could not be built", err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {0};
    struct patterns patterns = {0};
    struct wa_build_options o;
    if (wa_get_signing(cli, &o, err) != WA_OK || wa_get_signer_load(cli, &signer, err) != WA_OK)
        return err->code;
    enum wa_code code = split_patterns(cli, &patterns, err);
    o.excludes = (const char *const *)patterns.items;
    if (code == WA_OK)
        code = build_all(cli, &signer.signer, &o, err);
    patterns_fini(&patterns);
    return code;
}

const struct wa_cli_command wa_get_build_package = {"build-package",
                                                    "DIR...",
                                                    "Pack source directories and sign them",
                                                    options,
                                                    WA_COUNT(options),
                                                    1,
                                                    SIZE_MAX,
                                                    run};
