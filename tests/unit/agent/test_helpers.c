/* test_helpers.c - children that lie: what the manager makes of messages that follow no rule.
 *
 * The launcher is a thread here, and each child a list of frames that it writes without being
 * asked. Whatever a row sends, the call must end with the code of the row, and the child must have
 * been killed or have ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/auth_ask.h"
#include "agent/inventory_answer.h"
#include "fake_launcher.h"
#include "os/fs.h"

static void expect(const char *row, enum wa_code code, enum wa_code expected,
                   const struct wa_err *err)
{
    if (code != expected) {
        print_error("row '%s': %s, not %s: %s\n", row, wa_code_name(code), wa_code_name(expected),
                    err->text);
    }
    assert_int_equal(code, expected);
    assert_true(code == WA_OK || err->text[0] != '\0');
}

/* --- fetch --- */

#define DONE(text)                                                                                 \
    {                                                                                              \
        WA_M_FETCH_DONE, 1, TEXT(text), 0, false                                                   \
    }
#define GOOD_DONE                                                                                  \
    DONE("{\"status\":200,\"resumed\":false,\"etag\":\"e\",\"last_modified\":\"m\",\"bytes\":5}")
#define DATA(text)                                                                                 \
    {                                                                                              \
        WA_M_FETCH_DATA, 1, TEXT(text), 0, false                                                   \
    }

static const struct {
    const char *name;
    struct script script;
    enum wa_code expected;
} fetches[] = {
    {"good", {.frames = {DATA("he"), DATA("llo"), GOOD_DONE}}, WA_OK},
    {"no body", {.frames = {GOOD_DONE}}, WA_OK},
    {"more than asked", {.frames = {DATA("12345678"), DATA("9"), GOOD_DONE}}, WA_E_REFUSED},
    {"another id", {.frames = {{WA_M_FETCH_DATA, 2, TEXT("x"), 0, false}}}, WA_E_REFUSED},
    {"short progress",
     {.frames = {{WA_M_FETCH_PROGRESS, 1, TEXT("1234567"), 0, false}}},
     WA_E_REFUSED},
    {"not json", {.frames = {DONE("status=200")}}, WA_E_REFUSED},
    {"empty end", {.frames = {DONE("")}}, WA_E_REFUSED},
    {"a stranger",
     {.frames = {DONE("{\"status\":200,\"resumed\":false,\"etag\":\"\","
                      "\"last_modified\":\"\",\"bytes\":5,\"x\":1}")}},
     WA_E_REFUSED},
    {"no status",
     {.frames = {DONE("{\"resumed\":false,\"etag\":\"\",\"last_modified\":\"\","
                      "\"bytes\":5}")}},
     WA_E_REFUSED},
    {"status 42",
     {.frames = {DONE("{\"status\":42,\"resumed\":false,\"etag\":\"\","
                      "\"last_modified\":\"\",\"bytes\":5}")}},
     WA_E_REFUSED},
    {"a NUL",
     {.frames = {DONE("{\"status\":200,\"resumed\":false,\"etag\":\"a\\u0000b\","
                      "\"last_modified\":\"\",\"bytes\":5}")}},
     WA_E_REFUSED},
    {"error",
     {.frames = {DONE("{\"code\":\"unreachable\",\"message\":\"no route\"}")}},
     WA_E_UNREACHABLE},
    {"error of no kind", {.frames = {DONE("{\"code\":\"??\",\"message\":\"x\"}")}}, WA_E_INTERNAL},
    {"error that is none", {.frames = {DONE("{\"code\":\"ok\",\"message\":\"x\"}")}}, WA_E_REFUSED},
    {"error and more",
     {.frames = {DONE("{\"code\":\"io\",\"message\":\"x\",\"status\":1}")}},
     WA_E_REFUSED},
    {"another's message", {.frames = {{WA_M_UNPACK_DATA, 1, TEXT("x"), 0, false}}}, WA_E_REFUSED},
    {"a descriptor", {.frames = {{WA_M_FETCH_DATA, 1, TEXT("x"), 0, true}}}, WA_E_REFUSED},
    {"too long",
     {.frames = {{WA_M_FETCH_DATA, 1, TEXT("0123456789abcdef"), 20000, false}}},
     WA_E_REFUSED},
    {"goes", {.frames = {DATA("x")}, .fate = ENDS}, WA_E_FAILED},
    {"crashes", {.fate = CRASHES}, WA_E_FAILED},
    {"cannot start", {.refused = WA_E_BUSY}, WA_E_BUSY},
    {"failure without code", {.refused = WA_CODE_COUNT}, WA_E_INTERNAL},
    {"started senselessly", {.started = TEXT("x")}, WA_E_INTERNAL},
};

static void test_fetch(void **state)
{
    WA_UNUSED(state);
    const struct wa_tls_trust trust = {.host = "h"};
    for (size_t i = 0; i < WA_COUNT(fetches); i++) {
        const struct wa_fetch what = {
            .method = "GET", .url = "https://h/", .trust = &trust, .max_bytes = 8};
        struct wa_err err = WA_ERR_INIT;
        struct wa_fetch_result r = {0};
        struct scene s;
        struct wa_buf WA_AUTO_BUF body;
        struct wa_buf_sink sink;
        wa_buf_init(&body, 64);
        wa_buf_sink_init(&sink, &body);
        scene_open(&s, &fetches[i].script);
        enum wa_code code = wa_helper_fetch(s.l, &what, &sink.base, NULL, NULL, NULL, &r, &err);
        scene_close(&s);
        expect(fetches[i].name, code, fetches[i].expected, &err);
        if (i == 0) {
            assert_int_equal(r.status, 200);
            assert_string_equal(r.etag, "e");
            assert_string_equal(r.last_modified, "m");
            assert_int_equal(r.bytes, 5);
            assert_string_equal(wa_buf_str(&body), "hello");
        }
        if (i == 1) {
            assert_int_equal(r.bytes, 0); /* what came, not what it says */
        }
    }
}

static void test_cancelling_ends_the_child(void **state)
{
    static const struct script silent = {.fate = STAYS};
    const struct wa_tls_trust trust = {.host = "h"};
    const struct wa_fetch what = {.method = "GET", .url = "https://h/", .trust = &trust};
    struct wa_err err = WA_ERR_INIT;
    struct wa_fetch_result r;
    struct wa_cancel *cancel = NULL;
    struct scene s;
    struct wa_buf WA_AUTO_BUF body;
    struct wa_buf_sink sink;
    WA_UNUSED(state);
    wa_buf_init(&body, 64);
    wa_buf_sink_init(&sink, &body);
    scene_open(&s, &silent);
    assert_int_equal(wa_cancel_new(&cancel, &err), WA_OK);
    wa_cancel_set(cancel);
    expect("cancel", wa_helper_fetch(s.l, &what, &sink.base, NULL, NULL, cancel, &r, &err),
           WA_E_CANCELLED, &err);
    wa_cancel_reset(cancel);
    assert_false(wa_cancel_is_set(cancel));
    wa_cancel_free(cancel);
    scene_close(&s);
}

/* --- unpack --- */

#define MEMBER(size, dir, name)                                                                    \
    {                                                                                              \
        WA_M_UNPACK_MEMBER, 1, TEXT(size dir name), 0, false                                       \
    }
#define SIZE5 "\5\0\0\0\0\0\0\0"
#define SIZE0 "\0\0\0\0\0\0\0\0"
#define LISTED(count)                                                                              \
    {                                                                                              \
        WA_M_UNPACK_LISTED, 1, TEXT(count), 0, false                                               \
    }
#define ONE "\1\0\0\0"
#define CONTENT(text)                                                                              \
    {                                                                                              \
        WA_M_UNPACK_DATA, 2, TEXT(text), 0, false                                                  \
    }
#define END(text)                                                                                  \
    {                                                                                              \
        WA_M_UNPACK_END, 2, TEXT(text), 0, false                                                   \
    }
#define LIST_OF_A MEMBER(SIZE5, "\0", "a"), LISTED(ONE)

static const struct {
    const char *name;
    struct script script;
    enum wa_code listed, read;
} unpacks[] = {
    {"good", {.frames = {LIST_OF_A, CONTENT("he"), CONTENT("llo"), END("")}}, WA_OK, WA_OK},
    {"fewer bytes", {.frames = {LIST_OF_A, CONTENT("he"), END("")}}, WA_OK, WA_E_REFUSED},
    {"more bytes", {.frames = {LIST_OF_A, CONTENT("hello"), CONTENT("!")}}, WA_OK, WA_E_REFUSED},
    {"a failing member",
     {.frames = {LIST_OF_A, CONTENT("he"), END("{\"code\":\"invalid\",\"message\":\"crc\"}")}},
     WA_OK,
     WA_E_INVALID},
    {"another question's",
     {.frames = {LIST_OF_A, {WA_M_UNPACK_DATA, 3, TEXT("hello"), 0, false}}},
     WA_OK,
     WA_E_REFUSED},
    {"a member late",
     {.frames = {LIST_OF_A, {WA_M_UNPACK_MEMBER, 2, TEXT(SIZE5 "\0b"), 0, false}}},
     WA_OK,
     WA_E_REFUSED},
    {"goes while listing", {.frames = {MEMBER(SIZE5, "\0", "a")}, .fate = ENDS}, WA_E_FAILED, 0},
    {"the same name",
     {.frames = {MEMBER(SIZE5, "\0", "Setup.py"), MEMBER(SIZE5, "\0", "setup.PY")}},
     WA_E_REFUSED,
     0},
    {"above", {.frames = {MEMBER(SIZE5, "\0", "../x")}}, WA_E_REFUSED, 0},
    {"absolute", {.frames = {MEMBER(SIZE5, "\0", "/etc/passwd")}}, WA_E_REFUSED, 0},
    {"a drive", {.frames = {MEMBER(SIZE5, "\0", "C:x")}}, WA_E_REFUSED, 0},
    {"a NUL", {.frames = {MEMBER(SIZE5, "\0", "a\0b")}}, WA_E_REFUSED, 0},
    {"no name", {.frames = {MEMBER(SIZE5, "\0", "")}}, WA_E_REFUSED, 0},
    {"cut", {.frames = {{WA_M_UNPACK_MEMBER, 1, TEXT("\5\0"), 0, false}}}, WA_E_REFUSED, 0},
    {"a full directory", {.frames = {MEMBER(SIZE5, "\1", "d")}}, WA_E_REFUSED, 0},
    {"a third kind", {.frames = {MEMBER(SIZE0, "\2", "d")}}, WA_E_REFUSED, 0},
    {"enormous",
     {.frames = {MEMBER("\377\377\377\377\377\377\377\377", "\0", "a")}},
     WA_E_REFUSED,
     0},
    {"enormous together",
     {.frames = {MEMBER("\0\0\0\0\100\0\0\0", "\0", "a"), MEMBER(SIZE5, "\0", "b")}},
     WA_E_REFUSED,
     0},
    {"another count", {.frames = {MEMBER(SIZE5, "\0", "a"), LISTED("\2\0\0\0")}}, WA_E_REFUSED, 0},
    {"half a count", {.frames = {MEMBER(SIZE5, "\0", "a"), LISTED("\1\0")}}, WA_E_REFUSED, 0},
    {"content first", {.frames = {{WA_M_UNPACK_DATA, 1, TEXT("x"), 0, false}}}, WA_E_REFUSED, 0},
    {"not an archive",
     {.frames = {{WA_M_UNPACK_END, 1, TEXT("{\"code\":\"invalid\",\"message\":\"zip\"}"), 0,
                  false}}},
     WA_E_INVALID,
     0},
    {"an end without list",
     {.frames = {{WA_M_UNPACK_END, 1, TEXT(""), 0, false}}},
     WA_E_REFUSED,
     0},
    {"crashes", {.frames = {MEMBER(SIZE5, "\0", "a")}, .fate = CRASHES}, WA_E_FAILED, 0},
};

static void test_unpack(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(unpacks); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_unpack *u = NULL;
        struct scene s;
        scene_open(&s, &unpacks[i].script);
        expect(unpacks[i].name, wa_helper_unpack(s.l, 0, NULL, &u, &err), unpacks[i].listed, &err);
        if (unpacks[i].listed == WA_OK) {
            struct wa_buf WA_AUTO_BUF out;
            struct wa_buf_sink sink;
            struct wa_members *m = wa_unpack_members(u);
            wa_buf_init(&out, 64);
            wa_buf_sink_init(&sink, &out);
            assert_int_equal(m->n, 1);
            assert_string_equal(m->items[0].name.p, "a");
            assert_int_equal(m->items[0].size, 5);
            expect(unpacks[i].name, m->read(m, 0, &sink.base, &err), unpacks[i].read, &err);
            assert_true(unpacks[i].read != WA_OK || wa_sv_eqs(wa_buf_sv(&out), "hello"));
            wa_unpack_free(u);
        }
        scene_close(&s);
    }
}

/* --- auth --- */

#define ANSWER(text)                                                                               \
    {                                                                                              \
        .frames = { {WA_M_AUTH_ANSWER, 1, TEXT(text), 0, false} }                                  \
    }
static const char *const groups[] = {"g1", "g2", NULL};

static const struct {
    const char *name;
    struct script script;
    bool has_password;
    enum wa_code expected;
    bool is_ok, in_second;
} auths[] = {
    {"yes", ANSWER("{\"password_ok\":true,\"groups\":[\"g2\"],\"reason\":\"\"}"), true, WA_OK, true,
     true},
    {"no", ANSWER("{\"password_ok\":false,\"groups\":[],\"reason\":\"x\"}"), true, WA_OK, false,
     false},
    {"groups only", ANSWER("{\"password_ok\":false,\"groups\":[\"g2\"],\"reason\":\"\"}"), false,
     WA_OK, false, true},
    {"ok without password", ANSWER("{\"password_ok\":true,\"groups\":[],\"reason\":\"\"}"), false,
     WA_E_REFUSED, false, false},
    {"a group not asked", ANSWER("{\"password_ok\":true,\"groups\":[\"root\"],\"reason\":\"\"}"),
     true, WA_E_REFUSED, false, false},
    {"a number for a group", ANSWER("{\"password_ok\":true,\"groups\":[1],\"reason\":\"\"}"), true,
     WA_E_REFUSED, false, false},
    {"a word for true", ANSWER("{\"password_ok\":\"true\",\"groups\":[],\"reason\":\"\"}"), true,
     WA_E_REFUSED, false, false},
    {"not all", ANSWER("{\"password_ok\":true}"), true, WA_E_REFUSED, false, false},
    {"an error", ANSWER("{\"code\":\"config\",\"message\":\"no service\"}"), true, WA_E_CONFIG,
     false, false},
    {"crashes", {.fate = CRASHES}, true, WA_E_FAILED, false, false},
};

static void test_auth(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(auths); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_auth_answer a = {0};
        struct scene s;
        struct wa_sv password = auths[i].has_password ? WA_SV("p") : (struct wa_sv){0};
        scene_open(&s, &auths[i].script);
        enum wa_code code = wa_helper_auth(s.l, "u", password, groups, &a, &err);
        scene_close(&s);
        expect(auths[i].name, code, auths[i].expected, &err);
        assert_int_equal(a.password_ok, auths[i].is_ok);
        assert_int_equal(a.in_group[1], auths[i].in_second);
        assert_false(a.in_group[0]);
    }
}

/* --- two threads on one launcher --- */

struct asker {
    struct wa_launcher *l;
    unsigned good;
};

static void ask_often(void *user)
{
    struct asker *a = user;
    for (int i = 0; i < 40; i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_auth_answer answer = {0};
        if (wa_helper_auth(a->l, "u", WA_SV("p"), groups, &answer, &err) == WA_OK &&
            answer.password_ok) {
            a->good++;
        } else {
            print_error("%s\n", err.text);
        }
    }
}

/* --- inventory --- */

#define PIECE(text, times)                                                                         \
    {                                                                                              \
        WA_M_INVENTORY_DATA, 1, TEXT(text), times, false                                           \
    }
#define END_OF_IT                                                                                  \
    {                                                                                              \
        WA_M_INVENTORY_END, 1, TEXT(""), 0, false                                                  \
    }
static const char megabyte[1u << 17] = {'x'};

static const struct {
    const char *name;
    struct script script;
    enum wa_code expected, read; /* of the conversation; of the answer, as a machine's */
} inventories[] = {
    {"good", {.frames = {PIECE("{\"dmi\":", 0), PIECE("{}}", 0), END_OF_IT}}, WA_OK, WA_OK},
    {"nothing", {.frames = {END_OF_IT}}, WA_OK, WA_E_INVALID},
    {"another section",
     {.frames = {PIECE("{\"installed_packages\":[]}", 0), END_OF_IT}},
     WA_OK,
     WA_E_INVALID},
    {"another type", {.frames = {PIECE("{\"dmi\":[]}", 0), END_OF_IT}}, WA_OK, WA_E_INVALID},
    {"the manager's word",
     {.frames = {PIECE("{\"host_info\":{\"computer_ad_dn\":\"CN=x\"}}", 0), END_OF_IT}},
     WA_OK,
     WA_E_REFUSED},
    {"an error",
     {.frames = {{WA_M_INVENTORY_END, 1, TEXT("{\"code\":\"io\",\"message\":\"x\"}"), 0, false}}},
     WA_E_IO,
     WA_OK},
    {"no error", {.frames = {{WA_M_INVENTORY_END, 1, TEXT("x"), 0, false}}}, WA_E_REFUSED, WA_OK},
    {"another's answer",
     {.frames = {{WA_M_INVENTORY_END, 2, TEXT(""), 0, false}}},
     WA_E_REFUSED,
     WA_OK},
    {"crashes", {.frames = {PIECE("{", 0)}, .fate = CRASHES}, WA_E_FAILED, WA_OK},
    {"endless",
     {.frames = {{WA_M_INVENTORY_DATA, 1, {megabyte, sizeof megabyte}, 70, false}}},
     WA_E_REFUSED,
     WA_OK},
};

static void test_inventory(void **state)
{
    const struct wa_inventory_ask what = {.table = WA_SV("table")};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(inventories); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_arena WA_AUTO_ARENA arena;
        struct wa_buf WA_AUTO_BUF text;
        struct wa_machine_answer a;
        struct scene s;
        wa_arena_init(&arena, 1u << 20);
        wa_buf_init(&text, WA_INVENTORY_BYTES_MAX);
        scene_open(&s, &inventories[i].script);
        enum wa_code code = wa_helper_inventory(s.l, &what, NULL, &text, &err);
        scene_close(&s);
        expect(inventories[i].name, code, inventories[i].expected, &err);
        if (code == WA_OK)
            expect(inventories[i].name, wa_machine_answer_read(wa_buf_sv(&text), &arena, &a, &err),
                   inventories[i].read, &err);
    }
}

static void test_where_a_machine_stands(void **state)
{
    static const struct {
        const char *text;
        enum wa_code code;
        const char *groups;
    } rows[] = {
        {"{\"is_known\":true,\"dn\":\"CN=a\",\"groups\":[\"a\",\"b c\"]}", WA_OK, "a,b c"},
        {"{\"is_known\":false}", WA_OK, ""},
        {"{\"is_known\":true,\"groups\":[\"a,b\"]}", WA_E_REFUSED, NULL},
        {"{\"is_known\":true,\"groups\":[\"\"]}", WA_E_REFUSED, NULL},
        {"{\"is_known\":true,\"groups\":[1]}", WA_E_REFUSED, NULL},
        {"{\"is_known\":true,\"uuid\":\"x\"}", WA_E_INVALID, NULL},
        {"{}", WA_E_INVALID, NULL},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_arena WA_AUTO_ARENA arena;
        struct wa_place_answer a;
        wa_arena_init(&arena, 1u << 20);
        expect(rows[i].text, wa_place_answer_read(wa_sv(rows[i].text), &arena, &a, &err),
               rows[i].code, &err);
        if (rows[i].groups != NULL)
            assert_string_equal(wa_buf_str(&a.groups), rows[i].groups);
        wa_buf_fini(&a.groups);
    }
}

static void test_two_threads(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct scene s;
    struct wa_thread *second = NULL;
    WA_UNUSED(state);
    scene_open(&s, &auths[0].script);
    struct asker a = {s.l, 0}, b = {s.l, 0};
    assert_int_equal(wa_thread_start(ask_often, &a, &second, &err), WA_OK);
    ask_often(&b);
    wa_thread_join(second);
    assert_int_equal(a.good, 40);
    assert_int_equal(b.good, 40);
    scene_close(&s);
}

/* --- memory that runs out: each allocation of the manager's thread fails in turn --- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local int fail_in; /* the allocation that fails; 0: none */

static bool is_time_to_fail(void)
{
    return fail_in > 0 && --fail_in == 0;
}

void *__wrap_malloc(size_t n)
{
    return is_time_to_fail() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_time_to_fail() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return is_time_to_fail() ? NULL : __real_realloc(p, n);
}

static enum wa_code torture_state(struct wa_launcher *l, struct wa_err *err)
{
    struct wa_net_state s;
    WA_UNUSED(l);
    return wa_net_state_read(WA_SV("{\"state\":\"open\",\"reason\":\"\",\"status\":0}"), &s, err);
}

static enum wa_code torture_error(struct wa_launcher *l, struct wa_err *err)
{
    WA_UNUSED(l);
    enum wa_code code = wa_role_error_read(WA_SV("{\"code\":\"io\",\"message\":\"x\"}"), err);
    return code == WA_E_IO ? WA_OK : code;
}

static enum wa_code torture_auth(struct wa_launcher *l, struct wa_err *err)
{
    struct wa_auth_answer a;
    return wa_helper_auth(l, "u", WA_SV("p"), groups, &a, err);
}

static enum wa_code torture_fetch(struct wa_launcher *l, struct wa_err *err)
{
    const struct wa_tls_trust trust = {.host = "h"};
    const struct wa_fetch what = {
        .method = "GET", .url = "https://h/", .trust = &trust, .max_bytes = 8};
    struct wa_fetch_result r;
    struct wa_buf WA_AUTO_BUF body;
    struct wa_buf_sink sink;
    wa_buf_init(&body, 64);
    wa_buf_sink_init(&sink, &body);
    return wa_helper_fetch(l, &what, &sink.base, NULL, NULL, NULL, &r, err);
}

static enum wa_code torture_unpack(struct wa_launcher *l, struct wa_err *err)
{
    struct wa_unpack *u = NULL;
    struct wa_buf WA_AUTO_BUF body;
    struct wa_buf_sink sink;
    wa_buf_init(&body, 64);
    wa_buf_sink_init(&sink, &body);
    enum wa_code code = wa_helper_unpack(l, 0, NULL, &u, err);
    if (code == WA_OK) {
        struct wa_members *m = wa_unpack_members(u);
        code = m->read(m, 0, &sink.base, err);
        wa_unpack_free(u);
    }
    return code;
}

static enum wa_code torture_inventory(struct wa_launcher *l, struct wa_err *err)
{
    const struct wa_inventory_ask what = {.account = "PC1$"};
    struct wa_buf WA_AUTO_BUF text;
    wa_buf_init(&text, 4096);
    return wa_helper_inventory(l, &what, NULL, &text, err);
}

static void test_memory_runs_out(void **state)
{
    static const struct {
        const char *name;
        enum wa_code (*call)(struct wa_launcher *l, struct wa_err *err);
        const struct script *script;
    } rows[] = {
        {"state", torture_state, NULL},
        {"error", torture_error, NULL},
        {"auth", torture_auth, &auths[0].script},
        {"fetch", torture_fetch, &fetches[0].script},
        {"unpack", torture_unpack, &unpacks[0].script},
        {"inventory", torture_inventory, &inventories[0].script},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        int n = 0;
        bool is_reached = true;
        while (is_reached) {
            struct wa_err err = WA_ERR_INIT;
            struct scene s;
            scene_open(&s, rows[i].script);
            fail_in = ++n;
            enum wa_code code = rows[i].call(s.l, &err);
            is_reached = fail_in == 0;
            fail_in = 0;
            scene_close(&s);
            expect(rows[i].name, code, is_reached ? WA_E_NOMEM : WA_OK, &err);
        }
        assert_true(n > 1);
    }
}

static void test_a_lost_launcher_is_told(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_launcher *l = NULL;
    struct wa_auth_answer a;
    int pair[2];
    WA_UNUSED(state);
    assert_int_equal(wa_socketpair(pair, &err), WA_OK);
    assert_int_equal(wa_launcher_open(pair[0], &l, &err), WA_OK);
    assert_true(wa_launcher_is_there(l));
    wa_fd_close(&pair[1]);
    assert_false(wa_launcher_is_there(l));
    for (int i = 0; i < 2; i++) {
        enum wa_code code = wa_helper_auth(l, "u", WA_SV("p"), groups, &a, &err);
        assert_true(code == WA_E_INTERNAL || code == WA_E_NOT_FOUND);
        wa_err_clear(&err);
    }
    wa_launcher_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_cancelling_ends_the_child),
        cmocka_unit_test(test_unpack),
        cmocka_unit_test(test_auth),
        cmocka_unit_test(test_inventory),
        cmocka_unit_test(test_where_a_machine_stands),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_a_lost_launcher_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
