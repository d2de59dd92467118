/* support.h - what the tests of os share: a directory of their own, children that answer with their
 * exit status, and a look at what leaks. */
#ifndef WA_TEST_OS_SUPPORT_H
#define WA_TEST_OS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fs.h"

#define NOBODY 65534
#define HANG_S 60 /* a child that hangs is ended by SIGALRM */

/* `err` is the caller's. */
#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        if ((expr) != WA_OK)                                                                       \
            fail_msg("%s: %s", #expr, err.text);                                                   \
    } while (0)
/* Fails with that code and says something; forgets it. */
#define assert_code(expr, expected)                                                                \
    do {                                                                                           \
        enum wa_code code_ = (expr);                                                               \
        assert_string_equal(wa_code_name(code_), wa_code_name(expected));                          \
        assert_int_equal(err.code, expected);                                                      \
        assert_int_not_equal(err.text[0], '\0');                                                   \
        wa_err_clear(&err);                                                                        \
    } while (0)

static inline struct wa_relpath rel(const char *text)
{
    struct wa_relpath p;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_relpath_parse(wa_sv(text), &p, &err));
    return p;
}

static inline int open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

/* A test's own directory; `fds` to see at its end that none is left open. */
struct room {
    char path[WA_PATH_MAX];
    struct wa_dir dir;
    int fds;
};

static inline int room_setup(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct room *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->fds = open_fds();
    assert_ok(wa_temp_dir("wa-test-os", r->path, &err));
    assert_ok(wa_dir_open(r->path, &r->dir, &err));
    *state = r;
    return 0;
}

static inline int room_teardown(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct room *r = *state;
    struct wa_dir parent = WA_DIR_INIT;
    char *slash = strrchr(r->path, '/');
    wa_dir_close(&r->dir);
    *slash = '\0';
    assert_ok(wa_dir_open(r->path, &parent, &err));
    struct wa_relpath name = rel(slash + 1);
    assert_ok(wa_tree_remove(&parent, &name, &err));
    wa_dir_close(&parent);
    assert_int_equal(open_fds(), r->fds);
    free(r);
    return 0;
}

/* In a child: the status of waitpid(). Never returns from the child, so fn may confine itself. */
static inline int in_child(int (*fn)(void *), void *arg)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(HANG_S);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed assertion must not go on testing */
        _exit(fn(arg));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static inline int become(void *uid)
{
    uid_t u = *(const uid_t *)uid;
    return setgroups(0, NULL) == 0 && setresgid(u, u, u) == 0 && setresuid(u, u, u) == 0 ? 0 : 1;
}

/* Whether we are root, and have other accounts: the root of a small user namespace has none. */
static inline bool has_accounts(void)
{
    uid_t uid = NOBODY;
    return geteuid() == 0 && in_child(become, &uid) == 0;
}

static inline void put_file(const struct room *r, const char *name, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel(name);
    assert_ok(wa_file_replace(&r->dir, &p, wa_sv(text), 0644, &err));
}

static inline void assert_file(const struct room *r, const char *name, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel(name);
    struct wa_buf b;
    wa_buf_init(&b, 1u << 20);
    assert_ok(wa_file_read(&r->dir, &p, 1u << 20, &b, &err));
    assert_string_equal(wa_buf_str(&b), text);
    wa_buf_fini(&b);
}

#endif
