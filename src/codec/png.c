/* png.c - see png.h. */
#include "codec/png.h"

#include "base/limits.h"

#include <string.h>

static uint32_t u32_at(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The signature, then IHDR with sides that an icon has. */
bool wa_png_is_icon(struct wa_sv s)
{
    static const char head[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    if (s.n < 33 || memcmp(s.p, head, sizeof head - 1) != 0)
        return false;
    uint32_t width = u32_at(s.p + 16), height = u32_at(s.p + 20);
    return width > 0 && height > 0 && width <= WA_ICON_SIDE_MAX && height <= WA_ICON_SIDE_MAX;
}
