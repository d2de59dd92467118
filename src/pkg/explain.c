/* explain.c - why a goal can't be had: the solver names a smallest set of facts that exclude it,
 * and here they are told in the order in which one would look: the package, each of its versions,
 * what that needs, who is in the way and why that has to be there.
 *
 * Every fact is told once; what the order did not reach is told at the end, so that nothing of the
 * reason is missing.
 */
#include "base/text.h"
#include "pkg/plan_priv.h"

#include <stdarg.h>

#define CHAIN_MAX 8u /* links of "which a(=1) needs, which..." in one line */
#define NEST_MAX 24u /* levels of an explanation */

struct telling {
    struct wa_planner *p;
    struct wa_lits facts, assumed;
    uint8_t *told; /* facts, then assumed literals */
};

/* --- lines --- */

static enum wa_code add_line(struct wa_planner *p, unsigned depth, const char *text)
{
    struct wa_plan *plan = p->plan;
    if (plan->problem_items[plan->problem_n - 1].count >= WA_PLAN_REASONS_MAX)
        return WA_OK;
    if (!wa_vec_grow_((void **)(void *)&plan->reasons, plan->reason_n, &plan->reason_cap,
                      sizeof plan->reasons[0]))
        return wa_nomem(p->err);
    char *copy = wa_strdup(text);
    if (copy == NULL)
        return wa_nomem(p->err);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\n' ? ' ' : *c;
    plan->reasons[plan->reason_n++] = (struct wa_reason){depth, copy};
    plan->problem_items[plan->problem_n - 1].count++;
    return WA_OK;
}

enum wa_code wa_plan_reason(struct wa_planner *p, unsigned depth, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), args);
    va_end(args);
    return add_line(p, depth, text);
}

enum wa_code wa_plan_problem(struct wa_planner *p, const char *package, const char *fmt, ...)
{
    char text[2048];
    struct wa_plan *plan = p->plan;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), args);
    va_end(args);
    if (!wa_vec_grow_((void **)(void *)&plan->problem_items, plan->problem_n, &plan->problem_cap,
                      sizeof plan->problem_items[0]))
        return wa_nomem(p->err);
    struct wa_problem *made = &plan->problem_items[plan->problem_n++];
    *made = (struct wa_problem){.first = plan->reason_n};
    (void)snprintf(made->package, sizeof made->package, "%s", package);
    return add_line(p, 0, text);
}

enum wa_code wa_plan_tell_problems(struct wa_plan *plan, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    size_t n = 0;
    wa_buf_init(&out, WA_PLAN_PROBLEMS_BYTES_MAX);
    for (size_t i = 0; i < plan->problem_n; i++) {
        const struct wa_problem *x = &plan->problem_items[i];
        if (out.n + 4096 > out.max)
            break; /* each has its lines all the same */
        for (size_t k = 0; k < x->count && out.n + 4096 < out.max; k++) {
            const struct wa_reason *r = &plan->reasons[x->first + k];
            const char *before = k == 0                                             ? ""
                                 : r->depth > plan->reasons[x->first + k - 1].depth ? ": "
                                                                                    : "; ";
            wa_buf_addf(&out, "%s%s%s", k == 0 && i > 0 ? "\n" : "", before, r->text);
        }
    }
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    return wa_buf_steal(&out, &plan->problems, &n, err);
}

/* --- the core --- */

static const struct wa_plan_fact *fact_at(const struct telling *t, size_t i)
{
    return &t->p->facts.items[t->facts.items[i]];
}

static const struct wa_plan_var *var_at(const struct telling *t, wa_lit l)
{
    return &t->p->vars.items[l >> 1];
}

static const struct wa_plan_set *set_of(const struct telling *t, const struct wa_plan_fact *f)
{
    return t->p->sets.items[f->set];
}

static const char *version_of(const struct telling *t, uint32_t v)
{
    return wa_plan_version(t->p->vars.items[v].c);
}

static const char *name_of(const struct telling *t, uint32_t v)
{
    return t->p->vars.items[v].node->name;
}

static void add_held(struct wa_buf *out, const struct wa_plan_node *n)
{
    wa_buf_adds(out, wa_text("which is held"));
    if (n->held_until[0] != '\0')
        wa_buf_addf(out, wa_text(" until %s"), n->held_until);
}

/* --- why something has to be there --- */

/* Whether assumption i wants v. */
static bool assumption_wants(const struct telling *t, size_t i, uint32_t v, struct wa_buf *out)
{
    wa_lit l = t->assumed.items[i];
    const struct wa_plan_var *x = var_at(t, l);
    const struct wa_plan_goal *g = x->kind == WA_PV_GOAL ? &t->p->goals.items[x->at] : NULL;
    if (g != NULL && g->kind <= WA_GOAL_ASSIGNED && g->node == t->p->vars.items[v].node &&
        wa_plan_set_has(t->p, t->p->sets.items[g->set], v)) {
        wa_buf_addf(out, wa_text(", which is %s"), wa_text(g->why));
        return true;
    }
    if (x->kind == WA_PV_VALUE && l == wa_lit_of(v)) {
        wa_buf_adds(out, wa_text(", which comes"));
        return true;
    }
    if (x->kind == WA_PV_GONE && x->node == t->p->vars.items[v].node) {
        wa_buf_adds(out, x->node->there->is_explicit
                             ? wa_text(", which is installed and was asked for")
                             : wa_text(", which is installed"));
        return true;
    }
    return false;
}

/* Tells of the other members of a requirement: why they would not do instead. */
static enum wa_code tell_value(struct telling *t, uint32_t v, unsigned depth);

static enum wa_code tell_others(struct telling *t, const struct wa_plan_set *s, uint32_t but,
                                unsigned depth)
{
    for (size_t i = 0; i < s->count; i++)
        if (t->p->members.items[s->first + i] != but &&
            tell_value(t, t->p->members.items[s->first + i], depth) != WA_OK)
            return t->p->err->code;
    return WA_OK;
}

struct chain {
    const struct wa_plan_set *sets[CHAIN_MAX];
    uint32_t values[CHAIN_MAX];
    size_t n;
};

/* ", which b(=1) needs, which is asked for": who wants v, as far as the facts say. */
static void add_wanted(struct telling *t, uint32_t v, struct wa_buf *out, struct chain *chain)
{
    for (size_t i = 0; i < t->facts.n; i++) {
        const struct wa_plan_fact *f = fact_at(t, i);
        if (f->kind == WA_FACT_HELD && f->value == v) {
            t->told[i] = 1;
            wa_buf_adds(out, ", ");
            add_held(out, t->p->vars.items[v].node);
            return;
        }
        if (f->kind != WA_FACT_NEEDS || !wa_plan_set_has(t->p, set_of(t, f), v))
            continue;
        bool again = t->told[i] != 0 || chain->n == CHAIN_MAX;
        wa_buf_addf(out, wa_text(", which %s(=%s) needs"), name_of(t, f->value),
                    version_of(t, f->value));
        t->told[i] = 1;
        if (again)
            return;
        chain->sets[chain->n] = set_of(t, f);
        chain->values[chain->n++] = v;
        add_wanted(t, f->value, out, chain);
        return;
    }
    for (size_t i = 0; i < t->assumed.n; i++)
        if (assumption_wants(t, i, v, out)) {
            t->told[t->facts.n + i] = 1;
            return;
        }
}

/* "head name(=version), which ... needs tail", then why others would not do in its place. */
static enum wa_code tell_wanted(struct telling *t, const char *head, uint32_t v, const char *tail,
                                unsigned depth)
{
    WA_AUTO_BUF struct wa_buf out;
    struct chain chain = {.n = 0};
    size_t bare;
    wa_buf_init(&out, 65536);
    wa_buf_addf(&out, "%s%s(=%s)", head, name_of(t, v), version_of(t, v));
    bare = out.n;
    add_wanted(t, v, &out, &chain);
    if (tail[0] != '\0' && out.n > bare)
        wa_buf_addc(&out, ',');
    wa_buf_adds(&out, tail);
    if (wa_buf_check(&out, t->p->err) != WA_OK || add_line(t->p, depth, wa_buf_str(&out)) != WA_OK)
        return t->p->err->code;
    for (size_t i = 0; i < chain.n; i++)
        if (tell_others(t, chain.sets[i], chain.values[i], depth + 1) != WA_OK)
            return t->p->err->code;
    return WA_OK;
}

/* --- why a version can't be --- */

static enum wa_code tell_need(struct telling *t, const struct wa_plan_fact *f, unsigned depth)
{
    struct wa_planner *p = t->p;
    const struct wa_plan_set *s = set_of(t, f);
    const char *why = s->is_malformed ? wa_text(", which is not a requirement")
                      : s->node == NULL
                          ? wa_text(", and no package of the repositories is called so")
                      : s->count == 0 ? wa_text(", and no package of the repositories meets it")
                                      : "";
    if (wa_plan_reason(p, depth, "%s(=%s) needs %s%s", name_of(t, f->value),
                       version_of(t, f->value), s->text, why) != WA_OK)
        return p->err->code;
    return tell_others(t, s, UINT32_MAX, depth + 1);
}

static enum wa_code tell_conflict(struct telling *t, const struct wa_plan_fact *f, uint32_t v,
                                  unsigned depth)
{
    char text[1024];
    const struct wa_plan_set *s = set_of(t, f);
    if (f->value != v) {
        (void)snprintf(text, sizeof text, wa_text(" conflicts with %.400s"), s->text);
        return tell_wanted(t, "", f->value, text, depth);
    }
    uint32_t other = t->p->members.items[s->first];
    for (size_t k = 0; k < s->count; k++) {
        WA_AUTO_BUF struct wa_buf scratch;
        wa_buf_init(&scratch, 1024);
        uint32_t m = t->p->members.items[s->first + k];
        bool wanted = false;
        for (size_t i = 0; i < t->facts.n && !wanted; i++)
            wanted = (fact_at(t, i)->kind == WA_FACT_HELD && fact_at(t, i)->value == m) ||
                     (fact_at(t, i)->kind == WA_FACT_NEEDS &&
                      wa_plan_set_has(t->p, set_of(t, fact_at(t, i)), m));
        for (size_t i = 0; i < t->assumed.n && !wanted; i++)
            wanted = assumption_wants(t, i, m, &scratch);
        if (!wanted)
            continue;
        other = m;
        break;
    }
    (void)snprintf(text, sizeof text, wa_text("%.200s(=%.100s) conflicts with "), name_of(t, v),
                   version_of(t, v));
    return tell_wanted(t, text, other, "", depth);
}

/* Something demands another version of the same name. */
static bool demands_another(const struct telling *t, const struct wa_plan_fact *f, uint32_t v)
{
    const struct wa_plan_node *n = t->p->vars.items[v].node;
    if (f->kind == WA_FACT_HELD)
        return f->value != v && t->p->vars.items[f->value].node == n;
    return f->kind == WA_FACT_NEEDS && f->value != v && set_of(t, f)->node == n &&
           t->p->vars.items[f->value].node != n && !wa_plan_set_has(t->p, set_of(t, f), v);
}

static enum wa_code tell_fact(struct telling *t, const struct wa_plan_fact *f, uint32_t v,
                              unsigned depth)
{
    char text[1024];
    struct wa_planner *p = t->p;
    WA_AUTO_BUF struct wa_buf held;
    wa_buf_init(&held, 256);
    switch (f->kind) {
    case WA_FACT_EXCLUDED:
        return wa_plan_reason(p, depth, "%s(=%s) is left out: %s", name_of(t, f->value),
                              version_of(t, f->value), p->vars.items[f->value].excluded);
    case WA_FACT_HELD:
        add_held(&held, p->vars.items[f->value].node);
        return wa_plan_reason(p, depth, "%s(=%s) %s", name_of(t, f->value), version_of(t, f->value),
                              wa_buf_str(&held) + strlen("which "));
    case WA_FACT_CONFLICTS:
        return tell_conflict(t, f, v, depth);
    case WA_FACT_NEEDS:
        break;
    }
    if (f->value == v)
        return tell_need(t, f, depth);
    (void)snprintf(text, sizeof text, wa_text(" needs %.400s"), set_of(t, f)->text);
    return tell_wanted(t, "", f->value, text, depth);
}

static bool concerns(const struct telling *t, const struct wa_plan_fact *f, uint32_t v)
{
    if (f->value == v || demands_another(t, f, v))
        return true;
    return f->kind == WA_FACT_CONFLICTS && wa_plan_set_has(t->p, set_of(t, f), v);
}

/* What is assumed and stands against v, in words; false: it does not. */
static bool assumption_against(const struct telling *t, size_t i, uint32_t v, char *out,
                               size_t size)
{
    wa_lit l = t->assumed.items[i];
    const struct wa_plan_var *x = var_at(t, l);
    const struct wa_plan_node *n = t->p->vars.items[v].node;
    const struct wa_plan_goal *g = x->kind == WA_PV_GOAL ? &t->p->goals.items[x->at] : NULL;
    if (g != NULL && g->node == n && g->kind == WA_GOAL_ABSENT)
        (void)snprintf(out, size, "%.400s is %s", n->name,
                       strcmp(g->why, "asked for") == 0 ? wa_text("to be removed")
                                                        : wa_text(g->why));
    else if (g != NULL && g->node == n && g->kind <= WA_GOAL_ASSIGNED &&
             !wa_plan_set_has(t->p, t->p->sets.items[g->set], v))
        (void)snprintf(out, size, wa_text("%.400s is %s"), g->text, wa_text(g->why));
    else if (x->kind == WA_PV_VALUE && x->node == n && l != wa_lit_of(v))
        (void)snprintf(out, size, wa_text("%.400s(=%.200s) comes"), n->name, wa_plan_version(x->c));
    else
        return false;
    return true;
}

static enum wa_code tell_value(struct telling *t, uint32_t v, unsigned depth)
{
    char text[1024];
    if (depth > NEST_MAX)
        return WA_OK;
    for (size_t i = 0; i < t->facts.n; i++) {
        if (t->told[i] != 0 || !concerns(t, fact_at(t, i), v))
            continue;
        t->told[i] = 1;
        if (tell_fact(t, fact_at(t, i), v, depth) != WA_OK)
            return t->p->err->code;
    }
    for (size_t i = 0; i < t->assumed.n; i++) {
        if (t->told[t->facts.n + i] != 0 || !assumption_against(t, i, v, text, sizeof text))
            continue;
        t->told[t->facts.n + i] = 1;
        if (wa_plan_reason(t->p, depth, "%s", text) != WA_OK)
            return t->p->err->code;
    }
    return WA_OK;
}

/* What was not reached. */
static enum wa_code tell_rest(struct telling *t)
{
    for (size_t i = 0; i < t->facts.n; i++) {
        if (t->told[i] != 0)
            continue;
        t->told[i] = 1;
        if (tell_fact(t, fact_at(t, i), fact_at(t, i)->value, 1) != WA_OK)
            return t->p->err->code;
    }
    for (size_t i = 0; i < t->assumed.n; i++) {
        const struct wa_plan_var *x = var_at(t, t->assumed.items[i]);
        const struct wa_plan_goal *g = x->kind == WA_PV_GOAL ? &t->p->goals.items[x->at] : NULL;
        enum wa_code code = WA_OK;
        if (t->told[t->facts.n + i] != 0)
            continue;
        if (g != NULL && g->kind <= WA_GOAL_ASSIGNED)
            code = wa_plan_reason(t->p, 1, "%s is %s", g->text, wa_text(g->why));
        else if (g != NULL && g->kind == WA_GOAL_ABSENT)
            code = wa_plan_reason(t->p, 1, "%s is to go", g->text);
        else if (x->kind == WA_PV_VALUE)
            code = wa_plan_reason(t->p, 1, "%s(=%s) comes", x->node->name, wa_plan_version(x->c));
        else if (x->kind == WA_PV_GONE)
            code = wa_plan_reason(t->p, 1, "%s is installed", x->node->name);
        if (code != WA_OK)
            return code;
    }
    return WA_OK;
}

/* --- asking the solver --- */

static enum wa_code assume(struct wa_planner *p, struct wa_lits *v, wa_lit l)
{
    wa_lit *slot = WA_VEC_PUSH(v);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = l;
    return WA_OK;
}

/* What comes before `last` in the order of preference, as it was found, and last itself. */
static enum wa_code assumptions(struct wa_planner *p, const struct wa_plan_goal *before,
                                wa_lit last, int stage, struct wa_lits *out)
{
    out->n = 0;
    for (size_t i = 0; i < p->goals.n; i++) {
        const struct wa_plan_goal *g = &p->goals.items[i];
        if (g->kind <= WA_GOAL_ABSENT && g->is_met && (stage > 0 || g < before) &&
            assume(p, out, wa_lit_of(g->var)) != WA_OK)
            return p->err->code;
    }
    for (size_t i = 0; stage > 1 && i < p->goners.n + p->broken.n; i++) {
        uint32_t v = i < p->goners.n ? p->goners.items[i] : p->broken.items[i - p->goners.n];
        if (!wa_plan_is(p, v) && assume(p, out, wa_lit_not(wa_lit_of(v))) != WA_OK)
            return p->err->code;
    }
    for (size_t i = 0; stage > 2 && i < p->goals.n; i++) {
        const struct wa_plan_goal *g = &p->goals.items[i];
        uint32_t v = wa_plan_value(p, g->node);
        if (g != before && v != UINT32_MAX && v != last >> 1 &&
            p->vars.items[v].node != before->node && assume(p, out, wa_lit_of(v)) != WA_OK)
            return p->err->code;
    }
    return assume(p, out, last);
}

/* The facts that exclude `last`, with as little as possible assumed beside it. *ret_found false: it
 * could not be told. */
static enum wa_code find_core(struct telling *t, const struct wa_plan_goal *before, wa_lit last,
                              int stage, bool *ret_found)
{
    struct wa_planner *p = t->p;
    struct wa_lits assumed = {NULL, 0, 0};
    enum wa_solved solved = WA_SOLVED;
    enum wa_code code = WA_OK;
    for (; code == WA_OK && solved == WA_SOLVED && stage <= 3; stage++) {
        code = assumptions(p, before, last, stage, &assumed);
        uint8_t *model = p->model; /* the search is to look at its own values */
        p->model = NULL;
        if (code == WA_OK)
            code = wa_plan_solve(p, &assumed, &p->explaining, &solved);
        p->model = model;
    }
    *ret_found = solved == WA_UNSOLVABLE;
    if (code == WA_OK && *ret_found)
        code = wa_solver_core(p->solver, &p->explaining, &t->facts, &t->assumed, p->err);
    WA_VEC_FREE(&assumed);
    if (code == WA_OK && *ret_found) {
        t->told = wa_calloc(t->facts.n + t->assumed.n + 1, 1);
        if (t->told == NULL)
            return wa_nomem(p->err);
        for (size_t i = 0; i < t->assumed.n; i++) /* what is asked needs no telling */
            t->told[t->facts.n + i] = t->assumed.items[i] == last;
    }
    return code;
}

static void telling_fini(struct telling *t)
{
    WA_VEC_FREE(&t->facts);
    WA_VEC_FREE(&t->assumed);
    wa_free(t->told);
}
#define AUTO_TELLING WA_CLEANUP(telling_fini)

static enum wa_code tell(struct telling *t, bool found, const uint32_t *vars, size_t n)
{
    if (!found)
        return wa_plan_reason(t->p, 1,
                              t->p->explaining == 0 ? "there are too many possibilities to say why"
                                                    : wa_text("another choice is preferred"));
    for (size_t i = 0; i < n; i++)
        if (tell_value(t, vars[i], 1) != WA_OK)
            return t->p->err->code;
    return tell_rest(t);
}

/* Who does not let it go. */
static enum wa_code tell_needed(struct telling *t, const struct wa_plan_node *n)
{
    char text[1024];
    for (size_t i = 0; i < t->facts.n; i++) {
        const struct wa_plan_fact *f = fact_at(t, i);
        if (t->told[i] != 0 || f->kind != WA_FACT_NEEDS || set_of(t, f)->node != n)
            continue;
        t->told[i] = 1;
        (void)snprintf(text, sizeof text, wa_text(" needs %.400s"), set_of(t, f)->text);
        if (tell_wanted(t, "", f->value, text, 1) != WA_OK)
            return t->p->err->code;
    }
    return tell_rest(t);
}

static enum wa_code headline(struct wa_planner *p, const struct wa_plan_goal *g)
{
    const struct wa_plan_node *n = g->node;
    switch (g->kind) {
    case WA_GOAL_REQUEST:
        if (g->order_n == 0)
            return wa_plan_problem(p, n->name, "%s: no package of the repositories meets it",
                                   g->text);
        return wa_plan_problem(p, n->name, "%s cannot be installed", g->text);
    case WA_GOAL_ASSIGNED:
        return wa_plan_problem(p, n->name, "%s, assigned to this machine, cannot be installed",
                               n->name);
    case WA_GOAL_ABSENT:
        return wa_plan_problem(p, n->name, "%s cannot be removed", n->name);
    case WA_GOAL_NEWER:
        return wa_plan_problem(p, n->name, "%s stays at %s", n->name,
                               wa_plan_version(&n->there->control));
    case WA_GOAL_REPAIR:
        break;
    }
    return wa_plan_problem(p, n->name, "%s(=%s) goes on lacking what it needs", n->name,
                           wa_plan_version(&n->there->control));
}

static wa_lit broken_of(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = 0; i < p->broken.n; i++)
        if (p->vars.items[p->broken.items[i]].node == n && wa_plan_is(p, p->broken.items[i]))
            return wa_lit_not(wa_lit_of(p->broken.items[i]));
    return WA_LIT_NONE;
}

enum wa_code wa_plan_explain_goal(struct wa_planner *p, const struct wa_plan_goal *g)
{
    AUTO_TELLING struct telling t = {.p = p};
    bool found = false;
    wa_lit last = g->kind == WA_GOAL_REPAIR ? broken_of(p, g->node) : wa_lit_of(g->var);
    int stage = g->kind <= WA_GOAL_ABSENT ? 0 : 1;
    if (headline(p, g) != WA_OK)
        return p->err->code;
    if ((g->kind == WA_GOAL_REQUEST && g->order_n == 0) || last == WA_LIT_NONE)
        return WA_OK;
    if (p->explained++ >= WA_PLAN_EXPLAINED_MAX)
        return WA_OK;
    if (find_core(&t, g, last, stage, &found) != WA_OK)
        return p->err->code;
    for (size_t i = 0; found && i < t.assumed.n; i++) /* that it is there: one knows */
        t.told[t.facts.n + i] |= t.assumed.items[i] == wa_lit_not(wa_lit_of(g->node->gone));
    if (g->kind == WA_GOAL_ABSENT && found)
        return tell_needed(&t, g->node);
    if (g->kind == WA_GOAL_REPAIR || g->kind == WA_GOAL_ABSENT)
        return tell(&t, found, &g->node->first, 1);
    return tell(&t, found, wa_plan_from(&p->orders, g->order), g->order_n);
}

enum wa_code wa_plan_explain_value(struct wa_planner *p, uint32_t value)
{
    AUTO_TELLING struct telling t = {.p = p};
    struct wa_plan_goal none = {.node = p->vars.items[value].node};
    bool found = false;
    const struct wa_plan_var *x = &p->vars.items[value];
    if (wa_plan_problem(p, x->node->name, "%s(=%s) does not come", x->node->name,
                        wa_plan_version(x->c)) != WA_OK ||
        find_core(&t, &none, wa_lit_of(value), 1, &found) != WA_OK)
        return p->err->code;
    return tell(&t, found, &value, 1);
}
