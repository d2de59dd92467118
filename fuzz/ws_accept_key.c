/* ws_accept_key.c - the answer to a WebSocket key is 28 characters of base64, or none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[29];
    memset(out, '!', sizeof out);
    bool ok = wa_ws_accept_key(wa_sv_n(data, size), out);
    if (ok && (size != 24 || memchr(data, ' ', size) != NULL || out[28] != '\0' ||
               strlen(out) != 28 || out[27] != '=' || memchr(out, '!', 28) != NULL))
        abort();
    return 0;
}
