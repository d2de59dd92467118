/* software_names.h - what the titles of vendors are called: the rules, read once for many titles.
 */
#ifndef WA_SERVER_SOFTWARE_NAMES_H
#define WA_SERVER_SOFTWARE_NAMES_H

#include "base/arena.h"
#include "base/vec.h"
#include "sql/db.h"

struct wa_software_rule {
    const char *pattern; /* LIKE's, folded */
    const char *name;
};
struct wa_software_names {
    WA_VEC(struct wa_software_rule);
    struct wa_arena arena;
    bool is_read;
};
void wa_software_names_init(struct wa_software_names *n);
void wa_software_names_fini(struct wa_software_names *n);
/* The name of the first rule whose pattern is the whole title, capitals or not; the title itself
 * when none is. *ret_name: of n, or title. Reads the rules when it is asked first. */
WA_CHECK enum wa_code wa_software_name(struct wa_software_names *n, struct wa_db *db,
                                       const char *title, const char **ret_name,
                                       struct wa_err *err);
/* Calls all titles that are there as the rules say now. In the caller's transaction. */
WA_CHECK enum wa_code wa_software_rename_all(struct wa_db *db, struct wa_err *err);

#endif
