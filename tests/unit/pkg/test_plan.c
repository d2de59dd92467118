/* Plans as stories: what is there, what is offered, what is asked, what comes of it and why. The
 * rules that every plan keeps: tests/vectors_check. */
#include "support.h"

#include "pkg/plan.h"

#define MAX_ITEMS 32

/* A small world: "name version depends conflicts [section|status]", fields separated by '|'. */
struct world {
    struct wa_control available[MAX_ITEMS];
    struct wa_installed installed[MAX_ITEMS];
    struct wa_plan_input in;
};

static const struct wa_host_caps any_host = {.now = ""};

static void set(struct wa_control *c, enum wa_attr a, struct wa_sv value)
{
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_control_set(c, a, value, &err), &err, "set");
}

/* The last field, or "" */
static struct wa_sv read_entry(struct wa_sv line, struct wa_control *c)
{
    static const enum wa_attr order[] = {WA_A_PACKAGE, WA_A_VERSION, WA_A_DEPENDS, WA_A_CONFLICTS};
    struct wa_sv field;
    wa_control_init(c);
    for (size_t i = 0; i < WA_COUNT(order); i++)
        if (wa_sv_split(&line, '|', &field))
            set(c, order[i], wa_sv_trim(field));
    return wa_sv_trim(line);
}

static void world_make(struct world *w, const char *available, const char *installed)
{
    struct wa_sv rest = wa_sv(available), line;
    memset(w, 0, sizeof *w);
    while (wa_sv_split(&rest, ';', &line)) {
        struct wa_control *c = &w->available[w->in.available_count++];
        struct wa_sv section = read_entry(line, c);
        if (section.n > 0)
            set(c, WA_A_SECTION, section);
    }
    rest = wa_sv(installed);
    while (wa_sv_split(&rest, ';', &line)) {
        struct wa_installed *i = &w->installed[w->in.installed_count++];
        struct wa_sv status = read_entry(line, &i->control);
        (void)snprintf(i->status, sizeof i->status, "OK");
        if (wa_sv_eqs(status, "ERROR"))
            (void)snprintf(i->status, sizeof i->status, "ERROR");
        else if (status.n > 0)
            set(&i->control, WA_A_SECTION, status);
    }
    w->in.available = w->available;
    w->in.installed = w->installed;
    w->in.host = &any_host;
}

static void world_drop(struct world *w)
{
    for (size_t i = 0; i < w->in.available_count; i++)
        wa_control_fini(&w->available[i]);
    for (size_t i = 0; i < w->in.installed_count; i++)
        wa_control_fini(&w->installed[i].control);
}

/* "install a 1 (asked for); remove b 2 (conflicts with a(=1))" */
static void tell(const struct wa_plan *p, struct wa_buf *out)
{
    static const char *const kinds[] = {"install", "upgrade", "remove", "keep"};
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        const struct wa_control *c = s->to != NULL ? s->to : &s->from->control;
        wa_buf_addf(out, "%s%s %s %s (%s)", i > 0 ? "; " : "", kinds[s->kind],
                    wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION), s->why);
    }
}

/* Up to eight names, separated by ';'. */
struct names {
    char texts[8][256];
    const char *items[8];
    size_t n;
};

static void split_names(const char *list, struct names *ret)
{
    struct wa_sv rest = wa_sv(list), item;
    ret->n = 0;
    while (wa_sv_split(&rest, ';', &item)) {
        (void)snprintf(ret->texts[ret->n], sizeof ret->texts[0], "%.*s", WA_SV_ARG(item));
        ret->items[ret->n] = ret->texts[ret->n];
        ret->n++;
    }
}

enum kind { INSTALL, FORCE, UPGRADE, REMOVE };

static void make_plan(enum kind kind, const struct wa_plan_input *in, const struct names *names,
                      struct wa_plan *ret)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;
    if (kind == UPGRADE)
        code = wa_plan_upgrade(in, names->items, names->n, ret, &err);
    else if (kind == REMOVE)
        code = wa_plan_remove(in, names->items, names->n, ret, &err);
    else
        code = wa_plan_install(in, names->items, names->n, kind == FORCE, ret, &err);
    check_ok(code, &err, "plan");
}

static const struct {
    enum kind kind;
    const char *available, *installed, *asked, *plan, *problems;
} stories[] = {
    {INSTALL, "a|1", "", "a", "install a 1 (asked for)", ""},
    {INSTALL, "a|1;a|2;a|1.5", "", "a", "install a 2 (asked for)", ""},
    {INSTALL, "a|1;a|2", "", "a(<2)", "install a 1 (asked for)", ""},
    {INSTALL, "a|1|b;b|1|c;c|1", "", "a",
     "install c 1 (needed by b(=1)); install b 1 (needed by a(=1)); install a 1 (asked for)", ""},
    {INSTALL, "a|1|b,c;b|1|d;c|1|d;d|1", "", "a",
     "install d 1 (needed by b(=1)); install b 1 (needed by a(=1)); "
     "install c 1 (needed by a(=1)); install a 1 (asked for)",
     ""},
    /* already there */
    {INSTALL, "a|1", "a|1", "a", "keep a 1 (installed already)", ""},
    {FORCE, "a|1", "a|1", "a", "upgrade a 1 (asked for)", ""},
    {INSTALL, "a|2", "a|1", "a", "upgrade a 2 (asked for)", ""},
    {INSTALL, "a|2;a|1", "a|2", "a(=1)", "upgrade a 1 (asked for)", ""},
    {INSTALL, "a|1|b;b|1;b|2", "b|1", "a", "install a 1 (asked for)", ""},
    {INSTALL, "a|1|b;b|1", "a|1|b", "a",
     "keep a 1 (installed already); install b 1 (needed by a(=1))", ""},
    {INSTALL, "a|1", "a|1|||ERROR", "a", "upgrade a 1 (asked for)", ""},
    /* what can't be had */
    {INSTALL, "a|1", "", "b", "", "b, asked for: no package of the repositories is called so"},
    {INSTALL, "a|1", "", "a(>1)", "", "a(>1), asked for: no package of the repositories meets it"},
    {INSTALL, "a|1;b|1|c;d|1", "", "a;b;d", "install a 1 (asked for); install d 1 (asked for)",
     "c, needed by b(=1): no package of the repositories is called so\n"
     "b: is left out, since it can't have all that it needs"},
    /* all that was planned for it goes too */
    {INSTALL, "a|1|x,missing;x|1", "", "a", "",
     "missing, needed by a(=1): no package of the repositories is called so\n"
     "a: is left out, since it can't have all that it needs"},
    {INSTALL, "a|1", "", "a(~1)", "",
     "asked for: 'a(~1)' is not a requirement: write name or name(>=1.2-3)"},
    {INSTALL, "a|1|b;b|1|c;c|1|a", "", "a",
     "install c 1 (needed by b(=1)); install b 1 (needed by a(=1)); install a 1 (asked for)", ""},
    {INSTALL, "a|1|a;b|1", "", "a", "install a 1 (asked for)", ""},
    {INSTALL, "a|1|c(=1);b|1|c(>1);c|1;c|2", "", "a;b",
     "install c 1 (needed by a(=1)); install a 1 (asked for)",
     "c(>1), needed by b(=1): is wanted, but c(=1) is wanted too\n"
     "b: is left out, since it can't have all that it needs"},
    /* conflicts */
    {INSTALL, "a|1||b", "b|1", "a", "remove b 1 (conflicts with a(=1)); install a 1 (asked for)",
     ""},
    {INSTALL, "a|1||b(<2)", "b|2", "a", "install a 1 (asked for)", ""},
    {INSTALL, "a|1||b", "b|1;c|1|b", "a",
     "remove c 1 (depends on b, which goes); remove b 1 (conflicts with a(=1)); "
     "install a 1 (asked for)",
     ""},
    {INSTALL, "a|1||b;b|1", "", "b;a", "install b 1 (asked for)",
     "a: conflicts with b(=1), which is wanted too"},
    {INSTALL, "a|1||b;b|1", "", "a;b", "install a 1 (asked for)",
     "b: conflicts with a(=1), which is wanted too"},
    {INSTALL, "a|1|c|b;b|1;c|1", "b|1;c|1|b", "c;a", "keep c 1 (installed already)",
     "b: can't be removed, since c(=1) needs it"},
    /* a conflict counts whichever declares it */
    {INSTALL, "a|1", "b|1||a", "a", "remove b 1 (conflicts with a(=1)); install a 1 (asked for)",
     ""},
    {INSTALL, "a|2", "b|1||a(<2)", "a", "install a 2 (asked for)", ""},
    {INSTALL, "a|1", "b|1||a;c|1|b", "c;a", "keep c 1 (installed already)",
     "b: can't be removed, since c(=1) needs it"},
    {INSTALL, "a|1;b|1||a", "", "a;b", "install a 1 (asked for)",
     "b: conflicts with a(=1), which is wanted too"},
    {INSTALL, "a|1;b|1||a", "", "b;a", "install b 1 (asked for)",
     "a: conflicts with b(=1), which is wanted too"},
    {UPGRADE, "a|2;b|2", "a|1;b|1||a(>1)", "",
     "upgrade b 2 (newer than 1); upgrade a 2 (newer than 1)", ""},
    {UPGRADE, "a|2||b(<2);b|2", "a|1;b|1", "",
     "upgrade b 2 (newer than 1); upgrade a 2 (newer than 1)", ""},
    {UPGRADE, "a|2", "a|1;b|1||a(>1)", "",
     "remove b 1 (conflicts with a(=2)); upgrade a 2 (newer than 1)", ""},
    /* another choice, when the best leads nowhere */
    {INSTALL, "a|1|c;b|1|c(<2);c|1;c|2", "", "a;b",
     "install c 1 (needed by a(=1)); install a 1 (asked for); install b 1 (asked for)", ""},
    {INSTALL, "a|1|b,c;b|1|d(<2);c|1|d;d|1;d|2", "", "a",
     "install d 1 (needed by b(=1)); install b 1 (needed by a(=1)); "
     "install c 1 (needed by a(=1)); install a 1 (asked for)",
     ""},
    {INSTALL, "a|1|c,b;b|1|d(<2);c|1|d;d|1;d|2", "", "a",
     "install d 1 (needed by c(=1)); install c 1 (needed by a(=1)); "
     "install b 1 (needed by a(=1)); install a 1 (asked for)",
     ""},
    {INSTALL, "a|2|gone;a|1", "", "a", "install a 1 (asked for)", ""},
    {INSTALL, "a|1|b;b|3||c;b|2|gone;b|1;c|1", "", "c;a",
     "install c 1 (asked for); install b 1 (needed by a(=1)); install a 1 (asked for)", ""},
    {INSTALL, "a|1|x,y;x|2|z(=2);x|1|z(=1);y|2|z(=3);y|1|z(=1);z|1;z|2;z|3", "", "a",
     "install z 1 (needed by x(=1)); install x 1 (needed by a(=1)); "
     "install y 1 (needed by a(=1)); install a 1 (asked for)",
     ""},
    {UPGRADE, "a|3|gone;a|2;a|1", "a|1", "", "upgrade a 2 (newer than 1)", ""},
    {UPGRADE, "a|3|gone;a|1", "a|1", "", "",
     "gone, needed by a(=3): no package of the repositories is called so\n"
     "a: is left out, since it can't have all that it needs"},
    /* none of the choices works: the best one is explained, with the chain */
    {INSTALL, "a|1|b;b|2|c;b|1|c;c|1|gone", "", "a", "",
     "gone, needed by c(=1), needed by b(=2), needed by a(=1): no package of the repositories is "
     "called so\n"
     "c: is left out, since it can't have all that it needs\n"
     "b: is left out, since it can't have all that it needs\n"
     "a: is left out, since it can't have all that it needs"},
    {INSTALL, "a|1|x,y;x|2|z(=2);x|1|z(=2);y|1|z(=1);z|1;z|2;fine|1", "", "a;fine",
     "install fine 1 (asked for)",
     "z(=1), needed by y(=1), needed by a(=1): is wanted, but z(=2) is wanted too\n"
     "y: is left out, since it can't have all that it needs\n"
     "a: is left out, since it can't have all that it needs"},
    /* the old one does where the newer is impossible */
    {UPGRADE, "b|2|gone;a|2|b;c|2|b", "b|1;a|1|b;c|1|b", "",
     "upgrade a 2 (newer than 1); upgrade c 2 (newer than 1)",
     "gone, needed by b(=2): no package of the repositories is called so\n"
     "b: is left out, since it can't have all that it needs"},
    /* upgrades */
    {UPGRADE, "a|2;b|1", "a|1;b|1", "", "upgrade a 2 (newer than 1)", ""},
    {UPGRADE, "a|1", "a|2", "", "", ""},
    {UPGRADE, "a|1", "a|1|||ERROR", "", "upgrade a 1 (its last installation failed (ERROR))", ""},
    {UPGRADE, "a|2|b;b|2", "a|1|b;b|1", "",
     "upgrade b 2 (newer than 1); upgrade a 2 (newer than 1)", ""},
    {UPGRADE, "a|2|n;n|1", "a|1", "", "install n 1 (needed by a(=2)); upgrade a 2 (newer than 1)",
     ""},
    {UPGRADE, "h|1|a||host;a|1", "", "h",
     "install a 1 (needed by h(=1)); install h 1 (assigned to this machine)", ""},
    {UPGRADE, "h|2|a||host;a|1", "h|1|||host", "h",
     "install a 1 (needed by h(=2)); upgrade h 2 (newer than 1)", ""},
    {UPGRADE, "a|1", "h|1|||host;a|1", "", "remove h 1 (no longer assigned)", ""},
    {UPGRADE, "a|1", "a|1", "h", "", ""},
    {UPGRADE, "a|2|gone", "a|1", "", "",
     "gone, needed by a(=2): no package of the repositories is called so\n"
     "a: is left out, since it can't have all that it needs"},
    {UPGRADE, "b|1", "a|1|b", "", "install b 1 (needed by a(=1))", ""},
    {UPGRADE, "a|2|b,gone;b|2", "a|1|b;b|1", "", "upgrade b 2 (newer than 1)",
     "gone, needed by a(=2): no package of the repositories is called so\n"
     "a: is left out, since it can't have all that it needs"},
    /* removals */
    {REMOVE, "", "a|1;b|1", "a", "remove a 1 (asked for)", ""},
    {REMOVE, "", "a|1|b;b|1|c;c|1", "c",
     "remove a 1 (depends on b, which goes); remove b 1 (depends on c, which goes); "
     "remove c 1 (asked for)",
     ""},
    {REMOVE, "", "a|1|b;b|1|a", "a",
     "remove b 1 (depends on a, which goes); remove a 1 (asked for)", ""},
    {REMOVE, "", "a|1", "b;a(>1);a", "remove a 1 (asked for)",
     "b: is not installed\na(>1): is not installed"},
};

static void tells_every_story(void **state)
{
    (void)state;
    for (size_t i = 0; i < WA_COUNT(stories); i++) {
        struct world w;
        struct names names;
        WA_AUTO_PLAN struct wa_plan p;
        WA_AUTO_BUF struct wa_buf told;
        wa_plan_init(&p);
        wa_buf_init(&told, 1u << 16);
        world_make(&w, stories[i].available, stories[i].installed);
        split_names(stories[i].asked, &names);
        make_plan(stories[i].kind, &w.in, &names, &p);
        tell(&p, &told);
        if (strcmp(wa_buf_str(&told), stories[i].plan) != 0)
            fail_msg("story %zu: got '%s', wanted '%s'", i, wa_buf_str(&told), stories[i].plan);
        if (strcmp(p.problems, stories[i].problems) != 0)
            fail_msg("story %zu: problems '%s', wanted '%s'", i, p.problems, stories[i].problems);
        wa_plan_fini(&p);
        world_drop(&w);
    }
}

/* A chain longer than any honest one is a problem of its own, not of the other requests. */
static void stops_at_absurd_depths(void **state)
{
    enum { COUNT = 200 };
    static struct wa_control available[COUNT + 1];
    struct wa_plan_input in = {available, COUNT + 1, NULL, 0, &any_host};
    const char *asked[] = {"p0", "fine"};
    WA_AUTO_PLAN struct wa_plan p;
    struct wa_err err = WA_ERR_INIT;
    char text[32];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        wa_control_init(&available[i]);
        (void)snprintf(text, sizeof text, "p%d", i);
        set(&available[i], WA_A_PACKAGE, wa_sv(text));
        (void)snprintf(text, sizeof text, "p%d", i + 1);
        set(&available[i], WA_A_DEPENDS, wa_sv(text));
    }
    wa_control_init(&available[COUNT]);
    set(&available[COUNT], WA_A_PACKAGE, WA_SV("fine"));
    check_ok(wa_plan_install(&in, asked, 2, false, &p, &err), &err, "plan");
    assert_int_equal(p.n, 1);
    assert_string_equal(wa_control_get(p.items[0].to, WA_A_PACKAGE), "fine");
    assert_non_null(strstr(p.problems, "is nested too deep"));
    for (int i = 0; i <= COUNT; i++)
        wa_control_fini(&available[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_every_story),
        cmocka_unit_test(stops_at_absurd_depths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
