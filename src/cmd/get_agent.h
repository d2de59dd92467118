/* get_agent.h - asking the agent of this machine, for commands that show its answers in their own
 * way (get_agent.c). */
#ifndef WA_CMD_GET_AGENT_H
#define WA_CMD_GET_AGENT_H

#include "cmd/cli.h"
#include "proto/local.h"

/* The path of the agent's configuration. WA_E_CONFIG with what to do, when there is none. */
WA_CHECK enum wa_code wa_get_agent_config(const struct wa_cli *cli, char file[WA_PATH_MAX],
                                          struct wa_err *err);
/* What the agent answers, in arena; package: of the request, or NULL. Its refusal is an error. */
WA_CHECK enum wa_code wa_get_agent_ask(const struct wa_cli *cli, enum wa_local_op op,
                                       const char *package, struct wa_arena *arena,
                                       const struct wa_json **ret, struct wa_err *err);

#endif
