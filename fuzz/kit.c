/* kit.c - a kit that is read can be written, says the same then, and holds no private key. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_KIT struct wa_kit k = {.root = WA_SV("")};
    WA_AUTO_KIT struct wa_kit again = {.root = WA_SV("")};
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&text, 2 * WA_KIT_BYTES_MAX);
    if (wa_kit_read(wa_sv_n(data, size), &arena, &k, &err) != WA_OK)
        return 0;
    if (wa_kit_write(&k, &text, &err) != WA_OK)
        return 0; /* longer than it came */
    if (text.n <= WA_KIT_BYTES_MAX &&
        (wa_kit_read(wa_buf_sv(&text), &arena, &again, &err) != WA_OK ||
         !wa_sv_eq(again.config, k.config) || !wa_sv_eq(again.token, k.token) ||
         !wa_sv_eq(again.root, k.root) || again.trust.n != k.trust.n || again.expires != k.expires))
        abort();
    return 0;
}
