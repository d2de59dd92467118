/* sv.h - a borrowed run of bytes (string view). Never owns, never NUL-terminated by promise. */
#ifndef WA_BASE_SV_H
#define WA_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct wa_sv {
    const char *p;
    size_t n;
};

#define WA_SV(literal) ((struct wa_sv){"" literal, sizeof(literal) - 1})
/* The same to initialize a static object with, which a compound literal may not. */
#define WA_SV_INIT(literal)                                                                        \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define WA_SV_ARG(sv)                                                                              \
    (int)((sv).n > 4096 ? 4096 : (sv).n), ((sv).p ? (sv).p : "") /* for "%.*s"                     \
                                                                  */

struct wa_sv wa_sv(const char *s); /* s may be NULL: empty */
static inline struct wa_sv wa_sv_n(const void *p, size_t n)
{
    return (struct wa_sv){(const char *)p, n};
}
bool wa_sv_eq(struct wa_sv a, struct wa_sv b);
bool wa_sv_eqs(struct wa_sv a, const char *s);
bool wa_sv_ieqs(struct wa_sv a, const char *s); /* ASCII case-insensitive */
bool wa_sv_starts(struct wa_sv a, const char *prefix);
bool wa_sv_ends(struct wa_sv a, const char *suffix);
int wa_sv_cmp(struct wa_sv a, struct wa_sv b);                 /* memcmp order, shorter first */
bool wa_sv_chr(struct wa_sv a, char c, size_t *ret_at);        /* first occurrence */
bool wa_sv_has(struct wa_sv a, struct wa_sv part);             /* anywhere; an empty part too */
struct wa_sv wa_sv_sub(struct wa_sv a, size_t from, size_t n); /* clamped */
struct wa_sv wa_sv_trim(struct wa_sv a);                       /* ASCII white space, both sides */
/* Takes the text up to sep out of *rest; false when *rest is exhausted. "a,,b" gives a, "", b. */
bool wa_sv_split(struct wa_sv *rest, char sep, struct wa_sv *ret_part);
/* Decimal digits only, no sign, no blanks, no overflow. */
bool wa_sv_u64(struct wa_sv a, uint64_t *ret);
bool wa_sv_i64(struct wa_sv a, int64_t *ret);
/* Owned NUL-terminated copy; refuses a NUL inside (WA_E_INVALID). Free with wa_free(). */
WA_CHECK enum wa_code wa_sv_dup(struct wa_sv a, char **ret, struct wa_err *err);

#endif
