/* confine.h - for the tests of giving up power: an attempt is made in a child that has entered a
 * profile.
 *
 * Every attempt is harmless where it is not stopped: bad addresses, empty lists, signal 0.
 */
#ifndef WA_TEST_OS_CONFINE_H
#define WA_TEST_OS_CONFINE_H

#include "support.h"

#include "os/priv.h"

#include <sys/syscall.h>

#define NOT_CONFINED 250 /* exit statuses of children that did not get as far */
#define TOLD 251

struct scene {
    struct wa_priv priv;
    int (*fn)(void);
    char line[WA_PRIV_LINE_MAX];
};

static inline int attempt_confined(void *arg)
{
    struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    if (wa_priv_drop(&s->priv, s->line, &err) != WA_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return NOT_CONFINED;
    }
    return s->fn();
}

static inline long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

/* '+', '-' or 'x'; anything else is told. */
static inline char outcome(int status, char *told, size_t size)
{
    (void)snprintf(told, size, "status %#x", (unsigned)status);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? 'x' : '!';
    if (WEXITSTATUS(status) == 0)
        return '+';
    (void)snprintf(told, size, "%s", strerror(WEXITSTATUS(status)));
    return WEXITSTATUS(status) == EPERM || WEXITSTATUS(status) == EACCES ? '-' : '!';
}

/* --- attempts on files: 0, or errno --- */

static char inside[WA_PATH_MAX + 16], outside[WA_PATH_MAX + 16], fresh[WA_PATH_MAX + 16];
/* Files that every account may use, so that only the confinement stands in the way. */
static inline void furnish(struct room *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath in = rel("in"), out = rel("out");
    (void)snprintf(inside, sizeof inside, "%s/in/file", r->path);
    (void)snprintf(fresh, sizeof fresh, "%s/in/fresh", r->path);
    (void)snprintf(outside, sizeof outside, "%s/out/file", r->path);
    assert_ok(wa_dir_make_sub(&r->dir, &in, 0777, &err));
    assert_ok(wa_dir_make_sub(&r->dir, &out, 0777, &err));
    put_file(r, "in/file", "text");
    put_file(r, "out/file", "text");
    assert_int_equal(chmod(r->path, 0755), 0);
    assert_int_equal(fchmodat(r->dir.fd, "in", 0777, 0), 0);
    assert_int_equal(fchmodat(r->dir.fd, "out", 0777, 0), 0);
    assert_int_equal(chmod(inside, 0666), 0);
    assert_int_equal(chmod(outside, 0666), 0);
    (void)unlink(fresh);
}

static inline int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? errno : close(fd);
}

static inline int read_inside(void)
{
    return try_open(inside, O_RDONLY);
}

static inline int read_outside(void)
{
    return try_open(outside, O_RDONLY);
}

static inline int write_inside(void)
{
    return try_open(inside, O_WRONLY);
}

static inline int create_inside(void)
{
    return try_open(fresh, O_RDWR | O_CREAT | O_EXCL);
}

static inline int write_outside(void)
{
    return try_open(outside, O_WRONLY | O_APPEND);
}

static inline int remove_inside(void)
{
    return unlink(inside) != 0 ? errno : 0;
}

/* What every process of ours does. */
static inline int ordinary_work(void)
{
    struct stat st;
    int fds[2];
    char *p = malloc(1u << 20);
    if (p == NULL || pipe2(fds, O_CLOEXEC) != 0 || write(fds[1], "x", 1) != 1 ||
        read(fds[0], p, 1) != 1 || fstat(fds[0], &st) != 0 || fcntl(fds[0], F_GETFL) < 0)
        return errno;
    free(p);
    return raise(0) != 0 ? errno : 0;
}

#endif
