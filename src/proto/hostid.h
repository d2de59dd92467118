/* hostid.h - the identity of a machine as it stands in messages, file names and database keys. */
#ifndef WA_PROTO_HOSTID_H
#define WA_PROTO_HOSTID_H

#include "base/sv.h"

/* 1 to WA_UUID_MAX of A-Z a-z 0-9 '.' '_' '-', not beginning with '.' or '-': a UUID, "rnd-" and a
 * UUID, or a host name. */
bool wa_hostid_is_valid(struct wa_sv s);
/* Checked copy; out has room for WA_UUID_MAX + 1. */
WA_CHECK enum wa_code wa_hostid_copy(struct wa_sv s, char *out, struct wa_err *err);

#endif
