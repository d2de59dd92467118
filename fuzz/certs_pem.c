/* certs_pem.c - certificates that are taken are written and read back as the same ones, and
 * everything told about them is told twice alike. Whatever they say of revocation lists, only
 * addresses come out. */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "codec/url.h"
#include "crypto/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct wa_cert *a, const struct wa_cert *b)
{
    if (!wa_cert_equal(a, b) || strcmp(wa_cert_cn(a), wa_cert_cn(b)) != 0 ||
        strcmp(wa_cert_subject(a), wa_cert_subject(b)) != 0 ||
        wa_cert_is_ca(a) != wa_cert_is_ca(b) || wa_cert_not_after(a) != wa_cert_not_after(b) ||
        wa_cert_key(a) == NULL)
        abort();
}

static void look_for_addresses(const struct wa_certs *list)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf urls;
    struct wa_url url;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&urls, 1u << 20);
    if (wa_trust_new(&t, &err) != WA_OK)
        abort();
    for (size_t i = 0; i < list->n; i++)
        if (wa_trust_add(t, list->items[i], &err) != WA_OK)
            abort();
    if (wa_trust_crl_urls(t, &urls, &err) != WA_OK)
        abort();
    struct wa_sv rest = wa_buf_sv(&urls), line;
    for (size_t n = 0; rest.n > 0 && wa_sv_split(&rest, '\n', &line); n++)
        if (n == WA_CRL_URLS_MAX || (line.n > 0 && wa_url_parse(line, &url, &err) != WA_OK))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_CERTS struct wa_certs list = {0}, again = {0};
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&out, 1u << 20);
    if (wa_certs_read_pem(wa_sv_n(data, size), 8, &list, &err) != WA_OK) {
        if (list.n != 0 || ERR_peek_error() != 0)
            abort();
        return 0;
    }
    if (wa_certs_write_pem(&list, &out, &err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&out), 8, &again, &err) != WA_OK || again.n != list.n)
        abort();
    for (size_t i = 0; i < list.n; i++)
        compare(list.items[i], again.items[i]);
    look_for_addresses(&list);
    if (ERR_peek_error() != 0)
        abort();
    return 0;
}
