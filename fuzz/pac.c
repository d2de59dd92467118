/* pac.c - an account that is read from a ticket has a name and a SID, and is nobody without them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "server/pac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_pac p;
    struct wa_err err = WA_ERR_INIT;
    if (wa_pac_read(wa_sv_n(data, size), "S-1-5-21-1-2-3-2001", &p, &err) == WA_OK &&
        (p.account[0] == '\0' || !wa_sv_starts(wa_sv(p.sid), "S-1-")))
        abort();
    return 0;
}
