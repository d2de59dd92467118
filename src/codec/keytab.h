/* keytab.h - a Kerberos keytab (version 5.2 of MIT's file format): the keys of a machine or a
 * service. What is read holds secrets: nothing is copied. */
#ifndef WA_CODEC_KEYTAB_H
#define WA_CODEC_KEYTAB_H

#include "base/sv.h"

#define WA_KEYTAB_PARTS 8u /* components of a principal's name */

struct wa_keytab_entry {
    struct wa_sv realm;
    struct wa_sv parts[WA_KEYTAB_PARTS]; /* "HTTP", "wapt.example.org" */
    size_t part_count;                   /* at least 1 */
    uint32_t name_type, timestamp, version;
    uint16_t enctype;
    struct wa_sv key;
};
struct wa_keytab {
    struct wa_sv rest;
};
/* text must outlive the reader and its entries. WA_E_INVALID: no keytab of this version. */
WA_CHECK enum wa_code wa_keytab_open(struct wa_keytab *k, struct wa_sv text, struct wa_err *err);
/* The next entry; *ret_more false: there are no more. WA_E_INVALID for one that is not well formed.
 */
WA_CHECK enum wa_code wa_keytab_next(struct wa_keytab *k, struct wa_keytab_entry *ret,
                                     bool *ret_more, struct wa_err *err);
/* Whether the key is an AES one (RFC 3962, RFC 8009). */
bool wa_keytab_is_aes(uint16_t enctype);

#endif
