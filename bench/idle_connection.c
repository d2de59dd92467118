/* idle_connection - user memory of the server for one idle agent: a TLS WebSocket.
 *
 *     idle_connection [COUNT]
 *
 * Two processes, so that only the server's pages count: the parent is COUNT clients (2,000), the
 * child serves. Budget: under 16 KiB. A first wave of connections warms the child up and is closed;
 * what its resident set grows by with the second wave, after each of them has spoken once, is
 * divided by their number. The kernel's share (about 5 KiB) is not in it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_server.h"
#include "net/ws_client.h"
#include "os/proc.h"

#define COUNT_DEFAULT 2000u
#define COUNT_MAX 9000u
#define WARM_UP 200u
#define AT_ONCE 64u

static void die(const char *what, const struct wa_err *err)
{
    (void)fprintf(stderr, "idle_connection: %s: %s\n", what, err->text);
    exit(1);
}

static void must(enum wa_code code, const char *what, const struct wa_err *err)
{
    if (code != WA_OK)
        die(what, err);
}

static void must_os(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

/* --- the server --- */

struct served {
    struct wa_loop *loop;
    int talk; /* the parent asks for the resident set with one byte */
};

static void on_message(void *user, struct wa_ws_conn *c, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    must(wa_ws_send(c, text, &err), "answering", &err);
}

static void on_close(void *user, struct wa_ws_conn *c, int status, const char *reason)
{
    WA_UNUSED(user);
    WA_UNUSED(c);
    WA_UNUSED(status);
    WA_UNUSED(reason);
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    static const struct wa_ws_events events = {on_message, on_close};
    struct wa_ws_conn *ws = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(head);
    must(wa_http_accept_ws(c, 65536, &events, user, &ws, &err), "letting in", &err);
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(user);
    WA_UNUSED(body);
    wa_http_answer(c, 404, NULL, WA_SV(""), NULL);
}

static long resident_bytes(void)
{
    long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    must_os(f != NULL && fscanf(f, "%ld %ld", &total, &resident) == 2, "/proc/self/statm");
    (void)fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}

static void on_talk(void *user, int events)
{
    struct served *s = user;
    char byte;
    long bytes = resident_bytes();
    WA_UNUSED(events);
    if (read(s->talk, &byte, 1) != 1)
        wa_loop_stop(s->loop);
    else
        must_os(write(s->talk, &bytes, sizeof bytes) == sizeof bytes, "answering the parent");
}

static void serve(int fd, int talk, const struct wa_certs *chain, const struct wa_key *key)
{
    static const struct wa_http_server_events events = {on_request, on_body, NULL, NULL};
    const struct wa_http_server_config config = {.max_connections = COUNT_MAX,
                                                 .max_handshakes = 2 * AT_ONCE};
    struct wa_err err = WA_ERR_INIT;
    struct served s = {.talk = talk};
    struct wa_tls_ctx *tls = NULL;
    struct wa_http_server *server = NULL;
    struct wa_io *io = NULL;
    must(wa_loop_new(&s.loop, &err), "loop", &err);
    must(wa_tls_server_ctx(chain, key, &tls, &err), "TLS", &err);
    must(wa_http_server_new(s.loop, &fd, 1, tls, &config, &events, &s, &server, &err), "server",
         &err);
    must(wa_fd_set_nonblocking(talk, true, &err), "talking", &err);
    must(wa_io_new(s.loop, talk, on_talk, &s, &io, &err), "talking", &err);
    must(wa_io_set(io, WA_IO_READ, &err), "talking", &err);
    must(wa_loop_run(s.loop, &err), "serving", &err);
    wa_io_free(io);
    wa_http_server_free(server);
    wa_tls_ctx_free(tls);
    wa_loop_free(s.loop);
}

/* --- the clients --- */

struct crowd {
    struct wa_loop *loop;
    struct wa_tls_ctx *ctx;
    struct wa_url url;
    struct member {
        struct crowd *crowd;
        struct wa_ws_client *client;
    } * members;
    size_t started, spoken, wanted;
};

static void start_more(struct crowd *c);

static void on_open(void *user)
{
    struct member *m = user;
    struct wa_err err = WA_ERR_INIT;
    must(wa_ws_client_send(m->client, WA_SV("{\"type\":\"hello\"}"), &err), "speaking", &err);
}

static void on_text(void *user, struct wa_sv text)
{
    struct member *m = user;
    WA_UNUSED(text);
    if (++m->crowd->spoken == m->crowd->wanted)
        wa_loop_stop(m->crowd->loop);
    start_more(m->crowd);
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(code);
    die("a connection ended", err);
}

static void start_more(struct crowd *c)
{
    static const struct wa_ws_client_events events = {on_open, on_text, on_end};
    while (c->started < c->wanted && c->started - c->spoken < AT_ONCE) {
        struct wa_err err = WA_ERR_INIT;
        struct member *m = &c->members[c->started++];
        m->crowd = c;
        must(wa_ws_client_new(c->loop, &c->url, NULL, c->ctx, 65536, &events, m, &m->client, &err),
             "connecting", &err);
    }
}

static void gather(struct crowd *c, size_t count)
{
    struct wa_err err = WA_ERR_INIT;
    c->started = c->spoken = 0;
    c->wanted = count;
    start_more(c);
    must(wa_loop_run(c->loop, &err), "connecting", &err);
}

static void disperse(struct crowd *c)
{
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < c->started; i++) {
        wa_ws_client_free(c->members[i].client);
        c->members[i].client = NULL;
    }
    for (int i = 0; i < 100; i++) /* let the goodbyes out */
        must(wa_loop_turn(c->loop, 1, &err), "leaving", &err);
}

static long ask(int talk)
{
    long bytes = 0;
    must_os(write(talk, "?", 1) == 1 && read(talk, &bytes, sizeof bytes) == sizeof bytes,
            "asking the server");
    return bytes;
}

static void measure(struct crowd *c, size_t count, int talk)
{
    gather(c, WARM_UP);
    disperse(c);
    long before = ask(talk);
    gather(c, count);
    long after = ask(talk);
    (void)printf(
        "{\"name\":\"idle_connection, server's user memory, TLS 1.3, P-256 certificate, %zu "
        "WebSockets\",\"value\":%ld,\"unit\":\"bytes\"}\n",
        count, (after - before) / (long)count);
    disperse(c);
}

static int listen_loopback(uint16_t *ret_port)
{
    struct wa_err err = WA_ERR_INIT;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must_os(fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
                listen(fd, 1024) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0,
            "listening");
    must(wa_fd_set_nonblocking(fd, true, &err), "listening", &err);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    const struct wa_cert_request request = {
        .cn = "srv", .path_length = -1, .server_auth = true, .dns_names = names, .days = 2};
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.host = "127.0.0.1"};
    struct wa_key *key = NULL;
    struct wa_cert *cert = NULL;
    struct wa_certs chain = {0};
    struct crowd crowd = {.started = 0};
    uint64_t count = COUNT_DEFAULT;
    uint16_t port = 0;
    int talk[2];
    char url[64];
    if (argc > 1 && (!wa_sv_u64(wa_sv(argv[1]), &count) || count == 0 || count > COUNT_MAX)) {
        (void)fprintf(stderr, "usage: idle_connection [COUNT up to %u]\n", COUNT_MAX);
        return 2;
    }
    struct rlimit files;
    must_os(getrlimit(RLIMIT_NOFILE, &files) == 0, "limits");
    files.rlim_cur = files.rlim_max;
    must_os(setrlimit(RLIMIT_NOFILE, &files) == 0, "limits");
    must(wa_key_new_p256(&key, &err), "key", &err);
    must(wa_cert_issue(&request, key, NULL, NULL, &cert, &err), "certificate", &err);
    must(wa_certs_add(&chain, cert, &err), "certificate", &err);
    must(wa_socketpair(talk, &err), "talking", &err);
    int fd = listen_loopback(&port);
    pid_t child = fork();
    must_os(child >= 0, "fork");
    if (child == 0) {
        (void)close(talk[0]);
        serve(fd, talk[1], &chain, key);
        return 0;
    }
    (void)close(talk[1]);
    (void)close(fd);
    (void)snprintf(trust.fingerprint, sizeof trust.fingerprint, "%s", wa_cert_fingerprint(cert));
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)port);
    must(wa_url_parse(wa_sv(url), &crowd.url, &err), "address", &err);
    must(wa_loop_new(&crowd.loop, &err), "loop", &err);
    must(wa_tls_client_ctx(&trust, &crowd.ctx, &err), "trust", &err);
    crowd.members = wa_calloc(count > WARM_UP ? count : WARM_UP, sizeof *crowd.members);
    must_os(crowd.members != NULL, "memory");
    measure(&crowd, count, talk[0]);
    (void)close(talk[0]); /* ends the child */
    must_os(waitpid(child, NULL, 0) == child, "waiting");
    wa_free(crowd.members);
    wa_tls_ctx_free(crowd.ctx);
    wa_loop_free(crowd.loop);
    wa_certs_fini(&chain);
    wa_cert_free(cert);
    wa_key_free(key);
    return 0;
}
