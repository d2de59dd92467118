/* key_pem.c - a private or public key that is taken is written and read back as the same one; none
 * leaves an error behind.
 *
 * A passphrase is given for the traditional encryption only: PKCS#8's is slow on purpose.
 */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wa_code answer(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_sv *text = user;

    (void)what;
    if (memmem(text->p, text->n, "DEK-Info", 8) == NULL)
        return wa_fail(err, WA_E_AUTH, "nobody there");
    wa_buf_adds(out, "passphrase");
    return WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv text = wa_sv_n(data, size);
    WA_AUTO(wa_key) struct wa_key *key = NULL, *again = NULL, *half = NULL;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&out, 1u << 20);
    if (wa_key_read_pem(text, "fuzz", answer, &text, &key, &err) == WA_OK) {
        if (wa_key_write_pem(key, WA_SV(""), &out, &err) == WA_OK &&
            (wa_key_read_pem(wa_buf_sv(&out), "again", NULL, NULL, &again, &err) != WA_OK ||
             !wa_key_equal_public(key, again)))
            abort();
    }
    wa_err_clear(&err);
    wa_buf_clear(&out);
    if (wa_key_read_public_pem(text, &half, &err) == WA_OK) {
        wa_key_free(again);
        again = NULL;
        if (wa_key_write_public_pem(half, &out, &err) != WA_OK ||
            wa_key_read_public_pem(wa_buf_sv(&out), &again, &err) != WA_OK ||
            !wa_key_equal_public(half, again) || wa_key_is_private(half))
            abort();
    }
    if (ERR_peek_error() != 0)
        abort();
    return 0;
}
