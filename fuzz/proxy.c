/* proxy - what a proxy says in front of a connection: the count of missing bytes leads to the
 * header's end and never beyond, and an address is one.
 */
#include "net/proxy.h"

#include "net/address.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_err err = WA_ERR_INIT;
    char peer[WA_ADDRESS_TEXT_MAX] = "";
    uint8_t address[16];
    size_t have = 0, missing = 0;
    while (wa_proxy_missing(data, have, &missing, &err) == WA_OK && missing > 0 &&
           have + missing <= size)
        have += missing;
    if (have + missing > WA_PROXY_BYTES_MAX)
        abort();
    if (err.code != WA_OK || missing > 0)
        return 0;
    if (wa_proxy_read(data, have, peer, &err) == WA_OK && peer[0] != '\0' &&
        !wa_address_parse(wa_sv(peer), address))
        abort();
    return 0;
}
