/* upgrade.c - the process that replaces the agent by another version of itself, watches it, and
 * takes the old one back.
 *
 * It runs from a copy of the program below private/, which no installation touches, outside of what
 * the service owns. Each step can be repeated: the file of the state says which one comes next, so
 * that after a kill or a power cut the next start goes on. While the database is copied or put back
 * it holds the manager's lock, and a file keeps systemd from starting the service.
 */
#include "agent/upgrade.h"

#include "os/clock.h"
#include "os/priv.h"
#include "os/proc.h"

#define STARTS_MAX 5 /* a new version in whose tries the machine went off so often goes back */
#define STOP_S 300u  /* s: the service ends the step that runs */
#define LOCK_PAUSE_MS 100u
#define BACK_TRIES 30        /* times, and */
#define BACK_PAUSE_MS 10000u /* ms between them: somebody else's dpkg may run */

struct drive {
    const struct wa_upgrade_options *o;
    struct wa_log log;
    struct wa_dir base;
    struct wa_upgrade u;
    struct wa_upgrade_tools tools;
    int own_fd, manager_fd; /* locks */
};

static enum wa_code parse(const char *name, struct wa_relpath *ret, struct wa_err *err)
{
    return wa_relpath_parse(wa_sv(name), ret, err);
}

static enum wa_code remove_below(const struct wa_dir *base, const char *name, struct wa_err *err)
{
    struct wa_relpath path;
    return parse(name, &path, err) == WA_OK ? wa_tree_remove(base, &path, err) : err->code;
}

static enum wa_code reach(struct drive *d, enum wa_upgrade_step step, struct wa_err *err)
{
    d->u.step = step;
    return wa_upgrade_save(&d->base, &d->u, err);
}

/* --- the service --- */

static enum wa_code hold(struct drive *d, struct wa_err *err)
{
    struct wa_relpath path;
    return parse(WA_UP_HOLD, &path, err) == WA_OK
               ? wa_file_replace(&d->base, &path, WA_SV("the agent is being upgraded\n"), 0600, err)
               : err->code;
}

static enum wa_code lock_manager(struct drive *d, struct wa_err *err)
{
    struct wa_relpath path;
    uint64_t until = wa_clock_mono_ms() + STOP_S * 1000;
    if (d->manager_fd >= 0)
        return WA_OK;
    if (parse("db/lock", &path, err) != WA_OK)
        return err->code;
    while (wa_dir_lock(&d->base, &path, &d->manager_fd, err) == WA_E_BUSY &&
           wa_clock_mono_ms() < until) {
        wa_err_clear(err);
        wa_clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return err->code == WA_OK ? WA_OK : wa_wrap(err, "the service does not end");
}

static enum wa_code stop_service(struct drive *d, struct wa_err *err)
{
    const char *const argv[] = {"/bin/systemctl", "stop", d->o->unit, NULL};
    if (hold(d, err) != WA_OK)
        return err->code;
    if (d->o->unit != NULL) {
        if (wa_upgrade_run(&d->tools, argv, STOP_S, err) != WA_OK)
            return err->code;
    } else if (d->o->launcher > 0) {
        const struct wa_proc launcher = {.pid = d->o->launcher, .pidfd = -1};
        wa_proc_kill(&launcher, WA_PROC_ASK);
    }
    return lock_manager(d, err);
}

/* That it started is seen by who watches it, not by this. */
static void start_service(struct drive *d)
{
    const char *const argv[] = {"/bin/systemctl", "start", d->o->unit, NULL};
    const char *const run[] = {d->u.program, "run", "--config", d->u.config, NULL};
    const int fds[] = {-1, 2, 2};
    const struct wa_spawn s = {
        .path = d->u.program, .argv = run, .fds = fds, .fd_count = WA_COUNT(fds)};
    struct wa_proc p;
    struct wa_err err = WA_ERR_INIT;
    wa_fd_close(&d->manager_fd);
    enum wa_code code = remove_below(&d->base, WA_UP_HOLD, &err);
    if (code == WA_OK)
        code = d->o->unit != NULL ? wa_upgrade_run(&d->tools, argv, STOP_S, &err)
                                  : wa_proc_spawn(&s, &p, &err);
    if (code != WA_OK)
        wa_log_err(&d->log, WA_LOG_WARNING, "upgrade.start", &err);
}

/* --- the database --- */

/* With its journal, which a service that was killed has left. The last one is what counts, and
 * comes last. */
static const char *const db_files[] = {"waptagent.sqlite-wal", "waptagent.sqlite-shm",
                                       "waptagent.sqlite"};

static enum wa_code copy(struct drive *d, const char *from, const char *to, struct wa_err *err)
{
    char source[2 * WA_PATH_MAX], target[2 * WA_PATH_MAX];
    (void)snprintf(source, sizeof source, "%s/%s", d->o->base, from);
    (void)snprintf(target, sizeof target, "%s/%s", d->o->base, to);
    const char *const cp[] = {"/bin/cp", "--archive", "--", source, target, NULL};
    const char *const sync[] = {"/bin/sync", "--file-system", target, NULL};
    return wa_upgrade_run(&d->tools, cp, STOP_S, err) == WA_OK
               ? wa_upgrade_run(&d->tools, sync, STOP_S, err)
               : err->code;
}

static bool is_there(const struct wa_dir *base, const char *name)
{
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    return parse(name, &path, &absent) == WA_OK && wa_file_stat(base, &path, &st, &absent) == WA_OK;
}

static enum wa_code save_db(struct drive *d, struct wa_err *err)
{
    struct wa_relpath path;
    if (remove_below(&d->base, WA_UP_DIR "/db", err) != WA_OK ||
        parse(WA_UP_DIR "/db", &path, err) != WA_OK ||
        wa_dir_make_sub(&d->base, &path, 0700, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(db_files); i++) {
        char from[64], to[64];
        (void)snprintf(from, sizeof from, "db/%s", db_files[i]);
        (void)snprintf(to, sizeof to, WA_UP_DIR "/db/%s", db_files[i]);
        if (is_there(&d->base, from) && copy(d, from, to, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The journals of the version that failed go first: they belong to no other file. */
static enum wa_code restore_db(struct drive *d, struct wa_err *err)
{
    struct wa_relpath from, to;
    for (size_t i = 0; i < WA_COUNT(db_files); i++) {
        char saved[64], copied[64], name[64];
        (void)snprintf(saved, sizeof saved, WA_UP_DIR "/db/%s", db_files[i]);
        (void)snprintf(copied, sizeof copied, "db/back-%s", db_files[i]);
        (void)snprintf(name, sizeof name, "db/%s", db_files[i]);
        bool is_saved = is_there(&d->base, saved);
        if (is_saved ? copy(d, saved, copied, err) != WA_OK || parse(copied, &from, err) != WA_OK ||
                           parse(name, &to, err) != WA_OK ||
                           wa_file_rename(&d->base, &from, &d->base, &to, err) != WA_OK
                     : remove_below(&d->base, name, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- the end --- */

static enum wa_code finish(struct drive *d, const char *outcome, const char *message,
                           struct wa_err *err)
{
    struct wa_upgrade_result r = {.at = wa_clock_now()};
    (void)snprintf(r.outcome, sizeof r.outcome, "%s", outcome);
    (void)snprintf(r.package, sizeof r.package, "%s", d->u.package);
    (void)snprintf(r.sha256, sizeof r.sha256, "%s", d->u.sha256);
    (void)snprintf(r.from, sizeof r.from, "%s", d->u.from);
    (void)snprintf(r.to, sizeof r.to, "%s", d->u.to);
    (void)snprintf(r.message, sizeof r.message, "%s", message);
    bool is_good = strcmp(outcome, "upgraded") == 0;
    wa_log(&d->log, is_good ? WA_LOG_INFO : WA_LOG_ERROR, "upgrade.ended",
           WA_LF_S("outcome", outcome), WA_LF_S("from", d->u.from), WA_LF_S("to", d->u.to),
           WA_LF_S("message", message));
    /* First the hold: what is left of the rest then hinders nobody. */
    if (wa_upgrade_result_save(&d->base, &r, err) != WA_OK ||
        remove_below(&d->base, WA_UP_HOLD, err) != WA_OK ||
        remove_below(&d->base, WA_UP_STATE, err) != WA_OK)
        return err->code;
    return remove_below(&d->base, WA_UP_DIR, err);
}

/* --- the steps --- */

static void ask_before(struct drive *d)
{
    struct wa_upgrade_look look = {.pid = 0};
    d->u.was_connected = wa_upgrade_ask(&d->u, &look) && look.is_connected;
}

static enum wa_code prepare(struct drive *d, struct wa_err *err)
{
    if (wa_upgrade_keep_old(&d->tools, d->u.from, err) != WA_OK)
        return wa_wrap(err, "keeping the version that is installed");
    if (wa_upgrade_judge(&d->tools, d->u.from, d->u.to, err) != WA_OK)
        return err->code;
    ask_before(d);
    wa_log(&d->log, WA_LOG_INFO, "upgrade.begins", WA_LF_S("from", d->u.from),
           WA_LF_S("to", d->u.to), WA_LF_S("package", d->u.package));
    return reach(d, WA_UP_KEPT, err);
}

static enum wa_code give_up(struct drive *d, const struct wa_err *why, struct wa_err *err)
{
    (void)snprintf(d->u.why, sizeof d->u.why, "%s", why->text);
    wa_log_err(&d->log, WA_LOG_ERROR, "upgrade.failed", why);
    return reach(d, WA_UP_BACK, err);
}

static enum wa_code place(struct drive *d, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (stop_service(d, err) != WA_OK)
        return err->code;
    return wa_upgrade_install(&d->tools, "new.deb", &why) == WA_OK ? reach(d, WA_UP_PLACED, err)
                                                                   : give_up(d, &why, err);
}

static enum wa_code prove(struct drive *d, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    start_service(d);
    return wa_upgrade_watch(&d->u, &why) == WA_OK ? finish(d, "upgraded", "", err)
                                                  : give_up(d, &why, err);
}

static enum wa_code take_back(struct drive *d, struct wa_err *err)
{
    if (stop_service(d, err) != WA_OK)
        return err->code;
    for (int i = 0; wa_upgrade_install(&d->tools, "old.deb", err) != WA_OK && i < BACK_TRIES; i++) {
        wa_log_err(&d->log, WA_LOG_ERROR, "upgrade.back", err);
        wa_err_clear(err);
        wa_clock_sleep_ms(BACK_PAUSE_MS);
    }
    return err->code == WA_OK && restore_db(d, err) == WA_OK ? reach(d, WA_UP_RESTORED, err)
                                                             : err->code;
}

static enum wa_code end_back(struct drive *d, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    char text[WA_ERR_TEXT_MAX + 64];
    start_service(d);
    bool is_good = wa_upgrade_watch(&d->u, &why) == WA_OK;
    (void)snprintf(text, sizeof text, "%.700s%s%.200s", d->u.why,
                   is_good ? "" : "; nor does the version before: ", is_good ? "" : why.text);
    return finish(d, "returned", text, err);
}

/* Before the service was stopped nothing has happened yet. */
static enum wa_code refuse(struct drive *d, struct wa_err *err)
{
    struct wa_err why = *err;
    wa_err_clear(err);
    return finish(d, "refused", why.text, err);
}

static enum wa_code step(struct drive *d, struct wa_err *err)
{
    switch (d->u.step) {
    case WA_UP_HANDED:
        return prepare(d, err) == WA_OK ? WA_OK : refuse(d, err);
    case WA_UP_KEPT:
        if (stop_service(d, err) != WA_OK || save_db(d, err) != WA_OK) {
            start_service(d);
            return refuse(d, err);
        }
        return reach(d, WA_UP_SAVED, err);
    case WA_UP_SAVED:
        return place(d, err);
    case WA_UP_PLACED:
        return prove(d, err);
    case WA_UP_BACK:
        return take_back(d, err);
    case WA_UP_RESTORED:
    case WA_UP_STEPS:
        break;
    }
    return end_back(d, err);
}

static enum wa_code count_start(struct drive *d, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (++d->u.starts <= STARTS_MAX || d->u.step < WA_UP_SAVED || d->u.step >= WA_UP_BACK)
        return wa_upgrade_save(&d->base, &d->u, err);
    (void)wa_fail(&why, WA_E_FAILED, "the upgrade was interrupted %d times", STARTS_MAX);
    return give_up(d, &why, err);
}

static enum wa_code work(struct drive *d, struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_dir_open(d->o->base, &d->base, err) != WA_OK || parse(WA_UP_LOCK, &path, err) != WA_OK ||
        wa_dir_lock(&d->base, &path, &d->own_fd, err) != WA_OK)
        return err->code;
    if (wa_upgrade_load(&d->base, &d->u, err) != WA_OK || count_start(d, err) != WA_OK)
        return err->code;
    bool is_over = false;
    while (err->code == WA_OK && !is_over) {
        struct wa_stat st;
        struct wa_err absent = WA_ERR_INIT;
        if (step(d, err) != WA_OK || parse(WA_UP_STATE, &path, err) != WA_OK)
            return err->code;
        is_over = wa_file_stat(&d->base, &path, &st, &absent) == WA_E_NOT_FOUND;
    }
    return err->code;
}

enum wa_code wa_upgrade_drive(const struct wa_upgrade_options *o, struct wa_err *err)
{
    struct drive d = {.o = o, .base = WA_DIR_INIT, .own_fd = -1, .manager_fd = -1};
    if (!wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED, "an upgrade of the agent needs root");
    wa_log_init(&d.log, 2, WA_LOG_INFO, "waptservice/upgrade");
    (void)snprintf(d.tools.dir, sizeof d.tools.dir, "%s/" WA_UP_DIR, o->base);
    enum wa_code code = work(&d, err);
    if (code == WA_E_BUSY || code == WA_E_NOT_FOUND) { /* another one does it; nothing to do */
        wa_err_clear(err);
    } else if (code != WA_OK) {
        /* A machine without its agent can't be helped from afar: whatever there is starts. */
        wa_log_err(&d.log, WA_LOG_ERROR, "upgrade.stuck", err);
        start_service(&d);
    }
    wa_fd_close(&d.manager_fd);
    wa_fd_close(&d.own_fd);
    wa_dir_close(&d.base);
    return err->code;
}

/* --- without systemd --- */

enum wa_code wa_upgrade_detach(const char *base, int launcher, struct wa_err *err)
{
    char program[2 * WA_PATH_MAX], pid[24];
    struct wa_proc p;
    const int fds[] = {-1, 2, 2};
    (void)snprintf(program, sizeof program, "%s/" WA_UP_PROGRAM, base);
    (void)snprintf(pid, sizeof pid, "%d", launcher);
    const char *const argv[] = {program, "upgrade", "--base", base, "--launcher", pid, NULL};
    const struct wa_spawn s = {
        .path = program, .argv = argv, .fds = fds, .fd_count = WA_COUNT(fds)};
    return wa_proc_spawn(&s, &p, err);
}

enum wa_code wa_upgrade_meet(const char *base, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath lock;
    struct wa_err why = WA_ERR_INIT;
    if (wa_dir_open(base, &dir, &why) != WA_OK || !is_there(&dir, WA_UP_STATE))
        return WA_OK;
    if (parse(WA_UP_LOCK, &lock, err) != WA_OK)
        return err->code;
    if (wa_dir_lock(&dir, &lock, &fd, err) == WA_OK) { /* nobody is at it: the machine went off */
        wa_fd_close(&fd);
        return wa_upgrade_detach(base, wa_proc_own_pid(), err);
    }
    if (err->code != WA_E_BUSY)
        return err->code;
    wa_err_clear(err);
    while (is_there(&dir, WA_UP_HOLD))
        wa_clock_sleep_ms(LOCK_PAUSE_MS);
    return WA_OK;
}
