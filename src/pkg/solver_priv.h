/* solver_priv.h - between the files of the solver.
 *
 *     solver.c       clauses, propagation, the search
 *     solver_learn.c what a conflict teaches
 *     solver_core.c  what contradicts itself, made small
 */
#ifndef WA_PKG_SOLVER_PRIV_H
#define WA_PKG_SOLVER_PRIV_H

#include "base/limits.h"
#include "pkg/solver.h"

/* Why a literal is true: a clause, another member of its exclusive group, or the limit. */
enum wa_why_kind { WA_WHY_DECIDED, WA_WHY_CLAUSE, WA_WHY_GROUP, WA_WHY_LIMIT };

struct wa_svar {
    uint32_t level, pos;     /* of its assignment; pos: in the trail */
    uint32_t why;            /* CLAUSE: its number, GROUP: the variable that is true */
    uint32_t group, group_n; /* first variable of its group and their count; 0: alone */
    uint8_t why_kind;
    int8_t value; /* 1, -1; 0: open */
    bool seen, is_limited;
};

struct wa_sclause {
    uint32_t at, n;   /* literals, in lits; the first two are watched */
    uint32_t next[2]; /* 1 + 2 * clause + place, of the same watched literal; 0: none */
    uint32_t fact;
    uint32_t parents, parents_n; /* of a learned one, in parents */
};

struct wa_conflict {
    wa_lit lit; /* is false, but ought to be true */
    uint32_t why;
    uint8_t why_kind;
};

struct wa_u32s {
    WA_VEC(uint32_t);
};

struct wa_solver {
    struct {
        WA_VEC(struct wa_svar);
    } vars;
    struct {
        WA_VEC(struct wa_sclause);
    } clauses;
    struct wa_u32s heads; /* by literal: 1 + 2 * clause + place */
    struct wa_lits lits, trail;
    struct wa_u32s levels;  /* where each begins in the trail */
    struct wa_u32s parents; /* 2 * clause, or 2 * variable + 1: what is true before any decision */
    struct wa_u32s touched; /* variables seen by an analysis */
    struct wa_lits learned, around; /* scratch */
    size_t given;                   /* clauses that were not learned */
    size_t head, units;             /* propagated literals; clauses looked at for units */
    const uint32_t *limited;
    size_t limited_n, limit, limited_true;
    struct wa_lits failed; /* after WA_UNSOLVABLE: literals that are false and must not be */
    struct wa_conflict conflict;
    bool has_conflict; /* else failed has the assumed literal */
    uint64_t *work;
};

static inline int wa_solver_value(const struct wa_solver *s, wa_lit l)
{
    int v = s->vars.items[l >> 1].value;
    return (l & 1u) != 0 ? -v : v;
}

static inline void wa_solver_spend(const struct wa_solver *s, uint64_t n)
{
    *s->work = *s->work > n ? *s->work - n : 0;
}

/* The literals that are false and made l true, into s->around. */
WA_CHECK enum wa_code wa_solver_around(struct wa_solver *s, wa_lit l, uint8_t why_kind,
                                       uint32_t why, struct wa_err *err);
WA_CHECK enum wa_code wa_solver_push(struct wa_u32s *v, uint32_t x, struct wa_err *err);
/* Learns from c, goes back, and makes the learned literal true. */
WA_CHECK enum wa_code wa_solver_learn(struct wa_solver *s, const struct wa_conflict *c,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_solver_attach(struct wa_solver *s, const wa_lit *lits, size_t n,
                                       uint32_t fact, struct wa_err *err);
WA_CHECK enum wa_code wa_solver_assign(struct wa_solver *s, wa_lit l, uint8_t why_kind,
                                       uint32_t why, struct wa_err *err);
void wa_solver_go_back(struct wa_solver *s, size_t level);

#endif
