/* Which programs run, as packages name them. */
#include "support.h"

#include "os/moment.h"
#include "os/proc.h"

static char odd[48]; /* of this process alone: all that runs on the machine is looked at */

static bool runs(const char *csv, char out[WA_PROGRAM_MAX])
{
    return wa_moment_runs(wa_sv(csv), out);
}

static void test_programs(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit gone;
    struct wa_proc p;
    char dir[] = "/tmp/wapt-moment-XXXXXX", path[80], name[WA_PROGRAM_MAX] = "as it was";
    char upper[48], list[96];
    WA_UNUSED(state);
    (void)snprintf(odd, sizeof odd, "wapt-odd-name-of-%d", (int)getpid());
    (void)snprintf(upper, sizeof upper, "WAPT-ODD-NAME-of-%d", (int)getpid());
    (void)snprintf(list, sizeof list, "no-such-program-here , %s,x", upper);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/%s", dir, odd);
    assert_int_equal(symlink("/bin/sleep", path), 0); /* so it is what it calls itself */
    const char *const argv[] = {path, "60", NULL};
    const struct wa_spawn s = {.path = path, .argv = argv, .die_with_parent = true};
    assert_false(runs(odd, name));
    assert_string_equal(name, "as it was");
    assert_ok(wa_proc_spawn(&s, &p, &err));
    for (int i = 0; i < 600 && !runs(odd, name); i++)
        assert_int_equal(usleep(100000), 0); /* until the child is the program */
    assert_true(runs(list, name));
    assert_string_equal(name, upper);
    assert_false(runs("wapt-odd-name", name)); /* the whole name */
    assert_false(runs("", name));
    assert_false(runs(",,", name));
    wa_proc_kill(&p, WA_PROC_KILL);
    assert_ok(wa_proc_wait(&p, -1, &gone, &err));
    assert_false(runs(odd, name));
    assert_int_equal(unlink(path) | rmdir(dir), 0);
}

/* By its file: this very program. */
static void test_own_file(void **state)
{
    char name[WA_PROGRAM_MAX];
    WA_UNUSED(state);
    assert_true(runs("test_os_moment", name));
    (void)wa_moment_on_battery(); /* of this machine: either */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_own_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
