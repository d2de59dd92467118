/* pkcs12.c - a key with its certificates that is taken is a whole one; none leaves an error behind.
 * What has no checksum that holds gets one, so that what lies behind it is reached.
 */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "crypto/pkcs12.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wa_code answer(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    (void)user;
    (void)what;
    wa_buf_adds(out, "passphrase");
    return wa_buf_check(out, err);
}

static void read_one(struct wa_sv der)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_err err = WA_ERR_INIT;
    if (wa_pkcs12_read(der, "fuzz", answer, NULL, &key, &chain, &err) == WA_OK &&
        (chain.n == 0 || chain.n > WA_CHAIN_MAX || !wa_key_is_private(key) ||
         !wa_cert_matches_key(chain.items[0], key)))
        abort();
    if (ERR_peek_error() != 0)
        abort();
}

/* The same with a checksum of one round. */
static void read_resealed(const uint8_t *data, size_t size)
{
    const unsigned char *p = data;
    unsigned char *der = NULL;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)size);
    int n = -1;
    if (p12 != NULL && PKCS12_set_mac(p12, "passphrase", -1, NULL, 0, 1, EVP_sha256()) == 1)
        n = i2d_PKCS12(p12, &der);
    PKCS12_free(p12);
    ERR_clear_error();
    if (n > 0)
        read_one(wa_sv_n(der, (size_t)n));
    OPENSSL_free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_one(wa_sv_n(data, size));
    read_resealed(data, size);
    return 0;
}
