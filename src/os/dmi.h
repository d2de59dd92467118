/* dmi.h - what a machine's firmware says of its hardware: the SMBIOS table (DMTF DSP0134), decoded
 * under the names that dmidecode(8) gives it, blanks as '_' (formats.md 5.7).
 *
 * The table is the firmware's or a hypervisor's: foreign bytes. Reading it needs root, decoding it
 * nothing; so the one who reads need not be the one who decodes.
 */
#ifndef WA_OS_DMI_H
#define WA_OS_DMI_H

#include "base/buf.h"

/* Appends the machine's table; nothing where there is none (containers) or it can't be read. */
WA_CHECK enum wa_code wa_dmi_read(struct wa_buf *out, struct wa_err *err);

struct wa_dmi_value {
    char key[40]; /* "Serial_Number" */
    char text[256];
};
struct wa_dmi_entry {
    struct wa_dmi_value values[WA_DMI_VALUES_MAX];
    size_t n;
};

/* The kinds of structure that are decoded, in the order of their numbers: "System_Information"...
 * NULL: no more. has_vendor_text: what vendors write there for themselves and hypervisors for their
 * guests, which can be keys and secrets. */
const char *wa_dmi_kind(size_t i, bool *ret_has_vendor_text);

typedef enum wa_code (*wa_dmi_fn)(void *user, const struct wa_dmi_entry *entry, struct wa_err *err);
/* Calls fn for each structure of that kind, in the order of the table, up to the first that is
 * broken. fn's error. */
WA_CHECK enum wa_code wa_dmi_each(struct wa_sv table, size_t kind, wa_dmi_fn fn, void *user,
                                  struct wa_err *err);
size_t wa_dmi_count(struct wa_sv table, size_t kind); /* how often wa_dmi_each() would call */

#endif
