/* A PostgreSQL on another machine is talked to in the clear only when the address says so. The
 * "other machine" is 127.0.0.2, where a child answers that it has no TLS. */
#include "support.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers each request for TLS (PostgreSQL's protocol, "SSL Session Encryption") with 'N', and any
 * other first message by closing. */
static void serve(int listener)
{
    static const unsigned char ssl_request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

    for (;;) {
        unsigned char first[8];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(1);
        while (recv(fd, first, sizeof first, MSG_WAITALL) == (ssize_t)sizeof first &&
               memcmp(first, ssl_request, sizeof first) == 0)
            if (send(fd, "N", 1, MSG_NOSIGNAL) != 1)
                break;
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

static void tls_unless_told(void **state)
{
    WA_UNUSED(state);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    struct wa_err err = WA_ERR_INIT;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &at.sin_addr), 1);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    pid_t child = fork();
    if (child == 0)
        serve(listener);
    assert_true(child > 0);
    assert_int_equal(unsetenv("PGSSLMODE"), 0);

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_db *db = NULL;
        char url[128];
        (void)snprintf(url, sizeof url, "postgresql://u@127.0.0.2:%d/x%s", ntohs(at.sin_port),
                       cases[i].options);
        assert_int_equal(wa_db_open(url, &db, &err), WA_E_UNREACHABLE);
        if ((strstr(err.text, "does not support SSL") != NULL) != cases[i].wants_tls)
            fail_msg("'%s': %s", cases[i].options, err.text);
        wa_err_clear(&err);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tls_unless_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
