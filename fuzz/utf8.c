/* utf8.c - what decodes encodes to the same bytes, a cut never splits a character, and an error
 * made of any bytes is valid text. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Count of bytes of the valid text at the front. */
static size_t check_walk(struct wa_sv s)
{
    size_t at = 0, from = 0;
    uint32_t cp;
    char out[4];
    while (wa_utf8_next(s, &at, &cp)) {
        require(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
        require(wa_utf8_encode(cp, out) == at - from && memcmp(out, s.p + from, at - from) == 0);
        from = at;
    }
    size_t good = at;
    require(at == from && at <= s.n);
    for (from = at; wa_utf8_step(s, &at, &cp); from = at)
        require(cp < WA_UTF8_BAD ? wa_utf8_encode(cp, out) == at - from
                                 : at == from + 1 && cp - WA_UTF8_BAD == (uint8_t)s.p[from]);
    require(at == s.n);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv s = wa_sv_n(data, size);
    struct wa_err err = WA_ERR_INIT;
    size_t good = check_walk(s);
    require(wa_utf8_valid(s) == (good == size));
    for (size_t n = 0; n <= good; n++) {
        size_t cut = wa_utf8_cut(s.p, n);
        require(cut <= n && n - cut < 4 && wa_utf8_valid(wa_sv_n(s.p, cut)));
    }
    for (size_t n = good; n <= size; n++)
        require(wa_utf8_cut(s.p, n) <= n);
    (void)wa_fail(&err, WA_E_INVALID, "%.*s", WA_SV_ARG(s));
    require(wa_utf8_valid(wa_sv(err.text)));
    size_t at = 0;
    uint32_t cp;
    while (wa_utf8_next(wa_sv(err.text), &at, &cp))
        require(wa_utf8_is_shown(cp));
    return 0;
}
