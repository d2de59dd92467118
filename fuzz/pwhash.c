/* pwhash.c - stored password hashes of any form. Those that ask for much work are left out: they
 * are slow by right. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/pwhash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is a number above 99 in front of the salt, or a kind that never takes little? */
static bool is_costly(const char *hash)
{
    int digits = 0, dollars = 0;

    if (strncmp(hash, "$6$", 3) == 0 || strncmp(hash, "$2", 2) == 0)
        return true;
    for (; *hash != '\0' && dollars < 4; hash++) {
        dollars += *hash == '$' ? 1 : 0;
        digits = *hash >= '0' && *hash <= '9' ? digits + 1 : 0;
        if (digits > 2 && strncmp(hash - digits + 1, "256", 3) != 0 &&
            strncmp(hash - digits + 1, "512", 3) != 0)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char hash[WA_PWHASH_MAX + 10];
    struct wa_err err = WA_ERR_INIT;

    if (size >= sizeof hash)
        return 0;
    memcpy(hash, data, size);
    hash[size] = '\0';
    enum wa_code judged = wa_pwhash_judge(hash, &err);
    if (judged != WA_OK && judged != WA_E_INVALID && judged != WA_E_LIMIT)
        abort();
    wa_err_clear(&err);
    if (is_costly(hash))
        return 0;
    enum wa_code code = wa_pwhash_check(WA_SV("password"), hash, &err);
    if (code != WA_OK && code != WA_E_AUTH && code != WA_E_INVALID && code != WA_E_LIMIT)
        abort();
    if (judged != WA_OK && code != judged)
        abort();
    if (code != WA_OK && err.text[0] == '\0')
        abort();
    return 0;
}
