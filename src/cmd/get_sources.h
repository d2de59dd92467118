/* get_sources.h - folders with the sources of a package, as the packaging commands make them. */
#ifndef WA_CMD_GET_SOURCES_H
#define WA_CMD_GET_SOURCES_H

#include "cmd/get.h"
#include "os/fs.h"
#include "pkg/template.h"

/* A folder that is being made under another name in the place where it will stand; whoever looks
 * sees it whole or not at all. */
struct wa_get_sources {
    struct wa_dir parent, dir;   /* dir: the folder being made */
    struct wa_relpath temp;      /* its name for now */
    char final[WA_NAME_MAX + 1]; /* the name a person gave; "": by the control */
    char path[WA_PATH_MAX];      /* where it stands, after wa_get_sources_end() */
};
#define WA_GET_SOURCES_INIT                                                                        \
    {                                                                                              \
        WA_DIR_INIT, WA_DIR_INIT, {"", 0}, "", ""                                                  \
    }
/* given: the folder that a person named, else NULL for one in default_sources_root of the
 * configuration, else ~/waptdev. WA_E_EXISTS when a named one is there already. */
WA_CHECK enum wa_code wa_get_sources_begin(const struct wa_cli *cli, const char *given,
                                           struct wa_get_sources *s, struct wa_err *err);
/* Writes WAPT/control. */
WA_CHECK enum wa_code wa_get_sources_control(struct wa_get_sources *s, const struct wa_control *c,
                                             struct wa_err *err);
/* Copies a regular file (its mode 0644, or 0755 when it could be executed), or a folder with all
 * regular files below. A link or special file is WA_E_INVALID. */
WA_CHECK enum wa_code wa_get_sources_copy(struct wa_get_sources *s, int fd,
                                          const struct wa_relpath *name, struct wa_err *err);
WA_CHECK enum wa_code wa_get_sources_copy_dir(struct wa_get_sources *s, const struct wa_dir *from,
                                              const char *below, struct wa_err *err);
/* Fills it from what a person named: a folder with sources, or a package, a file's or the
 * repository's, which must be good by the anchors of the option "trusted" (get_sources_take.c).
 * ret: its control. Neither has a signature any more. */
WA_CHECK enum wa_code wa_get_sources_take(const struct wa_cli *cli, const char *given,
                                          struct wa_get_sources *s, struct wa_control *ret,
                                          struct wa_err *err);
/* The same for the name of a package of the repository, which waptconsole fetches (get_fetch.c). */
WA_CHECK enum wa_code wa_get_sources_fetch(const struct wa_cli *cli, const char *name,
                                           struct wa_get_sources *s, struct wa_control *ret,
                                           struct wa_err *err);
/* The options of both, for a command's table. */
#define WA_GET_SOURCES_OPTIONS                                                                     \
    {"trusted", 't', "DIR"}, {"server", 0, "URL"}, {"server-fingerprint", 0, "SHA256"},            \
    {                                                                                              \
        "verify-cert", 0, "FILE"                                                                   \
    }
/* Adds to the control's depends what of the comma list is not there yet. */
WA_CHECK enum wa_code wa_get_add_depends(struct wa_control *c, const char *list,
                                         struct wa_err *err);
/* Forgets what a signature had set. */
void wa_get_unsign(struct wa_control *c);
/* Gives the folder its name (formats.md 1.4) and place. WA_E_EXISTS when something is there. */
WA_CHECK enum wa_code wa_get_sources_end(const struct wa_cli *cli, struct wa_get_sources *s,
                                         const struct wa_control *c, struct wa_err *err);
/* Removes what was not finished. */
void wa_get_sources_fini(struct wa_get_sources *s);
#define WA_AUTO_GET_SOURCES WA_CLEANUP(wa_get_sources_fini)

/* Prefix, maturity and maintainer of new packages, from the configuration and the options
 * "maturity" and "maintainer". */
struct wa_get_defaults {
    char *prefix, *maturity, *maintainer; /* owned */
    struct wa_template_options options;   /* points into the above */
};
WA_CHECK enum wa_code wa_get_defaults_load(const struct wa_cli *cli, struct wa_get_defaults *ret,
                                           struct wa_err *err);
void wa_get_defaults_fini(struct wa_get_defaults *d);
#define WA_AUTO_GET_DEFAULTS WA_CLEANUP(wa_get_defaults_fini)
#define WA_GET_DEFAULTS_OPTIONS                                                                    \
    {"maintainer", 0, "TEXT"},                                                                     \
    {                                                                                              \
        "maturity", 0, "NAME"                                                                      \
    }

#endif
