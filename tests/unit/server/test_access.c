/* Every call, for every role, inside and outside a perimeter, by session and by token: what it
 * answers. The calls come from the table; one that is not expected here fails the test.
 *
 * Only who may is asked here. What a call does for those who may, its own tests say: here it fails
 * for its empty body, or for a name that nobody has, as well. */
#include "bench.h"

#include "os/clock.h"
#include "server/api.h"

#define INSIDE "inside"
#define OUTSIDE "outside"

enum kind {
    EVERYBODY, /* with a session or a token, whatever their rights */
    OWN,       /* any session, no token */
    NOBODY,    /* no session needed */
    RIGHT
};

/* roles: the first letters of those who may, in the order of power: Superadmin, Developer,
 * deplOyer, Helpdesk, Readonly. limited: whether they still may who have a perimeter. token: the
 * right that a token must have been given. */
static const struct {
    const char *call, *roles;
    enum kind kind;
    bool limited;
    const char *token;
} expected[] = {
    {"POST /api/v1/session", "", NOBODY, true, ""},
    {"POST /api/v1/session/certificate", "", NOBODY, true, ""},
    {"POST /api/v1/session/kerberos", "", NOBODY, true, ""},
    {"GET /api/v1/session/ways", "", NOBODY, true, ""},
    {"POST /api/v1/session/oidc/start", "", NOBODY, true, ""},
    {"POST /api/v1/session/oidc", "", NOBODY, true, ""},
    {"GET /api/v1/session", "", EVERYBODY, true, ""},
    {"DELETE /api/v1/session", "", OWN, true, ""},
    {"GET /api/v1/openapi.json", "", EVERYBODY, true, ""},
    {"POST /api/v1/account/password", "", OWN, true, ""},
    {"GET /api/v1/account/sessions", "", OWN, true, ""},
    {"DELETE /api/v1/account/sessions/{id}", "", OWN, true, ""},
    {"GET /api/v1/account/tokens", "", OWN, true, ""},
    {"POST /api/v1/account/tokens", "", OWN, true, ""},
    {"DELETE /api/v1/account/tokens/{id}", "", OWN, true, ""},
    {"POST /api/v1/account/second-factor", "", OWN, true, ""},
    {"POST /api/v1/account/second-factor/confirm", "", OWN, true, ""},
    {"POST /api/v1/account/second-factor/off", "", OWN, true, ""},
    {"GET /api/v1/account/certificates", "", OWN, true, ""},
    {"POST /api/v1/account/certificates", "", OWN, true, ""},
    {"DELETE /api/v1/account/certificates/{sha256}", "", OWN, true, ""},
    {"GET /api/v1/account/views", "", OWN, true, ""},
    {"PUT /api/v1/account/views/{name}", "", OWN, true, ""},
    {"DELETE /api/v1/account/views/{name}", "", OWN, true, ""},
    {"GET /api/v1/overview", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/users", "S", RIGHT, false, "people"},
    {"POST /api/v1/users", "S", RIGHT, false, "people"},
    {"GET /api/v1/users/{name}", "S", RIGHT, false, "people"},
    {"POST /api/v1/users/{name}", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/users/{name}", "S", RIGHT, false, "people"},
    {"POST /api/v1/users/{name}/password", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/users/{name}/sessions", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/users/{name}/second-factor", "S", RIGHT, false, "people"},
    {"POST /api/v1/users/{name}/certificates/{sha256}", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/users/{name}/certificates/{sha256}", "S", RIGHT, false, "people"},
    {"GET /api/v1/users/{name}/tokens", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/users/{name}/tokens/{id}", "S", RIGHT, false, "people"},
    {"GET /api/v1/hosts", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/host-facets", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/hosts/{uuid}", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/hosts/{uuid}/history", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/hosts/{uuid}/queue", "SDOHR", RIGHT, true, "view"},
    {"DELETE /api/v1/hosts/{uuid}", "SDO", RIGHT, true, "enrol"},
    {"DELETE /api/v1/hosts/{uuid}/certificate", "SDO", RIGHT, true, "enrol"},
    {"POST /api/v1/enrol-tokens", "SDO", RIGHT, true, "enrol"},
    {"GET /api/v1/software", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/package-states", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/estate", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/estate", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/actions", "SDOH", RIGHT, true, "order-care"},
    {"GET /api/v1/actions", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/wake", "SDOH", RIGHT, true, "order-care"},
    {"POST /api/v1/wake", "SDOH", RIGHT, true, "order-care"},
    {"GET /api/v1/batches", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/rollouts", "SDOH", RIGHT, true, "order-care"},
    {"GET /api/v1/rollouts", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/rollouts/{id}", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/rollouts/{id}/promote", "SDOH", RIGHT, true, "order-care"},
    {"POST /api/v1/rollouts/{id}/pause", "SDOH", RIGHT, true, "order-care"},
    {"POST /api/v1/rollouts/{id}/resume", "SDOH", RIGHT, true, "order-care"},
    {"POST /api/v1/rollouts/{id}/stop", "SDOH", RIGHT, true, "order-care"},
    {"GET /api/v1/packages", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/signers", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/signers", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/signers/{sha256}", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/packages/{file}", "SDO", RIGHT, false, "delete-packages"},
    {"GET /api/v1/host-packages/{uuid}", "SDOHR", RIGHT, true, "view"},
    {"DELETE /api/v1/host-packages/{uuid}", "SDO", RIGHT, true, "upload"},
    {"POST /api/v1/uploads", "SDO", RIGHT, true, "upload"},
    {"GET /api/v1/uploads", "SDO", RIGHT, true, "upload"},
    {"GET /api/v1/uploads/{id}", "SDO", RIGHT, true, "upload"},
    {"PUT /api/v1/uploads/{id}", "SDO", RIGHT, true, "upload"},
    {"POST /api/v1/uploads/{id}/finish", "SDO", RIGHT, true, "upload"},
    {"DELETE /api/v1/uploads/{id}", "SDO", RIGHT, true, "upload"},
    {"GET /api/v1/repository/timestamp-key", "SDOHR", RIGHT, true, "view"},
    {"PUT /api/v1/repository/root", "SDO", RIGHT, true, "publish"},
    {"PUT /api/v1/repository/published", "SDO", RIGHT, true, "publish"},
    {"GET /api/v1/journal", "S", RIGHT, false, "people"},
    {"GET /api/v1/journal/head", "SDOHR", RIGHT, true, "view"},
    {"GET /api/v1/events", "", EVERYBODY, true, ""},
    {"GET /api/v1/reports", "SDOHR", RIGHT, true, "view"},
    {"PUT /api/v1/reports/{name}", "SDO", RIGHT, true, "report"},
    {"DELETE /api/v1/reports/{name}", "SDO", RIGHT, true, "report"},
    {"GET /api/v1/reports/{name}/rows", "SDOHR", RIGHT, true, "view"},
    {"POST /api/v1/report-rows", "SDO", RIGHT, true, "report"},
    {"GET /api/v1/webhooks", "S", RIGHT, false, "people"},
    {"POST /api/v1/webhooks", "S", RIGHT, false, "people"},
    {"DELETE /api/v1/webhooks/{id}", "S", RIGHT, false, "people"},
    {"POST /api/v1/webhooks/{id}/test", "S", RIGHT, false, "people"},
    {"GET /api/v1/software-names", "SDOHR", RIGHT, true, "view"},
    {"PUT /api/v1/software-names", "SDO", RIGHT, true, "report"},
    {"GET /ping", "", NOBODY, true, ""},
    {"GET /healthz", "", NOBODY, true, ""},
    {"GET /readyz", "", NOBODY, true, ""},
    {"GET /metrics", "", NOBODY, true, ""}, /* it asks for itself: server-health */
};

struct place {
    struct bench b;
    struct machine inside, outside;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->inside, INSIDE);
    machine_new(&p->outside, OUTSIDE);
    assert_int_equal(machine_register(&p->b, &p->inside, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->outside, WA_CRED_TOKEN, "t"), 200);
    WA_ASSERT_OK(
        wa_fleet_set_tags(p->b.store->fleet, WA_SV(INSIDE), WA_FLEET_IN, WA_SV("sales"), &err));
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "u", "H", "superadmin", &err));
    /* The machine outside has all that a call could be about: it is not missing for want of it. */
    bench_exec(&p->b,
               "INSERT INTO certificates (serial, uuid, key, certificate, issued, not_after) "
               "VALUES ('01', '" OUTSIDE "', '', '', 1, 9999999999)");
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->inside);
    machine_free(&p->outside);
    bench_free(&p->b);
    free(p);
    return 0;
}

/* The path with host in {uuid}, and in other places what nobody has. */
static void fill(const char *pattern, const char *host, char *out, size_t size)
{
    size_t n = 0;
    while (*pattern != '\0' && n + 80 < size) {
        const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
        if (end == NULL) {
            out[n++] = *pattern++;
            continue;
        }
        n += (size_t)snprintf(out + n, size - n, "%s",
                              strncmp(pattern, "{uuid}", 6) == 0 ? host : "nobody");
        pattern = end + 1;
    }
    out[n] = '\0';
}

static int ask(struct place *p, const struct wa_api_route *r, const char *host, const char *bearer)
{
    char path[256], text[512];
    int status = 0;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    fill(r->path, host, path, sizeof path);
    /* As a front asks before it takes a body, so that nothing is done... */
    (void)snprintf(text, sizeof text,
                   "{\"method\":\"%s\",\"path\":\"%s\",\"query\":\"\",\"bearer\":\"%s\",\"peer\":"
                   "\"10.0.0.1\",\"question\":true}\n",
                   r->method, path, bearer);
    bench_send(&p->b, WA_S_REQUEST, ++p->b.id, wa_sv(text));
    assert_true(bench_serve(&p->b, p->b.id, &status, &out));
    if (strcmp(r->method, "GET") != 0 || strstr(r->path, "{uuid}") == NULL || status != 200)
        return status;
    return bench_ask(&p->b, r->method, path, "", bearer, WA_SV(""), NULL); /* ...and for itself */
}

static size_t row_of(const struct wa_api_route *r)
{
    char call[128];
    (void)snprintf(call, sizeof call, "%s %s", r->method, r->path);
    for (size_t i = 0; i < WA_COUNT(expected); i++)
        if (strcmp(expected[i].call, call) == 0)
            return i;
    fail_msg("%s: who may call it? Say so in test_access.c", call);
    return 0;
}

static void check(const struct wa_api_route *r, const char *who, int got, bool may, bool hidden)
{
    bool good = !may ? got == 403 : hidden ? got == 404 : got != 401 && got != 403;
    if (!good)
        fail_msg("%s %s as %s: %d", r->method, r->path, who, got);
}

static void log_in(struct place *p, const char *role, bool limited, char session[65])
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "u", role, &err));
    WA_ASSERT_OK(wa_store_set_perimeter(p->b.store->db, "u",
                                        limited ? "{\"groups\":[\"sales\"]}" : "", &err));
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "u", BENCH_PASSWORD, session), 200);
}

static bool has_role(size_t row, const char *role)
{
    static const char *const names[] = {"superadmin", "developer", "deployer", "helpdesk",
                                        "readonly"};
    for (size_t i = 0; i < WA_COUNT(names); i++)
        if (strcmp(role, names[i]) == 0)
            return strchr(expected[row].roles, "SDOHR"[i]) != NULL;
    return false;
}

static bool is_hidden(const struct wa_api_route *r)
{
    return strstr(r->path, "{uuid}") != NULL && strcmp(r->method, "GET") == 0;
}

/* The call itself, whatever its method: there is no such machine. */
static void do_outside(struct place *p, const struct wa_api_route *r, const char *session)
{
    char path[256];
    fill(r->path, OUTSIDE, path, sizeof path);
    int got = bench_ask(&p->b, r->method, path, "", session, WA_SV("{}"), NULL);
    if (got != 404)
        fail_msg("%s %s outside: %d", r->method, path, got);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM certificates WHERE uuid = '" OUTSIDE "' AND revoked = 0",
             "1");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM hosts", "2");
}

static void test_sessions(void **state)
{
    struct place *p = *state;
    char session[65], who[64];
    const struct wa_api_route *r;
    for (const char *const *role = wa_role_names(); *role != NULL; role++)
        for (int limited = 0; limited < 2; limited++) {
            log_in(p, *role, limited != 0, session);
            (void)snprintf(who, sizeof who, "%s%s", *role, limited ? ", limited" : "");
            for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++) {
                size_t row = row_of(r);
                bool may = expected[row].kind != RIGHT ||
                           (has_role(row, *role) && (!limited || expected[row].limited));
                check(r, who, ask(p, r, INSIDE, session), may, false);
                check(r, who, ask(p, r, OUTSIDE, session), may, limited && is_hidden(r));
                check(r, who, ask(p, r, "none", session), may, limited && is_hidden(r));
                if (may && limited && strstr(r->path, "{uuid}") != NULL)
                    do_outside(p, r, session);
            }
        }
}

static void test_nobody(void **state)
{
    static const char *const bearers[] = {"", "wapt-api-", "wapt-api-x", "x"};
    struct place *p = *state;
    const struct wa_api_route *r;
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++)
        for (size_t k = 0; k < WA_COUNT(bearers); k++) {
            int got = ask(p, r, INSIDE, bearers[k]);
            assert_true((got == 401) == (expected[row_of(r)].kind != NOBODY));
        }
}

static void make_token(struct place *p, const char *session, const char *rights, char token[128])
{
    char body[512];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    (void)snprintf(body, sizeof body, "{\"name\":\"t\",\"days\":1,\"rights\":[%s]}", rights);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/account/tokens", "", session, wa_sv(body), &out), 200);
    const char *at = strstr(wa_buf_str(&out), "\"token\":\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"token\":\"%127[^\"]\"", token), 1);
}

/* A token with one right may what takes that right, and nothing else. */
static void test_tokens(void **state)
{
    static const char *const rights[] = {
        "view",    "order-care", "order-software", "upload", "upload-code", "delete-packages",
        "publish", "enrol",      "people",         "report", "metrics"};
    struct place *p = *state;
    char session[65], token[128], one[64];
    const struct wa_api_route *r;
    log_in(p, "superadmin", false, session);
    for (size_t k = 0; k < WA_COUNT(rights); k++) {
        (void)snprintf(one, sizeof one, "\"%s\"", rights[k]);
        make_token(p, session, one, token);
        for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++) {
            size_t row = row_of(r);
            bool may = expected[row].kind == NOBODY || expected[row].kind == EVERYBODY ||
                       strcmp(expected[row].token, rights[k]) == 0;
            check(r, rights[k], ask(p, r, INSIDE, token), may, false);
        }
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_sessions), TEST(test_nobody), TEST(test_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
