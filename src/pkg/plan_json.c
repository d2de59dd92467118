/* plan_json.c - what plans are made from and what they say, as JSON: packages as machines tell of
 * them, steps, problems with their reasons.
 */
#include "pkg/plan_json.h"

enum wa_code wa_control_read_json(const struct wa_json *j, struct wa_control *c, struct wa_err *err)
{
    wa_control_init(c);
    for (size_t i = 0; i < wa_json_count(j); i++) {
        enum wa_attr a;
        if (wa_attr_find(wa_json_key_at(j, i), &a) &&
            wa_control_set(c, a, wa_json_sv(wa_json_at(j, i)), err) != WA_OK)
            return err->code;
    }
    const char *name = wa_control_get(c, WA_A_PACKAGE);
    if (name[0] == '\0' || strlen(name) > WA_NAME_MAX)
        return wa_fail(err, WA_E_INVALID, "an entry has no package name");
    return WA_OK;
}

enum wa_code wa_installed_read_json(const struct wa_json *j, struct wa_installed *ret,
                                    struct wa_err *err)
{
    struct wa_sv status = wa_json_sv(wa_json_get(j, "install_status"));
    ret->is_explicit = wa_json_bool(wa_json_get(j, "explicit"));
    (void)snprintf(ret->status, sizeof ret->status, "%.*s", (int)(status.n > 0 ? status.n : 2),
                   status.n > 0 ? status.p : "OK");
    return wa_control_read_json(j, &ret->control, err);
}

const char *wa_step_kind_name(enum wa_step_kind kind)
{
    static const char *const names[] = {"install", "upgrade", "remove", "keep"};
    return names[kind];
}

void wa_plan_write_steps(const struct wa_plan *p, struct wa_jw *w)
{
    wa_jw_arr(w);
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        const struct wa_control *c = s->to != NULL ? s->to : &s->from->control;
        wa_jw_obj(w);
        wa_jw_kv(w, "action", wa_step_kind_name(s->kind));
        wa_jw_kv(w, "package", wa_control_get(c, WA_A_PACKAGE));
        wa_jw_kv(w, "version", s->to != NULL ? wa_control_get(c, WA_A_VERSION) : NULL);
        wa_jw_kv(w, "installed",
                 s->from != NULL ? wa_control_get(&s->from->control, WA_A_VERSION) : NULL);
        wa_jw_kv(w, "why", s->why);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

static void write_problem(const struct wa_plan *p, const struct wa_problem *x, struct wa_jw *w)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "package", x->package);
    wa_jw_kv(w, "text", x->count > 0 ? p->reasons[x->first].text : "");
    wa_jw_key(w, "reasons");
    wa_jw_arr(w);
    for (size_t k = 1; k < x->count; k++) {
        const struct wa_reason *r = &p->reasons[x->first + k];
        wa_jw_obj(w);
        wa_jw_kvi(w, "depth", r->depth);
        wa_jw_kv(w, "text", r->text);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_end(w);
}

void wa_plan_write_problems(const struct wa_plan *p, struct wa_jw *w)
{
    wa_jw_arr(w);
    for (size_t i = 0; i < p->problem_n; i++)
        write_problem(p, &p->problem_items[i], w);
    wa_jw_end(w);
}
