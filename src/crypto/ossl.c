/* ossl.c - OpenSSL's error queue turned into our errors.
 *
 * The queue belongs to the thread and is shared with net/tls, which asks it why a read failed: so
 * every function of crypto/ leaves it empty, whether it succeeded or not.
 */
#include "base/text.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <stdarg.h>

enum wa_code wa_ossl_fail(struct wa_err *err, enum wa_code code, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(what, sizeof(what), wa_text(fmt), ap);
    va_end(ap);
    if (n < 0)
        what[0] = '\0';
    const char *reason = NULL;
    bool no_memory = false;
    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error()) {
        if (reason == NULL)
            reason = ERR_reason_error_string(e);
        no_memory = no_memory || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    }
    if (no_memory)
        return wa_nomem(err);
    if (reason == NULL)
        return wa_fail(err, code, "%s", what);
    return wa_fail(err, code, "%s: %s", what, reason);
}

bool wa_ossl_ran_out(void)
{
    bool ran_out = false;

    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error())
        ran_out = ran_out || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    return ran_out;
}

enum wa_code wa_ossl_drain(BIO *bio, struct wa_buf *out, struct wa_err *err)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);

    if (n > 0)
        wa_buf_add(out, p, (size_t)n);
    return wa_buf_check(out, err);
}
