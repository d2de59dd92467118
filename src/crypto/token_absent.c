/* token_absent.c - where libp11 is not built: a key on a token is named in vain, and told so. */
#include "crypto/token.h"

enum wa_code wa_token_key_open(const struct wa_token_uri *uri, const char *module,
                               wa_passphrase_fn ask, void *user, struct wa_key **ret,
                               struct wa_err *err)
{
    WA_UNUSED(uri);
    WA_UNUSED(module);
    WA_UNUSED(ask);
    WA_UNUSED(user);
    WA_UNUSED(ret);
    return wa_fail(
        err, WA_E_CONFIG,
        "keys on PKCS#11 tokens can't be used on this system yet: sign on Linux, or name a "
        "PEM file with --private-key");
}
