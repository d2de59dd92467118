/* plan_steps.c - from a solution to steps: removals first, who depends before what it depends on;
 * then what comes, dependencies first, and before a package whatever has to change for its sake.
 *
 * Cycles are cut where the walk meets them. The walks keep a stack of their own: a chain of needs
 * may be as long as the index.
 */
#include "base/text.h"
#include "pkg/plan_priv.h"

#include "codec/csv.h"

struct walk_item {
    struct wa_plan_node *node;
    int stage;
    size_t at;
    struct wa_sv rest;
};
struct walk {
    WA_VEC(struct walk_item);
};

static bool is_coming(const struct wa_planner *p, const struct wa_plan_node *n)
{
    uint32_t v = wa_plan_value(p, n);
    return v != UINT32_MAX && !p->vars.items[v].is_there;
}

static bool is_going(const struct wa_planner *p, const struct wa_plan_node *n)
{
    return n->is_active && n->there != NULL && wa_plan_value(p, n) == UINT32_MAX;
}

static bool declares(const struct wa_control *a, enum wa_attr attr, const struct wa_control *b)
{
    struct wa_sv rest = wa_sv(wa_control_get(a, attr)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && wa_request_matches(&r, b))
            return true;
    }
    return false;
}

/* --- reasons --- */

/* Something that comes declares a conflict with what is installed of n. NULL: nothing does. */
static const struct wa_plan_var *attacker(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = n->sets; i > 0; i = p->sets.items[i - 1]->next) {
        const struct wa_plan_set *s = p->sets.items[i - 1];
        if (s->kind != WA_SET_RIVALS || !wa_plan_set_has(p, s, n->first))
            continue;
        for (size_t f = s->conflicts; f > 0; f = p->facts.items[f - 1].next)
            if (wa_plan_is(p, p->facts.items[f - 1].value))
                return &p->vars.items[p->facts.items[f - 1].value];
    }
    return NULL;
}

/* The first requirement of attr that has changed: a conflict that would be, a need that would be
 * broken. *ret_c: what there is of its name then. */
static bool changed(const struct wa_planner *p, const struct wa_plan_node *n, enum wa_attr attr,
                    struct wa_request *ret, const struct wa_control **ret_c)
{
    struct wa_sv rest = wa_sv(wa_control_get(&n->there->control, attr)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, ret, &err) != WA_OK)
            continue;
        const struct wa_plan_node *m = wa_plan_find(p, ret->package);
        *ret_c = m != NULL && m != n ? wa_plan_outcome(p, m) : NULL;
        bool meets = *ret_c != NULL && wa_request_matches(ret, *ret_c);
        if (attr == WA_A_CONFLICTS ? meets && is_coming(p, m) : !meets && wa_plan_holds_now(p, ret))
            return true;
    }
    return false;
}

/* Why what is installed of n can't stay as it is. */
static void why_changed(const struct wa_planner *p, const struct wa_plan_node *n, char *out,
                        size_t size)
{
    struct wa_request r;
    const struct wa_control *c = NULL;
    const struct wa_plan_var *x = attacker(p, n);
    if (x != NULL)
        (void)snprintf(out, size, wa_text("conflicts with %.200s(=%.100s)"), x->node->name,
                       wa_plan_version(x->c));
    else if (changed(p, n, WA_A_CONFLICTS, &r, &c))
        (void)snprintf(out, size, wa_text("conflicts with %.200s(=%.100s)"), r.package,
                       wa_plan_version(c));
    else if (changed(p, n, WA_A_DEPENDS, &r, &c) && c == NULL)
        (void)snprintf(out, size, wa_text("depends on %.200s, which goes"), r.package);
    else if (c != NULL)
        (void)snprintf(out, size, wa_text("depends on %.200s(%.2s%.100s), but it becomes %.100s"),
                       r.package, r.op, r.version, wa_plan_version(c));
    else
        (void)snprintf(out, size, wa_text("makes room for others"));
}

static const struct wa_plan_goal *goal_of(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = 0; n->is_aimed && i < p->goals.n; i++)
        if (p->goals.items[i].node == n && p->goals.items[i].is_met)
            return &p->goals.items[i];
    return NULL;
}

static void why_comes(const struct wa_planner *p, const struct wa_plan_node *n, char *out,
                      size_t size)
{
    const struct wa_plan_goal *g = goal_of(p, n);
    const struct wa_control *to = wa_plan_outcome(p, n);
    bool is_newer =
        n->there != NULL && (wa_plan_has_failed(n) || wa_entry_cmp(to, &n->there->control) > 0);
    if (g != NULL && (g->kind == WA_GOAL_REQUEST || (g->kind == WA_GOAL_ASSIGNED && !is_newer)))
        (void)snprintf(out, size, "%s", wa_text(g->why));
    else if (g != NULL && is_newer && wa_plan_has_failed(n))
        (void)snprintf(out, size, wa_text("its last installation failed (%s)"), n->there->status);
    else if (g != NULL && is_newer)
        (void)snprintf(out, size, wa_text("newer than %.200s"),
                       wa_plan_version(&n->there->control));
    else if (n->needed_by > 0) {
        const struct wa_plan_var *x = &p->vars.items[p->facts.items[n->needed_by - 1].value];
        (void)snprintf(out, size, wa_text("needed by %.200s(=%.100s)"), x->node->name,
                       wa_plan_version(x->c));
    } else
        why_changed(p, n, out, size);
}

/* Who needs what, in the solution: the first that says so. */
static void find_needs(struct wa_planner *p)
{
    for (size_t i = 0; i < p->facts.n; i++) {
        const struct wa_plan_fact *f = &p->facts.items[i];
        struct wa_plan_node *n = f->kind == WA_FACT_NEEDS ? p->sets.items[f->set]->node : NULL;
        if (n == NULL || n->needed_by > 0 || !wa_plan_is(p, f->value))
            continue;
        uint32_t v = wa_plan_value(p, n);
        if (v != UINT32_MAX && wa_plan_set_has(p, p->sets.items[f->set], v))
            n->needed_by = i + 1;
    }
}

/* --- steps --- */

static enum wa_code step(struct wa_planner *p, enum wa_step_kind kind, struct wa_plan_node *n)
{
    struct wa_step *s = WA_VEC_PUSH(p->plan);
    if (s == NULL)
        return wa_nomem(p->err);
    s->kind = kind;
    s->from = n->there;
    s->to = kind == WA_STEP_REMOVE || kind == WA_STEP_KEEP ? NULL : wa_plan_outcome(p, n);
    const struct wa_plan_goal *g = goal_of(p, n);
    if (kind == WA_STEP_KEEP)
        (void)snprintf(s->why, sizeof s->why, wa_text("installed already"));
    else if (kind == WA_STEP_REMOVE && g != NULL && g->kind == WA_GOAL_ABSENT)
        (void)snprintf(s->why, sizeof s->why, "%s", wa_text(g->why));
    else if (kind == WA_STEP_REMOVE)
        why_changed(p, n, s->why, sizeof s->why);
    else
        why_comes(p, n, s->why, sizeof s->why);
    return WA_OK;
}

static enum wa_code enter(struct wa_planner *p, struct walk *w, struct wa_plan_node *n)
{
    if (n == NULL || n->is_visited)
        return WA_OK;
    struct walk_item *slot = WA_VEC_PUSH(w);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = (struct walk_item){.node = n};
    n->is_visited = true;
    return WA_OK;
}

/* The next that has to go before this one: it goes too, and depends on it. NULL: no more. */
static struct wa_plan_node *next_dependent(const struct wa_planner *p, struct walk_item *i)
{
    if (i->stage++ == 0)
        i->at = i->node->rivals;
    while (i->at > 0) {
        struct wa_plan_node *n = p->links.items[i->at - 1].node;
        i->at = p->links.items[i->at - 1].next;
        if (!n->is_visited && is_going(p, n) &&
            declares(&n->there->control, WA_A_DEPENDS, &i->node->there->control))
            return n;
    }
    return NULL;
}

/* The next that has to come before this one: it needs it, or conflicts with what is there of it. */
static struct wa_plan_node *next_before(const struct wa_planner *p, struct walk_item *i)
{
    const struct wa_control *c = wa_plan_outcome(p, i->node);
    struct wa_sv item;
    if (i->stage == 0) {
        i->at = p->vars.items[wa_plan_value(p, i->node)].needs;
        i->stage = 1;
    }
    while (i->stage == 1 && i->at > 0) {
        struct wa_plan_node *n = p->sets.items[p->facts.items[i->at - 1].set]->node;
        i->at = p->facts.items[i->at - 1].next;
        if (n != NULL && is_coming(p, n))
            return n;
    }
    if (i->stage == 1) {
        i->rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS));
        i->at = i->node->rivals;
        i->stage = 2;
    }
    while (wa_csv_next(&i->rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        struct wa_plan_node *n =
            wa_request_parse(item, &r, &err) == WA_OK ? wa_plan_find(p, r.package) : NULL;
        if (n != NULL && n->there != NULL && is_coming(p, n) &&
            wa_request_matches(&r, &n->there->control))
            return n;
    }
    while (i->at > 0) {
        struct wa_plan_node *n = p->links.items[i->at - 1].node;
        i->at = p->links.items[i->at - 1].next;
        if (is_coming(p, n) && declares(&n->there->control, WA_A_CONFLICTS, c))
            return n;
    }
    return NULL;
}

/* n, after all that has to be before it. */
static enum wa_code walk_from(struct wa_planner *p, struct wa_plan_node *n, bool removes)
{
    struct walk w = {NULL, 0, 0};
    enum wa_code code = enter(p, &w, n);
    while (code == WA_OK && w.n > 0) {
        struct walk_item *top = &w.items[w.n - 1];
        struct wa_plan_node *next = removes ? next_dependent(p, top) : next_before(p, top);
        if (next != NULL) {
            code = enter(p, &w, next);
            continue;
        }
        n = top->node;
        w.n--;
        if (removes || is_coming(p, n))
            code = step(p,
                        removes            ? WA_STEP_REMOVE
                        : n->there == NULL ? WA_STEP_INSTALL
                                           : WA_STEP_UPGRADE,
                        n);
    }
    WA_VEC_FREE(&w);
    return code;
}

static enum wa_code removals(struct wa_planner *p)
{
    for (size_t i = 0; i < p->active.n; i++)
        if (is_going(p, p->active.items[i]) && walk_from(p, p->active.items[i], true) != WA_OK)
            return p->err->code;
    return WA_OK;
}

static enum wa_code arrivals(struct wa_planner *p)
{
    for (size_t i = 0; i < p->goals.n; i++) {
        struct wa_plan_node *n = p->goals.items[i].node;
        if (wa_plan_value(p, n) == UINT32_MAX || !p->goals.items[i].is_met)
            continue;
        if (!n->is_visited && !is_coming(p, n) && p->goals.items[i].kind == WA_GOAL_REQUEST &&
            step(p, WA_STEP_KEEP, n) != WA_OK)
            return p->err->code;
        if (walk_from(p, n, false) != WA_OK)
            return p->err->code;
    }
    for (size_t i = 0; i < p->active.n; i++)
        if (is_coming(p, p->active.items[i]) && walk_from(p, p->active.items[i], false) != WA_OK)
            return p->err->code;
    return WA_OK;
}

enum wa_code wa_plan_steps(struct wa_planner *p)
{
    for (size_t i = 0; i < p->goals.n; i++)
        p->goals.items[i].node->is_aimed = true;
    find_needs(p);
    return removals(p) == WA_OK ? arrivals(p) : p->err->code;
}
