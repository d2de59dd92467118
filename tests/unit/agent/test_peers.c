/* test_peers.c - the fetch and network processes, confined as they are, against a server on
 * loopback.
 *
 * Played as in test_processes.c: this program is the launcher, then the manager. The server is
 * peer.py. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/manager_priv.h"
#include "agent/trust_json.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "process_lib.h"

/* --- in the manager --- */

struct peer {
    unsigned http_port, ws_port;
    struct wa_buf pem;
};

static void peer_read(const char *dir, struct peer *p)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF ports;
    wa_buf_init(&ports, 1u << 20);
    wa_buf_init(&p->pem, 1u << 20);
    (void)snprintf(path, sizeof path, "%s/ports", dir);
    CHECK_OK(wa_path_read(path, 4096, &ports, &err));
    CHECK(sscanf(wa_buf_str(&ports), "%u %u", &p->http_port, &p->ws_port) == 2);
    (void)snprintf(path, sizeof path, "%s/peer.crt", dir);
    CHECK_OK(wa_path_read(path, 65536, &p->pem, &err));
}

static void on_progress(void *user, uint64_t done, uint64_t total)
{
    WA_UNUSED(done);
    WA_UNUSED(total);
    wa_cancel_set(user);
}

static const struct fetch_row {
    const char *path; /* after https://127.0.0.1:port, or a whole URL */
    const char *header, *user, *password;
    size_t body; /* bytes to send */
    uint64_t max;
    enum { PINNED, NOBODY, BY_NAME } trust;
    enum wa_code expected;
    int status;
    const char *answer; /* NULL: not looked at */
} fetch_rows[] = {
    {"/hello", NULL, NULL, NULL, 0, 5, PINNED, WA_OK, 200, "hello"},
    {"/hello", NULL, NULL, NULL, 0, 5, BY_NAME, WA_OK, 200, "hello"},
    {"/hello", NULL, NULL, NULL, 0, 5, NOBODY, WA_E_REFUSED, 0, NULL},
    {"/hello", NULL, NULL, NULL, 0, 4, PINNED, WA_E_LIMIT, 0, NULL},
    {"/none", NULL, NULL, NULL, 0, 100, PINNED, WA_OK, 404, "no"},
    {"/header", "X-Test: a b", NULL, NULL, 0, 100, PINNED, WA_OK, 200, "a b"},
    {"/login", NULL, "u", "p", 0, 100, PINNED, WA_OK, 200, "Basic dTpw"},
    {"/away", NULL, NULL, NULL, 0, 100, PINNED, WA_OK, 302, ""},
    {"/big", NULL, NULL, NULL, 0, 4u << 20, PINNED, WA_OK, 200, NULL},
    {"/big", NULL, NULL, NULL, 0, 1u << 20, PINNED, WA_E_LIMIT, 0, NULL},
    {"/sum", NULL, NULL, NULL, 700000, 100, PINNED, WA_OK, 200, NULL},
    {"http://127.0.0.1:1/", NULL, NULL, NULL, 0, 100, PINNED, WA_E_CONFIG, 0, NULL},
    {"ftp://127.0.0.1:1/", NULL, NULL, NULL, 0, 100, PINNED, WA_E_INVALID, 0, NULL},
    {"https://127.0.0.1:1/", NULL, NULL, NULL, 0, 100, PINNED, WA_E_UNREACHABLE, 0, NULL},
};

static void fetch_one(struct wa_launcher *l, const struct peer *p, size_t row)
{
    const struct fetch_row *f = &fetch_rows[row];
    struct wa_err err = WA_ERR_INIT;
    struct wa_fetch_result r = {0};
    struct wa_buf WA_AUTO_BUF answer, body;
    struct wa_buf_sink sink;
    struct wa_tls_trust trust = {.host = "127.0.0.1"};
    const char *headers[] = {f->header, NULL};
    char url[256];
    wa_buf_init(&answer, 8u << 20);
    wa_buf_init(&body, 8u << 20);
    wa_buf_sink_init(&sink, &answer);
    for (size_t i = 0; i < f->body; i++) {
        wa_buf_addc(&body, (char)(i * 7));
    }
    (void)snprintf(url, sizeof url, "https://%s:%u%s",
                   f->trust == BY_NAME ? "localhost" : "127.0.0.1", p->http_port, f->path);
    if (f->trust != NOBODY) {
        trust.pem = wa_buf_sv(&p->pem);
    }
    if (f->trust == BY_NAME) {
        (void)snprintf(trust.host, sizeof trust.host, "localhost");
    }
    const struct wa_fetch what = {.method = f->body > 0 ? "POST" : "GET",
                                  .url = f->path[0] == '/' ? url : f->path,
                                  .headers = headers,
                                  .body = wa_buf_sv(&body),
                                  .user = f->user,
                                  .password = f->password,
                                  .trust = &trust,
                                  .max_bytes = f->max,
                                  .timeout_ms = ROOM_PATIENCE_MS,
                                  .silence_s = 30};
    enum wa_code code = wa_helper_fetch(l, &what, &sink.base, NULL, NULL, NULL, &r, &err);
    if (code != f->expected || r.status != f->status) {
        (void)fprintf(stderr, "fetch row %zu: %s, status %d: %s\n", row, wa_code_name(code),
                      r.status, err.text);
        exit(99);
    }
    if (code == WA_OK) {
        CHECK(r.bytes == answer.n);
        CHECK(f->answer == NULL || wa_sv_eqs(wa_buf_sv(&answer), f->answer));
        CHECK(f->path[1] != 'b' || answer.n == 3u << 20);
    }
    if (row == 0) {
        CHECK(strcmp(r.etag, "\"e1\"") == 0 && r.last_modified[0] == 'S' && !r.resumed);
    }
    if (f->body > 0) {
        char hex[WA_SHA256_HEX];
        CHECK_OK(wa_sha256_hex(body.p, body.n, hex, &err));
        CHECK(wa_sv_eqs(wa_buf_sv(&answer), hex));
    }
}

static void play_fetch(const char *dir)
{
    struct wa_launcher *l = room_link();
    struct peer p;
    peer_read(dir, &p);
    for (size_t i = 0; i < WA_COUNT(fetch_rows); i++) {
        fetch_one(l, &p, i);
    }
    /* Cancelled by the one who sees the progress of an endless answer. */
    struct wa_err err = WA_ERR_INIT;
    struct wa_fetch_result r;
    struct wa_cancel *cancel = NULL;
    struct wa_buf WA_AUTO_BUF answer;
    struct wa_buf_sink sink;
    struct wa_tls_trust trust = {.pem = wa_buf_sv(&p.pem), .host = "127.0.0.1"};
    char url[256];
    wa_buf_init(&answer, 64u << 20);
    wa_buf_sink_init(&sink, &answer);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/drip", p.http_port);
    const struct wa_fetch what = {
        .method = "GET", .url = url, .trust = &trust, .max_bytes = 64u << 20, .silence_s = 30};
    CHECK_OK(wa_cancel_new(&cancel, &err));
    CHECK(wa_helper_fetch(l, &what, &sink.base, on_progress, cancel, cancel, &r, &err) ==
          WA_E_CANCELLED);
    wa_cancel_free(cancel);
    wa_buf_fini(&p.pem);
    wa_launcher_free(l);
}

/* --- the network process --- */

struct talk {
    struct wa_loop *loop;
    struct wa_chan *chan;
    struct wa_buf seen; /* one letter an event */
    unsigned welcomes;
    size_t order_bytes;
};

static void send_text(struct talk *t, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    CHECK_OK(wa_chan_post(t->chan, WA_M_NET_SEND, 0, wa_sv(text), -1, &err));
}

static void on_message(void *user, const struct wa_chan_msg *msg)
{
    struct talk *t = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_net_state s;
    struct wa_net_challenge c;
    char hello[512];
    switch (msg->type) {
    case WA_M_NET_CHALLENGE:
        CHECK_OK(wa_net_challenge_read(msg->payload, &c, &err));
        CHECK(c.time == 1700000000);
        wa_buf_addc(&t->seen, '?');
        (void)snprintf(hello, sizeof hello, "{\"nonce\":\"%s\",\"channel\":\"%s\"}", c.nonce,
                       c.channel);
        send_text(t, hello);
        break;
    case WA_M_NET_TEXT:
        t->order_bytes += msg->payload.n;
        wa_buf_addc(&t->seen, 'T');
        send_text(t, "{\"type\":\"ack\",\"id\":\"a1\"}");
        break;
    default:
        CHECK(msg->type == WA_M_NET_STATE);
        CHECK_OK(wa_net_state_read(msg->payload, &s, &err));
        wa_buf_addc(&t->seen, "cow."[s.state]);
        t->welcomes += s.state == WA_NET_WELCOME;
        CHECK(s.state != WA_NET_CLOSED || s.reason[0] != '\0');
        if (s.state == WA_NET_CLOSED && t->welcomes == 1 && !strchr(t->seen.p, '4')) {
            CHECK(s.status == 4401);
            wa_buf_addc(&t->seen, '4');
        }
        break;
    }
    if (t->welcomes == 2) {
        wa_loop_stop(t->loop);
    }
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    WA_UNUSED(user);
    (void)fprintf(stderr, "the network process ended: %s %s\n", wa_code_name(code), err->text);
    exit(99);
}

static void play_network(const char *dir)
{
    struct wa_launcher *l = room_link();
    struct wa_err err = WA_ERR_INIT;
    struct peer p;
    struct talk t = {.welcomes = 0};
    struct wa_tls_trust trust = {.host = "127.0.0.1"};
    char url[256];
    peer_read(dir, &p);
    trust.pem = wa_buf_sv(&p.pem);
    wa_buf_init(&t.seen, 4096);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/agent/v1/push", p.ws_port);
    const struct wa_net_config config = {
        .url = url, .trust = &trust, .backoff_first_ms = 5, .backoff_max_ms = 50};
    CHECK_OK(wa_loop_new(&t.loop, &err));
    CHECK_OK(wa_helper_network(l, &t.chan, &err));
    CHECK_OK(wa_chan_attach(t.chan, t.loop, on_message, on_end, &t, &err));
    CHECK_OK(wa_net_configure(t.chan, &config, &err));
    CHECK_OK(wa_loop_run(t.loop, &err));
    /* Welcomed, one order; closed with 4401; a second challenge is not answered but ends the
     * connection; closed at once; welcomed. */
    if (strcmp(t.seen.p, "co?wT.4co?.co.co?w") != 0) {
        (void)fprintf(stderr, "seen: %s\n", t.seen.p);
        exit(99);
    }
    CHECK(t.order_bytes > 300000);
    wa_chan_free(t.chan);
    wa_loop_free(t.loop);
    /* One after the other: the first, idle and connected, is ended by the second's start. */
    struct wa_chan *again = NULL;
    CHECK_OK(wa_helper_network(l, &again, &err));
    wa_chan_free(again);
    CHECK_OK(wa_helper_network(l, &again, &err));
    wa_chan_free(again);
    CHECK_OK(wa_helper_forget(l, WA_ROLE_NETWORK, &err));
    wa_buf_fini(&t.seen);
    wa_buf_fini(&p.pem);
    wa_launcher_free(l);
}

/* --- a server that is not there --- */

#ifndef AWAY_FAILURES
#define AWAY_FAILURES 2000u /* -DAWAY_FAILURES=100000u takes some minutes */
#endif

struct away {
    struct wa_loop *loop;
    int pid; /* of the network process */
    unsigned closed;
    long early_kib;
};

static long memory_of(int pid)
{
    char text[64];
    proc_status(pid, "VmRSS", text, sizeof text);
    return strtol(text, NULL, 10);
}

/* The launcher's other child. */
static int network_pid(void)
{
    int pids[8];
    size_t n = proc_children(getppid(), pids, WA_COUNT(pids));
    int found = 0;
    for (size_t i = 0; i < n && i < WA_COUNT(pids); i++)
        found = pids[i] != getpid() ? pids[i] : found;
    CHECK(found > 0);
    return found;
}

static void on_away(void *user, const struct wa_chan_msg *msg)
{
    struct away *a = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_net_state s;
    CHECK(msg->type == WA_M_NET_STATE);
    CHECK_OK(wa_net_state_read(msg->payload, &s, &err));
    CHECK(s.state == WA_NET_CONNECTING || s.state == WA_NET_CLOSED);
    a->closed += s.state == WA_NET_CLOSED;
    if (a->closed == AWAY_FAILURES / 10 && a->early_kib == 0)
        a->early_kib = memory_of(a->pid);
    if (a->closed == AWAY_FAILURES)
        wa_loop_stop(a->loop);
}

static void play_away(const char *dir)
{
    struct wa_launcher *l = room_link();
    struct wa_err err = WA_ERR_INIT;
    struct peer p;
    struct wa_chan *chan = NULL;
    struct away a = {.closed = 0};
    struct wa_tls_trust trust = {.host = "127.0.0.1"};
    peer_read(dir, &p);
    trust.pem = wa_buf_sv(&p.pem);
    const struct wa_net_config config = {.url = "https://127.0.0.1:1/agent/v1/push",
                                         .trust = &trust,
                                         .backoff_first_ms = 1,
                                         .backoff_max_ms = 1};
    CHECK_OK(wa_loop_new(&a.loop, &err));
    CHECK_OK(wa_helper_network(l, &chan, &err));
    a.pid = network_pid();
    CHECK_OK(wa_chan_attach(chan, a.loop, on_away, on_end, &a, &err));
    CHECK_OK(wa_net_configure(chan, &config, &err));
    CHECK_OK(wa_loop_run(a.loop, &err));
    CHECK(a.early_kib > 0);
#ifndef __SANITIZE_ADDRESS__ /* which holds what is freed for a while */
    CHECK(memory_of(a.pid) < a.early_kib + 256);
#endif
    if (AWAY_FAILURES > 2000u)
        (void)fprintf(stderr, "%ld KiB, then %ld\n", a.early_kib, memory_of(a.pid));
    wa_chan_free(chan);
    CHECK_OK(wa_helper_forget(l, WA_ROLE_NETWORK, &err)); /* its end is told before ours */
    wa_loop_free(a.loop);
    wa_buf_fini(&p.pem);
    wa_launcher_free(l);
}

/* --- the tests --- */

static const struct room_scenario scenarios[] = {
    {"fetch", play_fetch}, {"network", play_network}, {"away", play_away}, {NULL, NULL}};

static void test_fetch(void **state)
{
    WA_UNUSED(state);
    room_play("fetch");
}

static void test_network(void **state)
{
    WA_UNUSED(state);
    room_play("network");
}

/* Nothing grows, however often it fails to connect. */
static void test_away(void **state)
{
    WA_UNUSED(state);
    room_play("away");
}

static int peer_pipe[2];
static pid_t peer_pid;

static pid_t start(const char *const *argv, int in)
{
    union {
        const char *const *from;
        char *const *to;
    } args = {argv};
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(in, 0);
        (void)close(peer_pipe[0]);
        (void)close(peer_pipe[1]);
        (void)execv(argv[0], args.to);
        _exit(127);
    }
    return pid;
}

static int group_setup(void **state)
{
    char key[WA_PATH_MAX], crt[WA_PATH_MAX], ports[WA_PATH_MAX], script[WA_PATH_MAX];
    int status = 1;
    WA_UNUSED(state);
    room_open();
    (void)snprintf(key, sizeof key, "%s/peer.key", room_dir());
    (void)snprintf(crt, sizeof crt, "%s/peer.crt", room_dir());
    (void)snprintf(ports, sizeof ports, "%s/ports", room_dir());
    (void)snprintf(script, sizeof script, "%s/peer.py", room_argument());
    const char *const make[] = {"/usr/bin/openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-keyout",
                                key,
                                "-out",
                                crt,
                                "-subj",
                                "/CN=localhost",
                                "-addext",
                                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                "-days",
                                "2",
                                NULL};
    const char *const serve[] = {"/usr/bin/python3", "-I", script, crt, key, ports, NULL};
    assert_int_equal(pipe(peer_pipe), 0);
    pid_t pid = start(make, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    peer_pid = start(serve, peer_pipe[0]);
    for (int i = 0; i < ROOM_PATIENCE_MS / 20 && access(ports, F_OK) != 0; i++) {
        (void)usleep(20000);
    }
    return access(ports, F_OK);
}

static int group_teardown(void **state)
{
    int status = 1;
    WA_UNUSED(state);
    (void)close(peer_pipe[0]);
    (void)close(peer_pipe[1]);
    (void)waitpid(peer_pid, &status, 0);
    room_close();
    return status; /* its own checks count too */
}

int main(int argc, char **argv)
{
    int status = 0;
    if (room_main(argc, argv, scenarios, &status)) {
        return status;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_away),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
