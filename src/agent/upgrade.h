/* upgrade.h - the agent's replacement by another version of itself, and the way back.
 *
 * The manager hands over a verified Debian package (upgrade_hand.c); a copy of the agent's own
 * program, which no installation replaces, does the rest (upgrade.c) as a process that neither
 * manager nor launcher owns. What has been done is written down before the next step begins: after
 * a power cut the same program goes on from there.
 */
#ifndef WA_AGENT_UPGRADE_H
#define WA_AGENT_UPGRADE_H

#include "base/log.h"
#include "base/mem.h"
#include "os/fs.h"

#define WA_UP_DIR "private/upgrade"            /* while one is under way */
#define WA_UP_PROGRAM WA_UP_DIR "/waptservice" /* the copy that does it */
#define WA_UP_NEW WA_UP_DIR "/new.deb"
#define WA_UP_STATE WA_UP_DIR "/state"
#define WA_UP_HOLD WA_UP_DIR "/hold" /* while it is there the service does not start (its unit) */
#define WA_UP_RESULT "private/upgrade.json" /* what became of the last one */
#define WA_UP_LOCK "db/upgrade.lock"
#define WA_UP_VERSION_MAX 128
#define WA_UP_FILE_MAX (16u << 10) /* bytes of state and result */

/* What has been reached; each step can be done again. */
enum wa_upgrade_step {
    WA_UP_HANDED,   /* the new package lies there */
    WA_UP_KEPT,     /* so does the old one */
    WA_UP_SAVED,    /* the service is stopped, its database copied */
    WA_UP_PLACED,   /* the new version is installed, and has to prove itself */
    WA_UP_BACK,     /* it did not: the old one has to come back */
    WA_UP_RESTORED, /* the old package and the old database are there again */
    WA_UP_STEPS
};

struct wa_upgrade {
    enum wa_upgrade_step step;
    char package[WA_NAME_MAX + 1];                       /* WAPT's, which brought it */
    char sha256[65];                                     /* of the Debian package */
    char config[WA_PATH_MAX];                            /* the agent's */
    char program[WA_PATH_MAX];                           /* waptservice, where it is installed */
    char from[WA_UP_VERSION_MAX], to[WA_UP_VERSION_MAX]; /* "": not known yet */
    bool was_connected;                                  /* to the server, before it began */
    int64_t starts;            /* of the program that does it: a power cut makes one more */
    char why[WA_ERR_TEXT_MAX]; /* why the new version is not kept */
};
/* WA_E_NOT_FOUND: none is under way. WA_E_INVALID. */
WA_CHECK enum wa_code wa_upgrade_load(const struct wa_dir *base, struct wa_upgrade *ret,
                                      struct wa_err *err);
/* Durable when it returns. */
WA_CHECK enum wa_code wa_upgrade_save(const struct wa_dir *base, const struct wa_upgrade *u,
                                      struct wa_err *err);

struct wa_upgrade_result {
    char outcome[16]; /* "upgraded", "returned", "refused" or "failed" */
    char package[WA_NAME_MAX + 1], sha256[65];
    char from[WA_UP_VERSION_MAX], to[WA_UP_VERSION_MAX];
    char message[WA_ERR_TEXT_MAX];
    int64_t at;
};
/* WA_E_NOT_FOUND: there was none. */
WA_CHECK enum wa_code wa_upgrade_result_load(const struct wa_dir *base,
                                             struct wa_upgrade_result *ret, struct wa_err *err);
WA_CHECK enum wa_code wa_upgrade_result_save(const struct wa_dir *base,
                                             const struct wa_upgrade_result *r, struct wa_err *err);
/* Its members, as JSON. */
struct wa_jw;
void wa_upgrade_result_write(const struct wa_upgrade_result *r, struct wa_jw *w);

/* --- upgrade.c: the process of its own --- */
struct wa_upgrade_options {
    const char *base; /* base directory */
    const char *unit; /* the service as a unit of systemd's; NULL: there is none */
    int launcher;     /* without a unit: process to be asked to end; 0: none runs */
};
/* Does what is under way to its end. WA_OK also when there is nothing to do, or another process
 * does it already. Needs root. */
WA_CHECK enum wa_code wa_upgrade_drive(const struct wa_upgrade_options *o, struct wa_err *err);
/* Without systemd, before the service starts: goes on with an upgrade that a power cut ended, or
 * waits for the one under way to let the service start. program: this one's path. */
WA_CHECK enum wa_code wa_upgrade_meet(const char *base, struct wa_err *err);
/* Starts the very program again, `upgrade` with these options, on its own. */
WA_CHECK enum wa_code wa_upgrade_detach(const char *base, int launcher, struct wa_err *err);

/* --- upgrade_deb.c: dpkg --- */
#define WA_UP_DEB "wapt-agent" /* the Debian package */
struct wa_upgrade_tools {
    char dir[2 * WA_PATH_MAX]; /* WA_UP_DIR, absolute */
    char said[512];            /* the end of what the last program said */
};
/* Runs a program to its end, at most timeout_s. WA_E_FAILED with its status and last words. */
WA_CHECK enum wa_code wa_upgrade_run(struct wa_upgrade_tools *t, const char *const *argv,
                                     uint32_t timeout_s, struct wa_err *err);
/* The version in dir's new.deb. WA_E_REFUSED: it is no newer one of this very package. */
WA_CHECK enum wa_code wa_upgrade_judge(struct wa_upgrade_tools *t, const char *from,
                                       char ret_to[WA_UP_VERSION_MAX], struct wa_err *err);
/* Makes old.deb from what is installed: so there is no version to return to that was not. */
WA_CHECK enum wa_code wa_upgrade_keep_old(struct wa_upgrade_tools *t,
                                          char ret_from[WA_UP_VERSION_MAX], struct wa_err *err);
/* file: name in dir. */
WA_CHECK enum wa_code wa_upgrade_install(struct wa_upgrade_tools *t, const char *file,
                                         struct wa_err *err);

/* --- upgrade_watch.c --- */
struct wa_upgrade_look {
    int pid;
    bool is_connected, is_program; /* to its server; it is the program of that path */
};
/* What the service says of itself within two seconds. False: nothing. */
bool wa_upgrade_ask(const struct wa_upgrade *u, struct wa_upgrade_look *ret);
/* Waits until the installed program has answered for some seconds on end, connected if it has to
 * be. WA_E_TIMEOUT saying what was missing. */
WA_CHECK enum wa_code wa_upgrade_watch(const struct wa_upgrade *u, struct wa_err *err);

#endif
