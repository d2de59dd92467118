/* repo_published.c - every file of a published list is found by its name, and no other one. */
#include <stdint.h>
#include <stdlib.h>

#include "repo/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_published) struct wa_published *p = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_published_read(wa_sv_n(data, size), &p, &err) != WA_OK)
        return 0;
    for (size_t i = 0; i < p->file_count; i++) {
        const struct wa_published_file *f = &p->files[i];
        size_t at = 0;
        if (wa_published_find(p, f->name) != f || strlen(f->sha256) != 64 ||
            wa_sv_chr(f->name, '/', &at) || f->length > WA_PACKAGE_BYTES_MAX)
            abort();
    }
    if (wa_published_find(p, WA_SV("../Packages")) != NULL || p->expires <= p->issued)
        abort();
    return 0;
}
