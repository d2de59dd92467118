/* plan_names.c - what is offered and installed by name, which candidate is tried, and what has been
 * decided so far.
 *
 * Every decision is on the trail, so that a branch that fails leaves nothing behind.
 */
#include "pkg/plan_priv.h"

#include <stdarg.h>

#define ALTERNATIVES_MAX 16u /* candidates of one name that a search tries */

struct wa_plan_node *wa_plan_find(const struct wa_planner *p, const char *name)
{
    return wa_map_get(&p->by_name, wa_sv(name));
}

static enum wa_code get_node(struct wa_planner *p, const char *name, struct wa_plan_node **ret)
{
    struct wa_plan_node *n = wa_plan_find(p, name);
    if (n == NULL) {
        n = &p->nodes[p->node_count++];
        if (wa_map_put(&p->by_name, wa_sv(name), n, NULL, p->err) != WA_OK)
            return p->err->code;
    }
    *ret = n;
    return WA_OK;
}

/* Who is installed and declares a conflict, by the name it is declared with. */
static enum wa_code index_rivals(struct wa_planner *p, struct wa_plan_node *own)
{
    const struct wa_control *c = &own->there->control;
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            continue;
        struct wa_plan_node *n = wa_plan_find(p, r.package);
        if (n == NULL)
            continue;
        struct wa_plan_rival *slot = WA_VEC_PUSH(&p->rivals);
        if (slot == NULL)
            return wa_nomem(p->err);
        *slot = (struct wa_plan_rival){own, n->rivals};
        n->rivals = p->rivals.n;
    }
    return WA_OK;
}

/* Candidates of a name are chained, so that each is looked at only for its own name. */
enum wa_code wa_plan_index(struct wa_planner *p)
{
    const struct wa_plan_input *in = p->in;
    struct wa_plan_node *n = NULL;
    p->nodes = wa_calloc(in->available_count + in->installed_count, sizeof *p->nodes);
    p->next = wa_calloc(in->available_count, sizeof *p->next);
    p->installed = wa_calloc(in->installed_count, sizeof(struct wa_plan_node *));
    if (p->nodes == NULL || p->next == NULL || p->installed == NULL)
        return wa_nomem(p->err);
    for (size_t i = in->available_count; i > 0; i--) {
        if (get_node(p, wa_plan_name(&in->available[i - 1]), &n) != WA_OK)
            return p->err->code;
        p->next[i - 1] = n->candidates;
        n->candidates = i;
    }
    for (size_t i = 0; i < in->installed_count; i++) {
        if (get_node(p, wa_plan_name(&in->installed[i].control), &n) != WA_OK)
            return p->err->code;
        n->there = &in->installed[i];
        p->installed[i] = n;
    }
    for (size_t i = 0; i < in->installed_count; i++)
        if (index_rivals(p, p->installed[i]) != WA_OK)
            return p->err->code;
    return WA_OK;
}

bool wa_plan_counts_as_installed(const struct wa_plan_node *n)
{
    return n->there != NULL &&
           (strcmp(n->there->status, "OK") == 0 || strcmp(n->there->status, "UNKNOWN") == 0);
}

const struct wa_control *wa_plan_outcome(const struct wa_plan_node *n)
{
    if (n->chosen != NULL)
        return n->chosen;
    return n->there != NULL ? &n->there->control : NULL;
}

/* --- candidates --- */

static int order_of(const struct wa_planner *p, size_t a, size_t b)
{
    int c = wa_candidate_cmp(p->in->host, &p->in->available[a - 1], &p->in->available[b - 1]);
    return c != 0 ? c : (a > b) - (a < b); /* the later of two equal ones */
}

/* The best of those that are worse than `than`; 0 for either: none. */
static size_t next_best(const struct wa_planner *p, const struct wa_plan_node *n,
                        const struct wa_request *r, const struct wa_control *floor, size_t than,
                        size_t *ret_count)
{
    size_t best = 0;
    *ret_count = 0;
    for (size_t i = n->candidates; i > 0; i = p->next[i - 1]) {
        const struct wa_control *c = &p->in->available[i - 1];
        if (!wa_request_matches(r, c) || (floor != NULL && wa_entry_cmp(c, floor) <= 0))
            continue;
        ++*ret_count;
        if ((than == 0 || order_of(p, i, than) < 0) && (best == 0 || order_of(p, i, best) > 0))
            best = i;
    }
    return best;
}

enum wa_code wa_plan_choose(struct wa_planner *p, const struct wa_plan_node *n,
                            const struct wa_request *r, const struct wa_control *floor,
                            const struct wa_control **ret)
{
    size_t count, at = next_best(p, n, r, NULL, 0, &count);
    *ret = at == 0 ? NULL : &p->in->available[at - 1];
    if (at != 0 && floor != NULL && wa_entry_cmp(*ret, floor) <= 0)
        *ret = NULL; /* the best is there, whatever is signed later */
    if (*ret != NULL && count > 1 && floor != NULL)
        (void)next_best(p, n, r, floor, 0, &count);
    if (*ret == NULL || count < 2)
        return WA_OK;
    if (p->choice_at == p->choices.n) {
        struct wa_plan_choice *slot = WA_VEC_PUSH(&p->choices);
        if (slot == NULL)
            return wa_nomem(p->err);
        *slot = (struct wa_plan_choice){0, count < ALTERNATIVES_MAX ? count : ALTERNATIVES_MAX};
    }
    for (size_t k = p->choices.items[p->choice_at++].at; k > 0 && at != 0; k--)
        at = next_best(p, n, r, floor, at, &count);
    if (at != 0)
        *ret = &p->in->available[at - 1];
    return WA_OK;
}

/* --- decisions --- */

enum wa_code wa_plan_decide(struct wa_planner *p, struct wa_plan_node *n, enum wa_plan_state state)
{
    struct wa_plan_node **slot = WA_VEC_PUSH(&p->trail);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = n;
    n->state = state;
    return WA_OK;
}

enum wa_code wa_plan_fail(struct wa_planner *p, struct wa_plan_node *n)
{
    struct wa_plan_node **slot = WA_VEC_PUSH(&p->failed);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = n;
    n->state = WA_PLAN_FAILED;
    return WA_OK;
}

struct wa_plan_mark wa_plan_mark(const struct wa_planner *p)
{
    return (struct wa_plan_mark){p->plan->n, p->trail.n, p->armed.n, p->failed.n, p->problems.n};
}

void wa_plan_go_back(struct wa_planner *p, struct wa_plan_mark m)
{
    while (p->trail.n > m.trail) {
        struct wa_plan_node *n = p->trail.items[--p->trail.n];
        n->state = WA_PLAN_FREE;
        n->looked = false;
        n->chosen = NULL;
    }
    p->plan->n = m.steps;
    p->armed.n = m.armed;
}

void wa_plan_undo(struct wa_planner *p, struct wa_plan_mark m)
{
    wa_plan_go_back(p, m);
    while (p->failed.n > m.failed)
        p->failed.items[--p->failed.n]->state = WA_PLAN_FREE;
    if (p->problems.n > m.problems) {
        p->problems.n = m.problems;
        p->problems.p[m.problems] = '\0';
    }
}

enum wa_code wa_plan_step(struct wa_planner *p, enum wa_step_kind kind, const struct wa_control *to,
                          const struct wa_installed *from, const char *why)
{
    const struct wa_control *c = to != NULL ? to : &from->control;
    struct wa_step *s = WA_VEC_PUSH(p->plan);
    if (s == NULL)
        return wa_nomem(p->err);
    *s = (struct wa_step){.kind = kind, .to = to, .from = from};
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    if (kind == WA_STEP_REMOVE || wa_control_get(c, WA_A_CONFLICTS)[0] == '\0')
        return WA_OK;
    struct wa_plan_node **slot = WA_VEC_PUSH(&p->armed);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = wa_plan_find(p, wa_plan_name(c));
    return WA_OK;
}

void wa_plan_problem(struct wa_planner *p, const char *what, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    wa_buf_addf(&p->problems, "%s%.*s: %s", p->problems.n > 0 ? "\n" : "", (int)strcspn(what, "\n"),
                what, text);
}
