/* ini.c - an INI file that is taken is written back to the byte, and setting a key changes only
 * what it reads as. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_and_read_back(struct wa_ini *ini, const char *section, const char *key)
{
    WA_AUTO(wa_ini) struct wa_ini *again = NULL;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    const char *got;

    wa_buf_init(&out, 4u << 20);
    /* A section or key that was read may still be one that can't be written, such as "rem x" after
     * a BOM. */
    if (wa_ini_set(ini, section, key, "new value", &err) != WA_OK)
        return;
    wa_ini_write(ini, &out);
    err = (struct wa_err)WA_ERR_INIT;
    if (wa_ini_parse(wa_buf_sv(&out), "x", &again, &err) != WA_OK)
        abort();
    got = wa_ini_get(again, section, key);
    if (!got || strcmp(got, "new value") != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    const char *section = NULL, *key = NULL, *value = NULL;

    wa_buf_init(&out, 4u << 20);
    if (wa_ini_parse(wa_sv_n(data, size), "x", &ini, &err) != WA_OK)
        return 0;
    wa_ini_write(ini, &out);
    if (!wa_sv_eq(wa_buf_sv(&out), wa_sv_n(data, size)))
        abort();
    if (!wa_ini_section_at(ini, 0, &section))
        return 0;
    char *name = strndup(section, 4096);
    if (name && wa_ini_key_at(ini, name, 0, &key, &value)) {
        char *copy = strndup(key, 4096);
        if (!wa_ini_get(ini, name, key))
            abort();
        if (copy)
            set_and_read_back(ini, name, copy);
        free(copy);
    }
    if (name)
        set_and_read_back(ini, name, "another key");
    free(name);
    return 0;
}
