/* plan.c - what would be done, in which order, and why.
 *
 * Each requirement gets its best candidate. When that leads nowhere, others are tried in their
 * order, first for all requests together, then for each alone, until one choice works or all have
 * been tried (or too many: the caps below). What can't be had is left out, told with its reason,
 * and the rest goes on.
 */
#include "pkg/plan_priv.h"

#include "os/rand.h"

#define ATTEMPTS_MAX 1000u        /* of one search */
#define SEARCHED_TAKES_MAX 20000u /* candidates looked at in one search: some 50 ms */

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

/* --- the search --- */

typedef enum wa_code (*attempt_fn)(struct wa_planner *p, void *what, bool *ret_ok);

/* The next combination of choices, the last one first. False: all have been tried. */
static bool next_choice(struct wa_planner *p)
{
    while (p->choices.n > 0) {
        struct wa_plan_choice *last = &p->choices.items[p->choices.n - 1];
        if (last->at + 1 < last->count) {
            last->at++;
            return true;
        }
        p->choices.n--;
    }
    return false;
}

/* Where nothing works, what the best choices lead to stays, with its problems. */
static enum wa_code search(struct wa_planner *p, attempt_fn attempt, void *what, bool *ret_ok)
{
    struct wa_plan_mark before = wa_plan_mark(p);
    size_t takes = p->takes;
    bool is_last = false;
    p->choices.n = 0;
    for (size_t i = 1;; i++) {
        *ret_ok = true;
        p->choice_at = 0;
        if (attempt(p, what, ret_ok) != WA_OK)
            return p->err->code;
        if (*ret_ok || is_last || p->choices.n == 0)
            return WA_OK;
        wa_plan_undo(p, before);
        if (i >= ATTEMPTS_MAX || p->takes - takes > SEARCHED_TAKES_MAX || !next_choice(p)) {
            is_last = true;
            p->choices.n = 0;
        }
    }
}

/* --- the three plans --- */

static enum wa_code start(struct wa_planner *p, const struct wa_plan_input *in,
                          struct wa_plan *made, struct wa_err *err)
{
    wa_plan_init(made);
    *p = (struct wa_planner){.in = in, .plan = made, .err = err};
    wa_buf_init(&p->problems, WA_PLAN_PROBLEMS_BYTES_MAX);
    return wa_rand_map(&p->by_name, err) == WA_OK ? wa_plan_index(p) : err->code;
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

static enum wa_code finish(struct wa_planner *p, enum wa_code code, struct wa_plan *ret)
{
    size_t n = 0;
    if (code == WA_OK)
        code = removals_first(p->plan, p->err);
    if (code == WA_OK)
        code = wa_buf_steal(&p->problems, &p->plan->problems, &n, p->err);
    wa_buf_fini(&p->problems);
    wa_map_fini(&p->by_name);
    WA_VEC_FREE(&p->trail);
    WA_VEC_FREE(&p->armed);
    WA_VEC_FREE(&p->failed);
    WA_VEC_FREE(&p->choices);
    WA_VEC_FREE(&p->rivals);
    wa_free(p->nodes);
    wa_free(p->installed);
    wa_free(p->next);
    if (code == WA_OK)
        *ret = *p->plan;
    else
        wa_plan_fini(p->plan);
    return code;
}

struct asked {
    const char *const *requests;
    size_t count;
};

/* All of them, or not at all. */
static enum wa_code attempt_requests(struct wa_planner *p, void *what, bool *ret_ok)
{
    const struct asked *a = what;
    for (size_t i = 0; *ret_ok && i < a->count; i++)
        if (wa_plan_require(p, wa_sv(a->requests[i]), "asked for", 0, ret_ok) != WA_OK)
            return p->err->code;
    return WA_OK;
}

enum wa_code wa_plan_install(const struct wa_plan_input *in, const char *const *requests,
                             size_t count, bool force, struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    struct asked all = {requests, count};
    bool ok = false;
    enum wa_code code = start(&p, in, &made, err);
    p.force = force;
    struct wa_plan_mark before = wa_plan_mark(&p);
    if (code == WA_OK && count > 1)
        code = search(&p, attempt_requests, &all, &ok);
    if (code == WA_OK && !ok)
        wa_plan_undo(&p, before);
    for (size_t i = 0; code == WA_OK && !ok && i < count; i++) {
        struct asked one = {&requests[i], 1};
        bool had = false;
        code = search(&p, attempt_requests, &one, &had);
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

static enum wa_code remove_unassigned(struct wa_planner *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < p->in->installed_count; i++) {
        const struct wa_control *c = &p->in->installed[i].control;
        bool ok = true;
        if (is_assigned_section(c) && !is_listed(names, count, wa_plan_name(c)) &&
            wa_plan_remove_node(p, wa_plan_find(p, wa_plan_name(c)), "no longer assigned", 0,
                                &ok) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code attempt_assigned(struct wa_planner *p, void *what, bool *ret_ok)
{
    struct wa_plan_node *n = what;
    struct wa_request any = {"", "", ""};
    (void)snprintf(any.package, sizeof any.package, "%s",
                   wa_plan_name(&p->in->available[n->candidates - 1]));
    return wa_plan_require_free(p, n, &any, "assigned to this machine", 0, ret_ok);
}

static enum wa_code require_assigned(struct wa_planner *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wa_plan_node *n = wa_plan_find(p, names[i]);
        bool ok = true;
        if (n == NULL || n->candidates == 0 || strlen(names[i]) > WA_NAME_MAX)
            continue; /* a machine need not have packages of its own */
        if (n->state != WA_PLAN_FREE || n->there != NULL)
            continue; /* an upgrade like others */
        if (search(p, attempt_assigned, n, &ok) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

static enum wa_code attempt_upgrade(struct wa_planner *p, void *what, bool *ret_ok)
{
    return wa_plan_upgrade_node(p, what, 0, ret_ok);
}

enum wa_code wa_plan_upgrade(const struct wa_plan_input *in, const char *const *host_packages,
                             size_t count, struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    p.upgrading = true;
    if (code == WA_OK)
        code = remove_unassigned(&p, host_packages, count);
    if (code == WA_OK)
        code = require_assigned(&p, host_packages, count);
    for (size_t i = 0; code == WA_OK && i < in->installed_count; i++) {
        struct wa_plan_node *n = p.installed[i];
        bool ok = true;
        if (n->state == WA_PLAN_FREE && !n->looked)
            code = search(&p, attempt_upgrade, n, &ok);
    }
    return finish(&p, code, ret);
}

enum wa_code wa_plan_remove(const struct wa_plan_input *in, const char *const *names, size_t count,
                            struct wa_plan *ret, struct wa_err *err)
{
    struct wa_planner p;
    struct wa_plan made;
    enum wa_code code = start(&p, in, &made, err);
    for (size_t i = 0; code == WA_OK && i < count; i++) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        bool ok = true;
        if (wa_request_parse(wa_sv(names[i]), &r, &why) != WA_OK) {
            wa_plan_problem(&p, "asked for", "%s", why.text);
            continue;
        }
        struct wa_plan_node *n = wa_plan_find(&p, r.package);
        if (n == NULL || n->there == NULL || !wa_request_matches(&r, &n->there->control))
            wa_plan_problem(&p, names[i], "is not installed");
        else
            code = wa_plan_remove_node(&p, n, "asked for", 0, &ok);
    }
    return finish(&p, code, ret);
}
