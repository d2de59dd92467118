/* Plans over what an index may hold: a line is a package, "a" available or "i" installed, then
 * name, version, depends, conflicts, section between bars. Whatever it is, each plan ends, every
 * step has a reason, and no name comes twice. */
#include <stdlib.h>

#include "base/mem.h"
#include "pkg/plan.h"

#define PACKAGES_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

struct world {
    struct wa_control available[PACKAGES_MAX];
    struct wa_installed installed[PACKAGES_MAX];
    struct wa_plan_input in;
};

static void add(struct world *w, struct wa_sv line)
{
    static const enum wa_attr order[] = {WA_A_PACKAGE, WA_A_VERSION, WA_A_DEPENDS, WA_A_CONFLICTS,
                                         WA_A_SECTION};
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv field;
    bool old = line.n > 0 && line.p[0] == 'i';
    size_t *n = old ? &w->in.installed_count : &w->in.available_count;
    if (line.n < 2 || *n == PACKAGES_MAX)
        return;
    struct wa_control *c = old ? &w->installed[*n].control : &w->available[*n];
    ++*n;
    if (old)
        (void)snprintf(w->installed[*n - 1].status, sizeof w->installed[0].status, "OK");
    wa_control_init(c);
    line = wa_sv_sub(line, 1, line.n);
    for (size_t i = 0; i < WA_COUNT(order) && wa_sv_split(&line, '|', &field); i++)
        if ((field.n <= WA_NAME_MAX || i > 1) && wa_control_set(c, order[i], field, &err) != WA_OK)
            wa_err_clear(&err); /* no text of a control: left at its default */
}

static const char *name_of(const struct wa_step *s)
{
    return wa_control_get(s->to != NULL ? s->to : &s->from->control, WA_A_PACKAGE);
}

static void check_plan(struct wa_plan *p, enum wa_code code)
{
    check(code == WA_OK || code == WA_E_NOMEM || code == WA_E_LIMIT);
    for (size_t i = 0; i < p->n; i++) {
        check(p->items[i].why[0] != '\0');
        for (size_t k = 0; k < i; k++)
            check(strcmp(name_of(&p->items[k]), name_of(&p->items[i])) != 0);
    }
    wa_plan_fini(p);
}

static void plan_all(const struct world *w)
{
    const char *names[] = {"a", "b(>=2)"};
    const struct wa_plan_input *in = &w->in;
    struct wa_plan p, why;
    struct wa_err err = WA_ERR_INIT;
    wa_plan_init(&p);
    wa_plan_init(&why);
    if (in->available_count > 0)
        names[0] = wa_control_get(&in->available[0], WA_A_PACKAGE);
    check_plan(&p, wa_plan_install(in, names, 2, false, &p, &err));
    wa_err_clear(&err);
    check_plan(&p, wa_plan_remove(in, names, 2, &p, &err));
    wa_err_clear(&err);
    check_plan(&p, wa_plan_why_not(in, names[0], 4, &p, &why, &err));
    wa_plan_fini(&why);
    wa_err_clear(&err);
    enum wa_code code = wa_plan_upgrade(in, names, 1, &p, &err);
    if (code == WA_OK && wa_plan_why(in, names[0], names, 1, &p, &why, &err) == WA_OK)
        wa_plan_fini(&why);
    check_plan(&p, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_host_caps host = {.now = "2026-11-26"};
    struct world *w = wa_calloc(1, sizeof *w);
    struct wa_sv rest = wa_sv_n((const char *)data, size), line;
    if (w == NULL || size > 4096) {
        wa_free(w);
        return 0;
    }
    w->in = (struct wa_plan_input){.available = w->available,
                                   .installed = w->installed,
                                   .host = &host,
                                   .holds = "h until 2026-12-31, b(=3)"};
    while (rest.n > 0 && wa_sv_split(&rest, '\n', &line))
        add(w, line);
    plan_all(w);
    for (size_t i = 0; i < w->in.available_count; i++)
        wa_control_fini(&w->available[i]);
    for (size_t i = 0; i < w->in.installed_count; i++)
        wa_control_fini(&w->installed[i].control);
    wa_free(w);
    return 0;
}
