/* plan.h - what an install, an upgrade or a removal would do, and why. The rule it follows, and
 * what is preferred among possible plans: docs/formats/planning.md. */
#ifndef WA_PKG_PLAN_H
#define WA_PKG_PLAN_H

#include "pkg/request.h"

struct wa_installed {
    struct wa_control control; /* of the installed package */
    char status[64];           /* install_status: OK, UNKNOWN count as installed */
    bool is_explicit;          /* asked for by a person or an action, not only as a dependency */
};

enum wa_step_kind { WA_STEP_INSTALL, WA_STEP_UPGRADE, WA_STEP_REMOVE, WA_STEP_KEEP };
struct wa_step {
    enum wa_step_kind kind;
    const struct wa_control *to;     /* borrowed from available; NULL for REMOVE, KEEP */
    const struct wa_installed *from; /* borrowed from installed; NULL for a first install */
    char why[512]; /* "asked for", "needed by a(=1)", "newer than 1.0-1", "conflicts with b", "no
                      longer assigned" */
};

/* A line of an explanation; what is deeper says why the line above is so. */
struct wa_reason {
    unsigned depth;
    char *text; /* owned */
};

/* Something that can't be done, or not as well as could be wished. */
struct wa_problem {
    char package[WA_NAME_MAX + 1]; /* "": what was asked for is no requirement */
    size_t first, count;           /* of reasons; the first is the problem itself, of depth 0 */
};

struct wa_plan {
    struct wa_step *items; /* in the order of execution: removals, dependencies before dependents */
    size_t n, cap;
    struct wa_problem *problem_items;
    size_t problem_n, problem_cap;
    struct wa_reason *reasons;
    size_t reason_n, reason_cap;
    char *problems; /* the same, one line each, "" when none */
};
void wa_plan_init(struct wa_plan *p);
void wa_plan_fini(struct wa_plan *p);
#define WA_AUTO_PLAN WA_CLEANUP(wa_plan_fini)

struct wa_plan_input {
    const struct wa_control *available; /* whose signers are trusted, but see left_out */
    size_t available_count;
    const struct wa_installed *installed;
    size_t installed_count;
    const struct wa_host_caps *host;
    /* By index of available: why it must not be taken ("its signer is not trusted"); NULL items and
     * a NULL array: nothing speaks against it. What the host refuses is found here anyway. */
    const char *const *left_out;
    /* csv of "name", "name(>=2)", each with an optional " until 2026-12-31" (the day included): a
     * name alone is not touched at all, of others the versions that match are not taken. NULL:
     * nothing is held. Dates count by host->now. */
    const char *holds;
};
/* requests: requirement texts. force: reinstall what is there already. A request that can't be met
 * goes to problems and the others on. */
WA_CHECK enum wa_code wa_plan_install(const struct wa_plan_input *in, const char *const *requests,
                                      size_t count, bool force, struct wa_plan *ret,
                                      struct wa_err *err);
/* Everything newer, what host packages (names in host_packages) ask for, and removal of host, unit
 * and profile packages no longer assigned. */
WA_CHECK enum wa_code wa_plan_upgrade(const struct wa_plan_input *in,
                                      const char *const *host_packages, size_t count,
                                      struct wa_plan *ret, struct wa_err *err);
/* With what depends on them, dependents first. */
WA_CHECK enum wa_code wa_plan_remove(const struct wa_plan_input *in, const char *const *names,
                                     size_t count, struct wa_plan *ret, struct wa_err *err);
/* Why the packages that meet the request are not there and would not come with an install of it: a
 * problem for each that is not as good as installed, best first, at most limit. *ret_plan is the
 * plan of installing the request. */
WA_CHECK enum wa_code wa_plan_why_not(const struct wa_plan_input *in, const char *request,
                                      size_t limit, struct wa_plan *ret_plan,
                                      struct wa_plan *ret_why, struct wa_err *err);
/* Why a package is there, or would be after the plan: chains from what was asked for or assigned
 * down to it, in ret->reasons, one problem a chain. host_packages: as above. */
WA_CHECK enum wa_code wa_plan_why(const struct wa_plan_input *in, const char *name,
                                  const char *const *host_packages, size_t count,
                                  const struct wa_plan *plan, struct wa_plan *ret,
                                  struct wa_err *err);
/* Whether a text can stand in holds; else WA_E_INVALID with what is wrong. */
WA_CHECK enum wa_code wa_plan_hold_check(const char *holds, struct wa_err *err);
/* One item of holds: what stays as it is, and until which day, that day too ("": without end).
 * False for one whose day is missing. */
bool wa_plan_hold_split(struct wa_sv item, struct wa_sv *ret_what, struct wa_sv *ret_until);

#endif
