/* get_plan_show.c - a plan for people: its steps, and its problems with their reasons below. */
#include "base/mem.h"
#include "cmd/get_plan.h"
#include "pkg/plan_json.h"

static void show(const struct wa_cli *cli, unsigned depth, const char *text)
{
    char *copy = wa_strdup(text);
    if (copy == NULL)
        return;
    wa_cli_tame(copy);
    wa_cli_out(cli, "%*s%s\n", (int)(2 * depth), "", copy);
    wa_free(copy);
}

void wa_get_show_steps(const struct wa_cli *cli, const struct wa_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        const struct wa_control *c = s->to != NULL ? s->to : &s->from->control;
        char line[2048];
        (void)snprintf(line, sizeof line, "%-7s %s(=%s): %s", wa_step_kind_name(s->kind),
                       wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION), s->why);
        show(cli, 0, line);
    }
    if (p->n == 0)
        wa_cli_out(cli, "nothing would be done\n");
}

void wa_get_show_problems(const struct wa_cli *cli, const struct wa_plan *p)
{
    for (size_t i = 0; i < p->problem_n; i++)
        for (size_t k = 0; k < p->problem_items[i].count; k++) {
            const struct wa_reason *r = &p->reasons[p->problem_items[i].first + k];
            show(cli, r->depth, r->text);
        }
}

enum wa_code wa_get_plan_outcome(const struct wa_plan *p, struct wa_err *err)
{
    if (p->problem_n == 0)
        return WA_OK;
    return wa_fail(err, p->n > 0 ? WA_E_PARTIAL : WA_E_NOT_FOUND, "%s cannot be had as wished",
                   p->problem_n == 1 ? wa_text("one thing") : wa_text("some things"));
}
