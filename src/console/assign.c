/* assign.c - comma lists of what a package needs and excludes, with some added and some taken away,
 * and what changed by that. Pure; what somebody else wrote into a list and nobody asks for stays as
 * it is, byte by byte.
 */
#include "console/assign.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "pkg/request.h"

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
    wa_free(d->depends);
    wa_free(d->conflicts);
    wa_assign_diff_init(d);
}

static struct wa_sv list_of(const char *text)
{
    return wa_sv(text != NULL ? text : "");
}

/* --- names --- */

/* "" for what is no requirement: it has the name of nothing. */
static void name_of(struct wa_sv item, struct wa_request *ret)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_request_parse(item, ret, &ignored) != WA_OK)
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

static enum wa_code check_list(const char *add, const char *remove, struct wa_err *err)
{
    struct wa_sv rest = list_of(add), item, other;
    struct wa_request r;
    while (wa_csv_next(&rest, &item)) {
        if (wa_request_parse(item, &r, err) != WA_OK)
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no package, as NAME or NAME(>=VERSION)",
                           WA_SV_ARG(item));
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

enum wa_code wa_assign_check(const struct wa_assign_wish *w, struct wa_err *err)
{
    return check_list(w->add, w->remove, err) == WA_OK
               ? check_list(w->add_conflicts, w->remove_conflicts, err)
               : err->code;
}

/* --- a list --- */

struct change {
    struct wa_assign_diff *diff;
    bool is_conflict;
    struct wa_sv add, remove;
    struct wa_buf out;
};

static enum wa_code note(struct change *c, const struct wa_sv *before, const struct wa_sv *after,
                         struct wa_err *err)
{
    struct wa_assign_row *row = WA_VEC_PUSH(c->diff);
    if (row == NULL)
        return wa_nomem(err);
    row->is_conflict = c->is_conflict;
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

static enum wa_code change_list(struct change *c, struct wa_sv current, char **ret,
                                struct wa_err *err)
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
    return wa_buf_check(&c->out, err) == WA_OK ? wa_sv_dup(wa_buf_sv(&c->out), ret, err)
                                               : err->code;
}

/* Nothing that comes may be assigned and excluded, unless by versions. */
static enum wa_code check_both(const struct wa_assign_diff *d, struct wa_err *err)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct wa_assign_row *row = &d->items[i];
        struct wa_request r, other;
        struct wa_sv item;
        if (row->after == NULL)
            continue;
        name_of(wa_sv(row->after), &r);
        if (!find(wa_sv(row->is_conflict ? d->depends : d->conflicts), r.package, &item))
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
    struct change needs = {&d, false, list_of(w->add), list_of(w->remove), {0}};
    struct change excludes = {
        &d, true, list_of(w->add_conflicts), list_of(w->remove_conflicts), {0}};
    wa_assign_diff_init(&d);
    wa_buf_init(&needs.out, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&excludes.out, WA_CONTROL_BYTES_MAX);
    enum wa_code code =
        change_list(&needs, wa_sv(wa_control_get(current, WA_A_DEPENDS)), &d.depends, err);
    if (code == WA_OK)
        code = change_list(&excludes, wa_sv(wa_control_get(current, WA_A_CONFLICTS)), &d.conflicts,
                           err);
    wa_buf_fini(&needs.out);
    wa_buf_fini(&excludes.out);
    if (code != WA_OK || check_both(&d, err) != WA_OK)
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
