/* con_intake.h - what import, resign and promote have in common: they show what would come, ask,
 * sign, upload, and publish. */
#ifndef WA_CMD_CON_INTAKE_H
#define WA_CMD_CON_INTAKE_H

#include "cmd/con.h"
#include "console/intake.h"

struct wa_con_intake {
    struct wa_cli *cli;
    struct wa_client *server, *from; /* from: may be the server */
    struct wa_trust *anchors;
    struct wa_import_wish wish;
    struct wa_request requests[WA_CLI_GIVEN_MAX];
    struct wa_intake_options o;
    struct wa_intake *in;
    struct wa_get_signer signer;
    char *base, *section, *trusted; /* owned texts */
    bool removes_old;               /* once the new one is published */
};
/* The arguments as requirements. */
WA_CHECK enum wa_code wa_con_intake_requests(struct wa_con_intake *t, struct wa_err *err);
/* Everything, once o, wish, anchors, server and from are there. Writes an object. */
WA_CHECK enum wa_code wa_con_intake_run(struct wa_con_intake *t, struct wa_err *err);
void wa_con_intake_fini(struct wa_con_intake *t);
#define WA_CON_INTAKE_OPTIONS                                                                      \
    WA_CON_SERVER_OPTIONS, WA_GET_SIGNER_OPTIONS, WA_CON_PUBLISH_OPTIONS, {"trusted", 't', "DIR"}, \
        {"output", 'o', "DIR"}, {"publish", 0, NULL},                                              \
    {                                                                                              \
        "dry-run", 'n', NULL                                                                       \
    }

#endif
