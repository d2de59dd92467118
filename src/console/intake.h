/* intake.h - packages on their way into one's own repository: from another one, from files, or from
 * it itself to be signed anew. What is on its way lies in a private folder that goes at the end.
 *
 *     wa_intake_open(&options, &in, &err);      what is there, judged, and what is wanted of it
 *     wa_intake_fetch(in, i, &err);             the i-th of the plan, here and verified
 *     wa_intake_sign(in, i, signer, path, &err);
 *
 * Blocking; one thread. Nothing is told: the caller shows the plan.
 */
#ifndef WA_CONSOLE_INTAKE_H
#define WA_CONSOLE_INTAKE_H

#include "console/client.h"
#include "console/import.h"
#include "os/fs.h"

struct wa_intake_options {
    /* Where they come from, borrowed: base and "/" before a file's name; or a folder; or files. */
    struct wa_client *from;
    const char *base;
    const char *folder;
    char *const *files;
    size_t file_count;
    const char *const *file_names; /* how persons call them: a file that is no package is then
                                      refused by itself; NULL: by their paths */
    struct wa_trust *anchors;      /* borrowed; learns the index's revocation lists */
    struct wa_client *here;        /* the own server; NULL: what is there is not compared with */
    const struct wa_import_wish *wish; /* borrowed until the end */
};
struct wa_intake_refused { /* what no trusted signer stands for */
    struct wa_control entry;
    char *why;
};
struct wa_intake;
WA_CHECK enum wa_code wa_intake_open(const struct wa_intake_options *o, struct wa_intake **ret,
                                     struct wa_err *err);
void wa_intake_free(struct wa_intake *in);
WA_AUTO_DEFINE(wa_intake, wa_intake_free)
const struct wa_import_plan *wa_intake_plan(const struct wa_intake *in);
/* Those that the wish asks for by name, or all that are refused when it asks for none. Borrowed. */
const struct wa_intake_refused *wa_intake_refused(const struct wa_intake *in, size_t *ret_count);
/* What was judged: all that somebody trusted has signed there. Borrowed. */
const struct wa_index *wa_intake_there(const struct wa_intake *in);
/* After fetching: all that the i-th holds, below dir. */
WA_CHECK enum wa_code wa_intake_extract(struct wa_intake *in, size_t i, const struct wa_dir *dir,
                                        struct wa_err *err);
/* The index at base, as it comes: not judged. ret: initialised. */
WA_CHECK enum wa_code wa_intake_index(struct wa_client *c, const char *base, struct wa_index *ret,
                                      struct wa_err *err);
/* Fetches by another connection to the same place from now on: what it was opened with may be gone.
 */
void wa_intake_reach(struct wa_intake *in, struct wa_client *from);
/* A file of the own repository goes. */
WA_CHECK enum wa_code wa_intake_delete(struct wa_client *c, struct wa_sv file, struct wa_err *err);
/* The package that was signed anew or promoted goes, as it was before. ret_file (may be NULL):
 * which file that is, borrowed from item. */
WA_CHECK enum wa_code wa_intake_remove_old(struct wa_client *c, const struct wa_import_item *item,
                                           struct wa_sv *ret_file, struct wa_err *err);
/* Brings the package here and verifies it. ret_has_code (may be NULL): it has a setup.py. */
WA_CHECK enum wa_code wa_intake_fetch(struct wa_intake *in, size_t i, bool *ret_has_code,
                                      struct wa_err *err);
/* After that: its setup.py; empty when it has none. WA_E_LIMIT. */
WA_CHECK enum wa_code wa_intake_setup(const struct wa_intake *in, size_t i, struct wa_buf *out,
                                      struct wa_err *err);
/* Signs it as the plan says; signer NULL: it stays as it is. path: room for WA_PATH_MAX; lives
 * until the end. */
WA_CHECK enum wa_code wa_intake_sign(struct wa_intake *in, size_t i, const struct wa_signer *signer,
                                     char *path, struct wa_err *err);

/* --- intake_json.c --- */
/* What it is to have here. */
const char *wa_import_maturity(const struct wa_import_wish *wish,
                               const struct wa_import_item *item);
/* Members of an object. */
void wa_intake_write_item(const struct wa_import_wish *wish, const struct wa_import_item *item,
                          struct wa_jw *w);
/* Of what is not taken; names_files: what is refused is told by its file too. */
void wa_intake_write_rest(const struct wa_intake *in, bool names_files, struct wa_jw *w);

#endif
