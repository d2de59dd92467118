/* dpkg_status.c - the list of installed software is the same wherever its file is cut, and its
 * texts are fit to be shown. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "os/linux/software_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
    if (!wa_utf8_valid(wa_sv(s)))
        abort();
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            abort();
}

static enum wa_code tell(void *user, const struct wa_software *s, struct wa_err *err)
{
    const char *const texts[] = {s->name, s->version, s->architecture, s->publisher,
                                 s->description};

    WA_UNUSED(err);
    if (s->name[0] == '\0' || s->version[0] == '\0')
        abort();
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        check_text(texts[i]);
        wa_buf_addf(user, "%s\n", texts[i]);
    }
    wa_buf_addf(user, "%llu\n", (unsigned long long)s->size_bytes);
    return WA_OK;
}

static void read_in_pieces(const uint8_t *data, size_t size, size_t piece, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_dpkg d;

    wa_dpkg_init(&d, tell, out);
    for (size_t at = 0; at < size; at += piece)
        if (wa_dpkg_feed(&d, data + at, size - at < piece ? size - at : piece, &err) != WA_OK)
            abort();
    if (wa_dpkg_end(&d, &err) != WA_OK)
        abort();
    wa_dpkg_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf whole, cut;

    wa_buf_init(&whole, 16u << 20);
    wa_buf_init(&cut, 16u << 20);
    if (size < 1 || size > 65536)
        return 0;
    read_in_pieces(data + 1, size - 1, size, &whole);
    read_in_pieces(data + 1, size - 1, 1 + (size_t)data[0] * 7, &cut);
    if (whole.failed != WA_OK || !wa_sv_eq(wa_buf_sv(&whole), wa_buf_sv(&cut)))
        abort();
    return 0;
}
