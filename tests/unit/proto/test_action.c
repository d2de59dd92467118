/* The form of an action: what each kind takes, and which texts persons are shown. */
#include "testlib.h"
#include "torture.h"

#include "proto/action.h"

#define FRAME                                                                                      \
    "{\"purpose\":\"wapt-action\",\"id\":\"abababababababababababababababab\",\"action\":\"%s\","  \
    "\"uuid\":\"pc-1\",\"issued_at\":1000,\"not_before\":1000,\"not_after\":2000,\"force\":false"  \
    "%s}"

static enum wa_code read(const char *kind, const char *more, struct wa_action *ret,
                         struct wa_arena *arena, struct wa_err *err)
{
    char text[4096];
    (void)snprintf(text, sizeof text, FRAME, kind, more);
    const char *kept = wa_arena_strdup(arena, wa_sv(text));
    return kept == NULL ? wa_nomem(err) : wa_action_read(wa_sv(kept), arena, ret, err);
}

static bool is_read(const char *kind, const char *more)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_action a;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    return read(kind, more, &a, &arena, &err) == WA_OK;
}

static enum wa_code there_and_back(void *arg, struct wa_err *err)
{
    struct wa_action out, in = {.kind = WA_ACT_MESSAGE,
                                .id = "abababababababababababababababab",
                                .uuid = "pc-1",
                                .issued_at = 1000,
                                .not_before = 1000,
                                .not_after = 2000,
                                .text = WA_SV("<b>\"caf\xc3\xa9\" \\n\n-- $(id)")};
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_UNUSED(arg);
    wa_buf_init(&text, WA_ACTION_BYTES_MAX);
    wa_arena_init(&arena, 1u << 20);
    if (wa_action_write(&in, NULL, 0, &text, err) != WA_OK ||
        wa_action_read(wa_buf_sv(&text), &arena, &out, err) != WA_OK)
        return err->code;
    assert_int_equal(out.kind, WA_ACT_MESSAGE);
    assert_true(wa_sv_eq(out.text, in.text));
    return WA_OK;
}

static void test_a_message(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(there_and_back, NULL) > 2);
}

static void test_what_each_kind_takes(void **state)
{
    static const char *const packages = ",\"packages\":[\"tis-x\"]",
                             *const text = ",\"text\":\"t\"",
                             *const cancels = ",\"cancels\":[\"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"]",
                             *const macs = ",\"macs\":[\"00:16:3e:01:02:03\"]";
    WA_UNUSED(state);
    for (unsigned k = 0; k < WA_ACT_COUNT; k++) {
        enum wa_action_kind kind = (enum wa_action_kind)k;
        const char *name = wa_action_kind_name(kind);
        enum wa_action_takes takes = wa_action_kind_takes(kind);
        bool has_text = kind == WA_ACT_MESSAGE || kind == WA_ACT_DESCRIBE;
        bool is_bare =
            takes != WA_TAKES_SOME && !has_text && kind != WA_ACT_CANCEL && kind != WA_ACT_WAKE;
        assert_int_equal(is_read(name, ""), is_bare);
        assert_int_equal(is_read(name, packages), takes != WA_TAKES_NONE);
        assert_int_equal(is_read(name, text), has_text);
        assert_int_equal(is_read(name, cancels), kind == WA_ACT_CANCEL);
        assert_int_equal(is_read(name, macs), kind == WA_ACT_WAKE);
    }
    assert_false(is_read("explode", ""));
}

/* What could move a cursor, hide or reorder what is around it, or be no text at all. */
static void test_what_nobody_is_shown(void **state)
{
    static const char *const bad[] = {
        ",\"text\":\"\"",
        ",\"text\":7",
        ",\"text\":\"a\\u0000b\"",
        ",\"text\":\"\\u001b[2J\"",
        ",\"text\":\"a\\rb\"",
        ",\"text\":\"a\\tb\"",
        ",\"text\":\"\\u007f\"",
        ",\"text\":\"\\u009b\"",
        ",\"text\":\"\\u202egnp.exe\"",
        ",\"text\":\"\\u2028\"",
        ",\"text\":\"\\u200b\"",
        ",\"text\":\"\xff\"",
        ",\"text\":\"a\",\"text\":\"b\"",
    };
    char longest[WA_ACTION_TEXT_MAX + 2], more[WA_ACTION_TEXT_MAX + 64];
    struct wa_err err = WA_ERR_INIT, too = WA_ERR_INIT;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++)
        if (is_read("message", bad[i]))
            fail_msg("it is shown: %s", bad[i]);
    memset(longest, 'x', sizeof longest);
    longest[WA_ACTION_TEXT_MAX + 1] = '\0';
    (void)snprintf(more, sizeof more, ",\"text\":\"%s\"", longest);
    assert_false(is_read("message", more));
    assert_int_equal(wa_action_check_text(wa_sv(longest), &err), WA_E_INVALID);
    longest[WA_ACTION_TEXT_MAX] = '\0';
    (void)snprintf(more, sizeof more, ",\"text\":\"%s\"", longest);
    assert_true(is_read("message", more));
    assert_int_equal(wa_action_check_text(WA_SV("two\nlines"), &too), WA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message),
        cmocka_unit_test(test_what_each_kind_takes),
        cmocka_unit_test(test_what_nobody_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
