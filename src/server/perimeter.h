/* perimeter.h - which machines a person sees and touches: those that are in one of the groups,
 * units or profiles of the person's perimeter; without a perimeter, all.
 *
 * What a machine is in stands in its own signed host package (the packages that it depends on), as
 * the scan process verified it at upload: the same names that agents judge orders by. What a
 * machine says of itself counts for nothing here, and a machine without a host package is in no
 * perimeter. A unit has everything below it.
 */
#ifndef WA_SERVER_PERIMETER_H
#define WA_SERVER_PERIMETER_H

#include "codec/json.h"
#include "server/fleet.h"

#define WA_PERIMETER_BYTES_MAX (32u << 10)   /* of its JSON */
#define WA_MEMBERSHIPS_BYTES_MAX (64u << 10) /* of the names that a machine is in */

/* A perimeter: {"groups":[...],"profiles":[...],"units":[...]}; a list may be missing, and with all
 * of them empty nothing is seen. Units are distinguished names or the names of their packages. */
struct wa_perimeter {
    struct wa_arena arena;
    const struct wa_json *names[2]; /* groups and profiles; NULL: none */
    const char **units;             /* as packages are named */
    size_t unit_count;
};
void wa_perimeter_init(struct wa_perimeter *p);
void wa_perimeter_fini(struct wa_perimeter *p);
#define WA_AUTO_PERIMETER WA_CLEANUP(wa_perimeter_fini)
/* p: initialised. WA_E_USAGE for what is none. */
WA_CHECK enum wa_code wa_perimeter_read(struct wa_perimeter *p, struct wa_sv json,
                                        struct wa_err *err);
/* Its one form, in which it is kept. */
void wa_perimeter_write(const struct wa_perimeter *p, struct wa_buf *out);
/* Whether the group, profile or unit of that package name is in it. */
bool wa_perimeter_names(const struct wa_perimeter *p, struct wa_sv name);
/* Whether something that is in these (names, separated by commas) is in it. */
bool wa_perimeter_has(const struct wa_perimeter *p, struct wa_sv names);

/* For lists (wa_fleet_query.view) and single machines (wa_fleet_sees()): p over the fleet as it is
 * now. Names that come into the fleet later are not in it. ret: initialised. */
WA_CHECK enum wa_code wa_perimeter_view(const struct wa_perimeter *p, const struct wa_fleet *f,
                                        struct wa_fleet_view *ret, struct wa_err *err);

/* The names of packages in a control's depends, separated by commas, each once: what is kept of a
 * host package. */
void wa_perimeter_of_depends(const char *depends, struct wa_buf *out);

#endif
