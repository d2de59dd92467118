/* import.c - chooses packages of an index: what was asked for, the newest of each kind, and what
 * they need.
 *
 * A kind is a name for an architecture, languages, a maturity and systems. The entries were judged
 * before; what the own repository has only decides what need not come again.
 */
#include "console/import.h"

#include <stdlib.h>

#include "base/text.h"
#include "codec/csv.h"
#include "pkg/version.h"

void wa_import_plan_init(struct wa_import_plan *p)
{
    *p = (struct wa_import_plan){.items = NULL};
}

void wa_import_plan_fini(struct wa_import_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        wa_free(p->items[i].package);
        wa_free(p->items[i].depends);
        wa_free(p->items[i].conflicts);
    }
    for (size_t i = 0; i < p->missing.n; i++)
        wa_free(p->missing.items[i]);
    WA_VEC_FREE(p);
    WA_VEC_FREE(&p->missing);
    wa_import_plan_init(p);
}

struct offer {
    const struct wa_control *c;
    bool is_taken;
};

struct choosing {
    const struct wa_import_wish *wish;
    const struct wa_index *here;
    struct {
        WA_VEC(struct offer); /* by name, then by kind, the newest first */
    } offers;
    struct wa_import_plan *plan;
};

/* --- names --- */

static size_t prefix_length(const char *name)
{
    const char *dash = strchr(name, '-');
    return dash == NULL ? 0 : (size_t)(dash - name);
}

void wa_import_rename(const char *name, const char *prefix, struct wa_buf *out)
{
    size_t n = prefix_length(name);
    if (n > 0 && prefix != NULL)
        wa_buf_addf(out, "%s%s", prefix, name + n);
    else
        wa_buf_adds(out, name);
}

/* A list of requirements: names with the package's own prefix follow it, others stay. */
static enum wa_code rename_list(const struct choosing *k, const char *package, const char *list,
                                char **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_sv rest = wa_sv(list), item;
    size_t own = prefix_length(package);
    char name[WA_NAME_MAX + 1];
    wa_buf_init(&out, WA_CONTROL_BYTES_MAX);
    while (wa_csv_next(&rest, &item)) {
        bool follows = own > 0 && item.n > own && item.p[own] == '-' &&
                       memcmp(item.p, package, own) == 0 && item.n <= WA_NAME_MAX;
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(item));
        wa_buf_adds(&out, out.n > 0 ? "," : "");
        if (follows)
            wa_import_rename(name, k->wish->prefix, &out);
        else
            wa_buf_addsv(&out, item);
    }
    return wa_buf_check(&out, err) == WA_OK ? wa_sv_dup(wa_buf_sv(&out), ret, err) : err->code;
}

/* --- what is offered --- */

static int by_kind(const struct wa_control *a, const struct wa_control *b)
{
    static const enum wa_attr keys[] = {WA_A_PACKAGE, WA_A_ARCHITECTURE, WA_A_LOCALE, WA_A_MATURITY,
                                        WA_A_TARGET_OS};
    int c = 0;
    for (size_t i = 0; c == 0 && i < WA_COUNT(keys); i++)
        c = strcmp(wa_control_get(a, keys[i]), wa_control_get(b, keys[i]));
    return c;
}

static int by_kind_newest_first(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    int c = by_kind(x->c, y->c);
    return c != 0 ? c : wa_entry_cmp(y->c, x->c);
}

static bool is_signed_by(const struct wa_control *c, const char *who)
{
    return who == NULL || strcmp(wa_control_get(c, WA_A_SIGNER), who) == 0 ||
           strcmp(wa_control_get(c, WA_A_SIGNER_FINGERPRINT), who) == 0;
}

static enum wa_code gather(struct choosing *k, const struct wa_index *there, struct wa_err *err)
{
    for (size_t i = 0; i < there->n; i++) {
        const struct wa_control *c = &there->items[i];
        if (!wa_host_accepts(&k->wish->filter, c, NULL) || !is_signed_by(c, k->wish->signer))
            continue;
        struct offer *slot = WA_VEC_PUSH(&k->offers);
        if (slot == NULL)
            return wa_nomem(err);
        slot->c = c;
    }
    if (k->offers.n > 0)
        qsort(k->offers.items, k->offers.n, sizeof k->offers.items[0], by_kind_newest_first);
    return WA_OK;
}

/* The first offer of that name; where it would be if there is none. */
static size_t first_of(const struct choosing *k, const char *name)
{
    size_t low = 0, high = k->offers.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(wa_control_get(k->offers.items[middle].c, WA_A_PACKAGE), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- what is here --- */

static const struct wa_control *find_ours(const struct choosing *k, const char *name,
                                          const struct wa_control *like)
{
    const struct wa_control *best = NULL;
    const char *architecture = wa_control_get(like, WA_A_ARCHITECTURE);
    for (size_t i = 0; k->here != NULL && i < k->here->n; i++) {
        const struct wa_control *c = &k->here->items[i];
        if (strcmp(wa_control_get(c, WA_A_PACKAGE), name) == 0 &&
            strcmp(wa_control_get(c, WA_A_ARCHITECTURE), architecture) == 0 &&
            (best == NULL || wa_entry_cmp(c, best) > 0))
            best = c;
    }
    return best;
}

static bool is_as_new(const struct wa_control *ours, const struct wa_control *theirs)
{
    struct wa_err err = WA_ERR_INIT;
    int c = 0;
    return ours != NULL &&
           wa_pkgversion_cmp(wa_sv(wa_control_get(ours, WA_A_VERSION)),
                             wa_sv(wa_control_get(theirs, WA_A_VERSION)), &c, &err) == WA_OK &&
           c >= 0;
}

static bool is_met_here(const struct choosing *k, const struct wa_request *r)
{
    struct wa_request renamed = *r;
    WA_AUTO_BUF struct wa_buf name;
    wa_buf_init(&name, 2 * WA_NAME_MAX);
    wa_import_rename(r->package, k->wish->prefix, &name);
    (void)snprintf(renamed.package, sizeof renamed.package, "%.*s", WA_SV_ARG(wa_buf_sv(&name)));
    for (size_t i = 0; k->here != NULL && i < k->here->n; i++)
        if (wa_request_matches(&renamed, &k->here->items[i]))
            return true;
    return false;
}

/* --- choosing --- */

static enum wa_code add(struct choosing *k, struct offer *o, const struct wa_control *needed_by,
                        struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    const char *package = wa_control_get(o->c, WA_A_PACKAGE);
    wa_buf_init(&name, 2 * WA_NAME_MAX);
    wa_import_rename(package, k->wish->prefix, &name);
    if (wa_buf_check(&name, err) != WA_OK)
        return err->code;
    o->is_taken = true;
    const struct wa_control *ours = find_ours(k, wa_buf_str(&name), o->c);
    if (k->wish->only_newer && is_as_new(ours, o->c)) {
        k->plan->current_count++;
        return WA_OK;
    }
    struct wa_import_item *slot = WA_VEC_PUSH(k->plan);
    if (slot == NULL)
        return wa_nomem(err);
    slot->entry = o->c;
    slot->ours = ours;
    slot->needed_by = needed_by;
    if (wa_sv_dup(wa_buf_sv(&name), &slot->package, err) != WA_OK ||
        rename_list(k, package, wa_control_get(o->c, WA_A_DEPENDS), &slot->depends, err) != WA_OK)
        return err->code;
    return rename_list(k, package, wa_control_get(o->c, WA_A_CONFLICTS), &slot->conflicts, err);
}

/* The newest of each kind that meets it; r NULL: whatever it is. */
static enum wa_code take(struct choosing *k, const struct wa_request *r, bool is_typed,
                         const struct wa_control *needed_by, size_t *ret_met, struct wa_err *err)
{
    const struct wa_control *last = NULL;
    for (size_t i = r == NULL ? 0 : first_of(k, r->package); i < k->offers.n; i++) {
        struct offer *o = &k->offers.items[i];
        if (r != NULL && strcmp(wa_control_get(o->c, WA_A_PACKAGE), r->package) != 0)
            break;
        bool every = k->wish->every_version && needed_by == NULL;
        if ((!every && last != NULL && by_kind(last, o->c) == 0) ||
            (r != NULL &&
             !(is_typed ? wa_request_matches_typed(r, o->c) : wa_request_matches(r, o->c))))
            continue;
        last = o->c;
        ++*ret_met;
        if (!o->is_taken && add(k, o, needed_by, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code miss(struct choosing *k, struct wa_sv wanted, const struct wa_control *by,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 4096);
    wa_buf_addf(&text, wa_text("%.*s, needed by %s"), WA_SV_ARG(wanted),
                wa_control_get(by, WA_A_PACKAGE));
    char **slot = WA_VEC_PUSH(&k->plan->missing);
    if (slot == NULL)
        return wa_nomem(err);
    return wa_buf_check(&text, err) == WA_OK ? wa_sv_dup(wa_buf_sv(&text), slot, err) : err->code;
}

/* What the i-th needs. The list grows at its end meanwhile. */
static enum wa_code add_depends(struct choosing *k, size_t i, struct wa_err *err)
{
    const struct wa_control *by = k->plan->items[i].entry;
    struct wa_sv rest = wa_sv(wa_control_get(by, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        size_t met = 0;
        bool is_one = wa_request_parse(item, &r, &why) == WA_OK;
        if (is_one && is_met_here(k, &r))
            continue;
        if (is_one && take(k, &r, false, by, &met, err) != WA_OK)
            return err->code;
        if (met == 0 && miss(k, item, by, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code choose(struct choosing *k, struct wa_err *err)
{
    size_t met = 0;
    if (k->wish->request_count == 0 && take(k, NULL, true, NULL, &met, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->wish->request_count; i++) {
        const struct wa_request *r = &k->wish->requests[i];
        met = 0;
        if (take(k, r, true, NULL, &met, err) != WA_OK)
            return err->code;
        if (met == 0)
            return wa_fail(err, WA_E_NOT_FOUND,
                           "'%s%s%s': no package there that somebody trusted has signed, and that "
                           "fits, meets it",
                           r->package, r->op, r->version);
    }
    for (size_t i = 0; k->wish->with_depends && i < k->plan->n; i++)
        if (add_depends(k, i, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_import_choose(const struct wa_index *there, const struct wa_index *here,
                              const struct wa_import_wish *wish, struct wa_import_plan *ret,
                              struct wa_err *err)
{
    WA_AUTO_IMPORT_PLAN struct wa_import_plan plan;
    struct choosing k = {.wish = wish, .here = here, .plan = &plan};
    wa_import_plan_init(&plan);
    enum wa_code code = gather(&k, there, err);
    if (code == WA_OK)
        code = choose(&k, err);
    WA_VEC_FREE(&k.offers);
    if (code != WA_OK)
        return code;
    *ret = plan;
    wa_import_plan_init(&plan);
    return WA_OK;
}
