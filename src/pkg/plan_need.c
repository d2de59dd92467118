/* plan_need.c - what has to come: for each requirement a candidate, its dependencies before it,
 * cycles cut.
 *
 * What can't be had is left out with all that was planned for it alone, and told with the chain of
 * those who need it.
 */
#include "pkg/plan_priv.h"

#define CHAIN_SHOWN_MAX 8u /* of those who need something, in a message */

/* "c, needed by b(=1), needed by a(=1)": the requirement, and what is being explored. */
static void describe(const struct wa_planner *p, struct wa_sv text, const char *why, char *out,
                     size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%.*s", (int)(text.n > 400 ? 400 : text.n), text.p);
    if (p->chain_n == 0)
        (void)snprintf(out + n, size - n, ", %s", why);
    for (size_t i = p->chain_n; i > 0 && n < size; i--) {
        const struct wa_control *c = p->chain[i - 1];
        bool cut = p->chain_n - i >= CHAIN_SHOWN_MAX;
        int wrote = cut ? snprintf(out + n, size - n, ", and so on")
                        : snprintf(out + n, size - n, ", needed by %.200s(=%.100s)",
                                   wa_plan_name(c), wa_plan_version(c));
        n += wrote > 0 ? (size_t)wrote : 0;
        if (cut)
            break;
    }
}

static enum wa_code require_depends(struct wa_planner *p, const struct wa_control *c,
                                    unsigned depth, bool *ret_ok)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    char why[512] = "";
    while (wa_csv_next(&rest, &item)) {
        bool ok = true;
        if (why[0] == '\0')
            (void)snprintf(why, sizeof why, "needed by %.200s(=%.100s)", wa_plan_name(c),
                           wa_plan_version(c));
        if (p->chain_n >= WA_COUNT(p->chain)) { /* told by require() before it comes so far */
            *ret_ok = false;
            return WA_OK;
        }
        p->chain[p->chain_n++] = c;
        enum wa_code code = wa_plan_require(p, item, why, depth + 1, &ok);
        p->chain_n--;
        if (code != WA_OK)
            return code;
        *ret_ok = *ret_ok && ok;
    }
    return WA_OK;
}

/* Plans c with what it needs, or nothing at all. */
static enum wa_code take(struct wa_planner *p, struct wa_plan_node *n, const struct wa_control *c,
                         const char *why, unsigned depth, bool *ret_ok)
{
    struct wa_plan_mark before = wa_plan_mark(p);
    bool ok = true;
    n->chosen = c;
    p->takes++;
    if (wa_plan_decide(p, n, WA_PLAN_EXPLORING) != WA_OK ||
        require_depends(p, c, depth, &ok) != WA_OK)
        return p->err->code;
    if (!ok)
        wa_plan_problem(p, wa_plan_name(c), "is left out, since it can't have all that it needs");
    if (ok && wa_plan_make_room(p, c, depth, &ok) != WA_OK)
        return p->err->code;
    if (!ok) {
        wa_plan_go_back(p, before);
        *ret_ok = false;
        return wa_plan_fail(p, n);
    }
    n->state = WA_PLAN_CHOSEN;
    return wa_plan_step(p, n->there == NULL ? WA_STEP_INSTALL : WA_STEP_UPGRADE, c, n->there, why);
}

enum wa_code wa_plan_upgrade_node(struct wa_planner *p, struct wa_plan_node *n, unsigned depth,
                                  bool *ret_ok)
{
    char why[512];
    struct wa_request any = {"", "", ""};
    const struct wa_control *c = NULL, *old = &n->there->control;
    bool failed = !wa_plan_counts_as_installed(n), ok = true;
    if (n->looked)
        return WA_OK;
    if (wa_plan_decide(p, n, WA_PLAN_FREE) !=
        WA_OK) /* nothing yet, but to be forgotten with its branch */
        return p->err->code;
    n->looked = true;
    (void)snprintf(any.package, sizeof any.package, "%s", wa_plan_name(old));
    if (wa_plan_choose(p, n, &any, failed ? NULL : old, &c) != WA_OK)
        return p->err->code;
    if (c == NULL)
        return require_depends(p, old, depth, &ok); /* they may have gone */
    if (failed)
        (void)snprintf(why, sizeof why, "its last installation failed (%s)", n->there->status);
    else
        (void)snprintf(why, sizeof why, "newer than %.200s", wa_plan_version(old));
    return take(p, n, c, why, depth, ret_ok);
}

/* Something was decided before: does it suit this requirement? */
static void require_decided(struct wa_planner *p, const struct wa_plan_node *n,
                            const struct wa_request *r, const char *what, bool *ret_ok)
{
    const struct wa_control *c = n->state == WA_PLAN_KEPT ? &n->there->control : n->chosen;
    if (n->state == WA_PLAN_REMOVED)
        wa_plan_problem(p, what, "is to be removed");
    else if (n->state == WA_PLAN_FAILED && wa_plan_counts_as_installed(n) &&
             wa_request_matches(r, &n->there->control))
        return; /* the newer one is impossible, and the old one stays */
    else if (n->state == WA_PLAN_FAILED)
        wa_plan_problem(p, what, "can't be had, as said above");
    else if (!wa_request_matches(r, c))
        wa_plan_problem(p, what, "is wanted, but %s(=%s) is wanted too", wa_plan_name(c),
                        wa_plan_version(c));
    else
        return;
    *ret_ok = false;
}

/* It is there and suits. */
static enum wa_code require_present(struct wa_planner *p, struct wa_plan_node *n, unsigned depth,
                                    bool *ret_ok)
{
    bool upgraded = true; /* what is there suits, should the newer one be impossible */
    if (depth > 0)
        return p->upgrading ? wa_plan_upgrade_node(p, n, depth, &upgraded) : WA_OK;
    n->looked = true;
    if (wa_plan_decide(p, n, WA_PLAN_KEPT) != WA_OK ||
        wa_plan_step(p, WA_STEP_KEEP, NULL, n->there, "installed already") != WA_OK)
        return p->err->code;
    return require_depends(p, &n->there->control, depth, ret_ok); /* they may have gone */
}

enum wa_code wa_plan_require_free(struct wa_planner *p, struct wa_plan_node *n,
                                  const struct wa_request *r, const char *why, unsigned depth,
                                  bool *ret_ok)
{
    const struct wa_control *c = NULL;
    char what[2048], text[2 * WA_NAME_MAX + 8];
    bool suits = wa_plan_counts_as_installed(n) && wa_request_matches(r, &n->there->control);
    if (suits && depth > 0)
        return require_present(p, n, depth, ret_ok);
    if (wa_plan_choose(p, n, r, suits && !p->force ? &n->there->control : NULL, &c) != WA_OK)
        return p->err->code;
    if (c != NULL)
        return take(p, n, c, why, depth, ret_ok);
    if (suits && !p->force)
        return require_present(p, n, depth, ret_ok);
    (void)snprintf(text, sizeof text, r->op[0] == '\0' ? "%s" : "%s(%s%s)", r->package, r->op,
                   r->version);
    describe(p, wa_sv(text), why, what, sizeof what);
    wa_plan_problem(p, what, "no package of the repositories meets it");
    *ret_ok = false;
    return WA_OK;
}

enum wa_code wa_plan_require(struct wa_planner *p, struct wa_sv text, const char *why,
                             unsigned depth, bool *ret_ok)
{
    struct wa_request r;
    struct wa_err err = WA_ERR_INIT;
    char what[2048];
    if (wa_request_parse(text, &r, &err) != WA_OK) {
        wa_plan_problem(p, why, "%s", err.text);
        *ret_ok = false;
        return WA_OK;
    }
    struct wa_plan_node *n = wa_plan_find(p, r.package);
    if (n != NULL && depth <= WA_DEPENDS_DEPTH_MAX && n->state == WA_PLAN_FREE)
        return wa_plan_require_free(p, n, &r, why, depth, ret_ok);
    describe(p, text, why, what, sizeof what);
    if (n != NULL && depth <= WA_DEPENDS_DEPTH_MAX) {
        require_decided(p, n, &r, what, ret_ok);
        return WA_OK;
    }
    wa_plan_problem(p, what, "%s",
                    n == NULL ? "no package of the repositories is called so"
                              : "is nested too deep");
    *ret_ok = false;
    return WA_OK;
}
