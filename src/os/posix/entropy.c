/* entropy.c - getrandom(2). */
#include "os/rand.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

enum wa_code wa_rand_bytes(void *p, size_t n, struct wa_err *err)
{
    uint8_t *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return wa_fail_errno(err, errno, "cannot get random bytes");
        at += got;
        n -= (size_t)got;
    }
    return WA_OK;
}
