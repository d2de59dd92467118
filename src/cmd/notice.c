/* notice.c - see the header. Nothing of root's reaches into a session: a file that root alone
 * writes is watched by each user's own systemd, and a user who doesn't want that masks the unit. */
#include "cmd/notice.h"

#include "agent/config.h"
#include "base/date.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"

#define WALL_MS 3000 /* for terminals that stand still */

enum wa_code wa_notice_run(const char *const *argv, int timeout_ms, bool *ret_is_good,
                           struct wa_err *err)
{
    const int fds[] = {-1, 2, 2};
    const struct wa_spawn s = {.path = argv[0],
                               .argv = argv,
                               .fds = fds,
                               .fd_count = WA_COUNT(fds),
                               .die_with_parent = true};
    struct wa_proc p;
    struct wa_exit end;
    if (wa_proc_spawn(&s, &p, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_proc_wait(&p, timeout_ms, &end, err);
    if (code == WA_E_AGAIN) {
        struct wa_err ignored = WA_ERR_INIT;
        wa_proc_kill(&p, WA_PROC_KILL);
        (void)!wa_proc_wait(&p, -1, &end, &ignored);
        wa_err_clear(err);
        return wa_fail(err, WA_E_TIMEOUT, "'%s' takes too long", argv[0]);
    }
    if (code == WA_OK)
        *ret_is_good = end.kind == WA_EXIT_STATUS && end.value == 0;
    return code;
}

static enum wa_code touch(const char *base, const char *name, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_DIR struct wa_dir run = WA_DIR_INIT;
    struct wa_relpath run_path, file;
    char date[WA_DATE_MAX];
    wa_date_isoutc(wa_clock_now(), 0, date);
    if (wa_relpath_parse(WA_SV("run"), &run_path, err) != WA_OK ||
        wa_relpath_parse(wa_sv(name), &file, err) != WA_OK ||
        wa_dir_open(base, &dir, err) != WA_OK ||
        wa_dir_make_sub(&dir, &run_path, 0755, err) != WA_OK ||
        wa_dir_open_sub(&dir, &run_path, &run, err) != WA_OK)
        return err->code;
    return wa_file_replace(&run, &file, wa_sv(date), 0644, err);
}

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

enum wa_code wa_notice_all(const char *config_file, const char *name, const char *text,
                           struct wa_err *err)
{
    const char *const wall[] = {"/usr/bin/wall", text, NULL};
    struct wa_agent_config c;
    struct wa_err untold = WA_ERR_INIT;
    bool ignored = false;
    if (wa_agent_config_load(config_file, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = touch(c.base, name, err);
    wa_agent_config_free(&c);
    (void)!wa_notice_run(wall, WALL_MS, &ignored, &untold);
    return code == WA_OK ? WA_OK : wa_wrap(err, "telling those who are at work");
}
