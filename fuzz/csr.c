/* csr.c - a request for a certificate that is taken names a strong public key and a text; none
 * leaves an error behind. */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/utf8.h"
#include "crypto/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_csr_said said;
    char cn[WA_CN_SIZE];
    struct wa_err err = WA_ERR_INIT;

    if (wa_csr_read_said(wa_sv_n(data, size), &key, cn, &said, &err) == WA_OK &&
        (key == NULL || wa_key_is_private(key) || !wa_utf8_valid(wa_sv(cn)) ||
         strlen(said.subject) >= sizeof said.subject || strlen(said.asks) >= sizeof said.asks))
        abort();
    if (ERR_peek_error() != 0)
        abort();
    return 0;
}
