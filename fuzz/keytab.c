/* keytab.c - what a keytab's reader hands out lies inside the keytab. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/keytab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct wa_sv all, struct wa_sv part)
{
    if (part.n > 0 && (part.p < all.p || part.p + part.n > all.p + all.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv all = wa_sv_n(data, size);
    struct wa_keytab k;
    struct wa_keytab_entry e;
    struct wa_err err = WA_ERR_INIT;
    bool more = true;
    if (wa_keytab_open(&k, all, &err) != WA_OK)
        return 0;
    while (wa_keytab_next(&k, &e, &more, &err) == WA_OK && more) {
        if (e.part_count == 0 || e.part_count > WA_KEYTAB_PARTS)
            abort();
        inside(all, e.realm);
        inside(all, e.key);
        for (size_t i = 0; i < e.part_count; i++)
            inside(all, e.parts[i]);
    }
    return 0;
}
