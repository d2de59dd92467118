/* child.h - children of the tests of processes and of their trees: the test's own program, called
 * with a word that says what to do, which answers on descriptor 3. */
#ifndef WA_TEST_OS_CHILD_H
#define WA_TEST_OS_CHILD_H

#include "support.h"

#include "os/proc.h"

#define OUT 3 /* descriptor of the answers */

/* --- what children do --- */

static inline void say(const char *fmt, ...) WA_FORMAT(1, 2);
static inline void say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vdprintf(OUT, fmt, args);
    va_end(args);
}

static WA_NORETURN inline int sleep_for_ever(void)
{
    (void)alarm(HANG_S); /* not inherited by fork: a test that failed leaves nothing behind */
    say(".");
    for (;;)
        (void)pause();
}

/* --- the stage --- */

struct run {
    int out[2]; /* [0] ours: ends when the last process of the child's has */
    struct wa_proc proc;
};

static inline void start_with(struct run *r, struct wa_spawn s, const char *what)
{
    struct wa_err err = WA_ERR_INIT;
    const char *const argv[] = {"child", what, NULL};
    const int fds[] = {-1, -1, 2, -1};
    int given[WA_COUNT(fds)];
    assert_ok(wa_pipe(r->out, &err));
    memcpy(given, fds, sizeof fds);
    given[OUT] = r->out[1];
    s.argv = argv;
    if (s.fds == NULL) {
        s.fds = given;
        s.fd_count = WA_COUNT(given);
    }
    assert_ok(wa_proc_spawn(&s, &r->proc, &err));
    assert_true(r->proc.pid > 1);
    wa_fd_close(&r->out[1]);
}

/* What it says until the last process that holds the pipe has ended. */
static inline const char *hear(struct run *r, char *out, size_t size)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(r->out[0], out + n, size - 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        assert_true(got >= 0);
        if (got == 0 || n + (size_t)got == size - 1)
            break;
        n += (size_t)got;
    }
    out[n] = '\0';
    wa_fd_close(&r->out[0]);
    return out;
}

static inline void hear_dots(struct run *r, int count)
{
    for (int i = 0; i < count; i++) {
        char c;
        assert_int_equal(read(r->out[0], &c, 1), 1);
    }
}

static inline struct wa_exit end_of(struct run *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit e;
    assert_ok(wa_proc_wait(&r->proc, -1, &e, &err));
    assert_int_equal(r->proc.pidfd, -1);
    assert_int_equal(r->proc.pid, 0);
    return e;
}

#endif
