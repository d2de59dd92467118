/* plan_order.c - what is decided first, and so the preference among all plans that can be
 * (docs/formats/planning.md): the solver returns the first solution in this order.
 *
 * Only "fewest removals" is no matter of order: a solution with two removals or more is searched
 * again with fewer allowed.
 */
#include "pkg/plan_priv.h"

#include <stdlib.h>

static enum wa_code push(struct wa_lits *v, uint32_t x, struct wa_err *err)
{
    uint32_t *slot = WA_VEC_PUSH(v);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = x;
    return WA_OK;
}

/* --- the values of a goal, the preferred first --- */

static bool is_wanted(const struct wa_planner *p, const struct wa_plan_goal *g, uint32_t v)
{
    if (g->kind == WA_GOAL_NEWER)
        return true;
    return wa_plan_set_has(p, p->sets.items[g->set], v) && !(p->force && p->vars.items[v].is_there);
}

/* 0: newer than what is there, 1: what is there, 2: neither. */
static int class_of(const struct wa_planner *p, const struct wa_plan_node *n, uint32_t v)
{
    const struct wa_plan_var *x = &p->vars.items[v];
    if (x->is_there)
        return 1;
    return !wa_plan_counts_as_installed(n) || p->force || wa_entry_cmp(x->c, &n->there->control) > 0
               ? 0
               : 2;
}

enum wa_code wa_plan_goal_order(struct wa_planner *p, struct wa_plan_goal *g)
{
    const struct wa_plan_node *n = g->node;
    g->order = p->orders.n;
    for (int class = 0; class < 3; class ++)
        for (uint32_t v = n->first; v < n->first + n->count; v++)
            if (class_of(p, n, v) == class && is_wanted(p, g, v)) {
                p->vars.items[v].is_wanted = true;
                if (push(&p->orders, v, p->err) != WA_OK)
                    return p->err->code;
            }
    g->order_n = p->orders.n - g->order;
    return WA_OK;
}

/* --- deciding --- */

static bool is_open(const struct wa_planner *p, uint32_t var)
{
    return !wa_solver_is_true(p->solver, wa_lit_of(var)) &&
           !wa_solver_is_false(p->solver, wa_lit_of(var));
}

/* The name has its value: what that needs is looked at after what is queued already. */
static enum wa_code queue(struct wa_planner *p, struct wa_plan_node *n)
{
    if (n->is_queued)
        return WA_OK;
    struct wa_plan_node **slot = WA_VEC_PUSH(&p->queue);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = n;
    n->is_queued = true;
    return WA_OK;
}

/* The first of these that can be, unless the name has a value: that one is queued. */
static enum wa_code choose(struct wa_planner *p, struct wa_plan_node *n, const uint32_t *vars,
                           size_t count, wa_lit *ret)
{
    if (wa_plan_value(p, n) != UINT32_MAX)
        return queue(p, n);
    for (size_t i = 0; i < count && *ret == WA_LIT_NONE; i++) {
        uint32_t v = vars != NULL ? vars[i] : n->first + (uint32_t)i;
        if (is_open(p, v))
            *ret = wa_lit_of(v);
    }
    return WA_OK;
}

static enum wa_code decide_item(struct wa_planner *p, const struct wa_plan_item *item, wa_lit *ret)
{
    if (item->lit != WA_LIT_NONE) {
        *ret = is_open(p, item->lit >> 1) ? item->lit : WA_LIT_NONE;
        return WA_OK;
    }
    const struct wa_plan_goal *g = &p->goals.items[item->goal];
    if (g->kind != WA_GOAL_NEWER && !wa_solver_is_true(p->solver, wa_lit_of(g->var)))
        return WA_OK;
    return choose(p, g->node, wa_plan_from(&p->orders, g->order), g->order_n, ret);
}

/* What the queued names' values need. */
static enum wa_code decide_queue(struct wa_planner *p, wa_lit *ret)
{
    while (p->at.queue < p->queue.n) {
        if (p->at.fact == 0)
            p->at.fact = p->vars.items[wa_plan_value(p, p->queue.items[p->at.queue])].needs;
        while (p->at.fact > 0) {
            const struct wa_plan_fact *f = &p->facts.items[p->at.fact - 1];
            const struct wa_plan_set *s = p->sets.items[f->set];
            if (s->node != NULL && wa_solver_is_true(p->solver, wa_lit_of(s->var)) &&
                choose(p, s->node, wa_plan_from(&p->members, s->first), s->count, ret) != WA_OK)
                return p->err->code;
            if (*ret != WA_LIT_NONE)
                return WA_OK;
            p->at.fact = f->next;
        }
        p->at.queue++;
    }
    return WA_OK;
}

/* Back to where the deciding was before the decisions that were taken back. */
static enum wa_code restore(struct wa_planner *p, size_t level)
{
    if (level < p->marks.n) {
        p->at = p->marks.items[level];
        for (; p->queue.n > p->at.queued; p->queue.n--)
            p->queue.items[p->queue.n - 1]->is_queued = false;
        p->marks.n = level;
    }
    p->at.queued = p->queue.n;
    struct wa_plan_at *slot = WA_VEC_PUSH(&p->marks);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = p->at;
    return WA_OK;
}

enum wa_code wa_plan_decide(void *user, size_t level, wa_lit *ret, struct wa_err *err)
{
    struct wa_planner *p = user;
    *ret = WA_LIT_NONE;
    if (restore(p, level) != WA_OK)
        return err->code;
    for (; p->at.agenda < p->agenda.n; p->at.agenda++)
        if (decide_item(p, &p->agenda.items[p->at.agenda], ret) != WA_OK || *ret != WA_LIT_NONE)
            return err->code;
    for (;;) {
        if (decide_queue(p, ret) != WA_OK || *ret != WA_LIT_NONE || p->at.rest == p->goners.n)
            return err->code;
        struct wa_plan_node *n = p->vars.items[p->goners.items[p->at.rest]].node;
        if (choose(p, n, NULL, n->count, ret) != WA_OK || *ret != WA_LIT_NONE)
            return err->code;
        p->at.rest++;
    }
}

/* --- the agenda --- */

static enum wa_code push_item(struct wa_planner *p, wa_lit lit, size_t goal)
{
    struct wa_plan_item *slot = WA_VEC_PUSH(&p->agenda);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = (struct wa_plan_item){lit, goal};
    return WA_OK;
}

struct goner {
    bool is_explicit;
    const char *name;
    uint32_t var;
};

/* What was asked for is the last to go. */
static int explicit_first(const void *a, const void *b)
{
    const struct goner *x = a, *y = b;
    return x->is_explicit != y->is_explicit ? (int)y->is_explicit - (int)x->is_explicit
                                            : strcmp(x->name, y->name);
}

static enum wa_code sort_goners(struct wa_planner *p)
{
    struct goner *all = wa_calloc(p->goners.n, sizeof *all);
    if (p->goners.n > 0 && all == NULL)
        return wa_nomem(p->err);
    for (size_t i = 0; i < p->goners.n; i++) {
        const struct wa_plan_node *n = p->vars.items[p->goners.items[i]].node;
        all[i] = (struct goner){n->there->is_explicit, n->name, p->goners.items[i]};
    }
    if (p->goners.n > 1)
        qsort(all, p->goners.n, sizeof *all, explicit_first);
    for (size_t i = 0; i < p->goners.n; i++)
        p->goners.items[i] = all[i].var;
    wa_free(all);
    return WA_OK;
}

static enum wa_code make_agenda(struct wa_planner *p)
{
    if (sort_goners(p) != WA_OK)
        return p->err->code;
    for (size_t i = 0; i < p->goals.n; i++)
        if (p->goals.items[i].kind <= WA_GOAL_ABSENT &&
            push_item(p, wa_lit_of(p->goals.items[i].var), 0) != WA_OK)
            return p->err->code;
    for (size_t i = 0; i < p->goals.n; i++)
        if (p->goals.items[i].kind <= WA_GOAL_ASSIGNED && push_item(p, WA_LIT_NONE, i) != WA_OK)
            return p->err->code;
    for (size_t i = 0; i < p->goners.n; i++)
        if (push_item(p, wa_lit_not(wa_lit_of(p->goners.items[i])), 0) != WA_OK)
            return p->err->code;
    for (size_t i = 0; i < p->broken.n; i++)
        if (push_item(p, wa_lit_not(wa_lit_of(p->broken.items[i])), 0) != WA_OK)
            return p->err->code;
    for (size_t i = 0; i < p->goals.n; i++)
        if (p->goals.items[i].kind == WA_GOAL_NEWER && push_item(p, WA_LIT_NONE, i) != WA_OK)
            return p->err->code;
    return WA_OK;
}

/* --- the search --- */

enum wa_code wa_plan_solve(struct wa_planner *p, const struct wa_lits *assumed, uint64_t *work,
                           enum wa_solved *ret)
{
    for (size_t i = 0; i < p->queue.n; i++)
        p->queue.items[i]->is_queued = false;
    p->queue.n = p->marks.n = 0;
    p->at = (struct wa_plan_at){0};
    return wa_solver_solve(p->solver, assumed, wa_plan_decide, p, work, ret, p->err);
}

static size_t gone_count(const struct wa_planner *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->goners.n; i++)
        n += wa_solver_is_true(p->solver, wa_lit_of(p->goners.items[i]));
    return n;
}

static enum wa_code add_unit(struct wa_planner *p, uint32_t var)
{
    wa_lit l = wa_lit_of(var);
    if (!wa_solver_is_true(p->solver, l))
        l = wa_lit_not(l);
    return wa_solver_clause(p->solver, &l, 1, WA_FACT_NONE, p->err);
}

/* What comes before the removals in the order of preference stays as it was found. */
static enum wa_code settle_goals(struct wa_planner *p)
{
    for (size_t i = 0; i < p->goals.n; i++) {
        const struct wa_plan_goal *g = &p->goals.items[i];
        bool is_met = g->kind <= WA_GOAL_ABSENT && wa_solver_is_true(p->solver, wa_lit_of(g->var));
        if (g->kind <= WA_GOAL_ABSENT && add_unit(p, g->var) != WA_OK)
            return p->err->code;
        uint32_t v = is_met ? wa_plan_value(p, g->node) : UINT32_MAX;
        if (v != UINT32_MAX && add_unit(p, v) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

/* Two removals or more: are fewer enough? The first solution has one only if none is impossible. */
static enum wa_code fewer_removals(struct wa_planner *p, enum wa_solved *solved)
{
    size_t count = gone_count(p);
    if (*solved != WA_SOLVED || count < 2)
        return WA_OK;
    if (settle_goals(p) != WA_OK)
        return p->err->code;
    while (*solved == WA_SOLVED && count > 0) {
        wa_solver_limit(p->solver, p->goners.items, p->goners.n, count - 1);
        if (wa_plan_solve(p, NULL, &p->work, solved) != WA_OK)
            return p->err->code;
        count = *solved == WA_SOLVED ? gone_count(p) : count;
    }
    uint64_t work = WA_PLAN_WORK_MAX / 2; /* it was found before, and will be again */
    wa_solver_forget(p->solver, 0);
    wa_solver_limit(p->solver, p->goners.items, p->goners.n, count);
    return wa_plan_solve(p, NULL, &work, solved);
}

enum wa_code wa_plan_search(struct wa_planner *p, bool *ret_solved)
{
    enum wa_solved solved = WA_EXHAUSTED;
    if (make_agenda(p) != WA_OK || wa_plan_solve(p, NULL, &p->work, &solved) != WA_OK ||
        fewer_removals(p, &solved) != WA_OK)
        return p->err->code;
    *ret_solved = solved == WA_SOLVED;
    if (!*ret_solved)
        return WA_OK;
    p->model = wa_calloc(p->vars.n, 1);
    if (p->model == NULL && p->vars.n > 0)
        return wa_nomem(p->err);
    for (size_t i = 0; i < p->vars.n; i++)
        p->model[i] = wa_solver_is_true(p->solver, wa_lit_of((uint32_t)i));
    wa_solver_forget(p->solver, p->clauses); /* ready to be asked why */
    wa_solver_limit(p->solver, NULL, 0, SIZE_MAX);
    return WA_OK;
}
