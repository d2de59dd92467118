/* test_roles.c - the table of messages, the forms in which states, challenges, trust and errors
 * travel, and the cut of output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/helper_priv.h"
#include "agent/manager_priv.h"
#include "agent/trust_json.h"

/* Each message has one direction; a type that none has passes nowhere. */
static void test_each_message_has_one_direction(void **state)
{
    WA_UNUSED(state);
    for (unsigned type = 0; type < 256; type++) {
        unsigned found = 0;
        for (unsigned from = 0; from < WA_ROLE_COUNT; from++) {
            for (unsigned to = 0; to < WA_ROLE_COUNT; to++) {
                const struct wa_chan_rule *r = wa_role_rules((enum wa_role)from, (enum wa_role)to);
                for (; r->name != NULL; r++) {
                    /* What auth and directory are asked has the same form. */
                    found +=
                        r->type == type && from != WA_ROLE_DIRECTORY && to != WA_ROLE_DIRECTORY;
                    assert_true(r->max <= WA_IPC_MESSAGE_MAX);
                    if (to == WA_ROLE_DIRECTORY)
                        assert_int_equal(r->type, WA_M_AUTH_ASK);
                    if (from == WA_ROLE_DIRECTORY)
                        assert_int_equal(r->type, WA_M_AUTH_ANSWER);
                }
            }
        }
        static const uint16_t known[] = {
            WA_M_START,         WA_M_KILL,
            WA_M_STARTED,       WA_M_FAILED,
            WA_M_ENDED,         WA_M_MORE_FD,
            WA_M_NET_CONFIG,    WA_M_NET_SEND,
            WA_M_NET_TEXT,      WA_M_NET_CHALLENGE,
            WA_M_NET_STATE,     WA_M_FETCH,
            WA_M_FETCH_BODY,    WA_M_FETCH_GO,
            WA_M_FETCH_DATA,    WA_M_FETCH_PROGRESS,
            WA_M_FETCH_DONE,    WA_M_UNPACK_OPEN,
            WA_M_UNPACK_READ,   WA_M_UNPACK_MEMBER,
            WA_M_UNPACK_END,    WA_M_UNPACK_LISTED,
            WA_M_UNPACK_DATA,   WA_M_AUTH_ASK,
            WA_M_AUTH_ANSWER,   WA_M_INVENTORY_TABLE,
            WA_M_INVENTORY_ASK, WA_M_INVENTORY_DATA,
            WA_M_INVENTORY_END, WA_M_TICKET_ASK,
            WA_M_TICKET_ANSWER, WA_M_WAKE,
            WA_M_WAKE_DONE,     WA_M_DESCRIBE,
            WA_M_DESCRIBE_DONE,
        };
        unsigned expected = 0;
        for (size_t i = 0; i < WA_COUNT(known); i++) {
            expected += known[i] == type;
        }
        assert_int_equal(found, expected);
    }
}

/* Children talk to the manager alone; only the manager talks to the launcher. */
static void test_nobody_else_talks(void **state)
{
    WA_UNUSED(state);
    for (unsigned from = 0; from < WA_ROLE_COUNT; from++) {
        for (unsigned to = 0; to < WA_ROLE_COUNT; to++) {
            bool is_there = wa_role_rules((enum wa_role)from, (enum wa_role)to)->name != NULL;
            bool is_manager = (from == WA_ROLE_MANAGER) != (to == WA_ROLE_MANAGER);
            bool is_mute = from == WA_ROLE_RUNNER || to == WA_ROLE_RUNNER ||
                           from == WA_ROLE_UPGRADE || to == WA_ROLE_UPGRADE ||
                           from == WA_ROLE_POWER || to == WA_ROLE_POWER;
            assert_int_equal(is_there, is_manager && !is_mute);
        }
    }
    assert_string_equal(wa_role_name(WA_ROLE_UNPACK), "unpack");
    assert_string_equal(wa_role_name(WA_ROLE_COUNT), "unknown");
    assert_string_equal(wa_hook_name(WA_HOOK_SESSION_SETUP), "session_setup");
    assert_string_equal(wa_hook_name(WA_HOOK_COUNT), "unknown");
}

static void test_errors_travel(void **state)
{
    static const struct {
        const char *text;
        enum wa_code code;
    } rows[] = {
        {"{\"code\":\"not_found\",\"message\":\"gone\"}", WA_E_NOT_FOUND},
        {"{\"code\":\"ok\",\"message\":\"gone\"}", WA_E_REFUSED},
        {"{\"code\":\"again\",\"message\":\"gone\"}", WA_E_REFUSED},
        {"{\"code\":\"io\",\"message\":\"\"}", WA_E_REFUSED},
        {"{\"code\":\"martian\",\"message\":\"gone\"}", WA_E_INTERNAL},
        {"{\"code\":\"io\"}", WA_E_REFUSED},
        {"{\"message\":\"x\"}", WA_E_REFUSED},
        {"{\"code\":1,\"message\":\"x\"}", WA_E_REFUSED},
        {"[]", WA_E_REFUSED},
        {"", WA_E_REFUSED},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_role_error_read(wa_sv(rows[i].text), &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        assert_string_not_equal(err.text, "");
    }
    struct wa_err told = WA_ERR_INIT, heard = WA_ERR_INIT;
    struct wa_buf WA_AUTO_BUF out;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    (void)wa_fail(&told, WA_E_LIMIT, "too \"much\" \\ of \xc3\xa9");
    wa_role_error_write(&told, &out);
    assert_int_equal(wa_role_error_read(wa_buf_sv(&out), &heard), WA_E_LIMIT);
    assert_string_equal(heard.text, told.text);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_what_the_network_says(void **state)
{
    static const struct {
        const char *text;
        enum wa_code code;
    } states[] =
        {
            {"{\"state\":\"closed\",\"reason\":\"r\",\"status\":4401}", WA_OK},
            {"{\"state\":\"welcome\",\"reason\":\"\",\"status\":0}", WA_OK},
            {"{\"state\":\"open\",\"reason\":\"\",\"status\":5000}", WA_E_INVALID},
            {"{\"state\":\"open\",\"reason\":\"\",\"status\":-1}", WA_E_INVALID},
            {"{\"state\":\"ajar\",\"reason\":\"\",\"status\":0}", WA_E_INVALID},
            {"{\"state\":\"open\",\"reason\":\"a\\u0000b\",\"status\":0}", WA_E_INVALID},
            {"{\"state\":\"open\",\"reason\":\"\"}", WA_E_INVALID},
            {"{\"state\":\"open\",\"reason\":\"\",\"status\":0,\"more\":1}", WA_E_INVALID},
        },
      challenges[] = {
          {"{\"nonce\":\"" HEX64 "\",\"time\":5,\"channel\":\"" HEX64 "\"}", WA_OK},
          {"{\"nonce\":\"" HEX64 "\",\"time\":5,\"channel\":\"\"}", WA_E_INVALID},
          {"{\"nonce\":\"0\",\"time\":5,\"channel\":\"" HEX64 "\"}", WA_E_INVALID},
          {"{\"nonce\":\"" HEX64 "0\",\"time\":5,\"channel\":\"" HEX64 "\"}", WA_E_LIMIT},
          {"{\"nonce\":\"" HEX64 "\",\"time\":\"5\",\"channel\":\"" HEX64 "\"}", WA_E_INVALID},
          {"{\"nonce\":\"" HEX64 "\",\"time\":-1,\"channel\":\"" HEX64 "\"}", WA_E_INVALID},
          {"{\"nonce\":\"" HEX64 "\",\"time\":9223372036854775807,\"channel\":\"" HEX64 "\"}",
           WA_E_INVALID},
      };
    struct wa_net_state s;
    struct wa_net_challenge c;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(states); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_net_state_read(wa_sv(states[i].text), &s, &err), states[i].code);
        if (i == 0) {
            assert_int_equal(s.state, WA_NET_CLOSED);
            assert_int_equal(s.status, 4401);
            assert_string_equal(s.reason, "r");
        }
    }
    for (size_t i = 0; i < WA_COUNT(challenges); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_net_challenge_read(wa_sv(challenges[i].text), &c, &err),
                         challenges[i].code);
    }
    assert_string_equal(c.nonce, HEX64);
    assert_int_equal(c.time, 5);
}

static void test_trust_travels(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_buf WA_AUTO_BUF out;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    struct wa_tls_trust back;
    const struct wa_tls_trust trust = {
        .pem = WA_SV("-----BEGIN\nx\n"), .fingerprint = HEX64, .system_cas = true, .host = "srv"};
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&out, 4096);
    wa_jw_init(&w, &out);
    wa_trust_write(&w, &trust);
    assert_int_equal(wa_json_parse(wa_buf_sv(&out), 0, &arena, &j, &err), WA_OK);
    assert_int_equal(wa_trust_read(j, &back, &err), WA_OK);
    assert_true(wa_sv_eq(back.pem, trust.pem));
    assert_string_equal(back.fingerprint, HEX64);
    assert_string_equal(back.host, "srv");
    assert_true(back.system_cas);
    static const char *const bad[] = {
        "{\"pem\":\"\",\"fingerprint\":\"AB\",\"system_cas\":false,\"host\":\"\"}",
        "{\"pem\":\"\",\"fingerprint\":\"\",\"system_cas\":1,\"host\":\"\"}",
        "{\"pem\":\"\",\"fingerprint\":\"\",\"system_cas\":false,\"host\":\"a\\u0000b\"}",
        "{\"pem\":\"\",\"fingerprint\":\"\",\"host\":\"\"}",
    };
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        wa_err_clear(&err);
        assert_int_equal(wa_json_parse(wa_sv(bad[i]), 0, &arena, &j, &err), WA_OK);
        assert_int_equal(wa_trust_read(j, &back, &err), WA_E_INVALID);
    }
}

static void collect(void *user, struct wa_sv text)
{
    wa_buf_addsv(user, text);
    wa_buf_addc(user, '|');
}

/* What is fed is handed on at once, but never half a character. */
static void test_output_keeps_characters_whole(void **state)
{
    static const struct {
        const char *fed[4];
        const char *expected;
    } rows[] = {
        {{"abc", "def"}, "abc|def|"},
        {{"caf\xc3", "\xa9!"}, "caf|\xc3\xa9!|"},
        {{"\xe2", "\x82", "\xac"}, "\xe2\x82\xac|"},
        {{"\xff\xfe"}, "\xff\xfe|"},
        {{"end \xe2\x82"}, "end |\xe2\x82|"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_output_cut o;
        struct wa_buf WA_AUTO_BUF got;
        wa_buf_init(&got, 4096);
        wa_cut_init(&o, collect, &got);
        for (size_t k = 0; k < 4 && rows[i].fed[k] != NULL; k++) {
            assert_int_equal(wa_cut_feed(&o, rows[i].fed[k], strlen(rows[i].fed[k]), &err), WA_OK);
        }
        assert_int_equal(wa_cut_finish(&o, &err), WA_OK);
        assert_string_equal(wa_buf_str(&got), rows[i].expected);
        wa_cut_fini(&o);
    }
}

static void join(void *user, struct wa_sv text)
{
    wa_buf_addsv(user, text);
}

/* Lengths around the caps: what is missing is what the line says, and head and tail are the real
 * ones. */
static void test_output_is_cut_in_the_middle(void **state)
{
    static const size_t lengths[] = {0,
                                     1,
                                     WA_SCRIPT_OUTPUT_MAX - 1,
                                     WA_SCRIPT_OUTPUT_MAX,
                                     WA_SCRIPT_OUTPUT_MAX + 1,
                                     WA_SCRIPT_OUTPUT_MAX + 70000,
                                     3 * WA_SCRIPT_OUTPUT_MAX + 17};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(lengths); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_output_cut o;
        struct wa_buf WA_AUTO_BUF all, got;
        wa_buf_init(&all, 8u << 20);
        wa_buf_init(&got, 8u << 20);
        for (size_t k = 0; k < lengths[i]; k++) {
            wa_buf_addc(&all, (char)('a' + k % 23));
        }
        wa_cut_init(&o, join, &got);
        for (size_t at = 0; at < all.n; at += 10007) {
            size_t n = all.n - at < 10007 ? all.n - at : 10007;
            assert_int_equal(wa_cut_feed(&o, all.p + at, n, &err), WA_OK);
        }
        assert_int_equal(wa_cut_finish(&o, &err), WA_OK);
        const char *line = strstr(wa_buf_str(&got), "\n[");
        if (lengths[i] <= WA_SCRIPT_OUTPUT_MAX) {
            assert_null(line);
            assert_true(wa_sv_eq(wa_buf_sv(&got), wa_buf_sv(&all)));
        } else {
            assert_non_null(line);
            size_t head = (size_t)(line - got.p), left_out = strtoul(line + 2, NULL, 10);
            const char *rest = strchr(line + 1, '\n') + 1;
            size_t tail = got.n - (size_t)(rest - got.p);
            assert_int_equal(head + left_out + tail, all.n);
            assert_int_equal(head + tail, WA_SCRIPT_OUTPUT_MAX);
            assert_memory_equal(got.p, all.p, head);
            assert_memory_equal(rest, all.p + all.n - tail, tail);
        }
        wa_cut_fini(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_has_one_direction),
        cmocka_unit_test(test_nobody_else_talks),
        cmocka_unit_test(test_errors_travel),
        cmocka_unit_test(test_what_the_network_says),
        cmocka_unit_test(test_trust_travels),
        cmocka_unit_test(test_output_keeps_characters_whole),
        cmocka_unit_test(test_output_is_cut_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
