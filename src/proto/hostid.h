/* hostid.h - the identity of a machine as it stands in messages, file names and database keys. */
#ifndef WA_PROTO_HOSTID_H
#define WA_PROTO_HOSTID_H

#include "base/sv.h"

#include <stdint.h>

/* 1 to WA_UUID_MAX of A-Z a-z 0-9 '.' '_' '-', not beginning with '.' or '-': a UUID, "rnd-" and a
 * UUID, or a host name. */
bool wa_hostid_is_valid(struct wa_sv s);
/* Checked copy; out has room for WA_UUID_MAX + 1. */
WA_CHECK enum wa_code wa_hostid_copy(struct wa_sv s, char *out, struct wa_err *err);

/* The address of a network card, as "00:16:3e:01:02:03": six pairs of lower-case hex digits. False:
 * it is none, or one of many or of nobody (multicast, zero). */
#define WA_MAC_SIZE 6u
bool wa_mac_parse(struct wa_sv s, uint8_t ret[WA_MAC_SIZE]);
/* What wakes the card when it hears it: six times 0xff, then sixteen times its address. */
#define WA_MAGIC_SIZE 102u
void wa_mac_magic(const uint8_t mac[WA_MAC_SIZE], char ret[WA_MAGIC_SIZE]);

#endif
