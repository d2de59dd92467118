/* The libraries that our processes stand on must work under the profiles that they get: SQLite in
 * WAL mode with memory maps, OpenSSL, libcurl with its threaded resolver, libuv with its pool. As
 * root and as an ordinary account.
 */
#include "support.h"

#include "os/loop.h"
#include "os/priv.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/socket.h>

static char room_path[WA_PATH_MAX], database[WA_PATH_MAX + 16];
static uint16_t port;

/* --- SQLite: what the manager and the store do --- */

static int count_rows(void *user, int n, char **values, char **names)
{
    WA_UNUSED(n);
    WA_UNUSED(names);
    (void)snprintf(user, 32, "%s", values[0]);
    return 0;
}

static int use_sqlite(void)
{
    static const char script[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=1048576;"
        "CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES(zeroblob(100000)); INSERT INTO t VALUES(2);"
        "COMMIT; PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE x=2; VACUUM;"
        "CREATE INDEX i ON t(x); BEGIN; INSERT INTO t SELECT 5 FROM t; ROLLBACK;";
    char rows[32] = "";
    sqlite3 *db, *other;
    if (sqlite3_open(database, &db) != SQLITE_OK || sqlite3_open(database, &other) != SQLITE_OK)
        return 1;
    char *why = NULL;
    if (sqlite3_exec(db, script, NULL, NULL, &why) != SQLITE_OK) {
        (void)fprintf(stderr, "sqlite: %s\n", why);
        return 2;
    }
    if (sqlite3_exec(other, "SELECT count(*) FROM t", count_rows, rows, NULL) != SQLITE_OK)
        return 3;
    if (sqlite3_close(db) != SQLITE_OK || sqlite3_close(other) != SQLITE_OK)
        return 4; /* the last one removes the log */
    return strcmp(rows, "1") == 0 ? 0 : 5;
}

/* --- OpenSSL --- */

static int use_openssl(void)
{
    unsigned char random[32], digest[32], sig[128];
    size_t sig_n = sizeof sig;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    bool good = key != NULL && m != NULL && ctx != NULL && RAND_bytes(random, sizeof random) == 1 &&
                EVP_Digest(random, sizeof random, digest, NULL, EVP_sha256(), NULL) == 1 &&
                EVP_DigestSignInit(m, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(m, sig, &sig_n, digest, sizeof digest) == 1 &&
                SSL_CTX_set_default_verify_paths(ctx) == 1;
    SSL_CTX_free(ctx);
    EVP_MD_CTX_free(m);
    EVP_PKEY_free(key);
    return good ? 0 : 1;
}

/* --- libcurl: name look-up in a thread, then the loopback --- */

static size_t keep(char *p, size_t size, size_t n, void *user)
{
    (void)snprintf(user, 32, "%.*s", (int)(n < 31 ? n : 31), p);
    return size * n;
}

static int use_curl(void)
{
    char url[64], body[32] = "", why[CURL_ERROR_SIZE] = "";
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0)
        return 1;
    CURL *c = curl_easy_init();
    (void)snprintf(url, sizeof url, "http://localhost:%u/", (unsigned)port);
    (void)curl_easy_setopt(c, CURLOPT_URL, url);
    (void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    CURLcode rc = curl_easy_perform(c);
    curl_easy_cleanup(c);
    curl_global_cleanup();
    if (rc != CURLE_OK)
        (void)fprintf(stderr, "curl: %s\n", why);
    return rc == CURLE_OK && strcmp(body, "hello") == 0 ? 0 : 2;
}

/* A name that is in no file goes to the name server, which a network namespace of our own has not
 * got: it comes back all the same. */
static int fail_to_look_up(void)
{
    CURL *c = curl_easy_init();
    (void)curl_easy_setopt(c, CURLOPT_URL, "http://does-not-exist.invalid/");
    (void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 2L);
    CURLcode rc = curl_easy_perform(c);
    curl_easy_cleanup(c);
    return rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_OPERATION_TIMEDOUT ? 0 : (int)rc;
}

/* --- libuv --- */

static enum wa_code in_pool(void *user, struct wa_err *err)
{
    WA_UNUSED(err);
    *(int *)user = 1;
    return WA_OK;
}

static void pool_done(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(err);
    *(int *)user += code == WA_OK ? 1 : 0;
}

static void on_signal(void *user, int signum)
{
    WA_UNUSED(signum);
    wa_loop_stop(user);
}

static void on_timer(void *user)
{
    WA_UNUSED(user);
    (void)raise(SIGUSR1);
}

static int use_loop(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_loop *loop;
    struct wa_timer *t;
    int worked = 0;
    if (wa_loop_new(&loop, &err) != WA_OK ||
        wa_loop_work(loop, in_pool, pool_done, &worked, &err) != WA_OK ||
        wa_loop_run(loop, &err) != WA_OK || worked != 2 ||
        wa_loop_on_signal(loop, SIGUSR1, on_signal, loop, &err) != WA_OK ||
        wa_timer_new(loop, on_timer, NULL, &t, &err) != WA_OK)
        return 1;
    wa_timer_start(t, 1, 1);
    if (wa_loop_run(loop, &err) != WA_OK)
        return 2;
    wa_loop_free(loop);
    return 0;
}

/* --- the profiles --- */

static const char *const rooms[] = {room_path, NULL};
static const char *const network[] = {
    "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/ssl",   "/etc/ld.so.cache",   "/usr/lib",         "/lib",           "/lib64",
    NULL};

static const struct use {
    const char *name;
    int (*fn)(void);
    unsigned allow;
    const char *const *read, *const *write;
    bool is_offline; /* in a network namespace with nothing in it */
} uses[] = {
    {"SQLite", use_sqlite, WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, rooms, rooms, false},
    {"SQLite beside others", use_sqlite,
     WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_LOCAL | WA_PRIV_FDS | WA_PRIV_THREADS, rooms,
     rooms, false},
    {"OpenSSL", use_openssl, WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ, network, NULL, false},
    {"OpenSSL without files", use_openssl, 0, NULL, NULL, false},
    {"libcurl", use_curl, WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ, network, NULL, false},
    {"libcurl, no such name", fail_to_look_up, WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ,
     network, NULL, true},
    {"libuv", use_loop, WA_PRIV_THREADS, NULL, NULL, false},
};

struct scene {
    const struct use *use;
    bool is_nobody;
};

static int use_confined(void *arg)
{
    const struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    char line[WA_PRIV_LINE_MAX];
    const struct wa_priv p = {.name = s->use->name,
                              .allow = s->use->allow,
                              .set_ids = s->is_nobody,
                              .uid = NOBODY,
                              .gid = NOBODY,
                              .read_paths = s->use->read,
                              .write_paths = s->use->write,
                              .limit_files = 64,
                              .no_core = true};
    if (s->use->is_offline && unshare(CLONE_NEWNET) != 0)
        return 0; /* not allowed here */
    if (wa_priv_drop(&p, line, &err) != WA_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 100;
    }
    return s->use->fn();
}

static void test_libraries_work_confined(void **state)
{
    struct room *r = *state;
    memcpy(room_path, r->path, sizeof room_path);
    (void)snprintf(database, sizeof database, "%s/db", r->path);
    assert_int_equal(chmod(r->path, 0777), 0);
    for (size_t i = 0; i < WA_COUNT(uses); i++) {
        for (int nobody = 0; nobody <= (has_accounts() ? 1 : 0); nobody++) {
            struct scene s = {&uses[i], nobody == 1};
            (void)unlink(database);
            int status = in_child(use_confined, &s);
            if (status != 0)
                fail_msg("%s as %s: status %#x", uses[i].name, nobody == 1 ? "nobody" : "root",
                         (unsigned)status);
            char left[WA_PATH_MAX + 32];
            (void)snprintf(left, sizeof left, "%s-wal", database);
            assert_int_equal(access(left, F_OK), -1);
        }
    }
}

/* Answers each connection with the same five bytes, until it is killed. */
static void serve(int fd)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    (void)alarm(2 * HANG_S);
    for (;;) {
        char ask[4096];
        int c = accept(fd, NULL, NULL);
        if (c < 0)
            continue;
        (void)!read(c, ask, sizeof ask);
        (void)!write(c, answer, sizeof answer - 1);
        (void)close(c);
    }
}

static pid_t server;

static int start_server(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    WA_UNUSED(state);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return -1;
    port = ntohs(a.sin_port);
    server = fork();
    if (server == 0)
        serve(fd);
    return server < 0 ? -1 : close(fd);
}

static int stop_server(void **state)
{
    WA_UNUSED(state);
    return kill(server, SIGKILL) == 0 && waitpid(server, NULL, 0) == server ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_libraries_work_confined, room_setup, room_teardown),
    };
    return cmocka_run_group_tests_name("os/priv_libs", tests, start_server, stop_server);
}
