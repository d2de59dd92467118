/* api_estate.c - packages that some machines have or should have, each version and state with how
 * many: of those that a filter means, or that are named.
 *
 * The machines are found first, in memory and by what the inventory has, and cut to those that the
 * caller sees; the search process counts among them.
 */
#include "base/mem.h"
#include "server/api_hostlist.h"
#include "server/api_search.h"

#define PAGE 200
#define HOSTS_MAX 200000u            /* machines that one question names */
#define HOSTS_MEMORY_MAX (64u << 20) /* bytes: their identifiers, read */

struct wanted {
    struct wa_store_request *request;
    struct wa_api_hostlist list; /* its page: of the packages, but for the words */
    char package[WA_SEARCH_TEXT], status[64];
    struct wa_hostset only; /* machines that are named, found and seen */
    bool has_only;
};

static void wanted_free(struct wanted *w)
{
    if (w != NULL) {
        wa_hostset_fini(&w->only);
        wa_api_hostlist_fini(&w->list);
    }
    wa_free(w);
}

/* --- which machines --- */

/* Takes the set over: only what is in it, too. */
static void cut(struct wanted *w, struct wa_hostset *to)
{
    if (w->has_only) {
        wa_hostset_cut(&w->only, to);
        return;
    }
    w->only = *to;
    w->has_only = true;
    *to = (struct wa_hostset){NULL, 0, 0};
}

static enum wa_code read_named(const struct wa_api_call *c, struct wanted *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOSTSET struct wa_hostset named = {NULL, 0, 0};
    const struct wa_json *j = NULL, *hosts = NULL;
    const struct wa_json_field fields[] = {{"hosts", WA_WANT_ARRAY, true, HOSTS_MAX, &hosts}};
    wa_arena_init(&arena, HOSTS_MEMORY_MAX);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "which machines", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        const struct wa_fleet_host *h =
            wa_fleet_get(c->store->fleet, wa_json_sv(wa_json_at(hosts, i)));
        if (h != NULL && wa_hostset_add(&named, h->number, err) != WA_OK)
            return err->code;
    }
    cut(w, &named);
    return WA_OK;
}

static enum wa_code cut_to_seen(const struct wa_api_call *c, struct wanted *w, struct wa_err *err)
{
    WA_AUTO_HOSTSET struct wa_hostset seen = {NULL, 0, 0};
    bool is_all = false;
    if (wa_api_among(c, &seen, &is_all, err) == WA_OK && !is_all)
        cut(w, &seen);
    return err->code;
}

/* *ret_is_all: every machine, and the set is empty. */
static enum wa_code find_machines(struct wa_store *s, struct wanted *w, struct wa_hostset *ret,
                                  bool *ret_is_all, struct wa_err *err)
{
    size_t room = wa_fleet_count(s->fleet), count = 0, total = 0;
    const struct wa_fleet_host **found = wa_calloc(room + 1, sizeof *found);
    if (found == NULL)
        return wa_nomem(err);
    wa_api_hostlist_ready(&w->list);
    struct wa_fleet_query q = w->list.query;
    q.view = NULL;
    q.only = w->has_only ? &w->only : NULL;
    q.after_value = q.after_uuid = NULL; /* the place is one among the packages */
    q.offset = 0;
    q.limit = room;
    enum wa_code code = wa_fleet_find(s->fleet, &q, found, &count, &total, err);
    *ret_is_all = !w->has_only && count == room; /* else the database may know more */
    for (size_t i = 0; code == WA_OK && !*ret_is_all && i < count; i++)
        code = wa_hostset_add(ret, found[i]->number, err);
    wa_free(found);
    return code;
}

/* --- the questions --- */

static enum wa_code ask_counts(struct wa_store *s, struct wanted *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    WA_AUTO_HOSTSET struct wa_hostset among = {NULL, 0, 0};
    bool is_all = false;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    if (find_machines(s, w, &among, &is_all, err) != WA_OK)
        return err->code;
    const struct wa_api_page *page = &w->list.page;
    const struct wa_search_counts q = {.what = "estate",
                                       .name = w->package,
                                       .status = w->status,
                                       .offset = page->offset,
                                       .limit = page->limit,
                                       .after_value = page->has_after ? page->value : NULL,
                                       .after_id = page->id,
                                       .among = is_all ? NULL : &among};
    wa_search_write_counts(&q, &question);
    return wa_api_search_ask(w->request, &question, wa_api_answer_found, w->request, err);
}

static enum wa_code take_found(struct wanted *w, struct wa_sv payload, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOSTSET struct wa_hostset found = {NULL, 0, 0};
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_IPC_MESSAGE_MAX);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK ||
        wa_hostset_read(wa_json_sv(wa_json_get(j, "hosts")), &found, err) != WA_OK)
        return err->code;
    cut(w, &found);
    return WA_OK;
}

static void on_found(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wanted *w = user;
    struct wa_err err = WA_ERR_INIT;
    if (take_found(w, payload, &err) != WA_OK || ask_counts(s, w, &err) != WA_OK)
        wa_store_answer_err(w->request, &err);
    wanted_free(w);
}

/* --- the call --- */

static enum wa_code read_wanted(const struct wa_api_call *c, struct wanted *w,
                                struct wa_api_search *search, struct wa_err *err)
{
    char name[256];
    w->request = c->request;
    if (wa_api_page_read(c, PAGE, WA_COUNTS_PAGE_MAX, &w->list.page, err) != WA_OK ||
        wa_api_hostlist_filters(c, &w->list, err) != WA_OK ||
        wa_api_search_read(c, search, err) != WA_OK ||
        wa_api_hostlist_lacks(&w->list, &search->hosts, err) != WA_OK ||
        wa_api_text(c, "name", name, sizeof name, err) != WA_OK ||
        wa_api_text(c, "state", w->status, sizeof w->status, err) != WA_OK)
        return err->code;
    if (name[0] != '\0')
        wa_api_pattern(name, false, w->package);
    return cut_to_seen(c, w, err);
}

static enum wa_code answer(struct wa_api_call *c, bool has_names, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    struct wa_api_search search;
    struct wanted *w = wa_calloc(1, sizeof *w);
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    if (w == NULL)
        return wa_nomem(err);
    bool is_kept = false, is_ready = read_wanted(c, w, &search, err) == WA_OK &&
                                     (!has_names || read_named(c, w, err) == WA_OK);
    if (is_ready && wa_search_is_asked(&search.hosts)) {
        wa_search_write_hosts(&search.hosts, &question);
        is_kept = wa_api_search_ask(w->request, &question, on_found, w, err) == WA_OK;
    } else if (is_ready) {
        (void)!ask_counts(c->store, w, err);
    }
    if (!is_kept)
        wanted_free(w);
    c->is_later = err->code == WA_OK;
    return err->code;
}

static enum wa_code call_filtered(struct wa_api_call *c, struct wa_err *err)
{
    return answer(c, false, err);
}

static enum wa_code call_named(struct wa_api_call *c, struct wa_err *err)
{
    return answer(c, true, err);
}

static const struct wa_api_param params[] = {
    {"name", "Only packages of such a name: a part of it, or a pattern with * and ?", false},
    {"state", "Only packages in this state: OK, ERROR, MISSING, TO-UPGRADE, TO-CHANGE", false},
    WA_API_HOSTLIST_PARAMS,
    WA_API_SEARCH_PARAMS,
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/estate", WA_MAY_VIEW, false, call_filtered,
     "Packages that the machines of a filter have or should have, with how many machines each "
     "version and state",
     params, NULL, "Estate"},
    {"POST", "/api/v1/estate", WA_MAY_VIEW, false, call_named,
     "The same of the machines that are named, and that a filter means", params, "EstateHosts",
     "Estate"},
};
const struct wa_api_resource wa_api_estate_calls = {routes, WA_COUNT(routes)};
