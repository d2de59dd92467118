/* testlib.c - checks, test data and failing streams for unit tests.
 *
 * Uses libc and base only, so that the tests of the lowest layer can have it.
 */
#include "testlib.h"

#include <errno.h>

#include "base/mem.h"

/* cmocka's fail_msg() would name this file. */
#define FAIL_AT(file, line, ...)                                                                   \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        _fail((file), (line));                                                                     \
    } while (0)

void wa_test_code(enum wa_code code, enum wa_code expected, struct wa_err *err, const char *what,
                  const char *file, int line)
{
    if (code != expected || err->code != expected)
        FAIL_AT(file, line, "%s: returns %s, expected %s; the error says %s '%s'", what,
                wa_code_name(code), wa_code_name(expected), wa_code_name(err->code), err->text);
    if (expected != WA_OK && err->text[0] == '\0')
        FAIL_AT(file, line, "%s: %s without a text", what, wa_code_name(code));
    wa_err_clear(err);
}

void wa_test_sv(struct wa_sv got, const char *expected, const char *file, int line)
{
    if (!wa_sv_eqs(got, expected))
        FAIL_AT(file, line, "got '%.*s' (%zu bytes), expected '%s'", WA_SV_ARG(got), got.n,
                expected);
}

void wa_test_data_path(const char *name, char out[WA_PATH_MAX])
{
    const char *root = getenv("WA_TEST_DATA");
    int n = snprintf(out, WA_PATH_MAX, "%s/%s", root != NULL ? root : WA_TEST_DATA_ROOT, name);
    if (n < 0 || (size_t)n >= WA_PATH_MAX)
        fail_msg("the path of '%s' is too long", name);
}

void wa_test_read(const char *name, struct wa_buf *out)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    wa_test_data_path(name, path);
    wa_buf_init(out, 256u << 20);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s: %s", path, strerror(errno));
    size_t n;
    do {
        void *room = wa_buf_reserve(out, 65536);
        n = room == NULL ? 0 : fread(room, 1, 65536, f);
        wa_buf_advance(out, n);
    } while (n > 0);
    bool is_whole = ferror(f) == 0;
    (void)fclose(f);
    if (!is_whole)
        fail_msg("cannot read %s", path);
    WA_ASSERT_OK(wa_buf_check(out, &err));
}

int wa_test_tmpdir_setup(void **state)
{
    char path[WA_PATH_MAX];
    wa_test_tmpdir(path);
    *state = wa_strdup(path);
    return *state == NULL ? -1 : 0;
}

int wa_test_tmpdir_teardown(void **state)
{
    wa_test_tmpdir_remove(*state);
    wa_free(*state);
    *state = NULL;
    return 0;
}

static enum wa_code failing_read(struct wa_source *s, uint64_t offset, void *p, size_t n,
                                 struct wa_err *err)
{
    struct wa_failing_source *f = (struct wa_failing_source *)s;
    f->reads++;
    if (offset > s->size || n > s->size - offset)
        return wa_fail(err, WA_E_INVALID, "reading past the end");
    if (offset + n > f->good)
        return wa_fail(err, WA_E_IO, "the test's source fails at byte %llu",
                       (unsigned long long)f->good);
    if (n > 0)
        memcpy(p, f->p + offset, n);
    return WA_OK;
}

void wa_failing_source_init(struct wa_failing_source *s, const void *p, size_t n, uint64_t good)
{
    *s = (struct wa_failing_source){
        .base = {.size = n, .read_at = failing_read}, .p = p, .good = good};
}

static enum wa_code failing_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct wa_failing_sink *f = (struct wa_failing_sink *)s;
    WA_UNUSED(p);
    if (n > f->good - f->taken)
        return wa_fail(err, WA_E_IO, "the test's sink fails at byte %llu",
                       (unsigned long long)f->good);
    f->taken += n;
    return WA_OK;
}

void wa_failing_sink_init(struct wa_failing_sink *s, uint64_t good)
{
    *s = (struct wa_failing_sink){.base = {.write = failing_write}, .good = good};
}
