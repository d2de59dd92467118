/* What signer and auth answer: the signer signs what it composes and nothing else. */
#include "testlib.h"

#include "codec/json.h"
#include "crypto/key.h"
#include "crypto/pwhash.h"
#include "proto/action.h"
#include "proto/envelope.h"
#include "repo/timestamp.h"
#include "server/answers.h"
#include "server/roles.h"

#define H64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define H32 "0123456789abcdef0123456789abcdef"
#define STAMP                                                                                      \
    "{\"repository\":\"" H32 "\",\"version\":1,\"length\":5,\"sha256\":\"" H64 "\",\"hours\":24}"
#define BCRYPT "$2b$04$abcdefghijklmnopqrstuud2/an2KL3WCtBmGWG/V6iTJRjIObKFe"
#define ONE "{\"uuid\":\"machine\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64 "\"}"

static void test_signer_composes(void **state)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf answer;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *relay = NULL;
    struct wa_envelope e;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&answer, 1u << 20);
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    struct wa_signer_keys keys = {.relay = key};
    WA_ASSERT_OK(wa_signer_answer(&keys, WA_SV("[" ONE "," ONE "]"), &answer, &err));
    struct wa_sv lines = wa_buf_sv(&answer), line;
    for (size_t i = 0; i < 2; i++) {
        assert_true(wa_sv_split(&lines, '\n', &line) && wa_sv_starts(line, WA_RELAY_BEGINS));
        WA_ASSERT_OK(wa_json_parse(line, 0, &arena, &relay, &err));
        WA_ASSERT_OK(
            wa_envelope_open(wa_json_get(relay, "batch"), "wapt-relay-batch", &arena, &e, &err));
        WA_ASSERT_OK(wa_envelope_check(&e, key, &err));
        assert_true(wa_sv_starts(wa_json_sv(wa_json_get(relay, "leaf")),
                                 "{\"purpose\":\"wapt-relay\",\"uuid\":\"machine\""));
    }
    assert_int_equal(lines.n, 0);
}

/* A timestamp is the signer's own text, at its own time, for as long as it was asked. */
static void test_signer_stamps(void **state)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf answer;
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_signed document;
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    int64_t issued = 0, expires = 0;
    WA_UNUSED(state);
    wa_buf_init(&answer, 1u << 20);
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    struct wa_signer_keys keys = {.timestamp = key};
    struct wa_signed_key who = {.key = key};
    WA_ASSERT_OK(wa_signed_key_id(key, who.id, &err));
    WA_ASSERT_OK(wa_signer_answer(&keys, WA_SV(STAMP), &answer, &err));
    WA_ASSERT_OK(wa_signed_read(wa_buf_sv(&answer), WA_TIMESTAMP_BYTES_MAX, WA_TIMESTAMP_PURPOSE,
                                &arena, &document, &err));
    WA_ASSERT_OK(wa_signed_count(&document, &who, 1, &n, &err));
    assert_int_equal(n, 1);
    assert_true(wa_json_i64(wa_json_get(document.statement, "issued"), &issued));
    assert_true(wa_json_i64(wa_json_get(document.statement, "expires"), &expires));
    assert_int_equal(expires - issued, 24 * 3600);
}

/* Texts, other purposes, other fields: never. */
static void test_signer_refuses(void **state)
{
    static const char *const requests[] = {
        "",
        "[" STAMP "]",
        "{\"repository\":\"" H32 "\",\"version\":0,\"length\":5,\"sha256\":\"" H64
        "\",\"hours\":24}",
        "{\"repository\":\"" H32 "\",\"version\":1,\"length\":5,\"sha256\":\"" H64
        "\",\"hours\":169}",
        "{\"repository\":\"" H32 "\",\"version\":1,\"length\":5,\"sha256\":\"" H64
        "\",\"hours\":24,\"purpose\":\"wapt-repo-root\"}",
        "{\"signed\":\"{\\\"purpose\\\":\\\"wapt-repo-timestamp\\\"}\"}",
        "[]",
        "{}",
        "null",
        "[1]",
        "[{}]",
        "[\"sign me\"]",
        ONE,
        "[" ONE ",{}]",
        "[{\"uuid\":\"machine\",\"nonce\":\"" H64 "\"}]",
        "[{\"uuid\":\"machine\",\"nonce\":\"" H64 "\",\"sha256\":\"x\"}]",
        "[{\"uuid\":\"machine\",\"nonce\":\"short\",\"sha256\":\"" H64 "\"}]",
        "[{\"uuid\":\"mach\\u0000ine\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64 "\"}]",
        "[{\"uuid\":\"\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64 "\"}]",
        "[{\"uuid\":\"machine\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64
        "\",\"purpose\":\"wapt-action-batch\"}]",
        "[{\"uuid\":\"machine\",\"uuid\":\"other\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64 "\"}]",
        "[{\"uuid\":\"machine\",\"nonce\":\"" H64 "\",\"sha256\":\"" H64 "\",\"time\":9}]"};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    struct wa_signer_keys keys = {.relay = key, .timestamp = key};
    for (size_t i = 0; i < WA_COUNT(requests); i++) {
        WA_AUTO_BUF struct wa_buf answer;
        wa_buf_init(&answer, 1u << 20);
        if (wa_signer_answer(&keys, wa_sv(requests[i]), &answer, &err) == WA_OK)
            fail_msg("signed: %s", requests[i]);
        assert_int_equal(answer.n, 0);
        wa_err_clear(&err);
    }
}

static void test_auth(void **state)
{
    static const struct {
        const char *question, *answer; /* H: the hash of "secret" */
    } cases[] = {{"H\nsecret", "ok"},   {"H\nSecret", "no"},      {"H\n", "no"},
                 {"H\nsecret\n", "no"}, {"none\nanything", "no"}, {"none\nsecret", "no"},
                 {"other\nx", "no"}};
    struct wa_auth_keys keys = {.nobody = ""};
    char *hash = keys.nobody;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_pwhash_make(WA_SV("secret"), hash, &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf question;
        WA_AUTO_BUF struct wa_buf answer;
        wa_buf_init(&question, 4096);
        wa_buf_init(&answer, 16);
        wa_buf_addf(&question, "%s%s", cases[i].question[0] == 'H' ? hash : "",
                    cases[i].question + (cases[i].question[0] == 'H'));
        WA_ASSERT_OK(wa_auth_answer(&keys, wa_buf_sv(&question), &answer, &err));
        WA_ASSERT_SV(wa_buf_sv(&answer), cases[i].answer);
    }
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, 1024);
    WA_ASSERT_CODE(wa_auth_answer(&keys, WA_SV("no line"), &answer, &err), WA_E_INVALID);
    /* another program's hash, which goes with the first good answer */
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_auth_answer(&keys, WA_SV(BCRYPT "\ncalimerO"), &answer, &err));
    WA_ASSERT_SV(wa_buf_sv(&answer), "no");
    wa_buf_clear(&answer);
    WA_ASSERT_OK(wa_auth_answer(&keys, WA_SV(BCRYPT "\ncalimero"), &answer, &err));
    assert_true(wa_sv_starts(wa_buf_sv(&answer), "ok\n$argon2id$"));
    WA_ASSERT_OK(wa_pwhash_check(WA_SV("calimero"), wa_buf_str(&answer) + 3, &err));
}

/* The table of messages is closed: nobody says what is another's to say. */
static void test_table(void **state)
{
    WA_UNUSED(state);
    for (int from = 0; from < WA_SR_COUNT; from++)
        for (int to = 0; to < WA_SR_COUNT; to++) {
            const struct wa_chan_rule *r =
                wa_server_rules((enum wa_server_role)from, (enum wa_server_role)to);
            bool may = (from == WA_SR_STORE) != (to == WA_SR_STORE);
            assert_int_equal(r->name != NULL, may);
            for (; r->name != NULL; r++) {
                assert_false(r->with_fd);
                assert_true(r->max <= WA_IPC_MESSAGE_MAX);
                int group =
                    r->type /
                    32; /* 0: front says, 1: front hears, then signer, auth, scan, directory */
                int other = from == WA_SR_STORE ? to : from;
                assert_int_equal(group, other == WA_SR_FRONT      ? from == WA_SR_STORE
                                        : other == WA_SR_SIGNER   ? 2
                                        : other == WA_SR_AUTH     ? 3
                                        : other == WA_SR_SCAN     ? 4
                                        : other == WA_SR_SEARCH   ? 6
                                        : other == WA_SR_REPORT   ? 7
                                        : other == WA_SR_HOOK     ? 8
                                        : other == WA_SR_KERBEROS ? 9
                                        : other == WA_SR_OIDC     ? 10
                                        : other == WA_SR_TRUST    ? 11
                                        : other == WA_SR_WAKE     ? 12
                                                                  : 5);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signer_composes),
                                       cmocka_unit_test(test_signer_stamps),
                                       cmocka_unit_test(test_signer_refuses),
                                       cmocka_unit_test(test_auth), cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
