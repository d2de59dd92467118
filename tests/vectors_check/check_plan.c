/* check_plan.c - plans on the small repositories of depends.json: the rules that every plan of ours
 * keeps, and WAPT's own plan where all that is asked for can be had.
 *
 * WAPT takes the best candidate of each name, one after another, and goes on when something is
 * missing; so its plans are compared only where nothing was. Where ours is another one, its own
 * must be impossible, or worse by what docs/formats/planning.md prefers.
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

/* What is there once WAPT's plan is carried out. */
struct theirs {
    const struct wa_control *items[2 * ITEMS_MAX];
    bool comes[2 * ITEMS_MAX];
    size_t n, removed;
    bool has_twice; /* two versions of one name are to come */
};

static bool is_listed(const struct wa_json *list, const struct wa_control *c, bool as_request)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *e = wa_json_at(list, i);
        if (wa_sv_eqs(wa_json_sv(wa_json_at(as_request ? wa_json_at(e, 1) : e, 0)),
                      wa_control_get(c, WA_A_PACKAGE)))
            return true;
    }
    return false;
}

static void add_theirs(const struct world *w, const struct wa_json *list, struct theirs *t)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *e = wa_json_at(wa_json_at(list, i), 1);
        const struct wa_control *c = NULL;
        for (size_t k = 0; k < w->in.available_count; k++)
            if (wa_sv_eqs(wa_json_sv(wa_json_at(e, 0)),
                          wa_control_get(&w->available[k], WA_A_PACKAGE)) &&
                wa_sv_eqs(wa_json_sv(wa_json_at(e, 1)),
                          wa_control_get(&w->available[k], WA_A_VERSION)))
                c = &w->available[k];
        bool had = c == NULL;
        for (size_t k = 0; !had && k < t->n; k++) {
            bool same = is_named(t->items[k], wa_control_get(c, WA_A_PACKAGE));
            t->has_twice = t->has_twice || (same && t->items[k] != c);
            had = same;
        }
        if (!had && t->n < WA_COUNT(t->items)) {
            t->comes[t->n] = true;
            t->items[t->n++] = c;
        }
    }
}

static void carry_out_theirs(const struct world *w, const struct wa_json *want, struct theirs *t)
{
    *t = (struct theirs){.n = 0};
    add_theirs(w, wa_json_get(want, "install"), t);
    add_theirs(w, wa_json_get(want, "additional"), t);
    for (size_t i = 0; i < w->in.installed_count; i++) {
        const struct wa_control *c = &w->installed[i].control;
        bool replaced = false;
        for (size_t k = 0; k < t->n; k++)
            replaced = replaced || is_named(t->items[k], wa_control_get(c, WA_A_PACKAGE));
        if (is_listed(wa_json_get(want, "remove"), c, false) && !replaced)
            t->removed++;
        else if (!replaced && t->n < WA_COUNT(t->items))
            t->items[t->n++] = c;
    }
}

static bool theirs_meet(const struct theirs *t, const struct wa_request *r)
{
    for (size_t i = 0; i < t->n; i++)
        if (wa_request_matches(r, t->items[i]))
            return true;
    return false;
}

static bool is_asked(const struct world *w, const struct wa_control *c)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(wa_sv(w->requests[i]), &r, &err) == WA_OK && wa_request_matches(&r, c))
            return true;
    }
    return false;
}

/* Needs are met and nothing conflicts, but for what was so before among what is installed. */
static bool is_whole(const struct world *w, const struct theirs *t)
{
    const struct wa_plan none = {.n = 0};
    for (size_t i = 0; i < t->n; i++) {
        const struct wa_control *c = t->items[i];
        struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        while (wa_csv_next(&rest, &item)) {
            if (wa_request_parse(item, &r, &err) != WA_OK)
                return false;
            const struct wa_control *before = after(w, &none, 0, r.package);
            bool is_due =
                t->comes[i] || is_asked(w, c) || (before != NULL && wa_request_matches(&r, before));
            if (is_due && !theirs_meet(t, &r))
                return false;
        }
        rest = wa_sv(wa_control_get(c, WA_A_CONFLICTS));
        while (wa_csv_next(&rest, &item))
            for (size_t k = 0; k < t->n && wa_request_parse(item, &r, &err) == WA_OK; k++)
                if (!is_named(c, r.package) && (t->comes[i] || t->comes[k]) &&
                    wa_request_matches(&r, t->items[k]))
                    return false;
    }
    return !t->has_twice;
}

/* Why our plan may be another one; name: of what WAPT installs and we don't, "" when we do more. */
static enum outcome excuse(struct check *k, const struct world *w, const struct wa_json *want,
                           const struct wa_plan *p, struct wa_sv name)
{
    struct theirs t;
    size_t removed = 0;
    carry_out_theirs(w, want, &t);
    for (size_t i = 0; i < p->n; i++)
        removed += p->items[i].kind == WA_STEP_REMOVE;
    if (name.n > 0 && !is_needed(w, p, name))
        return differs(k, "plan-older-needs",
                       "WAPT installs %.*s, which nothing that it installs needs", WA_SV_ARG(name));
    if (!is_whole(w, &t))
        return differs(k, "plan-not-whole", "what WAPT plans does not go together");
    if (removed < t.removed)
        return differs(k, "plan-fewer-removals", "WAPT removes %zu packages, we %zu", t.removed,
                       removed);
    for (size_t i = 0; i < w->in.installed_count; i++)
        if (name.n > 0 && wa_sv_eqs(name, wa_control_get(&w->installed[i].control, WA_A_PACKAGE)) &&
            !is_asked(w, &w->installed[i].control) &&
            after(w, p, p->n, wa_control_get(&w->installed[i].control, WA_A_PACKAGE)) ==
                &w->installed[i].control)
            return differs(k, "plan-keeps-installed", "WAPT upgrades %.*s, which would do as it is",
                           WA_SV_ARG(name));
    return fails(k, "%.*s: planned otherwise, without a reason", (int)name.n, name.p);
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
            bool again = false; /* asked for and needed too: listed twice */
            for (size_t e = 0; e < i && l == 0; e++)
                again = again ||
                        wa_sv_cmp(wa_json_sv(wa_json_at(wa_json_at(wa_json_at(list, e), 1), 0)),
                                  wa_json_sv(wa_json_at(entry, 0))) == 0;
            wanted += !again;
            if (!is_planned(p, entry))
                return excuse(k, w, want, p, wa_json_sv(wa_json_at(entry, 0)));
        }
    }
    for (size_t i = 0; i < p->n; i++)
        got += p->items[i].to != NULL;
    return got == wanted ? AGREES : excuse(k, w, want, p, WA_SV(""));
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
