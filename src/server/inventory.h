/* inventory.h - what a machine says of itself, as rows that can be searched: key facts of its
 * hardware, its software, its packages and what became of them (F1D).
 *
 * The sections themselves are kept whole beside it, for display; these rows are made of them, cut
 * to their caps, and replaced with them.
 */
#ifndef WA_SERVER_INVENTORY_H
#define WA_SERVER_INVENTORY_H

#include "proto/report.h"
#include "server/fleet.h"
#include "sql/db.h"

#define WA_INVENTORY_TEXT 255u /* bytes of one value */
struct wa_inventory_text {
    char p[WA_INVENTORY_TEXT + 1];
};
/* The text as a row has it: cut, and without control characters. */
void wa_inventory_clean(struct wa_sv text, struct wa_inventory_text *ret);

#define WA_VERSION_KEY 61u /* bytes with the NUL */
/* The numbers of a version in their order, each with ten digits, six of them: texts that compare as
 * the versions do, in either database and whatever its collation. */
void wa_inventory_version_key(struct wa_sv version, char ret[WA_VERSION_KEY]);

/* Takes a section of the machine into the rows that are made of it; nothing for another section.
 * host: the machine's number. Inside the caller's transaction. */
WA_CHECK enum wa_code wa_inventory_take(struct wa_db *db, int64_t host, enum wa_section section,
                                        const struct wa_json *content, int64_t now,
                                        struct wa_err *err);
/* What lists show of a section, added to c; texts are in arena. */
WA_CHECK enum wa_code wa_inventory_show(enum wa_section section, const struct wa_json *content,
                                        struct wa_arena *arena, struct wa_fleet_change *c,
                                        struct wa_err *err);
/* The same of the rows: columns of host_facts as f, in the order in which the next one takes them
 * from a row, from that column on. */
#define WA_INVENTORY_SHOWN                                                                         \
    "COALESCE(f.description, ''), COALESCE(f.ips, ''), COALESCE(f.users, ''), "                    \
    "COALESCE(f.manufacturer, ''), COALESCE(f.model, ''), COALESCE(f.serial, ''), "                \
    "COALESCE(f.agent_version, ''), COALESCE(f.domain, ''), COALESCE(f.site, ''), "                \
    "COALESCE(f.dn, ''), COALESCE(f.macs, ''), COALESCE(f.last_user, ''), COALESCE(f.dn, ''), "    \
    "COALESCE(f.repositories, '')"
#define WA_INVENTORY_SHOWN_COUNT 14
void wa_inventory_shown(struct wa_stmt *row, int column, struct wa_fleet_change *c);

/* --- inventory_policy.c: the same of what it goes by, and of how many packages are wrong --- */
WA_CHECK enum wa_code wa_inventory_policy_show(enum wa_section section,
                                               const struct wa_json *content,
                                               struct wa_arena *arena, struct wa_fleet_change *c,
                                               struct wa_err *err);
#define WA_INVENTORY_POLICY                                                                        \
    "COALESCE(f.windows, ''), COALESCE(f.waits, ''), COALESCE(f.held, ''), "                       \
    "COALESCE(f.orderers, ''), COALESCE(f.window_begin, 0), COALESCE(f.window_end, 0), "           \
    "COALESCE(f.frozen_until, 0), COALESCE(f.utc_offset, 0), COALESCE(f.root_version, 0), "        \
    "COALESCE(f.errors, 0), COALESCE(f.upgrades, 0)"
/* schedule: where c->schedule points to. */
void wa_inventory_policy_shown(struct wa_stmt *row, int column, struct wa_fleet_schedule *schedule,
                               struct wa_fleet_change *c);
/* What is older than it is kept goes, and titles that no machine has any more. */
WA_CHECK enum wa_code wa_inventory_forget(struct wa_db *db, int64_t now, struct wa_err *err);

/* --- between inventory.c and the files of its sections --- */
WA_CHECK enum wa_code wa_inventory_policy(struct wa_db *db, int64_t host,
                                          const struct wa_json *content, struct wa_err *err);
WA_CHECK enum wa_code wa_inventory_counts(struct wa_db *db, int64_t host, enum wa_section section,
                                          const struct wa_json *content, struct wa_err *err);
WA_CHECK enum wa_code wa_inventory_packages(struct wa_db *db, int64_t host,
                                            const struct wa_json *list, int64_t now,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_inventory_due(struct wa_db *db, int64_t host,
                                       const struct wa_json *last_update, struct wa_err *err);
WA_CHECK enum wa_code wa_inventory_software(struct wa_db *db, int64_t host,
                                            const struct wa_json *list, struct wa_err *err);

#endif
