/* srv_backup.c - waptserver backup and restore. */
#include "cmd/srv.h"
#include "os/clock.h"
#include "server/backup.h"
#include "server/role_common.h"
#include "server/store_db.h"

static void on_progress(void *user, const char *what, uint64_t done, uint64_t total)
{
    static uint64_t told; /* the terminal needs no more than some of many small steps */
    if (done % 64 == 0 || done == total || done - told > 1u << 20) {
        wa_cli_progress(user, what, done, total);
        told = done;
    }
}

/* For 'waptserver check' and the console's first page. Root's rights are given up by it. */
static void note_backup(struct wa_cli *cli, const struct wa_server_config *c)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_server_open_db(c, "waptserver/backup", &db, &err) != WA_OK ||
        wa_store_mark(db, "backup", wa_clock_now(), &err) != WA_OK)
        wa_cli_say(cli, "the backup is made, but that could not be noted on the server: %s",
                   err.text);
}

static enum wa_code backup(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    struct wa_backup_result done = {0, 0, 0};
    bool with_repository = wa_cli_has(cli, "repository");
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_server_backup(&c, cli->args[0], with_repository, on_progress, cli, &done, err);
    wa_cli_progress(cli, "", 0, 0);
    if (code == WA_OK)
        note_backup(cli, &c);
    wa_server_config_free(&c);
    if (code != WA_OK)
        return code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", cli->args[0]);
    wa_jw_kvi(&cli->jw, "files", (int64_t)done.files);
    wa_jw_kvi(&cli->jw, "bytes", (int64_t)done.bytes);
    wa_jw_kvi(&cli->jw, "changed", (int64_t)done.changed);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%llu files, %llu bytes in '%s'\n", (unsigned long long)done.files,
               (unsigned long long)done.bytes, cli->args[0]);
    if (done.changed > 0)
        wa_cli_say(cli, "%llu files of the repository went away meanwhile, and are not in it",
                   (unsigned long long)done.changed);
    wa_cli_say(cli, "It holds the server's keys: keep it where nobody else can read it.");
    return WA_OK;
}

enum wa_code wa_srv_restore_from(struct wa_cli *cli, struct wa_restore *r, struct wa_err *err)
{
    char former[WA_PATH_MAX] = "";
    r->progress = on_progress;
    r->user = cli;
    enum wa_code code = wa_server_restore(r, former, err);
    wa_cli_progress(cli, "", 0, 0);
    if (code != WA_OK)
        return code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "dir", r->dir);
    wa_jw_kv(&cli->jw, "former", former);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", r->dir);
    if (former[0] != '\0')
        wa_cli_say(cli, "What was there is in '%s' now: remove it when it is not needed.", former);
    return WA_OK;
}

static enum wa_code restore(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_restore r = {.file = cli->args[0],
                           .dir = wa_cli_get(cli, "dir", WA_SRV_DIR),
                           .database = wa_cli_get(cli, "database", NULL),
                           .force = wa_cli_has(cli, "force")};
    return wa_srv_restore_from(cli, &r, err);
}

static const struct wa_cli_option backup_options[] = {WA_SRV_CONFIG_OPTION,
                                                      {"repository", 0, NULL}};
static const struct wa_cli_option restore_options[] = {
    {"dir", 0, "DIR"}, {"database", 0, "URL"}, {"force", 'f', NULL}};

const struct wa_cli_command wa_srv_backup = {"backup", backup_options, WA_COUNT(backup_options), 1,
                                             1,        backup};
const struct wa_cli_command wa_srv_restore = {
    "restore", restore_options, WA_COUNT(restore_options), 1, 1, restore};
