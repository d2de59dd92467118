/* inventory_rows.h - a machine's rows by package, and what its list changes in them. */
#ifndef WA_SERVER_INVENTORY_ROWS_H
#define WA_SERVER_INVENTORY_ROWS_H

#include "server/inventory.h"

struct wa_inventory_row { /* how each kind begins */
    struct wa_inventory_text package, version;
    bool is_kept; /* the machine still names it */
};
struct wa_inventory_kind {
    size_t size;        /* bytes of a row */
    const char *select; /* of one machine (bound first): package, version, and what follows */
    /* What follows; NULL: nothing. */
    void (*from_row)(struct wa_stmt *s, struct wa_inventory_row *ret);
    /* One of the list, whatever its form; without a package it counts for nothing. */
    void (*from_list)(const struct wa_json *j, struct wa_inventory_row *ret);
    /* Of the same package and version; NULL: yes. */
    bool (*is_same)(const struct wa_inventory_row *a, const struct wa_inventory_row *b);
    /* was: NULL when it was not there. */
    enum wa_code (*changed)(void *user, const struct wa_inventory_row *was,
                            const struct wa_inventory_row *now, struct wa_err *err);
    enum wa_code (*gone)(void *user, const struct wa_inventory_row *was, struct wa_err *err);
};
/* Tells kind what list changes in the machine's rows. Inside the caller's transaction. */
WA_CHECK enum wa_code wa_inventory_rows(struct wa_db *db, int64_t host,
                                        const struct wa_inventory_kind *kind,
                                        const struct wa_json *list, void *user, struct wa_err *err);

#endif
