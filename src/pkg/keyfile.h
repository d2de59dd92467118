/* keyfile.h - a person's private key gets another password: whatever happens meanwhile, its file
 * holds the key under the old one or under the new one, and never without any.
 */
#ifndef WA_PKG_KEYFILE_H
#define WA_PKG_KEYFILE_H

#include "crypto/key.h"
#include "os/fs.h"

struct wa_keyfile {
    char path[WA_PATH_MAX];
    struct wa_stat was; /* when it was read */
    bool was_encrypted;
    struct wa_key *key;
};
/* Opens it by its old password, which is asked for as by wa_key_read_pem(). WA_E_REFUSED: a link, a
 * file of another account, or one that holds more than a private key. */
WA_CHECK enum wa_code wa_keyfile_open(const char *path, wa_passphrase_fn ask, void *user,
                                      struct wa_keyfile *ret, struct wa_err *err);
/* Encrypts it anew, as wa_key_write_pem() does, in place of the file; which nobody but its owner
 * may read then. WA_E_CONFLICT: somebody has changed the file meanwhile. */
WA_CHECK enum wa_code wa_keyfile_set_password(const struct wa_keyfile *k, struct wa_sv password,
                                              struct wa_err *err);
void wa_keyfile_fini(struct wa_keyfile *k);
#define WA_AUTO_KEYFILE WA_CLEANUP(wa_keyfile_fini)

#endif
