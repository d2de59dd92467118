/* plan_names.c - what is offered and installed by name, what may come of each name, and what is
 * held.
 */
#include "base/text.h"
#include "pkg/plan_priv.h"

#include <stdlib.h>

#include "codec/csv.h"

struct wa_plan_node *wa_plan_find(const struct wa_planner *p, const char *name)
{
    return wa_map_get(&p->by_name, wa_sv(name));
}

static enum wa_code get_node(struct wa_planner *p, const char *name, struct wa_plan_node **ret)
{
    struct wa_plan_node *n = wa_plan_find(p, name);
    if (n == NULL) {
        n = &p->nodes[p->node_count++];
        n->name = name;
        if (wa_map_put(&p->by_name, wa_sv(name), n, NULL, p->err) != WA_OK)
            return p->err->code;
    }
    *ret = n;
    return WA_OK;
}

/* --- holds --- */

bool wa_plan_hold_split(struct wa_sv item, struct wa_sv *ret_what, struct wa_sv *ret_until)
{
    size_t at = 0;
    *ret_what = item;
    *ret_until = WA_SV("");
    for (; at + 7 <= item.n; at++)
        if (memcmp(item.p + at, " until ", 7) == 0) {
            *ret_what = wa_sv_trim(wa_sv_sub(item, 0, at));
            *ret_until = wa_sv_trim(wa_sv_sub(item, at + 7, item.n));
            return ret_until->n > 0;
        }
    return true;
}

static bool is_day(struct wa_sv s)
{
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (i != 4 && i != 7 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    return true;
}

enum wa_code wa_plan_hold_check(const char *holds, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(holds != NULL ? holds : ""), item, what, until;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        if (!wa_plan_hold_split(item, &what, &until) || (until.n > 0 && !is_day(until)))
            return wa_fail(err, WA_E_INVALID,
                           "'%.*s' is no hold: write 'name' or 'name(>=2)', and ' until "
                           "2026-12-31' behind it if it shall end",
                           WA_SV_ARG(item));
        if (wa_request_parse(what, &r, err) != WA_OK ||
            (strchr(r.package, ' ') != NULL &&
             wa_fail(err, WA_E_INVALID, "no package has a name with a blank in it") != WA_OK))
            return wa_wrap(err, "cannot hold '%.*s'", WA_SV_ARG(item));
    }
    return WA_OK;
}

/* The day is over: days compare as texts, and what follows the day in now is the time. */
static bool is_over(const struct wa_planner *p, struct wa_sv until)
{
    const char *now = p->in->host->now;
    return until.n > 0 && now[0] != '\0' && wa_sv_cmp(wa_sv_n(now, strnlen(now, 10)), until) > 0;
}

/* What holds c (or, where c is NULL, all of the name); false: nothing does. */
static bool is_held(const struct wa_planner *p, const char *name, const struct wa_control *c,
                    struct wa_sv *ret_until)
{
    struct wa_sv rest = wa_sv(p->in->holds != NULL ? p->in->holds : ""), item, what;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (!wa_plan_hold_split(item, &what, ret_until) || is_over(p, *ret_until) ||
            wa_request_parse(what, &r, &err) != WA_OK || strcmp(r.package, name) != 0)
            continue;
        if (r.op[0] == '\0' || (c != NULL && wa_request_matches(&r, c)))
            return true;
    }
    return false;
}

enum wa_code wa_plan_excluded(struct wa_planner *p, const struct wa_plan_node *n,
                              const struct wa_control *c, size_t index, const char **ret)
{
    struct wa_sv until;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 256);
    *ret = p->in->left_out != NULL ? p->in->left_out[index] : NULL;
    if (*ret != NULL || !wa_host_accepts(p->in->host, c, ret))
        return WA_OK;
    if (p->in->holds == NULL || !is_held(p, n->name, c, &until))
        return WA_OK;
    wa_buf_addf(&text, until.n > 0 ? wa_text("held until %.*s") : "held", (int)until.n, until.p);
    *ret = wa_arena_strdup(&p->arena, wa_buf_sv(&text));
    return *ret == NULL ? wa_nomem(p->err) : WA_OK;
}

/* --- the index --- */

/* own, which is installed, speaks of the name in its depends or conflicts. */
static enum wa_code link_names(struct wa_planner *p, struct wa_plan_node *own, enum wa_attr attr)
{
    struct wa_sv rest = wa_sv(wa_control_get(&own->there->control, attr)), item;
    while (wa_csv_next(&rest, &item)) {
        size_t open = item.n;
        (void)wa_sv_chr(item, '(', &open);
        struct wa_plan_node *n = wa_map_get(&p->by_name, wa_sv_trim(wa_sv_sub(item, 0, open)));
        if (n == NULL)
            continue;
        struct wa_plan_link *slot = WA_VEC_PUSH(&p->links);
        if (slot == NULL)
            return wa_nomem(p->err);
        *slot = (struct wa_plan_link){own, n->rivals};
        n->rivals = p->links.n;
    }
    return WA_OK;
}

static enum wa_code index_installed(struct wa_planner *p)
{
    for (size_t i = 0; i < p->in->installed_count; i++)
        if (get_node(p, wa_plan_name(&p->in->installed[i].control), &p->installed[i]) != WA_OK)
            return p->err->code;
        else
            p->installed[i]->there = &p->in->installed[i];
    for (size_t i = 0; i < p->in->installed_count; i++) {
        struct wa_plan_node *n = p->installed[i];
        struct wa_sv until;
        if (n->there != &p->in->installed[i])
            continue; /* named twice: the last one counts */
        if (link_names(p, n, WA_A_DEPENDS) != WA_OK || link_names(p, n, WA_A_CONFLICTS) != WA_OK)
            return p->err->code;
        if (p->in->holds == NULL || !is_held(p, n->name, NULL, &until))
            continue;
        n->held_until = wa_arena_strdup(&p->arena, until);
        if (n->held_until == NULL)
            return wa_nomem(p->err);
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
    return index_installed(p);
}

bool wa_plan_counts_as_installed(const struct wa_plan_node *n)
{
    return n->there != NULL &&
           (strcmp(n->there->status, "OK") == 0 || strcmp(n->there->status, "UNKNOWN") == 0);
}

bool wa_plan_has_failed(const struct wa_plan_node *n)
{
    return n->there != NULL &&
           (strcmp(n->there->status, "ERROR") == 0 || strcmp(n->there->status, "RETRY") == 0);
}

uint32_t wa_plan_value(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (uint32_t v = n->first; n->is_active && v < n->first + n->count; v++)
        if (wa_plan_is(p, v))
            return v;
    return UINT32_MAX;
}

const struct wa_control *wa_plan_outcome(const struct wa_planner *p, const struct wa_plan_node *n)
{
    uint32_t v = wa_plan_value(p, n);
    if (!n->is_active)
        return n->there != NULL ? &n->there->control : NULL;
    return v != UINT32_MAX ? p->vars.items[v].c : NULL;
}

/* --- what is there now --- */

bool wa_plan_holds_now(const struct wa_planner *p, const struct wa_request *r)
{
    const struct wa_plan_node *n = wa_plan_find(p, r->package);
    return n != NULL && wa_plan_counts_as_installed(n) && wa_request_matches(r, &n->there->control);
}

/* Installed, with whatever status of its own. */
static bool is_there(const struct wa_planner *p, const struct wa_request *r)
{
    const struct wa_plan_node *n = wa_plan_find(p, r->package);
    return n != NULL && n->there != NULL && !wa_plan_has_failed(n) &&
           wa_request_matches(r, &n->there->control);
}

bool wa_plan_lacks_something(const struct wa_planner *p, const struct wa_plan_node *n)
{
    struct wa_sv rest = wa_sv(wa_control_get(&n->there->control, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && !is_there(p, &r))
            return true;
    }
    return false;
}

static bool has_newer(const struct wa_planner *p, const struct wa_plan_node *n)
{
    for (size_t i = n->candidates; i > 0; i = p->next[i - 1])
        if (wa_plan_has_failed(n) || wa_entry_cmp(&p->in->available[i - 1], &n->there->control) > 0)
            return true;
    return false;
}

enum wa_code wa_plan_is_outdated(struct wa_planner *p, const struct wa_plan_node *n, bool *ret)
{
    const struct wa_control *best = NULL;
    *ret = false;
    if (!has_newer(p, n)) /* most of what is installed: not worth a closer look */
        return WA_OK;
    for (size_t i = n->candidates; i > 0; i = p->next[i - 1]) {
        const struct wa_control *c = &p->in->available[i - 1];
        const char *why = NULL;
        if (best != NULL && wa_candidate_cmp(p->in->host, c, best) < 0)
            continue;
        if (wa_plan_excluded(p, n, c, i - 1, &why) != WA_OK)
            return p->err->code;
        if (why == NULL)
            best = c;
    }
    *ret = best != NULL && (wa_plan_has_failed(n) || wa_entry_cmp(best, &n->there->control) > 0);
    return WA_OK;
}

/* --- variables --- */

enum wa_code wa_plan_push_var(struct wa_planner *p, struct wa_plan_var v, uint32_t *ret)
{
    if (wa_solver_vars(p->solver, 1, false, ret, p->err) != WA_OK)
        return p->err->code;
    struct wa_plan_var *slot = WA_VEC_PUSH(&p->vars);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = v;
    return WA_OK;
}

struct candidate {
    const struct wa_host_caps *host;
    const struct wa_control *c;
    size_t index;
};

static int better_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = wa_candidate_cmp(x->host, y->c, x->c);
    return c != 0 ? c : (y->index > x->index) - (y->index < x->index); /* the later of two equals */
}

/* What is there comes as that, not as a candidate: only what failed, or force, installs it again.
 */
static bool is_there_already(const struct wa_planner *p, const struct wa_plan_node *n,
                             const struct wa_control *c)
{
    return !p->force && wa_plan_counts_as_installed(n) && wa_entry_same(c, &n->there->control) &&
           wa_entry_cmp(c, &n->there->control) <= 0;
}

static enum wa_code push_value(struct wa_planner *p, struct wa_plan_node *n,
                               const struct wa_control *c, const char *excluded)
{
    struct wa_plan_var *slot = WA_VEC_PUSH(&p->vars);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = (struct wa_plan_var){.kind = WA_PV_VALUE,
                                 .node = n,
                                 .c = c,
                                 .is_there = n->there != NULL && c == &n->there->control,
                                 .excluded = excluded};
    return WA_OK;
}

static enum wa_code push_values(struct wa_planner *p, struct wa_plan_node *n,
                                const struct candidate *found, size_t count)
{
    uint32_t first;
    n->count = (uint32_t)count + (n->there != NULL);
    if (wa_solver_vars(p->solver, n->count, true, &first, p->err) != WA_OK)
        return p->err->code;
    n->first = first;
    if (n->there != NULL && push_value(p, n, &n->there->control, NULL) != WA_OK)
        return p->err->code;
    for (size_t i = 0; i < count; i++) {
        const char *why = NULL;
        if (wa_plan_excluded(p, n, found[i].c, found[i].index, &why) != WA_OK ||
            push_value(p, n, found[i].c, why) != WA_OK)
            return p->err->code;
    }
    return WA_OK;
}

enum wa_code wa_plan_activate(struct wa_planner *p, struct wa_plan_node *n)
{
    size_t count = 0, all = 0;
    struct candidate *found = NULL;
    if (n->is_active)
        return WA_OK;
    struct wa_plan_node **slot = WA_VEC_PUSH(&p->active);
    if (slot == NULL)
        return wa_nomem(p->err);
    *slot = n;
    n->is_active = true;
    for (size_t i = p->keeps ? 0 : n->candidates; i > 0; i = p->next[i - 1])
        all++;
    if (all > 0 && (found = wa_calloc(all, sizeof *found)) == NULL)
        return wa_nomem(p->err);
    for (size_t i = p->keeps ? 0 : n->candidates; i > 0; i = p->next[i - 1])
        if (!is_there_already(p, n, &p->in->available[i - 1]))
            found[count++] = (struct candidate){p->in->host, &p->in->available[i - 1], i - 1};
    if (count > 1)
        qsort(found, count, sizeof *found, better_first);
    enum wa_code code = push_values(p, n, found, count);
    wa_free(found);
    return code;
}
