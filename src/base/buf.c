/* buf.c - the growable buffer. Failures stick, so that writers check once at the end.
 *
 * Invariant: p is NULL, or holds cap bytes of which n are used, n < cap, and p[n] is a NUL; n never
 * exceeds max.
 */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>

#define FIRST 256u /* bytes: most messages' beginnings, so that few grow twice */

void wa_buf_init(struct wa_buf *b, size_t max)
{
    *b = (struct wa_buf){.max = max};
}

void wa_buf_fini(struct wa_buf *b)
{
    wa_free(b->p);
    wa_buf_init(b, b->max);
}

void wa_buf_fini_secret(struct wa_buf *b)
{
    if (b->p != NULL)
        wa_wipe(b->p, b->cap);
    wa_buf_fini(b);
}

void wa_buf_clear(struct wa_buf *b)
{
    b->n = 0;
    b->failed = WA_OK;
    if (b->p != NULL)
        b->p[0] = '\0';
}

/* Room for n more bytes and a NUL. The old block is wiped: buffers hold secrets at times, and
 * realloc would leave a copy behind. */
static bool grow(struct wa_buf *b, size_t n)
{
    if (b->failed != WA_OK)
        return false;
    size_t max = b->max < PTRDIFF_MAX ? b->max : PTRDIFF_MAX - 1;
    if (n > max || b->n > max - n) {
        b->failed = WA_E_LIMIT;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap < FIRST ? FIRST : b->cap + b->cap / 2;
    if (cap > max + 1)
        cap = max + 1;
    if (cap < need)
        cap = need;
    char *p = wa_realloc(NULL, cap, 1);
    if (p == NULL) {
        b->failed = WA_E_NOMEM;
        return false;
    }
    if (b->p != NULL) {
        memcpy(p, b->p, b->n);
        wa_wipe(b->p, b->cap); /* what was consumed lies behind b->n */
        wa_free(b->p);
    }
    p[b->n] = '\0'; /* a caller may reserve and then add nothing */
    b->p = p;
    b->cap = cap;
    return true;
}

void wa_buf_add(struct wa_buf *b, const void *p, size_t n)
{
    if (!grow(b, n))
        return;
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void wa_buf_adds(struct wa_buf *b, const char *s)
{
    wa_buf_add(b, s, strlen(s));
}

void wa_buf_addsv(struct wa_buf *b, struct wa_sv s)
{
    wa_buf_add(b, s.p, s.n);
}

void wa_buf_addc(struct wa_buf *b, char c)
{
    if (!grow(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

/* Into the room that there is; only what is longer is formatted twice. */
void wa_buf_addf(struct wa_buf *b, const char *fmt, ...)
{
    size_t room = grow(b, 0) ? b->cap - b->n : 0;
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, args);
    va_end(args);
    bool fits = n >= 0 && (size_t)n < room;
    if (!fits && room > 0)
        b->p[b->n] = '\0';
    if (n < 0)
        b->failed = b->failed == WA_OK ? WA_E_INTERNAL : b->failed;
    else if (fits || grow(b, (size_t)n)) {
        if (!fits)
            (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

static void add_le(struct wa_buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    wa_buf_add(b, bytes, n);
}

void wa_buf_u16le(struct wa_buf *b, uint16_t v)
{
    add_le(b, v, 2);
}

void wa_buf_u32le(struct wa_buf *b, uint32_t v)
{
    add_le(b, v, 4);
}

void wa_buf_u64le(struct wa_buf *b, uint64_t v)
{
    add_le(b, v, 8);
}

void *wa_buf_reserve(struct wa_buf *b, size_t n)
{
    return grow(b, n) ? b->p + b->n : NULL;
}

void wa_buf_advance(struct wa_buf *b, size_t n)
{
    if (n == 0)
        return;
    assert(n < b->cap - b->n); /* else more than was reserved */
    b->n += n;
    b->p[b->n] = '\0';
}

void wa_buf_consume(struct wa_buf *b, size_t n)
{
    if (n > b->n)
        n = b->n;
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n + 1);
    b->n -= n;
}

enum wa_code wa_buf_check(const struct wa_buf *b, struct wa_err *err)
{
    switch (b->failed) {
    case WA_OK:
        return WA_OK;
    case WA_E_NOMEM:
        return wa_nomem(err);
    case WA_E_LIMIT:
        return wa_fail(err, WA_E_LIMIT, "more than %zu bytes", b->max);
    default:
        return wa_fail(err, b->failed, "a text could not be formatted");
    }
}

enum wa_code wa_buf_steal(struct wa_buf *b, char **ret, size_t *ret_n, struct wa_err *err)
{
    if (wa_buf_check(b, err) != WA_OK)
        return err->code;
    if (b->p == NULL && !grow(b, 0))
        return wa_nomem(err);
    *ret = b->p;
    *ret_n = b->n;
    wa_buf_init(b, b->max);
    return WA_OK;
}

struct wa_sv wa_buf_sv(const struct wa_buf *b)
{
    return (struct wa_sv){b->p, b->n};
}

const char *wa_buf_str(const struct wa_buf *b)
{
    return b->p == NULL ? "" : b->p;
}
