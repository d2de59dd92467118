/* solver.c - clauses, propagation over two watched literals of each, and the search.
 *
 * A learned clause is never dropped, and there are no restarts: the search is bounded by the work
 * it may do and by the literals it may keep, and it must stay the same for the same input.
 */
#include "pkg/solver_priv.h"

#include "base/mem.h"

enum wa_code wa_solver_new(struct wa_solver **ret, struct wa_err *err)
{
    struct wa_solver *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    s->limit = SIZE_MAX;
    *ret = s;
    return WA_OK;
}

void wa_solver_free(struct wa_solver *s)
{
    if (s == NULL)
        return;
    WA_VEC_FREE(&s->vars);
    WA_VEC_FREE(&s->clauses);
    WA_VEC_FREE(&s->heads);
    WA_VEC_FREE(&s->lits);
    WA_VEC_FREE(&s->trail);
    WA_VEC_FREE(&s->levels);
    WA_VEC_FREE(&s->parents);
    WA_VEC_FREE(&s->touched);
    WA_VEC_FREE(&s->learned);
    WA_VEC_FREE(&s->around);
    WA_VEC_FREE(&s->failed);
    wa_free(s);
}

enum wa_code wa_solver_push(struct wa_u32s *v, uint32_t x, struct wa_err *err)
{
    uint32_t *slot = WA_VEC_PUSH(v);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = x;
    return WA_OK;
}

static enum wa_code push_lit(struct wa_lits *v, wa_lit l, struct wa_err *err)
{
    wa_lit *slot = WA_VEC_PUSH(v);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = l;
    return WA_OK;
}

enum wa_code wa_solver_vars(struct wa_solver *s, size_t count, bool exclusive, uint32_t *ret_first,
                            struct wa_err *err)
{
    uint32_t first = (uint32_t)s->vars.n;
    if (s->vars.n + count > WA_PLAN_LITERALS_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot plan: more than %u choices", WA_PLAN_LITERALS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct wa_svar *v = WA_VEC_PUSH(&s->vars);
        if (v == NULL)
            return wa_nomem(err);
        v->group = first;
        v->group_n = exclusive ? (uint32_t)count : 0;
        if (wa_solver_push(&s->heads, 0, err) != WA_OK ||
            wa_solver_push(&s->heads, 0, err) != WA_OK)
            return err->code;
    }
    *ret_first = first;
    return WA_OK;
}

enum wa_code wa_solver_attach(struct wa_solver *s, const wa_lit *lits, size_t n, uint32_t fact,
                              struct wa_err *err)
{
    uint32_t at = (uint32_t)s->lits.n, id = (uint32_t)s->clauses.n;
    if (s->lits.n + n > WA_PLAN_LITERALS_MAX || s->clauses.n >= WA_PLAN_LITERALS_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot plan: more than %u requirements to look at",
                       WA_PLAN_LITERALS_MAX);
    for (size_t i = 0; i < n; i++)
        if (push_lit(&s->lits, lits[i], err) != WA_OK)
            return err->code;
    struct wa_sclause *c = WA_VEC_PUSH(&s->clauses);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct wa_sclause){.at = at, .n = (uint32_t)n, .fact = fact};
    for (uint32_t w = 0; n > 1 && w < 2; w++) {
        c->next[w] = s->heads.items[lits[w]];
        s->heads.items[lits[w]] = 1 + 2 * id + w;
    }
    return WA_OK;
}

enum wa_code wa_solver_clause(struct wa_solver *s, const wa_lit *lits, size_t n, uint32_t fact,
                              struct wa_err *err)
{
    if (wa_solver_attach(s, lits, n, fact, err) != WA_OK)
        return err->code;
    s->given = s->clauses.n;
    return WA_OK;
}

size_t wa_solver_clause_count(const struct wa_solver *s)
{
    return s->clauses.n;
}

void wa_solver_limit(struct wa_solver *s, const uint32_t *vars, size_t n, size_t max)
{
    wa_solver_go_back(s, 0);
    for (size_t i = 0; i < s->limited_n; i++)
        s->vars.items[s->limited[i]].is_limited = false;
    s->limited = vars;
    s->limited_n = n;
    s->limit = max;
    s->limited_true = 0;
    for (size_t i = 0; i < n; i++) {
        s->vars.items[vars[i]].is_limited = true;
        s->limited_true += s->vars.items[vars[i]].value > 0;
    }
}

void wa_solver_forget(struct wa_solver *s, size_t keep)
{
    wa_solver_go_back(s, 0);
    for (size_t i = 0; i < s->trail.n; i++)
        s->vars.items[s->trail.items[i] >> 1].value = 0;
    s->trail.n = s->head = s->units = s->limited_true = 0;
    s->given = keep > 0 ? keep : s->given;
    s->clauses.n = s->given;
    for (size_t i = 0; i < s->heads.n; i++)
        s->heads.items[i] = 0;
    s->lits.n = s->parents.n = 0;
    for (uint32_t id = 0; id < s->clauses.n; id++) {
        struct wa_sclause *c = &s->clauses.items[id];
        s->lits.n = c->at + c->n;
        for (uint32_t w = 0; c->n > 1 && w < 2; w++) {
            wa_lit l = s->lits.items[c->at + w];
            c->next[w] = s->heads.items[l];
            s->heads.items[l] = 1 + 2 * id + w;
        }
    }
}

bool wa_solver_is_true(const struct wa_solver *s, wa_lit l)
{
    return wa_solver_value(s, l) > 0;
}

bool wa_solver_is_false(const struct wa_solver *s, wa_lit l)
{
    return wa_solver_value(s, l) < 0;
}

/* --- assigning --- */

enum wa_code wa_solver_assign(struct wa_solver *s, wa_lit l, uint8_t why_kind, uint32_t why,
                              struct wa_err *err)
{
    struct wa_svar *v = &s->vars.items[l >> 1];
    if (push_lit(&s->trail, l, err) != WA_OK)
        return err->code;
    v->value = (l & 1u) != 0 ? -1 : 1;
    v->level = (uint32_t)s->levels.n;
    v->pos = (uint32_t)s->trail.n - 1;
    v->why_kind = why_kind;
    v->why = why;
    s->limited_true += v->is_limited && v->value > 0;
    return WA_OK;
}

void wa_solver_go_back(struct wa_solver *s, size_t level)
{
    if (s->levels.n <= level)
        return;
    for (size_t to = s->levels.items[level]; s->trail.n > to; s->trail.n--) {
        struct wa_svar *v = &s->vars.items[s->trail.items[s->trail.n - 1] >> 1];
        s->limited_true -= v->is_limited && v->value > 0;
        v->value = 0;
    }
    s->head = s->trail.n;
    s->levels.n = level;
}

/* --- propagation --- */

static void found(struct wa_solver *s, wa_lit l, uint8_t why_kind, uint32_t why)
{
    s->conflict = (struct wa_conflict){.lit = l, .why_kind = why_kind, .why = why};
    s->has_conflict = true;
}

/* Another literal to watch instead of the one at place w, which is false. False: there is none. */
static bool rewatch(struct wa_solver *s, struct wa_sclause *c, uint32_t id, uint32_t w)
{
    wa_lit *lits = &s->lits.items[c->at];
    for (uint32_t k = 2; k < c->n; k++) {
        if (wa_solver_value(s, lits[k]) < 0)
            continue;
        wa_lit l = lits[k];
        wa_solver_spend(s, k);
        lits[k] = lits[w];
        lits[w] = l;
        c->next[w] = s->heads.items[l];
        s->heads.items[l] = 1 + 2 * id + w;
        return true;
    }
    wa_solver_spend(s, c->n);
    return false;
}

static enum wa_code propagate_watched(struct wa_solver *s, wa_lit is_false, struct wa_err *err)
{
    uint32_t *link = &s->heads.items[is_false];
    while (*link != 0 && !s->has_conflict) {
        uint32_t id = (*link - 1) >> 1, w = (*link - 1) & 1u;
        struct wa_sclause *c = &s->clauses.items[id];
        wa_lit other = s->lits.items[c->at + 1 - w];
        uint32_t next = c->next[w];
        wa_solver_spend(s, 1);
        if (wa_solver_value(s, other) <= 0 && rewatch(s, c, id, w)) {
            *link = next;
            continue;
        }
        link = &c->next[w];
        if (wa_solver_value(s, other) < 0)
            found(s, other, WA_WHY_CLAUSE, id);
        else if (wa_solver_value(s, other) == 0 &&
                 wa_solver_assign(s, other, WA_WHY_CLAUSE, id, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code propagate_group(struct wa_solver *s, uint32_t var, struct wa_err *err)
{
    uint32_t first = s->vars.items[var].group, n = s->vars.items[var].group_n;
    wa_solver_spend(s, n);
    for (uint32_t u = first; u < first + n && !s->has_conflict; u++) {
        if (u == var || s->vars.items[u].value < 0)
            continue;
        wa_lit l = wa_lit_not(wa_lit_of(u));
        if (s->vars.items[u].value > 0)
            found(s, l, WA_WHY_GROUP, var);
        else if (wa_solver_assign(s, l, WA_WHY_GROUP, var, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code propagate_limit(struct wa_solver *s, struct wa_err *err)
{
    uint32_t last = UINT32_MAX;
    if (s->limited_true < s->limit)
        return WA_OK;
    wa_solver_spend(s, s->limited_n);
    for (size_t i = 0; i < s->limited_n; i++) {
        uint32_t v = s->limited[i];
        if (s->vars.items[v].value > 0 &&
            (last == UINT32_MAX || s->vars.items[v].pos > s->vars.items[last].pos))
            last = v;
    }
    if (s->limited_true > s->limit) {
        found(s, wa_lit_not(wa_lit_of(last)), WA_WHY_LIMIT, 0);
        return WA_OK;
    }
    for (size_t i = 0; i < s->limited_n; i++)
        if (s->vars.items[s->limited[i]].value == 0 &&
            wa_solver_assign(s, wa_lit_not(wa_lit_of(s->limited[i])), WA_WHY_LIMIT, 0, err) !=
                WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code propagate(struct wa_solver *s, struct wa_err *err)
{
    s->has_conflict = false;
    while (s->head < s->trail.n && !s->has_conflict) {
        wa_lit l = s->trail.items[s->head++];
        if (propagate_watched(s, wa_lit_not(l), err) != WA_OK)
            return err->code;
        if (s->has_conflict || (l & 1u) != 0)
            continue;
        if (propagate_group(s, l >> 1, err) != WA_OK ||
            (!s->has_conflict && s->vars.items[l >> 1].is_limited &&
             propagate_limit(s, err) != WA_OK))
            return err->code;
    }
    return WA_OK;
}

/* --- the search --- */

/* What holds before any decision. */
static enum wa_code begin(struct wa_solver *s, struct wa_err *err)
{
    wa_solver_go_back(s, 0);
    s->has_conflict = false;
    s->failed.n = 0;
    for (; s->units < s->given && !s->has_conflict; s->units++) {
        const struct wa_sclause *c = &s->clauses.items[s->units];
        wa_lit l = c->n > 0 ? s->lits.items[c->at] : WA_LIT_NONE;
        if (c->n != 1 || wa_solver_value(s, l) > 0)
            continue;
        if (wa_solver_value(s, l) < 0)
            found(s, l, WA_WHY_CLAUSE, (uint32_t)s->units);
        else if (wa_solver_assign(s, l, WA_WHY_CLAUSE, (uint32_t)s->units, err) != WA_OK)
            return err->code;
    }
    if (!s->has_conflict && propagate_limit(s, err) != WA_OK)
        return err->code;
    return s->has_conflict ? WA_OK : propagate(s, err);
}

/* *ret WA_LIT_NONE: nothing is left. */
static enum wa_code next_decision(struct wa_solver *s, const struct wa_lits *assumed,
                                  wa_decide_fn decide, void *user, wa_lit *ret, struct wa_err *err)
{
    size_t n = assumed != NULL ? assumed->n : 0;
    while (s->levels.n < n) {
        wa_lit l = assumed->items[s->levels.n];
        if (wa_solver_value(s, l) == 0) {
            *ret = l;
            return WA_OK;
        }
        if (wa_solver_value(s, l) < 0)
            return push_lit(&s->failed, l, err);
        if (wa_solver_push(&s->levels, (uint32_t)s->trail.n, err) != WA_OK) /* a level of its own */
            return err->code;
    }
    return decide(user, s->levels.n - n, ret, err);
}

enum wa_code wa_solver_solve(struct wa_solver *s, const struct wa_lits *assumed,
                             wa_decide_fn decide, void *user, uint64_t *work, enum wa_solved *ret,
                             struct wa_err *err)
{
    s->work = work;
    if (begin(s, err) != WA_OK)
        return err->code;
    *ret = WA_UNSOLVABLE;
    for (;;) {
        wa_lit next = WA_LIT_NONE;
        if (s->has_conflict && s->levels.n == 0)
            return WA_OK;
        if (*work == 0 || s->lits.n + s->vars.n > WA_PLAN_LITERALS_MAX ||
            s->parents.n > WA_PLAN_LITERALS_MAX) {
            *ret = WA_EXHAUSTED;
            return WA_OK;
        }
        if (s->has_conflict) {
            struct wa_conflict c = s->conflict;
            if (wa_solver_learn(s, &c, err) != WA_OK || propagate(s, err) != WA_OK)
                return err->code;
            continue;
        }
        if (next_decision(s, assumed, decide, user, &next, err) != WA_OK)
            return err->code;
        if (s->failed.n > 0)
            return WA_OK;
        if (next == WA_LIT_NONE)
            break;
        if (wa_solver_push(&s->levels, (uint32_t)s->trail.n, err) != WA_OK ||
            wa_solver_assign(s, next, WA_WHY_DECIDED, 0, err) != WA_OK ||
            propagate(s, err) != WA_OK)
            return err->code;
    }
    *ret = WA_SOLVED;
    return WA_OK;
}
