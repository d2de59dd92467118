/* Who connects to the local interface and does nothing: how long the place is theirs. */
#include "testlib.h"

#include <sys/socket.h>
#include <unistd.h>

#include "agent/local_priv.h"
#include "base/limits.h"

struct place {
    struct wa_manager m;
    struct wa_local l;
    int theirs; /* the client's end */
};

static void on_turn(void *user)
{
    WA_UNUSED(user);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_loop_new(&p->m.loop, &err));
    WA_ASSERT_OK(wa_timer_new(p->m.loop, on_turn, p, &p->l.timer, &err));
    p->l.m = &p->m;
    p->theirs = -1;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    assert_int_equal(p->l.count, 0);
    wa_fd_close(&p->theirs);
    wa_timer_free(p->l.timer);
    wa_loop_free(p->m.loop);
    free(p);
    return 0;
}

/* A client that came to this stage now. */
static struct wa_client *at_stage(struct place *p, enum wa_stage stage)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_client *c = wa_calloc(1, sizeof *c);
    int ends[2];
    assert_non_null(c);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    wa_fd_close(&p->theirs);
    p->theirs = ends[1];
    *c = (struct wa_client){.local = &p->l, .fd = ends[0]};
    wa_buf_init(&c->in, 1024);
    wa_buf_init(&c->out, 1024);
    wa_buf_init(&c->password, 1024);
    wa_arena_init(&c->arena, 1024);
    WA_ASSERT_OK(wa_self_rules_init(&c->caller.rules, &err));
    WA_ASSERT_OK(wa_io_new(p->m.loop, c->fd, wa_client_event, c, &c->io, &err));
    p->l.first = c;
    p->l.count = 1;
    wa_client_stage(c, stage);
    return c;
}

/* What it was told; it is gone. */
static void assert_ended(struct place *p, const char *told)
{
    char line[512] = "";
    ptrdiff_t n = read(p->theirs, line, sizeof line - 1);
    assert_int_equal(p->l.count, 0);
    assert_true(n >= 0);
    if (told[0] == '\0')
        assert_int_equal(n, 0);
    else if (strstr(line, "\"timeout\"") == NULL || strstr(line, told) == NULL)
        fail_msg("told '%s'", line);
}

static void test_a_request_that_does_not_come(void **state)
{
    struct place *p = *state;
    struct wa_client *c = at_stage(p, WA_STAGE_READING);
    wa_client_turn(c, c->since_ms + WA_LOCAL_REQUEST_MS);
    assert_int_equal(p->l.count, 1);
    wa_client_turn(c, c->since_ms + WA_LOCAL_REQUEST_MS + 1);
    assert_ended(p, "the request took too long");
}

/* Bytes that make no line give no more time. */
static void test_a_request_that_drips(void **state)
{
    struct place *p = *state;
    struct wa_client *c = at_stage(p, WA_STAGE_READING);
    uint64_t begun = c->since_ms;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(write(p->theirs, "{", 1), 1);
        wa_client_event(c, WA_IO_READ);
    }
    wa_client_turn(c, begun + WA_LOCAL_REQUEST_MS + 1);
    assert_ended(p, "the request took too long");
}

static void test_a_password_that_does_not_come(void **state)
{
    struct place *p = *state;
    struct wa_client *c = at_stage(p, WA_STAGE_PASSWORD);
    wa_client_turn(c, c->since_ms + WA_LOCAL_PASSWORD_MS);
    assert_int_equal(p->l.count, 1);
    wa_client_turn(c, c->since_ms + WA_LOCAL_PASSWORD_MS + 1);
    assert_ended(p, "the password took too long");
}

/* Whatever it waits for: who does not take what it is sent is in the way. */
static void test_an_answer_that_nobody_takes(void **state)
{
    static const enum wa_stage stages[] = {WA_STAGE_READING,   WA_STAGE_ASKING,
                                           WA_STAGE_PASSWORD,  WA_STAGE_FOLLOWING,
                                           WA_STAGE_STREAMING, WA_STAGE_CLOSING};
    for (size_t i = 0; i < WA_COUNT(stages); i++) {
        struct wa_client *c = at_stage(*state, stages[i]);
        c->ask = WA_ASK_NAME; /* or its request would be late first */
        wa_buf_adds(&c->out, "an answer\n");
        wa_client_turn(c, c->since_ms + WA_LOCAL_STALL_MS);
        assert_int_equal(c->local->count, 1);
        wa_client_turn(c, c->since_ms + WA_LOCAL_STALL_MS + 1);
        assert_ended(*state, "");
    }
}

/* A task takes as long as it takes, and so does a directory that is asked about a user. */
static void test_who_waits_for_us_may_wait(void **state)
{
    static const enum wa_stage stages[] = {WA_STAGE_ASKING, WA_STAGE_FOLLOWING, WA_STAGE_STREAMING};
    for (size_t i = 0; i < WA_COUNT(stages); i++) {
        struct place *p = *state;
        struct wa_client *c = at_stage(p, stages[i]);
        wa_client_turn(c, c->since_ms + 7 * 86400u * 1000u);
        assert_int_equal(p->l.count, 1);
        wa_client_drop(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_request_that_does_not_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_request_that_drips, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_password_that_does_not_come, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_nobody_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_waits_for_us_may_wait, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
