/* dmi.c - where Linux keeps the firmware's SMBIOS table: a file of root's. Not decoded here. */
#include "os/dmi.h"

#include "os/fs.h"

enum wa_code wa_dmi_read(struct wa_buf *out, struct wa_err *err)
{
    static const char path[] = "/sys/firmware/dmi/tables/DMI";
    size_t before = out->n;
    if (wa_path_read(path, WA_DMI_TABLE_MAX, out, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_NOMEM)
        return err->code;
    wa_err_clear(err); /* no firmware that speaks, or not to us */
    out->n = before;
    return WA_OK;
}
