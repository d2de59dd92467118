/* ossl_memory.h - for one test program: OpenSSL's allocations, and the system's random bytes, that
 * fail when they are told to. */
#ifndef TEST_LIB_OSSL_MEMORY_H
#define TEST_LIB_OSSL_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/attr.h"

static long countdown = -1; /* allocations until one fails; -1: never */
static bool has_failed;

static bool must_fail(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    countdown = -1;
    has_failed = true;
    return true;
}

static void *ossl_malloc(size_t n, const char *file, int line)
{
    WA_UNUSED(file);
    WA_UNUSED(line);
    return must_fail() ? NULL : malloc(n);
}

static void *ossl_realloc(void *p, size_t n, const char *file, int line)
{
    WA_UNUSED(file);
    WA_UNUSED(line);
    return must_fail() ? NULL : realloc(p, n);
}

static void ossl_free(void *p, const char *file, int line)
{
    WA_UNUSED(file);
    WA_UNUSED(line);
    free(p);
}

/* Before anything else uses OpenSSL. */
static inline bool ossl_memory_take(void)
{
    return CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free) == 1;
}

static long random_countdown = -1; /* calls until one fails; -1: never */

/* Takes the place of the C library's. */
ssize_t getrandom(void *p, size_t n, unsigned flags)
{
    if (random_countdown >= 0 && random_countdown-- == 0) {
        errno = ENOSYS;
        return -1;
    }
    return syscall(SYS_getrandom, p, n, flags);
}

#endif
