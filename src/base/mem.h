/* mem.h - memory that may run out, and says so.
 *
 * Thin over malloc; the tests fail each allocation in turn by wrapping malloc,
 * calloc and realloc at link time, so nothing here knows about tests.
 */
#ifndef WA_BASE_MEM_H
#define WA_BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

/* count * size bytes, zeroed; NULL when out of memory or when the product overflows. Free with
 * wa_free(). */
WA_CHECK void *wa_calloc(size_t count, size_t size);
/* As realloc() with an overflow check; the old block stays valid when NULL is returned. */
WA_CHECK void *wa_realloc(void *p, size_t count, size_t size);
WA_CHECK char *wa_strdup(const char *s);
/* Copies n bytes and appends a NUL. */
WA_CHECK char *wa_strndup(const char *s, size_t n);
void wa_free(void *p);
/* Overwrites n bytes in a way the compiler can't drop. */
void wa_wipe(void *p, size_t n);
/* wa_wipe() over the string, then wa_free(). */
void wa_free_secret(char *s);

static inline void wa_free_strp(char **p)
{
    wa_free(*p);
    *p = NULL;
}
static inline void wa_free_secretp(char **p)
{
    wa_free_secret(*p);
    *p = NULL;
}
#define WA_AUTO_STR WA_CLEANUP(wa_free_strp)
#define WA_AUTO_SECRET WA_CLEANUP(wa_free_secretp)

/* Gives the pointer away: returns it and sets the variable to NULL. */
#define WA_TAKE(p) wa_take_((void **)(void *)&(p))
static inline void *wa_take_(void **p)
{
    void *v = *p;
    *p = NULL;
    return v;
}

/* Constant-time equality of n bytes: for secrets, digests and tags. */
int wa_ct_equal(const void *a, const void *b, size_t n);

#endif
