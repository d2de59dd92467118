/* plan_rivals.c - what has to go: removal with all that depends on it, and conflicts.
 *
 * A conflict counts whichever of the two packages declares it. What is installed gives way to what
 * is wanted; what is planned or kept does not.
 */
#include "pkg/plan_priv.h"

/* --- removal, dependents first --- */

static bool needs_name(const struct wa_control *c, const char *name)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && strcmp(r.package, name) == 0)
            return true;
    }
    return false;
}

/* *ret_ok false: something stays that needs it. */
static enum wa_code remove_dependents(struct wa_planner *p, const char *name, unsigned depth,
                                      bool *ret_ok)
{
    char because[512];
    (void)snprintf(because, sizeof because, "depends on %.200s, which goes", name);
    for (size_t i = 0; i < p->in->installed_count; i++) {
        struct wa_plan_node *n = p->installed[i];
        const struct wa_control *c = wa_plan_outcome(n);
        if (n->state == WA_PLAN_REMOVED || !needs_name(c, name))
            continue;
        if (n->state != WA_PLAN_FREE) {
            wa_plan_problem(p, name, "can't be removed, since %s(=%s) needs it", wa_plan_name(c),
                            wa_plan_version(c));
            *ret_ok = false;
            return WA_OK;
        }
        if (wa_plan_remove_node(p, n, because, depth + 1, ret_ok) != WA_OK || !*ret_ok)
            return p->err->code;
    }
    return WA_OK;
}

enum wa_code wa_plan_remove_node(struct wa_planner *p, struct wa_plan_node *n, const char *why,
                                 unsigned depth, bool *ret_ok)
{
    const char *name = wa_plan_name(&n->there->control);
    if (n->state == WA_PLAN_REMOVED)
        return WA_OK;
    if (depth > WA_DEPENDS_DEPTH_MAX) {
        wa_plan_problem(p, name,
                        "can't be removed, since what needs it is nested more than %u deep",
                        WA_DEPENDS_DEPTH_MAX);
        *ret_ok = false;
        return WA_OK;
    }
    if (wa_plan_decide(p, n, WA_PLAN_REMOVED) != WA_OK ||
        remove_dependents(p, name, depth, ret_ok) != WA_OK)
        return p->err->code;
    return *ret_ok ? wa_plan_step(p, WA_STEP_REMOVE, NULL, n->there, why) : WA_OK;
}

/* --- conflicts --- */

static bool declares(const struct wa_control *a, const struct wa_control *b)
{
    struct wa_sv rest = wa_sv(wa_control_get(a, WA_A_CONFLICTS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && wa_request_matches(&r, b))
            return true;
    }
    return false;
}

/* Between c and what was installed beside it: stays, goes, or is in the way. */
static enum wa_code settle(struct wa_planner *p, const struct wa_control *c, struct wa_plan_node *n,
                           unsigned depth, bool *ret_ok)
{
    char why[512];
    const struct wa_control *other = wa_plan_outcome(n);
    bool upgraded = true;
    if (other == NULL || n->state == WA_PLAN_REMOVED || n->state == WA_PLAN_EXPLORING)
        return WA_OK;
    if (!declares(c, other) && !declares(other, c))
        return WA_OK;
    if (n->state == WA_PLAN_FREE && p->upgrading && !n->looked) { /* its newer one may not */
        if (wa_plan_upgrade_node(p, n, depth + 1, &upgraded) != WA_OK)
            return p->err->code;
        other = wa_plan_outcome(n);
        if (n->state == WA_PLAN_CHOSEN && !declares(c, other) && !declares(other, c))
            return WA_OK;
    }
    if (n->state == WA_PLAN_CHOSEN || n->state == WA_PLAN_KEPT) {
        wa_plan_problem(p, wa_plan_name(c), "conflicts with %s(=%s), which is wanted too",
                        wa_plan_name(other), wa_plan_version(other));
        *ret_ok = false;
        return WA_OK;
    }
    if (n->there == NULL)
        return WA_OK;
    (void)snprintf(why, sizeof why, "conflicts with %.200s(=%.100s)", wa_plan_name(c),
                   wa_plan_version(c));
    return wa_plan_remove_node(p, n, why, 0, ret_ok);
}

enum wa_code wa_plan_make_room(struct wa_planner *p, const struct wa_control *c, unsigned depth,
                               bool *ret_ok)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    const struct wa_plan_node *own = wa_plan_find(p, wa_plan_name(c));
    while (*ret_ok && wa_csv_next(&rest, &item)) { /* what c declares */
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        struct wa_plan_node *n = NULL;
        if (wa_request_parse(item, &r, &err) == WA_OK)
            n = wa_plan_find(p, r.package);
        if (n != NULL && settle(p, c, n, depth, ret_ok) != WA_OK)
            return p->err->code;
    }
    for (size_t i = 0; *ret_ok && i < p->armed.n; i++) /* what is planned declares */
        if (settle(p, c, p->armed.items[i], depth, ret_ok) != WA_OK)
            return p->err->code;
    for (size_t i = own->rivals; *ret_ok && i > 0; i = p->rivals.items[i - 1].next)
        if (settle(p, c, p->rivals.items[i - 1].node, depth, ret_ok) != WA_OK)
            return p->err->code;
    return WA_OK;
}
