/* How far an upgrade of the agent has come is read as it was written, and nothing else is. */
#include "torture.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "agent/manager_priv.h"
#include "agent/upgrade.h"
#include "os/local.h"
#include "os/thread.h"

struct place {
    char dir[WA_PATH_MAX];
    struct wa_dir base;
};

static const struct wa_upgrade some = {.step = WA_UP_PLACED,
                                       .package = "acme-waptupgrade",
                                       .sha256 = "abc",
                                       .config = "/opt/wapt/wapt-get.ini",
                                       .program = "/usr/bin/waptservice",
                                       .from = "1",
                                       .to = "2",
                                       .was_connected = true,
                                       .starts = 3,
                                       .why = "because"};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    char dir[WA_PATH_MAX + 32];
    wa_test_tmpdir(p->dir);
    (void)snprintf(dir, sizeof dir, "%s/private", p->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    (void)snprintf(dir, sizeof dir, "%s/" WA_UP_DIR, p->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    WA_ASSERT_OK(wa_dir_open(p->dir, &p->base, &err));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_dir_close(&p->base);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

static void write_state(struct place *p, const char *text)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_relpath_parse(WA_SV(WA_UP_STATE), &path, &err));
    WA_ASSERT_OK(wa_file_replace(&p->base, &path, wa_sv(text), 0600, &err));
}

static void test_state(void **state)
{
    struct place *p = *state;
    struct wa_upgrade u;
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(wa_upgrade_load(&p->base, &u, &err), WA_E_NOT_FOUND);
    wa_err_clear(&err);
    for (int step = 0; step < WA_UP_STEPS; step++) {
        struct wa_upgrade now = some;
        now.step = (enum wa_upgrade_step)step;
        WA_ASSERT_OK(wa_upgrade_save(&p->base, &now, &err));
        WA_ASSERT_OK(wa_upgrade_load(&p->base, &u, &err));
        assert_int_equal(u.step, step);
    }
    assert_string_equal(u.package, some.package);
    assert_string_equal(u.sha256, some.sha256);
    assert_string_equal(u.config, some.config);
    assert_string_equal(u.program, some.program);
    assert_string_equal(u.from, some.from);
    assert_string_equal(u.to, some.to);
    assert_string_equal(u.why, some.why);
    assert_true(u.was_connected);
    assert_int_equal(u.starts, 3);
}

static void test_damaged(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"step\":\"handed\"}",
        "{\"step\":\"elsewhere\",\"package\":\"\",\"sha256\":\"\",\"config\":\"\",\"program\":\"\","
        "\"from\":\"\",\"to\":\"\",\"was_connected\":false,\"starts\":0,\"why\":\"\"}",
        "{\"step\":\"kept\",\"package\":\"\",\"sha256\":\"\",\"config\":\"\",\"program\":\"\","
        "\"from\":\"\",\"to\":\"\",\"was_connected\":false,\"starts\":\"1\",\"why\":\"\"}",
        "{\"step\":\"kept\",\"package\":\"\",\"sha256\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000000000000000000\","
        "\"config\":\"\",\"program\":\"\",\"from\":\"\",\"to\":\"\",\"was_connected\":false,"
        "\"starts\":1,\"why\":\"\"}"};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        struct wa_upgrade u = {.starts = -1};
        struct wa_err err = WA_ERR_INIT;
        write_state(p, texts[i]);
        assert_int_not_equal(wa_upgrade_load(&p->base, &u, &err), WA_OK);
        assert_int_equal(u.starts, -1);
    }
}

static void test_result(void **state)
{
    const struct wa_upgrade_result r = {.outcome = "returned",
                                        .package = "p",
                                        .sha256 = "ab",
                                        .from = "1",
                                        .to = "2",
                                        .message = "\"it\" did not",
                                        .at = 17};
    struct place *p = *state;
    struct wa_upgrade_result got;
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(wa_upgrade_result_load(&p->base, &got, &err), WA_E_NOT_FOUND);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_upgrade_result_save(&p->base, &r, &err));
    WA_ASSERT_OK(wa_upgrade_result_load(&p->base, &got, &err));
    assert_string_equal(got.outcome, r.outcome);
    assert_string_equal(got.package, r.package);
    assert_string_equal(got.sha256, r.sha256);
    assert_string_equal(got.from, r.from);
    assert_string_equal(got.to, r.to);
    assert_string_equal(got.message, r.message);
    assert_int_equal(got.at, 17);
}

static enum wa_code there_and_back(void *user, struct wa_err *err)
{
    struct place *p = user;
    struct wa_upgrade u;
    return wa_upgrade_save(&p->base, &some, err) == WA_OK ? wa_upgrade_load(&p->base, &u, err)
                                                          : err->code;
}

static void test_memory(void **state)
{
    assert_true(wa_torture(there_and_back, *state) > 3);
}

/* --- who answers --- */

#define CALLS 200

/* As a command of root's that ends just now. */
static void hang_up(void *user)
{
    const int *listening = user;
    for (int i = 0; i < CALLS; i++) {
        WA_AUTO_FD int fd = -1;
        struct wa_err err = WA_ERR_INIT;
        if (wa_local_accept(*listening, &fd, &err) != WA_OK)
            i--; /* nobody yet */
    }
}

static void test_whoever_hangs_up_has_not_answered(void **state)
{
    struct place *p = *state;
    struct wa_upgrade u = some;
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    struct wa_thread *other = NULL;
    char path[WA_PATH_MAX + 32];
    int listening = -1;
    (void)snprintf(u.config, sizeof u.config, "%.4000s/wapt-get.ini", p->dir);
    (void)snprintf(path, sizeof path, "%s/s", p->dir);
    WA_ASSERT_OK(wa_relpath_parse(WA_SV("wapt-get.ini"), &name, &err));
    WA_ASSERT_OK(
        wa_file_replace(&p->base, &name, WA_SV("[global]\nlocal_socket = s\n"), 0600, &err));
    WA_ASSERT_OK(wa_local_listen(path, 0600, &listening, &err));
    WA_ASSERT_OK(wa_thread_start(hang_up, &listening, &other, &err));
    for (int i = 0; i < CALLS; i++) {
        struct wa_upgrade_look look = {.pid = 0};
        assert_false(wa_upgrade_ask(&u, &look));
        assert_int_equal(look.pid, 0);
    }
    wa_thread_join(other);
    wa_fd_close(&listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_result, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whoever_hangs_up_has_not_answered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
