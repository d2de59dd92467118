/* manifest.c - what is read as a manifest is found by name, and is read back from what is written.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_MANIFEST struct wa_manifest m;
    WA_AUTO_MANIFEST struct wa_manifest back;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_manifest_init(&m);
    wa_manifest_init(&back);
    wa_buf_init(&text, WA_MANIFEST_BYTES_MAX);
    if (wa_manifest_parse(wa_sv_n(data, size), &m, &err) != WA_OK)
        return 0;
    for (size_t i = 0; i < m.n; i++)
        if (wa_manifest_find(&m, m.items[i].name.p) != &m.items[i] ||
            wa_manifest_is_unlisted(m.items[i].name.p) || strlen(m.items[i].digest) != 64)
            abort();
    if (wa_manifest_write(&m, &text, &err) != WA_OK)
        return 0;
    if (wa_manifest_parse(wa_buf_sv(&text), &back, &err) != WA_OK || back.n != m.n)
        abort();
    for (size_t i = 0; i < m.n; i++)
        if (strcmp(m.items[i].name.p, back.items[i].name.p) != 0 ||
            strcmp(m.items[i].digest, back.items[i].digest) != 0)
            abort();
    return 0;
}
