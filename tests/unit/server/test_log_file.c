/* The log as a file: bounded, and a disk that is full costs lines alone. */
#include "server/log_file.h"
#include "testlib.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
    char dir[WA_PATH_MAX], path[WA_PATH_MAX];
    struct wa_log own;
    struct wa_log_file f;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    p->f = (struct wa_log_file)WA_LOG_FILE_INIT;
    wa_test_tmpdir(p->dir);
    (void)snprintf(p->path, sizeof p->path, "%.3000s/log", p->dir);
    wa_log_init(&p->own, 2, WA_LOG_INFO, "test");
    WA_ASSERT_OK(wa_log_file_open(&p->f, p->path, 100, 2, &p->own, &err));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_log_file_close(&p->f);
    assert_int_equal(p->own.fd, 2);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

static void line(struct place *p, const char *text)
{
    assert_int_equal(write(p->f.pipe[1], text, strlen(text)), strlen(text));
    wa_log_file_take(&p->f);
}

/* The file's text; "" when there is none. number 0: the present one. */
static const char *text_of(struct place *p, int number)
{
    static char text[4096];
    char path[WA_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, number == 0 ? "%s" : "%s.%d", p->path, number);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    (void)close(fd);
    return text;
}

/* What matters for security goes to syslog too; what that does not take is counted, not waited
 * for. */
static void syslog_is_told(void **state)
{
    struct place *p = *state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char got[4096], path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.3000s/syslog", p->dir);
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "%.100s", path);
    wa_syslog_open(&p->f.syslog, path);
    line(p,
         "2026-01-01T00:00:00Z warning waptserver-front api.denied user=a\n"); /* nobody is there */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    p->f.syslog.retry_ms = 0;
    line(p, "2026-01-01T00:00:01Z info waptserver-store rollout.state id=1\n");
    line(p, "2026-01-01T00:00:02Z info waptserver-store journal.head node=a se");
    line(p, "q=7 digest=ab\n2026-01-01T00:00:03Z error x y\nshort\n\n");
    static const char *const expected[] = {
        "<84>1 2026-01-01T00:00:02Z HOST waptserver - log.lost - messages=1",
        ("<86>1 2026-01-01T00:00:02Z HOST waptserver - journal.head - waptserver-store "
         "journal.head "
         "node=a seq=7 digest=ab"),
        "<83>1 2026-01-01T00:00:03Z HOST waptserver - y - x y"};
    for (size_t i = 0; i < WA_COUNT(expected); i++) {
        const char *host = strstr(expected[i], "HOST");
        char all[4096];
        ssize_t n = recv(fd, got, sizeof got - 1, 0);
        assert_true(n > 0);
        got[n] = '\0';
        (void)snprintf(all, sizeof all, "%.*s%s%s", (int)(host - expected[i]), expected[i],
                       p->f.syslog.host, host + 4);
        assert_string_equal(got, all);
    }
    assert_true(recv(fd, got, sizeof got, 0) < 0);
    for (int i = 0; i < 5000; i++) /* until it is full: we go on */
        line(p, "2026-01-01T00:00:04Z warning x y\n");
    assert_true(p->f.syslog.lost > 0);
    (void)close(fd);
    line(p, "2026-01-01T00:00:05Z warning x y\n");
    assert_int_equal(p->f.syslog.fd, -1);
}

static void it_turns(void **state)
{
    struct place *p = *state;
    char forty[41];
    for (char c = 'a'; c <= 'j'; c++) {
        memset(forty, c, 39);
        forty[39] = '\n';
        forty[40] = '\0';
        line(p, forty);
    }
    assert_int_equal(text_of(p, 0)[0], 'i');
    assert_int_equal(text_of(p, 1)[0], 'g');
    assert_int_equal(text_of(p, 2)[0], 'e');
    assert_string_equal(text_of(p, 3), "");
    for (int i = 0; i <= 2; i++)
        assert_int_equal(strlen(text_of(p, i)), 80);
    /* What the supervisor itself says goes to the same file. */
    wa_log(&p->own, WA_LOG_INFO, "own.event", WA_LF_I("n", 1));
    assert_non_null(strstr(text_of(p, 0), "own.event"));
}

static void it_goes_on_where_it_was(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct stat st;
    line(p, "before\n");
    wa_log_file_close(&p->f);
    p->f = (struct wa_log_file)WA_LOG_FILE_INIT;
    WA_ASSERT_OK(wa_log_file_open(&p->f, p->path, 100, 2, &p->own, &err));
    line(p, "after\n");
    assert_string_equal(text_of(p, 0), "before\nafter\n");
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07, 0);
}

static void a_full_disk(void **state)
{
    struct place *p = *state;
    int good = p->f.fd, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    p->f.fd = full;
    line(p, "lost\n");
    line(p, "lost too\n");
    p->f.fd = good;
    (void)close(full);
    line(p, "kept\n");
    assert_null(strstr(text_of(p, 0), "lost too"));
    assert_non_null(strstr(text_of(p, 0), "kept"));
    assert_non_null(strstr(text_of(p, 0), "log.lost bytes=14"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(it_turns), TEST(syslog_is_told),
                                       TEST(it_goes_on_where_it_was), TEST(a_full_disk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
