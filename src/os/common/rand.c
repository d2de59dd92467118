/* rand.c - what is made of random bytes; no generator of our own. */
#include "os/rand.h"

#include <stdint.h>

enum wa_code wa_rand_map(struct wa_map *m, struct wa_err *err)
{
    uint64_t seed = 0;
    wa_map_init(m, 0);
    if (wa_rand_bytes(&seed, sizeof seed, err) != WA_OK)
        return err->code;
    wa_map_init(m, seed);
    return WA_OK;
}

static void hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

enum wa_code wa_rand_hex(char *out, size_t n, struct wa_err *err)
{
    uint8_t piece[32];
    for (size_t done = 0; done < n;) {
        size_t now = n - done < sizeof piece ? n - done : sizeof piece;
        if (wa_rand_bytes(piece, now, err) != WA_OK)
            return err->code;
        hex(piece, now, out + 2 * done);
        done += now;
    }
    out[2 * n] = '\0';
    return WA_OK;
}

enum wa_code wa_rand_uuid(char out[37], struct wa_err *err)
{
    uint8_t b[16];
    char text[33];
    if (wa_rand_bytes(b, sizeof b, err) != WA_OK)
        return err->code;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    hex(b, sizeof b, text);
    (void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12, text + 16,
                   text + 20);
    return WA_OK;
}
