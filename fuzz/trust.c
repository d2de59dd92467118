/* trust.c - chains of any shape against two fixed authorities: nobody else becomes an anchor, and
 * the order of the supplied certificates after the signer does not matter. */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/date.h"
#include "crypto/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* tests/vectors/trust/made/store-root.crt and ca_only/ca.crt */
static const char anchors[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBqTCCAU+gAwIBAgIUUYOtHB+QWtSeE7lN4GPqZvfgzCAwCgYIKoZIzj0EAwIw\n"
                              "ITEQMA4GA1UECgwHRXhhbXBsZTENMAsGA1UEAwwEUm9vdDAgFw0yMDAxMDEwMDAw\n"
                              "MDBaGA8yMTIwMDEwMTAwMDAwMFowITEQMA4GA1UECgwHRXhhbXBsZTENMAsGA1UE\n"
                              "AwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGLrU3mSYCisYBfHQ+Wx\n"
                              "UtP66d8I0z8C6/7iD7r/thVpJ6gQus/DHZqkd6FnhOox4RhgP1+cye5SQxdxvUzy\n"
                              "4EqjYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQW\n"
                              "BBTLDEG/4nJq1NqOqP6pRxI0bwjgrTAfBgNVHSMEGDAWgBTLDEG/4nJq1NqOqP6p\n"
                              "RxI0bwjgrTAKBggqhkjOPQQDAgNIADBFAiB0d15bfjxCI71BYECzqA3ggfP6xz8Y\n"
                              "AQdgAROgKeHlTAIhAIXLCpkt8Lmp9rAO/Ng5/aW+OF9UYssehne99vrF82dE\n"
                              "-----END CERTIFICATE-----\n"
                              "-----BEGIN CERTIFICATE-----\n"
                              "MIIDBDCCAeygAwIBAgIUBcAWCNgYarFGmf6qLJVdE9tBkUQwDQYJKoZIhvcNAQEL\n"
                              "BQAwGjEYMBYGA1UEAwwPRXhhbXBsZSBSb290IENBMB4XDTI2MTEyMzE5MTQzOFoX\n"
                              "DTM2MTEyMDE5MTQzOFowGjEYMBYGA1UEAwwPRXhhbXBsZSBSb290IENBMIIBIjAN\n"
                              "BgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvLCRnfr66BCKug2C57lqlM874mVO\n"
                              "kPFd64QsYo/IP50O+vPbR4BoPsvralNx/Yyt+atQG4vg0bar6Jx2NTAR/fow84Xh\n"
                              "y0kANmch4gNIQ0ec/6SXRRNRmnZqZ3sSW5DxE1u2F2ddURwjCuI42hyndB9bhMYV\n"
                              "nkes30D0+aoybAIETGj5XWNnKk05rsyq3Itu4PJStvX+uVHwqvvU0P/V0L/F7cG3\n"
                              "gZe7PvvrM/Es8SPz3kYA2lIWUuDI7HOnx/Fp1U2+HnvxXx2zcDP0PJT7jwAORTjQ\n"
                              "tVriiYmOn6a46OTpOYzoSVZm7Mb7EpkX1Buw5rh4Bh2uSAN9j658/SBkIQIDAQAB\n"
                              "o0IwQDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBR6k4VDWROkPNeNmITh15sE\n"
                              "x75x/jAOBgNVHQ8BAf8EBAMCAdYwDQYJKoZIhvcNAQELBQADggEBACo27L3YuhUs\n"
                              "dmky4FAa7/nctRghg1EOfJ7PgtsEvfn35SYcIVKwFrslxl3n64e5OV8f/OyQ9GIt\n"
                              "VzHy1gpMlnlKFeuPeRnyBkLuqlVQEWwrP+n1uflz6yRTOyJJdJQwG3cnzMg6lJme\n"
                              "rWStVIHKSAkjM/RQU58HeDLujbN/SjBpbvqzKggGPJXVvi8oBr8CiVGiVT0Ddw05\n"
                              "sGJwTSCKo4MuJLOAWdJAT9PFBCsXBWaHCC/cGmc0QEp5eZ8YMR6fvzPD+PeVnn/x\n"
                              "RYIjBpYh6Hvs9gsoI1SICfIb13GaEsBR1JiR5fyQQp9kFrWfqkcfb4ughLJ6HNHZ\n"
                              "Fs+V+Ja+GgI=\n"
                              "-----END CERTIFICATE-----\n";

static struct wa_trust *trusted(void)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;

    if (wa_trust_new(&t, &err) != WA_OK ||
        wa_certs_read_pem(wa_sv(anchors), 8, &list, &err) != WA_OK)
        abort();
    for (size_t i = 0; i < list.n; i++)
        if (wa_trust_add(t, list.items[i], &err) != WA_OK)
            abort();
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_trust) struct wa_trust *t = trusted();
    WA_AUTO_CERTS struct wa_certs chain = {0}, turned = {0};
    struct wa_trust_result a, b;
    struct wa_err err = WA_ERR_INIT;
    const int64_t at = wa_date_from_civil(2026, 12, 1, 12, 0, 0);

    if (wa_certs_read_pem(wa_sv_n(data, size), WA_CHAIN_MAX, &chain, &err) != WA_OK)
        return 0;
    enum wa_code code = wa_trust_check(t, &chain, at, &a, &err);
    if (code != WA_OK && code != WA_E_REFUSED)
        abort();
    if (code == WA_OK && strcmp(a.anchor_cn, "Root") != 0 &&
        strcmp(a.anchor_cn, "Example Root CA") != 0)
        abort();
    wa_err_clear(&err);
    if (wa_certs_add(&turned, chain.items[0], &err) != WA_OK)
        abort();
    for (size_t i = chain.n - 1; i > 0; i--)
        if (wa_certs_add(&turned, chain.items[i], &err) != WA_OK)
            abort();
    if (wa_trust_check(t, &turned, at, &b, &err) != code)
        abort();
    if (code == WA_OK && (a.may_sign_code != b.may_sign_code || a.is_pinned != b.is_pinned))
        abort();
    if (ERR_peek_error() != 0)
        abort();
    return 0;
}
