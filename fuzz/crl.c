/* crl.c - a revocation list of a stranger: what is read is read again as it was, and no store takes
 * it unsigned. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf der;
    WA_AUTO_BUF struct wa_buf again;
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_crl_info info, same;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv text = wa_sv_n(data, size);
    bool is_used = false;

    wa_buf_init(&der, WA_CRL_BYTES_MAX);
    wa_buf_init(&again, WA_CRL_BYTES_MAX);
    if (wa_crl_read(text, &der, &info, &err) != WA_OK) {
        wa_err_clear(&err); /* or it is a file of revoked fingerprints */
        if (wa_trust_new(&t, &err) != WA_OK ||
            (wa_trust_revoke_lines(t, text, &err) != WA_OK && err.code != WA_E_INVALID))
            abort();
        return 0;
    }
    if (wa_crl_read(wa_buf_sv(&der), &again, &same, &err) != WA_OK ||
        !wa_sv_eq(wa_buf_sv(&der), wa_buf_sv(&again)) || info.this_update != same.this_update ||
        strcmp(info.authority, same.authority) != 0)
        abort();
    if (wa_trust_new(&t, &err) != WA_OK)
        abort();
    if (wa_trust_add_crl(t, text, NULL, &is_used, &err) == WA_OK && is_used)
        abort();
    return 0;
}
