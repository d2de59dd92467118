/* People by the API: users, one's own account, API tokens, second factors, sessions - and what
 * somebody tries who has part of it. */
#include "bench.h"

#include "base/mem.h"
#include "crypto/seal.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "server/api.h"

struct place {
    struct bench b;
    char admin[65], anna[65];
    struct wa_buf out;
};

static int ask(struct place *p, const char *token, const char *method, const char *path,
               const char *body)
{
    return bench_ask(&p->b, method, path, "", token, wa_sv(body), &p->out);
}

#define IS(p, token, method, path, body, status)                                                   \
    do {                                                                                           \
        int got_ = ask((p), (token), (method), (path), (body));                                    \
        if (got_ != (status))                                                                      \
            fail_msg("%s %s: %d: %s", (method), (path), got_, wa_buf_str(&(p)->out));              \
    } while (0)

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    wa_buf_init(&p->out, 1u << 16);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->admin), 200);
    IS(p, p->admin, "POST", "/api/v1/users",
       "{\"name\":\"anna\",\"role\":\"deployer\",\"password\":\"" BENCH_PASSWORD "\"}", 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, p->anna), 200);
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

/* --- users --- */

static void test_users(void **state)
{
    static const struct {
        const char *path, *body;
        int status;
    } calls[] = {
        {"/api/v1/users", "{\"name\":\"anna\",\"role\":\"deployer\",\"password\":\"long enough\"}",
         409},
        {"/api/v1/users", "{\"name\":\"otto\",\"role\":\"emperor\",\"password\":\"long enough\"}",
         400},
        {"/api/v1/users", "{\"name\":\"otto\",\"role\":\"readonly\",\"password\":\"short\"}", 400},
        {"/api/v1/users", "{\"name\":\"-x\",\"role\":\"readonly\",\"password\":\"long enough\"}",
         400},
        {"/api/v1/users", "{\"name\":\"otto\",\"role\":\"readonly\"}", 400},
        {"/api/v1/users",
         "{\"name\":\"otto\",\"role\":\"readonly\",\"password\":\"long "
         "enough\",\"perimeter\":{\"x\":[]}}",
         400},
        {"/api/v1/users/anna", "{}", 400},
        {"/api/v1/users/anna", "{\"role\":\"readonly\",\"disabled\":true}", 400},
        {"/api/v1/users/anna", "{\"role\":\"emperor\"}", 400},
        {"/api/v1/users/nobody", "{\"role\":\"readonly\"}", 404},
        {"/api/v1/users/nobody", "{\"needs_second_factor\":true}", 404},
        {"/api/v1/users/admin", "{\"role\":\"developer\"}", 409},
        {"/api/v1/users/admin", "{\"disabled\":true}", 409},
        {"/api/v1/users/admin", "{\"perimeter\":{\"groups\":[\"a\"]}}", 409},
        {"/api/v1/users/anna", "{\"perimeter\":{\"groups\":[\"a\"]}}", 200},
        {"/api/v1/users/anna", "{\"role\":\"superadmin\"}", 200},
        {"/api/v1/users/admin", "{\"role\":\"developer\"}", 409}, /* anna's does not reach all */
        {"/api/v1/users/anna", "{\"perimeter\":null}", 200},
        {"/api/v1/users/anna", "{\"disabled\":true}", 200},
        {"/api/v1/users/admin", "{\"role\":\"developer\"}", 409},
        {"/api/v1/users/anna", "{\"disabled\":false}", 200},
        {"/api/v1/users/anna/password", "{\"password\":\"short\"}", 400},
        {"/api/v1/users/nobody/password", "{\"password\":\"long enough\"}", 404},
    };
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(calls); i++)
        IS(p, p->admin, "POST", calls[i].path, calls[i].body, calls[i].status);
    IS(p, p->admin, "DELETE", "/api/v1/users/nobody", "", 404);
    IS(p, p->admin, "GET", "/api/v1/users/anna", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"perimeter\":null"));
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 401); /* ended when disabled */
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, p->anna), 200);
    /* She came from WAPT's server, and has no password yet: nobody could log in. */
    bench_exec(&p->b, "UPDATE users SET hash = '!imported' WHERE name = 'anna'");
    IS(p, p->admin, "DELETE", "/api/v1/users/admin", "", 409);
    bench_exec(&p->b, "UPDATE users SET hash = 'H' WHERE name = 'anna'");
    IS(p, p->admin, "DELETE", "/api/v1/users/admin", "", 200); /* anna can do all now */
    assert_int_equal(ask(p, p->admin, "GET", "/api/v1/session", ""), 401);
    IS(p, p->anna, "DELETE", "/api/v1/users/anna", "", 409);
    IS(p, p->anna, "GET", "/api/v1/users", "", 200);
    assert_null(strstr(wa_buf_str(&p->out), "\"name\":\"admin\""));
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.removed%'", "1");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%long enough%'", "0");
}

static void test_reset(void **state)
{
    struct place *p = *state;
    IS(p, p->admin, "POST", "/api/v1/users/anna/password", "{\"password\":\"another one\"}", 200);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 401);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, NULL), 401);
    IS(p, p->admin, "POST", "/api/v1/users/anna/password", "{\"password\":\"" BENCH_PASSWORD "\"}",
       200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, p->anna), 200);
    IS(p, p->admin, "DELETE", "/api/v1/users/anna/sessions", "", 200);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 401);
}

/* --- one's own --- */

static void test_own_password(void **state)
{
    struct place *p = *state;
    char second[65];
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, second), 200);
    IS(p, p->anna, "POST", "/api/v1/account/password",
       "{\"old\":\"wrong one\",\"new\":\"long enough\"}", 403);
    IS(p, p->anna, "POST", "/api/v1/account/password",
       "{\"old\":\"" BENCH_PASSWORD "\",\"new\":\"short\"}", 400);
    assert_int_equal(ask(p, second, "GET", "/api/v1/hosts", ""), 200);
    IS(p, p->anna, "POST", "/api/v1/account/password",
       "{\"old\":\"" BENCH_PASSWORD "\",\"new\":\"long enough\"}", 200);
    assert_int_equal(ask(p, second, "GET", "/api/v1/hosts", ""), 401);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, NULL), 401);
}

/* A login whose password is looked at while it is taken away: it comes too late. */
static void test_a_login_that_is_overtaken(void **state)
{
    static const char *const changes[] = {"UPDATE users SET hash = 'another' WHERE name = 'anna'",
                                          "UPDATE users SET is_disabled = 1 WHERE name = 'anna'",
                                          "DELETE FROM users WHERE name = 'anna'"};
    struct place *p = *state;
    bench_exec(&p->b, "DELETE FROM sessions");
    for (size_t i = 0; i < WA_COUNT(changes); i++) {
        int status = 0;
        p->b.is_silent = true;
        assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, NULL), 0);
        uint32_t asked = p->b.id;
        bench_exec(&p->b, changes[i]);
        p->b.is_silent = false;
        assert_true(bench_serve(&p->b, asked, &status, NULL));
        assert_int_equal(status, 429);
        BENCH_IS(&p->b, "SELECT COUNT(*) FROM sessions", "0");
        bench_exec(&p->b, "UPDATE users SET hash = 'H', is_disabled = 0 WHERE name = 'anna'");
    }
}

/* Who holds a session guesses the password no faster than others. */
static void test_own_password_guessed(void **state)
{
    struct place *p = *state;
    int status = 403;
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++) {
        assert_int_equal(status, 403);
        status = ask(p, p->anna, "POST", "/api/v1/account/password",
                     "{\"old\":\"a guess\",\"new\":\"long enough\"}");
    }
    assert_int_equal(ask(p, p->anna, "POST", "/api/v1/account/password",
                         "{\"old\":\"" BENCH_PASSWORD "\",\"new\":\"long enough\"}"),
                     429);
}

static void logs_in(struct place *p, const char *peer, char token[65])
{
    assert_int_equal(bench_login(&p->b, peer, "anna", BENCH_PASSWORD, token), 200);
}

#define SESSIONS(which) "SELECT count(*) FROM sessions WHERE \"user\" = 'anna'" which
#define READING " AND used - created = 100"
#define ELSEWHERE " AND peer = '10.0.0.5'"

/* Whoever has a password opens as many sessions as he likes. She reads at her desk, where a script
 * of hers logs in again and again, and has just begun at another. */
static void test_many_sessions(void **state)
{
    struct place *p = *state;
    char last[65], id[13];
    bench_exec(&p->b, "DELETE FROM sessions WHERE \"user\" = 'anna'");
    logs_in(p, "10.0.0.5", NULL);
    bench_exec(&p->b, "UPDATE sessions SET created = created - 600, used = used - 600 WHERE peer = "
                      "'10.0.0.5'");
    logs_in(p, "10.0.0.9", NULL);
    bench_exec(&p->b, "UPDATE sessions SET created = created - 3100, used = used - 3000 WHERE "
                      "\"user\" = 'anna' AND peer = '10.0.0.9'");
    logs_in(p, "10.0.0.9", NULL);
    bench_exec(&p->b, "UPDATE sessions SET created = created - 500, used = used - 500, method = "
                      "'oldest' WHERE \"user\" = 'anna' AND peer = '10.0.0.9' AND used = created");
    bench_query(&p->b, "SELECT substr(sha256, 1, 12) FROM sessions WHERE method = 'oldest'", id,
                sizeof id);
    for (unsigned i = 3; i < WA_SESSIONS_MAX; i++)
        logs_in(p, "10.0.0.9", NULL);
    BENCH_IS(&p->b, SESSIONS(""), "64");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.logged_out%'", "0");
    /* What nobody came back to makes room, the oldest first; and the journal says what did. */
    logs_in(p, "10.0.0.9", NULL);
    BENCH_IS(&p->b, SESSIONS(" AND method = 'oldest'"), "0");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.logged_out%'", "1");
    IS(p, p->admin, "GET", "/api/v1/journal", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), id));
    for (unsigned i = 0; i < 3; i++)
        logs_in(p, "10.0.0.9", NULL);
    BENCH_IS(&p->b, SESSIONS(""), "64");
    BENCH_IS(&p->b, SESSIONS(READING), "1");
    BENCH_IS(&p->b, SESSIONS(ELSEWHERE), "1");
    /* Where all are used it is the one that was used longest ago, of the address that has most. */
    bench_exec(&p->b, "UPDATE sessions SET used = created + 60 WHERE \"user\" = 'anna' AND peer = "
                      "'10.0.0.9' AND used = created");
    logs_in(p, "10.0.0.5", last);
    BENCH_IS(&p->b, SESSIONS(READING), "0");
    BENCH_IS(&p->b, SESSIONS(ELSEWHERE), "2");
    BENCH_IS(&p->b, SESSIONS(""), "64");
    IS(p, last, "GET", "/api/v1/hosts", "", 200);
    IS(p, p->admin, "GET", "/api/v1/hosts", "", 200);
    /* What is over makes room before all else, and no word is said of it; so does what a clock that
     * was ahead had begun. */
    bench_exec(&p->b,
               "UPDATE sessions SET expires = 1, method = 'over' WHERE peer = '10.0.0.5' AND "
               "created < (SELECT max(created) FROM sessions)");
    logs_in(p, "10.0.0.9", NULL);
    BENCH_IS(&p->b, SESSIONS(" AND method = 'over'"), "0");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.logged_out%'", "5");
    bench_exec(&p->b, "UPDATE sessions SET created = created + 86400, used = used + 86400, expires "
                      "= expires + 86400, method = 'ahead' WHERE peer = '10.0.0.5'");
    logs_in(p, "10.0.0.9", NULL);
    BENCH_IS(&p->b, SESSIONS(" AND method = 'ahead'"), "0");
    BENCH_IS(&p->b, SESSIONS(""), "64");
    /* Of before there was a limit: a part with each login. */
    char sql[512];
    long long began = (long long)wa_clock_now() - 60;
    (void)snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
        "INSERT INTO sessions (sha256, \"user\", method, peer, created, used, expires) "
        "SELECT 's' || i, 'anna', 'old', '10.0.0.9', %lld, %lld, %lld FROM n",
        began, began, began + 36000);
    bench_exec(&p->b, sql);
    logs_in(p, "10.0.0.5", last);
    BENCH_IS(&p->b, SESSIONS(""), "50001");
    BENCH_IS(&p->b, SESSIONS(" AND method = 'old'"), "49936");
    IS(p, last, "GET", "/api/v1/hosts", "", 200);
}

static void test_sessions(void **state)
{
    struct place *p = *state;
    char id[13], path[64], second[65];
    IS(p, p->anna, "GET", "/api/v1/account/sessions", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"this\":true"));
    assert_null(strstr(wa_buf_str(&p->out), p->anna));
    assert_int_equal(bench_login(&p->b, "10.0.0.7", "anna", BENCH_PASSWORD, second), 200);
    bench_query(&p->b, "SELECT substr(sha256, 1, 12) FROM sessions WHERE peer = '10.0.0.7'", id,
                sizeof id);
    (void)snprintf(path, sizeof path, "/api/v1/account/sessions/%s", id);
    IS(p, p->admin, "DELETE", path, "", 404); /* another's */
    IS(p, p->anna, "DELETE", path, "", 200);
    IS(p, p->anna, "DELETE", path, "", 404);
    IS(p, p->anna, "DELETE", "/api/v1/account/sessions/%25", "", 404);
    assert_int_equal(ask(p, second, "GET", "/api/v1/hosts", ""), 401);
    /* Not used for an hour, or older than half a day. */
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
    bench_exec(&p->b, "UPDATE sessions SET used = used - 120");
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM sessions WHERE used >= created", "1"); /* was written */
    bench_exec(&p->b, "UPDATE sessions SET used = used - 3601");
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 401);
    /* Begun by a clock that was a year ahead: it does not last for a year more. */
    bench_exec(&p->b, "UPDATE sessions SET used = used + 31536000, created = created + 31536000, "
                      "expires = expires + 31536000");
    IS(p, p->anna, "GET", "/api/v1/session", "", 401);
    bench_exec(&p->b,
               "UPDATE sessions SET created = created - 31536000, expires = expires - 31536000, "
               "used = used - 31536000");
    bench_exec(&p->b, "UPDATE sessions SET used = used + 3601, expires = 1");
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 401);
    /* A token that somebody chose beforehand is none, and none comes out of a login. */
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, second), 200);
    assert_string_not_equal(second, p->anna);
}

/* --- tokens --- */

static void make_token(struct place *p, const char *session, const char *rights, const char *more,
                       char token[128])
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"name\":\"robot\",\"rights\":[%s],\"days\":1%s}", rights,
                   more);
    IS(p, session, "POST", "/api/v1/account/tokens", body, 200);
    const char *at = strstr(wa_buf_str(&p->out), "\"token\":\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"token\":\"%127[^\"]\"", token), 1);
}

static void test_token(void **state)
{
    struct place *p = *state;
    char token[128], id[13], path[64];
    make_token(p, p->anna, "\"view\"", "", token);
    BENCH_IS(&p->b, "SELECT length(sha256) FROM api_tokens", "64");
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 200);
    IS(p, token, "GET", "/api/v1/session", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"rights\":\"view\""));
    /* It has what it was given, and makes nothing of it. */
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/hosts/none", ""), 403);
    assert_int_equal(ask(p, token, "POST", "/api/v1/actions", "{}"), 403);
    assert_int_equal(ask(p, token, "GET", "/api/v1/account/tokens", ""), 403);
    assert_int_equal(ask(p, token, "POST", "/api/v1/account/tokens",
                         "{\"name\":\"x\",\"rights\":[\"view\"],\"days\":1}"),
                     403);
    assert_int_equal(ask(p, token, "POST", "/api/v1/account/password",
                         "{\"old\":\"" BENCH_PASSWORD "\",\"new\":\"long enough\"}"),
                     403);
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/session", ""), 403);
    /* When used, is told. */
    IS(p, p->anna, "GET", "/api/v1/account/tokens", "", 200);
    assert_null(strstr(wa_buf_str(&p->out), "\"used\":0"));
    assert_null(strstr(wa_buf_str(&p->out), token));
    /* Shorter, longer, another case: none. */
    token[20] ^= 1;
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
    token[20] ^= 1;
    bench_query(&p->b, "SELECT substr(sha256, 1, 12) FROM api_tokens", id, sizeof id);
    (void)snprintf(path, sizeof path, "/api/v1/account/tokens/%s", id);
    IS(p, p->admin, "DELETE", path, "", 404);
    IS(p, p->anna, "DELETE", path, "", 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
}

static void test_token_scopes(void **state)
{
    static const char *const wrong[] = {
        "{\"name\":\"x\",\"rights\":[\"people\"],\"days\":1}", /* not anna's */
        "{\"name\":\"x\",\"rights\":[\"upload-code\"],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[\"view\",\"upload-code\"],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[\"own\"],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[\"everything\"],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[1],\"days\":1}",
        "{\"name\":\"\",\"rights\":[\"view\"],\"days\":1}",
        "{\"name\":\"x\",\"rights\":[\"view\"],\"days\":0}",
        "{\"name\":\"x\",\"rights\":[\"view\"],\"days\":367}",
        "{\"name\":\"x\",\"rights\":[\"view\"]}",
        "{\"name\":\"x\",\"rights\":[\"view\"],\"days\":1,\"perimeter\":[]}"};
    struct place *p = *state;
    char token[128];
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        int got = ask(p, p->anna, "POST", "/api/v1/account/tokens", wrong[i]);
        assert_int_equal(got, i < 3 ? 403 : 400);
    }
    BENCH_IS(&p->b, "SELECT count(*) FROM api_tokens", "0");
    /* What its person loses, it loses; what the person gets, it does not get. */
    make_token(p, p->anna, "\"view\",\"delete-packages\"", "", token);
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/packages/a.wapt", ""), 200);
    IS(p, p->admin, "POST", "/api/v1/users/anna", "{\"role\":\"readonly\"}", 200);
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/packages/a.wapt", ""), 403);
    IS(p, p->admin, "POST", "/api/v1/users/anna", "{\"role\":\"superadmin\"}", 200);
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/packages/a.wapt", ""), 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/users", ""), 403);
    IS(p, p->admin, "POST", "/api/v1/users/anna", "{\"disabled\":true}", 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
    IS(p, p->admin, "POST", "/api/v1/users/anna", "{\"disabled\":false}", 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 200);
    bench_exec(&p->b, "UPDATE api_tokens SET expires = 1");
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
    bench_exec(&p->b, "UPDATE api_tokens SET expires = 99999999999");
    IS(p, p->admin, "DELETE", "/api/v1/users/anna", "", 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
    /* Nor does somebody get it who comes later by that name. */
    IS(p, p->admin, "POST", "/api/v1/users",
       "{\"name\":\"anna\",\"role\":\"superadmin\",\"password\":\"" BENCH_PASSWORD "\"}", 200);
    assert_int_equal(ask(p, token, "GET", "/api/v1/hosts", ""), 401);
}

static void add_host(struct place *p, const char *uuid, const char *names)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_fleet_change host = {.name = wa_sv(uuid), .registered_at = 1, .last_seen = 1};
    WA_ASSERT_OK(wa_fleet_put(p->b.store->fleet, wa_sv(uuid), &host, &err));
    WA_ASSERT_OK(
        wa_fleet_set_tags(p->b.store->fleet, wa_sv(uuid), WA_FLEET_IN, wa_sv(names), &err));
}

static void test_token_perimeter(void **state)
{
    struct place *p = *state;
    char token[128];
    add_host(p, "m-sales", "sales");
    add_host(p, "m-stock", "stock");
    add_host(p, "m-both", "sales,stock");
    make_token(p, p->anna, "\"view\",\"upload\",\"delete-packages\"",
               ",\"perimeter\":{\"groups\":[\"sales\",\"lab\"]}", token);
    IS(p, token, "GET", "/api/v1/hosts", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"total\":2"));
    /* What reaches all machines is not for it, whatever its person may. */
    assert_int_equal(ask(p, token, "DELETE", "/api/v1/packages/a.wapt", ""), 403);
    /* Its person's perimeter cuts it too, and both go with an upload. */
    IS(p, p->admin, "POST", "/api/v1/users/anna",
       "{\"perimeter\":{\"groups\":[\"stock\",\"lab\"]}}", 200);
    IS(p, token, "GET", "/api/v1/hosts", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"total\":0"));
    add_host(p, "m-lab", "lab");
    IS(p, token, "GET", "/api/v1/hosts", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"total\":1"));
    assert_int_equal(bench_publish(&p->b, token, NULL, &p->out), 200);
    assert_non_null(strstr(p->b.scan_asked, "sales"));
    assert_non_null(strstr(p->b.scan_asked, "stock"));
}

/* --- second factor --- */

/* The code that the authenticator shows for a step from now. */
static void code_of(struct place *p, const char *column, int64_t off, char code[8])
{
    static const uint8_t key[WA_SEAL_KEY] = {0}; /* the bench's */
    char sealed[WA_SEALED_MAX];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf secret;
    wa_buf_init(&secret, 256);
    bench_query(&p->b,
                strcmp(column, "totp") == 0 ? "SELECT totp FROM users WHERE name = 'anna'"
                                            : "SELECT totp_new FROM users WHERE name = 'anna'",
                sealed, sizeof sealed);
    WA_ASSERT_OK(wa_unseal(key, WA_SV("anna"), wa_sv(sealed), &secret, &err));
    WA_ASSERT_OK(
        wa_totp_code(wa_buf_sv(&secret), wa_clock_now() / WA_TOTP_STEP_S + off, code, &err));
}

static int login_with(struct place *p, const char *peer, const char *password, const char *code,
                      struct wa_buf *out)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"user\":\"anna\",\"password\":\"%s\",\"code\":\"%s\"}",
                   password, code);
    return bench_ask_from(&p->b, peer, "POST", "/api/v1/session", "", "", wa_sv(body), out);
}

/* A recovery code in out. */
static void enrol(struct place *p, char recovery[24])
{
    char body[64], code[8];
    IS(p, p->anna, "POST", "/api/v1/account/second-factor", "{\"password\":\"" BENCH_PASSWORD "\"}",
       200);
    assert_non_null(strstr(wa_buf_str(&p->out), "otpauth://totp/waptserver:anna?secret="));
    code_of(p, "totp_new", 0, code);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    IS(p, p->anna, "POST", "/api/v1/account/second-factor/confirm", body, 200);
    assert_int_equal(sscanf(wa_buf_str(&p->out), "{\"recovery_codes\":[\"%23[^\"]", recovery), 1);
    bench_exec(&p->b, "UPDATE users SET totp_step = totp_step - 5"); /* some minutes later */
}

static void test_factor(void **state)
{
    struct place *p = *state;
    char recovery[24], code[8], other[65];
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, other), 200);
    IS(p, p->anna, "POST", "/api/v1/account/second-factor", "{\"password\":\"a guess\"}", 403);
    IS(p, p->anna, "POST", "/api/v1/account/second-factor/confirm", "{\"code\":\"000000\"}", 403);
    enrol(p, recovery);
    BENCH_IS(&p->b, "SELECT count(*) FROM recovery_codes", "10");
    /* Sessions that began without it are over, but the one that set it up. */
    assert_int_equal(ask(p, other, "GET", "/api/v1/hosts", ""), 401);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
    /* The password alone is not enough, and is asked for first. */
    assert_int_equal(login_with(p, "10.0.0.9", BENCH_PASSWORD, "", &p->out), 200);
    assert_string_equal(wa_buf_str(&p->out), "{\"needs\":\"code\"}");
    code_of(p, "totp", 0, code);
    assert_int_equal(login_with(p, "10.0.0.9", "a guess", code, &p->out), 401);
    assert_int_equal(login_with(p, "10.0.0.9", BENCH_PASSWORD, "000000", &p->out), 401);
    assert_int_equal(login_with(p, "10.0.0.9", BENCH_PASSWORD, code, &p->out), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"token\""));
    /* Once, from wherever; nor an older one after it. */
    assert_int_equal(login_with(p, "10.0.0.8", BENCH_PASSWORD, code, &p->out), 401);
    code_of(p, "totp", -1, code);
    assert_int_equal(login_with(p, "10.0.0.8", BENCH_PASSWORD, code, &p->out), 401);
    p->b.store->codes = (struct wa_throttle){.seed = 1}; /* an hour later */
    /* A recovery code, as people type it, and once too. */
    for (char *c = recovery; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    assert_int_equal(login_with(p, "10.0.0.7", BENCH_PASSWORD, recovery, &p->out), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"token\""));
    assert_int_equal(login_with(p, "10.0.0.7", BENCH_PASSWORD, recovery, &p->out), 401);
    BENCH_IS(&p->b, "SELECT count(*) FROM recovery_codes", "9");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.recovery_used%'", "1");
    /* Nobody replaces it who has not got it. */
    IS(p, p->anna, "POST", "/api/v1/account/second-factor", "{\"password\":\"" BENCH_PASSWORD "\"}",
       409);
    IS(p, p->anna, "POST", "/api/v1/account/second-factor/off", "{\"code\":\"000000\"}", 403);
    /* Lost: a superadmin takes it away. */
    IS(p, p->admin, "DELETE", "/api/v1/users/anna/second-factor", "", 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM recovery_codes", "0");
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, p->anna), 200);
}

static void test_factor_ends(void **state)
{
    struct place *p = *state;
    char recovery[24], code[8], body[64];
    enrol(p, recovery);
    code_of(p, "totp", 0, code);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    IS(p, p->anna, "POST", "/api/v1/account/second-factor/off", body, 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, p->anna), 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM recovery_codes", "0");
}

/* Who knows the password has few codes, whatever addresses he has; whoever does not know it makes
 * nobody wait for codes. */
static void test_factor_guessed(void **state)
{
    struct place *p = *state;
    char recovery[24], code[8], peer[32];
    enrol(p, recovery);
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(peer, sizeof peer, "10.3.0.%u", i);
        assert_int_equal(login_with(p, peer, "a guess", "000000", NULL), 401);
    }
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++) {
        (void)snprintf(peer, sizeof peer, "10.4.0.%u", i);
        assert_int_equal(login_with(p, peer, BENCH_PASSWORD, "000000", NULL), 401);
    }
    code_of(p, "totp", 0, code);
    assert_int_equal(login_with(p, "10.5.0.1", BENCH_PASSWORD, code, NULL), 429);
    assert_int_equal(login_with(p, "10.5.0.2", BENCH_PASSWORD, recovery, NULL), 429);
}

/* Where it is required, a session without it is good for setting it up alone. */
static void test_factor_required(void **state)
{
    struct place *p = *state;
    char recovery[24];
    IS(p, p->admin, "POST", "/api/v1/users/anna", "{\"needs_second_factor\":true}", 200);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 403);
    IS(p, p->anna, "GET", "/api/v1/session", "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"lacks_second_factor\":true"));
    assert_int_equal(ask(p, p->anna, "POST", "/api/v1/account/tokens",
                         "{\"name\":\"x\",\"rights\":[\"view\"],\"days\":1}"),
                     403);
    enrol(p, recovery);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
    memcpy(p->b.store->child.config.second_factor, "all", 4);
    assert_int_equal(ask(p, p->admin, "GET", "/api/v1/hosts", ""), 403);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/hosts", ""), 200);
}

/* A machine is not let in by half a login. */
static void test_factor_and_registration(void **state)
{
    struct place *p = *state;
    struct machine m;
    char recovery[24];
    machine_new(&m, "machine");
    enrol(p, recovery);
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_PASSWORD, "anna " BENCH_PASSWORD), 403);
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_PASSWORD, "admin " BENCH_PASSWORD), 200);
    machine_free(&m);
}

/* --- certificates of one's own --- */

#define CERTS "/api/v1/account/certificates"
#define PASSWORD "{\"password\":\"" BENCH_PASSWORD "\"}"

struct shown {
    struct wa_cert *cert;
    struct wa_buf pem;
};

static void issue(struct shown *ret, bool for_code)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_cert_request what = {.cn = "anna",
                                         .client_auth = !for_code,
                                         .code_signing = for_code,
                                         .path_length = -1,
                                         .days = 10};
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    WA_ASSERT_OK(wa_cert_issue(&what, key, NULL, NULL, &ret->cert, &err));
    wa_buf_init(&ret->pem, 65536);
    WA_ASSERT_OK(wa_cert_write_pem(ret->cert, &ret->pem, &err));
}

static void forget(struct shown *s)
{
    wa_cert_free(s->cert);
    wa_buf_fini(&s->pem);
}

/* What the connection shows from now on; NULL: nothing. */
static void show(struct place *p, struct shown *s)
{
    p->b.person = s != NULL ? wa_cert_fingerprint(s->cert) : NULL;
    p->b.pem = s != NULL ? wa_buf_str(&s->pem) : NULL;
}

static int drop(struct place *p, const char *token, const struct shown *s)
{
    char path[128];
    (void)snprintf(path, sizeof path, CERTS "/%s", wa_cert_fingerprint(s->cert));
    return ask(p, token, "DELETE", path, "");
}

static void test_own_certificate(void **state)
{
    struct place *p = *state;
    struct shown hers, another, code;
    char token[65] = "", other[65];
    issue(&hers, false);
    issue(&another, false);
    issue(&code, true);
    show(p, &hers);
    IS(p, p->anna, "POST", CERTS, PASSWORD, 403); /* not switched on */
    p->b.store->child.config.certificate_login = true;
    /* Without the password, without showing one, for another purpose, as a program. */
    IS(p, p->anna, "POST", CERTS, "{}", 400);
    IS(p, p->anna, "POST", CERTS, "{\"password\":\"a guess\"}", 403);
    show(p, NULL);
    IS(p, p->anna, "POST", CERTS, PASSWORD, 400);
    show(p, &code);
    IS(p, p->anna, "POST", CERTS, PASSWORD, 400);
    show(p, &hers);
    p->b.pem = wa_buf_str(&another.pem); /* whose key nobody has shown */
    IS(p, p->anna, "POST", CERTS, PASSWORD, 500);
    show(p, &hers);
    IS(p, "nobody's", "POST", CERTS, PASSWORD, 401);
    BENCH_IS(&p->b, "SELECT count(*) FROM user_certificates", "0");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%certificate_added%'", "0");
    IS(p, p->anna, "POST", CERTS, PASSWORD, 200);
    assert_non_null(strstr(wa_buf_str(&p->out), wa_cert_fingerprint(hers.cert)));
    BENCH_IS(&p->b, "SELECT \"user\" FROM user_certificates", "anna");
    BENCH_IS(&p->b,
             "SELECT count(*) FROM journal WHERE entry LIKE '%user.certificate_added%' AND entry "
             "LIKE '%\"user\":\"anna\"%'",
             "1");
    IS(p, p->anna, "GET", CERTS, "", 200);
    assert_non_null(strstr(wa_buf_str(&p->out), wa_cert_fingerprint(hers.cert)));
    IS(p, p->admin, "GET", CERTS, "", 200); /* one's own alone */
    assert_null(strstr(wa_buf_str(&p->out), wa_cert_fingerprint(hers.cert)));
    /* It is hers: nobody takes it, nor takes it away. */
    IS(p, p->admin, "POST", CERTS, PASSWORD, 409);
    assert_int_equal(drop(p, p->admin, &hers), 404);
    IS(p, "", "POST", "/api/v1/session/certificate", "{}", 200);
    assert_int_equal(
        sscanf(strstr(wa_buf_str(&p->out), "\"token\":\""), "\"token\":\"%64[^\"]\"", token), 1);
    show(p, NULL);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "anna", BENCH_PASSWORD, other), 200);
    /* Gone, with what is open by it; where it is taken away from, one stays. */
    assert_int_equal(drop(p, p->anna, &hers), 200);
    assert_int_equal(ask(p, p->anna, "GET", "/api/v1/session", ""), 200);
    assert_int_equal(ask(p, other, "GET", "/api/v1/session", ""), 401);
    show(p, &hers);
    assert_int_equal(ask(p, token, "GET", "/api/v1/session", ""), 401);
    IS(p, "", "POST", "/api/v1/session/certificate", "{}", 401);
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.certificate_dropped%'",
             "1");
    forget(&hers);
    forget(&another);
    forget(&code);
}

/* Sixteen, a code where there is a second factor, and nothing of it where another knows one. */
static void test_own_certificate_needs(void **state)
{
    struct place *p = *state;
    struct shown hers;
    char recovery[24], code[8], body[128];
    issue(&hers, false);
    show(p, &hers);
    p->b.store->child.config.certificate_login = true;
    for (int i = 0; i < (int)WA_LOGIN_CERTIFICATES_MAX; i++)
        bench_exec(&p->b, "INSERT INTO user_certificates (\"user\", sha256) SELECT 'anna', "
                          "'x' || count(*) FROM user_certificates");
    IS(p, p->anna, "POST", CERTS, PASSWORD, 413);
    bench_exec(&p->b, "DELETE FROM user_certificates");
    bench_exec(&p->b, "UPDATE users SET needs_totp = 1 WHERE name = 'anna'");
    IS(p, p->anna, "POST", CERTS, PASSWORD, 403); /* the way round a factor that is asked for */
    enrol(p, recovery);
    IS(p, p->anna, "POST", CERTS, "{\"password\":\"a guess\",\"code\":\"123456\"}", 403);
    IS(p, p->anna, "POST", CERTS, PASSWORD, 200);
    assert_string_equal(wa_buf_str(&p->out), "{\"needs\":\"code\"}");
    IS(p, p->anna, "POST", CERTS, "{\"password\":\"" BENCH_PASSWORD "\",\"code\":\"000000\"}", 403);
    BENCH_IS(&p->b, "SELECT count(*) FROM user_certificates", "0");
    code_of(p, "totp", 0, code);
    (void)snprintf(body, sizeof body, "{\"password\":\"%s\",\"code\":\"%s\"}", BENCH_PASSWORD,
                   code);
    IS(p, p->anna, "POST", CERTS, body, 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM user_certificates", "1");
    bench_exec(&p->b, "DELETE FROM user_certificates");
    IS(p, p->anna, "POST", CERTS, body, 403); /* a code counts once */
    bench_exec(&p->b, "UPDATE users SET origin = 'oidc' WHERE name = 'anna'");
    IS(p, p->anna, "POST", CERTS, PASSWORD, 409);
    BENCH_IS(&p->b, "SELECT count(*) FROM user_certificates", "0");
    /* Guesses are counted, by whatever call. */
    bench_exec(&p->b,
               "UPDATE users SET origin = 'local', totp = '', needs_totp = 0 WHERE name = 'anna'");
    for (int i = 0; i < 10 && ask(p, p->anna, "POST", CERTS, "{\"password\":\"a guess\"}") != 429;
         i++)
        continue;
    IS(p, p->anna, "POST", CERTS, PASSWORD, 429);
    forget(&hers);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_users),
        TEST(test_reset),
        TEST(test_own_password),
        TEST(test_a_login_that_is_overtaken),
        TEST(test_own_password_guessed),
        TEST(test_sessions),
        TEST(test_many_sessions),
        TEST(test_token),
        TEST(test_token_scopes),
        TEST(test_token_perimeter),
        TEST(test_factor),
        TEST(test_factor_ends),
        TEST(test_factor_guessed),
        TEST(test_factor_required),
        TEST(test_factor_and_registration),
        TEST(test_own_certificate),
        TEST(test_own_certificate_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
