/* api_hostlist.h - the machines that a request means: filters, order and page of its parameters.
 */
#ifndef WA_SERVER_API_HOSTLIST_H
#define WA_SERVER_API_HOSTLIST_H

#include "server/api_page.h"
#include "server/search.h"

struct wa_api_hostlist { /* may be moved, until it is made ready */
    struct wa_api_page page;
    char is[WA_FLEET_TEXTS][256];
    struct wa_fleet_view views[WA_FLEET_TAGS];
    bool has_view[WA_FLEET_TAGS];
    struct wa_fleet_query query;
    unsigned lacks; /* of the inventory: enum wa_search_part, as bits */
};
void wa_api_hostlist_fini(struct wa_api_hostlist *l);
/* l: all zero; to be finished. WA_E_USAGE. */
WA_CHECK enum wa_code wa_api_hostlist_filters(const struct wa_api_call *c,
                                              struct wa_api_hostlist *l, struct wa_err *err);
/* Of the inventory, what is to be lacking, into the question: it must be asked for. WA_E_USAGE. */
WA_CHECK enum wa_code wa_api_hostlist_lacks(const struct wa_api_hostlist *l,
                                            struct wa_search_hosts *q, struct wa_err *err);
/* The page and the order as well. */
WA_CHECK enum wa_code wa_api_hostlist_read(const struct wa_api_call *c, int64_t limit,
                                           int64_t limit_max, struct wa_api_hostlist *l,
                                           struct wa_err *err);
/* Where l stands now. */
void wa_api_hostlist_ready(struct wa_api_hostlist *l);

/* What is counted under that name: for wa_fleet_count_by(). WA_E_USAGE. */
WA_CHECK enum wa_code wa_api_hostlist_by(struct wa_sv name, int *ret, struct wa_err *err);

#define WA_API_HOSTLIST_PARAMS                                                                     \
    {"search", "Words, each in a name, address, description, user, model, serial or identifier",   \
     false},                                                                                       \
        {"status", "Only machines of these statuses: OK, TO-UPGRADE, ERROR", false},               \
        {"audit", "Only machines whose audits say the worst of these: OK, WARNING, ERROR", false}, \
        {"errors", "Only machines with so many packages that failed: 2, >0, <=3", false},          \
        {"upgrades", "Only machines of whose packages an upgrade would change so many", false},    \
        {"group",                                                                                  \
         "Only machines in one of these groups, profiles or units (names of packages, "            \
         "with * and ?, and commas between)",                                                      \
         false},                                                                                   \
        {"unit",                                                                                   \
         "Only machines that say they are in this organisational unit, or below; with '=' before " \
         "it: in it alone",                                                                        \
         false},                                                                                   \
        {"os", "Only machines of exactly this system", false},                                     \
        {"site", "Only machines that say they are at this site", false},                           \
        {"domain", "Only machines of this domain", false},                                         \
        {"manufacturer", "Only machines of this manufacturer", false},                             \
        {"model", "Only machines of this model", false},                                           \
        {"agent", "Only machines with this version of the agent", false},                          \
        {"reachable", "1: only those that are connected; 0: only those that are not", true},       \
        {"seen_before", "Only those not seen since that second", true},                            \
        {"seen_after", "Only those seen since that second", true},                                 \
        {"window",                                                                                 \
         "Only machines in a maintenance window (now), whose next one begins within a day (day) "  \
         "or later (later), that have none (any: they change at any time) or no next one (none), " \
         "or that are in a freeze (frozen)",                                                       \
         false},                                                                                   \
        {"waits_for",                                                                              \
         "Only machines with an upgrade that is due and waits for one of these: window, freeze, "  \
         "power, unreadable",                                                                      \
         false},                                                                                   \
        {"held", "Only machines that hold one of these packages (with * and ?, commas between)",   \
         false},                                                                                   \
        {"orderer",                                                                                \
         "Only machines that take orders of one of these certificates (SHA-256, commas between)",  \
         false},                                                                                   \
        {"no_orderer", "Only machines that take orders of none of these certificates", false},     \
        {"not",                                                                                    \
         "Names of those of the filters that are given which are meant the other way round, "      \
         "with commas between: all machines but those; of search, status, audit, errors, "         \
         "upgrades, group, unit, os, site, domain, manufacturer, model, agent, window, "           \
         "waits_for, held, orderer, root, and software, package and hardware where they are "      \
         "filters",                                                                                \
         false},                                                                                   \
    {                                                                                              \
        "root",                                                                                    \
            "Only machines that have accepted the newest root of the repository (newest), an "     \
            "older one (older), or none (none)",                                                   \
            false                                                                                  \
    }

#endif
