/* plan_priv.h - between the files of the planner.
 *
 *     plan.c          the plans: goals, the search, one goal after another when all are too much
 *     plan_names.c    package names, what may come of each, what is held
 *     plan_rules.c    requirements and conflicts as clauses for the solver
 *     plan_order.c    what is decided first: the preference among plans
 *     plan_steps.c    from a solution to steps in their order, with reasons
 *     explain.c       why a goal can't be had, from the solver's core
 *
 * Only names that the plan may touch are looked at: what is asked for, what can be needed by that,
 * and what is installed and concerned by either.
 */
#ifndef WA_PKG_PLAN_PRIV_H
#define WA_PKG_PLAN_PRIV_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "pkg/plan.h"
#include "pkg/solver.h"

struct wa_plan_node {
    const char *name;
    const struct wa_installed *there; /* NULL: not installed */
    size_t candidates; /* 1 + index of the first available, chained by next; 0: none */
    size_t rivals;     /* 1 + index of the first of links: who is installed and needs this name, or
                          conflicts with it */
    bool is_active;    /* has variables */
    bool is_repaired;  /* what is there shall have what it needs, */
    wa_lit relax;      /* unless this is true; WA_LIT_NONE: a variable of its own */
    bool is_wanted;    /* has a goal that decides whether it is there */
    bool is_queued;    /* while deciding: its needs will be looked at */
    const char *held_until; /* not NULL: is not to be touched; "" without end */
    uint32_t first, count;  /* its variables: what is installed (if any), then candidates, best
                               first */
    uint32_t gone;          /* variable "removed, though nothing that comes conflicts with it" */
    size_t sets;            /* 1 + index of the first set of requirements on it; 0: none */
    size_t needed_by;       /* 1 + fact, in the solution; 0: nothing does */
    bool is_aimed;          /* one of the goals is about it */
    bool is_visited;        /* while steps are put in order */
};

/* By variable of the solver. */
enum wa_plan_var_kind { WA_PV_VALUE, WA_PV_SET, WA_PV_GOAL, WA_PV_GONE, WA_PV_BROKEN };
struct wa_plan_var {
    enum wa_plan_var_kind kind;
    struct wa_plan_node *node;  /* VALUE, GONE */
    const struct wa_control *c; /* VALUE */
    bool is_there;              /* VALUE: what is installed */
    bool is_wanted;             /* VALUE: a goal is about it */
    const char *excluded;       /* VALUE: why it can't be taken; NULL: it can */
    size_t needs, last_need;    /* VALUE: 1 + first and last of its chained facts NEEDS */
    size_t at;                  /* SET: index of the set, GOAL: of the goal */
};

/* Those versions of a name that a requirement means. */
enum wa_plan_set_kind {
    WA_SET_NEEDED, /* what is installed counts only if it works */
    WA_SET_RIVALS, /* what is installed counts */
    WA_SET_COMING  /* candidates only: a conflict between two that are there already is borne */
};
struct wa_plan_set {
    enum wa_plan_set_kind kind;
    const char *text;          /* the requirement */
    struct wa_plan_node *node; /* NULL: no package is called so, or malformed */
    bool is_malformed;
    size_t next;         /* 1 + index of the next set on this node */
    size_t conflicts;    /* RIVALS, COMING: 1 + first of the chained facts that name it */
    size_t first, count; /* of members: variables, in the order of the node's */
    uint32_t var;
};

enum wa_plan_fact_kind { WA_FACT_NEEDS, WA_FACT_CONFLICTS, WA_FACT_EXCLUDED, WA_FACT_HELD };
struct wa_plan_fact {
    enum wa_plan_fact_kind kind;
    uint32_t value; /* NEEDS, CONFLICTS, EXCLUDED, HELD */
    size_t set;     /* NEEDS, CONFLICTS */
    size_t next;    /* 1 + the next one; NEEDS: of this value, CONFLICTS: with this set; 0: none */
};

enum wa_plan_goal_kind {
    WA_GOAL_REQUEST,  /* asked for */
    WA_GOAL_ASSIGNED, /* a host, unit or profile package of this machine */
    WA_GOAL_ABSENT,   /* is to go */
    WA_GOAL_NEWER,    /* installed, and there is something newer */
    WA_GOAL_REPAIR    /* installed, and lacks what it needs */
};
struct wa_plan_goal {
    enum wa_plan_goal_kind kind;
    const char *text; /* of the request, else the name */
    const char *why;  /* of the step it leads to */
    struct wa_plan_node *node;
    size_t set;   /* REQUEST, ASSIGNED: which versions */
    uint32_t var; /* that it is reached */
    bool is_met;
    size_t order, order_n; /* in orders: variables of node, the preferred first */
};

/* Something to decide: a literal, or which value a goal's name gets. */
struct wa_plan_item {
    wa_lit lit; /* WA_LIT_NONE: the goal's */
    size_t goal;
};

struct wa_plan_link {
    struct wa_plan_node *node;
    size_t next; /* 1 + index; 0: none */
};

/* Where the deciding is; what is saved for each decision, to go back to. */
struct wa_plan_at {
    size_t agenda, queue, queued, fact, rest;
};

struct wa_planner {
    const struct wa_plan_input *in;
    bool force, keeps; /* keeps: nothing may come, only go */
    struct wa_plan *plan;
    struct wa_plan_node *nodes;
    size_t node_count;
    struct wa_plan_node **installed; /* by index of installed */
    size_t *next;                    /* by index of available */
    struct wa_map by_name;           /* package name -> struct wa_plan_node * */
    struct wa_map by_text;           /* kind and requirement -> set */
    struct wa_arena arena;
    struct wa_solver *solver;
    struct {
        WA_VEC(struct wa_plan_link);
    } links;
    struct {
        WA_VEC(struct wa_plan_node *);
    } active, queue;
    struct {
        WA_VEC(struct wa_plan_var);
    } vars;
    struct {
        WA_VEC(struct wa_plan_set *);
    } sets;
    struct {
        WA_VEC(struct wa_plan_fact);
    } facts;
    struct {
        WA_VEC(struct wa_plan_goal);
    } goals;
    struct {
        WA_VEC(struct wa_plan_goal);
    } wanted; /* all goals; goals: those of the present search */
    struct {
        WA_VEC(struct wa_plan_item);
    } agenda;
    struct {
        WA_VEC(struct wa_plan_at);
    } marks;
    uint8_t *model; /* by variable, once found; NULL: still searching */
    struct wa_lits members, orders, goners, broken;
    struct wa_plan_at at;
    size_t clauses;            /* how many say what can be; later ones only narrow the search */
    uint64_t work, explaining; /* literals that may still be looked at */
    size_t explained;
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

/* In the solution, or while it is searched: so far. */
static inline bool wa_plan_is(const struct wa_planner *p, uint32_t var)
{
    return p->model != NULL ? p->model[var] != 0 : wa_solver_is_true(p->solver, wa_lit_of(var));
}

/* The items from `at` on; NULL for a list that never had one. */
static inline const uint32_t *wa_plan_from(const struct wa_lits *v, size_t at)
{
    return v->items != NULL ? v->items + at : NULL;
}

/* --- plan_names.c --- */
WA_CHECK enum wa_code wa_plan_index(struct wa_planner *p);
struct wa_plan_node *wa_plan_find(const struct wa_planner *p, const char *name);
bool wa_plan_counts_as_installed(const struct wa_plan_node *n);
/* The next upgrade installs it again, the same version too. A status of its own, as WARNING,
 * neither counts as installed for others nor does that (formats.md 10.6). */
bool wa_plan_has_failed(const struct wa_plan_node *n);
/* What is or will be there of it by the solution; NULL: nothing. */
const struct wa_control *wa_plan_outcome(const struct wa_planner *p, const struct wa_plan_node *n);
/* The variable that is true, or UINT32_MAX. */
uint32_t wa_plan_value(const struct wa_planner *p, const struct wa_plan_node *n);
/* Gives the name its variables. */
WA_CHECK enum wa_code wa_plan_activate(struct wa_planner *p, struct wa_plan_node *n);
WA_CHECK enum wa_code wa_plan_push_var(struct wa_planner *p, struct wa_plan_var v, uint32_t *ret);
/* Why this candidate of n can't be taken; NULL: it can. */
WA_CHECK enum wa_code wa_plan_excluded(struct wa_planner *p, const struct wa_plan_node *n,
                                       const struct wa_control *c, size_t index, const char **ret);
/* What is there satisfies this requirement on its name. */
bool wa_plan_holds_now(const struct wa_planner *p, const struct wa_request *r);
/* The best candidate that may be taken is newer than what is there, or what is there failed. */
WA_CHECK enum wa_code wa_plan_is_outdated(struct wa_planner *p, const struct wa_plan_node *n,
                                          bool *ret);
bool wa_plan_lacks_something(const struct wa_planner *p, const struct wa_plan_node *n);

/* --- plan_rules.c --- */
/* The set of a requirement, made when it is new. Activates its name. */
WA_CHECK enum wa_code wa_plan_set_of(struct wa_planner *p, enum wa_plan_set_kind kind,
                                     struct wa_sv text, size_t *ret);
/* Activates all that is concerned, and gives the solver its clauses. */
WA_CHECK enum wa_code wa_plan_rules(struct wa_planner *p);

/* --- plan_order.c --- */
/* The order in which the values of a goal are tried. */
WA_CHECK enum wa_code wa_plan_goal_order(struct wa_planner *p, struct wa_plan_goal *g);
/* Finds the preferred solution. *ret_solved false: the work allowed was not enough. */
WA_CHECK enum wa_code wa_plan_search(struct wa_planner *p, bool *ret_solved);
WA_CHECK enum wa_code wa_plan_decide(void *user, size_t level, wa_lit *ret, struct wa_err *err);
WA_CHECK enum wa_code wa_plan_solve(struct wa_planner *p, const struct wa_lits *assumed,
                                    uint64_t *work, enum wa_solved *ret);

/* Whether variable v is one of the set's. */
bool wa_plan_set_has(const struct wa_planner *p, const struct wa_plan_set *s, uint32_t v);

/* --- plan_steps.c --- */
WA_CHECK enum wa_code wa_plan_steps(struct wa_planner *p);

/* --- explain.c --- */
/* Adds a problem of its own, with one line. */
WA_CHECK enum wa_code wa_plan_problem(struct wa_planner *p, const char *package, const char *fmt,
                                      ...) WA_FORMAT(3, 4);
WA_CHECK enum wa_code wa_plan_explain_goal(struct wa_planner *p, const struct wa_plan_goal *g);
/* Why this value is not the one of its name. */
WA_CHECK enum wa_code wa_plan_explain_value(struct wa_planner *p, uint32_t value);
/* All problems, a line each, into plan->problems. */
WA_CHECK enum wa_code wa_plan_tell_problems(struct wa_plan *plan, struct wa_err *err);
/* A line at the end of the last problem. */
WA_CHECK enum wa_code wa_plan_reason(struct wa_planner *p, unsigned depth, const char *fmt, ...)
    WA_FORMAT(3, 4);

#endif
