/* control.c - what is read as a control is the same by the quick way and the general one; what can
 * be written is read back the same, and is signed over the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_signed_bytes(const struct wa_control *a, const struct wa_control *b, bool legacy)
{
    WA_AUTO_BUF struct wa_buf x;
    WA_AUTO_BUF struct wa_buf y;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&x, 4u << 20);
    wa_buf_init(&y, 4u << 20);
    enum wa_code code = wa_control_signed_bytes(a, legacy, &x, &err);
    err = (struct wa_err)WA_ERR_INIT;
    return code == wa_control_signed_bytes(b, legacy, &y, &err) &&
           wa_sv_eq(wa_buf_sv(&x), wa_buf_sv(&y));
}

/* The quick way and the general one sign the same. */
static void check_ways(const struct wa_control *c)
{
    WA_AUTO_BUF struct wa_buf quick;
    WA_AUTO_BUF struct wa_buf slow;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&quick, 4u << 20);
    wa_buf_init(&slow, 4u << 20);
    if (wa_control_signed_bytes(c, false, &quick, &err) != WA_OK)
        return;
    if (wa_control_signed_bytes_slowly(c, &slow, &err) != WA_OK ||
        !wa_sv_eq(wa_buf_sv(&quick), wa_buf_sv(&slow)))
        abort();
}

/* A line that no tool writes has it read the general way: to the same attributes. */
static void check_readings(struct wa_sv data, const struct wa_control *c)
{
    WA_AUTO_CONTROL struct wa_control general;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(&general);
    wa_buf_init(&text, 4u << 20);
    wa_buf_adds(&text, "x-unknown: 1\n");
    wa_buf_addsv(&text, data);
    if (text.n > WA_CONTROL_BYTES_MAX)
        return;
    if (wa_control_parse(wa_buf_sv(&text), &general, &err) != WA_OK)
        abort();
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        if (c->v[i] == NULL ? general.v[i] != NULL
                            : general.v[i] == NULL || strcmp(c->v[i], general.v[i]) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_CONTROL struct wa_control back;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    char name[2 * WA_NAME_MAX + 1];
    wa_control_init(&c);
    wa_control_init(&back);
    wa_buf_init(&text, 4u << 20);
    if (wa_control_parse(wa_sv_n(data, size), &c, &err) != WA_OK)
        return 0;
    check_readings(wa_sv_n(data, size), &c);
    check_ways(&c);
    if (wa_control_filename(&c, NULL, name, &err) == WA_OK &&
        (strchr(name, '/') != NULL || strstr(name, "..") != NULL))
        abort();
    err = (struct wa_err)WA_ERR_INIT;
    if (wa_control_write(&c, true, &text, &err) != WA_OK)
        return 0;
    if (wa_control_parse(wa_buf_sv(&text), &back, &err) != WA_OK)
        abort();
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        if (strcmp(wa_control_get(&c, (enum wa_attr)i), wa_control_get(&back, (enum wa_attr)i)) !=
            0)
            abort();
    /* What was never set is written empty; of the signature's own attributes the two differ. */
    if (c.v[WA_A_SIGNER] != NULL && c.v[WA_A_SIGNER_FINGERPRINT] != NULL &&
        c.v[WA_A_SIGNATURE] != NULL && c.v[WA_A_SIGNATURE_DATE] != NULL &&
        c.v[WA_A_SIGNED_ATTRIBUTES] != NULL)
        for (int legacy = 0; legacy < 2; legacy++)
            if (!same_signed_bytes(&c, &back, legacy == 1))
                abort();
    if (wa_entry_cmp(&c, &back) != 0 || !wa_entry_same(&c, &back))
        abort();
    return 0;
}
