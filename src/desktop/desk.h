/* desk.h - the self-service's local program: the catalogue of this machine, for the person at work
 * here, in a browser.
 *
 * It decides nothing and has no right of its own: it asks the agent over its local socket, where
 * the kernel says whose process it is, and shows the answers. Its only network is the page's
 * connection on loopback. docs/internals/selfservice.md has the calls of its interface.
 */
#ifndef WA_DESKTOP_DESK_H
#define WA_DESKTOP_DESK_H

#include "base/log.h"

struct wa_desk_options {
    const char *socket;    /* of the agent */
    const char *user;      /* the account's name, shown */
    const char *language;  /* of the pages: "en", "fr" */
    struct wa_sv logo;     /* a PNG; empty: none */
    const char *prefs_dir; /* where pages keep what a person has chosen; NULL: nowhere */
    int64_t idle_s;        /* without a page: then it ends */
    const char *run_dir;   /* where a second start finds the first; made with 0700 */
    const char *const *read_paths, *const *write_paths; /* NULL-terminated: all that it may still
                                                           open once it runs (os/priv.h) */
    const struct wa_log *log;
    /* The link is to be shown; before the program is confined. */
    enum wa_code (*on_link)(void *user, const char *link, struct wa_err *err);
    void *user_data;
};
/* Serves until it is idle or asked to end (SIGTERM, SIGINT). Where this person's program runs
 * already, it is asked for a link, and that is all. */
WA_CHECK enum wa_code wa_desk_run(const struct wa_desk_options *o, struct wa_err *err);

#endif
