/* The torture must itself be able to fail: it is given code with each fault that it looks for, in a
 * child process, and code without. */
#include "torture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static enum wa_code careful(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    if (a == NULL)
        return wa_nomem(err);
    WA_AUTO_STR char *b = wa_calloc(3, 5);
    if (b == NULL)
        return wa_nomem(err);
    char *more = wa_realloc(b, 5000, 2);
    if (more == NULL)
        return wa_nomem(err);
    b = more;
    assert_int_equal(wa_torture_live_count(), 2);
    return WA_OK;
}

/* A cache that may be absent. */
static enum wa_code does_without(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_UNUSED(err);
    WA_AUTO_STR char *cache = wa_calloc(1, 100);
    WA_UNUSED(cache);
    return WA_OK;
}

static enum wa_code prepares_in_a_pause(void *arg, struct wa_err *err)
{
    char **kept = arg;
    wa_torture_pause();
    wa_free(*kept);
    *kept = wa_strdup("kept from run to run, and never failed");
    assert_non_null(*kept);
    wa_torture_resume();
    return careful(NULL, err);
}

static enum wa_code leaks(void *arg, struct wa_err *err)
{
    static char *lost[8]; /* so that the leak is the torture's to find, not the sanitizer's */
    static size_t n;
    WA_UNUSED(arg);
    lost[n++ % 8] = wa_strdup("lost");
    return lost[(n - 1) % 8] == NULL ? wa_nomem(err) : WA_OK;
}

static enum wa_code leaks_when_failing(void *arg, struct wa_err *err)
{
    static char *lost;
    WA_UNUSED(arg);
    lost = wa_strdup("a");
    if (lost == NULL)
        return wa_nomem(err);
    char *b = wa_strdup("b");
    if (b == NULL)
        return wa_nomem(err);
    wa_free(b);
    wa_free(lost);
    return WA_OK;
}

static enum wa_code says_something_else(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    return a == NULL ? wa_fail(err, WA_E_NOT_FOUND, "no such thing") : WA_OK;
}

static enum wa_code says_nothing(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_UNUSED(err);
    WA_AUTO_STR char *a = wa_strdup("a");
    return a == NULL ? WA_E_NOMEM : WA_OK;
}

static enum wa_code leaves_an_error(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    if (a == NULL)
        (void)wa_nomem(err);
    return WA_OK;
}

static enum wa_code always_fails(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    WA_UNUSED(a);
    return wa_nomem(err);
}

static enum wa_code allocates_nothing(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_UNUSED(err);
    return WA_OK;
}

/* Its clean-up needs memory: only a lasting shortage shows it. */
static enum wa_code needs_memory_to_fail(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_STR char *a = wa_strdup("a");
    if (a != NULL)
        return WA_OK;
    WA_AUTO_STR char *b = wa_strdup("b");
    return b == NULL ? wa_fail(err, WA_E_INTERNAL, "lost") : wa_nomem(err);
}

static void test_passes(void **state)
{
    WA_UNUSED(state);
    char *kept = NULL;
    assert_int_equal(wa_torture(careful, NULL), 3);
    assert_int_equal(wa_torture(does_without, NULL), 1);
    assert_int_equal(wa_torture(prepares_in_a_pause, &kept), 3);
    wa_free(kept);
}

/* The child's failed assertion aborts it. */
static bool is_found(wa_torture_fn *fn)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(30);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)signal(SIGABRT, SIG_DFL);
        (void)wa_torture(fn, NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WIFEXITED(status));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_finds(void **state)
{
    WA_UNUSED(state);
    assert_false(is_found(careful));
    assert_true(is_found(leaks));
    assert_true(is_found(leaks_when_failing));
    assert_true(is_found(says_something_else));
    assert_true(is_found(says_nothing));
    assert_true(is_found(leaves_an_error));
    assert_true(is_found(always_fails));
    assert_true(is_found(allocates_nothing));
    assert_true(is_found(needs_memory_to_fail));
}

/* Many blocks at once, freed in another order than made: the table of live blocks holds. */
static enum wa_code many_blocks(void *arg, struct wa_err *err)
{
    char *blocks[3000] = {0};
    enum wa_code code = WA_OK;
    WA_UNUSED(arg);
    for (size_t i = 0; i < WA_COUNT(blocks) && code == WA_OK; i++) {
        blocks[i] = wa_calloc(1, 1 + i % 7);
        if (blocks[i] == NULL)
            code = wa_nomem(err);
    }
    for (size_t i = 0; i < WA_COUNT(blocks); i++)
        wa_free(blocks[i * 7 % WA_COUNT(blocks)]);
    return code;
}

static enum wa_code many_blocks_once(void *arg, struct wa_err *err)
{
    bool *done = arg;
    if (*done) /* failing each of 3000 in turn would show nothing more */
        return careful(NULL, err);
    *done = true;
    return many_blocks(NULL, err);
}

static void test_many(void **state)
{
    WA_UNUSED(state);
    bool done = false;
    assert_int_equal(wa_torture(many_blocks_once, &done), 3000);
}

static void test_data_and_streams(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_test_read("unit/lib/testlib.h", &text);
    assert_true(wa_sv_starts(wa_buf_sv(&text), "/* testlib.h"));

    struct wa_failing_sink sink;
    wa_failing_sink_init(&sink, 5);
    WA_ASSERT_OK(sink.base.write(&sink.base, "abc", 3, &err));
    WA_ASSERT_CODE(sink.base.write(&sink.base, "abc", 3, &err), WA_E_IO);
    assert_int_equal(sink.taken, 3);

    char out[4];
    struct wa_failing_source source;
    wa_failing_source_init(&source, "abcdef", 6, 4);
    WA_ASSERT_OK(source.base.read_at(&source.base, 0, out, 4, &err));
    assert_memory_equal(out, "abcd", 4);
    WA_ASSERT_CODE(source.base.read_at(&source.base, 1, out, 4, &err), WA_E_IO);
    WA_ASSERT_CODE(source.base.read_at(&source.base, 3, out, 4, &err), WA_E_INVALID);

    /* A full directory goes, and a link's target stays. */
    char dir[WA_PATH_MAX], path[WA_PATH_MAX + 16];
    wa_test_tmpdir(dir);
    (void)snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink(*state, path), 0);
    (void)snprintf(path, sizeof path, "%s/file", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    wa_test_tmpdir_remove(dir);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(access(*state, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_many),
        cmocka_unit_test_setup_teardown(test_data_and_streams, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
