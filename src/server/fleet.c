/* fleet.c - the machines in memory: by uuid in a map, and in one order for each key.
 *
 * An order is made when it is first asked for, and anew when one of its texts has changed since.
 * Whatever a machine says of itself is text here, cut to its cap.
 */
#include "server/fleet.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "os/rand.h"

#include <stdlib.h>

#define TEXT_MAX 255u /* bytes */
#define WORDS_MAX 16u

enum text { NAME, FQDN, OS, STATUS, TEXTS };

struct host {
    struct wa_fleet_host shown; /* first: orders are of these */
    char *memory;               /* of all its texts */
    const char *search;         /* folded, all of them */
    size_t search_n;
    uint32_t *names; /* numbers of what it is in */
    size_t name_count;
};

struct wa_fleet {
    struct wa_map by_uuid;
    struct wa_map names; /* each has its number + 1 as value; none is ever taken out */
    const struct wa_fleet_host **order[WA_FLEET_KEYS];
    bool is_sorted[WA_FLEET_KEYS];
};

enum wa_code wa_fleet_new(struct wa_fleet **ret, struct wa_err *err)
{
    struct wa_fleet *f = wa_calloc(1, sizeof *f);
    if (f == NULL)
        return wa_nomem(err);
    if (wa_rand_map(&f->by_uuid, err) != WA_OK || wa_rand_map(&f->names, err) != WA_OK) {
        wa_fleet_free(f);
        return err->code;
    }
    *ret = f;
    return WA_OK;
}

static void host_free(struct host *h)
{
    if (h != NULL) {
        wa_free(h->memory);
        wa_free(h->names);
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
    wa_map_fini(&f->names);
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        wa_free(f->order[i]);
    wa_free(f);
}

const struct wa_fleet_host *wa_fleet_get(const struct wa_fleet *f, struct wa_sv uuid)
{
    const struct host *h = wa_map_get(&f->by_uuid, uuid);
    return h == NULL ? NULL : &h->shown;
}

size_t wa_fleet_count(const struct wa_fleet *f)
{
    return f->by_uuid.n;
}

/* --- texts --- */

/* Lower case, for ASCII and the Latin letters of U+00C0 to U+00DE: enough for names as people type
 * them. Never longer than before. */
static void fold(char *p, size_t n)
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
    return text.n <= TEXT_MAX ? text.n : wa_utf8_cut(text.p, TEXT_MAX);
}

static char *put(char *at, const char *p, size_t n, const char **ret)
{
    *ret = at;
    memcpy(at, p, n);
    at[n] = '\0';
    return at + n + 1;
}

/* All texts of the machine in one piece of memory. */
static enum wa_code write_texts(struct host *h, struct wa_sv uuid, const struct wa_sv *texts,
                                struct wa_err *err)
{
    const char **shown[TEXTS] = {&h->shown.name, &h->shown.fqdn, &h->shown.os, &h->shown.status};
    size_t cut[TEXTS], n = 2 * (uuid.n + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        cut[i] = wa_fleet_cut(texts[i]);
        n += 2 * (cut[i] + 1);
    }
    char *memory = wa_calloc(1, n);
    if (memory == NULL)
        return wa_nomem(err);
    char *at = put(memory, uuid.p, uuid.n, &h->shown.uuid);
    for (size_t i = 0; i < TEXTS; i++)
        at = put(at, cut[i] > 0 ? texts[i].p : "", cut[i], shown[i]);
    h->search_n = (size_t)(at - memory);
    memcpy(at, memory, h->search_n); /* the NULs between them part the words of a search, too */
    fold(at, h->search_n);
    h->search = at;
    wa_free(h->memory);
    h->memory = memory;
    return WA_OK;
}

static bool same(const char *a, struct wa_sv b)
{
    return b.p == NULL || wa_sv_eqs(b, a);
}

/* --- changes --- */

static enum wa_code grow_orders(struct wa_fleet *f, struct wa_err *err)
{
    size_t n = f->by_uuid.n + 1;
    if ((n & (n - 1)) != 0 && f->order[0] != NULL)
        return WA_OK; /* room up to the next power of two */
    size_t room = 64;
    while (room < 2 * n)
        room *= 2;
    for (size_t i = 0; i < WA_FLEET_KEYS; i++) {
        const struct wa_fleet_host **more = wa_calloc(room, sizeof(*more));
        if (more == NULL)
            return wa_nomem(err);
        wa_free(f->order[i]);
        f->order[i] = more;
        f->is_sorted[i] = false;
    }
    return WA_OK;
}

static void set_times(struct wa_fleet *f, struct host *h, const struct wa_fleet_change *c)
{
    if (c->registered_at >= 0)
        h->shown.registered_at = c->registered_at;
    if (c->number >= 0)
        h->shown.number = c->number;
    if (c->last_seen < 0)
        return;
    h->shown.last_seen = c->last_seen;
    f->is_sorted[WA_FLEET_LAST_SEEN] = false;
}

static enum wa_code add(struct wa_fleet *f, struct wa_sv uuid, const struct wa_fleet_change *c,
                        struct wa_err *err)
{
    const struct wa_sv texts[TEXTS] = {c->name, c->fqdn, c->os, c->status};
    struct host *h = wa_calloc(1, sizeof *h);
    if (h == NULL)
        return wa_nomem(err);
    if (write_texts(h, uuid, texts, err) != WA_OK || grow_orders(f, err) != WA_OK ||
        wa_map_put(&f->by_uuid, uuid, h, NULL, err) != WA_OK) {
        host_free(h);
        return err->code;
    }
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        f->is_sorted[i] = false;
    set_times(f, h, c);
    return WA_OK;
}

enum wa_code wa_fleet_put(struct wa_fleet *f, struct wa_sv uuid, const struct wa_fleet_change *c,
                          struct wa_err *err)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    if (h == NULL)
        return add(f, uuid, c, err);
    const char *const now[TEXTS] = {h->shown.name, h->shown.fqdn, h->shown.os, h->shown.status};
    const struct wa_sv said[TEXTS] = {c->name, c->fqdn, c->os, c->status};
    static const enum wa_fleet_key keys[TEXTS] = {WA_FLEET_NAME, WA_FLEET_FQDN, WA_FLEET_OS,
                                                  WA_FLEET_STATUS};
    struct wa_sv texts[TEXTS];
    bool is_new[TEXTS], any = false;
    for (size_t i = 0; i < TEXTS; i++) {
        texts[i] = said[i].p == NULL ? wa_sv(now[i]) : said[i];
        is_new[i] = !same(now[i], said[i]);
        any |= is_new[i];
    }
    if (any && write_texts(h, wa_sv(h->shown.uuid), texts, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < TEXTS; i++)
        if (is_new[i])
            f->is_sorted[keys[i]] = false;
    set_times(f, h, c);
    return WA_OK;
}

void wa_fleet_set_reachable(struct wa_fleet *f, struct wa_sv uuid, bool is_reachable, int64_t now)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    const struct wa_fleet_change seen = {.registered_at = -1, .last_seen = now, .number = -1};
    if (h == NULL)
        return;
    h->shown.is_reachable = is_reachable;
    set_times(f, h, &seen);
}

void wa_fleet_remove(struct wa_fleet *f, struct wa_sv uuid)
{
    struct host *h = wa_map_take(&f->by_uuid, uuid);
    if (h == NULL)
        return;
    host_free(h);
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        f->is_sorted[i] = false;
}

/* --- what they are in --- */

static enum wa_code number_of(struct wa_fleet *f, struct wa_sv name, uint32_t *ret,
                              struct wa_err *err)
{
    uintptr_t number = (uintptr_t)wa_map_get(&f->names, name);
    if (number == 0) {
        number = f->names.n + 1;
        if (wa_map_put(&f->names, name, (void *)number, NULL, err) != WA_OK)
            return err->code;
    }
    *ret = (uint32_t)(number - 1);
    return WA_OK;
}

enum wa_code wa_fleet_set_names(struct wa_fleet *f, struct wa_sv uuid, struct wa_sv names,
                                struct wa_err *err)
{
    struct host *h = wa_map_get(&f->by_uuid, uuid);
    struct wa_sv rest = names, name;
    size_t n = 0;
    if (h == NULL)
        return WA_OK;
    while (wa_sv_split(&rest, ',', &name))
        n += name.n > 0;
    uint32_t *numbers = wa_calloc(n + 1, sizeof *numbers);
    if (numbers == NULL)
        return wa_nomem(err);
    n = 0;
    for (rest = names; wa_sv_split(&rest, ',', &name);)
        if (name.n > 0 && number_of(f, name, &numbers[n++], err) != WA_OK) {
            wa_free(numbers);
            return err->code;
        }
    wa_free(h->names);
    h->names = numbers;
    h->name_count = n;
    return WA_OK;
}

size_t wa_fleet_name_count(const struct wa_fleet *f)
{
    return f->names.n;
}

struct wa_sv wa_fleet_name(const struct wa_fleet *f, size_t i)
{
    return wa_sv_n(f->names.items[i].key, f->names.items[i].key_n);
}

void wa_fleet_view_fini(struct wa_fleet_view *v)
{
    wa_free(v->is_in);
    *v = (struct wa_fleet_view){NULL, 0};
}

static bool is_in_view(const struct host *h, const struct wa_fleet_view *v)
{
    for (size_t i = 0; i < h->name_count; i++)
        if (h->names[i] < v->n && v->is_in[h->names[i]])
            return true;
    return false;
}

enum wa_code wa_fleet_numbers(const struct wa_fleet *f, const struct wa_fleet_view *v,
                              struct wa_hostset *set, struct wa_err *err)
{
    for (size_t i = 0; i < f->by_uuid.n; i++) {
        const struct host *h = f->by_uuid.items[i].value;
        if ((v == NULL || is_in_view(h, v)) && h->shown.number > 0 &&
            wa_hostset_add(set, h->shown.number, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

bool wa_fleet_sees(const struct wa_fleet *f, const struct wa_fleet_view *v, struct wa_sv uuid)
{
    const struct host *h = wa_map_get(&f->by_uuid, uuid);
    return h != NULL && (v == NULL || is_in_view(h, v));
}

/* --- orders --- */

static int by_uuid(const void *a, const void *b)
{
    const struct wa_fleet_host *const *x = a, *const *y = b;
    return strcmp((*x)->uuid, (*y)->uuid);
}

/* Letters alike in upper and lower case, as people read a list. */
static int compare_text(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + 32) : x;
        y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + 32) : y;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return *a == *b ? 0 : *a == '\0' ? -1 : 1;
}

#define BY_TEXT(member)                                                                            \
    static int by_##member(const void *a, const void *b)                                           \
    {                                                                                              \
        const struct wa_fleet_host *const *x = a, *const *y = b;                                   \
        int way = compare_text((*x)->member, (*y)->member);                                        \
        return way != 0 ? way : by_uuid(a, b);                                                     \
    }
BY_TEXT(name)
BY_TEXT(fqdn)
BY_TEXT(os)
BY_TEXT(status)

static int by_last_seen(const void *a, const void *b)
{
    const struct wa_fleet_host *const *x = a, *const *y = b;
    return (*x)->last_seen != (*y)->last_seen ? ((*x)->last_seen < (*y)->last_seen ? -1 : 1)
                                              : by_uuid(a, b);
}

static const struct {
    const char *name;
    int (*compare)(const void *, const void *);
} keys[WA_FLEET_KEYS] = {{"name", by_name}, {"fqdn", by_fqdn},     {"uuid", by_uuid},
                         {"os", by_os},     {"status", by_status}, {"last_seen", by_last_seen}};

bool wa_fleet_key_find(struct wa_sv text, enum wa_fleet_key *ret, bool *ret_descending)
{
    bool is_descending = wa_sv_starts(text, "-");
    for (size_t i = 0; i < WA_FLEET_KEYS; i++) {
        if (!wa_sv_eqs(wa_sv_sub(text, is_descending ? 1 : 0, text.n), keys[i].name))
            continue;
        *ret = (enum wa_fleet_key)i;
        *ret_descending = is_descending;
        return true;
    }
    return false;
}

static const struct wa_fleet_host **order_of(struct wa_fleet *f, enum wa_fleet_key key)
{
    const struct wa_fleet_host **order = f->order[key];
    if (f->is_sorted[key] || f->by_uuid.n == 0)
        return order;
    for (size_t i = 0; i < f->by_uuid.n; i++)
        order[i] = &((const struct host *)f->by_uuid.items[i].value)->shown;
    qsort(order, f->by_uuid.n, sizeof(*order), keys[key].compare);
    f->is_sorted[key] = true;
    return order;
}

/* --- finding --- */

struct words {
    char text[TEXT_MAX + 1];
    struct wa_sv items[WORDS_MAX];
    size_t n;
};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum wa_code split_words(const char *text, struct words *w, struct wa_err *err)
{
    if (text == NULL)
        return WA_OK;
    int n = snprintf(w->text, sizeof w->text, "%s", text);
    struct wa_sv rest = wa_sv(w->text), word;
    if (n < 0 || (size_t)n >= sizeof w->text)
        return wa_fail(err, WA_E_USAGE, "a search of more than %u bytes", TEXT_MAX);
    fold(w->text, (size_t)n);
    while (wa_sv_split(&rest, ' ', &word)) {
        if (word.n == 0)
            continue;
        if (w->n == WORDS_MAX)
            return wa_fail(err, WA_E_USAGE, "a search of more than %u words", WORDS_MAX);
        w->items[w->n++] = word;
    }
    return WA_OK;
}

static bool is_meant(const struct wa_fleet_host *s, const struct wa_fleet_query *q,
                     const struct words *w)
{
    const struct host *h = (const struct host *)(const void *)s;
    if ((q->is_reachable && !s->is_reachable) || (q->is_unreachable && s->is_reachable) ||
        (q->seen_before > 0 && s->last_seen >= q->seen_before) ||
        (is_set(q->status) && strcmp(s->status, q->status) != 0) ||
        (is_set(q->after) && strcmp(s->uuid, q->after) <= 0) ||
        (q->only != NULL && !wa_hostset_has(q->only, s->number)) ||
        (q->view != NULL && !is_in_view(h, q->view)))
        return false;
    for (size_t i = 0; i < w->n; i++)
        if (!wa_sv_has(wa_sv_n(h->search, h->search_n), w->items[i]))
            return false;
    return true;
}

enum wa_code wa_fleet_find(struct wa_fleet *f, const struct wa_fleet_query *q,
                           const struct wa_fleet_host **page, size_t *ret_count, size_t *ret_total,
                           struct wa_err *err)
{
    struct words w = {.n = 0};
    size_t n = f->by_uuid.n, found = 0, count = 0;
    if (split_words(q->text, &w, err) != WA_OK)
        return err->code;
    const struct wa_fleet_host **order = order_of(f, q->key);
    for (size_t i = 0; i < n; i++) {
        const struct wa_fleet_host *s = order[q->is_descending ? n - 1 - i : i];
        if (!is_meant(s, q, &w))
            continue;
        if (found >= q->offset && count < q->limit)
            page[count++] = s;
        found++;
    }
    *ret_count = count;
    *ret_total = found;
    return WA_OK;
}
