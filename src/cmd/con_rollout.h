/* con_rollout.h - between the files of waptconsole rollout. */
#ifndef WA_CMD_CON_ROLLOUT_H
#define WA_CMD_CON_ROLLOUT_H

#include "cmd/con.h"

/* Composes the statement and the plan as the options say, shows both, signs the statement. body: of
 * POST /api/v1/rollouts. */
WA_CHECK enum wa_code wa_con_rollout_make(struct wa_cli *cli, struct wa_client *client,
                                          const struct wa_signer *signer, struct wa_buf *body,
                                          struct wa_err *err);

#endif
