/* smbios.c - a firmware's table, whatever it holds, gives keys and texts that fit and may be shown,
 * and as many structures as are counted. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "os/dmi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t size)
{
    if (memchr(s, '\0', size) == NULL || !wa_utf8_valid(wa_sv(s)))
        abort();
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            abort();
}

static enum wa_code look(void *user, const struct wa_dmi_entry *e, struct wa_err *err)
{
    size_t *n = user;
    WA_UNUSED(err);
    if (e->n == 0 || e->n > WA_COUNT(e->values))
        abort();
    for (size_t i = 0; i < e->n; i++) {
        check_text(e->values[i].key, sizeof e->values[i].key);
        check_text(e->values[i].text, sizeof e->values[i].text);
        if (e->values[i].key[0] == '\0' || strchr(e->values[i].key, ' ') != NULL)
            abort();
    }
    (*n)++;
    return WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_err err = WA_ERR_INIT;
    bool has_vendor_text;
    for (size_t kind = 0; wa_dmi_kind(kind, &has_vendor_text) != NULL; kind++) {
        size_t n = 0;
        if (wa_dmi_each(wa_sv_n(data, size), kind, look, &n, &err) != WA_OK ||
            n != wa_dmi_count(wa_sv_n(data, size), kind))
            abort();
    }
    return 0;
}
