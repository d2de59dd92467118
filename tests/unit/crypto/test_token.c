/* keys on PKCS#11 tokens, with SoftHSM: tokens made here, in a directory of the test's own. One key
 * is the same as a PEM file's, so that what the token signs can be checked by it.
 */
#include "support.h"

#include "crypto/token.h"
#include "torture.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE WA_SOFTHSM
#define PIN "1234 \xc3\xa9"

extern char **environ;

static struct {
    char dir[WA_PATH_MAX], pem[WA_PATH_MAX + 16];
    struct wa_key *key; /* the same as the token's */
} own;

static void run_tool(const char *const *argv)
{
    pid_t pid = 0;
    int status = -1;
    char *copy[24];
    size_t n = 0;
    for (; argv[n] != NULL; n++) {
        copy[n] = strdup(argv[n]);
        assert_non_null(copy[n]);
    }
    copy[n] = NULL;
    posix_spawn_file_actions_t quiet;
    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0), 0);
    assert_int_equal(posix_spawnp(&pid, copy[0], &quiet, NULL, copy, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)posix_spawn_file_actions_destroy(&quiet);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s failed", argv[0]);
    while (n > 0)
        free(copy[--n]);
}

static void make_token(const char *label)
{
    const char *const argv[] = {"softhsm2-util", "--init-token", "--free", "--label", label,
                                "--so-pin",      "so-pin",       "--pin",  PIN,       NULL};
    run_tool(argv);
}

static void import_key(const char *token, const char *label, const char *id)
{
    const char *const argv[] = {"softhsm2-util", "--import", own.pem, "--token", token, "--label",
                                label,           "--id",     id,      "--pin",   PIN,   NULL};
    run_tool(argv);
}

static int make_tokens(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    char conf[WA_PATH_MAX + 16];
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_temp_dir("wapt-token", own.dir, &err));
    wa_buf_init(&text, 4 * WA_PATH_MAX);
    wa_buf_addf(&text, "directories.tokendir = %s/tokens\nobjectstore.backend = file\n", own.dir);
    (void)snprintf(conf, sizeof conf, "%s/conf", own.dir);
    (void)snprintf(own.pem, sizeof own.pem, "%s/key.pem", own.dir);
    WA_ASSERT_OK(wa_path_replace(conf, wa_buf_sv(&text), 0600, &err));
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath tokens = {"tokens", 6};
    WA_ASSERT_OK(wa_dir_open(own.dir, &dir, &err));
    WA_ASSERT_OK(wa_dir_make_sub(&dir, &tokens, 0700, &err));
    assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
    WA_ASSERT_OK(wa_key_new_rsa(2048, &own.key, &err));
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    WA_ASSERT_OK(wa_key_write_pem(own.key, WA_SV(""), &pem, &err));
    WA_ASSERT_OK(wa_path_replace(own.pem, wa_buf_sv(&pem), 0600, &err));
    make_token("Signing keys");
    make_token("twin");
    make_token("twin");
    make_token("empty");
    import_key("Signing keys", "packages", "0001");
    import_key("Signing keys", "orders", "02ff");
    return 0;
}

static int drop_tokens(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    const char *const argv[] = {"rm", "-rf", "--", own.dir, NULL};
    wa_key_free(own.key);
    run_tool(argv);
    wa_err_clear(&err);
    return 0;
}

struct person {
    const char *pin; /* NULL: gives up */
    int asked;
    char what[512];
};

static enum wa_code answer(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    struct person *p = user;
    p->asked++;
    (void)snprintf(p->what, sizeof p->what, "%s", what);
    if (p->pin == NULL)
        return wa_fail(err, WA_E_AUTH, "no PIN from this person");
    wa_buf_adds(out, p->pin);
    return WA_OK;
}

static enum wa_code open_key(const char *uri, const char *module, struct person *p,
                             struct wa_key **ret, struct wa_err *err)
{
    struct wa_token_uri u;
    if (wa_token_uri_parse(uri, &u, err) != WA_OK)
        return err->code;
    return wa_token_key_open(&u, module, p == NULL ? NULL : answer, p, ret, err);
}

#define KEY "pkcs11:token=Signing%20keys;object=packages"

static void signs(void **state)
{
    static const char *const uris[] = {
        KEY, KEY ";type=private?module-path=" MODULE "&pin-source=file:/nowhere",
        "PKCS11:id=%00%01", "pkcs11:token=Signing%20keys;id=%02%FF;object=orders",
        "pkcs11:manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=packages"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(uris); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        WA_AUTO_BUF struct wa_buf signature;
        WA_AUTO_BUF struct wa_buf sha1;
        WA_AUTO_BUF struct wa_buf want;
        struct person p = {.pin = PIN};
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&signature, 4096);
        wa_buf_init(&sha1, 4096);
        wa_buf_init(&want, 4096);
        if (i == 2 || i == 4) { /* no token named: only one of those there fits */
            WA_ASSERT_CODE(open_key(uris[i], MODULE, &p, &key, &err), WA_E_CONFLICT);
            assert_int_equal(p.asked, 0);
            continue;
        }
        WA_ASSERT_OK(open_key(uris[i], i == 1 ? NULL : MODULE, &p, &key, &err));
        assert_int_equal(p.asked, 1);
        assert_string_equal(p.what, "the token 'Signing keys'");
        assert_int_equal(wa_key_kind(key), WA_KEY_RSA);
        assert_int_equal(wa_key_bits(key), 2048);
        assert_true(wa_key_equal_public(key, own.key));
        assert_true(wa_key_equal_public(own.key, key));
        WA_ASSERT_OK(wa_sign(key, WA_SV("message"), &signature, &err));
        WA_ASSERT_OK(wa_signature_check(own.key, WA_SV("message"), wa_buf_sv(&signature), &err));
        WA_ASSERT_OK(wa_signature_check(key, WA_SV("message"), wa_buf_sv(&signature), &err));
        WA_ASSERT_OK(wa_sign(own.key, WA_SV("message"), &want, &err));
        assert_true(wa_sv_eq(wa_buf_sv(&want), wa_buf_sv(&signature)));
        WA_ASSERT_OK(wa_sign_sha1(key, WA_SV("message"), &sha1, &err));
        WA_ASSERT_OK(wa_signature_check_sha1(own.key, WA_SV("message"), wa_buf_sv(&sha1), &err));
        assert_queue_empty(uris[i]);
    }
}

/* The private half stays where it is. */
static void gives_nothing_away(void **state)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    struct person p = {.pin = PIN};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    WA_ASSERT_OK(open_key(KEY, MODULE, &p, &key, &err));
    WA_ASSERT_CODE(wa_key_write_pem(key, WA_SV(""), &pem, &err), WA_E_REFUSED);
    assert_int_equal(pem.n, 0);
}

/* --- what goes wrong --- */

static const struct {
    const char *uri, *module, *pin; /* pin NULL: nobody answers */
    enum wa_code code;
    const char *says;
    int asked;
    const char *variable, *value; /* for the module that fails */
} wrong[] = {
    {KEY, NULL, PIN, WA_E_CONFIG, "--pkcs11-module", 0, NULL, NULL},
    {KEY, "softhsm2.so", PIN, WA_E_CONFIG, "whole path", 0, NULL, NULL},
    {KEY, "/nowhere/softhsm2.so", PIN, WA_E_CONFIG, "/nowhere/softhsm2.so", 0, NULL, NULL},
    {KEY, "/etc/hostname", PIN, WA_E_CONFIG, "'/etc/hostname' as a PKCS#11 module", 0, NULL, NULL},
    {"pkcs11:token=gone;object=packages", MODULE, PIN, WA_E_NOT_FOUND, "'Signing keys' (serial ", 0,
     NULL, NULL},
    {"pkcs11:token=twin;object=packages", MODULE, PIN, WA_E_CONFLICT, "add its serial", 0, NULL,
     NULL},
    {"pkcs11:token=empty", MODULE, PIN, WA_E_NOT_FOUND, "and no other", 1, NULL, NULL},
    {"pkcs11:token=Signing%20keys;object=gone", MODULE, PIN, WA_E_NOT_FOUND, "'packages'", 1, NULL,
     NULL},
    {"pkcs11:token=Signing%20keys", MODULE, PIN, WA_E_CONFLICT, "add object or id", 1, NULL, NULL},
    {KEY ";id=%02", MODULE, PIN, WA_E_NOT_FOUND, "no such private key", 1, NULL, NULL},
    {KEY, MODULE, "wrong", WA_E_AUTH, "wrong PIN", 1, NULL, NULL},
    {KEY, MODULE, "", WA_E_AUTH, "no PIN was typed", 1, NULL, NULL},
    {KEY, MODULE, NULL, WA_E_AUTH, "no PIN from this person", 1, NULL, NULL},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_DENIED, "is locked", 1, "WA_TOKEN_LOGIN", "0xa4"},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_DENIED, "is locked", 0, "WA_TOKEN_FLAGS", "0x40000"},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_DENIED, "has expired", 1, "WA_TOKEN_LOGIN", "0xa3"},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_CONFIG, "no PIN for its user", 1, "WA_TOKEN_LOGIN", "0x102"},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_UNREACHABLE, "has been removed", 1, "WA_TOKEN_LOGIN", "0x32"},
    {KEY, WA_TOKEN_FAILS, PIN, WA_E_FAILED, "PKCS#11 error 0x5", 1, "WA_TOKEN_LOGIN", "5"},
};

static void what_goes_wrong(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        struct person p = {.pin = wrong[i].pin};
        struct wa_err err = WA_ERR_INIT;
        if (wrong[i].variable != NULL)
            assert_int_equal(setenv(wrong[i].variable, wrong[i].value, 1), 0);
        enum wa_code code = open_key(wrong[i].uri, wrong[i].module, &p, &key, &err);
        if (wrong[i].variable != NULL)
            assert_int_equal(unsetenv(wrong[i].variable), 0);
        if (code != wrong[i].code || strstr(err.text, wrong[i].says) == NULL ||
            p.asked != wrong[i].asked)
            fail_msg("case %zu: %s, asked %d times, '%s'", i, wa_code_name(code), p.asked,
                     err.text);
        assert_null(key);
        assert_queue_empty(wrong[i].uri);
    }
}

static void last_try_is_told(void **state)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct person p = {.pin = PIN};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    assert_int_equal(setenv("WA_TOKEN_FLAGS", "0x20000", 1), 0);
    WA_ASSERT_OK(open_key(KEY, WA_TOKEN_FAILS, &p, &key, &err));
    assert_int_equal(unsetenv("WA_TOKEN_FLAGS"), 0);
    assert_non_null(strstr(p.what, "which locks itself"));
}

/* Pulled out between the PIN and the signature. */
static void removed_before_it_signs(void **state)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf signature;
    struct person p = {.pin = PIN};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&signature, 4096);
    WA_ASSERT_OK(open_key(KEY, WA_TOKEN_FAILS, &p, &key, &err));
    assert_false(wa_key_is_lost(key));
    assert_int_equal(setenv("WA_TOKEN_SIGN", "0x32", 1), 0);
    assert_int_equal(wa_sign(key, WA_SV("message"), &signature, &err), WA_E_FAILED);
    assert_int_equal(unsetenv("WA_TOKEN_SIGN"), 0);
    assert_non_null(strstr(err.text, "is it still there"));
    assert_true(wa_key_is_lost(key));
    assert_int_equal(signature.n, 0);
    assert_queue_empty("a token that is gone");
}

static void bad_uris(void **state)
{
    static const char *const bad[][2] = {
        {"http://x", "is no PKCS#11 URI"},
        {"pkcs11:token=a;token=b", "gives 'token' twice"},
        {"pkcs11:id=%01;id=%02", "gives 'id' twice"},
        {"pkcs11:token", "has no '='"},
        {"pkcs11:token=", "is empty"},
        {"pkcs11:token=%zz", "not encoded"},
        {"pkcs11:token=a%00b", "not encoded"},
        {"pkcs11:id=%4", "not encoded"},
        {"pkcs11:id=%4z", "not encoded"},
        {"pkcs11:id=", "'id' of the PKCS#11 URI is empty"},
        {"pkcs11:slot-id=1", "'slot-id', which is not supported"},
        {"pkcs11:token=a;type=cert", "of no private key"},
        {"pkcs11:token=a?pin-value=1234", "could be seen by others"},
        {"pkcs11:token=a?module-path=softhsm2.so", "no whole path"},
        {"pkcs11:token=a?module-name=softhsm2", "not supported"},
        {"pkcs11:token=a?pin-source=|cat%20pin", "with its whole path"},
        {"pkcs11:token=a?pin-source=file:pin", "with its whole path"},
    };
    struct wa_token_uri u = {.id_n = 7};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        enum wa_code code = wa_token_uri_parse(bad[i][0], &u, &err);
        if (code != WA_E_USAGE || strstr(err.text, bad[i][1]) == NULL)
            fail_msg("%s: %s: %s", bad[i][0], wa_code_name(code), err.text);
        wa_err_clear(&err);
        assert_int_equal(u.id_n, 7);
    }
    WA_ASSERT_OK(wa_token_uri_parse("pkcs11:id=%00a?pin-source=file:///etc/pin", &u, &err));
    assert_string_equal(u.pin_source, "/etc/pin");
    assert_true(u.id_n == 2 && u.id[0] == 0 && u.id[1] == 'a');
    WA_ASSERT_OK(wa_token_uri_parse("pkcs11:", &u, &err)); /* any, if there is but one */
}

static enum wa_code without_memory(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf signature;
    struct person p = {.pin = PIN};
    WA_UNUSED(arg);
    wa_buf_init(&signature, 4096);
    if (open_key(KEY "?module-path=" MODULE, NULL, &p, &key, err) != WA_OK)
        return err->code;
    return wa_sign(key, WA_SV("message"), &signature, err);
}

static void memory_runs_out(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(without_memory, NULL) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs),
        cmocka_unit_test(gives_nothing_away),
        cmocka_unit_test(what_goes_wrong),
        cmocka_unit_test(last_try_is_told),
        cmocka_unit_test(removed_before_it_signs),
        cmocka_unit_test(bad_uris),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, make_tokens, drop_tokens);
}
