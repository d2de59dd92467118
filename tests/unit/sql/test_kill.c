/* A writer is killed at any moment: what it had committed is there, whole, and nothing else is.
 *
 * The child writes pairs of rows, each pair in a transaction, and says each number after its
 * commit. With $WA_TEST_PG_URL the killed one is a client of PostgreSQL.
 */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/rand.h"

enum { KILLS = 25 };

static void add_row(struct wa_db *db, int64_t n, const char *half)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *s = NULL;

    if (wa_db_prepare(db, "INSERT INTO pairs (n, half, pad) VALUES (?, ?, ?)", &s, &err) != WA_OK)
        _exit(3);
    wa_bind_i64(s, 0, n);
    wa_bind_s(s, 1, half);
    wa_bind_s(s, 2,
              "some more bytes, so that pages fill and the log is checkpointed now and "
              "then................");
    if (wa_run(s, &err) != WA_OK)
        _exit(4);
}

static void write_pairs(const char *url, int64_t from, int out)
{
    struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;

    if (wa_db_open(url, &db, &err) != WA_OK)
        _exit(2);
    for (int64_t n = from;; n++) {
        if (wa_db_begin(db, &err) != WA_OK)
            _exit(5);
        add_row(db, n, "left");
        add_row(db, n, "right");
        if (wa_db_commit(db, &err) != WA_OK)
            _exit(6);
        if (write(out, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(7);
    }
}

/* Numbers that the child has said, until enough were read; then it is killed. Returns the last one.
 */
static int64_t read_then_kill(pid_t child, int in, int enough)
{
    int64_t last = -1, n;
    int status = 0;

    while (enough > 0 && read(in, &n, sizeof n) == (ssize_t)sizeof n) {
        last = n;
        enough--;
    }
    (void)kill(child, SIGKILL);
    while (read(in, &n, sizeof n) == (ssize_t)sizeof n) /* said before it died */
        last = n;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        fail_msg("the writer ended by itself with %d", WEXITSTATUS(status));
    return last;
}

static int64_t one_kill(const char *url, int64_t from)
{
    int ends[2];
    uint8_t moment = 0;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_OK(wa_rand_bytes(&moment, 1, &err));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        write_pairs(url, from, ends[1]);
    }
    assert_true(child > 0);
    (void)close(ends[1]);
    int64_t last = read_then_kill(child, ends[0], moment % 60);
    (void)close(ends[0]);
    return last;
}

static void kills_lose_nothing(void **state)
{
    char url[WA_PATH_MAX + 64];
    int64_t next = 0;
    make_url(*state, url);
    {
        WA_AUTO(wa_db) struct wa_db *db = open_url(url);
        must_exec(db, "CREATE TABLE pairs (n BIGINT NOT NULL, half TEXT NOT NULL, pad TEXT, "
                      "PRIMARY KEY (n, half))");
    }

    for (int i = 0; i < KILLS; i++) {
        int64_t said = one_kill(url, next);
        WA_AUTO(wa_db) struct wa_db *db = open_url(url);
        struct wa_err err = WA_ERR_INIT;
        /* waits until a server has noticed the end of its client */
        WA_ASSERT_OK(wa_db_begin(db, &err));
        int64_t pairs = number(db, "SELECT COUNT(DISTINCT n) FROM pairs");
        assert_int_equal(number(db, "SELECT COUNT(*) FROM pairs"), 2 * pairs); /* none by half */
        WA_ASSERT_OK(wa_db_commit(db, &err));
        if (said >= 0 && pairs < said + 1)
            fail_msg("%lld was committed, and %lld pairs are there", (long long)said,
                     (long long)pairs);
        if (strcmp(wa_db_driver(db), "sqlite") == 0) {
            struct wa_stmt *s = must_prepare(db, "PRAGMA integrity_check");
            bool has_row = false;
            WA_ASSERT_OK(wa_step(s, &has_row, &err));
            WA_ASSERT_SV(wa_col_sv(s, 0), "ok");
            wa_reset(s);
        }
        next = pairs;
    }
    assert_true(next > KILLS); /* it did write */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kills_lose_nothing, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
