/* entropy.c - random bytes of the system's own generator. */
#include "os/win32/win.h"

#include <bcrypt.h>

#include "os/rand.h"

enum wa_code wa_rand_bytes(void *p, size_t n, struct wa_err *err)
{
    if (n > ULONG_MAX || BCryptGenRandom(NULL, p, (ULONG)n, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
        return wa_fail(err, WA_E_IO, "cannot get random bytes");
    return WA_OK;
}
