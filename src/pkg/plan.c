/* plan.c - what would be done, in which order, and why: the goals of each plan, and their search.
 *
 * All goals are searched together. Where that is too much work - packages can be entangled without
 * end - they are taken part by part, each with those that were reached before, and what can't be
 * told within the work allowed is left out and named.
 */
#include "pkg/plan_priv.h"

#include "os/rand.h"

void wa_plan_init(struct wa_plan *p)
{
    *p = (struct wa_plan){.items = NULL};
}

void wa_plan_fini(struct wa_plan *p)
{
    for (size_t i = 0; i < p->reason_n; i++)
        wa_free(p->reasons[i].text);
    wa_free(p->reasons);
    wa_free(p->problem_items);
    WA_VEC_FREE(p);
    wa_free(p->problems);
    wa_plan_init(p);
}

/* --- beginning and end --- */

static enum wa_code start(struct wa_planner *p, const struct wa_plan_input *in,
                          struct wa_plan *made, struct wa_err *err)
{
    wa_plan_init(made);
    *p = (struct wa_planner){.in = in,
                             .plan = made,
                             .err = err,
                             .work = WA_PLAN_WORK_MAX,
                             .explaining = WA_PLAN_WORK_MAX};
    wa_arena_init(&p->arena, 256u << 20);
    return wa_rand_map(&p->by_name, err) == WA_OK ? wa_plan_index(p) : err->code;
}

/* What belongs to one search. */
static void drop_search(struct wa_planner *p)
{
    for (size_t i = 0; i < p->active.n; i++) {
        struct wa_plan_node *n = p->active.items[i];
        n->is_active = n->is_repaired = n->is_queued = false;
        n->sets = 0;
        n->first = n->count = 0;
    }
    wa_map_fini(&p->by_text);
    WA_VEC_FREE(&p->active);
    WA_VEC_FREE(&p->queue);
    WA_VEC_FREE(&p->vars);
    WA_VEC_FREE(&p->sets);
    WA_VEC_FREE(&p->facts);
    WA_VEC_FREE(&p->goals);
    WA_VEC_FREE(&p->agenda);
    WA_VEC_FREE(&p->marks);
    WA_VEC_FREE(&p->members);
    WA_VEC_FREE(&p->orders);
    WA_VEC_FREE(&p->goners);
    WA_VEC_FREE(&p->broken);
    wa_free(p->model);
    p->model = NULL;
    wa_solver_free(p->solver);
    p->solver = NULL;
}

static enum wa_code finish(struct wa_planner *p, enum wa_code code, struct wa_plan *ret)
{
    if (code == WA_OK)
        code = wa_plan_tell_problems(p->plan, p->err);
    drop_search(p);
    WA_VEC_FREE(&p->links);
    WA_VEC_FREE(&p->wanted);
    wa_map_fini(&p->by_name);
    wa_arena_fini(&p->arena);
    wa_free(p->nodes);
    wa_free(p->installed);
    wa_free(p->next);
    if (code == WA_OK)
        *ret = *p->plan;
    else
        wa_plan_fini(p->plan);
    return code;
}

/* --- goals --- */

static enum wa_code want(struct wa_planner *p, enum wa_plan_goal_kind kind,
                         struct wa_plan_node *node, const char *text, const char *why)
{
    struct wa_plan_goal *g = WA_VEC_PUSH(&p->wanted);
    if (g == NULL)
        return wa_nomem(p->err);
    *g = (struct wa_plan_goal){.kind = kind, .node = node, .text = text, .why = why};
    node->is_wanted = node->is_wanted || kind <= WA_GOAL_ABSENT;
    return WA_OK;
}

static enum wa_code clause(struct wa_planner *p, wa_lit first, const uint32_t *vars, size_t n,
                           bool is_denied)
{
    struct wa_lits all = {NULL, 0, 0};
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i <= n; i++) {
        wa_lit *slot = WA_VEC_PUSH(&all);
        if (slot == NULL)
            code = wa_nomem(p->err);
        else
            *slot = i == 0 ? first : wa_lit_of(vars[i - 1]) | (wa_lit)is_denied;
    }
    if (code == WA_OK)
        code = wa_solver_clause(p->solver, all.items, all.n, WA_FACT_NONE, p->err);
    WA_VEC_FREE(&all);
    return code;
}

/* How many of the goal's values are newer than what is there: they come first. */
static size_t newer_count(const struct wa_planner *p, const struct wa_plan_goal *g)
{
    size_t n = 0;
    while (n < g->order_n) {
        const struct wa_plan_var *x = &p->vars.items[p->orders.items[g->order + n]];
        if (x->is_there ||
            (!wa_plan_has_failed(g->node) && wa_entry_cmp(x->c, &g->node->there->control) <= 0))
            break;
        n++;
    }
    return n;
}

/* A goal is reached by what is installed only when that has what it needs. */
static enum wa_code state_repair(struct wa_planner *p, struct wa_plan_node *n, wa_lit unmet)
{
    uint32_t var;
    if (!n->is_repaired) {
        if (wa_plan_push_var(p, (struct wa_plan_var){.kind = WA_PV_BROKEN, .node = n}, &var) !=
            WA_OK)
            return p->err->code;
        n->is_repaired = true;
        n->relax = wa_lit_of(var);
    }
    var = n->relax >> 1;
    return n->relax == WA_LIT_NONE ? WA_OK : clause(p, unmet, &var, 1, true);
}

static enum wa_code state_goal(struct wa_planner *p, struct wa_plan_goal *g, size_t at)
{
    wa_lit unmet;
    if (g->kind <= WA_GOAL_ASSIGNED &&
        wa_plan_set_of(p, WA_SET_NEEDED, wa_sv(g->text), &g->set) != WA_OK)
        return p->err->code;
    if (wa_plan_activate(p, g->node) != WA_OK)
        return p->err->code;
    if (g->kind == WA_GOAL_REPAIR) {
        g->node->relax = g->node->is_repaired ? g->node->relax : WA_LIT_NONE;
        g->node->is_repaired = true;
        return WA_OK;
    }
    if (wa_plan_push_var(p, (struct wa_plan_var){.kind = WA_PV_GOAL, .at = at}, &g->var) != WA_OK)
        return p->err->code;
    unmet = wa_lit_not(wa_lit_of(g->var));
    if (g->kind == WA_GOAL_ABSENT) {
        for (uint32_t v = g->node->first; v < g->node->first + g->node->count; v++)
            if (clause(p, unmet, &v, 1, true) != WA_OK)
                return p->err->code;
        return WA_OK;
    }
    if (wa_plan_goal_order(p, g) != WA_OK)
        return p->err->code;
    if (g->kind <= WA_GOAL_ASSIGNED && state_repair(p, g->node, unmet) != WA_OK)
        return p->err->code;
    return clause(p, unmet, wa_plan_from(&p->orders, g->order),
                  g->kind == WA_GOAL_NEWER ? newer_count(p, g) : g->order_n, false);
}

/* --- searching --- */

/* Searches p->goals. */
static enum wa_code search_goals(struct wa_planner *p, bool *ret_solved)
{
    if (wa_solver_new(&p->solver, p->err) != WA_OK)
        return p->err->code;
    for (size_t i = 0; i < p->goals.n; i++)
        if (state_goal(p, &p->goals.items[i], i) != WA_OK)
            return p->err->code;
    if (wa_plan_rules(p) != WA_OK)
        return p->err->code;
    p->clauses = wa_solver_clause_count(p->solver);
    if (wa_plan_search(p, ret_solved) != WA_OK)
        return p->err->code;
    for (size_t i = 0; *ret_solved && i < p->goals.n; i++)
        p->goals.items[i].is_met =
            p->goals.items[i].kind > WA_GOAL_ABSENT || wa_plan_is(p, p->goals.items[i].var);
    return WA_OK;
}

/* The wanted goals that are in (NULL: all); what is too much is no error. */
static enum wa_code attempt(struct wa_planner *p, const uint8_t *in, bool *ret_solved)
{
    *ret_solved = false;
    drop_search(p);
    if (wa_rand_map(&p->by_text, p->err) != WA_OK)
        return p->err->code;
    for (size_t i = 0; i < p->wanted.n; i++) {
        if (in != NULL && in[i] == 0)
            continue;
        struct wa_plan_goal *g = WA_VEC_PUSH(&p->goals);
        if (g == NULL)
            return wa_nomem(p->err);
        *g = p->wanted.items[i];
    }
    enum wa_code code = search_goals(p, ret_solved);
    if (code == WA_E_LIMIT) {
        wa_err_clear(p->err);
        *ret_solved = false;
        p->work = 0;
    } else if (code != WA_OK) {
        return code;
    }
    return WA_OK;
}

/* Takes the goals from..to in, or, where that is too much, each half of them, down to one that is
 * too much alone beside those that are in already. *left: work for all that is still to be tried.
 */
static enum wa_code take_in(struct wa_planner *p, uint8_t *in, size_t from, size_t to,
                            uint64_t *left)
{
    bool solved = false;
    uint64_t share = *left / 8;
    memset(in + from, 1, to - from);
    if (*left > WA_PLAN_WORK_MAX / 100) { /* else nothing more is tried */
        p->work = share;
        if (attempt(p, in, &solved) != WA_OK)
            return p->err->code;
        *left -= share - p->work;
    }
    if (solved)
        return WA_OK;
    memset(in + from, 0, to - from);
    if (to - from == 1)
        return wa_plan_problem(p, p->wanted.items[from].node->name,
                               "%s: cannot be planned, since there are too many possibilities to "
                               "look at",
                               p->wanted.items[from].text);
    size_t half = from + (to - from) / 2;
    return take_in(p, in, from, half, left) == WA_OK ? take_in(p, in, half, to, left)
                                                     : p->err->code;
}

static enum wa_code part_by_part(struct wa_planner *p)
{
    bool solved = false;
    uint64_t left = WA_PLAN_WORK_MAX;
    uint8_t *in = wa_calloc(p->wanted.n + 1, 1);
    if (in == NULL)
        return wa_nomem(p->err);
    enum wa_code code = p->wanted.n > 0 ? take_in(p, in, 0, p->wanted.n, &left) : WA_OK;
    p->work = WA_PLAN_WORK_MAX;
    if (code == WA_OK)
        code = attempt(p, in, &solved);
    wa_free(in);
    if (code == WA_OK && !solved)
        return wa_fail(p->err, WA_E_LIMIT, "cannot plan: too many possibilities to look at");
    return code;
}

/* Something that n lacks does not come. */
static bool is_broken(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = 0; i < p->broken.n; i++)
        if (p->vars.items[p->broken.items[i]].node == n && wa_plan_is(p, p->broken.items[i]))
            return true;
    return false;
}

static enum wa_code explain(struct wa_planner *p)
{
    for (size_t i = 0; i < p->goals.n; i++) {
        const struct wa_plan_goal *g = &p->goals.items[i];
        uint32_t v = wa_plan_value(p, g->node);
        bool is_worse = !g->is_met;
        if (g->kind == WA_GOAL_NEWER)
            is_worse = v != UINT32_MAX && v == g->node->first;
        else if (g->kind == WA_GOAL_REPAIR)
            is_worse = v == g->node->first && is_broken(p, g->node);
        if (is_worse && wa_plan_explain_goal(p, g) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code carry_on(struct wa_planner *p)
{
    bool solved = false;
    if (attempt(p, NULL, &solved) != WA_OK)
        return p->err->code;
    if (!solved && part_by_part(p) != WA_OK)
        return p->err->code;
    return wa_plan_steps(p) == WA_OK ? explain(p) : p->err->code;
}

/* --- the plans --- */

/* A request that no search is needed for to refuse it is told at once. */
static enum wa_code want_request(struct wa_planner *p, const char *text)
{
    struct wa_request r;
    struct wa_err why = WA_ERR_INIT;
    if (wa_request_parse(wa_sv(text), &r, &why) != WA_OK)
        return wa_plan_problem(p, "", "%s", why.text);
    struct wa_plan_node *n = wa_plan_find(p, r.package);
    return n != NULL ? want(p, WA_GOAL_REQUEST, n, text, "asked for")
                     : wa_plan_problem(p, r.package,
                                       "%s: no package of the repositories is called so", text);
}

enum wa_code wa_plan_install(const struct wa_plan_input *in, const char *const *requests,
                             size_t count, bool force, struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    p.force = force;
    for (size_t i = 0; code == WA_OK && i < count; i++)
        code = want_request(&p, requests[i]);
    if (code == WA_OK)
        code = carry_on(&p);
    return finish(&p, code, ret);
}

/* host, unit and profile packages come and go with their assignment. */
static bool is_assigned_section(const struct wa_control *c)
{
    const char *section = wa_control_get(c, WA_A_SECTION);
    return strcmp(section, "host") == 0 || strcmp(section, "unit") == 0 ||
           strcmp(section, "profile") == 0;
}

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum wa_code want_assigned(struct wa_planner *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < p->in->installed_count; i++) {
        struct wa_plan_node *n = p->installed[i];
        if (n->there == &p->in->installed[i] && n->held_until == NULL &&
            is_assigned_section(&n->there->control) && !is_listed(names, count, n->name) &&
            want(p, WA_GOAL_ABSENT, n, n->name, "no longer assigned") != WA_OK)
            return p->err->code;
    }
    for (size_t i = 0; i < count; i++) {
        struct wa_plan_node *n = wa_plan_find(p, names[i]);
        if (n == NULL || strlen(names[i]) > WA_NAME_MAX || n->is_wanted)
            continue;             /* a machine need not have packages of its own */
        bool is_outdated = false; /* then it is told, should the newer one be impossible */
        if (want(p, WA_GOAL_ASSIGNED, n, n->name, "assigned to this machine") != WA_OK ||
            (n->there != NULL && wa_plan_is_outdated(p, n, &is_outdated) != WA_OK) ||
            (is_outdated && want(p, WA_GOAL_NEWER, n, n->name, NULL) != WA_OK))
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code want_newer(struct wa_planner *p)
{
    for (size_t i = 0; i < p->in->installed_count; i++) {
        struct wa_plan_node *n = p->installed[i];
        bool is_outdated = false;
        if (n->there != &p->in->installed[i] || n->held_until != NULL || n->is_wanted)
            continue;
        if (wa_plan_is_outdated(p, n, &is_outdated) != WA_OK ||
            (is_outdated && want(p, WA_GOAL_NEWER, n, n->name, NULL) != WA_OK))
            return p->err->code;
        if (wa_plan_lacks_something(p, n) && want(p, WA_GOAL_REPAIR, n, n->name, NULL) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

enum wa_code wa_plan_upgrade(const struct wa_plan_input *in, const char *const *host_packages,
                             size_t count, struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    if (code == WA_OK)
        code = want_assigned(&p, host_packages, count);
    if (code == WA_OK)
        code = want_newer(&p);
    if (code == WA_OK)
        code = carry_on(&p);
    return finish(&p, code, ret);
}

static enum wa_code want_absent(struct wa_planner *p, const char *text)
{
    struct wa_request r;
    struct wa_err why = WA_ERR_INIT;
    if (wa_request_parse(wa_sv(text), &r, &why) != WA_OK)
        return wa_plan_problem(p, "", "%s", why.text);
    struct wa_plan_node *n = wa_plan_find(p, r.package);
    if (n == NULL || n->there == NULL || !wa_request_matches(&r, &n->there->control))
        return wa_plan_problem(p, r.package, "%s: is not installed", text);
    return want(p, WA_GOAL_ABSENT, n, n->name, "asked for");
}

enum wa_code wa_plan_remove(const struct wa_plan_input *in, const char *const *names, size_t count,
                            struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    p.keeps = true;
    for (size_t i = 0; code == WA_OK && i < count; i++)
        code = want_absent(&p, names[i]);
    if (code == WA_OK)
        code = carry_on(&p);
    return finish(&p, code, ret);
}

/* --- why not --- */

/* Each version that meets the request and is better than what comes of it. */
static enum wa_code explain_better(struct wa_planner *p, const struct wa_plan_goal *g, size_t limit)
{
    uint32_t v = wa_plan_value(p, g->node);
    for (size_t i = 0; i < g->order_n && i < limit; i++) {
        uint32_t better = p->orders.items[g->order + i];
        if (better == v)
            break;
        if (!p->vars.items[better].is_there && wa_plan_explain_value(p, better) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

enum wa_code wa_plan_why_not(const struct wa_plan_input *in, const char *request, size_t limit,
                             struct wa_plan *ret_plan, struct wa_plan *ret_why, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made, why;
    wa_plan_init(&why);
    enum wa_code code = start(&p, in, &made, err);
    if (code == WA_OK)
        code = want_request(&p, request);
    if (code == WA_OK)
        code = carry_on(&p);
    p.plan = &why;
    for (size_t i = 0; code == WA_OK && i < p.goals.n; i++)
        if (p.goals.items[i].is_met)
            code = explain_better(&p, &p.goals.items[i], limit);
    if (code == WA_OK)
        code = wa_plan_tell_problems(&why, err);
    p.plan = &made;
    code = finish(&p, code, ret_plan);
    if (code == WA_OK)
        *ret_why = why;
    else
        wa_plan_fini(&why);
    return code;
}
