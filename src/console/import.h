/* import.h - which packages of another repository are wanted here, and under which names
 * (import.c); how a package of somebody else's becomes one's own (remake.c).
 *
 * Nothing of a foreign package is unpacked or run: its signature is verified whole, then its
 * members are copied as they are packed below new papers.
 */
#ifndef WA_CONSOLE_IMPORT_H
#define WA_CONSOLE_IMPORT_H

#include "pkg/build.h"
#include "pkg/index.h"
#include "pkg/request.h"

struct wa_import_wish {
    const struct wa_request *requests;
    size_t request_count;       /* 0: all */
    struct wa_host_caps filter; /* architecture, locales, maturities, os: what fits such machines */
    const char *signer;         /* name or fingerprint; NULL: any */
    const char *prefix;         /* of the names here; NULL: as there */
    const char *maturity;       /* here; NULL: as there */
    bool every_version;         /* not only the newest of each kind */
    bool only_newer;            /* than what is here */
    bool with_depends;          /* also what they need, unless it is here */
};
struct wa_import_item {
    const struct wa_control *entry;      /* borrowed from there */
    const struct wa_control *ours;       /* the newest of that name here, borrowed; NULL: none */
    const struct wa_control *needed_by;  /* NULL: asked for */
    char *package, *depends, *conflicts; /* as they shall be here; owned */
};
struct wa_import_plan {
    WA_VEC(struct wa_import_item); /* dependencies after what needs them */
    struct {
        WA_VEC(char *);
    } missing;            /* "tis-a(>=2), needed by tis-b": neither there nor here; owned */
    size_t current_count; /* left out: what is here is as new */
};
void wa_import_plan_init(struct wa_import_plan *p);
void wa_import_plan_fini(struct wa_import_plan *p);
#define WA_AUTO_IMPORT_PLAN WA_CLEANUP(wa_import_plan_fini)
/* there: judged already, and outlives the plan. here: what the own repository says that it has, for
 * comparison only; may be NULL. WA_E_NOT_FOUND for a request that nothing meets. */
WA_CHECK enum wa_code wa_import_choose(const struct wa_index *there, const struct wa_index *here,
                                       const struct wa_import_wish *wish,
                                       struct wa_import_plan *ret, struct wa_err *err);
/* The name with another prefix: what stands before the first '-'. A name without one keeps its. */
void wa_import_rename(const char *name, const char *prefix, struct wa_buf *out);

/* --- remake.c --- */
struct wa_remake {
    const struct wa_trust *anchors; /* whose signature counts on what comes in */
    const struct wa_control *entry; /* of the index that named it: it must be that very package */
    const char *package, *maturity, *depends, *conflicts; /* NULL: as they are */
};
/* Is the package at path what its entry says, whole, and signed by somebody who is trusted? v: as
 * wa_verify_package() leaves it; needed for signing. */
WA_CHECK enum wa_code wa_remake_verify(const char *path, const struct wa_remake *r,
                                       struct wa_verdict *v, struct wa_err *err);
/* Signs it anew in place, member by member what v lists (WA_E_CONFLICT otherwise). ret_path: room
 * for WA_PATH_MAX, its new name; may be path. */
WA_CHECK enum wa_code wa_remake_sign(const char *path, const struct wa_remake *r,
                                     const struct wa_verdict *v, const struct wa_signer *signer,
                                     char *ret_path, struct wa_err *err);

#endif
