/* assign.c - comma lists of what a package needs, excludes and holds, with some added and some
 * taken away, its windows and freezes, and what changed by that. Pure; what somebody else wrote
 * into a list and nobody asks for stays as it is, byte by byte.
 */
#include "console/assign.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/csv.h"
#include "pkg/plan.h"
#include "pkg/request.h"
#include "pkg/windows.h"

static const struct {
    enum wa_attr attr;
    const char *word;
} lists[WA_ASSIGN_LISTS] = {
    [WA_ASSIGN_DEPENDS] = {WA_A_DEPENDS, WA_TEXT("assigned")},
    [WA_ASSIGN_CONFLICTS] = {WA_A_CONFLICTS, WA_TEXT("excluded")},
    [WA_ASSIGN_HELD] = {WA_A_PACKAGES_HELD, WA_TEXT("held")},
    [WA_ASSIGN_WINDOWS] = {WA_A_MAINTENANCE_WINDOWS, WA_TEXT("maintenance windows")},
    [WA_ASSIGN_FREEZES] = {WA_A_FREEZE_PERIODS, WA_TEXT("freezes")},
};

enum wa_attr wa_assign_attr(enum wa_assign_list l)
{
    return lists[l].attr;
}

const char *wa_assign_word(enum wa_assign_list l)
{
    return wa_text(lists[l].word);
}

void wa_assign_diff_init(struct wa_assign_diff *d)
{
    *d = (struct wa_assign_diff){.items = NULL};
}

void wa_assign_diff_fini(struct wa_assign_diff *d)
{
    for (size_t i = 0; i < d->n; i++) {
        wa_free(d->items[i].before);
        wa_free(d->items[i].after);
    }
    WA_VEC_FREE(d);
    for (size_t i = 0; i < WA_ASSIGN_LISTS; i++)
        wa_free(d->lists[i]);
    wa_assign_diff_init(d);
}

static struct wa_sv list_of(const char *text)
{
    return wa_sv(text != NULL ? text : "");
}

/* --- names --- */

/* Of a requirement, or of a hold with its day. "" for what is neither: it has the name of nothing.
 */
static void name_of(struct wa_sv item, struct wa_request *ret)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_sv what, until;
    if (!wa_plan_hold_split(item, &what, &until) || wa_request_parse(what, ret, &ignored) != WA_OK)
        ret->package[0] = '\0';
}

/* The item of that name. */
static bool find(struct wa_sv list, const char *name, struct wa_sv *ret)
{
    struct wa_sv item;
    struct wa_request r;
    while (name[0] != '\0' && wa_csv_next(&list, &item)) {
        name_of(item, &r);
        if (strcmp(r.package, name) == 0) {
            *ret = item;
            return true;
        }
    }
    return false;
}

static enum wa_code check_list(const char *add, const char *remove, bool is_held,
                               struct wa_err *err)
{
    struct wa_sv rest = list_of(add), item, other, until;
    struct wa_request r;
    while (wa_csv_next(&rest, &item)) {
        bool has_day = !wa_plan_hold_split(item, &other, &until) || until.n > 0;
        if (!is_held && (has_day || wa_request_parse(item, &r, err) != WA_OK))
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no package, as NAME or NAME(>=VERSION)",
                           WA_SV_ARG(item));
        name_of(item, &r); /* holds were read before */
        if (find(list_of(remove), r.package, &other))
            return wa_fail(err, WA_E_USAGE, "'%s' can't come and go at once", r.package);
    }
    rest = list_of(remove);
    while (wa_csv_next(&rest, &item))
        if (wa_request_parse(item, &r, err) != WA_OK || r.op[0] != '\0')
            return wa_fail(err, WA_E_USAGE, "'%.*s': what goes is named without a version",
                           WA_SV_ARG(item));
    return WA_OK;
}

static enum wa_code check_times(const struct wa_assign_wish *w, struct wa_err *err)
{
    struct wa_windows windows;
    struct wa_freezes freezes;
    size_t longest = strlen(w->windows != NULL ? w->windows : "");
    if (w->freezes != NULL && strlen(w->freezes) > longest)
        longest = strlen(w->freezes);
    if (longest >= WA_WINDOWS_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "windows and freezes have at most %u bytes",
                       WA_WINDOWS_BYTES_MAX - 1);
    return wa_windows_parse(list_of(w->windows), &windows, err) == WA_OK
               ? wa_freezes_parse(list_of(w->freezes), &freezes, err)
               : err->code;
}

enum wa_code wa_assign_check(const struct wa_assign_wish *w, struct wa_err *err)
{
    if (wa_plan_hold_check(w->hold, err) != WA_OK ||
        check_list(w->hold, w->unhold, true, err) != WA_OK ||
        check_list(w->add, w->remove, false, err) != WA_OK ||
        check_list(w->add_conflicts, w->remove_conflicts, false, err) != WA_OK)
        return err->code;
    return check_times(w, err);
}

bool wa_assign_is_empty(const struct wa_assign_wish *w)
{
    return w->add == NULL && w->remove == NULL && w->add_conflicts == NULL &&
           w->remove_conflicts == NULL && w->hold == NULL && w->unhold == NULL &&
           w->windows == NULL && w->freezes == NULL;
}

/* --- a list --- */

struct change {
    struct wa_assign_diff *diff;
    enum wa_assign_list list;
    struct wa_sv add, remove;
    struct wa_buf out;
};

static enum wa_code note(struct change *c, const struct wa_sv *before, const struct wa_sv *after,
                         struct wa_err *err)
{
    struct wa_assign_row *row = WA_VEC_PUSH(c->diff);
    if (row == NULL)
        return wa_nomem(err);
    row->list = c->list;
    if (before != NULL && wa_sv_dup(*before, &row->before, err) != WA_OK)
        return err->code;
    return after != NULL ? wa_sv_dup(*after, &row->after, err) : WA_OK;
}

static void append(struct change *c, struct wa_sv item)
{
    wa_buf_addf(&c->out, "%s%.*s", c->out.n > 0 ? "," : "", WA_SV_ARG(item));
}

static enum wa_code change_item(struct change *c, struct wa_sv item, struct wa_err *err)
{
    struct wa_request r;
    struct wa_sv other;
    name_of(item, &r);
    if (find(c->remove, r.package, &other))
        return note(c, &item, NULL, err);
    if (!find(c->add, r.package, &other) || wa_sv_eq(other, item)) {
        append(c, item);
        return WA_OK;
    }
    append(c, other);
    return note(c, &item, &other, err);
}

static enum wa_code change_items(struct change *c, struct wa_sv current, struct wa_err *err)
{
    struct wa_sv rest = current, item, other;
    while (wa_csv_next(&rest, &item))
        if (change_item(c, item, err) != WA_OK)
            return err->code;
    rest = c->add;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        name_of(item, &r);
        if (r.package[0] == '\0' || find(current, r.package, &other) ||
            (c->out.n > 0 && find(wa_buf_sv(&c->out), r.package, &other)))
            continue;
        append(c, item);
        if (note(c, NULL, &item, err) != WA_OK)
            return err->code;
    }
    return wa_buf_check(&c->out, err);
}

static enum wa_code change_list(struct wa_assign_diff *d, enum wa_assign_list list,
                                const struct wa_control *current, const char *add,
                                const char *remove, struct wa_err *err)
{
    struct change c = {d, list, list_of(add), list_of(remove), {0}};
    wa_buf_init(&c.out, WA_CONTROL_BYTES_MAX);
    if (change_items(&c, wa_sv(wa_control_get(current, lists[list].attr)), err) == WA_OK)
        (void)!wa_sv_dup(wa_buf_sv(&c.out), &d->lists[list], err);
    wa_buf_fini(&c.out);
    return err->code;
}

/* Times are changed as a whole. */
static enum wa_code change_text(struct wa_assign_diff *d, enum wa_assign_list list,
                                const struct wa_control *current, const char *text,
                                struct wa_err *err)
{
    struct change c = {.diff = d, .list = list};
    struct wa_sv is = wa_sv(wa_control_get(current, lists[list].attr));
    struct wa_sv then = text != NULL ? wa_sv(text) : is;
    if (wa_sv_dup(then, &d->lists[list], err) != WA_OK || wa_sv_eq(is, then))
        return err->code;
    return note(&c, is.n > 0 ? &is : NULL, then.n > 0 ? &then : NULL, err);
}

/* Nothing that comes may be assigned and excluded, unless by versions. */
static enum wa_code check_both(const struct wa_assign_diff *d, struct wa_err *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct wa_assign_row *row = &d->items[i];
        struct wa_request r, other;
        struct wa_sv item;
        if (row->after == NULL || row->list > WA_ASSIGN_CONFLICTS)
            continue;
        name_of(wa_sv(row->after), &r);
        if (!find(wa_sv(d->lists[row->list == WA_ASSIGN_CONFLICTS ? WA_ASSIGN_DEPENDS
                                                                  : WA_ASSIGN_CONFLICTS]),
                  r.package, &item))
            continue;
        name_of(item, &other);
        if (r.op[0] == '\0' || other.op[0] == '\0')
            return wa_fail(err, WA_E_CONFLICT, "'%s' would be assigned and excluded", r.package);
    }
    return WA_OK;
}

enum wa_code wa_assign_apply(const struct wa_control *current, const struct wa_assign_wish *w,
                             struct wa_assign_diff *ret, struct wa_err *err)
{
    WA_AUTO_ASSIGN_DIFF struct wa_assign_diff d;
    wa_assign_diff_init(&d);
    if (change_list(&d, WA_ASSIGN_DEPENDS, current, w->add, w->remove, err) != WA_OK ||
        change_list(&d, WA_ASSIGN_CONFLICTS, current, w->add_conflicts, w->remove_conflicts, err) !=
            WA_OK ||
        change_list(&d, WA_ASSIGN_HELD, current, w->hold, w->unhold, err) != WA_OK ||
        change_text(&d, WA_ASSIGN_WINDOWS, current, w->windows, err) != WA_OK ||
        change_text(&d, WA_ASSIGN_FREEZES, current, w->freezes, err) != WA_OK ||
        check_both(&d, err) != WA_OK)
        return err->code;
    *ret = d;
    wa_assign_diff_init(&d);
    return WA_OK;
}

enum wa_code wa_assign_new_host(const char *uuid, struct wa_control *ret, struct wa_err *err)
{
    const struct {
        enum wa_attr attr;
        const char *value;
    } values[] = {{WA_A_PACKAGE, uuid},
                  {WA_A_SECTION, "host"},
                  {WA_A_PRIORITY, "standard"},
                  {WA_A_ARCHITECTURE, "all"}};
    for (size_t i = 0; i < WA_COUNT(values); i++)
        if (wa_control_set(ret, values[i].attr, wa_sv(values[i].value), err) != WA_OK)
            return err->code;
    return WA_OK;
}
