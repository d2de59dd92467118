/* mirror_priv.h - between the files of a mirror. */
#ifndef WA_REPO_MIRROR_PRIV_H
#define WA_REPO_MIRROR_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "os/fs.h"
#include "pkg/index.h"
#include "repo/follow.h"
#include "repo/mirror.h"

struct wa_mirror_item {
    struct wa_sv name; /* of a file without a folder, ending in .wapt */
    uint64_t length;
    const char *sha256; /* "": no list says it */
    const struct wa_control *entry;
    char id[65]; /* of what is wanted under that name: another one is another file */
    bool is_new, is_refused;
};
struct wa_mirror_job {
    const struct wa_mirror_options *o;
    struct wa_mirror_result *ret;
    struct wa_dir dir, own;   /* own: ".mirror" in it, for this account alone */
    struct wa_follow *follow; /* NULL: there is no root */
    struct wa_trust *by_root; /* what it says about signers */
    struct wa_buf root, list, stamp, packed;
    struct wa_index index;
    struct {
        WA_VEC(struct wa_mirror_item);
    } items;
    struct wa_map wanted; /* name -> anything */
    struct wa_map had;    /* name -> id, in had_text, that was put in place, or GONE */
    struct wa_buf had_text;
};

/* --- mirror_files.c --- */
/* Which packages there are to be, from list and index. */
WA_CHECK enum wa_code wa_mirror_choose(struct wa_mirror_job *j, struct wa_err *err);
/* Fetches what is not there and judges it; it waits in `own`. */
WA_CHECK enum wa_code wa_mirror_fetch_all(struct wa_mirror_job *j, struct wa_err *err);
/* Puts what waits in its place. */
WA_CHECK enum wa_code wa_mirror_place(struct wa_mirror_job *j, struct wa_err *err);
/* After the index: what is wanted no more goes. */
WA_CHECK enum wa_code wa_mirror_sweep(struct wa_mirror_job *j, struct wa_err *err);
WA_CHECK enum wa_code wa_mirror_read_had(struct wa_mirror_job *j, struct wa_err *err);
/* Its text, lines of "ID NAME", into had: name -> where its line begins, in text. What is no name
 * of a package's file is passed over. */
WA_CHECK enum wa_code wa_mirror_had_parse(struct wa_sv text, struct wa_map *had,
                                          struct wa_err *err);

#endif
