/* srv.h - the subcommands of waptserver, one file each, and what several of them need. */
#ifndef WA_CMD_SRV_H
#define WA_CMD_SRV_H

#include "cmd/cli.h"
#include "server/config.h"

#define WA_SRV_DIR "/var/lib/waptserver"
#define WA_SRV_CONFIG WA_SRV_DIR "/waptserver.ini"
#define WA_SRV_CONFIG_OPTION                                                                       \
    {                                                                                              \
        "config", 'c', "FILE"                                                                      \
    }

extern const struct wa_cli_command wa_srv_setup;
extern const struct wa_cli_command wa_srv_run;
extern const struct wa_cli_command wa_srv_token;
extern const struct wa_cli_command wa_srv_user;
extern const struct wa_cli_command wa_srv_journal;
extern const struct wa_cli_command wa_srv_webhook;
extern const struct wa_cli_command wa_srv_backup;
extern const struct wa_cli_command wa_srv_check;
extern const struct wa_cli_command wa_srv_restore;
extern const struct wa_cli_command wa_srv_import;

/* From an archive, with what it says on the way (srv_backup.c). */
struct wa_restore;
WA_CHECK enum wa_code wa_srv_restore_from(struct wa_cli *cli, struct wa_restore *r,
                                          struct wa_err *err);
/* The configuration that --config names; free it with wa_server_config_free(). */
WA_CHECK enum wa_code wa_srv_config(const struct wa_cli *cli, struct wa_server_config *ret,
                                    struct wa_err *err);

#endif
