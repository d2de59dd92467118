/* health.c - what is seen of the agent's health from the machine's files: rights, certificates,
 * room, the tools that it needs, its units, a reboot that is due.
 *
 * It looks and says; who mends is the start of the service, or a person. Run by root it sees all,
 * by others what they may; run by the manager it is confined as that is.
 */
#include "agent/health.h"

#include <stdarg.h>

#include "agent/auth_pam.h"
#include "agent/upgrade.h"
#include "base/text.h"
#include "os/priv.h"

#define DISK_FEW_BYTES (512u << 20)
#define DISK_NONE_BYTES (64u << 20)
#define UNITS "/etc/systemd/system/"

const char *wa_health_name(enum wa_health h)
{
    static const char *const names[] = {"good", "unknown", "warning", "error"};
    return names[h];
}

void wa_health_say(const struct wa_health_report *r, const char *what, enum wa_health h,
                   const char *remedy, const char *fmt, ...)
{
    char text[2 * WA_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), args);
    va_end(args);
    r->fn(r->user, what, h, text, remedy != NULL && h >= WA_HEALTH_WARNING ? wa_text(remedy) : "");
}

static bool is_there(const char *path)
{
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    return wa_path_stat(path, &st, &absent) == WA_OK;
}

/* --- room --- */

static void look_disk(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    uint64_t bytes = 0;
    struct wa_err err = WA_ERR_INIT;
    if (wa_path_free_bytes(c->base, &bytes, &err) != WA_OK) {
        wa_health_say(r, "disk", WA_HEALTH_ERROR, "look at its file system", "%s", err.text);
        return;
    }
    wa_health_say(r, "disk",
                  bytes < DISK_NONE_BYTES  ? WA_HEALTH_ERROR
                  : bytes < DISK_FEW_BYTES ? WA_HEALTH_WARNING
                                           : WA_HEALTH_GOOD,
                  "make room; 'wapt-get clean' removes downloaded packages",
                  "%llu MiB are free for '%s'", (unsigned long long)(bytes >> 20), c->base);
}

/* --- tools --- */

/* Root runs it: nobody else may be able to write it. */
static bool is_roots_file(const char *path, char text[WA_ERR_TEXT_MAX])
{
    WA_AUTO_FD int fd = -1;
    struct wa_stat st;
    struct wa_err err = WA_ERR_INIT;
    if (wa_path_open(path, &fd, &err) != WA_OK || wa_fd_stat(fd, &st, &err) != WA_OK) {
        (void)snprintf(text, WA_ERR_TEXT_MAX, "%s", err.text);
        return false;
    }
    if (st.is_file && st.uid == 0 && (st.mode & 0022u) == 0)
        return true;
    (void)snprintf(text, WA_ERR_TEXT_MAX, "'%.500s' is no file that root alone can write", path);
    return false;
}

static void look_scripts(const char *libdir, const struct wa_health_report *r)
{
    char runner[2 * WA_PATH_MAX], text[WA_ERR_TEXT_MAX];
    (void)snprintf(runner, sizeof runner, "%s/wapt_runner.py", libdir);
    if (!is_roots_file("/usr/bin/python3", text))
        wa_health_say(r, "scripts", WA_HEALTH_ERROR, "install the package python3", "%s", text);
    else if (!is_roots_file(runner, text))
        wa_health_say(r, "scripts", WA_HEALTH_ERROR, "install the agent's package again", "%s",
                      text);
    else
        wa_health_say(r, "scripts", WA_HEALTH_GOOD, NULL, "python3 and the runner are there");
}

static void look_passwords(const struct wa_health_report *r)
{
    const char *service = wa_pam_service();
    wa_health_say(r, "passwords", service != NULL ? WA_HEALTH_GOOD : WA_HEALTH_ERROR,
                  "put a PAM service 'wapt' into /etc/pam.d, as that of sudo",
                  service != NULL ? "asked of the PAM service '%s'"
                                  : "there is no PAM service to ask%s: nobody but root can install",
                  service != NULL ? service : "");
}

/* --- units --- */

static bool is_masked(const char *unit)
{
    char path[256];
    struct wa_stat st;
    struct wa_err ignored = WA_ERR_INIT;
    WA_AUTO_FD int fd = -1;
    (void)snprintf(path, sizeof path, UNITS "%s", unit);
    if (wa_path_stat(path, &st, &ignored) != WA_OK || !st.is_link)
        return false;
    return wa_path_open(path, &fd, &ignored) == WA_OK && wa_fd_stat(fd, &st, &ignored) == WA_OK &&
           !st.is_file; /* /dev/null */
}

static bool is_installed(const char *unit)
{
    char a[256], b[256];
    (void)snprintf(a, sizeof a, "/lib/systemd/system/%s", unit);
    (void)snprintf(b, sizeof b, UNITS "%s", unit);
    return is_there(a) || is_there(b);
}

static void look_units(const struct wa_health_report *r)
{
    static const char *const units[] = {"waptservice.service", "wapt-launcher.socket",
                                        "wapt-register.service", "wapt-upgrade.service"};
    if (!is_there("/run/systemd/system")) {
        wa_health_say(r, "units", WA_HEALTH_UNKNOWN, NULL, "systemd does not run here");
        return;
    }
    for (size_t i = 0; i < WA_COUNT(units); i++) {
        if (is_masked(units[i])) {
            wa_health_say(r, "units", WA_HEALTH_WARNING, "'systemctl unmask' it, if it shall work",
                          "%s is switched off (masked)", units[i]);
            return;
        }
        if (!is_installed(units[i])) {
            wa_health_say(r, "units", WA_HEALTH_WARNING, "install the agent's package again",
                          "%s is not installed", units[i]);
            return;
        }
    }
    if (!is_there(UNITS "multi-user.target.wants/waptservice.service"))
        wa_health_say(r, "units", WA_HEALTH_WARNING, "systemctl enable waptservice",
                      "waptservice does not start with the machine");
    else if (is_there(UNITS "waptservice.service.d") || is_there(UNITS "waptservice.service"))
        wa_health_say(r, "units", WA_HEALTH_WARNING,
                      "see 'systemctl cat waptservice', whether all of it is meant",
                      "waptservice.service is not as it was installed");
    else
        wa_health_say(r, "units", WA_HEALTH_GOOD, NULL, "installed, and started with the machine");
}

/* --- the rest --- */

static void look_reboot(const struct wa_health_report *r)
{
    bool is_due = is_there("/run/reboot-required") || is_there("/var/run/reboot-required");
    wa_health_say(r, "reboot", is_due ? WA_HEALTH_WARNING : WA_HEALTH_GOOD, "restart the machine",
                  is_due ? "the system asks for a reboot" : "none is due");
}

static void look_upgrade(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    WA_AUTO_DIR struct wa_dir base = WA_DIR_INIT;
    struct wa_upgrade_result last;
    struct wa_upgrade now;
    struct wa_err why = WA_ERR_INIT, absent = WA_ERR_INIT;
    if (wa_dir_open(c->base, &base, &why) != WA_OK)
        return; /* the rights say so */
    if (wa_upgrade_load(&base, &now, &absent) == WA_OK)
        wa_health_say(r, "agent-upgrade", WA_HEALTH_UNKNOWN, NULL, "one from %s to %s is under way",
                      now.from, now.to);
    else if (wa_upgrade_result_load(&base, &last, &why) == WA_OK)
        wa_health_say(r, "agent-upgrade",
                      strcmp(last.outcome, "upgraded") == 0 ? WA_HEALTH_GOOD : WA_HEALTH_WARNING,
                      "see the journal of wapt-upgrade; repair the package, and publish it again",
                      "the last one, from %s to %s: %s%s%.700s", last.from, last.to, last.outcome,
                      last.message[0] != '\0' ? ": " : "", last.message);
    else if (why.code == WA_E_NOT_FOUND)
        wa_health_say(r, "agent-upgrade", WA_HEALTH_GOOD, NULL, "none by a package yet");
    else
        wa_health_say(r, "agent-upgrade",
                      why.code == WA_E_DENIED ? WA_HEALTH_UNKNOWN : WA_HEALTH_WARNING,
                      "remove private/upgrade.json", "%s", why.text);
}

void wa_health_machine(const struct wa_agent_config *c, const char *libdir,
                       const struct wa_health_report *r)
{
    wa_health_rights(c, r);
    wa_health_certificates(c, r);
    look_disk(c, r);
    look_scripts(libdir, r);
    look_passwords(r);
    look_units(r);
    look_upgrade(c, r);
    look_reboot(r);
}
