/* repo_timestamp.c - whatever stands in a timestamp: none that the root's key did not sign is
 * taken. */
#include <stdint.h>
#include <stdlib.h>

#include "repo/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQba/oXyAbLt8mMo7CguyVK7zEPfp\n"
                              "6luMctI7+ZsI3noMSPGTj873sG/U5EVGIjwQc2CZ5TitvqPOjXjQM2HTVg==\n"
                              "-----END PUBLIC KEY-----\n";
    static struct wa_root root = {.repository = "00112233445566778899aabbccddeeff",
                                  .version = 1,
                                  .timestamp_hours = 168,
                                  .timestamp_key_count = 1};
    struct wa_err err = WA_ERR_INIT;
    struct wa_timestamp t;
    if (root.timestamp_keys[0] == NULL &&
        wa_key_read_public_pem(wa_sv(pem), &root.timestamp_keys[0], &err) != WA_OK)
        abort();
    if (wa_timestamp_open(wa_sv_n(data, size), &root, 1800000000, &t, &err) != WA_OK)
        return 0;
    /* Only the seed was signed. */
    if (t.version != 7 || t.length != 1234 || strcmp(t.repository, root.repository) != 0)
        abort();
    return 0;
}
