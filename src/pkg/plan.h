/* plan.h - what an install, an upgrade or a removal would do, and why (formats.md 2.7). */
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
    const struct wa_control *to;     /* borrowed from available; NULL for REMOVE */
    const struct wa_installed *from; /* borrowed from installed; NULL for a first install */
    char why[512]; /* "asked for", "needed by a(=1)", "newer than 1.0-1", "conflicts with b", "no
                      longer assigned" */
};
struct wa_plan {
    struct wa_step *items; /* in the order of execution: removals, dependencies before dependents */
    size_t n, cap;
    char *problems; /* one line each, "" when none: what can't be done and why */
};
void wa_plan_init(struct wa_plan *p);
void wa_plan_fini(struct wa_plan *p);
#define WA_AUTO_PLAN WA_CLEANUP(wa_plan_fini)

struct wa_plan_input {
    const struct wa_control *available; /* already filtered by wa_host_accepts and trusted */
    size_t available_count;
    const struct wa_installed *installed;
    size_t installed_count;
    const struct wa_host_caps *host;
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

#endif
