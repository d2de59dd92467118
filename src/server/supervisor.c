/* supervisor.c - starts the server's processes and watches them.
 *
 * When store, a front or signer dies, all are ended and started anew, after a pause that grows:
 * what they hold in memory hangs together, and agents come back by themselves. Any other is started
 * again by itself, likewise, and the store gets the channel to it: whoever crashes one of them by
 * what it reads disturbs nobody else, and finds the counters of wrong passwords as they were.
 * Listening sockets are made here, before anybody gives up the right to low ports.
 */
#include "base/log.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/listen.h"
#include "os/loop.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "os/service.h"
#include "server/authority.h"
#include "server/check.h"
#include "server/config.h"
#include "server/log_file.h"
#include "server/login_directory.h"
#include "server/metrics.h"
#include "server/role_oidc.h"
#include "server/roles.h"
#include "server/wake.h"

#define FRONTS_MAX 64
#define PROCS_MAX (WA_SR_COUNT + FRONTS_MAX)
#define PAUSE_FIRST_MS 250u
#define PAUSE_MAX_MS 30000u
#define STEADY_MS 30000u /* who has worked for so long is started again at once */

/* --- one generation of processes --- */

/* When one that has died is started again: at once when it had worked for a while, else later and
 * later. */
struct wait {
    uint64_t since_ms, pause_ms; /* it was started then; the last pause */
    uint64_t due_ms;             /* 0: it runs */
};

struct set {
    const struct wa_server_config *config;
    struct wa_proc procs[PROCS_MAX];
    enum wa_server_role roles[PROCS_MAX];
    size_t n;
    int ready[2]; /* [0] gets a byte from each process that can do its work */
    size_t waiting;
    struct wa_chan *store;          /* where it is told of the next process of a role */
    struct wait waits[WA_SR_COUNT]; /* of those who are started by themselves */
    struct wa_loop *loop;           /* for its signals: what else happens is looked at in turns */
    int err_fd;                     /* where the processes' logs go */
    struct wa_log_file log_file;
    bool is_stopping;
};

static uint64_t next_pause(struct wait *w)
{
    bool was_steady = wa_clock_mono_ms() - w->since_ms > STEADY_MS;
    w->pause_ms = was_steady || w->pause_ms == 0   ? PAUSE_FIRST_MS
                  : w->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS
                                                   : w->pause_ms * 2;
    return w->pause_ms;
}

static enum wa_code start_one(struct set *s, enum wa_server_role role, const int *fds,
                              size_t fd_count, struct wa_err *err)
{
    char arg[32];
    (void)snprintf(arg, sizeof arg, "role:%s", wa_server_role_name(role));
    const char *const argv[] = {"waptserver", arg, s->config->file, NULL};
    /* Those that know the whole fleet go all over their memory: in large pages, where there are. */
    static const char *const large_pages[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                                              "GLIBC_TUNABLES=glibc.malloc.hugetlb=1", NULL};
    bool is_large = role == WA_SR_FRONT || role == WA_SR_STORE;
    const struct wa_spawn what = {.argv = argv,
                                  .envp = is_large ? large_pages : NULL,
                                  .fds = fds,
                                  .fd_count = fd_count,
                                  .die_with_parent = true};
    if (wa_proc_spawn(&what, &s->procs[s->n], err) != WA_OK)
        return wa_wrap(err, "starting the %s process", wa_server_role_name(role));
    s->roles[s->n++] = role;
    return WA_OK;
}

/* One that talks to the store. *ret_theirs: the store's end of their channel. */
static enum wa_code start_helper(struct set *s, enum wa_server_role role, int *ret_theirs,
                                 struct wa_err *err)
{
    WA_AUTO_FD int listener = -1;
    WA_AUTO_FD int own = -1;
    int pair[2];
    if (role == WA_SR_FRONT &&
        wa_listen_tcp(s->config->bind, (uint16_t)s->config->port, &listener, err) != WA_OK)
        return err->code;
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    *ret_theirs = pair[0];
    own = pair[1];
    const int fds[] = {s->ready[1], 1, s->err_fd, own, listener};
    s->waits[role].since_ms = wa_clock_mono_ms();
    return start_one(s, role, fds, role == WA_SR_FRONT ? 5 : 4, err);
}

static enum wa_code start_store(struct set *s, const int *channels, size_t count,
                                struct wa_err *err)
{
    static const struct wa_chan_rule nothing[] = {{0, NULL, 0, false}};
    WA_AUTO_FD int theirs = -1;
    int pair[2], fds[4 + PROCS_MAX] = {s->ready[1], 1, s->err_fd, -1};
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    theirs = fds[3] = pair[0];
    memcpy(fds + 4, channels, count * sizeof *channels);
    return wa_chan_new(pair[1], nothing, &s->store, err) == WA_OK
               ? start_one(s, WA_SR_STORE, fds, 4 + count, err)
               : err->code;
}

static enum wa_code start_all(struct set *s, struct wa_err *err)
{
    const size_t helpers = WA_SR_COUNT - WA_SR_SIGNER, all = helpers + (size_t)s->config->fronts;
    int channels[PROCS_MAX];
    size_t n = 0;
    s->n = 0;
    s->waiting = all + 1;
    enum wa_code code = wa_socketpair(s->ready, err);
    if (code == WA_OK)
        code = wa_fd_set_nonblocking(s->ready[0], true, err);
    for (; code == WA_OK && n < all; n++) {
        channels[n] = -1;
        code = start_helper(s, n < helpers ? (enum wa_server_role)(WA_SR_SIGNER + n) : WA_SR_FRONT,
                            &channels[n], err);
    }
    if (code == WA_OK)
        code = start_store(s, channels, n, err);
    while (n > 0)
        wa_fd_close(&channels[--n]);
    return code;
}

/* The next process of a role. A store that can't be told is about to be found dead. */
static void start_again(struct set *s, enum wa_server_role role, const struct wa_log *log)
{
    struct wait *w = &s->waits[role];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_FD int theirs = -1;
    w->due_ms = 0;
    if (start_helper(s, role, &theirs, &err) == WA_OK &&
        wa_chan_send(s->store, WA_S_HELPER, role, WA_SV(""), theirs, &err) == WA_OK)
        return;
    wa_log_err(log, WA_LOG_ERROR, "process.not_started", &err);
    w->due_ms = wa_clock_mono_ms() + next_pause(w);
}

static void start_due(struct set *s, const struct wa_log *log)
{
    for (int role = WA_SR_SIGNER; role < WA_SR_COUNT; role++)
        if (s->waits[role].due_ms != 0 && wa_clock_mono_ms() >= s->waits[role].due_ms)
            start_again(s, (enum wa_server_role)role, log);
}

static void end_all(struct set *s, enum wa_proc_end how)
{
    for (size_t i = 0; i < s->n; i++)
        wa_proc_kill(&s->procs[i], how);
    for (size_t i = 0; i < s->n; i++) {
        struct wa_exit e;
        struct wa_err err = WA_ERR_INIT;
        if (wa_proc_wait(&s->procs[i], 5000, &e, &err) == WA_E_AGAIN) {
            wa_err_clear(&err);
            wa_proc_kill(&s->procs[i], WA_PROC_KILL);
            if (wa_proc_wait(&s->procs[i], 5000, &e, &err) != WA_OK)
                wa_err_clear(&err);
        }
    }
    s->n = 0;
    memset(s->waits, 0, sizeof s->waits);
    wa_chan_free(s->store);
    s->store = NULL;
    wa_fd_close(&s->ready[0]);
    wa_fd_close(&s->ready[1]);
}

/* A process that has ended, if one has. */
static bool find_dead(struct set *s, enum wa_server_role *ret_role, struct wa_exit *ret)
{
    for (size_t i = 0; i < s->n; i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_proc_wait(&s->procs[i], 0, ret, &err) != WA_OK)
            continue;
        *ret_role = s->roles[i];
        s->procs[i] = s->procs[--s->n];
        s->roles[i] = s->roles[s->n];
        return true;
    }
    return false;
}

static void on_stop(void *user, int signum)
{
    struct set *s = user;
    WA_UNUSED(signum);
    s->is_stopping = true;
}

/* At most so long, shorter when asked to stop. */
static void wait_ms(struct set *s, int ms)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_loop_turn(s->loop, ms, &err) != WA_OK)
        wa_clock_sleep_ms((uint32_t)ms); /* deaf to signals, but not spinning */
}

/* Tells the service manager once all can do their work. Who comes later says so too. */
static void take_ready(struct set *s, const struct wa_log *log)
{
    char bytes[16];
    ptrdiff_t n = wa_pipe_read(s->ready[0], bytes, sizeof bytes);
    if (n <= 0 || s->waiting == 0)
        return;
    s->waiting -= (size_t)n < s->waiting ? (size_t)n : s->waiting;
    if (s->waiting > 0)
        return;
    wa_service_notify("READY=1");
    wa_log(log, WA_LOG_INFO, "server.started", WA_LF_S("bind", s->config->bind),
           WA_LF_I("port", s->config->port), WA_LF_I("fronts", s->config->fronts));
}

/* The others end in good order when the store has gone: the one that failed is the one to tell of.
 */
static void find_culprit(struct set *s, enum wa_server_role *role, struct wa_exit *how)
{
    for (int tries = 0; tries < 20; tries++) {
        enum wa_server_role other;
        struct wa_exit e;
        if (how->kind != WA_EXIT_STATUS || how->value != 0)
            return;
        if (find_dead(s, &other, &e)) {
            *role = other;
            *how = e;
        } else {
            wa_clock_sleep_ms(25);
        }
    }
}

/* Until a signal, or until one has died that the others can't do without: then true, and how. */
static bool watch(struct set *s, const struct wa_log *log, enum wa_server_role *ret_role,
                  struct wa_exit *ret)
{
    while (!s->is_stopping) {
        take_ready(s, log);
        start_due(s, log);
        if (!find_dead(s, ret_role, ret)) {
            wait_ms(s, 100);
            continue;
        }
        find_culprit(s, ret_role, ret);
        struct wait *w = &s->waits[*ret_role];
        wa_log(log, WA_LOG_ERROR, "process.died",
               WA_LF_S("process", wa_server_role_name(*ret_role)),
               WA_LF_S("how", ret->kind == WA_EXIT_SIGNAL ? "signal" : "status"),
               WA_LF_I("value", ret->value));
        if (s->waiting > 0 || !wa_server_role_is_alone(*ret_role))
            return true;
        w->due_ms = wa_clock_mono_ms() + next_pause(w);
    }
    return false;
}

/* --- the server --- */

static enum wa_code of_status(int status)
{
    for (int i = 1; i < WA_CODE_COUNT; i++)
        if (wa_code_exit((enum wa_code)i) == status)
            return (enum wa_code)i;
    return WA_E_INTERNAL;
}

static enum wa_code check_certificates(const struct wa_server_config *c, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    struct wa_stat st;
    if (strcmp(c->certificate_name, "cn") != 0 && strcmp(c->certificate_name, "email") != 0 &&
        strcmp(c->certificate_name, "upn") != 0)
        return wa_fail(err, WA_E_CONFIG, "certificate_login_name takes cn, email or upn, not '%s'",
                       c->certificate_name);
    if (c->certificate_issuers[0] == '\0')
        return WA_OK;
    if (!c->certificate_login)
        return wa_fail(err, WA_E_CONFIG,
                       "certificate_login_authorities needs certificate_login = 1");
    return wa_server_path(c, c->certificate_issuers, path, err) == WA_OK &&
                   wa_path_stat(path, &st, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "certificate_login_authorities");
}

static enum wa_code check_roles(const struct wa_server_config *c, struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    WA_AUTO_ROLE_MAP struct wa_role_map provider;
    struct wa_oidc_settings oidc;
    wa_role_map_init(&map);
    wa_role_map_init(&provider);
    wa_oidc_settings_of(c, &oidc);
    if (wa_role_map_read(&map, "ldap_login_roles", c->ldap_roles, err) != WA_OK ||
        wa_role_map_read(&provider, "oidc_login_roles", c->oidc_roles, err) != WA_OK)
        return err->code;
    if (c->ldap_account[0] != '\0' && map.n == 0 && c->kerberos_unit[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "ldap_check_account needs ldap_login_roles or kerberos_unit");
    if (c->kerberos_login && (map.n == 0 || c->ldap_account[0] == '\0'))
        return wa_fail(err, WA_E_CONFIG,
                       "kerberos_login needs ldap_login_roles and ldap_check_account: the "
                       "directory says who has which role");
    if (map.n > 0 && c->ldap_servers[0] == '\0')
        return wa_fail(err, WA_E_CONFIG, "ldap_login_roles needs ldap_auth_server");
    if (c->oidc_issuer[0] != '\0' && provider.n == 0)
        return wa_fail(err, WA_E_CONFIG,
                       "oidc_issuer needs oidc_login_roles: who of its people uses this server");
    return c->oidc_issuer[0] == '\0' ? WA_OK : wa_oidc_check(&oidc, err);
}

/* What would make each start fail the same way is told at once, by its name. */
static enum wa_code check_start(struct set *s, struct wa_err *err)
{
    const struct wa_server_config *c = s->config;
    struct wa_wake_where wake;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    if (wa_server_need_rights(c, err) != WA_OK || wa_server_tls(c, &chain, &key, err) != WA_OK ||
        check_roles(c, err) != WA_OK || check_certificates(c, err) != WA_OK ||
        wa_wake_where_read(c->wol_ports, c->wol_networks, &wake, err) != WA_OK ||
        wa_server_timestamp_key(c->dir, err) != WA_OK || wa_authority_make(c->dir, err) != WA_OK ||
        wa_server_proxy_secret(c, err) != WA_OK ||
        wa_server_make_seal_key(c->dir, WA_PEOPLE_KEY, err) != WA_OK ||
        (c->oidc_issuer[0] != '\0' && wa_server_make_seal_key(c->dir, WA_OIDC_KEY, err) != WA_OK))
        return err->code;
    enum wa_code code = wa_listen_check(c->bind, (uint16_t)c->port, err);
    for (int tries = 0; code == WA_E_BUSY && tries < 20 && !s->is_stopping; tries++) {
        wa_err_clear(err); /* a server that is just ending keeps it for a moment */
        wait_ms(s, 100);
        code = wa_listen_check(c->bind, (uint16_t)c->port, err);
    }
    return code == WA_E_BUSY
               ? wa_fail(err, code, "%s: stop it, or choose another in '%s'", err->text, c->file)
               : code;
}

/* One generation. WA_E_AGAIN: it died after it had worked, and shall be started again. */
static enum wa_code run_once(struct set *s, const struct wa_log *log, bool is_first,
                             struct wa_err *err)
{
    enum wa_server_role who = WA_SR_STORE;
    struct wa_exit how = {WA_EXIT_STATUS, 0};
    if (start_all(s, err) != WA_OK) {
        end_all(s, WA_PROC_KILL);
        return err->code;
    }
    bool died = watch(s, log, &who, &how);
    bool never_worked = s->waiting > 0;
    end_all(s, s->is_stopping ? WA_PROC_ASK : WA_PROC_KILL);
    if (!died)
        return WA_OK;
    if (is_first && never_worked && how.kind == WA_EXIT_STATUS && how.value != 0)
        return wa_fail(err, of_status(how.value),
                       "the %s process could not start: its message is above",
                       wa_server_role_name(who));
    return WA_E_AGAIN;
}

static enum wa_code run(struct set *s, const struct wa_log *log, struct wa_err *err)
{
    struct wait all = {.pause_ms = 0};
    if (wa_loop_on_stop(s->loop, on_stop, s, err) != WA_OK || check_start(s, err) != WA_OK)
        return err->code;
    for (bool is_first = true; !s->is_stopping; is_first = false) {
        all.since_ms = wa_clock_mono_ms();
        enum wa_code code = run_once(s, log, is_first, err);
        if (code != WA_E_AGAIN)
            return code;
        uint64_t pause = next_pause(&all);
        for (uint64_t waited = 0; !s->is_stopping && waited < pause; waited += 50)
            wait_ms(s, 50);
    }
    return WA_OK;
}

enum wa_code wa_server_lock(const char *dir_path, int *ret_fd, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    if (wa_dir_open(dir_path, &dir, err) != WA_OK ||
        wa_relpath_parse(WA_SV("private/running"), &name, err) != WA_OK)
        return err->code;
    if (wa_dir_lock(&dir, &name, ret_fd, err) != WA_E_BUSY)
        return err->code;
    wa_err_clear(err);
    return wa_fail(err, WA_E_BUSY, "a server runs in '%s': stop it first", dir_path);
}

static void on_log(void *user, int events)
{
    struct set *s = user;
    WA_UNUSED(events);
    wa_log_file_take(&s->log_file);
}

/* Without a file the log goes to where the program's own goes: the service manager keeps it. */
static enum wa_code open_log(struct set *s, struct wa_log *log, struct wa_io **ret_io,
                             struct wa_err *err)
{
    const struct wa_server_config *c = s->config;
    char path[WA_PATH_MAX];
    s->err_fd = 2;
    if (c->log_file[0] == '\0' && c->syslog[0] == '\0')
        return WA_OK;
    path[0] = '\0';
    wa_syslog_open(&s->log_file.syslog, c->syslog);
    if ((c->log_file[0] != '\0' && wa_server_path(c, c->log_file, path, err) != WA_OK) ||
        wa_log_file_open(&s->log_file, path, (uint64_t)c->log_size << 20, (uint64_t)c->log_files,
                         log, err) != WA_OK ||
        wa_io_new(s->loop, s->log_file.pipe[0], on_log, s, ret_io, err) != WA_OK)
        return err->code;
    s->err_fd = s->log_file.pipe[1];
    return wa_io_set(*ret_io, WA_IO_READ, err);
}

enum wa_code wa_server_run(const struct wa_server_config *c, struct wa_err *err)
{
    WA_AUTO_FD int lock = -1;
    struct set s = {.config = c, .ready = {-1, -1}, .log_file = WA_LOG_FILE_INIT};
    struct wa_log log;
    struct wa_io *io = NULL;
    wa_log_init(&log, 2, WA_LOG_INFO, "waptserver");
    if (wa_server_lock(c->dir, &lock, err) != WA_OK || wa_loop_new(&s.loop, err) != WA_OK)
        return err->code;
    enum wa_code code = open_log(&s, &log, &io, err);
    if (code == WA_OK)
        code = run(&s, &log, err);
    if (io != NULL) {
        wa_log_file_take(&s.log_file); /* their last words */
        wa_io_free(io);
    }
    wa_log_file_close(&s.log_file);
    wa_loop_free(s.loop);
    return code;
}
