/* Small random worlds, planned and compared with every outcome there is: that what can be had is
 * had, and that the plan is the preferred one. The rule is written down a second time here, as
 * docs/formats/planning.md tells it, without the solver. */
#include "support.h"

#include "codec/csv.h"
#include "pkg/plan.h"

#define NAMES 4
#define VERSIONS 3
#define ROUNDS 6000
#define KEY_MAX 128

struct world {
    struct wa_control available[NAMES * VERSIONS];
    struct wa_installed installed[NAMES];
    struct wa_plan_input in;
    struct wa_host_caps host;
    const struct wa_control
        *options[NAMES][VERSIONS + 2]; /* NULL, what is there, candidates best first */
    size_t option_count[NAMES];
    const struct wa_installed *there[NAMES];
    char requests[2][32];
    size_t request_count;
    bool is_upgrade;
};
typedef const struct wa_control *outcome[NAMES];

static uint64_t seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % sides);
}

static void requirement(char *out, size_t size)
{
    static const char *const ops[] = {"", "", "(=%u)", "(>=%u)", "(<%u)", "(>%u)"};
    char op[16];
    unsigned name = dice(NAMES);
    const char *form = ops[dice(6)];
    if (form[0] == '\0')
        op[0] = '\0';
    else {
        (void)snprintf(op, sizeof op, "(%.*s%u)", (int)strcspn(form + 1, "%"), form + 1,
                       1 + dice(VERSIONS));
    }
    (void)snprintf(out, size, "p%u%s", name, op);
}

static void fill(struct wa_control *c, unsigned name, unsigned version)
{
    char text[128] = "", one[32];
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(c);
    (void)snprintf(one, sizeof one, "p%u", name);
    check_ok(wa_control_set(c, WA_A_PACKAGE, wa_sv(one), &err), &err, "set");
    (void)snprintf(one, sizeof one, "%u", version);
    check_ok(wa_control_set(c, WA_A_VERSION, wa_sv(one), &err), &err, "set");
    for (unsigned n = dice(3); n > 0; n--) {
        requirement(one, sizeof one);
        size_t at = strlen(text);
        (void)snprintf(text + at, sizeof text - at, "%s%s", at > 0 ? "," : "", one);
    }
    check_ok(wa_control_set(c, WA_A_DEPENDS, wa_sv(text), &err), &err, "set");
    if (dice(4) == 0) {
        requirement(one, sizeof one);
        check_ok(wa_control_set(c, WA_A_CONFLICTS, wa_sv(one), &err), &err, "set");
    }
}

static unsigned index_of(const char *name)
{
    return (unsigned)(name[1] - '0');
}

static unsigned version_of(const struct wa_control *c)
{
    return (unsigned)(wa_control_get(c, WA_A_VERSION)[0] - '0');
}

static void world_make(struct world *w)
{
    memset(w, 0, sizeof *w);
    for (unsigned n = 0; n < NAMES; n++) {
        w->option_count[n] = 1; /* NULL: absent */
        if (dice(2) == 0) {
            struct wa_installed *i = &w->installed[w->in.installed_count++];
            fill(&i->control, n, 1 + dice(VERSIONS));
            (void)snprintf(i->status, sizeof i->status, "OK");
            i->is_explicit = dice(2) == 0;
            w->there[n] = i;
            w->options[n][w->option_count[n]++] = &i->control;
        }
        for (unsigned v = VERSIONS; v > 0; v--) {
            if (dice(5) < 2)
                continue;
            struct wa_control *c = &w->available[w->in.available_count++];
            fill(c, n, v);
            if (w->there[n] == NULL || version_of(&w->there[n]->control) != v)
                w->options[n][w->option_count[n]++] = c; /* else it is what is there */
        }
    }
    w->is_upgrade = dice(3) == 0;
    w->request_count = w->is_upgrade ? 0 : 1 + dice(2);
    for (size_t i = 0; i < w->request_count; i++)
        requirement(w->requests[i], sizeof w->requests[i]);
    w->in.available = w->available;
    w->in.installed = w->installed;
    w->in.host = &w->host;
}

static void world_drop(struct world *w)
{
    for (size_t i = 0; i < w->in.available_count; i++)
        wa_control_fini(&w->available[i]);
    for (size_t i = 0; i < w->in.installed_count; i++)
        wa_control_fini(&w->installed[i].control);
}

/* --- what can be --- */

static struct wa_request parse(struct wa_sv item)
{
    struct wa_request r;
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_request_parse(item, &r, &err), &err, "requirement");
    return r;
}

static bool meets(const struct wa_request *r, const struct wa_control *const *o)
{
    const struct wa_control *c = o[index_of(r->package)];
    return c != NULL && wa_request_matches(r, c);
}

static void now(const struct world *w, const struct wa_control **o)
{
    for (unsigned n = 0; n < NAMES; n++)
        o[n] = w->there[n] != NULL ? &w->there[n]->control : NULL;
}

static bool is_there(const struct world *w, const struct wa_control *c)
{
    unsigned n = index_of(wa_control_get(c, WA_A_PACKAGE));
    return w->there[n] != NULL && c == &w->there[n]->control;
}

/* all: also needs that are broken now. */
static bool has_needs(const struct world *w, const struct wa_control *c,
                      const struct wa_control *const *o, bool all)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    outcome before;
    now(w, before);
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r = parse(item);
        if (!meets(&r, o) && (all || meets(&r, before)))
            return false;
    }
    return true;
}

static bool is_possible(const struct world *w, const struct wa_control *const *o)
{
    for (unsigned n = 0; n < NAMES; n++) {
        if (o[n] == NULL)
            continue;
        bool old = is_there(w, o[n]);
        struct wa_sv rest = wa_sv(wa_control_get(o[n], WA_A_CONFLICTS)), item;
        if (!has_needs(w, o[n], o, !old))
            return false;
        while (wa_csv_next(&rest, &item)) {
            struct wa_request r = parse(item);
            unsigned m = index_of(r.package);
            if (m != n && meets(&r, o) && !(old && is_there(w, o[m])))
                return false;
        }
    }
    return true;
}

/* --- what is preferred --- */

struct key {
    int items[KEY_MAX];
    size_t n;
};

static void push(struct key *k, int x)
{
    assert_true(k->n < KEY_MAX);
    k->items[k->n++] = x;
}

static bool is_met(const struct world *w, const char *request, const struct wa_control *const *o)
{
    struct wa_request r = parse(wa_sv(request));
    const struct wa_control *c = o[index_of(r.package)];
    return meets(&r, o) && has_needs(w, c, o, true);
}

/* Newer ones, newest first; what is there; older ones. */
static int goal_rank(const struct world *w, unsigned n, const struct wa_control *c)
{
    unsigned base = w->there[n] != NULL ? version_of(&w->there[n]->control) : 0;
    if (c == NULL)
        return 100;
    if (is_there(w, c))
        return 10;
    return version_of(c) > base ? VERSIONS - (int)version_of(c)
                                : 10 + VERSIONS - (int)version_of(c) + 1;
}

/* What is there, then the newest first. */
static int rank(const struct world *w, unsigned n, const struct wa_control *c)
{
    for (size_t i = 1; i < w->option_count[n]; i++)
        if (w->options[n][i] == c)
            return (int)i;
    return 100;
}

static bool is_outdated(const struct world *w, unsigned n)
{
    for (size_t i = 1; i < w->option_count[n]; i++)
        if (w->there[n] != NULL && goal_rank(w, n, w->options[n][i]) < 10)
            return true;
    return false;
}

/* Wanted for itself. */
static bool is_wanted(const struct world *w, const struct wa_control *c)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct wa_request r = parse(wa_sv(w->requests[i]));
        if (wa_request_matches(&r, c))
            return true;
    }
    return w->is_upgrade && is_outdated(w, index_of(wa_control_get(c, WA_A_PACKAGE)));
}

static bool is_replaced(const struct world *w, unsigned n, const struct wa_control *const *o)
{
    for (unsigned m = 0; m < NAMES; m++) {
        if (o[m] == NULL || m == n || is_there(w, o[m]) || !is_wanted(w, o[m]))
            continue;
        struct wa_sv rest = wa_sv(wa_control_get(o[m], WA_A_CONFLICTS)), item;
        while (wa_csv_next(&rest, &item)) {
            struct wa_request r = parse(item);
            if (wa_request_matches(&r, &w->there[n]->control))
                return true;
        }
    }
    return false;
}

static void push_removals(const struct world *w, const struct wa_control *const *o, struct key *k)
{
    int count = 0;
    size_t at = k->n;
    push(k, 0);
    for (int pass = 0; pass < 2; pass++) /* what was asked for first, each in order of name */
        for (unsigned n = 0; n < NAMES; n++) {
            if (w->there[n] == NULL || w->there[n]->is_explicit != (pass == 0))
                continue;
            int gone = o[n] == NULL && !is_replaced(w, n, o);
            count += gone;
            push(k, gone);
        }
    k->items[at] = count;
}

struct queue {
    unsigned names[NAMES];
    size_t n, head;
    bool has[NAMES];
};

static void enqueue(struct queue *q, unsigned n)
{
    if (!q->has[n])
        q->names[q->n++] = n;
    q->has[n] = true;
}

/* What is there is kept for a request, and then has all that it needs. */
static bool is_asked(const struct world *w, const struct wa_control *c,
                     const struct wa_control *const *o)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct wa_request r = parse(wa_sv(w->requests[i]));
        if (wa_request_matches(&r, c) && is_met(w, w->requests[i], o))
            return true;
    }
    return false;
}

/* Needs of what was chosen, breadth first. */
static void push_needs(const struct world *w, const struct wa_control *const *o, struct queue *q,
                       struct key *k)
{
    for (; q->head < q->n; q->head++) {
        const struct wa_control *c = o[q->names[q->head]];
        struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
        outcome before;
        now(w, before);
        while (wa_csv_next(&rest, &item)) {
            struct wa_request r = parse(item);
            unsigned n = index_of(r.package);
            if (is_there(w, c) && !is_asked(w, c, o) && !meets(&r, before))
                continue; /* broken before, and borne */
            if (!q->has[n])
                push(k, rank(w, n, o[n]));
            enqueue(q, n);
        }
    }
}

static void make_key(const struct world *w, const struct wa_control *const *o, struct key *k,
                     struct queue *q)
{
    k->n = 0;
    memset(q, 0, sizeof *q);
    for (size_t i = 0; i < w->request_count; i++)
        push(k, is_met(w, w->requests[i], o) ? 0 : 1);
    for (size_t i = 0; i < w->request_count; i++) {
        unsigned n = index_of(w->requests[i]);
        if (!is_met(w, w->requests[i], o))
            continue;
        push(k, goal_rank(w, n, o[n]));
        enqueue(q, n);
    }
    push_removals(w, o, k);
    for (unsigned n = 0; w->is_upgrade && n < NAMES; n++)
        if (is_outdated(w, n)) {
            push(k, goal_rank(w, n, o[n]));
            if (o[n] != NULL)
                enqueue(q, n);
        }
    push_needs(w, o, q, k);
    for (int pass = 0; pass < 2; pass++) /* what is left of what is installed */
        for (unsigned n = 0; n < NAMES; n++) {
            if (w->there[n] == NULL || w->there[n]->is_explicit != (pass == 0))
                continue;
            if (!q->has[n])
                push(k, rank(w, n, o[n]));
            if (o[n] != NULL)
                enqueue(q, n);
            push_needs(w, o, q, k);
        }
}

static int compare(const struct key *a, const struct key *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (a->items[i] != b->items[i])
            return a->items[i] - b->items[i];
    return 0;
}

/* Of two with the same key what is left over decides: nothing comes or changes without need. */
static int idle_changes(const struct world *w, const struct wa_control *const *o,
                        const struct queue *q)
{
    int n = 0;
    for (unsigned i = 0; i < NAMES; i++)
        n += !q->has[i] && o[i] != NULL && !is_there(w, o[i]) && w->there[i] == NULL;
    return n;
}

static bool next_outcome(const struct world *w, size_t *at, const struct wa_control **o)
{
    for (unsigned n = 0; n < NAMES; n++) {
        at[n] = at[n] + 1 < w->option_count[n] ? at[n] + 1 : 0;
        o[n] = w->options[n][at[n]];
        if (at[n] > 0)
            return true;
    }
    return false;
}

static void best_key(const struct world *w, struct key *best)
{
    size_t at[NAMES] = {0};
    outcome o = {NULL};
    bool any = false;
    do {
        struct key k;
        struct queue q;
        if (!is_possible(w, o))
            continue;
        make_key(w, o, &k, &q);
        if (!any || compare(&k, best) < 0)
            *best = k;
        any = true;
    } while (next_outcome(w, at, o));
    assert_true(any);
}

/* --- comparing --- */

static void describe(const struct world *w, struct wa_buf *out)
{
    for (size_t i = 0; i < w->in.available_count + w->in.installed_count; i++) {
        bool old = i >= w->in.available_count;
        const struct wa_control *c =
            old ? &w->installed[i - w->in.available_count].control : &w->available[i];
        wa_buf_addf(out, "%s %s %s; needs %s; conflicts %s%s\n", old ? "installed" : "available",
                    wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION),
                    wa_control_get(c, WA_A_DEPENDS), wa_control_get(c, WA_A_CONFLICTS),
                    old && w->installed[i - w->in.available_count].is_explicit ? "; explicit" : "");
    }
    wa_buf_adds(out, w->is_upgrade ? "upgrade" : "install");
    for (size_t i = 0; i < w->request_count; i++)
        wa_buf_addf(out, " %s", w->requests[i]);
}

static void apply(const struct world *w, const struct wa_plan *p, const struct wa_control **o)
{
    now(w, o);
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_step *s = &p->items[i];
        unsigned n =
            index_of(wa_control_get(s->to != NULL ? s->to : &s->from->control, WA_A_PACKAGE));
        if (s->kind != WA_STEP_KEEP)
            o[n] = s->to;
    }
}

static bool is_sound(const struct world *w)
{
    outcome before;
    now(w, before);
    for (unsigned n = 0; n < NAMES; n++)
        if (before[n] != NULL && !has_needs(w, before[n], before, true))
            return false;
    return true;
}

static void check_world(const struct world *w, unsigned round)
{
    const char *requests[] = {w->requests[0], w->requests[1]};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_PLAN struct wa_plan p;
    WA_AUTO_BUF struct wa_buf text;
    struct key want = {.n = 0}, got = {.n = 0};
    struct queue q;
    outcome o;
    wa_plan_init(&p);
    wa_buf_init(&text, 65536);
    check_ok(w->is_upgrade ? wa_plan_upgrade(&w->in, NULL, 0, &p, &err)
                           : wa_plan_install(&w->in, requests, w->request_count, false, &p, &err),
             &err, "plan");
    apply(w, &p, o);
    describe(w, &text);
    if (!is_possible(w, o))
        fail_msg("round %u: impossible plan\n%s", round, wa_buf_str(&text));
    best_key(w, &want);
    make_key(w, o, &got, &q);
    for (size_t i = 0; i < want.n || i < got.n; i++)
        wa_buf_addf(&text, "%s%d/%d", i == 0 ? "\nwanted/got: " : " ",
                    i < want.n ? want.items[i] : -1, i < got.n ? got.items[i] : -1);
    if (compare(&want, &got) != 0 || want.n != got.n)
        fail_msg("round %u: there is a better plan\n%s", round, wa_buf_str(&text));
    if (idle_changes(w, o, &q) > 0)
        fail_msg("round %u: something comes that nothing needs\n%s", round, wa_buf_str(&text));
    for (size_t i = 0; i < p.problem_n; i++) /* an explanation is never empty */
        if (p.problem_items[i].count < 2 && strstr(p.reasons[p.problem_items[i].first].text,
                                                   "no package of the repositories") == NULL)
            fail_msg("round %u: '%s' without reason\n%s", round,
                     p.reasons[p.problem_items[i].first].text, wa_buf_str(&text));
}

static void plans_as_preferred(void **state)
{
    (void)state;
    unsigned done = 0;
    for (unsigned round = 0; done < ROUNDS; round++) {
        struct world w;
        seed = round;
        (void)dice(2);
        world_make(&w);
        if (!w.is_upgrade || is_sound(&w)) {
            check_world(&w, round);
            done++;
        }
        world_drop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_as_preferred)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
