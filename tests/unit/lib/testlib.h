/* testlib.h - what unit tests share: cmocka, checks on errors, test data, a directory of one's own,
 * streams that fail. */
#ifndef WA_TEST_TESTLIB_H
#define WA_TEST_TESTLIB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/stream.h"

/* expr gives WA_OK; says err's text otherwise. `err` is the caller's. */
#define WA_ASSERT_OK(expr) wa_test_code((expr), WA_OK, &err, #expr, __FILE__, __LINE__)
/* expr gives that code, err holds it with a text; then err is clean again. */
#define WA_ASSERT_CODE(expr, expected)                                                             \
    wa_test_code((expr), (expected), &err, #expr, __FILE__, __LINE__)
void wa_test_code(enum wa_code code, enum wa_code expected, struct wa_err *err, const char *what,
                  const char *file, int line);

/* The text, or fails showing both. */
#define WA_ASSERT_SV(sv, expected) wa_test_sv((sv), (expected), __FILE__, __LINE__)
void wa_test_sv(struct wa_sv got, const char *expected, const char *file, int line);

/* Path of a file of tests/ ("vectors/valid/x.wapt"), or of the directory in $WA_TEST_DATA when that
 * is set. */
void wa_test_data_path(const char *name, char out[WA_PATH_MAX]);
/* Its bytes, whole. Initializes out; the caller ends it. */
void wa_test_read(const char *name, struct wa_buf *out);

/* A new empty directory below $TMPDIR or /tmp, and its removal with all that is in it, links not
 * followed. */
void wa_test_tmpdir(char out[WA_PATH_MAX]);
void wa_test_tmpdir_remove(const char *path);
/* The same as setup and teardown of a test: *state is the path. */
int wa_test_tmpdir_setup(void **state);
int wa_test_tmpdir_teardown(void **state);

/* A symbolic link at path to a file of the system that everybody may read. Skips the rest of the
 * test where the system makes none and does not say so, as wine. */
void wa_test_symlink(const char *path);

/* One lock, which allocates nothing: torture.c fails what does. */
void wa_test_lock(void);
void wa_test_unlock(void);

/* A source over memory that fails with WA_E_IO as soon as a read goes beyond its first `good`
 * bytes. */
struct wa_failing_source {
    struct wa_source base;
    const uint8_t *p;
    uint64_t good;
    size_t reads; /* so far */
};
void wa_failing_source_init(struct wa_failing_source *s, const void *p, size_t n, uint64_t good);

/* A sink that takes `good` bytes and fails with WA_E_IO at the next one. */
struct wa_failing_sink {
    struct wa_sink base;
    uint64_t good;
    uint64_t taken; /* bytes */
};
void wa_failing_sink_init(struct wa_failing_sink *s, uint64_t good);

#endif
