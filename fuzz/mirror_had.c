/* mirror_had.c - what a mirror notes down of the files that it put in place: by this it removes.
 * Only names of packages in its own folder come out of it, whatever is in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os/rand.h"
#include "repo/mirror_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_MAP struct wa_map had = {.n = 0};
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, size + 1);
    wa_buf_add(&text, data, size);
    if (wa_buf_check(&text, &err) != WA_OK || wa_rand_map(&had, &err) != WA_OK ||
        wa_mirror_had_parse(wa_buf_sv(&text), &had, &err) != WA_OK)
        return 0;
    for (size_t i = 0; i < had.n; i++) {
        struct wa_sv name = {had.items[i].key, had.items[i].key_n};
        struct wa_relpath path;
        const char *line = had.items[i].value;
        if (wa_relpath_parse(name, &path, &err) != WA_OK || strchr(path.p, '/') != NULL ||
            path.p[0] == '.' || !wa_sv_ends(name, ".wapt") || line < text.p ||
            line >= text.p + text.n)
            abort();
    }
    return 0;
}
