/* role_launcher.c - the agent's only unconfined process: starts the manager, and for it the other
 * children; reaps; kills.
 *
 * It reads nothing but messages of fixed size from the manager and decides nothing but whether they
 * follow their form. No child outlives the manager that asked for it: when the manager dies, all
 * trees are killed before the next one starts. A child's news of its end is sent only after its
 * whole tree is gone. Where the manager has a unit of its own (packaging/), it has connected
 * instead of having been started here, and this process lasts as long as the connection.
 */

#include "agent/launcher_priv.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/proc.h"
#include "os/service.h"

#define CHILDREN_MAX 32u      /* at the same time: one task, one network, a few questions to auth */
#define RESTART_FIRST_MS 250u /* ms, doubled with each death */
#define RESTART_MAX_MS 60000u /* ms */
#define STEADY_MS 60000u      /* ms after which a manager's death is a first one again */
#define STOP_TIMEOUT_MS 30000u /* ms for the manager to end its step when asked to stop */
#define REAP_MS 10000          /* ms for a killed process to go */
#define LOCK_PAUSE_MS 50u      /* ms between two looks at a lock that another one holds */
#define LOCK_TELL_TRIES 600u   /* looks, half a minute: then it is told again */
#define SERVICE_LOCK_TRIES 20u /* looks: beyond, another service holds it */

struct child {
    bool is_used, is_timed_out;
    uint32_t id;
    enum wa_role role;
    struct wa_proc proc;
    uint64_t deadline_ms; /* of the loop's clock; 0: none */
};

struct launcher {
    struct wa_launch launch;
    const char *const *manager_args; /* NULL: it is its own unit's, and no child of ours */
    struct wa_log log;
    struct wa_loop *loop;
    struct wa_timer *clock;   /* the nearest deadline of a child */
    struct wa_timer *restart; /* starts the next manager */
    struct wa_timer *stop;    /* ends a manager that does not */
    bool has_manager, is_stopping, is_over;
    struct wa_proc manager;
    struct wa_chan *chan;
    uint64_t manager_since_ms;
    uint32_t restart_ms;
    struct child children[CHILDREN_MAX];
    int lock_fd, service_fd;
    int pid;    /* our own: two launchers must not share a tree's name */
    int status; /* of the last manager */
};

static void log_failure(const struct launcher *l, const char *event, const struct wa_err *err)
{
    wa_log_err(&l->log, WA_LOG_ERROR, event, err);
}

static void kill_manager(struct launcher *l)
{
    if (l->has_manager) {
        wa_proc_kill(&l->manager, WA_PROC_KILL); /* SIGCHLD brings the rest */
    } else if (l->manager_args == NULL) {
        l->is_over = true; /* it learns that from its channel */
    }
}

static void post(struct launcher *l, enum wa_msg type, uint32_t id, const void *p, size_t n, int fd)
{
    struct wa_err err = WA_ERR_INIT;
    if (l->chan != NULL &&
        wa_chan_post(l->chan, (uint16_t)type, id, wa_sv_n(p, n), fd, &err) != WA_OK) {
        log_failure(l, "launcher.channel", &err);
        kill_manager(l);
    }
}

static void kill_tree(struct launcher *l, const struct child *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->proc.tree[0] != '\0' && wa_tree_kill(c->proc.tree, &err) != WA_OK) {
        log_failure(l, "launcher.kill", &err);
    }
}

static void kill_child(struct launcher *l, const struct child *c)
{
    wa_proc_kill(&c->proc, WA_PROC_KILL);
    kill_tree(l, c);
}

/* Sets the one timer to the nearest deadline. */
static void arm_clock(struct launcher *l)
{
    uint64_t nearest = 0, now = wa_loop_now_ms(l->loop);
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *c = &l->children[i];
        if (c->is_used && !c->is_timed_out && c->deadline_ms != 0 &&
            (nearest == 0 || c->deadline_ms < nearest)) {
            nearest = c->deadline_ms;
        }
    }
    if (nearest == 0) {
        wa_timer_stop(l->clock);
    } else {
        wa_timer_start(l->clock, nearest > now ? nearest - now : 0, 0);
    }
}

static void on_clock(void *user)
{
    struct launcher *l = user;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &l->children[i];
        if (c->is_used && !c->is_timed_out && c->deadline_ms != 0 &&
            c->deadline_ms <= wa_loop_now_ms(l->loop)) {
            c->is_timed_out = true;
            kill_child(l, c);
        }
    }
    arm_clock(l);
}

static void refuse(struct launcher *l, uint32_t id, const struct wa_err *err)
{
    struct wa_failed f = {.code = err->code};
    log_failure(l, "launcher.refused", err);
    (void)snprintf(f.text, sizeof f.text, "%.*s", (int)sizeof f.text - 1, err->text);
    post(l, WA_M_FAILED, id, &f, sizeof f, -1);
}

static struct child *free_slot(struct launcher *l, uint32_t id, struct wa_err *err)
{
    struct child *slot = NULL;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &l->children[i];
        if (!c->is_used) {
            slot = c;
        } else if (c->id == id) {
            (void)wa_fail(err, WA_E_REFUSED, "a start under the number of a running child");
            return NULL;
        }
    }
    if (slot == NULL) {
        (void)wa_fail(err, WA_E_BUSY, "more than %u children at the same time", CHILDREN_MAX);
    }
    return slot;
}

static void take_start(struct launcher *l, const struct wa_chan_msg *msg)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_start what;
    char tree[64];
    int fds[WA_LAUNCH_FDS];
    struct child c = {.is_used = true, .id = msg->id};
    struct child *slot = free_slot(l, msg->id, &err);
    if (slot == NULL || wa_launch_check(msg->payload, &what, &err) != WA_OK) {
        refuse(l, msg->id, &err);
        return;
    }
    c.role = (enum wa_role)what.role;
    (void)snprintf(tree, sizeof tree, "wapt-%d-%s-%u", l->pid, wa_role_name(c.role),
                   (unsigned)msg->id);
    if (wa_launch_child(&l->launch, &what, tree, &c.proc, fds, &err) != WA_OK) {
        refuse(l, msg->id, &err);
        return;
    }
    c.deadline_ms =
        what.timeout_s != 0 ? wa_loop_now_ms(l->loop) + (uint64_t)what.timeout_s * 1000 : 0;
    *slot = c;
    const struct wa_started started = {.pid = c.proc.pid};
    post(l, WA_M_STARTED, c.id, &started, sizeof started, fds[0]);
    for (size_t i = 1; i < WA_LAUNCH_FDS && fds[i] >= 0; i++) {
        post(l, WA_M_MORE_FD, c.id, NULL, 0, fds[i]);
    }
    for (size_t i = 0; i < WA_LAUNCH_FDS; i++) {
        wa_fd_close(&fds[i]);
    }
    arm_clock(l);
}

static void take_kill(struct launcher *l, const struct wa_chan_msg *msg)
{
    struct wa_kill k;
    if (msg->payload.n != sizeof k) {
        struct wa_err err = WA_ERR_INIT;
        (void)wa_fail(&err, WA_E_REFUSED, "a kill of the wrong size");
        log_failure(l, "launcher.refused", &err);
        return;
    }
    memcpy(&k, msg->payload.p, sizeof k);
    for (size_t i = 0; i < CHILDREN_MAX; i++) { /* one that has just ended is no error */
        if (l->children[i].is_used && l->children[i].id == k.start_id) {
            kill_child(l, &l->children[i]);
        }
    }
}

static void on_message(void *user, const struct wa_chan_msg *msg)
{
    if (msg->type == WA_M_START) {
        take_start(user, msg);
    } else if (msg->type == WA_M_KILL) {
        take_kill(user, msg);
    }
}

/* A manager without a channel, or one that broke the rules, is of no use. */
static void on_channel_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct launcher *l = user;
    if (code != WA_OK) {
        log_failure(l, "launcher.channel", err);
    }
    if (code != WA_OK || l->manager_args == NULL) {
        kill_manager(l);
    }
}

/* One that has connected. Whoever else can is root already; but this is no way around what another
 * process of root's has given up. */
static enum wa_code take_manager(struct launcher *l, int fd, struct wa_err *err)
{
    struct wa_peer peer;
    enum wa_code code = wa_local_peer(fd, &peer, err);
    if (code == WA_OK && (peer.uid != 0 || !wa_service_is_unit(peer.pid, WA_MANAGER_UNIT))) {
        code = wa_fail(err, WA_E_DENIED, "process %d of uid %u is not %s", peer.pid,
                       (unsigned)peer.uid, WA_MANAGER_UNIT);
    }
    if (code != WA_OK) {
        wa_fd_close(&fd);
        return code;
    }
    code = wa_chan_new(fd, wa_role_rules(WA_ROLE_MANAGER, WA_ROLE_LAUNCHER), &l->chan, err);
    return code == WA_OK ? wa_chan_attach(l->chan, l->loop, on_message, on_channel_end, l, err)
                         : code;
}

static void start_manager(void *user)
{
    struct launcher *l = user;
    struct wa_err err = WA_ERR_INIT;
    int fd = -1;
    enum wa_code code = wa_launch_manager(&l->launch, l->manager_args, &l->manager, &fd, &err);
    if (code == WA_OK) {
        l->has_manager = true;
        l->manager_since_ms = wa_loop_now_ms(l->loop);
        code = wa_chan_new(fd, wa_role_rules(WA_ROLE_MANAGER, WA_ROLE_LAUNCHER), &l->chan, &err);
    }
    if (code == WA_OK) {
        code = wa_chan_attach(l->chan, l->loop, on_message, on_channel_end, l, &err);
    }
    if (code == WA_OK) {
        return;
    }
    log_failure(l, "launcher.manager", &err);
    l->status = wa_code_exit(code);
    if (l->has_manager) {
        kill_manager(l);
    } else if (l->launch.is_once) {
        l->is_over = true;
    } else {
        wa_timer_start(l->restart, RESTART_MAX_MS, 0);
    }
}

static void child_gone(struct launcher *l, struct child *c, const struct wa_exit *e)
{
    kill_tree(l, c); /* what it left behind; its own number may be another's by now */
    const struct wa_ended ended = {.start_id = c->id,
                                   .is_signal = e->kind == WA_EXIT_SIGNAL,
                                   .value = e->value,
                                   .timed_out = c->is_timed_out};
    c->is_used = false;
    post(l, WA_M_ENDED, ended.start_id, &ended, sizeof ended, -1);
    arm_clock(l);
}

static void end_children(struct launcher *l)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit gone;
    wa_chan_free(l->chan);
    l->chan = NULL;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &l->children[i];
        if (c->is_used) {
            kill_child(l, c);
            if (wa_proc_wait(&c->proc, REAP_MS, &gone, &err) != WA_OK) {
                log_failure(l, "launcher.kill", &err);
            }
            wa_err_clear(&err);
            c->is_used = false;
        }
    }
}

static void manager_gone(struct launcher *l, const struct wa_exit *e)
{
    l->has_manager = false;
    end_children(l);
    l->status = e->kind == WA_EXIT_SIGNAL ? 128 + e->value : e->value;
    if (l->launch.is_once || l->is_stopping || l->status == 0) {
        l->is_over = true;
        return;
    }
    if (l->restart_ms == 0 || wa_loop_now_ms(l->loop) - l->manager_since_ms > STEADY_MS) {
        l->restart_ms = RESTART_FIRST_MS;
    } else {
        l->restart_ms = l->restart_ms < RESTART_MAX_MS / 2 ? l->restart_ms * 2 : RESTART_MAX_MS;
    }
    wa_log(&l->log, WA_LOG_ERROR, "launcher.manager_died", WA_LF_I("status", l->status),
           WA_LF_I("restart_ms", l->restart_ms));
    wa_timer_start(l->restart, l->restart_ms, 0);
}

static bool is_known(const void *user, int pid)
{
    const struct launcher *l = user;
    bool is_ours = l->has_manager && l->manager.pid == pid;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        is_ours = is_ours || (l->children[i].is_used && l->children[i].proc.pid == pid);
    }
    return is_ours;
}

static void on_child(void *user, int signum)
{
    struct launcher *l = user;
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_exit e;
    WA_UNUSED(signum);
    if (l->has_manager && wa_proc_wait(&l->manager, 0, &e, &ignored) == WA_OK) {
        manager_gone(l, &e);
    }
    wa_err_clear(&ignored);
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &l->children[i];
        if (c->is_used && wa_proc_wait(&c->proc, 0, &e, &ignored) == WA_OK) {
            child_gone(l, c, &e);
        }
        wa_err_clear(&ignored);
    }
    /* Orphans of the children's trees become ours (subreaper): without this they stay zombies. */
    wa_proc_reap_others(is_known, l);
}

static void on_stop_late(void *user)
{
    kill_manager(user);
}

static void on_stop(void *user, int signum)
{
    struct launcher *l = user;
    WA_UNUSED(signum);
    l->is_stopping = true;
    if (!l->has_manager) {
        l->is_over = true;
        return;
    }
    wa_proc_kill(&l->manager, WA_PROC_ASK);
    wa_timer_start(l->stop, STOP_TIMEOUT_MS, 0);
}

static void on_reload(void *user, int signum)
{
    struct launcher *l = user;
    WA_UNUSED(signum);
    if (l->has_manager)
        wa_proc_kill(&l->manager, WA_PROC_RELOAD);
}

static enum wa_code begin(struct launcher *l, struct wa_err *err)
{
    enum wa_code code = wa_proc_be_subreaper(err);
    if (code == WA_OK) {
        code = wa_loop_new(&l->loop, err);
    }
    if (code == WA_OK) {
        code = wa_timer_new(l->loop, on_clock, l, &l->clock, err);
    }
    if (code == WA_OK) {
        code = wa_timer_new(l->loop, start_manager, l, &l->restart, err);
    }
    if (code == WA_OK) {
        code = wa_timer_new(l->loop, on_stop_late, l, &l->stop, err);
    }
    if (code == WA_OK) {
        code = wa_loop_on_child(l->loop, on_child, l, err);
    }
    if (code == WA_OK) {
        code = wa_loop_on_stop(l->loop, on_stop, l, err);
    }
    if (code == WA_OK) {
        code = wa_loop_on_reload(l->loop, on_reload, l, err);
    }
    return code;
}

/* One launcher a base directory: two would run scripts at the same time. In db/, which nobody else
 * can open, let alone lock. A service holds both locks, a command only the first. */
#define LAUNCHER_LOCK "db/launcher.lock"
#define SERVICE_LOCK "db/service.lock"

static enum wa_code try_lock(const struct wa_dir *dir, const char *name, int *ret_fd,
                             struct wa_err *err)
{
    struct wa_relpath path;
    return wa_relpath_parse(wa_sv(name), &path, err) == WA_OK ? wa_dir_lock(dir, &path, ret_fd, err)
                                                              : err->code;
}

/* A service waits for a command of root's that works without it: had it failed instead, a look at
 * the packages while the machine starts would leave the machine without its agent. A stop ends us
 * here at once: nothing was started yet. */
static enum wa_code lock_as_service(struct launcher *l, const struct wa_dir *dir, const char *base,
                                    struct wa_err *err)
{
    unsigned tries = 0;
    /* A command holds this one for a moment, to look. */
    while (try_lock(dir, SERVICE_LOCK, &l->service_fd, err) == WA_E_BUSY &&
           ++tries < SERVICE_LOCK_TRIES) {
        wa_err_clear(err);
        wa_clock_sleep_ms(LOCK_PAUSE_MS);
    }
    if (err->code == WA_E_BUSY)
        return wa_fail(err, WA_E_BUSY, "another waptservice works in '%s'", base);
    for (tries = 0; err->code == WA_OK; tries++) {
        if (try_lock(dir, LAUNCHER_LOCK, &l->lock_fd, err) != WA_E_BUSY)
            break;
        if (tries % LOCK_TELL_TRIES == 0) {
            wa_service_notify("EXTEND_TIMEOUT_USEC=60000000");
            wa_log(&l->log, WA_LOG_INFO, "launcher.waits",
                   WA_LF_S("for", "a command of root's that works without the service"));
        }
        wa_err_clear(err);
        wa_clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return err->code;
}

/* A command leaves the base directory to a service that waits for it. */
static enum wa_code lock_as_command(struct launcher *l, const struct wa_dir *dir, const char *base,
                                    struct wa_err *err)
{
    if (try_lock(dir, LAUNCHER_LOCK, &l->lock_fd, err) == WA_OK)
        (void)try_lock(dir, SERVICE_LOCK, &l->service_fd, err);
    wa_fd_close(&l->service_fd);
    return err->code == WA_E_BUSY
               ? wa_fail(err, WA_E_BUSY,
                         "a waptservice, or another command of root's, works in '%s'", base)
               : err->code;
}

static enum wa_code lock_base(struct launcher *l, const char *base, bool once, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath db;
    if (wa_relpath_parse(WA_SV("db"), &db, err) != WA_OK ||
        wa_dir_make(base, 0755, &dir, err) != WA_OK ||
        wa_dir_make_sub(&dir, &db, 0700, err) != WA_OK)
        return err->code;
    return once ? lock_as_command(l, &dir, base, err) : lock_as_service(l, &dir, base, err);
}

/* fd: of a manager that has connected, -1: start one. */
static enum wa_code serve(struct launcher *l, const struct wa_agent_paths *paths, bool once, int fd,
                          struct wa_err *err)
{
    l->lock_fd = l->service_fd = -1;
    l->pid = wa_proc_own_pid();
    wa_log_init(&l->log, 2, once ? WA_LOG_WARNING : WA_LOG_INFO, "waptservice/launcher");
    enum wa_code code =
        wa_priv_is_root()
            ? lock_base(l, paths->base, once, err)
            : wa_fail(err, WA_E_DENIED, "cannot start the agent's processes: this needs root");
    if (code == WA_OK) {
        code = wa_launch_init(&l->launch, paths, once, &l->log, err);
    }
    l->launch.is_unit = l->manager_args == NULL;
    if (code == WA_OK) {
        code = begin(l, err);
    }
    if (code == WA_OK && fd < 0) {
        start_manager(l);
    } else if (code == WA_OK) {
        code = take_manager(l, fd, err);
    }
    while (code == WA_OK && !l->is_over) {
        code = wa_loop_turn(l->loop, -1, err);
    }
    end_children(l);
    wa_loop_free(l->loop);
    wa_fd_close(&l->lock_fd);
    wa_fd_close(&l->service_fd);
    return code;
}

enum wa_code wa_role_launcher(const struct wa_agent_paths *paths, const char *const *manager_args,
                              bool once, int *ret_status, struct wa_err *err)
{
    struct launcher l = {.manager_args = manager_args};
    if (serve(&l, paths, once, -1, err) == WA_OK) {
        *ret_status = l.status;
    }
    return err->code;
}

enum wa_code wa_role_launcher_of(const struct wa_agent_paths *paths, int fd, struct wa_err *err)
{
    struct launcher l = {.manager_args = NULL};
    return serve(&l, paths, false, fd, err);
}
