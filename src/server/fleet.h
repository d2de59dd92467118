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

enum wa_fleet_key { /* what a list shows and sorts by; first the texts that machines say */
                    WA_FLEET_NAME,
                    WA_FLEET_FQDN,
                    WA_FLEET_OS,
                    WA_FLEET_STATUS,
                    WA_FLEET_AUDIT, /* the worst of its packages */
                    WA_FLEET_DESCRIPTION,
                    WA_FLEET_IPS,
                    WA_FLEET_USERS,
                    WA_FLEET_MANUFACTURER,
                    WA_FLEET_MODEL,
                    WA_FLEET_SERIAL,
                    WA_FLEET_AGENT, /* its version */
                    WA_FLEET_DOMAIN,
                    WA_FLEET_SITE,
                    WA_FLEET_UNIT,    /* organisational, as a distinguished name */
                    WA_FLEET_WINDOWS, /* in which it changes by itself; "": any time */
                    WA_FLEET_WAITS,   /* for what an upgrade that is due waits: "window", ... */
                    WA_FLEET_MACS,    /* with blanks between */
                    WA_FLEET_LAST_USER,
                    WA_FLEET_DN,           /* distinguished name in the directory */
                    WA_FLEET_REPOSITORIES, /* their addresses, with ';' between */
                    WA_FLEET_REGISTRATION, /* by what it was let in: "token", "administrator",
                                              "ticket", "key" */
                    WA_FLEET_TEXTS,
                    WA_FLEET_UUID = WA_FLEET_TEXTS,
                    WA_FLEET_REACHABLE,
                    WA_FLEET_LAST_SEEN,
                    WA_FLEET_REGISTERED_AT,
                    WA_FLEET_ERRORS,   /* packages that failed */
                    WA_FLEET_UPGRADES, /* packages that an upgrade would change */
                    WA_FLEET_ROOT,     /* the version of the root that it has accepted */
                    WA_FLEET_WINDOW,   /* when the window that goes on or comes next begins */
                    WA_FLEET_FROZEN,   /* until when; 0: not at all */
                    WA_FLEET_KEYS
};
/* "name", "fqdn"... as in the answers. */
const char *wa_fleet_key_name(enum wa_fleet_key k);
/* "-name" is descending. False for another text. */
bool wa_fleet_key_find(struct wa_sv text, enum wa_fleet_key *ret, bool *ret_descending);

/* When it may change by itself, s since 1970, as it says: the window that goes on or comes next.
 * window_end INT64_MAX: at any time; 0: never any more, or it has not said. */
struct wa_fleet_schedule {
    int64_t window_begin, window_end;
    int64_t frozen_until; /* 0: no freeze */
    int64_t utc_offset;   /* s that its clock on the wall is ahead */
    int64_t root_version; /* whom it trusts: 0: no root */
};

struct wa_fleet_host { /* borrowed: until the fleet changes */
    const char *uuid;
    int64_t number;                   /* in the database */
    int64_t registered_at, last_seen; /* s since 1970 */
    int64_t errors, upgrades;
    bool is_reachable;
    struct wa_fleet_schedule schedule;
    union {
        struct {
            const char *name, *fqdn, *os, *status, *audit, *description, *ips, *users,
                *manufacturer, *model, *serial, *agent, *domain, *site, *unit, *windows, *waits,
                *macs, *last_user, *dn, *repositories, *registration;
        };
        const char *texts[WA_FLEET_TEXTS]; /* the same, by key */
    };
};

/* Texts of p == NULL are left as they are, a schedule of NULL, and numbers below 0 too. Longer
 * texts are cut at 255 bytes. */
struct wa_fleet_change {
    union {
        struct {
            struct wa_sv name, fqdn, os, status, audit, description, ips, users, manufacturer,
                model, serial, agent, domain, site, unit, windows, waits, macs, last_user, dn,
                repositories, registration;
        };
        struct wa_sv texts[WA_FLEET_TEXTS];
    };
    int64_t registered_at, last_seen, number, errors, upgrades;
    const struct wa_fleet_schedule *schedule;
    struct wa_sv held, orderers; /* of wa_fleet_set_tags(): for those who change both */
};
#define WA_FLEET_UNCHANGED                                                                         \
    {                                                                                              \
        .registered_at = -1, .last_seen = -1, .number = -1, .errors = -1, .upgrades = -1           \
    }

/* Lower case, for ASCII and the Latin letters of U+00C0 to U+00DE: enough for names as people type
 * them. Never longer than before. */
void wa_fleet_fold(char *p, size_t n);
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
/* What a machine's reports take of the store's time is counted, and given back bit by bit: nobody
 * keeps it from the others by what it says, and how often. ms: as they pass, not a processor's,
 * since nobody else is served while its disk or PostgreSQL is waited for. now_ms: of
 * wa_clock_mono_ms(). */
void wa_fleet_took(struct wa_fleet *f, struct wa_sv uuid, uint64_t ms, uint64_t now_ms);
/* Whether it has taken no more than is good; true for a machine that is not there. */
bool wa_fleet_may_report(const struct wa_fleet *f, struct wa_sv uuid, uint64_t now_ms);
/* NULL: it is not there. */
const struct wa_fleet_host *wa_fleet_get(const struct wa_fleet *f, struct wa_sv uuid);
size_t wa_fleet_count(const struct wa_fleet *f);

/* --- names that machines have, several of each kind --- */
enum wa_fleet_tag {
    WA_FLEET_IN,       /* groups, profiles and units (perimeter.h), as is signed */
    WA_FLEET_HELD,     /* packages that stay as they are, as the machine says */
    WA_FLEET_ORDERERS, /* certificates whose orders it takes, as it says: SHA-256 */
    WA_FLEET_TAGS
};
/* In place of what was said before; names: separated by commas. Nothing happens for a machine that
 * is not there. Of what machines say themselves, WA_FLEET_SAID_MAX names count of each. */
WA_CHECK enum wa_code wa_fleet_set_tags(struct wa_fleet *f, struct wa_sv uuid,
                                        enum wa_fleet_tag tag, struct wa_sv names,
                                        struct wa_err *err);
/* All names that any machine ever had, numbered from 0; a number stays. */
size_t wa_fleet_name_count(const struct wa_fleet *f, enum wa_fleet_tag tag);
struct wa_sv wa_fleet_name(const struct wa_fleet *f, enum wa_fleet_tag tag, size_t i);

struct wa_fleet_view { /* the machines that have one of some names of a kind */
    bool *is_in;       /* by the name's number; owned */
    size_t n;
};
void wa_fleet_view_fini(struct wa_fleet_view *v);
/* The numbers of the machines in the view (of WA_FLEET_IN), added to set. */
WA_CHECK enum wa_code wa_fleet_numbers(const struct wa_fleet *f, const struct wa_fleet_view *v,
                                       struct wa_hostset *set, struct wa_err *err);
/* Whether the machine is there, and in the view. v: NULL for all. */
bool wa_fleet_sees(const struct wa_fleet *f, const struct wa_fleet_view *v, struct wa_sv uuid);

/* What a machine has of a kind, from 0; false after the last. */
bool wa_fleet_host_name(const struct wa_fleet *f, const struct wa_fleet_host *h,
                        enum wa_fleet_tag tag, size_t i, struct wa_sv *ret);

/* --- fleet_schedule.c --- */
enum wa_fleet_window {
    WA_WINDOW_ALL,    /* whatever it is */
    WA_WINDOW_NOW,    /* one goes on */
    WA_WINDOW_DAY,    /* the next one begins within a day */
    WA_WINDOW_LATER,  /* after that */
    WA_WINDOW_ANY,    /* at any time: it has no windows */
    WA_WINDOW_FROZEN, /* whatever its windows are, it is in a freeze */
    WA_WINDOW_NONE,   /* never any more, or it has not said */
    WA_WINDOWS
};
const char *wa_fleet_window_name(enum wa_fleet_window w); /* "", "now", "day"... */
bool wa_fleet_window_find(struct wa_sv text, enum wa_fleet_window *ret);
enum wa_fleet_window wa_fleet_window_of(const struct wa_fleet_schedule *s, int64_t now);
/* Where a window is over, the next one takes its place, by what the machine says of its windows. */
void wa_fleet_roll(struct wa_fleet *f, int64_t now);

/* --- fleet_find.c --- */
struct wa_fleet_range { /* of a number; all zero: any */
    int64_t first, last;
    bool is_asked;
    bool is_not; /* those outside it */
};
struct wa_fleet_query {
    const char *text;               /* words, each in one of the texts that people know a machine
                                       by, upper and lower case alike */
    bool is_not_text;               /* or rather those that lack one of the words */
    const char *is[WA_FLEET_TEXTS]; /* exactly; of statuses and audits one of several, with commas
                                       between; the unit, or one below it unless
                                       '=' stands before it. NULL or "": any */
    bool is_not[WA_FLEET_TEXTS];    /* all but those */
    bool is_reachable, is_unreachable; /* only those that are, only those that are not */
    const struct wa_hostset *only;     /* only those whose number is in it; NULL: all */
    const struct wa_fleet_view *view;  /* only those in it; NULL: all */
    const struct wa_fleet_view *has[WA_FLEET_TAGS]; /* and only those that have one of these */
    bool is_without[WA_FLEET_TAGS];                 /* or rather those that have none of them */
    struct wa_fleet_range ranges[WA_FLEET_KEYS];    /* of keys that are numbers */
    enum wa_fleet_window window;                    /* at now */
    bool is_not_window;                             /* any other than that one */
    int64_t now;                                    /* s since 1970 */
    int64_t seen_before;                            /* s since 1970; 0: any */
    int64_t seen_after;                             /* since that second; 0: any */
    enum wa_fleet_key key;                          /* equal ones are in the order of their uuid */
    bool is_descending;
    const char *after_value, *after_uuid; /* what follows a machine that has, or had, these in the
                                             order of the key; NULL: from the first */
    size_t offset, limit;
};
/* What the key of the machine is, as text; number: room for one that is no text. */
const char *wa_fleet_value(const struct wa_fleet_host *h, enum wa_fleet_key key, char number[24]);
/* page: room for limit. *ret_total: all that match, whatever the limit and after what. */
WA_CHECK enum wa_code wa_fleet_find(struct wa_fleet *f, const struct wa_fleet_query *q,
                                    const struct wa_fleet_host **page, size_t *ret_count,
                                    size_t *ret_total, struct wa_err *err);
struct wa_fleet_sums {
    size_t total, reachable, unseen, errors, to_upgrade, audit_errors, audit_warnings;
};
/* view: NULL for all. unseen: not since that second. */
void wa_fleet_sum(const struct wa_fleet *f, const struct wa_fleet_view *view, int64_t seen_before,
                  struct wa_fleet_sums *ret);
/* The machines that have a name like one of these, with commas between. ret: empty. */
WA_CHECK enum wa_code wa_fleet_view_like(const struct wa_fleet *f, enum wa_fleet_tag tag,
                                         struct wa_sv patterns, struct wa_fleet_view *ret,
                                         struct wa_err *err);
/* Tells how many of those that match have which text or number (by: a key), or which name (by:
 * WA_FLEET_KEYS and the tag), or are in which window (by: WA_FLEET_BY_WINDOW), in no order. */
#define WA_FLEET_BY_WINDOW (WA_FLEET_KEYS + (int)WA_FLEET_TAGS)
typedef void (*wa_fleet_count_fn)(void *user, struct wa_sv value, size_t n);
WA_CHECK enum wa_code wa_fleet_count_by(struct wa_fleet *f, const struct wa_fleet_query *q, int by,
                                        wa_fleet_count_fn fn, void *user, struct wa_err *err);

#endif
