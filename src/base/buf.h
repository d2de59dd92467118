/* buf.h - a growable byte buffer with a cap.
 *
 * Errors are sticky: after a failed append (memory or cap) the buffer keeps its
 * failure and ignores further appends, so that a long sequence of appends needs
 * one check at the end, wa_buf_check(). The bytes are always followed by a NUL.
 */
#ifndef WA_BASE_BUF_H
#define WA_BASE_BUF_H

#include <stdint.h>

#include "base/sv.h"

struct wa_buf {
    char *p; /* NULL while empty and never grown */
    size_t n;
    size_t cap;
    size_t max; /* bytes: WA_E_LIMIT beyond */
    enum wa_code failed;
};

void wa_buf_init(struct wa_buf *b, size_t max);
void wa_buf_fini(struct wa_buf *b);        /* frees; leaves an empty buffer with the same cap */
void wa_buf_fini_secret(struct wa_buf *b); /* wipes first */
void wa_buf_clear(struct wa_buf *b);       /* keeps the memory, forgets the failure */
#define WA_AUTO_BUF WA_CLEANUP(wa_buf_fini)
#define WA_AUTO_BUF_SECRET WA_CLEANUP(wa_buf_fini_secret)

/* p must not point into the buffer itself: growing moves it. */
void wa_buf_add(struct wa_buf *b, const void *p, size_t n);
void wa_buf_adds(struct wa_buf *b, const char *s);
void wa_buf_addsv(struct wa_buf *b, struct wa_sv s);
void wa_buf_addc(struct wa_buf *b, char c);
void wa_buf_addf(struct wa_buf *b, const char *fmt, ...) WA_FORMAT(2, 3);
void wa_buf_u16le(struct wa_buf *b, uint16_t v);
void wa_buf_u32le(struct wa_buf *b, uint32_t v);
void wa_buf_u64le(struct wa_buf *b, uint64_t v);
/* Room for n more bytes at the end, to be written directly; NULL on failure. Then wa_buf_advance().
 */
void *wa_buf_reserve(struct wa_buf *b, size_t n);
void wa_buf_advance(struct wa_buf *b, size_t n);
void wa_buf_consume(struct wa_buf *b, size_t n); /* drops n bytes at the front */

/* WA_OK, or the sticky failure as an error ("memory ran out", "more than N bytes"). */
WA_CHECK enum wa_code wa_buf_check(const struct wa_buf *b, struct wa_err *err);
/* Hands the NUL-terminated bytes to the caller (wa_free()); never NULL on WA_OK. */
WA_CHECK enum wa_code wa_buf_steal(struct wa_buf *b, char **ret, size_t *ret_n, struct wa_err *err);
struct wa_sv wa_buf_sv(const struct wa_buf *b);
/* The bytes as a C string, "" while empty. Valid until the next change. */
const char *wa_buf_str(const struct wa_buf *b);

#endif
