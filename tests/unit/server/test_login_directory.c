/* People of the directory: which of its groups is what here, and until when its word counts. */
#include "bench.h"

#include "base/mem.h"
#include "os/clock.h"
#include "server/login_directory.h"

#define ROLES                                                                                      \
    "WAPT Admins:superadmin,Paris IT:deployer:unit=OU=paris_DC=example+group=sales,Help:helpdesk"
#define IN(groups) "{\"right\":true,\"groups\":[" groups "],\"reason\":\"\"}"

static void test_map(void **state)
{
    static const char *const wrong[] = {"x",
                                        "x:emperor",
                                        ":superadmin",
                                        "x:",
                                        "x:deployer:",
                                        "x:deployer:sales",
                                        "x:deployer:group=",
                                        "x:deployer:host=a",
                                        "x:deployer:unit=paris",
                                        "x:deployer:group=a+b"};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ROLE_MAP struct wa_role_map m;
    WA_UNUSED(state);
    wa_role_map_init(&m);
    WA_ASSERT_OK(wa_role_map_read(&m, "k", ROLES, &err));
    assert_int_equal(m.n, 3);
    assert_string_equal(m.groups[1], "Paris IT");
    assert_string_equal(m.roles[1], "deployer");
    assert_string_equal(
        m.perimeters[1],
        "{\"groups\":[\"sales\"],\"profiles\":[],\"units\":[\"OU=paris_DC=example\"]}");
    assert_string_equal(m.perimeters[0], "");
    assert_null(m.groups[3]);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        WA_AUTO_ROLE_MAP struct wa_role_map bad;
        wa_role_map_init(&bad);
        if (wa_role_map_read(&bad, "k", wrong[i], &err) != WA_E_CONFIG)
            fail_msg("%s", wrong[i]);
        wa_err_clear(&err);
    }
}

static void test_names(void **state)
{
    static const char *const names[] = {"Anna", "ANNA@example.org", "EXAMPLE\\anna", "anna"};
    char out[WA_PAM_USER_MAX + 1];
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        wa_directory_name(wa_sv(names[i]), out);
        assert_string_equal(out, "anna");
    }
}

/* --- in the store --- */

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct wa_err err = WA_ERR_INIT;
    bench_new(b);
    wa_free(b->store->child.config.ldap_roles);
    WA_ASSERT_OK(wa_sv_dup(WA_SV(ROLES), &b->store->child.config.ldap_roles, &err));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

static void test_roles(void **state)
{
    struct bench *b = *state;
    char token[65];
    b->directory_answer = IN("\"Paris IT\",\"Help\"");
    assert_int_equal(bench_login(b, "10.0.0.1", "EXAMPLE\\\\Anna", "hers", token), 200);
    assert_non_null(strstr(b->directory_asked, "EXAMPLE\\\\Anna"));
    BENCH_IS(b, "SELECT role FROM users WHERE name = 'anna'", "deployer");
    BENCH_IS(b, "SELECT origin FROM users WHERE name = 'anna'", "directory");
    BENCH_IS(b, "SELECT method FROM sessions", "directory");
    BENCH_IS(b, "SELECT expires - created FROM sessions", "600");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 403);
    /* What the directory says anew counts anew. */
    b->directory_answer = IN("\"WAPT Admins\"");
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 200);
    BENCH_IS(b, "SELECT role || perimeter FROM users WHERE name = 'anna'", "superadmin");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
    /* Nobody here has her password to change, nor her role. */
    assert_int_equal(bench_ask(b, "POST", "/api/v1/users/anna", "", token,
                               WA_SV("{\"role\":\"readonly\"}"), NULL),
                     409);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/users/anna/password", "", token,
                               WA_SV("{\"password\":\"long enough\"}"), NULL),
                     409);
    /* Disabled here is disabled, whatever the directory says. */
    assert_int_equal(
        bench_ask(b, "POST", "/api/v1/users/anna", "", token, WA_SV("{\"disabled\":true}"), NULL),
        200);
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 401);
}

static void test_who_may_not(void **state)
{
    struct bench *b = *state;
    b->directory_answer = NULL;
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "a guess", NULL), 401);
    b->directory_answer = IN("");
    assert_int_equal(bench_login(b, "10.0.0.2", "anna", "hers", NULL), 403);
    b->directory_answer = IN("\"wapt admins\""); /* another group */
    assert_int_equal(bench_login(b, "10.0.0.3", "anna", "hers", NULL), 403);
    b->directory_answer = "{\"code\":\"timeout\",\"message\":\"away\"}";
    assert_int_equal(bench_login(b, "10.0.0.4", "anna", "hers", NULL), wa_code_http(WA_E_TIMEOUT));
    b->directory_answer = "{\"right\":\"yes\",\"groups\":[],\"reason\":\"\"}";
    assert_int_not_equal(bench_login(b, "10.0.0.5", "anna", "hers", NULL), 200);
    BENCH_IS(b, "SELECT count(*) FROM users", "1");
    /* A name that is kept here stays here: its password is not told, its account not taken. */
    b->directory_answer = IN("\"WAPT Admins\"");
    b->directory_asked[0] = '\0';
    assert_int_equal(bench_login(b, "10.0.0.6", "admin", "a guess", NULL), 401);
    assert_string_equal(b->directory_asked, "");
    assert_int_equal(bench_login(b, "10.0.0.6", "Admin", "theirs", NULL), 409);
    assert_int_equal(bench_login(b, "10.0.0.6", "EXAMPLE\\\\admin", "theirs", NULL), 409);
    BENCH_IS(b, "SELECT origin FROM users WHERE name = 'admin'", "local");
    assert_int_equal(bench_login(b, "10.0.0.7", "'; DROP", "x", NULL), 401);
}

/* One person is counted once, however the name is written. */
static void test_guessing(void **state)
{
    static const char *const names[] = {"anna", "ANNA", "x\\\\anna", "anna@x"};
    struct bench *b = *state;
    char peer[32];
    for (unsigned i = 0; i < WA_THROTTLE_ACCOUNT; i++) {
        (void)snprintf(peer, sizeof peer, "10.1.0.%u", i);
        assert_int_equal(bench_login(b, peer, names[i % 4], "a guess", NULL), 401);
    }
    assert_int_equal(bench_login(b, "10.2.0.1", "Anna", "a guess", NULL), 429);
}

/* A token lives as long as its person is seen. */
static void test_token(void **state)
{
    struct bench *b = *state;
    char token[65], api[128];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    b->directory_answer = IN("\"Help\"");
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 200);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/account/tokens", "", token,
                               WA_SV("{\"name\":\"t\",\"rights\":[\"view\"],\"days\":300}"), &out),
                     200);
    assert_int_equal(
        sscanf(strstr(wa_buf_str(&out), "\"token\":\""), "\"token\":\"%127[^\"]\"", api), 1);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 200);
    bench_exec(b, "UPDATE users SET last_login = last_login - 90000");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 401);
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 200);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 200);
}

/* The clock's turn, until nobody is asked any more. */
static void look_again(struct bench *b, const char *answer)
{
    int status = 0;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(
        wa_node_turn(b->store, &err)); /* where there could be several servers, this leads */
    b->directory_answer = answer;
    b->directory_asked[0] = '\0';
    b->store->checked_at = 0;
    wa_store_check_people(b->store);
    while (b->store->is_checking)
        (void)bench_serve(b, 0, &status, NULL);
}

/* People who are logged in are looked at again, and no password is asked for. */
static void test_again(void **state)
{
    struct bench *b = *state;
    struct wa_err err = WA_ERR_INIT;
    char token[65], other[65], api[128];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    b->directory_answer = IN("\"WAPT Admins\"");
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 200);
    assert_int_equal(bench_ask(b, "POST", "/api/v1/account/tokens", "", token,
                               WA_SV("{\"name\":\"t\",\"rights\":[\"view\"],\"days\":300}"), &out),
                     200);
    assert_int_equal(
        sscanf(strstr(wa_buf_str(&out), "\"token\":\""), "\"token\":\"%127[^\"]\"", api), 1);
    look_again(b, IN(""));
    assert_string_equal(b->directory_asked, ""); /* not configured */
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
    wa_free(b->store->child.config.ldap_account);
    WA_ASSERT_OK(wa_sv_dup(WA_SV("asks@example.org"), &b->store->child.config.ldap_account, &err));
    b->store->child.config.directory_check = 300;
    look_again(b, IN("\"WAPT Admins\""));
    assert_non_null(strstr(b->directory_asked, "\"user\":\"anna\",\"check\":true"));
    assert_null(strstr(b->directory_asked, "password"));
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 200);
    /* Who was removed while the directory was asked stays so. */
    assert_int_equal(bench_login(b, "10.0.0.1", "berta", "hers", other), 200);
    b->is_silent = true;
    (void)snprintf(b->store->checked, sizeof b->store->checked, "anna");
    wa_store_check_people(b->store);
    assert_true(b->store->is_checking);
    assert_int_equal(bench_ask(b, "DELETE", "/api/v1/users/berta", "", token, WA_SV(""), NULL),
                     200);
    b->is_silent = false;
    while (b->store->is_checking)
        (void)bench_serve(b, 0, &(int){0}, NULL);
    BENCH_IS(b, "SELECT count(*) FROM users WHERE name = 'berta'", "0");
    /* Not before its time, whatever the clock does meanwhile. */
    b->directory_asked[0] = '\0';
    wa_store_check_people(b->store);
    assert_false(b->store->is_checking);
    /* Another group: other rights, in the session that is open. */
    look_again(b, IN("\"Help\""));
    assert_int_equal(bench_ask(b, "GET", "/api/v1/users", "", token, WA_SV(""), NULL), 403);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    /* A directory that is away takes nothing. */
    look_again(b, "{\"code\":\"timeout\",\"message\":\"away\"}");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 200);
    look_again(b, "{}");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 200);
    /* Gone: out at once, with the tokens, until she has logged in again. */
    look_again(b, "{\"right\":false,\"groups\":[],\"reason\":\"gone\"}");
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 401);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 401);
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%user.logged_out%anna%'", "1");
    look_again(b, IN(""));
    assert_string_equal(b->directory_asked, ""); /* nobody is left to look at */
    b->directory_answer = IN("\"Help\"");
    assert_int_equal(bench_login(b, "10.0.0.1", "anna", "hers", token), 200);
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", api, WA_SV(""), NULL), 200);
    look_again(b, IN("\"Sales\"")); /* in no group that counts */
    assert_int_equal(bench_ask(b, "GET", "/api/v1/hosts", "", token, WA_SV(""), NULL), 401);
}

static enum wa_code reads(void *arg, struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map m;
    struct wa_directory_says says;
    WA_UNUSED(arg);
    wa_role_map_init(&m);
    if (wa_role_map_read(&m, "k", ROLES, err) == WA_OK &&
        wa_directory_read(&m, WA_SV(IN("\"Help\"")), &says, err) == WA_OK)
        assert_true(says.is_right && says.entry == 2);
    return err->code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(reads, NULL) > 5);
}

#define STORE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_map), cmocka_unit_test(test_names),
                                       STORE(test_roles),          STORE(test_who_may_not),
                                       STORE(test_guessing),       STORE(test_token),
                                       STORE(test_again),          cmocka_unit_test(test_torture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
