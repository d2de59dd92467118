/* fleet.c - the machines in memory, by uuid in a map: what changes, and what they are in. Lists of
 * them are fleet_find.c's.
 *
 * Whatever a machine says of itself is text here, cut to its cap.
 */
#include "server/fleet_priv.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "os/rand.h"

_Static_assert(sizeof((struct wa_fleet_host *)0)->texts == WA_FLEET_TEXTS * sizeof(const char *) &&
                   offsetof(struct wa_fleet_host, registration) -
                           offsetof(struct wa_fleet_host, texts) ==
                       WA_FLEET_REGISTRATION * sizeof(const char *) &&
                   offsetof(struct wa_fleet_change, registration) ==
                       WA_FLEET_REGISTRATION * sizeof(struct wa_sv),
               "texts by name are those by key");
_Static_assert(WA_FLEET_KEYS < 32, "a bit for each key");

enum wa_code wa_fleet_new(struct wa_fleet **ret, struct wa_err *err)
{
    struct wa_fleet *f = wa_calloc(1, sizeof *f);
    if (f == NULL)
        return wa_nomem(err);
    enum wa_code code = wa_rand_map(&f->by_uuid, err);
    for (size_t i = 0; code == WA_OK && i < WA_FLEET_TAGS; i++)
        code = wa_rand_map(&f->names[i], err);
    if (code != WA_OK) {
        wa_fleet_free(f);
        return code;
    }
    *ret = f;
    return WA_OK;
}

static void host_free(struct host *h)
{
    if (h != NULL) {
        wa_free(h->memory);
        for (size_t i = 0; i < WA_FLEET_TAGS; i++)
            wa_free(h->tags[i].items);
    }
    wa_free(h);
}

void wa_fleet_free(struct wa_fleet *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->by_uuid.n; i++)
        host_free(f->by_uuid.items[i].value);
    wa_map_fini(&f->by_uuid);
    for (size_t i = 0; i < WA_FLEET_TAGS; i++)
        wa_map_fini(&f->names[i]);
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        wa_free(f->order[i].items);
    wa_free(f);
}

const struct wa_fleet_host *wa_fleet_get(const struct wa_fleet *f, struct wa_sv uuid)
{
    const struct host *h = wa_map_get(&f->by_uuid, uuid);
    return h == NULL ? NULL : &h->shown;
}

/* What is still owed of it. */
static uint64_t owed(const struct host *h, uint64_t now_ms)
{
    uint64_t back = (now_ms - h->took_until_ms) * WA_REPORT_SHARE_MS / 1000;
    return back < h->took_ms ? h->took_ms - back : 0;
}

void wa_fleet_took(struct wa_fleet *f, struct wa_sv uuid, uint64_t ms, uint64_t now_ms)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    if (h == NULL || ms == 0) /* most take less, and some of them are counted as one */
        return;
    uint64_t all = owed(h, now_ms) + ms;
    h->took_ms = all < WA_REPORT_OWED_MS ? (uint32_t)all : WA_REPORT_OWED_MS;
    h->took_until_ms = now_ms;
}

bool wa_fleet_may_report(const struct wa_fleet *f, struct wa_sv uuid, uint64_t now_ms)
{
    const struct host *h = wa_map_get(&f->by_uuid, uuid);
    return h == NULL || owed(h, now_ms) < WA_REPORT_BURST_MS;
}

size_t wa_fleet_count(const struct wa_fleet *f)
{
    return f->by_uuid.n;
}

/* --- texts --- */

void wa_fleet_fold(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i], before = i > 0 ? (unsigned char)p[i - 1] : 0;
        if (c >= 'A' && c <= 'Z')
            p[i] = (char)(c + 32);
        else if (before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97)
            p[i] = (char)(c + 32);
    }
}

size_t wa_fleet_cut(struct wa_sv text)
{
    return text.n <= WA_FLEET_TEXT_MAX ? text.n : wa_utf8_cut(text.p, WA_FLEET_TEXT_MAX);
}

void wa_fleet_grams_add(struct wa_fleet_grams *g, const char *p, size_t n)
{
    const unsigned char *b = (const unsigned char *)p;
    for (size_t i = 2; i < n; i++) {
        uint32_t gram = (uint32_t)b[i - 2] | (uint32_t)b[i - 1] << 8 | (uint32_t)b[i] << 16;
        uint32_t bit = gram * 2654435761u >> 24;
        g->bits[bit / 64] |= 1ull << bit % 64;
    }
}

uint8_t wa_fleet_mark(struct wa_sv text)
{
    uint32_t mixed = 2166136261u;
    for (size_t i = 0; i < text.n; i++)
        mixed = (mixed ^ (unsigned char)text.p[i]) * 16777619u;
    return (uint8_t)(mixed >> 24);
}

static char *put(char *at, const char *p, size_t n, const char **ret)
{
    *ret = at;
    memcpy(at, p, n);
    at[n] = '\0';
    return at + n + 1;
}

/* What people look for machines by: the others they choose from a list. */
static bool is_searched(size_t text)
{
    return text <= WA_FLEET_STATUS || (text >= WA_FLEET_DESCRIPTION && text <= WA_FLEET_SERIAL);
}

/* All texts of the machine in one piece of memory. */
static enum wa_code write_texts(struct host *h, struct wa_sv uuid, const struct wa_sv *texts,
                                struct wa_err *err)
{
    size_t cut[WA_FLEET_TEXTS], n = 2 * (uuid.n + 1);
    for (size_t i = 0; i < WA_FLEET_TEXTS; i++) {
        cut[i] = wa_fleet_cut(texts[i]);
        n += (is_searched(i) ? 2 : 1) * (cut[i] + 1);
    }
    char *memory = wa_calloc(1, n);
    if (memory == NULL)
        return wa_nomem(err);
    char *at = put(memory, uuid.p, uuid.n, &h->shown.uuid);
    for (int searched = 1; searched >= 0; searched--) {
        for (size_t i = 0; i < WA_FLEET_TEXTS; i++)
            if (is_searched(i) == (searched == 1))
                at = put(at, cut[i] > 0 ? texts[i].p : "", cut[i], &h->shown.texts[i]);
        if (searched == 1)
            h->search_n = (uint32_t)(at - memory);
    }
    memcpy(at, memory, h->search_n); /* the NULs between them part the words of a search, too */
    wa_fleet_fold(at, h->search_n);
    h->search = at;
    h->grams = (struct wa_fleet_grams){{0}};
    wa_fleet_grams_add(&h->grams, at, h->search_n);
    h->marks[0] = wa_fleet_mark(wa_sv(h->shown.status));
    h->marks[1] = wa_fleet_mark(wa_sv(h->shown.audit));
    wa_free(h->memory);
    h->memory = memory;
    return WA_OK;
}

static bool same(const char *a, struct wa_sv b)
{
    return b.p == NULL || wa_sv_eqs(b, a);
}

/* --- changes --- */

static void set_number(struct wa_fleet *f, struct host *h, enum wa_fleet_key key, int64_t *field,
                       int64_t value)
{
    if (value < 0 || *field == value)
        return;
    *field = value;
    wa_fleet_stale(f, h, key);
}

static void set_numbers(struct wa_fleet *f, struct host *h, const struct wa_fleet_change *c)
{
    struct wa_fleet_host *s = &h->shown;
    set_number(f, h, WA_FLEET_REGISTERED_AT, &s->registered_at, c->registered_at);
    set_number(f, h, WA_FLEET_LAST_SEEN, &s->last_seen, c->last_seen);
    set_number(f, h, WA_FLEET_ERRORS, &s->errors, c->errors);
    set_number(f, h, WA_FLEET_UPGRADES, &s->upgrades, c->upgrades);
    if (c->number >= 0)
        s->number = c->number;
    if (c->schedule == NULL)
        return;
    if (s->schedule.root_version != c->schedule->root_version)
        wa_fleet_stale(f, h, WA_FLEET_ROOT);
    if (s->schedule.window_begin != c->schedule->window_begin)
        wa_fleet_stale(f, h, WA_FLEET_WINDOW);
    if (s->schedule.frozen_until != c->schedule->frozen_until)
        wa_fleet_stale(f, h, WA_FLEET_FROZEN);
    s->schedule = *c->schedule;
}

static enum wa_code add(struct wa_fleet *f, struct wa_sv uuid, const struct wa_fleet_change *c,
                        struct wa_err *err)
{
    struct host *h = wa_calloc(1, sizeof *h);
    if (h == NULL)
        return wa_nomem(err);
    if (write_texts(h, uuid, c->texts, err) != WA_OK || wa_fleet_orders_grow(f, err) != WA_OK ||
        wa_map_put(&f->by_uuid, uuid, h, NULL, err) != WA_OK) {
        host_free(h);
        return err->code;
    }
    wa_fleet_orders_add(f, h);
    set_numbers(f, h, c);
    return WA_OK;
}

enum wa_code wa_fleet_put(struct wa_fleet *f, struct wa_sv uuid, const struct wa_fleet_change *c,
                          struct wa_err *err)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    struct wa_sv texts[WA_FLEET_TEXTS];
    uint32_t changed = 0;
    if (h == NULL)
        return add(f, uuid, c, err);
    for (size_t i = 0; i < WA_FLEET_TEXTS; i++) {
        const char *now = h->shown.texts[i];
        texts[i] = c->texts[i].p == NULL ? wa_sv(now) : c->texts[i];
        changed |= same(now, c->texts[i]) ? 0 : 1u << i;
    }
    if (changed != 0 && write_texts(h, wa_sv(h->shown.uuid), texts, err) != WA_OK)
        return err->code;
    h->stale |= changed;
    f->stale |= changed;
    set_numbers(f, h, c);
    return WA_OK;
}

void wa_fleet_set_reachable(struct wa_fleet *f, struct wa_sv uuid, bool is_reachable, int64_t now)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    struct wa_fleet_change seen = WA_FLEET_UNCHANGED;
    if (h == NULL)
        return;
    if (h->shown.is_reachable != is_reachable)
        wa_fleet_stale(f, h, WA_FLEET_REACHABLE);
    h->shown.is_reachable = is_reachable;
    seen.last_seen = now;
    set_numbers(f, h, &seen);
}

void wa_fleet_remove(struct wa_fleet *f, struct wa_sv uuid)
{
    struct host *h = wa_map_take(&f->by_uuid, uuid);
    if (h == NULL)
        return;
    wa_fleet_orders_remove(f, h);
    host_free(h);
}

/* --- names that they have --- */

/* The number of a name. False: it is new, and the machine has said enough that nobody else did. */
static enum wa_code number_of(struct wa_fleet *f, struct host *h, enum wa_fleet_tag tag,
                              struct wa_sv name, uint32_t *ret, bool *ret_counts,
                              struct wa_err *err)
{
    uintptr_t number = (uintptr_t)wa_map_get(&f->names[tag], name);
    bool is_said = tag != WA_FLEET_IN;
    *ret_counts = number != 0 || !is_said || h->said < WA_FLEET_SAID_MAX;
    if (!*ret_counts)
        return WA_OK;
    if (number == 0) {
        number = f->names[tag].n + 1;
        if (wa_map_put(&f->names[tag], name, (void *)number, NULL, err) != WA_OK)
            return err->code;
        h->said += is_said;
    }
    *ret = (uint32_t)(number - 1);
    return WA_OK;
}

enum wa_code wa_fleet_set_tags(struct wa_fleet *f, struct wa_sv uuid, enum wa_fleet_tag tag,
                               struct wa_sv names, struct wa_err *err)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    struct wa_sv rest = names, name;
    size_t room = 0, n = 0;
    bool counts = false;
    if (h == NULL)
        return WA_OK;
    while (wa_sv_split(&rest, ',', &name))
        room += name.n > 0;
    if (tag != WA_FLEET_IN && room > WA_FLEET_SAID_MAX)
        room = WA_FLEET_SAID_MAX;
    uint32_t *numbers = wa_calloc(room + 1, sizeof *numbers);
    if (numbers == NULL)
        return wa_nomem(err);
    for (rest = names; n < room && wa_sv_split(&rest, ',', &name);) {
        if (name.n == 0)
            continue;
        if (number_of(f, h, tag, name, &numbers[n], &counts, err) != WA_OK) {
            wa_free(numbers);
            return err->code;
        }
        n += counts;
    }
    wa_free(h->tags[tag].items);
    h->tags[tag].items = numbers;
    h->tags[tag].n = n;
    return WA_OK;
}

size_t wa_fleet_name_count(const struct wa_fleet *f, enum wa_fleet_tag tag)
{
    return f->names[tag].n;
}

struct wa_sv wa_fleet_name(const struct wa_fleet *f, enum wa_fleet_tag tag, size_t i)
{
    return wa_sv_n(f->names[tag].items[i].key, f->names[tag].items[i].key_n);
}

void wa_fleet_view_fini(struct wa_fleet_view *v)
{
    wa_free(v->is_in);
    *v = (struct wa_fleet_view){NULL, 0};
}

bool wa_fleet_has(const struct host *h, enum wa_fleet_tag tag, const struct wa_fleet_view *v)
{
    const uint32_t *items = h->tags[tag].items;
    for (size_t i = 0; i < h->tags[tag].n; i++)
        if (items[i] < v->n && v->is_in[items[i]])
            return true;
    return false;
}

enum wa_code wa_fleet_numbers(const struct wa_fleet *f, const struct wa_fleet_view *v,
                              struct wa_hostset *set, struct wa_err *err)
{
    for (size_t i = 0; i < f->by_uuid.n; i++) {
        const struct host *h = f->by_uuid.items[i].value;
        if ((v == NULL || wa_fleet_has(h, WA_FLEET_IN, v)) && h->shown.number > 0 &&
            wa_hostset_add(set, h->shown.number, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

bool wa_fleet_sees(const struct wa_fleet *f, const struct wa_fleet_view *v, struct wa_sv uuid)
{
    const struct host *h = wa_map_get(&f->by_uuid, uuid);
    return h != NULL && (v == NULL || wa_fleet_has(h, WA_FLEET_IN, v));
}

bool wa_fleet_host_name(const struct wa_fleet *f, const struct wa_fleet_host *h,
                        enum wa_fleet_tag tag, size_t i, struct wa_sv *ret)
{
    const struct host *full = wa_fleet_full(h);
    if (i >= full->tags[tag].n)
        return false;
    *ret = wa_fleet_name(f, tag, full->tags[tag].items[i]);
    return true;
}
