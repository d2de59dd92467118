/* supervisor.c - starts the server's processes and watches them.
 *
 * When one dies, all are ended and started anew, after a pause that grows: what they hold in memory
 * hangs together, and agents come back by themselves. Listening sockets are made here, before
 * anybody gives up the right to low ports.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/listen.h"
#include "os/proc.h"
#include "os/service.h"
#include "server/config.h"
#include "server/roles.h"

#define FRONTS_MAX 64
#define FDS_MAX (6 + FRONTS_MAX)
#define PAUSE_FIRST_MS 250u
#define PAUSE_MAX_MS 30000u
#define STEADY_MS 30000u

static const char *const role_names[WA_SR_COUNT] = {"store", "front", "signer", "auth", "scan"};

const char *wa_server_role_name(enum wa_server_role r)
{
    return role_names[r];
}

const struct wa_chan_rule *wa_server_rules(enum wa_server_role from, enum wa_server_role to)
{
    static const struct wa_chan_rule none[] = {{0, NULL, 0, false}};
    static const struct wa_chan_rule front_store[] = {
        {WA_S_REQUEST, "request", WA_SERVER_BODY_MAX + 65536, false},
        {WA_S_HELLO, "hello", 128u << 10, false},
        {WA_S_ACK, "ack", 256, false},
        {WA_S_GONE, "gone", 256, false},
        {0, NULL, 0, false}};
    static const struct wa_chan_rule store_front[] = {
        {WA_S_ANSWER, "answer", WA_IPC_MESSAGE_MAX, false},
        {WA_S_ORDER, "order", WA_WS_MESSAGE_MAX, false},
        {WA_S_CLOSE, "close", 0, false},
        {0, NULL, 0, false}};
    static const struct wa_chan_rule store_signer[] = {
        {WA_S_SIGN, "sign", WA_SERVER_BODY_MAX, false}, {0, NULL, 0, false}};
    static const struct wa_chan_rule signer_store[] = {
        {WA_S_SIGNED, "signed", WA_IPC_MESSAGE_MAX, false}, {0, NULL, 0, false}};
    static const struct wa_chan_rule store_auth[] = {{WA_S_CHECK, "check", 4096, false},
                                                     {0, NULL, 0, false}};
    static const struct wa_chan_rule auth_store[] = {{WA_S_CHECKED, "checked", 16, false},
                                                     {0, NULL, 0, false}};
    static const struct wa_chan_rule store_scan[] = {{WA_S_SCAN, "scan", 8192, false},
                                                     {0, NULL, 0, false}};
    static const struct wa_chan_rule scan_store[] = {{WA_S_SCANNED, "scanned", 16384, false},
                                                     {0, NULL, 0, false}};
    if (to == WA_SR_STORE)
        return from == WA_SR_FRONT    ? front_store
               : from == WA_SR_SIGNER ? signer_store
               : from == WA_SR_AUTH   ? auth_store
               : from == WA_SR_SCAN   ? scan_store
                                      : none;
    if (from != WA_SR_STORE)
        return none;
    return to == WA_SR_FRONT    ? store_front
           : to == WA_SR_SIGNER ? store_signer
           : to == WA_SR_AUTH   ? store_auth
                                : store_scan;
}

bool wa_server_dispatch(int argc, char **argv, int *ret_status)
{
    static int (*const bodies[WA_SR_COUNT])(const char *) = {
        wa_server_store, wa_server_front, wa_server_signer, wa_server_auth, wa_server_scan};
    if (argc != 3 || strncmp(argv[1], "role:", 5) != 0)
        return false;
    for (size_t i = 0; i < WA_SR_COUNT; i++) {
        if (strcmp(argv[1] + 5, role_names[i]) != 0)
            continue;
        *ret_status = bodies[i](argv[2]);
        return true;
    }
    return false;
}

/* --- one generation of processes --- */

struct set {
    const struct wa_server_config *config;
    struct wa_proc procs[4 + FRONTS_MAX];
    size_t n;
};

static enum wa_code start_one(struct set *s, enum wa_server_role role, const int *fds,
                              size_t fd_count, struct wa_err *err)
{
    char arg[32];
    (void)snprintf(arg, sizeof arg, "role:%s", role_names[role]);
    const char *const argv[] = {"waptserver", arg, s->config->file, NULL};
    const struct wa_spawn what = {
        .argv = argv, .fds = fds, .fd_count = fd_count, .die_with_parent = true};
    if (wa_proc_spawn(&what, &s->procs[s->n], err) != WA_OK)
        return wa_wrap(err, "starting the %s process", role_names[role]);
    s->n++;
    return WA_OK;
}

static enum wa_code start_front(struct set *s, int channel, struct wa_err *err)
{
    int listener = -1;
    if (wa_listen_tcp(s->config->bind, (uint16_t)s->config->port, &listener, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, 1, 2, channel, listener};
    enum wa_code code = start_one(s, WA_SR_FRONT, fds, WA_COUNT(fds), err);
    wa_fd_close(&listener);
    return code;
}

static enum wa_code start_all(struct set *s, struct wa_err *err)
{
    static const enum wa_server_role helpers[] = {WA_SR_SIGNER, WA_SR_AUTH, WA_SR_SCAN};
    size_t fronts = (size_t)s->config->fronts, pairs = WA_COUNT(helpers) + fronts;
    int store_fds[FDS_MAX] = {-1, 1, 2};
    enum wa_code code = WA_OK;
    s->n = 0;
    for (size_t i = 0; code == WA_OK && i < pairs; i++) {
        int pair[2];
        code = wa_socketpair(pair, err);
        if (code != WA_OK)
            break;
        store_fds[3 + i] = pair[0];
        const int fds[] = {-1, 1, 2, pair[1]};
        code = i < WA_COUNT(helpers) ? start_one(s, helpers[i], fds, WA_COUNT(fds), err)
                                     : start_front(s, pair[1], err);
        wa_fd_close(&pair[1]);
    }
    if (code == WA_OK)
        code = start_one(s, WA_SR_STORE, store_fds, 3 + pairs, err);
    for (size_t i = 3; i < FDS_MAX; i++)
        if (store_fds[i] > 2)
            wa_fd_close(&store_fds[i]);
    return code;
}

static void end_all(struct set *s, int signum)
{
    for (size_t i = 0; i < s->n; i++)
        wa_proc_kill(&s->procs[i], signum);
    for (size_t i = 0; i < s->n; i++) {
        struct wa_exit e;
        struct wa_err err = WA_ERR_INIT;
        if (wa_proc_wait(&s->procs[i], 5000, &e, &err) == WA_E_AGAIN) {
            wa_err_clear(&err);
            wa_proc_kill(&s->procs[i], SIGKILL);
            if (wa_proc_wait(&s->procs[i], 5000, &e, &err) != WA_OK)
                wa_err_clear(&err);
        }
    }
    s->n = 0;
}

/* Index of a process that has ended, or -1. */
static int find_dead(struct set *s, struct wa_exit *ret)
{
    for (size_t i = 0; i < s->n; i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_proc_wait(&s->procs[i], 0, ret, &err) != WA_OK)
            continue;
        s->procs[i] = s->procs[--s->n];
        return (int)i;
    }
    return -1;
}

static volatile sig_atomic_t stopping;

static void on_signal(int signum)
{
    stopping = signum;
}

/* Until a signal, or until one has died. */
static void watch(struct set *s, const struct wa_log *log)
{
    while (stopping == 0) {
        struct wa_exit e;
        if (find_dead(s, &e) >= 0) {
            wa_log(log, WA_LOG_ERROR, "process.died",
                   WA_LF_S("how", e.kind == WA_EXIT_SIGNAL ? "signal" : "status"),
                   WA_LF_I("value", e.value));
            return;
        }
        (void)poll(NULL, 0, 100);
    }
}

enum wa_code wa_server_run(const struct wa_server_config *c, struct wa_err *err)
{
    struct set s = {.config = c};
    struct wa_log log;
    struct sigaction act = {.sa_handler = on_signal};
    uint64_t pause = PAUSE_FIRST_MS;
    wa_log_init(&log, STDERR_FILENO, WA_LOG_INFO, "waptserver");
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGINT, &act, NULL);
    while (stopping == 0) {
        uint64_t since = wa_clock_mono_ms();
        if (start_all(&s, err) != WA_OK) {
            end_all(&s, SIGKILL);
            return err->code;
        }
        wa_service_notify("READY=1");
        wa_log(&log, WA_LOG_INFO, "server.started", WA_LF_S("bind", c->bind),
               WA_LF_I("port", c->port), WA_LF_I("fronts", c->fronts));
        watch(&s, &log);
        end_all(&s, stopping != 0 ? SIGTERM : SIGKILL);
        if (stopping != 0)
            break;
        pause = wa_clock_mono_ms() - since > STEADY_MS ? PAUSE_FIRST_MS
                : pause * 2 > PAUSE_MAX_MS             ? PAUSE_MAX_MS
                                                       : pause * 2;
        for (uint64_t waited = 0; stopping == 0 && waited < pause; waited += 50)
            (void)poll(NULL, 0, 50);
    }
    return WA_OK;
}
