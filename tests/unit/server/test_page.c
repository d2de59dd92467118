/* Every list of the API, page by page: the same rows as at once, each once, whatever comes in
 * between; and places that no list gave are refused. A list that is not named here fails the test.
 */
#include "bench.h"

#include "os/clock.h"
#include "server/api_list.h"

#include <string.h>

struct place {
    struct bench b;
    char token[65];
    struct wa_buf out;
};

/* query: what the list is asked for besides. after: makes rows that come before all others, in the
 * list's own order, and behind them. */
struct list {
    const char *call, *query, *rows, *id;
    void (*fill)(struct place *p);
    void (*more)(struct place *p);
};

static void users(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO users (name, hash, role) VALUES ('u2', 'H', 'readonly'), "
                      "('u1', 'H', 'readonly'), ('u3', 'H', 'helpdesk')");
}

static void more_users(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO users (name, hash) VALUES ('a-first', 'H')");
}

static void sessions(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO sessions (sha256, \"user\", expires, created, used) SELECT "
               "'fff' || x.n || sha256, \"user\", expires, created - x.n, used FROM sessions, "
               "(SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS x");
}

static void more_sessions(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO sessions (sha256, \"user\", expires, created, used) SELECT "
               "'000' || sha256, \"user\", expires, created, used FROM sessions WHERE sha256 "
               "LIKE 'fff1%'");
}

static void tokens(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO api_tokens VALUES ('b', 'admin', 'n', 'view', '', 1, 9999999999, "
               "0), ('c', 'admin', 'n', 'view', '', 1, 9999999999, 0), ('d', 'admin', 'm', "
               "'view', '', 1, 9999999999, 0)");
}

static void more_tokens(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO api_tokens VALUES ('a', 'admin', 'n', 'view', '', 1, 9999999999, 0)");
}

static void certificates(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO user_certificates (\"user\", sha256) VALUES ('admin', 'b'), "
                      "('admin', 'c'), ('admin', 'd'), ('other', 'e')");
}

static void more_certificates(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO user_certificates (\"user\", sha256) VALUES ('admin', 'a')");
}

static void reports(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO reports VALUES ('r1', '', 'q', 'a', 9), ('r2', '', 'q', 'a', 10), "
               "('r3', '', 'q', 'a', 100)");
}

static void more_reports(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO reports VALUES ('a', '', 'q', 'a', 0)");
}

static void webhooks(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO webhooks (id, url, kinds, secret, created, created_by) VALUES "
                      "('w1', 'u', '', 's', 1, 'a'), ('w2', 'u', '', 's', 1, 'a')");
}

static void more_webhooks(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO webhooks (id, url, kinds, secret, created, created_by) VALUES "
                      "('a', 'u', '', 's', 1, 'a')");
}

#define UPLOAD(id) "('" id "', 'admin', 'f', '', 's', 1, 'open', '', '', 1, 1)"

static void uploads(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO uploads VALUES " UPLOAD("u1") ", " UPLOAD("u2"));
}

static void more_uploads(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO uploads VALUES " UPLOAD("a"));
}

static void signers(struct place *p)
{
    p->b.scan_answer = "{\"code\":\"ok\",\"message\":\"\",\"list\":{\"signers\":[{\"fingerprint\":"
                       "\"c\",\"name\":\"n\"},{\"fingerprint\":\"b\",\"name\":\"n\"}]}}";
}

static void more_signers(struct place *p)
{
    p->b.scan_answer = "{\"code\":\"ok\",\"message\":\"\",\"list\":{\"signers\":[{\"fingerprint\":"
                       "\"c\",\"name\":\"n\"},{\"fingerprint\":\"b\",\"name\":\"n\"},{"
                       "\"fingerprint\":\"a\",\"name\":\"m\"}]}}";
}

static void add_host(struct place *p, const char *uuid, const char *name)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_fleet_change c = {.name = wa_sv(name), .registered_at = 1, .last_seen = 1000};
    WA_ASSERT_OK(wa_fleet_put(p->b.store->fleet, wa_sv(uuid), &c, &err));
}

static void hosts(struct place *p)
{
    add_host(p, "h1", "pc");
    add_host(p, "h3", "pc");
    add_host(p, "h2", "b\npc");
}

static void more_hosts(struct place *p)
{
    add_host(p, "h4", "a");
}

static void views(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO views VALUES ('admin', 'v1', '{}', 1), ('admin', 'v2', '{}', 1), "
               "('other', 'v3', '{}', 1)");
}

static void more_views(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO views VALUES ('admin', 'a', '{}', 1)");
}

#define ROLLOUT(id)                                                                                \
    "('" id "', 'n', 'upgrade', 'admin', 's', '{}', '{\"rings\":[]}', 'running', 1, 1, 2, 1, 1)"
#define ROLLOUTS                                                                                   \
    "INSERT INTO rollouts (id, name, kind, owner, signer, orders, plan, state, ring_since, "       \
    "not_before, not_after, created, updated) VALUES "

#define A_HOST(uuid, number)                                                                       \
    "INSERT INTO hosts (uuid, certificate, registered_at, registered_by, number) VALUES ('" uuid   \
    "', 'c', 1, 't', " number ")"

static void history(struct place *p)
{
    add_host(p, "admin", "pc");
    bench_exec(&p->b, A_HOST("admin", "1"));
    bench_exec(&p->b,
               "INSERT INTO package_history VALUES (1, 1, 1, 'installed', 'p', '1', '', 'OK'), "
               "(1, 2, 1, 'removed', 'p', '1', '1', ''), (1, 3, 1, 'failed', 'p', '1', '', "
               "'ERROR')");
}

static void more_history(struct place *p)
{
    bench_exec(&p->b,
               "INSERT INTO package_history VALUES (1, 4, 1, 'installed', 'p', '1', '', 'OK')");
}

#define TITLE(id, name) "(" id ", '" name "', '1', '', 0, '0', '" name "')"

static void software(struct place *p)
{
    bench_exec(&p->b, A_HOST("a", "1"));
    bench_exec(&p->b, "INSERT INTO software_titles VALUES " TITLE("1", "vim") ", " TITLE(
                          "2", "emacs") ", " TITLE("3", "nano"));
    bench_exec(&p->b, "INSERT INTO host_software VALUES (1, 1), (1, 2), (1, 3)");
}

static void more_software(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO software_titles VALUES " TITLE("4", "abc"));
    bench_exec(&p->b, "INSERT INTO host_software VALUES (1, 4)");
}

#define STATE(host, package, version)                                                              \
    "(" host ", '" package "', '" version "', '" version "', 'OK', '', '', 1, 1, 0)"

static void states(struct place *p)
{
    bench_exec(&p->b, A_HOST("a", "1"));
    bench_exec(&p->b, A_HOST("b", "2"));
    bench_exec(&p->b, "INSERT INTO package_states VALUES " STATE("1", "p", "2") ", " STATE(
                          "2", "p", "1") ", " STATE("1", "q", "3"));
}

static void more_states(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO package_states VALUES " STATE("1", "a", "4"));
}

static void estate(struct place *p)
{
    states(p);
    bench_exec(&p->b, "INSERT INTO package_due VALUES (1, 'q', '4', '4'), (2, 'r', '5', '5')");
}

static void more_estate(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO package_due VALUES (1, 'a', '6', '6')");
}

#define ORDER(id, uuid, created)                                                                   \
    "('" id "', 'b', '" uuid "', 'update', '', 1, 9999999999, 's', 'done', " created ", 1)"
#define ORDERS                                                                                     \
    "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, signer, state, "   \
    "created, updated) VALUES "

static void actions(struct place *p)
{
    bench_exec(&p->b, ORDERS ORDER("o1", "h2", "1") ", " ORDER("o2", "h1",
                                                               "2") ", " ORDER("o3", "h1", "3"));
}

static void more_actions(struct place *p)
{
    bench_exec(&p->b, ORDERS ORDER("o9", "h0", "1"));
}

#define BATCH(id, created) "('" id "', 'u', 'update', '', 's', 1, " created ")"

static void batches(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO batches VALUES " BATCH("b", "2") ", " BATCH("c", "2") ", " BATCH(
                          "d", "1"));
    bench_exec(&p->b, ORDERS ORDER("o1", "h1", "2"));
    bench_exec(&p->b, "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated) SELECT x.id, x.batch, 'h', 'update', '', "
                      "1, 9, 's', 'done', 1, 1 FROM (SELECT 'o2' AS id, 'c' AS batch UNION ALL "
                      "SELECT 'o3', 'd') AS x");
}

static void more_batches(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO batches VALUES " BATCH("e", "3"));
}

static void journal(struct place *p)
{
    bench_exec(&p->b, "INSERT INTO journal VALUES ('x', 1, 1, 'd', '{}'), ('x', 2, 1, 'd', '{}'), "
                      "('x', 3, 1, 'd', '{}')");
}

static void nothing(struct place *p) /* a journal is longer at its end alone */
{
    WA_UNUSED(p);
}

static const struct list lists[] = {
    {"/api/v1/users", "", "users", "name", users, more_users},
    {"/api/v1/account/sessions", "", "sessions", "id", sessions, more_sessions},
    {"/api/v1/account/tokens", "", "tokens", "id", tokens, more_tokens},
    {"/api/v1/account/certificates", "", "certificates", "sha256", certificates, more_certificates},
    {"/api/v1/users/{name}/tokens", "", "tokens", "id", tokens, more_tokens},
    {"/api/v1/hosts", "", "hosts", "uuid", hosts, more_hosts},
    {"/api/v1/reports", "", "reports", "name", reports, more_reports},
    {"/api/v1/webhooks", "", "webhooks", "id", webhooks, more_webhooks},
    {"/api/v1/uploads", "", "uploads", "id", uploads, more_uploads},
    {"/api/v1/account/views", "", "views", "name", views, more_views},
    {"/api/v1/hosts/{uuid}/history", "", "events", "seq", history, more_history},
    {"/api/v1/software", "", "software", "name", software, more_software},
    {"/api/v1/package-states", "", "packages", "version", states, more_states},
    {"/api/v1/estate", "", "estate", "version", estate, more_estate},
    {"/api/v1/actions", "batch=b", "actions", "id", actions, more_actions},
    {"/api/v1/batches", "", "batches", "batch", batches, more_batches},
    {"/api/v1/journal", "node=x", "entries", "seq", journal, nothing},
    {"/api/v1/signers", "", "signers", "fingerprint", signers, more_signers},
    /* In their own order, which is part of what they say, and given at once. */
    {"/api/v1/software-names", NULL, NULL, NULL, NULL, NULL},
    {"/api/v1/journal/head", NULL, NULL, NULL, NULL, NULL},
    /* Cut as the others are; its rows need signed statements. */
    {"/api/v1/rollouts", NULL, NULL, NULL, NULL, NULL},
    /* Another process cuts it: tests/proc/test_repository.py. */
    {"/api/v1/packages", NULL, NULL, NULL, NULL, NULL},
    {"/api/v1/host-facets", NULL, NULL, NULL, NULL, NULL},
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    wa_buf_init(&p->out, 4u << 20);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_buf_fini(&p->out);
    bench_free(&p->b);
    free(p);
    return 0;
}

static const struct list *find(const char *call)
{
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        if (strcmp(lists[i].call, call) == 0)
            return &lists[i];
    return NULL;
}

/* The list's call, with more behind its own query. */
static int ask(struct place *p, const struct list *l, const char *more)
{
    char path[128], query[1024];
    const char *place = strchr(l->call, '{');
    const char *rest = place == NULL ? "" : strchr(place, '}') + 1;
    (void)snprintf(path, sizeof path, "%.*s%s%s",
                   (int)(place == NULL ? strlen(l->call) : (size_t)(place - l->call)), l->call,
                   place == NULL ? "" : "admin", rest);
    (void)snprintf(query, sizeof query, "%s%s%s", l->query, l->query[0] != '\0' ? "&" : "", more);
    return bench_ask(&p->b, "GET", path, query, p->token, WA_SV(""), &p->out);
}

/* The identifiers of the page, each with a blank behind it; its next. */
static size_t read_page(struct place *p, const struct list *l, struct wa_buf *ids, char next[1024])
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 4u << 20);
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&p->out), 0, &arena, &j, &err));
    const struct wa_json *rows = wa_json_get(j, l->rows);
    assert_true(wa_json_is(rows, WA_JSON_ARRAY));
    for (size_t i = 0; i < wa_json_count(rows); i++) {
        wa_buf_addsv(ids, wa_json_sv(wa_json_get(wa_json_at(rows, i), l->id)));
        wa_buf_addc(ids, ' ');
    }
    (void)snprintf(next, 1024, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "next"))));
    return wa_json_count(rows);
}

/* Page by page, and what comes before all rows meanwhile is not in it. */
static void walk(struct place *p, const struct list *l, const char *order, bool is_disturbed)
{
    WA_AUTO_BUF struct wa_buf whole;
    WA_AUTO_BUF struct wa_buf paged;
    char next[1024], query[2048];
    wa_buf_init(&whole, 65536);
    wa_buf_init(&paged, 65536);
    assert_int_equal(ask(p, l, order), 200);
    size_t all = read_page(p, l, &whole, next), count = 0;
    assert_string_equal(next, "");
    if (all < 2)
        fail_msg("%s has %zu rows: %s", l->call, all, wa_buf_str(&p->out));
    (void)snprintf(query, sizeof query, "%s%slimit=1", order, order[0] != '\0' ? "&" : "");
    for (size_t i = 0; i <= all; i++) {
        assert_int_equal(ask(p, l, query), 200);
        count += read_page(p, l, &paged, next);
        if (i == 0 && is_disturbed)
            l->more(p);
        if (next[0] == '\0')
            break;
        (void)snprintf(query, sizeof query, "%s%slimit=1&after=%s", order,
                       order[0] != '\0' ? "&" : "", next);
    }
    assert_int_equal(count, all);
    assert_string_equal(wa_buf_str(&paged), wa_buf_str(&whole));
}

static bool takes(const struct wa_api_route *r, const char *name)
{
    for (const struct wa_api_param *p = r->params; p != NULL && p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return true;
    return false;
}

/* Places that nobody was given; the last one is of another order. */
static void refuses(struct place *p, const struct list *l, bool is_sorted)
{
    static const char *const hostile[] = {
        "after=x", "after=-1",   "after=%00",        "after=%ff",
        "after=.", "after=AAAA", "after=bm8gbGlzdA", "after=99999999999999999999",
        "limit=x", "limit=-1",   "limit=99999999"};
    for (size_t i = 0; i < WA_COUNT(hostile); i++)
        if (ask(p, l, hostile[i]) != 400)
            fail_msg("%s?%s: %s", l->call, hostile[i], wa_buf_str(&p->out));
    if (is_sorted) {
        assert_int_equal(ask(p, l, "after=LWEKYgpj"), 400);
        assert_int_equal(ask(p, l, "sort=nothing"), 400);
    }
}

/* A page without rows has no place behind its last one. */
static void asks_for_none(struct place *p, const struct list *l)
{
    WA_AUTO_BUF struct wa_buf ids;
    char next[1024];
    wa_buf_init(&ids, 65536);
    if (ask(p, l, "limit=0") == 400)
        return;
    assert_int_equal(read_page(p, l, &ids, next), 0);
    if (next[0] != '\0')
        fail_msg("%s: %s", l->call, wa_buf_str(&p->out));
}

static void test_lists(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *schemas = NULL;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_api_route *r;
    size_t known = 0;
    WA_UNUSED(state);
    wa_arena_init(&arena, WA_API_SCHEMAS_MEMORY);
    WA_ASSERT_OK(wa_api_read_schemas(&arena, &schemas, &err));
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++) {
        struct place *p = NULL;
        if (!wa_api_is_list(r, schemas))
            continue;
        const struct list *l = find(r->path);
        if (l == NULL)
            fail_msg("the list %s has no pages that are tested", r->path);
        known++;
        if (l->rows == NULL)
            continue;
        assert_true(takes(r, "limit") && takes(r, "after"));
        assert_int_equal(setup((void **)&p), 0);
        l->fill(p);
        bool is_sorted = takes(r, "sort");
        refuses(p, l, is_sorted);
        asks_for_none(p, l);
        walk(p, l, "", false);
        if (is_sorted) {
            char order[64];
            (void)snprintf(order, sizeof order, "sort=-%s", l->id);
            walk(p, l, order, false);
        }
        walk(p, l, "", true);
        assert_int_equal(teardown((void **)&p), 0);
    }
    assert_int_equal(known, WA_COUNT(lists));
}

/* Of a list that is cut from the whole one. */
static void test_cut(void **state)
{
    static const struct {
        const char *query, *ids;
    } cases[] = {
        {"", "r1 r2 r3 "},
        {"limit=0", ""},
        {"offset=2", "r3 "},
        {"offset=9", ""},
        {"sort=-changed_at", "r3 r2 r1 "}, /* numbers, not texts */
        {"sort=changed_at", "r1 r2 r3 "},
        {"sort=author&limit=2", "r1 r2 "},
        {"search=R2", "r2 "},
        {"search=r%20q", "r1 r2 r3 "},
        {"search=r2%20r3", ""},
    };
    struct place *p = *state;
    char next[1024];
    reports(p);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf ids;
        wa_buf_init(&ids, 65536);
        assert_int_equal(ask(p, find("/api/v1/reports"), cases[i].query), 200);
        (void)read_page(p, find("/api/v1/reports"), &ids, next);
        assert_string_equal(wa_buf_str(&ids), cases[i].ids);
    }
    assert_int_equal(ask(p, find("/api/v1/reports"), "limit=1&search=r"), 200);
    assert_true(wa_sv_starts(wa_buf_sv(&p->out), "{\"total\":3,\"reports\":[{"));
}

/* A machine's tasks, the newest first; and what the places of another list are here. */
static void test_tasks(void **state)
{
    struct place *p = *state;
    struct list l = *find("/api/v1/actions");
    add_host(p, "h1", "pc");
    actions(p);
    l.query = "host=h1";
    walk(p, &l, "", false);
    assert_int_equal(ask(p, &l, "state=failed"), 200);
    assert_true(wa_sv_has(wa_buf_sv(&p->out), WA_SV("\"total\":0,\"actions\":[]")));
    assert_int_equal(ask(p, &l, "after=Cm8yCm5vIG51bWJlcg"), 400);
    assert_int_equal(ask(p, &l, "batch=b"), 400);
    l.query = "host=nobody";
    assert_int_equal(ask(p, &l, ""), 200);
}

/* Views are the caller's own, few, and small. */
static void test_views(void **state)
{
    static const struct {
        const char *method, *name, *body;
        int status;
    } cases[] = {
        {"PUT", "errors", "{\"view\":{\"status\":\"ERROR\"}}", 200},
        {"PUT", "errors", "{\"view\":{\"status\":\"ERROR\",\"sort\":\"name\"}}", 200},
        {"PUT", "errors", "{\"view\":\"x\"}", 400},
        {"PUT", "errors", "{\"view\":{},\"x\":1}", 400},
        {"PUT", "errors", "no", 400},
        {"DELETE", "none", "", 404},
    };
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf large;
    char path[64];
    views(p);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        (void)snprintf(path, sizeof path, "/api/v1/account/views/%s", cases[i].name);
        assert_int_equal(
            bench_ask(&p->b, cases[i].method, path, "", p->token, wa_sv(cases[i].body), &p->out),
            cases[i].status);
    }
    wa_buf_init(&large, 65536);
    wa_buf_addf(&large, "{\"view\":{\"x\":\"%020000d\"}}", 0);
    assert_int_equal(bench_ask(&p->b, "PUT", "/api/v1/account/views/large", "", p->token,
                               wa_buf_sv(&large), &p->out),
                     413);
    for (int i = 0; i < 97; i++) {
        (void)snprintf(path, sizeof path, "/api/v1/account/views/x%d", i);
        assert_int_equal(bench_ask(&p->b, "PUT", path, "", p->token, WA_SV("{\"view\":{}}"), NULL),
                         200);
    }
    assert_int_equal(bench_ask(&p->b, "PUT", "/api/v1/account/views/one-more", "", p->token,
                               WA_SV("{\"view\":{}}"), &p->out),
                     413);
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/account/views/errors", "", p->token, WA_SV(""), NULL),
        200);
    assert_int_equal(p->b.store->unnoted, 0);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM views WHERE \"user\" = 'other'", "1");
}

static void test_overview(void **state)
{
    struct place *p = *state;
    hosts(p);
    bench_exec(&p->b, ROLLOUTS ROLLOUT("r2"));
    bench_exec(&p->b,
               "INSERT INTO certificates (serial, uuid, key, certificate, issued, not_after) "
               "VALUES ('1', 'h1', 'k', 'c', 1, 9)");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/overview", "", p->token, WA_SV(""), &p->out),
                     200);
    assert_true(wa_sv_starts(wa_buf_sv(&p->out),
                             "{\"hosts\":3,\"reachable\":0,\"unseen_30_days\":3,\"errors\":0,"));
    assert_true(wa_sv_has(wa_buf_sv(&p->out), WA_SV("\"rollouts_running\":1,")));
    assert_true(wa_sv_has(wa_buf_sv(&p->out), WA_SV("\"certificates_ending\":0,")));
}

static void test_facets(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    hosts(p);
    WA_ASSERT_OK(
        wa_fleet_set_tags(p->b.store->fleet, WA_SV("h1"), WA_FLEET_IN, WA_SV("sales"), &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/host-facets", "by=group,status", p->token,
                               WA_SV(""), &p->out),
                     200);
    assert_string_equal(wa_buf_str(&p->out),
                        "{\"facets\":[{\"by\":\"group\",\"value\":\"sales\",\"count\":1},{\"by\":"
                        "\"status\",\"value\":\"\",\"count\":3}]}");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/host-facets", "by=status&search=b", p->token,
                               WA_SV(""), &p->out),
                     200);
    assert_string_equal(wa_buf_str(&p->out),
                        "{\"facets\":[{\"by\":\"status\",\"value\":\"\",\"count\":1}]}");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/host-facets", "by=group,unit&unit==&limit=1",
                               p->token, WA_SV(""), &p->out),
                     200);
    assert_string_equal(wa_buf_str(&p->out),
                        "{\"facets\":[{\"by\":\"group\",\"value\":\"sales\",\"count\":1},{\"by\":"
                        "\"unit\",\"value\":\"\",\"count\":3}]}");
    static const char *const limits[] = {"limit=0", "limit=-1", "limit=10001", "limit=x"};
    for (size_t i = 0; i < WA_COUNT(limits); i++)
        assert_int_equal(
            bench_ask(&p->b, "GET", "/api/v1/host-facets", limits[i], p->token, WA_SV(""), NULL),
            400);
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/host-facets", "by=serial", p->token, WA_SV(""), &p->out),
        400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_views, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overview, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facets, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
