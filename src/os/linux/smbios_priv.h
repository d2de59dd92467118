/* smbios_priv.h - between smbios.c, which walks a table, and smbios_kinds.c, which knows what its
 * structures mean. */
#ifndef WA_OS_LINUX_SMBIOS_PRIV_H
#define WA_OS_LINUX_SMBIOS_PRIV_H

#include "os/dmi.h"

struct wa_smbios {
    const uint8_t *p; /* the formatted part, n bytes */
    size_t n;
    struct wa_sv strings; /* each ended by a NUL */
};

enum wa_smbios_field_kind {
    WA_SMBIOS_STRING, /* number of one of the structure's strings */
    WA_SMBIOS_NAME,   /* one of names */
    WA_SMBIOS_U8,     /* 0: left out */
    WA_SMBIOS_U16     /* the same, unit behind it */
};

struct wa_smbios_field {
    const char *key;
    uint8_t at, mask;
    enum wa_smbios_field_kind kind;
    const char *const *names;
    size_t name_count;
    const char *unit;
};

struct wa_smbios_kind {
    uint8_t type;
    bool has_vendor_text;
    const char *title;
    const struct wa_smbios_field *fields;
    size_t field_count;
    void (*more)(const struct wa_smbios *s, struct wa_dmi_entry *e); /* what no table says */
};

const struct wa_smbios_kind *wa_smbios_kind(size_t i); /* NULL: no more */

/* The string whose number is at that offset; false when there is none. */
bool wa_smbios_string(const struct wa_smbios *s, size_t at, char *out, size_t size);
/* Little endian; 0 beyond the structure. */
uint64_t wa_smbios_number(const struct wa_smbios *s, size_t at, size_t bytes);
void wa_smbios_put(struct wa_dmi_entry *e, const char *key, const char *fmt, ...) WA_FORMAT(3, 4);

#endif
