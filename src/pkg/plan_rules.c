/* plan_rules.c - requirements and conflicts as clauses.
 *
 * What is installed keeps what it has: a requirement of an installed package that holds today must
 * hold afterwards, or the package goes or changes; one that is broken today is borne, unless the
 * package is to be repaired. Two installed packages that conflict today are borne too.
 */
#include "pkg/plan_priv.h"

#include "codec/csv.h"

/* --- sets --- */

static bool is_member(const struct wa_planner *p, const struct wa_plan_set *s,
                      const struct wa_request *r, uint32_t v)
{
    const struct wa_plan_var *x = &p->vars.items[v];
    if (x->is_there && (s->kind == WA_SET_COMING ||
                        (s->kind == WA_SET_NEEDED && !wa_plan_counts_as_installed(s->node))))
        return false;
    return wa_request_matches(r, x->c);
}

static enum wa_code push(struct wa_lits *v, wa_lit l, struct wa_err *err)
{
    wa_lit *slot = WA_VEC_PUSH(v);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = l;
    return WA_OK;
}

/* The set's variable means: one of the members. */
static enum wa_code define(struct wa_planner *p, struct wa_plan_set *s)
{
    struct wa_lits any = {NULL, 0, 0};
    enum wa_code code = push(&any, wa_lit_not(wa_lit_of(s->var)), p->err);
    for (size_t i = 0; code == WA_OK && i < s->count; i++) {
        wa_lit member = wa_lit_of(p->members.items[s->first + i]);
        wa_lit both[] = {wa_lit_not(member), wa_lit_of(s->var)};
        code = s->kind == WA_SET_NEEDED
                   ? push(&any, member, p->err)
                   : wa_solver_clause(p->solver, both, 2, WA_FACT_NONE, p->err);
    }
    if (code == WA_OK && s->kind == WA_SET_NEEDED)
        code = wa_solver_clause(p->solver, any.items, any.n, WA_FACT_NONE, p->err);
    WA_VEC_FREE(&any);
    return code;
}

static enum wa_code fill(struct wa_planner *p, struct wa_plan_set *s, const struct wa_request *r)
{
    s->first = p->members.n;
    if (s->node != NULL) {
        if (wa_plan_activate(p, s->node) != WA_OK)
            return p->err->code;
        s->next = s->node->sets;
        s->node->sets = p->sets.n + 1;
        for (uint32_t v = s->node->first; v < s->node->first + s->node->count; v++)
            if (is_member(p, s, r, v) && push(&p->members, v, p->err) != WA_OK)
                return p->err->code;
    }
    s->count = p->members.n - s->first;
    if (wa_plan_push_var(p, (struct wa_plan_var){.kind = WA_PV_SET, .at = p->sets.n}, &s->var) !=
        WA_OK)
        return p->err->code;
    struct wa_plan_set **slot = WA_VEC_PUSH(&p->sets);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = s;
    return define(p, s);
}

bool wa_plan_set_has(const struct wa_planner *p, const struct wa_plan_set *s, uint32_t v)
{
    size_t low = s->first, high = s->first + s->count; /* members are in the order of numbers */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->members.items[mid] == v)
            return true;
        if (p->members.items[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

enum wa_code wa_plan_set_of(struct wa_planner *p, enum wa_plan_set_kind kind, struct wa_sv text,
                            size_t *ret)
{
    static const char letters[] = "nrc";
    WA_AUTO_BUF struct wa_buf key;
    struct wa_request r;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&key, WA_CONTROL_BYTES_MAX + 16);
    wa_buf_addc(&key, letters[kind]);
    wa_buf_addsv(&key, text);
    if (wa_buf_check(&key, p->err) != WA_OK)
        return p->err->code;
    struct wa_plan_set *s = wa_map_get(&p->by_text, wa_buf_sv(&key));
    if (s != NULL) {
        *ret = p->vars.items[s->var].at;
        return WA_OK;
    }
    s = wa_arena_alloc(&p->arena, 1, sizeof *s);
    if (s == NULL || (s->text = wa_arena_strdup(&p->arena, text)) == NULL)
        return wa_nomem(p->err);
    s->kind = kind;
    s->is_malformed = wa_request_parse(text, &r, &why) != WA_OK;
    s->node = s->is_malformed ? NULL : wa_plan_find(p, r.package);
    if (fill(p, s, &r) != WA_OK)
        return p->err->code;
    *ret = p->sets.n - 1;
    return wa_map_put(&p->by_text, wa_buf_sv(&key), s, NULL, p->err);
}

/* --- facts --- */

static enum wa_code fact(struct wa_planner *p, struct wa_plan_fact f, const wa_lit *lits, size_t n)
{
    struct wa_plan_fact *slot = WA_VEC_PUSH(&p->facts);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = f;
    return wa_solver_clause(p->solver, lits, n, (uint32_t)(p->facts.n - 1), p->err);
}

/* relax: a literal that makes the need void, or WA_LIT_NONE. */
static enum wa_code need(struct wa_planner *p, uint32_t v, struct wa_sv text, wa_lit relax)
{
    size_t set;
    if (wa_plan_set_of(p, WA_SET_NEEDED, text, &set) != WA_OK)
        return p->err->code;
    wa_lit lits[] = {wa_lit_not(wa_lit_of(v)), wa_lit_of(p->sets.items[set]->var), relax};
    struct wa_plan_fact f = {.kind = WA_FACT_NEEDS, .value = v, .set = set};
    if (fact(p, f, lits, relax == WA_LIT_NONE ? 2 : 3) != WA_OK)
        return p->err->code;
    struct wa_plan_var *x = &p->vars.items[v];
    *(x->needs == 0 ? &x->needs : &p->facts.items[x->last_need - 1].next) = p->facts.n;
    x->last_need = p->facts.n;
    return WA_OK;
}

static enum wa_code conflict(struct wa_planner *p, uint32_t v, struct wa_sv text)
{
    size_t set;
    struct wa_request r;
    struct wa_err why = WA_ERR_INIT;
    const struct wa_plan_var *x = &p->vars.items[v];
    if (wa_request_parse(text, &r, &why) != WA_OK || strcmp(r.package, x->node->name) == 0)
        return WA_OK;
    const struct wa_plan_node *n = wa_plan_find(p, r.package);
    if (n == NULL || (x->is_there && !n->is_active))
        return WA_OK; /* nothing can come of it */
    if (wa_plan_set_of(p, x->is_there ? WA_SET_COMING : WA_SET_RIVALS, text, &set) != WA_OK)
        return p->err->code;
    wa_lit lits[] = {wa_lit_not(wa_lit_of(v)), wa_lit_not(wa_lit_of(p->sets.items[set]->var))};
    struct wa_plan_set *s = p->sets.items[set];
    struct wa_plan_fact f = {
        .kind = WA_FACT_CONFLICTS, .value = v, .set = set, .next = s->conflicts};
    if (s->count == 0)
        return WA_OK;
    s->conflicts = p->facts.n + 1;
    return fact(p, f, lits, 2);
}

/* --- names --- */

static enum wa_code rules_of_candidate(struct wa_planner *p, uint32_t v)
{
    const struct wa_control *c = p->vars.items[v].c;
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    wa_lit never = wa_lit_not(wa_lit_of(v));
    if (p->vars.items[v].excluded != NULL)
        return fact(p, (struct wa_plan_fact){.kind = WA_FACT_EXCLUDED, .value = v}, &never, 1);
    while (wa_csv_next(&rest, &item))
        if (conflict(p, v, item) != WA_OK)
            return p->err->code;
    rest = wa_sv(wa_control_get(c, WA_A_DEPENDS));
    while (wa_csv_next(&rest, &item))
        if (need(p, v, item, WA_LIT_NONE) != WA_OK)
            return p->err->code;
    return WA_OK;
}

/* Who is installed and speaks of this name may have to change with it; and what is missing today
 * may come. */
static enum wa_code concern(struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = n->rivals; i > 0; i = p->links.items[i - 1].next)
        if (wa_plan_activate(p, p->links.items[i - 1].node) != WA_OK)
            return p->err->code;
    if (n->there == NULL || !n->is_repaired)
        return WA_OK;
    struct wa_sv rest = wa_sv(wa_control_get(&n->there->control, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        bool is_broken = wa_request_parse(item, &r, &why) == WA_OK && !wa_plan_holds_now(p, &r);
        struct wa_plan_node *m = is_broken ? wa_plan_find(p, r.package) : NULL;
        if (m != NULL && wa_plan_activate(p, m) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

/* Every name that a candidate speaks of, and whoever is concerned by such a name. */
static enum wa_code rules_of_candidates(struct wa_planner *p)
{
    for (size_t i = 0; i < p->active.n; i++) {
        struct wa_plan_node *n = p->active.items[i];
        if (concern(p, n) != WA_OK)
            return p->err->code;
        for (uint32_t v = n->first; v < n->first + n->count; v++)
            if (!p->vars.items[v].is_there && rules_of_candidate(p, v) != WA_OK)
                return p->err->code;
    }
    return WA_OK;
}

static enum wa_code broken_var(struct wa_planner *p, struct wa_plan_node *n, wa_lit *ret)
{
    uint32_t var;
    *ret = n->relax;
    if (n->relax != WA_LIT_NONE)
        return WA_OK;
    if (wa_plan_push_var(p, (struct wa_plan_var){.kind = WA_PV_BROKEN, .node = n}, &var) != WA_OK)
        return p->err->code;
    *ret = wa_lit_of(var);
    return push(&p->broken, var, p->err);
}

/* n is installed and stays as it is: what it has today, and what it lacks if it is to be repaired.
 */
static enum wa_code needs_of_installed(struct wa_planner *p, struct wa_plan_node *n)
{
    struct wa_sv rest = wa_sv(wa_control_get(&n->there->control, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        wa_lit relax = WA_LIT_NONE;
        if (wa_request_parse(item, &r, &why) != WA_OK)
            continue;
        bool holds = wa_plan_holds_now(p, &r);
        if (holds ? !wa_plan_find(p, r.package)->is_active : !n->is_repaired)
            continue;
        if (!holds && broken_var(p, n, &relax) != WA_OK)
            return p->err->code;
        if (need(p, n->first, item, relax) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code rules_of_installed(struct wa_planner *p, struct wa_plan_node *n)
{
    struct wa_sv rest = wa_sv(wa_control_get(&n->there->control, WA_A_CONFLICTS)), item;
    wa_lit stays = wa_lit_of(n->first);
    if (needs_of_installed(p, n) != WA_OK)
        return p->err->code;
    while (wa_csv_next(&rest, &item))
        if (conflict(p, n->first, item) != WA_OK)
            return p->err->code;
    if (n->held_until == NULL)
        return WA_OK;
    return fact(p, (struct wa_plan_fact){.kind = WA_FACT_HELD, .value = n->first}, &stays, 1);
}

/* Candidates that declare a conflict with what is installed of n and are wanted for themselves:
 * they take its place. Were others to count, they would come for nothing else. */
static enum wa_code replacements(struct wa_planner *p, const struct wa_plan_node *n,
                                 struct wa_lits *any)
{
    for (size_t i = n->sets; i > 0; i = p->sets.items[i - 1]->next) {
        const struct wa_plan_set *s = p->sets.items[i - 1];
        if (s->kind != WA_SET_RIVALS || s->count == 0 || p->members.items[s->first] != n->first)
            continue;
        for (size_t f = s->conflicts; f > 0; f = p->facts.items[f - 1].next)
            if (p->vars.items[p->facts.items[f - 1].value].is_wanted &&
                push(any, wa_lit_of(p->facts.items[f - 1].value), p->err) != WA_OK)
                return p->err->code;
    }
    return WA_OK;
}

/* "Gone", or it is there in some version, or something takes its place. */
static enum wa_code rule_of_gone(struct wa_planner *p, struct wa_plan_node *n)
{
    struct wa_lits any = {NULL, 0, 0};
    if (wa_plan_push_var(p, (struct wa_plan_var){.kind = WA_PV_GONE, .node = n}, &n->gone) != WA_OK)
        return p->err->code;
    enum wa_code code = push(&any, wa_lit_of(n->gone), p->err);
    for (uint32_t v = n->first; code == WA_OK && v < n->first + n->count; v++)
        code = push(&any, wa_lit_of(v), p->err);
    if (code == WA_OK)
        code = replacements(p, n, &any);
    if (code == WA_OK)
        code = wa_solver_clause(p->solver, any.items, any.n, WA_FACT_NONE, p->err);
    WA_VEC_FREE(&any);
    return code == WA_OK ? push(&p->goners, n->gone, p->err) : code;
}

enum wa_code wa_plan_rules(struct wa_planner *p)
{
    if (rules_of_candidates(p) != WA_OK)
        return p->err->code;
    /* No further name becomes active by these. */
    for (size_t i = 0; i < p->active.n; i++) {
        struct wa_plan_node *n = p->active.items[i];
        if (n->there != NULL && (rules_of_installed(p, n) != WA_OK || rule_of_gone(p, n) != WA_OK))
            return p->err->code;
    }
    return WA_OK;
}
