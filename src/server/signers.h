/* signers.h - the certificates of trusted/: whose packages are taken, and whose orders are
 * passed on, where no root says so. Machines trust by their own.
 */
#ifndef WA_SERVER_SIGNERS_H
#define WA_SERVER_SIGNERS_H

#include "base/buf.h"

/* path: of the folder. out: {"signers":[{fingerprint,subject,...}]}. */
WA_CHECK enum wa_code wa_signers_list(const char *path, struct wa_buf *out, struct wa_err *err);
/* pem: one certificate. fingerprint: 65 bytes. WA_E_EXISTS. */
WA_CHECK enum wa_code wa_signers_add(const char *path, struct wa_sv pem, char *fingerprint,
                                     struct wa_err *err);
/* WA_E_NOT_FOUND; WA_E_CONFLICT when its file holds others too. */
WA_CHECK enum wa_code wa_signers_remove(const char *path, struct wa_sv fingerprint,
                                        struct wa_err *err);

#endif
