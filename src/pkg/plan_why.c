/* plan_why.c - why a package is there, or would be after a plan: who needs it, up to what was asked
 * for or assigned, one shortest chain for each.
 *
 * It looks at every package for every link of a chain: for a person who asks, not for the manager.
 */
#include "base/text.h"
#include "pkg/plan_priv.h"

#include "codec/csv.h"

#define CHAINS_MAX 16u   /* told */
#define LOOKED_MAX 1000u /* packages from which a chain goes on */

struct present {
    const struct wa_control *c;
    const char *root; /* why it is there by itself; NULL: only for others */
    size_t below;     /* 1 + the one that it needs, on the way down; 0: not reached */
};

struct why {
    const struct wa_plan_input *in;
    struct wa_plan *told;
    struct {
        WA_VEC(struct present);
    } all;
    struct {
        WA_VEC(size_t);
    } open;
    struct wa_err *err;
};

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static const struct wa_step *step_of(const struct wa_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(wa_plan_name(plan->items[i].to != NULL ? plan->items[i].to
                                                          : &plan->items[i].from->control),
                   name) == 0)
            return &plan->items[i];
    return NULL;
}

static enum wa_code add(struct why *w, const struct wa_control *c, const char *root)
{
    struct present *slot = WA_VEC_PUSH(&w->all);
    if (slot == NULL)
        return wa_nomem(w->err);
    *slot = (struct present){c, root, 0};
    return WA_OK;
}

/* What is there once the plan is carried out. */
static enum wa_code gather(struct why *w, const struct wa_plan *plan, const char *const *names,
                           size_t count)
{
    for (size_t i = 0; i < w->in->installed_count; i++) {
        const struct wa_installed *x = &w->in->installed[i];
        const struct wa_step *s = step_of(plan, wa_plan_name(&x->control));
        const char *root = is_in(names, count, wa_plan_name(&x->control))
                               ? wa_text("is assigned to this machine")
                           : x->is_explicit ? wa_text("was asked for")
                                            : NULL;
        if (s != NULL && s->kind == WA_STEP_REMOVE)
            continue;
        if (add(w, s != NULL && s->to != NULL ? s->to : &x->control, root) != WA_OK)
            return w->err->code;
    }
    for (size_t i = 0; i < plan->n; i++) {
        const struct wa_step *s = &plan->items[i];
        if (s->kind == WA_STEP_INSTALL &&
            add(w, s->to,
                is_in(names, count, wa_plan_name(s->to)) ? wa_text("is assigned to this machine")
                                                         : NULL) != WA_OK)
            return w->err->code;
    }
    return WA_OK;
}

static bool needs(const struct wa_control *c, const struct wa_control *what)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) == WA_OK && wa_request_matches(&r, what))
            return true;
    }
    return false;
}

/* "c(=1) is needed by b(=1), that by a(=2), which was asked for", from the root down the chain. */
static enum wa_code tell_chain(struct why *w, size_t root, size_t bottom, bool is_installed)
{
    WA_AUTO_BUF struct wa_buf out;
    size_t links[32], n = 0;
    struct wa_planner p = {.plan = w->told, .err = w->err};
    wa_buf_init(&out, 65536);
    for (size_t i = root; i != bottom && n < WA_COUNT(links); i = w->all.items[i].below - 1)
        links[n++] = i;
    const struct wa_control *c = w->all.items[bottom].c;
    wa_buf_addf(&out, "%s(=%s)", wa_plan_name(c), wa_plan_version(c));
    for (size_t k = n; k > 0; k--) {
        const struct wa_control *x = w->all.items[links[k - 1]].c;
        wa_buf_addf(&out, wa_text("%s needed by %s(=%s)"), k == n ? " is" : wa_text(", that is"),
                    wa_plan_name(x), wa_plan_version(x));
    }
    wa_buf_addf(&out, "%s%s", n > 0 ? wa_text(", which ") : " ", w->all.items[root].root);
    if (!is_installed)
        wa_buf_adds(&out, wa_text("; it is not installed yet"));
    if (wa_buf_check(&out, w->err) != WA_OK)
        return w->err->code;
    return wa_plan_problem(&p, wa_plan_name(c), "%s", wa_buf_str(&out));
}

static enum wa_code open_one(struct why *w, size_t i, size_t below)
{
    size_t *slot = WA_VEC_PUSH(&w->open);
    if (slot == NULL)
        return wa_nomem(w->err);
    *slot = i;
    w->all.items[i].below = below + 1;
    return WA_OK;
}

static enum wa_code climb(struct why *w, size_t bottom, bool is_installed)
{
    if (open_one(w, bottom, bottom) != WA_OK)
        return w->err->code;
    for (size_t k = 0; k < w->open.n && k < LOOKED_MAX && w->told->problem_n < CHAINS_MAX; k++) {
        size_t at = w->open.items[k];
        if (w->all.items[at].root != NULL && tell_chain(w, at, bottom, is_installed) != WA_OK)
            return w->err->code;
        for (size_t i = 0; i < w->all.n; i++)
            if (w->all.items[i].below == 0 && needs(w->all.items[i].c, w->all.items[at].c) &&
                open_one(w, i, at) != WA_OK)
                return w->err->code;
    }
    return WA_OK;
}

static enum wa_code explain(struct why *w, const char *name, const struct wa_plan *plan)
{
    struct wa_planner p = {.plan = w->told, .err = w->err};
    const struct wa_step *s = step_of(plan, name);
    for (size_t i = 0; i < w->all.n; i++) {
        if (strcmp(wa_plan_name(w->all.items[i].c), name) != 0)
            continue;
        if (climb(w, i, s == NULL || s->kind != WA_STEP_INSTALL) != WA_OK)
            return w->err->code;
        return w->told->problem_n > 0
                   ? WA_OK
                   : wa_plan_problem(&p, name,
                                     "%s(=%s) is installed, though nobody asked for it and nothing "
                                     "that was asked for needs it",
                                     name, wa_plan_version(w->all.items[i].c));
    }
    return s != NULL
               ? wa_plan_problem(&p, name, "%s is installed, but an upgrade would remove it: %s",
                                 name, s->why)
               : wa_plan_problem(&p, name, "%s is not installed, and an upgrade would not bring it",
                                 name);
}

enum wa_code wa_plan_why(const struct wa_plan_input *in, const char *name,
                         const char *const *host_packages, size_t count, const struct wa_plan *plan,
                         struct wa_plan *ret, struct wa_err *err)
{
    struct wa_plan told;
    struct why w = {.in = in, .told = &told, .err = err};
    wa_plan_init(&told);
    enum wa_code code = gather(&w, plan, host_packages, count);
    if (code == WA_OK)
        code = explain(&w, name, plan);
    if (code == WA_OK)
        code = wa_plan_tell_problems(&told, err);
    WA_VEC_FREE(&w.all);
    WA_VEC_FREE(&w.open);
    if (code == WA_OK)
        *ret = told;
    else
        wa_plan_fini(&told);
    return code;
}
