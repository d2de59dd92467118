/* check_plan.c - plans on the small repositories of depends.json: the rules that every plan of ours
 * keeps, and WAPT's own plan where all that is asked for can be had.
 *
 * WAPT takes the best candidate of each name, one after another, and goes on when something is
 * missing; so its plans are compared only where nothing was.
 */
#include "check.h"

#include <stdio.h>

#include "base/mem.h"
#include "codec/csv.h"
#include "pkg/plan.h"

#define ITEMS_MAX 256
#define REQUESTS_MAX 32

enum kind { INSTALL, UPGRADE, REMOVE };

struct world {
    struct wa_control available[ITEMS_MAX];
    struct wa_installed installed[ITEMS_MAX];
    struct wa_plan_input in;
    const char *requests[REQUESTS_MAX];
    size_t request_count;
    bool is_cyclic; /* somebody may come before what it needs */
};

static const struct wa_host_caps any_host = {.now = ""};

static void unload(struct world *w)
{
    for (size_t i = 0; i < w->in.available_count; i++)
        wa_control_fini(&w->available[i]);
    for (size_t i = 0; i < w->in.installed_count; i++)
        wa_control_fini(&w->installed[i].control);
    wa_free(w);
}

static struct world *load(struct check *k, const struct wa_json *one)
{
    const struct wa_json *available = wa_json_get(one, "available"),
                         *installed = wa_json_get(one, "installed"),
                         *requests = wa_json_get(one, "requests");
    size_t n = wa_json_count(available), m = wa_json_count(installed), r = wa_json_count(requests);
    struct world *w =
        n <= ITEMS_MAX && m <= ITEMS_MAX && r <= REQUESTS_MAX ? wa_calloc(1, sizeof *w) : NULL;
    if (w == NULL)
        return NULL;
    w->in = (struct wa_plan_input){.available = w->available,
                                   .available_count = n,
                                   .installed = w->installed,
                                   .installed_count = m,
                                   .host = &any_host};
    for (size_t i = 0; i < n; i++)
        set_attributes(&w->available[i], wa_json_at(available, i));
    for (size_t i = 0; i < m; i++) {
        set_attributes(&w->installed[i].control, wa_json_at(installed, i));
        (void)snprintf(w->installed[i].status, sizeof w->installed[i].status, "OK");
    }
    for (w->request_count = 0; w->request_count < r; w->request_count++)
        w->requests[w->request_count] =
            wa_arena_strdup(&k->arena, wa_json_sv(wa_json_at(requests, w->request_count)));
    w->is_cyclic = wa_json_bool(wa_json_get(one, "cyclic_possible"));
    return w;
}

static const struct wa_control *subject(const struct wa_step *s)
{
    return s->to != NULL ? s->to : &s->from->control;
}

static bool is_named(const struct wa_control *c, const char *name)
{
    return strcmp(wa_control_get(c, WA_A_PACKAGE), name) == 0;
}

/* --- rules --- */

/* What is there after the first `steps` steps of the plan, under name; NULL: nothing. */
static const struct wa_control *after(const struct world *w, const struct wa_plan *p, size_t steps,
                                      const char *name)
{
    const struct wa_control *there = NULL;
    for (size_t i = 0; i < w->in.installed_count; i++)
        if (is_named(&w->installed[i].control, name))
            there = &w->installed[i].control;
    for (size_t i = 0; i < steps; i++)
        if (is_named(subject(&p->items[i]), name))
            there = p->items[i].kind == WA_STEP_REMOVE ? NULL : subject(&p->items[i]);
    return there;
}

static enum outcome check_needs(struct check *k, const struct world *w, const struct wa_plan *p,
                                size_t at)
{
    const struct wa_control *c = p->items[at].to;
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            return must(k, err.code, &err, "depends");
        const struct wa_control *before = after(w, p, at, r.package),
                                *end = after(w, p, p->n, r.package);
        if (end == NULL || !wa_request_matches(&r, end))
            return fails(k, "%s(=%s) lacks %.*s", wa_control_get(c, WA_A_PACKAGE),
                         wa_control_get(c, WA_A_VERSION), WA_SV_ARG(item));
        if (!w->is_cyclic && (before == NULL || !wa_request_matches(&r, before)))
            return fails(k, "%s comes before %.*s", wa_control_get(c, WA_A_PACKAGE),
                         WA_SV_ARG(item));
    }
    return AGREES;
}

static enum outcome check_conflicts(struct check *k, const struct world *w, const struct wa_plan *p,
                                    const struct wa_control *c)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            return must(k, err.code, &err, "conflicts");
        const struct wa_control *end = after(w, p, p->n, r.package);
        if (end != NULL && end != c && wa_request_matches(&r, end))
            return fails(k, "%s stays with %.*s", wa_control_get(c, WA_A_PACKAGE), WA_SV_ARG(item));
    }
    return AGREES;
}

/* One decision a name, each with its reason; removals first. */
static enum outcome check_form(struct check *k, const struct wa_plan *p)
{
    bool installs = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        if (s->why[0] == '\0')
            return fails(k, "a step without reason");
        if (installs && s->kind == WA_STEP_REMOVE)
            return fails(k, "%s is removed late", wa_control_get(subject(s), WA_A_PACKAGE));
        installs = installs || s->kind != WA_STEP_REMOVE;
        for (size_t j = 0; j < i; j++)
            if (is_named(subject(&p->items[j]), wa_control_get(subject(s), WA_A_PACKAGE)))
                return fails(k, "%s comes twice", wa_control_get(subject(s), WA_A_PACKAGE));
    }
    return AGREES;
}

static enum outcome check_rules(struct check *k, const struct world *w, const struct wa_plan *p)
{
    enum outcome o = check_form(k, p);
    for (size_t i = 0; o == AGREES && i < p->n; i++) {
        if (p->items[i].kind != WA_STEP_INSTALL && p->items[i].kind != WA_STEP_UPGRADE)
            continue;
        o = check_needs(k, w, p, i);
        if (o == AGREES)
            o = check_conflicts(k, w, p, p->items[i].to);
    }
    return o;
}

/* --- WAPT's plan --- */

static bool is_planned(const struct wa_plan *p, const struct wa_json *entry)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].to != NULL &&
            wa_sv_eqs(wa_json_sv(wa_json_at(entry, 0)),
                      wa_control_get(p->items[i].to, WA_A_PACKAGE)) &&
            wa_sv_eqs(wa_json_sv(wa_json_at(entry, 1)),
                      wa_control_get(p->items[i].to, WA_A_VERSION)))
            return true;
    return false;
}

/* Asked for, or by something that is planned. */
static bool is_needed(const struct world *w, const struct wa_plan *p, struct wa_sv name)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(wa_sv(w->requests[i]), &r, &err) == WA_OK &&
            wa_sv_eqs(name, r.package))
            return true;
    }
    for (size_t i = 0; i < p->n; i++) {
        struct wa_sv rest =
                         wa_sv(p->items[i].to != NULL ? wa_control_get(p->items[i].to, WA_A_DEPENDS)
                                                      : ""),
                     item;
        while (wa_csv_next(&rest, &item)) {
            struct wa_request r;
            struct wa_err err = WA_ERR_INIT;
            if (wa_request_parse(item, &r, &err) == WA_OK && wa_sv_eqs(name, r.package))
                return true;
        }
    }
    return false;
}

static enum outcome same_plan(struct check *k, const struct world *w, const struct wa_json *want,
                              const struct wa_plan *p)
{
    static const char *const lists[] = {"additional", "install"};
    size_t wanted = 0, got = 0;
    for (size_t l = 0; l < WA_COUNT(lists); l++) {
        const struct wa_json *list = wa_json_get(want, lists[l]);
        for (size_t i = 0; i < wa_json_count(list); i++) {
            const struct wa_json *entry = wa_json_at(wa_json_at(list, i), 1);
            struct wa_sv name = wa_json_sv(wa_json_at(entry, 0));
            wanted++;
            if (is_planned(p, entry))
                continue;
            return is_needed(w, p, name)
                       ? fails(k, "%.*s is not planned", WA_SV_ARG(name))
                       : differs(k, "plan-older-needs",
                                 "WAPT installs %.*s, which nothing that it installs needs",
                                 WA_SV_ARG(name));
        }
    }
    for (size_t i = 0; i < p->n; i++)
        got += p->items[i].to != NULL;
    return got == wanted ? AGREES : fails(k, "%zu installations planned, %zu wanted", got, wanted);
}

static enum wa_code make_plan(enum kind kind, const struct world *w, struct wa_plan *p,
                              struct wa_err *err)
{
    switch (kind) {
    case INSTALL:
        return wa_plan_install(&w->in, w->requests, w->request_count, false, p, err);
    case UPGRADE:
        return wa_plan_upgrade(&w->in, w->requests, w->request_count, p, err);
    case REMOVE:
        break;
    }
    return wa_plan_remove(&w->in, w->requests, w->request_count, p, err);
}

enum outcome check_depends(struct check *k, const struct wa_json *one)
{
    const struct wa_json *wapt = wa_json_get(one, "check_depends_forceupgrade"),
                         *missing = wa_json_get(wapt, "unavailable");
    struct world *w = load(k, one);
    enum outcome o = w == NULL ? fails(k, "larger than we look at") : AGREES;
    for (int kind = INSTALL; o == AGREES && kind <= REMOVE; kind++) {
        WA_AUTO_PLAN struct wa_plan p;
        struct wa_err err = WA_ERR_INIT;
        wa_plan_init(&p);
        enum wa_code code = make_plan((enum kind)kind, w, &p, &err);
        o = code == WA_OK ? check_rules(k, w, &p) : must(k, code, &err, "planning");
        if (o == AGREES && kind == INSTALL && missing != NULL && wa_json_count(missing) == 0)
            o = same_plan(k, w, wapt, &p);
    }
    if (w != NULL)
        unload(w);
    return o;
}
