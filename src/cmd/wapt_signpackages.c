/* wapt_signpackages.c - main() of wapt-signpackages: signs the packages of a repository anew, after
 * a change of key, maturity or tool.
 *
 * Each package is replaced as a whole or stays, whatever becomes of the others. With --trusted what
 * is signed is what was checked: the members must be those of the manifest that held.
 */
#include "base/map.h"
#include "base/mem.h"
#include "cmd/get.h"
#include "cmd/help.h"
#include "cmd/scan.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/rand.h"

static const struct wa_cli_option options[] = {
    {"certificate", 'c', "FILE"}, {"private-key", 'k', "FILE"},
    {"pkcs11-module", 0, "FILE"}, {"private-key-passwd", 'w', "FILE"},
    {"config", 0, "FILE"},        {"trusted", 't', "DIR"},
    {"if-needed", 0, NULL},       {"scan", 's', NULL},
    {"remove-setup", 'r', NULL},  WA_GET_SIGNING_OPTIONS,
};

struct work {
    struct wa_cli *cli;
    struct wa_get_signer signer;
    struct wa_build_options options;
    struct wa_trust *trusted; /* NULL: whoever signed them before */
    struct wa_trust *own;     /* for --if-needed, the signer alone; else NULL */
    struct wa_cli_table table;
    struct wa_get_tally tally;
    size_t unchanged;
    bool *is_good; /* of each argument */
};

static void work_fini(struct work *w)
{
    wa_get_signer_fini(&w->signer);
    wa_trust_free(w->trusted);
    wa_trust_free(w->own);
    wa_cli_table_fini(&w->table);
    wa_free(w->is_good);
}

/* One package, before and after. */
struct one {
    const char *path;
    char now[WA_PATH_MAX];
    struct wa_verdict verdict; /* against --trusted */
    struct wa_control control; /* as it is now; for display only */
    bool is_unchanged;
};

/* --- what is there --- */

static enum wa_code judge(const char *path, const struct wa_trust *anchors, struct wa_verdict *v,
                          bool *ret_has_sha1, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    size_t at;
    if (wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    struct wa_members *m = wa_get_package_members(p);
    *ret_has_sha1 = wa_members_find(m, "WAPT/manifest.sha1", &at);
    return wa_verify_package(m, anchors, wa_clock_now(), NULL, NULL, v, err);
}

static bool is_as_asked(const struct wa_control *c, enum wa_attr a, const char *asked)
{
    return asked == NULL || strcmp(wa_control_get(c, a), asked) == 0;
}

/* Would signing change nothing but the date? */
static bool is_signed(const struct work *w, const char *path)
{
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err why = WA_ERR_INIT;
    const struct wa_build_options *o = &w->options;
    bool has_sha1 = false;
    wa_verdict_init(&v);
    return w->own != NULL && !o->increment_release &&
           judge(path, w->own, &v, &has_sha1, &why) == WA_OK && has_sha1 == o->also_sha1 &&
           strcmp(v.trust.signer_fingerprint, wa_cert_fingerprint(w->signer.chain.items[0])) == 0 &&
           is_as_asked(&v.control, WA_A_MATURITY, o->maturity) &&
           is_as_asked(&v.control, WA_A_TARGET_OS, o->target_os) &&
           !(o->without_setup && v.has_setup_py);
}

static enum wa_code sign_one(const struct work *w, struct one *one, struct wa_err *err)
{
    struct wa_stat st;
    struct wa_build_options o = w->options;
    bool ignored;
    if (wa_path_stat(one->path, &st, err) != WA_OK)
        return err->code;
    if (!st.is_file)
        return wa_fail(err, WA_E_USAGE,
                       "'%s' is no package: name the files, as in DIR/*.wapt; "
                       "'wapt-get sign-package' signs a source directory",
                       one->path);
    (void)snprintf(one->now, sizeof one->now, "%s", one->path);
    if (w->trusted != NULL) {
        if (judge(one->path, w->trusted, &one->verdict, &ignored, err) != WA_OK)
            return wa_wrap(err, "'%s' is not signed anew", one->path);
        o.only = &one->verdict.manifest;
    }
    one->is_unchanged = is_signed(w, one->path);
    return one->is_unchanged ? WA_OK
                             : wa_sign_package(one->path, &w->signer.signer, &o, one->now, err);
}

/* --- telling --- */

static const struct wa_cli_column columns[] = {{WA_TEXT("PACKAGE"), true},
                                               {WA_TEXT("VERSION"), false},
                                               {WA_TEXT("RESULT"), false},
                                               {WA_TEXT("FILE"), true}};

static enum wa_code tell(struct work *w, struct one *one, const struct wa_err *why,
                         struct wa_err *err)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_jw *j = &w->cli->jw;
    const char *result = why->code != WA_OK  ? wa_code_name(why->code)
                         : one->is_unchanged ? wa_text("unchanged")
                                             : wa_text("signed");
    if (wa_get_control(one->now, &one->control, &ignored) == WA_E_NOMEM)
        return wa_nomem(err);
    const char *package = one->control.v[WA_A_PACKAGE], *version = one->control.v[WA_A_VERSION];
    wa_jw_obj(j);
    wa_jw_kv(j, "file", one->now);
    wa_jw_kv(j, "package", package);
    wa_jw_kv(j, "version", version);
    wa_jw_kvb(j, "signed", why->code == WA_OK && !one->is_unchanged);
    wa_jw_kv(j, "code", wa_code_name(why->code));
    wa_jw_kv(j, "error", why->code == WA_OK ? NULL : why->text);
    wa_jw_end(j);
    wa_cli_table_cell(&w->table, wa_sv(package != NULL ? package : "?"));
    wa_cli_table_cell(&w->table, wa_sv(version != NULL ? version : "?"));
    wa_cli_table_cell(&w->table, wa_sv(result));
    wa_cli_table_cell(&w->table, wa_sv(one->now));
    w->unchanged += one->is_unchanged;
    wa_cli_progress(w->cli, "", 0, 0);
    wa_get_count(w->cli, &w->tally, why);
    return WA_OK;
}

static enum wa_code sign_all(struct work *w, struct wa_err *err)
{
    struct wa_cli *cli = w->cli;
    wa_jw_key(&cli->jw, "packages");
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct one one = {.path = cli->args[i]};
        struct wa_err why = WA_ERR_INIT;
        wa_verdict_init(&one.verdict);
        wa_control_init(&one.control);
        (void)snprintf(one.now, sizeof one.now, "%s", one.path);
        wa_cli_progress(cli, one.path, i, cli->arg_count);
        wa_build_sweep_beside(one.path, i > 0 ? cli->args[i - 1] : NULL);
        enum wa_code code = sign_one(w, &one, &why);
        if (code != WA_E_NOMEM)
            code = tell(w, &one, &why, err);
        w->is_good[i] = why.code == WA_OK;
        wa_control_fini(&one.control);
        wa_verdict_fini(&one.verdict);
        if (code == WA_E_NOMEM)
            return wa_nomem(err);
    }
    wa_jw_end(&cli->jw);
    if (wa_cli_table_print(&w->table, cli, err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "%zu signed, %zu unchanged, %zu failed\n", w->tally.good - w->unchanged,
               w->unchanged, w->tally.bad);
    return WA_OK;
}

/* --- afterwards --- */

/* The i-th package's directory, unless an earlier one has the same. */
static bool next_folder(const struct wa_cli *cli, size_t i, struct wa_map *seen, char *out,
                        struct wa_err *err)
{
    const char *path = cli->args[i], *slash = strrchr(path, '/');
    void *old = NULL;
    int n = slash == NULL
                ? snprintf(out, WA_PATH_MAX, ".")
                : snprintf(out, WA_PATH_MAX, "%.*s", (int)(slash > path ? slash - path : 1), path);
    return n > 0 && n < (int)WA_PATH_MAX &&
           wa_map_put(seen, wa_sv(out), seen, &old, err) == WA_OK && old == NULL;
}

/* The index is asked for, or its age told. */
static enum wa_code scan(struct work *w, const char *folder, bool *ret_failed, struct wa_err *err)
{
    struct wa_cli *cli = w->cli;
    struct wa_err why = WA_ERR_INIT;
    struct wa_stat st;
    char index[WA_PATH_MAX + 16];
    (void)snprintf(index, sizeof index, "%s/Packages", folder);
    if (!wa_cli_has(cli, "scan")) {
        if (w->tally.good > w->unchanged && wa_path_stat(index, &st, &why) == WA_OK)
            wa_cli_say(cli, "the index of '%s' is of before: run 'wapt-scanpackages %s'", folder,
                       folder);
        return WA_OK;
    }
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "directory", folder);
    const struct wa_cmd_scan_options as_usual = {.force = false};
    enum wa_code code = wa_cmd_scan(cli, folder, &as_usual, &why);
    wa_jw_kv(&cli->jw, "code", wa_code_name(code));
    wa_jw_kv(&cli->jw, "error", code == WA_OK ? NULL : why.text);
    wa_jw_end(&cli->jw);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK) {
        *ret_failed = true;
        wa_cli_say(cli, "scanning '%s': %s", folder, why.text);
    }
    return WA_OK;
}

static enum wa_code scan_all(struct work *w, bool *ret_failed, struct wa_err *err)
{
    WA_AUTO_MAP struct wa_map seen;
    char folder[WA_PATH_MAX];
    if (wa_rand_map(&seen, err) != WA_OK)
        return err->code;
    wa_jw_key(&w->cli->jw, "scans");
    wa_jw_arr(&w->cli->jw);
    for (size_t i = 0; i < w->cli->arg_count; i++) {
        if (w->is_good[i] && next_folder(w->cli, i, &seen, folder, err) &&
            scan(w, folder, ret_failed, err) != WA_OK)
            return err->code;
        if (err->code != WA_OK)
            return err->code;
    }
    wa_jw_end(&w->cli->jw);
    return WA_OK;
}

static enum wa_code prepare(struct work *w, struct wa_err *err)
{
    const char *trusted = wa_cli_get(w->cli, "trusted", NULL);
    w->is_good = wa_calloc(w->cli->arg_count, sizeof *w->is_good);
    if (w->is_good == NULL)
        return wa_nomem(err);
    if (wa_get_signing(w->cli, &w->options, err) != WA_OK)
        return err->code;
    w->options.without_setup = wa_cli_has(w->cli, "remove-setup");
    if (trusted != NULL && (wa_trust_new(&w->trusted, err) != WA_OK ||
                            wa_trust_add_dir(w->trusted, trusted, err) != WA_OK))
        return err->code;
    if (wa_get_signer_load(w->cli, &w->signer, err) != WA_OK)
        return err->code;
    if (wa_cli_has(w->cli, "if-needed") &&
        (wa_trust_new(&w->own, err) != WA_OK ||
         wa_trust_add(w->own, w->signer.chain.items[0], err) != WA_OK))
        return err->code;
    return WA_OK;
}

static enum wa_code run_work(struct work *w, struct wa_err *err)
{
    bool scan_failed = false;
    if (prepare(w, err) != WA_OK)
        return err->code;
    wa_jw_obj(&w->cli->jw);
    if (sign_all(w, err) != WA_OK || scan_all(w, &scan_failed, err) != WA_OK)
        return err->code;
    wa_jw_end(&w->cli->jw);
    if (wa_get_outcome(&w->tally, "packages could not be signed", err) != WA_OK)
        return err->code;
    return scan_failed ? wa_fail(err, WA_E_PARTIAL, "all are signed, but not all are in an index")
                       : WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct work w = {.cli = cli, .tally = {0, 0, WA_OK}};
    wa_cli_table_init(&w.table, columns, WA_COUNT(columns));
    enum wa_code code = run_work(&w, err);
    work_fini(&w);
    return code;
}

/* Of WAPT's program of this name. */
static const struct wa_cli_alias aliases[] = {
    {"-l", NULL, WA_TEXT("what can't be signed is always told, with the reason")},
    {"--loglevel", NULL, WA_TEXT("what can't be signed is always told, with the reason")},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_command sign = {NULL, options, WA_COUNT(options), 1, SIZE_MAX, run};
    static const struct wa_cli_command *const commands[] = {&sign, NULL};
    static const struct wa_cli_program program = {.help = wa_help_of_program,
                                                  .name = "wapt-signpackages",
                                                  .section = 1,
                                                  .commands = commands,
                                                  .aliases = aliases,
                                                  .alias_count = WA_COUNT(aliases)};
    return wa_cli_main(&program, argc, argv);
}
