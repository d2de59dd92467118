/* png.c - what is taken for an icon: its head says so, and its sides are an icon's. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/png.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t side(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!wa_png_is_icon(wa_sv_n((const char *)data, size)))
        return 0;
    if (size < 33 || data[0] != 0x89 || side(data + 16) - 1 >= WA_ICON_SIDE_MAX ||
        side(data + 20) - 1 >= WA_ICON_SIDE_MAX)
        abort();
    return 0;
}
