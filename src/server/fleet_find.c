/* fleet_find.c - lists of the machines: orders, finding, counting.
 *
 * An order is made when it is first asked for; then those whose key has changed since are put in
 * their new places, so that a busy fleet costs a list no sorting of all. Finding is a walk over
 * all of them.
 */
#include "server/fleet_priv.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "os/rand.h"

#define WORDS_MAX 16u
#define SOON 16u /* a walk goes all over the memory: what comes then is asked for now */

static const char *const key_names[WA_FLEET_KEYS] = {
    [WA_FLEET_NAME] = "name",
    [WA_FLEET_FQDN] = "fqdn",
    [WA_FLEET_OS] = "os",
    [WA_FLEET_STATUS] = "status",
    [WA_FLEET_AUDIT] = "audit",
    [WA_FLEET_DESCRIPTION] = "description",
    [WA_FLEET_IPS] = "ips",
    [WA_FLEET_USERS] = "users",
    [WA_FLEET_MANUFACTURER] = "manufacturer",
    [WA_FLEET_MODEL] = "model",
    [WA_FLEET_SERIAL] = "serial",
    [WA_FLEET_AGENT] = "agent",
    [WA_FLEET_DOMAIN] = "domain",
    [WA_FLEET_SITE] = "site",
    [WA_FLEET_UNIT] = "unit",
    [WA_FLEET_WINDOWS] = "windows",
    [WA_FLEET_WAITS] = "waits_for",
    [WA_FLEET_MACS] = "macs",
    [WA_FLEET_LAST_USER] = "last_user",
    [WA_FLEET_DN] = "dn",
    [WA_FLEET_REPOSITORIES] = "repositories",
    [WA_FLEET_REGISTRATION] = "registration",
    [WA_FLEET_UUID] = "uuid",
    [WA_FLEET_REACHABLE] = "reachable",
    [WA_FLEET_LAST_SEEN] = "last_seen",
    [WA_FLEET_REGISTERED_AT] = "registered_at",
    [WA_FLEET_ERRORS] = "errors",
    [WA_FLEET_UPGRADES] = "upgrades",
    [WA_FLEET_ROOT] = "root_version",
    [WA_FLEET_WINDOW] = "window_begin",
    [WA_FLEET_FROZEN] = "frozen_until",
};

const char *wa_fleet_key_name(enum wa_fleet_key k)
{
    return k < WA_FLEET_KEYS ? key_names[k] : "";
}

bool wa_fleet_key_find(struct wa_sv text, enum wa_fleet_key *ret, bool *ret_descending)
{
    bool is_descending = wa_sv_starts(text, "-");
    for (size_t i = 0; i < WA_FLEET_KEYS; i++) {
        if (!wa_sv_eqs(wa_sv_sub(text, is_descending ? 1 : 0, text.n), key_names[i]))
            continue;
        *ret = (enum wa_fleet_key)i;
        *ret_descending = is_descending;
        return true;
    }
    return false;
}

/* --- comparing --- */

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

static int64_t number_of(const struct wa_fleet_host *h, enum wa_fleet_key key)
{
    return key == WA_FLEET_REACHABLE       ? h->is_reachable
           : key == WA_FLEET_LAST_SEEN     ? h->last_seen
           : key == WA_FLEET_REGISTERED_AT ? h->registered_at
           : key == WA_FLEET_ERRORS        ? h->errors
           : key == WA_FLEET_UPGRADES      ? h->upgrades
           : key == WA_FLEET_ROOT          ? h->schedule.root_version
           : key == WA_FLEET_FROZEN        ? h->schedule.frozen_until
                                           : h->schedule.window_begin;
}

/* Whichever of them is compared. */
static void set_numbers(struct wa_fleet_host *h, int64_t number)
{
    h->is_reachable = number != 0;
    h->last_seen = h->registered_at = h->errors = h->upgrades = number;
    h->schedule.root_version = h->schedule.window_begin = h->schedule.frozen_until = number;
}

static int compare(const struct wa_fleet_host *a, const struct wa_fleet_host *b,
                   enum wa_fleet_key key)
{
    int way = 0;
    if (key < WA_FLEET_TEXTS) {
        way = compare_text(a->texts[key], b->texts[key]);
    } else if (key != WA_FLEET_UUID) {
        int64_t x = number_of(a, key), y = number_of(b, key);
        way = x == y ? 0 : x < y ? -1 : 1;
    }
    return way != 0 ? way : strcmp(a->uuid, b->uuid);
}

const char *wa_fleet_value(const struct wa_fleet_host *h, enum wa_fleet_key key, char number[24])
{
    if (key < WA_FLEET_TEXTS)
        return h->texts[key];
    if (key == WA_FLEET_UUID)
        return "";
    (void)snprintf(number, 24, "%lld", (long long)number_of(h, key));
    return number;
}

/* --- orders --- */

typedef const struct wa_fleet_host *item;

/* room: for n. */
static void sort(item *items, size_t n, item *room, enum wa_fleet_key key)
{
    size_t half = n / 2, a = 0, b = half, k = 0;
    if (n < 2)
        return;
    sort(items, half, room, key);
    sort(items + half, n - half, room, key);
    if (compare(items[half - 1], items[half], key) <= 0)
        return;
    memcpy(room, items, half * sizeof *items);
    while (a < half && b < n)
        items[k++] = compare(room[a], items[b], key) <= 0 ? room[a++] : items[b++];
    memcpy(items + k, room + a, (half - a) * sizeof *items);
}

/* The first of the sorted ones that comes behind what. */
static size_t behind(const item *items, size_t n, const struct wa_fleet_host *what,
                     enum wa_fleet_key key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(items[middle], what, key) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Those that may be in the wrong place are taken out, sorted, and put into the right ones. room:
 * for n, twice. */
static void repair(item *items, size_t n, item *room, enum wa_fleet_key key)
{
    size_t kept = 0, moved = 0, end = n;
    for (size_t i = 0; i < n; i++) {
        struct host *h = wa_fleet_full(items[i]);
        if (i + SOON < n)
            WA_PREFETCH(wa_fleet_full(items[i + SOON]));
        if ((h->stale & 1u << key) == 0) {
            items[kept++] = items[i];
            continue;
        }
        h->stale &= ~(1u << key);
        room[moved++] = items[i];
    }
    sort(room, moved, room + n, key);
    while (moved > 0) {
        size_t at = behind(items, kept, room[moved - 1], key);
        memmove(items + at + moved, items + at, (kept - at) * sizeof *items);
        end = at + moved;
        items[end - 1] = room[--moved];
        kept = at;
    }
}

static enum wa_code reserve(struct wa_fleet_order *o, size_t n, struct wa_err *err)
{
    size_t room = o->room > 0 ? o->room : 64;
    while (room < n)
        room *= 2;
    if (room == o->room)
        return WA_OK;
    item *more = wa_calloc(room, sizeof(*more));
    if (more == NULL)
        return wa_nomem(err);
    if (o->items != NULL)
        memcpy(more, o->items, o->room * sizeof(*more));
    wa_free(o->items);
    *o = (struct wa_fleet_order){more, room};
    return WA_OK;
}

enum wa_code wa_fleet_orders_grow(struct wa_fleet *f, struct wa_err *err)
{
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        if (f->order[i].items != NULL && reserve(&f->order[i], f->by_uuid.n + 1, err) != WA_OK)
            return err->code;
    return WA_OK;
}

void wa_fleet_orders_add(struct wa_fleet *f, struct host *h)
{
    h->stale = f->stale = (1u << WA_FLEET_KEYS) - 1;
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        if (f->order[i].items != NULL)
            f->order[i].items[f->by_uuid.n - 1] = &h->shown;
}

void wa_fleet_orders_remove(struct wa_fleet *f, const struct host *h)
{
    for (size_t i = 0; i < WA_FLEET_KEYS; i++) {
        item *items = f->order[i].items;
        size_t at = 0, n = f->by_uuid.n;
        if (items == NULL)
            continue;
        while (at < n && items[at] != &h->shown)
            at++;
        memmove(items + at, items + at + 1, (n - at) * sizeof(*items));
    }
}

static enum wa_code order_of(struct wa_fleet *f, enum wa_fleet_key key, const item **ret,
                             struct wa_err *err)
{
    struct wa_fleet_order *o = &f->order[key];
    size_t n = f->by_uuid.n;
    bool is_new = o->items == NULL;
    if (is_new || (f->stale & 1u << key) != 0) {
        item *room = wa_calloc(2 * n + 1, sizeof(*room));
        if (room == NULL || reserve(o, n, err) != WA_OK) {
            wa_free(room);
            return wa_nomem(err);
        }
        for (size_t i = 0; is_new && i < n; i++) {
            struct host *h = f->by_uuid.items[i].value;
            h->stale |= 1u << key;
            o->items[i] = &h->shown;
        }
        repair(o->items, n, room, key);
        f->stale &= ~(1u << key);
        wa_free(room);
    }
    *ret = o->items;
    return WA_OK;
}

/* --- finding --- */

struct words {
    char text[WA_FLEET_TEXT_MAX + 1];
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
        return wa_fail(err, WA_E_USAGE, "a search of more than %u bytes", WA_FLEET_TEXT_MAX);
    wa_fleet_fold(w->text, (size_t)n);
    while (wa_sv_split(&rest, ' ', &word)) {
        if (word.n == 0)
            continue;
        if (w->n == WORDS_MAX)
            return wa_fail(err, WA_E_USAGE, "a search of more than %u words", WORDS_MAX);
        w->items[w->n++] = word;
    }
    return WA_OK;
}

static bool is_one_of(const char *list, const char *text)
{
    struct wa_sv rest = wa_sv(list), one;
    while (wa_sv_split(&rest, ',', &one))
        if (wa_sv_eqs(one, text))
            return true;
    return false;
}

/* Names of directories are alike in upper and lower case. "=OU=a": there, and not below; "=":
 * nowhere. */
static bool is_below(const char *unit, const char *name)
{
    if (unit[0] == '=')
        return compare_text(name, unit + 1) == 0;
    size_t u = strlen(unit), n = strlen(name);
    return n >= u && compare_text(name + n - u, unit) == 0 && (n == u || name[n - u - 1] == ',');
}

static bool is_text_meant(const char *wanted, const char *text, size_t key)
{
    if (key == WA_FLEET_STATUS || key == WA_FLEET_AUDIT)
        return is_one_of(wanted, text);
    return key == WA_FLEET_UNIT ? is_below(wanted, text) : strcmp(wanted, text) == 0;
}

/* A query, taken apart once. */
struct asked {
    const struct wa_fleet_query *q;
    struct words words;
    size_t keys[WA_FLEET_TEXTS], key_count; /* of q->is, those that are said */
    size_t ranges[WA_FLEET_KEYS], range_count;
    /* Who can't be meant is passed over without looking at its texts. */
    struct wa_fleet_grams grams; /* of all words */
    bool marks[2][256];          /* of the states and audits that are meant */
};

static void mark_all(const char *list, bool marks[256])
{
    struct wa_sv rest = wa_sv(list), one;
    if (!is_set(list))
        memset(marks, true, 256);
    while (wa_sv_split(&rest, ',', &one))
        marks[wa_fleet_mark(one)] = true;
}

static enum wa_code take_apart(const struct wa_fleet_query *q, struct asked *a, struct wa_err *err)
{
    *a = (struct asked){.q = q};
    for (size_t i = 0; i < WA_FLEET_TEXTS; i++)
        if (is_set(q->is[i]))
            a->keys[a->key_count++] = i;
    for (size_t i = 0; i < WA_FLEET_KEYS; i++)
        if (q->ranges[i].is_asked)
            a->ranges[a->range_count++] = i;
    mark_all(q->is_not[WA_FLEET_STATUS] ? "" : q->is[WA_FLEET_STATUS], a->marks[0]);
    mark_all(q->is_not[WA_FLEET_AUDIT] ? "" : q->is[WA_FLEET_AUDIT], a->marks[1]);
    if (split_words(q->text, &a->words, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < a->words.n && !q->is_not_text; i++)
        wa_fleet_grams_add(&a->grams, a->words.items[i].p, a->words.items[i].n);
    return WA_OK;
}

static bool is_in_ranges(const struct wa_fleet_host *s, const struct asked *a)
{
    for (size_t i = 0; i < a->range_count; i++) {
        const struct wa_fleet_range *r = &a->q->ranges[a->ranges[i]];
        int64_t number = number_of(s, (enum wa_fleet_key)a->ranges[i]);
        if ((number >= r->first && number <= r->last) == r->is_not)
            return false;
    }
    return true;
}

static bool has_names(const struct host *h, const struct wa_fleet_query *q)
{
    for (size_t i = 0; i < WA_FLEET_TAGS; i++)
        if (q->has[i] != NULL &&
            wa_fleet_has(h, (enum wa_fleet_tag)i, q->has[i]) == q->is_without[i])
            return false;
    return true;
}

static bool has_words(const struct host *h, const struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (!wa_sv_has(wa_sv_n(h->search, h->search_n), w->items[i]))
            return false;
    return true;
}

static bool is_meant(const struct wa_fleet_host *s, const struct asked *a)
{
    const struct wa_fleet_query *q = a->q;
    const struct host *h = wa_fleet_full(s);
    if (((a->words.n > 0 || a->key_count > 0) &&
         (!a->marks[0][h->marks[0]] || !a->marks[1][h->marks[1]] ||
          !wa_fleet_grams_have(&h->grams, &a->grams))) ||
        (q->is_reachable && !s->is_reachable) || (q->is_unreachable && s->is_reachable) ||
        (q->seen_before > 0 && s->last_seen >= q->seen_before) ||
        (q->seen_after > 0 && s->last_seen < q->seen_after) ||
        (q->only != NULL && !wa_hostset_has(q->only, s->number)) ||
        (q->window != WA_WINDOW_ALL &&
         (wa_fleet_window_of(&s->schedule, q->now) == q->window) == q->is_not_window) ||
        (q->view != NULL && !wa_fleet_has(h, WA_FLEET_IN, q->view)) || !has_names(h, q) ||
        !is_in_ranges(s, a))
        return false;
    for (size_t i = 0; i < a->key_count; i++)
        if (is_text_meant(q->is[a->keys[i]], s->texts[a->keys[i]], a->keys[i]) ==
            q->is_not[a->keys[i]])
            return false;
    return a->words.n == 0 || has_words(h, &a->words) != q->is_not_text;
}

static void look_ahead(const struct asked *a, const item *order, size_t n, size_t i, bool is_down)
{
    if (i + SOON < n)
        WA_PREFETCH(wa_fleet_full(order[is_down ? n - 1 - i - SOON : i + SOON]));
    if (i + SOON / 2 >= n || a->key_count == 0 || a->words.n > 0)
        return;
    item next = order[is_down ? n - 1 - i - SOON / 2 : i + SOON / 2];
    WA_PREFETCH(next->texts[a->keys[0]]);
}

/* How many of the order, as it is walked, are not behind what the page is after. */
static size_t before_page(const struct wa_fleet_query *q, const item *order, size_t n)
{
    struct wa_fleet_host last = {.uuid = q->after_uuid};
    int64_t number = 0;
    if (q->after_uuid == NULL)
        return 0;
    if (q->key < WA_FLEET_TEXTS)
        last.texts[q->key] = q->after_value;
    (void)wa_sv_i64(wa_sv(q->after_value), &number);
    set_numbers(&last, number);
    size_t at = behind(order, n, &last, q->key);
    bool is_there = at > 0 && compare(order[at - 1], &last, q->key) == 0;
    return q->is_descending ? n - at + is_there : at;
}

enum wa_code wa_fleet_find(struct wa_fleet *f, const struct wa_fleet_query *q,
                           const struct wa_fleet_host **page, size_t *ret_count, size_t *ret_total,
                           struct wa_err *err)
{
    struct asked a;
    size_t n = f->by_uuid.n, found = 0, count = 0, passed = 0;
    const item *order = NULL;
    if (take_apart(q, &a, err) != WA_OK || order_of(f, q->key, &order, err) != WA_OK)
        return err->code;
    size_t first = before_page(q, order, n);
    for (size_t i = 0; i < n; i++) {
        item s = order[q->is_descending ? n - 1 - i : i];
        look_ahead(&a, order, n, i, q->is_descending);
        if (!is_meant(s, &a))
            continue;
        found++;
        if (i >= first && passed++ >= q->offset && count < q->limit)
            page[count++] = s;
    }
    *ret_count = count;
    *ret_total = found;
    return WA_OK;
}

/* --- counting --- */

void wa_fleet_sum(const struct wa_fleet *f, const struct wa_fleet_view *view, int64_t seen_before,
                  struct wa_fleet_sums *ret)
{
    *ret = (struct wa_fleet_sums){.total = 0};
    for (size_t i = 0; i < f->by_uuid.n; i++) {
        const struct host *h = f->by_uuid.items[i].value;
        const struct wa_fleet_host *s = &h->shown;
        if (view != NULL && !wa_fleet_has(h, WA_FLEET_IN, view))
            continue;
        ret->total++;
        ret->reachable += s->is_reachable;
        ret->unseen += s->last_seen < seen_before;
        ret->errors += strcmp(s->status, "ERROR") == 0;
        ret->to_upgrade += strcmp(s->status, "TO-UPGRADE") == 0;
        ret->audit_errors += strcmp(s->audit, "ERROR") == 0;
        ret->audit_warnings += strcmp(s->audit, "WARNING") == 0;
    }
}

enum wa_code wa_fleet_view_like(const struct wa_fleet *f, enum wa_fleet_tag tag,
                                struct wa_sv patterns, struct wa_fleet_view *ret,
                                struct wa_err *err)
{
    size_t n = wa_fleet_name_count(f, tag);
    struct wa_sv one;
    bool *is_in = wa_calloc(n + 1, sizeof *is_in);
    if (is_in == NULL)
        return wa_nomem(err);
    while (wa_sv_split(&patterns, ',', &one))
        for (size_t i = 0; i < n; i++)
            is_in[i] = is_in[i] || wa_fnmatch(wa_sv_trim(one), wa_fleet_name(f, tag, i));
    *ret = (struct wa_fleet_view){is_in, n};
    return WA_OK;
}

static enum wa_code add_one(struct wa_map *counts, struct wa_sv value, struct wa_err *err)
{
    uintptr_t n = (uintptr_t)wa_map_get(counts, value);
    return wa_map_put(counts, value, (void *)(n + 1), NULL, err);
}

static enum wa_code add_all(struct wa_fleet *f, const struct host *h, int by, int64_t now,
                            struct wa_map *counts, struct wa_err *err)
{
    enum wa_fleet_tag tag = (enum wa_fleet_tag)(by - WA_FLEET_KEYS);
    enum wa_fleet_window window = wa_fleet_window_of(&h->shown.schedule, now);
    char number[24];
    if (by < WA_FLEET_KEYS)
        return add_one(counts, wa_sv(wa_fleet_value(&h->shown, (enum wa_fleet_key)by, number)),
                       err);
    if (by == WA_FLEET_BY_WINDOW)
        return add_one(counts, wa_sv(wa_fleet_window_name(window)), err);
    for (size_t k = 0; k < h->tags[tag].n; k++)
        if (add_one(counts, wa_fleet_name(f, tag, h->tags[tag].items[k]), err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_fleet_count_by(struct wa_fleet *f, const struct wa_fleet_query *q, int by,
                               wa_fleet_count_fn fn, void *user, struct wa_err *err)
{
    struct asked a;
    WA_AUTO_MAP struct wa_map counts = {.n = 0};
    if (take_apart(q, &a, err) != WA_OK || wa_rand_map(&counts, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < f->by_uuid.n; i++) {
        const struct host *h = f->by_uuid.items[i].value;
        if (is_meant(&h->shown, &a) && add_all(f, h, by, q->now, &counts, err) != WA_OK)
            return err->code;
    }
    for (size_t i = 0; i < counts.n; i++)
        fn(user, wa_sv_n(counts.items[i].key, counts.items[i].key_n),
           (size_t)(uintptr_t)counts.items[i].value);
    return WA_OK;
}
