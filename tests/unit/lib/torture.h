/* torture.h - memory runs out at each allocation in turn.
 *
 * Link with dep_torture: it wraps malloc, calloc, realloc and free of the objects and static
 * libraries of the test. What a shared library (OpenSSL, SQLite, libc) allocates for itself is
 * neither failed nor counted. A block of ours that such a library frees shows as a leak.
 */
#ifndef WA_TEST_TORTURE_H
#define WA_TEST_TORTURE_H

#include "testlib.h"

/* One run of what is to be tried: it builds all it needs, does it, frees all again. err is clean.
 * When the code under test fails, the function checks that nothing has changed, and returns what it
 * got. */
typedef enum wa_code wa_torture_fn(void *arg, struct wa_err *err);

/* Runs fn once undisturbed, when it must return WA_OK and allocate at least once; then again and
 * again, failing the first, the second... allocation, until a run ends without having met a
 * failure; then the same with every allocation from that one on failing. A run that met a failure
 * must return WA_E_NOMEM with err saying so, or WA_OK if it could do without. No run may leave a
 * block behind. Returns the allocations of the undisturbed run. Fails the test otherwise. */
size_t wa_torture(wa_torture_fn *fn, void *arg);

/* Runs fn once undisturbed, as above. Returns how many bytes the blocks had at most that the code
 * under test held at one moment. */
size_t wa_torture_peak_bytes(wa_torture_fn *fn, void *arg);

/* Between these, inside fn, nothing fails and nothing counts as ours: for what the test itself
 * prepares. */
void wa_torture_pause(void);
void wa_torture_resume(void);

/* Blocks that the code under test holds at this moment of a run. */
size_t wa_torture_live_count(void);

#endif
