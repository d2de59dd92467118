/* What is signed is the plan, the whole plan and nothing else, for one machine and for a thousand;
 * and how a batch ended. */
#include "torture.h"

#include "base/mem.h"
#include "console/orders.h"

#define DAY 86400

struct people {
    struct wa_key *key, *other;
    struct wa_certs chain;
    struct wa_signer signer;
    int64_t now;
};

static int setup(void **state)
{
    static struct people p;
    struct wa_err err = WA_ERR_INIT;
    struct wa_cert *cert = NULL;
    const struct wa_cert_request request = {.cn = "Deployer", .path_length = -1, .days = 30};
    WA_ASSERT_OK(wa_key_new_p256(&p.key, &err));
    WA_ASSERT_OK(wa_key_new_p256(&p.other, &err));
    WA_ASSERT_OK(wa_cert_issue(&request, p.key, NULL, NULL, &cert, &err));
    WA_ASSERT_OK(wa_certs_add(&p.chain, cert, &err));
    p.now = wa_cert_not_before(cert) + 600;
    wa_cert_free(cert);
    p.signer = (struct wa_signer){p.key, &p.chain};
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct people *p = *state;
    wa_key_free(p->key);
    wa_key_free(p->other);
    wa_certs_fini(&p->chain);
    return 0;
}

static const char *const packages[] = {"tis-x(=1)", "tis-\"y\""};

static struct wa_target *machines(size_t count)
{
    struct wa_target *t = test_calloc(count, sizeof *t);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(t[i].uuid, sizeof t[i].uuid, "00000000-0000-4000-8000-%012zu", i);
        (void)snprintf(t[i].name, sizeof t[i].name, "forged\",\"uuid\":\"name");
    }
    return t;
}

static struct wa_order_plan plan_of(const struct people *p, const struct wa_target *t, size_t count)
{
    return (struct wa_order_plan){.kind = WA_ACT_INSTALL,
                                  .targets = t,
                                  .target_count = count,
                                  .packages = packages,
                                  .package_count = 2,
                                  .now = p->now,
                                  .valid_s = 3600,
                                  .force = true};
}

/* Order i is for machine i, and says what the plan says; its signature and proof hold. */
static void check_order(const struct wa_json *j, const struct wa_order_plan *plan, size_t i,
                        char id[33])
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wa_order o;
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_order_read(j, &arena, &o, &err));
    WA_ASSERT_OK(wa_order_check_signature(&o, &err));
    assert_int_equal(o.index, i);
    assert_int_equal(o.count, plan->target_count);
    assert_string_equal(o.action.uuid, plan->targets[i].uuid);
    assert_int_equal(o.action.kind, plan->kind);
    assert_int_equal(o.action.issued_at, plan->now);
    assert_int_equal(o.action.not_before, plan->now);
    assert_int_equal(o.action.not_after, plan->now + plan->valid_s);
    assert_int_equal(o.action.force, plan->force);
    assert_int_equal(wa_json_count(o.action.packages), plan->package_count);
    for (size_t k = 0; k < plan->package_count; k++)
        WA_ASSERT_SV(wa_json_sv(wa_json_at(o.action.packages, k)), plan->packages[k]);
    assert_false(wa_sv_eq(o.action_text, WA_SV("")));
    for (size_t k = 0; k + 6 < o.action_text.n; k++) /* what machines say is not signed */
        assert_false(wa_sv_starts(wa_sv_sub(o.action_text, k, 6), "forged"));
    memcpy(id, o.action.id, sizeof o.action.id);
    wa_order_fini(&o);
}

static void signs_for(const struct people *p, size_t count)
{
    WA_AUTO_BUF struct wa_buf body;
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    char id[33], last[33] = "";
    struct wa_target *t = machines(count);
    struct wa_order_plan plan = plan_of(p, t, count);
    wa_buf_init(&body, 15u << 20); /* what the server takes */
    wa_arena_init(&arena, 256u << 20);
    WA_ASSERT_OK(wa_orders_sign(&plan, &p->signer, &body, &err));
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&body), 0, &arena, &j, &err));
    assert_int_equal(wa_json_count(j), 1);
    const struct wa_json *orders = wa_json_get(j, "orders");
    assert_int_equal(wa_json_count(orders), count);
    for (size_t i = 0; i < count; i++) {
        check_order(wa_json_at(orders, i), &plan, i, id);
        assert_string_not_equal(id, last);
        memcpy(last, id, sizeof last);
    }
    test_free(t);
}

static void signs_for_one_and_for_a_thousand(void **state)
{
    signs_for(*state, 1);
    signs_for(*state, 2);
    signs_for(*state, 1000);
}

static void refuses_to_sign(void **state)
{
    const struct people *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf body;
    struct wa_target *t = machines(1);
    struct wa_order_plan plan = plan_of(p, t, 1);
    const struct wa_signer stranger = {p->other, &p->chain};
    wa_buf_init(&body, 1u << 20);
    WA_ASSERT_CODE(wa_orders_sign(&plan, &stranger, &body, &err), WA_E_USAGE); /* another's key */
    plan.now = p->now + 31 * DAY;                                              /* expired */
    WA_ASSERT_CODE(wa_orders_sign(&plan, &p->signer, &body, &err), WA_E_REFUSED);
    plan.now = p->now - DAY; /* not valid yet */
    WA_ASSERT_CODE(wa_orders_sign(&plan, &p->signer, &body, &err), WA_E_REFUSED);
    plan.now = p->now + 29 * DAY; /* expires before the action */
    plan.valid_s = 2 * DAY;
    WA_ASSERT_CODE(wa_orders_sign(&plan, &p->signer, &body, &err), WA_E_REFUSED);
    plan = plan_of(p, t, 0); /* nobody */
    WA_ASSERT_CODE(wa_orders_sign(&plan, &p->signer, &body, &err), WA_E_USAGE);
    plan = plan_of(p, t, 1); /* install what? */
    plan.package_count = 0;
    assert_int_not_equal(wa_orders_sign(&plan, &p->signer, &body, &err), WA_OK);
    assert_int_equal(body.n, 0);
    test_free(t);
}

/* What is left out is said in what is signed, of what changes packages alone, and only where it is
 * meant. */
static void signs_what_is_spared(void **state)
{
    const struct people *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_target *t = machines(1);
    struct wa_order_plan plan = plan_of(p, t, 1);
    const size_t package_count = plan.package_count;
    static const enum wa_action_kind kinds[] = {WA_ACT_UPGRADE, WA_ACT_INSTALL, WA_ACT_REMOVE};
    for (size_t i = 0; i < 2 * WA_COUNT(kinds); i++) {
        int spares = i % 2 != 0;
        plan.kind = kinds[i / 2];
        plan.package_count = plan.kind == WA_ACT_UPGRADE ? 0 : package_count;
        WA_AUTO_ORDER_TEXTS struct wa_order_texts texts = {.count = 0};
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_action a;
        wa_arena_init(&arena, 1u << 20);
        plan.only_if_not_running = spares != 0;
        WA_ASSERT_OK(wa_orders_write(&plan, &texts, &err));
        assert_int_equal(
            strstr(wa_buf_str(&texts.items[0]), "\"only_if_not_running\":true") != NULL, spares);
        assert_int_equal(strstr(wa_buf_str(&texts.items[0]), "only_if_not_running") != NULL,
                         spares);
        WA_ASSERT_OK(wa_action_read(wa_buf_sv(&texts.items[0]), &arena, &a, &err));
        assert_int_equal(a.only_if_not_running, spares);
    }
    plan.kind = WA_ACT_FORGET;
    WA_AUTO_ORDER_TEXTS struct wa_order_texts none = {.count = 0};
    WA_ASSERT_CODE(wa_orders_write(&plan, &none, &err), WA_E_INVALID);
    test_free(t);
}

/* Also an empty one, which takes the former away; never two lines, nor what can't be seen. */
static void signs_what_a_machine_is_called(void **state)
{
    static const char *const good[] = {"Front desk", "", "\xc3\xa9"};
    static const char *const bad[] = {"two\nlines", "\x1b[2J", "\xff", "\xe2\x80\xae"};
    const struct people *p = *state;
    struct wa_target *t = machines(1);
    struct wa_order_plan plan = plan_of(p, t, 1);
    plan.kind = WA_ACT_DESCRIBE;
    plan.package_count = 0;
    for (size_t i = 0; i < WA_COUNT(good) + WA_COUNT(bad); i++) {
        WA_AUTO_ORDER_TEXTS struct wa_order_texts texts = {.count = 0};
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_err err = WA_ERR_INIT;
        struct wa_action a;
        wa_arena_init(&arena, 1u << 20);
        plan.text = i < WA_COUNT(good) ? good[i] : bad[i - WA_COUNT(good)];
        if (i >= WA_COUNT(good)) {
            WA_ASSERT_CODE(wa_orders_write(&plan, &texts, &err), WA_E_INVALID);
            continue;
        }
        WA_ASSERT_OK(wa_orders_write(&plan, &texts, &err));
        WA_ASSERT_OK(wa_action_read(wa_buf_sv(&texts.items[0]), &arena, &a, &err));
        WA_ASSERT_SV(a.text, good[i]);
    }
    test_free(t);
}

struct job {
    const struct people *people;
    struct wa_target *targets;
};

static enum wa_code sign_once(void *arg, struct wa_err *err)
{
    const struct job *job = arg;
    WA_AUTO_BUF struct wa_buf body;
    struct wa_order_plan plan = plan_of(job->people, job->targets, 2);
    wa_buf_init(&body, 1u << 20);
    return wa_orders_sign(&plan, &job->people->signer, &body, err);
}

static void survives_without_memory(void **state)
{
    struct job job = {*state, machines(2)};
    assert_true(wa_torture(sign_once, &job) > 10);
    test_free(job.targets);
}

static void tells_how_it_ended(void **state)
{
    static const struct {
        const char *actions;
        enum wa_code code;
        size_t done, failed, queued, sent;
    } cases[] = {
        {"[{\"state\":\"done\",\"code\":\"ok\"}]", WA_OK, 1, 0, 0, 0},
        {"[{\"state\":\"done\",\"code\":\"failed\"}]", WA_E_FAILED, 0, 1, 0, 0},
        {"[{\"state\":\"failed\",\"code\":\"ok\"}]", WA_E_FAILED, 0, 1, 0, 0}, /* never good */
        {"[{\"state\":\"refused\",\"code\":\"refused\"}]", WA_E_REFUSED, 0, 1, 0, 0},
        {"[{\"state\":\"expired\"}]", WA_E_TIMEOUT, 0, 1, 0, 0},
        {"[{\"state\":\"done\",\"code\":\"ok\"},{\"state\":\"refused\",\"code\":\"refused\"}]",
         WA_E_PARTIAL, 1, 1, 0, 0},
        {"[{\"state\":\"done\",\"code\":\"ok\"},{\"state\":\"queued\"}]", WA_E_PARTIAL, 1, 0, 1, 0},
        {"[{\"state\":\"queued\"},{\"state\":\"queued\"}]", WA_E_UNREACHABLE, 0, 0, 2, 0},
        {"[{\"state\":\"queued\"},{\"state\":\"sent\"}]", WA_E_TIMEOUT, 0, 0, 1, 1},
        {"[{\"state\":\"sent\"},{\"state\":\"failed\",\"code\":\"denied\"}]", WA_E_DENIED, 0, 1, 0,
         1},
        /* Words of the machine's that are none: a failure, and never a mistake of this program. */
        {"[{\"state\":\"done\",\"code\":\"\\u001b[2J\"}]", WA_E_FAILED, 0, 1, 0, 0},
        {"[{\"state\":\"done\",\"code\":\"internal\"}]", WA_E_FAILED, 0, 1, 0, 0},
        {"[{\"state\":\"done\",\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"
         "]",
         WA_E_FAILED, 0, 1, 0, 0},
        {"[{\"state\":7},null,\"done\"]", WA_E_TIMEOUT, 0, 0, 0, 3},
        {"[]", WA_OK, 0, 0, 0, 0},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_err err = WA_ERR_INIT;
        struct wa_orders_tally t = {0};
        const struct wa_json *j = NULL;
        wa_arena_init(&arena, 1u << 20);
        WA_ASSERT_OK(wa_json_parse(wa_sv(cases[i].actions), 0, &arena, &j, &err));
        for (size_t k = 0; k < wa_json_count(j); k++)
            wa_orders_count(wa_json_at(j, k), &t);
        if (wa_orders_outcome(&t) != cases[i].code)
            fail_msg("%s: %s", cases[i].actions, wa_code_name(wa_orders_outcome(&t)));
        assert_int_equal(t.done, cases[i].done);
        assert_int_equal(t.failed, cases[i].failed);
        assert_int_equal(t.queued, cases[i].queued);
        assert_int_equal(t.sent, cases[i].sent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_for_one_and_for_a_thousand),
        cmocka_unit_test(refuses_to_sign),
        cmocka_unit_test(signs_what_is_spared),
        cmocka_unit_test(signs_what_a_machine_is_called),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(tells_how_it_ended),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
