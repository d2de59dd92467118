/* test_runner.c - python under the real launcher: as whom and where it runs, what it may say, and
 * that nothing of it is left.
 *
 * Played as in test_processes.c. The library's wapt_runner.py is one that does what the request
 * says; once it is the real one. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "process_lib.h"

/* --- scenarios: in the manager --- */

struct heard {
    struct wa_buf text;
};

static void on_output(void *user, struct wa_sv text)
{
    struct heard *h = user;
    wa_buf_addsv(&h->text, text);
}

/* Runs one request on ROOM_STAGE. */
static enum wa_code run(struct wa_launcher *l, const char *request, enum wa_hook hook, uint32_t uid,
                        uint32_t timeout_s, struct heard *h, struct wa_buf *result,
                        struct wa_run_result *ret, struct wa_err *err)
{
    const struct wa_run what = {ROOM_STAGE, hook, uid, wa_sv(request), timeout_s};
    wa_buf_init(&h->text, 4u << 20);
    wa_buf_init(result, 65536);
    return wa_helper_run(l, &what, on_output, h, NULL, result, ret, err);
}

static bool holds(const struct wa_buf *b, const char *text)
{
    return strstr(wa_buf_str(b), text) != NULL;
}

static void play_run(const char *dir)
{
    static const struct {
        const char *request;
        enum wa_exit_kind kind;
        int value;
        bool has_result;
    } rows[] = {
        {"{\"do\":\"tell\"}", WA_EXIT_STATUS, 0, true},
        {"{\"do\":\"fail\"}", WA_EXIT_STATUS, 3, false},
        {"{\"do\":\"silent\"}", WA_EXIT_STATUS, 0, false},
        {"{\"do\":\"abort\"}", WA_EXIT_SIGNAL, 9, false},
        {"no request at all", WA_EXIT_STATUS, 1, false},
    };
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        CHECK_OK(run(l, rows[i].request, WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err));
        CHECK(r.exit.kind == rows[i].kind && r.exit.value == rows[i].value);
        CHECK(!r.timed_out && r.has_result == rows[i].has_result);
        if (i == 0) {
            CHECK(wa_sv_eqs(wa_buf_sv(&h.text), "caf\xc3\xa9\nto stderr\n") ||
                  wa_sv_eqs(wa_buf_sv(&h.text), "to stderr\ncaf\xc3\xa9\n"));
            CHECK(holds(&result, "\"uid\": [0, 0, 0]") && holds(&result, "\"groups\": []"));
            CHECK(holds(&result, "\"HOME\": \"/root\"") && holds(&result, "# the script"));
            CHECK(holds(&result, "\"DEBIAN_FRONTEND\": \"noninteractive\""));
            CHECK(!holds(&result, "WAPT_") && holds(&result, "\"sid\": true"));
            CHECK(holds(&result, "\"fds\": [\"0\", \"1\", \"2\", \"3\", \"4\"]"));
        }
        wa_buf_fini(&h.text);
    }
    wa_launcher_free(l);
}

/* As the user whose session it is: in the folder that it could not reach by itself. */
static void play_session(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"tell\"}", WA_HOOK_SESSION_SETUP, ROOM_USER_UID, 60, &h, &result, &r,
                 &err));
    CHECK(r.exit.kind == WA_EXIT_STATUS && r.exit.value == 0 && r.has_result);
    CHECK(holds(&result, "\"uid\": [4242, 4242, 4242]"));
    CHECK(holds(&result, "\"gid\": [4242, 4242, 4242]"));
    CHECK(holds(&result, "\"groups\": [4242, 4251]"));
    CHECK(holds(&result, "\"HOME\": \"/nonexistent\"") && holds(&result, "\"USER\": \"waptusr\""));
    CHECK(holds(&result, "# the script"));
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

/* The real runner on a real script: in a folder that only root reaches, and as a user in a folder
 * the user can't reach. */
static void play_script(const char *dir)
{
    static const char request[] = "{\"hook\":\"%s\",\"basedir\":\".\",\"control\":{\"package\":"
                                  "\"p\",\"version\":\"1\"},\"params\":{},\"force\":false}";
    static const char script[] = "import os\ndef install():\n    print('as', os.getuid())\n"
                                 "def session_setup():\n    print('as', os.getuid())\n";
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = room_link();
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/base/private/stage/" ROOM_STAGE "/setup.py", dir);
    room_write(path, script, 0644);
    for (int i = 0; i < 2; i++) {
        enum wa_hook hook = i == 0 ? WA_HOOK_INSTALL : WA_HOOK_SESSION_SETUP;
        uint32_t uid = i == 0 ? 0 : ROOM_USER_UID;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        char text[512];
        (void)snprintf(text, sizeof text, request, wa_hook_name(hook));
        CHECK_OK(run(l, text, hook, uid, 60, &h, &result, &r, &err));
        (void)snprintf(text, sizeof text, "as %u\n", uid);
        if (!r.has_result || !holds(&h.text, text) || !holds(&result, "\"OK\"")) {
            (void)fprintf(stderr, "%s: %s%s\n", wa_hook_name(hook), wa_buf_str(&h.text),
                          wa_buf_str(&result));
            exit(99);
        }
        wa_buf_fini(&h.text);
    }
    room_write(path, "# the script\n", 0644);
    wa_launcher_free(l);
}

static void play_flood(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"flood\"}", WA_HOOK_AUDIT, 0, 60, &h, &result, &r, &err));
    CHECK(r.has_result);
    CHECK(h.text.n <= WA_SCRIPT_OUTPUT_MAX + 128 && h.text.n > WA_SCRIPT_OUTPUT_MAX / 2);
    CHECK(wa_sv_starts(wa_buf_sv(&h.text), "FIRST\n") && wa_sv_ends(wa_buf_sv(&h.text), "LAST\n"));
    CHECK(holds(&h.text, "bytes of output were left out here]\n"));
    wa_buf_fini(&h.text);
    wa_buf_fini(&result);
    /* A result beyond its cap is no result: the tree is killed, the call refused. */
    CHECK(run(l, "{\"do\":\"long\"}", WA_HOOK_AUDIT, 0, 60, &h, &result, &r, &err) == WA_E_REFUSED);
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

static void play_tree(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct heard h;
    struct wa_buf WA_AUTO_BUF result;
    struct wa_run_result r;
    struct wa_launcher *l = room_link();
    WA_UNUSED(dir);
    CHECK_OK(run(l, "{\"do\":\"fork\"}", WA_HOOK_INSTALL, 0, 2, &h, &result, &r, &err));
    CHECK(r.timed_out && !r.has_result && r.exit.kind == WA_EXIT_SIGNAL);
    room_check_gone(&h.text, 5);
    wa_buf_fini(&h.text);
    wa_buf_fini(&result);
    CHECK_OK(run(l, "{\"do\":\"daemon\"}", WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err));
    CHECK(!r.timed_out && r.has_result);
    room_check_gone(&h.text, 1);
    wa_buf_fini(&h.text);
    wa_launcher_free(l);
}

static void cancel_at_word(void *user, struct wa_sv text)
{
    WA_UNUSED(text);
    wa_cancel_set(user);
}

static void play_cancel(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = room_link();
    struct wa_cancel *cancel = NULL;
    struct wa_run_result r;
    struct wa_buf WA_AUTO_BUF result;
    const struct wa_run what = {ROOM_STAGE, WA_HOOK_INSTALL, 0, WA_SV("{\"do\":\"fork\"}"), 600};
    int siblings[8];
    WA_UNUSED(dir);
    wa_buf_init(&result, 65536);
    CHECK_OK(wa_cancel_new(&cancel, &err));
    CHECK(wa_helper_run(l, &what, cancel_at_word, cancel, cancel, &result, &r, &err) ==
          WA_E_CANCELLED);
    CHECK(proc_children(getppid(), siblings, 8) == 1);
    wa_cancel_free(cancel);
    wa_launcher_free(l);
}

/* The folder is one that only root can write, and no link leads to it. Each row spoils something.
 */
static void play_stage(const char *dir)
{
    static const struct {
        const char *path; /* below base */
        unsigned mode;
        unsigned uid;
    } rows[] = {
        {"", 0777, 0},
        {"private", 0770, 0},
        {"private/stage", 0702, 0},
        {"private", 0700, 4242},
        {"private/stage/" ROOM_STAGE, 0775, 0},
        {"private/stage/" ROOM_STAGE, 0755, 4242},
    };
    struct wa_launcher *l = room_link();
    for (size_t i = 0; i < WA_COUNT(rows) + 1; i++) {
        struct wa_err err = WA_ERR_INIT;
        struct heard h;
        struct wa_buf WA_AUTO_BUF result;
        struct wa_run_result r;
        struct stat st;
        char path[WA_PATH_MAX];
        bool is_good = i == WA_COUNT(rows); /* the last turn spoils nothing: it must run again */
        (void)snprintf(path, sizeof path, "%s/base/%s", dir, is_good ? "" : rows[i].path);
        CHECK(stat(path, &st) == 0);
        if (!is_good) {
            CHECK(chmod(path, rows[i].mode) == 0 && chown(path, rows[i].uid, 0) == 0);
        }
        enum wa_code code =
            run(l, "{\"do\":\"tell\"}", WA_HOOK_INSTALL, 0, 60, &h, &result, &r, &err);
        CHECK(code == (is_good ? WA_OK : WA_E_REFUSED));
        CHECK(chmod(path, st.st_mode & 07777) == 0 && chown(path, 0, 0) == 0);
        wa_buf_fini(&h.text);
    }
    wa_launcher_free(l);
}

static void play_link(const char *dir)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = room_link();
    struct wa_run_result r;
    struct wa_buf WA_AUTO_BUF result;
    char path[WA_PATH_MAX], target[WA_PATH_MAX];
    struct wa_run what = {"ffffffffffffffffffffffffffffffff", WA_HOOK_INSTALL, 0,
                          WA_SV("{\"do\":\"tell\"}"), 60};
    wa_buf_init(&result, 65536);
    (void)snprintf(path, sizeof path, "%s/base/private/stage/%s", dir, what.stage);
    (void)snprintf(target, sizeof target, "%s/base/private/stage/" ROOM_STAGE, dir);
    CHECK(symlink(target, path) == 0);
    enum wa_code code = wa_helper_run(l, &what, NULL, NULL, NULL, &result, &r, &err);
    CHECK(unlink(path) == 0);
    CHECK(code != WA_OK && code != WA_E_INTERNAL);
    what.stage = ROOM_STAGE;
    wa_err_clear(&err);
    CHECK_OK(wa_helper_run(l, &what, NULL, NULL, NULL, &result, &r, &err));
    wa_launcher_free(l);
}

static const struct room_scenario scenarios[] = {
    {"run", play_run},     {"session", play_session}, {"script", play_script},
    {"flood", play_flood}, {"tree", play_tree},       {"cancel", play_cancel},
    {"stage", play_stage}, {"link", play_link},       {NULL, NULL},
};

/* --- the tests --- */

static void test_runner_runs(void **state)
{
    WA_UNUSED(state);
    room_play("run");
}

static void test_runner_runs_as_the_session_user(void **state)
{
    WA_UNUSED(state);
    room_play("session");
}

static void test_runner_runs_scripts(void **state)
{
    WA_UNUSED(state);
    room_play("script");
}

static void test_runner_output_is_cut(void **state)
{
    WA_UNUSED(state);
    room_play("flood");
}

static void test_runner_tree_dies(void **state)
{
    WA_UNUSED(state);
    room_play("tree");
}

static void test_runner_is_cancelled(void **state)
{
    WA_UNUSED(state);
    room_play("cancel");
}

static void test_only_roots_folders_are_run(void **state)
{
    WA_UNUSED(state);
    room_play("stage");
    room_play("link");
}

static int group_setup(void **state)
{
    struct wa_agent_paths paths;
    WA_UNUSED(state);
    room_open();
    room_paths(&paths);
    room_stage(paths.base, ROOM_STAGE);
    return 0;
}

static int group_teardown(void **state)
{
    WA_UNUSED(state);
    room_close();
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    if (room_main(argc, argv, scenarios, &status)) {
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runner_runs),
        cmocka_unit_test(test_runner_runs_as_the_session_user),
        cmocka_unit_test(test_runner_runs_scripts),
        cmocka_unit_test(test_runner_output_is_cut),
        cmocka_unit_test(test_runner_tree_dies),
        cmocka_unit_test(test_runner_is_cancelled),
        cmocka_unit_test(test_only_roots_folders_are_run),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
