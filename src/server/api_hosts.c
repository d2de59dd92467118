/* api_hosts.c - the machines: as a list, one as it describes itself, and forgotten. */
#include "base/mem.h"
#include "base/vec.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "server/api_hostlist.h"
#include "server/api_search.h"
#include "server/columns.h"
#include "server/store_authority.h"

#include <stdlib.h>

#define PAGE 1000              /* machines, when nothing is said */
#define PAGE_MAX 10000         /* and at most */
#define FACETS_MAX 1000        /* values of each kind, unless more are asked for */
#define FACETS_LIMIT_MAX 10000 /* a tree of all organisational units */

/* --- a row: all of it, or what is asked for --- */

enum { /* behind the keys of the fleet */
       HAS_GROUPS = WA_FLEET_KEYS,
       HAS_HELD,
       HAS_ORDERERS,
       HAS_WINDOW_END,
       HAS_COUNT
};
static const struct {
    const char *name;
    enum wa_fleet_tag tag;
} lists[] = {[HAS_GROUPS - HAS_GROUPS] = {"groups", WA_FLEET_IN},
             [HAS_HELD - HAS_GROUPS] = {"held", WA_FLEET_HELD},
             [HAS_ORDERERS - HAS_GROUPS] = {"orderers", WA_FLEET_ORDERERS}};

static const char *member_name(int member)
{
    if (member < WA_FLEET_KEYS)
        return wa_fleet_key_name((enum wa_fleet_key)member);
    if (member < HAS_WINDOW_END)
        return lists[member - HAS_GROUPS].name;
    return "window_end";
}

static enum wa_code read_fields(const struct wa_api_call *c, uint64_t *ret, struct wa_err *err)
{
    char text[512];
    struct wa_sv rest, one;
    if (wa_api_text(c, "fields", text, sizeof text, err) != WA_OK)
        return err->code;
    *ret = text[0] == '\0' ? UINT64_MAX : 1ull << WA_FLEET_UUID;
    for (rest = wa_sv(text); wa_csv_next(&rest, &one);) {
        int member = 0;
        while (member < HAS_COUNT && !wa_sv_eqs(one, member_name(member)))
            member++;
        if (member == HAS_COUNT)
            return wa_fail(err, WA_E_USAGE, "'fields' takes members of a machine's row, not '%.*s'",
                           WA_SV_ARG(one));
        *ret |= 1ull << member;
    }
    return WA_OK;
}

static void write_list(struct wa_jw *w, const struct wa_fleet *f, const struct wa_fleet_host *h,
                       int member)
{
    struct wa_sv name;
    wa_jw_key(w, member_name(member));
    wa_jw_arr(w);
    for (size_t i = 0; wa_fleet_host_name(f, h, lists[member - HAS_GROUPS].tag, i, &name); i++)
        wa_jw_sv(w, name);
    wa_jw_end(w);
}

/* What the machines of a page report at the paths asked for, in the page's order. */
struct values {
    size_t columns;                 /* 0: none were asked for */
    char (*uuids)[WA_UUID_MAX + 1]; /* owned */
    size_t count, at, known;        /* known: so many have rows */
    const struct wa_json **rows;    /* owned, in the arena's memory */
    struct wa_arena arena;
};
#define SLICE 50u /* machines of one question: others are answered before the next one */

/* A machine that has come since has said nothing. */
static void write_values(struct wa_jw *w, struct values *v, const char *uuid)
{
    const struct wa_json *row = NULL;
    for (size_t i = 0; i < v->count && row == NULL; i++) {
        size_t at = (v->at + i) % v->count; /* mostly the next one */
        if (strcmp(v->uuids[at], uuid) == 0) {
            row = v->rows[at];
            v->at = at + 1;
        }
    }
    wa_jw_key(w, "values");
    wa_jw_arr(w);
    for (size_t i = 0; i < v->columns; i++)
        wa_jw_sv(w, wa_json_sv(wa_json_at(row, i)));
    wa_jw_end(w);
}

static void write_host(struct wa_jw *w, const struct wa_fleet *f, const struct wa_fleet_host *h,
                       uint64_t fields, struct values *v)
{
    const struct {
        int member;
        int64_t value;
    } numbers[] = {{WA_FLEET_LAST_SEEN, h->last_seen},
                   {WA_FLEET_REGISTERED_AT, h->registered_at},
                   {WA_FLEET_ERRORS, h->errors},
                   {WA_FLEET_UPGRADES, h->upgrades},
                   {WA_FLEET_ROOT, h->schedule.root_version},
                   {WA_FLEET_WINDOW, h->schedule.window_begin},
                   {HAS_WINDOW_END, h->schedule.window_end},
                   {WA_FLEET_FROZEN, h->schedule.frozen_until}};
    wa_jw_obj(w);
    wa_jw_kv(w, "uuid", h->uuid);
    for (int i = 0; i < WA_FLEET_TEXTS; i++)
        if ((fields >> i & 1u) != 0)
            wa_jw_kv(w, member_name(i), h->texts[i]);
    if ((fields >> WA_FLEET_REACHABLE & 1u) != 0)
        wa_jw_kvb(w, "reachable", h->is_reachable);
    for (size_t i = 0; i < WA_COUNT(numbers); i++)
        if ((fields >> numbers[i].member & 1u) != 0)
            wa_jw_kvi(w, member_name(numbers[i].member), numbers[i].value);
    for (int i = HAS_GROUPS; i < HAS_WINDOW_END; i++)
        if ((fields >> i & 1u) != 0)
            write_list(w, f, h, i);
    if (v->columns > 0)
        write_values(w, v, h->uuid);
    wa_jw_end(w);
}

/* One more than the page is asked for, to know whether there is a next one. */
static enum wa_code write_page(struct wa_fleet *fleet, struct wa_api_hostlist *l, uint64_t fields,
                               struct values *v, struct wa_buf *out, struct wa_err *err)
{
    size_t count = 0, total = 0, limit = l->query.limit;
    char number[24];
    struct wa_jw w;
    const struct wa_fleet_host **page = wa_calloc(limit + 1, sizeof *page);
    if (page == NULL)
        return wa_nomem(err);
    wa_api_hostlist_ready(l);
    l->query.limit++;
    if (wa_fleet_find(fleet, &l->query, page, &count, &total, err) == WA_OK) {
        wa_jw_init(&w, out);
        wa_jw_obj(&w);
        wa_jw_kvi(&w, "total", (int64_t)total);
        wa_jw_key(&w, "hosts");
        wa_jw_arr(&w);
        for (size_t i = 0; i < count && i < limit; i++)
            write_host(&w, fleet, page[i], fields, v);
        wa_jw_end(&w);
        if (count > limit && limit > 0)
            wa_api_page_next(&w, &l->page, wa_fleet_value(page[limit - 1], l->query.key, number),
                             page[limit - 1]->uuid);
        wa_jw_end(&w);
    }
    wa_free(page);
    return err->code == WA_OK ? wa_buf_check(out, err) : err->code;
}

/* --- lists by, or of, what machines have: the search process is asked first --- */

struct wait {
    struct wa_store_request *request;
    struct wa_api_hostlist list;
    uint64_t fields;
    struct wa_hostset only; /* machines that are meant, where that is not all */
    bool is_all;
    struct values values;
    char columns[WA_API_COLUMNS]; /* as they were asked for */
};

static void wait_free(struct wait *w)
{
    if (w != NULL) {
        wa_hostset_fini(&w->only);
        wa_api_hostlist_fini(&w->list);
        wa_free(w->values.uuids);
        wa_free(w->values.rows);
        wa_arena_fini(&w->values.arena);
    }
    wa_free(w);
}

static void answer(struct wa_store *s, struct wait *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    if (err->code == WA_OK &&
        write_page(s->fleet, &w->list, w->fields, &w->values, &out, err) == WA_OK)
        wa_store_answer(w->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(w->request, err);
    wait_free(w);
}

static enum wa_code ask_slice(struct wait *w, struct wa_err *err);

/* The rows of a slice, kept until the page is whole. */
static enum wa_code take_values(struct values *v, struct wa_sv payload, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    char *copy = wa_arena_strdup(&v->arena, payload);
    if (copy == NULL)
        return wa_nomem(err);
    if (wa_json_answer(wa_sv_n(copy, payload.n), &v->arena, &j, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < SLICE && v->known < v->count; i++)
        v->rows[v->known++] = wa_json_at(wa_json_get(j, "rows"), i);
    return WA_OK;
}

static void on_values(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wait *w = user;
    struct wa_err err = WA_ERR_INIT;
    bool is_whole = take_values(&w->values, payload, &err) != WA_OK ||
                    w->values.known == w->values.count || ask_slice(w, &err) != WA_OK;
    if (is_whole)
        answer(s, w, &err);
}

/* A slice after the other, so that the search process answers others in between. */
static enum wa_code ask_slice(struct wait *w, struct wa_err *err)
{
    const struct values *v = &w->values;
    const char *uuids[SLICE];
    size_t n = 0;
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    for (; n < SLICE && v->known + n < v->count; n++)
        uuids[n] = v->uuids[v->known + n];
    wa_search_write_columns(w->columns, uuids, n, &question);
    return wa_api_search_ask(w->request, &question, on_values, w, err);
}

/* Of the machines that the page has now; when it is written it may have others. */
static enum wa_code ask_values(struct wa_store *s, struct wait *w, struct wa_err *err)
{
    struct values *v = &w->values;
    size_t total = 0, limit = w->list.query.limit;
    const struct wa_fleet_host **page = wa_calloc(limit + 1, sizeof *page);
    enum wa_code code = WA_OK;
    wa_arena_init(&v->arena, 8u * WA_IPC_MESSAGE_MAX);
    v->uuids = wa_calloc(limit + 1, sizeof *v->uuids);
    v->rows = wa_calloc(limit + 1, sizeof *v->rows);
    if (page == NULL || v->uuids == NULL || v->rows == NULL)
        code = wa_nomem(err);
    wa_api_hostlist_ready(&w->list);
    if (code == WA_OK)
        code = wa_fleet_find(s->fleet, &w->list.query, page, &v->count, &total, err);
    for (size_t i = 0; code == WA_OK && i < v->count; i++)
        (void)snprintf(v->uuids[i], sizeof v->uuids[i], "%s", page[i]->uuid);
    if (code == WA_OK)
        code = ask_slice(w, err);
    wa_free(page);
    return code;
}

static enum wa_code take_found(struct wait *w, struct wa_sv payload, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOSTSET struct wa_hostset found = {NULL, 0, 0};
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_IPC_MESSAGE_MAX);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK ||
        wa_hostset_read(wa_json_sv(wa_json_get(j, "hosts")), &found, err) != WA_OK)
        return err->code;
    if (!w->is_all)
        wa_hostset_cut(&found, &w->only);
    wa_hostset_fini(&w->only);
    w->only = found;
    found = (struct wa_hostset){NULL, 0, 0};
    w->list.query.only = &w->only;
    return WA_OK;
}

static void on_found(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wait *w = user;
    struct wa_err err = WA_ERR_INIT;
    if (take_found(w, payload, &err) != WA_OK || w->values.columns == 0 ||
        ask_values(s, w, &err) != WA_OK)
        answer(s, w, &err);
}

static enum wa_code ask_first(struct wa_api_call *c, struct wait *w,
                              const struct wa_search_hosts *q, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    w->request = c->request;
    w->list.query.view = NULL;
    if (wa_api_among(c, &w->only, &w->is_all, err) != WA_OK)
        return err->code;
    w->list.query.only = w->is_all ? NULL : &w->only;
    if (!wa_search_is_asked(q))
        return ask_values(c->store, w, err);
    wa_search_write_hosts(q, &question);
    return wa_api_search_ask(w->request, &question, on_found, w, err);
}

/* Takes the list over. */
static enum wa_code list_later(struct wa_api_call *c, struct wa_api_hostlist *l, uint64_t fields,
                               const struct wa_search_hosts *q, const char *columns,
                               size_t column_count, struct wa_err *err)
{
    struct wait *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    w->list = *l;
    w->fields = fields;
    w->values.columns = column_count;
    (void)snprintf(w->columns, sizeof w->columns, "%s", columns);
    memset(l->views, 0, sizeof l->views);
    if (ask_first(c, w, q, err) != WA_OK)
        wait_free(w);
    else
        c->is_later = true;
    return err->code;
}

static enum wa_code call_hosts(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_api_hostlist l = {.has_view = {false}};
    struct wa_api_search search;
    struct wa_columns columns;
    struct values none = {.columns = 0};
    char text[WA_API_COLUMNS];
    uint64_t fields = 0;
    if (wa_api_text(c, "columns", text, sizeof text, err) == WA_OK &&
        wa_columns_read(wa_sv(text), &columns, err) == WA_OK &&
        wa_api_hostlist_read(c, PAGE, columns.n > 0 ? WA_COLUMNS_PAGE_MAX : PAGE_MAX, &l, err) ==
            WA_OK &&
        read_fields(c, &fields, err) == WA_OK && wa_api_search_read(c, &search, err) == WA_OK &&
        wa_api_hostlist_lacks(&l, &search.hosts, err) == WA_OK)
        (void)(columns.n > 0 || wa_search_is_asked(&search.hosts)
                   ? list_later(c, &l, fields, &search.hosts, text, columns.n, err)
                   : write_page(c->store->fleet, &l, fields, &none, c->out, err));
    wa_api_hostlist_fini(&l);
    return err->code;
}

/* --- how many of which --- */

struct count {
    char value[256];
    size_t n;
};

struct counts {
    WA_VEC(struct count);
    bool is_short; /* of memory */
};

static void take_count(void *user, struct wa_sv value, size_t n)
{
    struct counts *all = user;
    struct count *one = WA_VEC_PUSH(all);
    if (one == NULL) {
        all->is_short = true;
        return;
    }
    (void)snprintf(one->value, sizeof one->value, "%.*s", WA_SV_ARG(value));
    one->n = n;
}

static int by_count(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->value, y->value);
}

/* The most frequent ones. */
static enum wa_code write_counts(struct wa_api_call *c, const struct wa_api_hostlist *l,
                                 struct wa_sv by, size_t limit, struct wa_jw *w, struct wa_err *err)
{
    struct counts all = {0};
    int what = 0;
    if (wa_api_hostlist_by(by, &what, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_fleet_count_by(c->store->fleet, &l->query, what, take_count, &all, err);
    if (code == WA_OK && all.is_short)
        code = wa_nomem(err);
    if (all.n > 0)
        qsort(all.items, all.n, sizeof all.items[0], by_count);
    for (size_t i = 0; code == WA_OK && i < all.n && i < limit; i++) {
        wa_jw_obj(w);
        wa_jw_kvsv(w, "by", by);
        wa_jw_kv(w, "value", all.items[i].value);
        wa_jw_kvi(w, "count", (int64_t)all.items[i].n);
        wa_jw_end(w);
    }
    WA_VEC_FREE(&all);
    return code;
}

static enum wa_code write_facets(struct wa_api_call *c, struct wa_api_hostlist *l, const char *by,
                                 size_t limit, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(by), one;
    struct wa_jw w;
    wa_api_hostlist_ready(l);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "facets");
    wa_jw_arr(&w);
    while (wa_sv_split(&rest, ',', &one))
        if (write_counts(c, l, one, limit, &w, err) != WA_OK)
            return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static enum wa_code call_facets(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_api_hostlist l = {.has_view = {false}};
    struct wa_search_hosts none = WA_SEARCH_HOSTS; /* the inventory is not asked here */
    char by[128];
    int64_t limit = FACETS_MAX;
    if (wa_api_text(c, "by", by, sizeof by, err) == WA_OK &&
        wa_api_number(c, "limit", 1, FACETS_LIMIT_MAX, &limit, err) == WA_OK &&
        wa_api_text(c, "search", l.page.search, sizeof l.page.search, err) == WA_OK &&
        wa_api_hostlist_filters(c, &l, err) == WA_OK &&
        wa_api_hostlist_lacks(&l, &none, err) == WA_OK)
        (void)write_facets(c, &l, by[0] != '\0' ? by : "status,os,group,unit", (size_t)limit, err);
    wa_api_hostlist_fini(&l);
    return err->code;
}

static enum wa_code call_host(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = false;
    size_t count = 0;
    enum wa_code code;
    if (wa_api_need_host(c, c->args[0], err) != WA_OK ||
        wa_db_prepare(c->store->db,
                      "SELECT section, content FROM sections WHERE uuid = ? ORDER BY section", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, c->args[0]);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    for (code = wa_step(q, &row, err); code == WA_OK && row; code = wa_step(q, &row, err)) {
        wa_jw_keysv(&w, wa_col_sv(q, 0));
        wa_jw_raw(&w, wa_col_sv(q, 1));
        count++;
    }
    wa_jw_end(&w);
    if (code == WA_OK && count == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", c->args[0]);
    return code;
}

static enum wa_code call_forget_host(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    const char *uuid = c->args[0];
    int64_t revoked = 0;
    const struct wa_journal_act act = {.act = "host.forgotten",
                                       .user = wa_sv(c->who.user),
                                       .peer = c->request->peer,
                                       .what = {{"uuid", wa_sv(uuid)}}};
    if (wa_api_need_host(c, uuid, err) != WA_OK || wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_revoke(s, wa_sv(uuid), "the machine was forgotten", &revoked, err) != WA_OK ||
        wa_store_delete_host(s->db, uuid, err) != WA_OK || wa_store_note(s, &act, err) != WA_OK ||
        wa_node_tell(s, WA_NODE_GONE, wa_sv(uuid), err) != WA_OK ||
        wa_db_commit(s->db, err) != WA_OK) {
        wa_db_rollback(s->db);
        return err->code;
    }
    wa_store_disconnect(s, uuid);
    wa_store_tell_revoked(s);
    wa_store_event(s, WA_EVENT_HOST, "forgotten", wa_sv(uuid), WA_SV(""), WA_SV(""));
    wa_fleet_remove(s->fleet, wa_sv(uuid));
    wa_log(&s->child.log, WA_LOG_INFO, "host.forgotten", WA_LF_S("uuid", uuid),
           WA_LF_S("user", c->who.user), WA_LF_S("peer", c->request->peer));
    wa_buf_adds(c->out, "{}");
    return WA_OK;
}

/* --- the calls --- */

static const struct wa_api_param host_params[] = {
    WA_API_HOSTLIST_PARAMS,
    WA_API_SEARCH_PARAMS,
    {"sort", "A column, by name if none is said; before it '-' for the other way", false},
    {"fields", "Members of a row that are wanted beside uuid, with commas between; all if none is",
     false},
    {"columns",
     "Fields of the inventory in 'values' of each row: paths like host_info.cpu_name, with commas "
     "between; '.', ',' and '%' of a name as %2E, %2C, %25; at most 16, of pages of 1000",
     false},
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};
static const struct wa_api_param facet_params[] = {
    {"by",
     "What is counted: group, status, audit, os, unit, site, domain, model, agent, manufacturer, "
     "errors, upgrades, window, windows, waits_for, held, orderer, root_version, with commas "
     "between",
     false},
    {"limit", "At most so many values of each; 1000 if nothing is said", true},
    WA_API_HOSTLIST_PARAMS,
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/hosts", WA_MAY_VIEW, false, call_hosts, "Machines, as a list", host_params,
     NULL, "Hosts"},
    {"GET", "/api/v1/host-facets", WA_MAY_VIEW, false, call_facets,
     "How many machines have which of the values by which they are filtered, the most frequent "
     "first",
     facet_params, NULL, "HostFacets"},
    {"GET", "/api/v1/hosts/{uuid}", WA_MAY_VIEW, false, call_host,
     "What a machine says of itself, by section", NULL, NULL, "Host"},
    {"DELETE", "/api/v1/hosts/{uuid}", WA_MAY_ENROL, false, call_forget_host,
     "Forget a machine: it must register again", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_hosts_calls = {routes, WA_COUNT(routes)};
