/* Plans as data: tests/solver/ *.txt say what is there, what is offered, what is asked, and what
 * comes of it and why (tests/solver/README.md). "test_pkg_plan print FILE" writes a file as it
 * would be right, for whoever adds a case and reads what comes. */
#include "support.h"

#include <dirent.h>

#include "base/arena.h"
#include "codec/csv.h"
#include "os/fs.h"
#include "pkg/plan.h"

#define MAX_ITEMS 64

struct world {
    struct wa_control available[MAX_ITEMS];
    const char *left_out[MAX_ITEMS];
    struct wa_installed installed[MAX_ITEMS];
    struct wa_plan_input in;
    struct wa_host_caps host;
    const char *request;
    struct wa_arena arena;
};

static const char *keep(struct world *w, struct wa_sv s)
{
    char *copy = wa_arena_strdup(&w->arena, s);
    assert_non_null(copy);
    return copy;
}

static void set(struct wa_control *c, enum wa_attr a, struct wa_sv value)
{
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_control_set(c, a, value, &err), &err, "set");
}

/* "word rest" */
static struct wa_sv first_word(struct wa_sv *rest)
{
    size_t at = rest->n;
    *rest = wa_sv_trim(*rest);
    (void)wa_sv_chr(*rest, ' ', &at);
    at = at < rest->n ? at : rest->n;
    struct wa_sv word = wa_sv_sub(*rest, 0, at);
    *rest = wa_sv_trim(wa_sv_sub(*rest, at, rest->n));
    return word;
}

/* "a 1; needs b, c(>=2); conflicts d; section host; explicit; status ERROR; untrusted" */
static void read_package(struct world *w, struct wa_sv line, struct wa_control *c,
                         struct wa_installed *i, const char **left_out)
{
    struct wa_sv part;
    wa_control_init(c);
    assert_true(wa_sv_split(&line, ';', &part));
    set(c, WA_A_PACKAGE, first_word(&part));
    set(c, WA_A_VERSION, first_word(&part));
    while (line.n > 0 && wa_sv_split(&line, ';', &part)) {
        enum wa_attr a;
        struct wa_sv key = first_word(&part);
        if (wa_sv_eqs(key, "needs"))
            set(c, WA_A_DEPENDS, part);
        else if (wa_sv_eqs(key, "untrusted") && left_out != NULL)
            *left_out = "its signer is not trusted";
        else if (wa_sv_eqs(key, "explicit") && i != NULL)
            i->is_explicit = true;
        else if (wa_sv_eqs(key, "status") && i != NULL)
            (void)snprintf(i->status, sizeof i->status, "%.*s", WA_SV_ARG(part));
        else if (wa_attr_find(key, &a))
            set(c, a, part);
        else
            fail_msg("'%.*s' is no word of a package", WA_SV_ARG(key));
    }
    (void)w;
}

static void read_host(struct world *w, struct wa_sv key, struct wa_sv value)
{
    struct {
        const char *name, **where;
    } all[] = {{"architecture", &w->host.architecture}, {"locales", &w->host.locales},
               {"maturities", &w->host.maturities},     {"os", &w->host.os},
               {"os_version", &w->host.os_version},     {"wapt_version", &w->host.wapt_version},
               {"blacklist", &w->host.blacklist}};
    if (wa_sv_eqs(key, "now")) {
        (void)snprintf(w->host.now, sizeof w->host.now, "%.*s", WA_SV_ARG(value));
        return;
    }
    for (size_t i = 0; i < WA_COUNT(all); i++)
        if (wa_sv_eqs(key, all[i].name)) {
            *all[i].where = keep(w, value);
            return;
        }
    fail_msg("'%.*s' is no word of a host", WA_SV_ARG(key));
}

static void read_line(struct world *w, struct wa_sv line)
{
    struct wa_sv rest = line, word = first_word(&rest);
    if (wa_sv_eqs(word, "available")) {
        size_t i = w->in.available_count++;
        assert_true(i < MAX_ITEMS);
        read_package(w, rest, &w->available[i], NULL, &w->left_out[i]);
    } else if (wa_sv_eqs(word, "installed")) {
        struct wa_installed *i = &w->installed[w->in.installed_count++];
        assert_true(w->in.installed_count <= MAX_ITEMS);
        (void)snprintf(i->status, sizeof i->status, "OK");
        read_package(w, rest, &i->control, i, NULL);
    } else if (wa_sv_eqs(word, "holds")) {
        w->in.holds = keep(w, rest);
    } else if (wa_sv_eqs(word, "host")) {
        word = first_word(&rest);
        read_host(w, word, rest);
    } else if (word.n > 0) {
        fail_msg("'%.*s' is no line of a case", WA_SV_ARG(line));
    }
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    wa_arena_init(&w->arena, 1u << 20);
    w->in = (struct wa_plan_input){.available = w->available,
                                   .installed = w->installed,
                                   .host = &w->host,
                                   .left_out = w->left_out};
}

static void world_fini(struct world *w)
{
    for (size_t i = 0; i < w->in.available_count; i++)
        wa_control_fini(&w->available[i]);
    for (size_t i = 0; i < w->in.installed_count; i++)
        wa_control_fini(&w->installed[i].control);
    wa_arena_fini(&w->arena);
}

/* --- what comes of it --- */

static void tell_reasons(const struct wa_plan *p, struct wa_buf *out)
{
    for (size_t i = 0; i < p->reason_n; i++)
        wa_buf_addf(out, "!%*s %s\n", (int)(2 * p->reasons[i].depth), "", p->reasons[i].text);
}

static void describe(const struct wa_plan *p, struct wa_buf *out)
{
    static const char *const kinds[] = {"install", "upgrade", "remove", "keep"};
    static const enum wa_attr variant[] = {WA_A_ARCHITECTURE, WA_A_LOCALE, WA_A_MATURITY};
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        const struct wa_control *c = s->to != NULL ? s->to : &s->from->control;
        wa_buf_addf(out, "= %s %s %s", kinds[s->kind], wa_control_get(c, WA_A_PACKAGE),
                    wa_control_get(c, WA_A_VERSION));
        for (size_t k = 0; k < WA_COUNT(variant); k++)
            if (c->v[variant[k]] != NULL)
                wa_buf_addf(out, " %s", c->v[variant[k]]);
        wa_buf_addf(out, ": %s\n", s->why);
    }
    if (p->n == 0)
        wa_buf_adds(out, "= nothing\n");
    tell_reasons(p, out);
}

/* "install a b(>=2)": makes the plan and tells it. */
static void answer(struct world *w, struct wa_sv request, struct wa_buf *out)
{
    const char *words[16];
    size_t n = 0;
    WA_AUTO_PLAN struct wa_plan p;
    WA_AUTO_PLAN struct wa_plan why;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv verb = first_word(&request);
    wa_plan_init(&p);
    wa_plan_init(&why);
    while (request.n > 0 && n < WA_COUNT(words))
        words[n++] = keep(w, first_word(&request));
    if (wa_sv_eqs(verb, "upgrade"))
        check_ok(wa_plan_upgrade(&w->in, words, n, &p, &err), &err, "upgrade");
    else if (wa_sv_eqs(verb, "remove"))
        check_ok(wa_plan_remove(&w->in, words, n, &p, &err), &err, "remove");
    else if (wa_sv_eqs(verb, "why-not"))
        check_ok(wa_plan_why_not(&w->in, words[0], 8, &p, &why, &err), &err, "why-not");
    else if (wa_sv_eqs(verb, "why")) {
        check_ok(wa_plan_upgrade(&w->in, words + 1, n - 1, &p, &err), &err, "upgrade");
        check_ok(wa_plan_why(&w->in, words[0], words + 1, n - 1, &p, &why, &err), &err, "why");
    } else
        check_ok(wa_plan_install(&w->in, words, n, wa_sv_eqs(verb, "force"), &p, &err), &err,
                 "install");
    if (!wa_sv_eqs(verb, "why"))
        describe(&p, out);
    tell_reasons(&why, out);
}

static bool is_request(struct wa_sv line)
{
    static const char *const verbs[] = {"install ", "force ",   "upgrade",
                                        "remove ",  "why-not ", "why "};
    for (size_t i = 0; i < WA_COUNT(verbs); i++)
        if (wa_sv_starts(line, verbs[i]))
            return true;
    return false;
}

/* A file as it would be right: its lines, but those of answers made anew. */
static void rewrite(const char *path, struct wa_buf *in, struct wa_buf *out)
{
    struct world w;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv rest, line;
    check_ok(wa_path_read(path, 1u << 20, in, &err), &err, path);
    rest = wa_buf_sv(in);
    world_init(&w);
    while (rest.n > 0 && wa_sv_split(&rest, '\n', &line)) {
        if (wa_sv_starts(line, "=") || wa_sv_starts(line, "!"))
            continue;
        if (wa_sv_starts(line, "# ")) { /* a case begins */
            world_fini(&w);
            world_init(&w);
        }
        wa_buf_addsv(out, line);
        wa_buf_addc(out, '\n');
        if (is_request(line))
            answer(&w, line, out);
        else if (!wa_sv_starts(line, "#"))
            read_line(&w, line);
    }
    world_fini(&w);
    check_ok(wa_buf_check(out, &err), &err, path);
}

static void same_lines(const char *path, struct wa_sv want, struct wa_sv got)
{
    struct wa_sv a, b, title = WA_SV("");
    for (size_t n = 1; want.n > 0 || got.n > 0; n++) {
        bool has_a = want.n > 0 && wa_sv_split(&want, '\n', &a),
             has_b = got.n > 0 && wa_sv_split(&got, '\n', &b);
        if (has_a && wa_sv_starts(a, "#"))
            title = a;
        if (!has_a || !has_b || wa_sv_cmp(a, b) != 0)
            fail_msg("%s, line %zu, '%.*s': got '%.*s', wanted '%.*s'", path, n, WA_SV_ARG(title),
                     (int)(has_b ? b.n : 0), b.p, (int)(has_a ? a.n : 0), a.p);
    }
}

static void answers_every_file(void **state)
{
    size_t files = 0;
    DIR *d = opendir(WA_SOLVER_CASES);
    (void)state;
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[WA_PATH_MAX];
        WA_AUTO_BUF struct wa_buf in;
        WA_AUTO_BUF struct wa_buf out;
        if (strstr(e->d_name, ".txt") == NULL)
            continue;
        wa_buf_init(&in, 1u << 20);
        wa_buf_init(&out, 1u << 20);
        (void)snprintf(path, sizeof path, "%s/%s", WA_SOLVER_CASES, e->d_name);
        rewrite(path, &in, &out);
        same_lines(path, wa_buf_sv(&in), wa_buf_sv(&out));
        files++;
    }
    (void)closedir(d);
    assert_true(files >= 5);
}

/* --- what a careless signer may publish --- */

struct many {
    struct wa_control *items;
    size_t n;
};

static void offer(struct many *m, const char *name, unsigned version, const char *needs)
{
    char text[32];
    struct wa_control *c = &m->items[m->n++];
    wa_control_init(c);
    (void)snprintf(text, sizeof text, "%u", version);
    set(c, WA_A_PACKAGE, wa_sv(name));
    set(c, WA_A_VERSION, wa_sv(text));
    set(c, WA_A_DEPENDS, wa_sv(needs));
}

static void plan_many(struct many *m, const char *const *asked, size_t count, struct wa_plan *ret)
{
    static const struct wa_host_caps host = {.now = ""};
    struct wa_plan_input in = {.available = m->items, .available_count = m->n, .host = &host};
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_plan_install(&in, asked, count, false, ret, &err), &err, "plan");
}

static void drop_many(struct many *m)
{
    for (size_t i = 0; i < m->n; i++)
        wa_control_fini(&m->items[i]);
    free(m->items);
}

/* A chain as long as one likes: neither the stack nor the explanation grows with it. */
static void plans_along_endless_chains(void **state)
{
    enum { COUNT = 20000 };
    static const char *const asked[] = {"p0", "q0"};
    struct many m = {calloc(2 * COUNT, sizeof *m.items), 0};
    WA_AUTO_PLAN struct wa_plan p;
    char name[32], next[32];
    (void)state;
    wa_plan_init(&p);
    for (unsigned i = 0; i < COUNT; i++)
        for (char c = 'p'; c <= 'q'; c++) {
            (void)snprintf(name, sizeof name, "%c%u", c, i);
            if (i + 1 < COUNT)
                (void)snprintf(next, sizeof next, "%c%u", c, i + 1);
            else
                (void)snprintf(next, sizeof next, "%s", c == 'p' ? "" : "gone");
            offer(&m, name, 1, next);
        }
    plan_many(&m, asked, 2, &p);
    assert_int_equal(p.n, COUNT);
    assert_string_equal(wa_control_get(p.items[COUNT - 1].to, WA_A_PACKAGE), "p0");
    assert_int_equal(p.problem_n, 1);
    assert_true(p.problem_items[0].count > 1 && p.problem_items[0].count < 300);
    drop_many(&m);
}

/* More pigeons than holes: nobody finds out quickly that they don't fit. What else was asked for
 * comes all the same. */
static void gives_up_on_what_is_entangled(void **state)
{
    enum { PIGEONS = 14 };
    static const char *const asked[] = {"all", "fine"};
    struct many m = {calloc(2 * PIGEONS * PIGEONS + 2, sizeof *m.items), 0};
    WA_AUTO_PLAN struct wa_plan p;
    char name[32], needs[32], all[512] = "";
    (void)state;
    wa_plan_init(&p);
    for (unsigned i = 0; i < PIGEONS; i++) {
        (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%spigeon%u", i > 0 ? "," : "",
                       i);
        for (unsigned k = 1; k < PIGEONS; k++) {
            (void)snprintf(name, sizeof name, "pigeon%u", i);
            (void)snprintf(needs, sizeof needs, "hole%u(=%u)", k, i + 1);
            offer(&m, name, k, needs);
            (void)snprintf(name, sizeof name, "hole%u", k);
            offer(&m, name, i + 1, "");
        }
    }
    offer(&m, "all", 1, all);
    offer(&m, "fine", 1, "");
    plan_many(&m, asked, 2, &p);
    assert_int_equal(p.n, 1);
    assert_string_equal(wa_control_get(p.items[0].to, WA_A_PACKAGE), "fine");
    assert_non_null(strstr(p.problems, "all: cannot be planned"));
    drop_many(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_every_file),
        cmocka_unit_test(plans_along_endless_chains),
        cmocka_unit_test(gives_up_on_what_is_entangled),
    };
    if (argc == 3 && strcmp(argv[1], "print") == 0) {
        WA_AUTO_BUF struct wa_buf in;
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&in, 1u << 20);
        wa_buf_init(&out, 1u << 20);
        rewrite(argv[2], &in, &out);
        (void)fputs(wa_buf_str(&out), stdout);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
