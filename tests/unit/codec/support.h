/* support.h - what the tests of src/codec share: reading a file of tests/vectors, errors in
 * messages. */
#ifndef TEST_CODEC_SUPPORT_H
#define TEST_CODEC_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/stream.h"

/* The whole file; the caller frees with wa_buf_fini(). */
static inline void read_file(const char *path, struct wa_buf *out)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        fail_msg("cannot open %s", path);
    wa_buf_init(out, 64u << 20);
    for (;;) {
        char chunk[65536];
        size_t n = fread(chunk, 1, sizeof(chunk), f);
        if (n == 0)
            break;
        wa_buf_add(out, chunk, n);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(out->failed, WA_OK);
}

/* The same below tests/vectors/codec. */
static inline void read_vector(const char *name, struct wa_buf *out)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/codec/%s", WA_VECTORS, name);
    read_file(path, out);
}

/* Fails the test with err's text unless code is WA_OK. */
static inline void check_ok(enum wa_code code, const struct wa_err *err, const char *what)
{
    if (code != WA_OK)
        fail_msg("%s: %s: %s", what, wa_code_name(code), err->text);
}

static inline void check_sv(struct wa_sv got, const char *want)
{
    if (!wa_sv_eqs(got, want))
        fail_msg("got '%.*s', wanted '%s'", WA_SV_ARG(got), want);
}

#endif
