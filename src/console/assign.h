/* assign.h - what a package assigns and excludes, what it holds, its windows and freezes, changed
 * (assign.c); the same for many machines, each fetched, verified, signed and put back
 * (assign_hosts.c).
 */
#ifndef WA_CONSOLE_ASSIGN_H
#define WA_CONSOLE_ASSIGN_H

#include "console/client.h"
#include "console/hosts.h"
#include "os/fs.h"
#include "pkg/build.h"
#include "pkg/verify.h"

enum wa_assign_list {
    WA_ASSIGN_DEPENDS,
    WA_ASSIGN_CONFLICTS, /* what machines must not have */
    WA_ASSIGN_HELD,      /* what stays as it is */
    WA_ASSIGN_WINDOWS,
    WA_ASSIGN_FREEZES,
    WA_ASSIGN_LISTS
};
enum wa_attr wa_assign_attr(enum wa_assign_list l);
/* "assigned", "excluded"... for persons. */
const char *wa_assign_word(enum wa_assign_list l);

/* Comma lists of requirements, "" or NULL: none. What is removed is named without a version. Times
 * take the place of those that were: NULL: they stay, "": none any more. */
struct wa_assign_wish {
    const char *add, *remove;                     /* of depends */
    const char *add_conflicts, *remove_conflicts; /* of what it must not have */
    const char *hold, *unhold;                    /* "name(>=2) until 2026-12-31" */
    const char *windows, *freezes;                /* as machines read them (pkg/windows.h) */
};
bool wa_assign_is_empty(const struct wa_assign_wish *w);
/* WA_E_USAGE for a text that is no requirement, and for a name that is to come and to go;
 * WA_E_INVALID, WA_E_LIMIT for what no machine could read as a hold or a time. */
WA_CHECK enum wa_code wa_assign_check(const struct wa_assign_wish *w, struct wa_err *err);
struct wa_assign_row {
    enum wa_assign_list list;
    char *before, *after; /* owned; NULL before: it comes, NULL after: it goes */
};
struct wa_assign_diff {
    WA_VEC(struct wa_assign_row); /* none: nothing changes */
    char *lists[WA_ASSIGN_LISTS]; /* as they are then; owned */
};
void wa_assign_diff_init(struct wa_assign_diff *d);
void wa_assign_diff_fini(struct wa_assign_diff *d);
#define WA_AUTO_ASSIGN_DIFF WA_CLEANUP(wa_assign_diff_fini)
/* current: the package as it is; empty: none yet. A name counts once, whatever its version.
 * WA_E_CONFLICT when something that comes would be assigned and excluded. */
WA_CHECK enum wa_code wa_assign_apply(const struct wa_control *current,
                                      const struct wa_assign_wish *w, struct wa_assign_diff *ret,
                                      struct wa_err *err);
/* The control of a machine's first package, without what it assigns. */
WA_CHECK enum wa_code wa_assign_new_host(const char *uuid, struct wa_control *ret,
                                         struct wa_err *err);

/* --- assign_hosts.c --- */
struct wa_assign_host {
    const struct wa_target *target; /* borrowed */
    struct wa_control current;      /* empty: it has no package of its own */
    struct wa_assign_diff diff;
    char version[WA_NAME_MAX + 1]; /* the next one */
    char replaces[WA_SHA256_HEX];  /* of the file there, "none" */
    struct wa_verdict verdict;     /* of that file */
    bool is_written;               /* something changes, or is signed anew */
    struct wa_err why;             /* what is wrong with it, or became of it */
};
struct wa_assign_hosts {
    struct wa_assign_host *items; /* one for each target */
    size_t n;
    bool resigns; /* what is there is signed anew, although nothing changes: set after init */
    struct wa_scratch temp;
};
void wa_assign_hosts_fini(struct wa_assign_hosts *h);
#define WA_AUTO_ASSIGN_HOSTS WA_CLEANUP(wa_assign_hosts_fini)
WA_CHECK enum wa_code wa_assign_hosts_init(struct wa_assign_hosts *h, const struct wa_targets *t,
                                           struct wa_err *err);
/* Fetches the package that the i-th has, verifies it by anchors, and finds what would change. What
 * is wrong with that machine alone is in its why; the code is of what stops all: no memory, no
 * disk, no server. */
WA_CHECK enum wa_code wa_assign_look(struct wa_assign_hosts *h, size_t i, struct wa_client *c,
                                     const struct wa_trust *anchors, const struct wa_assign_wish *w,
                                     struct wa_err *err);
/* Signs and publishes it, if it is written. WA_E_EXISTS when the package there is another
 * one by now. The error is in why too. */
WA_CHECK enum wa_code wa_assign_put(struct wa_assign_hosts *h, size_t i, struct wa_client *c,
                                    const struct wa_signer *signer, struct wa_err *err);

#endif
