/* error.c - see os/error.h. */
#include "os/error.h"

enum wa_code wa_system_code(int error)
{
    struct wa_err err = WA_ERR_INIT;
    return wa_fail_errno(&err, error, "the system refused");
}
