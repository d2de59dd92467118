/* solver_learn.c - what a conflict teaches: a clause that excludes it, with the clauses it follows
 * from, so that what is found impossible can be told from what was given.
 */
#include "pkg/solver_priv.h"

static enum wa_code around_limit(struct wa_solver *s, wa_lit l, struct wa_err *err)
{
    for (size_t i = 0; i < s->limited_n; i++) {
        const struct wa_svar *v = &s->vars.items[s->limited[i]];
        if (v->value <= 0 || s->limited[i] == l >> 1 || v->pos >= s->vars.items[l >> 1].pos)
            continue;
        wa_lit *slot = WA_VEC_PUSH(&s->around);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = wa_lit_not(wa_lit_of(s->limited[i]));
    }
    return WA_OK;
}

enum wa_code wa_solver_around(struct wa_solver *s, wa_lit l, uint8_t why_kind, uint32_t why,
                              struct wa_err *err)
{
    s->around.n = 0;
    if (why_kind == WA_WHY_LIMIT)
        return around_limit(s, l, err);
    if (why_kind == WA_WHY_GROUP) {
        wa_lit *slot = WA_VEC_PUSH(&s->around);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = wa_lit_not(wa_lit_of(why));
    }
    if (why_kind != WA_WHY_CLAUSE)
        return WA_OK;
    const struct wa_sclause *c = &s->clauses.items[why];
    for (uint32_t i = 0; i < c->n; i++) {
        wa_lit *slot;
        if (s->lits.items[c->at + i] == l)
            continue;
        slot = WA_VEC_PUSH(&s->around);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = s->lits.items[c->at + i];
    }
    return WA_OK;
}

/* Counts l, which is false, in; *open: literals of the present level that are not yet replaced. */
static enum wa_code meet(struct wa_solver *s, wa_lit l, size_t *open, struct wa_err *err)
{
    struct wa_svar *v = &s->vars.items[l >> 1];
    if (v->seen)
        return WA_OK;
    v->seen = true;
    if (wa_solver_push(&s->touched, l >> 1, err) != WA_OK)
        return err->code;
    if (v->level == 0)
        return wa_solver_push(&s->parents, 2 * (l >> 1) + 1, err);
    if (v->level == s->levels.n) {
        ++*open;
        return WA_OK;
    }
    wa_lit *slot = WA_VEC_PUSH(&s->learned);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = l;
    return WA_OK;
}

/* Replaces literals of the present level by what made them so, until one is left. */
static enum wa_code resolve(struct wa_solver *s, const struct wa_conflict *c, struct wa_err *err)
{
    size_t open = 0, at = s->trail.n;
    wa_lit l = c->lit;
    uint8_t why_kind = c->why_kind;
    uint32_t why = c->why;
    if (meet(s, l, &open, err) != WA_OK)
        return err->code;
    for (;;) {
        if (why_kind == WA_WHY_CLAUSE && wa_solver_push(&s->parents, 2 * why, err) != WA_OK)
            return err->code;
        if (wa_solver_around(s, l, why_kind, why, err) != WA_OK)
            return err->code;
        wa_solver_spend(s, s->around.n + 1);
        for (size_t i = 0; i < s->around.n; i++)
            if (meet(s, s->around.items[i], &open, err) != WA_OK)
                return err->code;
        do
            l = s->trail.items[--at];
        while (!s->vars.items[l >> 1].seen);
        if (--open == 0)
            break;
        why_kind = s->vars.items[l >> 1].why_kind;
        why = s->vars.items[l >> 1].why;
    }
    s->learned.items[0] = wa_lit_not(l);
    return WA_OK;
}

/* The level to go back to, whose literal is put second, to be watched. */
static size_t second_level(struct wa_solver *s)
{
    size_t best = 1;
    if (s->learned.n < 2)
        return 0;
    for (size_t i = 2; i < s->learned.n; i++)
        if (s->vars.items[s->learned.items[i] >> 1].level >
            s->vars.items[s->learned.items[best] >> 1].level)
            best = i;
    wa_lit l = s->learned.items[best];
    s->learned.items[best] = s->learned.items[1];
    s->learned.items[1] = l;
    return s->vars.items[l >> 1].level;
}

enum wa_code wa_solver_learn(struct wa_solver *s, const struct wa_conflict *c, struct wa_err *err)
{
    size_t parents = s->parents.n;
    s->learned.n = 0;
    s->touched.n = 0;
    wa_lit *first = WA_VEC_PUSH(&s->learned);
    if (first == NULL)
        return wa_nomem(err);
    enum wa_code code = resolve(s, c, err);
    for (size_t i = 0; i < s->touched.n; i++)
        s->vars.items[s->touched.items[i]].seen = false;
    if (code != WA_OK)
        return code;
    wa_solver_go_back(s, second_level(s));
    if (wa_solver_attach(s, s->learned.items, s->learned.n, WA_FACT_NONE, err) != WA_OK)
        return err->code;
    struct wa_sclause *made = &s->clauses.items[s->clauses.n - 1];
    made->parents = (uint32_t)parents;
    made->parents_n = (uint32_t)(s->parents.n - parents);
    return wa_solver_assign(s, s->learned.items[0], WA_WHY_CLAUSE, (uint32_t)s->clauses.n - 1, err);
}
