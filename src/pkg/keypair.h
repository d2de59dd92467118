/* keypair.h - a person's key as files: NAME.pem, and beside it NAME.crt or, until somebody has
 * issued that, NAME.csr. No file of another is ever replaced unasked.
 */
#ifndef WA_PKG_KEYPAIR_H
#define WA_PKG_KEYPAIR_H

#include "crypto/cert.h"
#include "os/fs.h"

struct wa_keypair {
    struct wa_dir dir;
    char folder[WA_PATH_MAX];
    struct wa_relpath key, cert, request;
};
/* The files of somebody of that common name in folder, which is made with mode 0700 if it is
 * missing. */
WA_CHECK enum wa_code wa_keypair_open(const char *folder, const char *cn, struct wa_keypair *ret,
                                      struct wa_err *err);
void wa_keypair_fini(struct wa_keypair *k);
#define WA_AUTO_KEYPAIR WA_CLEANUP(wa_keypair_fini)
/* "rsa" with so many bits, or "p-256". WA_E_USAGE for another kind. */
WA_CHECK enum wa_code wa_keypair_new_key(const char *kind, int64_t rsa_bits, struct wa_key **ret,
                                         struct wa_err *err);

#define WA_KEY_PASSWORD_MIN 8u /* bytes, of what protects a key from now on */
/* WA_E_INVALID: it is too short. */
WA_CHECK enum wa_code wa_keypair_check_password(struct wa_sv password, struct wa_err *err);

struct wa_keypair_file {
    const struct wa_relpath *name; /* of the pair */
    struct wa_sv bytes;
    uint32_t mode;
};
/* All of them, or none. WA_E_EXISTS when one is there, unless forced. */
WA_CHECK enum wa_code wa_keypair_write(const struct wa_keypair *k,
                                       const struct wa_keypair_file *files, size_t count,
                                       bool force, struct wa_err *err);

#endif
