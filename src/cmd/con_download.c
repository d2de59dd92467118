/* con_download.c - waptconsole download: a package of the repository as a file, verified, for which
 * nobody logs in (but for a machine's own, which the server gives to few).
 *
 * What the server sends is a stranger's until it is verified: a file that is not good is removed.
 */
#include "cmd/con.h"
#include "os/fs.h"
#include "os/path.h"
#include "pkg/index.h"
#include "pkg/request.h"
#include "proto/hostid.h"

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    {"output", 'o', "DIR"},
    {"trusted", 't', "DIR"},
};
struct fetching {
    struct wa_cli *cli;
    struct wa_client *client;
    bool is_pinned;
    struct wa_dir dir;
    const char *folder;
    struct wa_request request;
    struct wa_control best; /* of the index, for the request; empty: none yet */
};

static enum wa_code fetch(struct fetching *f, struct wa_client *c, const char *from,
                          const struct wa_relpath *to, uint64_t max, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_sink sink;
    bool is_there = false;
    if (wa_file_create(&f->dir, to, 0644, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    enum wa_code code = wa_client_fetch(c, from, max, &sink.base, &is_there, err);
    if (code == WA_E_REFUSED && !f->is_pinned)
        code = wa_con_unknown(err);
    if (code == WA_OK && !is_there)
        code = wa_fail(err, WA_E_NOT_FOUND, "the server lacks '%s'", from);
    if (code != WA_OK) {
        struct wa_err ignored = WA_ERR_INIT;
        (void)!wa_file_remove(&f->dir, to, &ignored);
    }
    return code;
}

static enum wa_code look(void *user, struct wa_control *c, struct wa_err *err)
{
    struct fetching *f = user;
    bool is_first = wa_control_get(&f->best, WA_A_PACKAGE)[0] == '\0';
    if (!wa_request_matches_typed(&f->request, c) || (!is_first && wa_entry_cmp(c, &f->best) <= 0))
        return WA_OK;
    return wa_control_copy(c, &f->best, err);
}

/* The best that the index offers; WA_OK with none too. */
static enum wa_code search(struct fetching *f, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *index = NULL;
    struct wa_relpath name;
    struct wa_err ignored = WA_ERR_INIT;
    char path[2 * WA_PATH_MAX];
    size_t bad = 0;
    if (wa_relpath_parse(WA_SV(".Packages.tmp"), &name, err) != WA_OK ||
        fetch(f, f->client, "/Packages", &name, WA_INDEX_PACKED_BYTES_MAX, err) != WA_OK)
        return err->code;
    (void)snprintf(path, sizeof path, "%s/%s", f->folder, name.p);
    enum wa_code code = wa_get_package_open(path, &index, err);
    if (code == WA_OK)
        code = wa_index_each(wa_get_package_members(index), look, f, &bad, err);
    (void)!wa_file_remove(&f->dir, &name, &ignored);
    return code == WA_OK ? WA_OK : wa_wrap(err, "the index");
}

/* A package of the index, or a machine's own. */
static enum wa_code place(struct fetching *f, const char *wanted, char from[WA_RELPATH_MAX + 16],
                          struct wa_relpath *ret, struct wa_err *err)
{
    struct wa_sv file = wa_sv(wa_control_get(&f->best, WA_A_FILENAME));
    char own[WA_NAME_MAX + 8];
    if (wa_sv_starts(file, "./"))
        file = wa_sv_sub(file, 2, file.n);
    if (file.n > 0) {
        (void)snprintf(from, WA_RELPATH_MAX + 16, "/%.*s", WA_SV_ARG(file));
        return wa_relpath_parse(file, ret, err);
    }
    if (!wa_hostid_is_valid(wa_sv(wanted)))
        return wa_fail(err, WA_E_NOT_FOUND, "%s: no package of the repositories meets it", wanted);
    (void)snprintf(own, sizeof own, "%s.wapt", wanted);
    (void)snprintf(from, WA_RELPATH_MAX + 16, "-host/%s", own);
    return wa_relpath_parse(wa_sv(own), ret, err);
}

/* A machine's own package goes to that machine, and to people who log in for it. */
static enum wa_code fetch_own(struct fetching *f, const char *wanted, const struct wa_relpath *to,
                              struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    char path[WA_NAME_MAX + 64];
    (void)snprintf(path, sizeof path, "/api/v1/host-packages/%s", wanted);
    enum wa_code code = wa_con_connect(f->cli, &c, err);
    if (code == WA_E_CONFIG || code == WA_E_USAGE) /* nobody is there to log in */
        code = WA_E_NOT_FOUND;
    if (code != WA_OK)
        return wa_fail(err, code,
                       "%s: no package of the repositories meets it; for a machine's own, log in "
                       "(%s)",
                       wanted, err->text);
    return fetch(f, c, path, to, WA_PACKAGE_BYTES_MAX, err);
}

/* Good, and what was asked for: any other good package could lie under that name. */
static enum wa_code check(struct fetching *f, const char *path, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control is;
    wa_control_init(&is);
    if (wa_con_check_package(f->cli, path, &is, err) != WA_OK)
        return err->code;
    bool is_listed = wa_control_get(&f->best, WA_A_PACKAGE)[0] != '\0';
    return (is_listed ? wa_entry_same(&is, &f->best) : wa_request_matches_typed(&f->request, &is))
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "the server gives another package for it: '%s' %s",
                         wa_control_get(&is, WA_A_PACKAGE), wa_control_get(&is, WA_A_VERSION));
}

static enum wa_code download_one(struct fetching *f, const char *wanted, char path[],
                                 size_t path_size, struct wa_err *err)
{
    struct wa_relpath name;
    struct wa_err ignored = WA_ERR_INIT;
    char from[WA_RELPATH_MAX + 16];
    wa_control_fini(&f->best);
    wa_control_init(&f->best);
    if (wa_request_parse(wa_sv(wanted), &f->request, err) != WA_OK || search(f, err) != WA_OK ||
        place(f, wanted, from, &name, err) != WA_OK)
        return err->code;
    if (strchr(name.p, '/') != NULL)
        return wa_fail(err, WA_E_INVALID, "package '%s' lies outside the repository: '%s'", wanted,
                       name.p);
    (void)snprintf(path, path_size, "%s/%s", f->folder, name.p);
    enum wa_code code = fetch(f, f->client, from, &name, WA_PACKAGE_BYTES_MAX, err);
    if (code == WA_E_DENIED && wa_sv_starts(wa_sv(from), "-host/")) {
        wa_err_clear(err);
        code = fetch_own(f, wanted, &name, err);
    }
    if (code != WA_OK)
        return code;
    if (check(f, path, err) != WA_OK) {
        (void)!wa_file_remove(&f->dir, &name, &ignored);
        return err->code;
    }
    wa_cli_out(f->cli, "%s\n", path);
    return WA_OK;
}

static enum wa_code download(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    struct wa_get_tally tally = {0, 0, WA_OK};
    struct fetching f = {.cli = cli, .dir = WA_DIR_INIT};
    f.folder = wa_cli_get(cli, "output", ".");
    wa_control_init(&f.best);
    if (wa_dir_open(f.folder, &f.dir, err) != WA_OK ||
        wa_con_reach(cli, &c, &f.is_pinned, err) != WA_OK)
        goto out;
    f.client = c;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        char path[2 * WA_PATH_MAX] = "";
        bool ok = download_one(&f, cli->args[i], path, sizeof path, &why) == WA_OK;
        wa_jw_obj(&cli->jw);
        wa_jw_kv(&cli->jw, "package", cli->args[i]);
        wa_jw_kv(&cli->jw, "file", ok ? path : NULL);
        wa_jw_kv(&cli->jw, "code", wa_code_name(why.code));
        wa_jw_kv(&cli->jw, "error", ok ? NULL : why.text);
        wa_jw_end(&cli->jw);
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    (void)!wa_get_outcome(&tally, "could not be downloaded", err);
out:
    wa_control_fini(&f.best);
    wa_dir_close(&f.dir);
    return err->code;
}

const struct wa_cli_command wa_con_download = {"download", options,  WA_COUNT(options),
                                               1,          SIZE_MAX, download};
