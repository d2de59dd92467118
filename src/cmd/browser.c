/* browser.c - see browser.h. */
#include "cmd/browser.h"

#include "base/buf.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/proc.h"

#include <stdio.h>
#include <stdlib.h>

#define OPENER "/usr/bin/xdg-open"

enum wa_code wa_browser_run_dir(char out[WA_PATH_MAX], struct wa_err *err)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (base == NULL || base[0] != '/')
        return wa_path_of_config("run", out, err);
    return snprintf(out, WA_PATH_MAX, "%s/wapt", base) < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", "XDG_RUNTIME_DIR");
}

void wa_desktop_environment(struct wa_desktop *ret)
{
    static const char *const names[] = {"HOME",
                                        "PATH",
                                        "DISPLAY",
                                        "WAYLAND_DISPLAY",
                                        "XAUTHORITY",
                                        "XDG_RUNTIME_DIR",
                                        "XDG_CURRENT_DESKTOP",
                                        "XDG_DATA_DIRS",
                                        "XDG_CONFIG_HOME",
                                        "XDG_SESSION_TYPE",
                                        "DESKTOP_SESSION",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "BROWSER",
                                        "LANG",
                                        "USER",
                                        "TERM"};
    size_t n = 0;
    *ret = (struct wa_desktop){.envp = {NULL}};
    _Static_assert(WA_COUNT(names) == WA_DESKTOP_NAMES, "room for each");
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && snprintf(ret->text[n], sizeof ret->text[n], "%s=%s", names[i], value) <
                                 (int)sizeof ret->text[n]) {
            ret->envp[n] = ret->text[n];
            n++;
        }
    }
}

bool wa_desktop_is_there(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return (x != NULL && x[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
}

static enum wa_code start(const char *run_dir, const char *name, const char *link,
                          struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf page;
    struct wa_desktop desktop;
    char file[WA_PATH_MAX];
    const char *const argv[] = {"xdg-open", file, NULL};
    const int fds[] = {-1, -1, -1};
    struct wa_proc p;
    wa_desktop_environment(&desktop);
    wa_buf_init(&page, 4096);
    wa_buf_addf(&page,
                "<!doctype html><meta charset=utf-8><title>%s</title><meta "
                "http-equiv=refresh content=\"0;url=%s\">\n",
                name, link);
    if (snprintf(file, sizeof file, "%s/open-%s.html", run_dir, name) >= (int)sizeof file)
        return wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", run_dir);
    if (wa_buf_check(&page, err) != WA_OK ||
        wa_path_replace(file, wa_buf_sv(&page), 0600, err) != WA_OK)
        return err->code;
    const struct wa_spawn what = {
        .path = OPENER, .argv = argv, .envp = desktop.envp, .fds = fds, .fd_count = 3};
    return wa_proc_spawn(&what, &p, err);
}

enum wa_code wa_browser_show(const struct wa_cli *cli, const char *run_dir, const char *link,
                             struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "link-file", NULL);
    struct wa_err why = WA_ERR_INIT;
    if (file != NULL)
        return wa_path_replace(file, wa_sv(link), 0600, err);
    FILE *out = cli->json ? stderr : stdout; /* there is one object on stdout, and nothing else */
    if (fprintf(out, "%s\n", link) < 0 || fflush(out) != 0)
        return wa_fail(err, WA_E_IO, "cannot write to standard output");
    bool is_wanted = wa_desktop_is_there() && !wa_cli_has(cli, "no-browser");
    if (is_wanted && start(run_dir, cli->program->name, link, &why) == WA_OK)
        return WA_OK;
    if (is_wanted)
        wa_cli_say(cli, "no browser could be started: %s", why.text);
    wa_cli_say(cli, "open this link in a browser on this machine, within a minute: it works once");
    return WA_OK;
}
