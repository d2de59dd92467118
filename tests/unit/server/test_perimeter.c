/* Perimeters: whose machines one sees, and what happens at the others. */
#include "bench.h"

#include "../repo/metadata.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/rollout.h"
#include "server/perimeter.h"
#include "server/rights.h"

#define PARIS "OU=paris_DC=example_DC=org"

static void test_names(void **state)
{
    static const struct {
        const char *json, *names;
        bool is_in;
    } cases[] = {
        {"{\"groups\":[\"sales\"]}", "sales", true},
        {"{\"groups\":[\"sales\"]}", "firefox,sales,other", true},
        {"{\"groups\":[\"sales\"]}", "Sales", false},
        {"{\"groups\":[\"sales\"]}", "sales2,presales", false},
        {"{\"groups\":[\"sales\"]}", "", false},
        {"{\"groups\":[\"sales\"]}", ",,", false},
        {"{\"profiles\":[\"laptop\"]}", "laptop", true},
        {"{}", "sales", false},
        {"{\"groups\":[],\"units\":[]}", "sales", false},
        {"{\"groups\":[\"*\"]}", "sales", false},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", PARIS, true},
        {"{\"units\":[\"" PARIS "\"]}", PARIS, true},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", "OU=floor~2_" PARIS, true},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", "DC=example_DC=org", false},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", "OU=great-paris_DC=example_DC=org", false},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", "OU=great" PARIS, false},
        {"{\"units\":[\"OU=paris,DC=example,DC=org\"]}", "x_" PARIS, false}, /* a group's name */
        {"{\"groups\":[\"" PARIS "\"]}", "OU=floor_" PARIS, false},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO_PERIMETER struct wa_perimeter p;
        wa_perimeter_init(&p);
        WA_ASSERT_OK(wa_perimeter_read(&p, wa_sv(cases[i].json), &err));
        if (wa_perimeter_has(&p, wa_sv(cases[i].names)) != cases[i].is_in)
            fail_msg("%s: %s", cases[i].json, cases[i].names);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const texts[] = {"",
                                        "[]",
                                        "{\"groups\":\"x\"}",
                                        "{\"groups\":[1]}",
                                        "{\"groups\":[\"\"]}",
                                        "{\"units\":[\"paris\"]}",
                                        "{\"units\":[\",\"]}",
                                        "{\"units\":[\"=a\"]}",
                                        "{\"machines\":[]}",
                                        "{\"groups\":[],\"groups\":[]}"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO_PERIMETER struct wa_perimeter p;
        wa_perimeter_init(&p);
        WA_ASSERT_CODE(wa_perimeter_read(&p, wa_sv(texts[i]), &err), WA_E_USAGE);
    }
}

static void test_depends(void **state)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, 4096);
    wa_perimeter_of_depends("sales, sales(>=2),firefox(=1), (,OU=a_DC=b", &out);
    assert_string_equal(wa_buf_str(&out), "sales,firefox,OU=a_DC=b");
}

/* --- in the store --- */

#define PERIMETER "{\"groups\":[\"sales\"],\"profiles\":[],\"units\":[\"" PARIS "\"]}"

struct place {
    struct bench b;
    struct machine inside, outside, below;
    char admin[65], limited[65];
};

static void name_host(struct place *p, const char *uuid, const char *names)
{
    char answer[512];
    (void)snprintf(answer, sizeof answer,
                   "{\"code\":\"ok\",\"message\":\"\",\"file\":\"a.wapt\",\"text\":\"%s\"}", names);
    p->b.scan_answer = answer;
    assert_int_equal(bench_publish(&p->b, p->admin, uuid, NULL), 200);
    p->b.scan_answer = NULL;
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->inside, "inside");
    machine_new(&p->outside, "outside");
    machine_new(&p->below, "below");
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->admin), 200);
    name_host(p, "below", "firefox,OU=floor_" PARIS); /* before the machine itself comes */
    assert_int_equal(machine_register(&p->b, &p->inside, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->outside, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->below, WA_CRED_TOKEN, "t"), 200);
    name_host(p, "inside", "sales");
    name_host(p, "outside", "accounting");
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "limited", "H", "superadmin", &err));
    WA_ASSERT_OK(wa_store_set_perimeter(p->b.store->db, "limited", PERIMETER, &err));
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "limited", BENCH_PASSWORD, p->limited), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->inside);
    machine_free(&p->outside);
    machine_free(&p->below);
    bench_free(&p->b);
    free(p);
    return 0;
}

static void list(struct place *p, const char *token, struct wa_buf *out)
{
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "sort=uuid", token, WA_SV(""), out),
                     200);
}

static void test_lists(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 16);
    list(p, p->admin, &out);
    assert_non_null(strstr(wa_buf_str(&out), "\"total\":3"));
    list(p, p->limited, &out);
    assert_non_null(strstr(wa_buf_str(&out), "\"total\":2"));
    assert_null(strstr(wa_buf_str(&out), "outside"));
    /* After a start all is as before. */
    struct wa_err err = WA_ERR_INIT;
    wa_fleet_free(p->b.store->fleet);
    WA_ASSERT_OK(wa_fleet_new(&p->b.store->fleet, &err));
    WA_ASSERT_OK(wa_store_load_fleet(p->b.store->db, p->b.store->fleet, &err));
    list(p, p->limited, &out);
    assert_non_null(strstr(wa_buf_str(&out), "\"total\":2"));
    /* A new host package counts at once, in both directions. */
    name_host(p, "inside", "");
    name_host(p, "outside", "sales");
    list(p, p->limited, &out);
    assert_non_null(strstr(wa_buf_str(&out), "outside"));
    assert_null(strstr(wa_buf_str(&out), "inside"));
    /* What a machine says of itself does not. */
    assert_int_equal(machine_status(&p->b, &p->inside, "OK"), 200);
    list(p, p->limited, &out);
    assert_null(strstr(wa_buf_str(&out), "inside"));
}

/* A machine outside and one that does not exist can't be told apart. */
static void test_hidden(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status; /* of the machine inside */
    } calls[] = {{"GET", "/api/v1/hosts/", "", 200}, {"DELETE", "/api/v1/hosts/", "", 200}};
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf hidden;
    WA_AUTO_BUF struct wa_buf none;
    char path[128];
    wa_buf_init(&hidden, 4096);
    wa_buf_init(&none, 4096);
    p->b.scan_answer = "{\"code\":\"ok\",\"message\":\"\",\"file\":\"a.wapt\",\"text\":\"sales\"}";
    assert_int_equal(bench_publish(&p->b, p->limited, "outside", &hidden), 404);
    assert_int_equal(bench_publish(&p->b, p->limited, "outsidf", &none), 404);
    assert_int_equal(hidden.n, none.n);
    assert_int_equal(bench_publish(&p->b, p->limited, "inside", NULL), 200);
    for (size_t i = 0; i < WA_COUNT(calls); i++) {
        (void)snprintf(path, sizeof path, "%soutside", calls[i].path);
        assert_int_equal(
            bench_ask(&p->b, calls[i].method, path, "", p->limited, wa_sv(calls[i].body), &hidden),
            404);
        (void)snprintf(path, sizeof path, "%soutsidf", calls[i].path);
        assert_int_equal(
            bench_ask(&p->b, calls[i].method, path, "", p->limited, wa_sv(calls[i].body), &none),
            404);
        char *at = strstr(hidden.p, "outside");
        assert_non_null(at);
        at[6] = 'f';
        assert_string_equal(wa_buf_str(&hidden), wa_buf_str(&none));
        (void)snprintf(path, sizeof path, "%sinside", calls[i].path);
        assert_int_equal(
            bench_ask(&p->b, calls[i].method, path, "", p->limited, wa_sv(calls[i].body), NULL),
            calls[i].status);
    }
    BENCH_IS(&p->b, "SELECT count(*) FROM hosts", "2");
}

static void test_orders(void **state)
{
    static const char *const mixed[] = {"inside", "outside", "none"}, *const good[] = {"below"},
                             *const hidden[] = {"outside"};
    struct place *p = *state;
    struct person signer;
    char ids[3][33], query[64], batch[64];
    struct wa_buf body;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 16);
    person_new(&p->b, &signer, true);
    person_order(&signer, mixed, 3, ids, &body);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->limited, wa_buf_sv(&body), &out), 404);
    assert_non_null(strstr(wa_buf_str(&out), "'outside', 'none'"));
    assert_null(strstr(wa_buf_str(&out), "inside"));
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "0");
    wa_buf_fini(&body);
    person_order(&signer, good, 1, ids, &body);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->limited, wa_buf_sv(&body), NULL), 200);
    wa_buf_fini(&body);
    /* Of what somebody else ordered one sees one's own machines. */
    person_order(&signer, hidden, 1, ids, &body);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->admin, wa_buf_sv(&body), NULL), 200);
    wa_buf_fini(&body);
    /* And what was ordered for others alone is not there. */
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/batches", "", p->limited, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "\"machines\":1}]"));
    assert_null(strstr(wa_buf_str(&out), "\"machines\":1},{"));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/batches", "", p->admin, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "\"machines\":1},{"));
    bench_exec(&p->b, "UPDATE actions SET batch = 'one'");
    (void)snprintf(query, sizeof query, "batch=one");
    (void)snprintf(batch, sizeof batch, "below");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/actions", query, p->limited, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), batch));
    assert_null(strstr(wa_buf_str(&out), "outside"));
    person_free(&signer);
}

/* A page of what was ordered, of one row; its 'next' in plain: order, identifier and time. */
static void batch_page(struct place *p, struct wa_buf *rows, struct wa_buf *place)
{
    char query[1100];
    (void)snprintf(query, sizeof query, "limit=1%s%s", p->b.next[0] != '\0' ? "&" : "", p->b.next);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/batches", query, p->limited, WA_SV(""), rows),
                     200);
    struct wa_err err = WA_ERR_INIT;
    const char *at = strstr(wa_buf_str(rows), "\"next\":\"");
    wa_buf_clear(place);
    p->b.next[0] = '\0';
    if (at == NULL)
        return;
    (void)snprintf(p->b.next, sizeof p->b.next, "after=%.*s", (int)strcspn(at + 8, "\""), at + 8);
    WA_ASSERT_OK(wa_base64url_decode(wa_sv(p->b.next + 6), place, &err));
}

/* However much was ordered of machines that one does not see, the pages are full, and no place in
 * the list names any of it. */
static void test_pages_of_orders(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf at;
    wa_buf_init(&out, 1u << 16);
    wa_buf_init(&at, 4096);
    bench_exec(
        &p->b,
        "INSERT INTO batches (id, \"user\", kind, what, signer, orders, created) WITH "
        "RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) SELECT "
        "'hidden' || i, 'u', 'update', '', 's', 1, 1000 - i FROM n UNION ALL SELECT 'seen1', "
        "'u', 'update', '', 's', 1, 1000 UNION ALL SELECT 'seen2', 'u', 'update', '', 's', "
        "1, 500");
    bench_exec(&p->b, "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated) SELECT 'a' || id, id, CASE WHEN id LIKE "
                      "'seen%' THEN 'below' ELSE 'outside' END, 'update', '', 1, 9, 's', 'done', "
                      "1, 1 FROM batches");
    batch_page(p, &out, &at);
    assert_non_null(strstr(wa_buf_str(&out), "\"seen1\""));
    assert_string_equal(wa_buf_str(&at), "\nseen1\n1000");
    batch_page(p, &out, &at);
    assert_non_null(strstr(wa_buf_str(&out), "\"seen2\""));
    assert_string_equal(wa_buf_str(&at), "");
    /* So much lies between that one call does not look at all of it. */
    bench_exec(&p->b, "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                      "SELECT i + 1 FROM n WHERE i < 51000) SELECT 'm' || i, 'hidden7', 'outside', "
                      "'update', '', 1, 9, 's', 'done', 1, 1 FROM n");
    batch_page(p, &out, &at);
    assert_non_null(strstr(wa_buf_str(&out), "\"seen1\""));
    assert_string_equal(wa_buf_str(&at), "\n0\n993");
    batch_page(p, &out, &at);
    assert_non_null(strstr(wa_buf_str(&out), "\"seen2\""));
    assert_string_equal(wa_buf_str(&at), "");
}

static void rollout_of(const struct person *by, const char *uuid, struct wa_buf *out)
{
    const struct wa_rollout_lists lists = {.machines = &uuid, .machine_count = 1};
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    struct wa_rollout r = {
        .kind = WA_ACT_UPDATE, .issued_at = now, .not_before = now, .not_after = now + 3600};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(out, 1u << 20);
    WA_ASSERT_OK(wa_rand_hex(r.id, 16, &err));
    WA_ASSERT_OK(
        wa_rollout_write(&r, &lists, wa_cert_fingerprint(by->chain.items[0]), &text, &err));
    wa_buf_adds(out, "{\"name\":\"n\",\"plan\":{\"rings\":[{\"name\":\"all\",\"percent\":100}]},"
                     "\"order\":");
    WA_ASSERT_OK(wa_rollout_order_write(wa_buf_sv(&text), by->key, &by->chain, out, &err));
    wa_buf_adds(out, "}");
}

/* Whom the root lets order, for one group's machines: of a machine that the caller does not see no
 * word of its groups comes back. */
static void test_orders_by_a_root(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    static const char *const uuids[] = {"outside", "no-such"};
    struct people people;
    struct person signer = {.key = NULL};
    char path[WA_PATH_MAX], ids[1][33];
    WA_AUTO_BUF struct wa_buf root;
    WA_AUTO_BUF struct wa_buf pem;
    people_make(&people);
    root_make(&people, (struct root_what){.version = 1}, &root);
    WA_ASSERT_OK(wa_path_replace(p->b.store->root, wa_buf_sv(&root), 0644, &err));
    pem_of(&people, PACKAGER, &pem);
    (void)snprintf(path, sizeof path, "%.4000s/p.crt", p->b.store->trusted);
    WA_ASSERT_OK(wa_path_replace(path, wa_buf_sv(&pem), 0644, &err));
    WA_ASSERT_OK(wa_certs_read_pem(wa_buf_sv(&pem), 1, &signer.chain, &err));
    signer.key = people.keys[PACKAGER];
    name_host(p, "outside", "other");
    for (size_t i = 0; i < WA_COUNT(uuids); i++) {
        WA_AUTO_BUF struct wa_buf body;
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 1u << 16);
        person_order(&signer, &uuids[i], 1, ids, &body);
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/actions", "", p->limited, wa_buf_sv(&body), &out),
            404);
        assert_non_null(strstr(wa_buf_str(&out), "there is no host"));
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/actions", "", p->admin, wa_buf_sv(&body), &out),
            i == 0 ? 403 : 404);
        wa_buf_fini(&body);
        rollout_of(&signer, uuids[i], &body);
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/rollouts", "", p->limited, wa_buf_sv(&body), &out),
            404);
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/rollouts", "", p->admin, wa_buf_sv(&body), &out),
            i == 0 ? 403 : 200);
    }
    wa_certs_fini(&signer.chain);
    people_free(&people);
}

/* What reaches every machine takes somebody without a perimeter, whatever the role. */
static void test_rights(void **state)
{
    struct place *p = *state;
    assert_int_equal(wa_person_rights("superadmin", false), wa_role_rights(WA_SV("superadmin")));
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/packages/a.wapt", "", p->limited, WA_SV(""), NULL),
        403);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/journal", "", p->limited, WA_SV(""), NULL),
                     403);
    assert_int_equal(bench_publish(&p->b, p->limited, NULL, NULL), 200);
    assert_non_null(strstr(p->b.scan_asked, "\"rights\":"));
    assert_non_null(strstr(p->b.scan_asked, "\"perimeter\":\"{\\\"groups\\\":[\\\"sales\\\"]"));
    assert_int_equal(bench_publish(&p->b, p->admin, NULL, NULL), 200);
    assert_null(strstr(p->b.scan_asked, "perimeter"));
}

/* By one's own login one lets new machines in, and replaces only those one sees. */
static void test_registration(void **state)
{
    struct place *p = *state;
    struct machine thief;
    static const char login[] = "limited " BENCH_PASSWORD;
    machine_new(&thief, "outside");
    thief.seq = 100;
    assert_int_equal(machine_register(&p->b, &thief, WA_CRED_PASSWORD, login), 409);
    assert_int_equal(machine_status(&p->b, &p->outside, "OK"), 200);
    machine_free(&thief);
    machine_new(&thief, "inside");
    thief.seq = 100;
    assert_int_equal(machine_register(&p->b, &thief, WA_CRED_PASSWORD, login), 200);
    machine_free(&thief);
    machine_new(&thief, "new");
    assert_int_equal(machine_register(&p->b, &thief, WA_CRED_PASSWORD, login), 200);
    machine_free(&thief);
}

/* A perimeter that can't be read lets see nothing. */
static void test_damaged(void **state)
{
    struct place *p = *state;
    bench_exec(&p->b, "UPDATE users SET perimeter = '{' WHERE name = 'limited'");
    assert_int_not_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", p->limited, WA_SV(""), NULL),
                         200);
}

static enum wa_code looks(void *arg, struct wa_err *err)
{
    struct place *p = arg;
    WA_AUTO_PERIMETER struct wa_perimeter perimeter;
    struct wa_fleet_view view = {NULL, 0};
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO(wa_fleet) struct wa_fleet *f = NULL;
    const struct wa_fleet_change host = {.name = WA_SV("a"), .registered_at = 1, .last_seen = 1};
    WA_UNUSED(p);
    wa_perimeter_init(&perimeter);
    wa_buf_init(&out, 4096);
    if (wa_fleet_new(&f, err) == WA_OK && wa_fleet_put(f, WA_SV("a"), &host, err) == WA_OK &&
        wa_fleet_set_tags(f, WA_SV("a"), WA_FLEET_IN, WA_SV("x,sales"), err) == WA_OK &&
        wa_perimeter_read(&perimeter, WA_SV(PERIMETER), err) == WA_OK &&
        wa_perimeter_view(&perimeter, f, &view, err) == WA_OK) {
        assert_true(wa_fleet_sees(f, &view, WA_SV("a")));
        assert_false(wa_fleet_sees(f, &view, WA_SV("b")));
        wa_perimeter_write(&perimeter, &out);
        if (wa_buf_check(&out, err) == WA_OK)
            assert_string_equal(wa_buf_str(&out), PERIMETER);
    }
    wa_fleet_view_fini(&view);
    return err->code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(looks, NULL) > 10);
}

#define STORE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_depends),
        STORE(test_lists),
        STORE(test_hidden),
        STORE(test_orders),
        STORE(test_pages_of_orders),
        STORE(test_orders_by_a_root),
        STORE(test_rights),
        STORE(test_registration),
        STORE(test_damaged),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
