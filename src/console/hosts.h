/* hosts.h - the server's list of machines: which of them are meant, and their list as CSV.
 *
 * Every text in the list is what a machine, or the server, says: a name proves nothing, only a uuid
 * does.
 */
#ifndef WA_CONSOLE_HOSTS_H
#define WA_CONSOLE_HOSTS_H

#include "base/buf.h"
#include "base/vec.h"
#include "console/client.h"
#include "proto/action.h"

/* Machines, as GET /api/v1/hosts gives them page by page. They live in the pages' arena. */
struct wa_host_list {
    WA_VEC(const struct wa_json *);
};
void wa_host_list_fini(struct wa_host_list *l);
#define WA_AUTO_HOST_LIST WA_CLEANUP(wa_host_list_fini)
/* page: in the order of their uuids, after those that are there already; WA_E_INVALID otherwise. */
WA_CHECK enum wa_code wa_host_list_add(struct wa_host_list *l, const struct wa_json *page,
                                       struct wa_err *err);
/* What choosing machines and telling of them takes, and no more. */
#define WA_HOST_LIST_NAMES "&fields=name,fqdn,reachable,ips"
/* All that the query asks for ("&software=vim"; "": all), in the order of their uuids, in arena; l:
 * empty. */
WA_CHECK enum wa_code wa_host_list_read(struct wa_client *c, const char *query,
                                        struct wa_arena *arena, struct wa_host_list *l,
                                        struct wa_err *err);
/* The same by name. */
WA_CHECK enum wa_code wa_host_list_fetch(struct wa_client *c, const char *query,
                                         struct wa_arena *arena, struct wa_host_list *l,
                                         struct wa_err *err);
/* By name, for people, once it is whole. */
WA_CHECK enum wa_code wa_host_list_sort(struct wa_host_list *l, struct wa_err *err);

struct wa_target {
    char uuid[WA_UUID_MAX + 1];
    char name[256];    /* as the machine says; for people only */
    bool is_reachable; /* when the list was made */
    bool is_told;      /* for who shows results: this one's has been shown */
};
struct wa_targets {
    struct wa_target *items; /* owned */
    size_t count;
};
void wa_targets_fini(struct wa_targets *t);
#define WA_AUTO_TARGETS WA_CLEANUP(wa_targets_fini)
/* words: uuids, names, full names and patterns (* ? []), separated by commas; a pattern means all
 * that it matches, upper and lower case alike. Each machine once, in the list's order.
 * WA_E_NOT_FOUND for a word that means none, WA_E_CONFLICT for a name that several have,
 * WA_E_INVALID for a list that names a machine twice or by no proper uuid, WA_E_LIMIT above max. */
WA_CHECK enum wa_code wa_targets_choose(const struct wa_host_list *hosts, struct wa_sv words,
                                        size_t max, struct wa_targets *ret, struct wa_err *err);
/* By uuid, for wa_targets_find(). */
void wa_targets_sort(struct wa_targets *t);
/* In a sorted list; NULL: it is not one of them. */
struct wa_target *wa_targets_find(const struct wa_targets *t, struct wa_sv uuid);

struct wa_host_filter {
    const char *const *patterns;   /* of uuid, name or full name; one is enough */
    size_t pattern_count;          /* 0: all */
    const char *status, *os;       /* exact, pattern; NULL: any */
    bool is_not_status, is_not_os; /* any other than that */
    bool is_connected, is_disconnected;
    int64_t seen_before; /* last seen earlier than that; 0: whenever */
};
bool wa_host_matches(const struct wa_json *host, const struct wa_host_filter *f);

#endif
