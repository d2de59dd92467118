/* api_hosts.c - the machines: as a list, one as it describes itself, and forgotten. */
#include "base/mem.h"
#include "os/clock.h"
#include "server/api_search.h"
#include "server/store_authority.h"

#define PAGE 1000      /* machines, when nothing is said */
#define PAGE_MAX 10000 /* and at most */

struct list {
    char text[256], status[64], after[WA_UUID_MAX + 1];
    struct wa_fleet_query query;
};

static enum wa_code read_query(const struct wa_api_call *c, struct list *l, struct wa_err *err)
{
    char sort[32];
    int64_t offset = 0, limit = PAGE, reachable = -1, seen_before = 0;
    if (wa_api_text(c, "q", l->text, sizeof l->text, err) != WA_OK ||
        wa_api_text(c, "status", l->status, sizeof l->status, err) != WA_OK ||
        wa_api_text(c, "after", l->after, sizeof l->after, err) != WA_OK ||
        wa_api_text(c, "sort", sort, sizeof sort, err) != WA_OK ||
        wa_api_number(c, "reachable", 0, 1, &reachable, err) != WA_OK ||
        wa_api_number(c, "seen_before", 0, INT64_MAX, &seen_before, err) != WA_OK ||
        wa_api_number(c, "offset", 0, INT32_MAX, &offset, err) != WA_OK ||
        wa_api_number(c, "limit", 0, PAGE_MAX, &limit, err) != WA_OK)
        return err->code;
    l->query = (struct wa_fleet_query){.text = l->text,
                                       .status = l->status,
                                       .after = l->after,
                                       .is_reachable = reachable == 1,
                                       .is_unreachable = reachable == 0,
                                       .seen_before = seen_before,
                                       .view = wa_api_view(c),
                                       .key = WA_FLEET_NAME,
                                       .offset = (size_t)offset,
                                       .limit = (size_t)limit};
    if (sort[0] != '\0' && !wa_fleet_key_find(wa_sv(sort), &l->query.key, &l->query.is_descending))
        return wa_fail(err, WA_E_USAGE,
                       "'sort' takes name, fqdn, uuid, os, status or last_seen, not '%s'", sort);
    return WA_OK;
}

static void write_host(struct wa_jw *w, const struct wa_fleet_host *h)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "uuid", h->uuid);
    wa_jw_kv(w, "name", h->name);
    wa_jw_kv(w, "fqdn", h->fqdn);
    wa_jw_kv(w, "os", h->os);
    wa_jw_kv(w, "status", h->status);
    wa_jw_kvb(w, "reachable", h->is_reachable);
    wa_jw_kvi(w, "last_seen", h->last_seen);
    wa_jw_kvi(w, "registered_at", h->registered_at);
    wa_jw_end(w);
}

static enum wa_code write_list(struct wa_fleet *fleet, const struct list *l, struct wa_buf *out,
                               struct wa_err *err)
{
    size_t count = 0, total = 0;
    struct wa_jw w;
    const struct wa_fleet_host **page = wa_calloc(l->query.limit + 1, sizeof *page);
    if (page == NULL)
        return wa_nomem(err);
    if (wa_fleet_find(fleet, &l->query, page, &count, &total, err) == WA_OK) {
        wa_jw_init(&w, out);
        wa_jw_obj(&w);
        wa_jw_kvi(&w, "total", (int64_t)total);
        wa_jw_key(&w, "hosts");
        wa_jw_arr(&w);
        for (size_t i = 0; i < count; i++)
            write_host(&w, page[i]);
        wa_jw_end(&w);
        wa_jw_end(&w);
    }
    wa_free(page);
    return err->code == WA_OK ? wa_buf_check(out, err) : err->code;
}

/* --- lists by what machines have: the search process is asked first --- */

struct wait {
    struct wa_store_request *request;
    struct list list;
    struct wa_hostset seen; /* by the caller, where that is not all */
    bool sees_all;
};

static void wait_free(struct wait *w)
{
    if (w != NULL)
        wa_hostset_fini(&w->seen);
    wa_free(w);
}

static enum wa_code list_found(struct wa_store *s, struct wait *w, struct wa_sv payload,
                               struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOSTSET struct wa_hostset found = {NULL, 0, 0};
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_IPC_MESSAGE_MAX);
    if (wa_api_found(payload, &arena, &j, err) != WA_OK ||
        wa_hostset_read(wa_json_sv(wa_json_get(j, "hosts")), &found, err) != WA_OK)
        return err->code;
    if (!w->sees_all)
        wa_hostset_cut(&found, &w->seen);
    w->list.query.only = &found;
    return write_list(s->fleet, &w->list, out, err);
}

static void on_found(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wait *w = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    if (list_found(s, w, payload, &out, &err) == WA_OK)
        wa_store_answer(w->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(w->request, &err);
    wait_free(w);
}

static enum wa_code ask_first(struct wa_api_call *c, struct wait *w,
                              const struct wa_search_hosts *q, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_SEARCH_BYTES_MAX);
    w->request = c->request;
    w->list.query.text = w->list.text; /* it has moved */
    w->list.query.status = w->list.status;
    w->list.query.after = w->list.after;
    w->list.query.view = NULL;
    wa_search_write_hosts(q, &question);
    return wa_api_among(c, &w->seen, &w->sees_all, err) == WA_OK &&
                   wa_buf_check(&question, err) == WA_OK
               ? wa_store_ask(c->store, c->store->search, WA_S_SEARCH, wa_buf_sv(&question),
                              on_found, w, err)
               : err->code;
}

static enum wa_code call_hosts(struct wa_api_call *c, struct wa_err *err)
{
    struct list l;
    struct wa_api_search search;
    if (read_query(c, &l, err) != WA_OK || wa_api_search_read(c, &search, err) != WA_OK)
        return err->code;
    if (!wa_search_is_asked(&search.hosts))
        return write_list(c->store->fleet, &l, c->out, err);
    struct wait *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    w->list = l;
    if (ask_first(c, w, &search.hosts, err) != WA_OK)
        wait_free(w);
    else
        c->is_later = true;
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
    {"q", "Part of a name, address, identifier or system", false},
    {"status", "Only machines of this status, like ERROR", false},
    {"reachable", "1: only those that are connected; 0: only those that are not", true},
    {"seen_before", "Only those not seen since that second", true},
    {"after", "Only those whose identifier comes after this one", false},
    WA_API_SEARCH_PARAMS,
    {"sort", "name, fqdn, uuid, os, status, last_seen; before it '-' for the other way", false},
    {"offset", "So many are left out first", true},
    {"limit", "At most so many, 1,000 if not said", true},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/hosts", WA_MAY_VIEW, false, call_hosts, "Machines, as a list", host_params,
     NULL, "Hosts"},
    {"GET", "/api/v1/hosts/{uuid}", WA_MAY_VIEW, false, call_host,
     "What a machine says of itself, by section", NULL, NULL, "Host"},
    {"DELETE", "/api/v1/hosts/{uuid}", WA_MAY_ENROL, false, call_forget_host,
     "Forget a machine: it must register again", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_hosts_calls = {routes, WA_COUNT(routes)};
