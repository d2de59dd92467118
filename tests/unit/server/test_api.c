/* The API in the store: nothing without a session, and what a session may. */
#include "bench.h"

#include "os/clock.h"
#include "server/api.h"

struct place {
    struct bench b;
    struct machine m;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->m);
    bench_free(&p->b);
    free(p);
    return 0;
}

#define NOBODYS "00000000000000000000000000000000"
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UPLOAD "{\"name\":\"a_1_all.wapt\",\"size\":5,\"sha256\":\"" SHA256 "\"}"
static const struct {
    const char *method, *path, *query, *body;
    int status; /* with a session */
} calls[] = {
    {"GET", "/api/v1/session", "", "", 200},
    {"GET", "/api/v1/hosts", "", "", 200},
    {"GET", "/api/v1/hosts", "sort=-last_seen&limit=5&offset=1&search=pc", "", 200},
    {"GET", "/api/v1/hosts", "sort=certificate", "", 400},
    {"GET", "/api/v1/hosts", "limit=10001", "", 400},
    {"GET", "/api/v1/hosts", "limit=-1", "", 400},
    {"GET", "/api/v1/hosts", "limit=x", "", 400},
    {"GET", "/api/v1/hosts", "statuss=ERROR", "", 400}, /* a filter that would filter nothing */
    {"GET", "/api/v1/hosts", "status=%zz", "", 400},
    {"GET", "/api/v1/hosts", "status=ERROR&search=x&status=OK", "", 400}, /* which? */
    {"GET", "/api/v1/hosts", "status", "", 200},
    {"GET", "/api/v1/openapi.json", "", "", 200},
    {"GET", "/api/v1/hosts/machine/", "", "", 404},
    {"GET", "/api/v1/hosts/", "", "", 404},
    {"GET", "/api/v1/hosts/machine", "", "", 200},
    {"GET", "/api/v1/hosts/none", "", "", 404},
    {"GET", "/api/v1/actions", "batch=x", "", 200},
    {"GET", "/api/v1/actions", "", "", 400},
    {"POST", "/api/v1/actions", "", "{}", 400},
    {"POST", "/api/v1/actions", "", "", 400},
    {"PUT", "/api/v1/repository/root", "", "incoming/a.part", 200},
    {"PUT", "/api/v1/repository/root", "", "wapt/a.wapt", 500},
    {"POST", "/api/v1/uploads", "", UPLOAD, 200},
    {"POST", "/api/v1/uploads", "", UPLOAD, 200}, /* the same one */
    {"GET", "/api/v1/uploads", "", "", 200},
    {"GET", "/api/v1/uploads/" NOBODYS, "", "", 404},
    {"PUT", "/api/v1/uploads/" NOBODYS, "offset=0", "", 404},
    {"POST", "/api/v1/uploads/" NOBODYS "/finish", "", "", 404},
    {"DELETE", "/api/v1/uploads/" NOBODYS, "", "", 404},
    {"GET", "/api/v1/packages", "", "", 200},
    {"GET", "/api/v1/packages", "search=a&newest=1&sort=-size&offset=1&limit=5", "", 200},
    {"GET", "/api/v1/packages", "limit=2001", "", 400},
    {"GET", "/api/v1/packages", "newest=2", "", 400},
    {"GET", "/api/v1/packages", "color=red", "", 400},
    {"GET", "/api/v1/signers", "", "", 200},
    {"POST", "/api/v1/signers", "", "{\"certificate\":\"x\"}", 200},
    {"POST", "/api/v1/signers", "", "{}", 400},
    {"DELETE", "/api/v1/signers/" SHA256, "", "", 200},
    {"DELETE", "/api/v1/signers/..%2fx", "", "", 400},
    {"DELETE", "/api/v1/packages/a.wapt", "", "", 200},
    {"DELETE", "/api/v1/packages/Packages", "", "", 400},
    {"DELETE", "/api/v1/packages/../x.wapt", "", "", 404},
    {"DELETE", "/api/v1/packages/ssl/x.wapt", "", "", 404},
    {"DELETE", "/api/v1/host-packages/machine", "", "", 200},
    {"DELETE", "/api/v1/host-packages/..%2fx", "", "", 400},
    {"GET", "/api/v1/host-packages/machine", "", "", 200},
    {"GET", "/api/v1/host-packages/a%2f", "", "", 400},
    {"PATCH", "/api/v1/hosts", "", "", 404},
    {"GET", "/api/v1/", "", "", 404},
    {"GET", "/agent/v1/registers", "", "", 404},
};

static void test_rights(void **state)
{
    static const char *const wrong[] = {
        "", "x", "0000000000000000000000000000000000000000000000000000000000000000", "' OR 1=1 --"};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(calls); i++) {
        for (size_t k = 0; k < WA_COUNT(wrong); k++)
            assert_int_equal(bench_ask(&p->b, calls[i].method, calls[i].path, calls[i].query,
                                       wrong[k], wa_sv(calls[i].body), NULL),
                             401);
        int got = bench_ask(&p->b, calls[i].method, calls[i].path, calls[i].query, p->token,
                            wa_sv(calls[i].body), NULL);
        if (got != calls[i].status)
            fail_msg("%s %s: %d", calls[i].method, calls[i].path, got);
    }
}

/* What each role may, whatever the request holds: the answer is 403 or another one. */
static const struct {
    const char *method, *path, *body;
    const char *roles; /* first letters of those who may */
} rights[] = {
    {"GET", "/api/v1/session", "", "sdhr"},
    {"GET", "/api/v1/hosts", "", "sdhr"},
    {"GET", "/api/v1/hosts/machine", "", "sdhr"},
    {"GET", "/api/v1/actions", "", "sdhr"},
    {"POST", "/api/v1/actions", "{}", "sdh"},
    {"POST", "/api/v1/uploads", UPLOAD, "sd"},
    {"GET", "/api/v1/uploads", "", "sd"},
    {"GET", "/api/v1/uploads/" NOBODYS, "", "sd"},
    {"PUT", "/api/v1/uploads/" NOBODYS, "incoming/a.part", "sd"},
    {"POST", "/api/v1/uploads/" NOBODYS "/finish", "", "sd"},
    {"DELETE", "/api/v1/uploads/" NOBODYS, "", "sd"},
    {"GET", "/api/v1/packages", "", "sdhr"},
    {"GET", "/api/v1/signers", "", "sdhr"},
    {"POST", "/api/v1/signers", "{\"certificate\":\"x\"}", "s"},
    {"DELETE", "/api/v1/signers/" SHA256, "", "s"},
    {"PUT", "/api/v1/repository/root", "incoming/a.part", "sd"},
    {"PUT", "/api/v1/repository/published", "incoming/a.part", "sd"},
    {"DELETE", "/api/v1/packages/a.wapt", "", "sd"},
    {"DELETE", "/api/v1/hosts/none", "", "sd"},
};

static void test_roles(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    for (const char *const *role = wa_role_names(); *role != NULL; role++) {
        WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", *role, &err));
        for (size_t i = 0; i < WA_COUNT(rights); i++) {
            int got = bench_ask(&p->b, rights[i].method, rights[i].path, "", p->token,
                                wa_sv(rights[i].body), NULL);
            bool may = strchr(rights[i].roles, (*role)[0]) != NULL;
            if ((got == 403) == may || got == 401)
                fail_msg("%s %s as %s: %d", rights[i].method, rights[i].path, *role, got);
        }
        char rights_said[32];
        if ((*role)[0] != 's' && (*role)[0] != 'd')
            continue;
        (void)snprintf(rights_said, sizeof rights_said, "\"rights\":%u}",
                       wa_role_rights(wa_sv(*role)));
        assert_int_equal(bench_publish(&p->b, p->token, NULL, NULL), 200);
        assert_non_null(strstr(p->b.scan_asked, rights_said));
    }
    /* A role of a newer program, and none: no right, but the session. */
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "emperor", &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", p->token, WA_SV(""), NULL), 403);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/session", "", p->token, WA_SV(""), NULL),
                     200);
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "superadmin", &err));
    WA_ASSERT_OK(wa_store_disable(p->b.store->db, "admin", true, &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/session", "", p->token, WA_SV(""), NULL),
                     401);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, NULL), 401);
    WA_ASSERT_OK(wa_store_disable(p->b.store->db, "admin", false, &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/session", "", p->token, WA_SV(""), NULL),
                     200);
    WA_ASSERT_OK(wa_store_delete_user(p->b.store->db, "admin", &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/session", "", p->token, WA_SV(""), NULL),
                     401);
}

/* Orders: a help desk cares for machines, and brings nothing new onto them. */
static void test_orders_by_role(void **state)
{
    static const struct {
        enum wa_action_kind kind;
        const char *roles;
    } cases[] = {{WA_ACT_UPDATE, "sdh"}, {WA_ACT_UPGRADE, "sdh"}, {WA_ACT_UPDATE_STATUS, "sdh"},
                 {WA_ACT_INSTALL, "sd"}, {WA_ACT_REMOVE, "sd"},   {WA_ACT_FORGET, "sd"}};
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct person signer;
    static const char *const uuids[] = {"machine"};
    person_new(&p->b, &signer, true);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (const char *const *role = wa_role_names(); *role != NULL; role++) {
            char ids[1][33];
            struct wa_buf body;
            person_orders(&signer, cases[i].kind, uuids, 1, ids, &body);
            WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", *role, &err));
            int got =
                bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body), NULL);
            assert_int_equal(got, strchr(cases[i].roles, (*role)[0]) != NULL ? 200 : 403);
            wa_buf_fini(&body);
        }
    person_free(&signer);
}

/* first's orders, then second's. */
static int order_both(struct place *p, const struct wa_buf *first, const struct wa_buf *second)
{
    WA_AUTO_BUF struct wa_buf both;
    wa_buf_init(&both, 1u << 20);
    wa_buf_add(&both, first->p, first->n - 2); /* without "]}" */
    wa_buf_addf(&both, ",%s", second->p + sizeof "{\"orders\":[" - 1);
    return bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&both), NULL);
}

/* Their chain and what was signed are looked at once, and never stand for another order's. */
static void test_orders_judged_together(void **state)
{
    static const char *const uuids[] = {"machine", "machine"};
    struct place *p = *state;
    struct person signer, other;
    struct wa_buf one, two, theirs, foreign;
    char ids[2][33];
    person_new(&p->b, &signer, true);
    person_new(&p->b, &other, false);
    person_order(&signer, uuids, 2, ids, &one);
    person_order(&signer, uuids, 1, ids, &two);
    person_order(&other, uuids, 1, ids, &theirs);
    assert_int_equal(order_both(p, &one, &theirs), 403);
    assert_int_equal(order_both(p, &theirs, &one), 403);
    wa_buf_init(&foreign, 1u << 20);
    /* The last order's signature, then its action: of what is known otherwise. */
    static const char *const marks[] = {"\"signature\":\"", "\\\"uuid\\\":\\\""};
    for (size_t i = 0; i < WA_COUNT(marks); i++) {
        char *at = NULL;
        wa_buf_clear(&foreign);
        wa_buf_addsv(&foreign, wa_buf_sv(&one));
        for (char *next = foreign.p; (next = strstr(next, marks[i])) != NULL; next++)
            at = next;
        assert_non_null(at);
        at += strlen(marks[i]) + 12;
        *at = *at == 'A' ? 'B' : 'A';
        int got =
            bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&foreign), NULL);
        assert_true(got >= 400 && got < 500);
    }
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "0");
    assert_int_equal(order_both(p, &one, &two), 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "3");
    wa_buf_fini(&foreign);
    wa_buf_fini(&theirs);
    wa_buf_fini(&two);
    wa_buf_fini(&one);
    person_free(&other);
    person_free(&signer);
}

/* A front asks before it takes a body; nothing happens by it. */
static void test_question(void **state)
{
    struct place *p = *state;
    int status = 0;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 4096);
    wa_buf_addf(&text,
                "{\"method\":\"DELETE\",\"path\":\"/api/v1/hosts/"
                "machine\",\"query\":\"\",\"bearer\":\"%s\",\"peer\":\"\",\"question\":true}\n",
                p->token);
    bench_send(&p->b, WA_S_REQUEST, 900, wa_buf_sv(&text));
    assert_true(bench_serve(&p->b, 900, &status, NULL));
    assert_int_equal(status, 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM hosts", "1");
}

static void test_forget_host(void **state)
{
    struct place *p = *state;
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    assert_int_equal(p->b.closed_last, 5);
    BENCH_IS(&p->b, "SELECT count(*) FROM sections", "0");
    BENCH_IS(&p->b, "SELECT count(*) FROM presence", "0");
    assert_int_equal(wa_fleet_count(p->b.store->fleet), 0);
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 404);
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 401);
}

/* The description names each call of the table, and is well formed. */
static void test_description(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0, known = 0;
    const struct wa_api_route *r;
    wa_buf_init(&out, 1u << 20);
    wa_arena_init(&arena, 4u << 20);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/openapi.json", "", p->token, WA_SV(""), &out),
                     200);
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&out), 0, &arena, &j, &err));
    const struct wa_json *paths = wa_json_get(j, "paths"),
                         *schemas = wa_json_get(wa_json_get(j, "components"), "schemas");
    for (size_t i = 0; i < wa_json_count(paths); i++)
        known += wa_json_count(wa_json_at(paths, i));
    for (; (r = wa_api_route_at(n)) != NULL; n++) {
        assert_non_null(wa_json_get(schemas, r->gives));
        assert_true(r->takes == NULL || wa_json_get(schemas, r->takes) != NULL);
    }
    assert_int_equal(known, n);
}

static void test_session_ends(void **state)
{
    struct place *p = *state;
    char second[65];
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, second), 200);
    assert_string_not_equal(p->token, second);
    assert_int_equal(bench_ask(&p->b, "DELETE", "/api/v1/session", "", second, WA_SV(""), NULL),
                     200);
    /* From where somebody comes whose session holds, the fronts hear once. */
    p->b.guests = 0;
    assert_int_equal(
        bench_ask_from(&p->b, "10.0.0.7", "GET", "/api/v1/hosts", "", second, WA_SV(""), NULL),
        401);
    assert_int_equal(p->b.guests, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bench_ask_from(&p->b, "10.0.0.7", "GET", "/api/v1/hosts", "", p->token,
                                        WA_SV(""), NULL),
                         200);
    assert_int_equal(p->b.guests, 1);
    bench_exec(&p->b, "UPDATE sessions SET expires = 1");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", p->token, WA_SV(""), NULL), 401);
    p->b.store->cleaned_at = 0;
    wa_store_clean(p->b.store, wa_clock_now());
    BENCH_IS(&p->b, "SELECT count(*) FROM sessions", "0");
}

/* The database holds no token, only its digest. */
static void test_token_is_not_kept(void **state)
{
    struct place *p = *state;
    char kept[256];
    bench_query(&p->b, "SELECT sha256 FROM sessions", kept, sizeof kept);
    assert_int_equal(strlen(kept), 64);
    assert_string_not_equal(kept, p->token);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", kept, WA_SV(""), NULL), 401);
}

static void test_login(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "{\"user\":\"admin\"}",
        "{\"user\":1,\"password\":2}",
        "[]",
        "{\"user\":\"admin\",\"password\":\"x\",\"more\":1}",
        "{\"user\":\"admin\",\"user\":\"admin\",\"password\":\"x\"}"};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(bodies); i++)
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/session", "", "", wa_sv(bodies[i]), NULL), 400);
    /* Who exists can't be told from who does not. */
    struct wa_buf known, unknown;
    wa_buf_init(&known, 4096);
    wa_buf_init(&unknown, 4096);
    assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/session", "", "",
                               WA_SV("{\"user\":\"admin\",\"password\":\"x\"}"), &known),
                     401);
    assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/session", "", "",
                               WA_SV("{\"user\":\"nobody\",\"password\":\"x\"}"), &unknown),
                     401);
    assert_true(wa_sv_eq(wa_buf_sv(&known), wa_buf_sv(&unknown)));
    wa_buf_fini(&known);
    wa_buf_fini(&unknown);
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "admin", "", NULL), 401);
}

/* Many addresses against one account: it is closed to them, not to where its owner comes from. */
static void test_account_under_attack(void **state)
{
    struct place *p = *state;
    char peer[32];
    int last = 0;
    for (unsigned i = 0; i <= WA_THROTTLE_ACCOUNT; i++) {
        (void)snprintf(peer, sizeof peer, "10.1.0.%u", i);
        last = bench_login(&p->b, peer, "admin", "guess", NULL);
        assert_int_equal(last, i < WA_THROTTLE_ACCOUNT ? 401 : 429);
    }
    assert_int_equal(bench_login(&p->b, "10.2.0.1", "admin", BENCH_PASSWORD, NULL), 429);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, NULL), 200);
}

/* What is wrong with the server itself stays in its log. */
static void test_errors_tell_nothing(void **state)
{
    struct place *p = *state;
    struct wa_buf out;
    wa_buf_init(&out, 4096);
    p->b.scan_answer =
        "{\"code\":\"io\",\"message\":\"cannot write '/var/lib/secret'\",\"file\":\"\"}";
    assert_int_equal(bench_publish(&p->b, p->token, NULL, &out), 500);
    assert_null(strstr(wa_buf_str(&out), "secret"));
    p->b.scan_answer =
        "{\"code\":\"no_space\",\"message\":\"'/var/lib/secret' is full\",\"file\":\"\"}";
    assert_int_equal(bench_publish(&p->b, p->token, NULL, &out), 507);
    assert_null(strstr(wa_buf_str(&out), "secret"));
    p->b.scan_answer =
        "{\"code\":\"refused\",\"message\":\"the signer is a stranger\",\"file\":\"\"}";
    assert_int_equal(bench_publish(&p->b, p->token, NULL, &out), 403);
    assert_non_null(strstr(wa_buf_str(&out), "stranger"));
    p->b.scan_answer = "nonsense";
    assert_int_equal(bench_publish(&p->b, p->token, NULL, NULL), 400);
    bench_exec(&p->b, "DROP TABLE sections");
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/hosts/machine", "", p->token, WA_SV(""), &out), 500);
    assert_null(strstr(wa_buf_str(&out), "sections"));
    wa_buf_fini(&out);
}

/* What a front could send, had it been taken over. */
static void test_front_gone_mad(void **state)
{
    static const char *const texts[] = {
        "",     "\n",     "{}\n",          "{\"method\":\"GET\"}\nx",
        "[]\n", "\xff\n", "{\"conn\":-1}", "{\"conn\":99999999999,\"id\":\"x\"}"};
    static const uint16_t types[] = {WA_S_REQUEST, WA_S_HELLO, WA_S_ACK, WA_S_GONE, 77};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        for (size_t k = 0; k < WA_COUNT(types); k++) {
            int status = 0;
            bench_send(&p->b, types[k], 1000 + (uint32_t)i, wa_sv(texts[i]));
            bool answered = bench_serve(&p->b, 1000 + (uint32_t)i, &status, NULL);
            assert_int_equal(answered, k < 2);
            assert_true(!answered || status >= 400);
        }
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", p->token, WA_SV(""), NULL), 200);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rights),
        TEST(test_roles),
        TEST(test_orders_by_role),
        TEST(test_orders_judged_together),
        TEST(test_question),
        TEST(test_forget_host),
        TEST(test_description),
        TEST(test_session_ends),
        TEST(test_token_is_not_kept),
        TEST(test_login),
        TEST(test_account_under_attack),
        TEST(test_errors_tell_nothing),
        TEST(test_front_gone_mad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
