/* solver_core.c - what contradicts itself: first the clauses that the search used, then as few of
 * them as can be, by leaving out one after another and trying again.
 */
#include "pkg/solver_priv.h"

#include "base/mem.h"

#include <stdlib.h>

struct core {
    struct wa_solver *s;
    struct wa_u32s open; /* as in parents: clauses and variables to look at */
    uint8_t *had_clause, *had_var;
    struct wa_u32s clauses; /* given ones */
    struct wa_lits assumed;
};

static enum wa_code open_clause(struct core *c, uint32_t id, struct wa_err *err)
{
    if (c->had_clause[id] != 0)
        return WA_OK;
    c->had_clause[id] = 1;
    return wa_solver_push(&c->open, 2 * id, err);
}

static enum wa_code open_var(struct core *c, uint32_t var, struct wa_err *err)
{
    if (c->had_var[var] != 0)
        return WA_OK;
    c->had_var[var] = 1;
    return wa_solver_push(&c->open, 2 * var + 1, err);
}

static enum wa_code open_around(struct core *c, wa_lit l, uint8_t why_kind, uint32_t why,
                                struct wa_err *err)
{
    struct wa_solver *s = c->s;
    if (why_kind == WA_WHY_CLAUSE && open_clause(c, why, err) != WA_OK)
        return err->code;
    if (wa_solver_around(s, l, why_kind, why, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < s->around.n; i++)
        if (open_var(c, s->around.items[i] >> 1, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code look_at_var(struct core *c, uint32_t var, struct wa_err *err)
{
    const struct wa_svar *v = &c->s->vars.items[var];
    wa_lit l = v->value > 0 ? wa_lit_of(var) : wa_lit_not(wa_lit_of(var));
    if (v->why_kind != WA_WHY_DECIDED)
        return open_around(c, l, v->why_kind, v->why, err);
    wa_lit *slot = WA_VEC_PUSH(&c->assumed);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = l;
    return WA_OK;
}

static enum wa_code look_at_clause(struct core *c, uint32_t id, struct wa_err *err)
{
    const struct wa_solver *s = c->s;
    const struct wa_sclause *cl = &s->clauses.items[id];
    if (id < s->given)
        return wa_solver_push(&c->clauses, id, err);
    for (uint32_t i = 0; i < cl->parents_n; i++) {
        uint32_t p = s->parents.items[cl->parents + i];
        if (((p & 1u) != 0 ? open_var(c, p >> 1, err) : open_clause(c, p >> 1, err)) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* All that the contradiction was derived from. */
static enum wa_code collect(struct core *c, struct wa_err *err)
{
    struct wa_solver *s = c->s;
    c->had_clause = wa_calloc(s->clauses.n + 1, 1);
    c->had_var = wa_calloc(s->vars.n + 1, 1);
    if (c->had_clause == NULL || c->had_var == NULL)
        return wa_nomem(err);
    if (s->has_conflict) {
        if (open_var(c, s->conflict.lit >> 1, err) != WA_OK ||
            open_around(c, s->conflict.lit, s->conflict.why_kind, s->conflict.why, err) != WA_OK)
            return err->code;
    } else {
        wa_lit *slot = WA_VEC_PUSH(&c->assumed);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = s->failed.items[0];
        if (open_var(c, s->failed.items[0] >> 1, err) != WA_OK)
            return err->code;
    }
    while (c->open.n > 0) {
        uint32_t x = c->open.items[--c->open.n];
        if (((x & 1u) != 0 ? look_at_var(c, x >> 1, err) : look_at_clause(c, x >> 1, err)) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- leaving out --- */

struct trial {
    struct wa_solver *s; /* the core alone, its variables numbered anew */
    const struct core *core;
    uint32_t *number;    /* by variable of the whole: 1 + that of the core; 0: not in it */
    struct wa_u32s vars; /* the other way round */
    uint8_t *out;        /* by clause of the core, then by assumed literal: left out */
};

static enum wa_code number_var(struct trial *t, uint32_t var, struct wa_err *err)
{
    if (t->number[var] != 0)
        return WA_OK;
    if (wa_solver_push(&t->vars, var, err) != WA_OK)
        return err->code;
    t->number[var] = (uint32_t)t->vars.n;
    return WA_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In the order of the whole, so that exclusive groups stay together. */
static enum wa_code number_vars(struct trial *t, struct wa_err *err)
{
    const struct wa_solver *whole = t->core->s;
    for (size_t i = 0; i < t->core->clauses.n; i++) {
        const struct wa_sclause *c = &whole->clauses.items[t->core->clauses.items[i]];
        for (uint32_t k = 0; k < c->n; k++)
            if (number_var(t, whole->lits.items[c->at + k] >> 1, err) != WA_OK)
                return err->code;
    }
    for (size_t i = 0; i < t->core->assumed.n; i++)
        if (number_var(t, t->core->assumed.items[i] >> 1, err) != WA_OK)
            return err->code;
    if (t->vars.n > 1)
        qsort(t->vars.items, t->vars.n, sizeof t->vars.items[0], by_number);
    for (size_t i = 0; i < t->vars.n; i++)
        t->number[t->vars.items[i]] = (uint32_t)i + 1;
    return WA_OK;
}

static enum wa_code add_vars(struct trial *t, struct wa_err *err)
{
    const struct wa_svar *vars = t->core->s->vars.items;
    for (size_t i = 0, n; i < t->vars.n; i += n) {
        uint32_t group = vars[t->vars.items[i]].group, first;
        bool exclusive = vars[t->vars.items[i]].group_n > 0;
        for (n = 1; exclusive && i + n < t->vars.n && vars[t->vars.items[i + n]].group_n > 0 &&
                    vars[t->vars.items[i + n]].group == group;)
            n++;
        if (wa_solver_vars(t->s, n, exclusive, &first, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code add_clause(struct trial *t, const wa_lit *lits, size_t n, struct wa_err *err)
{
    struct wa_lits own = {NULL, 0, 0};
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i < n; i++) {
        wa_lit *slot = WA_VEC_PUSH(&own);
        if (slot == NULL)
            code = wa_nomem(err);
        else
            *slot = wa_lit_of(t->number[lits[i] >> 1] - 1) | (lits[i] & 1u);
    }
    if (code == WA_OK)
        code = wa_solver_clause(t->s, own.items, n, WA_FACT_NONE, err);
    WA_VEC_FREE(&own);
    return code;
}

/* Any order will do where only whether there is a solution matters. */
static enum wa_code decide_any(void *user, size_t level, wa_lit *ret, struct wa_err *err)
{
    struct trial *t = user;
    (void)level;
    (void)err;
    *ret = WA_LIT_NONE;
    for (uint32_t v = 0; v < t->vars.n && *ret == WA_LIT_NONE; v++)
        if (wa_solver_value(t->s, wa_lit_of(v)) == 0)
            *ret = wa_lit_not(wa_lit_of(v));
    wa_solver_spend(t->s, t->vars.n);
    return WA_OK;
}

static enum wa_code still_contradicts(struct trial *t, uint64_t *work, bool *ret,
                                      struct wa_err *err)
{
    const struct core *c = t->core;
    enum wa_solved solved = WA_EXHAUSTED;
    wa_solver_free(t->s);
    t->s = NULL;
    if (wa_solver_new(&t->s, err) != WA_OK || add_vars(t, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < c->clauses.n; i++) {
        const struct wa_sclause *cl = &c->s->clauses.items[c->clauses.items[i]];
        if (t->out[i] == 0 && add_clause(t, &c->s->lits.items[cl->at], cl->n, err) != WA_OK)
            return err->code;
    }
    for (size_t i = 0; i < c->assumed.n; i++)
        if (t->out[c->clauses.n + i] == 0 && add_clause(t, &c->assumed.items[i], 1, err) != WA_OK)
            return err->code;
    size_t built = c->clauses.n + c->assumed.n + t->vars.n;
    *work = *work > built ? *work - built : 0;
    if (wa_solver_solve(t->s, NULL, decide_any, t, work, &solved, err) != WA_OK)
        return err->code;
    *ret = solved == WA_UNSOLVABLE;
    return WA_OK;
}

/* Leaves out each assumed literal that is not needed, the latest first, then each fact so. */
static enum wa_code reduce(struct trial *t, uint64_t *work, struct wa_err *err)
{
    const struct core *c = t->core;
    size_t all = c->clauses.n + c->assumed.n;
    for (size_t i = all; i > 0 && *work > 0; i--) {
        bool is_fact = i <= c->clauses.n;
        bool contradicts = false;
        if (is_fact && c->s->clauses.items[c->clauses.items[i - 1]].fact == WA_FACT_NONE)
            continue;
        t->out[i - 1] = 1;
        if (still_contradicts(t, work, &contradicts, err) != WA_OK)
            return err->code;
        t->out[i - 1] = contradicts;
    }
    return WA_OK;
}

/* --- telling --- */

static enum wa_code tell(const struct trial *t, struct wa_lits *facts, struct wa_lits *assumed,
                         struct wa_err *err)
{
    const struct core *c = t->core;
    facts->n = assumed->n = 0;
    for (size_t i = 0; i < c->clauses.n + c->assumed.n; i++) {
        bool is_fact = i < c->clauses.n;
        uint32_t x = is_fact ? c->s->clauses.items[c->clauses.items[i]].fact
                             : c->assumed.items[i - c->clauses.n];
        struct wa_lits *list = is_fact ? facts : assumed;
        if (t->out[i] != 0 || (is_fact && x == WA_FACT_NONE))
            continue;
        wa_lit *slot = WA_VEC_PUSH(list);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = x;
    }
    return WA_OK;
}

static void sort(uint32_t *items, size_t n)
{
    if (n > 1)
        qsort(items, n, sizeof *items, by_number);
}

enum wa_code wa_solver_core(struct wa_solver *s, uint64_t *work, struct wa_lits *ret_facts,
                            struct wa_lits *ret_assumed, struct wa_err *err)
{
    struct core c = {.s = s};
    struct trial t = {.core = &c};
    enum wa_code code = collect(&c, err);
    sort(c.clauses.items, c.clauses.n);
    sort(c.assumed.items, c.assumed.n);
    t.number = wa_calloc(s->vars.n + 1, sizeof *t.number);
    t.out = wa_calloc(c.clauses.n + c.assumed.n + 1, 1);
    if (code == WA_OK && (t.number == NULL || t.out == NULL))
        code = wa_nomem(err);
    if (code == WA_OK)
        code = number_vars(&t, err);
    if (code == WA_OK)
        code = reduce(&t, work, err);
    if (code == WA_OK)
        code = tell(&t, ret_facts, ret_assumed, err);
    wa_solver_free(t.s);
    wa_free(t.number);
    wa_free(t.out);
    WA_VEC_FREE(&t.vars);
    wa_free(c.had_clause);
    wa_free(c.had_var);
    WA_VEC_FREE(&c.open);
    WA_VEC_FREE(&c.clauses);
    WA_VEC_FREE(&c.assumed);
    return code;
}
