/* scan_priv.h - between the files of a scan. */
#ifndef WA_REPO_SCAN_PRIV_H
#define WA_REPO_SCAN_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "os/fs.h"
#include "pkg/control.h"
#include "pkg/index.h"
#include "repo/scan.h"

/* --- scan_files.c --- */
struct wa_scan_file {
    char *name;
    struct wa_stat st;
};
struct wa_scan_files {
    WA_VEC(struct wa_scan_file);
};
/* The packages of a folder, sorted by name. */
WA_CHECK enum wa_code wa_scan_files_list(const struct wa_dir *dir, struct wa_scan_files *ret,
                                         struct wa_err *err);
bool wa_scan_files_has(const struct wa_scan_files *f, const char *name);
void wa_scan_files_fini(struct wa_scan_files *f);
/* Whether index and packages are those of the last scan that left nothing out; *ret_kept entries
 * are in the index then. Anything that can't be read is a no. */
bool wa_scan_is_same(const struct wa_dir *dir, const struct wa_scan_files *files, size_t *ret_kept);
/* Notes that they are, after a scan that left nothing out. */
WA_CHECK enum wa_code wa_scan_remember(const struct wa_dir *dir, const struct wa_scan_files *files,
                                       size_t kept, struct wa_err *err);

/* --- scan_icons.c --- */
/* Writes a package's icon to icons/<package_uuid>.png. One that is none, or too large, is as good
 * as absent: no package is left out for its icon. */
WA_CHECK enum wa_code wa_scan_icon(const struct wa_dir *dir, const struct wa_control *c,
                                   struct wa_members *m, struct wa_err *err);
/* The icons that are there; what is kept of them when a package is listed. dir must outlive it. */
struct wa_scan_icons {
    const struct wa_dir *dir;
    struct wa_map unlisted; /* package_uuid -> anything */
};
WA_CHECK enum wa_code wa_scan_icons_open(const struct wa_dir *dir, struct wa_scan_icons *ret,
                                         struct wa_err *err);
void wa_scan_icons_fini(struct wa_scan_icons *icons);
void wa_scan_icons_keep(struct wa_scan_icons *icons, const struct wa_control *c);
/* Removes those of packages that are not listed; files with other names stay. */
WA_CHECK enum wa_code wa_scan_icons_sweep(const struct wa_scan_icons *icons, struct wa_err *err);

#endif
