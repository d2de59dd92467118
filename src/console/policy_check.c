/* policy_check.c - what keeps machines from installing what a package assigns, in plain words:
 * what is needed and excluded at once, what needs itself, what is not there. Pure.
 *
 * A machine's plan is the last word (pkg/plan.h): it knows what fits that machine. Here the newest
 * package that meets a requirement stands for what machines would take.
 */
#include <stdlib.h>

#include "base/text.h"
#include "codec/csv.h"
#include "console/policy.h"
#include "pkg/selfservice.h"

struct member { /* of what comes along */
    const struct wa_control *c;
    size_t by; /* who needs it first: its place; the subject's is 0 */
};
struct checking {
    const struct wa_control **all; /* by name, then the newest first; owned */
    size_t count;
    struct {
        WA_VEC(struct member);
    } members;
    struct wa_policy_problems *problems;
};

void wa_policy_problems_fini(struct wa_policy_problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        wa_free(p->items[i].text);
    WA_VEC_FREE(p);
}

static const char *name_of(const struct wa_control *c)
{
    return wa_control_get(c, WA_A_PACKAGE);
}

static enum wa_code tell(struct checking *k, bool is_error, struct wa_buf *text, struct wa_err *err)
{
    if (wa_buf_check(text, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->problems->n; i++)
        if (wa_sv_eqs(wa_buf_sv(text), k->problems->items[i].text))
            return WA_OK;
    struct wa_policy_problem *slot = WA_VEC_PUSH(k->problems);
    if (slot == NULL)
        return wa_nomem(err);
    slot->is_error = is_error;
    return wa_sv_dup(wa_buf_sv(text), &slot->text, err);
}

/* --- finding --- */

static int by_name_newest_first(const void *a, const void *b)
{
    const struct wa_control *x = *(const struct wa_control *const *)a,
                            *y = *(const struct wa_control *const *)b;
    int c = strcmp(name_of(x), name_of(y));
    return c != 0 ? c : wa_entry_cmp(y, x);
}

/* The first of that name, or where it would be. */
static size_t first_of(const struct checking *k, const char *name)
{
    size_t low = 0, high = k->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(name_of(k->all[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The newest that meets it. *ret_other: the newest of that name that does not. */
static const struct wa_control *find(const struct checking *k, const struct wa_request *r,
                                     const struct wa_control **ret_other)
{
    size_t i = first_of(k, r->package);
    *ret_other = i < k->count && strcmp(name_of(k->all[i]), r->package) == 0 ? k->all[i] : NULL;
    for (; i < k->count && strcmp(name_of(k->all[i]), r->package) == 0; i++)
        if (wa_request_matches(r, k->all[i]))
            return k->all[i];
    return NULL;
}

/* "grp > grp-x > tis-a" */
static void write_way(const struct checking *k, size_t at, struct wa_buf *out)
{
    size_t steps[WA_POLICY_WAY_MAX], n = 0;
    while (n < WA_POLICY_WAY_MAX) {
        steps[n++] = at;
        if (at == 0)
            break;
        at = k->members.items[at].by;
    }
    if (steps[n - 1] != 0)
        wa_buf_adds(out, "... > ");
    while (n-- > 0)
        wa_buf_addf(out, "%s%s", name_of(k->members.items[steps[n]].c), n > 0 ? " > " : "");
}

/* --- what comes along --- */

static enum wa_code miss(struct checking *k, size_t by, struct wa_sv wanted,
                         const struct wa_control *other, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    if (other == NULL)
        wa_buf_addf(&text, wa_text("'%.*s' is not in the repository; needed by: "),
                    WA_SV_ARG(wanted));
    else
        wa_buf_addf(&text,
                    wa_text("no version in the repository meets '%.*s', the newest is %s; "
                            "needed by: "),
                    WA_SV_ARG(wanted), wa_control_get(other, WA_A_VERSION));
    write_way(k, by, &text);
    return tell(k, false, &text, err);
}

static enum wa_code is_circle(struct checking *k, size_t by, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    wa_buf_adds(&text, wa_text("it needs itself: "));
    write_way(k, by, &text);
    wa_buf_addf(&text, " > %s", name_of(k->members.items[0].c));
    return tell(k, true, &text, err);
}

static enum wa_code join(struct checking *k, size_t by, const struct wa_control *c,
                         struct wa_err *err)
{
    for (size_t i = 0; i < k->members.n; i++)
        if (k->members.items[i].c == c)
            return WA_OK;
    struct member *slot = WA_VEC_PUSH(&k->members);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = (struct member){c, by};
    return WA_OK;
}

/* What the i-th needs. The list grows at its end meanwhile. */
static enum wa_code gather(struct checking *k, size_t i, struct wa_err *err)
{
    const struct wa_control *subject = k->members.items[0].c;
    struct wa_sv rest = wa_sv(wa_control_get(k->members.items[i].c, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT; /* what can't be read is met by nothing */
        const struct wa_control *other = NULL, *found = NULL;
        if (wa_request_parse(item, &r, &ignored) == WA_OK)
            found = find(k, &r, &other);
        enum wa_code code = WA_OK;
        if (found == NULL)
            code = miss(k, i, item, other, err);
        else if (strcmp(name_of(found), name_of(subject)) == 0)
            code = is_circle(k, i, err);
        else
            code = join(k, i, found, err);
        if (code != WA_OK)
            return code;
    }
    return WA_OK;
}

/* --- what excludes what --- */

static enum wa_code exclude(struct checking *k, size_t by, size_t what, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    wa_buf_addf(&text, wa_text("'%s' excludes '%s', which is needed too: "),
                name_of(k->members.items[by].c), name_of(k->members.items[what].c));
    write_way(k, what, &text);
    if (by != 0) {
        wa_buf_adds(&text, "; ");
        write_way(k, by, &text);
    }
    return tell(k, true, &text, err);
}

static enum wa_code judge_conflicts(struct checking *k, size_t by, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_control_get(k->members.items[by].c, WA_A_CONFLICTS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &ignored) != WA_OK)
            continue;
        for (size_t i = 1; i < k->members.n; i++)
            if (i != by && strcmp(r.package, name_of(k->members.items[i].c)) == 0 &&
                wa_request_matches(&r, k->members.items[i].c) && exclude(k, by, i, err) != WA_OK)
                return err->code;
    }
    return WA_OK;
}

/* --- rules --- */

static enum wa_code judge_rule(struct checking *k, struct wa_sv group, struct wa_sv package,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_request r = {.op = ""};
    const struct wa_control *found, *other;
    wa_buf_init(&text, 8192);
    (void)snprintf(r.package, sizeof r.package, "%.*s", WA_SV_ARG(package));
    found = find(k, &r, &other);
    if (found == NULL)
        wa_buf_addf(&text, wa_text("'%.*s' is not in the repository; offered to '%.*s'"),
                    WA_SV_ARG(package), WA_SV_ARG(group));
    else if (!wa_self_is_offered(wa_control_get(found, WA_A_SECTION)))
        wa_buf_addf(&text,
                    wa_text("'%.*s' is of section '%s', which is never offered to users; listed "
                            "for '%.*s'"),
                    WA_SV_ARG(package), wa_control_get(found, WA_A_SECTION), WA_SV_ARG(group));
    else
        return WA_OK;
    return tell(k, false, &text, err);
}

static enum wa_code judge_rules(struct checking *k, struct wa_sv rules, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_SELF_MEMORY_MAX);
    if (rules.n > 0 && wa_json_parse(rules, 0, &arena, &j, err) != WA_OK)
        return err->code;
    for (size_t g = 0; g < wa_json_count(j); g++) {
        const struct wa_json *list = wa_json_at(j, g);
        for (size_t i = 0; i < wa_json_count(list); i++)
            if (judge_rule(k, wa_json_key_at(j, g), wa_json_key_at(list, i), err) != WA_OK)
                return err->code;
    }
    return WA_OK;
}

static enum wa_code check(struct checking *k, const struct wa_control *subject, struct wa_sv rules,
                          struct wa_err *err)
{
    if (join(k, 0, subject, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->members.n; i++)
        if (gather(k, i, err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < k->members.n; i++)
        if (judge_conflicts(k, i, err) != WA_OK)
            return err->code;
    return judge_rules(k, rules, err);
}

enum wa_code wa_policy_check(const struct wa_control *const *all, size_t count,
                             const struct wa_control *subject, struct wa_sv rules,
                             struct wa_policy_problems *ret, struct wa_err *err)
{
    struct checking k = {.count = count, .problems = ret};
    k.all = wa_calloc(count + 1, sizeof *k.all);
    if (k.all == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < count; i++)
        k.all[i] = all[i];
    if (count > 0)
        qsort(k.all, count, sizeof *k.all, by_name_newest_first);
    enum wa_code code = check(&k, subject, rules, err);
    WA_VEC_FREE(&k.members);
    wa_free(k.all);
    return code;
}
