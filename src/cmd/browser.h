/* browser.h - the link of a local program (net/local_site.h), brought to its person's browser.
 *
 * It holds a ticket that works once. Neither the browser's command line nor its environment, where
 * other users could see it, holds the link: a file of mode 0600 does, and leads there.
 */
#ifndef WA_CMD_BROWSER_H
#define WA_CMD_BROWSER_H

#include "cmd/cli.h"

/* What of this person's environment a program of the desktop needs. */
#define WA_DESKTOP_NAMES 16
struct wa_desktop {
    char text[WA_DESKTOP_NAMES][1024];
    const char *envp[WA_DESKTOP_NAMES + 1];
};
void wa_desktop_environment(struct wa_desktop *ret);
bool wa_desktop_is_there(void);

/* Where a person's running programs keep such files. */
WA_CHECK enum wa_code wa_browser_run_dir(char out[WA_PATH_MAX], struct wa_err *err);
/* Into the file of --link-file; else printed, and opened in a browser where there is a display and
 * no --no-browser. run_dir: exists, and is this person's alone. The program needs both options. */
WA_CHECK enum wa_code wa_browser_show(const struct wa_cli *cli, const char *run_dir,
                                      const char *link, struct wa_err *err);

#endif
