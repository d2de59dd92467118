/* mem.c - malloc with overflow checks, and memory that is really wiped. */
#include "base/mem.h"

#include <stdint.h>

void *wa_calloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    if (count > SIZE_MAX / size)
        return NULL;
    return calloc(count, size);
}

void *wa_realloc(void *p, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    size_t n = count * size;
    return realloc(p, n == 0 ? 1 : n);
}

char *wa_strdup(const char *s)
{
    return wa_strndup(s, strlen(s));
}

char *wa_strndup(const char *s, size_t n)
{
    if (n == SIZE_MAX)
        return NULL;
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

void wa_free(void *p)
{
    free(p);
}

/* What is called through a volatile pointer can't be left out, and is as fast as memset() is. */
static void *(*const volatile fill)(void *p, int byte, size_t n) = memset;

void wa_wipe(void *p, size_t n)
{
    if (n > 0)
        (void)fill(p, 0, n);
}

void wa_free_secret(char *s)
{
    if (s == NULL)
        return;
    wa_wipe(s, strlen(s));
    free(s);
}

int wa_ct_equal(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    unsigned char diff = 0;
    for (size_t i = 0; i < n; i++)
        diff = (unsigned char)(diff | (x[i] ^ y[i]));
    return diff == 0;
}
