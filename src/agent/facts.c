/* facts.c - the answers of the inventory process: the parts of a machine's inventory, each on its
 * own, so that one that can't be had takes no other with it; and the place of its account.
 */
#include "agent/facts.h"
#include "base/date.h"
#include "base/vec.h"
#include "os/directory.h"
#include "os/dmi.h"
#include "os/host.h"
#include "os/software.h"

/* --- dmi: a kind that is there once is an object, one that is there more often a list of them ---
 */

static enum wa_code write_entry(void *user, const struct wa_dmi_entry *e, struct wa_err *err)
{
    struct wa_jw *w = user;
    WA_UNUSED(err);
    wa_jw_obj(w);
    for (size_t i = 0; i < e->n; i++)
        wa_jw_kv(w, e->values[i].key, e->values[i].text);
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code write_dmi(struct wa_jw *w, const struct wa_facts_want *want, struct wa_err *err)
{
    const char *title;
    bool is_vendors;
    for (size_t i = 0; (title = wa_dmi_kind(i, &is_vendors)) != NULL; i++) {
        size_t count = wa_dmi_count(want->table, i);
        if (count == 0 || (is_vendors && !want->with_vendor_text))
            continue;
        wa_jw_key(w, title);
        if (count > 1)
            wa_jw_arr(w);
        if (wa_dmi_each(want->table, i, write_entry, w, err) != WA_OK)
            return err->code;
        if (count > 1)
            wa_jw_end(w);
    }
    return WA_OK;
}

/* --- software --- */

struct item {
    const char *key, *name, *version, *publisher;
    int64_t installed_at;
    bool is_system;
};
struct items {
    WA_VEC(struct item);
    struct wa_arena arena;
};

static enum wa_code take_software(void *user, const struct wa_software *s, struct wa_err *err)
{
    struct items *l = user;
    struct item i = {.key = wa_arena_strdup(&l->arena, wa_sv(s->key)),
                     .name = wa_arena_strdup(&l->arena, wa_sv(s->name)),
                     .version = wa_arena_strdup(&l->arena, wa_sv(s->version)),
                     .publisher = wa_arena_strdup(&l->arena, wa_sv(s->publisher)),
                     .installed_at = s->installed_at,
                     .is_system = s->is_system};
    if (i.key == NULL || i.name == NULL || i.version == NULL || i.publisher == NULL)
        return wa_fail(err, WA_E_LIMIT, "more software than there is room for");
    struct item *slot = WA_VEC_PUSH(l);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = i;
    return WA_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order != 0 ? order : strcmp(x->version, y->version); /* kernels are there twice */
}

static void write_item(struct wa_jw *w, const struct item *i)
{
    char date[WA_DATE_MAX] = "";
    if (i->installed_at != 0) {
        wa_date_isolocal(i->installed_at, 0, date);
        date[10] = ' '; /* "YYYY-MM-DD HH:MM:SS" */
    }
    wa_jw_obj(w);
    wa_jw_kv(w, "key", i->key);
    wa_jw_kv(w, "name", i->name);
    wa_jw_kv(w, "version", i->version);
    wa_jw_kv(w, "install_date", date);
    wa_jw_kv(w, "install_location", "");
    wa_jw_kv(w, "uninstall_string", "");
    wa_jw_kv(w, "publisher", i->publisher);
    wa_jw_kvi(w, "system_component", i->is_system ? 1 : 0);
    wa_jw_end(w);
}

static enum wa_code write_software(struct wa_jw *w, const struct wa_facts_want *want,
                                   struct wa_err *err)
{
    struct items l = {0};
    WA_UNUSED(want);
    wa_arena_init(&l.arena, 4 * WA_INVENTORY_BYTES_MAX);
    enum wa_code code = wa_software_list(take_software, &l, err);
    if (code == WA_OK && l.n > 0)
        qsort(l.items, l.n, sizeof l.items[0], by_key);
    for (size_t i = 0; code == WA_OK && i < l.n; i++)
        write_item(w, &l.items[i]);
    WA_VEC_FREE(&l);
    wa_arena_fini(&l.arena);
    return code;
}

/* --- the whole --- */

static const struct wa_facts_part other_parts[] = {
    {"dmi", true, write_dmi},
    {"installed_softwares", false, write_software},
    {NULL, false, NULL},
};

/* One part, whole or not at all. */
static enum wa_code add_part(struct wa_jw *w, const struct wa_facts_part *p,
                             const struct wa_facts_want *want, const struct wa_log *log,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw part;
    wa_buf_init(&text, WA_INVENTORY_BYTES_MAX);
    wa_jw_init(&part, &text);
    if (p->is_object)
        wa_jw_obj(&part);
    else
        wa_jw_arr(&part);
    enum wa_code code = p->write(&part, want, &why);
    wa_jw_end(&part);
    if (code == WA_OK)
        code = wa_buf_check(&text, &why);
    if (code != WA_OK) {
        wa_log(log, WA_LOG_WARNING, "inventory.part", WA_LF_S("part", p->name),
               WA_LF_S("why", why.text));
        return code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    }
    wa_jw_key(w, p->name);
    wa_jw_raw(w, wa_buf_sv(&text));
    return WA_OK;
}

enum wa_code wa_facts_machine(const struct wa_facts_want *want, const struct wa_log *log,
                              struct wa_buf *out, struct wa_err *err)
{
    static const struct wa_facts_part *const lists[] = {wa_facts_machine_parts, other_parts};
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        for (const struct wa_facts_part *p = lists[i]; p->name != NULL; p++)
            if (add_part(&w, p, want, log, err) != WA_OK)
                return err->code;
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* --- place --- */

struct groups {
    WA_VEC(const char *);
    struct wa_arena arena;
};

static enum wa_code take_group(void *user, const char *name, struct wa_err *err)
{
    struct groups *g = user;
    const char *copy = wa_arena_strdup(&g->arena, wa_sv(name));
    if (copy == NULL)
        return wa_fail(err, WA_E_LIMIT, "more groups than there is room for");
    const char **slot = WA_VEC_PUSH(g);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = copy;
    return WA_OK;
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

enum wa_code wa_facts_place(const char *account, struct wa_buf *out, struct wa_err *err)
{
    struct groups g = {0};
    struct wa_jw w;
    char dn[WA_DIRECTORY_DN];
    struct wa_host_facts host;
    bool is_known = false;
    wa_arena_init(&g.arena, WA_PLACE_BYTES_MAX);
    if (wa_host_facts_read(&host, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_directory_ask(account, host.workgroup, dn, take_group, &g, &is_known, err);
    if (g.n > 0)
        qsort(g.items, g.n, sizeof g.items[0], by_text);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "is_known", is_known);
    if (is_known) {
        wa_jw_kv(&w, "dn", dn);
        wa_jw_key(&w, "groups");
        wa_jw_arr(&w);
        for (size_t i = 0; i < g.n; i++)
            if (i == 0 || strcmp(g.items[i - 1], g.items[i]) != 0)
                wa_jw_s(&w, g.items[i]);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    WA_VEC_FREE(&g);
    wa_arena_fini(&g.arena);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}
