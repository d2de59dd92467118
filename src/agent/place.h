/* place.h - where the machine stands in its organisation, and the packages that are its own. */
#ifndef WA_AGENT_PLACE_H
#define WA_AGENT_PLACE_H

#include "agent/manager_priv.h"

/* --- place.c: where the machine stands in its organisation, for its unit and profile packages ---
 */
struct wa_place {
    const char *dn;   /* "CN=PC1,OU=...,DC=..."; "": not known */
    const char *site; /* "": not known */
    const char
        *groups; /* csv of the machine account's groups, sorted; "": none, or not asked for */
};
/* Asks the directory again, at most once an hour, from the task thread; may take a minute. A
 * failure is logged, and what was known stays. */
void wa_place_refresh(struct wa_manager *m);
/* As the configuration says, else as the directory said last: a directory that does not answer
 * takes nothing away. The texts live in arena. */
WA_CHECK enum wa_code wa_place_load(const struct wa_manager *m, struct wa_db *db,
                                    struct wa_arena *arena, struct wa_place *ret,
                                    struct wa_err *err);

/* --- assigned.c: the packages that are the machine's own --- */
struct wa_assigned {
    const char *names[WA_ASSIGNED_MAX]; /* the host package first, when the machine has a name */
    size_t n;
};
/* profiles: csv. The texts live in arena. WA_E_LIMIT: too many. */
WA_CHECK enum wa_code wa_assigned_names(const char *uuid, const char *profiles,
                                        const struct wa_place *place, struct wa_arena *arena,
                                        struct wa_assigned *ret, struct wa_err *err);
/* This machine's. */
WA_CHECK enum wa_code wa_assigned_load(const struct wa_manager *m, struct wa_db *db,
                                       struct wa_arena *arena, struct wa_assigned *ret,
                                       struct wa_err *err);

#endif
