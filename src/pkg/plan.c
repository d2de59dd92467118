/* plan.c - what would be done, in which order, and why.
 *
 * Depth first: for each requirement the best candidate, its dependencies before it, cycles cut. It
 * never guesses: what can't be met is a problem told with its reason, and the rest goes on.
 */
#include "pkg/plan.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/csv.h"

struct planner {
    const struct wa_plan_input *in;
    bool force;
    struct wa_plan *plan;
    struct wa_map
        visited; /* package name -> struct wa_control * chosen, or &absent while being explored */
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

/* --- what is there --- */

static bool counts_as_installed(const struct wa_installed *i)
{
    return strcmp(i->status, "OK") == 0 || strcmp(i->status, "UNKNOWN") == 0;
}

static const struct wa_installed *find_installed(const struct wa_plan_input *in, const char *name)
{
    for (size_t i = 0; i < in->installed_count; i++)
        if (strcmp(name_of(&in->installed[i].control), name) == 0)
            return &in->installed[i];
    return NULL;
}

static const struct wa_control *best_candidate(const struct wa_plan_input *in,
                                               const struct wa_request *r)
{
    const struct wa_control *best = NULL;
    for (size_t i = 0; i < in->available_count; i++) {
        const struct wa_control *c = &in->available[i];
        if (wa_request_matches(r, c) && (best == NULL || wa_candidate_cmp(in->host, best, c) <= 0))
            best = c;
    }
    return best;
}

/* --- steps and problems --- */

static enum wa_code add_step(struct planner *p, enum wa_step_kind kind, const struct wa_control *to,
                             const struct wa_installed *from, const char *why)
{
    struct wa_step *s = WA_VEC_PUSH(p->plan);
    if (s == NULL)
        return wa_nomem(p->err);
    s->kind = kind;
    s->to = to;
    s->from = from;
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    return WA_OK;
}

static bool has_step(const struct wa_plan *plan, enum wa_step_kind kind, const char *name)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct wa_step *s = &plan->items[i];
        const struct wa_control *c = s->to != NULL ? s->to : &s->from->control;
        if (s->kind == kind && strcmp(name_of(c), name) == 0)
            return true;
    }
    return false;
}

static void problem(struct planner *p, const char *fmt, const char *a, const char *b)
{
    wa_buf_addf(&p->problems, "%s%s: ", p->problems.n > 0 ? "\n" : "", a);
    wa_buf_adds(&p->problems, fmt);
    wa_buf_adds(&p->problems, b);
}

/* --- removal, dependents first --- */

static bool depends_on(const struct wa_installed *i, const char *name)
{
    struct wa_sv rest = wa_sv(wa_control_get(&i->control, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && strcmp(r.package, name) == 0)
            return true;
    }
    return false;
}

static enum wa_code remove_one(struct planner *p, const struct wa_installed *gone, const char *why,
                               unsigned depth)
{
    const char *name = name_of(&gone->control);
    char because[512];
    if (has_step(p->plan, WA_STEP_REMOVE, name))
        return WA_OK;
    if (depth > WA_DEPENDS_DEPTH_MAX)
        return wa_fail(p->err, WA_E_LIMIT, "dependencies of '%s' are nested more than %u deep",
                       name, WA_DEPENDS_DEPTH_MAX);
    (void)snprintf(because, sizeof because, "depends on %.200s, which goes", name);
    /* Reserve the place of `gone` in the order by marking it visited: a cycle ends there. */
    if (wa_map_get(&p->visited, wa_sv(name)) != NULL)
        return WA_OK;
    if (wa_map_put(&p->visited, wa_sv(name), p, NULL, p->err) != WA_OK)
        return p->err->code;
    for (size_t i = 0; i < p->in->installed_count; i++)
        if (depends_on(&p->in->installed[i], name) &&
            remove_one(p, &p->in->installed[i], because, depth + 1) != WA_OK)
            return p->err->code;
    return add_step(p, WA_STEP_REMOVE, NULL, gone, why);
}

/* --- installation, dependencies first --- */

static enum wa_code require(struct planner *p, struct wa_sv text, const char *why, unsigned depth,
                            bool *ret_ok);

static enum wa_code require_depends(struct planner *p, const struct wa_control *c, unsigned depth,
                                    bool *ret_ok)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    char why[512];
    (void)snprintf(why, sizeof why, "needed by %.200s(=%.100s)", name_of(c),
                   wa_control_get(c, WA_A_VERSION));
    while (wa_csv_next(&rest, &item)) {
        bool ok = true;
        if (require(p, item, why, depth + 1, &ok) != WA_OK)
            return p->err->code;
        *ret_ok = *ret_ok && ok;
    }
    return WA_OK;
}

/* What is installed and conflicts with c goes before it comes. */
static enum wa_code remove_conflicts(struct planner *p, const struct wa_control *c)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    char why[512];
    (void)snprintf(why, sizeof why, "conflicts with %.200s(=%.100s)", name_of(c),
                   wa_control_get(c, WA_A_VERSION));
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            continue;
        const struct wa_installed *there = find_installed(p->in, r.package);
        if (there == NULL || !wa_request_matches(&r, &there->control) ||
            has_step(p->plan, WA_STEP_REMOVE, r.package))
            continue;
        if (add_step(p, WA_STEP_REMOVE, NULL, there, why) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code take(struct planner *p, const struct wa_control *c,
                         const struct wa_installed *there, const char *why, unsigned depth,
                         bool *ret_ok)
{
    bool ok = true;
    if (wa_map_put(&p->visited, wa_sv(name_of(c)), p, NULL, p->err) != WA_OK ||
        require_depends(p, c, depth, &ok) != WA_OK)
        return p->err->code;
    if (!ok) {
        problem(p, "not installed, since a dependency is missing", name_of(c), "");
        *ret_ok = false;
        return WA_OK;
    }
    if (remove_conflicts(p, c) != WA_OK)
        return p->err->code;
    return add_step(p, there == NULL ? WA_STEP_INSTALL : WA_STEP_UPGRADE, c, there, why);
}

static enum wa_code require(struct planner *p, struct wa_sv text, const char *why, unsigned depth,
                            bool *ret_ok)
{
    struct wa_request r;
    struct wa_err err = WA_ERR_INIT;
    if (depth > WA_DEPENDS_DEPTH_MAX)
        return wa_fail(p->err, WA_E_LIMIT, "dependencies are nested more than %u deep",
                       WA_DEPENDS_DEPTH_MAX);
    if (wa_request_parse(text, &r, &err) != WA_OK) {
        problem(p, "", "request", err.text);
        *ret_ok = false;
        return WA_OK;
    }
    if (wa_map_get(&p->visited, wa_sv(r.package)) != NULL)
        return WA_OK; /* chosen already, or being explored: a cycle ends here */
    const struct wa_installed *there = find_installed(p->in, r.package);
    const struct wa_control *c = best_candidate(p->in, &r);
    bool suits =
        there != NULL && counts_as_installed(there) && wa_request_matches(&r, &there->control);
    bool newer = suits && c != NULL && wa_entry_cmp(c, &there->control) > 0 && depth == 0;
    if (suits && !newer && !(p->force && depth == 0)) {
        if (depth > 0)
            return WA_OK; /* not marked: its own turn for a newer version may come */
        if (wa_map_put(&p->visited, wa_sv(r.package), p, NULL, p->err) != WA_OK ||
            add_step(p, WA_STEP_KEEP, NULL, there, "installed already") != WA_OK)
            return p->err->code;
        return require_depends(p, &there->control, depth, ret_ok); /* what it needs may have gone */
    }
    if (c == NULL) {
        problem(p, "no package of the repositories meets ", why, r.package);
        *ret_ok = false;
        return WA_OK;
    }
    return take(p, c, there, why, depth, ret_ok);
}

/* --- the three plans --- */

static enum wa_code finish(struct planner *p, enum wa_code code, struct wa_plan *made,
                           struct wa_plan *ret)
{
    size_t n = 0;
    if (code == WA_OK)
        code = wa_buf_steal(&p->problems, &made->problems, &n, p->err);
    wa_buf_fini(&p->problems);
    wa_map_fini(&p->visited);
    if (code == WA_OK)
        *ret = *made;
    else
        wa_plan_fini(made);
    return code;
}

static void start(struct planner *p, const struct wa_plan_input *in, bool force,
                  struct wa_plan *made, struct wa_err *err)
{
    wa_plan_init(made);
    *p = (struct planner){.in = in, .force = force, .plan = made, .err = err};
    wa_map_init(&p->visited, 0);
    wa_buf_init(&p->problems, 1u << 20);
}

enum wa_code wa_plan_install(const struct wa_plan_input *in, const char *const *requests,
                             size_t count, bool force, struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = WA_OK;
    start(&p, in, force, &made, err);
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        bool ok = true;
        code = require(&p, wa_sv(requests[i]), "asked for", 0, &ok);
    }
    return finish(&p, code, &made, ret);
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

static enum wa_code upgrade_installed(struct planner *p, const struct wa_installed *there)
{
    char why[512];
    struct wa_request r = {"", "", ""};
    (void)snprintf(r.package, sizeof r.package, "%s", name_of(&there->control));
    const struct wa_control *c = best_candidate(p->in, &r);
    if (c == NULL || wa_map_get(&p->visited, wa_sv(r.package)) != NULL)
        return WA_OK;
    bool failed = !counts_as_installed(there);
    if (wa_entry_cmp(c, &there->control) <= 0 && !failed)
        return require_depends(p, &there->control, 0,
                               &(bool){true}); /* what it needs may have gone */
    (void)snprintf(why, sizeof why,
                   failed ? "its last installation failed (%.100s)" : "newer than %.100s",
                   failed ? there->status : wa_control_get(&there->control, WA_A_VERSION));
    bool ok = true;
    return take(p, c, there, why, 0, &ok);
}

enum wa_code wa_plan_upgrade(const struct wa_plan_input *in, const char *const *host_packages,
                             size_t count, struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = WA_OK;
    start(&p, in, false, &made, err);
    for (size_t i = 0; code == WA_OK && i < in->installed_count; i++) {
        const struct wa_installed *there = &in->installed[i];
        if (is_assigned_section(&there->control) &&
            !is_listed(host_packages, count, name_of(&there->control)))
            code = remove_one(&p, there, "no longer assigned", 0);
    }
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        bool ok = true;
        struct wa_request r = {"", "", ""};
        (void)snprintf(r.package, sizeof r.package, "%s", host_packages[i]);
        if (best_candidate(in, &r) != NULL) /* a machine need not have packages of its own */
            code = require(&p, wa_sv(host_packages[i]), "assigned to this machine", 0, &ok);
    }
    for (size_t i = 0; code == WA_OK && i < in->installed_count; i++)
        if (!has_step(&made, WA_STEP_REMOVE, name_of(&in->installed[i].control)))
            code = upgrade_installed(&p, &in->installed[i]);
    return finish(&p, code, &made, ret);
}

enum wa_code wa_plan_remove(const struct wa_plan_input *in, const char *const *names, size_t count,
                            struct wa_plan *ret, struct wa_err *err)
{
    struct planner p;
    struct wa_plan made;
    enum wa_code code = WA_OK;
    start(&p, in, false, &made, err);
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        if (wa_request_parse(wa_sv(names[i]), &r, &why) != WA_OK) {
            problem(&p, "", names[i], why.text);
            continue;
        }
        const struct wa_installed *there = find_installed(in, r.package);
        if (there == NULL || !wa_request_matches(&r, &there->control))
            problem(&p, "is not installed", names[i], "");
        else
            code = remove_one(&p, there, "asked for", 0);
    }
    return finish(&p, code, &made, ret);
}
