/* wake.h - who wakes whom: machines that are off are woken by connected ones of their own network,
 * and by the server itself where it reaches one of their networks. Both are one action, wake.
 *
 * What machines say of their networks is hostile: numbers of cards and addresses are checked, and
 * the worst that a lie does is a packet in the liar's own network, or in one that the server's
 * configuration lists (server/wake.h).
 */
#ifndef WA_CONSOLE_WAKE_H
#define WA_CONSOLE_WAKE_H

#include "console/hosts.h"

#define WA_WAKE_RELAYS_MAX 10u /* networks of one command */
#define WA_WAKE_TARGETS_MAX (WA_WAKE_RELAYS_MAX * WA_ACTION_MACS_MAX)

struct wa_wake_relay {
    struct wa_target by;
    const char *macs[WA_ACTION_MACS_MAX]; /* in the caller's arena, each once */
    size_t count;
};
struct wa_wake_direct { /* a machine that the server itself wakes */
    struct wa_target who;
    bool is_sent;         /* packets were */
    size_t cards;         /* that they were sent for */
    const char *networks; /* to which: "10.0.0.0/24, ..."; in the caller's arena; NULL: not yet */
};
struct wa_wake_plan {
    struct wa_wake_relay relays[WA_WAKE_RELAYS_MAX];
    size_t count;
    const char *reached;           /* networks that the server reaches, with commas; NULL: none */
    struct wa_wake_direct *direct; /* WA_WAKE_TARGETS_MAX, in the caller's arena */
    size_t direct_count;
};
/* Asks the server what it reaches itself; plan: all zero (wake_ask.c). */
WA_CHECK enum wa_code wa_wake_begin(struct wa_client *client, struct wa_wake_plan *p,
                                    struct wa_arena *arena, struct wa_err *err);
/* Adds the cards of one machine. host_info: as it describes itself. hosts: among whom a connected
 * one of the same network is looked for; one that has work already first. WA_E_NOT_FOUND: it has no
 * card, or nobody near is connected and the server reaches it neither; WA_E_LIMIT. */
WA_CHECK enum wa_code wa_wake_add(struct wa_wake_plan *p, const struct wa_host_list *hosts,
                                  const struct wa_target *who, const struct wa_json *host_info,
                                  struct wa_arena *arena, struct wa_err *err);
/* The same, with what the server knows of that machine (wake_ask.c). */
WA_CHECK enum wa_code wa_wake_ask(struct wa_client *client, struct wa_wake_plan *p,
                                  const struct wa_host_list *hosts, const struct wa_target *who,
                                  struct wa_arena *arena, struct wa_err *err);
/* Has the server wake those whom it wakes itself, and keeps what it says (wake_ask.c). What it did
 * not send is no error. */
WA_CHECK enum wa_code wa_wake_send(struct wa_client *client, struct wa_wake_plan *p,
                                   struct wa_arena *arena, struct wa_err *err);

#endif
