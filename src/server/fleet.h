/* fleet.h - the machines as lists need them, in memory: a few texts, when last seen, whether here.
 *
 * The database keeps the same columns, and fills this at the start; the store changes both
 * together. Finding is a walk over all of them in an order that is kept, which takes milliseconds
 * for 100,000 machines; SQL took some hundred.
 */
#ifndef WA_SERVER_FLEET_H
#define WA_SERVER_FLEET_H

#include "base/sv.h"
#include "server/hostset.h"

struct wa_fleet;

struct wa_fleet_host { /* borrowed: until the fleet changes */
    const char *uuid, *name, *fqdn, *os, *status;
    int64_t number;                   /* in the database */
    int64_t registered_at, last_seen; /* s since 1970 */
    bool is_reachable;
};

/* Texts of p == NULL are left as they are; registered_at, last_seen
 * and number below 0 too. Longer texts
 * are cut at 255 bytes. */
struct wa_fleet_change {
    struct wa_sv name, fqdn, os, status;
    int64_t registered_at, last_seen, number;
};
#define WA_FLEET_UNCHANGED                                                                         \
    {                                                                                              \
        .registered_at = -1, .last_seen = -1, .number = -1                                         \
    }

/* How many bytes of the text are kept. */
size_t wa_fleet_cut(struct wa_sv text);

WA_CHECK enum wa_code wa_fleet_new(struct wa_fleet **ret, struct wa_err *err);
void wa_fleet_free(struct wa_fleet *f);
WA_AUTO_DEFINE(wa_fleet, wa_fleet_free)
/* Adds the machine, or changes what is said of it. On failure nothing is changed. */
WA_CHECK enum wa_code wa_fleet_put(struct wa_fleet *f, struct wa_sv uuid,
                                   const struct wa_fleet_change *c, struct wa_err *err);
/* Nothing happens for a machine that is not there. now: when it was seen; below 0: not just now. */
void wa_fleet_set_reachable(struct wa_fleet *f, struct wa_sv uuid, bool is_reachable, int64_t now);
void wa_fleet_remove(struct wa_fleet *f, struct wa_sv uuid);
/* NULL: it is not there. */
const struct wa_fleet_host *wa_fleet_get(const struct wa_fleet *f, struct wa_sv uuid);
size_t wa_fleet_count(const struct wa_fleet *f);

/* --- what machines are in (perimeter.h): names of groups, profiles and units --- */
/* In place of what was said before; names: separated by commas. Nothing happens for a machine that
 * is not there. */
WA_CHECK enum wa_code wa_fleet_set_names(struct wa_fleet *f, struct wa_sv uuid, struct wa_sv names,
                                         struct wa_err *err);
/* All names that any machine was ever in, numbered from 0; a number stays. */
size_t wa_fleet_name_count(const struct wa_fleet *f);
struct wa_sv wa_fleet_name(const struct wa_fleet *f, size_t i);

struct wa_fleet_view { /* the machines that are in one of some names */
    bool *is_in;       /* by the name's number; owned */
    size_t n;
};
void wa_fleet_view_fini(struct wa_fleet_view *v);
/* The numbers of the machines in the view, added to set. */
WA_CHECK enum wa_code wa_fleet_numbers(const struct wa_fleet *f, const struct wa_fleet_view *v,
                                       struct wa_hostset *set, struct wa_err *err);
/* Whether the machine is there, and in the view. v: NULL for all. */
bool wa_fleet_sees(const struct wa_fleet *f, const struct wa_fleet_view *v, struct wa_sv uuid);

enum wa_fleet_key {
    WA_FLEET_NAME,
    WA_FLEET_FQDN,
    WA_FLEET_UUID,
    WA_FLEET_OS,
    WA_FLEET_STATUS,
    WA_FLEET_LAST_SEEN,
    WA_FLEET_KEYS
};
/* "name", "fqdn"...; "-name" is descending. False for another text. */
bool wa_fleet_key_find(struct wa_sv text, enum wa_fleet_key *ret, bool *ret_descending);

struct wa_fleet_query {
    const char *text;   /* words, each in one of the texts, upper and lower case alike */
    const char *status; /* exactly */
    const char *after;  /* uuids after this one. NULL or "" of these three: any */
    bool is_reachable, is_unreachable; /* only those that are, only those that are not */
    const struct wa_hostset *only;     /* only those whose number is in it; NULL: all */
    const struct wa_fleet_view *view;  /* only those in it; NULL: all */
    int64_t seen_before;               /* s since 1970; 0: any */
    enum wa_fleet_key key;
    bool is_descending;
    size_t offset, limit;
};
/* page: room for limit. *ret_total: all that match, whatever the limit. Equal ones are in the order
 * of their uuid. */
WA_CHECK enum wa_code wa_fleet_find(struct wa_fleet *f, const struct wa_fleet_query *q,
                                    const struct wa_fleet_host **page, size_t *ret_count,
                                    size_t *ret_total, struct wa_err *err);

#endif
