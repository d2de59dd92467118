/* hosts.c - see hosts.h. It decides nothing about what a machine may do: it finds uuids, and what
 * is signed names these alone.
 */
#include "console/hosts.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "proto/hostid.h"

#include <stdlib.h>

#define HOSTS_PAGE 5000u

static struct wa_sv text_of(const struct wa_json *host, const char *key)
{
    const struct wa_json *j = wa_json_get(host, key);
    return wa_json_is(j, WA_JSON_STRING) ? wa_json_sv(j) : WA_SV(""); /* a number is no uuid */
}

/* ASCII letters made small; cut at n. Names of machines are compared without regard to case. */
static struct wa_sv small(struct wa_sv text, char *out, size_t n)
{
    size_t k = text.n < n ? text.n : n;
    for (size_t i = 0; i < k; i++)
        out[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + ('a' - 'A') : text.p[i]);
    return wa_sv_n(out, k);
}

static bool is_like(struct wa_sv pattern, struct wa_sv text)
{
    char p[512], t[512];
    return wa_fnmatch(small(pattern, p, sizeof p), small(text, t, sizeof t));
}

static bool is_same(struct wa_sv a, struct wa_sv b)
{
    char p[512], t[512];
    return a.n == b.n && a.n > 0 && wa_sv_eq(small(a, p, sizeof p), small(b, t, sizeof t));
}

static bool is_any_like(const struct wa_json *host, struct wa_sv pattern)
{
    return is_like(pattern, text_of(host, "uuid")) || is_like(pattern, text_of(host, "name")) ||
           is_like(pattern, text_of(host, "fqdn"));
}

/* --- the list --- */

void wa_host_list_fini(struct wa_host_list *l)
{
    WA_VEC_FREE(l);
}

enum wa_code wa_host_list_add(struct wa_host_list *l, const struct wa_json *page,
                              struct wa_err *err)
{
    if (!wa_json_is(page, WA_JSON_ARRAY))
        return wa_fail(err, WA_E_INVALID, "the server's answer has no list of hosts");
    for (size_t i = 0; i < wa_json_count(page); i++) {
        const struct wa_json *h = wa_json_at(page, i);
        struct wa_sv uuid = text_of(h, "uuid");
        if (!wa_hostid_is_valid(uuid))
            return wa_fail(err, WA_E_INVALID, "the server's list of hosts has one without a uuid");
        if (l->n > 0 && wa_sv_cmp(text_of(l->items[l->n - 1], "uuid"), uuid) >= 0)
            return wa_fail(err, WA_E_INVALID, "the server's list of hosts is not in its order");
        const struct wa_json **slot = WA_VEC_PUSH(l);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = h;
    }
    return WA_OK;
}

struct named { /* looked up once: each is compared many times */
    struct wa_sv name, uuid;
    const struct wa_json *host;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int way = wa_sv_cmp(x->name, y->name);
    return way != 0 ? way : wa_sv_cmp(x->uuid, y->uuid);
}

enum wa_code wa_host_list_sort(struct wa_host_list *l, struct wa_err *err)
{
    struct named *all = wa_calloc(l->n + 1, sizeof *all);
    if (all == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < l->n; i++)
        all[i] =
            (struct named){text_of(l->items[i], "name"), text_of(l->items[i], "uuid"), l->items[i]};
    qsort(all, l->n, sizeof *all, by_name);
    for (size_t i = 0; i < l->n; i++)
        l->items[i] = all[i].host;
    wa_free(all);
    return WA_OK;
}

enum wa_code wa_host_list_read(struct wa_client *c, const char *query, struct wa_arena *arena,
                               struct wa_host_list *list, struct wa_err *err)
{
    struct wa_sv next = {NULL, 0};
    unsigned limit = strstr(query, "&columns=") != NULL ? WA_COLUMNS_PAGE_MAX : HOSTS_PAGE;
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 32u << 10);
    do {
        const struct wa_json *j = NULL;
        size_t before = list->n;
        wa_buf_clear(&path);
        wa_buf_addf(&path, "/api/v1/hosts?sort=uuid&limit=%u%s%.*s%s", limit,
                    next.n > 0 ? "&after=" : "", WA_SV_ARG(next), query);
        if (wa_buf_check(&path, err) != WA_OK ||
            wa_client_call(c, "GET", wa_buf_str(&path), WA_SV(""), arena, &j, err) != WA_OK ||
            wa_host_list_add(list, wa_json_get(j, "hosts"), err) != WA_OK)
            return err->code;
        next = wa_json_sv(wa_json_get(j, "next"));
        if (list->n == before)
            break; /* whatever the server says, it goes on */
    } while (next.n > 0);
    return WA_OK;
}

enum wa_code wa_host_list_fetch(struct wa_client *c, const char *query, struct wa_arena *arena,
                                struct wa_host_list *list, struct wa_err *err)
{
    return wa_host_list_read(c, query, arena, list, err) == WA_OK ? wa_host_list_sort(list, err)
                                                                  : err->code;
}

/* --- targets --- */

void wa_targets_fini(struct wa_targets *t)
{
    wa_free(t->items);
    *t = (struct wa_targets){0};
}

static enum wa_code mark_pattern(const struct wa_host_list *hosts, struct wa_sv word, bool *chosen,
                                 struct wa_err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < hosts->n; i++)
        if (is_any_like(hosts->items[i], word)) {
            chosen[i] = true;
            found++;
        }
    return found > 0 ? WA_OK
                     : wa_fail(err, WA_E_NOT_FOUND, "no host matches '%.*s'", WA_SV_ARG(word));
}

static enum wa_code mark_name(const struct wa_host_list *hosts, struct wa_sv word, bool *chosen,
                              struct wa_err *err)
{
    size_t found = 0, which = 0;
    for (size_t i = 0; i < hosts->n; i++) {
        const struct wa_json *h = hosts->items[i];
        if (is_same(text_of(h, "uuid"), word)) { /* certain, unlike names */
            chosen[i] = true;
            return WA_OK;
        }
        if (is_same(text_of(h, "name"), word) || is_same(text_of(h, "fqdn"), word)) {
            which = i;
            found++;
        }
    }
    if (found == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%.*s'", WA_SV_ARG(word));
    if (found > 1)
        return wa_fail(err, WA_E_CONFLICT, "%zu hosts are called '%.*s': name the uuid", found,
                       WA_SV_ARG(word));
    chosen[which] = true;
    return WA_OK;
}

static enum wa_code mark(const struct wa_host_list *hosts, struct wa_sv words, bool *chosen,
                         struct wa_err *err)
{
    struct wa_sv word;
    size_t count = 0;
    while (wa_csv_next(&words, &word)) {
        bool is_pattern = false;
        for (size_t i = 0; i < word.n; i++)
            is_pattern = is_pattern || strchr("*?[", word.p[i]) != NULL;
        if ((is_pattern ? mark_pattern : mark_name)(hosts, word, chosen, err) != WA_OK)
            return err->code;
        count++;
    }
    return count > 0 ? WA_OK : wa_fail(err, WA_E_USAGE, "no host is named");
}

static int by_uuid(const void *a, const void *b)
{
    return strcmp(((const struct wa_target *)a)->uuid, ((const struct wa_target *)b)->uuid);
}

void wa_targets_sort(struct wa_targets *t)
{
    if (t->count > 0)
        qsort(t->items, t->count, sizeof *t->items, by_uuid);
}

struct wa_target *wa_targets_find(const struct wa_targets *t, struct wa_sv uuid)
{
    struct wa_target key;
    if (uuid.n >= sizeof key.uuid || t->count == 0)
        return NULL;
    memcpy(key.uuid, uuid.p, uuid.n);
    key.uuid[uuid.n] = '\0';
    return bsearch(&key, t->items, t->count, sizeof *t->items, by_uuid);
}

static enum wa_code take(const struct wa_host_list *hosts, const bool *chosen, size_t max,
                         struct wa_targets *t, struct wa_err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < hosts->n; i++)
        count += chosen[i];
    if (count > max)
        return wa_fail(err, WA_E_LIMIT, "%zu hosts are more than %zu at once", count, max);
    t->items = wa_calloc(count, sizeof *t->items);
    if (t->items == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < hosts->n; i++) {
        const struct wa_json *h = hosts->items[i];
        struct wa_target *one = &t->items[t->count];
        if (!chosen[i])
            continue;
        if (wa_hostid_copy(text_of(h, "uuid"), one->uuid, err) != WA_OK)
            return wa_wrap(err, "the server's list of hosts");
        struct wa_sv name = text_of(h, "name");
        if (name.n >= sizeof one->name)
            name.n = wa_utf8_cut(name.p, sizeof one->name - 1);
        (void)snprintf(one->name, sizeof one->name, "%.*s", WA_SV_ARG(name));
        one->is_reachable = wa_json_bool(wa_json_get(h, "reachable"));
        t->count++;
    }
    return WA_OK;
}

enum wa_code wa_targets_choose(const struct wa_host_list *hosts, struct wa_sv words, size_t max,
                               struct wa_targets *ret, struct wa_err *err)
{
    WA_AUTO_TARGETS struct wa_targets t = {0};
    bool *chosen = wa_calloc(hosts->n + 1, sizeof *chosen);
    if (chosen == NULL)
        return wa_nomem(err);
    enum wa_code code = mark(hosts, words, chosen, err);
    if (code == WA_OK)
        code = take(hosts, chosen, max, &t, err);
    wa_free(chosen);
    if (code != WA_OK)
        return code;
    *ret = t;
    t = (struct wa_targets){0};
    return WA_OK;
}

/* --- filter --- */

bool wa_host_matches(const struct wa_json *host, const struct wa_host_filter *f)
{
    bool is_reachable = wa_json_bool(wa_json_get(host, "reachable")), found = f->pattern_count == 0;
    int64_t seen = 0;
    (void)wa_json_i64(wa_json_get(host, "last_seen"), &seen);
    for (size_t i = 0; i < f->pattern_count && !found; i++)
        found = is_any_like(host, wa_sv(f->patterns[i]));
    return found &&
           (f->status == NULL ||
            is_same(text_of(host, "status"), wa_sv(f->status)) != f->is_not_status) &&
           (f->os == NULL || is_like(wa_sv(f->os), text_of(host, "os")) != f->is_not_os) &&
           (!f->is_connected || is_reachable) && (!f->is_disconnected || !is_reachable) &&
           (f->seen_before == 0 || seen < f->seen_before);
}
