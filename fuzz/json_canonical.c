/* json_canonical.c - canonical JSON is a fixed point: read again, it gives itself. Legacy only must
 * not break. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wa_code canonical(struct wa_sv text, struct wa_buf *out, struct wa_buf *legacy)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;

    wa_arena_init(&arena, 16u << 20);
    code = wa_json_parse(text, WA_JSON_LONE_SURROGATES, &arena, &j, &err);
    if (code == WA_OK)
        code = wa_json_write_canonical(j, out, &err);
    if (code == WA_OK && wa_json_write_legacy(j, legacy, &err) != WA_OK && err.code != WA_E_LIMIT)
        abort();
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf a, b, legacy;
    size_t ignored;

    wa_buf_init(&a, 16u << 20);
    wa_buf_init(&b, 16u << 20);
    wa_buf_init(&legacy, 16u << 20);
    if (canonical(wa_sv_n(data, size), &a, &legacy) != WA_OK)
        return 0;
    for (size_t i = 0; i < a.n; i++) {
        if ((uint8_t)a.p[i] < 0x20 || (uint8_t)a.p[i] > 0x7e)
            abort();
    }
    /* "Infinity" is what Python writes for 1e999, and it is not JSON: there the round ends. */
    if (wa_sv_chr(wa_buf_sv(&a), 'I', &ignored))
        return 0;
    if (canonical(wa_buf_sv(&a), &b, &legacy) != WA_OK || !wa_sv_eq(wa_buf_sv(&a), wa_buf_sv(&b)))
        abort();
    return 0;
}
