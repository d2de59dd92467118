/* scan.h - scanning a repository, for the programs that do. */
#ifndef WA_CMD_SCAN_H
#define WA_CMD_SCAN_H

#include "cmd/cli.h"
#include "repo/scan.h"

/* Builds the index of dir, leaves a proposal where there is a root, and tells: of the members of
 * the JSON object that the caller has begun, and as talk. WA_E_PARTIAL when packages were left
 * out. */
enum wa_cmd_scan_tell { WA_TELL_LEFT_OUT, WA_TELL_NOTHING, WA_TELL_CHANGES };
struct wa_cmd_scan_options {
    bool force;
    const struct wa_trust *anchors; /* NULL: signers are not judged */
    enum wa_cmd_scan_tell tell;     /* beside the result, on standard error */
};
WA_CHECK enum wa_code wa_cmd_scan(struct wa_cli *cli, const char *dir,
                                  const struct wa_cmd_scan_options *o, struct wa_err *err);

#endif
