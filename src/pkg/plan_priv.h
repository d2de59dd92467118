/* plan_priv.h - between the files of the planner: what is known and decided of each package name.
 *
 *     plan.c         the three plans, and the search for choices that go together
 *     plan_names.c   names, candidates, what is decided and taken back
 *     plan_need.c    installation: dependencies first
 *     plan_rivals.c  removal, dependents first, and conflicts
 *
 * Functions return WA_OK unless memory runs out; whether what was asked can be had is *ret_ok, and
 * why not is told as a problem.
 */
#ifndef WA_PKG_PLAN_PRIV_H
#define WA_PKG_PLAN_PRIV_H

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/csv.h"
#include "pkg/plan.h"

enum wa_plan_state {
    WA_PLAN_FREE,      /* nothing decided */
    WA_PLAN_EXPLORING, /* chosen, its dependencies are being looked at: a cycle ends here */
    WA_PLAN_CHOSEN,
    WA_PLAN_KEPT, /* asked for, and there already */
    WA_PLAN_REMOVED,
    WA_PLAN_FAILED
};

struct wa_plan_node {
    const struct wa_installed *there; /* NULL: not installed */
    size_t candidates; /* 1 + index of the first available, chained by next; 0: none */
    size_t rivals;     /* 1 + index of the first of the planner's rivals; 0: none */
    enum wa_plan_state state;
    bool looked;                     /* the dependencies of what is there were looked at */
    const struct wa_control *chosen; /* EXPLORING, CHOSEN */
};

/* An installed package that declares a conflict with a name. */
struct wa_plan_rival {
    struct wa_plan_node *node;
    size_t next; /* 1 + index; 0: none */
};

/* A requirement that several candidates meet: which of them is tried, best first. */
struct wa_plan_choice {
    size_t at, count;
};

struct wa_planner {
    const struct wa_plan_input *in;
    bool force, upgrading;
    struct wa_plan *plan;
    struct wa_plan_node *nodes;
    size_t node_count;
    struct wa_plan_node **installed; /* by index of installed */
    size_t *next;                    /* by index of available */
    struct wa_map by_name;           /* package name -> struct wa_plan_node * */
    struct {
        WA_VEC(struct wa_plan_rival);
    } rivals;
    struct {
        WA_VEC(struct wa_plan_node *);
    } trail,   /* nodes decided so far, to be freed again when a branch fails */
        armed, /* those chosen or kept that declare conflicts */
        failed;
    struct {
        WA_VEC(struct wa_plan_choice);
    } choices;
    size_t choice_at, takes; /* takes: candidates looked at, in all */
    const struct wa_control *chain[WA_DEPENDS_DEPTH_MAX + 2]; /* being explored, outermost first */
    size_t chain_n;
    struct wa_buf problems;
    struct wa_err *err;
};

static inline const char *wa_plan_name(const struct wa_control *c)
{
    return wa_control_get(c, WA_A_PACKAGE);
}

static inline const char *wa_plan_version(const struct wa_control *c)
{
    return wa_control_get(c, WA_A_VERSION);
}

/* --- plan_names.c --- */
WA_CHECK enum wa_code wa_plan_index(struct wa_planner *p);
struct wa_plan_node *wa_plan_find(const struct wa_planner *p, const char *name);
bool wa_plan_counts_as_installed(const struct wa_plan_node *n);
/* What is or will be there of it: the chosen one, else the installed one, else NULL. */
const struct wa_control *wa_plan_outcome(const struct wa_plan_node *n);
/* The best candidate that meets r, or where the search is at another choice, that one. floor (may
 * be NULL): only what is newer. NULL: none. */
WA_CHECK enum wa_code wa_plan_choose(struct wa_planner *p, const struct wa_plan_node *n,
                                     const struct wa_request *r, const struct wa_control *floor,
                                     const struct wa_control **ret);
WA_CHECK enum wa_code wa_plan_decide(struct wa_planner *p, struct wa_plan_node *n,
                                     enum wa_plan_state state);
/* Remembered although the branch is taken back, until the search tries again. */
WA_CHECK enum wa_code wa_plan_fail(struct wa_planner *p, struct wa_plan_node *n);

struct wa_plan_mark {
    size_t steps, trail, armed, failed, problems;
};
struct wa_plan_mark wa_plan_mark(const struct wa_planner *p);
/* Takes decisions back, but not failures and problems; wa_plan_undo takes these back too. */
void wa_plan_go_back(struct wa_planner *p, struct wa_plan_mark m);
void wa_plan_undo(struct wa_planner *p, struct wa_plan_mark m);
WA_CHECK enum wa_code wa_plan_step(struct wa_planner *p, enum wa_step_kind kind,
                                   const struct wa_control *to, const struct wa_installed *from,
                                   const char *why);
/* One line: what, and why it can't be. */
void wa_plan_problem(struct wa_planner *p, const char *what, const char *fmt, ...) WA_FORMAT(3, 4);

/* --- plan_rivals.c --- */
WA_CHECK enum wa_code wa_plan_remove_node(struct wa_planner *p, struct wa_plan_node *n,
                                          const char *why, unsigned depth, bool *ret_ok);
/* Makes room for c: nothing planned may conflict with it, what is installed and does goes. A
 * conflict counts whichever of the two declares it. */
WA_CHECK enum wa_code wa_plan_make_room(struct wa_planner *p, const struct wa_control *c,
                                        unsigned depth, bool *ret_ok);

/* --- plan_need.c --- */
WA_CHECK enum wa_code wa_plan_require(struct wa_planner *p, struct wa_sv text, const char *why,
                                      unsigned depth, bool *ret_ok);
WA_CHECK enum wa_code wa_plan_require_free(struct wa_planner *p, struct wa_plan_node *n,
                                           const struct wa_request *r, const char *why,
                                           unsigned depth, bool *ret_ok);
WA_CHECK enum wa_code wa_plan_upgrade_node(struct wa_planner *p, struct wa_plan_node *n,
                                           unsigned depth, bool *ret_ok);

#endif
