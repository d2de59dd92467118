/* A PostgreSQL on another machine is talked to in the clear only when the address says so. The
 * "other machine" is 127.0.0.2, where a child answers that it has no TLS. */
#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers each request for TLS (PostgreSQL's protocol, "SSL Session Encryption") with 'N', and any
 * other first message by closing; says to seen which it was. */
static void serve(int listener, int seen)
{
    static const unsigned char ssl_request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

    (void)alarm(30); /* where a check fails nobody ends it */
    for (;;) {
        unsigned char first[8];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(1);
        while (recv(fd, first, sizeof first, MSG_WAITALL) == (ssize_t)sizeof first) {
            bool is_tls = memcmp(first, ssl_request, sizeof first) == 0;
            if (write(seen, is_tls ? "T" : "c", 1) != 1 || !is_tls ||
                send(fd, "N", 1, MSG_NOSIGNAL) != 1)
                break;
        }
        (void)close(fd);
    }
}

static const struct {
    const char *options;
    bool wants_tls;
} cases[] = {{"", true},
             {"?sslmode=verify-full", true},
             {"?sslmode=prefer", false},
             {"?sslmode=disable", false}};

/* What libpq would take from the environment instead. */
static const char *const variables[][2] = {
    {"PGSSLMODE", "disable"},   {"PGHOST", "127.0.0.2"}, {"PGHOSTADDR", "127.0.0.2"},
    {"PGSERVICE", "elsewhere"}, {"PGOPTIONS", "-c x=y"}, {"PGSSLROOTCERT", "/etc/other"}};

/* Of several hosts one elsewhere is enough. */
static void several(int port, int seen)
{
    static const char *const hosts[] = {"/nowhere,127.0.0.2", "127.0.0.2,localhost",
                                        "@nowhere,127.0.0.2", ",127.0.0.2"};
    char what;
    while (read(seen, &what, 1) == 1) /* of the cases before */
        continue;
    for (size_t i = 0; i < WA_COUNT(hosts); i++) {
        struct wa_db *db = NULL;
        struct wa_err err = WA_ERR_INIT;
        char url[128];
        (void)snprintf(url, sizeof url, "postgresql:///x?user=u&port=%d&host=%s", port, hosts[i]);
        assert_int_equal(wa_db_open(url, &db, &err), WA_E_UNREACHABLE);
        if (read(seen, &what, 1) != 1 || what != 'T') /* written before it was answered */
            fail_msg("'%s': %s", hosts[i], err.text);
    }
}

/* Neither the environment nor a file of services. */
static void nobody_else_says_which(int port)
{
    struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;
    char text[16];
    (void)snprintf(text, sizeof text, "%d", port);
    assert_int_equal(setenv("PGHOST", "127.0.0.2", 1), 0);
    assert_int_equal(setenv("PGPORT", text, 1), 0);
    assert_int_equal(wa_db_open("postgresql:///x?host=/nowhere&user=u", &db, &err),
                     WA_E_UNREACHABLE);
    assert_non_null(strstr(err.text, "/nowhere/.s.PGSQL.5432"));
    assert_null(getenv("PGHOST"));
    wa_err_clear(&err);
    assert_int_equal(wa_db_open("postgresql:///x?service=elsewhere", &db, &err), WA_E_CONFIG);
}

static void tls_unless_told(void **state)
{
    WA_UNUSED(state);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    struct wa_err err = WA_ERR_INIT;
    int seen[2];
    assert_int_equal(pipe2(seen, O_NONBLOCK), 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &at.sin_addr), 1);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    pid_t child = fork();
    if (child == 0)
        serve(listener, seen[1]);
    assert_true(child > 0);

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_db *db = NULL;
        char url[128];
        for (size_t k = 0; k < WA_COUNT(variables); k++)
            assert_int_equal(setenv(variables[k][0], variables[k][1], 1), 0);
        (void)snprintf(url, sizeof url, "postgresql://u@127.0.0.2:%d/x%s", ntohs(at.sin_port),
                       cases[i].options);
        assert_int_equal(wa_db_open(url, &db, &err), WA_E_UNREACHABLE);
        if ((strstr(err.text, "does not support SSL") != NULL) != cases[i].wants_tls)
            fail_msg("'%s': %s", cases[i].options, err.text);
        wa_err_clear(&err);
    }
    several(ntohs(at.sin_port), seen[0]);
    nobody_else_says_which(ntohs(at.sin_port));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(listener);
    (void)close(seen[0]);
    (void)close(seen[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tls_unless_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
