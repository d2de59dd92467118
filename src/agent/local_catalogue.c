/* local_catalogue.c - the software that a person may install here, as a self-service program shows
 * it: page by page, each package once, in the version that would be installed.
 *
 * Administrators see all that is offered to users; others what the rules list for their groups.
 */
#include "agent/inventory.h"
#include "agent/local_priv.h"

#include "base/vec.h"
#include "codec/csv.h"
#include "os/rand.h"

#include <stdlib.h>
#include <strings.h>

#define PAGE_DEFAULT 50

struct entry {
    const struct wa_control *best;      /* NULL: only installed */
    const struct wa_installed_row *row; /* NULL: not installed */
};

struct catalogue {
    struct wa_available available;
    struct wa_installed_list installed;
    struct wa_map by_name; /* -> struct entry */
    struct wa_arena arena;
    struct wa_host_caps caps;
};

static const struct wa_control *shown(const struct entry *e)
{
    return e->best != NULL ? e->best : &e->row->base.control;
}

/* --- collecting --- */

static struct entry *entry_of(struct catalogue *k, const char *name, struct wa_err *err)
{
    struct entry *e = wa_map_get(&k->by_name, wa_sv(name));
    void *old = NULL;
    if (e != NULL)
        return e;
    e = wa_arena_alloc(&k->arena, 1, sizeof *e);
    if (e == NULL) {
        (void)wa_nomem(err);
        return NULL;
    }
    *e = (struct entry){NULL, NULL};
    return wa_map_put(&k->by_name, wa_sv(name), e, &old, err) == WA_OK ? e : NULL;
}

static enum wa_code collect(struct wa_manager *m, struct catalogue *k, struct wa_err *err)
{
    if (wa_rand_map(&k->by_name, err) != WA_OK ||
        wa_available_load(m->db, &k->available, err) != WA_OK ||
        wa_installed_load(m->db, NULL, &k->installed, err) != WA_OK)
        return err->code;
    wa_manager_caps(m, &k->caps);
    for (size_t i = 0; i < k->available.n; i++) {
        const struct wa_control *c = &k->available.items[i];
        if (!wa_self_is_offered(wa_control_get(c, WA_A_SECTION)) ||
            !wa_host_accepts(&k->caps, c, NULL))
            continue;
        struct entry *e = entry_of(k, wa_control_get(c, WA_A_PACKAGE), err);
        if (e == NULL)
            return err->code;
        if (e->best == NULL || wa_candidate_cmp(&k->caps, c, e->best) >= 0)
            e->best = c;
    }
    for (size_t i = 0; i < k->installed.n; i++) {
        const struct wa_control *c = &k->installed.items[i].base.control;
        if (!wa_self_is_offered(wa_control_get(c, WA_A_SECTION)))
            continue;
        struct entry *e = entry_of(k, wa_control_get(c, WA_A_PACKAGE), err);
        if (e == NULL)
            return err->code;
        e->row = &k->installed.items[i];
    }
    return WA_OK;
}

static void catalogue_fini(struct catalogue *k)
{
    wa_map_fini(&k->by_name);
    wa_available_fini(&k->available);
    wa_installed_list_fini(&k->installed);
    wa_arena_fini(&k->arena);
}

/* --- choosing --- */

static bool is_upgradable(const struct entry *e)
{
    return e->best != NULL && e->row != NULL && wa_entry_cmp(e->best, &e->row->base.control) > 0;
}

static bool has_category(const struct wa_control *c, struct wa_sv wanted)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_CATEGORIES)), item;
    char text[WA_NAME_MAX + 1];
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(wanted));
    while (wa_csv_next(&rest, &item))
        if (wa_sv_ieqs(item, text))
            return true;
    return wanted.n == 0;
}

static bool is_seen(const struct entry *e, const struct wa_caller *caller)
{
    const struct wa_control *c = shown(e);
    return wa_caller_may(caller, wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_SECTION));
}

static bool is_wanted(const struct entry *e, const struct wa_local_request *r)
{
    const struct wa_control *c = shown(e);
    bool is_installed = e->row != NULL;
    bool passes = wa_sv_eqs(r->filter, "installed")       ? is_installed
                  : wa_sv_eqs(r->filter, "not-installed") ? !is_installed
                  : wa_sv_eqs(r->filter, "upgradable")    ? is_upgradable(e)
                                                          : true;
    return passes && has_category(c, r->category) && wa_local_matches(c, r);
}

/* What a person reads: the name, where there is one. */
static const char *title(const struct entry *e)
{
    const char *name = wa_control_get(shown(e), WA_A_NAME);
    return name[0] != '\0' ? name : wa_control_get(shown(e), WA_A_PACKAGE);
}

static int by_name(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    int c = strcasecmp(title(*x), title(*y));
    return c != 0 ? c
                  : strcmp(wa_control_get(shown(*x), WA_A_PACKAGE),
                           wa_control_get(shown(*y), WA_A_PACKAGE));
}

static int by_date(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    int c = strcmp(wa_control_get(shown(*y), WA_A_SIGNATURE_DATE),
                   wa_control_get(shown(*x), WA_A_SIGNATURE_DATE));
    return c != 0 ? c : by_name(a, b);
}

struct page {
    WA_VEC(const struct entry *);
};

struct category {
    struct wa_sv name; /* as the first package writes it */
    int64_t count;
};

/* Of all that the caller sees, whatever is looked for. */
struct sums {
    int64_t all, installed, upgradable;
    struct category categories[WA_CATALOGUE_CATEGORIES_MAX];
    size_t category_count;
};

static void count_category(struct sums *s, struct wa_sv name)
{
    char text[WA_NAME_MAX + 1];
    if (name.n == 0 || name.n >= sizeof text)
        return;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(name));
    size_t i = 0;
    while (i < s->category_count && !wa_sv_ieqs(s->categories[i].name, text))
        i++;
    if (i == WA_CATALOGUE_CATEGORIES_MAX)
        return;
    if (i == s->category_count)
        s->categories[s->category_count++] = (struct category){name, 0};
    s->categories[i].count++;
}

static void count_entry(struct sums *s, const struct entry *e)
{
    struct wa_sv rest = wa_sv(wa_control_get(shown(e), WA_A_CATEGORIES)), item;
    s->all++;
    s->installed += e->row != NULL ? 1 : 0;
    s->upgradable += is_upgradable(e) ? 1 : 0;
    while (wa_csv_next(&rest, &item))
        count_category(s, item);
}

static enum wa_code choose(const struct catalogue *k, const struct wa_local_request *r,
                           const struct wa_caller *caller, struct page *ret, struct sums *sums,
                           struct wa_err *err)
{
    for (size_t i = 0; i < k->by_name.n; i++) {
        const struct entry *e = k->by_name.items[i].value;
        if (!is_seen(e, caller))
            continue;
        count_entry(sums, e);
        if (!is_wanted(e, r))
            continue;
        const struct entry **slot = WA_VEC_PUSH(ret);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = e;
    }
    if (ret->n > 1)
        qsort(ret->items, ret->n, sizeof ret->items[0],
              wa_sv_eqs(r->sort, "date") ? by_date : by_name);
    return WA_OK;
}

/* --- writing --- */

/* Beside the package on its repository, under its own number (formats.md 3.1). */
static void write_icon(struct wa_jw *w, const struct wa_control *c)
{
    char icon[2 * WA_NAME_MAX];
    const char *uuid = wa_control_get(c, WA_A_PACKAGE_UUID);
    (void)snprintf(icon, sizeof icon, "icons/%.200s.png", uuid);
    wa_jw_kv(w, "icon", uuid[0] != '\0' ? icon : "");
}

static void write_entry(struct wa_jw *w, const struct entry *e, const struct wa_caller *caller,
                        bool removing)
{
    static const struct {
        const char *key;
        enum wa_attr attr;
    } texts[] = {{"package", WA_A_PACKAGE},
                 {"version", WA_A_VERSION},
                 {"name", WA_A_NAME},
                 {"description", WA_A_DESCRIPTION},
                 {"description_fr", WA_A_DESCRIPTION_FR},
                 {"categories", WA_A_CATEGORIES},
                 {"section", WA_A_SECTION},
                 {"editor", WA_A_EDITOR},
                 {"licence", WA_A_LICENCE},
                 {"homepage", WA_A_HOMEPAGE},
                 {"depends", WA_A_DEPENDS},
                 {"conflicts", WA_A_CONFLICTS},
                 {"signer", WA_A_SIGNER},
                 {"signature_date", WA_A_SIGNATURE_DATE},
                 {"size", WA_A_SIZE}};
    const struct wa_control *c = shown(e);
    bool may =
        wa_caller_may(caller, wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_SECTION));
    wa_jw_obj(w);
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        wa_jw_kv(w, texts[i].key, wa_control_get(c, texts[i].attr));
    write_icon(w, c);
    wa_jw_kv(w, "installed",
             e->row != NULL ? wa_control_get(&e->row->base.control, WA_A_VERSION) : "");
    wa_jw_kv(w, "install_status", e->row != NULL ? e->row->base.status : "");
    wa_jw_kvb(w, "upgradable", is_upgradable(e));
    wa_jw_kvb(w, "may_install", e->best != NULL && (may || is_upgradable(e)));
    wa_jw_kvb(w, "may_remove", e->row != NULL && may && (caller->is_admin || removing));
    wa_jw_end(w);
}

static void write_sums(struct wa_jw *w, const struct sums *s)
{
    wa_jw_key(w, "counts");
    wa_jw_obj(w);
    wa_jw_kvi(w, "all", s->all);
    wa_jw_kvi(w, "installed", s->installed);
    wa_jw_kvi(w, "not_installed", s->all - s->installed);
    wa_jw_kvi(w, "upgradable", s->upgradable);
    wa_jw_end(w);
    wa_jw_key(w, "categories");
    wa_jw_arr(w);
    for (size_t i = 0; i < s->category_count; i++) {
        wa_jw_obj(w);
        wa_jw_kvsv(w, "name", s->categories[i].name);
        wa_jw_kvi(w, "count", s->categories[i].count);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

static enum wa_code write_page(struct wa_manager *m, const struct catalogue *k,
                               const struct wa_local_request *r, const struct wa_caller *caller,
                               struct wa_jw *w, struct wa_err *err)
{
    struct page all = {NULL, 0, 0};
    size_t size = r->page_size > 0 ? (size_t)r->page_size : PAGE_DEFAULT;
    size_t from = (size_t)r->page * size;
    struct sums sums = {.all = 0};
    enum wa_code code = choose(k, r, caller, &all, &sums, err);
    if (code == WA_OK) {
        wa_jw_obj(w);
        wa_jw_kvi(w, "total", (int64_t)all.n);
        wa_jw_kvi(w, "page", r->page);
        wa_jw_kvi(w, "page_size", (int64_t)size);
        write_sums(w, &sums);
        wa_jw_key(w, "packages");
        wa_jw_arr(w);
        for (size_t i = from; i < all.n && i < from + size; i++)
            write_entry(w, all.items[i], caller, m->config.uninstall_allowed);
        wa_jw_end(w);
        wa_jw_end(w);
    }
    WA_VEC_FREE(&all);
    return code;
}

enum wa_code wa_local_catalogue(struct wa_manager *m, const struct wa_local_request *r,
                                const struct wa_caller *caller, struct wa_jw *w, struct wa_err *err)
{
    struct catalogue k = {.available = {.n = 0}, .installed = {NULL, 0, 0}};
    wa_arena_init(&k.arena, 16u << 20);
    enum wa_code code = collect(m, &k, err);
    if (code == WA_OK)
        code = write_page(m, &k, r, caller, w, err);
    catalogue_fini(&k);
    return code;
}
