/* ossl.c - OpenSSL's error queue as one of our errors. */
#include "crypto/ossl_priv.h"

#include <openssl/err.h>

enum wa_code wa_fail_ossl(struct wa_err *err, enum wa_code code, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e == 0 ? NULL : ERR_reason_error_string(e);
    bool no_memory = e != 0 && ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    if (no_memory)
        return wa_nomem(err);
    return reason == NULL ? wa_fail(err, code, "cannot %s", what)
                          : wa_fail(err, code, "cannot %s: %s", what, reason);
}
