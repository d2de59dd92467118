/* rollout.h - how a roll-out goes forward: rings, thresholds, windows. Pure: no database, no clock.
 *
 * The plan is the server's, not signed: it only chooses the moment within what the statement
 * allows.
 *
 *   {"rings":[{"name":"pilot","machines":["<uuid>"]},{"name":"paris","members_of":["grp-paris"]},
 *             {"name":"first","percent":10},{"name":"all","percent":100}],
 *    "promote":"auto" or "hand","success_percent":95,"min_count":5,"min_time_s":3600,
 *    "error_percent":10,"error_count":1,"windows":"mon-fri 20:00-06:00"}
 *
 * A machine is in the first ring that has it. The percentage is of all machines, by a digest of
 * statement and machine: the same machine is always at the same place, and each roll-out begins
 * with others. The last ring takes all (percent 100).
 */
#ifndef WA_SERVER_ROLLOUT_H
#define WA_SERVER_ROLLOUT_H

#include "codec/json.h"
#include "pkg/windows.h"

struct wa_ring {
    struct wa_sv name;
    const struct wa_json *machines, *members_of; /* NULL: by percentage */
    int64_t percent;                             /* 1 to 100 */
};
struct wa_rollout_plan { /* lives in the arena of its JSON */
    struct wa_ring rings[WA_ROLLOUT_RINGS_MAX];
    size_t ring_count;
    bool by_hand; /* promoted by a person alone */
    int64_t success_percent, min_count, min_time_s, error_percent, error_count;
    struct wa_windows windows;
};
/* WA_E_USAGE or WA_E_INVALID for what is none. */
WA_CHECK enum wa_code wa_rollout_plan_read(const struct wa_json *j, struct wa_rollout_plan *ret,
                                           struct wa_err *err);
/* 0 to 99, from statement and machine. */
WA_CHECK enum wa_code wa_rollout_place(const char *statement, const char *uuid, int64_t *ret,
                                       struct wa_err *err);
/* The ring of a machine. names: what its host package says that it is in, separated by commas. */
size_t wa_rollout_ring(const struct wa_rollout_plan *p, const char *uuid, struct wa_sv names,
                       int64_t place);
/* Whether one of the names, separated by commas, is in the list. */
bool wa_rollout_lists(const struct wa_json *list, struct wa_sv names);

struct wa_ring_counts {          /* machines */
    int64_t total, done, failed; /* failed: refused too; what was cancelled, or waits for what is in
                                    use, is neither */
};
enum wa_rollout_verdict { WA_ROLLOUT_STAYS, WA_ROLLOUT_GOES_ON, WA_ROLLOUT_HALTS };
/* counts: of each ring. now - since: how long ring is open. forgiven: failures before somebody
 * resumed it. */
enum wa_rollout_verdict wa_rollout_judge(const struct wa_rollout_plan *p,
                                         const struct wa_ring_counts *counts, size_t ring,
                                         int64_t open_s, int64_t forgiven);

#endif
