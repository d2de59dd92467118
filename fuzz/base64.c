/* base64.c - a text that is taken is the only one for its bytes, blanks aside; all bytes go there
 * and back. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf text, back;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&text, 4u << 20);
    wa_buf_init(&back, 4u << 20);
    wa_base64_encode_mime(data, size, &text);
    if (wa_base64_decode(wa_buf_sv(&text), &back, &err) != WA_OK ||
        !wa_sv_eq(wa_buf_sv(&back), wa_sv_n(data, size)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf bytes, text, stripped;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&bytes, 4u << 20);
    wa_buf_init(&text, 4u << 20);
    wa_buf_init(&stripped, 4u << 20);
    check_bytes(data, size);
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\r' && data[i] != '\n' && data[i] != '\t' && data[i] != ' ')
            wa_buf_addc(&stripped, (char)data[i]);
    }
    if (wa_base64_decode(wa_sv_n(data, size), &bytes, &err) == WA_OK) {
        wa_base64_encode(bytes.p ? bytes.p : "", bytes.n, &text);
        if (!wa_sv_eq(wa_buf_sv(&text), wa_buf_sv(&stripped)))
            abort();
    }
    wa_buf_clear(&bytes);
    wa_buf_clear(&text);
    err = (struct wa_err)WA_ERR_INIT;
    if (wa_base64url_decode(wa_sv_n(data, size), &bytes, &err) == WA_OK) {
        wa_base64url_encode(bytes.p ? bytes.p : "", bytes.n, &text);
        if (!wa_sv_eq(wa_buf_sv(&text), wa_sv_n(data, size)))
            abort();
    }
    return 0;
}
