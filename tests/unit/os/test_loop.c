/* The event loop: what is watched calls back, what is freed does not, a turn waits. */
#include "support.h"

#include "base/text.h"
#include "os/loop.h"
#include "os/proc.h"
#include "os/thread.h"

#define LONG_MS 30000 /* never reached: something else comes before */

struct scene {
    struct wa_loop *loop;
    struct wa_timer *timer;
    struct wa_io *io;
    int fds[2];
    int count;
    char story[64];
};

static int setup(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->fds[0] = s->fds[1] = -1;
    assert_ok(wa_loop_new(&s->loop, &err));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    wa_loop_free(s->loop);
    wa_fd_close(&s->fds[0]);
    wa_fd_close(&s->fds[1]);
    free(s);
    return 0;
}

static void tell(struct scene *s, char c)
{
    size_t n = strlen(s->story);
    assert_true(n + 1 < sizeof s->story);
    s->story[n] = c;
}

/* --- timers --- */

static void tell_a(void *user)
{
    tell(user, 'a');
}

static void tell_b(void *user)
{
    tell(user, 'b');
}

static void stop_after_three(void *user)
{
    struct scene *s = user;
    if (++s->count == 3)
        wa_timer_stop(s->timer);
}

static void free_itself(void *user)
{
    struct scene *s = user;
    wa_timer_free(s->timer);
    s->timer = NULL;
    s->count++;
}

static void stop_loop(void *user)
{
    wa_loop_stop(((struct scene *)user)->loop);
}

static void test_timers_fire_in_order(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_timer *a, *b;
    assert_ok(wa_timer_new(s->loop, tell_a, s, &a, &err));
    assert_ok(wa_timer_new(s->loop, tell_b, s, &b, &err));
    wa_timer_start(a, 20, 0);
    wa_timer_start(b, 1, 0);
    assert_ok(wa_loop_run(s->loop, &err)); /* ends when nothing is left */
    assert_string_equal(s->story, "ba");
    wa_timer_start(a, LONG_MS, 0);
    wa_timer_start(a, 1, 0); /* starts anew */
    wa_timer_start(b, LONG_MS, 0);
    wa_timer_stop(b);
    assert_ok(wa_loop_run(s->loop, &err));
    assert_string_equal(s->story, "baa");
    wa_timer_free(a);
    wa_timer_free(b);
}

static void test_a_repeating_timer_is_stopped_in_its_callback(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_timer_new(s->loop, stop_after_three, s, &s->timer, &err));
    wa_timer_start(s->timer, 0, 1);
    assert_ok(wa_loop_run(s->loop, &err));
    assert_int_equal(s->count, 3);
}

static void test_a_timer_frees_itself(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_timer_new(s->loop, free_itself, s, &s->timer, &err));
    wa_timer_start(s->timer, 0, 1);
    assert_ok(wa_loop_run(s->loop, &err));
    assert_int_equal(s->count, 1);
}

static void test_stop_ends_a_run(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_timer *stop, *later;
    assert_ok(wa_timer_new(s->loop, stop_loop, s, &stop, &err));
    assert_ok(wa_timer_new(s->loop, tell_a, s, &later, &err));
    wa_timer_start(stop, 1, 0);
    wa_timer_start(later, LONG_MS, 0);
    assert_ok(wa_loop_run(s->loop, &err));
    assert_string_equal(s->story, "");
}

/* A turn ends by what happens, not before: else a loop of turns would spin. */
static void test_turns_wait_for_something(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_timer *t;
    assert_ok(wa_timer_new(s->loop, tell_a, s, &t, &err));
    for (size_t round = 0; round < 5; round++) {
        wa_timer_start(t, 10, 0);
        assert_ok(wa_loop_turn(s->loop, round % 2 == 0 ? LONG_MS : -1, &err));
        assert_int_equal(strlen(s->story), round + 1);
    }
    wa_timer_start(t, LONG_MS, 0);
    assert_ok(wa_loop_turn(s->loop, 0, &err));
    assert_ok(wa_loop_turn(s->loop, 5, &err)); /* and by its own limit */
    assert_int_equal(strlen(s->story), 5);
}

/* --- readiness --- */

static void read_one(void *user, int events)
{
    struct scene *s = user;
    struct wa_err err = WA_ERR_INIT;
    char c;
    if ((events & WA_IO_WRITE) != 0)
        tell(s, 'w');
    if ((events & WA_IO_READ) == 0) {
        assert_ok(wa_io_set(s->io, WA_IO_READ, &err));
        return;
    }
    ssize_t n = read(s->fds[0], &c, 1);
    tell(s, n == 1 ? c : '.');
    if (n != 1) { /* the end: forget the watch, in its own callback */
        wa_io_free(s->io);
        s->io = NULL;
    }
}

static void test_readiness(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_socketpair(s->fds, &err));
    assert_ok(wa_fd_set_nonblocking(s->fds[0], true, &err));
    assert_ok(wa_io_new(s->loop, s->fds[0], read_one, s, &s->io, &err));
    assert_int_equal(write(s->fds[1], "xy", 2), 2);
    assert_ok(wa_loop_turn(s->loop, 0, &err)); /* watches nothing yet */
    assert_string_equal(s->story, "");
    assert_ok(wa_io_set(s->io, WA_IO_READ, &err));
    assert_ok(wa_loop_turn(s->loop, LONG_MS, &err));
    assert_ok(wa_io_set(s->io, 0, &err)); /* a pause */
    assert_ok(wa_loop_turn(s->loop, 0, &err));
    assert_string_equal(s->story, "x");
    assert_ok(wa_io_set(s->io, WA_IO_READ, &err));
    assert_ok(wa_loop_turn(s->loop, LONG_MS, &err));
    assert_ok(wa_io_set(s->io, WA_IO_WRITE, &err));
    assert_ok(wa_loop_turn(s->loop, LONG_MS, &err));
    assert_string_equal(s->story, "xyw");
    wa_fd_close(&s->fds[1]);
    assert_ok(wa_loop_run(s->loop, &err));
    assert_string_equal(s->story, "xyw.");
}

/* --- other threads, work, signals --- */

static void post_three(void *user)
{
    struct scene *s = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_loop_post(s->loop, tell_a, s, &err) != WA_OK ||
        wa_loop_post(s->loop, tell_b, s, &err) != WA_OK ||
        wa_loop_post(s->loop, stop_loop, s, &err) != WA_OK)
        abort();
}

static void test_posts_of_another_thread_run_in_order(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_timer *keep;
    struct wa_thread *t;
    assert_ok(wa_timer_new(s->loop, tell_a, s, &keep, &err));
    wa_timer_start(keep, LONG_MS, 0);
    assert_ok(wa_thread_start(post_three, s, &t, &err));
    assert_ok(wa_loop_run(s->loop, &err));
    wa_thread_join(t);
    assert_string_equal(s->story, "ab");
}

static void post_again(void *user)
{
    struct scene *s = user;
    struct wa_err err = WA_ERR_INIT;
    tell(s, 'p');
    if (++s->count < 3)
        assert_ok(wa_loop_post(s->loop, post_again, s, &err));
}

static void test_a_run_with_nothing_but_posts_runs_them(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_loop_post(s->loop, post_again, s, &err));
    assert_ok(wa_loop_run(s->loop, &err));
    assert_string_equal(s->story, "ppp");
}

static enum wa_code succeed(void *user, struct wa_err *err)
{
    WA_UNUSED(err);
    ((struct scene *)user)->count++;
    return WA_OK;
}

static enum wa_code fail_on_purpose(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    return wa_fail(err, WA_E_BUSY, "on purpose");
}

static void work_done(void *user, enum wa_code code, const struct wa_err *err)
{
    tell(user, code == WA_OK ? 'o' : 'e');
    if (code != WA_OK) {
        assert_int_equal(code, WA_E_BUSY);
        assert_string_equal(err->text, "on purpose");
    }
}

static void test_work_comes_back_with_its_result(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_loop_work(s->loop, succeed, work_done, s, &err));
    assert_ok(wa_loop_run(s->loop, &err));
    assert_ok(wa_loop_work(s->loop, fail_on_purpose, work_done, s, &err));
    assert_ok(wa_loop_run(s->loop, &err));
    assert_string_equal(s->story, "oe");
    assert_int_equal(s->count, 1);
}

static void note_language(void *user)
{
    tell(user, wa_text_language_name()[0]);
}

static enum wa_code note_in_pool(void *user, struct wa_err *err)
{
    WA_UNUSED(err);
    note_language(user);
    return WA_OK;
}

static void note_after(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(code);
    WA_UNUSED(err);
    note_language(user);
}

/* Whatever the loop speaks by then; and the pool's thread keeps nothing of it. */
static void test_work_goes_on_in_the_language_that_it_was_given_in(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_thread *t = NULL;
    assert_null(wa_text_speak(wa_text_find(WA_SV("fr"))));
    assert_ok(wa_thread_start(note_language, s, &t, &err));
    wa_thread_join(t);
    assert_ok(wa_loop_work(s->loop, note_in_pool, note_after, s, &err));
    (void)wa_text_speak(NULL);
    assert_ok(wa_loop_run(s->loop, &err));
    note_language(s);
    for (int i = 0; i < 5; i++) { /* more than there are threads */
        assert_ok(wa_loop_work(s->loop, note_in_pool, note_after, s, &err));
        assert_ok(wa_loop_run(s->loop, &err));
    }
    assert_string_equal(s->story, "fffeeeeeeeeeee");
}

static void on_signal(void *user, int signum)
{
    assert_int_equal(signum, SIGUSR1);
    tell(user, 's');
}

static void test_signals(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_loop_on_signal(s->loop, SIGUSR1, on_signal, s, &err));
    assert_ok(wa_loop_run(s->loop, &err)); /* a signal alone is nothing to wait for */
    assert_int_equal(raise(SIGUSR1), 0);
    assert_ok(wa_loop_turn(s->loop, LONG_MS, &err));
    assert_string_equal(s->story, "s");
    assert_int_not_equal(wa_loop_on_signal(s->loop, SIGKILL, on_signal, s, &err), WA_OK);
}

/* What the owner forgot goes with the loop. */
static void test_freeing_the_loop_frees_its_watches(void **state)
{
    struct scene *s = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_timer *t;
    assert_ok(wa_pipe(s->fds, &err));
    assert_ok(wa_fd_set_nonblocking(s->fds[0], true, &err));
    assert_ok(wa_timer_new(s->loop, tell_a, s, &t, &err));
    wa_timer_start(t, LONG_MS, 0);
    assert_ok(wa_io_new(s->loop, s->fds[0], read_one, s, &s->io, &err));
    assert_ok(wa_io_set(s->io, WA_IO_READ, &err));
    assert_ok(wa_loop_on_signal(s->loop, SIGUSR2, on_signal, s, &err));
    assert_ok(wa_loop_post(s->loop, tell_a, s, &err));
    wa_loop_free(s->loop);
    assert_ok(wa_loop_new(&s->loop, &err));
    assert_string_equal(s->story, "");
}

/* --- locks --- */

struct meeting {
    struct wa_lock *lock;
    bool has_come;
};

static void come(void *user)
{
    struct meeting *m = user;
    wa_lock_take(m->lock);
    m->has_come = true;
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
}

static void test_a_lock_wakes_who_waits(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_thread *t;
    struct meeting m = {0};
    WA_UNUSED(state);
    assert_ok(wa_lock_new(&m.lock, &err));
    wa_lock_take(m.lock);
    assert_false(wa_lock_wait(m.lock, 1));
    assert_ok(wa_thread_start(come, &m, &t, &err));
    while (!m.has_come)
        assert_true(wa_lock_wait(m.lock, -1));
    wa_lock_give(m.lock);
    wa_thread_join(t);
    wa_lock_free(m.lock);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_timers_fire_in_order),
        T(test_a_repeating_timer_is_stopped_in_its_callback),
        T(test_a_timer_frees_itself),
        T(test_stop_ends_a_run),
        T(test_turns_wait_for_something),
        T(test_readiness),
        T(test_posts_of_another_thread_run_in_order),
        T(test_a_run_with_nothing_but_posts_runs_them),
        T(test_work_comes_back_with_its_result),
        T(test_work_goes_on_in_the_language_that_it_was_given_in),
        T(test_signals),
        T(test_freeing_the_loop_frees_its_watches),
        T(test_a_lock_wakes_who_waits),
    };
    return cmocka_run_group_tests_name("os/loop", tests, NULL, NULL);
}
