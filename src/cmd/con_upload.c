/* con_upload.c - waptconsole upload and host-package: packages on their way to the server. They are
 * signed before; nothing is signed here but a host package, by this person's own key.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "console/upload.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "proto/hostid.h"

struct shown {
    struct wa_cli *cli;
    const char *name;
};

static void show_wait(void *user, const struct wa_err *why)
{
    const struct shown *s = user;
    wa_cli_say(s->cli, "%s: %s; trying again", s->name, why->text);
}

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    const struct shown *s = user;
    wa_cli_progress(s->cli, s->name, done, total);
    return true;
}

enum wa_code wa_con_upload_one(struct wa_cli *cli, struct wa_client *c, const char *path,
                               struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control control;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_source source;
    char folder[WA_PATH_MAX], canonical[2 * WA_NAME_MAX + 1];
    const char *last = wa_path_last(path);
    struct shown shown = {cli, path};
    wa_control_init(&control);
    if (wa_path_dir(path, (size_t)(last - path), folder, err) != WA_OK ||
        wa_get_control(path, &control, err) != WA_OK || wa_dir_open(folder, &dir, err) != WA_OK ||
        wa_relpath_parse(wa_sv(last), &name, err) != WA_OK ||
        wa_file_open(&dir, &name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_control_filename(&control, NULL, canonical, err) != WA_OK)
        return err->code;
    const char *package = wa_control_get(&control, WA_A_PACKAGE);
    bool is_host = strcmp(wa_control_get(&control, WA_A_SECTION), "host") == 0;
    if (is_host && !wa_hostid_is_valid(wa_sv(package)))
        return wa_fail(err, WA_E_INVALID, "'%s' is a host package without a host", path);
    const struct wa_upload_job job = {.file = &source.base,
                                      .name = canonical,
                                      .host = is_host ? package : NULL,
                                      .progress = show_progress,
                                      .waits = show_wait,
                                      .user = &shown};
    if (wa_client_publish(c, &job, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    wa_cli_progress(cli, "", 0, 0);
    wa_cli_out(cli, "%s: published\n", path);
    return WA_OK;
}

static void tell(struct wa_cli *cli, const char *server, const char *path,
                 struct wa_get_tally *tally, const struct wa_err *why)
{
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "server", server);
    wa_jw_kv(&cli->jw, "file", path);
    wa_jw_kv(&cli->jw, "code", wa_code_name(why->code));
    wa_jw_kv(&cli->jw, "error", why->code == WA_OK ? NULL : why->text);
    wa_jw_end(&cli->jw);
    wa_get_count(cli, tally, why);
}

/* To one server, what was found good; a server that does not answer has failed for each. */
static void upload_to(struct wa_cli *cli, size_t nth, const struct wa_err *checks,
                      struct wa_get_tally *tally)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    struct wa_err no_server = WA_ERR_INIT;
    const char *server = wa_cli_at(cli, "server", nth);
    if (wa_con_connect_nth(cli, nth, &c, &no_server) == WA_OK)
        wa_err_clear(&no_server);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (checks[i].code != WA_OK)
            continue;
        if (c == NULL)
            why = no_server;
        else if (wa_con_upload_one(cli, c, cli->args[i], &why) == WA_OK)
            wa_err_clear(&why);
        tell(cli, server, cli->args[i], tally, &why);
    }
}

static enum wa_code upload(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_err *checks = wa_calloc(cli->arg_count, sizeof *checks);
    struct wa_get_tally tally = {0, 0, WA_OK};
    size_t good = 0, servers = 0;
    if (checks == NULL)
        return wa_nomem(err);
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        if (wa_con_check_package(cli, cli->args[i], NULL, &checks[i]) == WA_OK)
            good++;
        else
            tell(cli, NULL, cli->args[i], &tally, &checks[i]);
    }
    while (wa_cli_at(cli, "server", servers) != NULL)
        servers++;
    for (size_t i = 0; good > 0 && (i == 0 || i < servers); i++)
        upload_to(cli, i, checks, &tally);
    wa_free(checks);
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be published", err);
}

static enum wa_code host_package(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_CONTROL struct wa_control control;
    char path[WA_PATH_MAX], version[32];
    wa_control_init(&control);
    (void)snprintf(version, sizeof version, "%lld",
                   (long long)wa_clock_now()); /* grows by itself */
    if (!wa_hostid_is_valid(wa_sv(cli->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
    if (wa_get_signer_load(cli, &signer, err) != WA_OK ||
        wa_assign_new_host(cli->args[0], &control, err) != WA_OK ||
        wa_control_set(&control, WA_A_VERSION,
                       wa_sv(wa_cli_get(cli, "version-of-package", version)), err) != WA_OK ||
        wa_control_set(&control, WA_A_DEPENDS, wa_sv(wa_cli_get(cli, "depends", "")), err) !=
            WA_OK ||
        wa_control_set(&control, WA_A_CONFLICTS, wa_sv(wa_cli_get(cli, "conflicts", "")), err) !=
            WA_OK ||
        wa_build_meta(&control, wa_cli_get(cli, "output", "."), &signer.signer, NULL, path, err) !=
            WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", path);
    wa_jw_kvb(&cli->jw, "uploaded", wa_cli_has(cli, "upload"));
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", path);
    if (!wa_cli_has(cli, "upload"))
        return WA_OK;
    return wa_con_connect(cli, &c, err) == WA_OK ? wa_con_upload_one(cli, c, path, err) : err->code;
}

static const struct wa_cli_option upload_options[] = {
    WA_CON_SERVER_OPTIONS,
    {"trusted", 't', "DIR"},
};
static const struct wa_cli_option package_options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    {"depends", 0, "LIST"},
    {"conflicts", 0, "LIST"},
    {"version-of-package", 0, "VERSION"},
    {"output", 'o', "DIR"},
    {"upload", 0, NULL},
};
const struct wa_cli_command wa_con_upload = {"upload", upload_options, WA_COUNT(upload_options),
                                             1,        SIZE_MAX,       upload};
const struct wa_cli_command wa_con_host_package = {
    "host-package", package_options, WA_COUNT(package_options), 1, 1, host_package};
