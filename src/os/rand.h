/* rand.h - random bytes of the operating system (getrandom). */
#ifndef WA_OS_RAND_H
#define WA_OS_RAND_H

#include "base/map.h"

#include <stddef.h>

WA_CHECK enum wa_code wa_rand_bytes(void *p, size_t n, struct wa_err *err);
/* Makes m empty under a seed that nobody can guess: for every map whose keys come from outside. m
 * may be given to wa_map_fini() after a failure too. */
WA_CHECK enum wa_code wa_rand_map(struct wa_map *m, struct wa_err *err);
/* Lower-case hex of n random bytes; out has room for 2n+1. */
WA_CHECK enum wa_code wa_rand_hex(char *out, size_t n, struct wa_err *err);
/* Random UUID, version 4, as text. */
WA_CHECK enum wa_code wa_rand_uuid(char out[37], struct wa_err *err);

#endif
