/* local_targets.c - which machines a page means, with the names that the server has for them. A
 * uuid says which; a name is for people alone. */
#include "base/mem.h"
#include "base/utf8.h"
#include "console/local_kind.h"
#include "proto/hostid.h"

#include <stdlib.h>

#define ONE_BY_ONE 20u /* beyond, the whole list is cheaper */

static struct wa_sv uuid_of(const struct wa_json *host)
{
    return wa_json_sv(wa_json_get(host, "uuid"));
}

struct row { /* looked up once: each is compared many times */
    struct wa_sv uuid;
    const struct wa_json *host;
};

static int by_uuid(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return wa_sv_cmp(x->uuid, y->uuid);
}

static int has_uuid(const void *key, const void *item)
{
    const struct wa_sv *uuid = key;
    const struct row *row = item;
    return wa_sv_cmp(*uuid, row->uuid);
}

/* By uuid; owned by the caller. */
static enum wa_code rows_of(const struct wa_host_list *list, struct row **ret, struct wa_err *err)
{
    struct row *rows = wa_calloc(list->n + 1, sizeof *rows);
    if (rows == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < list->n; i++)
        rows[i] = (struct row){uuid_of(list->items[i]), list->items[i]};
    qsort(rows, list->n, sizeof *rows, by_uuid);
    *ret = rows;
    return WA_OK;
}

/* The row of one machine, found by its uuid as a word to search for. */
static enum wa_code fetch_one(struct wa_client *client, struct wa_sv uuid, struct wa_arena *arena,
                              struct wa_host_list *list, struct wa_err *err)
{
    char path[64 + WA_UUID_MAX];
    const struct wa_json *j = NULL;
    (void)snprintf(path, sizeof path, "/api/v1/hosts?limit=50&search=%.*s", WA_SV_ARG(uuid));
    if (wa_client_call(client, "GET", path, WA_SV(""), arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *rows = wa_json_get(j, "hosts");
    for (size_t i = 0; i < wa_json_count(rows); i++) {
        if (!wa_sv_eq(uuid_of(wa_json_at(rows, i)), uuid))
            continue;
        const struct wa_json **slot = WA_VEC_PUSH(list);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = wa_json_at(rows, i);
        break;
    }
    return WA_OK;
}

static enum wa_code fetch(struct wa_client *client, const struct wa_json *uuids,
                          struct wa_arena *arena, struct wa_host_list *list, struct wa_err *err)
{
    size_t count = wa_json_count(uuids);
    for (size_t i = 0; i < count; i++)
        if (!wa_hostid_is_valid(wa_json_sv(wa_json_at(uuids, i))))
            return wa_fail(err, WA_E_INVALID, "'%.*s' is no machine's uuid",
                           WA_SV_ARG(wa_json_sv(wa_json_at(uuids, i))));
    if (count > ONE_BY_ONE)
        return wa_host_list_read(client, WA_HOST_LIST_NAMES, arena, list, err);
    for (size_t i = 0; i < count; i++)
        if (fetch_one(client, wa_json_sv(wa_json_at(uuids, i)), arena, list, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static void take(struct wa_target *t, const struct wa_json *host)
{
    struct wa_sv uuid = uuid_of(host), name = wa_json_sv(wa_json_get(host, "name"));
    if (name.n >= sizeof t->name)
        name.n = wa_utf8_cut(name.p, sizeof t->name - 1);
    (void)snprintf(t->uuid, sizeof t->uuid, "%.*s", WA_SV_ARG(uuid));
    (void)snprintf(t->name, sizeof t->name, "%.*s", WA_SV_ARG(name));
    t->is_reachable = wa_json_bool(wa_json_get(host, "reachable"));
}

static enum wa_code choose(const struct wa_json *uuids, const struct row *rows, size_t count,
                           struct wa_targets *t, struct wa_err *err)
{
    t->items = wa_calloc(wa_json_count(uuids), sizeof *t->items);
    if (t->items == NULL)
        return wa_nomem(err);
    for (; t->count < wa_json_count(uuids); t->count++) {
        struct wa_sv uuid = wa_json_sv(wa_json_at(uuids, t->count));
        const struct row *found = bsearch(&uuid, rows, count, sizeof *rows, has_uuid);
        if (found == NULL)
            return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%.*s'", WA_SV_ARG(uuid));
        take(&t->items[t->count], found->host);
    }
    wa_targets_sort(t);
    for (size_t i = 1; i < t->count; i++)
        if (strcmp(t->items[i - 1].uuid, t->items[i].uuid) == 0)
            return wa_fail(err, WA_E_INVALID, "the host '%s' is named twice", t->items[i].uuid);
    return WA_OK;
}

enum wa_code wa_local_targets(struct wa_client *client, const struct wa_json *uuids,
                              struct wa_targets *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_AUTO_TARGETS struct wa_targets t = {0};
    struct row *rows = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (wa_json_count(uuids) == 0)
        return wa_fail(err, WA_E_INVALID, "no machine is named");
    if (fetch(client, uuids, &arena, &list, err) != WA_OK || rows_of(&list, &rows, err) != WA_OK)
        return err->code;
    if (choose(uuids, rows, list.n, &t, err) == WA_OK) {
        *ret = t;
        t = (struct wa_targets){0};
    }
    wa_free(rows);
    return err->code;
}

enum wa_code wa_local_anchors(const struct wa_local_prepared *p, struct wa_trust **ret,
                              struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (p->options->trusted == NULL)
        return wa_fail(err, WA_E_CONFIG,
                       "whose packages count? Set public_certs_dir in waptconsole.ini");
    if (wa_trust_new(&anchors, err) != WA_OK ||
        wa_trust_add_dir(anchors, p->options->trusted, err) != WA_OK)
        return wa_wrap(err, "trusted certificates");
    *ret = WA_TAKE(anchors);
    return WA_OK;
}

/* A list of texts as a comma list, in the arena. */
static enum wa_code join(const struct wa_json *list, struct wa_arena *arena, const char **ret,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 256u << 10);
    if (list == NULL || wa_json_count(list) == 0)
        return WA_OK;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv item = wa_json_sv(wa_json_at(list, i));
        wa_buf_addf(&out, "%s%.*s", i > 0 ? "," : "", WA_SV_ARG(item));
    }
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    *ret = wa_arena_strdup(arena, wa_buf_sv(&out));
    return *ret != NULL ? WA_OK : wa_nomem(err);
}

enum wa_code wa_local_wish(const struct wa_local_lists *from, struct wa_arena *arena,
                           struct wa_assign_wish *ret, struct wa_err *err)
{
    const char **where[WA_LOCAL_LISTS] = {&ret->add,           &ret->remove,
                                          &ret->add_conflicts, &ret->remove_conflicts,
                                          &ret->hold,          &ret->unhold};
    const struct {
        struct wa_sv from;
        const char **to;
    } times[] = {{from->windows, &ret->windows}, {from->freezes, &ret->freezes}};
    for (size_t i = 0; i < WA_LOCAL_LISTS; i++)
        if (join(from->lists[i], arena, where[i], err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < WA_COUNT(times); i++) {
        if (times[i].from.p == NULL)
            continue;
        *times[i].to = wa_arena_strdup(arena, wa_sv_trim(times[i].from));
        if (*times[i].to == NULL)
            return wa_nomem(err);
    }
    return wa_assign_check(ret, err);
}
