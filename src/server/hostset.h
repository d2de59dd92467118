/* hostset.h - a set of machines, by their numbers in the database (hosts.number). */
#ifndef WA_SERVER_HOSTSET_H
#define WA_SERVER_HOSTSET_H

#include "base/buf.h"

#define WA_HOSTSET_MAX                                                                             \
    (1 << 24) /* numbers: far more machines than were ever registered anywhere                     \
               */

struct wa_hostset {
    uint8_t *bits; /* owned */
    size_t room;   /* numbers it has bits for */
    size_t count;
};
/* Empty: all zero. */
void wa_hostset_fini(struct wa_hostset *s);
#define WA_AUTO_HOSTSET WA_CLEANUP(wa_hostset_fini)
/* A number outside 1 to WA_HOSTSET_MAX is in no set: WA_E_INVALID. */
WA_CHECK enum wa_code wa_hostset_add(struct wa_hostset *s, int64_t number, struct wa_err *err);
bool wa_hostset_has(const struct wa_hostset *s, int64_t number);
/* Takes out what is not in the other one too. */
void wa_hostset_cut(struct wa_hostset *s, const struct wa_hostset *other);
/* Takes out what is in the other one too. */
void wa_hostset_take_out(struct wa_hostset *s, const struct wa_hostset *other);
/* "1,5,17", in rising order. */
void wa_hostset_write(const struct wa_hostset *s, struct wa_buf *out);
/* s: empty. WA_E_INVALID for what is no such text. */
WA_CHECK enum wa_code wa_hostset_read(struct wa_sv text, struct wa_hostset *s, struct wa_err *err);

#endif
