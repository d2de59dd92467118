/* solver.h - which of many variables can be true together, decided in the caller's order, and,
 * where they can't, a smallest set of clauses that says why.
 *
 * It knows nothing of packages. Clause learning with decisions of the caller's: since every
 * decision takes the best that no clause excludes, and clauses exclude only what can't be, the
 * solution is the first one in the order of the decisions.
 */
#ifndef WA_PKG_SOLVER_H
#define WA_PKG_SOLVER_H

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

typedef uint32_t wa_lit; /* 2 * variable, plus 1 when denied */
#define WA_LIT_NONE UINT32_MAX
#define WA_FACT_NONE UINT32_MAX /* of a clause that is only bookkeeping */

static inline wa_lit wa_lit_of(uint32_t var)
{
    return 2 * var;
}

static inline wa_lit wa_lit_not(wa_lit l)
{
    return l ^ 1u;
}

struct wa_lits {
    WA_VEC(wa_lit);
};

enum wa_solved {
    WA_SOLVED,
    WA_UNSOLVABLE,
    WA_EXHAUSTED /* the work allowed was not enough to tell */
};

/* The next literal to make true, or WA_LIT_NONE: all that matters is decided, the rest is false.
 * level: how many decisions of this function stand; when it is less than it was, the later ones
 * were taken back. */
typedef enum wa_code (*wa_decide_fn)(void *user, size_t level, wa_lit *ret, struct wa_err *err);

struct wa_solver;
WA_CHECK enum wa_code wa_solver_new(struct wa_solver **ret, struct wa_err *err);
void wa_solver_free(struct wa_solver *s);
WA_AUTO_DEFINE(wa_solver, wa_solver_free)

/* count new variables, the first one's number in *ret_first. exclusive: at most one of them is
 * true.
 */
WA_CHECK enum wa_code wa_solver_vars(struct wa_solver *s, size_t count, bool exclusive,
                                     uint32_t *ret_first, struct wa_err *err);
/* One of lits is true. fact: the caller's number for it, or WA_FACT_NONE. WA_E_LIMIT beyond
 * WA_PLAN_LITERALS_MAX in all. Only units may be added after solving began. */
WA_CHECK enum wa_code wa_solver_clause(struct wa_solver *s, const wa_lit *lits, size_t n,
                                       uint32_t fact, struct wa_err *err);
/* At most max of vars are true; replaces the limit before. Call wa_solver_forget() before a higher
 * one. vars are borrowed. */
void wa_solver_limit(struct wa_solver *s, const uint32_t *vars, size_t n, size_t max);
/* Back to the clauses that were given, but keep: how many of them (0: all). */
void wa_solver_forget(struct wa_solver *s, size_t keep);
size_t wa_solver_clause_count(const struct wa_solver *s);

/* assumed: literals that come before all decisions. *work: literals that may still be looked at;
 * what was used is taken off. */
WA_CHECK enum wa_code wa_solver_solve(struct wa_solver *s, const struct wa_lits *assumed,
                                      wa_decide_fn decide, void *user, uint64_t *work,
                                      enum wa_solved *ret, struct wa_err *err);
/* In the solution, or while deciding: so far. */
bool wa_solver_is_true(const struct wa_solver *s, wa_lit l);
bool wa_solver_is_false(const struct wa_solver *s, wa_lit l);

/* After WA_UNSOLVABLE: the facts and the assumed literals that exclude one another; leaving out any
 * of them, there would be a solution, as far as *work allows to try. The order is that in which
 * they were given. */
WA_CHECK enum wa_code wa_solver_core(struct wa_solver *s, uint64_t *work, struct wa_lits *ret_facts,
                                     struct wa_lits *ret_assumed, struct wa_err *err);

#endif
