/* plan.c - what would be done, in which order, and why.
 *
 * Depth first: for each requirement the best candidate, its dependencies before it, cycles cut. It
 * takes no choice back but one: what can't be had is left out with all that was planned for it
 * alone, told as a problem with its reason, and the rest goes on.
 */
#include "pkg/plan.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/csv.h"
#include "os/rand.h"

#include <stdarg.h>

#define PROBLEMS_BYTES_MAX (1u << 20)

enum state {
    FREE,      /* nothing decided */
    EXPLORING, /* chosen, its dependencies are being looked at: a cycle ends here */
    CHOSEN,
    KEPT, /* asked for, and there already */
    REMOVED,
    FAILED
};

/* All that is known and decided of one package name. */
struct node {
    const struct wa_installed *there; /* NULL: not installed */
    size_t candidates; /* 1 + index of the first available, chained by next; 0: none */
    enum state state;
    bool looked;                     /* the dependencies of what is there were looked at */
    const struct wa_control *chosen; /* EXPLORING, CHOSEN */
};

struct planner {
    const struct wa_plan_input *in;
    bool force, upgrading;
    struct wa_plan *plan;
    struct node *nodes;
    size_t node_count;
    size_t *next;          /* by index of available */
    struct wa_map by_name; /* package name -> struct node * */
    struct {
        WA_VEC(struct node *);
    } trail; /* nodes decided so far, to be freed again when a branch fails */
    struct wa_buf problems;
    struct wa_err *err;
};

void wa_plan_init(struct wa_plan *p)
{
    *p = (struct wa_plan){NULL, 0, 0, NULL};
}

void wa_plan_fini(struct wa_plan *p)
{
    WA_VEC_FREE(p);
    wa_free(p->problems);
    p->problems = NULL;
}

static const char *name_of(const struct wa_control *c)
{
    return wa_control_get(c, WA_A_PACKAGE);
}

static const char *version_of(const struct wa_control *c)
{
    return wa_control_get(c, WA_A_VERSION);
}

/* --- names --- */

static struct node *find_node(const struct planner *p, const char *name)
{
    return wa_map_get(&p->by_name, wa_sv(name));
}

static enum wa_code get_node(struct planner *p, const char *name, struct node **ret)
{
    struct node *n = find_node(p, name);
    if (n == NULL) {
        n = &p->nodes[p->node_count++];
        if (wa_map_put(&p->by_name, wa_sv(name), n, NULL, p->err) != WA_OK)
            return p->err->code;
    }
    *ret = n;
    return WA_OK;
}

/* Candidates of a name are chained, so that each is looked at only for its own name. */
static enum wa_code index_names(struct planner *p)
{
    const struct wa_plan_input *in = p->in;
    struct node *n = NULL;
    p->nodes = wa_calloc(in->available_count + in->installed_count, sizeof *p->nodes);
    p->next = wa_calloc(in->available_count, sizeof *p->next);
    if (p->nodes == NULL || p->next == NULL)
        return wa_nomem(p->err);
    for (size_t i = in->available_count; i > 0; i--) {
        if (get_node(p, name_of(&in->available[i - 1]), &n) != WA_OK)
            return p->err->code;
        p->next[i - 1] = n->candidates;
        n->candidates = i;
    }
    for (size_t i = 0; i < in->installed_count; i++) {
        if (get_node(p, name_of(&in->installed[i].control), &n) != WA_OK)
            return p->err->code;
        n->there = &in->installed[i];
    }
    return WA_OK;
}

static const struct wa_control *best_candidate(const struct planner *p, const struct node *n,
                                               const struct wa_request *r)
{
    const struct wa_control *best = NULL;
    for (size_t i = n->candidates; i > 0; i = p->next[i - 1]) {
        const struct wa_control *c = &p->in->available[i - 1];
        if (wa_request_matches(r, c) &&
            (best == NULL || wa_candidate_cmp(p->in->host, best, c) <= 0))
            best = c;
    }
    return best;
}

static bool counts_as_installed(const struct node *n)
{
    return n->there != NULL &&
           (strcmp(n->there->status, "OK") == 0 || strcmp(n->there->status, "UNKNOWN") == 0);
}

/* --- decisions --- */

static enum wa_code decide(struct planner *p, struct node *n, enum state state)
{
    struct node **slot = WA_VEC_PUSH(&p->trail);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = n;
    n->state = state;
    return WA_OK;
}

struct mark {
    size_t steps, trail;
};

static struct mark mark(const struct planner *p)
{
    return (struct mark){p->plan->n, p->trail.n};
}

static void go_back(struct planner *p, struct mark m)
{
    while (p->trail.n > m.trail) {
        struct node *n = p->trail.items[--p->trail.n];
        n->state = FREE;
        n->looked = false;
        n->chosen = NULL;
    }
    p->plan->n = m.steps;
}

static enum wa_code add_step(struct planner *p, enum wa_step_kind kind, const struct wa_control *to,
                             const struct wa_installed *from, const char *why)
{
    struct wa_step *s = WA_VEC_PUSH(p->plan);
    if (s == NULL)
        return wa_nomem(p->err);
    *s = (struct wa_step){.kind = kind, .to = to, .from = from};
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    return WA_OK;
}

/* One line: what, and why it can't be. */
static void problem(struct planner *p, const char *what, const char *fmt, ...) WA_FORMAT(3, 4);
static void problem(struct planner *p, const char *what, const char *fmt, ...)
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

static enum wa_code remove_node(struct planner *p, struct node *n, const char *why, unsigned depth,
                                bool *ret_ok);

/* *ret_ok false: something stays that needs it. */
static enum wa_code remove_dependents(struct planner *p, const char *name, unsigned depth,
                                      bool *ret_ok)
{
    char because[512];
    (void)snprintf(because, sizeof because, "depends on %.200s, which goes", name);
    for (size_t i = 0; i < p->in->installed_count; i++) {
        const char *other = name_of(&p->in->installed[i].control);
        struct node *n = find_node(p, other);
        const struct wa_control *c = n->chosen != NULL ? n->chosen : &p->in->installed[i].control;
        if (n->state == REMOVED || !needs_name(c, name))
            continue;
        if (n->state != FREE) {
            problem(p, name, "can't be removed, since %s(=%s) needs it", other, version_of(c));
            *ret_ok = false;
            return WA_OK;
        }
        if (remove_node(p, n, because, depth + 1, ret_ok) != WA_OK || !*ret_ok)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code remove_node(struct planner *p, struct node *n, const char *why, unsigned depth,
                                bool *ret_ok)
{
    const char *name = name_of(&n->there->control);
    if (n->state == REMOVED)
        return WA_OK;
    if (depth > WA_DEPENDS_DEPTH_MAX) {
        problem(p, name, "can't be removed, since what needs it is nested more than %u deep",
                WA_DEPENDS_DEPTH_MAX);
        *ret_ok = false;
        return WA_OK;
    }
    if (decide(p, n, REMOVED) != WA_OK || remove_dependents(p, name, depth, ret_ok) != WA_OK)
        return p->err->code;
    return *ret_ok ? add_step(p, WA_STEP_REMOVE, NULL, n->there, why) : WA_OK;
}

/* --- conflicts --- */

static bool conflicts(const struct wa_control *a, const struct wa_control *b)
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

/* Between c and all that the plan installs or keeps. */
static bool clashes_with_plan(struct planner *p, const struct wa_control *c)
{
    for (size_t i = 0; i < p->plan->n; i++) {
        const struct wa_step *s = &p->plan->items[i];
        const struct wa_control *other = s->to != NULL ? s->to : &s->from->control;
        if (s->kind == WA_STEP_REMOVE || other == c)
            continue;
        if (!conflicts(c, other) && !conflicts(other, c))
            continue;
        problem(p, name_of(c), "conflicts with %s(=%s), which is wanted too", name_of(other),
                version_of(other));
        return true;
    }
    return false;
}

/* What is installed and conflicts with c goes before it comes. */
static enum wa_code remove_conflicts(struct planner *p, const struct wa_control *c, bool *ret_ok)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    char why[512];
    (void)snprintf(why, sizeof why, "conflicts with %.200s(=%.100s)", name_of(c), version_of(c));
    while (*ret_ok && wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            continue;
        struct node *n = find_node(p, r.package);
        if (n == NULL || n->there == NULL || n->state != FREE ||
            !wa_request_matches(&r, &n->there->control))
            continue;
        if (remove_node(p, n, why, 0, ret_ok) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

/* --- installation, dependencies first --- */

static enum wa_code require(struct planner *p, struct wa_sv text, const char *why, unsigned depth,
                            bool *ret_ok);

static enum wa_code require_depends(struct planner *p, const struct wa_control *c, unsigned depth,
                                    bool *ret_ok)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    char why[512];
    (void)snprintf(why, sizeof why, "needed by %.200s(=%.100s)", name_of(c), version_of(c));
    while (wa_csv_next(&rest, &item)) {
        bool ok = true;
        if (require(p, item, why, depth + 1, &ok) != WA_OK)
            return p->err->code;
        *ret_ok = *ret_ok && ok;
    }
    return WA_OK;
}

/* Plans c with what it needs, or nothing at all. */
static enum wa_code take(struct planner *p, struct node *n, const struct wa_control *c,
                         const char *why, unsigned depth, bool *ret_ok)
{
    struct mark before = mark(p);
    bool ok = true;
    n->chosen = c;
    if (decide(p, n, EXPLORING) != WA_OK || require_depends(p, c, depth, &ok) != WA_OK)
        return p->err->code;
    if (!ok)
        problem(p, name_of(c), "is left out, since it can't have all that it needs");
    ok = ok && !clashes_with_plan(p, c);
    if (ok && remove_conflicts(p, c, &ok) != WA_OK)
        return p->err->code;
    if (!ok) {
        go_back(p, before);
        n->state = FAILED;
        *ret_ok = false;
        return WA_OK;
    }
    n->state = CHOSEN;
    return add_step(p, n->there == NULL ? WA_STEP_INSTALL : WA_STEP_UPGRADE, c, n->there, why);
}

static enum wa_code upgrade_node(struct planner *p, struct node *n, unsigned depth)
{
    char why[512];
    struct wa_request any = {"", "", ""};
    bool ok = true;
    if (n->looked)
        return WA_OK;
    if (decide(p, n, FREE) != WA_OK) /* nothing yet, but to be forgotten with its branch */
        return p->err->code;
    n->looked = true;
    (void)snprintf(any.package, sizeof any.package, "%s", name_of(&n->there->control));
    const struct wa_control *c = best_candidate(p, n, &any);
    bool failed = !counts_as_installed(n);
    if (c == NULL || (wa_entry_cmp(c, &n->there->control) <= 0 && !failed))
        return require_depends(p, &n->there->control, depth, &ok); /* they may have gone */
    if (failed)
        (void)snprintf(why, sizeof why, "its last installation failed (%s)", n->there->status);
    else
        (void)snprintf(why, sizeof why, "newer than %.200s", version_of(&n->there->control));
    return take(p, n, c, why, depth, &ok);
}

/* Something was decided before: does it suit this requirement? */
static void require_decided(struct planner *p, const struct node *n, const struct wa_request *r,
                            const char *what, bool *ret_ok)
{
    const struct wa_control *c = n->state == KEPT ? &n->there->control : n->chosen;
    if (n->state == REMOVED)
        problem(p, what, "is to be removed");
    else if (n->state == FAILED)
        problem(p, what, "can't be had, as said above");
    else if (!wa_request_matches(r, c))
        problem(p, what, "is wanted, but %s(=%s) is wanted too", name_of(c), version_of(c));
    else
        return;
    *ret_ok = false;
}

/* It is there and suits. */
static enum wa_code require_present(struct planner *p, struct node *n, unsigned depth, bool *ret_ok)
{
    if (depth > 0)
        return p->upgrading ? upgrade_node(p, n, depth) : WA_OK;
    n->looked = true;
    if (decide(p, n, KEPT) != WA_OK ||
        add_step(p, WA_STEP_KEEP, NULL, n->there, "installed already") != WA_OK)
        return p->err->code;
    return require_depends(p, &n->there->control, depth, ret_ok); /* they may have gone */
}

static enum wa_code require_free(struct planner *p, struct node *n, const struct wa_request *r,
                                 const char *what, const char *why, unsigned depth, bool *ret_ok)
{
    const struct wa_control *c = best_candidate(p, n, r);
    bool suits = counts_as_installed(n) && wa_request_matches(r, &n->there->control);
    bool newer = suits && c != NULL && wa_entry_cmp(c, &n->there->control) > 0;
    if (suits && !(depth == 0 && (newer || p->force)))
        return require_present(p, n, depth, ret_ok);
    if (c != NULL)
        return take(p, n, c, why, depth, ret_ok);
    problem(p, what, "no package of the repositories meets it");
    *ret_ok = false;
    return WA_OK;
}

static enum wa_code require(struct planner *p, struct wa_sv text, const char *why, unsigned depth,
                            bool *ret_ok)
{
    struct wa_request r;
    struct wa_err err = WA_ERR_INIT;
    char what[1024];
    (void)snprintf(what, sizeof what, "%.*s, %s", (int)(text.n > 400 ? 400 : text.n), text.p, why);
    if (wa_request_parse(text, &r, &err) != WA_OK) {
        problem(p, why, "%s", err.text);
        *ret_ok = false;
        return WA_OK;
    }
    struct node *n = find_node(p, r.package);
    if (n != NULL && depth <= WA_DEPENDS_DEPTH_MAX && n->state == FREE)
        return require_free(p, n, &r, what, why, depth, ret_ok);
    if (n != NULL && depth <= WA_DEPENDS_DEPTH_MAX) {
        require_decided(p, n, &r, what, ret_ok);
        return WA_OK;
    }
    problem(p, what, "%s",
            n == NULL ? "no package of the repositories is called so" : "is nested too deep");
    *ret_ok = false;
    return WA_OK;
}

/* --- the three plans --- */

static enum wa_code start(struct planner *p, const struct wa_plan_input *in, struct wa_plan *made,
                          struct wa_err *err)
{
    wa_plan_init(made);
    *p = (struct planner){.in = in, .plan = made, .err = err};
    wa_buf_init(&p->problems, PROBLEMS_BYTES_MAX);
    return wa_rand_map(&p->by_name, err) == WA_OK ? index_names(p) : err->code;
}

/* Removals first, all else in its order. */
static enum wa_code removals_first(struct wa_plan *plan, struct wa_err *err)
{
    if (plan->n == 0)
        return WA_OK;
    struct wa_step *sorted = wa_calloc(plan->n, sizeof *sorted);
    size_t n = 0;
    if (sorted == NULL)
        return wa_nomem(err);
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < plan->n; i++)
            if ((plan->items[i].kind != WA_STEP_REMOVE) == (others == 1))
                sorted[n++] = plan->items[i];
    wa_free(plan->items);
    plan->items = sorted;
    plan->cap = n;
    return WA_OK;
}

static enum wa_code finish(struct planner *p, enum wa_code code, struct wa_plan *ret)
{
    size_t n = 0;
    if (code == WA_OK)
        code = removals_first(p->plan, p->err);
    if (code == WA_OK)
        code = wa_buf_steal(&p->problems, &p->plan->problems, &n, p->err);
    wa_buf_fini(&p->problems);
    wa_map_fini(&p->by_name);
    WA_VEC_FREE(&p->trail);
    wa_free(p->nodes);
    wa_free(p->next);
    if (code == WA_OK)
        *ret = *p->plan;
    else
        wa_plan_fini(p->plan);
    return code;
}

enum wa_code wa_plan_install(const struct wa_plan_input *in, const char *const *requests,
                             size_t count, bool force, struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    p.force = force;
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        bool ok = true;
        code = require(&p, wa_sv(requests[i]), "asked for", 0, &ok);
    }
    return finish(&p, code, ret);
}

/* host, unit and profile packages come and go with their assignment. */
static bool is_assigned_section(const struct wa_control *c)
{
    const char *section = wa_control_get(c, WA_A_SECTION);
    return strcmp(section, "host") == 0 || strcmp(section, "unit") == 0 ||
           strcmp(section, "profile") == 0;
}

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum wa_code remove_unassigned(struct planner *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < p->in->installed_count; i++) {
        const struct wa_control *c = &p->in->installed[i].control;
        bool ok = true;
        if (is_assigned_section(c) && !is_listed(names, count, name_of(c)) &&
            remove_node(p, find_node(p, name_of(c)), "no longer assigned", 0, &ok) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code require_assigned(struct planner *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct node *n = find_node(p, names[i]);
        struct wa_request any = {"", "", ""};
        bool ok = true;
        if (n == NULL || n->candidates == 0 || strlen(names[i]) > WA_NAME_MAX)
            continue; /* a machine need not have packages of its own */
        if (n->state != FREE || n->there != NULL)
            continue; /* an upgrade like others */
        memcpy(any.package, names[i], strlen(names[i]) + 1);
        if (require_free(p, n, &any, names[i], "assigned to this machine", 0, &ok) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

enum wa_code wa_plan_upgrade(const struct wa_plan_input *in, const char *const *host_packages,
                             size_t count, struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    p.upgrading = true;
    if (code == WA_OK)
        code = remove_unassigned(&p, host_packages, count);
    if (code == WA_OK)
        code = require_assigned(&p, host_packages, count);
    for (size_t i = 0; code == WA_OK && i < in->installed_count; i++) {
        struct node *n = find_node(&p, name_of(&in->installed[i].control));
        if (n->state == FREE)
            code = upgrade_node(&p, n, 0);
    }
    return finish(&p, code, ret);
}

enum wa_code wa_plan_remove(const struct wa_plan_input *in, const char *const *names, size_t count,
                            struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        bool ok = true;
        if (wa_request_parse(wa_sv(names[i]), &r, &why) != WA_OK) {
            problem(&p, "asked for", "%s", why.text);
            continue;
        }
        struct node *n = find_node(&p, r.package);
        if (n == NULL || n->there == NULL || !wa_request_matches(&r, &n->there->control))
            problem(&p, names[i], "is not installed");
        else
            code = remove_node(&p, n, "asked for", 0, &ok);
    }
    return finish(&p, code, ret);
}
